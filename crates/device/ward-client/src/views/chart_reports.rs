//! The answers of a chart as alert rules read them: every finished version of every response, those that
//! a correction replaced among them.

use super::calendar::parse_iso_day;
use super::chart_forms::{ChartForms, FormProblem, ReadAnswers};
use super::local_day::local_day;
use super::missed_times::{MissedTimes, day_end_place, day_place};
use super::schedule::Planning;
use super::scores::{ScoreProblem, Version, note_in, reading_order};
use super::work_item::known_at;
use std::collections::{BTreeMap, BTreeSet};
use ward_forms::alert_rules::{History, Occasion, Report, ReportVersion};
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
    /// What the participant wrote freely.
    pub(super) note: Option<String>,
    /// Why it has no scores, or why they are doubtful.
    pub(super) problem: Option<ScoreProblem>,
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

    /// Its planned time in words.
    pub(super) fn occurrence(&self) -> &str {
        &self.occasion.occurrence
    }
}

/// What a chart reported and missed.
pub(super) struct ChartReports<'a> {
    pub(super) by_entry: BTreeMap<EntryId, ChartReport<'a>>,
    /// The versions of each response, by its first one.
    by_record: BTreeMap<EntryId, Vec<EntryId>>,
    /// What was planned, and missed.
    pub(super) times: MissedTimes,
    /// The size of the membership log under which each entry that planned something was sealed.
    planned_at: BTreeMap<EntryId, Option<u64>>,
    participant: String,
}

/// Reads a chart up to `now`.
pub(super) fn chart_reports<'a>(
    chart: ChartId,
    view: &ChartView<'a>,
    forms: &ChartForms,
    planning: &Planning<'_>,
    now: TimestampMs,
) -> ChartReports<'a> {
    let times = MissedTimes::of(planning, forms, now);
    let orders = known_in_order(view);
    let (mut by_entry, mut by_record) = (BTreeMap::new(), BTreeMap::<EntryId, Vec<EntryId>>::new());
    for thread in view.responses().values().flatten() {
        for report in versions(thread, forms, &times, &orders) {
            by_record.entry(report.record).or_default().push(report.written.id());
            by_entry.insert(report.written.id(), report);
        }
    }
    let instruments = view.instruments().iter().flat_map(|thread| thread.versions());
    let planned_at = instruments.map(|written| (written.id(), written.arrival.sealed_at)).collect();
    ChartReports { by_entry, by_record, times, planned_at, participant: chart.to_string() }
}

/// The order in which entries became known: by their places in the operation log, but never before what they
/// name as seen. So nobody can say of what came late that it was there from the start.
fn known_in_order(view: &ChartView<'_>) -> BTreeMap<EntryId, u64> {
    let mut reached: BTreeMap<EntryId, u64> = BTreeMap::new();
    let mut order = Vec::new();
    // Causes come before effects in the timeline.
    for item in view.timeline() {
        let (id, body) = (item.entry.id(), item.entry.body());
        let causes = item.entry.frame().prev.into_iter().chain(body.amends).chain(body.deps.iter().copied());
        let of_causes = causes.filter_map(|cause| reached.get(&cause).copied()).max();
        let place = item.arrival.olog_index.unwrap_or(u64::MAX).max(of_causes.unwrap_or_default());
        reached.insert(id, place);
        order.push((place, body.lamport, id));
    }
    order.sort_unstable();
    order.into_iter().zip(1..).map(|((.., id), place)| (id, place)).collect()
}

impl ChartReports<'_> {
    /// The versions that hold and whose scores are missing or doubtful, in the order of what they are about.
    pub(super) fn doubtful(&self) -> Vec<&ChartReport<'_>> {
        let holding = self.by_entry.values().filter(|report| report.holds());
        let mut doubtful: Vec<_> = holding.filter(|report| report.problem.is_some()).collect();
        doubtful.sort_by_key(|report| reading_order(&report.written));
        doubtful
    }

    /// The versions of a response that hold.
    pub(super) fn holding_of(&self, record: EntryId) -> impl Iterator<Item = &ChartReport<'_>> {
        let versions = self.by_record.get(&record).into_iter().flatten();
        versions.filter_map(|entry| self.by_entry.get(entry)).filter(|report| report.holds())
    }

    /// Whether a row of missed times, which begins at a planned time, came up after a set of rules that stands
    /// at this place of the membership log was known: the row was planned by an entry that was sealed after
    /// that, or an answer to an earlier time, given in its time, was. Clocks of the site and of the server
    /// take no part.
    pub(super) fn row_follows(&self, instrument: &str, since: &str, place: u64) -> bool {
        let follows = |sealed_at: Option<u64>| sealed_at.is_some_and(|size| size > place);
        let Some(first) = self.times.get(instrument, since) else { return false };
        if follows(self.planned_at.get(&first.entry).copied().flatten()) {
            return true;
        }
        let answered: BTreeSet<&str> = self.times.answered_in_time(instrument, first.place_ms).collect();
        // The first version: a correction may come at any time.
        self.by_entry.iter().any(|(id, report)| {
            *id == report.record
                && report.occasion.instrument == instrument
                && answered.contains(report.occurrence())
                && follows(report.written.arrival.sealed_at)
        })
    }

    /// What holds: what people see now.
    pub(super) fn holding(&self) -> History {
        self.history(|report| report.holds())
    }

    /// What holds or once held: what people were told before corrections. Nothing where that is the same.
    pub(super) fn ever(&self) -> Option<History> {
        let is_all = self.by_entry.values().all(ChartReport::holds);
        (!is_all).then(|| self.history(|_| true))
    }

    fn history(&self, takes: impl Fn(&ChartReport<'_>) -> bool) -> History {
        let taken = self.by_entry.values().filter(|report| takes(report));
        let reports = taken.map(|report| Report {
            occasion: report.occasion.clone(),
            versions: vec![report.reading.clone()],
            // What the planned times themselves say counts, not the names that answers bear.
            ends_rows: false,
        });
        History {
            participant: self.participant.clone(),
            reports: reports.chain(self.times.answered()).collect(),
            missed: self.times.missed(),
        }
    }
}

fn versions<'a>(
    thread: &Thread<'a, Response>,
    forms: &ChartForms,
    times: &MissedTimes,
    orders: &BTreeMap<EntryId, u64>,
) -> Vec<ChartReport<'a>> {
    let Some(first) = thread.first().copied() else { return Vec::new() };
    let holds = if thread.is_conflict() { Version::OneOfSeveral } else { Version::Current };
    let gone = if thread.is_voided() { Version::Voided } else { Version::Replaced };
    let current = thread.values().into_iter().map(|written| (*written, holds));
    let past = thread.past.iter().map(|written| (*written, gone));
    past.chain(current)
        .filter(|(written, _)| written.value.status() != ResponseStatus::Draft)
        .map(|(written, version)| {
            let occasion = occasion(&written, &first, forms, times);
            let Read { reading, note, problem } = read(&written, forms);
            let reading = reading.known_as(orders.get(&written.id()).copied().unwrap_or(u64::MAX));
            ChartReport { record: first.id(), version, occasion, reading, note, problem, written }
        })
        .collect()
}

/// What a report is about. A correction is about what the first version was about, whenever it comes.
fn occasion(
    written: &Written<'_, Response>,
    first: &Written<'_, Response>,
    forms: &ChartForms,
    times: &MissedTimes,
) -> Occasion {
    let instrument = forms.name_of(written.value).0.to_owned();
    let occurrence = written.value.occurrence().to_string();
    let planned = times.get(&instrument, &occurrence).map(|time| time.place_ms);
    let named = || parse_iso_day(&occurrence).map(day_place);
    let written_on = || day_end_place(local_day(&first.entry.body().zone, first.captured_at()));
    Occasion {
        planned_at_ms: planned.or_else(named).unwrap_or_else(written_on),
        at_ms: known_at(written).0,
        title: forms.title(&instrument).to_owned(),
        occurrence,
        instrument,
    }
}

/// What one version says.
struct Read {
    reading: ReportVersion,
    note: Option<String>,
    problem: Option<ScoreProblem>,
}

fn read(written: &Written<'_, Response>, forms: &ChartForms) -> Read {
    let id = written.id().to_string();
    let Ok(ReadAnswers { answers, given_twice }) = forms.read(written.value) else {
        let reading = ReportVersion::unreadable(&id, "they cannot be read");
        return Read { reading, note: None, problem: Some(ScoreProblem::Answers) };
    };
    let form = forms.form_of(written.value);
    let reading = match form {
        Ok(form) => ReportVersion::read(&id, form, &answers, None),
        Err(FormProblem::Missing) => {
            ReportVersion::without_form(&id, &answers, "their questionnaire is not in the chart")
        }
        Err(FormProblem::Unreadable) => {
            ReportVersion::without_form(&id, &answers, "their questionnaire cannot be read")
        }
    };
    Read { reading, note: note_in(&answers), problem: ScoreProblem::of(form, given_twice) }
}
