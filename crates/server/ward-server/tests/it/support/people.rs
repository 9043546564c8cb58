//! Root keys, admins, staff and participants, and the membership entries they sign. Everything
//! follows from one seed.

use super::clock::T0;
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

const DAY_MS: i64 = 86_400_000;

/// A seeded generator (SplitMix64): reproducible, for tests only.
pub struct TestRng(u64);

impl TestRng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl TryRng for TestRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next() as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

/// One enrolled device with its keys.
pub struct Device {
    pub id: DeviceId,
    pub person: PersonId,
    pub keys: DeviceKeys,
    pub cert: DeviceCert,
}

/// A site before any server runs, with the entries that begin its log.
pub struct People {
    pub rng: TestRng,
    pub study: StudyId,
    pub site: SiteId,
    pub root: RootPolicy,
    pub root_keys: Vec<SignKey>,
    pub manifest: SiteManifest,
    pub log_key_seed: [u8; 32],
    pub witness_seeds: Vec<[u8; 32]>,
    pub membership: Membership,
    pub log: Vec<Vec<u8>>,
    pub admins: Vec<Device>,
    pub coordinator: Device,
    pub clinician: Device,
    /// A clinician of the site who looks after other charts.
    pub outsider: Device,
    pub auditor: Device,
    pub chart: ChartId,
    pub phone: Device,
    /// A second device of the same participant.
    pub spare: Device,
    pub other_chart: ChartId,
    pub other_phone: Device,
}

impl People {
    /// Two admins; a coordinator and a clinician who look after `chart`; an outsider who looks
    /// after `other_chart` with the coordinator.
    pub fn new(seed: u64) -> Self {
        let mut rng = TestRng::new(seed);
        let (study, site): (StudyId, SiteId) = (random_id(&mut rng), random_id(&mut rng));
        let mut root_keys: Vec<SignKey> = (0..3).map(|_| SignKey::generate(&mut rng)).collect();
        root_keys.sort_by_key(|key| *key.public());
        let keys = root_keys.iter().map(|key| *key.public()).collect();
        let root =
            RootPolicy::new(RootPolicyFields { v: V1, site, threshold: 2, keys, independent: true }).unwrap();
        let log_key_seed: [u8; 32] = random_bytes(&mut rng);
        let witness_seeds: Vec<[u8; 32]> = (0..3).map(|_| random_bytes(&mut rng)).collect();
        let admin_keys: Vec<(PersonId, DeviceId, DeviceKeys)> = (0..2)
            .map(|_| (random_id(&mut rng), random_id(&mut rng), DeviceKeys::generate(&mut rng).unwrap()))
            .collect();
        let manifest = manifest(study, site, &log_key_seed, &witness_seeds, &admin_keys);
        let mut begin = Beginning {
            rng,
            study,
            site,
            manifest,
            membership: Membership::new(root.clone(), Scope::All),
            log: Vec::new(),
        };
        begin.append(begin.manifest_entry(&root_keys));
        let admins = begin.admins(admin_keys);
        let staff = |begin: &mut Beginning, role| begin.staff(role, &admins);
        let (coordinator, clinician) =
            (staff(&mut begin, Role::Coordinator), staff(&mut begin, Role::Clinician));
        let (outsider, auditor) = (staff(&mut begin, Role::Clinician), staff(&mut begin, Role::Auditor));
        let team = begin.team(&[coordinator.person, clinician.person], &admins[0]);
        let other_team = begin.team(&[coordinator.person, outsider.person], &admins[0]);
        let (chart, participant) = begin.open(team, &coordinator);
        let phone = begin.patient(chart, participant, &coordinator, None);
        let spare = begin.patient(chart, participant, &coordinator, Some(&phone));
        let (other_chart, other) = begin.open(other_team, &coordinator);
        let other_phone = begin.patient(other_chart, other, &coordinator, None);
        let Beginning { rng, manifest, membership, log, .. } = begin;
        Self {
            rng,
            study,
            site,
            root,
            root_keys,
            manifest,
            log_key_seed,
            witness_seeds,
            membership,
            log,
            admins,
            coordinator,
            clinician,
            outsider,
            auditor,
            chart,
            phone,
            spare,
            other_chart,
            other_phone,
        }
    }

    pub fn entry(&self, subject: Subject, body: &MlogBody, signers: &[&Device]) -> MlogEntry {
        let entry = MlogEntry::unsigned(self.site, subject, self.membership.head(), body).unwrap();
        signed(entry, signers)
    }

    /// Notes that the server took an entry, so that the next one is based on it.
    pub fn took(&mut self, entry: &MlogEntry) {
        let index = self.membership.size();
        assert_eq!(self.membership.apply(index, entry).unwrap(), Effect::Effective);
        self.log.push(entry.to_canonical());
    }

    /// The next manifest, which names one admin less.
    pub fn manifest_without(&self, dropped: DeviceId) -> MlogEntry {
        let (old, mut fields) = (self.manifest.hash(), (*self.manifest).clone());
        fields.admins.retain(|admin| admin.device != dropped);
        fields.number += 1;
        fields.prev = Some(old);
        let next = SiteManifest::new(fields).unwrap();
        let entry = self.entry(self.site.into(), &MlogBody::SiteManifest(Box::new(next)), &[]);
        entry.sign_as_root(&self.root_keys[0]).unwrap().sign_as_root(&self.root_keys[2]).unwrap()
    }

    pub fn revoke(
        &self,
        device: &Device,
        subject: Subject,
        policy: RevokePolicy,
        signer: &Device,
    ) -> MlogEntry {
        let body = MlogBody::Revoke(Revoke {
            device: device.id,
            olog: TreeHead::empty(),
            policy,
            reason: "lost".into(),
        });
        self.entry(subject, &body, &[signer])
    }

    /// The next epoch of a chart: package, secret and announce.
    pub fn epoch(
        &mut self,
        chart: ChartId,
        author: Who,
        previous: Option<(&EpochPackage, &EpochSecret)>,
    ) -> (EpochPackage, EpochSecret, MlogEntry) {
        let mut rng = std::mem::replace(&mut self.rng, TestRng::new(0));
        let device = self.device(author);
        let plan = plan_rotation(&self.membership, chart, device.id).unwrap();
        let history: Vec<&EpochSecret> = previous.iter().map(|(_, secret)| *secret).collect();
        let made =
            make_epoch_package(&plan.new_epoch(&history), &device.keys.sign, &device.keys.hedge, &mut rng);
        let (package, secret) = made.unwrap();
        let (epoch, package_hash) = (package.header().epoch, package.hash());
        let body = MlogBody::EpochAnnounce(EpochAnnounce { chart, epoch, package_hash });
        let entry = self.entry(chart.into(), &body, &[device]);
        self.rng = rng;
        (package, secret, entry)
    }

    pub fn device(&self, who: Who) -> &Device {
        match who {
            Who::Coordinator => &self.coordinator,
            Who::Phone => &self.phone,
        }
    }
}

/// Who announces an epoch.
#[derive(Clone, Copy)]
pub enum Who {
    Coordinator,
    Phone,
}

pub fn signed(entry: MlogEntry, signers: &[&Device]) -> MlogEntry {
    signers.iter().fold(entry, |entry, device| entry.sign_as_device(device.id, &device.keys.sign).unwrap())
}

/// The log while it is begun.
struct Beginning {
    rng: TestRng,
    study: StudyId,
    site: SiteId,
    manifest: SiteManifest,
    membership: Membership,
    log: Vec<Vec<u8>>,
}

impl Beginning {
    fn entry(&self, subject: Subject, body: &MlogBody) -> MlogEntry {
        MlogEntry::unsigned(self.site, subject, self.membership.head(), body).unwrap()
    }

    fn append(&mut self, entry: MlogEntry) {
        let index = self.membership.size();
        assert_eq!(self.membership.apply(index, &entry).unwrap(), Effect::Effective);
        self.log.push(entry.to_canonical());
    }

    fn manifest_entry(&self, root_keys: &[SignKey]) -> MlogEntry {
        let entry = self.entry(self.site.into(), &MlogBody::SiteManifest(Box::new(self.manifest.clone())));
        entry.sign_as_root(&root_keys[0]).unwrap().sign_as_root(&root_keys[2]).unwrap()
    }

    fn device(
        &mut self,
        person: PersonId,
        role: Role,
        issuer: Option<&Device>,
        device: DeviceId,
        keys: DeviceKeys,
    ) -> Device {
        let auth = keys.auth_signer().unwrap();
        let binding = DeviceBinding::new(DeviceBindingFields {
            v: V1,
            suite: Suite::W1,
            study: self.study,
            site: self.site,
            person,
            role,
            device,
            auth_pk: auth.public_key(),
            sign_pk: *keys.sign.public(),
            enc_pk: keys.enc.public().clone(),
            ticket: random_id(&mut self.rng),
        })
        .unwrap();
        let CounterSignatures { sign, auth } = binding.counter_sign(&keys.sign, auth).unwrap();
        let cert = DeviceCert::new(DeviceCertFields {
            binding,
            counter_sign: sign,
            counter_auth: auth,
            attest_level: AttestLevel::Secure,
            not_before: T0.plus_ms(-DAY_MS),
            not_after: T0.plus_ms(3_650 * DAY_MS),
            idv: Idv::InPerson,
            issuer_cert_hash: issuer.map_or(CertHash::from_bytes([0; 32]), |issuer| issuer.cert.hash()),
            manifest_hash: self.manifest.hash(),
        })
        .unwrap();
        Device { id: device, person, keys, cert }
    }

    fn certify(&mut self, subject: Subject, device: &Device, signers: &[&Device]) {
        let entry = self.entry(subject, &MlogBody::DeviceCert(Box::new(device.cert.clone())));
        self.append(signed(entry, signers));
    }

    fn admins(&mut self, keys: Vec<(PersonId, DeviceId, DeviceKeys)>) -> Vec<Device> {
        let mut admins = Vec::new();
        for (person, device, keys) in keys {
            let admin = self.device(person, Role::Admin, None, device, keys);
            self.certify(self.site.into(), &admin, &[&admin]);
            admins.push(admin);
        }
        admins
    }

    fn staff(&mut self, role: Role, admins: &[Device]) -> Device {
        let (person, device) = (random_id(&mut self.rng), random_id(&mut self.rng));
        let keys = DeviceKeys::generate(&mut self.rng).unwrap();
        let device = self.device(person, role, Some(&admins[0]), device, keys);
        self.certify(self.site.into(), &device, &[&admins[0], &admins[1]]);
        device
    }

    fn team(&mut self, persons: &[PersonId], admin: &Device) -> TeamId {
        let team = random_id(&mut self.rng);
        let mut persons = persons.to_vec();
        persons.sort();
        let entry = self.entry(self.site.into(), &MlogBody::Team(Team { team, persons }));
        self.append(signed(entry, &[admin]));
        team
    }

    fn open(&mut self, team: TeamId, coordinator: &Device) -> (ChartId, PersonId) {
        let (chart, participant): (ChartId, PersonId) = (random_id(&mut self.rng), random_id(&mut self.rng));
        let body = MlogBody::ChartOpen(ChartOpen { chart, participant, team, recovery_devices: Vec::new() });
        let entry = self.entry(chart.into(), &body);
        self.append(signed(entry, &[coordinator]));
        (chart, participant)
    }

    fn patient(
        &mut self,
        chart: ChartId,
        person: PersonId,
        issuer: &Device,
        approving: Option<&Device>,
    ) -> Device {
        let device = random_id(&mut self.rng);
        let keys = DeviceKeys::generate(&mut self.rng).unwrap();
        let device = self.device(person, Role::Patient, Some(issuer), device, keys);
        let signers: Vec<&Device> = [issuer].into_iter().chain(approving).collect();
        self.certify(chart.into(), &device, &signers);
        device
    }
}

fn manifest(
    study: StudyId,
    site: SiteId,
    log_key_seed: &[u8; 32],
    witness_seeds: &[[u8; 32]],
    admins: &[(PersonId, DeviceId, DeviceKeys)],
) -> SiteManifest {
    let witness = |(i, seed): (usize, &[u8; 32])| WitnessEntry {
        name: format!("witness{i}.example"),
        key: *SignKey::from_secret_bytes(seed).public(),
        outside: i == 0,
    };
    let admin = |(person, device, keys): &(PersonId, DeviceId, DeviceKeys)| AdminEntry {
        person: *person,
        device: *device,
        sign_pk: *keys.sign.public(),
    };
    SiteManifest::new(SiteManifestFields {
        v: V1,
        site,
        study,
        number: 0,
        prev: None,
        admins: admins.iter().map(admin).collect(),
        witnesses: witness_seeds.iter().enumerate().map(witness).collect(),
        quorum: 2,
        min_suite: 1,
        freshness_limit_s: 259_200,
        log_key: *SignKey::from_secret_bytes(log_key_seed).public(),
        min_attest: Vec::new(),
        mlog_origin: format!("ward.test/{site}/mlog"),
        olog_origin: format!("ward.test/{site}/olog"),
    })
    .unwrap()
}
