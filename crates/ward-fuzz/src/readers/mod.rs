//! Targets of the other readers: what crosses the wire or lies in a store, read by everybody.

pub(crate) mod envelope;
pub(crate) mod mlog_entry;
pub(crate) mod note;
pub(crate) mod payload;
pub(crate) mod text_edits;

use std::fmt::Debug;
use ward_id::Canonical;

/// A canonical value: whatever is accepted is written with the same bytes. Gives the value.
fn one_spelling<T: Canonical + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let value = T::from_canonical(bytes).ok()?;
    let written = value.to_canonical();
    assert_eq!(written, bytes, "accepted bytes are the one spelling of their value");
    assert_eq!(T::from_canonical(&written).ok().as_ref(), Some(&value), "what is written says the same");
    Some(value)
}
