//! The text that everybody edits. Whoever writes puts a word with a mark of its own between others, or
//! in place of some; the words of all are looked for at the end.

use super::entries::{bears, mark};
use super::failure::{Checked, Verdict};
use super::generate::Dice;
use super::oracle::{Confirmed, Oracle};
use super::schedule::Entry;
use crate::limits::CUT_MAX_WORDS;
use std::collections::BTreeSet;
use ward_sync::{ChartView, EntryKind, Place, TextId};

/// The text.
pub(super) const DOCUMENT: TextId = TextId([0x7e; 16]);

/// What a person types: what they take away of what they see, and the word that they put there.
pub(super) struct Typing {
    pub(super) at: u32,
    pub(super) count: u32,
    pub(super) word: String,
    /// The marks of the words that they take away.
    pub(super) takes: Vec<u64>,
}

/// A word somewhere between those that are shown; for a cut, in place of some.
pub(super) fn typing(shown: &str, number: u64, cut: bool, dice: &mut Dice) -> Typing {
    let ends = shown.match_indices([' ', '\n']).map(|(byte, _)| byte + 1);
    let gaps: Vec<usize> = std::iter::once(0).chain(ends).collect();
    let first = dice.place(gaps.len());
    let taken = if cut { usize::try_from(1 + dice.below(CUT_MAX_WORDS)).unwrap_or(1) } else { 0 };
    let gap = |place: usize| gaps.get(place).or(gaps.last()).copied().unwrap_or(0);
    let (from, to) = (gap(first), gap(first + taken));
    let end = if dice.below(6) == 0 { '\n' } else { ' ' };
    // All words are of one byte a character.
    let place = |byte: usize| u32::try_from(byte).unwrap_or(0);
    Typing {
        at: place(from),
        count: place(to.saturating_sub(from)),
        word: format!("{}{end}", mark(number)),
        takes: shown.get(from..to).map(marks).unwrap_or_default().into_iter().collect(),
    }
}

/// The marks of the words of a text.
fn marks(text: &str) -> BTreeSet<u64> {
    text.split([' ', '\n'])
        .filter_map(|word| word.strip_prefix('<')?.strip_suffix('>')?.parse().ok())
        .collect()
}

/// Every confirmed word that counts is in the text, or was taken away by an entry that is here too; none
/// that is kept aside is in it. Those that wait for what nobody can give any more are in vain.
pub(super) fn check_words(view: &ChartView<'_>, oracle: &Oracle, in_vain: bool) -> Checked {
    let said = view.texts().get(&DOCUMENT).map(|text| marks(&text.text())).unwrap_or_default();
    let typed = || oracle.confirmed.iter().filter(|one| matches!(one.what, Entry::Text | Entry::TextCut));
    // An edit may have been written again, under another name.
    let edits = |one: &Confirmed| {
        let mark = mark(one.number);
        let edits = view.timeline().iter().filter(|item| item.entry.body().kind == EntryKind::TEXT_EDIT);
        edits.filter(|item| bears(item.entry, &mark)).map(|item| item.place).collect::<Vec<_>>()
    };
    let is_aside = |place: &Place| matches!(place, Place::Quarantined(_));
    let aside = |one: &Confirmed| edits(one).iter().all(is_aside);
    if let Some(one) = typed().find(|one| said.contains(&one.number) && aside(one)) {
        return Err((Verdict::Broken, format!("word {} is kept aside, and is in the text", one.number)));
    }
    for one in typed().filter(|one| one.forgiven.is_none() && !said.contains(&one.number)) {
        match one.find(view).and_then(|name| view.place(name)) {
            // Words of a device that does not count any more, until somebody takes them over.
            None | Some(Place::Quarantined(_)) => continue,
            Some(Place::Parked) if in_vain => continue,
            Some(_) => {}
        }
        let mut takers = oracle.cuts.iter().filter(|(word, _)| *word == one.number).map(|(_, by)| mark(*by));
        let taken = takers.any(|by| view.timeline().iter().any(|item| bears(item.entry, &by)));
        if !taken {
            return Err((Verdict::Lost, format!("word {} is not in the text", one.number)));
        }
    }
    Ok(())
}
