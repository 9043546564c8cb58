//! The bytes of an edit: one spelling for each, small, and nothing else accepted.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]

mod suite;

use proptest::prelude::*;
use suite::history::{Numbers, edit, random_edit};
use ward_id::{Canonical, hex_decode, hex_encode};
use ward_text::limits::{EDIT_MAX_BYTES, TEXT_RUNS_MAX};
use ward_text::{Burst, EditError, TextEdit, TextRun};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/edits.json");

fn insert(at: u32, text: &str) -> TextRun<'_> {
    TextRun::Insert { at, text }
}

const fn delete(at: u32, count: u32) -> TextRun<'static> {
    TextRun::Delete { at, count }
}

/// Named edits, with the text they are applied to.
fn cases() -> Vec<(&'static str, &'static str, TextEdit)> {
    vec![
        ("typed at the beginning", "", edit(&[insert(0, "Rested.")])),
        ("typed on", "Rested.", edit(&[insert(7, " No"), insert(10, " pain.")])),
        ("backspaced", "No pain.", edit(&[delete(6, 1), delete(5, 1), delete(4, 1)])),
        ("deleted forwards", "No pain.", edit(&[delete(3, 2), delete(3, 2)])),
        ("replaced", "Dose 5 mg", edit(&[delete(5, 1), insert(5, "10")])),
        ("two places", "a\nb", edit(&[insert(3, "!"), insert(1, "?")])),
        ("beyond the basic plane", "ok \u{1f642}", edit(&[insert(4, "\u{1f44d}\u{1f3fd}"), delete(3, 1)])),
        ("far away", &" far".repeat(100)[..], edit(&[insert(400, "end"), delete(0, 300)])),
    ]
    .into_iter()
    .map(|(name, text, edit)| (name, Box::leak(text.to_owned().into_boxed_str()) as &str, edit))
    .collect()
}

/// The vectors as they stand in the file: name, text, bytes, result.
fn written() -> String {
    let rows = cases().into_iter().map(|(name, text, edit)| {
        let result = edit.apply_to(text).unwrap();
        serde_json::json!({ "name": name, "text": text, "edit": hex_encode(&edit.to_canonical()), "result": result })
    });
    let rows: Vec<serde_json::Value> = rows.collect();
    serde_json::to_string_pretty(&rows).unwrap() + "\n"
}

#[test]
fn vectors_are_what_this_code_writes() {
    let is = written();
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::write(VECTORS, &is).unwrap();
    }
    assert_eq!(std::fs::read_to_string(VECTORS).unwrap(), is);
}

#[test]
fn vectors_decode_and_apply() {
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(VECTORS).unwrap()).unwrap();
    assert_eq!(rows.len(), cases().len());
    for row in rows {
        let bytes = hex_decode(row["edit"].as_str().unwrap()).unwrap();
        let edit = TextEdit::from_canonical(&bytes).unwrap();
        assert_eq!(edit.apply_to(row["text"].as_str().unwrap()).unwrap(), row["result"].as_str().unwrap());
    }
}

#[test]
fn other_spellings_are_refused() {
    let refused: [(&str, &[u8]); 14] = [
        ("nothing", &[0x82, 0x60, 0x80]),
        ("an odd count", &[0x82, 0x61, b'a', 0x81, 0x00]),
        ("an empty run", &[0x82, 0x61, b'a', 0x84, 0x00, 0x01, 0x00, 0x00]),
        ("text left over", &[0x82, 0x62, b'a', b'b', 0x82, 0x00, 0x01]),
        ("too little text", &[0x82, 0x61, b'a', 0x82, 0x00, 0x02]),
        ("a position before the beginning", &[0x82, 0x61, b'a', 0x82, 0x20, 0x01]),
        ("inserts that are one", &[0x82, 0x62, b'a', b'b', 0x84, 0x00, 0x01, 0x00, 0x01]),
        ("deletes that are one", &[0x82, 0x60, 0x84, 0x05, 0x20, 0x00, 0x20]),
        ("backspaces that are one", &[0x82, 0x60, 0x84, 0x05, 0x20, 0x20, 0x20]),
        ("a longer integer", &[0x82, 0x61, b'a', 0x82, 0x18, 0x00, 0x01]),
        ("an endless list", &[0x82, 0x61, b'a', 0x9f, 0x00, 0x01, 0xff]),
        ("a third part", &[0x83, 0x61, b'a', 0x82, 0x00, 0x01, 0x00]),
        ("a trailing byte", &[0x82, 0x61, b'a', 0x82, 0x00, 0x01, 0x00]),
        ("half a scalar", &[0x82, 0x61, 0xf0, 0x82, 0x00, 0x01]),
    ];
    assert!(TextEdit::from_canonical(&[0x82, 0x61, b'a', 0x82, 0x00, 0x01]).is_ok());
    for (what, bytes) in refused {
        assert!(TextEdit::from_canonical(bytes).is_err(), "{what}");
    }
}

#[test]
fn a_burst_holds_64_runs_and_32_kib() {
    let mut burst = Burst::new();
    for run in 0..TEXT_RUNS_MAX as u32 {
        assert!(!burst.is_full());
        burst.insert(1_000 - run * 10, "x").unwrap();
    }
    assert!(burst.is_full());
    let full = burst.clone();
    assert_eq!(burst.insert(0, "y"), Err(EditError::TooManyRuns));
    assert_eq!(burst.delete(900, 1), Err(EditError::TooManyRuns));
    assert_eq!(burst, full);
    // A run that joins the last one still fits.
    let last = 1_000 - (TEXT_RUNS_MAX as u32 - 1) * 10;
    burst.insert(last + 1, "y").unwrap();
    let edit = burst.finish().unwrap();
    assert_eq!(TextEdit::from_canonical(&edit.to_canonical()), Ok(edit.clone()));
    // One run more is refused by the decoder too.
    let mut bytes = vec![0x82, 0x60, 0x98, 130];
    bytes.extend((0..65).flat_map(|_| [0x02, 0x20]));
    assert!(TextEdit::from_canonical(&bytes).is_err());

    let mut burst = Burst::new();
    burst.insert(0, &"x".repeat(EDIT_MAX_BYTES)).unwrap();
    assert_eq!(burst.insert(0, "x"), Err(EditError::TooLarge));
    assert!(TextEdit::from_canonical(&burst.finish().unwrap().to_canonical()).is_ok());
    assert_eq!(Burst::new().insert(u32::MAX, "x"), Err(EditError::Position));
    assert_eq!(Burst::new().delete(u32::MAX, 1), Err(EditError::Position));
}

#[test]
fn what_a_person_takes_back_at_once_is_not_sent() {
    let mut burst = Burst::new();
    burst.insert(4, "teh").unwrap();
    burst.erase(6, 1).unwrap();
    burst.erase(5, 1).unwrap();
    burst.insert(5, "he").unwrap();
    assert_eq!(burst.clone().finish().unwrap().runs().collect::<Vec<_>>(), [insert(4, "the")]);
    // Beyond what was typed, the older text goes.
    burst.erase(2, 5).unwrap();
    assert_eq!(burst.clone().finish().unwrap().runs().collect::<Vec<_>>(), [delete(2, 2)]);
    burst.erase(1, 1).unwrap();
    assert_eq!(burst.finish().unwrap().runs().collect::<Vec<_>>(), [delete(1, 3)]);
    let mut burst = Burst::new();
    burst.insert(0, "x").unwrap();
    burst.erase(0, 1).unwrap();
    assert!(burst.is_empty());
}

proptest! {
    #[test]
    fn every_edit_has_one_spelling(seed: u64, length in 0..500_u32) {
        let edit = random_edit(&mut Numbers::new(seed), length, true);
        let bytes = edit.to_canonical();
        prop_assert_eq!(TextEdit::from_canonical(&bytes).unwrap(), edit);
    }

    #[test]
    fn whatever_is_accepted_encodes_back(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
        let bytes = [&[0x82][..], &bytes].concat();
        if let Ok(edit) = TextEdit::from_canonical(&bytes) {
            prop_assert_eq!(edit.to_canonical(), bytes);
        }
    }

    /// Joining and taking back leave the text that the single steps give.
    #[test]
    fn a_burst_does_what_its_steps_do(seed: u64, steps in 1..30_usize, erases: bool) {
        let mut numbers = Numbers::new(seed);
        let text = "The patient slept well.";
        let mut by_hand: Vec<char> = text.chars().collect();
        let mut burst = Burst::new();
        let mut at = 10;
        for _ in 0..steps {
            at = if numbers.chance(15) { numbers.below(by_hand.len() + 1) } else { at.min(by_hand.len()) };
            if numbers.chance(50) && at > 0 {
                let count = 1 + numbers.below(at.min(3));
                at -= count;
                let done = if erases { burst.erase(at as u32, count as u32) } else { burst.delete(at as u32, count as u32) };
                done.unwrap();
                by_hand.drain(at..at + count);
            } else {
                burst.insert(at as u32, "\u{fc}b").unwrap();
                by_hand.splice(at..at, "\u{fc}b".chars());
                at += 2;
            }
        }
        let wanted: String = by_hand.iter().collect();
        let Some(edit) = burst.finish() else {
            prop_assert_eq!(wanted, text);
            return Ok(());
        };
        prop_assert_eq!(edit.apply_to(text).unwrap(), wanted);
        prop_assert_eq!(edit.length_after(23).unwrap() as usize, by_hand.len());
        prop_assert_eq!(TextEdit::from_canonical(&edit.to_canonical()).unwrap(), edit);
    }

    #[test]
    fn the_edit_between_two_texts_leads_from_one_to_the_other(old in "[ab\u{1f600}]{0,12}", new in "[ab\u{1f600}]{0,12}") {
        match TextEdit::between(&old, &new).unwrap() {
            Some(edit) => prop_assert_eq!(edit.apply_to(&old).unwrap(), new),
            None => prop_assert_eq!(old, new),
        }
    }
}
