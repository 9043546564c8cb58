//! `ward assign` and `ward due`.

use clap::Args;
use std::path::PathBuf;
use ward_client::views::calendar::parse_iso_day;
use ward_id::ChartId;

/// `ward assign`.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// The chart.
    #[arg(long)]
    pub chart: ChartId,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Set or move a date from which others are counted, such as surgery=2026-04-01. Without
    /// --instrument in every schedule of the chart that has it.
    #[arg(long, value_name = "NAME=DATE", value_parser = anchor)]
    pub anchor: Vec<(String, i64)>,
    /// A cycle began on another day than planned, such as chemo:3=2026-05-04; later ones follow it.
    #[arg(long, value_name = "NAME:CYCLE=DATE", value_parser = cycle)]
    pub cycle_start: Vec<(String, u16, i64)>,
    /// The first day on which the schedule holds. A first schedule holds from today if this is left out,
    /// and one that amends another from tomorrow, the earliest day that it can change.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<i64>,
    /// Write it though a newer app wrote a schedule that this one cannot read.
    #[arg(long)]
    pub over_newer: bool,
}

/// What a participant is asked, and when.
#[derive(Debug, Args)]
pub struct ScheduleArgs {
    /// Questionnaire to answer (FHIR R4 JSON).
    #[arg(long, value_name = "FILE")]
    pub instrument: Option<PathBuf>,
    /// Its schedule (see docs/schedules.md); else it is asked every so many days. A questionnaire that is
    /// asked already keeps its schedule if none of these is given.
    #[arg(long, value_name = "FILE", requires = "instrument", conflicts_with_all = ["every_days", "days"])]
    pub schedule: Option<PathBuf>,
    /// Days between two answers; 1 if left out.
    #[arg(long, requires = "instrument")]
    pub every_days: Option<u32>,
    /// For how many days; 84 if left out.
    #[arg(long, requires = "instrument")]
    pub days: Option<u32>,
}

impl ScheduleArgs {
    /// Whether a schedule was given, in whichever form.
    pub const fn has_schedule(&self) -> bool {
        self.schedule.is_some() || self.every_days.is_some() || self.days.is_some()
    }
}

/// `ward due`.
#[derive(Debug, Args)]
pub struct DueArgs {
    /// The chart; may be left out on a patient's device.
    #[arg(long)]
    pub chart: Option<ChartId>,
    /// How many days to look ahead.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(0..=62))]
    pub days: u16,
}

fn date(text: &str) -> Result<i64, String> {
    parse_iso_day(text).ok_or_else(|| "a date is written as 2026-03-02".to_owned())
}

fn anchor(text: &str) -> Result<(String, i64), String> {
    let (name, day) = text.split_once('=').ok_or("an anchor is set as surgery=2026-04-01")?;
    Ok((name.to_owned(), date(day)?))
}

fn cycle(text: &str) -> Result<(String, u16, i64), String> {
    let wrong = || "a cycle is set as chemo:3=2026-05-04".to_owned();
    let (cycle, day) = text.split_once('=').ok_or_else(wrong)?;
    let (name, number) = cycle.split_once(':').ok_or_else(wrong)?;
    let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    Ok((name.to_owned(), number, date(day)?))
}
