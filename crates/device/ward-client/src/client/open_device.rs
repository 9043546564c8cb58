//! What an unlocked device holds in memory.

use super::keep_epochs::HeldEpoch;
use super::olog_proofs::NamedHeads;
use super::problem::SyncProblem;
use crate::store::{
    AccessRecord, BaseStateRecord, BlobRecord, DraftRecord, ReceiptRecord, ReceivedRecord, TicketRecord,
};
use crate::wire::Session;
use crate::{ClientError, HighWater, ServerAddress};
use std::collections::{BTreeMap, BTreeSet};
use ward_audit::{LogView, MLOG_LEAF_BYTES, TreeHead, mlog_leaf_parts};
use ward_crypto::{DeviceCert, DeviceKeys, Envelope, EpochPackage, Lkek, Role, RootPolicy};
use ward_id::{
    Canonical as _, ChartId, DeviceId, EntryId, Head, Incarnation, PackageHash, PersonId, SiteId, StudyId,
    Subject, TicketId,
};
use ward_sync::{
    Arrival, Chart, CheckpointFault, DeviceRecord, Effect, EntryChain, Inserted, Membership, MembershipError,
    MlogEntry, Scope, SignedEntry, TrustedTime,
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
}

impl Unopened {
    pub(crate) fn new(page: &[u8], row: &ReceivedRecord) -> Self {
        let place = Envelope::from_canonical(&row.envelope).ok().map(|envelope| {
            let header = envelope.header();
            (header.device, header.incarnation, header.seq)
        });
        Self { page: page.to_vec(), index: row.index, place }
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
    /// The first place of each stored page of envelopes.
    pub(crate) pages: BTreeSet<u64>,
    /// Places in the operation log whose envelopes are at hand.
    pub(crate) held: BTreeSet<u64>,
    pub(crate) receipts: BTreeMap<Vec<u8>, ReceiptRecord>,
    /// The server's version vector named something that is not here, for so many syncs in a row.
    pub(crate) incomplete_for: u32,
    /// The checkpoint that this copy began with, or whose history was dropped.
    pub(crate) base: Option<BaseStateRecord>,
    /// It came with the sync that is under way.
    pub(crate) base_new: bool,
    /// Checkpoints that do not hold, and why.
    pub(crate) bad_checkpoints: BTreeMap<EntryId, CheckpointFault>,
    /// Checkpoints that were compared with this copy since the program was started, and hold.
    pub(crate) sound_checkpoints: BTreeSet<EntryId>,
}

impl LocalChart {
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
            pages: BTreeSet::new(),
            held: BTreeSet::new(),
            receipts: BTreeMap::new(),
            incomplete_for: 0,
            base: None,
            base_new: false,
            bad_checkpoints: BTreeMap::new(),
            sound_checkpoints: BTreeSet::new(),
        }
    }

    /// Puts an entry into the chart. Entries of another chart never come here: they are checked
    /// when they are opened.
    pub(crate) fn insert(&mut self, entry: SignedEntry, arrival: Arrival) -> Option<Inserted> {
        self.chart.insert(entry, arrival).ok()
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
    pub(crate) time: TrustedTime,
    pub(crate) charts: BTreeMap<ChartId, LocalChart>,
    pub(crate) drafts: BTreeMap<Vec<u8>, DraftRecord>,
    pub(crate) access: BTreeMap<Vec<u8>, AccessRecord>,
    pub(crate) tickets: BTreeMap<TicketId, TicketRecord>,
    pub(crate) blobs: BTreeMap<Vec<u8>, BlobRecord>,
    /// Blobs that the server said to have since this program was started.
    pub(crate) blobs_asked: BTreeSet<Vec<u8>>,
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
    /// What stops sealing until a person acts.
    pub(crate) stopped_by: Vec<SyncProblem>,
    pub(crate) mark: HighWater,
    /// The mark could not be written.
    pub(crate) mark_behind: bool,
    /// The store is older than the mark.
    pub(crate) set_back: bool,
    /// Failed syncs in a row.
    pub(crate) failures: u32,
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
            time: TrustedTime::default(),
            charts: BTreeMap::new(),
            drafts: BTreeMap::new(),
            access: BTreeMap::new(),
            tickets: BTreeMap::new(),
            blobs: BTreeMap::new(),
            blobs_asked: BTreeSet::new(),
            blob_in_use: None,
            reserve_rows: 0,
            reserve_touched: false,
            named_roots: BTreeMap::new(),
            newly_proved: Vec::new(),
            named_heads: NamedHeads::default(),
            stopped_by: Vec::new(),
            mark,
            mark_behind: false,
            set_back: false,
            failures: 0,
        }
    }

    /// The view of the membership log, with the witnesses that the newest manifest names.
    pub(crate) fn mlog_view(&self) -> Result<LogView, ClientError> {
        let view = self.mlog.view.clone().ok_or(ClientError::MlogRefused("no head is held yet"))?;
        Ok(view)
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
        self.mlog = MlogCopy { leaves, entries, membership, effects, scope, view: None };
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

/// Admins and auditors are shown every entry, all others those of their charts.
fn scope_of(role: Role, charts: &BTreeSet<ChartId>) -> Scope {
    if sees_all(role) { Scope::All } else { Scope::Charts(charts.clone()) }
}

pub(crate) const fn sees_all(role: Role) -> bool {
    matches!(role, Role::Admin | Role::Auditor)
}
