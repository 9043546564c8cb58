//! Places in operation logs that ended. An entry of a revoked device stands where its place before the
//! cut-off is proved, and after a restore that place may lie in a log that nobody writes any more. What
//! the restored server kept of it stands at the front of the log that counts, in its old order, and the
//! old head under which it stood is signed in the membership log: so every device proves the same.

use super::{Client, OpenDevice, SyncProblem};
use crate::limits::PLACES_TRIED_OF_A_REVOKED_DEVICE;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_audit::{TreeHead, leaf_hash, olog_leaf, verify_inclusion};
use ward_id::{ChartId, DeviceId, EntryId};
use ward_sync::limits::OLOG_SPAN;

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("operation log", error.into())
}

/// The front of a log that ended, as far as everybody can prove it.
#[derive(Clone, Copy)]
struct Kept {
    number: u32,
    head: TreeHead,
    /// Where its places begin, counted through all logs.
    begin: u64,
    /// Where what it held stands now: the place of its place 0.
    now: u64,
}

impl Kept {
    /// Every log that ended, the newest first. The first log had no leaf of an earlier one before its
    /// envelopes; all that came after it have one.
    fn all(open: &OpenDevice) -> Vec<Self> {
        let membership = &open.mlog.membership;
        let kept = |number: u32| {
            let head = membership.kept_of(number)?;
            let begin = OLOG_SPAN.saturating_mul(u64::from(number.saturating_sub(1)));
            let now = open.olog_begin().saturating_add(u64::from(number == 1));
            Some(Self { number, head, begin, now })
        };
        (1..membership.olog_number()).rev().filter_map(kept).collect()
    }

    /// The places of the log that counts at which stands what stood in this log below a cut-off.
    fn range(&self, cut: u64) -> (u64, u64) {
        let below = self.head.size.min(cut.saturating_sub(self.begin));
        // The leaf before the envelopes of a later log is none of them.
        (self.now.saturating_add(u64::from(self.number > 1)), self.now.saturating_add(below))
    }
}

/// A chain of a revoked device whose place before the cut-off is to be proved.
#[derive(Clone, Copy)]
struct Due {
    chart: ChartId,
    device: DeviceId,
    cut: u64,
    kept: Kept,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Of revoked devices, proves the newest entry of each chain before the cut-off in the logs that
    /// ended.
    pub(super) async fn prove_in_ended_logs(&mut self, left: &mut usize, problems: &mut Vec<SyncProblem>) {
        if !self.olog_is_current() {
            return;
        }
        let Ok(open) = self.device() else { return };
        let kept = Kept::all(open);
        let mut due = Vec::new();
        for (chart, local) in open.charts.iter().filter(|_| !kept.is_empty()) {
            for device in local.chart.devices() {
                let Some(revocation) = open.mlog.membership.revocation(*chart, device) else { continue };
                let (chart, cut) = (*chart, revocation.cut);
                let holds_any = |kept: &&Kept| {
                    let (begin, end) = kept.range(cut);
                    begin < end
                };
                due.extend(kept.iter().filter(holds_any).map(|kept| Due { chart, device, cut, kept: *kept }));
            }
        }
        for one in due {
            if let Err(problem) = self.prove_before_end(one, left, problems).await {
                problems.push(problem);
                return;
            }
        }
    }

    /// A place that cannot be proved must not keep the entries before it from standing.
    async fn prove_before_end(
        &mut self,
        due: Due,
        left: &mut usize,
        problems: &mut Vec<SyncProblem>,
    ) -> Result<(), SyncProblem> {
        let Due { chart, device, cut, kept } = due;
        let (begin, mut end) = kept.range(cut);
        for _ in 0..PLACES_TRIED_OF_A_REVOKED_DEVICE {
            let Some(local) = self.device().map_err(failed)?.charts.get(&chart) else { return Ok(()) };
            let open = local.chart.to_prove_before(device, (begin, end), cut);
            let Some((entry, place)) = open.into_iter().max_by_key(|(_, place)| *place) else {
                return Ok(());
            };
            if *left == 0 {
                return Ok(());
            }
            *left -= 1;
            match self.prove_kept(chart, entry, place, kept).await {
                Ok(true) => {}
                Ok(false) => {
                    problems.push(SyncProblem::PlaceNotProved { chart, entry, index: place });
                    end = place;
                }
                Err(problem) => return Err(problem),
            }
        }
        Ok(())
    }

    /// Proves that what stands at a place now stood in a log that ended, under the head that was kept.
    async fn prove_kept(
        &mut self,
        chart: ChartId,
        entry: EntryId,
        place: u64,
        kept: Kept,
    ) -> Result<bool, SyncProblem> {
        let Some(envelope) = self.envelope_at(chart, entry, place).await.map_err(failed)? else {
            return Ok(false);
        };
        let index = place.saturating_sub(kept.now);
        let shown = self.fetch_inclusions_in(Some(kept.number), &[index], kept.head.size).await;
        let shown = shown.map_err(failed)?.pop();
        let leaf = leaf_hash(olog_leaf(&envelope));
        let holds = shown.is_some_and(|shown| {
            verify_inclusion(index, kept.head.size, &leaf, &kept.head.root, &shown.proof).is_ok()
        });
        if holds {
            let place = kept.begin.saturating_add(index);
            let open = self.device_mut().map_err(failed)?;
            open.chart_or_new(chart).chart.prove(entry, place);
            open.newly_proved.push((chart, entry, place));
        }
        Ok(holds)
    }
}
