//! Random histories: devices that write, fall behind, catch up, fork, and delete what others wrote.

use std::sync::Arc;
use ward_id::{DeviceId, EntryId, Incarnation};
use ward_text::{Burst, Document, EditId, NewEdit, TextEdit, TextRun};

/// A small generator of numbers: the same numbers for the same seed, everywhere.
#[derive(Clone)]
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// A name made from a number.
pub fn entry(number: u64) -> EntryId {
    let mut bytes = [0; 32];
    // Mixed, so that the order of names says nothing about the order of edits.
    for (part, out) in bytes.chunks_mut(8).enumerate() {
        out.copy_from_slice(
            &Numbers::new(number.wrapping_mul(31).wrapping_add(part as u64)).next().to_be_bytes(),
        );
    }
    EntryId::from_bytes(bytes)
}

pub fn id(device: u8, seq: u64, number: u64) -> EditId {
    EditId {
        device: DeviceId::from_bytes([device; 16]),
        incarnation: Incarnation(1),
        seq,
        entry: entry(number),
    }
}

pub fn edit(runs: &[TextRun<'_>]) -> TextEdit {
    let mut burst = Burst::new();
    for run in runs {
        burst.push(*run).unwrap();
    }
    burst.finish().unwrap()
}

pub fn new_edit(id: EditId, parents: &[EntryId], edit: TextEdit) -> NewEdit {
    NewEdit { id, parents: parents.to_vec(), edit: Arc::new(edit), hidden: false }
}

const SCALARS: [&str; 12] =
    ["a", "b", "c", "d", "e", " ", "\n", "\u{fc}", "\u{1f600}", "xy", "the ", "Dosis "];

/// Random runs for a text of a length. Now and then one that does not fit.
pub fn random_edit(numbers: &mut Numbers, length: u32, may_be_wrong: bool) -> TextEdit {
    let mut burst = Burst::new();
    let mut length = length as usize;
    let mut at = numbers.below(length + 1);
    for _ in 0..=numbers.below(4) {
        if numbers.chance(40) {
            at = numbers.below(length + 1);
        }
        if length > 0 && numbers.chance(35) {
            let at = at.min(length - 1);
            let count = 1 + numbers.below((length - at).min(6));
            burst.delete(at as u32, count as u32).unwrap();
            length -= count;
        } else {
            let text = SCALARS[numbers.below(SCALARS.len())];
            at = at.min(length);
            burst.insert(at as u32, text).unwrap();
            length += text.chars().count();
            at += text.chars().count();
        }
    }
    if may_be_wrong && numbers.chance(3) {
        burst.delete(length as u32, 5).unwrap();
    }
    burst.finish().unwrap_or_else(|| edit(&[TextRun::Insert { at: 0, text: "z" }]))
}

/// A history of some devices, in an order in which parents come first.
pub fn random_history(seed: u64, edits: usize, devices: usize) -> Vec<NewEdit> {
    let mut numbers = Numbers::new(seed);
    let mut replicas: Vec<(Document, u64)> = vec![(Document::new(), 0); devices];
    let mut history: Vec<NewEdit> = Vec::new();
    for number in 0..edits as u64 {
        let who = numbers.below(devices);
        // Catch up with somebody, or with everybody.
        if numbers.chance(30) {
            let other = numbers.below(devices);
            let known = replicas[other].0.clone();
            let missing = history.iter().filter(|edit| known.holds(&edit.id.entry)).cloned();
            replicas[who].0.insert_all(missing).unwrap();
        } else if numbers.chance(5) {
            replicas[who].0.insert_all(history.iter().cloned()).unwrap();
        }
        let (document, seq) = &mut replicas[who];
        // A cloned device writes its place in the chain once more.
        if !numbers.chance(4) {
            *seq += 1;
        }
        let content = random_edit(&mut numbers, document.scalars(), true);
        let new = new_edit(
            id(who as u8 + 1, (*seq).max(1), seed.wrapping_mul(100_003).wrapping_add(number)),
            &document.frontier(),
            content,
        );
        document.insert_all([new.clone()]).unwrap();
        history.push(new);
    }
    history
}

/// Puts edits in, some of them twice, in a random order and in random batches.
pub fn delivered(history: &[NewEdit], numbers: &mut Numbers) -> Document {
    let mut order: Vec<&NewEdit> = history.iter().collect();
    let twice = history.len() / 5 + 1;
    for _ in 0..twice {
        order.push(&history[numbers.below(history.len())]);
    }
    numbers.shuffle(&mut order);
    let mut document = Document::new();
    let mut rest = order.as_slice();
    while !rest.is_empty() {
        let batch = 1 + numbers.below(rest.len().min(12));
        let (now, later) = rest.split_at(batch);
        document.insert_all(now.iter().map(|edit| (*edit).clone())).unwrap();
        rest = later;
    }
    document
}
