//! What one entry of 1 KiB costs: making it, sealing its envelope, verifying both signatures in
//! batches of 64 and opening; each beside the sum of its primitives, called directly on the
//! libraries in the same run. The same for a record, as a phone writes it each morning. And what an
//! answer weighs on the wire.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;
#[path = "../tests/suite/support/mod.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "shared with the tests")]
mod support;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload as AeadPayload};
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::Mac as _;
use rand_core::Rng as _;
use sha2::{Digest as _, Sha256, Sha512};
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;
use stopwatch::{Course, Gates, Times, race};
use support::{Pen, T0, TestRng, Ward, header, response};
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

const PAYLOAD_BYTES: usize = 1024;
const BATCH: usize = 64;
const RATIO_MAX: f64 = 1.5;
/// Records made, and envelopes of records sealed, in a second of one core.
const RECORDS_MADE_PER_S: f64 = 40_000.0;
/// Records whose two signatures are checked and whose envelope is opened, in a second of one core.
const RECORDS_OPENED_PER_S: f64 = 20_000.0;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let mut gates = Gates::default();
    let bench = Bench::new(kibibyte());
    bench.run(&mut gates);
    bench.all_cores(&gates);
    Bench::new(record()).records(&gates);
    wire_size(&gates);
    gates.exit()
}

/// An answer with a payload of 1 KiB.
fn kibibyte() -> Draft {
    let mut answer = response("day-1", ResponseStatus::Completed, AnsweredBy::Self_);
    let overhead = Payload::from(answer.clone()).encode().len() - answer.response.len();
    answer.response = vec![b'x'; PAYLOAD_BYTES - overhead - 1];
    let draft = Draft::new(answer);
    assert_eq!(draft.payload.encode().len(), PAYLOAD_BYTES);
    draft
}

/// Twenty offered answers to a questionnaire that the chart knows.
fn record() -> Draft {
    let mut answer = support::dense(EntryId::from_bytes([5; 32]), "2026-11-23", AnsweredBy::Self_);
    answer.answers = twenty_dense_answers();
    Draft::new(answer)
}

/// A site, a payload, and one batch of envelopes of one phone.
struct Bench {
    ward: Ward,
    secret: EpochSecret,
    draft: Draft,
    batch: Vec<(SignedEntry, Vec<u8>)>,
}

impl Bench {
    fn new(draft: Draft) -> Self {
        let mut ward = Ward::new(1);
        let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
        let mut bench = Self { ward, secret, draft, batch: Vec::new() };
        let batch = bench.sealed();
        bench.batch = batch;
        bench
    }

    fn chain(&self) -> EntryChain {
        let phone = &self.ward.phone;
        EntryChain::open(self.ward.site.site, self.ward.chart, phone.id, phone.role, Incarnation(7))
    }

    fn make(&self, chain: &mut EntryChain, heads: &VersionVector) -> SignedEntry {
        let moment = Moment {
            random16: random_bytes(&mut system_rng()),
            captured_at: T0,
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1_000 },
            olog: None,
        };
        let key = &self.ward.phone.keys.sign;
        let seen = Seen { heads, lamport: 0 };
        chain.append(&self.draft, &moment, seen, |id| Ok(CaptureSignature::sign(key, id))).unwrap()
    }

    fn seal(&self, entry: &SignedEntry) -> Envelope {
        let keys = &self.ward.phone.keys;
        let header = header(&self.ward.site, entry, 0);
        seal_envelope(&self.secret, header, &entry.plaintext(), &keys.sign, &keys.hedge, &mut system_rng())
            .unwrap()
    }

    fn sealed(&self) -> Vec<(SignedEntry, Vec<u8>)> {
        let (mut chain, heads) = (self.chain(), VersionVector::new());
        let entries = (0..BATCH).map(|_| self.make(&mut chain, &heads));
        entries
            .map(|entry| {
                let bytes = self.seal(&entry).to_canonical();
                (entry, bytes)
            })
            .collect()
    }

    /// From the bytes of a page to checked entries.
    fn open_batch(&self) {
        let cert = &self.ward.phone.cert;
        let envelopes: Vec<Envelope> =
            self.batch.iter().map(|(_, bytes)| Envelope::from_canonical(bytes).unwrap()).collect();
        let pairs: Vec<_> = envelopes.iter().map(|envelope| (envelope, &cert.binding.sign_pk)).collect();
        let plaintexts: Vec<_> = verify_envelopes(&pairs)
            .into_iter()
            .map(|verified| verified.unwrap().open(&self.secret, AcceptedSuites::ALL).unwrap())
            .collect();
        let opened: Vec<OpenedEnvelope<'_>> = envelopes
            .iter()
            .zip(&plaintexts)
            .map(|(envelope, plaintext)| OpenedEnvelope { header: envelope.header(), plaintext, cert })
            .collect();
        assert!(SignedEntry::rebuild_and_check_all(&opened).iter().all(Result::is_ok));
    }

    /// 10,000 records of a cold pull on every core, by the clock on the wall.
    fn all_cores(&self, gates: &Gates) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let batches = 10_000usize.div_ceil(BATCH * cores);
        let mut best_per_s = 0f64;
        for _ in 0..10 {
            let began = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..cores {
                    scope.spawn(|| (0..batches).for_each(|_| self.open_batch()));
                }
            });
            best_per_s = best_per_s.max((batches * BATCH * cores) as f64 / began.elapsed().as_secs_f64());
        }
        let met = best_per_s >= 20_000.0;
        gates.target(
            &format!("verified and opened on {cores} cores"),
            best_per_s,
            "records/s",
            met,
            ">= 20,000",
        );
    }

    /// What a phone and a clinician's device do with the records of a morning.
    fn records(&self, gates: &Gates) {
        let (entry, _) = &self.batch[0];
        let body = entry.body().to_canonical().len();
        println!("record: body {body} bytes, padded {} bytes", padded_len(entry.plaintext().len()));
        let heads = VersionVector::new();
        let mut chain = self.chain();
        let (make, seal, open) = (
            "make a record",
            "seal the envelope of a record",
            "verify both signatures and open a record, batches of 64",
        );
        let times = race(vec![
            Course::each(make, 1024, || self.make(&mut chain, &heads)),
            Course::each(seal, 1024, || self.seal(entry)),
            Course::new(open, 1024, |count| {
                (0..count.div_ceil(BATCH)).for_each(|_| self.open_batch());
            }),
        ]);
        times.print();
        for (name, target) in
            [(make, RECORDS_MADE_PER_S), (seal, RECORDS_MADE_PER_S), (open, RECORDS_OPENED_PER_S)]
        {
            let per_s = 1e6 / times.us(name);
            gates.target(name, per_s, "/s", per_s >= target, &format!(">= {target}"));
        }
    }

    fn open_singly(&self) {
        let cert = &self.ward.phone.cert;
        for (_, bytes) in &self.batch {
            let envelope = Envelope::from_canonical(bytes).unwrap();
            let verified = envelope.verify(&cert.binding.sign_pk).unwrap();
            let plaintext = verified.open(&self.secret, AcceptedSuites::ALL).unwrap();
            black_box(SignedEntry::rebuild_and_check(envelope.header(), &plaintext, cert).unwrap());
        }
    }

    fn run(&self, gates: &mut Gates) {
        let heads = VersionVector::new();
        let mut chain = self.chain();
        let (entry, envelope_bytes) = &self.batch[0];
        let envelope = Envelope::from_canonical(envelope_bytes).unwrap();
        let sizes = Sizes {
            frame: entry.frame().to_canonical().len(),
            header: envelope.header().to_canonical().len(),
            padded: padded_len(entry.plaintext().len()),
            envelope: envelope_bytes.len(),
        };
        let mut courses = vec![
            Course::each("make an entry", 1024, || self.make(&mut chain, &heads)),
            Course::each("seal its envelope", 1024, || self.seal(entry)),
            Course::new("verify both signatures and open, batches of 64", 1024, |count| {
                (0..count.div_ceil(BATCH)).for_each(|_| self.open_batch());
            }),
            Course::new("the same one by one", 256, |count| {
                (0..count.div_ceil(BATCH)).for_each(|_| self.open_singly());
            }),
            Course::each("an envelope to bytes", 4096, || envelope.to_canonical()),
            Course::each("an envelope from bytes", 4096, || {
                Envelope::from_canonical(envelope_bytes).unwrap()
            }),
            Course::each("an entry's name", 4096, || entry.frame().entry_id()),
            Course::each("an entry's plaintext", 4096, || entry.plaintext()),
        ];
        courses.extend(primitives(sizes));
        let times = race(courses);
        println!(
            "1 KiB payload: frame {}, padded {}, envelope {} bytes; CPU time of the thread, best of 10",
            sizes.frame, sizes.padded, sizes.envelope
        );
        times.print();
        judge(&times, gates);
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    frame: usize,
    header: usize,
    padded: usize,
    envelope: usize,
}

fn system_rng() -> rand_core::UnwrapErr<getrandom::SysRng> {
    rand_core::UnwrapErr(getrandom::SysRng)
}

/// The libraries, called as barely as they can be.
fn primitives(sizes: Sizes) -> Vec<Course<'static>> {
    let mut random = TestRng::new(9);
    let mut bytes = |len: usize| {
        let mut bytes = vec![0; len];
        random.fill_bytes(&mut bytes);
        bytes
    };
    let (frame, head, padded) = (bytes(sizes.frame), bytes(sizes.header), bytes(sizes.padded));
    let (secret, salt, info, context) = (bytes(32), bytes(32), bytes(43), bytes(32));
    let signing = SigningKey::from_bytes(&[3; 32]);
    let (message, aad) = (bytes(47), context.clone());
    let key: [u8; 32] = bytes(32).try_into().unwrap();
    let nonce: [u8; 12] = bytes(12).try_into().unwrap();
    let encrypt = move |padded: &[u8]| {
        let cipher = aes_gcm::Aes256Gcm::new((&key).into());
        cipher.encrypt((&nonce).into(), AeadPayload { msg: padded, aad: &aad }).unwrap()
    };
    let ciphertext = encrypt(&padded);
    let (aad, sealed, opened_hash) = (context.clone(), ciphertext.clone(), ciphertext.clone());
    let padded_again = padded.clone();
    let mac_key = [4u8; 64];
    let signatures: Vec<[u8; 64]> =
        (0..BATCH as u8).map(|i| signing.sign(&[[i; 16].as_slice(), &message].concat()).to_bytes()).collect();
    let verifying = signing.verifying_key();
    vec![
        Course::each("p: 16 random bytes", 4096, || random_bytes::<16>(&mut system_rng())),
        Course::each("p: 32 random bytes", 4096, || random_bytes::<32>(&mut system_rng())),
        Course::each("p: Ed25519 sign", 1024, move || signing.sign(&message)),
        Course::each("p: SHA-256 of the frame", 4096, move || Sha256::digest(&frame)),
        Course::each("p: SHA-256 of the header", 4096, move || Sha256::digest(&head)),
        Course::each("p: SHA-256 of the padded plaintext", 4096, move || Sha256::digest(&padded_again)),
        Course::each("p: SHA-256 of the ciphertext", 4096, move || Sha256::digest(&opened_hash)),
        Course::each("p: SHA-256 of two blocks", 4096, move || Sha256::digest([5u8; 110])),
        Course::each("p: HMAC-SHA256 of 64 bytes", 4096, move || {
            let mut mac = hmac::Hmac::<Sha256>::new((&mac_key).into());
            mac.update(&context);
            mac.update(&context);
            mac.finalize().into_bytes()
        }),
        Course::each("p: HKDF-SHA256, 76 bytes", 4096, move || {
            let mut okm = [0; 76];
            hkdf::Hkdf::<Sha256>::new(Some(&salt), &secret).expand(&info, &mut okm).unwrap();
            okm
        }),
        Course::each("p: AES-256-GCM seal, fresh key", 4096, move || encrypt(&padded)),
        Course::each("p: AES-256-GCM open, fresh key", 4096, move || {
            let cipher = aes_gcm::Aes256Gcm::new((&key).into());
            cipher.decrypt((&nonce).into(), AeadPayload { msg: &sealed, aad: &aad }).unwrap()
        }),
        Course::new("p: Ed25519 verify, 64 of one key in one sum", 1024, move |count| {
            (0..count.div_ceil(BATCH)).for_each(|_| verify_sum(&signatures, verifying));
        }),
    ]
}

/// What any check of 64 signatures in one sum must do: decompress each R, hash each challenge,
/// weigh each by 128 bits, add everything up.
fn verify_sum(signatures: &[[u8; 64]], key: ed25519_dalek::VerifyingKey) {
    let mut points = vec![ED25519_BASEPOINT_POINT, key.to_edwards()];
    let mut scalars = vec![Scalar::ZERO, Scalar::ZERO];
    for (i, signature) in (0u8..).zip(signatures) {
        let (r, s) = signature.split_at(32);
        let mut challenge = Sha512::new();
        challenge.update(r);
        challenge.update(key.as_bytes());
        challenge.update([i; 16]);
        // The weights come ready-made: a generator's output would do.
        let mut weight = [0; 32];
        weight[..16].copy_from_slice(&s[..16]);
        let weight = Scalar::from_bytes_mod_order(weight);
        scalars[0] += weight * Scalar::from_bytes_mod_order(s.try_into().unwrap());
        scalars[1] += weight * Scalar::from_bytes_mod_order_wide(&challenge.finalize().into());
        scalars.push(weight);
        points.push(CompressedEdwardsY(r.try_into().unwrap()).decompress().unwrap());
    }
    black_box(EdwardsPoint::vartime_multiscalar_mul(&scalars, &points).is_identity());
}

fn judge(times: &Times, gates: &mut Gates) {
    let sum = |names: &[&str]| names.iter().map(|name| times.us(&format!("p: {name}"))).sum::<f64>();
    let make = sum(&["16 random bytes", "SHA-256 of the frame", "Ed25519 sign"]);
    // The header is hashed once, the plaintext into the salt, the ciphertext into the signature.
    let seal = sum(&[
        "32 random bytes",
        "SHA-256 of the header",
        "SHA-256 of the padded plaintext",
        "HMAC-SHA256 of 64 bytes",
        "SHA-256 of two blocks",
        "HKDF-SHA256, 76 bytes",
        "AES-256-GCM seal, fresh key",
        "SHA-256 of the ciphertext",
        "SHA-256 of two blocks",
        "Ed25519 sign",
    ]);
    let open = sum(&[
        "SHA-256 of the header",
        "SHA-256 of the ciphertext",
        "SHA-256 of two blocks",
        "Ed25519 verify, 64 of one key in one sum",
        "HKDF-SHA256, 76 bytes",
        "AES-256-GCM open, fresh key",
        "SHA-256 of the frame",
        "Ed25519 verify, 64 of one key in one sum",
    ]);
    for (name, primitives, target_us) in [
        ("make an entry", make, 30.0),
        ("seal its envelope", seal, 30.0),
        ("verify both signatures and open, batches of 64", open, 50.0),
    ] {
        let us = times.us(name);
        gates.target(name, us, "µs", us <= target_us, &format!("<= {target_us} µs"));
        gates.at_most(&format!("{name} / its primitives ({primitives:.1} µs)"), us / primitives, RATIO_MAX);
    }
}

/// A response of 20 answers, compact JSON as apps write it, with two entries named as seen.
fn wire_size(gates: &Gates) {
    let mut ward = Ward::new(2);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    for (n, device) in (1..).zip([&ward.coordinator, &ward.clinician]) {
        let mut pen = Pen::new(ward.site.site, ward.chart, device, n);
        let entry = pen.write(&chart, support::note("seen"));
        chart.insert(entry, Arrival::at(n - 1, T0)).unwrap();
    }
    for answers in [20, 30] {
        let mut answer = response("2026-11-23", ResponseStatus::Completed, AnsweredBy::Self_);
        answer.response = fhir_response(answers);
        let entry = Pen::new(ward.site.site, ward.chart, &ward.phone, 3).write(&chart, answer.clone());
        assert_eq!(entry.body().deps.len(), 2);
        let mut rng = TestRng::new(4);
        let envelope = support::seal(header(&ward.site, &entry, 0), &entry, &ward.phone, &secret, &mut rng);
        println!(
            "  {answers} answers, two entries seen: FHIR JSON {}, entry {}, padded {} bytes",
            answer.response.len(),
            entry.plaintext().len(),
            padded_len(entry.plaintext().len())
        );
        let bytes = envelope.to_canonical().len();
        let envelope_head = entry.plaintext().len() - answer.response.len();
        println!(
            "  the entry around the answers: {envelope_head} bytes; bucket 512 leaves {} for them",
            511 - envelope_head
        );
        let name = format!("envelope of {answers} answers as FHIR JSON on the wire");
        gates.target(&name, bytes as f64, "bytes", true, "none");
    }
    // Which entry it is does not change the size.
    let mut answer = support::dense(EntryId::from_bytes([5; 32]), "2026-11-23", AnsweredBy::Self_);
    answer.answers = twenty_dense_answers();
    let entry = Pen::new(ward.site.site, ward.chart, &ward.phone, 3).write(&chart, answer);
    let mut rng = TestRng::new(4);
    let envelope = support::seal(header(&ward.site, &entry, 0), &entry, &ward.phone, &secret, &mut rng);
    let bytes = envelope.to_canonical().len();
    let name = "envelope of 20 answers bound to their instrument on the wire";
    gates.target(name, bytes as f64, "bytes", bytes <= 850, "<= 850");
}

/// The published dense form of 20 offered answers.
fn twenty_dense_answers() -> Vec<u8> {
    let vectors = include_str!("../../ward-forms/vectors/dense_answers.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let vector = &vectors["vectors"][0];
    assert_eq!(vector["name"], "twenty answers");
    hex_decode(vector["dense"].as_str().unwrap()).unwrap()
}

fn fhir_response(answers: usize) -> Vec<u8> {
    let item = |n: usize| format!(r#"{{"linkId":"{}","answer":[{{"valueInteger":{}}}]}}"#, n, n % 5);
    let items = (1..=answers).map(item).collect::<Vec<_>>().join(",");
    format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{items}]}}"#)
        .into_bytes()
}
