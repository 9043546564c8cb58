//! Permanent test vectors of every stored or sent format, with their generator.
//!
//! The generator makes each vector again in memory from fixed seeds and compares it with the
//! committed file; `WARD_WRITE_VECTORS=1` writes the files. A byte that changes here is a break of
//! the format. The second half reads the committed files and opens what is in them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code may fail loudly")]

mod fixtures;

use fixtures::{Device, Seeded, Site};
use serde_json::{Value, json};
use std::path::PathBuf;
use ward_crypto::*;
use ward_id::{Canonical, EntryId, hex_decode, hex_encode};

const SEED: &str = "ward-crypto vectors, version 1";
const PLAINTEXT: &[u8] = b"an entry, as canonical bytes";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(format!("{name}.json"))
}

fn compare(name: &str, vector: &Value) {
    let text = serde_json::to_string_pretty(vector).unwrap() + "\n";
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::write(path(name), &text).unwrap();
    }
    let stored = std::fs::read_to_string(path(name)).unwrap();
    assert!(stored == text, "the bytes of {name} changed");
}

fn load(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex_decode(value.as_str().unwrap()).unwrap()
}

fn bytes32(value: &Value) -> [u8; 32] {
    bytes(value).try_into().unwrap()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    hex_encode(bytes.as_ref())
}

/// All secrets of a device, so that another implementation can open what is sealed to it.
fn device(device: &Device) -> Value {
    json!({ "device": device.id, "secret_bytes": hex(&*device.keys.to_secret_bytes()) })
}

fn device_keys(value: &Value) -> DeviceKeys {
    DeviceKeys::from_secret_bytes(&bytes(&value["secret_bytes"])).unwrap()
}

#[test]
fn trust_formats() {
    let site = Site::new(SEED);
    compare(
        "root_policy",
        &json!({ "bytes": hex(site.root.to_canonical()), "fingerprint": site.root.fingerprint() }),
    );
    compare(
        "site_manifest",
        &json!({ "bytes": hex(site.manifest.to_canonical()), "hash": site.manifest.hash() }),
    );
    compare(
        "device_certificate",
        &json!({
            "device": device(&site.patient),
            "binding": hex(site.patient.binding.to_canonical()),
            "bytes": hex(site.patient.cert.to_canonical()),
            "hash": site.patient.cert.hash(),
        }),
    );
}

#[test]
fn enrolment_formats() {
    let mut site = Site::new(SEED);
    let ticket = site.ticket();
    compare("ticket", &json!({ "text": *ticket.to_text(), "srv": hex(ticket.redeem_key().as_bytes()) }));
    let request = site.enrol_request();
    let blob = seal_enrol_request(&ticket, site.staff.keys.enc.public(), &request, &mut site.rng).unwrap();
    compare(
        "enrolment",
        &json!({
            "ticket": *ticket.to_text(),
            "issuer": device(&site.staff),
            "request": hex(request.to_canonical()),
            "blob": hex(blob.to_canonical()),
            "proof": hex(ticket.redeem_key().proof(ticket.ticket, &blob)),
        }),
    );
    compare(
        "sas_words",
        &json!({
            "binding": hex(site.patient.binding.to_canonical()),
            "issuer_device": site.staff.id,
            "words": sas_words(&site.patient.binding, site.staff.id),
        }),
    );
}

#[test]
fn chart_formats() {
    let mut site = Site::new(SEED);
    let (first, first_secret) = site.epoch_zero();
    let (second, second_secret) = site.next_epoch(Some((&first, &first_secret)));
    let packages = [first, second]
        .map(|package| json!({ "bytes": hex(package.to_canonical()), "hash": package.hash() }));
    let secrets = [&first_secret, &second_secret].map(|secret| hex(*secret.to_secret_bytes()));
    compare(
        "epoch_package",
        &json!({
            "members": [device(&site.staff), device(&site.patient)],
            "author_sign_pk": hex(site.staff.keys.sign.public().as_bytes()),
            "packages": packages,
            "secrets": secrets,
        }),
    );
    let envelope = site.seal(&second_secret, 1, PLAINTEXT);
    compare(
        "envelope",
        &json!({
            "author_sign_pk": hex(site.patient.keys.sign.public().as_bytes()),
            "epoch_secret": hex(*second_secret.to_secret_bytes()),
            "plaintext": hex(PLAINTEXT),
            "ctx": hex(envelope.header().context()),
            "bytes": hex(envelope.to_canonical()),
            "hash": envelope.envelope_hash(),
        }),
    );
    let entry = EntryId::from_bytes([0x77; 32]);
    let (patient, staff) = (&site.patient, [site.staff.member()]);
    let dropped =
        seal_drop(site.chart, patient.id, entry, &staff, PLAINTEXT, &patient.keys.sign, &mut site.rng)
            .unwrap();
    let capture = CaptureSignature::sign(&patient.keys.sign, entry);
    let confirmed = CaptureSignature::sign_hardware(patient.keys.auth_signer().unwrap(), entry).unwrap();
    let signatures =
        [capture, confirmed].map(|s| json!({ "alg": s.alg(), "sig": hex(s.signature().as_bytes()) }));
    compare(
        "drop_envelope",
        &json!({
            "staff": device(&site.staff),
            "author_sign_pk": hex(patient.keys.sign.public().as_bytes()),
            "plaintext": hex(PLAINTEXT),
            "bytes": hex(dropped.to_canonical()),
        }),
    );
    compare(
        "capture_signature",
        &json!({
            "binding": hex(patient.binding.to_canonical()),
            "entry_id": entry,
            "signatures": signatures,
        }),
    );
}

#[test]
fn local_formats() {
    let mut rng = Seeded::new(SEED);
    let lkek = Lkek::generate(&mut rng);
    let wrapped = lkek.wrap(&WrappingKey::from_secret_bytes(&[9; 32]), &mut rng).unwrap();
    let row = lkek.local_key().seal_row("entries", &[1, 2, 3], 5, b"row", &mut rng).unwrap();
    compare(
        "local_store",
        &json!({
            "wrapping_key": hex([9; 32]),
            "wrapped_lkek": hex(wrapped),
            "table": "entries", "row_id": hex([1, 2, 3]), "version": 5,
            "plaintext": hex(b"row"),
            "row": hex(row),
        }),
    );
}

/// The content of a blob of so many bytes.
fn blob_content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

/// Sealed chunks of a content, and what names them.
fn sealed_blob(key: &BlobKey, content: &[u8]) -> (Vec<Vec<u8>>, SealedBlob) {
    let mut sealer = BlobSealer::new(key.clone());
    let mut parts: Vec<&[u8]> = content.chunks(limits::BLOB_CHUNK_BYTES).collect();
    let last = parts.pop().unwrap_or(&[]);
    let mut chunks: Vec<Vec<u8>> = parts.into_iter().map(|part| sealer.next(part).unwrap()).collect();
    let (chunk, blob) = sealer.last(last).unwrap();
    chunks.push(chunk);
    (chunks, blob)
}

#[test]
fn blob_format() {
    let chunk = limits::BLOB_CHUNK_BYTES;
    let cases: Vec<Value> = [0, 1, 16, chunk - 1, chunk, chunk + 1, 2 * chunk]
        .into_iter()
        .zip(1u8..)
        .map(|(size, seed)| {
            let key = BlobKey::from_secret_bytes(&[seed; 32]);
            let (chunks, blob) = sealed_blob(&key, &blob_content(size));
            json!({
                "key": hex([seed; 32]),
                "size": size,
                "address": blob.address,
                "plain_hash": hex(blob.plain_hash),
                "chunk_hashes": chunks.iter().map(|chunk| hex(sha256(chunk))).collect::<Vec<_>>(),
                "sealed": if size <= 16 { hex(chunks.concat()) } else { String::new() },
            })
        })
        .collect();
    compare("blob", &json!({ "content": "byte n is n mod 251", "blobs": cases }));
}

#[test]
fn stored_blobs_still_open() {
    for blob in load("blob")["blobs"].as_array().unwrap() {
        let key = BlobKey::from_secret_bytes(&bytes32(&blob["key"]));
        let sealed = bytes(&blob["sealed"]);
        if sealed.is_empty() {
            continue;
        }
        let named = SealedBlob {
            address: blob["address"].as_str().unwrap().parse().unwrap(),
            size: blob["size"].as_u64().unwrap(),
            plain_hash: bytes32(&blob["plain_hash"]),
        };
        let mut opener = BlobOpener::new(key, named).unwrap();
        assert_eq!(*opener.next(&sealed).unwrap(), blob_content(usize::try_from(named.size).unwrap()));
        opener.finish().unwrap();
    }
}

#[test]
fn unsent_file_format() {
    let mut rng = Seeded::new(SEED);
    let (site, device) = (random_id(&mut rng), random_id(&mut rng));
    let staff = (random_id(&mut rng), EncKey::from_secret_bytes(&[5; 32]).unwrap());
    let words = ExportPassphrase::generate(&mut rng);
    let to = [(staff.0, staff.1.public().clone())];
    let made_at = ward_id::TimestampMs(1_700_000_000_000);
    let (header, key) = seal_unsent_header(site, device, made_at, &to, Some(&words), &mut rng).unwrap();
    let (sealer, start) = FileSealer::start(&key, &mut rng).unwrap();
    let chunk = sealer.last(PLAINTEXT).unwrap();
    compare(
        "unsent_file",
        &json!({
            "staff_secret": hex([5; 32]),
            "passphrase": words.to_text().as_str(),
            "plaintext": hex(PLAINTEXT),
            "file": hex([header.to_front(), start, chunk].concat()),
        }),
    );
}

#[test]
fn stored_unsent_files_still_open() {
    let stored = load("unsent_file");
    let file = bytes(&stored["file"]);
    let (header, taken) = UnsentHeader::from_front(&file).unwrap().unwrap();
    let (start, chunk) = file[taken..].split_at(limits::SEALED_HEADER_BYTES);
    let staff = EncKey::from_secret_bytes(&bytes32(&stored["staff_secret"])).unwrap();
    let words = ExportPassphrase::from_text(stored["passphrase"].as_str().unwrap()).unwrap();
    for key in [header.open_as_device(header.wraps[0].device, &staff), header.open_with(&words)] {
        let opener = FileOpener::start(&key.unwrap(), start).unwrap();
        assert_eq!(*opener.last(chunk).unwrap(), bytes(&stored["plaintext"]));
    }
}

#[test]
fn padding_table() {
    let lengths = [
        0, 1, 511, 512, 767, 768, 1_023, 1_024, 4_095, 4_096, 16_383, 16_384, 17_407, 17_408, 65_535, 65_536,
        100_000, 258_047,
    ];
    let rows: Vec<Value> = lengths.iter().map(|len| json!([len, padded_len(*len)])).collect();
    compare("padding", &json!({ "plaintext_bytes_to_padded_bytes": rows }));
}

#[test]
fn stored_trust_and_enrolment_vectors_still_open() {
    let root = load("root_policy");
    let policy = RootPolicy::from_canonical(&bytes(&root["bytes"])).unwrap();
    assert_eq!(json!(policy.fingerprint()), root["fingerprint"]);
    let manifest = load("site_manifest");
    let decoded = SiteManifest::from_canonical(&bytes(&manifest["bytes"])).unwrap();
    assert_eq!(json!(decoded.hash()), manifest["hash"]);
    let cert = load("device_certificate");
    let decoded = DeviceCert::from_canonical(&bytes(&cert["bytes"])).unwrap();
    assert_eq!(json!(decoded.hash()), cert["hash"]);
    assert_eq!(decoded.verify_counter_signatures(), Ok(()));
    assert_eq!(*device_keys(&cert["device"]).sign.public(), decoded.binding.sign_pk);

    let enrolment = load("enrolment");
    let ticket = Ticket::from_text(enrolment["ticket"].as_str().unwrap()).unwrap();
    let blob = EnrolBlob::from_canonical(&bytes(&enrolment["blob"])).unwrap();
    let request = open_enrol_request(&ticket, &device_keys(&enrolment["issuer"]).enc, &blob).unwrap();
    assert_eq!(request.to_canonical(), bytes(&enrolment["request"]));
    let proof = bytes(&enrolment["proof"]);
    assert_eq!(ticket.redeem_key().verify_proof(ticket.ticket, &blob, &proof), Ok(()));
    let words = load("sas_words");
    assert_eq!(json!(sas_words(&request.binding, ticket.issuer_device)), words["words"]);
}

#[test]
fn stored_chart_and_local_vectors_still_open() {
    let epochs = load("epoch_package");
    let author = SignPublicKey::from_bytes(&bytes32(&epochs["author_sign_pk"])).unwrap();
    let [first, second] =
        [0, 1].map(|i| EpochPackage::from_canonical(&bytes(&epochs["packages"][i]["bytes"])).unwrap());
    for member in epochs["members"].as_array().unwrap() {
        let id = member["device"].as_str().unwrap().parse().unwrap();
        let keys = device_keys(member);
        let secret = open_epoch_package(id, &keys.enc, &second, &author, AcceptedSuites::ALL).unwrap();
        assert_eq!(*secret.to_secret_bytes(), bytes32(&epochs["secrets"][1]));
        let earlier = open_history(&secret, &second, [&first]).unwrap();
        assert_eq!(*earlier[0].to_secret_bytes(), bytes32(&epochs["secrets"][0]));
    }

    let stored = load("envelope");
    let envelope = Envelope::from_canonical(&bytes(&stored["bytes"])).unwrap();
    assert_eq!(json!(envelope.envelope_hash()), stored["hash"]);
    let header = envelope.header();
    let secret =
        EpochSecret::from_secret_bytes(header.chart, header.epoch, &bytes32(&stored["epoch_secret"]));
    let author = SignPublicKey::from_bytes(&bytes32(&stored["author_sign_pk"])).unwrap();
    let opened = open_envelope(&secret, &envelope, &author, AcceptedSuites::ALL).unwrap();
    assert_eq!(*opened, bytes(&stored["plaintext"]));

    let stored = load("drop_envelope");
    let dropped = DropEnvelope::from_canonical(&bytes(&stored["bytes"])).unwrap();
    let staff = stored["staff"]["device"].as_str().unwrap().parse().unwrap();
    let opened = open_drop(staff, &device_keys(&stored["staff"]).enc, &dropped, &author).unwrap();
    assert_eq!(*opened, bytes(&stored["plaintext"]));

    let stored = load("capture_signature");
    let binding = DeviceBinding::from_canonical(&bytes(&stored["binding"])).unwrap();
    let entry = stored["entry_id"].as_str().unwrap().parse().unwrap();
    for signature in stored["signatures"].as_array().unwrap() {
        let alg = u8::try_from(signature["alg"].as_u64().unwrap()).unwrap();
        let parts = Signature::from_slice(&bytes(&signature["sig"])).unwrap();
        assert_eq!(CaptureSignature::from_parts(alg, parts).unwrap().verify(&binding, entry), Ok(()));
    }

    let stored = load("local_store");
    let unlock = WrappingKey::from_secret_bytes(&bytes32(&stored["wrapping_key"]));
    let key = Lkek::unwrap(&unlock, &bytes(&stored["wrapped_lkek"])).unwrap().local_key();
    let row = key.open_row("entries", &bytes(&stored["row_id"]), 5, &bytes(&stored["row"])).unwrap();
    assert_eq!(*row, bytes(&stored["plaintext"]));
}

/// draft-connolly-cfrg-xwing-kem, appendix C, first vector: the public key of a seed begins and
/// ends so. HPKE with X-Wing is checked by opening the stored vectors above.
#[test]
fn x_wing_key_of_the_published_seed() {
    let seed = hex_decode("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26").unwrap();
    let key = EncKey::from_secret_bytes(&seed.try_into().unwrap()).unwrap();
    assert_eq!(hex(&key.public().as_bytes()[..24]), "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b");
}
