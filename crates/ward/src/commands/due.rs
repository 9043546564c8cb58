//! `ward due`: what waits for answers, what is late, what was missed, and the next reminders.

use crate::cli::DueArgs;
use crate::exit::{Done, Failure};
use crate::home::{Home, chart_or_only, from_client};
use crate::planned_words::planned_words;
use crate::print::{Out, instant};
use serde_json::{Value, json};
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_client::views::{
    ChartForms, DueInstrument, InstrumentAdherence, MissedInstrument, Planning, adherence_of, local_instant,
};
use ward_forms::schedule::{Escalation, OccurrenceState, Reminder};
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
    let planning = planning_of(&client, &view)?;
    let forms = ChartForms::of(&view);
    let due = planning.due(&forms, now);
    let missed: Vec<MissedInstrument> = planning
        .missed(&forms, now)
        .into_iter()
        .filter(|one| now.since_ms(one.missed_at) <= MISSED_SHOWN_MS)
        .collect();
    let upcoming = upcoming(&planning, &forms, now, args.days);
    let plan = planning.reminders(now, args.days);
    if !client.here().map_err(from_client)?.is_participants {
        out.line(format!(
            "Times are shown in {zone}, where this device is; the days are those of the participant."
        ));
    }
    let lines = Lines { out, zone: &zone, several: planning.instruments.len() > 1 };
    if due.is_empty() && planning.being_checked.is_empty() && planning.not_trusted.is_empty() {
        out.line("Nothing waits for answers now.");
    }
    lines.due(&due);
    if !planning.being_checked.is_empty() {
        out.line("! What your site planned for you is being checked, because a device of the site was lost. Until then it may be that less is asked than was planned; your site can tell you.");
    }
    if !planning.not_trusted.is_empty() {
        out.line("! What your site planned for you with a device that is not trusted any more does not count, so it may be that nothing is asked. Your site must plan again; it can tell you.");
    }
    missed.iter().for_each(|one| lines.missed(one));
    lines.next(&upcoming);
    if let Some(next) = plan.reminders.first() {
        lines.reminder(next, forms.title(&next.instrument));
    }
    adherence_of(&planning, &forms, now).iter().for_each(|row| lines.told(row));
    if !planning.unreadable.is_empty() || planning.unknown > 0 {
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
        "schedules_of_a_newer_app": planning.unknown,
        "plans_being_checked": planning.being_checked,
        "plans_not_trusted": planning.not_trusted,
    }));
    Ok(())
}

/// What is planned, as this device knows it: the participant's own one also knows where it is.
///
/// # Errors
/// When the device is locked.
pub fn planning_of<'v>(client: &NativeClient, view: &'v ChartView<'_>) -> Result<Planning<'v>, Failure> {
    let here = client.here().map_err(from_client)?;
    Ok(Planning::seen_from(view, Some(&here)))
}

/// The command that answers a planned time; it names the questionnaire where there are several.
pub fn answer_command(url: &str, occurrence: &str, several: bool) -> String {
    let named = if several { format!(" --instrument {url}") } else { String::new() };
    format!("`ward answer{named} --for {occurrence}`")
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

/// What a person reads.
struct Lines<'a> {
    out: &'a Out,
    zone: &'a str,
    /// Whether there are several questionnaires.
    several: bool,
}

impl Lines<'_> {
    fn shown(&self, at: TimestampMs) -> String {
        local_instant(self.zone, at)
    }

    fn due(&self, due: &[DueInstrument]) {
        let in_time = due.iter().filter(|one| !one.is_late);
        for one in in_time.chain(due.iter().filter(|one| one.is_late)) {
            let until = if one.is_late {
                format!("late; asked for until {}", self.shown(one.closes_at))
            } else {
                format!("in time until {}", self.shown(one.due_until))
            };
            let command = answer_command(&one.instrument_url, &one.occurrence, self.several);
            self.out.line(format!("{}  {}  {until}: {command}", one.title, planned_words(&one.occurrence)));
        }
    }

    fn missed(&self, one: &MissedInstrument) {
        let command = answer_command(&one.instrument_url, &one.occurrence, self.several);
        self.out.line(format!(
            "{}  {}  missed; {command} gives it after its close",
            one.title,
            planned_words(&one.occurrence)
        ));
    }

    fn next(&self, upcoming: &[Upcoming]) {
        let Some(next) = upcoming.first() else { return };
        let words = planned_words(&next.occurrence);
        self.out.line(format!("Next: {}  {words}  from {}", next.title, self.shown(next.opens_at)));
    }

    fn reminder(&self, next: &Reminder, title: &str) {
        let words = planned_words(&next.occurrence.to_string());
        self.out.line(format!("Next reminder: {}  {title}  {words}", self.shown(next.at)));
    }

    /// The row of missed ones that goes on now, if it is as long as the site wants to know.
    fn told(&self, row: &InstrumentAdherence) {
        if row.escalate_after_missed.is_some_and(|limit| row.missed_in_a_row >= limit) {
            self.out.line(format!(
                "{}: your site sees that the last {} were missed",
                row.title, row.missed_in_a_row
            ));
        }
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
