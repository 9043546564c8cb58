//! Symptom scores of a response.

use crate::answer_value::AnswerValue;
use crate::forest::Forest;
use crate::pro_ctcae::{Attribute, AttributeCode, CompositeShape, STRUCTURE_SYSTEM, composite_grade};
use crate::questionnaire::{Item, Questionnaire};
use crate::response::QuestionnaireResponse;
use crate::skip_logic::enabled_nodes;
use serde::Serialize;

/// Why a score or a grade is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingReason {
    /// The skip logic did not ask the question.
    NotAsked,
    /// The question was asked and has no answer.
    NotAnswered,
    /// The answer carries no score, such as "prefer not to answer".
    NoScore,
    /// A score that the grade needs is missing.
    AttributeMissing,
    /// There is no composite grade for these attributes, as for presence.
    NoGradeDefined,
}

/// The score of one attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AttributeScore {
    /// The attribute.
    pub attribute: Attribute,
    /// The linkId of its question.
    pub link_id: String,
    /// The score, 0 to [`Attribute::max_score`].
    pub score: Option<u8>,
    /// Why there is no score.
    pub missing: Option<MissingReason>,
}

/// The scores of one symptom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SymptomScore {
    /// The symptom, by the form's own name for it.
    pub symptom: String,
    /// Its name for people: the display of the marking, else the symptom.
    pub label: String,
    /// The scores, in the order frequency, severity, interference, presence.
    pub attributes: Vec<AttributeScore>,
    /// The composite grade, 0 to 3.
    pub grade: Option<u8>,
    /// Why there is no grade.
    pub missing: Option<MissingReason>,
}

/// Scores every symptom that the form asks about, in reading order.
///
/// Answers of questions that the skip logic has switched off count as absent. In
/// a repeating group the first instance counts.
#[must_use]
pub fn score_symptoms(questionnaire: &Questionnaire, response: &QuestionnaireResponse) -> Vec<SymptomScore> {
    let forest = Forest::new(questionnaire, response);
    let enabled = enabled_nodes(questionnaire, &forest);
    let mut symptoms: Vec<SymptomScore> = Vec::new();
    for item in questionnaire.items() {
        for code in AttributeCode::of(item).flatten() {
            let score = score_item(item, code.attribute(), &forest, &enabled);
            match symptoms.iter_mut().find(|known| known.symptom == code.symptom()) {
                // A second question about the same attribute is an error of the
                // form; the first counts.
                Some(known) if known.attributes.iter().any(|own| own.attribute == code.attribute()) => {}
                Some(known) => known.attributes.push(score),
                None => symptoms.push(SymptomScore {
                    symptom: code.symptom().to_owned(),
                    label: label_of(item, &code),
                    attributes: vec![score],
                    grade: None,
                    missing: None,
                }),
            }
        }
    }
    for symptom in &mut symptoms {
        symptom.attributes.sort_by_key(|score| score.attribute);
        grade(symptom);
    }
    symptoms
}

fn grade(symptom: &mut SymptomScore) {
    let attributes: Vec<Attribute> = symptom.attributes.iter().map(|score| score.attribute).collect();
    let Some(shape) = CompositeShape::of(&attributes) else {
        symptom.missing = Some(MissingReason::NoGradeDefined);
        return;
    };
    let scores: Vec<Option<u8>> = symptom.attributes.iter().map(|score| score.score).collect();
    symptom.grade = composite_grade(shape, &scores);
    symptom.missing = symptom.grade.is_none().then_some(MissingReason::AttributeMissing);
}

fn label_of(item: &Item, code: &AttributeCode) -> String {
    item.codes
        .iter()
        .find(|coding| coding.system.as_deref() == Some(STRUCTURE_SYSTEM))
        .and_then(|coding| coding.display.clone())
        .unwrap_or_else(|| code.symptom().to_owned())
}

fn score_item(item: &Item, attribute: Attribute, forest: &Forest<'_>, enabled: &[bool]) -> AttributeScore {
    let id = forest.nodes_of(item.index).first().copied();
    let is_on = id.is_some_and(|id| enabled.get(id).copied().unwrap_or(false));
    let answer = id.and_then(|id| forest.nodes.get(id)).and_then(|node| node.values().next());
    let (score, missing) = match answer {
        _ if !is_on => (None, Some(MissingReason::NotAsked)),
        None => (None, Some(MissingReason::NotAnswered)),
        Some(answer) => match score_of(item, attribute, answer) {
            Some(score) => (Some(score), None),
            None => (None, Some(MissingReason::NoScore)),
        },
    };
    AttributeScore { attribute, link_id: item.link_id.clone(), score, missing }
}

fn score_of(item: &Item, attribute: Attribute, answer: &AnswerValue) -> Option<u8> {
    let weight = item.options.find(answer).and_then(|option| option.weight);
    let score = match (weight, answer) {
        (Some(weight), _) => whole(weight)?,
        (None, AnswerValue::Integer(number)) => u8::try_from(*number).ok()?,
        (None, AnswerValue::Coding(coding)) => coding.code.as_deref()?.parse().ok()?,
        (None, AnswerValue::Boolean(present)) if attribute == Attribute::Presence => u8::from(*present),
        _ => return None,
    };
    (score <= attribute.max_score()).then_some(score)
}

/// A weight as a score; weights that aren't whole are no scores.
fn whole(weight: f64) -> Option<u8> {
    (0..=u8::MAX).find(|score| f64::from(*score) == weight)
}
