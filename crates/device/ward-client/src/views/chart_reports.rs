//! The answers of a chart as alert rules read them: every finished version of every response, those that
//! a correction replaced among them.

use super::adherence::{InstrumentAdherence, adherence_to};
use super::calendar::{DAY_MS, parse_iso_day};
use super::chart_forms::{ChartForms, FormProblem};
use super::schedule::Planning;
use super::scores::{Version, gather};
use super::work_item::known_at;
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::alert_rules::{Alert, History, Occasion, Report, ReportVersion};
use ward_forms::{AnswerValue, QuestionnaireResponse};
use ward_id::{ChartId, EntryId, TimestampMs};
use ward_sync::{ChartView, Response, ResponseStatus, Thread, Written};

/// One finished version of a response.
pub(super) struct ChartReport<'a> {
    pub(super) written: Written<'a, Response>,
    /// The first version of the same response.
    pub(super) record: EntryId,
    pub(super) version: Version,
    occasion: Occasion,
    reading: ReportVersion,
    answers: Option<QuestionnaireResponse>,
}

impl ChartReport<'_> {
    /// Whether this version holds, alone or beside others.
    pub(super) fn holds(&self) -> bool {
        matches!(self.version, Version::Current | Version::OneOfSeveral)
    }

    /// The grade of a symptom.
    pub(super) fn grade(&self, symptom: &str) -> Option<u8> {
        self.reading.grade(symptom)
    }

    /// When it became known.
    pub(super) fn since(&self) -> TimestampMs {
        TimestampMs(self.occasion.at_ms)
    }

    /// By what the answers are about, then by cause and effect: the same on every device.
    pub(super) fn order(&self) -> (i64, u64) {
        (self.occasion.planned_at_ms, self.written.order().0)
    }

    /// The answers to a question, wherever it stands.
    pub(super) fn answers(&self, link_id: &str) -> impl Iterator<Item = &AnswerValue> {
        let mut found = Vec::new();
        for item in self.answers.iter().flat_map(QuestionnaireResponse::items) {
            gather(item, link_id, &mut found);
        }
        found.into_iter()
    }

    /// Its planned time in words.
    pub(super) fn occurrence(&self) -> &str {
        &self.occasion.occurrence
    }
}

/// What a chart reported and missed.
pub(super) struct ChartReports<'a> {
    pub(super) by_entry: BTreeMap<EntryId, ChartReport<'a>>,
    /// Missed planned times.
    missed: Vec<Occasion>,
    /// The newest entry that planned each questionnaire.
    pub(super) planned_by: BTreeMap<String, EntryId>,
    /// Questionnaires whose schedule says after how many missed times the site is told.
    pub(super) own_limits: BTreeSet<String>,
    /// Rows that are as long as their schedule lets pass before the site is told.
    pub(super) escalated: Vec<Escalated>,
    participant: String,
}

/// A row of missed times of which the schedule itself says that the site is told.
pub(super) struct Escalated {
    pub(super) instrument: String,
    /// The first missed time.
    pub(super) since: String,
    pub(super) missed_at: TimestampMs,
    pub(super) entry: EntryId,
    pub(super) reason: String,
}

impl Escalated {
    fn of(instrument: InstrumentAdherence) -> Option<Self> {
        let missed = instrument.missed_in_a_row;
        let first = instrument.missed_since?;
        instrument.escalate_after_missed.filter(|limit| missed >= *limit)?;
        let times = if missed == 1 { "once".to_owned() } else { format!("{missed} times in a row") };
        Some(Self {
            reason: format!("“{}” missed {times}, since {}", instrument.title, first.occurrence),
            instrument: instrument.instrument_url,
            since: first.occurrence,
            missed_at: first.missed_at,
            entry: instrument.entry,
        })
    }
}

/// Reads a chart up to `now`.
pub(super) fn chart_reports<'a>(
    chart: ChartId,
    view: &ChartView<'a>,
    forms: &ChartForms,
    now: TimestampMs,
) -> ChartReports<'a> {
    let mut by_entry = BTreeMap::new();
    for thread in view.responses().values().flatten() {
        for report in versions(thread, forms) {
            by_entry.insert(report.written.id(), report);
        }
    }
    let (mut missed, mut planned_by) = (Vec::new(), BTreeMap::new());
    let planning = Planning::of(view);
    for time in planning.missed(forms, now) {
        missed.push(Occasion {
            planned_at_ms: time.planned_at.0,
            at_ms: time.missed_at.0,
            occurrence: time.occurrence,
            instrument: time.instrument_url,
            title: time.title,
        });
    }
    for planned in &planning.instruments {
        planned_by.extend(planned.newest_entry().map(|entry| (planned.url.to_owned(), entry)));
    }
    let adherence = adherence_to(&planning, forms, now);
    let has_limit = |one: &&InstrumentAdherence| one.escalate_after_missed.is_some();
    let own_limits = adherence.iter().filter(has_limit).map(|one| one.instrument_url.clone()).collect();
    let escalated = adherence.into_iter().filter_map(Escalated::of).collect();
    ChartReports { by_entry, missed, planned_by, own_limits, escalated, participant: chart.to_string() }
}

impl ChartReports<'_> {
    /// Whether the questionnaire of a row of missed times was answered after the row began.
    pub(super) fn answered_after(&self, alert: &Alert) -> bool {
        let of_row = |one: &&Occasion| {
            one.instrument == alert.key.instrument && one.occurrence == alert.key.occurrence
        };
        let Some(reached) = self.missed.iter().find(of_row) else { return false };
        self.by_entry.values().any(|report| {
            report.holds()
                && report.occasion.instrument == alert.key.instrument
                && report.occasion.planned_at_ms > reached.planned_at_ms
        })
    }

    /// What holds: what people see now.
    pub(super) fn holding(&self) -> History {
        self.history(|report| report.holds())
    }

    /// What holds or once held: what people were told before corrections.
    pub(super) fn ever(&self) -> History {
        self.history(|_| true)
    }

    fn history(&self, takes: impl Fn(&ChartReport<'_>) -> bool) -> History {
        let taken = self.by_entry.values().filter(|report| takes(report));
        let reports = taken.map(|report| Report {
            occasion: report.occasion.clone(),
            versions: vec![report.reading.clone()],
        });
        History {
            participant: self.participant.clone(),
            reports: reports.collect(),
            missed: self.missed.clone(),
        }
    }
}

fn versions<'a>(thread: &Thread<'a, Response>, forms: &ChartForms) -> Vec<ChartReport<'a>> {
    let Some(record) = thread.first().map(Written::id) else { return Vec::new() };
    let holds = if thread.is_conflict() { Version::OneOfSeveral } else { Version::Current };
    let gone = if thread.is_voided() { Version::Voided } else { Version::Replaced };
    let current = thread.values().into_iter().map(|written| (*written, holds));
    let past = thread.past.iter().map(|written| (*written, gone));
    past.chain(current)
        .filter(|(written, _)| written.value.status() != ResponseStatus::Draft)
        .map(|(written, version)| report(written, record, version, forms))
        .collect()
}

fn report<'a>(
    written: Written<'a, Response>,
    record: EntryId,
    version: Version,
    forms: &ChartForms,
) -> ChartReport<'a> {
    let instrument = forms.name_of(written.value).0.to_owned();
    let occurrence = written.value.occurrence().to_string();
    let planned = parse_iso_day(&occurrence).map(|day| day.saturating_mul(DAY_MS));
    let occasion = Occasion {
        planned_at_ms: planned.unwrap_or_else(|| written.captured_at().0),
        at_ms: known_at(&written).0,
        title: forms.title(&instrument).to_owned(),
        occurrence,
        instrument,
    };
    let (reading, answers) = reading(&written, forms);
    ChartReport { record, version, occasion, reading, answers, written }
}

fn reading(
    written: &Written<'_, Response>,
    forms: &ChartForms,
) -> (ReportVersion, Option<QuestionnaireResponse>) {
    let id = written.id().to_string();
    let Ok(answers) = forms.answers_of(written.value) else {
        return (ReportVersion::unreadable(&id, "they cannot be read"), None);
    };
    let reading = match forms.form_of(written.value) {
        Ok(form) => ReportVersion::read(&id, form, &answers, None),
        Err(FormProblem::Missing) => {
            ReportVersion::without_form(&id, &answers, "their questionnaire is not in the chart")
        }
        Err(FormProblem::Unreadable) => {
            ReportVersion::without_form(&id, &answers, "their questionnaire cannot be read")
        }
    };
    (reading, Some(answers))
}
