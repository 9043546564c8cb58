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
}

/// Runs a schedule on copies of the template's state. The same schedule gives the same outcome.
/// A program that gives up is a failure like any other.
pub async fn run<S: SiteStore>(template: &Template<S>, schedule: &Schedule, rows: Rows) -> Outcome {
    let running = AssertUnwindSafe(go(template, schedule, rows));
    match futures_util::FutureExt::catch_unwind(running).await {
        Ok(outcome) => outcome,
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let what = said.unwrap_or_else(|| "it gave no reason".to_owned());
            let tally = Tally { schedules: 1, failed: 1, ..Tally::default() };
            Outcome { tally, failure: Some(Failure { verdict: Verdict::Panicked, step: 0, what }) }
        }
    }
}

async fn go<S: SiteStore>(template: &Template<S>, schedule: &Schedule, rows: Rows) -> Outcome {
    let mut world = match World::new(template, schedule, rows).await {
        Ok(world) => world,
        Err((verdict, what)) => {
            let tally = Tally { schedules: 1, failed: 1, ..Tally::default() };
            return Outcome { tally, failure: Some(Failure { verdict, step: 0, what }) };
        }
    };
    let mut failure = None;
    for (place, step) in schedule.steps.iter().enumerate() {
        let done = world.step(*step).await;
        failure = failed(done, place + 1);
        if failure.is_some() {
            break;
        }
    }
    if failure.is_none() {
        failure = failed(world.end().await, schedule.steps.len());
    }
    let mut tally = world.tally;
    let devices: BTreeSet<Slot> = world.oracle.confirmed.iter().map(|one| one.slot).collect();
    let whole = devices.len() >= WHOLE_MIN_DEVICES
        && tally.entries >= WHOLE_MIN_ENTRIES
        && tally.faults_happened() >= WHOLE_MIN_FAULTS;
    tally.schedules = 1;
    tally.whole = u64::from(whole);
    tally.failed = u64::from(failure.is_some());
    Outcome { tally, failure }
}

fn failed(done: Checked, step: usize) -> Option<Failure> {
    let (verdict, what) = done.err()?;
    Some(Failure { verdict, step, what })
}
