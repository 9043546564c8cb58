//! `is`, `as` and `ofType`.
//!
//! Source: FHIRPath 2.0 §6.3 and §10.2.

use super::ast::{Namespace, TypeName};
use super::collection::Collection;
use super::error::EvaluationError;
use super::types;
use super::value::Value;

/// Whether the only value has the type or one that derives from it; nothing of nothing.
pub(super) fn is(values: &Collection<'_>, type_name: &TypeName) -> Result<Option<bool>, EvaluationError> {
    match values.values() {
        [] => Ok(None),
        [value] => Ok(Some(is_of(value, type_name))),
        more => Err(EvaluationError::NotSingle { place: "is", found: more.len() }),
    }
}

/// The only value, if it has the type.
pub(super) fn as_type<'d>(
    values: Collection<'d>,
    type_name: &TypeName,
) -> Result<Collection<'d>, EvaluationError> {
    if values.len() > 1 {
        return Err(EvaluationError::NotSingle { place: "as", found: values.len() });
    }
    Ok(of_type(values, type_name))
}

/// The values of the type.
pub(super) fn of_type<'d>(values: Collection<'d>, type_name: &TypeName) -> Collection<'d> {
    values.into_iter().filter(|value| is_cast(value, type_name)).collect()
}

fn is_of(value: &Value<'_>, type_name: &TypeName) -> bool {
    match value {
        Value::Node(node) => {
            type_name.namespace != Namespace::System && node.is_or_derives_from(&type_name.name)
        }
        _ => type_name.namespace != Namespace::Fhir && value.type_name() == type_name.name,
    }
}

/// A primitive is cast to its own type only: a `code` is a `string`, but is not given out as one.
fn is_cast(value: &Value<'_>, type_name: &TypeName) -> bool {
    match value {
        Value::Node(node) if node.is_primitive() => {
            type_name.namespace != Namespace::System && node.type_name() == type_name.name
        }
        _ => is_of(value, type_name),
    }
}

/// Says whether a type that was cast to has a member, where the table knows the type.
pub(super) fn must_have(type_name: &TypeName, member: &str) -> Result<(), EvaluationError> {
    let known = types::DATA_TYPES.iter().chain(types::RESOURCES).find(|type_| type_.name == type_name.name);
    match known {
        Some(type_) if type_name.namespace != Namespace::System && type_.field(member).is_none() => {
            Err(EvaluationError::UnknownMember {
                type_name: type_name.name.clone(),
                member: member.to_owned(),
            })
        }
        _ => Ok(()),
    }
}
