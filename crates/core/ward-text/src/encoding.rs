//! The bytes of an edit: all inserted text in one piece, and two small integers a run.
//!
//! `[text, [d, n, d, n, …]]`. A run begins `d` scalars behind the place where the run before
//! ended: behind what it inserted, or where it deleted. It inserts the next `n` scalars of the
//! text, or, if `n` is negative, deletes `-n` scalars. Most runs are two or three bytes so.

use crate::edit::{Burst, TextEdit, TextRun};
use crate::limits::TEXT_RUNS_MAX;
use minicbor::decode::Error as DecodeError;
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Decode, Decoder, Encode, Encoder};

impl<C> Encode<C> for TextEdit {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.array(2)?.str(self.text())?;
        let numbers = self.steps().count().saturating_mul(2);
        e.array(u64::try_from(numbers).unwrap_or(u64::MAX))?;
        let mut cursor = 0_i64;
        for (inserts, at, scalars) in self.steps() {
            let (at, scalars) = (i64::from(at), i64::from(scalars));
            e.i64(at - cursor)?.i64(if inserts { scalars } else { -scalars })?;
            cursor = if inserts { at + scalars } else { at };
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for TextEdit {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        if d.array()? != Some(2) {
            return Err(DecodeError::message("an edit is a text and its runs"));
        }
        let text = d.str()?;
        let numbers = d.array()?.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let runs = numbers / 2;
        if numbers % 2 != 0 || runs == 0 || runs > TEXT_RUNS_MAX {
            return Err(DecodeError::message("an edit has one to 64 runs"));
        }
        read_runs(d, text, runs)
    }
}

fn read_runs(d: &mut Decoder<'_>, text: &str, runs: usize) -> Result<TextEdit, DecodeError> {
    let mut burst = Burst::with_room(text.len(), runs);
    let (mut rest, mut cursor) = (text, 0_i64);
    for _ in 0..runs {
        let at = cursor.checked_add(d.i64()?).and_then(|at| u32::try_from(at).ok());
        let at = at.ok_or_else(|| DecodeError::message("a position outside of any document"))?;
        let scalars = d.i64()?;
        let size = u32::try_from(scalars.unsigned_abs());
        let size = size.ok().filter(|size| *size > 0).ok_or_else(|| DecodeError::message("an empty run"))?;
        let run = if scalars > 0 {
            let (text, behind) = cut(rest, size).ok_or_else(|| DecodeError::message("too little text"))?;
            rest = behind;
            cursor = i64::from(at) + scalars;
            TextRun::Insert { at, text }
        } else {
            cursor = i64::from(at);
            TextRun::Delete { at, count: size }
        };
        burst.push(run).map_err(|_| DecodeError::message("an edit beyond its limits"))?;
    }
    let edit = burst.finish().filter(|edit| rest.is_empty() && edit.steps().count() == runs);
    edit.ok_or_else(|| DecodeError::message("runs that can be joined, or text that no run inserts"))
}

/// The first scalars of a text, and what follows.
fn cut(text: &str, scalars: u32) -> Option<(&str, &str)> {
    let scalars = usize::try_from(scalars).ok()?;
    if scalars == 0 {
        return None;
    }
    let (last, c) = text.char_indices().nth(scalars - 1)?;
    text.split_at_checked(last + c.len_utf8())
}
