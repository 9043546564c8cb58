//! Reading a schedule that a study wrote as JSON, strictly; and writing it as such again.

use super::local_time::LocalTime;
use super::occurrence::{OccurrenceName, parse_day};
use super::plan::{
    Anchor, CycleStart, QuietHours, ReminderRules, RepeatDays, Schedule, ScheduledItem, Timing, Window,
};
use crate::limits::{
    MAX_MISSED_IN_A_ROW, REMINDERS_MAX_PER_DAY, SCHEDULE_FORMAT, SCHEDULE_MAX_ANCHORS, SCHEDULE_MAX_BYTES,
    SCHEDULE_MAX_CYCLES, SCHEDULE_MAX_DAYS, SCHEDULE_MAX_ITEMS, SCHEDULE_MAX_NAME_BYTES,
    SCHEDULE_MAX_STEP_DAYS, SCHEDULE_MAX_TIMES,
};
use crate::strict_json::{self, Fields, StrictJsonError, wrong};
use serde_json::{Map, Value, json};

const FORMAT: &str = "ward/schedule";
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Schedule {
    /// Reads a schedule from JSON. [`Schedule::check`] says what is wrong with what it plans.
    ///
    /// # Errors
    /// [`StrictJsonError`] with the path of what the study has to correct. Nothing is half read.
    pub fn parse(json: &[u8]) -> Result<Self, StrictJsonError> {
        let value = strict_json::read(json, SCHEDULE_MAX_BYTES)?;
        let known = ["format", "version", "revision", "from", "anchors", "items", "reminders"];
        let fields = Fields::of(&value, "$", &known)?;
        if fields.need("format")?.as_str() != Some(FORMAT) {
            return Err(wrong(&fields.path_of("format"), format!("\"{FORMAT}\"")));
        }
        if fields.need("version")?.as_u64() != Some(u64::from(SCHEDULE_FORMAT)) {
            return Err(wrong(&fields.path_of("version"), SCHEDULE_FORMAT.to_string()));
        }
        let anchors = fields.list("anchors", "anchors", SCHEDULE_MAX_ANCHORS)?.iter().enumerate();
        let items = fields.list("items", "items", SCHEDULE_MAX_ITEMS)?.iter().enumerate();
        Ok(Self {
            format: SCHEDULE_FORMAT,
            revision: fields.count("revision", u32::MAX)?,
            holds_from: date_if_given(&fields, "from")?,
            anchors: anchors
                .map(|(place, value)| anchor(value, &format!("$.anchors[{place}]")))
                .collect::<Result<_, _>>()?,
            items: items
                .map(|(place, value)| item(value, &format!("$.items[{place}]")))
                .collect::<Result<_, _>>()?,
            reminders: fields.get("reminders").map(|value| reminders(value, "$.reminders")).transpose()?,
        })
    }

    /// The schedule as JSON that [`Schedule::parse`] reads.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("format".to_owned(), json!(FORMAT));
        out.insert("version".to_owned(), json!(self.format));
        out.insert("revision".to_owned(), json!(self.revision));
        insert(&mut out, "from", self.holds_from.map(|day| json!(date(day))));
        out.insert("anchors".to_owned(), self.anchors.iter().map(anchor_json).collect());
        out.insert("items".to_owned(), self.items.iter().map(item_json).collect());
        insert(&mut out, "reminders", self.reminders.as_ref().map(reminders_json));
        Value::Object(out)
    }
}

fn anchor(value: &Value, path: &str) -> Result<Anchor, StrictJsonError> {
    let fields = Fields::of(value, path, &["name", "date", "cycles"])?;
    let mut cycle_starts = Vec::new();
    if fields.get("cycles").is_some() {
        let list = fields.list("cycles", "cycles", usize::from(SCHEDULE_MAX_CYCLES))?;
        for (place, value) in list.iter().enumerate() {
            let fields = Fields::of(value, &format!("{path}.cycles[{place}]"), &["cycle", "date"])?;
            let day = date_if_given(&fields, "date")?
                .ok_or(StrictJsonError::MissingField { path: fields.path().to_owned(), field: "date" })?;
            cycle_starts.push(CycleStart { cycle: short(&fields, "cycle", SCHEDULE_MAX_CYCLES)?, day });
        }
        cycle_starts.sort_by_key(|start| start.cycle);
    }
    Ok(Anchor {
        name: fields.name("name", SCHEDULE_MAX_NAME_BYTES)?,
        day: date_if_given(&fields, "date")?,
        cycle_starts,
    })
}

fn item(value: &Value, path: &str) -> Result<ScheduledItem, StrictJsonError> {
    let known = ["id", "anchor", "day", "cycle", "repeat", "window", "until"];
    let fields = Fields::of(value, path, &known)?;
    let day = offset(&fields, "day", SCHEDULE_MAX_DAYS)?.unwrap_or_default();
    let timing = match (fields.get("cycle"), fields.get("repeat")) {
        (None, None) => Timing::Visit { day },
        (Some(cycle), None) => {
            let cycle = Fields::of(cycle, &fields.path_of("cycle"), &["length", "count"])?;
            Timing::Cycle {
                day,
                length_days: short(&cycle, "length", SCHEDULE_MAX_STEP_DAYS)?,
                count: short_if_given(&cycle, "count", SCHEDULE_MAX_CYCLES)?,
            }
        }
        (None, Some(value)) => repeat(value, &fields.path_of("repeat"), day)?,
        (Some(_), Some(_)) => return Err(wrong(path, "either a cycle or a repeat")),
    };
    Ok(ScheduledItem {
        id: fields.name("id", SCHEDULE_MAX_NAME_BYTES)?,
        anchor: fields.name("anchor", SCHEDULE_MAX_NAME_BYTES)?,
        timing,
        window: match fields.get("window") {
            None => Window::default(),
            Some(value) => window(value, &fields.path_of("window"))?,
        },
        until: fields.name_if_given("until", SCHEDULE_MAX_NAME_BYTES)?,
    })
}

fn repeat(value: &Value, path: &str, day: i32) -> Result<Timing, StrictJsonError> {
    let fields = Fields::of(value, path, &["everyDays", "weekdays", "days", "times"])?;
    let on = match (fields.get("everyDays"), fields.get("weekdays")) {
        (Some(_), None) => RepeatDays::Every(short(&fields, "everyDays", SCHEDULE_MAX_DAYS)?),
        (None, Some(_)) => RepeatDays::Weekdays(weekdays(&fields)?),
        _ => return Err(wrong(path, "either everyDays or weekdays")),
    };
    let times = match fields.get("times") {
        None => Vec::new(),
        Some(_) => times(&fields)?,
    };
    Ok(Timing::Repeat { day, on, days: short_if_given(&fields, "days", SCHEDULE_MAX_DAYS)?, times })
}

fn weekdays(fields: &Fields<'_>) -> Result<u8, StrictJsonError> {
    let list = fields.list("weekdays", "days of the week", WEEKDAYS.len())?;
    let mut out = 0;
    for value in list {
        let bit = value.as_str().and_then(|name| WEEKDAYS.iter().position(|known| *known == name));
        let Some(bit) = bit else { return Err(wrong(&fields.path_of("weekdays"), WEEKDAYS.join(", "))) };
        out |= 1 << bit;
    }
    Ok(out)
}

fn window(value: &Value, path: &str) -> Result<Window, StrictJsonError> {
    let fields = Fields::of(value, path, &["opens", "due", "closes"])?;
    let read = |field| -> Result<Option<i16>, StrictJsonError> {
        let days = offset(&fields, field, SCHEDULE_MAX_STEP_DAYS)?;
        Ok(days.and_then(|days| i16::try_from(days).ok()))
    };
    let (opens, due, closes) = (read("opens")?, read("due")?, read("closes")?);
    let due = due.or(closes).unwrap_or_default();
    Ok(Window { opens: opens.unwrap_or_default(), due, closes: closes.unwrap_or(due) })
}

fn reminders(value: &Value, path: &str) -> Result<ReminderRules, StrictJsonError> {
    let known = ["atOpening", "times", "quiet", "perDay", "escalateAfterMissed"];
    let fields = Fields::of(value, path, &known)?;
    let at_opening = match fields.get("atOpening") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| wrong(&fields.path_of("atOpening"), "true or false"))?,
    };
    let quiet = fields.get("quiet").map(|value| quiet_hours(value, &fields.path_of("quiet"))).transpose()?;
    let per_day = fields.count("perDay", u32::from(REMINDERS_MAX_PER_DAY))?;
    let escalate = fields.get("escalateAfterMissed");
    Ok(ReminderRules {
        at_opening,
        times: if fields.get("times").is_some() { times(&fields)? } else { Vec::new() },
        quiet,
        per_day: u8::try_from(per_day).unwrap_or(REMINDERS_MAX_PER_DAY),
        escalate_after_missed: escalate
            .map(|_| fields.count("escalateAfterMissed", MAX_MISSED_IN_A_ROW))
            .transpose()?,
    })
}

fn quiet_hours(value: &Value, path: &str) -> Result<QuietHours, StrictJsonError> {
    let fields = Fields::of(value, path, &["from", "to"])?;
    let read = |field| local_time(fields.need(field)?, &fields.path_of(field));
    Ok(QuietHours { from: read("from")?, to: read("to")? })
}

fn times(fields: &Fields<'_>) -> Result<Vec<LocalTime>, StrictJsonError> {
    let list = fields.list("times", "times", SCHEDULE_MAX_TIMES)?;
    list.iter().map(|value| local_time(value, &fields.path_of("times"))).collect()
}

fn local_time(value: &Value, path: &str) -> Result<LocalTime, StrictJsonError> {
    value.as_str().and_then(LocalTime::parse).ok_or_else(|| wrong(path, "a time such as \"08:00\""))
}

/// A date; `None` where it is left out or `null`.
fn date_if_given(fields: &Fields<'_>, field: &str) -> Result<Option<i64>, StrictJsonError> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let day = value.as_str().and_then(parse_day);
            day.map(Some).ok_or_else(|| wrong(&fields.path_of(field), "a date such as \"2026-03-02\""))
        }
    }
}

/// A whole number of days, negative for days before.
fn offset(fields: &Fields<'_>, field: &str, most: u16) -> Result<Option<i32>, StrictJsonError> {
    let Some(value) = fields.get(field) else { return Ok(None) };
    let days = value.as_i64().and_then(|days| i32::try_from(days).ok());
    let days = days.filter(|days| days.unsigned_abs() <= u32::from(most));
    let expected = || wrong(&fields.path_of(field), format!("a whole number from -{most} to {most}"));
    days.map(Some).ok_or_else(expected)
}

fn short(fields: &Fields<'_>, field: &'static str, most: u16) -> Result<u16, StrictJsonError> {
    Ok(u16::try_from(fields.count(field, u32::from(most))?).unwrap_or(most))
}

fn short_if_given(
    fields: &Fields<'_>,
    field: &'static str,
    most: u16,
) -> Result<Option<u16>, StrictJsonError> {
    fields.get(field).map(|_| short(fields, field, most)).transpose()
}

fn insert(out: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    if let Some(value) = value {
        out.insert(field.to_owned(), value);
    }
}

fn date(day: i64) -> String {
    OccurrenceName::Day { day, slot: 1 }.to_string()
}

fn time_list(times: &[LocalTime]) -> Value {
    times.iter().map(ToString::to_string).collect()
}

fn anchor_json(anchor: &Anchor) -> Value {
    let mut out = Map::new();
    out.insert("name".to_owned(), json!(anchor.name));
    insert(&mut out, "date", anchor.day.map(|day| json!(date(day))));
    let cycles = anchor.cycle_starts.iter();
    let cycles = cycles.map(|start| json!({"cycle": start.cycle, "date": date(start.day)}));
    insert(&mut out, "cycles", (!anchor.cycle_starts.is_empty()).then(|| cycles.collect()));
    Value::Object(out)
}

fn item_json(item: &ScheduledItem) -> Value {
    let mut out = Map::new();
    out.insert("id".to_owned(), json!(item.id));
    out.insert("anchor".to_owned(), json!(item.anchor));
    let (Timing::Visit { day } | Timing::Cycle { day, .. } | Timing::Repeat { day, .. }) = &item.timing;
    out.insert("day".to_owned(), json!(day));
    match &item.timing {
        Timing::Visit { .. } => {}
        Timing::Cycle { length_days, count, .. } => {
            let mut cycle = Map::new();
            cycle.insert("length".to_owned(), json!(length_days));
            insert(&mut cycle, "count", count.map(|count| json!(count)));
            out.insert("cycle".to_owned(), Value::Object(cycle));
        }
        Timing::Repeat { on, days, times, .. } => {
            let mut repeat = Map::new();
            match on {
                RepeatDays::Every(step) => repeat.insert("everyDays".to_owned(), json!(step)),
                RepeatDays::Weekdays(days) => {
                    let on = (0..7_u8).zip(WEEKDAYS).filter(|(bit, _)| days & (1 << bit) != 0);
                    repeat.insert("weekdays".to_owned(), on.map(|(_, name)| name).collect())
                }
            };
            insert(&mut repeat, "days", days.map(|days| json!(days)));
            insert(&mut repeat, "times", (!times.is_empty()).then(|| time_list(times)));
            out.insert("repeat".to_owned(), Value::Object(repeat));
        }
    }
    let Window { opens, due, closes } = item.window;
    out.insert("window".to_owned(), json!({"opens": opens, "due": due, "closes": closes}));
    insert(&mut out, "until", item.until.as_ref().map(|until| json!(until)));
    Value::Object(out)
}

fn reminders_json(rules: &ReminderRules) -> Value {
    let mut out = Map::new();
    out.insert("atOpening".to_owned(), json!(rules.at_opening));
    out.insert("times".to_owned(), time_list(&rules.times));
    let quiet = rules.quiet.map(|quiet| json!({"from": quiet.from.to_string(), "to": quiet.to.to_string()}));
    insert(&mut out, "quiet", quiet);
    out.insert("perDay".to_owned(), json!(rules.per_day));
    insert(&mut out, "escalateAfterMissed", rules.escalate_after_missed.map(|missed| json!(missed)));
    Value::Object(out)
}
