//! Texts that several people edit, with what a person must know before relying on one: where words
//! of people who wrote apart were merged, who signed what, and what was written since.

use ward_id::{EntryId, TimestampMs};
use ward_sync::{Author, ChartView, SignedVersion, Text, TextId};
use ward_text::What;

/// One text as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedText {
    /// Its id.
    pub id: TextId,
    /// What it says.
    pub text: String,
    /// The version: who goes on from here names it.
    pub version: Vec<EntryId>,
    /// When it was begun.
    pub begun_at: TimestampMs,
    /// When somebody wrote in it last, by their own clock.
    pub written_at: TimestampMs,
    /// The newest burst of writing.
    pub newest: EntryId,
    /// Who wrote in it, each once.
    pub contributors: Vec<Author>,
    /// Passages that were merged and that nobody has looked at since.
    pub to_review: Vec<Passage>,
    /// Signatures, oldest first.
    pub signatures: Vec<SignedText>,
    /// How many bursts are hidden, because their device was taken out.
    pub hidden: usize,
}

/// A paragraph that was merged from what people wrote apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Where it begins, in Unicode scalars.
    pub start: u32,
    /// What it says.
    pub text: String,
    /// Who wrote there, each once.
    pub by: Vec<Author>,
}

/// A signature over a version of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedText {
    /// The entry.
    pub entry: EntryId,
    /// Who signed.
    pub by: Author,
    /// When, by their own clock.
    pub at: TimestampMs,
    /// What it means, in their words.
    pub meaning: String,
    /// Whether somebody wrote since, or words that were signed are hidden now.
    pub changed_since: bool,
    /// What differs since, in the order of the text.
    pub changes: Vec<TextChange>,
}

/// A part of a text that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChange {
    /// Whether it came in; else it went.
    pub inserted: bool,
    /// What it says.
    pub text: String,
    /// Who did it; of hidden words, who wrote them.
    pub by: Option<Author>,
}

/// The texts of a chart in which somebody's writing stands, in the order in which they were begun.
pub fn shared_texts(view: &ChartView<'_>) -> Vec<SharedText> {
    let mut texts: Vec<(_, SharedText)> = view
        .texts()
        .iter()
        .filter_map(|(id, text)| Some((text.bursts().first()?.order(), shared_text(*id, text)?)))
        .collect();
    texts.sort_by_key(|(order, _)| *order);
    texts.into_iter().map(|(_, text)| text).collect()
}

fn shared_text(id: TextId, text: &Text<'_>) -> Option<SharedText> {
    let (first, newest) = (text.bursts().first()?, text.bursts().last()?);
    let says = text.text();
    let passages = text.review_marks().into_iter().map(|mark| {
        let mut by: Vec<Author> = Vec::new();
        for author in mark.edits.iter().filter_map(|edit| text.author_of(edit)) {
            if !by.contains(&author) {
                by.push(author);
            }
        }
        Passage { start: mark.start, text: part(&says, mark.start, mark.end), by }
    });
    Some(SharedText {
        id,
        version: text.frontier(),
        begun_at: first.captured_at(),
        written_at: newest.captured_at(),
        newest: newest.id(),
        contributors: text.contributors(),
        to_review: passages.collect(),
        signatures: text.signatures().iter().map(|signed| signed_text(text, &says, signed)).collect(),
        hidden: text.aside().len(),
        text: says,
    })
}

fn signed_text(text: &Text<'_>, says: &str, signed: &SignedVersion<'_>) -> SignedText {
    let changes = signed.changes.parts.iter().map(|changed| {
        let (inserted, what) = match &changed.what {
            What::Inserted { scalars } => {
                (true, part(says, changed.start, changed.start.saturating_add(*scalars)))
            }
            What::Deleted { text } => (false, text.clone()),
        };
        TextChange { inserted, text: what, by: text.author_of(&changed.edit) }
    });
    SignedText {
        entry: signed.signature.id(),
        by: signed.signature.author,
        at: signed.signature.captured_at(),
        meaning: signed.signature.value.meaning.clone(),
        changed_since: signed.changed_since(),
        changes: changes.collect(),
    }
}

/// A part of a text, by Unicode scalars.
fn part(text: &str, start: u32, end: u32) -> String {
    text.chars().skip(start as usize).take(end.saturating_sub(start) as usize).collect()
}
