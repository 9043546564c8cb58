//! The drop box as staff see it: what devices that may not seal handed over is opened and checked here
//! like any entry, and waits until somebody adopts or declines it. The chart's entries decide what
//! became of a drop; the server's list is only a list.

use super::{Client, OpenDevice, SyncProblem, SyncReport, carried_names, carries_rightly};
use crate::limits::{BAD_DROPS_KNOWN_MAX, DROP_PAGES_PER_SYNC, DROPS_RELIST_EVERY_SYNCS};
use crate::store::{Batch, DropRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::{BTreeMap, BTreeSet};
use ward_api::{DropPage, DropRow, DropState, DropStateChange, ErrorCode, paths};
use ward_crypto::{DropEnvelope, open_drop, sha256};
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, TimestampMs};
use ward_sync::{ChartView, DroppedEntry, Place, QuarantineReason, SignedEntry, carriers, check_drop};

/// An entry that a device could not send itself, opened and checked, not part of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDrop {
    /// The entry, as its author signed it.
    pub entry: SignedEntry,
    /// Whether its author asks for attention now.
    pub urgent: bool,
    /// When the server took it, as the server says.
    pub received_at: TimestampMs,
    /// What was decided on this device, until the chart at the server says so too.
    pub decided: Option<DropState>,
}

/// How far this device has listed the drop box since it was unlocked.
#[derive(Debug, Default)]
pub(crate) struct DropsListed {
    /// The charts it was listed for.
    charts: Vec<ChartId>,
    /// List after this number.
    after: Option<u64>,
    /// Listings since the last whole one.
    times: u32,
    /// Drops that are not what they say, by the hash of their bytes.
    bad: BTreeSet<[u8; 32]>,
    /// One was bad for the first time: list from the start once more.
    again: bool,
}

impl DropsListed {
    /// Where the next listing begins: at the start for other charts, and now and then, because what
    /// others decided may have stayed on the list.
    fn begin(&mut self, charts: Vec<ChartId>) -> Option<u64> {
        self.times += 1;
        if self.charts != charts || self.times >= DROPS_RELIST_EVERY_SYNCS {
            *self = Self { charts, ..Self::default() };
        }
        self.after
    }

    /// Notes a drop that is not what it says.
    fn note_bad(&mut self, bytes: &[u8]) {
        // What comes a second time stands at the server as it came: nothing happened to it on the way.
        self.again |= self.bad.len() < BAD_DROPS_KNOWN_MAX && self.bad.insert(sha256(bytes));
    }
}

impl WaitingDrop {
    pub(crate) fn of_record(record: &DropRecord) -> Option<Self> {
        let decided = record.decided.map(DropState::from_number);
        Some(Self {
            entry: SignedEntry::from_stored(&record.entry).ok()?,
            urgent: record.urgent,
            received_at: record.received_at,
            decided: decided.map_or(Some(None), |state| state.map(Some))?,
        })
    }

    pub(crate) fn to_record(&self) -> DropRecord {
        DropRecord {
            received_at: self.received_at,
            entry: self.entry.to_stored().into(),
            urgent: self.urgent,
            decided: self.decided.map(DropState::number),
        }
    }

    pub(crate) fn key(&self) -> (ChartId, DeviceId, EntryId) {
        let frame = self.entry.frame();
        (frame.chart, frame.device, self.entry.id())
    }

    pub(crate) fn row_id(&self) -> Vec<u8> {
        let (chart, device, entry) = self.key();
        row_id(&[chart.as_bytes(), device.as_bytes(), entry.as_bytes()])
    }
}

/// What the chart says of an entry in the drop box.
#[derive(Clone, Copy)]
struct Decision {
    state: DropState,
    /// Whether the server has what says so. Before that the drop must stay on its list: this device
    /// could be lost with the only word about it.
    is_sent: bool,
}

/// What a chart says of drops, to a device that follows the log from a place on.
struct Decisions<'v, 'c> {
    view: &'v ChartView<'c>,
    /// Where the log that counts begins. What has its place before may be lost with the log that ended.
    log_begin: u64,
}

impl<'v, 'c> Decisions<'v, 'c> {
    fn new(view: &'v ChartView<'c>, open: &OpenDevice) -> Self {
        Self { view, log_begin: open.olog_begin() }
    }

    /// The decision about an opened drop. A carry of a store that was copied or set back is settled too
    /// when what it carries came on its own, or was adopted, or declined.
    fn about(&self, entry: &SignedEntry) -> Option<Decision> {
        let device = entry.frame().device;
        let mut names = carried_names(entry).into_iter();
        let own = names.next().and_then(|name| self.of(device, name));
        // What came and is kept aside needs its carry all the more.
        let stands = |name: &EntryId| !matches!(self.view.place(*name), Some(Place::Quarantined(_)));
        own.or_else(|| names.filter(stands).find_map(|name| self.of(device, name)))
    }

    /// The decision about an entry in the drop box; nothing while it waits.
    fn of(&self, device: DeviceId, entry: EntryId) -> Option<Decision> {
        let item = |wanted: EntryId| self.view.timeline().iter().find(|item| item.entry.id() == wanted);
        let is_here = |place: Option<u64>| place.is_some_and(|place| place >= self.log_begin);
        let arrived = |wanted: EntryId| item(wanted).is_some_and(|item| is_here(item.arrival.olog_index));
        let kept_aside = |place| {
            let reasons = [QuarantineReason::ToBeAdopted, QuarantineReason::Severed];
            place == Place::Parked || reasons.into_iter().any(|reason| place == Place::Quarantined(reason))
        };
        if let Some(found) = item(entry).filter(|found| !kept_aside(found.place)) {
            let is_sent = match carriers(self.view).get(&entry) {
                Some(carrier) => arrived(*carrier) || self.carriers_of(entry).any(arrived),
                None => arrived(found.entry.id()),
            };
            return Some(Decision { state: DropState::Adopted, is_sent });
        }
        let declines = self.view.drop_declines().iter();
        let declines = declines.flat_map(|thread| thread.past.iter().chain(&thread.current));
        let mut of_entry = declines
            .filter(|written| (written.value.device, written.value.entry) == (device, entry))
            .peekable();
        of_entry.peek()?;
        let is_sent = of_entry.any(|written| is_here(written.arrival.olog_index));
        Some(Decision { state: DropState::Declined, is_sent })
    }
}

impl<'v> Decisions<'v, '_> {
    /// All standing entries that make an entry count by carrying it: several people may have adopted it, and
    /// the first may have its place in a log that ended.
    fn carriers_of(&self, entry: EntryId) -> impl Iterator<Item = EntryId> + 'v {
        let standing = self.view.timeline().iter().filter(|item| item.place == Place::Visible);
        standing
            .map(|item| item.entry)
            .filter(move |outer| carries_rightly(outer, entry))
            .map(SignedEntry::id)
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Entries of a chart that wait in the drop box, in the order of their chains.
    ///
    /// # Errors
    /// As [`Client::chart`].
    pub fn waiting_drops(&self, chart: ChartId) -> Result<Vec<&WaitingDrop>, ClientError> {
        let open = self.device()?;
        open.readable()?;
        let of_chart = |drop: &&WaitingDrop| drop.entry.frame().chart == chart;
        let mut out: Vec<&WaitingDrop> = open.waiting_drops().filter(of_chart).collect();
        out.sort_by_key(|drop| {
            let frame = drop.entry.frame();
            (frame.device, frame.body.lamport, frame.incarnation, frame.seq)
        });
        Ok(out)
    }

    /// Settles what the chart has decided, tells the server, and lists what is new. Only staff against
    /// whom nothing stands. A server that waits after a restore may have lost what was decided, so all
    /// stays on its list until then.
    pub(crate) async fn receive_drops(&mut self, report: &mut SyncReport) {
        let reads = |open: &OpenDevice| {
            open.order.is_none() && !open.mlog.membership.charts_of(open.me.device).is_empty()
        };
        if !self.device().is_ok_and(|open| open.me.role.is_staff() && reads(open)) {
            return;
        }
        let failed = |error| SyncProblem::of_error("drop box", error);
        if !self.server_waits(report)
            && let Err(error) = self.settle_drops().await
        {
            report.problems.push(failed(error));
        }
        if let Err(error) = self.list_drops(report).await {
            report.problems.push(failed(error));
        }
    }

    /// Drops that the chart has decided about, here or elsewhere, leave this device and the list; those
    /// of a device that was severed leave this device.
    async fn settle_drops(&mut self) -> Result<(), ClientError> {
        let open = self.device()?;
        let charts: BTreeSet<ChartId> = open.drops.keys().map(|(chart, ..)| *chart).collect();
        let mut settled = Vec::new();
        for chart in charts {
            let Ok(view) = self.view_of(chart) else { continue };
            let decisions = Decisions::new(&view, open);
            let of_chart = open.drops.values().filter(|drop| drop.entry.frame().chart == chart);
            for drop in of_chart {
                match decisions.about(&drop.entry) {
                    Some(Decision { state, is_sent: true }) => settled.push((drop.clone(), Some(state))),
                    None if open.is_severed(drop) => settled.push((drop.clone(), None)),
                    _ => {}
                }
            }
        }
        for (drop, state) in settled {
            if let Some(state) = state {
                self.mark_drop(drop.key(), state).await?;
            }
            let mut batch = Batch::default();
            batch.delete(Table::Drops, drop.row_id());
            self.commit(batch).await?;
            self.device_mut()?.drops.remove(&drop.key());
            self.raise_mark(None).await;
        }
        Ok(())
    }

    /// Takes a drop off the server's list; one that is gone already is as good.
    async fn mark_drop(
        &mut self,
        (chart, device, entry): (ChartId, DeviceId, EntryId),
        state: DropState,
    ) -> Result<(), ClientError> {
        let body = DropStateChange { chart, device, entry, state };
        match self.wire()?.post_done(paths::DROP_STATE, &body).await {
            Ok(_) => Ok(()),
            // Gone already, or this device has left the chart: the list is not its business any more.
            Err(error) if error.is(ErrorCode::DropUnknown) || error.is(ErrorCode::NotMember) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn list_drops(&mut self, report: &mut SyncReport) -> Result<(), ClientError> {
        let open = self.device_mut()?;
        let charts = open.mlog.membership.charts_of(open.me.device);
        let mut after = open.drops_listed.begin(charts);
        if after.is_none() {
            open.sealed_drops.clear();
        }
        for _ in 0..DROP_PAGES_PER_SYNC {
            let path = paths::drops_after(after);
            let page: DropPage = self.wire()?.get(&path).await?;
            let rising = page.rows.is_sorted_by(|a, b| a.number < b.number);
            let Some(last) = page.rows.last().map(|row| row.number) else { return Ok(()) };
            if !rising || after.is_some_and(|after| page.rows.iter().any(|row| row.number <= after)) {
                return Err(ClientError::BadAnswer { path });
            }
            let more = page.more;
            self.take_drops(page.rows, report).await?;
            after = Some(last);
            // What was damaged on the way is asked for again, once.
            let listed = &mut self.device_mut()?.drops_listed;
            listed.after = after.filter(|_| !std::mem::take(&mut listed.again));
            if !more {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Opens, checks and stores a page of drops in one commit.
    async fn take_drops(&mut self, rows: Vec<DropRow>, report: &mut SyncReport) -> Result<(), ClientError> {
        let (mut fresh, mut decided, mut batch) = (Vec::new(), Vec::new(), Batch::default());
        let mut sealed = BTreeMap::new();
        let decisions = self.decisions_about(&rows);
        let (me, settles) = (self.device()?.me.device, !self.server_waits(report));
        for row in rows {
            let Ok(dropped) = DropEnvelope::from_canonical(row.dropped.as_ref()) else {
                return Err(ClientError::BadAnswer { path: paths::DROP.to_owned() });
            };
            let key = (dropped.chart, dropped.device, dropped.entry_id);
            if self.device()?.drops.contains_key(&key) {
                continue;
            }
            if let Some(Decision { state, is_sent }) = decisions.get(&key).copied() {
                decided.extend((is_sent && settles).then_some((key, state)));
                continue;
            }
            // A device's own drop is for others. It goes once the entry has its place in the log: until then
            // its own chart says nothing of what they have.
            if dropped.device == me {
                continue;
            }
            if self.is_sealed_to_nobody(&dropped) {
                sealed.insert(key, row.received_at);
                continue;
            }
            match self.opened_drop(&dropped, row.received_at)? {
                Ok(Some(drop)) => {
                    batch.put(Table::Drops, drop.row_id(), &drop.to_record());
                    fresh.push(drop);
                }
                Ok(None) => {}
                Err(why) => {
                    let (chart, device) = (dropped.chart, dropped.device);
                    self.device_mut()?.drops_listed.note_bad(row.dropped.as_ref());
                    report.problems.push(SyncProblem::BadDrop { chart, device, why });
                }
            }
        }
        self.commit(batch).await?;
        let open = self.device_mut()?;
        open.drops.extend(fresh.into_iter().map(|drop| (drop.key(), drop)));
        open.sealed_drops.extend(sealed);
        self.raise_mark(None).await;
        for (key, state) in decided {
            self.mark_drop(key, state).await?;
        }
        Ok(())
    }

    /// What the charts say of drops; each chart is computed once.
    fn decisions_about(&self, rows: &[DropRow]) -> BTreeMap<(ChartId, DeviceId, EntryId), Decision> {
        let mut by_chart: BTreeMap<ChartId, Vec<(DeviceId, EntryId)>> = BTreeMap::new();
        for dropped in rows.iter().filter_map(|row| DropEnvelope::from_canonical(row.dropped.as_ref()).ok()) {
            by_chart.entry(dropped.chart).or_default().push((dropped.device, dropped.entry_id));
        }
        let mut out = BTreeMap::new();
        let Ok(open) = self.device() else { return out };
        for (chart, drops) in by_chart {
            let Ok(view) = self.view_of(chart) else { continue };
            for (device, entry) in drops {
                let decision = Decisions::new(&view, open).of(device, entry);
                out.extend(decision.map(|decision| ((chart, device, entry), decision)));
            }
        }
        out
    }

    /// Whether an acceptable drop of this device's charts can be opened by nobody of the present team.
    fn is_sealed_to_nobody(&self, dropped: &DropEnvelope) -> bool {
        let Ok(open) = self.device() else { return false };
        let membership = &open.mlog.membership;
        let now = self.trusted_now().unwrap_or_else(|| self.env_wall());
        let opens = |wrap: &ward_crypto::DropWrap| open.staff_in_date(dropped.chart, wrap.device, now);
        membership.is_member(dropped.chart, open.me.device)
            && check_drop(membership, dropped).is_ok()
            && !dropped.wraps.iter().any(opens)
    }

    /// Opens one drop with this device's own key. Nothing for one that is for others; the reason for
    /// one that is not what it says.
    fn opened_drop(
        &self,
        dropped: &DropEnvelope,
        received_at: TimestampMs,
    ) -> Result<Result<Option<WaitingDrop>, &'static str>, ClientError> {
        let open = self.device()?;
        let membership = &open.mlog.membership;
        if !membership.is_member(dropped.chart, open.me.device) {
            return Ok(Err("it is of a chart that this device does not read"));
        }
        let Ok(record) = check_drop(membership, dropped) else {
            return Ok(Err("the log does not let its device hand it over, or its signature does not hold"));
        };
        if !dropped.wraps.iter().any(|wrap| wrap.device == open.me.device) {
            return Ok(Ok(None));
        }
        let sign_pk = &record.cert().binding.sign_pk;
        let Ok(plaintext) = open_drop(open.me.device, &open.keys.enc, dropped, sign_pk) else {
            return Ok(Err("it does not open"));
        };
        Ok(match DroppedEntry::read(dropped, &plaintext, record.cert()) {
            Ok(DroppedEntry { entry, .. }) if entry.frame().site != open.me.site => {
                Err("it is of another site")
            }
            Ok(DroppedEntry { entry, urgent }) => {
                Ok(Some(WaitingDrop { entry, urgent, received_at, decided: None }))
            }
            Err(_) => Err("it holds another entry than it names"),
        })
    }
}
