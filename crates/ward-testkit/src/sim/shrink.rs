//! Making a failing schedule smaller: fewer steps that still break the same promise.

use super::failure::Verdict;
use super::run::run;
use super::schedule::{Schedule, Step};
use super::template::{SiteStore, Template};
use super::world::Rows;
use crate::limits::SHRINK_MAX_RUNS;

/// The smallest schedule found that still ends with this verdict.
pub async fn shrink<S: SiteStore>(
    template: &Template<S>,
    schedule: &Schedule,
    verdict: Verdict,
    rows: &Rows,
) -> Schedule {
    let mut runs = 0;
    let mut best = schedule.clone();
    let mut part = best.steps.len().div_ceil(2).max(1);
    loop {
        let before = best.steps.len();
        let mut from = 0;
        while from < best.steps.len() && runs < SHRINK_MAX_RUNS {
            let to = (from + part).min(best.steps.len());
            let mut fewer = best.clone();
            fewer.steps.drain(from..to);
            runs += 1;
            if fails(template, &fewer, verdict, rows).await {
                best = fewer;
            } else {
                from = to;
            }
        }
        if runs >= SHRINK_MAX_RUNS || (part == 1 && best.steps.len() == before) {
            break;
        }
        part = part.div_ceil(2).max(1);
    }
    simpler(template, best, verdict, rows).await
}

/// Shorter waits and faults that come at once.
async fn simpler<S: SiteStore>(
    template: &Template<S>,
    mut best: Schedule,
    verdict: Verdict,
    rows: &Rows,
) -> Schedule {
    for place in 0..best.steps.len() {
        let Some(step) = best.steps.get(place).copied() else { break };
        for plain in plainer(step) {
            let mut other = best.clone();
            if let Some(there) = other.steps.get_mut(place) {
                *there = plain;
            }
            if fails(template, &other, verdict, rows).await {
                best = other;
                break;
            }
        }
    }
    best
}

fn plainer(step: Step) -> Vec<Step> {
    use super::schedule::Entry;
    match step {
        Step::Wait { ms } => [1_000, 60_000, 3_600_000, 86_400_000]
            .into_iter()
            .filter(|shorter| *shorter < ms)
            .map(|ms| Step::Wait { ms })
            .collect(),
        Step::Write(slot, entry) if entry != Entry::Note => vec![Step::Write(slot, Entry::Note)],
        Step::Net(slot, fault, nth) => (1..nth).map(|nth| Step::Net(slot, fault, nth)).collect(),
        Step::Die(slot, point, nth) => (1..nth).map(|nth| Step::Die(slot, point, nth)).collect(),
        _ => Vec::new(),
    }
}

async fn fails<S: SiteStore>(
    template: &Template<S>,
    schedule: &Schedule,
    verdict: Verdict,
    rows: &Rows,
) -> bool {
    let outcome = run(template, schedule, rows.clone()).await;
    outcome.failure.is_some_and(|failure| failure.verdict == verdict)
}
