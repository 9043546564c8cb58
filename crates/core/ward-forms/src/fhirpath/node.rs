//! Nodes: places in a document with the FHIR type that is known of them.

use super::temporal::Temporal;
use super::text::Text;
use super::types::{self, Form, Type};
use super::value::Value;
use super::written::{Digits, Written, exact};
use crate::number_text::NumberTexts;
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};

/// A place in a document: the JSON there, the sibling that holds a primitive's id and extensions, and
/// the type. It borrows all of it and is as cheap to copy as a few references.
#[derive(Debug, Clone, Copy)]
pub struct Node<'d> {
    /// Absent where only the sibling exists.
    pub(super) json: Option<&'d Json>,
    /// What `_name` holds beside `name`.
    pub(super) sibling: Option<&'d Json>,
    pub(super) type_: &'static Type,
    /// The item of a response that the node lies in: it says which question an answer belongs to.
    pub(super) item: Option<&'d Map<String, Json>>,
    /// How the numbers in the JSON were written. Those of a primitive's extensions are not known.
    pub(super) digits: Digits<'d>,
}

impl<'d> Node<'d> {
    /// A resource, whose type is said in its `resourceType`.
    #[must_use]
    pub fn resource(json: &'d Json) -> Self {
        let name = json.get("resourceType").and_then(Json::as_str);
        let type_ =
            name.map_or(&types::UNKNOWN, |name| types::resource_type(name).unwrap_or(&types::OTHER_RESOURCE));
        Self { json: Some(json), sibling: None, type_, item: None, digits: None }
    }

    /// A part of a resource, such as a `QuestionnaireResponse.item` or a `Coding`. Nothing if the
    /// table of types has no such type.
    #[must_use]
    pub fn typed(json: &'d Json, type_name: &str) -> Option<Self> {
        let mut known = types::DATA_TYPES.iter().chain(types::PARTS).chain(types::RESOURCES);
        let type_ = known.find(|type_| type_.name == type_name)?;
        let item = json.as_object().filter(|map| map.contains_key("linkId"));
        Some(Self { json: Some(json), sibling: None, type_, item, digits: None })
    }

    /// The same place in a document of which it is known how its numbers were written.
    #[must_use]
    pub(crate) fn with_digits(self, digits: Option<&'d NumberTexts>) -> Self {
        Self { digits, ..self }
    }

    /// A number that should be there and is not, in the same item as another node.
    pub(super) fn without_value(of: &Self) -> Self {
        Self { json: None, sibling: None, type_: &types::DECIMAL, item: of.item, digits: None }
    }

    /// The JSON at this place. Nothing for a primitive that has extensions but no value.
    #[must_use]
    pub fn json(&self) -> Option<&'d Json> {
        self.json
    }

    /// The `linkId` of the response's item that the node is or lies in.
    #[must_use]
    pub fn link_id(&self) -> Option<&'d str> {
        self.item?.get("linkId")?.as_str()
    }

    /// The name of its FHIR type, as far as it is known.
    #[must_use]
    pub fn type_name(&self) -> &'d str {
        if std::ptr::eq(self.type_, &raw const types::OTHER_RESOURCE) {
            return self
                .json
                .and_then(|json| json.get("resourceType"))
                .and_then(Json::as_str)
                .unwrap_or("Resource");
        }
        self.type_.name
    }

    /// The JSON with the texts of its numbers.
    pub(super) fn written(&self) -> Option<Written<'d>> {
        Some(Written { json: self.json?, digits: self.digits })
    }

    pub(super) fn map(&self) -> Option<&'d Map<String, Json>> {
        self.json?.as_object()
    }

    /// Whether it is the named type or derives from it.
    pub(super) fn is_or_derives_from(&self, name: &str) -> bool {
        self.type_name() == name || self.type_.is_or_derives_from(name)
    }

    /// Whether it is one plain value rather than an object.
    pub(super) fn is_primitive(&self) -> bool {
        match self.json {
            Some(json) => !json.is_object(),
            None => true,
        }
    }

    /// The value of a primitive, read by its type. Nothing for an object, and nothing for a primitive
    /// without a value.
    pub(super) fn primitive(&self) -> Option<Value<'d>> {
        match self.json? {
            Json::Bool(value) => Some(Value::Boolean(*value)),
            Json::Number(number) => {
                if self.type_.form != Form::Decimal
                    && let Some(value) = number.as_i64().and_then(|value| i32::try_from(value).ok())
                {
                    return Some(Value::Integer(value));
                }
                exact(number, self.digits).map(Value::Decimal)
            }
            Json::String(text) => Some(self.of_text(text)),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        }
    }

    fn of_text(&self, text: &'d str) -> Value<'d> {
        let temporal = match self.type_.form {
            Form::Date => Temporal::date(text),
            Form::DateTime => Temporal::date_time(text),
            Form::Time => Temporal::time(text),
            _ => None,
        };
        temporal.map_or(Value::String(Text::borrowed(text)), Value::Temporal)
    }

    /// The text of a string of which nothing more is known, so that it may hold a date.
    pub(super) fn unknown_text(&self) -> Option<&'d str> {
        if self.type_.form == Form::Unknown { self.json?.as_str() } else { None }
    }
}

/// A decimal as JSON or an expression writes it.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    // More digits than fit are an error of the data, not something to round away.
    Decimal::from_str_exact(text).ok().or_else(|| Decimal::from_scientific(text).ok())
}
