//! How texts merge: against a slow document that follows the rule by hand, and in every order.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]

mod suite;

use proptest::prelude::*;
use suite::history::{Numbers, delivered, edit, id, new_edit, random_edit, random_history};
use suite::slow_document::slow_text;
use ward_text::limits::{DOCUMENT_MAX_SCALARS, EDIT_MAX_BYTES, PARENTS_MAX};
use ward_text::{Document, DocumentError, Inserted, NewEdit, TextRun};

fn of(edits: &[NewEdit]) -> Document {
    let mut document = Document::new();
    document.insert_all(edits.iter().cloned()).unwrap();
    document
}

fn insert(at: u32, text: &str) -> ward_text::TextEdit {
    edit(&[TextRun::Insert { at, text }])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_random_history_gives_what_the_slow_document_gives(seed: u64, edits in 1..40_usize, devices in 1..5_usize) {
        let history = random_history(seed, edits, devices);
        prop_assert_eq!(of(&history).text(), slow_text(&history));
    }

    /// P1: any order, duplication, batching and restart.
    #[test]
    fn p1_any_delivery_gives_the_same_text(seed: u64, edits in 1..40_usize, devices in 1..5_usize) {
        let history = random_history(seed, edits, devices);
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
        // A restart in the middle: what was there is put in again, and the rest after it.
        let cut = numbers.below(history.len());
        let mut restarted = of(&history[..cut]);
        restarted.insert_all(history.iter().cloned()).unwrap();
        prop_assert_eq!(restarted.text(), whole.text());
    }

    /// P2: applying any prefix twice changes nothing.
    #[test]
    fn p2_a_prefix_twice_changes_nothing(seed: u64, edits in 1..30_usize, cut: usize) {
        let history = random_history(seed, edits, 3);
        let mut document = of(&history);
        let before = (document.text(), document.frontier(), document.edit_count());
        document.insert_all(history[..cut % history.len()].iter().cloned()).unwrap();
        prop_assert_eq!((document.text(), document.frontier(), document.edit_count()), before);
    }

    /// P3: TP1 for a pair of concurrent edits: both orders of replay are equal.
    #[test]
    fn p3_two_concurrent_edits_in_both_orders(seed: u64) {
        let mut numbers = Numbers::new(seed);
        let base = new_edit(id(9, 1, 1), &[], insert(0, "Pain in the left arm since Monday.\nSlept."));
        let length = of(std::slice::from_ref(&base)).scalars();
        let one = new_edit(id(1, 1, seed.wrapping_add(2)), &[base.id.entry], random_edit(&mut numbers, length, false));
        let two = new_edit(id(2, 1, seed.wrapping_add(3)), &[base.id.entry], random_edit(&mut numbers, length, false));
        let forth = of(&[base.clone(), one.clone(), two.clone()]);
        let back = of(&[base.clone(), two.clone(), one.clone()]);
        prop_assert_eq!(forth.text(), back.text());
        prop_assert_eq!(forth.text(), slow_text(&[base, one, two]));
    }

    /// P4: three edits of one version, in all six orders.
    #[test]
    fn p4_three_concurrent_edits_in_six_orders(seed: u64) {
        let mut numbers = Numbers::new(seed);
        let base = new_edit(id(9, 1, 1), &[], insert(0, "abcdefgh"));
        let edits: Vec<NewEdit> = (0..3_u64)
            .map(|n| new_edit(id(n as u8, 1, seed.wrapping_add(n + 2)), &[base.id.entry], random_edit(&mut numbers, 8, false)))
            .collect();
        let wanted = slow_text(&[std::slice::from_ref(&base), edits.as_slice()].concat());
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut one_by_one = of(std::slice::from_ref(&base));
            for index in order {
                one_by_one.insert_all([edits[index].clone()]).unwrap();
            }
            prop_assert_eq!(one_by_one.text(), wanted.as_str());
        }
    }

    /// P12: a cloned device writes two histories from one place of its chain.
    #[test]
    fn p12_two_branches_of_a_cloned_device_converge(seed: u64, edits in 1..12_u64) {
        let mut numbers = Numbers::new(seed);
        let base = new_edit(id(1, 1, 1), &[], insert(0, "one two three"));
        let mut history = vec![base.clone()];
        for branch in 0..2 {
            let mut replica = of(std::slice::from_ref(&base));
            for seq in 0..edits {
                let content = random_edit(&mut numbers, replica.scalars(), false);
                let name = id(1, 2 + seq, seed.wrapping_add(2 + branch * 1_000 + seq));
                let new = new_edit(name, &replica.frontier(), content);
                replica.insert_all([new.clone()]).unwrap();
                history.push(new);
            }
        }
        let whole = of(&history);
        prop_assert_eq!(whole.text(), slow_text(&history));
        prop_assert_eq!(whole.frontier().len(), 2);
        for _ in 0..3 {
            prop_assert_eq!(delivered(&history, &mut numbers).text(), whole.text());
        }
    }

    #[test]
    fn a_version_is_what_its_edits_give(seed: u64, edits in 2..30_usize, cut: usize) {
        let history = random_history(seed, edits, 3);
        let then = of(&history[..1 + cut % (history.len() - 1)]);
        let now = of(&history);
        prop_assert_eq!(now.text_at(&then.frontier()).unwrap(), then.text());
    }

    /// The changes since a version, read back to front, give the text of then.
    #[test]
    fn changes_lead_back_to_the_version(seed: u64, edits in 2..30_usize, cut: usize) {
        let history = random_history(seed, edits, 3);
        let then = of(&history[..1 + cut % (history.len() - 1)]);
        let now = of(&history);
        let changes = now.changed_since(&then.frontier()).unwrap();
        prop_assert_eq!(changes.edits.len(), now.edit_count() - then.edit_count());
        let mut text: Vec<char> = now.text().chars().collect();
        for part in changes.parts.iter().rev() {
            let start = part.start as usize;
            match &part.what {
                ward_text::What::Inserted { scalars } => drop(text.drain(start..start + *scalars as usize)),
                ward_text::What::Deleted { text: gone } => drop(text.splice(start..start, gone.chars())),
            }
        }
        prop_assert_eq!(text.into_iter().collect::<String>(), then.text());
    }

    #[test]
    fn who_wrote_apart_is_what_the_graph_says(seed: u64, edits in 1..25_usize) {
        let history = random_history(seed, edits, 3);
        let document = of(&history);
        for edit in &history {
            let apart = document.concurrent_with(&edit.id.entry).unwrap();
            for other in &history {
                let concurrent = document.are_concurrent(&edit.id.entry, &other.id.entry).unwrap();
                prop_assert_eq!(concurrent, apart.contains(&other.id));
                prop_assert_eq!(document.are_concurrent(&other.id.entry, &edit.id.entry).unwrap(), concurrent);
            }
        }
    }
}

/// The puzzle that breaks pairwise transformation without a total order: two inserts around a
/// deleted letter.
#[test]
fn p4_the_tp2_puzzle_has_one_answer() {
    let base = new_edit(id(9, 1, 1), &[], insert(0, "abc"));
    let parents = [base.id.entry];
    let edits = [
        new_edit(id(1, 1, 2), &parents, insert(1, "x")),
        new_edit(id(2, 1, 3), &parents, edit(&[TextRun::Delete { at: 1, count: 1 }])),
        new_edit(id(3, 1, 4), &parents, insert(2, "y")),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut document = of(std::slice::from_ref(&base));
        for index in order {
            document.insert_all([edits[index].clone()]).unwrap();
        }
        assert_eq!(document.text(), "axyc");
    }
}

#[test]
fn an_edit_waits_for_its_parents_and_is_counted() {
    let first = new_edit(id(1, 1, 1), &[], insert(0, "one"));
    let second = new_edit(id(1, 2, 2), &[first.id.entry], insert(3, " two"));
    let third = new_edit(id(2, 1, 3), &[second.id.entry], insert(7, " three"));
    let mut document = Document::new();
    let put = |document: &mut Document, edit: &NewEdit| {
        document.insert(edit.id, &edit.parents, (*edit.edit).clone()).unwrap()
    };
    assert_eq!(put(&mut document, &third), Inserted::Parked);
    assert_eq!(put(&mut document, &third), Inserted::Known);
    assert_eq!(put(&mut document, &second), Inserted::Parked);
    assert_eq!((document.parked_count(), document.edit_count(), document.text()), (2, 0, String::new()));
    assert_eq!(put(&mut document, &first), Inserted::Applied);
    assert_eq!((document.parked_count(), document.text()), (0, "one two three".into()));
    assert_eq!(document.frontier(), [third.id.entry]);
}

#[test]
fn an_edit_outside_of_its_version_has_no_effect_but_keeps_its_place() {
    let first = new_edit(id(1, 1, 1), &[], insert(0, "one"));
    let wrong = new_edit(
        id(2, 1, 2),
        &[first.id.entry],
        edit(&[TextRun::Insert { at: 3, text: "!" }, TextRun::Delete { at: 2, count: 3 }]),
    );
    let after = new_edit(id(1, 2, 3), &[wrong.id.entry], insert(3, " two"));
    let apart = new_edit(id(3, 1, 4), &[first.id.entry], insert(0, "zero "));
    for order in [[0, 1, 2, 3], [0, 3, 1, 2], [3, 2, 1, 0]] {
        let edits = [&first, &wrong, &after, &apart];
        let mut document = Document::new();
        for index in order {
            document.insert_all([edits[index].clone()]).unwrap();
        }
        assert_eq!(document.text(), "zero one two");
        assert_eq!(document.invalid(), [wrong.id]);
    }
}

/// A text of exactly the limit stands; one character more makes an edit invalid, on every replica;
/// two that each fit and together do not are both kept, and from there the text only shrinks.
#[test]
fn a_text_at_its_limit_takes_no_more_and_loses_nothing() {
    let mut edits: Vec<NewEdit> = Vec::new();
    let mut length = 0;
    while length < DOCUMENT_MAX_SCALARS {
        let part = (DOCUMENT_MAX_SCALARS - length).min(EDIT_MAX_BYTES as u32);
        let parents: Vec<_> = edits.last().map(|last| last.id.entry).into_iter().collect();
        let seq = edits.len() as u64 + 1;
        edits.push(new_edit(id(1, seq, seq), &parents, insert(length, &"x".repeat(part as usize))));
        length += part;
    }
    let before_last = [edits[edits.len() - 2].id.entry];
    let newest = [edits[edits.len() - 1].id.entry];
    let one_more = new_edit(id(2, 1, 900), &newest, insert(0, "y"));
    let whole = of(&edits);
    assert_eq!(whole.scalars(), DOCUMENT_MAX_SCALARS);
    let with_more = of(&[edits.as_slice(), std::slice::from_ref(&one_more)].concat());
    assert_eq!((with_more.scalars(), with_more.invalid()), (DOCUMENT_MAX_SCALARS, vec![one_more.id]));
    let apart = new_edit(id(2, 1, 901), &before_last, insert(0, "together too long"));
    let both = of(&[edits.as_slice(), std::slice::from_ref(&apart)].concat());
    assert_eq!(both.scalars(), DOCUMENT_MAX_SCALARS + 17);
    assert!(both.invalid().is_empty());
    let shorter = new_edit(id(3, 1, 902), &both.frontier(), edit(&[TextRun::Delete { at: 0, count: 4 }]));
    let longer = new_edit(id(4, 1, 903), &both.frontier(), insert(0, "no"));
    let mut after = both.clone();
    after.insert_all([shorter, longer.clone()]).unwrap();
    assert_eq!((after.scalars(), after.invalid()), (DOCUMENT_MAX_SCALARS + 13, vec![longer.id]));
}

#[test]
fn an_edit_names_at_most_64_parents() {
    let apart: Vec<NewEdit> =
        (0..=PARENTS_MAX as u64).map(|n| new_edit(id(n as u8, 1, n), &[], insert(0, "x"))).collect();
    let mut document = of(&apart);
    let parents: Vec<_> = apart.iter().map(|edit| edit.id.entry).collect();
    let joins = |count: usize| new_edit(id(99, 1, 1_000 + count as u64), &parents[..count], insert(1, "y"));
    assert_eq!(document.insert_all([joins(PARENTS_MAX + 1)]), Err(DocumentError::TooManyParents));
    assert_eq!(document.insert_all([joins(PARENTS_MAX)]), Ok(()));
    assert_eq!(document.frontier().len(), 2);
}

/// What goes on with an edit begins with it; what was typed apart does not.
#[test]
fn an_edit_begins_with_what_its_author_went_on_with() {
    let remove = |at, count| TextRun::Delete { at, count };
    let put = |at, text| TextRun::Insert { at, text };
    let front = edit(&[put(0, "abc"), remove(5, 2)]);
    for more in [
        edit(&[put(0, "abc"), remove(5, 2)]),
        edit(&[put(0, "abc"), remove(4, 4)]),
        edit(&[put(0, "abc"), remove(5, 2), put(9, "x")]),
    ] {
        assert!(more.begins_with(&front), "{more:?}");
    }
    assert!(insert(3, "abcd").begins_with(&insert(3, "abc")));
    for other in [
        edit(&[put(0, "abc")]),
        edit(&[put(0, "abcd"), remove(5, 2)]),
        edit(&[put(0, "abc"), remove(6, 2)]),
        edit(&[put(0, "abc"), remove(5, 1)]),
        edit(&[put(0, "abc"), put(5, "x")]),
        edit(&[put(1, "abc"), remove(5, 2)]),
    ] {
        assert!(!other.begins_with(&front), "{other:?}");
    }
    assert!(
        !insert(3, "abc").begins_with(&insert(3, "abcd")) && !insert(2, "abc").begins_with(&insert(3, "abc"))
    );
}
