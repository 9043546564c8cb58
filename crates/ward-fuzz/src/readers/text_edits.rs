//! Edits of a text that several people write: for each a byte for its length, a byte for its author, a
//! byte for the edits that the author knew, and the edit.

use super::one_spelling;
use crate::Target;
use crate::choices::selected;
use crate::limits::EDITS_MAX;
use std::sync::Arc;
use ward_id::{DeviceId, EntryId, Incarnation};
use ward_text::{Document, EditId, NewEdit, TextEdit};

pub(crate) const TARGET: Target = Target {
    name: "text_edits",
    about: "an edit has one spelling; edits give the same text in any order of arrival, and one author's edits are applied one by one",
    words: &["\u{0}\u{0}", "`", "a", "\u{1f525}"],
    run,
};

/// Authors that write apart.
const AUTHORS: usize = 4;

fn run(input: &[u8]) {
    let edits = edits(input);
    let mut forth = Document::new();
    let mut back = Document::new();
    for edit in &edits {
        assert!(forth.insert_all([edit.clone()]).is_ok(), "a document takes an edit");
    }
    assert!(back.insert_all(edits.iter().rev().cloned()).is_ok(), "a document takes edits in any order");
    assert_eq!(forth.text(), back.text(), "the order of arrival changes nothing");
    assert_eq!(forth.frontier(), back.frontier(), "the order of arrival changes no version");
    assert_eq!(forth.text_at(&forth.frontier()), Some(forth.text()), "the newest version is the text");
    let scalars = forth.authorship().iter().map(|part| part.scalars).sum::<u32>();
    assert_eq!(scalars, forth.scalars(), "every character has an author");
    if forth.invalid().is_empty() {
        one_by_one(&edits, &forth);
    }
}

/// Where each edit was written on the one before, the text is what applying them in turn gives.
fn one_by_one(edits: &[NewEdit], document: &Document) {
    let before = std::iter::once(None).chain(edits.iter().map(|edit| Some(edit.id.entry)));
    let in_line = edits.iter().zip(before).all(|(edit, before)| edit.parents == Vec::from_iter(before));
    let text = edits.iter().try_fold(String::new(), |text, edit| edit.edit.apply_to(&text));
    if in_line && !edits.is_empty() {
        assert_eq!(text, Some(document.text()), "edits in a line are applied one by one");
    }
}

fn edits(mut input: &[u8]) -> Vec<NewEdit> {
    let mut edits: Vec<NewEdit> = Vec::new();
    while !input.is_empty() && edits.len() < EDITS_MAX {
        let (length, rest) = selected(input);
        let (author, rest) = selected(rest);
        let (knew, rest) = selected(rest);
        let (bytes, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        input = rest;
        let Some(edit) = one_spelling::<TextEdit>(bytes) else { continue };
        let parents = parents(&edits, knew);
        edits.push(NewEdit { id: id(edits.len(), author), parents, edit: Arc::new(edit), hidden: false });
    }
    edits
}

/// The edit before, or what a byte says: nothing, or one or two of the earlier edits.
fn parents(edits: &[NewEdit], knew: usize) -> Vec<EntryId> {
    let entry = |back: usize| {
        let at = edits.len().checked_sub(back)?;
        edits.get(at).map(|edit| edit.id.entry)
    };
    let mut parents: Vec<EntryId> = match knew {
        0 => entry(1).into_iter().collect(),
        255 => Vec::new(),
        knew => [entry(knew % 16 + 1), entry(knew / 16 + 1)].into_iter().flatten().collect(),
    };
    parents.sort_unstable();
    parents.dedup();
    parents
}

fn id(place: usize, author: usize) -> EditId {
    let number = u8::try_from(place).unwrap_or_default();
    let device = u8::try_from(author % AUTHORS).unwrap_or_default();
    let mut entry = [0; 32];
    // Names of entries are hashes: they rise in no order.
    entry[0] = number.wrapping_mul(151).wrapping_add(device);
    entry[1] = number;
    EditId {
        device: DeviceId::from_bytes([device; 16]),
        incarnation: Incarnation(1),
        seq: u64::try_from(place).unwrap_or_default().saturating_add(1),
        entry: EntryId::from_bytes(entry),
    }
}
