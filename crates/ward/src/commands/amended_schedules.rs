//! Schedules of a chart that are amended: a date is moved, or a questionnaire has a new version. Everything
//! else that was planned for the days to come stays as it is, in every schedule that is still to come.

use super::assign::{Assignment, schedule_payload, too_early};
use crate::cli::AssignArgs;
use crate::exit::{Failure, Kind};
use ward_client::views::{ChartForms, PlannedInstrument, Planning};
use ward_forms::Questionnaire;
use ward_forms::schedule::{Schedule, ScheduleError};
use ward_sync::Instrument;

/// What is amended.
pub struct Amendment {
    /// The latest day that has begun where this device or the participant is.
    pub begun: i64,
    /// A new version of a questionnaire; without one, the anchors of the command line are moved.
    pub questionnaire: Option<(Questionnaire, Vec<u8>)>,
}

/// Refuses to write over what this version cannot read: what a newer app planned would be gone unseen.
///
/// # Errors
/// If there is such a schedule, and nobody said that it is to be written over.
pub fn may_be_amended(planning: &Planning<'_>, args: &AssignArgs) -> Result<(), Failure> {
    let has_new_one = args.schedule.instrument.is_some() && args.schedule.has_schedule();
    let in_the_way = planning.unreadable.iter().find(|(_, error)| {
        // What is damaged is mended by a new schedule, and by nothing else.
        !has_new_one || matches!(error, ScheduleError::Format(_))
    });
    if args.over_newer {
        return Ok(());
    }
    if let Some((entry, error)) = in_the_way {
        return Err(Failure::new(
            Kind::NotNow,
            format!("The schedule of {entry} cannot be followed by this version"),
            error,
            "update Ward; or give a new schedule with --instrument, --schedule and --over-newer",
        ));
    }
    if planning.unknown > 0 {
        return Err(Failure::new(
            Kind::NotNow,
            "A newer app wrote a schedule that this version cannot read",
            "what is written over it would take it away unseen",
            "update Ward; --over-newer writes all the same",
        ));
    }
    Ok(())
}

/// The schedules of each questionnaire that the amendment is about, one for each that is still to come.
///
/// # Errors
/// When nothing is amended, or an amendment would hold from a day that has begun.
pub fn amended(
    planning: &Planning<'_>,
    forms: &ChartForms,
    args: &AssignArgs,
    amendment: &Amendment,
) -> Result<Vec<Assignment>, Failure> {
    let earliest = amendment.begun.saturating_add(1);
    let from = args.from.unwrap_or(earliest);
    if from < earliest {
        return Err(too_early(earliest));
    }
    let url = amendment.questionnaire.as_ref().and_then(|(form, _)| form.url());
    let wanted = planning.instruments.iter().filter(|planned| url.is_none_or(|url| planned.url == url));
    let mut out = Vec::new();
    for planned in wanted {
        let instruments = amended_schedules(planned, args, amendment, from)?;
        if !instruments.is_empty() {
            let (title, url) = (forms.title(planned.url).to_owned(), planned.url.to_owned());
            out.push(Assignment { title, url, instruments });
        }
    }
    if out.is_empty() {
        return Err(Failure::new(
            Kind::No,
            "Nothing was moved",
            format!("no schedule of this chart counts from {}", names(args).join(" or ")),
            "use a name that a schedule of the chart has",
        ));
    }
    Ok(out)
}

fn names(args: &AssignArgs) -> Vec<&str> {
    let anchors = args.anchor.iter().map(|(name, _)| name.as_str());
    anchors.chain(args.cycle_start.iter().map(|(name, ..)| name.as_str())).collect()
}

/// The schedules of one questionnaire that are still to come, each from the day on which it holds; none if
/// the amendment is not about them.
fn amended_schedules(
    planned: &PlannedInstrument<'_>,
    args: &AssignArgs,
    amendment: &Amendment,
    from: i64,
) -> Result<Vec<(Schedule, Instrument)>, Failure> {
    let to_come = planned.course.to_come(from);
    let schedules = || to_come.iter().filter_map(|(number, _)| planned.course.schedule(*number));
    let has = |schedule: &Schedule, name: &str| schedule.anchors().iter().any(|anchor| anchor.name == name);
    let is_known = |name: &&str| schedules().any(|schedule| has(schedule, name));
    if amendment.questionnaire.is_none() && !names(args).iter().any(is_known) {
        return Ok(Vec::new());
    }
    if let (Some(unknown), true) =
        (names(args).iter().find(|name| !is_known(name)), amendment.questionnaire.is_some())
    {
        return Err(unknown_anchor(unknown));
    }
    let newest = planned.course.newest().map_or(0, Schedule::revision);
    let mut out = Vec::new();
    // Written in this order, the last begins last: each goes on until the next.
    for (number, (revision, first)) in (1_u32..).zip(&to_come) {
        let (Some(schedule), Some(known)) =
            (planned.course.schedule(*revision), planned.instrument(*revision))
        else {
            continue;
        };
        let revised = schedule.clone().revised(newest.saturating_add(number), *first);
        let schedule = moved_where_known(revised, args);
        let mut instrument = Instrument { schedule: schedule_payload(&schedule), ..known.clone() };
        if let Some((form, questionnaire)) = &amendment.questionnaire {
            form.version().unwrap_or_default().clone_into(&mut instrument.version);
            questionnaire.clone_into(&mut instrument.questionnaire);
        }
        out.push((schedule, instrument));
    }
    Ok(out)
}

fn unknown_anchor(name: &str) -> Failure {
    Failure::new(
        Kind::Usage,
        format!("There is no anchor “{name}”"),
        "the schedule does not count from it",
        "use a name that the schedule has",
    )
}

/// A new schedule with its anchors where the command line puts them.
///
/// # Errors
/// When it does not have one of them.
pub fn written_schedule(mut schedule: Schedule, args: &AssignArgs) -> Result<Schedule, Failure> {
    for (name, day) in &args.anchor {
        schedule = schedule.with_anchor(name, *day).ok_or_else(|| unknown_anchor(name))?;
    }
    for (name, cycle, day) in &args.cycle_start {
        schedule = schedule.with_cycle_start(name, *cycle, *day).ok_or_else(|| unknown_anchor(name))?;
    }
    Ok(schedule)
}

/// As [`written_schedule`], leaving out what this schedule does not count from.
fn moved_where_known(schedule: Schedule, args: &AssignArgs) -> Schedule {
    let moved = args
        .anchor
        .iter()
        .fold(schedule, |schedule, (name, day)| schedule.clone().with_anchor(name, *day).unwrap_or(schedule));
    args.cycle_start.iter().fold(moved, |schedule, (name, cycle, day)| {
        schedule.clone().with_cycle_start(name, *cycle, *day).unwrap_or(schedule)
    })
}
