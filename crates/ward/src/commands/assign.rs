//! `ward assign`: what a participant is asked, and how often.

use super::amended_schedules::{Amendment, amended, may_be_amended, written_schedule};
use crate::cli::{AssignArgs, ScheduleArgs};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::limits::{INPUT_FILE_MAX_BYTES, PLANNED_SHOWN, PLANNED_SHOWN_DAYS, STARTS_SOON_DAYS};
use crate::planned_words::{date_words, planned_words};
use crate::print::Out;
use serde_json::json;
use std::path::Path;
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_client::views::calendar::iso_day;
use ward_client::views::{ChartForms, Planning, local_day};
use ward_forms::schedule::{Course, Moment, Schedule, WrittenSchedule};
use ward_forms::{Questionnaire, Severity};
use ward_sync::{Instrument, InstrumentSchedule};

/// Days from one time to the next of a schedule of which nobody said it.
const EVERY_DAY: u32 = 1;
/// Days of a schedule of which nobody said how long it is.
const TWELVE_WEEKS: u32 = 84;

/// Schedules that are about to be written for one questionnaire.
pub struct Assignment {
    /// The title of the questionnaire.
    pub title: String,
    /// Its address.
    pub url: String,
    /// Each schedule, with the instrument that brings it.
    pub instruments: Vec<(Schedule, Instrument)>,
}

/// Puts a questionnaire and its schedule into a chart, or amends those that are there.
///
/// # Errors
/// When the questionnaire or the schedule has errors, or this device may not write it.
pub async fn run(args: AssignArgs, home: &Home, out: &Out) -> Done {
    let file = args.schedule.instrument.as_deref().map(read_instrument).transpose()?;
    if file.is_none() && args.anchor.is_empty() && args.cycle_start.is_empty() {
        return Err(Failure::new(
            Kind::Usage,
            "Which questionnaire?",
            "none was named, and no date is to be moved",
            "name its file with --instrument, or a date with --anchor",
        ));
    }
    let mut client = home.unlock().await?;
    say_if_the_clock_is_off(&client, out);
    let (instruments, shown) = {
        let view = client.chart(args.chart).map_err(from_client)?;
        let (planning, forms) = (Planning::of(&view), ChartForms::of(&view));
        let today = Today::of(&client, &planning);
        may_be_amended(&planning, &args)?;
        let assignments = assignments(&planning, &forms, &args, file, today)?;
        let mut shown = Vec::new();
        for assignment in &assignments {
            let known = planning.instruments.iter().find(|planned| planned.url == assignment.url);
            let course = known.map(|planned| planned.course.clone()).unwrap_or_default();
            shown.push(tell(assignment, &course, today.here, out)?);
        }
        let instruments: Vec<Instrument> = assignments
            .into_iter()
            .flat_map(|one| one.instruments)
            .map(|(_, instrument)| instrument)
            .collect();
        (instruments, shown)
    };
    let mut entries = Vec::new();
    for instrument in instruments {
        entries.push(client.capture(args.chart, instrument).await.map_err(from_client)?);
    }
    out.both(
        "Assigned; `ward sync` sends it.",
        &json!({"saved": true, "chart": args.chart, "entry": entries.first(), "entries": entries,
                "planned": shown}),
    );
    Ok(())
}

/// Which day it is.
#[derive(Clone, Copy)]
struct Today {
    /// Where this device is.
    here: i64,
    /// Now, with the latest day that has begun here or where the participant is.
    anywhere: Moment,
}

impl Today {
    fn of(client: &NativeClient, planning: &Planning<'_>) -> Self {
        let (here, now) = (today_of(client), client.environment().wall());
        let day = here.max(planning.calendar().latest_day_at(now));
        Self { here, anywhere: Moment { at: now, day } }
    }
}

/// What is to be written.
fn assignments(
    planning: &Planning<'_>,
    forms: &ChartForms,
    args: &AssignArgs,
    file: Option<(Questionnaire, Vec<u8>)>,
    today: Today,
) -> Result<Vec<Assignment>, Failure> {
    let begun = today.anywhere.day;
    let Some((form, questionnaire)) = file else {
        return amended(planning, forms, args, &Amendment { begun, questionnaire: None });
    };
    let url = form.url().unwrap_or_default();
    let known = planning.instruments.iter().find(|planned| planned.url == url);
    let is_followed = known.is_some_and(|planned| !planned.course.to_come(begun).is_empty());
    let days = begun.saturating_add(1)..ward_forms::limits::SCHEDULE_DAYS.end;
    let goes_on = is_followed && known.is_some_and(|planned| !planned.course.planned(days).is_empty());
    if goes_on && !args.schedule.has_schedule() {
        return amended(
            planning,
            forms,
            args,
            &Amendment { begun, questionnaire: Some((form, questionnaire)) },
        );
    }
    let newest = known.and_then(|planned| planned.course.newest());
    // What amends or follows another plans no day anew that has begun under it, whatever its file says.
    let free = known.and_then(|planned| planned.course.free_from(today.anywhere));
    let earliest = free.map_or(today.here, |free| free.max(today.here));
    let first = args.from.unwrap_or(earliest);
    let schedule = schedule_of_args(&args.schedule, first)?;
    let number = newest.map_or(1, |newest| newest.revision().saturating_add(1)).max(schedule.revision());
    let from = args.from.or(schedule.holds_from()).unwrap_or(earliest);
    if free.is_some() && from < earliest && args.from.is_some() {
        return Err(too_early(earliest));
    }
    let from = if free.is_some() { from.max(earliest) } else { from };
    let schedule = written_schedule(schedule.revised(number, from), args)?;
    let instrument = planned(questionnaire, &schedule)?;
    let title = form.title().unwrap_or("The questionnaire").to_owned();
    Ok(vec![Assignment { title, url: url.to_owned(), instruments: vec![(schedule, instrument)] }])
}

/// Somebody wants an amendment to hold from a day that has begun; `earliest` is the first that has not.
pub fn too_early(earliest: i64) -> Failure {
    Failure::new(
        Kind::Usage,
        "An amendment holds from tomorrow at the earliest",
        "where the participant is, each day is asked by the schedule with which it began",
        format!("leave --from out, or name {} or a later day", iso_day(earliest)),
    )
}

/// Checks what is written, and says what it changes: what is asked next, and what is not asked any more.
fn tell(
    assignment: &Assignment,
    course: &Course,
    today: i64,
    out: &Out,
) -> Result<serde_json::Value, Failure> {
    let Assignment { title, instruments, .. } = assignment;
    let mut schedules = Vec::new();
    for (schedule, _) in instruments {
        checked(schedule, out)?;
        schedules.push(schedule.clone());
    }
    let from = schedules.iter().filter_map(Schedule::holds_from).min().unwrap_or(today);
    if from.saturating_sub(today).abs() > STARTS_SOON_DAYS {
        let days = from.saturating_sub(today);
        out.line(format!("! It holds from {}, {days} days from today.", date_words(from)));
    }
    let after = Course::of(course.written().chain(schedules.into_iter().map(WrittenSchedule::from)));
    let horizon = from.max(today).saturating_add(PLANNED_SHOWN_DAYS);
    let names = |course: &Course| -> Vec<String> {
        course.planned(from.max(today)..horizon).into_iter().map(|(_, name)| name.to_string()).collect()
    };
    let (before, next) = (names(course), names(&after));
    let gone: Vec<&String> = before.iter().filter(|name| !next.contains(name)).collect();
    let list = |names: &[&String]| {
        let first: Vec<String> = names.iter().take(PLANNED_SHOWN).map(|name| planned_words(name)).collect();
        let more = names.len().saturating_sub(PLANNED_SHOWN);
        if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
    };
    if next.is_empty() {
        out.line(format!("! {title}: nothing is planned from {} on.", date_words(from.max(today))));
    } else {
        out.line(format!("{title}: asked for {}", list(&next.iter().collect::<Vec<_>>())));
    }
    if !gone.is_empty() {
        out.line(format!("{title}: no longer asked for {}", list(&gone)));
    }
    let over = over_already(instruments, today);
    for name in &over {
        out.line(format!(
            "! {}: its window is over, so it is not asked for and not owed.",
            planned_words(name)
        ));
    }
    Ok(json!({"title": title, "from": iso_day(from), "next": next,
              "no_longer": gone, "over_already": over}))
}

/// Visits of the schedules whose windows closed before today.
fn over_already(instruments: &[(Schedule, Instrument)], today: i64) -> Vec<String> {
    let days = ward_forms::limits::SCHEDULE_DAYS;
    let of = |schedule: &Schedule| {
        let course = Course::new([schedule.clone()]);
        let (all, open) = (course.planned(days.clone()), course.planned(today..days.end));
        let closed = all.into_iter().filter(move |one| one.0 < today && !open.contains(one));
        closed.map(|(_, name)| name.to_string()).collect::<Vec<_>>()
    };
    let mut out: Vec<String> = instruments.iter().flat_map(|(schedule, _)| of(schedule)).collect();
    out.sort();
    out.dedup();
    out
}

fn say_if_the_clock_is_off(client: &NativeClient, out: &Out) {
    if let Some(words) = super::answer::clock_words(client) {
        out.line(format!("! {words}: “today” may be wrong."));
    }
}

/// The day that it is where this device is.
fn today_of(client: &NativeClient) -> i64 {
    let environment = client.environment();
    local_day(&environment.zone(), environment.wall())
}

/// The schedule that was asked for: that of a file, or one every so many days from a day on.
///
/// # Errors
/// What is wrong with the file.
fn schedule_of_args(args: &ScheduleArgs, first_day: i64) -> Result<Schedule, Failure> {
    let Some(file) = &args.schedule else {
        return every_days(
            first_day,
            args.every_days.unwrap_or(EVERY_DAY),
            args.days.unwrap_or(TWELVE_WEEKS),
        );
    };
    let bytes = crate::commands::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    Schedule::parse(&bytes)
        .map_err(|error| Failure::input(format!("{} is no schedule", file.display()), error, "correct it"))
}

fn every_days(first_day: i64, every_days: u32, days: u32) -> Result<Schedule, Failure> {
    let too_long =
        |_| Failure::new(Kind::Usage, "The schedule is too long", "more days than a trial has", "use fewer");
    let every_days = u16::try_from(every_days).map_err(too_long)?;
    Ok(Schedule::every_days(first_day, every_days, u16::try_from(days).map_err(too_long)?))
}

/// Says what is worth a second look, and refuses what is wrong.
fn checked(schedule: &Schedule, out: &Out) -> Result<(), Failure> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        schedule.check().into_iter().partition(|finding| finding.severity == Severity::Error);
    if !errors.is_empty() {
        let why: Vec<String> = errors.iter().map(|finding| finding.fault.to_string()).collect();
        return Err(Failure::input(
            "The schedule cannot be given to participants",
            why.join("; "),
            "correct the schedule first",
        ));
    }
    warnings.iter().for_each(|finding| out.line(format!("! {}", finding.fault)));
    Ok(())
}

/// Reads a questionnaire and refuses one that its participants could not answer.
///
/// # Errors
/// What is wrong with it, by item.
pub fn read_instrument(file: &Path) -> Result<(Questionnaire, Vec<u8>), Failure> {
    let bytes = crate::commands::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    let form = Questionnaire::parse(&bytes).map_err(|error| {
        Failure::input(format!("{} is no questionnaire", file.display()), error, "correct it")
    })?;
    let errors: Vec<String> = ward_forms::lint(&form)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| format!("{}: {}", finding.path, finding.message))
        .collect();
    if form.url().is_none() || form.version().is_none() || !errors.is_empty() {
        let why = if errors.is_empty() { "it has no url or no version".to_owned() } else { errors.join(" ") };
        return Err(Failure::input(
            format!("{} cannot be given to participants", file.display()),
            why,
            "correct the questionnaire first",
        ));
    }
    Ok((form, bytes))
}

/// What an invitation assigns, beginning today.
///
/// # Errors
/// When the questionnaire or the schedule is wrong.
pub fn first_assignment(
    client: &NativeClient,
    args: &ScheduleArgs,
    out: &Out,
) -> Result<Option<Instrument>, Failure> {
    let Some(file) = args.instrument.as_deref() else { return Ok(None) };
    let (form, questionnaire) = read_instrument(file)?;
    let today = today_of(client);
    let schedule = schedule_of_args(args, today)?;
    let (number, from) = (schedule.revision(), schedule.holds_from().unwrap_or(today));
    let schedule = schedule.revised(number, from);
    let instrument = planned(questionnaire, &schedule)?;
    let title = form.title().unwrap_or("The questionnaire").to_owned();
    let url = instrument.url.clone();
    let assignment = Assignment { title, url, instruments: vec![(schedule, instrument.clone())] };
    tell(&assignment, &Course::default(), today, out)?;
    Ok(Some(instrument))
}

/// A questionnaire every so many days.
///
/// # Errors
/// When the questionnaire cannot be read or the schedule is too long.
pub fn instrument_payload(
    questionnaire: Vec<u8>,
    first_day: i64,
    every: u32,
    days: u32,
) -> Result<Instrument, Failure> {
    planned(questionnaire, &every_days(first_day, every, days)?)
}

/// A questionnaire with its schedule.
pub fn planned(questionnaire: Vec<u8>, schedule: &Schedule) -> Result<Instrument, Failure> {
    let form = Questionnaire::parse(&questionnaire)
        .map_err(|error| Failure::input("The questionnaire cannot be read", error, "correct it"))?;
    Ok(Instrument {
        url: form.url().unwrap_or_default().to_owned(),
        version: form.version().unwrap_or_default().to_owned(),
        questionnaire,
        schedule: schedule_payload(schedule),
    })
}

/// The form that the oldest app reads which can read it at all.
pub fn schedule_payload(schedule: &Schedule) -> InstrumentSchedule {
    match schedule.as_every_days() {
        Some((first_day, every_days, days)) => InstrumentSchedule::EveryDays { first_day, every_days, days },
        None => InstrumentSchedule::Planned(schedule.to_bytes()),
    }
}
