//! What every score says about itself: its value or why there is none, the answers it used, the
//! answers it left out, and by which published rule it was made.

use crate::item_path::ItemPath;
use serde::Serialize;
use serde_json::{Number, Value};
use std::fmt;

/// The rule that made a score. A new edition of a rule is another version, so that old and new
/// scores are never mixed unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Algorithm {
    /// The rule's name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// A score of one response.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Score {
    /// By which rule.
    pub algorithm: Algorithm,
    /// What is scored, by the rule's own name for it: a scale, or the form's name of a symptom.
    pub name: String,
    /// Its name for people.
    pub label: String,
    /// The value, or why there is none.
    #[serde(flatten)]
    pub outcome: ScoreOutcome,
    /// The answers it was made from, in the rule's order.
    pub used: Vec<UsedAnswer>,
    /// Questions that belong to it and could not be used, each with the reason.
    pub left_out: Vec<LeftOut>,
}

impl Score {
    /// The value.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match self.outcome {
            ScoreOutcome::Value(value) => Some(value),
            ScoreOutcome::Missing(_) => None,
        }
    }

    /// Why there is no value.
    #[must_use]
    pub fn missing(&self) -> Option<&ScoreMissing> {
        match &self.outcome {
            ScoreOutcome::Value(_) => None,
            ScoreOutcome::Missing(why) => Some(why),
        }
    }
}

/// A value, or why there is none. Missing is never zero.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ScoreOutcome {
    /// The value, on the scale of its rule.
    Value(f64),
    /// Why there is none.
    Missing(ScoreMissing),
}

/// One answer that a score was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UsedAnswer {
    /// Where it stands in the response.
    pub path: ItemPath,
    /// The answer as the response has it.
    pub answer: Value,
    /// The number that it counted as.
    pub counted_as: Number,
}

/// One question that belongs to a score and could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeftOut {
    /// The question, by the rule's own name: an item's number, or an attribute.
    pub question: String,
    /// Why.
    pub why: LeftOutReason,
}

/// Why a question could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftOutReason {
    /// The form has no such question, or the study did not say which one it is.
    NotInForm,
    /// The skip logic did not ask it.
    NotAsked,
    /// It was asked and has no answer.
    NotAnswered,
    /// The answer carries no number, such as "prefer not to answer".
    NoScore,
    /// The number is not one of those that the question can have.
    OutOfRange,
    /// It was answered more than once, and nobody can say which answer counts.
    AnsweredTwice,
    /// An answer before it settles the score whatever was answered here.
    NotNeeded,
}

impl fmt::Display for LeftOutReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotInForm => "not in the form",
            Self::NotAsked => "not asked",
            Self::NotAnswered => "not answered",
            Self::NoScore => "answered without a score",
            Self::OutOfRange => "answered with a number that the question does not have",
            Self::AnsweredTwice => "answered more than once",
            Self::NotNeeded => "not needed",
        })
    }
}

/// Why a score has no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum ScoreMissing {
    /// The form asks none of its questions.
    NotInForm,
    /// Fewer questions have a usable answer than the rule needs.
    TooFewAnswers {
        /// Questions with a usable answer.
        answered: usize,
        /// Questions that need one.
        needed: usize,
        /// Questions that belong to the score.
        of: usize,
    },
    /// A part that the rule needs is missing.
    PartMissing {
        /// The parts, by name.
        parts: Vec<String>,
    },
    /// The rule defines no score for what was asked, such as a grade for presence alone.
    NotDefined,
}

impl fmt::Display for ScoreMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInForm => f.write_str("the form asks none of its questions"),
            Self::TooFewAnswers { answered, needed, of } => {
                write!(f, "{answered} of {of} questions have a usable answer; {needed} are needed")
            }
            Self::PartMissing { parts } => write!(f, "missing: {}", parts.join(", ")),
            Self::NotDefined => f.write_str("no score is defined for what was asked"),
        }
    }
}
