//! One chart's part of a meeting with the server: send, compare the version vectors in one round,
//! fetch only if they differ, give back what the server lacks, and close what is over.

use super::incidents::event_name;
use super::{Client, SyncProblem, SyncReport};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{
    ChainPlace, HaveAnswer, HaveQuestion, PlacedEntry, ReconcileAnswer, ReconcileQuestion, paths,
};
use ward_crypto::sha256;
use ward_id::{Canonical as _, ChartId, DeviceId, Incarnation, VersionVector};
use ward_sync::{Bisection, ChainDifference, DeviceClosed, Draft, Incident, IncidentKind};

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("comparing", error.into())
}

/// What the server has.
pub(crate) struct Theirs {
    /// Its version vector.
    pub(crate) heads: VersionVector,
    /// Whether it is the one of this device.
    pub(crate) same: bool,
    /// Places that it asks for.
    pub(crate) wanted: Vec<ChainPlace>,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Sends, compares, fetches and repairs one chart. `same` is the hash of what is held of it, if the
    /// server has said that it has just that.
    pub(crate) async fn meet_chart(
        &mut self,
        chart: ChartId,
        same: Option<[u8; 32]>,
        report: &mut SyncReport,
    ) {
        let mut may_send = self.send(chart, report).await;
        let theirs = match self.ask_unless(chart, same).await {
            Ok(theirs) => theirs,
            Err(problem) => {
                // Without a vector the pages still tell what is new.
                report.problems.push(problem);
                self.fetch(chart, report).await;
                return;
            }
        };
        if !theirs.same || self.waits_for_pages(chart) {
            self.fetch(chart, report).await;
        }
        let checked = self.check_have(chart, &theirs.heads).await;
        let is_whole = checked.is_ok();
        if let Err(problem) = checked {
            report.problems.push(self.classified(problem, chart).await);
        }
        let relayed = match self.relay_missing(chart, &theirs.heads, &theirs.wanted).await {
            Ok(relayed) => relayed.count,
            Err(problem) => {
                report.problems.push(problem);
                0
            }
        };
        report.relayed += relayed;
        if relayed > 0 {
            // Where it stands now, nothing else would tell: the vectors are equal from here on.
            self.fetch(chart, report).await;
        }
        // What the server lost of this device's own is unsent again.
        let lost = self.unsent_of(chart);
        may_send = may_send && self.send(chart, report).await;
        let given = relayed + lost.saturating_sub(self.unsent_of(chart));
        let noted = self.note_given(chart, given, &theirs).await;
        let closed = self.close_lost_devices(chart).await;
        for error in [noted.err(), closed.err()].into_iter().flatten() {
            report.problems.push(failed(error));
        }
        if is_whole && let Err(problem) = self.give_back_branches(chart, !theirs.same).await {
            report.problems.push(problem);
        }
        if may_send {
            self.send(chart, report).await;
        }
    }

    /// Sends what waits; whether more may be sent in this meeting.
    async fn send(&mut self, chart: ChartId, report: &mut SyncReport) -> bool {
        if self.device().is_ok_and(|open| open.set_back) {
            return false;
        }
        let waited = self.unsent_of(chart);
        if waited == 0 {
            return true;
        }
        match self.push_chart(chart).await {
            Ok(pushed) => report.pushed += pushed,
            Err(problem) => {
                // What was taken before it went wrong counts.
                report.pushed += waited.saturating_sub(self.unsent_of(chart));
                report.problems.push(problem);
                return false;
            }
        }
        true
    }

    async fn fetch(&mut self, chart: ChartId, report: &mut SyncReport) {
        match self.pull_chart(chart).await {
            Ok(pulled) => report.pulled += pulled,
            Err(problem) => report.problems.push(problem),
        }
    }

    pub(crate) fn unsent_of(&self, chart: ChartId) -> u64 {
        let local = self.device().ok().and_then(|open| open.charts.get(&chart));
        local.map_or(0, |local| local.unsent().count() as u64)
    }

    /// Whether pages are wanted though the vectors are equal: something did not open yet, what this
    /// device sent did not come back with its place, pages were passed over on the way to a later one, or
    /// all that came has its place in a log that ended.
    fn waits_for_pages(&self, chart: ChartId) -> bool {
        let Ok(open) = self.device() else { return false };
        open.charts.get(&chart).is_some_and(|local| {
            let own_is_back = local.receipted == 0 || local.own_arrived(local.receipted);
            let in_ended_log = local.cursor.is_some_and(|cursor| cursor < open.olog_begin());
            // Where the server had nothing after the cursor, nothing was passed over.
            let is_ended = local.ended_at.is_some() && local.ended_at == local.cursor;
            let passed_over = local.held.last().copied() > local.cursor && !is_ended;
            !local.unopened.is_empty() || !own_is_back || passed_over || in_ended_log
        })
    }

    async fn ask_unless(&mut self, chart: ChartId, same: Option<[u8; 32]>) -> Result<Theirs, SyncProblem> {
        if let Some(same) = same {
            let ours = self.device_mut().map_err(failed)?.chart_or_new(chart).chart.have();
            if same == sha256(&ours.to_canonical()) {
                return Ok(Theirs { heads: ours, same: true, wanted: Vec::new() });
            }
        }
        self.ask_have(chart).await
    }

    /// The server's version vector, in one round: it is sent only if it differs.
    pub(crate) async fn ask_have(&mut self, chart: ChartId) -> Result<Theirs, SyncProblem> {
        let ours = self.device_mut().map_err(failed)?.chart_or_new(chart).chart.have();
        let question = HaveQuestion { digest: sha256(&ours.to_canonical()) };
        let path = paths::have(chart);
        let answer: HaveAnswer = self.wire().map_err(failed)?.post(&path, &question).await.map_err(failed)?;
        let same = answer.heads.is_none();
        Ok(Theirs { heads: answer.heads.unwrap_or(ours), same, wanted: answer.wanted })
    }

    /// A vector that differs at one place is looked at more closely: one chain is bisected.
    async fn classified(&mut self, problem: SyncProblem, chart: ChartId) -> SyncProblem {
        let SyncProblem::DeviceFork { device, .. } = problem else { return problem };
        let Some(incarnation) = self.forked_life(chart, device) else { return problem };
        match self.reconcile_chain(chart, device, incarnation).await {
            Ok(ChainDifference::Forked { .. }) => self.fork_found(chart, device, incarnation).await,
            Ok(ChainDifference::Equal) => problem,
            Ok(_) => SyncProblem::Incomplete { chart, device, incarnation },
            Err(error) => failed(error),
        }
    }

    fn forked_life(&self, chart: ChartId, device: DeviceId) -> Option<Incarnation> {
        self.device().ok()?.charts.get(&chart)?.differs.filter(|(of, _)| *of == device).map(|(_, life)| life)
    }

    /// Finds how a chain here differs from the server's, by asking for the entries at few places.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn reconcile_chain(
        &mut self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
    ) -> Result<ChainDifference, ClientError> {
        let ours = {
            let local = self.device_mut()?.chart_or_new(chart);
            local.chart.have().head(device, incarnation).map_or(0, |head| head.seq)
        };
        let mut search = Bisection::new(ours);
        let path = paths::reconcile(chart);
        loop {
            let question = ReconcileQuestion { device, incarnation, places: search.places() };
            let answer: ReconcileAnswer = self.wire()?.post(&path, &question).await?;
            let entries: Vec<_> =
                answer.entries.into_iter().map(|PlacedEntry { seq, entry }| (seq, entry)).collect();
            let open = self.device_mut()?;
            let me = open.me.device;
            let local = open.chart_or_new(chart);
            let holds = |seq, entry| {
                // Of its own chain this device may hold what another machine wrote, too.
                let own = local.own.get(&(incarnation, seq)).filter(|_| device == me);
                if let Some(own) = own {
                    return own.id() == entry;
                }
                let frame = local.chart.get(entry).map(ward_sync::SignedEntry::frame);
                frame.is_some_and(|it| (it.device, it.incarnation, it.seq) == (device, incarnation, seq))
            };
            if let Some(found) = search.take(answer.head, &entries, holds) {
                return Ok(found);
            }
        }
    }

    /// Writes down that this device gave back what the server had lost.
    async fn note_given(&mut self, chart: ChartId, given: u64, theirs: &Theirs) -> Result<(), ClientError> {
        if given == 0 {
            return Ok(());
        }
        let reopening = self.device()?.mlog.membership.reopenings().last().cloned();
        let incident = match reopening.filter(|_| theirs.wanted.is_empty()) {
            Some(reopening) => Incident {
                count: Some(given),
                evidence: Some(reopening.checkpoint),
                ..Incident::new(
                    IncidentKind::LogReopened,
                    event_name(IncidentKind::LogReopened, &[reopening.new_origin.as_bytes()]),
                )
            },
            None if theirs.wanted.is_empty() => return Ok(()),
            None => {
                // One a day, whatever a server asks for: an asking that never ends must not fill charts.
                let day = self.env_wall().utc_day().to_be_bytes();
                Incident {
                    count: Some(given),
                    ..Incident::new(IncidentKind::Relayed, event_name(IncidentKind::Relayed, &[&day]))
                }
            }
        };
        self.write_incident(chart, incident).await.map(drop)
    }

    /// Closes the chains of this person's own devices that were revoked, as far as they are held: a
    /// person who enrolled anew does not come back with the old device.
    async fn close_lost_devices(&mut self, chart: ChartId) -> Result<(), ClientError> {
        let due: Vec<DeviceClosed> = {
            let open = self.device()?;
            let membership = &open.mlog.membership;
            let mine = |device: DeviceId| {
                device != open.me.device
                    && membership.device(chart, device).is_some_and(|record| {
                        record.person() == open.me.person && record.revocation().is_some()
                    })
            };
            let Some(local) = open.charts.get(&chart) else { return Ok(()) };
            // A new chain begins with what the former device of this store left behind.
            let is_to_begin = local.chain.is_none() && local.former_unsent(open.me.device).next().is_some();
            if open.set_back || is_to_begin || !local.chart.devices().any(mine) {
                return Ok(());
            }
            let closed = self.view_of(chart)?.closed_chains();
            let heads = local.chart.have();
            let ends = heads.iter().filter(|(device, life, head)| {
                mine(*device) && closed.get(&(*device, *life)).is_none_or(|end| end.seq < head.seq)
            });
            ends.map(|(device, incarnation, head)| DeviceClosed {
                device,
                incarnation,
                final_seq: head.seq,
                final_entry: head.entry,
            })
            .collect()
        };
        for closed in due {
            match self.capture_draft(chart, Draft::new(closed)).await {
                Err(ClientError::UnknownChart(_) | ClientError::Entry(_)) => return Ok(()),
                written => written?,
            };
        }
        Ok(())
    }
}
