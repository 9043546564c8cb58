//! Handing over: what this device may not seal goes to the drop box, sealed to the staff devices that
//! it verified itself. The entries stay here and stay unsent: only an adoption makes them count.

use super::{Client, SyncProblem, SyncReport};
use crate::store::{Batch, Bytes, DroppedRecord, Table, row_id};
use crate::wire::get_anonymous;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeSet;
use ward_api::limits::{DROP_BATCH_MAX, DROP_BATCH_MAX_BYTES, DROP_MAX_BYTES};
use ward_api::{DropBatch, Opaque, SiteInfo, paths};
use ward_crypto::{DropEnvelope, EncPublicKey, HedgedRng, seal_drop};
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId};
use ward_sync::{DeliveryState, DropCause, DroppedEntry, EntryChain, delivery, drop_recipients};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Marks an own entry that was not sent yet as urgent: if it cannot be sealed because the site's
    /// log is only stale, it goes to the drop box all the same, and staff are alerted.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for an entry that is not this device's, or that was sent already;
    /// [`ClientError::Severed`], [`ClientError::LeaseEnded`], [`ClientError::Store`].
    pub async fn mark_urgent(&mut self, chart: ChartId, entry: EntryId) -> Result<(), ClientError> {
        let open = self.device()?;
        open.writable()?;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        if !local.unsent().any(|own| own.id() == entry) {
            return Err(ClientError::Unknown("the entry that waits to be sent"));
        }
        let mut batch = Batch::default();
        batch.put(Table::Urgent, row_id(&[chart.as_bytes(), entry.as_bytes()]), &true);
        self.commit(batch).await?;
        self.device_mut()?.urgent.insert((chart, entry));
        self.raise_mark(None).await;
        Ok(())
    }

    /// Hands over what the sync could not send, if it was for a reason that the drop box is for.
    pub(crate) async fn hand_over(&mut self, report: &mut SyncReport) {
        let Some(cause) = self.drop_cause(report) else { return };
        let Ok(open) = self.device() else { return };
        if open.order.as_ref().is_some_and(|order| order.severed) {
            return;
        }
        let charts: Vec<ChartId> = open.charts.keys().copied().collect();
        let site = self.ask_site(cause).await;
        let restore = site.as_ref().and_then(|site| Some(Bytes::from(site.restore.clone()?.0)));
        let is_restored = site.is_some_and(|site| site.restore.is_some() || self.is_of_a_later_log(&site));
        let is_revoked = cause == DropCause::Revoked;
        for chart in charts {
            if is_revoked && let Err(error) = self.take_back_what_nobody_saw(chart, is_restored).await {
                report.problems.push(SyncProblem::of_error("drop box", error));
            }
            match self.hand_over_chart(chart, cause, restore.as_ref()).await {
                Ok(count) => report.handed_over += count,
                Err(error) => {
                    let problem = SyncProblem::of_error("drop box", error);
                    let said_already = report.problems.contains(&problem)
                        || (problem == SyncProblem::Revoked && self.doubts_revocation(report));
                    if !said_already {
                        report.problems.push(problem);
                    }
                }
            }
        }
    }

    /// Whether this sync found that the server says "revoked" without being able to show it.
    fn doubts_revocation(&self, report: &SyncReport) -> bool {
        report.problems.iter().any(|problem| matches!(problem, SyncProblem::RevocationNotProved { .. }))
    }

    /// Why nothing can be sealed, if it is a cause that the drop box is for. The strongest counts.
    fn drop_cause(&self, report: &SyncReport) -> Option<DropCause> {
        let said = |wanted: fn(&SyncProblem) -> bool| report.problems.iter().any(wanted);
        let ordered = self.device().is_ok_and(|open| open.order.is_some());
        let refused = |problem: &SyncProblem| {
            matches!(problem, SyncProblem::Revoked | SyncProblem::RevocationNotProved { .. })
        };
        if ordered || said(refused) {
            Some(DropCause::Revoked)
        } else if said(|problem| matches!(problem, SyncProblem::Suspended { .. })) {
            Some(DropCause::Suspended)
        } else if said(|problem| matches!(problem, SyncProblem::CertificateExpired)) {
            Some(DropCause::CertificateOutOfDate)
        } else if said(|problem| matches!(problem, SyncProblem::Stale { .. } | SyncProblem::TimeUnknown)) {
            Some(DropCause::Stale)
        } else {
            None
        }
    }

    /// What the server says of itself; it is asked only where something may have to be handed over. Nothing
    /// follows from it but that something is sent once more.
    async fn ask_site(&self, cause: DropCause) -> Option<SiteInfo> {
        let open = self.device().ok()?;
        let is_due = |chart: ChartId, entry: EntryId| cause.hands_over(open.urgent.contains(&(chart, entry)));
        let mut unsent =
            open.charts.iter().flat_map(|(chart, local)| local.unsent().map(|own| (*chart, own.id())));
        if cause != DropCause::Revoked && !unsent.any(|(chart, entry)| is_due(chart, entry)) {
            return None;
        }
        let answer = get_anonymous(&self.transport, &open.server, paths::SITE).await.ok()?;
        SiteInfo::from_canonical(&answer).ok()
    }

    /// Whether the operation log was opened again since this device last followed the membership log.
    fn is_of_a_later_log(&self, site: &SiteInfo) -> bool {
        let origin = self.device().ok().and_then(|open| open.mlog.membership.olog_origin());
        origin.is_some_and(|origin| origin != site.olog_origin)
    }

    /// A server that was set back lost what came after its backup, and a revoked device is not told what
    /// that was. What a device of staff has seen comes back from there; what nobody is known to have seen
    /// counts as unsent again, and is handed over. Of a server that says of no restore, what was found under
    /// a head that witnesses signed is there: without it, it could not go on.
    async fn take_back_what_nobody_saw(
        &mut self,
        chart: ChartId,
        is_restored: bool,
    ) -> Result<(), ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart).filter(|local| local.receipted > 0) else { return Ok(()) };
        let Some(life) = local.chain.as_ref().map(EntryChain::incarnation) else { return Ok(()) };
        let kept = local.receipts.values().filter(|_| !is_restored);
        let kept = kept.filter(|receipt| receipt.checked_at_size.is_some());
        let kept: BTreeSet<EntryId> = kept.flat_map(|receipt| receipt.entries.iter().copied()).collect();
        let newest = local.own.get(&(life, local.receipted));
        if newest.is_some_and(|entry| kept.contains(&entry.id())) {
            return Ok(());
        }
        let states = delivery(&self.view_of(chart)?, |_| DeliveryState::Received);
        let is_seen =
            |entry: EntryId| states.get(&entry) == Some(&DeliveryState::Opened) || kept.contains(&entry);
        let received = local.own.range((life, 0)..=(life, local.receipted));
        let seen = received.filter(|(_, entry)| is_seen(entry.id()));
        let seen = seen.map(|((_, seq), _)| *seq).max().unwrap_or(0);
        // What went with a damaged part of the store cannot be handed over, nor what stands before it: a chain
        // with a gap among what is unsent is that of a store that was set back.
        let gone = (1..=local.receipted).rev().find(|seq| !local.own.contains_key(&(life, *seq)));
        let seen = seen.max(gone.unwrap_or(0));
        if seen < local.receipted { self.set_receipted(chart, seen).await } else { Ok(()) }
    }

    /// Hands over a chart's entries in the order of their chain. What was taken is noted request by
    /// request, so a cut in between repeats one request at most, and that changes nothing there.
    async fn hand_over_chart(
        &mut self,
        chart: ChartId,
        cause: DropCause,
        restore: Option<&Bytes>,
    ) -> Result<u64, ClientError> {
        let mut count = 0;
        loop {
            let sealed = self.seal_drops(chart, cause, restore)?;
            if sealed.is_empty() {
                return Ok(count);
            }
            let body: DropBatch = sealed.iter().map(|one| Opaque(one.to_canonical())).collect();
            self.wire()?.post_possessed(paths::DROP, &body).await?;
            let at = self.env_wall();
            let open = self.device()?;
            let mut batch = Batch::default();
            let mut records = Vec::with_capacity(sealed.len());
            for dropped in &sealed {
                let known = open.dropped.get(&(chart, dropped.entry_id));
                let times = known.map_or(0, |known| known.times).saturating_add(1);
                let recipients = dropped.wraps.iter().map(|wrap| wrap.device).collect();
                let record = DroppedRecord { at, recipients, times, restore: restore.cloned() };
                let id = row_id(&[chart.as_bytes(), dropped.entry_id.as_bytes()]);
                batch.put(Table::Dropped, id, &record);
                records.push(((chart, dropped.entry_id), record));
            }
            self.commit(batch).await?;
            count += records.iter().filter(|(_, record)| record.times == 1).count() as u64;
            self.device_mut()?.dropped.extend(records);
            self.raise_mark(None).await;
        }
    }

    /// Seals as many entries as one request takes, to all staff devices that this device verified.
    fn seal_drops(
        &mut self,
        chart: ChartId,
        cause: DropCause,
        restore: Option<&Bytes>,
    ) -> Result<Vec<DropEnvelope>, ClientError> {
        let now = self.env_wall();
        let (open, env) = self.device_and_env()?;
        let me = open.me.device;
        let staff = drop_recipients(&open.mlog.membership, chart, me);
        let Some(local) = open.charts.get(&chart).filter(|_| !staff.is_empty()) else {
            return Ok(Vec::new());
        };
        let (mut sealed, mut bytes) = (Vec::new(), 0);
        for entry in local.unsent() {
            let key = (chart, entry.id());
            let urgent = open.urgent.contains(&key);
            let rests = open.dropped.get(&key).is_some_and(|record| !record.is_due(now, restore));
            if rests || !cause.hands_over(urgent) {
                continue;
            }
            let plaintext = DroppedEntry { entry: entry.clone(), urgent }.plaintext();
            let context = [b"drop".as_slice(), chart.as_bytes(), entry.id().as_bytes()].concat();
            let mut rng = HedgedRng::new(env.rng(), &open.keys.hedge, &context);
            let seal = |to: &[(DeviceId, EncPublicKey)], rng: &mut _| {
                seal_drop(chart, me, entry.id(), to, &plaintext, &open.keys.sign, rng)
            };
            let mut to = staff.as_slice();
            let mut dropped = seal(to, &mut rng)?;
            // A very large entry goes to as many of them as one drop has room for.
            while dropped.to_canonical().len() > DROP_MAX_BYTES && to.len() > 1 {
                to = to.get(..to.len() / 2).unwrap_or(to);
                dropped = seal(to, &mut rng)?;
            }
            bytes += dropped.to_canonical().len();
            if bytes > DROP_BATCH_MAX_BYTES && !sealed.is_empty() {
                break;
            }
            sealed.push(dropped);
            if sealed.len() == DROP_BATCH_MAX {
                break;
            }
        }
        Ok(sealed)
    }
}
