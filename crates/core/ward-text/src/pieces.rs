//! The merged text, as pieces of what edits inserted: who wrote what comes with it.

use crate::replay::Sink;
use crate::run_tree::{Cursor, Run, RunTree, Unnamed};
use crate::tracker::Change;
use crate::unit_text::UnitText;
use alloc::string::String;

/// Scalars with consecutive numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub unit: u32,
    pub len: u32,
}

impl Run<1> for Piece {
    fn len(&self) -> u32 {
        self.len
    }

    fn measure(&self) -> [u32; 1] {
        [self.len]
    }

    fn split_off(&mut self, at: u32) -> Self {
        let tail = Self { unit: self.unit + at, len: self.len - at };
        self.len = at;
        tail
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let is_one = next.unit == self.unit + self.len;
        if is_one {
            self.len += next.len;
        }
        is_one
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Pieces {
    tree: RunTree<Piece, 1>,
    store: UnitText,
}

impl Pieces {
    pub fn new() -> Self {
        Self { tree: RunTree::new(), store: UnitText::default() }
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        for piece in self.tree.runs() {
            text.push_str(self.store.slice(piece.unit, piece.len));
        }
        text
    }

    pub fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.tree.runs()
    }
}

impl Sink for Pieces {
    fn scalars(&self) -> u32 {
        self.tree.total(0)
    }

    fn store(&mut self, text: &str) {
        self.store.push(text);
    }

    fn change(&mut self, change: Change, _: u32) {
        match change {
            Change::Insert { at, unit, scalars, .. } => {
                let place = place_of(&self.tree, 0, at);
                self.tree.insert(place, Piece { unit, len: scalars }, &mut Unnamed);
            }
            Change::Delete { at, scalars } => self.tree.remove(0, at, scalars),
            Change::DeleteAgain { .. } => {}
        }
    }
}

/// Right behind the unit before a position of a measure.
pub(crate) fn place_of<R: Run<N>, const N: usize>(tree: &RunTree<R, N>, measure: usize, at: u32) -> Cursor {
    let before = at.checked_sub(1).and_then(|before| tree.find(measure, before));
    before.map_or_else(|| tree.start(), |before| Cursor { offset: before.offset + 1, ..before })
}
