//! PRO-CTCAE: how a form marks its symptom questions, and how answers become
//! attribute scores and a composite grade.
//!
//! PRO-CTCAE asks about a symptom by up to three attributes (frequency, severity,
//! interference, each 0 to 4), by its amount (0 to 4) or by its presence (0 or 1),
//! over the last 7 days.
//! Only this structure and the published grading rules are here, no item texts.
//!
//! A form marks a question with an `item.code` coding:
//!
//! ```json
//! {"system": "https://ward.example/fhir/CodeSystem/pro-ctcae-structure",
//!  "code": "nausea/frequency", "display": "Nausea"}
//! ```
//!
//! The code is `<symptom>/<attribute>`; the symptom is a name of the form's own,
//! the attribute one of `frequency`, `severity`, `interference`, `presence`,
//! `amount`. The display is the symptom's name for people. The score of an answer is the
//! option's weight (`itemWeight` or `ordinalValue`), else the option's code as a
//! digit, else the whole number answered; a presence question may also be
//! answered with yes or no.

mod composite;
mod course;
mod library;
mod score;

pub use composite::{CompositeShape, composite_grade, grade_bounds};
pub use course::{Course, CourseMissing, CourseReport, CourseValue, course, course_from_first};
pub use library::{LibraryItem, LibrarySymptom, library, library_symptom};
pub(crate) use score::symptom_instances;
pub use score::{AttributeScore, MissingReason, SymptomScore, score_symptom_instances, score_symptoms};

use crate::questionnaire::Item;
use serde::Serialize;

/// The system of the codings that mark symptom questions.
pub const STRUCTURE_SYSTEM: &str = "https://ward.example/fhir/CodeSystem/pro-ctcae-structure";

/// The highest composite grade.
pub const WORST_GRADE: u8 = 3;

/// The days a PRO-CTCAE question looks back.
pub const RECALL_DAYS: u8 = 7;

/// What a question asks about a symptom. The order is that of the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// How often, 0 to 4.
    Frequency,
    /// How bad, 0 to 4.
    Severity,
    /// How much it got in the way, 0 to 4.
    Interference,
    /// Whether at all, 0 or 1.
    Presence,
    /// How much, 0 to 4.
    Amount,
}

impl Attribute {
    /// Every attribute with its code.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Frequency, "frequency"),
        (Self::Severity, "severity"),
        (Self::Interference, "interference"),
        (Self::Presence, "presence"),
        (Self::Amount, "amount"),
    ];

    /// The attribute with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(attribute, _)| *attribute)
    }

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(attribute, _)| *attribute == self).map_or("", |(_, code)| *code)
    }

    /// The highest score.
    #[must_use]
    pub fn max_score(self) -> u8 {
        match self {
            Self::Presence => 1,
            _ => 4,
        }
    }
}

/// The marking of one question: which symptom, which attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeCode {
    symptom: String,
    attribute: Attribute,
}

impl AttributeCode {
    /// Reads `<symptom>/<attribute>`.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let (symptom, attribute) = code.rsplit_once('/')?;
        if symptom.is_empty() || symptom.contains('/') {
            return None;
        }
        Some(Self { symptom: symptom.to_owned(), attribute: Attribute::from_code(attribute)? })
    }

    /// The symptom, by the form's own name for it.
    #[must_use]
    pub fn symptom(&self) -> &str {
        &self.symptom
    }

    /// The attribute.
    #[must_use]
    pub fn attribute(&self) -> Attribute {
        self.attribute
    }

    /// The markings of an item; an unreadable one is `Err`.
    pub(crate) fn of(item: &Item) -> impl Iterator<Item = Result<Self, ()>> {
        item.codes
            .iter()
            .filter(|coding| coding.system.as_deref() == Some(STRUCTURE_SYSTEM))
            .map(|coding| coding.code.as_deref().and_then(Self::parse).ok_or(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markings_name_one_symptom_and_one_attribute() {
        let code = AttributeCode::parse("mouth-sores/severity").unwrap();
        assert_eq!((code.symptom(), code.attribute()), ("mouth-sores", Attribute::Severity));
        for broken in ["", "nausea", "/severity", "nausea/", "nausea/often", "a/b/severity"] {
            assert_eq!(AttributeCode::parse(broken), None, "{broken}");
        }
    }
}
