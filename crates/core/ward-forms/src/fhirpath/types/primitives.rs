//! FHIR's primitive types.
//!
//! Source: FHIR R4 §2.24.0.1.

use super::{Field, Form, Type, field};

/// What every FHIR type has.
pub(in crate::fhirpath) static ELEMENT: Type =
    Type { name: "Element", base: None, fields: ELEMENT_FIELDS, form: Form::Complex };

static ELEMENT_FIELDS: &[Field] = &[field("id", &STRING), field("extension", &super::EXTENSION)];

const fn primitive(name: &'static str, base: &'static Type, form: Form) -> Type {
    Type { name, base: Some(base), fields: &[], form }
}

macro_rules! primitives {
    ($($constant:ident = $name:literal, $base:ident, $form:ident;)*) => {
        $(pub(in crate::fhirpath) static $constant: Type = primitive($name, &$base, Form::$form);)*
    };
}

primitives! {
    BOOLEAN = "boolean", ELEMENT, Boolean;
    INTEGER = "integer", ELEMENT, Integer;
    POSITIVE_INT = "positiveInt", INTEGER, Integer;
    UNSIGNED_INT = "unsignedInt", INTEGER, Integer;
    DECIMAL = "decimal", ELEMENT, Decimal;
    STRING = "string", ELEMENT, String;
    CODE = "code", STRING, String;
    ID = "id", STRING, String;
    MARKDOWN = "markdown", STRING, String;
    URI = "uri", ELEMENT, String;
    URL = "url", URI, String;
    CANONICAL = "canonical", URI, String;
    OID = "oid", URI, String;
    UUID = "uuid", URI, String;
    BASE64_BINARY = "base64Binary", ELEMENT, String;
    XHTML = "xhtml", ELEMENT, String;
    DATE = "date", ELEMENT, Date;
    DATE_TIME = "dateTime", ELEMENT, DateTime;
    INSTANT = "instant", ELEMENT, DateTime;
    TIME = "time", ELEMENT, Time;
}

/// A value of which only the JSON is known.
pub(in crate::fhirpath) static UNKNOWN: Type =
    Type { name: "Element", base: None, fields: &[], form: Form::Unknown };

/// A string of which nothing more is known: it may hold a date.
pub(in crate::fhirpath) static UNKNOWN_STRING: Type =
    Type { name: "string", base: Some(&ELEMENT), fields: &[], form: Form::Unknown };
