//! The values that collections hold: nodes of the data, and values that an expression made.

use super::node::Node;
use super::quantity::Quantity;
use super::temporal::Temporal;
use super::text::Text;
use rust_decimal::Decimal;
use std::borrow::Cow;

/// One value. Data are borrowed: a value never holds a copy of a part of a document.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Value<'d> {
    /// A place in a document.
    Node(Node<'d>),
    /// A truth value.
    Boolean(bool),
    /// A whole number.
    Integer(i32),
    /// An exact decimal number.
    Decimal(Decimal),
    /// A text.
    String(Text<'d>),
    /// A date, a date with time, or a time of day.
    Temporal(Temporal),
    /// A number with a unit.
    Quantity(Box<Quantity<'d>>),
    /// What `type()` gives.
    Type {
        /// `System` or `FHIR`.
        namespace: &'static str,
        /// The name in that namespace.
        name: Cow<'d, str>,
    },
}

impl<'d> Value<'d> {
    /// The value itself of a primitive node, read by its type; any other value unchanged.
    pub(super) fn plain(&self) -> Self {
        match self {
            Self::Node(node) => node.primitive().unwrap_or_else(|| self.clone()),
            other => other.clone(),
        }
    }

    /// The truth value, of a node too.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        match self.plain() {
            Self::Boolean(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, of a node too.
    #[must_use]
    pub fn integer(&self) -> Option<i32> {
        match self.plain() {
            Self::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The number, whole or not, of a node too.
    #[must_use]
    pub fn decimal(&self) -> Option<Decimal> {
        match self.plain() {
            Self::Integer(value) => Some(Decimal::from(value)),
            Self::Decimal(value) => Some(value),
            _ => None,
        }
    }

    /// The text, of a node too.
    #[must_use]
    pub fn text(&self) -> Option<Text<'d>> {
        match self.plain() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The date or time, of a node too.
    #[must_use]
    pub fn temporal(&self) -> Option<Temporal> {
        match self.plain() {
            Self::Temporal(value) => Some(value),
            _ => None,
        }
    }

    /// The number with its unit, of a FHIR Quantity too.
    #[must_use]
    pub fn quantity(&self) -> Option<Quantity<'d>> {
        match self {
            Self::Quantity(quantity) => Some((**quantity).clone()),
            Self::Node(node) => Quantity::of_node(node),
            _ => None,
        }
    }

    /// The place in a document, if the value is one.
    #[must_use]
    pub fn node(&self) -> Option<&Node<'d>> {
        match self {
            Self::Node(node) => Some(node),
            _ => None,
        }
    }

    /// The value as `toString()` writes it; nothing for an object.
    #[must_use]
    pub fn written(&self) -> Option<Text<'d>> {
        match self.plain() {
            Self::Boolean(value) => Some(Text::borrowed(if value { "true" } else { "false" })),
            Self::Integer(value) => Some(value.to_string().into()),
            Self::Decimal(value) => Some(value.to_string().into()),
            Self::String(text) => Some(text),
            Self::Temporal(value) => Some(value.to_string().into()),
            Self::Quantity(quantity) => Some(quantity.to_string().into()),
            Self::Node(node) => Quantity::of_node(&node).map(|quantity| quantity.to_string().into()),
            Self::Type { .. } => None,
        }
    }

    /// The name of the value's type, without its namespace.
    #[must_use]
    pub fn type_name(&self) -> Cow<'d, str> {
        match self {
            Self::Node(node) => Cow::Borrowed(node.type_name()),
            Self::Type { .. } => Cow::Borrowed("TypeInfo"),
            Self::Boolean(_) => Cow::Borrowed("Boolean"),
            Self::Integer(_) => Cow::Borrowed("Integer"),
            Self::Decimal(_) => Cow::Borrowed("Decimal"),
            Self::String(_) => Cow::Borrowed("String"),
            Self::Temporal(value) => Cow::Borrowed(value.type_name()),
            Self::Quantity(_) => Cow::Borrowed("Quantity"),
        }
    }

    /// Whether the type is FHIR's or that of FHIRPath itself.
    #[must_use]
    pub fn type_namespace(&self) -> &'static str {
        if matches!(self, Self::Node(_)) { "FHIR" } else { "System" }
    }

    pub(super) fn string(text: impl Into<Text<'d>>) -> Self {
        Self::String(text.into())
    }

    /// A count, which the limits keep within 32 bits.
    pub(super) fn count(count: usize) -> Self {
        Self::Integer(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

impl Value<'static> {
    /// The same value for a shorter time, without copying its text.
    pub(super) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::String(text) => Value::String(Text::borrowed(text)),
            Self::Quantity(quantity) => Value::Quantity(Box::new(quantity.borrowed())),
            other => other.clone(),
        }
    }
}
