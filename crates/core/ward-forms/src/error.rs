//! What can be wrong with the JSON of a form or of a response.

use crate::limits::MAX_NAMED_IN_LOOP;

/// Why a `Questionnaire` or a `QuestionnaireResponse` can't be read.
///
/// Whoever supplied the document has to act: the study's author for a form, the
/// sending device for a response. Nothing is half read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// More bytes than accepted; the supplier sends a smaller document.
    #[error("the document has {found_bytes} bytes; at most {limit_bytes} are accepted")]
    TooManyBytes {
        /// Bytes received.
        found_bytes: usize,
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// Objects and arrays nested too deeply; the supplier flattens the document.
    #[error("the JSON is nested deeper than {limit} levels")]
    JsonTooDeep {
        /// Levels accepted.
        limit: usize,
    },
    /// One string is too long; the supplier shortens it.
    #[error("a string in the JSON is longer than {limit_bytes} bytes")]
    StringTooLong {
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// Not JSON at all; the supplier repairs it at the named place.
    #[error("not valid JSON at line {line}, column {column}")]
    NotJson {
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
    },
    /// Bytes that are no text; the supplier writes UTF-8.
    #[error("byte {at_byte} is not part of UTF-8 text")]
    NotUtf8 {
        /// The first such byte, counted from 0.
        at_byte: usize,
    },
    /// A number that can't be held; the supplier corrects it.
    #[error("the number at byte {at_byte} is too large")]
    NumberTooLarge {
        /// Where its digits begin, counted from 0.
        at_byte: usize,
    },
    /// An object gives a field twice, so which one counts would be a guess; the
    /// supplier leaves one out.
    #[error("an object gives the field {field} twice")]
    DuplicateField {
        /// The field.
        field: String,
    },
    /// Another FHIR resource, or no resource; the supplier sends the right one.
    #[error("expected a {expected}, found {found}")]
    WrongResource {
        /// The resource type asked for.
        expected: &'static str,
        /// The resource type received, or "no resourceType".
        found: String,
    },
    /// A field that FHIR requires is absent; the supplier adds it.
    #[error("{at}: the field {field} is missing")]
    MissingField {
        /// The item, by its path of linkIds, or the resource.
        at: String,
        /// The field.
        field: &'static str,
    },
    /// A field holds another kind of value; the supplier corrects it.
    #[error("{at}: the field {field} must be {expected}")]
    WrongShape {
        /// The item, by its path of linkIds, or the resource.
        at: String,
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A field is longer than accepted; the supplier shortens it.
    #[error("{at}: the field {field} has more than {limit_bytes} bytes")]
    FieldTooLong {
        /// The item, by its path of linkIds, or the resource.
        at: String,
        /// The field.
        field: String,
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// Items nested too deeply; the supplier flattens the form.
    #[error("{at}: items are nested deeper than {limit} levels")]
    ItemsTooDeep {
        /// The item that is one too deep.
        at: String,
        /// Levels accepted.
        limit: usize,
    },
    /// More items, options, conditions or answers than accepted; the supplier
    /// splits the form.
    #[error("{at}: more than {limit} {what}")]
    TooMany {
        /// The item, by its path of linkIds, or the resource.
        at: String,
        /// What is counted, in the plural.
        what: &'static str,
        /// The number accepted.
        limit: usize,
    },
    /// Two items share a linkId, so an answer could belong to either; the
    /// author renames one.
    #[error("the linkId {link_id} is used by more than one item")]
    DuplicateLinkId {
        /// The shared linkId.
        link_id: String,
    },
    /// Items wait for one another, so none of them can be decided; the author
    /// breaks the loop.
    #[error("these items wait for one another: {}", named_in_order(cycle))]
    EnableWhenLoop {
        /// The linkIds of the loop; each waits for the next, the last for the first.
        cycle: Vec<String>,
    },
}

/// The first names of a loop, which may be as long as the form.
pub(crate) fn named_in_order(cycle: &[String]) -> String {
    let named: Vec<&str> = cycle.iter().take(MAX_NAMED_IN_LOOP).map(String::as_str).collect();
    let more = cycle.len() - named.len();
    let end = if more == 0 { String::new() } else { format!(" > and {more} more") };
    format!("{}{end}", named.join(" > "))
}
