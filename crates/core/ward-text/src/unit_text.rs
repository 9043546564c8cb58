//! All scalars that edits insert, in the order of their numbers.

use alloc::string::String;
use alloc::vec::Vec;

/// Scalars between two places whose bytes are remembered.
const STRIDE: u32 = 64;

#[derive(Debug, Clone, Default)]
pub(crate) struct UnitText {
    text: String,
    scalars: u32,
    /// The byte of every [`STRIDE`]th scalar. Empty while all scalars are one byte long.
    marks: Vec<usize>,
}

impl UnitText {
    /// Appends scalars.
    pub fn push(&mut self, text: &str) {
        let all_bytes = self.marks.is_empty() && self.text.len() == self.scalars as usize;
        if all_bytes && text.is_ascii() {
            self.scalars = self.scalars.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
            self.text.push_str(text);
            return;
        }
        if self.marks.is_empty() {
            let marked = (0..self.scalars).step_by(STRIDE as usize);
            self.marks.extend(marked.map(|scalar| scalar as usize));
        }
        for c in text.chars() {
            if self.scalars.is_multiple_of(STRIDE) {
                self.marks.push(self.text.len());
            }
            self.text.push(c);
            self.scalars = self.scalars.saturating_add(1);
        }
    }

    /// Scalars with consecutive numbers.
    pub fn slice(&self, unit: u32, scalars: u32) -> &str {
        let from = self.byte_of(unit);
        let to = self.byte_of(unit.saturating_add(scalars));
        self.text.get(from..to).unwrap_or("")
    }

    fn byte_of(&self, unit: u32) -> usize {
        if unit >= self.scalars {
            return self.text.len();
        }
        if self.marks.is_empty() {
            return unit as usize;
        }
        let mark = self.marks.get((unit / STRIDE) as usize).copied().unwrap_or(0);
        let rest = self.text.get(mark..).unwrap_or("");
        let offset = rest.char_indices().nth((unit % STRIDE) as usize).map_or(rest.len(), |(byte, _)| byte);
        mark + offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_found_in_any_mixture() {
        let parts = ["plain ", "gr\u{fc}n \u{1f600}", &"x".repeat(200), "\u{1f600}\u{1f600}", "end"];
        let mut store = UnitText::default();
        let mut all: Vec<char> = Vec::new();
        for part in parts {
            store.push(part);
            all.extend(part.chars());
            for from in 0..=all.len() {
                for len in [0, 1, 3, 70] {
                    let to = (from + len).min(all.len());
                    let wanted: String = all[from..to].iter().collect();
                    assert_eq!(store.slice(from as u32, (to - from) as u32), wanted);
                }
            }
        }
    }
}
