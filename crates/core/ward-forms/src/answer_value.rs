//! The value of one answer, in each of the types FHIR allows, and how two values
//! compare.

use crate::date_time::Moment;
use serde_json::{Map, Number, Value, json};
use std::cmp::Ordering;

/// A code from a system of codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Coding {
    /// The system, as a URI.
    pub system: Option<String>,
    /// The version of the system.
    pub version: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// The words for people.
    pub display: Option<String>,
}

impl Coding {
    /// A coding with a system, a code and words.
    #[must_use]
    pub fn new(system: &str, code: &str, display: &str) -> Self {
        Self {
            system: Some(system.to_owned()),
            version: None,
            code: Some(code.to_owned()),
            display: Some(display.to_owned()),
        }
    }

    /// Whether both name the same concept: same system and code. Without codes
    /// the displayed words decide.
    #[must_use]
    pub fn is_same_concept(&self, other: &Self) -> bool {
        if self.code.is_none() && other.code.is_none() {
            return self.system == other.system && self.display == other.display;
        }
        self.system == other.system && self.code == other.code
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let map = value.as_object()?;
        Some(Self {
            system: text_field(map, "system")?,
            version: text_field(map, "version")?,
            code: text_field(map, "code")?,
            display: text_field(map, "display")?,
        })
    }

    fn write(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "system", self.system.as_deref());
        put(&mut map, "version", self.version.as_deref());
        put(&mut map, "code", self.code.as_deref());
        put(&mut map, "display", self.display.as_deref());
        Value::Object(map)
    }
}

/// A measured amount.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quantity {
    /// The number.
    pub value: Option<Number>,
    /// `<`, `<=`, `>=` or `>`, when the amount is only bounded.
    pub comparator: Option<String>,
    /// The unit for people.
    pub unit: Option<String>,
    /// The system of the unit code, as a URI.
    pub system: Option<String>,
    /// The unit as a code.
    pub code: Option<String>,
}

impl Quantity {
    /// Whether both use the same unit: the same code of the same system, or
    /// without codes the same words.
    #[must_use]
    pub fn is_same_unit(&self, other: &Self) -> bool {
        match (&self.code, &other.code) {
            (Some(code), Some(other_code)) => self.system == other.system && code == other_code,
            _ => self.unit == other.unit,
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let map = value.as_object()?;
        let number = match map.get("value") {
            None => None,
            Some(Value::Number(number)) => Some(number.clone()),
            Some(_) => return None,
        };
        Some(Self {
            value: number,
            comparator: text_field(map, "comparator")?,
            unit: text_field(map, "unit")?,
            system: text_field(map, "system")?,
            code: text_field(map, "code")?,
        })
    }

    fn write(&self) -> Value {
        let mut map = Map::new();
        if let Some(value) = &self.value {
            map.insert("value".to_owned(), Value::Number(value.clone()));
        }
        put(&mut map, "comparator", self.comparator.as_deref());
        put(&mut map, "unit", self.unit.as_deref());
        put(&mut map, "system", self.system.as_deref());
        put(&mut map, "code", self.code.as_deref());
        Value::Object(map)
    }
}

/// The value of one answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AnswerValue {
    /// `valueBoolean`.
    Boolean(bool),
    /// `valueDecimal`.
    Decimal(Number),
    /// `valueInteger`, 32 bits as in FHIR.
    Integer(i32),
    /// `valueDate`, as written.
    Date(String),
    /// `valueDateTime`, as written.
    DateTime(String),
    /// `valueTime`, as written.
    Time(String),
    /// `valueString`.
    String(String),
    /// `valueUri`.
    Uri(String),
    /// `valueCoding`.
    Coding(Coding),
    /// `valueQuantity`.
    Quantity(Quantity),
    /// `valueAttachment`, kept as it is.
    Attachment(Value),
    /// `valueReference`, kept as it is.
    Reference(Value),
    /// A value of a type that FHIR doesn't allow in answers, or whose content
    /// doesn't fit its name. Kept as it is; no question accepts it.
    Unreadable {
        /// The field's name, such as `valueCode`.
        field: String,
        /// Its content.
        value: Value,
    },
}

impl AnswerValue {
    /// A decimal, or `None` when the number is not finite.
    #[must_use]
    pub fn decimal(number: f64) -> Option<Self> {
        Number::from_f64(number).map(Self::Decimal)
    }

    /// A short text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// The FHIR type's name, in words for people.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "yes or no",
            Self::Decimal(_) => "a number",
            Self::Integer(_) => "a whole number",
            Self::Date(_) => "a date",
            Self::DateTime(_) => "a date and time",
            Self::Time(_) => "a time",
            Self::String(_) => "text",
            Self::Uri(_) => "a link",
            Self::Coding(_) => "a listed answer",
            Self::Quantity(_) => "an amount with a unit",
            Self::Attachment(_) => "a file",
            Self::Reference(_) => "a reference",
            Self::Unreadable { .. } => "something that can't be read",
        }
    }

    /// Reads a field such as `valueInteger`; `kind` is the part after the prefix.
    pub(crate) fn read(field: &str, kind: &str, value: &Value) -> Self {
        Self::read_known(kind, value)
            .unwrap_or_else(|| Self::Unreadable { field: field.to_owned(), value: value.clone() })
    }

    fn read_known(kind: &str, value: &Value) -> Option<Self> {
        let string = || value.as_str().map(str::to_owned);
        match kind {
            "Boolean" => value.as_bool().map(Self::Boolean),
            "Decimal" => value.as_number().cloned().map(Self::Decimal),
            "Integer" => value.as_i64().and_then(|number| i32::try_from(number).ok()).map(Self::Integer),
            "Date" => string().map(Self::Date),
            "DateTime" => string().map(Self::DateTime),
            "Time" => string().map(Self::Time),
            "String" => string().map(Self::String),
            "Uri" => string().map(Self::Uri),
            "Coding" => Coding::read(value).map(Self::Coding),
            "Quantity" => Quantity::read(value).map(Self::Quantity),
            "Attachment" => value.is_object().then(|| Self::Attachment(value.clone())),
            "Reference" => value.is_object().then(|| Self::Reference(value.clone())),
            _ => None,
        }
    }

    /// The field's name and content, such as `valueInteger` and `3`.
    pub(crate) fn write(&self) -> (String, Value) {
        let (field, value) = match self {
            Self::Boolean(value) => ("valueBoolean", json!(value)),
            Self::Decimal(number) => ("valueDecimal", Value::Number(number.clone())),
            Self::Integer(number) => ("valueInteger", json!(number)),
            Self::Date(text) => ("valueDate", json!(text)),
            Self::DateTime(text) => ("valueDateTime", json!(text)),
            Self::Time(text) => ("valueTime", json!(text)),
            Self::String(text) => ("valueString", json!(text)),
            Self::Uri(text) => ("valueUri", json!(text)),
            Self::Coding(coding) => ("valueCoding", coding.write()),
            Self::Quantity(quantity) => ("valueQuantity", quantity.write()),
            Self::Attachment(value) => ("valueAttachment", value.clone()),
            Self::Reference(value) => ("valueReference", value.clone()),
            Self::Unreadable { field, value } => (field.as_str(), value.clone()),
        };
        (field.to_owned(), value)
    }

    /// Whether a text value can be read as the type it claims.
    pub(crate) fn is_well_formed(&self) -> bool {
        match self {
            Self::Date(text) => Moment::date(text).is_some(),
            Self::DateTime(text) => Moment::date_time(text).is_some(),
            Self::Time(text) => Moment::time(text).is_some(),
            Self::Uri(text) => !text.is_empty() && !text.chars().any(char::is_whitespace),
            Self::String(text) => !text.trim().is_empty(),
            Self::Coding(coding) => coding.code.is_some() || coding.display.is_some(),
            Self::Unreadable { .. } => false,
            _ => true,
        }
    }

    /// Whether both are the same answer: what option membership and the operator
    /// `=` ask.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Coding(left), Self::Coding(right)) => left.is_same_concept(right),
            (Self::Reference(left), Self::Reference(right)) => {
                left.get("reference") == right.get("reference")
            }
            (Self::Attachment(left), Self::Attachment(right)) => left == right,
            (Self::Boolean(left), Self::Boolean(right)) => left == right,
            (Self::String(left) | Self::Uri(left), Self::String(right) | Self::Uri(right)) => left == right,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// The order of two values, when they have one. Codes have none; amounts in
    /// different units have none.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return left.partial_cmp(&right);
        }
        match (self, other) {
            (Self::Quantity(left), Self::Quantity(right)) => {
                if !left.is_same_unit(right) || left.comparator != right.comparator {
                    return None;
                }
                left.value.as_ref()?.as_f64()?.partial_cmp(&right.value.as_ref()?.as_f64()?)
            }
            (Self::String(left), Self::String(right)) => Some(left.cmp(right)),
            _ => self.moment()?.order(&other.moment()?),
        }
    }

    /// The number of an integer or decimal.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(f64::from(*number)),
            Self::Decimal(number) => number.as_f64(),
            _ => None,
        }
    }

    fn moment(&self) -> Option<Moment> {
        match self {
            Self::Date(text) => Moment::date(text),
            Self::DateTime(text) => Moment::date_time(text),
            Self::Time(text) => Moment::time(text),
            _ => None,
        }
    }
}

/// A string field that may be absent; `None` when it is something else.
#[expect(clippy::option_option, reason = "absent and unreadable are different outcomes")]
fn text_field(map: &Map<String, Value>, field: &str) -> Option<Option<String>> {
    match map.get(field) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        Some(_) => None,
    }
}

fn put(map: &mut Map<String, Value>, field: &str, text: Option<&str>) {
    if let Some(text) = text {
        map.insert(field.to_owned(), json!(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_reads_and_writes_itself() {
        let cases = [
            ("valueBoolean", json!(true)),
            ("valueDecimal", json!(1.5)),
            ("valueInteger", json!(-3)),
            ("valueDate", json!("2026-03")),
            ("valueDateTime", json!("2026-03-01T10:00:00Z")),
            ("valueTime", json!("10:00:00")),
            ("valueString", json!("words")),
            ("valueUri", json!("urn:x")),
            ("valueCoding", json!({"system": "s", "code": "c", "display": "d"})),
            ("valueQuantity", json!({"value": 3, "unit": "kg"})),
            ("valueAttachment", json!({"contentType": "text/plain"})),
            ("valueReference", json!({"reference": "Patient/1"})),
        ];
        for (field, value) in cases {
            let kind = field.strip_prefix("value").unwrap();
            let read = AnswerValue::read(field, kind, &value);
            assert!(!matches!(read, AnswerValue::Unreadable { .. }), "{field}");
            assert!(read.is_well_formed(), "{field}");
            assert_eq!(read.write(), (field.to_owned(), value));
        }
    }

    #[test]
    fn a_value_that_does_not_fit_its_name_is_kept_unreadable() {
        for (field, value) in [
            ("valueInteger", json!(1.5)),
            ("valueInteger", json!(2_147_483_648_i64)),
            ("valueCode", json!("x")),
            ("valueCoding", json!({"code": 1})),
            ("valueString", json!(null)),
        ] {
            let read = AnswerValue::read(field, field.strip_prefix("value").unwrap(), &value);
            assert!(matches!(read, AnswerValue::Unreadable { .. }), "{field} {value}");
            assert_eq!(read.write(), (field.to_owned(), value));
        }
    }

    #[test]
    fn numbers_compare_across_integer_and_decimal() {
        let three = AnswerValue::Integer(3);
        assert!(three.is_same(&AnswerValue::decimal(3.0).unwrap()));
        assert_eq!(three.order(&AnswerValue::decimal(3.5).unwrap()), Some(Ordering::Less));
        assert_eq!(three.order(&AnswerValue::text("3")), None);
    }

    #[test]
    fn codes_have_no_order_and_need_the_same_system() {
        let mild = AnswerValue::Coding(Coding::new("s", "1", "Mild"));
        let other = AnswerValue::Coding(Coding::new("t", "1", "Mild"));
        assert!(mild.is_same(&AnswerValue::Coding(Coding::new("s", "1", "A little"))));
        assert!(!mild.is_same(&other));
        assert_eq!(mild.order(&mild), None);
    }

    #[test]
    fn amounts_in_different_units_have_no_order() {
        let amount = |number: i32, unit: &str| {
            AnswerValue::Quantity(Quantity {
                value: Some(number.into()),
                unit: Some(unit.to_owned()),
                ..Quantity::default()
            })
        };
        assert_eq!(amount(1, "kg").order(&amount(2, "kg")), Some(Ordering::Less));
        assert_eq!(amount(1, "kg").order(&amount(2, "g")), None);
    }
}
