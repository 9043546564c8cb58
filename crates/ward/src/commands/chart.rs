//! `ward chart`: the charts of this device, or one of them.

use crate::cli::ChartArgs;
use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::print::{Out, day, instant};
use serde_json::{Value, json};
use ward_client::native::NativeClient;
use ward_forms::{Questionnaire, QuestionnaireResponse as FormResponse, SymptomScore, score_symptoms};
use ward_id::ChartId;
use ward_sync::{ChartView, DoseOutcome, Thread};

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
    show(&client, chart, out)?;
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

fn show(client: &NativeClient, chart: ChartId, out: &Out) -> Done {
    let view = client.chart(chart).map_err(from_client)?;
    profile(&view, out);
    let responses = responses(&view);
    out.heading("Answers");
    for response in &responses {
        out.line(response.text());
    }
    plan(&view, out);
    rest(&view, out);
    let accounting = view.accounting();
    out.heading("Entries");
    out.line(format!("{accounting:?}"));
    out.document(&json!({
        "chart": chart,
        "profile": view.profile().iter().map(|(field, thread)| json!({"field": field, "values": values(thread, |value| json!(value.value))})).collect::<Vec<_>>(),
        "responses": responses.iter().map(Response::json).collect::<Vec<_>>(),
        "medication_plan": view.medication_plan().iter().map(|((medication, field), thread)| json!({
            "medication": medication.as_str(), "field": field, "conflict": thread.is_conflict(),
            "values": values(thread, |value| json!({"value": value.value, "unit": value.unit})),
        })).collect::<Vec<_>>(),
        "doses": view.doses().iter().flat_map(|thread| &thread.current).map(|dose| json!({
            "medication": dose.value.medication.as_str(), "at": instant(dose.value.at),
            "taken": dose.value.outcome == DoseOutcome::Taken})).collect::<Vec<_>>(),
        "notes": view.notes().iter().map(|thread| values(thread, |note| json!(note.text))).collect::<Vec<_>>(),
        "entries": view.timeline().len(),
        "accounting": format!("{accounting:?}"),
    }));
    Ok(())
}

/// The current values of a register or record, with who wrote them and when.
fn values<P>(thread: &Thread<'_, P>, show: impl Fn(&P) -> Value) -> Vec<Value> {
    thread
        .current
        .iter()
        .map(|written| {
            json!({"value": show(written.value), "entry": written.id(), "by": written.author.person,
                   "role": format!("{:?}", written.author.role), "at": instant(written.captured_at())})
        })
        .collect()
}

fn profile(view: &ChartView<'_>, out: &Out) {
    for (field, thread) in view.profile() {
        let all: Vec<&str> = thread.current.iter().map(|written| written.value.value.as_str()).collect();
        out.line(format!("{field}: {}", all.join(" / ")));
    }
}

struct Response {
    occurrence: String,
    captured: String,
    status: String,
    amended_because: Option<String>,
    entry: ward_id::EntryId,
    scores: Vec<SymptomScore>,
}

impl Response {
    fn text(&self) -> String {
        let grades: Vec<String> = self
            .scores
            .iter()
            .filter_map(|score| {
                score.grade.filter(|grade| *grade > 0).map(|grade| format!("{} {grade}", score.label))
            })
            .collect();
        let what = if grades.is_empty() { "no symptom above grade 0".to_owned() } else { grades.join(", ") };
        let amended =
            self.amended_because.as_deref().map(|why| format!("  (corrected: {why})")).unwrap_or_default();
        format!("{}  {what}{amended}", self.occurrence)
    }

    fn json(&self) -> Value {
        json!({"occurrence": self.occurrence, "captured_at": self.captured, "status": self.status,
               "reason": self.amended_because, "entry": self.entry, "scores": self.scores})
    }
}

fn responses(view: &ChartView<'_>) -> Vec<Response> {
    let forms: Vec<(&str, &str, Questionnaire)> = view
        .instruments()
        .iter()
        .flat_map(|thread| &thread.current)
        .filter_map(|written| {
            let form = Questionnaire::parse(&written.value.questionnaire).ok()?;
            Some((written.value.url.as_str(), written.value.version.as_str(), form))
        })
        .collect();
    let mut out: Vec<Response> = view
        .responses()
        .values()
        .flatten()
        .flat_map(|thread| &thread.current)
        .map(|written| {
            let value = written.value;
            let form = forms.iter().find(|(url, version, _)| {
                *url == value.instrument_url && *version == value.instrument_version
            });
            let response = FormResponse::parse(&value.response).ok();
            let scores = form.zip(response).map(|((.., form), response)| score_symptoms(form, &response));
            Response {
                occurrence: value.occurrence.to_string(),
                captured: instant(written.captured_at()),
                status: format!("{:?}", value.status),
                amended_because: written.entry.body().reason.clone(),
                entry: written.id(),
                scores: scores.unwrap_or_default(),
            }
        })
        .collect();
    out.sort_by(|a, b| (&a.occurrence, &a.captured).cmp(&(&b.occurrence, &b.captured)));
    out
}

fn plan(view: &ChartView<'_>, out: &Out) {
    if !view.medication_plan().is_empty() {
        out.heading("Medication plan");
    }
    for ((medication, field), thread) in view.medication_plan() {
        let all: Vec<String> = thread
            .current
            .iter()
            .map(|written| {
                let value = written.value.value.as_deref().unwrap_or("(cleared)");
                let unit = written.value.unit.as_deref().unwrap_or("");
                format!("{value} {unit}").trim().to_owned()
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
        out.line(format!("{}  {}", day(note.captured_at()), note.value.text));
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
