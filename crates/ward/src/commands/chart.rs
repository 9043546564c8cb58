//! `ward chart`: the charts of this device, or one of them.

use crate::cli::ChartArgs;
use crate::commands::resolve::conflict_json;
use crate::commands::{set, text};
use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::planned_words::planned_words;
use crate::print::{Out, day, instant};
use crate::shown_plan;
use serde_json::{Value, json};
use ward_client::native::NativeClient;
use ward_client::views::{
    AdherenceCounts, ChartForms, FormProblem, InstrumentAdherence, ScoreProblem, ShownConflict, adherence,
    open_conflicts, scores, shared_texts,
};
use ward_client::{AttachmentView, Environment as _};
use ward_forms::SymptomScore;
use ward_forms::pro_ctcae::{AttributeScore, MissingReason};
use ward_id::{ChartId, EntryId, TimestampMs};
use ward_sync::{Accounting, ChartView, DoseOutcome, EntryKind, Thread, Void, Written};

/// Shows a chart, or lists them.
///
/// # Errors
/// When the device cannot be unlocked or does not read the chart.
pub async fn run(args: ChartArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let Some(chart) = args.chart else {
        list(&client, out);
        return Ok(());
    };
    let now = client.environment().wall();
    show(&client, chart, now, out)?;
    let view = client.chart(chart).map_err(from_client)?;
    let plan = view.medication_plan().values().flat_map(Thread::current_ids);
    let texts = shared_texts(&view);
    let versions = texts.iter().flat_map(|text| text.version.iter().copied());
    let open = view.conflicts().into_iter().flat_map(|conflict| conflict.candidates);
    let shown = plan.chain(open).chain(versions).collect();
    drop(view);
    shown_plan::note(home, chart, shown)?;
    client.note_access(chart, ward_sync::AccessPurpose::Care).await.map_err(from_client)
}

fn list(client: &NativeClient, out: &Out) {
    let charts = client.charts();
    let rows: Vec<Vec<String>> = charts
        .iter()
        .map(|chart| {
            let mut remarks = Vec::new();
            if chart.conflicts > 0 {
                remarks.push(format!("{} conflicts", chart.conflicts));
            }
            if chart.incomplete {
                remarks.push("incomplete".to_owned());
            }
            if !chart.member {
                remarks.push("not a member now".to_owned());
            }
            vec![
                chart.chart.to_string(),
                chart.name.clone().unwrap_or_default(),
                chart.entries.to_string(),
                chart.unsent.to_string(),
                remarks.join(", "),
            ]
        })
        .collect();
    out.table(&["chart", "name", "entries", "unsent", ""], &rows);
    out.document(&json!(charts
        .iter()
        .map(|chart| json!({"chart": chart.chart, "name": chart.name, "entries": chart.entries, "unsent": chart.unsent,
            "conflicts": chart.conflicts, "incomplete": chart.incomplete, "member": chart.member,
            "participant": chart.participant, "team": chart.team}))
        .collect::<Vec<_>>()));
}

fn show(client: &NativeClient, chart: ChartId, now: TimestampMs, out: &Out) -> Done {
    let view = client.chart(chart).map_err(from_client)?;
    profile(&view, out);
    let responses = responses(&view);
    out.heading("Answers");
    for response in &responses {
        out.line(response.text());
    }
    let planned = adherence(&view, now);
    adherence_lines(&planned, out);
    plan(&view, out);
    rest(&view, out);
    let texts = text::section(&view, out);
    set::lines(&view, out);
    attachments(&client.attachments(chart).map_err(from_client)?, out);
    let open = open_conflicts(&view);
    conflicts(&open, out);
    let accounting = view.accounting();
    out.heading("Entries");
    out.line(accounting_text(&accounting));
    out.document(&json!({
        "chart": chart,
        "profile": view.profile().iter().map(|(field, thread)| json!({"field": field, "values": values(thread, |value| json!(value.value))})).collect::<Vec<_>>(),
        "responses": responses.iter().map(Shown::json).collect::<Vec<_>>(),
        "adherence": planned,
        "medication_plan": view.medication_plan().iter().map(|((medication, field), thread)| json!({
            "medication": medication.as_str(), "field": field, "conflict": thread.is_conflict(),
            "values": values(thread, |value| json!({"value": value.value, "unit": value.unit})),
        })).collect::<Vec<_>>(),
        "doses": view.doses().iter().flat_map(|thread| &thread.current).map(|dose| json!({
            "medication": dose.value.medication.as_str(), "at": instant(dose.value.at),
            "taken": dose.value.outcome == DoseOutcome::Taken})).collect::<Vec<_>>(),
        "conflicts": open.iter().map(conflict_json).collect::<Vec<_>>(),
        "voided": voided_json(&view),
        "sets": view.sets().iter().map(|(name, set)| json!({"set": name,
            "elements": set.elements.keys().collect::<Vec<_>>()})).collect::<Vec<_>>(),
        "notes": view.notes().iter().map(|thread| values(thread, |note| json!(note.text))).collect::<Vec<_>>(),
        "texts": texts.iter().map(text::json_of).collect::<Vec<_>>(),
        "entries": view.timeline().len(),
        "accounting": accounting_json(&accounting),
    }));
    Ok(())
}

/// How many of the planned times were answered.
fn adherence_lines(planned: &[InstrumentAdherence], out: &Out) {
    if planned.is_empty() {
        return;
    }
    out.heading("Planned questionnaires");
    for one in planned {
        let AdherenceCounts { expected, completed, late, after_close, missed } = one.total;
        let answered = match completed.saturating_mul(100).checked_div(expected) {
            None => "nothing was expected yet".to_owned(),
            Some(percent) => format!(
                "{completed} of {expected} answered ({percent} %), {late} late ({after_close} after the close), {missed} missed"
            ),
        };
        let row = match &one.missed_since {
            Some(first) if one.missed_in_a_row > 1 => {
                format!("; the last {} in a row, since {}", one.missed_in_a_row, first.occurrence)
            }
            _ => String::new(),
        };
        out.line(format!("{}: {answered}{row}", one.title));
        aside_lines(one, out);
    }
}

/// Answers that are counted in another way than their clocks say, or not at all, and what was never asked.
fn aside_lines(one: &InstrumentAdherence, out: &Out) {
    let entries =
        |entries: &[EntryId]| entries.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !one.counted_by_bounds.is_empty() {
        let named = entries(&one.counted_by_bounds);
        out.line(format!(
            "    their clock cannot be right, so the server's word on their arrival counts: {named}"
        ));
    }
    if !one.unplanned.is_empty() {
        out.line(format!(
            "    they belong to no planned time and count nowhere: {}",
            entries(&one.unplanned)
        ));
    }
    if !one.before_their_time.is_empty() {
        let named = entries(&one.before_their_time);
        out.line(format!(
            "    they came long before the time that they name, which is asked for still: {named}"
        ));
    }
    if !one.kept_aside.is_empty() {
        out.line(format!(
            "    {} of a lost device kept aside, neither answered nor missed until taken over: {}",
            one.kept_aside.len(),
            entries(&one.kept_aside)
        ));
    }
    if !one.never_asked.is_empty() {
        let named: Vec<String> = one.never_asked.iter().map(|name| planned_words(name)).collect();
        out.line(format!("    over before anybody could be asked, so not owed: {}", named.join(", ")));
    }
}

/// The current values of a register or record, with who wrote them and when.
fn values<P: ward_sync::Value>(thread: &Thread<'_, P>, show: impl Fn(&P) -> Value) -> Vec<Value> {
    thread
        .current
        .iter()
        .map(|written| {
            json!({"value": show(written.value), "entry": written.id(), "by": written.author.person,
                   "role": format!("{:?}", written.author.role), "at": instant(written.captured_at()),
                   "decision": written.is_decision(), "reason": written.entry.body().reason})
        })
        .collect()
}

/// Values that contradict each other, with who wrote them: none is left out.
fn conflicts(open: &[ShownConflict], out: &Out) {
    if open.is_empty() {
        return;
    }
    out.heading("Nobody has chosen");
    for conflict in open {
        out.line(format!("! {}", conflict.what));
        conflict.values.iter().for_each(|value| out.line(format!("    {}", value.line())));
    }
    out.line("`ward resolve` decides.");
}

/// Records that were declared void, with why.
fn voided_json(view: &ChartView<'_>) -> Vec<Value> {
    let of = |void: &Written<'_, Void>| {
        json!({"record": void.value.target, "entry": void.id(), "by": void.author.person,
               "at": instant(void.captured_at()), "reason": void.entry.body().reason})
    };
    let responses = view.responses().values().flatten().filter(|thread| thread.is_voided());
    let responses = responses.flat_map(|thread| &thread.voids);
    let doses = view.doses().iter().filter(|thread| thread.is_voided()).flat_map(|thread| &thread.voids);
    let notes = view.notes().iter().filter(|thread| thread.is_voided()).flat_map(|thread| &thread.voids);
    responses.chain(doses).chain(notes).map(of).collect()
}

fn profile(view: &ChartView<'_>, out: &Out) {
    for (field, thread) in view.profile() {
        let all: Vec<&str> = thread.current.iter().map(|written| written.value.value.as_str()).collect();
        out.line(format!("{field}: {}", all.join(" / ")));
    }
}

/// One current version of a response, as it is shown.
struct Shown {
    occurrence: String,
    captured: String,
    status: String,
    amended_because: Option<String>,
    entry: ward_id::EntryId,
    call_me: bool,
    problem: Option<ScoreProblem>,
    scores: Vec<SymptomScore>,
}

impl Shown {
    fn text(&self) -> String {
        let call = if self.call_me { "  (asks to be called)" } else { "" };
        let amended =
            self.amended_because.as_deref().map(|why| format!("  (corrected: {why})")).unwrap_or_default();
        format!("{}  {}{call}{amended}", self.occurrence, scores_text(self.problem, &self.scores))
    }

    fn json(&self) -> Value {
        json!({"occurrence": self.occurrence, "captured_at": self.captured, "status": self.status,
               "reason": self.amended_because, "entry": self.entry, "call_me": self.call_me,
               "not_scored": self.problem.map(why_unscored), "scores": self.scores})
    }
}

const fn why_unscored(problem: ScoreProblem) -> &'static str {
    match problem {
        ScoreProblem::Form(FormProblem::Missing) => "their questionnaire is not in the chart",
        ScoreProblem::Form(FormProblem::Unreadable) => "their questionnaire cannot be read",
        ScoreProblem::Answers => "they cannot be read",
        ScoreProblem::GivenTwice => "they give a field twice, of which the later one was read",
    }
}

/// Grades with the scores behind them, and what has no grade with the reason. Only where every
/// symptom was graded 0 does this say that there was none.
fn scores_text(problem: Option<ScoreProblem>, scores: &[SymptomScore]) -> String {
    if let Some(problem) = problem {
        return format!("not scored: {}", why_unscored(problem));
    }
    if scores.is_empty() {
        return "answered; this questionnaire has no scores".to_owned();
    }
    let graded = scores.iter().filter(|score| score.grade.is_some_and(|grade| grade > 0));
    let mut parts: Vec<String> = graded
        .map(|score| {
            format!("{} {} ({})", score.label, score.grade.unwrap_or_default(), attributes_text(score))
        })
        .collect();
    // Presence has a score and no grade: absent is worth no line.
    let has_nothing = |score: &&SymptomScore| {
        score.grade.is_none() && !score.attributes.iter().all(|attribute| attribute.score == Some(0))
    };
    let ungraded: Vec<String> = scores
        .iter()
        .filter(has_nothing)
        .map(|score| match score.missing {
            Some(MissingReason::NoGradeDefined) => format!("{} ({})", score.label, attributes_text(score)),
            _ => format!("not scored: {} ({})", score.label, attributes_text(score)),
        })
        .collect();
    parts.extend(ungraded);
    if parts.is_empty() { "no symptom above grade 0".to_owned() } else { parts.join(", ") }
}

/// `frequency 3, severity not answered`.
fn attributes_text(score: &SymptomScore) -> String {
    let one = |attribute: &AttributeScore| {
        let what = match (attribute.score, attribute.missing) {
            (Some(score), _) => score.to_string(),
            (None, Some(MissingReason::NotAsked)) => "not asked".to_owned(),
            (None, Some(MissingReason::NoScore)) => "answered without a score".to_owned(),
            (None, _) => "not answered".to_owned(),
        };
        format!("{} {what}", attribute.attribute.code())
    };
    score.attributes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn responses(view: &ChartView<'_>) -> Vec<Shown> {
    let forms = ChartForms::of(view);
    let scored = scores(view, &forms);
    let holding = scored.responses.into_iter().filter(|response| response.holds());
    holding
        .map(|response| Shown {
            occurrence: response.written.value.occurrence().to_string(),
            captured: instant(response.written.captured_at()),
            status: format!("{:?}", response.written.value.status()),
            amended_because: response.written.entry.body().reason.clone(),
            entry: response.written.id(),
            call_me: response.call_me,
            problem: response.problem,
            scores: response.symptoms,
        })
        .collect()
}

/// Where the entries of a chart stand, in words. Every entry is in one of the groups.
fn accounting_text(accounting: &Accounting) -> String {
    let mut out = format!("{} entries: {} hold", accounting.total, accounting.visible);
    for (count, what) in [
        (accounting.superseded, "replaced by later ones"),
        (accounting.in_conflict, "in conflict: several hold at once and nobody has chosen"),
        (accounting.parked, "waiting for entries that are missing here"),
        (accounting.quarantined, "set aside: their device was revoked, or they do not verify"),
        (accounting.unknown_kind, "of a kind that this version does not know"),
        (accounting.invalid, "whose content cannot be read"),
        (accounting.not_permitted, "by somebody who may not write them"),
    ] {
        if count > 0 {
            out.push_str(&format!(", {count} {what}"));
        }
    }
    out
}

fn accounting_json(accounting: &Accounting) -> Value {
    json!({"total": accounting.total, "visible": accounting.visible, "superseded": accounting.superseded,
           "in_conflict": accounting.in_conflict, "parked": accounting.parked,
           "quarantined": accounting.quarantined, "unknown_kind": accounting.unknown_kind,
           "invalid": accounting.invalid, "not_permitted": accounting.not_permitted})
}

fn plan(view: &ChartView<'_>, out: &Out) {
    if !view.medication_plan().is_empty() {
        out.heading("Medication plan");
    }
    if view.unreadable(EntryKind::MEDICATION_PLAN_FIELD) + view.unreadable(EntryKind::RESOLVE) > 0 {
        out.line(
            "! The plan has changes that this version is too old to read: update Ward before you rely on it.",
        );
    }
    for ((medication, field), thread) in view.medication_plan() {
        let all: Vec<String> = thread
            .current
            .iter()
            .map(|written| {
                let value = written.value.value.as_deref().unwrap_or("(cleared)");
                let unit = written.value.unit.as_deref().unwrap_or("");
                let value = format!("{value} {unit}").trim().to_owned();
                let why = written.entry.body().reason.as_deref().unwrap_or_default();
                if written.is_decision() { format!("{value} (decided: {why})") } else { value }
            })
            .collect();
        if thread.is_conflict() {
            out.line(format!(
                "! {medication} {field}: {}  — several values; nobody has chosen yet",
                all.join("  |  ")
            ));
        } else {
            out.line(format!("{medication} {field}: {}", all.join(", ")));
        }
    }
}

fn rest(view: &ChartView<'_>, out: &Out) {
    let doses: Vec<_> = view.doses().iter().flat_map(|thread| &thread.current).collect();
    if !doses.is_empty() {
        let taken = doses.iter().filter(|dose| dose.value.outcome == DoseOutcome::Taken).count();
        out.heading("Doses");
        out.line(format!("{taken} taken, {} skipped", doses.len() - taken));
    }
    if !view.notes().is_empty() {
        out.heading("Notes");
    }
    for note in view.notes().iter().flat_map(|thread| &thread.current) {
        // The lines of a note stay apart from those of the chart.
        let text = note.value.text.replace('\n', "\n    ");
        out.line(format!("{}  {text}", day(note.captured_at())));
    }
    for appointment in view.appointments().values().flat_map(|thread| &thread.current) {
        out.line(format!(
            "Appointment {}  {} {}",
            instant(appointment.value.starts_at),
            appointment.value.purpose,
            appointment.value.place
        ));
    }
}

/// What is attached, by name; `ward attachment list` says where each is.
fn attachments(all: &[AttachmentView], out: &Out) {
    if !all.is_empty() {
        out.heading("Attachments");
    }
    for one in all {
        out.line(format!("{}  {}  {} bytes  {}", one.entry, one.media_type, one.size, one.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_forms::{Questionnaire, QuestionnaireResponse, score_symptoms};

    const DIARY: &[u8] = include_bytes!("../../../../testdata/instruments/ward-symptom-diary.json");

    fn text_of(answers: &[(&str, &str)]) -> String {
        let item = |(group, question, code): (&str, String, &str)| json!({"linkId": group, "item": [{"linkId": question, "answer": [{"valueCoding": {"system": system(), "code": code}}]}]});
        let items: Vec<Value> = answers
            .iter()
            .map(|(question, code)| {
                item((question.rsplit_once('-').unwrap().0, (*question).to_owned(), code))
            })
            .collect();
        let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
        let form = Questionnaire::parse(DIARY).unwrap();
        let response = QuestionnaireResponse::parse(response.to_string().as_bytes()).unwrap();
        scores_text(None, &score_symptoms(&form, &response))
    }

    /// The system of the diary's own codes.
    fn system() -> String {
        let form = Questionnaire::parse(DIARY).unwrap();
        let options = form.item("nausea-frequency").unwrap().options.listed().to_vec();
        match &options[0].value {
            ward_forms::AnswerValue::Coding(coding) => coding.system.clone().unwrap(),
            _ => String::new(),
        }
    }

    #[test]
    fn a_missing_grade_is_not_the_absence_of_a_symptom() {
        let text = text_of(&[("nausea-frequency", "frequency-4")]);
        assert!(!text.contains("no symptom above grade 0"), "{text}");
        assert!(text.contains("not scored: Feeling sick (frequency 4, severity not answered)"), "{text}");
        let problem = Some(ScoreProblem::Form(FormProblem::Missing));
        assert_eq!(scores_text(problem, &[]), "not scored: their questionnaire is not in the chart");
        assert!(!scores_text(None, &[]).contains("no symptom"));
    }

    #[test]
    fn the_entries_are_counted_in_words() {
        let accounting =
            Accounting { total: 5, visible: 3, superseded: 1, parked: 1, ..Accounting::default() };
        assert_eq!(
            accounting_text(&accounting),
            "5 entries: 3 hold, 1 replaced by later ones, 1 waiting for entries that are missing here"
        );
    }
}
