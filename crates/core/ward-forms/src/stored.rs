//! What was signed and stored, read again.
//!
//! What is new is read strictly. A rule that came later must not make a record unreadable that was
//! accepted once: that is read all the same, and says what is doubtful about it.

use crate::error::FormError;

/// Something that was signed and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored<T> {
    /// What it says.
    pub content: T,
    /// What would refuse it today. People must be told: of a field that is given twice the later one was
    /// read, and the other one stands only in the bytes.
    pub doubt: Option<FormError>,
}
