//! One meeting with the server: who may read, what time it is, epochs, what to send, what to
//! fetch, and whether the server keeps its word. Each step stands alone: what fails is reported,
//! what does not depend on it goes on.

use super::incidents::event_name;
use super::reopened_log::awaits_recovery;
use super::{Client, SyncProblem};
use crate::limits::{RETRY_BASE_MS, RETRY_MAX_MS};
use crate::store::Batch;
use crate::{ClientError, DeviceKeyStore, Environment, OwnHead, RowStore, Transport};
use rand_core::Rng as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use ward_api::ErrorCode;
use ward_id::{ChartId, Incarnation};
use ward_sync::{AccessReceipt, Draft, Incident, IncidentKind};

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
    /// Entries of others that the server lacked and took back from this device.
    pub relayed: u64,
    /// Entries that still wait on this device.
    pub unsent: u64,
    /// Entries that could not be sealed and were handed to the drop box now.
    pub handed_over: u64,
    /// Entries of others that wait in the drop box for a decision of staff.
    pub drops_waiting: u64,
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
        if self.is_read_only() {
            return Err(ClientError::StoreIsNewer);
        }
        let mut report = SyncReport::default();
        let meeting = Arc::new(());
        let followed = match self.greet(&meeting).await {
            Ok(()) => self.follow_mlog().await,
            unreached => unreached,
        };
        let reached = followed.is_ok();
        note(&mut report, followed);
        if reached || self.device().is_ok_and(|open| open.mlog.view.is_some() && !gave_up(&report)) {
            self.exchange(&mut report).await;
        }
        if reached {
            self.note_online().await;
        }
        // What was said as it began is no news any more.
        drop(meeting);
        self.meet_orders(&mut report).await;
        self.finish(&mut report).await;
        Ok(report)
    }

    async fn exchange(&mut self, report: &mut SyncReport) {
        let timed = self.ensure_time().await;
        note(report, timed);
        if let Err(error) = self.date_epochs().await {
            report.problems.push(SyncProblem::of_error("epochs", error));
        }
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
        let charts = self.synced_charts();
        let mut same =
            if self.server_waits(report) { BTreeMap::new() } else { self.unchanged_charts(&charts).await };
        // Charts of which nothing is here come last: what waits in the others is sent before they begin.
        let (held, new): (Vec<_>, Vec<_>) = charts.into_iter().partition(|chart| self.holds_any_of(*chart));
        for (place, chart) in held.iter().chain(&new).copied().enumerate() {
            if self.server_waits(report) {
                break;
            }
            if place == held.len() {
                self.begin_charts(&new, &mut same, report).await;
            }
            let known = report.problems.len();
            self.meet_chart(chart, same.get(&chart).copied(), report).await;
            // Only who knows what the server has can tell what it has not. What others sent that does not
            // open, or forks, hides nothing of that.
            let of_others = |problem: &SyncProblem| {
                matches!(problem, SyncProblem::BadEnvelope { .. } | SyncProblem::DeviceFork { .. })
            };
            let is_whole = report.problems.iter().skip(known).all(of_others);
            if is_whole && let Err(error) = self.bring_former(chart, report).await {
                report.problems.push(SyncProblem::of_error("entries of the former device", error));
            }
            if self.device().is_ok_and(|open| !open.set_back) && self.unsent_of(chart) == 0 {
                self.say_opened(chart, report).await;
            }
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
        self.receive_drops(report).await;
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

    /// Whether anything of a chart came from the server already.
    fn holds_any_of(&self, chart: ChartId) -> bool {
        let local = self.device().ok().and_then(|open| open.charts.get(&chart));
        local.is_some_and(|local| local.cursor.is_some() || local.base.is_some() || !local.held.is_empty())
    }

    /// Writes again what a former device of this store did not send, and sends it.
    async fn bring_former(&mut self, chart: ChartId, report: &mut SyncReport) -> Result<(), ClientError> {
        if self.device()?.set_back || self.rewrite_former(chart).await? == 0 {
            return Ok(());
        }
        match self.push_chart(chart).await {
            Ok(pushed) => report.pushed += pushed,
            Err(problem) => report.problems.push(problem),
        }
        Ok(())
    }

    /// The charts that this device reads, or wrote into.
    pub(crate) fn synced_charts(&self) -> Vec<ChartId> {
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
        // A server that waits after a restore does not tell what it will have.
        if report.problems.iter().any(awaits_recovery) {
            return;
        }
        let Ok(open) = self.device() else { return };
        let mut charts = self.synced_charts();
        charts.extend(open.mark.own_heads.iter().map(|head| head.chart));
        charts.sort_unstable();
        charts.dedup();
        let (mut heads, mut lost) = (Vec::new(), Vec::new());
        for chart in charts {
            // A recovery that was cut off goes on where it stopped: a life that began is not begun again.
            if let Some(head) = self.recovered_head(chart) {
                heads.extend(head);
                continue;
            }
            let mut pulled = self.pull_chart(chart).await;
            // A page that went with a part of the store may stand before the cursor.
            if let Ok(count) = pulled
                && self.lost_places(chart).is_ok_and(|lost| !lost.is_empty())
            {
                pulled = self.pull_from_first(chart).await.map(|more| count + more);
            }
            // What the server may still have is not lost.
            if !matches!(&pulled, Err(SyncProblem::Failed { .. })) {
                let of_chart = self.lost_places(chart).unwrap_or_default();
                lost.extend(of_chart.iter().copied());
                if let Err(error) = self.keep_losses(of_chart).await {
                    report.problems.push(SyncProblem::of_error("what was lost", error));
                    return;
                }
            }
            match pulled {
                Ok(pulled) => report.pulled += pulled,
                // Taken out of the chart since: nothing can be fetched. This device may be back one day,
                // and must not take a place then that it gave before: the new life begins now.
                Err(SyncProblem::Failed { error, .. }) if error.is(ErrorCode::NotMember) => {}
                Err(problem) => {
                    let harmless = matches!(problem, SyncProblem::BadEnvelope { .. });
                    report.problems.push(problem);
                    if !harmless {
                        return;
                    }
                }
            }
            // What the server lost of what it had receipted is carried on in the new life too.
            if let Err(problem) = self.lower_receipted(chart).await {
                report.problems.push(problem);
                return;
            }
            let event = event_name(
                IncidentKind::LocalRollback,
                &[&self.lives_of(chart).map_or([0; 8], |life| life.0.to_be_bytes())],
            );
            let incident = Incident::new(IncidentKind::LocalRollback, event);
            match self.open_new_life(chart, Some(incident), None).await {
                Ok(head) => heads.extend(head),
                Err(error) => {
                    report.problems.push(SyncProblem::of_error("new incarnation", error));
                    return;
                }
            }
        }
        report.problems.push(SyncProblem::LocalRollback);
        report.problems.extend(
            super::repair::counted(&lost)
                .into_iter()
                .map(|lost| SyncProblem::EntriesLost { chart: lost.chart, count: lost.count }),
        );
        if let Ok(open) = self.device_mut() {
            open.set_back = false;
        }
        for head in heads {
            self.raise_mark(Some(head)).await;
        }
        self.raise_mark(None).await;
    }

    /// The head of the life that began in a chart since the store was found set back: nothing if none did,
    /// and no head if nothing was written in it.
    fn recovered_head(&self, chart: ChartId) -> Option<Option<OwnHead>> {
        let open = self.device().ok()?;
        let life = open.recovered.life_of(chart, open.mark.store_version)?;
        let chain = open.charts.get(&chart)?.chain.as_ref().filter(|chain| chain.incarnation() == life)?;
        let head = chain.head();
        Some(head.map(|head| OwnHead { chart, incarnation: life, seq: head.seq, entry: head.entry }))
    }

    /// Compares what the server has of the present chain with what it receipted; what it does not have
    /// any more is unsent again.
    async fn lower_receipted(&mut self, chart: ChartId) -> Result<(), SyncProblem> {
        let theirs = match self.ask_have(chart).await {
            Ok(theirs) => theirs,
            Err(SyncProblem::Failed { error, .. }) if error.is(ErrorCode::NotMember) => return Ok(()),
            Err(problem) => return Err(problem),
        };
        match self.check_have(chart, &theirs.heads).await {
            Err(problem @ SyncProblem::Failed { .. }) => Err(problem),
            // What is missing or forked is said when the charts are met.
            _ => Ok(()),
        }
    }

    /// The life of this device's chain that ends now.
    fn lives_of(&self, chart: ChartId) -> Option<Incarnation> {
        let open = self.device().ok()?;
        let present = open.charts.get(&chart).and_then(|local| local.chain.as_ref());
        let marked = open.mark.own_heads.iter().find(|head| head.chart == chart);
        present.map(ward_sync::EntryChain::incarnation).or(marked.map(|head| head.incarnation))
    }

    /// Writes the access receipts of other days than today: of days that are over, and of those that a
    /// clock which was ahead called future.
    async fn write_due_access(&mut self) -> Result<(), ClientError> {
        let today = self.env_wall().utc_day();
        let due: Vec<_> = self
            .device()?
            .access
            .iter()
            .filter(|(_, record)| record.day != today)
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
        self.keep_reserve().await;
        let jitter = self.env.rng().next_u64();
        let Ok(open) = self.device_mut() else { return };
        report.mlog_size = open.mlog.membership.size();
        report.drops_waiting = open.waiting_drops().count() as u64;
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
        self.remember_sync(report).await;
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
        problem if awaits_recovery(problem) => true,
        SyncProblem::Failed { error, .. } => error.passes_by_itself(),
        SyncProblem::Stale { .. }
        | SyncProblem::TimeUnknown
        | SyncProblem::NeedsRotation(_)
        | SyncProblem::Incomplete { .. }
        | SyncProblem::PlaceNotProved { .. }
        | SyncProblem::OwnFork { .. }
        | SyncProblem::LocalRollback
        | SyncProblem::RevocationNotProved { .. }
        | SyncProblem::Quota { .. }
        | SyncProblem::Suspended { .. } => true,
        _ => false,
    }
}
