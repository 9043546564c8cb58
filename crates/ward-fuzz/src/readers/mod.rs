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

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::CborError;

    /// A number that is read from one byte or from several: what a format must not be.
    #[derive(Debug, PartialEq)]
    struct Loose(u8);

    impl Canonical for Loose {
        fn to_canonical(&self) -> Vec<u8> {
            vec![self.0]
        }

        fn from_canonical(bytes: &[u8]) -> Result<Self, CborError> {
            bytes.last().copied().map(Self).ok_or(CborError::Malformed)
        }
    }

    #[test]
    fn what_is_refused_has_no_value() {
        assert_eq!(one_spelling::<Loose>(&[]), None);
        assert_eq!(one_spelling::<Loose>(&[7]), Some(Loose(7)));
    }

    #[test]
    #[should_panic(expected = "the one spelling")]
    fn two_spellings_are_a_fault() {
        one_spelling::<Loose>(&[0, 7]);
    }
}
