//! What FHIR R4 says about the types that expressions meet: a small table instead of a generated model.
//!
//! It holds the data types and the resources that forms are made of or drawn from. A resource that is
//! not in it is still navigated, by the names in its JSON: its values then have the types that JSON
//! tells apart.

mod data_types;
mod primitives;
mod resource_names;
mod resources;

pub(super) use data_types::*;
pub(super) use primitives::*;
pub(super) use resources::{OTHER_RESOURCE, PARTS, RESOURCES};

use super::ast::{Namespace, TypeName};
use std::fmt;

/// A FHIR type.
pub struct Type {
    pub(super) name: &'static str,
    pub(super) base: Option<&'static Type>,
    pub(super) fields: &'static [Field],
    pub(super) form: Form,
}

/// How a type's value is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    /// An object.
    Complex,
    /// Nothing is known: the JSON decides.
    Unknown,
}

impl Form {
    pub(super) fn is_primitive(self) -> bool {
        !matches!(self, Self::Complex | Self::Unknown)
    }
}

/// A member of a type.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) type_: FieldType,
}

/// What a member holds.
#[derive(Clone, Copy)]
pub(super) enum FieldType {
    Of(&'static Type),
    /// `name[x]`: the name in JSON ends with the type.
    Choice,
    /// A resource, which says its type itself.
    Resource,
}

pub(super) const fn field(name: &'static str, type_: &'static Type) -> Field {
    Field { name, type_: FieldType::Of(type_) }
}

pub(super) const fn choice(name: &'static str) -> Field {
    Field { name, type_: FieldType::Choice }
}

pub(super) const fn resource(name: &'static str) -> Field {
    Field { name, type_: FieldType::Resource }
}

pub(super) const fn complex(name: &'static str, base: &'static Type, fields: &'static [Field]) -> Type {
    Type { name, base: Some(base), fields, form: Form::Complex }
}

/// Only the name: types name one another in circles.
impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Type {
    /// The member of that name, own or inherited.
    pub(super) fn field(&self, name: &str) -> Option<&'static Field> {
        let mut type_ = self;
        loop {
            if let Some(field) = type_.fields.iter().find(|field| field.name == name) {
                return Some(field);
            }
            type_ = type_.base?;
        }
    }

    /// The choice that a name in JSON belongs to, such as `value` for `valueCoding`.
    pub(super) fn choice_of(&self, json_name: &str) -> Option<(&'static str, &'static Type)> {
        let mut type_ = self;
        loop {
            for field in type_.fields {
                if matches!(field.type_, FieldType::Choice)
                    && let Some(of) = json_name.strip_prefix(field.name).and_then(choice_type)
                {
                    return Some((field.name, of));
                }
            }
            type_ = type_.base?;
        }
    }

    /// Whether it is the named type or derives from it.
    pub(super) fn is_or_derives_from(&self, name: &str) -> bool {
        let mut type_ = self;
        loop {
            if type_.name == name {
                return true;
            }
            let Some(base) = type_.base else { return false };
            type_ = base;
        }
    }
}

/// The type that the end of a choice's name in JSON says: `Coding`, `DateTime`.
pub(super) fn choice_type(ending: &str) -> Option<&'static Type> {
    let first = ending.chars().next().filter(char::is_ascii_uppercase)?;
    DATA_TYPES.iter().copied().find(|type_| {
        let mut name = type_.name.chars();
        name.next().is_some_and(|c| c.to_ascii_uppercase() == first) && ending.get(1..) == Some(name.as_str())
    })
}

/// The table's type of a resource.
pub(super) fn resource_type(name: &str) -> Option<&'static Type> {
    RESOURCES.iter().copied().find(|type_| type_.name == name)
}

/// Whether a type of that name exists where the expression says.
pub(super) fn exists(type_name: &TypeName) -> bool {
    let name = type_name.name.as_str();
    let is_fhir = || {
        DATA_TYPES.iter().any(|type_| type_.name == name)
            || ABSTRACT_TYPES.contains(&name)
            || resource_names::RESOURCE_NAMES.contains(&name)
    };
    match type_name.namespace {
        // A name that System doesn't have is a type that no value has.
        Namespace::System => true,
        Namespace::Fhir => is_fhir(),
        Namespace::Either => is_fhir() || SYSTEM_TYPES.contains(&name),
    }
}

/// Whether FHIR R4 has a resource of that name.
pub(super) fn is_resource_name(name: &str) -> bool {
    resource_names::RESOURCE_NAMES.contains(&name)
}

/// The types of FHIRPath itself.
const SYSTEM_TYPES: [&str; 10] =
    ["Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"];

/// FHIR types that no value has, but that others derive from.
const ABSTRACT_TYPES: [&str; 4] = ["Resource", "DomainResource", "Element", "BackboneElement"];
