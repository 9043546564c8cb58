//! What an unlocked device holds in memory.

use super::edit_text::OpenText;
use super::greeting::Greeting;
use super::keep_epochs::HeldEpoch;
use super::olog_proofs::NamedHeads;
use super::problem::SyncProblem;
use super::receive_drops::{DropsListed, WaitingDrop};
use super::surplus::Surplus;
use crate::limits::REFETCH_DOUBLINGS;
use crate::store::{
    AccessRecord, BaseStateRecord, BlobRecord, DraftRecord, DroppedRecord, LastSyncRecord, LossRecord,
    OrderRecord, ReceiptRecord, ReceivedRecord, RecoveredRecord, SubmissionsRecord, TicketRecord,
    ZonesRecord,
};
use crate::wire::Session;
use crate::{ClientError, HighWater, ServerAddress};
use std::collections::{BTreeMap, BTreeSet};
use ward_audit::{LogView, MLOG_LEAF_BYTES, TreeHead, mlog_leaf_parts};
use ward_crypto::{DeviceCert, DeviceKeys, Envelope, EpochPackage, Lkek, Role, RootPolicy};
use ward_id::{
    Canonical as _, ChartId, DeviceId, EntryId, Head, Incarnation, PackageHash, PersonId, SiteId, StudyId,
    Subject, TicketId, TimestampMs, VersionVector,
};
use ward_sync::{
    Arrival, Chart, CheckpointFault, DeviceRecord, Effect, EntryChain, Lease, Membership, MembershipError,
    MlogEntry, Scope, SignedEntry, Standing, TextId, TrustedTime, WitnessedHeads,
};

/// Who this device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The study.
    pub study: StudyId,
    /// The site.
    pub site: SiteId,
    /// The person's pseudonym.
    pub person: PersonId,
    /// What the person may do.
    pub role: Role,
    /// This device.
    pub device: DeviceId,
    /// The person's own chart, for a patient.
    pub chart: Option<ChartId>,
    /// Whether root, admins and witnesses are said to be on different machines.
    pub independent: bool,
}

/// How entries of the membership log worked out, by index.
pub(crate) type Effects = BTreeMap<u64, Effect>;

/// An envelope that could not be opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unopened {
    /// The row that holds it.
    pub(crate) page: Vec<u8>,
    /// Its place in the operation log.
    pub(crate) index: u64,
    /// The place in its author's chain that its header names; nothing if it has no header.
    pub(crate) place: Option<(DeviceId, Incarnation, u64)>,
    /// The epoch that its header names.
    pub(crate) epoch: Option<u64>,
}

impl Unopened {
    pub(crate) fn new(page: &[u8], row: &ReceivedRecord) -> Self {
        let envelope = Envelope::from_canonical(&row.envelope).ok();
        let header = envelope.as_ref().map(Envelope::header);
        let place = header.map(|header| (header.device, header.incarnation, header.seq));
        Self { page: page.to_vec(), index: row.index, place, epoch: header.map(|header| header.epoch) }
    }
}

/// This device's copy of one chart.
pub(crate) struct LocalChart {
    pub(crate) chart: Chart,
    /// This device's chain, once it wrote something.
    pub(crate) chain: Option<EntryChain>,
    /// Own entries of the present incarnation up to here are known to the server.
    pub(crate) receipted: u64,
    /// Own entries, by life of the store and place.
    pub(crate) own: BTreeMap<(Incarnation, u64), SignedEntry>,
    pub(crate) epochs: BTreeMap<u64, HeldEpoch>,
    /// The package that counts, if it was made for this device and does not open for it.
    pub(crate) spoilt: Option<PackageHash>,
    /// Pull after this olog index.
    pub(crate) cursor: Option<u64>,
    pub(crate) unopened: Vec<Unopened>,
    /// Places whose envelopes the server gave again as they are here.
    pub(crate) given_again: BTreeMap<u64, GivenAgain>,
    /// The first place of each stored page of envelopes.
    pub(crate) pages: BTreeSet<u64>,
    /// Places in the operation log whose envelopes are at hand.
    pub(crate) held: BTreeSet<u64>,
    /// The cursor after which the server had no page when it was asked last.
    pub(crate) ended_at: Option<u64>,
    /// What is kept of what no known device signed or what came before at another place.
    pub(crate) surplus: Surplus,
    /// Places at which two envelopes are held.
    pub(crate) held_twice: BTreeSet<u64>,
    pub(crate) receipts: BTreeMap<Vec<u8>, ReceiptRecord>,
    /// The server's version vector named something that is not here, for so many syncs in a row.
    pub(crate) incomplete_for: u32,
    /// A chain whose place the server's version vector gives to another entry.
    pub(crate) differs: Option<(DeviceId, Incarnation)>,
    /// Whether everything that was opened here was said to be.
    pub(crate) opened_said: bool,
    /// The checkpoint that this copy began with, or whose history was dropped.
    pub(crate) base: Option<BaseStateRecord>,
    /// It came with the sync that is under way.
    pub(crate) base_new: bool,
    /// Checkpoints that do not hold, and why.
    pub(crate) bad_checkpoints: BTreeMap<EntryId, CheckpointFault>,
    /// Checkpoints that were compared with this copy since the program was started, and hold.
    pub(crate) sound_checkpoints: BTreeSet<EntryId>,
    /// Checkpoints whose places were found to differ from those here, with what they cover. They are
    /// compared again when something of that comes or moves.
    pub(crate) other_places: BTreeMap<EntryId, VersionVector>,
}

/// How often an envelope that does not open came again as it is here. It may be mended at the server
/// one day, so it is asked for again, more and more seldom.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GivenAgain {
    times: u32,
    /// Meetings with the server to let pass.
    wait: u32,
}

impl GivenAgain {
    /// Notes one more answer that changed nothing.
    pub(crate) fn note(&mut self) {
        self.wait = (1 << self.times.min(REFETCH_DOUBLINGS)) - 1;
        self.times = self.times.saturating_add(1);
    }

    /// Whether it is asked for in this meeting.
    pub(crate) const fn is_due(&mut self) -> bool {
        let due = self.wait == 0;
        self.wait = self.wait.saturating_sub(1);
        due
    }
}

impl LocalChart {
    /// Whether an envelope waits for the secret of an epoch.
    pub(crate) fn lacks_an_epoch(&self) -> bool {
        let lacks = |epoch: u64| !self.epochs.contains_key(&epoch);
        self.unopened.iter().any(|one| one.epoch.is_some_and(lacks))
    }

    pub(crate) fn new(site: SiteId, chart: ChartId) -> Self {
        Self {
            chart: Chart::new(site, chart),
            chain: None,
            receipted: 0,
            own: BTreeMap::new(),
            epochs: BTreeMap::new(),
            spoilt: None,
            cursor: None,
            unopened: Vec::new(),
            given_again: BTreeMap::new(),
            pages: BTreeSet::new(),
            held: BTreeSet::new(),
            ended_at: None,
            surplus: Surplus::default(),
            held_twice: BTreeSet::new(),
            receipts: BTreeMap::new(),
            incomplete_for: 0,
            differs: None,
            opened_said: false,
            base: None,
            base_new: false,
            bad_checkpoints: BTreeMap::new(),
            sound_checkpoints: BTreeSet::new(),
            other_places: BTreeMap::new(),
        }
    }

    /// How an own entry at this place stands before anything came back of it: `unsent` while the server is not
    /// known to have it.
    pub(crate) fn own_arrival(&self, place: (Incarnation, u64), unsent: Arrival) -> Arrival {
        let present = self.chain.as_ref().map(EntryChain::incarnation);
        let is_unsent = present == Some(place.0) && place.1 > self.receipted;
        if is_unsent { unsent } else { Arrival::UNSENT }
    }

    /// Whether the server's log is known to hold an entry.
    pub(crate) fn arrived(&self, entry: EntryId) -> bool {
        self.chart.arrival(entry).is_some_and(|arrival| arrival.olog_index.is_some())
    }

    /// Whether the own entry at a place of the present chain came back from the server's log.
    pub(crate) fn own_arrived(&self, seq: u64) -> bool {
        let life = self.chain.as_ref().map(EntryChain::incarnation);
        let own = life.and_then(|life| self.own.get(&(life, seq)));
        own.is_some_and(|entry| self.arrived(entry.id()))
    }

    /// Whether an envelope of a chain beyond what is held of it came and does not open.
    pub(crate) fn waits_unopened(
        &self,
        device: DeviceId,
        incarnation: Incarnation,
        held: Option<Head>,
        upto: u64,
    ) -> bool {
        let held = held.map_or(0, |head| head.seq);
        self.unopened
            .iter()
            .filter_map(|one| one.place)
            .any(|(by, life, seq)| (by, life) == (device, incarnation) && seq > held && seq <= upto)
    }

    /// Entries of former devices of this store that did not arrive at the server.
    pub(crate) fn former_unsent(&self, me: DeviceId) -> impl Iterator<Item = &SignedEntry> {
        self.own.values().filter(move |entry| entry.frame().device != me && !self.arrived(entry.id()))
    }

    /// Whether an own entry that the server is not known to have is missing here, or the chain ends
    /// before one that is here: a part of the store is gone.
    pub(crate) fn own_chain_is_broken(&self) -> bool {
        // Without a chain there is nothing but what a former device of this store wrote.
        let Some(chain) = &self.chain else { return false };
        let (life, last) = (chain.incarnation(), chain.head().map_or(0, |head| head.seq));
        let first = self.receipted.saturating_add(1);
        let held = self.own.range((life, first)..=(life, u64::MAX)).map(|((_, seq), _)| *seq);
        !held.eq(first..=last)
    }

    /// Own entries that the server does not have yet, in order.
    pub(crate) fn unsent(&self) -> impl Iterator<Item = &SignedEntry> {
        let present = self.chain.as_ref().map(EntryChain::incarnation);
        let receipted = self.receipted;
        self.own
            .iter()
            .filter(move |((incarnation, seq), _)| Some(*incarnation) == present && *seq > receipted)
            .map(|(_, entry)| entry)
    }
}

/// The device's copy of the membership log.
pub(crate) struct MlogCopy {
    pub(crate) leaves: Vec<[u8; MLOG_LEAF_BYTES]>,
    /// The entries that concern this device, by index.
    pub(crate) entries: BTreeMap<u64, Vec<u8>>,
    pub(crate) membership: Membership,
    pub(crate) effects: Effects,
    /// Charts whose entries are at hand; for admins all are.
    pub(crate) scope: BTreeSet<ChartId>,
    /// The list of charts named one that the log did not: it is asked for again.
    pub(crate) charts_unsure: bool,
    pub(crate) view: Option<LogView>,
}

/// A log that cannot be applied.
#[derive(Debug)]
pub(crate) enum ApplyError {
    /// The server did not send an entry of this subject that concerns the device.
    Missing(Subject),
    /// What was sent does not fit the leaves.
    Refused,
}

/// Applies leaves from `membership.size()` on.
pub(crate) fn apply_leaves(
    membership: &mut Membership,
    effects: &mut Effects,
    leaves: &[[u8; MLOG_LEAF_BYTES]],
    entries: &BTreeMap<u64, Vec<u8>>,
) -> Result<(), ApplyError> {
    let from = membership.size();
    for (index, leaf) in leaves.iter().enumerate().map(|(place, leaf)| (place as u64, leaf)) {
        if index < from {
            continue;
        }
        let applied = match entries.get(&index) {
            Some(bytes) => membership.apply_bytes(index, leaf, bytes),
            None => {
                let (subject, hash) = mlog_leaf_parts(leaf).ok_or(ApplyError::Refused)?;
                membership.apply_leaf(index, subject, hash)
            }
        };
        match applied {
            Ok(effect) => effects.insert(index, effect),
            Err(MembershipError::BytesNeeded(subject)) => return Err(ApplyError::Missing(subject)),
            Err(_) => return Err(ApplyError::Refused),
        };
    }
    Ok(())
}

/// Everything of an unlocked device.
pub(crate) struct OpenDevice {
    pub(crate) lkek: Lkek,
    pub(crate) keys: DeviceKeys,
    pub(crate) me: Me,
    pub(crate) root_policy: RootPolicy,
    pub(crate) server: ServerAddress,
    pub(crate) session: Session,
    pub(crate) mlog: MlogCopy,
    pub(crate) olog: Option<LogView>,
    /// What the server said at the beginning of this meeting.
    pub(crate) greeting: Greeting,
    pub(crate) time: TrustedTime,
    pub(crate) charts: BTreeMap<ChartId, LocalChart>,
    pub(crate) drafts: BTreeMap<Vec<u8>, DraftRecord>,
    /// Texts that a person is writing in.
    pub(crate) texts: BTreeMap<(ChartId, TextId), OpenText>,
    pub(crate) access: BTreeMap<Vec<u8>, AccessRecord>,
    pub(crate) tickets: BTreeMap<TicketId, TicketRecord>,
    pub(crate) blobs: BTreeMap<Vec<u8>, BlobRecord>,
    /// Blobs that the server said to have since this program was started.
    pub(crate) blobs_asked: BTreeSet<Vec<u8>>,
    /// Blobs of which the server showed something else, or that are damaged here, since this program was
    /// started.
    pub(crate) contents_asked: BTreeSet<Vec<u8>>,
    /// The blob that is being fetched: it does not make room for itself.
    pub(crate) blob_in_use: Option<Vec<u8>>,
    /// Rows of the reserve for submissions.
    pub(crate) reserve_rows: u8,
    /// Something was taken from the reserve and not put back.
    pub(crate) reserve_touched: bool,
    /// The newest heads of the membership log that other members named and that lie beyond the
    /// verified one.
    pub(crate) named_roots: BTreeMap<DeviceId, TreeHead>,
    /// Places that were proved and are not stored yet.
    pub(crate) newly_proved: Vec<(ChartId, EntryId, u64)>,
    /// Heads of the operation log that others named.
    pub(crate) named_heads: NamedHeads,
    /// Own entries that were handed to the drop box.
    pub(crate) dropped: BTreeMap<(ChartId, EntryId), DroppedRecord>,
    /// Own entries that the person marked urgent.
    pub(crate) urgent: BTreeSet<(ChartId, EntryId)>,
    /// Entries of others in the drop box.
    pub(crate) drops: BTreeMap<(ChartId, DeviceId, EntryId), WaitingDrop>,
    /// How far the drop box was listed, for which charts, and how often since it was listed whole.
    pub(crate) drops_listed: DropsListed,
    /// Drops that nobody of the present team can open, with the time at which the server took them.
    pub(crate) sealed_drops: BTreeMap<(ChartId, DeviceId, EntryId), TimestampMs>,
    /// What stands against this device, verified.
    pub(crate) order: Option<OrderRecord>,
    /// How far this device opens; decided when it is unlocked.
    pub(crate) lease: Lease,
    /// What stops sealing until a person acts.
    pub(crate) stopped_by: Vec<SyncProblem>,
    pub(crate) mark: HighWater,
    /// The mark could not be written.
    pub(crate) mark_behind: bool,
    /// The store is older than the mark.
    pub(crate) set_back: bool,
    /// Where a recovery from that has got to.
    pub(crate) recovered: RecoveredRecord,
    /// Failed syncs in a row.
    pub(crate) failures: u32,
    /// What is remembered of the last sync.
    pub(crate) last_sync: Option<LastSyncRecord>,
    /// When witnesses signed which head of the operation log.
    pub(crate) witnessed: WitnessedHeads,
    /// When this device first showed which zone.
    pub(crate) zones: ZonesRecord,
    /// What could not be kept.
    pub(crate) losses: LossRecord,
    /// What was sent to the membership log last.
    pub(crate) submissions: SubmissionsRecord,
}

impl OpenDevice {
    pub(crate) fn new(
        lkek: Lkek,
        keys: DeviceKeys,
        me: Me,
        root_policy: RootPolicy,
        server: ServerAddress,
        mark: HighWater,
    ) -> Self {
        let scope: BTreeSet<ChartId> = me.chart.into_iter().collect();
        let membership = Membership::new(root_policy.clone(), scope_of(me.role, &scope));
        let mlog = MlogCopy {
            leaves: Vec::new(),
            entries: BTreeMap::new(),
            membership,
            effects: Effects::new(),
            scope,
            charts_unsure: true,
            view: None,
        };
        Self {
            lkek,
            keys,
            me,
            root_policy,
            server,
            session: Session::default(),
            mlog,
            olog: None,
            greeting: Greeting::default(),
            time: TrustedTime::default(),
            charts: BTreeMap::new(),
            drafts: BTreeMap::new(),
            texts: BTreeMap::new(),
            access: BTreeMap::new(),
            tickets: BTreeMap::new(),
            blobs: BTreeMap::new(),
            blobs_asked: BTreeSet::new(),
            contents_asked: BTreeSet::new(),
            blob_in_use: None,
            reserve_rows: 0,
            reserve_touched: false,
            named_roots: BTreeMap::new(),
            newly_proved: Vec::new(),
            named_heads: NamedHeads::default(),
            dropped: BTreeMap::new(),
            urgent: BTreeSet::new(),
            drops: BTreeMap::new(),
            drops_listed: DropsListed::default(),
            sealed_drops: BTreeMap::new(),
            order: None,
            lease: Lease::Open,
            stopped_by: Vec::new(),
            mark,
            mark_behind: false,
            set_back: false,
            recovered: RecoveredRecord::default(),
            failures: 0,
            last_sync: None,
            witnessed: WitnessedHeads::new(),
            zones: ZonesRecord::default(),
            losses: LossRecord::default(),
            submissions: SubmissionsRecord::default(),
        }
    }

    /// How an own entry stands that was not sent yet. It will be sealed under a membership log that is at
    /// least as long as the present one.
    pub(crate) fn unsent(&self) -> Arrival {
        Arrival::UNSENT.sealed_under(Some(self.mlog.membership.size()))
    }

    /// Where the places of the held operation log begin, counted through all logs of the site.
    pub(crate) fn olog_begin(&self) -> u64 {
        let membership = &self.mlog.membership;
        let held = self.olog.as_ref().and_then(|view| membership.olog_begin_of(view.origin().as_str()));
        held.unwrap_or_else(|| membership.olog_begin())
    }

    /// The view of the membership log, with the witnesses that the newest manifest names.
    pub(crate) fn mlog_view(&self) -> Result<LogView, ClientError> {
        let view = self.mlog.view.clone().ok_or(ClientError::MlogRefused("no head is held yet"))?;
        Ok(view)
    }

    /// Whether the person may see what is stored here.
    ///
    /// # Errors
    /// [`ClientError::Severed`], [`ClientError::LeaseEnded`].
    pub(crate) fn readable(&self) -> Result<(), ClientError> {
        self.writable()?;
        if self.lease == Lease::Open { Ok(()) } else { Err(ClientError::LeaseEnded) }
    }

    /// Whether the person may write.
    ///
    /// # Errors
    /// As [`OpenDevice::readable`].
    pub(crate) fn writable(&self) -> Result<(), ClientError> {
        if self.order.as_ref().is_some_and(|order| order.severed || order.wipe) {
            return Err(ClientError::Severed);
        }
        if self.lease == Lease::Locked { Err(ClientError::LeaseEnded) } else { Ok(()) }
    }

    /// Entries in the drop box that wait for a decision. What a device handed over that was severed since
    /// waits for nobody.
    pub(crate) fn waiting_drops(&self) -> impl Iterator<Item = &WaitingDrop> {
        self.drops.values().filter(|drop| drop.decided.is_none() && !self.is_severed(drop))
    }

    /// Whether the device of a drop is not trusted any more.
    pub(crate) fn is_severed(&self, drop: &WaitingDrop) -> bool {
        let (chart, device, _) = drop.key();
        self.mlog.membership.standing(chart, device, None) == Standing::Severed
    }

    /// Whether the person of a participant's device came back with another one since. Then what the
    /// former device could not send was written again.
    pub(crate) fn came_back(&self, chart: ChartId, device: DeviceId) -> bool {
        let membership = &self.mlog.membership;
        let Some(author) = membership.device(chart, device) else { return false };
        membership.participant_devices(chart).any(|known| {
            known.person() == author.person()
                && known.is_active()
                && known.certified_index() > author.certified_index()
        })
    }

    /// Whether a device is staff of a chart and its certificate is in date.
    pub(crate) fn staff_in_date(&self, chart: ChartId, device: DeviceId, now: TimestampMs) -> bool {
        let membership = &self.mlog.membership;
        let member = membership.members(chart).and_then(|set| set.get(device));
        member.is_some_and(|member| member.role.is_staff())
            && membership.device(chart, device).is_some_and(|record| record.cert().valid_at(now))
    }

    /// This device's certificate, if the log has it.
    pub(crate) fn own_cert(&self) -> Option<&DeviceCert> {
        self.own_record().map(DeviceRecord::cert)
    }

    /// This device in the log.
    pub(crate) fn own_record(&self) -> Option<&DeviceRecord> {
        match self.me.chart {
            Some(chart) => self.mlog.membership.device(chart, self.me.device),
            None => self.mlog.membership.site_device(self.me.device),
        }
    }

    /// The copy of a chart; an empty one is made.
    pub(crate) fn chart_or_new(&mut self, chart: ChartId) -> &mut LocalChart {
        let site = self.me.site;
        self.charts.entry(chart).or_insert_with(|| LocalChart::new(site, chart))
    }

    /// All packages at hand, for judging announces.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &EpochPackage> {
        self.charts.values().flat_map(|chart| chart.epochs.values().map(|held| &held.package))
    }

    /// Computes the membership anew from leaves and entries, with every chart in scope whose
    /// entries are complete.
    pub(crate) fn computed(
        &self,
        mut scope: BTreeSet<ChartId>,
        leaves: &[[u8; MLOG_LEAF_BYTES]],
        entries: &BTreeMap<u64, Vec<u8>>,
    ) -> Result<(Membership, Effects, BTreeSet<ChartId>), ApplyError> {
        loop {
            let mut membership = Membership::new(self.root_policy.clone(), scope_of(self.me.role, &scope));
            self.packages().for_each(|package| {
                membership.learn_package(package);
            });
            let mut effects = Effects::new();
            match apply_leaves(&mut membership, &mut effects, leaves, entries) {
                Ok(()) => return Ok((membership, effects, scope)),
                // A chart that the server no longer shows: this device was taken out of it.
                Err(ApplyError::Missing(subject))
                    if scope.remove(&ChartId::from_bytes(*subject.as_bytes())) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes the stored log up again.
    pub(crate) fn rebuild_mlog(
        &mut self,
        leaves: Vec<[u8; MLOG_LEAF_BYTES]>,
        entries: BTreeMap<u64, Vec<u8>>,
    ) -> Result<(), ApplyError> {
        let scope = self.charts_in(&entries);
        let (membership, effects, scope) = self.computed(scope, &leaves, &entries)?;
        self.mlog = MlogCopy { leaves, entries, membership, effects, scope, charts_unsure: true, view: None };
        Ok(())
    }

    /// The charts that the entries at hand are about.
    fn charts_in(&self, entries: &BTreeMap<u64, Vec<u8>>) -> BTreeSet<ChartId> {
        let site = Subject::from(self.me.site);
        let subjects =
            entries.values().filter_map(|bytes| MlogEntry::read(bytes).ok()).map(|entry| entry.subject());
        let charts = subjects
            .filter(|subject| *subject != site)
            .map(|subject| ChartId::from_bytes(*subject.as_bytes()));
        charts.chain(self.me.chart).collect()
    }
}

/// When and where an envelope came that is kept at a place, where the operation log that counts
/// begins at `begin`. A place in a log that ended is none in the log that counts; the time stays.
pub(crate) const fn arrival(begin: u64, place: u64, received_at: TimestampMs) -> Arrival {
    if place >= begin { Arrival::at(place, received_at) } else { Arrival::in_ended_log(received_at) }
}

/// The size of the membership log under which an envelope says that it was sealed. It is only decoded, as this
/// is asked of every row at each unlock: of one that opened, its spelling and its signature were checked then.
pub(crate) fn sealed_at(envelope: &[u8]) -> Option<u64> {
    minicbor::decode::<Envelope>(envelope).ok().map(|envelope| envelope.header().mlog_size)
}

/// Admins and auditors are shown every entry, all others those of their charts.
fn scope_of(role: Role, charts: &BTreeSet<ChartId>) -> Scope {
    if sees_all(role) { Scope::All } else { Scope::Charts(charts.clone()) }
}

pub(crate) const fn sees_all(role: Role) -> bool {
    matches!(role, Role::Admin | Role::Auditor)
}
