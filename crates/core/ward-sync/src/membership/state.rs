//! What the membership log amounts to: devices, teams, charts and the history of their members.

use super::epoch_count::EpochLedger;
use super::reopening::Reopening;
use crate::alert_rule_set::PublishedAlertRules;
use crate::mlog::SignerId;
use crate::mlog_body::{ChartOpen, MlogKind, RevokePolicy};
use crate::study_schema::StudySchema;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use ward_audit::TreeHead;
use ward_crypto::{DeviceCert, Role, SiteManifest, member_set_hash_of_key_hashes, sha256};
use ward_id::{CertHash, DeviceId, ManifestHash, MemberSetHash, MlogEntryHash, PersonId, TeamId};

/// A device that the log certifies.
#[derive(Debug, Clone)]
pub struct DeviceRecord {
    cert: Box<DeviceCert>,
    cert_hash: CertHash,
    enc_key_hash: [u8; 32],
    certified_index: u64,
    pub(super) revocation: Option<Revocation>,
    pub(super) wipe_index: Option<u64>,
}

impl DeviceRecord {
    pub(super) fn new(cert: Box<DeviceCert>, certified_index: u64) -> Self {
        let (cert_hash, enc_key_hash) = (cert.hash(), cert.binding.enc_pk.key_hash());
        Self { cert, cert_hash, enc_key_hash, certified_index, revocation: None, wipe_index: None }
    }

    /// The certificate.
    pub fn cert(&self) -> &DeviceCert {
        &self.cert
    }

    /// Its hash.
    pub const fn cert_hash(&self) -> CertHash {
        self.cert_hash
    }

    /// Where in the log it was certified.
    pub const fn certified_index(&self) -> u64 {
        self.certified_index
    }

    /// Its revocation, if there is one.
    pub const fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }

    /// Where in the log its wipe was first ordered, if it was.
    pub const fn wipe_index(&self) -> Option<u64> {
        self.wipe_index
    }

    /// Whether the log still trusts it. Whether the certificate is in date is another question:
    /// the log has no clock.
    pub const fn is_active(&self) -> bool {
        self.revocation.is_none()
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        self.cert.binding.device
    }

    /// The person it belongs to.
    pub fn person(&self) -> PersonId {
        self.cert.binding.person
    }

    /// The role it acts in.
    pub fn role(&self) -> Role {
        self.cert.binding.role
    }

    pub(super) fn key_fingerprints(cert: &DeviceCert) -> [[u8; 32]; 3] {
        let binding = &cert.binding;
        [sha256(binding.auth_pk.as_bytes()), sha256(binding.sign_pk.as_bytes()), binding.enc_pk.key_hash()]
    }
}

/// A device is no longer trusted. Several revocations of one device add up to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Where in the membership log the first one stands.
    pub index: u64,
    /// The head of the operation log that its signer had verified: entries of the device stand if
    /// their place is below its size. Whether it is a head of the log that this device was shown is
    /// for its reader to compare.
    pub olog: TreeHead,
    /// What happens to the others.
    pub policy: RevokePolicy,
    /// The cut-off counted through all operation logs of the site, one after the other: entries
    /// stand if they are proved to have a place below it. See [`super::Membership::olog_begin`].
    pub cut: u64,
}

/// A member of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The device.
    pub device: DeviceId,
    /// Whose it is.
    pub person: PersonId,
    /// The role it acts in.
    pub role: Role,
    /// The hash of its encryption key.
    pub enc_key_hash: [u8; 32],
}

/// The members of a chart at one time, and the hash that an epoch package names them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSet {
    members: Vec<Member>,
    hash: MemberSetHash,
}

impl MemberSet {
    pub(super) fn new(members: BTreeMap<DeviceId, Member>) -> Self {
        let members: Vec<Member> = members.into_values().collect();
        let keys: Vec<(DeviceId, [u8; 32])> = members.iter().map(|m| (m.device, m.enc_key_hash)).collect();
        Self { hash: member_set_hash_of_key_hashes(&keys), members }
    }

    /// The members, sorted by device.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The devices, sorted.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> + '_ {
        self.members.iter().map(|member| member.device)
    }

    /// The hash of the set.
    pub const fn hash(&self) -> MemberSetHash {
        self.hash
    }

    /// One member.
    pub fn get(&self, device: DeviceId) -> Option<&Member> {
        let place = self.members.binary_search_by_key(&device, |member| member.device).ok()?;
        self.members.get(place)
    }

    /// Whether a device is a member.
    pub fn contains(&self, device: DeviceId) -> bool {
        self.get(device).is_some()
    }
}

/// What is filed under one subject, whatever the subject is.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    pub(super) devices: BTreeMap<DeviceId, DeviceRecord>,
    by_person: BTreeMap<PersonId, BTreeSet<DeviceId>>,
    keys: BTreeSet<[u8; 32]>,
    pub(super) last_effective: BTreeMap<MlogKind, u64>,
    pub(super) seen: BTreeSet<MlogEntryHash>,
    pub(super) cancels: BTreeSet<(MlogEntryHash, SignerId)>,
}

impl Shelf {
    pub(super) fn certify(&mut self, record: DeviceRecord) {
        self.keys.extend(DeviceRecord::key_fingerprints(record.cert()));
        self.by_person.entry(record.person()).or_default().insert(record.device());
        self.devices.insert(record.device(), record);
    }

    pub(super) fn revoke(&mut self, device: DeviceId, new: Revocation) {
        let Some(record) = self.devices.get_mut(&device) else { return };
        record.revocation = Some(match record.revocation {
            None => new,
            Some(old) => Revocation {
                index: old.index,
                olog: if new.cut < old.cut { new.olog } else { old.olog },
                policy: old.policy.max(new.policy),
                cut: old.cut.min(new.cut),
            },
        });
    }

    pub(super) fn order_wipe(&mut self, device: DeviceId, index: u64) {
        if let Some(record) = self.devices.get_mut(&device) {
            record.wipe_index.get_or_insert(index);
        }
    }

    pub(super) fn knows_device_or_key(&self, cert: &DeviceCert) -> bool {
        self.devices.contains_key(&cert.binding.device)
            || DeviceRecord::key_fingerprints(cert).iter().any(|key| self.keys.contains(key))
    }

    pub(super) fn active_of(&self, person: PersonId) -> impl Iterator<Item = &DeviceRecord> {
        let devices = self.by_person.get(&person).into_iter().flatten();
        devices.filter_map(|device| self.devices.get(device)).filter(|record| record.is_active())
    }
}

/// The site's own part of the log, which every view holds.
#[derive(Debug, Clone, Default)]
pub(super) struct SiteState {
    pub(super) shelf: Shelf,
    pub(super) manifest: Option<Box<SiteManifest>>,
    pub(super) manifests: BTreeSet<ManifestHash>,
    /// Those before the newest, in order.
    pub(super) earlier_manifests: Vec<SiteManifest>,
    pub(super) teams: BTreeMap<TeamId, BTreeSet<PersonId>>,
    pub(super) schema: Option<Box<StudySchema>>,
    /// Every revision, the newest last.
    pub(super) alert_rules: Vec<PublishedAlertRules>,
    /// The operation logs that ended, in order.
    pub(super) reopenings: Vec<Reopening>,
}

impl SiteState {
    /// Whether a device acts as an admin: certified as one and named by the newest manifest.
    pub(super) fn is_admin(&self, record: &DeviceRecord) -> bool {
        let binding = &record.cert.binding;
        let named = |manifest: &SiteManifest| {
            manifest.admins.iter().any(|admin| {
                admin.device == binding.device
                    && admin.person == binding.person
                    && admin.sign_pk == binding.sign_pk
            })
        };
        record.role() == Role::Admin && self.manifest.as_deref().is_some_and(named)
    }
}

/// One chart's part of the log.
#[derive(Debug, Clone, Default)]
pub(super) struct ChartState {
    pub(super) shelf: Shelf,
    pub(super) open: Option<ChartOpen>,
    /// Persons added (`true`) or removed (`false`) one by one; the newest word holds.
    pub(super) persons: BTreeMap<PersonId, bool>,
    /// From which index on which members.
    pub(super) history: Vec<(u64, Arc<MemberSet>)>,
    pub(super) epochs: EpochLedger,
}

impl ChartState {
    pub(super) fn in_team(&self, site: &SiteState, person: PersonId) -> bool {
        let team = self.open.as_ref().and_then(|open| site.teams.get(&open.team));
        team.is_some_and(|persons| persons.contains(&person))
    }

    /// The members as the log stands now.
    pub(super) fn compute_members(&self, site: &SiteState) -> MemberSet {
        let mut out = BTreeMap::new();
        let Some(open) = &self.open else { return MemberSet::new(out) };
        let mut add = |record: &DeviceRecord| {
            out.entry(record.device()).or_insert(Member {
                device: record.device(),
                person: record.person(),
                role: record.role(),
                enc_key_hash: record.enc_key_hash,
            });
        };
        self.shelf.active_of(open.participant).for_each(&mut add);
        let team = site.teams.get(&open.team).into_iter().flatten().map(|person| (person, true));
        // A word about one person is stronger than the team's list.
        let mut persons: BTreeMap<&PersonId, bool> = team.collect();
        persons.extend(self.persons.iter().map(|(person, &added)| (person, added)));
        for (person, added) in persons {
            if added {
                site.shelf.active_of(*person).for_each(&mut add);
            }
        }
        for device in &open.recovery_devices {
            let recovery = |record: &&DeviceRecord| record.is_active() && record.role() == Role::Recovery;
            site.shelf.devices.get(device).filter(recovery).into_iter().for_each(&mut add);
        }
        MemberSet::new(out)
    }

    /// Notes the members from `index` on, if they changed.
    pub(super) fn refresh_members(&mut self, site: &SiteState, index: u64) {
        let set = self.compute_members(site);
        if self.history.last().is_none_or(|(_, last)| last.hash() != set.hash()) {
            self.history.push((index, Arc::new(set)));
        }
    }

    /// The members before the entry at `index`.
    pub(super) fn members_at(&self, index: u64) -> Option<&Arc<MemberSet>> {
        let place = self.history.partition_point(|(from, _)| *from <= index);
        self.history.get(place.checked_sub(1)?).map(|(_, set)| set)
    }

    /// The members now.
    pub(super) fn current(&self) -> Option<&Arc<MemberSet>> {
        self.history.last().map(|(_, set)| set)
    }
}
