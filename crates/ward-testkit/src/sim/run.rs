//! Running a schedule.

use super::failure::{Checked, Failure, Verdict};
use super::schedule::{Schedule, Slot};
use super::tally::Tally;
use super::template::{SiteStore, Template};
use super::world::{Rows, World};
use crate::limits::{WHOLE_MIN_DEVICES, WHOLE_MIN_ENTRIES, WHOLE_MIN_FAULTS};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

/// What came of a schedule.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What happened.
    pub tally: Tally,
    /// The first promise that was broken.
    pub failure: Option<Failure>,
    /// What happened, in order, if that was asked for: a line for each step and each sync.
    pub told: Vec<String>,
}

/// Runs a schedule on copies of the template's state. The same schedule gives the same outcome.
/// A program that gives up is a failure like any other.
pub async fn run<S: SiteStore>(template: &Template<S>, schedule: &Schedule, rows: Rows) -> Outcome {
    caught(go(template, schedule, rows, None)).await
}

/// The same, and tells what happened.
pub async fn tell<S: SiteStore>(template: &Template<S>, schedule: &Schedule, rows: Rows) -> Outcome {
    caught(go(template, schedule, rows, Some(Vec::new()))).await
}

async fn caught(running: impl Future<Output = Outcome>) -> Outcome {
    let running = AssertUnwindSafe(running);
    match futures_util::FutureExt::catch_unwind(running).await {
        Ok(outcome) => outcome,
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let what = said.unwrap_or_else(|| "it gave no reason".to_owned());
            let tally = Tally { schedules: 1, failed: 1, ..Tally::default() };
            let failure = Some(Failure { verdict: Verdict::Panicked, step: 0, what });
            Outcome { tally, failure, told: Vec::new() }
        }
    }
}

async fn go<S: SiteStore>(
    template: &Template<S>,
    schedule: &Schedule,
    rows: Rows,
    told: Option<Vec<String>>,
) -> Outcome {
    let mut world = match World::new(template, schedule, rows).await {
        Ok(world) => World { told, ..world },
        Err((verdict, what)) => {
            let tally = Tally { schedules: 1, failed: 1, ..Tally::default() };
            let failure = Some(Failure { verdict, step: 0, what });
            return Outcome { tally, failure, told: Vec::new() };
        }
    };
    let mut failure = None;
    for (place, step) in schedule.steps.iter().enumerate() {
        world.say(|| step.to_string());
        let done = world.step(*step).await;
        failure = failed(done, place + 1);
        if failure.is_some() {
            break;
        }
    }
    if failure.is_none() {
        world.say(|| "the end".to_owned());
        failure = failed(world.end().await, schedule.steps.len());
    }
    if failure.is_some() {
        world.say_charts();
    }
    let mut tally = world.tally;
    let devices: BTreeSet<Slot> = world.oracle.confirmed.iter().map(|one| one.slot).collect();
    let whole = devices.len() >= WHOLE_MIN_DEVICES
        && tally.entries >= WHOLE_MIN_ENTRIES
        && tally.faults_happened() >= WHOLE_MIN_FAULTS;
    tally.schedules = 1;
    tally.whole = u64::from(whole);
    tally.failed = u64::from(failure.is_some());
    Outcome { tally, failure, told: world.told.unwrap_or_default() }
}

fn failed(done: Checked, step: usize) -> Option<Failure> {
    let (verdict, what) = done.err()?;
    Some(Failure { verdict, step, what })
}
