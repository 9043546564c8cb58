//! Scores of the answers in a chart: every symptom as a series over time, with where it began and
//! how bad it got.

use super::calendar::parse_iso_day;
use super::chart_forms::{ChartForms, FormProblem, ReadAnswers};
use serde::Serialize;
use std::collections::BTreeMap;
use ward_forms::{
    Answer, AnswerValue, Questionnaire, QuestionnaireResponse, ResponseItem, SymptomScore, score_symptoms,
};
use ward_id::{EntryId, TimestampMs};
use ward_sync::{ChartView, Response, ResponseStatus, Thread, Written};

/// The linkId of the question in which a participant writes freely.
pub const NOTE_LINK_ID: &str = "note";
/// The linkId of the yes-or-no question with which a participant asks to be called.
pub const CALL_ME_LINK_ID: &str = "call-me";

/// Whether a version of a response holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// It holds.
    Current,
    /// Several corrections hold at once; nobody has chosen.
    OneOfSeveral,
    /// A correction replaced it.
    Replaced,
    /// Its record was declared void.
    Voided,
}

/// Why a response has no scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScoreProblem {
    /// Its questionnaire cannot be used.
    Form(FormProblem),
    /// The answers themselves cannot be read.
    Answers,
    /// The answers give a field twice. The later one was read and scored; a person must look at both.
    GivenTwice,
}

impl ScoreProblem {
    /// What is wrong with answers that can be read.
    pub(super) fn of(form: Result<&Questionnaire, FormProblem>, given_twice: bool) -> Option<Self> {
        form.err().map(Self::Form).or(given_twice.then_some(Self::GivenTwice))
    }
}

/// One finished version of a response.
#[derive(Debug, Clone)]
pub struct ScoredResponse<'a> {
    /// The entry.
    pub written: Written<'a, Response>,
    /// The address of the questionnaire.
    pub instrument_url: String,
    /// The first version of the same response.
    pub record: EntryId,
    /// Whether this version holds.
    pub version: Version,
    /// The symptoms, in reading order; empty where there are no scores.
    pub symptoms: Vec<SymptomScore>,
    /// What the participant wrote freely.
    pub note: Option<String>,
    /// Whether the participant asks to be called. Read even where the questionnaire is missing.
    pub call_me: bool,
    /// Why there are no scores, or why they are doubtful.
    pub problem: Option<ScoreProblem>,
}

impl ScoredResponse<'_> {
    /// Whether this version holds, alone or beside others.
    pub fn holds(&self) -> bool {
        matches!(self.version, Version::Current | Version::OneOfSeveral)
    }

    /// The grade of a symptom.
    pub fn grade(&self, symptom: &str) -> Option<u8> {
        self.symptoms.iter().find(|score| score.symptom == symptom)?.grade
    }

    fn order(&self) -> (i64, u64, EntryId) {
        reading_order(&self.written)
    }
}

/// By what answers are about, then by cause and effect: the same on every device. A late answer takes its
/// planned place and does not pass for the newest state.
pub(super) fn reading_order(written: &Written<'_, Response>) -> (i64, u64, EntryId) {
    let day = parse_iso_day(written.value.occurrence().as_str());
    let (lamport, id) = written.order();
    (day.unwrap_or_else(|| written.captured_at().utc_day()), lamport, id)
}

/// A symptom at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SymptomPoint {
    /// The response.
    pub entry: EntryId,
    /// The planned time that it answers.
    pub occurrence: String,
    /// When it was answered, by the author's clock.
    pub captured_at: TimestampMs,
    /// The attributes and the composite grade.
    pub score: SymptomScore,
}

/// A symptom over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SymptomSeries {
    /// The questionnaire that asks.
    pub instrument_url: String,
    /// The symptom, by the questionnaire's own name.
    pub symptom: String,
    /// Its name for people.
    pub label: String,
    /// The responses that hold, oldest first.
    pub points: Vec<SymptomPoint>,
    /// The grade in the first response that has one; where several corrections of that response hold,
    /// the lowest, so that no worsening is missed.
    pub baseline: Option<u8>,
    /// The highest grade.
    pub worst: Option<u8>,
    /// Whether nothing of it stands beside something that contradicts it. Otherwise nobody has chosen
    /// yet, and what follows from the series is not known for sure.
    pub settled: bool,
}

/// The scores of a chart.
#[derive(Debug, Clone)]
pub struct ChartScores<'a> {
    /// All finished versions of all responses, replaced ones among them, oldest first.
    pub responses: Vec<ScoredResponse<'a>>,
    /// A series for each symptom of each questionnaire, by address and symptom. Only versions that
    /// hold are in it.
    pub series: Vec<SymptomSeries>,
}

impl ChartScores<'_> {
    /// The series of a symptom.
    pub fn series_of(&self, instrument_url: &str, symptom: &str) -> Option<&SymptomSeries> {
        self.series.iter().find(|series| series.instrument_url == instrument_url && series.symptom == symptom)
    }
}

/// Scores all finished responses of a chart. Drafts are left out.
pub fn scores<'a>(view: &ChartView<'a>, forms: &ChartForms) -> ChartScores<'a> {
    let mut responses: Vec<ScoredResponse<'a>> =
        view.responses().values().flatten().flat_map(|thread| versions(thread, forms)).collect();
    responses.sort_by_key(ScoredResponse::order);
    let series = series(&responses);
    ChartScores { responses, series }
}

fn versions<'a>(thread: &Thread<'a, Response>, forms: &ChartForms) -> Vec<ScoredResponse<'a>> {
    let Some(record) = thread.first().map(Written::id) else { return Vec::new() };
    let holds = if thread.is_conflict() { Version::OneOfSeveral } else { Version::Current };
    let gone = if thread.is_voided() { Version::Voided } else { Version::Replaced };
    let current = thread.values().into_iter().map(|written| (written, holds));
    let past = thread.past.iter().map(|written| (written, gone));
    past.chain(current)
        .filter(|(written, _)| written.value.status() != ResponseStatus::Draft)
        .map(|(written, version)| scored(*written, record, version, forms))
        .collect()
}

fn scored<'a>(
    written: Written<'a, Response>,
    record: EntryId,
    version: Version,
    forms: &ChartForms,
) -> ScoredResponse<'a> {
    let value = written.value;
    let mut out = ScoredResponse {
        written,
        instrument_url: forms.name_of(value).0.to_owned(),
        record,
        version,
        symptoms: Vec::new(),
        note: None,
        call_me: false,
        problem: None,
    };
    let Ok(ReadAnswers { answers, given_twice }) = forms.read(value) else {
        out.problem = Some(ScoreProblem::Answers);
        return out;
    };
    out.call_me =
        answers_to(&answers, CALL_ME_LINK_ID).into_iter().any(|value| *value == AnswerValue::Boolean(true));
    out.note = note_in(&answers);
    let form = forms.form_of(value);
    out.problem = ScoreProblem::of(form, given_twice);
    if let Ok(form) = form {
        out.symptoms = score_symptoms(form, &answers);
    }
    out
}

/// What the participant wrote freely.
pub(super) fn note_in(answers: &QuestionnaireResponse) -> Option<String> {
    answers_to(answers, NOTE_LINK_ID).into_iter().find_map(|value| match value {
        AnswerValue::String(text) => Some(text.clone()),
        _ => None,
    })
}

/// The answers to a question, wherever it stands.
fn answers_to<'r>(answers: &'r QuestionnaireResponse, link_id: &str) -> Vec<&'r AnswerValue> {
    let mut found = Vec::new();
    answers.items().iter().for_each(|item| gather(item, link_id, &mut found));
    found
}

fn gather<'r>(item: &'r ResponseItem, link_id: &str, found: &mut Vec<&'r AnswerValue>) {
    if item.link_id() == link_id {
        found.extend(item.answers().iter().filter_map(Answer::value));
    }
    let nested = item.answers().iter().flat_map(Answer::items);
    item.items().iter().chain(nested).for_each(|inner| gather(inner, link_id, found));
}

fn series(responses: &[ScoredResponse<'_>]) -> Vec<SymptomSeries> {
    let mut by_symptom: BTreeMap<(&str, &str), SymptomSeries> = BTreeMap::new();
    let mut first_graded: BTreeMap<(&str, &str), EntryId> = BTreeMap::new();
    for response in responses.iter().filter(|response| response.holds()) {
        let value = response.written.value;
        for score in &response.symptoms {
            let series = by_symptom.entry((&response.instrument_url, &score.symptom)).or_insert_with(|| {
                SymptomSeries {
                    instrument_url: response.instrument_url.clone(),
                    symptom: score.symptom.clone(),
                    label: String::new(),
                    points: Vec::new(),
                    baseline: None,
                    worst: None,
                    settled: true,
                }
            });
            if let Some(grade) = score.grade {
                let key = (response.instrument_url.as_str(), score.symptom.as_str());
                if *first_graded.entry(key).or_insert(response.record) == response.record {
                    series.baseline = Some(series.baseline.map_or(grade, |known| known.min(grade)));
                }
            }
            series.settled &= response.version == Version::Current;
            series.label.clone_from(&score.label);
            series.worst = series.worst.max(score.grade);
            series.points.push(SymptomPoint {
                entry: response.written.id(),
                occurrence: value.occurrence().to_string(),
                captured_at: response.written.captured_at(),
                score: score.clone(),
            });
        }
    }
    by_symptom.into_values().collect()
}
