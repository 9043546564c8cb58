//! What a rule reads in one version of a report.

use super::history::Content;
use super::rule::{SymptomName, Target};
use super::wording::{lower_first, number};
use crate::answer_value::AnswerValue;
use crate::item_path::ItemPath;
use crate::limits::MAX_QUESTION_IN_SENTENCE_CHARS;
use crate::pro_ctcae::{Attribute, AttributeScore, MissingReason, SymptomScore};
use crate::score::{Score, UsedAnswer};
use serde_json::Number;

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
    /// A part is missing; the value is one of these, ends included. Both ends are the same where the
    /// missing part was not asked for: then the value is at least that.
    Between { low: f64, high: f64, why: String },
    /// Nothing is known.
    Unknown { why: String },
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

    /// The value, where it is known for sure.
    pub(super) fn exactly(&self) -> Option<f64> {
        match self {
            Self::Exactly(value) => Some(*value),
            _ => None,
        }
    }

    /// What is missing.
    pub(super) fn why(&self) -> Option<&str> {
        match self {
            Self::Exactly(_) => None,
            Self::Between { why, .. } | Self::Unknown { why } => Some(why),
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

/// Everything that a target reads in these answers; empty where the form does not ask for it.
pub(super) fn readings(of: &Target, content: &Content) -> Vec<Reading> {
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
            content.items.iter().filter(fits).flat_map(|item| item_readings(item, unit.as_deref())).collect()
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
    let measured = match (symptom.grade, symptom.grade_bounds()) {
        (Some(grade), _) => Measured::Exactly(f64::from(grade)),
        (None, Some((low, high))) if known && low == high => Measured::Exactly(f64::from(low)),
        (None, Some((low, high))) if known => {
            let high = if is_owed { high } else { low };
            Measured::Between { low: low.into(), high: high.into(), why: known_and_missing(symptom) }
        }
        _ if no_grade_defined => {
            Measured::Unknown { why: "no grade is defined for what is asked".to_owned() }
        }
        _ => Measured::Unknown { why: known_and_missing(symptom) },
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
    let measured = match (own.score, own.missing) {
        (Some(score), _) => Measured::Exactly(f64::from(score)),
        (None, Some(MissingReason::NotAsked)) => return None,
        (None, missing) => Measured::Unknown { why: format!("{} {}", own.attribute.code(), gap(missing)) },
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
        (None, why) => Measured::Unknown { why: why.map(ToString::to_string).unwrap_or_default() },
    };
    Reading {
        about: format!("{}/{}", score.algorithm.name, score.name),
        words: score.label.clone(),
        unit_before: "score ",
        measured,
        used: score.used.clone(),
    }
}

fn item_readings(item: &ItemReading, unit: Option<&str>) -> Vec<Reading> {
    let reading = |measured, used| Reading {
        about: item.link_id().to_owned(),
        words: item.words(),
        unit_before: "",
        measured,
        used,
    };
    if item.values.is_empty() {
        return vec![reading(Measured::Unknown { why: "not answered".to_owned() }, Vec::new())];
    }
    let read = |(value, counted): &(AnswerValue, Option<i32>)| match item_number(value, *counted, unit) {
        Ok(number) => {
            let counted_as = Number::from_f64(number).unwrap_or_else(|| 0.into());
            let used = UsedAnswer { path: item.path.clone(), answer: value.write().1, counted_as };
            reading(Measured::Exactly(number), vec![used])
        }
        Err(why) => reading(Measured::Unknown { why: why.to_owned() }, Vec::new()),
    };
    item.values.iter().map(read).collect()
}

/// The number of an answer. An amount must have the rule's unit: 38.5 °F is not 38.5 °C.
fn item_number(value: &AnswerValue, counted: Option<i32>, unit: Option<&str>) -> Result<f64, &'static str> {
    if let AnswerValue::Quantity(quantity) = value {
        let own = [quantity.code.as_deref(), quantity.unit.as_deref()];
        let fits = match unit {
            Some(unit) => own.contains(&Some(unit)),
            None => own == [None, None],
        };
        if !fits {
            return Err("the unit of the answer is not the unit of the rule");
        }
        if quantity.comparator.is_some() {
            return Err("the answer is a limit, not a number");
        }
        let number = quantity.value.as_ref().and_then(Number::as_f64);
        return number.filter(|number| number.is_finite()).ok_or("the answer has no number");
    }
    if unit.is_some() {
        return Err("the answer has no unit, and the rule has one");
    }
    // The weight of an option comes before the number in its code or value, as in every score.
    let number = counted.map(f64::from).or(value.number()).filter(|number| number.is_finite());
    number.ok_or("the answer has no number")
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
