//! What a device of staff says of having opened: once for each chart and sync in which something
//! new of a patient was opened. What other staff say of having opened is no reason to say more, so
//! devices that meet for ever fall silent; nor is what a patient's device says of checkpoints.

use super::carried::innermost_kind;
use super::{Client, LocalChart, SyncProblem, SyncReport};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, Incarnation};
use ward_sync::limits::OPENED_CHAINS_MAX;
use ward_sync::{Decoded, Draft, EntryKind, Opened, OpenedChain, Payload, SignedEntry};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Writes what was newly opened of a chart and sends it.
    pub(crate) async fn say_opened(&mut self, chart: ChartId, report: &mut SyncReport) {
        let opened = match self.newly_opened(chart) {
            Ok(Some(opened)) => opened,
            Ok(None) => return,
            Err(error) => return report.problems.push(SyncProblem::of_error("what was opened", error)),
        };
        let written = self.capture_draft(chart, Draft::new(opened)).await;
        if let Err(error) = written.and_then(|_| self.set_opened_said(chart)) {
            return report.problems.push(SyncProblem::of_error("what was opened", error));
        }
        match self.push_chart(chart).await {
            Ok(pushed) => report.pushed += pushed,
            Err(problem) => report.problems.push(problem),
        }
    }

    fn set_opened_said(&mut self, chart: ChartId) -> Result<(), ClientError> {
        self.device_mut()?.chart_or_new(chart).opened_said = true;
        Ok(())
    }

    /// The chains that went on since this device last said how far it had opened them; nothing
    /// unless one of them is a patient's.
    fn newly_opened(&mut self, chart: ChartId) -> Result<Option<Opened>, ClientError> {
        let open = self.device()?;
        let (me, membership) = (open.me.device, &open.mlog.membership);
        let Some(local) = open.charts.get(&chart) else { return Ok(None) };
        if local.opened_said || !open.me.role.is_staff() || !membership.is_member(chart, me) {
            return Ok(None);
        }
        let said = said_opened(local);
        let of_patient =
            |device| membership.device(chart, device).is_some_and(|record| record.role() == Role::Patient);
        let heads = local.chart.settled();
        let mut moved: Vec<OpenedChain> = heads
            .iter()
            .filter(|(device, incarnation, head)| {
                *device != me && said.get(&(*device, *incarnation)).is_none_or(|seq| *seq < head.seq)
            })
            .map(|(device, incarnation, head)| OpenedChain {
                device,
                incarnation,
                seq: head.seq,
                entry: head.entry,
            })
            .collect();
        // Of more chains than one entry holds, those of patients come first.
        moved.sort_by_key(|chain| !of_patient(chain.device));
        moved.truncate(OPENED_CHAINS_MAX);
        let news =
            moved.iter().filter(|chain| of_patient(chain.device)).any(|chain| says_more(local, &said, chain));
        moved.sort_unstable();
        if !news {
            self.set_opened_said(chart)?;
            return Ok(None);
        }
        Ok(Some(Opened { chains: moved }))
    }
}

/// Whether a chain went on with more than what its device says of checkpoints.
fn says_more(local: &LocalChart, said: &BTreeMap<(DeviceId, Incarnation), u64>, chain: &OpenedChain) -> bool {
    let before = said.get(&(chain.device, chain.incarnation)).copied().unwrap_or(0);
    let is_new = |entry: &&SignedEntry| {
        let frame = entry.frame();
        frame.incarnation == chain.incarnation && frame.seq > before && frame.seq <= chain.seq
    };
    local
        .chart
        .entries_of(chain.device)
        .filter(is_new)
        .any(|entry| !innermost_kind(entry).is_about_checkpoints())
}

/// How far this device has said before that it opened each chain. After its own entries were lost it
/// says so once more.
fn said_opened(local: &LocalChart) -> BTreeMap<(DeviceId, Incarnation), u64> {
    let mut said: BTreeMap<(DeviceId, Incarnation), u64> = BTreeMap::new();
    let own = local.own.values().filter(|entry| entry.body().kind == EntryKind::OPENED);
    for entry in own {
        let Decoded::Known(Payload::Opened(opened)) = entry.body().decode_payload() else { continue };
        for chain in opened.chains {
            let known = said.entry((chain.device, chain.incarnation)).or_default();
            *known = (*known).max(chain.seq);
        }
    }
    said
}
