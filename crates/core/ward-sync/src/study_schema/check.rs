//! What no study schema may say. The command line refuses to publish such a schema, and the
//! membership log gives it no effect: no device ever follows one.
//!
//! These rules belong to version 1 of the schema and never change: devices of different versions
//! must agree on which schema holds.

use super::{DataShape, MergeClass, SchemaField, StudySchema};
use crate::kind::EntryKind;
use crate::permission::could_resolve;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What is wrong with a field of a schema. Whoever writes the schema must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SchemaFault {
    /// The class drops values in silence, and somebody's safety hangs on the field.
    #[error(
        "a safety field must not have the class ui-lww: it drops what somebody else wrote without a word"
    )]
    LastWriterOnSafety,
    /// A class that nobody can judge yet.
    #[error("a safety field must have a class that every app knows: review, worst-case or union")]
    UnknownClassOnSafety,
    /// A plan that nobody decides about.
    #[error("a field of the medication plan must have the class review or worst-case")]
    PlanClass,
    /// The last writer wins outside preferences.
    #[error("ui-lww is for preferences in the profile only")]
    LastWriterOutsidePreferences,
    /// The shape is not that of the kind.
    #[error("the shape is not the one that entries of this kind have")]
    OtherShape,
    /// Elements of a set and edits of a text merge in one way only.
    #[error("a set has the class union, and a text the class review")]
    ClassOfShape,
    /// Somebody would decide about what they may not write.
    #[error(
        "a role that may decide must be one that could write this, or staff for what is not the plan or a consent"
    )]
    Resolver,
}

/// A fault with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFinding {
    /// Which kind the field is of.
    pub kind: EntryKind,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What is wrong.
    pub fault: SchemaFault,
}

impl fmt::Display for SchemaFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} “{name}”: {}", self.kind.name(), self.fault),
            None => write!(f, "{}: {}", self.kind.name(), self.fault),
        }
    }
}

impl StudySchema {
    /// Everything that keeps this schema from being followed; nothing for a good one.
    pub fn findings(&self) -> Vec<SchemaFinding> {
        let of = |field: &SchemaField| {
            let (kind, name) = (field.kind, field.name.clone());
            faults(field).into_iter().map(move |fault| SchemaFinding { kind, name: name.clone(), fault })
        };
        self.fields.iter().flat_map(of).collect()
    }
}

fn faults(field: &SchemaField) -> Vec<SchemaFault> {
    let SchemaField { shape, kind, class, safety, resolvers, .. } = field;
    let (kind, class) = (*kind, *class);
    let is_plan = kind == EntryKind::MEDICATION_PLAN_FIELD;
    let last_writer = class == MergeClass::UI_LWW;
    let wrong_class = match shape {
        DataShape::Set => class != MergeClass::UNION,
        DataShape::Text => class != MergeClass::REVIEW,
        DataShape::Record | DataShape::Register => false,
    };
    let checks = [
        (*safety && last_writer, SchemaFault::LastWriterOnSafety),
        (*safety && !class.is_known(), SchemaFault::UnknownClassOnSafety),
        (is_plan && !matches!(class, MergeClass::REVIEW | MergeClass::WORST_CASE), SchemaFault::PlanClass),
        (last_writer && kind != EntryKind::PROFILE_FIELD, SchemaFault::LastWriterOutsidePreferences),
        (DataShape::of(kind).is_some_and(|known| known != *shape), SchemaFault::OtherShape),
        (wrong_class, SchemaFault::ClassOfShape),
        (resolvers.iter().any(|role| !could_resolve(*role, kind)), SchemaFault::Resolver),
    ];
    checks.into_iter().filter(|(broken, _)| *broken).map(|(_, fault)| fault).collect()
}
