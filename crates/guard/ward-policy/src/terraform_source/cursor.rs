//! A place in the text of a configuration: what stands there, and what is passed over.

use super::syntax::{Expression, Node};
use crate::input_error::InputError;
use crate::limits::{MAX_HCL_DEPTH, MAX_HCL_HEIGHT};

/// A place in a text. Methods that read stand behind what they read.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    line: u32,
    line_counted_to: usize,
    /// How many round and square brackets are open: within them a new line is only space.
    pub(super) brackets: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, line_counted_to: 0, brackets: 0, depth: 0 }
    }

    /// The beginning of a text that stands within the one that this place is in.
    pub(super) const fn within<'b>(&self, text: &'b str) -> Cursor<'b> {
        let inner = Cursor::new(text);
        Cursor { depth: self.depth, ..inner }
    }

    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn byte_after(&self, distance: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + distance).copied()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Line of the place, from 1. Asked with growing places, the text is counted once.
    pub(super) fn line(&mut self) -> u32 {
        if self.at < self.line_counted_to {
            (self.line, self.line_counted_to) = (1, 0);
        }
        let passed = self.text.as_bytes().get(self.line_counted_to..self.at).unwrap_or_default();
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.line_counted_to = self.at;
        self.line
    }

    pub(super) fn fault(&mut self, what: &'static str) -> InputError {
        let before = self.text.as_bytes().get(..self.at).unwrap_or_default();
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = before.len() - line_start + 1;
        InputError::NotHcl { line: usize::try_from(self.line()).unwrap_or(usize::MAX), column, what }
    }

    /// Goes one level deeper; [`Self::leave`] comes back.
    pub(super) fn enter(&mut self) -> Result<(), InputError> {
        self.depth += 1;
        if self.depth > MAX_HCL_DEPTH {
            return Err(self.fault("nested deeper than a check accepts"));
        }
        Ok(())
    }

    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// An expression above others of this height.
    pub(super) fn node(&mut self, height_below: usize, what: Expression) -> Result<Node, InputError> {
        if height_below >= MAX_HCL_HEIGHT {
            return Err(self.fault("an expression has more levels than a check accepts"));
        }
        Ok(Node { height: height_below + 1, what })
    }

    /// Passes over spaces and comments, and over new lines inside brackets.
    pub(super) fn space(&mut self) -> Result<(), InputError> {
        self.pass(self.brackets > 0)
    }

    /// Passes over spaces, comments and new lines.
    pub(super) fn space_and_lines(&mut self) -> Result<(), InputError> {
        self.pass(true)
    }

    fn pass(&mut self, lines_too: bool) -> Result<(), InputError> {
        loop {
            match (self.byte(), self.byte_after(1)) {
                (Some(b' ' | b'\t' | b'\r'), _) => self.at += 1,
                (Some(b'\n'), _) if lines_too => self.at += 1,
                (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                (Some(b'/'), Some(b'*')) => match self.rest().find("*/") {
                    Some(length) => self.at += length + 2,
                    None => return Err(self.fault("a comment has no end")),
                },
                _ => return Ok(()),
            }
        }
    }

    /// Takes this byte if it comes next.
    pub(super) fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.byte() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes these letters if they come next.
    pub(super) fn takes_text(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    pub(super) fn want(&mut self, byte: u8, what: &'static str) -> Result<(), InputError> {
        if self.takes(byte) { Ok(()) } else { Err(self.fault(what)) }
    }

    /// The name that begins here, if one does.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let begins = rest.chars().next().is_some_and(|letter| letter.is_alphabetic() || letter == '_');
        if !begins {
            return None;
        }
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
        let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length)
    }

    /// Takes this name if exactly it comes next.
    pub(super) fn takes_name(&mut self, wanted: &str) -> bool {
        let before = self.at;
        let is_next = self.name() == Some(wanted);
        if !is_next {
            self.at = before;
        }
        is_next
    }
}
