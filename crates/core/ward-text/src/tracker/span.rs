//! Scalars that share their history.

use crate::run_tree::Run;

/// Measures: scalars that stand in the version at hand, scalars of the merged text, scalars of any
/// state, and scalars that were inserted in the version at hand, whether deleted since or not.
pub(super) const CURRENT: usize = 0;
pub(super) const MERGED: usize = 1;
pub(super) const SPACE: usize = 2;
pub(super) const THERE: usize = 3;

/// States of a scalar in the version at hand: not inserted, inserted, and one more for each edit
/// that deleted it.
pub(super) const NEVER: u32 = 0;
pub(super) const STANDS: u32 = 1;
/// Added to the state of a scalar whose insert is left out of the version at hand. It does not stand,
/// like one that was deleted: what is written beside it finds its place by it all the same.
pub(super) const WITHDRAWN: u32 = 1 << 31;

/// Scalars with consecutive numbers that stand side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub unit: u32,
    pub len: u32,
    /// The scalar on the left when the first one was inserted.
    pub left: u32,
    /// The nearest scalar on the right that was inserted then, whether deleted or not.
    pub right: u32,
    pub state: u32,
    /// Whether any edit that was applied deleted it, or a hidden one inserted it.
    pub gone: bool,
}

impl Run<4> for Span {
    fn len(&self) -> u32 {
        self.len
    }

    fn measure(&self) -> [u32; 4] {
        let current = if self.state == STANDS { self.len } else { 0 };
        let merged = if self.gone { 0 } else { self.len };
        let there = if self.state == NEVER { 0 } else { self.len };
        [current, merged, self.len, there]
    }

    fn split_off(&mut self, at: u32) -> Self {
        let unit = self.unit + at;
        let tail = Self { unit, len: self.len - at, left: unit - 1, ..*self };
        self.len = at;
        tail
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let goes_on = next.unit == self.unit + self.len && next.left == next.unit - 1;
        let is_one = goes_on && (next.right, next.state, next.gone) == (self.right, self.state, self.gone);
        if is_one {
            self.len += next.len;
        }
        is_one
    }
}
