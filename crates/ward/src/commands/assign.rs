//! `ward assign`: what a participant is asked, and how often.

use crate::cli::{AssignArgs, ScheduleArgs};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::limits::INPUT_FILE_MAX_BYTES;
use crate::print::Out;
use serde_json::json;
use std::path::Path;
use ward_client::Environment as _;
use ward_client::native::NativeClient;
use ward_client::views::{ChartForms, Planning, local_day};
use ward_forms::schedule::Schedule;
use ward_forms::{Questionnaire, Severity};
use ward_id::ChartId;
use ward_sync::{Instrument, InstrumentSchedule};

/// Puts a questionnaire and its schedule into a chart, or moves the anchors of those that are there.
///
/// # Errors
/// When the questionnaire or the schedule has errors, or this device may not write it.
pub async fn run(args: AssignArgs, home: &Home, out: &Out) -> Done {
    let (file, titles) = match args.schedule.instrument.as_deref() {
        Some(file) => {
            let (form, bytes) = read_instrument(file)?;
            (Some(bytes), vec![form.title().unwrap_or("The questionnaire").to_owned()])
        }
        None if args.anchor.is_empty() && args.cycle_start.is_empty() => {
            return Err(Failure::new(
                Kind::Usage,
                "Which questionnaire?",
                "none was named, and no date is to be moved",
                "name its file with --instrument, or a date with --anchor",
            ));
        }
        None => (None, Vec::new()),
    };
    let mut client = home.unlock().await?;
    let today = today_of(&client);
    let (instruments, titles) = match file {
        Some(questionnaire) => {
            let schedule = schedule_of_args(&args.schedule, today)?;
            let revision = next_revision(&client, args.chart, &questionnaire)?.max(schedule.revision());
            let from = args.from.or(schedule.holds_from()).unwrap_or(today);
            let schedule = moved(schedule.revised(revision, from), &args)?;
            (vec![planned(questionnaire, &checked(schedule, out)?)?], titles)
        }
        None => moved_instruments(&client, &args, args.from.unwrap_or(today), out)?,
    };
    let mut entries = Vec::new();
    for instrument in instruments {
        entries.push(client.capture(args.chart, instrument).await.map_err(from_client)?);
    }
    out.both(
        format!("{} assigned; `ward sync` sends it.", is_or_are(&titles)),
        &json!({"saved": true, "chart": args.chart, "entry": entries.first(), "entries": entries}),
    );
    Ok(())
}

fn is_or_are(titles: &[String]) -> String {
    let verb = if titles.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", titles.join(", "))
}

/// The day that it is where this device is.
fn today_of(client: &NativeClient) -> i64 {
    let environment = client.environment();
    local_day(&environment.zone(), environment.wall())
}

/// The schedule that was asked for: that of a file, or one every so many days from today on.
///
/// # Errors
/// What is wrong with the file.
fn schedule_of_args(args: &ScheduleArgs, today: i64) -> Result<Schedule, Failure> {
    let Some(file) = &args.schedule else { return every_days(today, args.every_days, args.days) };
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

/// The schedule with its anchors where the command line puts them.
fn moved(mut schedule: Schedule, args: &AssignArgs) -> Result<Schedule, Failure> {
    let unknown = |name: &str| {
        Failure::new(
            Kind::Usage,
            format!("There is no anchor “{name}”"),
            "the schedule does not count from it",
            "use a name that the schedule has",
        )
    };
    for (name, day) in &args.anchor {
        schedule = schedule.with_anchor(name, *day).ok_or_else(|| unknown(name))?;
    }
    for (name, cycle, day) in &args.cycle_start {
        schedule = schedule.with_cycle_start(name, *cycle, *day).ok_or_else(|| unknown(name))?;
    }
    Ok(schedule)
}

/// Says what is worth a second look, and refuses what is wrong.
fn checked(schedule: Schedule, out: &Out) -> Result<Schedule, Failure> {
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
    Ok(schedule)
}

/// The number of the next schedule of a questionnaire in a chart.
fn next_revision(client: &NativeClient, chart: ChartId, questionnaire: &[u8]) -> Result<u32, Failure> {
    let view = client.chart(chart).map_err(from_client)?;
    let form = Questionnaire::parse(questionnaire).ok();
    let url = form.as_ref().and_then(|form| form.url()).unwrap_or_default();
    let planning = Planning::of(&view);
    let known = planning.instruments.iter().find(|planned| planned.url == url);
    let newest = known.and_then(|planned| planned.course.newest());
    Ok(newest.map_or(1, |newest| newest.revision().saturating_add(1)))
}

/// Each questionnaire of the chart whose schedule has one of the anchors, with its anchors moved.
fn moved_instruments(
    client: &NativeClient,
    args: &AssignArgs,
    from: i64,
    out: &Out,
) -> Result<(Vec<Instrument>, Vec<String>), Failure> {
    let view = client.chart(args.chart).map_err(from_client)?;
    let (planning, forms) = (Planning::of(&view), ChartForms::of(&view));
    if let Some((entry, error)) = planning.unreadable.first() {
        // To write over what a newer app planned would take it away unseen.
        return Err(Failure::new(
            Kind::NotNow,
            format!("The schedule of {entry} cannot be followed by this version"),
            error,
            "update Ward, or give the questionnaire a new schedule with --instrument and --schedule",
        ));
    }
    let names =
        || args.anchor.iter().map(|(name, _)| name).chain(args.cycle_start.iter().map(|(name, ..)| name));
    let (mut instruments, mut titles) = (Vec::new(), Vec::new());
    for known in &planning.instruments {
        let (Some(schedule), Some(instrument)) = (known.course.newest(), known.newest_instrument()) else {
            continue;
        };
        let has = |name: &String| schedule.anchors().iter().any(|anchor| anchor.name == *name);
        if !names().any(has) {
            continue;
        }
        let revised = schedule.clone().revised(schedule.revision().saturating_add(1), from);
        let schedule = checked(moved_where_known(revised, args), out)?;
        instruments.push(Instrument {
            schedule: InstrumentSchedule::Planned(schedule.to_bytes()),
            ..instrument.clone()
        });
        titles.push(forms.title(known.url).to_owned());
    }
    if instruments.is_empty() {
        let names: Vec<&str> = names().map(String::as_str).collect();
        return Err(Failure::new(
            Kind::No,
            "Nothing was moved",
            format!("no schedule of this chart counts from {}", names.join(" or ")),
            "use a name that a schedule of the chart has",
        ));
    }
    Ok((instruments, titles))
}

/// As [`moved`], leaving out what this schedule does not count from.
fn moved_where_known(schedule: Schedule, args: &AssignArgs) -> Schedule {
    let moved = args
        .anchor
        .iter()
        .fold(schedule, |schedule, (name, day)| schedule.clone().with_anchor(name, *day).unwrap_or(schedule));
    args.cycle_start.iter().fold(moved, |schedule, (name, cycle, day)| {
        schedule.clone().with_cycle_start(name, *cycle, *day).unwrap_or(schedule)
    })
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
    let (_, questionnaire) = read_instrument(file)?;
    let today = today_of(client);
    let schedule = schedule_of_args(args, today)?;
    let (revision, from) = (schedule.revision(), schedule.holds_from().unwrap_or(today));
    planned(questionnaire, &checked(schedule.revised(revision, from), out)?).map(Some)
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
fn planned(questionnaire: Vec<u8>, schedule: &Schedule) -> Result<Instrument, Failure> {
    let form = Questionnaire::parse(&questionnaire)
        .map_err(|error| Failure::input("The questionnaire cannot be read", error, "correct it"))?;
    Ok(Instrument {
        url: form.url().unwrap_or_default().to_owned(),
        version: form.version().unwrap_or_default().to_owned(),
        questionnaire,
        schedule: InstrumentSchedule::Planned(schedule.to_bytes()),
    })
}
