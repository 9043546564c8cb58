//! What a rule reads in one version of a report.

use super::amount::{Units, measured};
use super::history::Content;
use super::rule::{SymptomName, Target};
use super::wording::{lower_first, number};
use crate::answer_value::AnswerValue;
use crate::item_path::ItemPath;
use crate::limits::MAX_QUESTION_IN_SENTENCE_CHARS;
use crate::pro_ctcae::{Attribute, AttributeScore, MissingReason, SymptomScore};
use crate::score::{Score, UsedAnswer};
use serde_json::Number;
use std::collections::BTreeSet;

/// One question that was asked.
#[derive(Debug, Clone)]
pub(super) struct ItemReading {
    pub(super) path: ItemPath,
    pub(super) text: Option<String>,
    /// The answers, each with the whole number that it counts as.
    pub(super) values: Vec<(AnswerValue, Option<i32>)>,
}

impl ItemReading {
    pub(super) fn link_id(&self) -> &str {
        self.path.link_id().unwrap_or_default()
    }

    /// The question's words where they are short, else its linkId.
    pub(super) fn words(&self) -> String {
        let short =
            self.text.as_deref().filter(|text| text.chars().count() <= MAX_QUESTION_IN_SENTENCE_CHARS);
        short.map_or_else(|| self.link_id().to_owned(), |text| format!("“{text}”"))
    }
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Measured {
    /// The value.
    Exactly(f64),
    /// A part is missing, or the answer is a limit; the value is one of these, ends included. Both ends are
    /// the same where the missing part was not asked for: then the value stands by what was asked.
    Between { low: f64, high: f64, why: String },
    /// Nothing is known. Somebody has to ask where what was answered cannot be measured, and where a
    /// symptom was asked about and all of it refused.
    Unknown { why: String, is_to_ask: bool },
}

impl Measured {
    /// The lowest and highest value that it can be.
    pub(super) fn bounds(&self) -> Option<(f64, f64)> {
        match self {
            Self::Exactly(value) => Some((*value, *value)),
            Self::Between { low, high, .. } => Some((*low, *high)),
            Self::Unknown { .. } => None,
        }
    }

    /// Whether a question to the participant settles it.
    pub(super) fn is_to_ask(&self) -> bool {
        matches!(self, Self::Between { .. } | Self::Unknown { is_to_ask: true, .. })
    }

    /// The value, where nothing that counts is missing.
    pub(super) fn exactly(&self) -> Option<f64> {
        match self {
            Self::Exactly(value) => Some(*value),
            Self::Between { low, high, .. } if high <= low => Some(*low),
            Self::Between { .. } | Self::Unknown { .. } => None,
        }
    }

    /// What is missing.
    pub(super) fn why(&self) -> Option<&str> {
        match self {
            Self::Exactly(_) => None,
            Self::Between { why, .. } | Self::Unknown { why, .. } => Some(why),
        }
    }
}

/// One value that a rule reads.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// What it is about, the same in every report: `nausea`, `nausea/severity`, `temperature`.
    pub(super) about: String,
    /// Its name within a sentence.
    pub(super) words: String,
    /// What the value is called in a sentence, such as `grade`; may be empty.
    pub(super) unit_before: &'static str,
    pub(super) measured: Measured,
    pub(super) used: Vec<UsedAnswer>,
}

/// Everything that a target reads in these answers; empty where the form does not ask for it. `elsewhere` are
/// the units in which other rules of the set look at the same question.
pub(super) fn readings(of: &Target, content: &Content, elsewhere: &BTreeSet<Option<&str>>) -> Vec<Reading> {
    match of {
        Target::Grade { symptom } => {
            symptoms(symptom, content).filter_map(|one| grade(symptom, one)).collect()
        }
        Target::Attribute { symptom, attribute } => symptoms(symptom, content)
            .flat_map(|one| one.attributes.iter().map(move |own| (one, own)))
            .filter(|(_, own)| attribute.is_none_or(|attribute| own.attribute == attribute))
            .filter_map(|(one, own)| attribute_reading(one, own))
            .collect(),
        Target::Score { algorithm, name } => {
            let fits = |score: &&Score| score.algorithm.name == algorithm && score.name == *name;
            content.scores.iter().filter(fits).map(score_reading).collect()
        }
        Target::Item { link_id, unit } => {
            let fits = |item: &&ItemReading| item.link_id() == link_id;
            let units = Units { own: unit.as_deref(), elsewhere };
            content.items.iter().filter(fits).flat_map(|item| item_readings(item, &units)).collect()
        }
    }
}

fn symptoms<'c>(name: &'c SymptomName, content: &'c Content) -> impl Iterator<Item = &'c SymptomScore> {
    content.symptoms.iter().filter(move |one| match name {
        SymptomName::Every => true,
        SymptomName::Named(name) => one.symptom == *name,
    })
}

fn grade(name: &SymptomName, symptom: &SymptomScore) -> Option<Reading> {
    let no_grade_defined = symptom.missing == Some(MissingReason::NoGradeDefined);
    let not_asked = |one: &AttributeScore| one.missing == Some(MissingReason::NotAsked);
    // Of a symptom whose presence alone is asked nobody expects a grade.
    let presence_alone = matches!(&symptom.attributes[..], [one] if one.attribute == Attribute::Presence);
    if symptom.attributes.iter().all(not_asked) || (presence_alone && *name == SymptomName::Every) {
        return None;
    }
    // What the form did not ask is not missing: the least grade stands, and nobody owes the rest.
    let is_owed = symptom.attributes.iter().any(|one| one.score.is_none() && !not_asked(one));
    let known = symptom.attributes.iter().any(|one| one.score.is_some());
    // The bounds are looked up only where the grade is not known.
    let bounds = if symptom.grade.is_none() { symptom.grade_bounds() } else { None };
    let measured = match (symptom.grade, bounds) {
        (Some(grade), _) => Measured::Exactly(f64::from(grade)),
        (None, Some((low, high))) if known && low == high => Measured::Exactly(f64::from(low)),
        (None, Some((low, high))) if known => {
            let high = if is_owed { high } else { low };
            Measured::Between { low: low.into(), high: high.into(), why: known_and_missing(symptom) }
        }
        _ if no_grade_defined => {
            let is_to_ask = known && !presence_alone;
            Measured::Unknown { why: "no grade is defined for what is asked".to_owned(), is_to_ask }
        }
        _ => Measured::Unknown { why: known_and_missing(symptom), is_to_ask: true },
    };
    Some(Reading {
        about: symptom.symptom.clone(),
        words: lower_first(&symptom.label),
        unit_before: "grade ",
        measured,
        used: symptom.grade_answers(),
    })
}

fn attribute_reading(symptom: &SymptomScore, own: &AttributeScore) -> Option<Reading> {
    // After a first answer of "not at all" nobody owes the others.
    let is_owed = symptom.attributes.first().is_none_or(|first| first.score != Some(0));
    let measured = match (own.score, own.missing) {
        (Some(score), _) => Measured::Exactly(f64::from(score)),
        (None, Some(MissingReason::NotAsked)) => return None,
        (None, missing) => Measured::Unknown {
            why: format!("{} {}", own.attribute.code(), gap(missing)),
            is_to_ask: is_owed || missing == Some(MissingReason::NoScore),
        },
    };
    Some(Reading {
        about: format!("{}/{}", symptom.symptom, own.attribute.code()),
        words: lower_first(&symptom.label),
        unit_before: match own.attribute {
            Attribute::Frequency => "frequency ",
            Attribute::Severity => "severity ",
            Attribute::Interference => "interference ",
            Attribute::Presence => "presence ",
            Attribute::Amount => "amount ",
        },
        measured,
        used: own.answers.clone(),
    })
}

fn score_reading(score: &Score) -> Reading {
    let measured = match (score.value(), score.missing()) {
        (Some(value), _) => Measured::Exactly(value),
        (None, why) => {
            Measured::Unknown { why: why.map(ToString::to_string).unwrap_or_default(), is_to_ask: false }
        }
    };
    Reading {
        about: format!("{}/{}", score.algorithm.name, score.name),
        words: score.label.clone(),
        unit_before: "score ",
        measured,
        used: score.used.clone(),
    }
}

fn item_readings(item: &ItemReading, units: &Units<'_>) -> Vec<Reading> {
    let reading = |measured, used| Reading {
        about: item.link_id().to_owned(),
        words: item.words(),
        unit_before: "",
        measured,
        used,
    };
    if item.values.is_empty() {
        // A question may be left out: whether it was meant so, the study knows.
        let nothing = Measured::Unknown { why: "not answered".to_owned(), is_to_ask: false };
        return vec![reading(nothing, Vec::new())];
    }
    let read = |(value, counted): &(AnswerValue, Option<i32>)| {
        let measured = measured(value, *counted, units);
        let used = measured.bounds().map(|(low, high)| {
            let number = if low.is_finite() { low } else { high };
            let counted_as = Number::from_f64(number).unwrap_or_else(|| 0.into());
            UsedAnswer { path: item.path.clone(), answer: value.write().1, counted_as }
        });
        reading(measured, used.into_iter().collect())
    };
    item.values.iter().map(read).collect()
}

/// `severity 4, interference not answered`: what is known, and what is missing beside it.
fn known_and_missing(symptom: &SymptomScore) -> String {
    let said = |one: &AttributeScore| match one.score {
        Some(score) => format!("{} {}", one.attribute.code(), number(f64::from(score))),
        None => format!("{} {}", one.attribute.code(), gap(one.missing)),
    };
    symptom.attributes.iter().map(said).collect::<Vec<_>>().join(", ")
}

fn gap(missing: Option<MissingReason>) -> &'static str {
    match missing {
        Some(MissingReason::NotAsked) => "not asked",
        Some(MissingReason::NoScore) => "answered without a score",
        _ => "not answered",
    }
}
