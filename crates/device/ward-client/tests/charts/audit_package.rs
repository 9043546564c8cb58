//! The audit package, verified the way its own page tells an inspector to.

use crate::builder::*;
use serde_json::Value;
use std::collections::BTreeMap;
use ward_audit::{
    Checkpoint, MemoryTree, NodeHash, NoteSigner, TreeHead, inclusion_proof, leaf_hash, node_hash, olog_leaf,
    sign_checkpoint, sign_receipt,
};
use ward_client::export::{
    PackageParts, PackagedCertificate, PackagedEnvelope, PackagedProof, audit_package,
};
use ward_crypto::{
    EnvelopeHeader, EpochSecret, SignKey, Suite, V1, labelled_hash, labels, seal_envelope, sha256,
};
use ward_id::{Canonical as _, TimestampMs, TreeRoot, hex_decode, hex_encode};
use ward_sync::EntryKind;

const ORIGIN: &str = "ward.example/site/olog";

struct LogKey(SignKey);

impl NoteSigner for LogKey {
    fn name(&self) -> &str {
        ORIGIN
    }

    fn public_key(&self) -> [u8; 32] {
        *self.0.public().as_bytes()
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        // What matters here is where the bytes end up, not under which label a log signs.
        *self.0.sign_labelled(labels::MLOG, &sha256(message)).as_bytes()
    }
}

/// Everything that surrounds a chart in a package.
struct World {
    chart: TestChart,
    sealed: Vec<(u64, TimestampMs, Vec<u8>)>,
    proofs: Vec<PackagedProof>,
    checkpoint: String,
    receipts: Vec<Vec<u8>>,
}

impl World {
    /// A chart whose entries stand among other leaves of a log; the last entry is not sent yet.
    fn new() -> Self {
        let mut chart = TestChart::with_diary(1, 14);
        let first = chart.report(0, &Answers { note: Some("<b>\u{1b}"), ..Answers::of(SEVERE) });
        let fixed = response(&occurrence(0), ward_sync::ResponseStatus::Amended, &Answers::of(MILD));
        chart.amend(Who::Phone, day(1), fixed, first, "mistyped");
        chart.write(Who::Clinician, day(1), plan_field(Some("4"), vec![]));
        let late = chart.write(Who::Phone, day(2), note("not sent yet"));
        let secret = EpochSecret::from_secret_bytes(chart.id, 0, &[3; 32]);
        let mut tree = MemoryTree::default();
        let mut sealed = Vec::new();
        let entries: Vec<_> = chart.view().timeline().iter().map(|item| item.entry.clone()).collect();
        for entry in entries.iter().filter(|entry| entry.id() != late) {
            // Leaves of other charts stand between.
            tree.append(leaf_hash(&[9; 32]));
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
                mlog_size: 1,
                mlog_root: TreeRoot::from_bytes([2; 32]),
            };
            let TestChart { pens, rng, .. } = &mut chart;
            let pen = pens.values().find(|pen| pen.author.device == frame.device).unwrap();
            let envelope =
                seal_envelope(&secret, header, &entry.plaintext(), &pen.key, &pen.hedge, rng).unwrap();
            let index = tree.size();
            tree.append(leaf_hash(olog_leaf(&envelope.envelope_hash())));
            sealed.push((index, day(1), envelope.to_canonical()));
        }
        let size = tree.size();
        let proof = |index| PackagedProof { index, hashes: inclusion_proof(&tree, index, size).unwrap() };
        let proofs = sealed.iter().map(|(index, ..)| proof(*index)).collect();
        let head = TreeHead { size, root: tree.root() };
        let key = LogKey(SignKey::generate(&mut chart.rng));
        let checkpoint =
            sign_checkpoint(&Checkpoint::new(ORIGIN.parse().unwrap(), head).unwrap(), &key).unwrap();
        let hash = ward_id::EnvelopeHash::from_bytes(sha256(&sealed[0].2));
        let receipt = sign_receipt(&key, sealed[0].0, vec![hash], day(1), head).unwrap();
        Self {
            chart,
            sealed,
            proofs,
            checkpoint: checkpoint.to_string(),
            receipts: vec![receipt.to_canonical()],
        }
    }

    fn package(&self) -> Vec<(String, Vec<u8>)> {
        let envelopes: Vec<PackagedEnvelope<'_>> = self
            .sealed
            .iter()
            .map(|(olog_index, received_at, bytes)| PackagedEnvelope {
                olog_index: *olog_index,
                received_at: *received_at,
                bytes,
            })
            .collect();
        let certificates = [PackagedCertificate {
            device: self.chart.pens[&Who::Phone].author.device,
            mlog_entry: b"certificate",
            proof: PackagedProof { index: 4, hashes: vec![NodeHash::from_bytes([5; 32])] },
        }];
        self.chart.with_named(|named| {
            audit_package(&PackageParts {
                chart: named.clone(),
                made_at: day(3),
                envelopes: &envelopes,
                receipts: &self.receipts,
                olog_checkpoint: &self.checkpoint,
                olog_proofs: &self.proofs,
                mlog_checkpoint: "mlog note",
                certificates: &certificates,
                root_policy: b"root policy",
                manifest_entry: b"manifest",
                earlier_manifests: &[],
                trail: "the trail\r\n",
                audit_events: "{}\n",
            })
        })
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let list = self.package();
        let files: BTreeMap<String, Vec<u8>> = list.iter().cloned().collect();
        assert_eq!(files.len(), list.len(), "no name stands twice");
        files
    }
}

fn json(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Value {
    serde_json::from_slice(&files[name]).unwrap()
}

fn text<'f>(files: &'f BTreeMap<String, Vec<u8>>, name: &str) -> &'f str {
    std::str::from_utf8(&files[name]).unwrap()
}

#[test]
fn the_manifest_names_every_file_by_hash() {
    let world = World::new();
    let files = world.files();
    assert_eq!(world.package(), world.package());
    let manifest = json(&files, "manifest.json");
    let listed = manifest["files"].as_array().unwrap();
    assert_eq!(listed.len() + 1, files.len());
    for file in listed {
        let bytes = &files[file["name"].as_str().unwrap()];
        assert_eq!(file["sha256"], hex_encode(&sha256(bytes)));
        assert_eq!(file["bytes"], bytes.len());
    }
    assert_eq!(manifest["root_fingerprint"], hex_encode(&sha256(b"root policy")));
    assert!(files.keys().all(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))));
    assert_eq!(files["receipt-000000.cbor"], world.receipts[0]);
}

#[test]
fn entries_prove_their_names() {
    let world = World::new();
    let files = world.files();
    let entries = json(&files, "entries.json");
    let entries = entries.as_array().unwrap();
    assert_eq!(entries.len(), 5);
    for entry in entries {
        let frame = hex_decode(entry["frame_bytes"].as_str().unwrap()).unwrap();
        assert_eq!(entry["entry_id"], hex_encode(&labelled_hash(labels::ENTRY, &[&frame])));
    }
    let kinds: Vec<_> =
        entries.iter().map(|entry| entry["frame"]["body"]["kind_name"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[..4],
        ["instrument", "questionnaire-response", "questionnaire-response", "medication-plan-field"]
    );
    assert_eq!(entries[2]["frame"]["body"]["reason"], "mistyped");
    assert_eq!(entries[2]["frame"]["body"]["amends"], entries[1]["entry_id"]);
    assert_eq!(
        (entries[1]["place"].as_str(), entries[1]["author"]["role"].as_str()),
        (Some("superseded"), Some("participant"))
    );
    assert_eq!(entries[3]["frame"]["body"]["payload"]["value"], "4");
    assert_eq!(entries[1]["frame"]["body"]["payload"]["response"]["resourceType"], "QuestionnaireResponse");
    assert_eq!(entries[0]["frame"]["body"]["kind"], EntryKind::INSTRUMENT.0);
}

/// The steps on the page, with nothing but SHA-256.
fn fold(leaf: NodeHash, index: u64, size: u64, proof: &[NodeHash]) -> Option<NodeHash> {
    let (mut r, mut f, mut s) = (leaf, index, size - 1);
    for p in proof {
        if s == 0 {
            return None;
        }
        if f % 2 == 1 || f == s {
            r = node_hash(p, &r);
            while f.is_multiple_of(2) && f != 0 {
                f /= 2;
                s /= 2;
            }
        } else {
            r = node_hash(&r, p);
        }
        f /= 2;
        s /= 2;
    }
    (s == 0).then_some(r)
}

fn base64(text: &str) -> [u8; 32] {
    let url_safe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    ward_id::base64url_decode(&url_safe).unwrap().try_into().unwrap()
}

#[test]
fn proofs_lead_to_the_checkpoint() {
    let world = World::new();
    let files = world.files();
    let envelopes = json(&files, "envelopes.json");
    let entries = json(&files, "entries.json");
    assert_eq!(envelopes.as_array().unwrap().len(), 4);
    for envelope in envelopes.as_array().unwrap() {
        let bytes = &files[envelope["file"].as_str().unwrap()];
        assert_eq!(envelope["envelope_hash"], hex_encode(&sha256(bytes)));
        let entry = entries
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["entry_id"] == envelope["entry_id"])
            .unwrap();
        assert_eq!(entry["envelopes"][0], envelope["file"]);
        let proof = text(&files, envelope["proof"].as_str().unwrap());
        let (head, checkpoint) = proof.split_once("\n\n").unwrap();
        assert_eq!(checkpoint, world.checkpoint);
        let mut lines = head.lines();
        assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
        let index: u64 = lines.next().unwrap().strip_prefix("index ").unwrap().parse().unwrap();
        assert_eq!(envelope["olog_index"], index);
        let hashes: Vec<NodeHash> = lines.map(|line| NodeHash::from_bytes(base64(line))).collect();
        let mut note = checkpoint.lines();
        assert_eq!(note.next(), Some(ORIGIN));
        let size: u64 = note.next().unwrap().parse().unwrap();
        let root = NodeHash::from_bytes(base64(note.next().unwrap()));
        assert_eq!(fold(leaf_hash(&sha256(bytes)), index, size, &hashes), Some(root));
        assert_ne!(fold(leaf_hash(&sha256(b"other")), index, size, &hashes), Some(root));
        assert_eq!(fold(leaf_hash(&sha256(bytes)), index, size, &hashes[1..]), None, "a line is missing");
    }
    assert_eq!(text(&files, "olog-checkpoint.txt"), world.checkpoint);
}

#[test]
fn what_is_not_proven_is_named() {
    let mut world = World::new();
    world.proofs.pop();
    world.sealed.push((90, day(2), b"not an envelope".to_vec()));
    let files = world.files();
    let gaps = json(&files, "manifest.json")["gaps"].clone();
    let last = world.chart.view().timeline().last().unwrap().entry.id().to_string();
    assert_eq!(gaps["entries_without_envelope"], serde_json::json!([last]));
    assert_eq!(gaps["unreadable_envelopes"], serde_json::json!([90]));
    assert_eq!(gaps["envelopes_without_proof"].as_array().unwrap().len(), 2);
    assert_eq!(json(&files, "envelopes.json")[3]["proof"], Value::Null, "no file is named that is not there");
    assert_eq!(gaps["authors_without_certificate"].as_array().unwrap().len(), 2);
    let page = text(&files, "index.html");
    for needed in [
        "What this package does not prove",
        "1 entries have no envelope here: they were not sent yet.",
        &hex_encode(&sha256(b"root policy")),
        "H(0x01 || p || r)",
        "not sent",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("<script"));
}

#[test]
fn a_certificate_comes_with_its_proof() {
    let world = World::new();
    let files = world.files();
    let device = world.chart.pens[&Who::Phone].author.device;
    assert_eq!(files[&format!("certificate-{device}.mlog.cbor")], b"certificate");
    let proof = text(&files, &format!("certificate-{device}.tlog-proof"));
    assert_eq!(
        proof,
        "c2sp.org/tlog-proof@v1\nindex 4\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n\nmlog note"
    );
}
