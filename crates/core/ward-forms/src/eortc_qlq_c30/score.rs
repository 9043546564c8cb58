//! From answers to the 15 scales and the summary score.

use super::ALGORITHM;
use super::scales::{SCALES, Scale, ScaleKind, highest_answer};
use super::score_map::ScoreMap;
use crate::answer_value::AnswerValue;
use crate::forest::Forest;
use crate::item_path::ItemPath;
use crate::item_score::whole_number;
use crate::questionnaire::Questionnaire;
use crate::response::QuestionnaireResponse;
use crate::score::{LeftOut, LeftOutReason, Score, ScoreMissing, ScoreOutcome, UsedAnswer};
use crate::skip_logic::enabled_nodes;
use std::collections::BTreeMap;

/// The name of the summary score.
pub const SUMMARY: &str = "summary";

/// Scales of the summary score.
const SUMMARY_SCALES: u32 = 13;

/// A number that every scale of the summary score can be written over: its scores are whole numbers
/// over `3 x answers`, and no scale has more than 5 questions.
const DENOMINATOR: u32 = 180;

/// What is known of each question.
type Answers = BTreeMap<u8, Result<UsedAnswer, LeftOutReason>>;

/// The scores of a response to a study's form: the 15 scales in the order of [`SCALES`], then the
/// summary score. Answers of questions that the skip logic has switched off count as absent. Where the
/// map is about another form, every score says that the form asks none of its questions.
#[must_use]
pub fn score_qlq_c30(map: &ScoreMap, form: &Questionnaire, response: &QuestionnaireResponse) -> Vec<Score> {
    let forest = Forest::new(form, response);
    let enabled = enabled_nodes(form, &forest);
    scores_of(map, form, &forest, &enabled)
}

/// The same of a response that was evaluated: which of its nodes are on is known.
pub(crate) fn scores_of(
    map: &ScoreMap,
    form: &Questionnaire,
    forest: &Forest<'_>,
    enabled: &[bool],
) -> Vec<Score> {
    let mut answers = Answers::new();
    for item in SCALES.iter().flat_map(|scale| scale.items).copied() {
        answers.insert(item, answer_of(item, map, form, forest, enabled));
    }
    scores(&answers)
}

/// The scores of bare answers by question number, for data that has no form. Question 1 stands in
/// `answers` under 1; an absent number is a question without an answer. The paths of the answers
/// used are the numbers.
///
/// ```
/// use std::collections::BTreeMap;
/// use ward_forms::eortc_qlq_c30::score_items;
///
/// let scores = score_items(&BTreeMap::from([(9, 2), (19, 3)]));
/// let pain = scores.iter().find(|score| score.name == "PA").and_then(|score| score.value());
/// assert_eq!(pain, Some(50.0));
/// ```
#[must_use]
pub fn score_items(answers: &BTreeMap<u8, i32>) -> Vec<Score> {
    let of = |item: u8| {
        let number = *answers.get(&item).ok_or(LeftOutReason::NotAnswered)?;
        let answer = AnswerValue::Integer(number);
        used(item, ItemPath::top(&item.to_string()), &answer, number)
    };
    scores(&SCALES.iter().flat_map(|scale| scale.items).map(|item| (*item, of(*item))).collect())
}

fn used(item: u8, path: ItemPath, answer: &AnswerValue, number: i32) -> Result<UsedAnswer, LeftOutReason> {
    let highest = highest_answer(item).map_or(0, i32::from);
    if !(1..=highest).contains(&number) {
        return Err(LeftOutReason::OutOfRange);
    }
    Ok(UsedAnswer { path, answer: answer.write().1, counted_as: number.into() })
}

fn answer_of(
    number: u8,
    map: &ScoreMap,
    form: &Questionnaire,
    forest: &Forest<'_>,
    enabled: &[bool],
) -> Result<UsedAnswer, LeftOutReason> {
    let link_id = map.link_id(number).filter(|_| map.is_about(form)).ok_or(LeftOutReason::NotInForm)?;
    let item = form.item(link_id).ok_or(LeftOutReason::NotInForm)?;
    let on: Vec<usize> = forest
        .nodes_of(item.index)
        .iter()
        .copied()
        .filter(|id| enabled.get(*id).copied().unwrap_or(false))
        .collect();
    let values = on.iter().filter_map(|id| forest.nodes.get(*id).map(|node| (*id, node)));
    let values: Vec<(usize, &AnswerValue)> =
        values.flat_map(|(id, node)| node.values().map(move |value| (id, value))).collect();
    match values.as_slice() {
        [] if on.is_empty() => Err(LeftOutReason::NotAsked),
        [] => Err(LeftOutReason::NotAnswered),
        [(id, value)] => {
            let counted = whole_number(item, value).ok_or(LeftOutReason::NoScore)?;
            used(number, forest.path(*id), value, counted)
        }
        _ => Err(LeftOutReason::AnsweredTwice),
    }
}

fn scores(answers: &Answers) -> Vec<Score> {
    let made: Vec<(Score, Option<Fraction>)> =
        SCALES.iter().map(|scale| scale_score(scale, answers)).collect();
    let summary = summary(&made);
    made.into_iter().map(|(score, _)| score).chain([summary]).collect()
}

/// A score between 0 and 1 as a fraction.
#[derive(Debug, Clone, Copy)]
struct Fraction {
    over: u32,
    under: u32,
}

impl Fraction {
    /// The score between 0 and 100. Both numbers are small, so one rounding is all there is.
    fn percent(self) -> f64 {
        f64::from(self.over.saturating_mul(100)) / f64::from(self.under)
    }
}

fn scale_score(scale: &Scale, answers: &Answers) -> (Score, Option<Fraction>) {
    let (mut used, mut left_out, mut sum) = (Vec::new(), Vec::new(), 0_u32);
    for item in scale.items {
        match answers.get(item).cloned().unwrap_or(Err(LeftOutReason::NotInForm)) {
            Ok(answer) => {
                sum += answer.counted_as.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
                used.push(answer);
            }
            Err(why) => left_out.push(LeftOut { question: item.to_string(), why }),
        }
    }
    let fraction = fraction(scale, used.len(), sum);
    let outcome = match fraction {
        Some(fraction) => ScoreOutcome::Value(fraction.percent()),
        None if left_out.iter().all(|one| one.why == LeftOutReason::NotInForm) && used.is_empty() => {
            ScoreOutcome::Missing(ScoreMissing::NotInForm)
        }
        None => ScoreOutcome::Missing(ScoreMissing::TooFewAnswers {
            answered: used.len(),
            needed: scale.items.len().div_ceil(2),
            of: scale.items.len(),
        }),
    };
    let score = Score {
        algorithm: ALGORITHM,
        name: scale.code.to_owned(),
        label: scale.label.to_owned(),
        outcome,
        used,
        left_out,
    };
    (score, fraction)
}

/// The half rule and the transformation. With `n` answers that add up to `sum`, and answers from 1 to
/// `range + 1`, the raw score is `sum / n` and the distance from the lowest answer is
/// `(sum - n) / (n x range)`.
fn fraction(scale: &Scale, answered: usize, sum: u32) -> Option<Fraction> {
    if answered == 0 || answered * 2 < scale.items.len() {
        return None;
    }
    let answered = u32::try_from(answered).ok()?;
    let range = if scale.kind == ScaleKind::Global { 6 } else { 3 };
    let (over, under) = (sum.checked_sub(answered)?, answered * range);
    Some(match scale.kind {
        ScaleKind::Functional => Fraction { over: under.checked_sub(over)?, under },
        ScaleKind::Symptom | ScaleKind::Global => Fraction { over, under },
    })
}

fn summary(made: &[(Score, Option<Fraction>)]) -> Score {
    let (mut used, mut parts, mut over) = (Vec::new(), Vec::new(), 0_u32);
    let mut left_out = Vec::new();
    for (scale, (score, fraction)) in SCALES.iter().zip(made).filter(|(scale, _)| scale.in_summary) {
        used.extend(score.used.iter().cloned());
        left_out.extend(score.left_out.iter().cloned());
        match fraction {
            Some(fraction) => {
                let own = fraction.over * (DENOMINATOR / fraction.under);
                over += if scale.kind == ScaleKind::Symptom { DENOMINATOR.saturating_sub(own) } else { own };
            }
            None => parts.push(scale.code.to_owned()),
        }
    }
    let outcome = if parts.is_empty() {
        ScoreOutcome::Value(Fraction { over, under: DENOMINATOR * SUMMARY_SCALES }.percent())
    } else {
        ScoreOutcome::Missing(ScoreMissing::PartMissing { parts })
    };
    let label = "summary score".to_owned();
    Score { algorithm: ALGORITHM, name: SUMMARY.to_owned(), label, outcome, used, left_out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_of_the_summary_can_be_written_over_the_denominator() {
        for scale in SCALES.iter().filter(|scale| scale.in_summary) {
            for answered in 1..=u32::try_from(scale.items.len()).unwrap() {
                assert_eq!(DENOMINATOR % (answered * 3), 0, "{}", scale.code);
            }
        }
        let in_summary = SCALES.iter().filter(|scale| scale.in_summary).count();
        assert_eq!(u32::try_from(in_summary).unwrap(), SUMMARY_SCALES);
    }
}
