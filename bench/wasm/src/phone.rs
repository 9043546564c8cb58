//! A phone with its keys and certificate, and what it does with records.

use crate::seeded::Seeded;
use ward_crypto::{
    AcceptedSuites, AttestLevel, CaptureSignature, CounterSignatures, DeviceBinding, DeviceBindingFields,
    DeviceCert, DeviceCertFields, DeviceKeys, Envelope, EnvelopeHeader, EpochSecret, Idv, Role, Suite, V1,
    random_bytes, random_id, seal_envelope, verify_envelopes,
};
use ward_id::{
    Canonical as _, CertHash, ChartId, EntryId, Incarnation, ManifestHash, SiteId, TimestampMs, TreeRoot,
    VersionVector,
};
use ward_sync::{
    AnsweredBy, BootEvidence, DenseResponse, Draft, EntryChain, Moment, Occurrence, OpenedEnvelope,
    ResponseStatus, Seen, SignedEntry,
};

const BATCH: usize = 64;
/// Bytes of 20 offered answers.
const ANSWERS_BYTES: usize = 45;
const AT: TimestampMs = TimestampMs(1_790_000_000_000);
const YEAR_MS: i64 = 365 * 86_400_000;

pub struct Phone {
    rng: Seeded,
    site: SiteId,
    chart: ChartId,
    keys: DeviceKeys,
    cert: DeviceCert,
    secret: EpochSecret,
    chain: EntryChain,
    batch: Vec<Vec<u8>>,
}

impl Phone {
    pub fn new() -> Self {
        let mut rng = Seeded(2_026);
        let (site, chart) = (random_id(&mut rng), random_id(&mut rng));
        let keys = DeviceKeys::generate(&mut rng).expect("keys can be made");
        let cert = certificate(&mut rng, site, &keys);
        let secret = EpochSecret::from_secret_bytes(chart, 0, &random_bytes(&mut rng));
        let device = cert.binding.device;
        let chain = EntryChain::open(site, chart, device, Role::Patient, Incarnation(7));
        Self { rng, site, chart, keys, cert, secret, chain, batch: Vec::new() }
    }

    pub fn prepare(&mut self) -> u32 {
        self.batch = (0..BATCH)
            .map(|_| {
                let entry = self.make();
                self.seal(&entry).to_canonical()
            })
            .collect();
        self.batch.first().map_or(0, |bytes| bytes.len() as u32)
    }

    pub fn make_many(&mut self, count: u32) -> u32 {
        (0..count).map(|_| u32::from(self.make().frame().seq > 0)).sum()
    }

    pub fn seal_many(&mut self, count: u32) -> u32 {
        let entry = self.make();
        (0..count).map(|_| u32::from(self.seal(&entry).header().entry_id == entry.id())).sum()
    }

    pub fn open_many(&mut self, count: u32) -> u32 {
        (0..count.div_ceil(BATCH as u32)).map(|_| self.open_batch()).sum()
    }

    fn make(&mut self) -> SignedEntry {
        let answer = DenseResponse {
            instrument: EntryId::from_bytes([5; 32]),
            occurrence: Occurrence::new("2026-11-23"),
            status: ResponseStatus::Completed,
            answered_by: AnsweredBy::Self_,
            answers: vec![0x18; ANSWERS_BYTES],
        };
        let moment = Moment {
            random16: random_bytes(&mut self.rng),
            captured_at: AT,
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1_000 },
            olog: None,
        };
        let heads = VersionVector::new();
        let (seen, key) = (Seen { heads: &heads, lamport: 0 }, &self.keys.sign);
        self.chain
            .append(&Draft::new(answer), &moment, seen, |id| Ok(CaptureSignature::sign(key, id)))
            .expect("a phone writes answers")
    }

    fn seal(&mut self, entry: &SignedEntry) -> Envelope {
        let frame = entry.frame();
        let header = EnvelopeHeader {
            v: V1,
            suite: Suite::W1,
            site: self.site,
            chart: self.chart,
            epoch: 0,
            device: frame.device,
            incarnation: frame.incarnation,
            seq: frame.seq,
            entry_id: entry.id(),
            mlog_size: 1,
            mlog_root: TreeRoot::from_bytes([2; 32]),
        };
        let plaintext = entry.plaintext();
        seal_envelope(&self.secret, header, &plaintext, &self.keys.sign, &self.keys.hedge, &mut self.rng)
            .expect("an entry of this size can be sealed")
    }

    /// From the bytes of a page to checked entries.
    fn open_batch(&self) -> u32 {
        let envelopes: Vec<Envelope> = self
            .batch
            .iter()
            .map(|bytes| Envelope::from_canonical(bytes).expect("as it was sealed"))
            .collect();
        let pairs: Vec<_> = envelopes.iter().map(|envelope| (envelope, &self.cert.binding.sign_pk)).collect();
        let plaintexts: Vec<_> = verify_envelopes(&pairs)
            .into_iter()
            .map(|verified| {
                verified.expect("it holds").open(&self.secret, AcceptedSuites::ALL).expect("it opens")
            })
            .collect();
        let opened: Vec<OpenedEnvelope<'_>> = envelopes
            .iter()
            .zip(&plaintexts)
            .map(|(envelope, plaintext)| OpenedEnvelope {
                header: envelope.header(),
                plaintext,
                cert: &self.cert,
            })
            .collect();
        SignedEntry::rebuild_and_check_all(&opened).iter().map(|entry| u32::from(entry.is_ok())).sum()
    }
}

fn certificate(rng: &mut Seeded, site: SiteId, keys: &DeviceKeys) -> DeviceCert {
    let auth = keys.auth_signer().expect("software keys sign");
    let binding = DeviceBinding::new(DeviceBindingFields {
        v: V1,
        suite: Suite::W1,
        study: random_id(rng),
        site,
        person: random_id(rng),
        role: Role::Patient,
        device: random_id(rng),
        auth_pk: auth.public_key(),
        sign_pk: *keys.sign.public(),
        enc_pk: keys.enc.public().clone(),
        ticket: random_id(rng),
    })
    .expect("the binding is well formed");
    let CounterSignatures { sign, auth } = binding.counter_sign(&keys.sign, auth).expect("the keys sign");
    DeviceCert::new(DeviceCertFields {
        binding,
        counter_sign: sign,
        counter_auth: auth,
        attest_level: AttestLevel::Secure,
        not_before: AT.plus_ms(-YEAR_MS),
        not_after: AT.plus_ms(YEAR_MS),
        idv: Idv::InPerson,
        issuer_cert_hash: CertHash::from_bytes([0; 32]),
        manifest_hash: ManifestHash::from_bytes([0; 32]),
    })
    .expect("the certificate is well formed")
}
