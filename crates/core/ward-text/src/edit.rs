//! Edits: what one burst of writing did, as a sequence of inserts and deletes by position.

use crate::limits::{EDIT_MAX_BYTES, TEXT_RUNS_MAX};
use alloc::string::String;
use alloc::vec::Vec;

/// One step of an edit. Positions count Unicode scalars and are valid after the runs before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRun<'a> {
    /// Puts a text in front of the scalar at a position, or at the end.
    Insert {
        /// Where.
        at: u32,
        /// What.
        text: &'a str,
    },
    /// Takes scalars away.
    Delete {
        /// The first of them.
        at: u32,
        /// How many.
        count: u32,
    },
}

/// A run that does not fit into an edit. The caller must hand over what it has and begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The burst has as many runs as one edit may hold.
    #[error("an edit holds at most {TEXT_RUNS_MAX} runs; hand it over and begin another")]
    TooManyRuns,
    /// The burst inserts as much text as one edit may hold.
    #[error("an edit inserts at most {EDIT_MAX_BYTES} bytes; hand it over and begin another")]
    TooLarge,
    /// A position that no document has.
    #[error("the position is beyond any document")]
    Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Insert,
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stored {
    what: What,
    at: u32,
    scalars: u32,
    /// Where the run's text begins in the text of all runs.
    from_byte: usize,
}

impl Stored {
    const fn end(&self) -> u32 {
        self.at.saturating_add(self.scalars)
    }
}

/// What one burst of writing did: at least one run, in the one normal form in which no run can be
/// joined with the run before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    burst: Burst,
}

impl TextEdit {
    /// The runs, in order.
    pub fn runs(&self) -> impl Iterator<Item = TextRun<'_>> {
        let burst = &self.burst;
        let ends = burst.runs.iter().skip(1).map(|run| run.from_byte).chain([burst.text.len()]);
        burst.runs.iter().zip(ends).map(|(run, end)| match run.what {
            What::Insert => {
                TextRun::Insert { at: run.at, text: burst.text.get(run.from_byte..end).unwrap_or("") }
            }
            What::Delete => TextRun::Delete { at: run.at, count: run.scalars },
        })
    }

    /// Each run without its text: whether it inserts, where, and how many scalars.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (bool, u32, u32)> + '_ {
        self.burst.runs.iter().map(|run| (run.what == What::Insert, run.at, run.scalars))
    }

    /// The text of all inserts, one after the other.
    pub(crate) fn text(&self) -> &str {
        &self.burst.text
    }

    /// Whether this edit is another one that its author went on with: the same runs, of which the last
    /// may have grown, and more.
    pub fn begins_with(&self, front: &Self) -> bool {
        let (all, mut front): (Vec<_>, Vec<_>) = (self.runs().collect(), front.runs().collect());
        let Some(last) = front.pop() else { return true };
        let same = all.get(..front.len()).is_some_and(|before| before == front);
        same && match (all.get(front.len()), last) {
            (Some(TextRun::Insert { at, text }), TextRun::Insert { at: first, text: front }) => {
                *at == first && text.starts_with(front)
            }
            (Some(TextRun::Delete { at, count }), TextRun::Delete { at: first, count: front }) => {
                *at <= first && first.saturating_add(front) <= at.saturating_add(*count)
            }
            _ => false,
        }
    }

    /// Scalars of all inserts.
    pub fn inserted(&self) -> u32 {
        let inserts = self.burst.runs.iter().filter(|run| run.what == What::Insert);
        inserts.fold(0, |sum, run| sum.saturating_add(run.scalars))
    }

    /// How long a document of `scalars` is afterwards; `None` if a position lies outside of it.
    pub fn length_after(&self, scalars: u32) -> Option<u32> {
        self.burst.runs.iter().try_fold(scalars, |length, run| match run.what {
            What::Insert => (run.at <= length).then(|| length.checked_add(run.scalars))?,
            What::Delete => (run.end() <= length).then(|| length.checked_sub(run.scalars))?,
        })
    }

    /// The edit that turns one text into another; `None` if they are equal.
    ///
    /// # Errors
    /// [`EditError::TooLarge`] if it inserts more than one edit holds.
    pub fn between(old: &str, new: &str) -> Result<Option<Self>, EditError> {
        let mut burst = Burst::new();
        if let Some(replacement) = Replacement::between(old, new) {
            burst.delete(replacement.at, replacement.count)?;
            burst.insert(replacement.at, replacement.text)?;
        }
        Ok(burst.finish())
    }

    /// Applies the edit to a text, as if nobody else had written. `None` if a position lies
    /// outside of it.
    pub fn apply_to(&self, text: &str) -> Option<String> {
        let mut chars: Vec<char> = text.chars().collect();
        for run in self.runs() {
            match run {
                TextRun::Insert { at, text } => {
                    let at = usize::try_from(at).ok().filter(|at| *at <= chars.len())?;
                    chars.splice(at..at, text.chars());
                }
                TextRun::Delete { at, count } => {
                    let (at, count) = (usize::try_from(at).ok()?, usize::try_from(count).ok()?);
                    let end = at.checked_add(count).filter(|end| *end <= chars.len())?;
                    chars.drain(at..end);
                }
            }
        }
        Some(chars.into_iter().collect())
    }
}

/// A part of a text with another in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replacement<'a> {
    /// Where the part begins.
    pub at: u32,
    /// How many scalars it has.
    pub count: u32,
    /// What stands there instead.
    pub text: &'a str,
}

impl<'a> Replacement<'a> {
    /// The one part in which two texts differ: what both have at their beginning and end stays.
    /// `None` if they are equal, or longer than any document.
    pub fn between(old: &str, new: &'a str) -> Option<Self> {
        let same = old.chars().zip(new.chars()).take_while(|(old, new)| old == new);
        let (at, bytes) = same.fold((0_usize, 0), |(at, bytes), (c, _)| (at + 1, bytes + c.len_utf8()));
        let (old, new) = (old.get(bytes..)?, new.get(bytes..)?);
        let same = old.chars().rev().zip(new.chars().rev()).take_while(|(old, new)| old == new);
        let tail: usize = same.map(|(c, _)| c.len_utf8()).sum();
        let gone = old.get(..old.len().checked_sub(tail)?)?;
        let text = new.get(..new.len().checked_sub(tail)?)?;
        let count = u32::try_from(gone.chars().count()).ok()?;
        (count > 0 || !text.is_empty()).then_some(Self { at: u32::try_from(at).ok()?, count, text })
    }
}

/// An edit that is being written: runs are joined as they come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Burst {
    text: String,
    runs: Vec<Stored>,
}

impl Burst {
    /// A burst without runs.
    pub const fn new() -> Self {
        Self { text: String::new(), runs: Vec::new() }
    }

    /// A burst without runs that has room for some.
    pub(crate) fn with_room(bytes: usize, runs: usize) -> Self {
        Self { text: String::with_capacity(bytes), runs: Vec::with_capacity(runs) }
    }

    /// The burst that has an edit's runs.
    pub fn of(edit: TextEdit) -> Self {
        edit.burst
    }

    /// Whether nothing was done, or all of it was undone.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether another run might not fit.
    pub fn is_full(&self) -> bool {
        self.runs.len() >= TEXT_RUNS_MAX
    }

    /// The edit; `None` if nothing was done.
    pub fn finish(self) -> Option<TextEdit> {
        (!self.is_empty()).then_some(TextEdit { burst: self })
    }

    /// Adds a run.
    ///
    /// # Errors
    /// [`EditError`]; nothing was added then.
    pub fn push(&mut self, run: TextRun<'_>) -> Result<(), EditError> {
        match run {
            TextRun::Insert { at, text } => self.insert(at, text),
            TextRun::Delete { at, count } => self.delete(at, count),
        }
    }

    /// Inserts a text. Behind what the run before inserted, it joins it.
    ///
    /// # Errors
    /// [`EditError`]; nothing was added then.
    pub fn insert(&mut self, at: u32, text: &str) -> Result<(), EditError> {
        if text.is_empty() {
            return Ok(());
        }
        if self.text.len().saturating_add(text.len()) > EDIT_MAX_BYTES {
            return Err(EditError::TooLarge);
        }
        let scalars = u32::try_from(text.chars().count()).map_err(|_| EditError::TooLarge)?;
        at.checked_add(scalars).ok_or(EditError::Position)?;
        match self.runs.last_mut().filter(|last| last.what == What::Insert && last.end() == at) {
            Some(last) => last.scalars = last.scalars.saturating_add(scalars),
            None => {
                self.room()?;
                self.runs.push(Stored { what: What::Insert, at, scalars, from_byte: self.text.len() });
            }
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Deletes scalars. A deletion that touches the place of the one before joins it, before or
    /// behind.
    ///
    /// # Errors
    /// [`EditError`]; nothing was added then.
    pub fn delete(&mut self, at: u32, count: u32) -> Result<(), EditError> {
        if count == 0 {
            return Ok(());
        }
        let end = at.checked_add(count).ok_or(EditError::Position)?;
        match self.runs.last().filter(|last| last.what == What::Delete && (at..=end).contains(&last.at)) {
            Some(last) => {
                let count = count.checked_add(last.scalars).ok_or(EditError::Position)?;
                at.checked_add(count).ok_or(EditError::Position)?;
                self.runs.pop();
                // The longer run may now touch the one before.
                self.delete(at, count)
            }
            None => {
                self.room()?;
                self.runs.push(Stored { what: What::Delete, at, scalars: count, from_byte: self.text.len() });
                Ok(())
            }
        }
    }

    /// Deletes as a person does who corrects what they just wrote: the end of what this burst
    /// inserted last is not sent at all.
    ///
    /// # Errors
    /// [`EditError`]; nothing was added then.
    pub fn erase(&mut self, at: u32, count: u32) -> Result<(), EditError> {
        let end = at.checked_add(count).ok_or(EditError::Position)?;
        let inserted = self.runs.last().copied().filter(|last| last.what == What::Insert);
        let Some(last) = inserted.filter(|last| count > 0 && at < last.end() && last.end() <= end) else {
            return self.delete(at, count);
        };
        let kept = at.saturating_sub(last.at);
        let behind = end.saturating_sub(last.end());
        if kept > 0 && behind > 0 {
            self.room()?;
        }
        let byte = last.from_byte + bytes_of(self.text.get(last.from_byte..), kept);
        self.text.truncate(byte);
        self.runs.pop();
        if kept == 0 {
            // Nothing stands between the two sides of the insert any more.
            return self.delete(at, last.at.saturating_sub(at).saturating_add(behind));
        }
        self.runs.push(Stored { scalars: kept, ..last });
        self.delete(at, behind)
    }

    fn room(&self) -> Result<(), EditError> {
        if self.is_full() { Err(EditError::TooManyRuns) } else { Ok(()) }
    }
}

/// Bytes of the first scalars of a text.
fn bytes_of(text: Option<&str>, scalars: u32) -> usize {
    let text = text.unwrap_or("");
    let nth = usize::try_from(scalars).unwrap_or(usize::MAX);
    text.char_indices().nth(nth).map_or(text.len(), |(byte, _)| byte)
}
