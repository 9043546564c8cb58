//! Symptom scores of a response.

use crate::answer_value::AnswerValue;
use crate::forest::Forest;
use crate::item_score::whole_number;
use crate::pro_ctcae::{
    Attribute, AttributeCode, CompositeShape, STRUCTURE_SYSTEM, WORST_GRADE, composite_grade,
};
use crate::questionnaire::{Item, ItemType, Questionnaire};
use crate::response::QuestionnaireResponse;
use crate::score::{Algorithm, LeftOut, LeftOutReason, Score, ScoreMissing, ScoreOutcome, UsedAnswer};
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
    /// The answer that the score was made from; several where equal ones were given.
    #[serde(skip)]
    pub answers: Vec<UsedAnswer>,
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

/// The rule behind composite grades: Basch et al., Clinical Trials 2021;18(1):104-114.
const ALGORITHM: Algorithm = Algorithm { name: "pro-ctcae-composite", version: "2021" };

impl SymptomScore {
    /// The answers that the grade is made from, or would be. After a first score of 0 the grade is 0
    /// whatever follows, so it is made from that answer alone.
    #[must_use]
    pub fn grade_answers(&self) -> Vec<UsedAnswer> {
        let parts = if self.is_settled_by_first() { 1 } else { self.attributes.len() };
        self.attributes.iter().take(parts).flat_map(|one| one.answers.iter().cloned()).collect()
    }

    /// Whether the first score is 0, so that there is a grade without the others.
    fn is_settled_by_first(&self) -> bool {
        self.grade.is_some() && self.attributes.first().is_some_and(|one| one.score == Some(0))
    }

    /// The composite grade as a [`Score`], with the answers it was made from. After a first score of
    /// 0 the grade is 0 and the later attributes are among those left out, answered or not.
    #[must_use]
    pub fn to_score(&self) -> Score {
        let reason = |missing: MissingReason| match missing {
            MissingReason::NotAsked => LeftOutReason::NotAsked,
            MissingReason::NotAnswered => LeftOutReason::NotAnswered,
            _ => LeftOutReason::NoScore,
        };
        let left_out: Vec<LeftOut> = self
            .attributes
            .iter()
            .enumerate()
            .filter_map(|(place, one)| {
                let why = match one.missing {
                    Some(missing) => reason(missing),
                    None if place > 0 && self.is_settled_by_first() => LeftOutReason::NotNeeded,
                    None => return None,
                };
                Some(LeftOut { question: one.attribute.code().to_owned(), why })
            })
            .collect();
        let outcome = match (self.grade, self.missing) {
            (Some(grade), _) => ScoreOutcome::Value(f64::from(grade)),
            (None, Some(MissingReason::NoGradeDefined)) => ScoreOutcome::Missing(ScoreMissing::NotDefined),
            (None, _) => {
                let parts = left_out.iter().map(|one| one.question.clone()).collect();
                ScoreOutcome::Missing(ScoreMissing::PartMissing { parts })
            }
        };
        Score {
            algorithm: ALGORITHM,
            name: self.symptom.clone(),
            label: self.label.clone(),
            outcome,
            used: self.grade_answers(),
            left_out,
        }
    }

    /// The lowest and highest grade that the known scores allow; both are the grade where it is known.
    #[must_use]
    pub fn grade_bounds(&self) -> Option<(u8, u8)> {
        let attributes: Vec<Attribute> = self.attributes.iter().map(|score| score.attribute).collect();
        let scores: Vec<Option<u8>> = self.attributes.iter().map(|score| score.score).collect();
        super::grade_bounds(CompositeShape::of(&attributes)?, &scores)
    }
}

/// Scores every symptom that the form asks about, in reading order.
///
/// Answers of questions that the skip logic has switched off count as absent. In a repeating group
/// each instance is scored by itself and the worst one is given, by the least grade that it can have;
/// where a question has several answers, the worst of them counts. What must not miss anything, such
/// as an alert rule, reads [`score_symptom_instances`].
#[must_use]
pub fn score_symptoms(questionnaire: &Questionnaire, response: &QuestionnaireResponse) -> Vec<SymptomScore> {
    let forest = Forest::new(questionnaire, response);
    let enabled = enabled_nodes(questionnaire, &forest);
    each_symptom(questionnaire, &forest, &enabled).into_iter().filter_map(worst).collect()
}

/// As [`score_symptoms`], with every instance of a repeating group by itself: a symptom stands as often
/// as there are instances that ask about it.
#[must_use]
pub fn score_symptom_instances(
    questionnaire: &Questionnaire,
    response: &QuestionnaireResponse,
) -> Vec<SymptomScore> {
    let forest = Forest::new(questionnaire, response);
    let enabled = enabled_nodes(questionnaire, &forest);
    symptom_instances(questionnaire, &forest, &enabled)
}

/// The same of a response that was evaluated: which of its nodes are on is known.
pub(crate) fn symptom_instances(
    questionnaire: &Questionnaire,
    forest: &Forest<'_>,
    enabled: &[bool],
) -> Vec<SymptomScore> {
    each_symptom(questionnaire, forest, enabled).into_iter().flatten().collect()
}

/// The symptoms in reading order, each with its instances; without one it is scored once.
fn each_symptom(
    questionnaire: &Questionnaire,
    forest: &Forest<'_>,
    enabled: &[bool],
) -> Vec<Vec<SymptomScore>> {
    let mut symptoms: Vec<(SymptomScore, Vec<&Item>)> = Vec::new();
    for item in questionnaire.items() {
        for code in AttributeCode::of(item).flatten() {
            let attribute = AttributeScore {
                attribute: code.attribute(),
                link_id: item.link_id.clone(),
                score: None,
                missing: None,
                answers: Vec::new(),
            };
            match symptoms.iter_mut().find(|(known, _)| known.symptom == code.symptom()) {
                // A second question about the same attribute is an error of the
                // form; the first counts.
                Some((known, _)) if known.attributes.iter().any(|own| own.attribute == code.attribute()) => {}
                Some((known, items)) => {
                    known.attributes.push(attribute);
                    items.push(item);
                }
                None => {
                    let symptom = SymptomScore {
                        symptom: code.symptom().to_owned(),
                        label: label_of(item, &code),
                        attributes: vec![attribute],
                        grade: None,
                        missing: None,
                    };
                    symptoms.push((symptom, vec![item]));
                }
            }
        }
    }
    symptoms.into_iter().map(|(symptom, items)| instances(&symptom, &items, forest, enabled)).collect()
}

/// Scores a symptom in each instance of the repeating group that asks about it.
fn instances(
    symptom: &SymptomScore,
    items: &[&Item],
    forest: &Forest<'_>,
    enabled: &[bool],
) -> Vec<SymptomScore> {
    let mut instances: Vec<usize> = items
        .iter()
        .flat_map(|item| forest.nodes_of(item.index))
        .filter_map(|id| repetition(forest, *id))
        .collect();
    instances.sort_unstable();
    instances.dedup();
    let places: Vec<Option<usize>> =
        if instances.is_empty() { vec![None] } else { instances.into_iter().map(Some).collect() };
    let scored = |place: Option<usize>| {
        let mut scored = symptom.clone();
        for (attribute, item) in scored.attributes.iter_mut().zip(items) {
            // A question outside of the repetition belongs to every instance.
            let nodes = forest.nodes_of(item.index).iter().copied();
            let here = nodes.filter(|id| repetition(forest, *id).is_none_or(|own| Some(own) == place));
            score_attribute(attribute, item, here, forest, enabled);
        }
        scored.attributes.sort_by_key(|score| score.attribute);
        grade(&mut scored);
        scored
    };
    places.into_iter().map(scored).collect()
}

/// The worst instance; of equal ones the first.
fn worst(instances: Vec<SymptomScore>) -> Option<SymptomScore> {
    let worse = |worst, next| if badness(&next) > badness(&worst) { next } else { worst };
    instances.into_iter().reduce(worse)
}

/// The instance of the innermost repeating group that a place lies in.
fn repetition(forest: &Forest<'_>, id: usize) -> Option<usize> {
    forest.chain(id).find(|above| {
        forest
            .nodes
            .get(*above)
            .is_some_and(|node| node.item.item_type == ItemType::Group && node.item.repeats)
    })
}

/// How bad a scored symptom is: by the least grade that it can have, so that a certain grade is never
/// behind a possible one; then by its scores.
fn badness(symptom: &SymptomScore) -> (u8, u8, u16) {
    let scores = || symptom.attributes.iter().filter_map(|attribute| attribute.score);
    let highest = scores().max().unwrap_or_default();
    let least = symptom.grade_bounds().map(|(least, _)| least);
    // Without a grade for what is asked, the scores alone can be compared.
    let grade = symptom.grade.or(least).unwrap_or_else(|| highest.min(WORST_GRADE));
    (grade, highest, scores().map(u16::from).sum())
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

/// The worst answer at these places; without one, why there is none.
fn score_attribute(
    attribute: &mut AttributeScore,
    item: &Item,
    places: impl Iterator<Item = usize>,
    forest: &Forest<'_>,
    enabled: &[bool],
) {
    let on: Vec<_> = places
        .filter(|id| enabled.get(*id).copied().unwrap_or(false))
        .filter_map(|id| forest.nodes.get(id).map(|node| (id, node)))
        .collect();
    let is_answered = on.iter().any(|(_, node)| node.has_value());
    let scored: Vec<(u8, usize, &AnswerValue)> = on
        .iter()
        .flat_map(|(id, node)| node.values().map(move |answer| (*id, answer)))
        .filter_map(|(id, answer)| Some((score_of(item, attribute.attribute, answer)?, id, answer)))
        .collect();
    attribute.score = scored.iter().map(|(score, ..)| *score).max();
    attribute.answers = scored
        .iter()
        .filter(|(score, ..)| Some(*score) == attribute.score)
        .map(|(score, id, answer)| UsedAnswer {
            path: forest.path(*id),
            answer: answer.write().1,
            counted_as: (*score).into(),
        })
        .collect();
    attribute.missing = match attribute.score {
        Some(_) => None,
        None if on.is_empty() => Some(MissingReason::NotAsked),
        None if is_answered => Some(MissingReason::NoScore),
        None => Some(MissingReason::NotAnswered),
    };
}

fn score_of(item: &Item, attribute: Attribute, answer: &AnswerValue) -> Option<u8> {
    let score = match answer {
        AnswerValue::Boolean(present)
            if attribute == Attribute::Presence
                && item.options.find(answer).and_then(|option| option.weight).is_none() =>
        {
            u8::from(*present)
        }
        _ => u8::try_from(whole_number(item, answer)?).ok()?,
    };
    (score <= attribute.max_score()).then_some(score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questionnaire::Questionnaire;
    use serde_json::{Value, json};

    fn question(link_id: &str, code: &str) -> Value {
        json!({"linkId": link_id, "type": "integer", "text": "How bad?",
               "code": [{"system": STRUCTURE_SYSTEM, "code": code, "display": "Pain"}]})
    }

    fn scored(instances: &[&[(&str, i32)]]) -> SymptomScore {
        let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
            "item": [{"linkId": "g", "type": "group", "repeats": true, "text": "Each place", "item": [
                question("s", "pain/severity"), question("i", "pain/interference")]}]});
        let items: Vec<Value> = instances
            .iter()
            .map(|answers| {
                let answers: Vec<Value> = answers
                    .iter()
                    .map(|(id, score)| json!({"linkId": id, "answer": [{"valueInteger": score}]}))
                    .collect();
                json!({"linkId": "g", "item": answers})
            })
            .collect();
        let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
        let form = Questionnaire::parse(form.to_string().as_bytes()).unwrap();
        let response = QuestionnaireResponse::parse(response.to_string().as_bytes()).unwrap();
        score_symptoms(&form, &response).remove(0)
    }

    #[test]
    fn of_a_repeating_group_the_worst_instance_counts() {
        let worst = scored(&[&[("s", 1), ("i", 0)], &[("s", 4), ("i", 4)], &[("s", 2), ("i", 2)]]);
        assert_eq!(worst.grade, Some(3));
        assert_eq!(worst.attributes.iter().map(|one| one.score).collect::<Vec<_>>(), [Some(4), Some(4)]);
    }

    #[test]
    fn attributes_of_two_instances_are_not_mixed() {
        // The interference of the second place is not known; the first place does not supply it.
        let worst = scored(&[&[("s", 1), ("i", 0)], &[("s", 4)]]);
        assert_eq!(worst.grade, None);
        assert_eq!(worst.attributes[0].score, Some(4));
        assert_eq!(worst.attributes[1].missing, Some(MissingReason::NotAnswered));
    }

    #[test]
    fn without_an_instance_nothing_is_scored() {
        let none = scored(&[]);
        assert_eq!((none.grade, none.attributes[0].missing), (None, Some(MissingReason::NotAnswered)));
    }
}
