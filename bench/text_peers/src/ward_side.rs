//! The work, done by Ward.

use crate::BURST;
use crate::history::{id, new_edit};
use crate::timed;
use crate::traces::{Keystroke, Transaction};
use std::sync::Arc;
use std::time::Duration;
use ward_id::{Canonical as _, EntryId};
use ward_text::{Burst, Document, NewEdit, TextEdit};

/// Keystrokes as a client collects them: what is taken back at once is not sent.
pub fn burst(keys: &[Keystroke]) -> Vec<TextEdit> {
    let mut edits = Vec::new();
    let mut burst = Burst::new();
    for key in keys {
        if burst.is_full() {
            edits.extend(std::mem::take(&mut burst).finish());
        }
        burst.erase(key.at, key.deleted).unwrap();
        if burst.insert(key.at, &key.inserted).is_err() {
            edits.extend(std::mem::take(&mut burst).finish());
            burst.insert(key.at, &key.inserted).unwrap();
        }
    }
    edits.extend(burst.finish());
    edits
}

pub fn bursts(keys: &[Keystroke]) -> impl Iterator<Item = TextEdit> + '_ {
    keys.chunks(BURST).flat_map(burst)
}

/// The bytes of all bursts.
pub fn stored(keys: &[Keystroke]) -> Vec<Vec<u8>> {
    bursts(keys).map(|edit| edit.to_canonical()).collect()
}

/// One device's edits, one after the other.
fn in_a_row(edits: impl Iterator<Item = TextEdit>) -> impl Iterator<Item = NewEdit> {
    let mut last: Option<EntryId> = None;
    (1..).zip(edits).map(move |(seq, edit)| {
        let new = new_edit(id(1, seq, seq), last.as_slice(), edit);
        last = Some(new.id.entry);
        new
    })
}

pub fn load(stored: &[Vec<u8>]) -> String {
    let mut document = Document::new();
    let edits = stored.iter().map(|bytes| TextEdit::from_canonical(bytes).unwrap());
    document.insert_all(in_a_row(edits)).unwrap();
    document.text()
}

pub fn typed(keys: &[Keystroke]) -> Document {
    let mut document = Document::new();
    for new in in_a_row(bursts(keys)) {
        document.insert_all([new]).unwrap();
    }
    document
}

/// Keystrokes of one transaction, as they were made.
fn exact(keys: &[Keystroke]) -> Option<TextEdit> {
    let mut burst = Burst::new();
    for key in keys {
        burst.delete(key.at, key.deleted).unwrap();
        burst.insert(key.at, &key.inserted).unwrap();
    }
    burst.finish()
}

pub fn concurrent(transactions: &[Transaction]) -> Vec<NewEdit> {
    let mut edits = Vec::new();
    let mut names: Vec<Vec<EntryId>> = Vec::new();
    let mut seqs = [0_u64; 2];
    for txn in transactions {
        seqs[txn.agent] += 1;
        let name = id(txn.agent as u8, seqs[txn.agent], txn.agent as u64 * 1_000_000 + seqs[txn.agent]);
        let parents: Vec<EntryId> = txn.parents.iter().flat_map(|parent| names[*parent].clone()).collect();
        let edit = exact(&txn.keys);
        names.push(if edit.is_some() { vec![name.entry] } else { parents.clone() });
        edits.extend(edit.map(|edit| new_edit(name, &parents, edit)));
    }
    edits
}

/// An edit with its content as bytes.
pub fn stored_edit(edit: &NewEdit) -> (NewEdit, Vec<u8>) {
    (edit.clone(), edit.edit.to_canonical())
}

fn decoded((edit, bytes): &(NewEdit, Vec<u8>)) -> NewEdit {
    let content = Arc::new(TextEdit::from_canonical(bytes).unwrap());
    NewEdit { id: edit.id, parents: edit.parents.clone(), edit: content, hidden: edit.hidden }
}

pub fn replay(stored: &[(NewEdit, Vec<u8>)]) -> String {
    let mut document = Document::new();
    document.insert_all(stored.iter().map(decoded)).unwrap();
    document.text()
}

pub fn replay_backwards(stored: &[(NewEdit, Vec<u8>)]) -> String {
    let mut document = Document::new();
    document.insert_all(stored.iter().rev().map(decoded)).unwrap();
    document.text()
}

/// One device with its own edits, and the edits of the other.
pub struct TwoDevices {
    first: Document,
    of_second: Vec<NewEdit>,
}

impl TwoDevices {
    pub fn new(base: &str, first: &[Keystroke], second: &[Keystroke]) -> Self {
        let mut burst = Burst::new();
        burst.insert(0, base).unwrap();
        let base = new_edit(id(9, 1, 1), &[], burst.finish().unwrap());
        let written = |device: u8, keys: &[Keystroke]| {
            let mut last = base.id.entry;
            let edits = (1..).zip(keys).map(|(seq, key)| {
                let name = id(device, seq, u64::from(device) * 1_000_000 + seq);
                let new = new_edit(name, &[last], exact(std::slice::from_ref(key)).unwrap());
                last = new.id.entry;
                new
            });
            edits.collect::<Vec<_>>()
        };
        let mut document = Document::new();
        document.insert_all([base.clone()]).unwrap();
        document.insert_all(written(1, first)).unwrap();
        Self { first: document, of_second: written(2, second) }
    }

    fn merged(&self) -> Document {
        let mut document = self.first.clone();
        document.insert_all(self.of_second.iter().cloned()).unwrap();
        document
    }

    pub fn merge(&self) -> Duration {
        let mut document = self.first.clone();
        timed(|| {
            document.insert_all(self.of_second.iter().cloned()).unwrap();
            document.text()
        })
    }

    pub fn text(&self) -> String {
        self.merged().text()
    }

    pub fn marks(&self) -> Duration {
        let document = self.merged();
        timed(|| document.review_marks(&[]))
    }
}
