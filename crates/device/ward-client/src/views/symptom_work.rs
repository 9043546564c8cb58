//! Work that answers raise: a wish to be called, severe symptoms, symptoms that got worse, symptoms
//! of which a part was not answered, and answers that cannot be scored.
//!
//! A symptom is severe by its composite grade and also by any one attribute that is known: whoever
//! refuses one question of three and gives the worst answer to another must not fall through.

use super::chart_forms::FormProblem;
use super::scores::{ChartScores, ScoreProblem, ScoredResponse, Version};
use super::wording::counted;
use super::work_item::{Desk, Raised, Urgency, known_at, slug};
use std::collections::BTreeMap;
use ward_forms::SymptomScore;
use ward_forms::pro_ctcae::{AttributeScore, MissingReason};
use ward_id::EntryId;

/// The composite grade from which a symptom is severe.
const SEVERE_GRADE: u8 = 3;
/// The score of one attribute (0 to 4) from which a symptom is severe, whatever its grade is.
const SEVERE_SCORE: u8 = 3;
/// Grades above the start from which a symptom counts as clearly worse.
const WORSE_GRADES: u8 = 2;

/// One report of a symptom or a wish.
struct Report {
    occurrence: String,
    /// What a later correction made of it, where it does not hold any more.
    corrected: Option<String>,
    words: Option<String>,
    /// Whether the grade alone makes it severe.
    by_grade: bool,
    /// The attributes that make it severe or are missing, in words.
    attributes: String,
}

/// All work that the answers of a chart raise.
pub(super) fn symptom_work(desk: &mut Desk<'_>, scores: &ChartScores<'_>) {
    call_work(desk, scores);
    for series in &scores.series {
        let (url, symptom) = (series.instrument_url.as_str(), series.symptom.as_str());
        let label = lower_first(&series.label);
        let severe = reports(scores, url, symptom, is_severe);
        let up = match series.baseline {
            Some(start) if start < SEVERE_GRADE => format!(", up from {start} at the start"),
            _ => String::new(),
        };
        desk.recurring(Urgency::Severe, &format!("severe-{}", slug(symptom)), severe, |raised| {
            severe_reason(&label, &up, raised)
        });
        to_ask(desk, scores, url, symptom, &label);
        let Some(start) = series.baseline else { continue };
        let worst = start.saturating_add(WORSE_GRADES);
        let got_worse =
            |score: &SymptomScore| score.grade.is_some_and(|grade| grade >= worst) && !is_severe(score);
        let worse = reports(scores, url, symptom, got_worse);
        desk.recurring(Urgency::Worsening, &format!("worse-{}", slug(symptom)), worse, |raised| {
            format!("{label} got worse: grade {worst}, up from {start} at the start{}", times(raised))
        });
    }
    severe_once(desk, scores);
    unscored_work(desk, scores);
}

fn is_severe(score: &SymptomScore) -> bool {
    is_severe_by_grade(score) || score.attributes.iter().any(is_severe_attribute)
}

fn is_severe_by_grade(score: &SymptomScore) -> bool {
    score.grade.is_some_and(|grade| grade >= SEVERE_GRADE)
}

fn is_severe_attribute(attribute: &AttributeScore) -> bool {
    attribute.score.is_some_and(|score| score >= SEVERE_SCORE)
}

/// Asked, and the person gave no answer that has a score. What the form did not ask is not missing.
fn was_refused(attribute: &AttributeScore) -> bool {
    matches!(attribute.missing, Some(MissingReason::NotAnswered | MissingReason::NoScore))
}

/// `severity 4, interference not answered`: what is severe, and what is not known beside it.
fn severe_and_missing(score: &SymptomScore) -> String {
    let said = |attribute: &AttributeScore| match attribute.score {
        Some(score) if is_severe_attribute(attribute) => {
            Some(format!("{} {score}", attribute.attribute.code()))
        }
        None if was_refused(attribute) => Some(format!("{} not answered", attribute.attribute.code())),
        _ => None,
    };
    score.attributes.iter().filter_map(said).collect::<Vec<_>>().join(", ")
}

fn severe_reason(label: &str, up: &str, raised: &[Raised<Report>]) -> String {
    if raised.iter().any(|one| one.detail.by_grade) {
        return format!("severe {label} (grade {SEVERE_GRADE}){up}{}", times(raised));
    }
    let attributes = raised.last().map(|one| one.detail.attributes.as_str()).unwrap_or_default();
    format!("severe {label} ({attributes}){}", times(raised))
}

/// A part of a symptom was refused while another part is not zero: what is missing may be the worst
/// of it. Where the known part is severe, that item says what is missing.
fn to_ask(desk: &mut Desk<'_>, scores: &ChartScores<'_>, url: &str, symptom: &str, label: &str) {
    let has_gap = |score: &SymptomScore| {
        score.grade.is_none()
            && !is_severe(score)
            && score.attributes.iter().any(was_refused)
            && score.attributes.iter().any(|attribute| attribute.score.is_some_and(|score| score > 0))
    };
    let mut gaps = reports(scores, url, symptom, has_gap);
    gaps.retain(|gap| gap.detail.corrected.is_none());
    desk.recurring(Urgency::ToAsk, &format!("ask-{}", slug(symptom)), gaps, |raised| {
        let missing = raised.last().map(|one| one.detail.attributes.as_str()).unwrap_or_default();
        format!("ask about {label}: {missing}, so there is no grade{}", times(raised))
    });
}

/// Severe reports that no holding version of any response repeats: such a symptom has no series.
fn severe_once(desk: &mut Desk<'_>, scores: &ChartScores<'_>) {
    let mut without_series: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for response in scores.responses.iter().filter(|response| !response.holds()) {
        let url = response.instrument_url.as_str();
        for score in response.symptoms.iter().filter(|score| scores.series_of(url, &score.symptom).is_none())
        {
            without_series.insert((url, &score.symptom), &score.label);
        }
    }
    for ((url, symptom), label) in without_series {
        let severe = reports(scores, url, symptom, is_severe);
        let label = lower_first(label);
        desk.recurring(Urgency::Severe, &format!("severe-{}", slug(symptom)), severe, |raised| {
            severe_reason(&label, "", raised)
        });
    }
}

fn call_work(desk: &mut Desk<'_>, scores: &ChartScores<'_>) {
    let still =
        |record: EntryId| scores.responses.iter().any(|r| r.record == record && r.holds() && r.call_me);
    let asking = scores.responses.iter().filter(|response| response.call_me);
    let raised =
        asking.filter(|response| response.holds() || !still(response.record)).map(|response| Raised {
            entry: response.written.id(),
            since: known_at(&response.written),
            detail: Report {
                occurrence: response.written.value.occurrence().to_string(),
                corrected: match response.version {
                    Version::Current | Version::OneOfSeveral => None,
                    Version::Replaced => Some("taken back in a correction".to_owned()),
                    Version::Voided => Some("declared void".to_owned()),
                },
                words: response.note.clone(),
                by_grade: false,
                attributes: String::new(),
            },
        });
    let raised = raised.collect();
    desk.recurring(Urgency::PatientUrgent, "call", raised, |raised: &[Raised<Report>]| {
        let words = raised.iter().rev().find_map(|one| one.detail.words.as_deref());
        let words = words.map(|words| format!("; wrote: “{words}”")).unwrap_or_default();
        format!("asks to be called{}{words}", times(raised))
    });
}

/// The reports of a symptom that fit. A version that a correction replaced counts as long as no
/// holding version of the same response fits: what was reported once and then lowered is still
/// looked at by a person.
fn reports(
    scores: &ChartScores<'_>,
    url: &str,
    symptom: &str,
    fits: impl Fn(&SymptomScore) -> bool,
) -> Vec<Raised<Report>> {
    let fitting =
        |response: &ScoredResponse<'_>| score_of(response, symptom).filter(|score| fits(score)).cloned();
    let holding = |record: EntryId| scores.responses.iter().filter(move |r| r.record == record && r.holds());
    scores
        .responses
        .iter()
        .filter(|response| response.instrument_url == url)
        .filter_map(|response| Some((response, fitting(response)?)))
        .filter(|(response, _)| {
            response.holds() || !holding(response.record).any(|held| fitting(held).is_some())
        })
        .map(|(response, score)| {
            let corrected = match response.version {
                Version::Current | Version::OneOfSeveral => None,
                Version::Voided => Some("declared void".to_owned()),
                Version::Replaced => {
                    Some(match holding(response.record).find_map(|held| held.grade(symptom)) {
                        Some(grade) => format!("corrected to grade {grade}"),
                        None => "corrected to no grade".to_owned(),
                    })
                }
            };
            Raised {
                entry: response.written.id(),
                since: known_at(&response.written),
                detail: Report {
                    occurrence: response.written.value.occurrence().to_string(),
                    corrected,
                    words: None,
                    by_grade: is_severe_by_grade(&score),
                    attributes: severe_and_missing(&score),
                },
            }
        })
        .collect()
}

fn score_of<'r>(response: &'r ScoredResponse<'_>, symptom: &str) -> Option<&'r SymptomScore> {
    response.symptoms.iter().find(|score| score.symptom == symptom)
}

/// `, on 2026-03-01`, or `, 3 times since 2026-03-01`; and what corrections made of it.
fn times(raised: &[Raised<Report>]) -> String {
    let Some(first) = raised.first() else { return String::new() };
    let mut out = match raised.len() {
        1 => format!(", on {}", first.detail.occurrence),
        count => format!(", {count} times since {}", first.detail.occurrence),
    };
    let corrected: Vec<&str> = raised.iter().filter_map(|one| one.detail.corrected.as_deref()).collect();
    match corrected.as_slice() {
        [] => {}
        [only] if raised.len() == 1 => out.push_str(&format!("; later {only}")),
        some => out.push_str(&format!("; {} of them later corrected", some.len())),
    }
    out
}

/// Answers without scores may hide a severe symptom: somebody must look.
fn unscored_work(desk: &mut Desk<'_>, scores: &ChartScores<'_>) {
    let problems = [
        (
            ScoreProblem::Form(FormProblem::Missing),
            "unscored-form-missing",
            "their questionnaire is not in the chart",
        ),
        (ScoreProblem::Form(FormProblem::Unreadable), "unscored-form", "their questionnaire cannot be read"),
        (ScoreProblem::Answers, "unscored-answers", "they cannot be read"),
    ];
    for (problem, matter, why) in problems {
        let of_problem =
            scores.responses.iter().filter(|response| response.problem == Some(problem) && response.holds());
        let raised = of_problem.map(|response| Raised {
            entry: response.written.id(),
            since: known_at(&response.written),
            detail: (),
        });
        let raised = raised.collect();
        desk.recurring(Urgency::Unusable, matter, raised, |raised| {
            let what = counted(raised.len(), "set of answers has", "sets of answers have");
            format!("{what} no scores: {why}")
        });
    }
}

/// A label within a sentence; an abbreviation keeps its capitals.
fn lower_first(label: &str) -> String {
    let mut letters = label.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => label.to_owned(),
    }
}
