//! What the devices do before the clock starts: entries, envelopes, tokens, proofs.

use crate::child::{Child, now};
use crate::support::people::{Device, People, Who};
use crate::support::wire::{Session, Wire, proof};
use crate::ward_server_child::SEED;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use ward_api::{EnvelopeBatch, MlogSubmission, Opaque, headers, paths};
use ward_crypto::*;
use ward_id::{Canonical as _, ChartId, Incarnation, VersionVector};
use ward_sync::*;

/// The requests of one client, ready to be sent.
pub struct Posted {
    pub requests: Vec<Vec<u8>>,
}

/// One client: a device and a chain of its own.
struct Pen {
    device: usize,
    chart: ChartId,
    chain: EntryChain,
}

/// The site with clients that have members' keys.
pub struct Clients {
    people: People,
    secrets: Vec<EpochSecret>,
    pens: Vec<Pen>,
    head: TreeHead,
}

/// The devices that post, by number; the second field says in which of the two charts.
fn device_of(people: &People, number: usize) -> (&Device, bool, Role) {
    match number {
        0 => (&people.phone, false, Role::Patient),
        1 => (&people.spare, false, Role::Patient),
        2 => (&people.coordinator, false, Role::Coordinator),
        _ => (&people.other_phone, true, Role::Patient),
    }
}

const DEVICES: usize = 4;

impl Clients {
    /// Makes the epochs of both charts on a new server, and `count` chains: those roles of the
    /// test site that may write responses, each with several lives of its store.
    pub async fn begin(server: &Child, count: usize) -> Self {
        let mut people = People::new(SEED);
        let mut secrets = Vec::new();
        for chart in [people.chart, people.other_chart] {
            let (package, secret, announce) = people.epoch(chart, Who::Coordinator, None);
            let submission = MlogSubmission {
                entry: Opaque(announce.to_canonical()),
                package: Some(Opaque(package.to_canonical())),
                place: None,
            };
            let session = session(server, &people.coordinator).await;
            session.post(paths::MLOG_ENTRIES, &submission).await.ok();
            people.membership.learn_package(&package);
            people.took(&announce);
            secrets.push(secret);
        }
        let head = people.membership.head();
        Self { pens: pens(&people, count, 1), people, secrets, head }
    }

    /// The same clients at a server that holds what [`Clients::begin`] made, with new chains.
    pub fn again(&self, life: u64) -> Self {
        let people = People::new(SEED);
        let secret = |secret: &EpochSecret| {
            EpochSecret::from_secret_bytes(secret.chart(), secret.epoch(), &secret.to_secret_bytes())
        };
        let secrets = self.secrets.iter().map(secret).collect();
        Self { pens: pens(&people, self.pens.len(), life), people, secrets, head: self.head }
    }

    /// Bytes of one envelope.
    pub fn envelope_bytes(&self) -> usize {
        self.sample(1).1[0].len()
    }

    /// Some envelopes of one chain and their author's key.
    pub fn sample(&self, count: usize) -> (&SignPublicKey, Vec<Vec<u8>>) {
        let mut pens = pens(&self.people, 1, u64::MAX);
        let envelopes = (0..count).map(|_| self.seal(&mut pens[0])).collect();
        (device_of(&self.people, pens[0].device).0.keys.sign.public(), envelopes)
    }

    /// Makes the requests of every client: `count` with `operations` each.
    pub async fn prepare(&mut self, server: &Child, count: usize, operations: usize) -> Vec<Posted> {
        let mut pens = std::mem::take(&mut self.pens);
        let mut posted = Vec::new();
        for pen in &mut pens {
            let (device, ..) = device_of(&self.people, pen.device);
            let session = session(server, device).await;
            let path = paths::envelopes(pen.chart);
            let mut requests = Vec::with_capacity(count);
            for _ in 0..count {
                let batch: EnvelopeBatch = (0..operations).map(|_| Opaque(self.seal(pen))).collect();
                requests.push(request(&session, device, &path, &batch.to_canonical()));
            }
            posted.push(Posted { requests });
        }
        self.pens = pens;
        posted
    }

    fn seal(&self, pen: &mut Pen) -> Vec<u8> {
        let (device, other, _) = device_of(&self.people, pen.device);
        let keys = &device.keys;
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        let moment = Moment {
            random16: random_bytes(&mut rng),
            captured_at: now(),
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1_000 },
            olog: None,
        };
        let draft = Draft::new(thirty_answers());
        let seen = Seen { heads: &VersionVector::new(), lamport: 0 };
        let entry =
            pen.chain.append(&draft, &moment, seen, |id| Ok(CaptureSignature::sign(&keys.sign, id))).unwrap();
        let frame = entry.frame();
        let header = EnvelopeHeader {
            v: V1,
            suite: Suite::W1,
            site: frame.site,
            chart: frame.chart,
            epoch: 0,
            device: frame.device,
            incarnation: frame.incarnation,
            seq: frame.seq,
            entry_id: entry.id(),
            mlog_size: self.head.size,
            mlog_root: self.head.root,
        };
        let secret = &self.secrets[usize::from(other)];
        let sealed = seal_envelope(secret, header, &entry.plaintext(), &keys.sign, &keys.hedge, &mut rng);
        sealed.unwrap().to_canonical()
    }
}

fn pens(people: &People, count: usize, life: u64) -> Vec<Pen> {
    let pen = |number: usize| {
        let (device, other, role) = device_of(people, number % DEVICES);
        let chart = if other { people.other_chart } else { people.chart };
        let incarnation = Incarnation(life.wrapping_mul(1_000).wrapping_add(number as u64));
        let chain = EntryChain::open(people.site, chart, device.id, role, incarnation);
        Pen { device: number % DEVICES, chart, chain }
    };
    (0..count).map(pen).collect()
}

fn thirty_answers() -> QuestionnaireResponse {
    let item = |n: usize| format!(r#"{{"linkId":"{n}","answer":[{{"valueInteger":{}}}]}}"#, n % 5);
    let items = (1..=30).map(item).collect::<Vec<_>>().join(",");
    let json = format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{items}]}}"#);
    QuestionnaireResponse {
        instrument_url: "https://ward.example/Questionnaire/diary".into(),
        instrument_version: "1".into(),
        occurrence: Occurrence::new("2026-11-23"),
        status: ResponseStatus::Completed,
        answered_by: AnsweredBy::Interview,
        response: json.into_bytes(),
    }
}

async fn session<'a>(server: &Child, device: &'a Device) -> Session<'a> {
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config((*server.tls).clone())
        .https_only()
        .enable_http1()
        .build();
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let wire = Wire::Https { client: Box::new(client), base: format!("https://{}", server.address) };
    Session::new(wire, device, now).login().await
}

/// One request as it goes over the wire.
fn request(session: &Session<'_>, device: &Device, path: &str, body: &[u8]) -> Vec<u8> {
    let token = session.token.lock().unwrap().clone();
    let nonce = session.nonce.lock().unwrap().clone();
    let proof = proof(device, "POST", path, Some(&token), &nonce, now());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: ward.test\r\nauthorization: {} {token}\r\n{}: {proof}\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        headers::AUTH_SCHEME,
        headers::DPOP,
        headers::MEDIA_CBOR,
        body.len()
    );
    [head.as_bytes(), body].concat()
}
