//! One meeting with the server: who may read, what time it is, epochs, what to send, what to
//! fetch, and whether the server keeps its word. Each step stands alone: what fails is reported,
//! what does not depend on it goes on.

use super::{Client, SyncProblem};
use crate::limits::{RETRY_BASE_MS, RETRY_MAX_MS};
use crate::store::Batch;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use rand_core::Rng as _;
use ward_api::ErrorCode;
use ward_id::ChartId;
use ward_sync::{AccessReceipt, Draft};

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncReport {
    /// Entries of the membership log that are known now.
    pub mlog_size: u64,
    /// Epochs that this device made.
    pub rotated: Vec<(ChartId, u64)>,
    /// Entries that the server took.
    pub pushed: u64,
    /// Envelopes that came.
    pub pulled: u64,
    /// Entries that still wait on this device.
    pub unsent: u64,
    /// What went wrong; empty when all is well.
    pub problems: Vec<SyncProblem>,
    /// When to try again, with jitter; `None` when nothing waits.
    pub next_attempt_in_ms: Option<u64>,
}

impl SyncReport {
    /// Whether everything is sent, fetched and verified.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.unsent == 0
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Meets the server. Problems of the way, the server or other devices are in the report;
    /// nothing that a person wrote is lost by any of them.
    ///
    /// # Errors
    /// [`ClientError::Locked`], [`ClientError::NotEnrolled`]: there is nothing to sync.
    pub async fn sync(&mut self) -> Result<SyncReport, ClientError> {
        self.device()?;
        let mut report = SyncReport::default();
        let followed = self.follow_mlog().await;
        let reached = followed.is_ok();
        note(&mut report, followed);
        if reached || self.device().is_ok_and(|open| open.mlog.view.is_some() && !gave_up(&report)) {
            self.exchange(&mut report).await;
        }
        self.finish(&mut report).await;
        Ok(report)
    }

    async fn exchange(&mut self, report: &mut SyncReport) {
        let timed = self.ensure_time().await;
        note(report, timed);
        let followed = self.follow_olog().await;
        note(report, followed);
        let (rotated, problems) = self.rotate_where_needed().await;
        report.rotated = rotated;
        report.problems.extend(problems);
        if let Err(error) = self.settle_tickets().await {
            report.problems.push(SyncProblem::of_error("tickets", error));
        }
        if self.device().is_ok_and(|open| open.set_back) {
            self.recover_from_set_back(report).await;
        } else if let Err(error) = self.write_due_access().await {
            report.problems.push(SyncProblem::of_error("access receipts", error));
        }
        for chart in self.synced_charts() {
            if self.device().is_ok_and(|open| !open.set_back) {
                let waited = self.unsent_of(chart);
                match self.push_chart(chart).await {
                    Ok(pushed) => report.pushed += pushed,
                    Err(problem) => {
                        // What was taken before it went wrong counts.
                        report.pushed += waited.saturating_sub(self.unsent_of(chart));
                        report.problems.push(problem);
                    }
                }
            }
            match self.pull_chart(chart).await {
                Ok(pulled) => report.pulled += pulled,
                Err(problem) => report.problems.push(problem),
            }
            let checked = self.check_have(chart).await;
            note(report, checked);
            let waited = self.unsent_of(chart);
            let problems = self.keep_checkpoints(chart).await;
            report.problems.extend(problems);
            if waited == 0 && self.unsent_of(chart) > 0 {
                match self.push_chart(chart).await {
                    Ok(pushed) => report.pushed += pushed,
                    Err(problem) => report.problems.push(problem),
                }
            }
        }
        let problems = self.verify_bases().await;
        report.problems.extend(problems);
        let problems = self.send_blobs().await;
        report.problems.extend(problems);
        let problems = self.check_olog_claims().await;
        report.problems.extend(problems);
        let problems = self.check_mlog_claims().await;
        report.problems.extend(problems);
        let problems = self.check_receipts().await;
        report.problems.extend(problems);
    }

    fn unsent_of(&self, chart: ChartId) -> u64 {
        let local = self.device().ok().and_then(|open| open.charts.get(&chart));
        local.map_or(0, |local| local.unsent().count() as u64)
    }

    /// The charts that this device reads, or wrote into.
    fn synced_charts(&self) -> Vec<ChartId> {
        let Ok(open) = self.device() else { return Vec::new() };
        let mut charts = open.mlog.membership.charts_of(open.me.device);
        let unsent = open.charts.iter().filter(|(_, local)| local.unsent().next().is_some());
        charts.extend(unsent.map(|(chart, _)| *chart));
        charts.sort_unstable();
        charts.dedup();
        charts
    }

    /// After the store was set back: fetch what it lost, then begin a new life of every own chain,
    /// so that no place of a chain is given twice.
    async fn recover_from_set_back(&mut self, report: &mut SyncReport) {
        let Ok(open) = self.device() else { return };
        let mut charts = self.synced_charts();
        charts.extend(open.mark.own_heads.iter().map(|head| head.chart));
        charts.sort_unstable();
        charts.dedup();
        let (mut heads, mut left) = (Vec::new(), Vec::new());
        for chart in charts {
            match self.pull_chart(chart).await {
                Ok(pulled) => report.pulled += pulled,
                // Taken out of the chart since: nothing can be fetched, and nothing written there.
                Err(SyncProblem::Failed { error, .. }) if error.is(ErrorCode::NotMember) => {
                    left.push(chart);
                    continue;
                }
                Err(problem) => {
                    let harmless = matches!(problem, SyncProblem::BadEnvelope { .. });
                    report.problems.push(problem);
                    if !harmless {
                        return;
                    }
                }
            }
            match self.open_new_life(chart).await {
                Ok(head) => heads.extend(head),
                Err(error) => {
                    report.problems.push(SyncProblem::of_error("new incarnation", error));
                    return;
                }
            }
        }
        report.problems.push(SyncProblem::LocalRollback);
        if let Ok(open) = self.device_mut() {
            open.set_back = false;
            open.mark.own_heads.retain(|head| !left.contains(&head.chart));
        }
        for head in heads {
            self.raise_mark(Some(head)).await;
        }
        self.raise_mark(None).await;
    }

    /// Writes the access receipts of days that are over.
    async fn write_due_access(&mut self) -> Result<(), ClientError> {
        let today = self.env_wall().utc_day();
        let due: Vec<_> = self
            .device()?
            .access
            .iter()
            .filter(|(_, record)| record.day < today)
            .map(|(id, record)| (id.clone(), record.clone()))
            .collect();
        for (id, record) in due {
            match self.write_access(&id, &record).await {
                // Taken out of the chart since: the receipt waits, the others are written.
                Err(ClientError::UnknownChart(_)) => {}
                written => written?,
            }
        }
        Ok(())
    }

    async fn finish(&mut self, report: &mut SyncReport) {
        // A token that was renewed on the way is kept.
        if self.device().is_ok() && self.commit(Batch::default()).await.is_ok() {
            self.raise_mark(None).await;
        }
        self.keep_reserve().await;
        let jitter = self.env.rng().next_u64();
        let Ok(open) = self.device_mut() else { return };
        report.mlog_size = open.mlog.membership.size();
        report.unsent = open.charts.values().map(|local| local.unsent().count() as u64).sum();
        let waits = report.unsent > 0 || report.problems.iter().any(tries_again);
        open.failures = if waits { open.failures.saturating_add(1) } else { 0 };
        report.next_attempt_in_ms = waits.then(|| {
            let full = RETRY_BASE_MS.saturating_mul(1 << open.failures.min(16)).min(RETRY_MAX_MS);
            full / 2 + jitter % (full / 2 + 1)
        });
        // With nothing else wrong, a server without room is asked when it said.
        let quota = report.problems.iter().map(quota_retry_ms).collect::<Option<Vec<_>>>();
        report.next_attempt_in_ms =
            quota.and_then(|waits| waits.into_iter().max()).or(report.next_attempt_in_ms);
    }

    /// Writes one access receipt and removes its row in the same commit.
    pub(crate) async fn write_access(
        &mut self,
        id: &[u8],
        record: &crate::store::AccessRecord,
    ) -> Result<(), ClientError> {
        let Some(purpose) = crate::query::purpose_of(record.purpose) else { return Ok(()) };
        let receipt = AccessReceipt {
            purpose,
            day: record.day,
            first_at: record.first_at,
            last_at: record.last_at,
            count: record.count,
        };
        let mut batch = Batch::default();
        batch.delete(crate::store::Table::Access, id.to_vec());
        self.capture_with(record.chart, Draft::new(receipt), batch).await?;
        self.device_mut()?.access.remove(id);
        Ok(())
    }
}

fn note(report: &mut SyncReport, step: Result<(), SyncProblem>) {
    report.problems.extend(step.err());
}

/// Whether the way to the server is not there at all: further calls would only wait in vain.
fn gave_up(report: &SyncReport) -> bool {
    report.problems.iter().any(|problem| {
        matches!(
            problem,
            SyncProblem::Failed { error: ClientError::Transport(_), .. }
                | SyncProblem::Revoked
                | SyncProblem::Suspended { .. }
        )
    })
}

/// When the server wants to be asked again about room.
const fn quota_retry_ms(problem: &SyncProblem) -> Option<u64> {
    match problem {
        SyncProblem::Quota { retry_after_s, .. } => Some(*retry_after_s as u64 * 1_000),
        _ => None,
    }
}

/// Whether another try can help without a person.
fn tries_again(problem: &SyncProblem) -> bool {
    match problem {
        SyncProblem::Failed { error, .. } => error.passes_by_itself(),
        SyncProblem::Stale { .. }
        | SyncProblem::TimeUnknown
        | SyncProblem::NeedsRotation(_)
        | SyncProblem::Incomplete { .. }
        | SyncProblem::PlaceNotProved { .. }
        | SyncProblem::OwnFork { .. }
        | SyncProblem::LocalRollback
        | SyncProblem::Quota { .. }
        | SyncProblem::Suspended { .. } => true,
        _ => false,
    }
}
