//! `ward due`: what waits for answers, what is late, what was missed, and the next reminders.

use crate::cli::DueArgs;
use crate::exit::Done;
use crate::home::{Home, chart_or_only, from_client};
use crate::print::{Out, instant};
use serde_json::{Value, json};
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_client::views::{ChartForms, DueInstrument, Here, MissedInstrument, Planning, local_instant};
use ward_crypto::Role;
use ward_forms::schedule::{Escalation, OccurrenceState, Reminder, ReminderPlan};
use ward_id::TimestampMs;
use ward_sync::ChartView;

/// So far back missed ones are shown.
const MISSED_SHOWN_MS: i64 = 14 * 86_400_000;

/// A planned time whose window has not opened.
struct Upcoming {
    instrument_url: String,
    title: String,
    occurrence: String,
    opens_at: TimestampMs,
}

/// Shows what is planned. Needs no network.
///
/// # Errors
/// When the device cannot be unlocked or does not read the chart.
pub async fn run(args: &DueArgs, home: &Home, out: &Out) -> Done {
    let client = home.unlock().await?;
    let chart = chart_or_only(&client, args.chart)?;
    let view = client.chart(chart).map_err(from_client)?;
    let now = client.environment().wall();
    let zone = client.environment().zone();
    let planning = planning_of(&client, &view, &zone, now);
    let forms = ChartForms::of(&view);
    let due = planning.due(&forms, now);
    let missed: Vec<MissedInstrument> = planning
        .missed(&forms, now)
        .into_iter()
        .filter(|one| now.since_ms(one.missed_at) <= MISSED_SHOWN_MS)
        .collect();
    let upcoming = upcoming(&planning, &forms, now, args.days);
    let plan = planning.reminders(now, args.days);
    let shown = |at| local_instant(&zone, at);
    show(&due, &missed, &upcoming, out, &shown);
    reminder_lines(&plan, &forms, now, out, &shown);
    if !planning.unreadable.is_empty() {
        out.line("! A schedule needs a newer version of Ward, or is damaged. What was planned before goes on; tell your site.");
    }
    out.document(&json!({
        "chart": chart, "now": instant(now),
        "due": due.iter().map(due_json).collect::<Vec<_>>(),
        "missed": missed.iter().map(missed_json).collect::<Vec<_>>(),
        "upcoming": upcoming.iter().map(|one| json!({"instrument": one.instrument_url, "title": one.title,
            "occurrence": one.occurrence, "opens_at": instant(one.opens_at)})).collect::<Vec<_>>(),
        "reminders": plan.reminders.iter().map(reminder_json).collect::<Vec<_>>(),
        "escalations": plan.escalations.iter().map(|one| escalation_json(one, now)).collect::<Vec<_>>(),
        "schedules_unreadable": planning.unreadable.iter()
            .map(|(entry, error)| json!({"entry": entry, "why": error.to_string()})).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// What is planned, as this device knows it: the participant's own one also knows where it is.
pub fn planning_of<'v>(
    client: &NativeClient,
    view: &'v ChartView<'_>,
    zone: &str,
    now: TimestampMs,
) -> Planning<'v> {
    let is_own = client.me().is_ok_and(|me| me.role == Role::Patient);
    Planning::seen_from(view, is_own.then_some(Here { zone, since: now }))
}

fn upcoming(planning: &Planning<'_>, forms: &ChartForms, now: TimestampMs, days: u16) -> Vec<Upcoming> {
    let mut out = Vec::new();
    for planned in &planning.instruments {
        let list = planning.due_list(planned, now, days);
        let coming = list.occurrences.iter().filter(|one| one.state == OccurrenceState::Upcoming);
        out.extend(coming.map(|one| Upcoming {
            instrument_url: planned.url.to_owned(),
            title: forms.title(planned.url).to_owned(),
            occurrence: one.name.to_string(),
            opens_at: one.opens_at,
        }));
    }
    out.sort_by_key(|one| one.opens_at);
    out
}

fn show(
    due: &[DueInstrument],
    missed: &[MissedInstrument],
    upcoming: &[Upcoming],
    out: &Out,
    shown: &impl Fn(TimestampMs) -> String,
) {
    if due.is_empty() {
        out.line("Nothing waits for answers now.");
    }
    for one in due.iter().filter(|one| !one.is_late) {
        out.line(format!("{}  {}  in time until {}", one.title, one.occurrence, shown(one.due_until)));
    }
    for one in due.iter().filter(|one| one.is_late) {
        out.line(format!(
            "{}  {}  late; asked for until {} (`ward answer --for {}`)",
            one.title,
            one.occurrence,
            shown(one.closes_at),
            one.occurrence
        ));
    }
    for one in missed {
        out.line(format!("{}  {}  missed", one.title, one.occurrence));
    }
    if let Some(next) = upcoming.first() {
        out.line(format!("Next: {}  {}  from {}", next.title, next.occurrence, shown(next.opens_at)));
    }
}

fn reminder_lines(
    plan: &ReminderPlan,
    forms: &ChartForms,
    now: TimestampMs,
    out: &Out,
    shown: &impl Fn(TimestampMs) -> String,
) {
    if let Some(next) = plan.reminders.first() {
        let title = forms.title(&next.instrument);
        out.line(format!("Next reminder: {}  {title}  {}", shown(next.at), next.occurrence));
    }
    for told in plan.escalations.iter().filter(|told| told.at <= now) {
        let title = forms.title(&told.instrument);
        out.line(format!(
            "{title}: your care team was to be told on {} that {} in a row were missed",
            shown(told.at),
            told.missed
        ));
    }
}

fn due_json(one: &DueInstrument) -> Value {
    json!({"instrument": one.instrument_url, "version": one.instrument_version, "title": one.title,
           "occurrence": one.occurrence, "late": one.is_late, "due_until": instant(one.due_until),
           "closes_at": instant(one.closes_at), "entry": one.entry})
}

fn missed_json(one: &MissedInstrument) -> Value {
    json!({"instrument": one.instrument_url, "title": one.title, "occurrence": one.occurrence,
           "planned_at": instant(one.planned_at), "missed_at": instant(one.missed_at)})
}

fn reminder_json(one: &Reminder) -> Value {
    json!({"at": instant(one.at), "instrument": one.instrument, "occurrence": one.occurrence.to_string(),
           "text_key": one.kind.text_key()})
}

fn escalation_json(one: &Escalation, now: TimestampMs) -> Value {
    json!({"at": instant(one.at), "instrument": one.instrument, "since": one.since.to_string(),
           "missed": one.missed, "is_reached": one.at <= now, "text_key": Escalation::TEXT_KEY})
}
