//! Edits that were taken back: their words are hidden, and what others built on them stays where it
//! was written, in whatever order everything arrives and whenever it is taken back.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]

mod suite;

use proptest::prelude::*;
use std::collections::BTreeMap;
use suite::history::{Numbers, delivered, edit, id, new_edit, random_edit, random_history};
use suite::slow_document::{slow_text, unseen};
use ward_id::{DeviceId, EntryId};
use ward_text::{Document, NewEdit, TextRun, What};

fn of(edits: &[NewEdit]) -> Document {
    let mut document = Document::new();
    document.insert_all(edits.iter().cloned()).unwrap();
    document
}

fn insert(at: u32, text: &str) -> ward_text::TextEdit {
    edit(&[TextRun::Insert { at, text }])
}

/// The same edits, those of a device from a place of its chain on hidden.
fn severed(history: &[NewEdit], device: u8, from: u64) -> Vec<NewEdit> {
    let hide = |edit: &NewEdit| edit.id.device == DeviceId::from_bytes([device; 16]) && edit.id.seq >= from;
    history.iter().cloned().map(|edit| NewEdit { hidden: hide(&edit), ..edit }).collect()
}

/// A history in which somebody is severed in the middle, what goes on after that, and who knows.
fn history_with_severing(seed: u64, before: usize, after: usize) -> Vec<NewEdit> {
    let mut numbers = Numbers::new(seed ^ 0x5eed);
    let early = random_history(seed, before, 3);
    let from = 1 + numbers.below(before) as u64;
    let mut all = early;
    for number in 0..after as u64 {
        // Some know of the severing when they write, others do not yet; nobody saw everything.
        let knows = numbers.chance(60);
        let seen: Vec<NewEdit> = all.iter().filter(|_| numbers.chance(85)).cloned().collect();
        let document = of(&if knows { severed(&seen, 1, from) } else { seen });
        let content = random_edit(&mut numbers, document.scalars(), true);
        let name =
            id(20 + numbers.below(3) as u8, 100 + number, seed.wrapping_mul(7_919).wrapping_add(number));
        all.push(new_edit(name, &document.frontier(), content));
    }
    severed(&all, 1, from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_severed_history_gives_what_the_slow_document_gives(seed: u64, before in 1..25_usize, after in 0..14_usize) {
        let history = history_with_severing(seed, before, after);
        prop_assert_eq!(of(&history).text(), slow_text(&history));
        // Those who do not know yet read the same edits with every word.
        let open: Vec<NewEdit> = history.iter().cloned().map(|edit| NewEdit { hidden: false, ..edit }).collect();
        prop_assert_eq!(of(&open).text(), slow_text(&open));
    }

    /// P1 with severing: any order, duplication and batching, whenever it becomes known.
    #[test]
    fn p1_any_delivery_of_a_severed_history_gives_the_same_text(seed: u64, before in 1..25_usize, after in 0..14_usize) {
        let history = history_with_severing(seed, before, after);
        let whole = of(&history);
        let mut numbers = Numbers::new(seed);
        for _ in 0..4 {
            let other = delivered(&history, &mut numbers);
            prop_assert_eq!(other.text(), whole.text());
            prop_assert_eq!(other.frontier(), whole.frontier());
            prop_assert_eq!(other.invalid(), whole.invalid());
            prop_assert_eq!(other.authorship(), whole.authorship());
            prop_assert_eq!(other.review_marks(&[]), whole.review_marks(&[]));
            prop_assert_eq!(other.parked_count(), 0);
        }
    }

    /// No word of a hidden edit shows, and every word of the others that nobody else deleted does.
    #[test]
    fn only_words_of_hidden_edits_are_hidden(seed: u64, before in 1..25_usize, after in 0..14_usize) {
        let history = history_with_severing(seed, before, after);
        let hidden: Vec<EntryId> = history.iter().filter(|edit| edit.hidden).map(|edit| edit.id.entry).collect();
        let document = of(&history);
        for part in document.authorship() {
            prop_assert!(!hidden.contains(&part.edit.entry));
        }
        // An edit that only inserts, of somebody whom nobody deletes after, shows whole.
        let last = new_edit(id(77, 1, seed ^ 77), &document.frontier(), insert(document.scalars(), "the end"));
        let mut with_last = history.clone();
        with_last.push(last);
        let shown = of(&with_last).text();
        prop_assert_eq!(shown, format!("{}the end", document.text()));
    }

    /// What is written in a text with hidden edits goes where its author saw it, before and after the
    /// severing is known to a reader.
    #[test]
    fn a_text_with_hidden_edits_can_be_written_in(seed: u64, before in 1..25_usize, after in 0..8_usize) {
        let mut history = history_with_severing(seed, before, after);
        let mut numbers = Numbers::new(seed);
        for number in 0..5 {
            let document = of(&history);
            prop_assert_eq!(document.text_at(&document.frontier()).unwrap(), document.text());
            let content = random_edit(&mut numbers, document.scalars(), false);
            let wanted = content.apply_to(&document.text()).unwrap();
            let new = new_edit(id(50, 1 + number, seed.wrapping_add(9_000 + number)), &document.frontier(), content);
            history.push(new.clone());
            let now = of(&history);
            prop_assert_eq!(now.text(), wanted);
            let by_name: BTreeMap<EntryId, &NewEdit> = history.iter().map(|edit| (edit.id.entry, edit)).collect();
            let left_out = unseen(&new.parents, &by_name);
            prop_assert!(left_out.iter().all(|entry| by_name[entry].hidden));
        }
    }

    /// The changes since a version lead back to what whoever saw it read, also if part of it was
    /// taken back since.
    #[test]
    fn changes_lead_back_over_what_was_taken_back(seed: u64, before in 2..25_usize, after in 0..10_usize, cut: usize) {
        let history = history_with_severing(seed, before, after);
        let open: Vec<NewEdit> = history.iter().cloned().map(|edit| NewEdit { hidden: false, ..edit }).collect();
        let then = of(&open[..1 + cut % open.len()]);
        let now = of(&history);
        let changes = now.changed_since(&then.frontier()).unwrap();
        let mut text: Vec<char> = now.text().chars().collect();
        for part in changes.parts.iter().rev() {
            let start = part.start as usize;
            match &part.what {
                What::Inserted { scalars } => drop(text.drain(start..start + *scalars as usize)),
                What::Deleted { text: gone } => drop(text.splice(start..start, gone.chars())),
            }
        }
        prop_assert_eq!(text.into_iter().collect::<String>(), then.text());
    }
}

#[test]
fn words_on_top_of_hidden_words_stay_and_hidden_deletions_are_undone() {
    let note = new_edit(id(1, 1, 1), &[], insert(0, "Dose 5 mg. Slept well."));
    let thief = new_edit(
        id(2, 1, 2),
        &[note.id.entry],
        edit(&[TextRun::Delete { at: 5, count: 4 }, TextRun::Insert { at: 5, text: "50 mg, trust me" }]),
    );
    let length = "Dose 50 mg, trust me. Slept well.".len() as u32;
    let nurse = new_edit(id(3, 1, 3), &[thief.id.entry], insert(length, " Called."));
    let all = [note.clone(), thief.clone(), nurse.clone()];
    assert_eq!(of(&all).text(), "Dose 50 mg, trust me. Slept well. Called.");
    let hidden = severed(&all, 2, 1);
    let document = of(&hidden);
    assert_eq!(document.text(), "Dose 5 mg. Slept well. Called.");
    // The next author saw neither the words nor the deletion, and says so.
    let mut frontier = vec![thief.id.entry, nurse.id.entry];
    frontier.sort_unstable();
    assert_eq!(document.frontier(), frontier);
    let next = new_edit(
        id(3, 2, 4),
        &frontier,
        edit(&[TextRun::Delete { at: 5, count: 1 }, TextRun::Insert { at: 5, text: "4" }]),
    );
    let with_next = [hidden.as_slice(), std::slice::from_ref(&next)].concat();
    assert_eq!(of(&with_next).text(), "Dose 4 mg. Slept well. Called.");
    // A signature over what the nurse read first is over words that do not stand any more.
    let changes = of(&with_next).changed_since(&[nurse.id.entry]).unwrap();
    assert_eq!(changes.edits, [thief.id, next.id]);
    let gone: Vec<&What> = changes.parts.iter().map(|part| &part.what).collect();
    assert!(gone.contains(&&What::Deleted { text: "50 mg, trust me".into() }), "{gone:?}");
    assert!(of(&with_next).changed_since(&of(&with_next).frontier()).unwrap().is_empty());
}

/// Adopted later, the words stand beside those of somebody from whom they were hidden: to people, that
/// is two who wrote apart.
#[test]
fn words_that_come_back_beside_words_of_somebody_who_did_not_see_them_are_marked() {
    let note = new_edit(id(1, 1, 1), &[], insert(0, "Slept well."));
    let lost = new_edit(id(2, 1, 2), &[note.id.entry], insert(11, " Pain 9."));
    let nurse = new_edit(id(3, 1, 3), &[lost.id.entry], insert(0, "Monday: "));
    let early = severed(&[note.clone(), lost.clone(), nurse.clone()], 2, 1);
    let next = new_edit(id(3, 2, 4), &of(&early).frontier(), insert(19, " No pain."));
    let all = [note, lost.clone(), nurse, next.clone()];
    let adopted = of(&all);
    assert!(
        ["Monday: Slept well. Pain 9. No pain.", "Monday: Slept well. No pain. Pain 9."]
            .contains(&adopted.text().as_str())
    );
    let marks = adopted.review_marks(&[]).unwrap();
    assert_eq!(marks.len(), 1, "{marks:?}");
    assert_eq!(marks[0].edits, [lost.id, next.id]);
    assert_eq!(of(&severed(&all, 2, 1)).review_marks(&[]).unwrap(), [], "hidden, it is no matter");
    assert_eq!(adopted.review_marks(&adopted.frontier()).unwrap(), [], "somebody looked at both");
}

/// Some of a chain were adopted: turns off and on again.
#[test]
fn edits_between_hidden_ones_show() {
    let writes = |seq: u64, before: &[EntryId], text: &str, at| {
        new_edit(id(2, seq, 10 + seq), before, insert(at, text))
    };
    let first = writes(1, &[], "a", 0);
    let second = writes(2, &[first.id.entry], "b", 1);
    let third = writes(3, &[second.id.entry], "c", 2);
    let fourth = writes(4, &[third.id.entry], "d", 3);
    let end = new_edit(id(3, 1, 99), &[fourth.id.entry], insert(4, "!"));
    let mut all = [first, second, third, fourth, end];
    for hidden in [1, 3] {
        all[hidden].hidden = true;
    }
    let document = of(&all);
    assert_eq!(document.text(), "ac!");
    assert_eq!(document.frontier().len(), 4, "the end, off at b, on at c, off at d");
    let next = new_edit(id(3, 2, 100), &document.frontier(), insert(2, "-"));
    let with_next = of(&[all.as_slice(), &[next]].concat());
    assert_eq!(with_next.text(), "ac-!");
}
