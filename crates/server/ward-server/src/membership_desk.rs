//! The membership log as this node applies it. It is kept whole in memory: every request asks it
//! who may do what. The store is the truth; this is its replay.

use crate::limits::{APPLY_TRIES, CAS_MAX_TRIES, REBUILD_CHUNK_ENTRIES};
use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Deref;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use ward_audit::mlog_leaf;
use ward_crypto::{EpochPackage, RootPolicy};
use ward_id::{Canonical as _, ChartId, DeviceId, MlogEntryHash, PackageHash, TimestampMs};
use ward_store::{MlogAppend, MlogAppendError, MlogAppended, NewPackage, Store, StoreError, StoredMlogEntry};
use ward_sync::limits::{ANNOUNCE_WINDOW_MS, REVOKE_WINDOW_MS};
use ward_sync::{
    ArrivalFacts, ArrivalRefusal, CutOff, DeviceRecord, Membership, MembershipError, MlogBody, MlogEntry,
    RevokePolicy, Scope, SignerId,
};

/// A membership log that cannot be replayed. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum MembershipLoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store gives back is not what it took.
    #[error("entry {index} of the membership log is damaged: {source}; restore a backup")]
    Damaged {
        /// Which entry.
        index: u64,
        /// What does not fit.
        source: MembershipError,
    },
    /// The log has no effective site manifest: it was never begun, or with other keys.
    #[error("the membership log has no valid site manifest: run `ward init` for a new site")]
    NoManifest,
}

/// An entry that was not appended.
#[derive(Debug)]
pub(crate) enum AppendRefused {
    /// It breaks a rule.
    Arrival(ArrivalRefusal),
    /// Another request came first too often.
    Moved,
    /// Another package holds the epoch.
    EpochTaken(u64),
    /// The store failed.
    Store(StoreError),
}

/// How an entry comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// It is new: every rule of arrival holds.
    Arrival {
        /// How its cut-off stands to the operation log.
        cut_off: CutOff,
    },
    /// It stood at this place before a restore, which was proved. What depends on the time of its
    /// first arrival is not asked again.
    GivenBack(u64),
}

/// What the rules need besides the log itself.
pub(crate) struct MembershipState {
    membership: Membership,
    /// Under which chart each device stands; `None` for a device of the site.
    homes: HashMap<DeviceId, Option<ChartId>>,
    /// When the epoch that counts was announced.
    announced_at: HashMap<ChartId, TimestampMs>,
    /// The newest entry that revokes or wipes a device.
    orders: HashMap<DeviceId, u64>,
    /// Who signed which entry: entries are read by thousands at a time, and decoded once.
    signed: HashSet<(SignerId, u64)>,
    /// Revocations made alone in the last day.
    lone_revokes: VecDeque<(TimestampMs, SignerId)>,
    /// Epochs that were announced in the last hour without a change of members.
    announces: VecDeque<(TimestampMs, ChartId, SignerId)>,
    /// The keys with which certified devices prove themselves.
    auth_keys: HashSet<[u8; 33]>,
}

impl Deref for MembershipState {
    type Target = Membership;
    fn deref(&self) -> &Membership {
        &self.membership
    }
}

impl MembershipState {
    /// A device's certificate, wherever it stands.
    pub(crate) fn record(&self, device: DeviceId) -> Option<&DeviceRecord> {
        match self.homes.get(&device)? {
            Some(chart) => self.membership.device(*chart, device),
            None => self.membership.site_device(device),
        }
    }

    /// The chart of a patient's device.
    pub(crate) fn home(&self, device: DeviceId) -> Option<ChartId> {
        self.homes.get(&device).copied().flatten()
    }

    /// Where the newest entry stands that revokes or wipes a device.
    pub(crate) fn newest_order(&self, device: DeviceId) -> Option<u64> {
        self.orders.get(&device).copied()
    }

    /// Whether a device signed the entry at an index.
    pub(crate) fn is_signed_by(&self, index: u64, device: DeviceId) -> bool {
        self.signed.contains(&(SignerId::from(device), index))
    }

    /// Whether some certificate holds this key.
    pub(crate) fn knows_auth_key(&self, key: &[u8; 33]) -> bool {
        self.auth_keys.contains(key)
    }

    /// When the epoch that counts was announced, by this server's clock.
    pub(crate) fn announced_at(&self, chart: ChartId) -> Option<TimestampMs> {
        self.announced_at.get(&chart).copied()
    }

    fn arrival_facts(&self, entry: &MlogEntry, now: TimestampMs, cut_off: CutOff) -> ArrivalFacts {
        let by_signer = |(at, signer): &&(TimestampMs, SignerId)| {
            now.since_ms(*at) < REVOKE_WINDOW_MS && entry.signatures().iter().any(|one| one.signer == *signer)
        };
        let chart = ChartId::from_bytes(*entry.subject().as_bytes());
        let announced = |(at, of, signer): &&(TimestampMs, ChartId, SignerId)| {
            now.since_ms(*at) < ANNOUNCE_WINDOW_MS
                && *of == chart
                && entry.signatures().iter().any(|one| one.signer == *signer)
        };
        ArrivalFacts {
            now,
            revokes_by_signer: self.lone_revokes.iter().filter(by_signer).count(),
            announces_by_signer: self.announces.iter().filter(announced).count(),
            cut_off,
        }
    }

    /// Applies an entry that the store has taken.
    fn apply(&mut self, stored: &StoredMlogEntry) -> Result<(), MembershipLoadError> {
        let leaf = mlog_leaf(stored.subject, stored.entry_hash);
        let chart = ChartId::from_bytes(*stored.subject.as_bytes());
        let members_changed = self.membership.needs_rotation(chart).is_some();
        let effect = self
            .membership
            .apply_bytes(stored.index, &leaf, &stored.bytes)
            .map_err(|source| MembershipLoadError::Damaged { index: stored.index, source })?;
        let Ok(entry) = MlogEntry::read(&stored.bytes) else { return Ok(()) };
        self.signed.extend(entry.signatures().iter().map(|one| (one.signer, stored.index)));
        let Ok(body) = entry.decode_body() else { return Ok(()) };
        if effect != ward_sync::Effect::Effective {
            return Ok(());
        }
        for device in ended_devices(&entry) {
            self.orders.insert(device, stored.index);
        }
        match &body {
            MlogBody::DeviceCert(cert) => self.settle(cert.binding.device),
            MlogBody::RecoveryUse(recovery) => self.settle(recovery.cert.binding.device),
            MlogBody::EpochAnnounce(announce) => {
                self.announced_at.insert(announce.chart, stored.received_at);
                if !members_changed {
                    self.note_announce(&entry, announce.chart, stored.received_at);
                }
            }
            MlogBody::Revoke(_) => self.note_revoke(&entry, stored.received_at),
            _ => {}
        }
        Ok(())
    }

    fn settle(&mut self, device: DeviceId) {
        if let Some((record, home)) = self.membership.find_device(device) {
            self.auth_keys.insert(*record.cert().binding.auth_pk.as_bytes());
            self.homes.insert(device, home);
        }
    }

    fn note_announce(&mut self, entry: &MlogEntry, chart: ChartId, at: TimestampMs) {
        while self.announces.front().is_some_and(|(old, ..)| at.since_ms(*old) >= ANNOUNCE_WINDOW_MS) {
            self.announces.pop_front();
        }
        self.announces.extend(entry.signatures().iter().map(|one| (at, chart, one.signer)));
    }

    fn note_revoke(&mut self, entry: &MlogEntry, at: TimestampMs) {
        while self.lone_revokes.front().is_some_and(|(old, _)| at.since_ms(*old) >= REVOKE_WINDOW_MS) {
            self.lone_revokes.pop_front();
        }
        if let [only] = entry.signatures() {
            self.lone_revokes.push_back((at, only.signer));
        }
    }
}

/// The number of a revocation's policy in problems.
pub(crate) const fn policy_number(policy: RevokePolicy) -> u8 {
    match policy {
        RevokePolicy::Salvage => 1,
        RevokePolicy::Sever => 2,
    }
}

/// The replayed log and the lock under which it grows.
pub(crate) struct MembershipDesk {
    state: RwLock<MembershipState>,
    writer: tokio::sync::Mutex<()>,
}

impl MembershipDesk {
    /// Replays the whole log.
    pub(crate) async fn load<S: Store>(store: &S, root: RootPolicy) -> Result<Self, MembershipLoadError> {
        let state = MembershipState {
            membership: Membership::new(root, Scope::All),
            homes: HashMap::new(),
            announced_at: HashMap::new(),
            orders: HashMap::new(),
            signed: HashSet::new(),
            lone_revokes: VecDeque::new(),
            announces: VecDeque::new(),
            auth_keys: HashSet::new(),
        };
        let desk = Self { state: RwLock::new(state), writer: tokio::sync::Mutex::new(()) };
        desk.follow(store).await?;
        if desk.read().manifest().is_none() {
            return Err(MembershipLoadError::NoManifest);
        }
        Ok(desk)
    }

    /// The state, for as long as the guard lives; never across an await.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, MembershipState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies what the store has and this node has not, between appends.
    pub(crate) async fn catch_up<S: Store>(&self, store: &S) -> Result<(), MembershipLoadError> {
        let _writer = self.writer.lock().await;
        self.follow(store).await
    }

    /// Applies what the store has and this node has not. Only under the writer's lock: two that
    /// followed at once would apply an entry twice.
    async fn follow<S: Store>(&self, store: &S) -> Result<(), MembershipLoadError> {
        loop {
            let from = self.read().size();
            let entries = store.mlog_entries(from, from.saturating_add(REBUILD_CHUNK_ENTRIES)).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for stored in &entries {
                self.take_up(store, stored).await?;
            }
        }
    }

    async fn take_up<S: Store>(
        &self,
        store: &S,
        stored: &StoredMlogEntry,
    ) -> Result<(), MembershipLoadError> {
        let package = announced_package(store, stored).await?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(package) = package {
            state.membership.learn_package(&package);
        }
        state.apply(stored)
    }

    /// Checks an entry against the log as it stands and appends it, with its package, in one
    /// transaction. Must not be cancelled half-way: the caller spawns it.
    pub(crate) async fn append<S: Store>(
        &self,
        store: &S,
        (bytes, entry): (Vec<u8>, &MlogEntry),
        package: Option<(EpochPackage, Vec<u8>)>,
        now: TimestampMs,
        door: Door,
    ) -> Result<MlogAppended, AppendRefused> {
        let _writer = self.writer.lock().await;
        for _ in 0..CAS_MAX_TRIES {
            // What another node wrote, and what this one wrote and then failed to read back.
            self.follow(store).await.map_err(load_failed)?;
            if let Some(known) = known_place(store, entry.hash()).await.map_err(AppendRefused::Store)? {
                return Ok(known);
            }
            if matches!(door, Door::GivenBack(index) if index != self.read().size()) {
                return Err(AppendRefused::Moved);
            }
            let request =
                self.checked(&bytes, entry, package.as_ref(), (now, door)).map_err(AppendRefused::Arrival)?;
            match store.append_mlog(request).await {
                Ok(appended) => {
                    self.apply_committed(store).await;
                    return Ok(appended);
                }
                // Another node was quicker: look at what it wrote and judge again.
                Err(MlogAppendError::Moved { .. }) => {}
                Err(MlogAppendError::EpochTaken { epoch }) => return Err(AppendRefused::EpochTaken(epoch)),
                Err(MlogAppendError::Store(error)) => return Err(AppendRefused::Store(error)),
            }
        }
        Err(AppendRefused::Moved)
    }

    /// Applies an entry that is committed. It stands in the log whatever happens now, so a failure
    /// is not the caller's answer; the next append, or the next housekeeping, tries again.
    async fn apply_committed<S: Store>(&self, store: &S) {
        for _ in 0..APPLY_TRIES {
            match self.follow(store).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(error = %error, "an entry stands in the log and is not applied yet");
                }
            }
        }
    }

    fn checked(
        &self,
        bytes: &[u8],
        entry: &MlogEntry,
        package: Option<&(EpochPackage, Vec<u8>)>,
        (now, door): (TimestampMs, Door),
    ) -> Result<MlogAppend, ArrivalRefusal> {
        let state = self.read();
        let given = package.map(|(package, _)| package);
        match door {
            Door::Arrival { cut_off } => {
                state.check_arrival(entry, given, state.arrival_facts(entry, now, cut_off))?;
            }
            Door::GivenBack(_) => state.would_be_effective(entry, given)?,
        }
        let package = package.map(|(package, bytes)| NewPackage {
            chart: package.header().chart,
            epoch: package.header().epoch,
            hash: package.hash(),
            bytes: bytes.clone(),
        });
        Ok(MlogAppend {
            expected_size: state.size(),
            subject: entry.subject(),
            entry_hash: entry.hash(),
            bytes: bytes.to_vec(),
            package,
            ended_devices: ended_devices(entry),
            received_at: now,
        })
    }
}

/// Devices whose sessions end with an entry.
pub(crate) fn ended_devices(entry: &MlogEntry) -> Vec<DeviceId> {
    match entry.decode_body() {
        Ok(MlogBody::Revoke(revoke)) => vec![revoke.device],
        Ok(MlogBody::Wipe(wipe)) => vec![wipe.device],
        Ok(MlogBody::RecoveryUse(recovery)) => recovery.revoked.clone(),
        _ => Vec::new(),
    }
}

async fn known_place<S: Store>(store: &S, hash: MlogEntryHash) -> Result<Option<MlogAppended>, StoreError> {
    let Some(index) = store.mlog_index_of(hash).await? else { return Ok(None) };
    Ok(Some(MlogAppended { index, size: store.mlog_size().await?, new: false }))
}

/// The package that stands beside an announce.
async fn announced_package<S: Store>(
    store: &S,
    stored: &StoredMlogEntry,
) -> Result<Option<EpochPackage>, StoreError> {
    let body = MlogEntry::read(&stored.bytes).ok().and_then(|entry| entry.decode_body().ok());
    let Some(MlogBody::EpochAnnounce(announce)) = body else { return Ok(None) };
    let wanted: PackageHash = announce.package_hash;
    let packages = store.epoch_packages(announce.chart, announce.epoch).await?;
    let found = packages.into_iter().find(|package| package.hash == wanted);
    Ok(found.and_then(|package| EpochPackage::from_canonical(&package.bytes).ok()))
}

/// A log that was appended to but cannot be read back.
fn load_failed(error: MembershipLoadError) -> AppendRefused {
    match error {
        MembershipLoadError::Store(error) => AppendRefused::Store(error),
        other => AppendRefused::Store(StoreError::Corrupt { what: other.to_string() }),
    }
}
