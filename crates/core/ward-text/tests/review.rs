//! What people are asked to look at, who wrote what, and what changed since somebody signed.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]

mod suite;

use suite::history::{Numbers, edit, id, new_edit};
use ward_text::limits::REVIEW_DISTANCE_CHARS;
use ward_text::{Changed, Document, NewEdit, TextEdit, TextRun, What};

fn insert(at: u32, text: &str) -> TextEdit {
    edit(&[TextRun::Insert { at, text }])
}

fn delete(at: u32, count: u32) -> TextEdit {
    edit(&[TextRun::Delete { at, count }])
}

fn of(edits: &[&NewEdit]) -> Document {
    let mut document = Document::new();
    document.insert_all(edits.iter().map(|edit| (*edit).clone())).unwrap();
    document
}

/// Two people who write after the same text.
fn apart(text: &str, one: TextEdit, two: TextEdit) -> (NewEdit, NewEdit, NewEdit) {
    let base = new_edit(id(9, 1, 1), &[], insert(0, text));
    let parents = [base.id.entry];
    (base, new_edit(id(1, 1, 2), &parents, one), new_edit(id(2, 1, 3), &parents, two))
}

#[test]
fn a_mark_names_the_paragraph_and_who_wrote_on_either_side() {
    let text = "Plan: rest.\nPain in the left arm.\nNext visit Monday.";
    let (base, one, two) = apart(text, insert(24, "upper "), insert(28, " and hand"));
    let document = of(&[&base, &one, &two]);
    assert_eq!(document.text(), "Plan: rest.\nPain in the upper left and hand arm.\nNext visit Monday.");
    let marks = document.review_marks(&[]).unwrap();
    assert_eq!(marks.len(), 1);
    let marked: String = document
        .text()
        .chars()
        .skip(marks[0].start as usize)
        .take((marks[0].end - marks[0].start) as usize)
        .collect();
    assert_eq!(marked, "Pain in the upper left and hand arm.");
    assert_eq!((marks[0].left, marks[0].right), (one.id, two.id));
    assert_eq!(marks[0].edits, [one.id, two.id]);
}

#[test]
fn forty_characters_are_close_and_one_more_is_not() {
    for (distance, marks) in [(REVIEW_DISTANCE_CHARS, 1), (REVIEW_DISTANCE_CHARS + 1, 0)] {
        let (base, one, two) = apart(&"x".repeat(100), insert(10, "A"), insert(10 + distance, "B"));
        assert_eq!(of(&[&base, &one, &two]).review_marks(&[]).unwrap().len(), marks, "{distance}");
        let (base, one, two) = apart(&"x".repeat(100), delete(10, 1), insert(11 + distance, "B"));
        assert_eq!(of(&[&base, &one, &two]).review_marks(&[]).unwrap().len(), marks, "{distance}");
    }
}

#[test]
fn two_paragraphs_that_meet_are_both_marked() {
    let (base, one, two) = apart("one line\nother line", insert(8, "!"), insert(9, "The "));
    let marks = of(&[&base, &one, &two]).review_marks(&[]).unwrap();
    assert_eq!(marks.iter().map(|mark| (mark.start, mark.end)).collect::<Vec<_>>(), [(0, 9), (10, 24)]);
}

#[test]
fn what_one_person_deleted_and_another_changed_is_marked() {
    // One takes the "not" away, the other rewrites around it.
    let (base, one, two) = apart("Do not give.", delete(3, 4), insert(11, " today"));
    let document = of(&[&base, &one, &two]);
    assert_eq!(document.text(), "Do give today.");
    assert_eq!(document.review_marks(&[]).unwrap()[0].edits, [one.id, two.id]);
}

#[test]
fn one_after_the_other_and_what_was_reviewed_is_not_marked() {
    let (base, one, two) = apart("Slept well.", insert(11, " Ate."), insert(0, "She "));
    let later = new_edit(id(1, 2, 4), &[one.id.entry], insert(16, " Walked."));
    assert_eq!(of(&[&base, &one, &later]).review_marks(&[]).unwrap(), []);
    let document = of(&[&base, &one, &two]);
    assert_eq!(document.review_marks(&[]).unwrap().len(), 1);
    // Somebody signed both; one of them alone is not enough.
    assert_eq!(document.review_marks(&document.frontier()).unwrap(), []);
    assert_eq!(document.review_marks(&[one.id.entry]).unwrap().len(), 1);
    // A third one who had seen neither comes after the review: with what was reviewed it is marked.
    let third = new_edit(id(3, 1, 5), &[base.id.entry], insert(5, "!"));
    let reviewed = document.frontier();
    let marks = of(&[&base, &one, &two, &third]).review_marks(&reviewed).unwrap();
    assert_eq!(marks[0].edits.len(), 3);
    assert!(document.review_marks(&[third.id.entry]).is_none());
}

#[test]
fn the_author_of_every_part_is_known() {
    let (base, one, two) = apart("abcd", insert(2, "XY"), delete(1, 2));
    let authors = of(&[&base, &one, &two]).authorship();
    let authors: Vec<_> = authors.iter().map(|part| (part.start, part.scalars, part.edit)).collect();
    assert_eq!(authors, [(0, 1, base.id), (1, 2, one.id), (3, 1, base.id)]);
}

#[test]
fn changes_since_a_version_are_told_with_their_edits() {
    let (base, one, two) = apart(
        "Dose 5 mg daily",
        edit(&[TextRun::Delete { at: 5, count: 1 }, TextRun::Insert { at: 5, text: "10" }]),
        insert(15, "."),
    );
    let document = of(&[&base, &one, &two]);
    let changes = document.changed_since(&[base.id.entry]).unwrap();
    assert_eq!(changes.edits, [one.id, two.id]);
    let parts = vec![
        Changed { start: 5, what: What::Inserted { scalars: 2 }, edit: one.id },
        Changed { start: 7, what: What::Deleted { text: "5".into() }, edit: one.id },
        Changed { start: 16, what: What::Inserted { scalars: 1 }, edit: two.id },
    ];
    assert_eq!(changes.parts, parts);
    assert!(document.changed_since(&document.frontier()).unwrap().is_empty());
    assert!(document.changed_since(&[id(7, 7, 7).entry]).is_none());
}

/// More people than a chart has members write apart: everything counts as concurrent, nothing is
/// left out.
#[test]
fn very_many_lines_of_work_are_all_marked() {
    let base = new_edit(id(9, 1, 1), &[], insert(0, "start"));
    let mut edits = vec![base.clone()];
    edits.extend((0..100).map(|n| new_edit(id(n, 2, 10 + u64::from(n)), &[base.id.entry], insert(5, "x"))));
    let mut document = Document::new();
    document.insert_all(edits).unwrap();
    let marks = document.review_marks(&[]).unwrap();
    assert_eq!((marks.len(), marks[0].edits.len()), (1, 100));
}

/// Writes as a person does: mostly on from where they were, in words, with corrections.
fn writes(
    document: &mut Document,
    device: u8,
    edits: u64,
    word: &str,
    numbers: &mut Numbers,
) -> Vec<NewEdit> {
    let mut out = Vec::new();
    let mut at = numbers.below(document.scalars() as usize + 1) as u32;
    for seq in 1..=edits {
        if numbers.chance(10) {
            at = numbers.below(document.scalars() as usize + 1) as u32;
        }
        at = at.min(document.scalars());
        let content = if at > 3 && numbers.chance(20) { delete(at - 1, 1) } else { insert(at, word) };
        at = if matches!(content.runs().next(), Some(TextRun::Delete { .. })) {
            at - 1
        } else {
            at + word.len() as u32
        };
        let new =
            new_edit(id(device, seq, u64::from(device) * 1_000_000 + seq), &document.frontier(), content);
        document.insert_all([new.clone()]).unwrap();
        out.push(new);
    }
    out
}

/// Two clinicians edit one paragraph 5,000 edits each, offline: one text everywhere, both
/// contributions in it, and a mark that asks somebody to look.
#[test]
fn fault_28_two_clinicians_rewrite_one_paragraph_offline() {
    let paragraph = "Pain in the left arm since Monday, worse at night.";
    let base = new_edit(id(9, 1, 1), &[], insert(0, paragraph));
    let (mut first, mut second) = (of(&[&base]), of(&[&base]));
    let mut numbers = Numbers::new(28);
    let by_first = writes(&mut first, 1, 5_000, "a", &mut numbers);
    let by_second = writes(&mut second, 2, 5_000, "b", &mut numbers);
    let began = std::time::Instant::now();
    first.insert_all(by_second.iter().cloned()).unwrap();
    println!("merged in {:?}", began.elapsed());
    second.insert_all(by_first.iter().cloned()).unwrap();
    let mut fresh = Document::new();
    fresh.insert_all(by_second.iter().rev().chain(&by_first).chain([&base]).cloned()).unwrap();
    assert_eq!(first.text(), second.text());
    assert_eq!(first.text(), fresh.text());
    for device in [1, 2] {
        let theirs =
            first.authorship().iter().filter(|part| part.edit.device == id(device, 1, 1).device).count();
        assert!(theirs > 100, "device {device} has {theirs} parts");
    }
    let began = std::time::Instant::now();
    let marks = first.review_marks(&[]).unwrap();
    println!("marks found in {:?}", began.elapsed());
    assert_eq!(marks.len(), 1);
    assert_eq!(marks, second.review_marks(&[]).unwrap());
    let devices: std::collections::BTreeSet<_> = marks[0].edits.iter().map(|edit| edit.device).collect();
    assert!(devices.contains(&id(1, 1, 1).device) && devices.contains(&id(2, 1, 1).device));
}

/// Two people who took the same words away: one of them wrote others in their place. Whoever is replayed
/// first, somebody must look.
#[test]
fn what_two_people_deleted_is_a_place_that_both_touched() {
    let text = "Take 5 mg daily. Call on Monday.";
    let replaces =
        edit(&[TextRun::Delete { at: 0, count: 16 }, TextRun::Insert { at: 0, text: "Take 10 mg daily." }]);
    for (doctor, nurse) in [(1, 2), (2, 1)] {
        let base = new_edit(id(9, 1, 1), &[], insert(0, text));
        let parents = [base.id.entry];
        let one = new_edit(id(doctor, 1, 2), &parents, replaces.clone());
        let two = new_edit(id(nurse, 1, 3), &parents, delete(0, 16));
        for order in [[&base, &one, &two], [&base, &two, &one]] {
            let document = of(&order);
            assert_eq!(document.text(), "Take 10 mg daily. Call on Monday.");
            let marks = document.review_marks(&[]).unwrap();
            let mut both = [one.id, two.id];
            both.sort_unstable();
            assert_eq!(marks.len(), 1, "{doctor} {nurse}");
            assert_eq!(marks[0].edits, both);
        }
    }
    // Equal deletions alone, and a third person who took away a part of it.
    let (base, one, two) = apart(text, delete(5, 5), delete(5, 5));
    let third = new_edit(id(3, 1, 4), &[base.id.entry], delete(6, 2));
    let marks = of(&[&base, &one, &two, &third]).review_marks(&[]).unwrap();
    assert_eq!(marks[0].edits, [one.id, two.id, third.id]);
    // After history that a critical version leaves behind it.
    let more = new_edit(id(9, 2, 5), &[base.id.entry], insert(0, "Plan. "));
    let parents = [more.id.entry];
    let one = new_edit(id(1, 1, 6), &parents, delete(6, 16));
    let two = new_edit(id(2, 1, 7), &parents, delete(6, 16));
    let marks = of(&[&base, &more, &one, &two]).review_marks(&[]).unwrap();
    assert_eq!((marks.len(), marks[0].edits.as_slice()), (1, [one.id, two.id].as_slice()));
    // One after the other is not apart.
    let later = new_edit(id(2, 1, 8), &[one.id.entry], delete(0, 3));
    assert_eq!(of(&[&base, &more, &one, &later]).review_marks(&[]).unwrap(), []);
}
