//! Who is a member of what, as a pure function of the membership log.
//!
//! Entries are applied one by one. Each is effective or void, and the reason is data. Every device
//! keeps the tree over all leaves, but the bodies of the site and of its own charts only, and
//! comes to the same answers about those as the server, which holds everything.

mod arrival;
mod certify;
mod cut_off;
mod epoch_count;
mod judge;
mod later_manifest;
mod log_keys;
mod queries;
mod reopening;
mod signers;
mod state;
mod void;

pub use arrival::{ArrivalFacts, ArrivalRefusal};
pub use cut_off::CutOff;
pub use epoch_count::CountedEpoch;
pub use log_keys::{HeadOfManifest, key_of_receipt};
pub use queries::{RotationReason, Standing};
pub use reopening::{KeptLog, Reopening, cosigned_head};
pub use state::{DeviceRecord, Member, MemberSet, Revocation};
pub use void::{Effect, MembershipError, VoidReason};

use crate::mlog::MlogEntry;
use crate::mlog_body::MlogKind;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use epoch_count::{PackageFacts, Packages};
use judge::{Change, Judged};
use state::{ChartState, SiteState};
use ward_audit::{CompactTree, MLOG_LEAF_BYTES, TreeHead, leaf_hash, mlog_leaf, mlog_leaf_parts};
use ward_crypto::{EpochPackage, RootPolicy, sha256};
use ward_id::{ChartId, DeviceId, MlogEntryHash, PackageHash, PersonId, Subject, TeamId, TreeRoot};

/// Which charts a view holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All: the server, admins and auditors.
    All,
    /// These: a member of them. The site's own entries belong to every view.
    Charts(BTreeSet<ChartId>),
}

/// The membership log, applied.
#[derive(Debug, Clone)]
pub struct Membership {
    root: RootPolicy,
    scope: Scope,
    tree: CompactTree,
    /// The root at every size, from 0 on: what a signer's base is compared with.
    roots: Vec<TreeRoot>,
    site: SiteState,
    charts: BTreeMap<ChartId, ChartState>,
    packages: Packages,
}

/// Whose members may have changed.
enum Touched {
    Nobody,
    Chart(ChartId),
    Device(PersonId, DeviceId),
    Team(TeamId),
}

impl Membership {
    /// The empty log of the site whose root policy was pinned by the ticket.
    pub fn new(root: RootPolicy, scope: Scope) -> Self {
        let tree = CompactTree::new();
        let roots = [tree.root()].to_vec();
        Self {
            root,
            scope,
            tree,
            roots,
            site: SiteState::default(),
            charts: BTreeMap::new(),
            packages: Packages::new(),
        }
    }

    /// Applies the entry at `index`. An entry of a chart outside the scope counts as its leaf.
    ///
    /// # Errors
    /// [`MembershipError::OutOfOrder`].
    pub fn apply(&mut self, index: u64, entry: &MlogEntry) -> Result<Effect, MembershipError> {
        let (subject, hash) = (entry.subject(), entry.hash());
        if self.is_foreign(subject) {
            return self.apply_leaf(index, subject, hash);
        }
        self.expect(index)?;
        let judged = Judged::judge(self, entry, hash);
        self.append(subject, hash);
        let effect = match judged {
            Err(reason) => Effect::Void(reason),
            Ok(change) => {
                let kind = MlogKind::from_number(entry.kind());
                let effect = self.commit(index, subject, change);
                if let (Some(kind), Effect::Effective) = (kind, &effect) {
                    self.shelf_mut(subject).last_effective.insert(kind, index);
                }
                effect
            }
        };
        self.shelf_mut(subject).seen.insert(hash);
        Ok(effect)
    }

    /// Applies the bytes that the server sent for a leaf. Bytes that are no entry, or one of
    /// another subject than the leaf's, stay in the log without effect.
    ///
    /// # Errors
    /// [`MembershipError::OtherBytes`] if the bytes are not those of the leaf;
    /// [`MembershipError::OutOfOrder`], [`MembershipError::Leaf`].
    pub fn apply_bytes(
        &mut self,
        index: u64,
        leaf: &[u8; MLOG_LEAF_BYTES],
        bytes: &[u8],
    ) -> Result<Effect, MembershipError> {
        let (subject, hash) = mlog_leaf_parts(leaf).ok_or(MembershipError::Leaf)?;
        if MlogEntryHash::from_bytes(sha256(bytes)) != hash {
            return Err(MembershipError::OtherBytes(hash));
        }
        if self.is_foreign(subject) {
            return self.apply_leaf(index, subject, hash);
        }
        let void = match MlogEntry::read(bytes) {
            Ok(entry) if entry.subject() == subject => return self.apply(index, &entry),
            Ok(_) => VoidReason::WrongSubject,
            Err(error) => VoidReason::Malformed(error),
        };
        self.expect(index)?;
        self.append(subject, hash);
        Ok(Effect::Void(void))
    }

    /// Applies the leaf of an entry outside the scope.
    ///
    /// # Errors
    /// [`MembershipError::BytesNeeded`] if the entry concerns this view,
    /// [`MembershipError::OutOfOrder`].
    pub fn apply_leaf(
        &mut self,
        index: u64,
        subject: Subject,
        entry: MlogEntryHash,
    ) -> Result<Effect, MembershipError> {
        self.expect(index)?;
        if !self.is_foreign(subject) {
            return Err(MembershipError::BytesNeeded(subject));
        }
        self.append(subject, entry);
        Ok(Effect::Foreign)
    }

    /// Notes what a package says, so that its announce can be judged. The server does this before
    /// it applies the announce, a device when it has fetched the package.
    ///
    /// Returns the package that is missing next in the package's chart, if any.
    pub fn learn_package(&mut self, package: &EpochPackage) -> Option<PackageHash> {
        self.packages.insert(package.hash(), PackageFacts::of(package));
        let state = self.charts.get_mut(&package.header().chart)?;
        state.epochs.resolve(&self.packages);
        state.epochs.awaited()
    }

    /// Whether an entry that stood next in the log would be effective.
    ///
    /// # Errors
    /// Why it would be void; [`VoidReason::PackageMissing`] for an announce without its package.
    pub fn would_be_effective(
        &self,
        entry: &MlogEntry,
        package: Option<&EpochPackage>,
    ) -> Result<(), VoidReason> {
        match Judged::judge(self, entry, entry.hash())? {
            Change::Announce(announce) => {
                let state = self.charts.get(&announce.chart).ok_or(VoidReason::ChartNotOpen)?;
                let given =
                    package.filter(|package| package.hash() == announce.package).map(PackageFacts::of);
                let facts = given.as_ref().or_else(|| self.packages.get(&announce.package));
                state.epochs.would_count(&announce, facts)
            }
            _ => Ok(()),
        }
    }

    /// How many entries were applied.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The tree over all applied entries, to see what it would be with others.
    pub const fn tree(&self) -> &CompactTree {
        &self.tree
    }

    /// The head over all applied entries.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.tree.size(), root: self.tree.root() }
    }

    /// The root that the log had at a size.
    pub fn root_at(&self, size: u64) -> Option<TreeRoot> {
        self.roots.get(usize::try_from(size).ok()?).copied()
    }

    fn expect(&self, got: u64) -> Result<(), MembershipError> {
        let expected = self.size();
        if got == expected { Ok(()) } else { Err(MembershipError::OutOfOrder { expected, got }) }
    }

    fn chart_of(&self, subject: Subject) -> Option<ChartId> {
        (subject != Subject::from(self.root.site)).then(|| ChartId::from_bytes(*subject.as_bytes()))
    }

    fn is_foreign(&self, subject: Subject) -> bool {
        match (&self.scope, self.chart_of(subject)) {
            (Scope::All, _) | (_, None) => false,
            (Scope::Charts(charts), Some(chart)) => !charts.contains(&chart),
        }
    }

    fn append(&mut self, subject: Subject, hash: MlogEntryHash) {
        self.tree.append(leaf_hash(&mlog_leaf(subject, hash)));
        self.roots.push(self.tree.root());
    }

    fn shelf_mut(&mut self, subject: Subject) -> &mut state::Shelf {
        match self.chart_of(subject) {
            None => &mut self.site.shelf,
            Some(chart) => &mut self.charts.entry(chart).or_default().shelf,
        }
    }

    fn commit(&mut self, index: u64, subject: Subject, change: Change) -> Effect {
        let touched = match change {
            Change::Announce(announce) => return self.commit_announce(announce),
            Change::Manifest(manifest) => {
                self.site.manifests.insert(manifest.hash());
                let before = self.site.manifest.replace(manifest);
                self.site.earlier_manifests.extend(before.map(|before| *before));
                Touched::Nobody
            }
            Change::Certify(record) => {
                let touched = self.touched_by_device(subject, record.person(), record.device());
                self.shelf_mut(subject).certify(*record);
                touched
            }
            Change::Open(open) => {
                let chart = open.chart;
                self.charts.entry(chart).or_default().open = Some(open);
                Touched::Chart(chart)
            }
            Change::Team(team) => {
                self.site.teams.insert(team.team, team.persons.into_iter().collect());
                Touched::Team(team.team)
            }
            Change::Person(person) => {
                self.charts.entry(person.chart).or_default().persons.insert(person.person, person.add);
                Touched::Chart(person.chart)
            }
            Change::Revoke(device, revocation) => {
                let shelf = self.shelf_mut(subject);
                shelf.revoke(device, revocation);
                let person = shelf.devices.get(&device).map(DeviceRecord::person);
                person.map_or(Touched::Nobody, |person| self.touched_by_device(subject, person, device))
            }
            Change::Schema(schema) => {
                self.site.schema = Some(schema);
                Touched::Nobody
            }
            Change::AlertRules(set) => {
                self.site.alert_rules.push(*set);
                Touched::Nobody
            }
            Change::Wipe(device) => {
                self.shelf_mut(subject).order_wipe(device, index);
                Touched::Nobody
            }
            Change::Cancel(cancels) => {
                self.shelf_mut(subject).cancels.extend(cancels);
                Touched::Nobody
            }
            Change::Reopen(reopening) => {
                self.site.reopenings.push(*reopening);
                Touched::Nobody
            }
            Change::Recover { lost, revocation, record } => {
                let touched = self.touched_by_device(subject, record.person(), record.device());
                let shelf = self.shelf_mut(subject);
                lost.into_iter().for_each(|device| shelf.revoke(device, revocation));
                shelf.certify(*record);
                touched
            }
        };
        self.refresh_members(index.saturating_add(1), &touched);
        Effect::Effective
    }

    fn commit_announce(&mut self, announce: epoch_count::Announce) -> Effect {
        let (index, package) = (announce.index, announce.package);
        let epochs = &mut self.charts.entry(announce.chart).or_default().epochs;
        epochs.push(announce, &self.packages);
        match epochs.verdict(index) {
            Some(Ok(())) => Effect::Effective,
            Some(Err(reason)) => Effect::Void(reason),
            None => Effect::AwaitsPackage(package),
        }
    }

    fn touched_by_device(&self, subject: Subject, person: PersonId, device: DeviceId) -> Touched {
        self.chart_of(subject).map_or(Touched::Device(person, device), Touched::Chart)
    }

    fn refresh_members(&mut self, index: u64, touched: &Touched) {
        let Self { site, charts, .. } = self;
        match touched {
            Touched::Nobody => {}
            Touched::Chart(chart) => {
                charts.entry(*chart).or_default().refresh_members(site, index);
            }
            Touched::Device(person, device) => {
                let reads = |state: &ChartState| {
                    let recovery =
                        state.open.as_ref().is_some_and(|open| open.recovery_devices.contains(device));
                    recovery || state.persons.contains_key(person) || state.in_team(site, *person)
                };
                charts
                    .values_mut()
                    .filter(|state| reads(state))
                    .for_each(|state| state.refresh_members(site, index));
            }
            Touched::Team(team) => {
                let led = |state: &ChartState| state.open.as_ref().is_some_and(|open| open.team == *team);
                charts
                    .values_mut()
                    .filter(|state| led(state))
                    .for_each(|state| state.refresh_members(site, index));
            }
        }
    }
}
