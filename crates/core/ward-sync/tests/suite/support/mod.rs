//! A site with root, admins, staff and patients, for the tests of this crate. Everything is
//! deterministic: the same calls make the same keys and the same log.
#![allow(dead_code, reason = "each test file uses its own part of the site")]

pub mod desk;
pub mod history;

use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use rand_core::{TryCryptoRng, TryRng};
use std::collections::BTreeMap;
use std::convert::Infallible;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

pub const DAY_MS: i64 = 86_400_000;
pub mod notes;

pub const T0: TimestampMs = TimestampMs(1_790_000_000_000);

/// The same cases in every run; `WARD_PROPTEST_SEED` and `WARD_PROPTEST_CASES` explore others.
pub fn proptest_config(cases: u32) -> ProptestConfig {
    let from_env = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let seed = from_env("WARD_PROPTEST_SEED").unwrap_or(2_026);
    let cases = from_env("WARD_PROPTEST_CASES").map_or(cases, |cases| cases as u32);
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    }
}

/// A seeded generator: reproducible, and nothing but a test may use it.
pub struct TestRng(u64);

impl TestRng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        // SplitMix64.
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

pub struct Device {
    pub id: DeviceId,
    pub person: PersonId,
    pub role: Role,
    pub keys: DeviceKeys,
    pub cert: DeviceCert,
}

/// What a certificate says that a test may want to bend.
pub struct CertPlan<'a> {
    pub person: PersonId,
    pub role: Role,
    pub issuer: Option<&'a Device>,
    pub keys: DeviceKeys,
    pub device: DeviceId,
    pub attest_level: AttestLevel,
}

pub struct Site {
    pub rng: TestRng,
    pub study: StudyId,
    pub site: SiteId,
    pub root_keys: Vec<SignKey>,
    pub root: RootPolicy,
    pub manifest: SiteManifest,
    pub admins: Vec<Device>,
    pub log: Vec<MlogEntry>,
    pub membership: Membership,
    pub packages: BTreeMap<PackageHash, EpochPackage>,
    /// The keys of the witnesses, in order, then the log key.
    pub log_keys: Vec<SignKey>,
}

impl Site {
    /// A root of two of three keys, a manifest, and two admins who certified themselves.
    pub fn new(seed: u64) -> Self {
        let mut rng = TestRng::new(seed);
        let (study, site) = (random_id(&mut rng), random_id(&mut rng));
        let mut root_keys: Vec<SignKey> = (0..3).map(|_| SignKey::generate(&mut rng)).collect();
        root_keys.sort_by_key(|key| *key.public());
        let keys = root_keys.iter().map(|key| *key.public()).collect();
        let root =
            RootPolicy::new(RootPolicyFields { v: V1, site, threshold: 2, keys, independent: true }).unwrap();
        let admins: Vec<(PersonId, DeviceId, DeviceKeys)> = (0..2)
            .map(|_| (random_id(&mut rng), random_id(&mut rng), DeviceKeys::generate(&mut rng).unwrap()))
            .collect();
        let (manifest, log_keys) = first_manifest(&mut rng, study, site, &admins);
        let membership = Membership::new(root.clone(), Scope::All);
        let packages = BTreeMap::new();
        let mut this = Self {
            rng,
            study,
            site,
            root_keys,
            root,
            manifest,
            admins: Vec::new(),
            log: Vec::new(),
            membership,
            packages,
            log_keys,
        };
        let entry = this.manifest_entry(this.manifest.clone());
        this.append_effective(entry);
        for (person, device, keys) in admins {
            let plan = CertPlan {
                person,
                role: Role::Admin,
                issuer: None,
                keys,
                device,
                attest_level: AttestLevel::Secure,
            };
            let admin = this.certify(plan);
            let body = MlogBody::DeviceCert(Box::new(admin.cert.clone()));
            let entry = this.sign(this.entry(this.site.into(), &body), &[&admin]);
            this.append_effective(entry);
            this.admins.push(admin);
        }
        this
    }

    pub fn manifest_entry(&self, manifest: SiteManifest) -> MlogEntry {
        let entry = self.entry(self.site.into(), &MlogBody::SiteManifest(Box::new(manifest)));
        entry.sign_as_root(&self.root_keys[0]).unwrap().sign_as_root(&self.root_keys[2]).unwrap()
    }

    pub fn entry(&self, subject: Subject, body: &MlogBody) -> MlogEntry {
        self.entry_on(self.membership.head(), subject, body)
    }

    pub fn entry_on(&self, base: TreeHead, subject: Subject, body: &MlogBody) -> MlogEntry {
        MlogEntry::unsigned(self.site, subject, base, body).unwrap()
    }

    pub fn sign(&self, entry: MlogEntry, devices: &[&Device]) -> MlogEntry {
        devices
            .iter()
            .fold(entry, |entry, device| entry.sign_as_device(device.id, &device.keys.sign).unwrap())
    }

    pub fn append(&mut self, entry: MlogEntry) -> Effect {
        let index = self.membership.size();
        let effect = self.membership.apply(index, &entry).unwrap();
        self.log.push(entry);
        effect
    }

    #[track_caller]
    pub fn append_effective(&mut self, entry: MlogEntry) {
        assert_eq!(self.append(entry), Effect::Effective);
    }

    /// A certificate, signed by its device, with nothing in the log yet.
    pub fn certify(&mut self, plan: CertPlan<'_>) -> Device {
        let CertPlan { person, role, issuer, keys, device, attest_level } = plan;
        let binding = DeviceBinding::new(DeviceBindingFields {
            v: V1,
            suite: Suite::W1,
            study: self.study,
            site: self.site,
            person,
            role,
            device,
            auth_pk: keys.auth_signer().unwrap().public_key(),
            sign_pk: *keys.sign.public(),
            enc_pk: keys.enc.public().clone(),
            ticket: random_id(&mut self.rng),
        })
        .unwrap();
        let CounterSignatures { sign, auth } =
            binding.counter_sign(&keys.sign, keys.auth_signer().unwrap()).unwrap();
        let cert = DeviceCert::new(DeviceCertFields {
            binding,
            counter_sign: sign,
            counter_auth: auth,
            attest_level,
            not_before: T0.plus_ms(-DAY_MS),
            not_after: T0.plus_ms(365 * DAY_MS),
            idv: Idv::InPerson,
            issuer_cert_hash: issuer.map_or(CertHash::from_bytes([0; 32]), |issuer| issuer.cert.hash()),
            manifest_hash: self.manifest.hash(),
        })
        .unwrap();
        Device { id: device, person, role, keys, cert }
    }

    pub fn plan<'a>(&mut self, person: PersonId, role: Role, issuer: &'a Device) -> CertPlan<'a> {
        CertPlan {
            person,
            role,
            issuer: Some(issuer),
            keys: DeviceKeys::generate(&mut self.rng).unwrap(),
            device: random_id(&mut self.rng),
            attest_level: AttestLevel::Secure,
        }
    }

    pub fn person(&mut self) -> PersonId {
        random_id(&mut self.rng)
    }

    /// A staff or recovery device of a new person, certified by both admins.
    pub fn staff(&mut self, role: Role) -> Device {
        let person = self.person();
        self.staff_of(person, role)
    }

    pub fn staff_of(&mut self, person: PersonId, role: Role) -> Device {
        let admins = std::mem::take(&mut self.admins);
        let plan = self.plan(person, role, &admins[0]);
        let device = self.certify(plan);
        let body = MlogBody::DeviceCert(Box::new(device.cert.clone()));
        let entry = self.sign(self.entry(self.site.into(), &body), &[&admins[0], &admins[1]]);
        self.append_effective(entry);
        self.admins = admins;
        device
    }

    pub fn team(&mut self, team: TeamId, persons: &[PersonId]) {
        let mut persons = persons.to_vec();
        persons.sort();
        let entry = self.entry(self.site.into(), &MlogBody::Team(Team { team, persons }));
        let entry = self.sign(entry, &[&self.admins[0]]);
        self.append_effective(entry);
    }

    pub fn open(
        &mut self,
        coordinator: &Device,
        team: TeamId,
        recovery_devices: Vec<DeviceId>,
    ) -> (ChartId, PersonId) {
        let (chart, participant): (ChartId, PersonId) = (random_id(&mut self.rng), self.person());
        let body = MlogBody::ChartOpen(ChartOpen { chart, participant, team, recovery_devices });
        let entry = self.sign(self.entry(chart.into(), &body), &[coordinator]);
        self.append_effective(entry);
        (chart, participant)
    }

    /// A device of the participant; a device that the person already has must approve.
    pub fn patient(
        &mut self,
        chart: ChartId,
        person: PersonId,
        issuer: &Device,
        approving: Option<&Device>,
    ) -> Device {
        let plan = self.plan(person, Role::Patient, issuer);
        let device = self.certify(plan);
        let entry = self.patient_entry(chart, &device, issuer, approving);
        self.append_effective(entry);
        device
    }

    pub fn patient_entry(
        &self,
        chart: ChartId,
        device: &Device,
        issuer: &Device,
        approving: Option<&Device>,
    ) -> MlogEntry {
        let body = MlogBody::DeviceCert(Box::new(device.cert.clone()));
        let signers: Vec<&Device> = [issuer].into_iter().chain(approving).collect();
        self.sign(self.entry(chart.into(), &body), &signers)
    }

    /// The next study schema, with these fields.
    pub fn schema(&self, fields: Vec<SchemaField>) -> StudySchema {
        let before = self.membership.study_schema();
        StudySchema {
            v: V1,
            study: self.study,
            number: before.map_or(0, |before| before.number + 1),
            prev: before.map(StudySchema::hash),
            fields,
            min_readers: vec![],
        }
    }

    /// A revision of alert rules. The log does not read them.
    pub fn alert_rules(&self, revision: u64, from: i64) -> AlertRuleSet {
        AlertRuleSet {
            v: V1,
            study: self.study,
            revision,
            from: TimestampMs(from),
            rules: br#"{"format": "ward/alert-rules"}"#.to_vec(),
        }
    }

    /// Puts alert rules into the log, signed by one admin.
    pub fn publish_rules(&mut self, set: AlertRuleSet) -> Effect {
        let entry = self.entry(self.site.into(), &MlogBody::AlertRules(Box::new(set)));
        let entry = self.sign(entry, &[&self.admins[0]]);
        self.append(entry)
    }

    /// Puts a study schema into the log, signed by one admin.
    pub fn publish(&mut self, schema: StudySchema) -> Effect {
        let body = MlogBody::StudySchema(Box::new(schema));
        let entry = self.sign(self.entry(self.site.into(), &body), &[&self.admins[0]]);
        self.append(entry)
    }

    pub fn space_member(
        &self,
        chart: ChartId,
        person: PersonId,
        add: bool,
        signers: &[&Device],
    ) -> MlogEntry {
        let body = MlogBody::SpaceMember(SpaceMember { chart, person, add });
        self.sign(self.entry(chart.into(), &body), signers)
    }

    pub fn revoke_entry(
        &self,
        subject: Subject,
        device: DeviceId,
        olog_size: u64,
        policy: RevokePolicy,
        signers: &[&Device],
    ) -> MlogEntry {
        let olog = TreeHead { size: olog_size, root: TreeRoot::from_bytes([1; 32]) };
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: "lost".into() });
        self.sign(self.entry(subject, &body), signers)
    }

    /// Makes, announces and accepts the next epoch of a chart.
    pub fn rotate(
        &mut self,
        chart: ChartId,
        author: &Device,
        previous: Option<(&EpochPackage, &EpochSecret)>,
    ) -> (EpochPackage, EpochSecret) {
        let plan = plan_rotation(&self.membership, chart, author.id).unwrap();
        let (package, secret) = self.package(&plan, author, previous);
        let entry = self.announce(&package, author);
        self.membership.learn_package(&package);
        self.packages.insert(package.hash(), package.clone());
        self.append_effective(entry);
        (package, secret)
    }

    pub fn package(
        &mut self,
        plan: &RotationPlan,
        author: &Device,
        previous: Option<(&EpochPackage, &EpochSecret)>,
    ) -> (EpochPackage, EpochSecret) {
        let history: Vec<&EpochSecret> = previous.iter().map(|(_, secret)| *secret).collect();
        make_epoch_package(&plan.new_epoch(&history), &author.keys.sign, &author.keys.hedge, &mut self.rng)
            .unwrap()
    }

    pub fn announce(&self, package: &EpochPackage, author: &Device) -> MlogEntry {
        let header = package.header();
        let body = MlogBody::EpochAnnounce(EpochAnnounce {
            chart: header.chart,
            epoch: header.epoch,
            package_hash: package.hash(),
        });
        self.sign(self.entry(header.chart.into(), &body), &[author])
    }
}

fn first_manifest(
    rng: &mut TestRng,
    study: StudyId,
    site: SiteId,
    admins: &[(PersonId, DeviceId, DeviceKeys)],
) -> (SiteManifest, Vec<SignKey>) {
    let entry = |(person, device, keys): &(PersonId, DeviceId, DeviceKeys)| AdminEntry {
        person: *person,
        device: *device,
        sign_pk: *keys.sign.public(),
    };
    let mut keys: Vec<SignKey> = Vec::new();
    let mut key = |rng: &mut TestRng| {
        keys.push(SignKey::generate(rng));
        *keys.last().unwrap().public()
    };
    let mut witness = |rng: &mut TestRng, i: usize| WitnessEntry {
        name: format!("witness{i}.example"),
        key: key(rng),
        outside: i == 0,
    };
    let witnesses = (0..3).map(|i| witness(rng, i)).collect();
    let manifest = SiteManifest::new(SiteManifestFields {
        v: V1,
        site,
        study,
        number: 0,
        prev: None,
        admins: admins.iter().map(entry).collect(),
        witnesses,
        quorum: 2,
        min_suite: 1,
        freshness_limit_s: 259_200,
        log_key: key(rng),
        min_attest: vec![MinAttest { role: Role::Coordinator, level: AttestLevel::Hardware }],
        mlog_origin: "ward.example/site/mlog".into(),
        olog_origin: "ward.example/site/olog".into(),
    })
    .unwrap();
    (manifest, keys)
}

/// A site with one coordinator, one clinician, one investigator, a team of the three, one chart, a
/// recovery device and one phone of the participant.
pub struct Ward {
    pub site: Site,
    pub coordinator: Device,
    pub clinician: Device,
    pub investigator: Device,
    pub recovery: Device,
    pub team: TeamId,
    pub chart: ChartId,
    pub participant: PersonId,
    pub phone: Device,
}

impl Ward {
    pub fn new(seed: u64) -> Self {
        let mut site = Site::new(seed);
        let coordinator = site.staff(Role::Coordinator);
        let clinician = site.staff(Role::Clinician);
        let investigator = site.staff(Role::Investigator);
        let recovery = site.staff(Role::Recovery);
        let team = random_id(&mut site.rng);
        site.team(team, &[coordinator.person, clinician.person, investigator.person]);
        let (chart, participant) = site.open(&coordinator, team, vec![recovery.id]);
        let phone = site.patient(chart, participant, &coordinator, None);
        Self { site, coordinator, clinician, investigator, recovery, team, chart, participant, phone }
    }

    pub fn members(&self) -> Vec<DeviceId> {
        self.site.membership.members(self.chart).unwrap().devices().collect()
    }
}

/// A device's pen: its chain and its key, with clocks that a test may turn.
pub struct Pen<'a> {
    pub chain: EntryChain,
    pub device: &'a Device,
    pub rng: TestRng,
    pub clock: TimestampMs,
    /// How far the wall clock is off the true time, which the monotonic clock follows.
    pub wall_off_ms: i64,
    /// Whether the monotonic clock runs; else it stands still.
    pub runs: bool,
    pub boot_id: u64,
    pub zone: &'static str,
    pub olog: Option<TreeHead>,
}

impl<'a> Pen<'a> {
    pub fn new(site: SiteId, chart: ChartId, device: &'a Device, incarnation: u64) -> Self {
        let chain = EntryChain::open(site, chart, device.id, device.role, Incarnation(incarnation));
        Self {
            chain,
            device,
            rng: TestRng::new(incarnation),
            clock: T0,
            wall_off_ms: 0,
            runs: false,
            boot_id: 1,
            zone: "Europe/Vienna",
            olog: None,
        }
    }

    pub fn try_write(&mut self, chart: &Chart, draft: &Draft) -> Result<SignedEntry, EntryError> {
        let have = chart.settled();
        let moment = Moment {
            random16: random_bytes(&mut self.rng),
            captured_at: self.clock.plus_ms(self.wall_off_ms),
            zone: self.zone.into(),
            evidence: BootEvidence {
                boot_id: self.boot_id,
                monotonic_ms: if self.runs {
                    u64::try_from(self.clock.since_ms(T0) + DAY_MS).unwrap_or(0)
                } else {
                    1_000
                },
            },
            olog: self.olog,
        };
        self.clock = self.clock.plus_ms(60_000);
        let key = &self.device.keys.sign;
        self.chain.append(draft, &moment, chart.seen(&have), |id| Ok(CaptureSignature::sign(key, id)))
    }

    pub fn write(&mut self, chart: &Chart, payload: impl Into<Payload>) -> SignedEntry {
        self.try_write(chart, &Draft::new(payload)).unwrap()
    }

    /// A decision or a declaration that something is void, with its reason.
    pub fn decide(&mut self, chart: &Chart, payload: impl Into<Payload>) -> SignedEntry {
        self.try_write(chart, &Draft::because(payload, "asked everybody")).unwrap()
    }

    pub fn amend(&mut self, chart: &Chart, payload: impl Into<Payload>, record: EntryId) -> SignedEntry {
        self.try_write(chart, &Draft::amending(payload, record, "typing error")).unwrap()
    }
}

/// The header of an envelope for an entry.
pub fn header(site: &Site, entry: &SignedEntry, epoch: u64) -> EnvelopeHeader {
    let frame = entry.frame();
    let head = site.membership.head();
    EnvelopeHeader {
        v: V1,
        suite: Suite::W1,
        site: frame.site,
        chart: frame.chart,
        epoch,
        device: frame.device,
        incarnation: frame.incarnation,
        seq: frame.seq,
        entry_id: entry.id(),
        mlog_size: head.size,
        mlog_root: head.root,
    }
}

pub fn seal(
    header: EnvelopeHeader,
    entry: &SignedEntry,
    device: &Device,
    secret: &EpochSecret,
    rng: &mut TestRng,
) -> Envelope {
    seal_envelope(secret, header, &entry.plaintext(), &device.keys.sign, &device.keys.hedge, rng).unwrap()
}

pub fn note(text: &str) -> Note {
    Note { text: text.into(), supersedes: Vec::new() }
}

pub fn dose_field(value: &str, supersedes: Vec<EntryId>) -> MedicationPlanField {
    MedicationPlanField {
        medication: MedicationId::new("amlodipine"),
        field: "dose".into(),
        value: Some(value.into()),
        unit: Some("mg".into()),
        supersedes,
    }
}

pub fn dose_key() -> FieldKey {
    FieldKey::MedicationPlan(MedicationId::new("amlodipine"), "dose".into())
}

pub fn response(occurrence: &str, status: ResponseStatus, answered_by: AnsweredBy) -> QuestionnaireResponse {
    QuestionnaireResponse {
        instrument_url: "https://ward.example/Questionnaire/diary".into(),
        instrument_version: "1".into(),
        occurrence: Occurrence::new(occurrence),
        status,
        answered_by,
        response: br#"{"resourceType":"QuestionnaireResponse"}"#.to_vec(),
    }
}

/// A questionnaire under this address.
pub fn instrument(url: &str) -> Instrument {
    Instrument {
        url: url.into(),
        version: "1".into(),
        questionnaire: br#"{"resourceType":"Questionnaire"}"#.to_vec(),
        schedule: InstrumentSchedule::EveryDays { first_day: 20_717, every_days: 1, days: 28 },
    }
}

/// Answers bound to an instrument. This crate does not look into them.
pub fn dense(instrument: EntryId, occurrence: &str, answered_by: AnsweredBy) -> DenseResponse {
    DenseResponse {
        instrument,
        occurrence: Occurrence::new(occurrence),
        status: ResponseStatus::Completed,
        answered_by,
        answers: vec![0xa1, 0x00, 0x80],
    }
}
