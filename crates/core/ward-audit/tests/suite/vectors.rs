//! The committed vectors: made in memory and compared with the file, byte for byte. To write the
//! file anew after a deliberate change of format, set `WARD_WRITE_VECTORS=1`.

use crate::fixture::*;
use serde_json::{Value, json};
use ward_audit::*;
use ward_id::{Canonical, MlogEntryHash, Subject, TimestampMs, hex_encode};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/audit-v1.json");

fn hashes(proof: &[NodeHash]) -> Value {
    proof.iter().map(|hash| hex_encode(hash.as_bytes())).collect()
}

fn trees() -> Value {
    let log = TestLog::new(300);
    let sizes = [0usize, 1, 2, 3, 4, 7, 8, 100, 255, 256, 257, 300];
    let roots: Value =
        sizes.iter().map(|size| json!({ "size": size, "root": log.head(*size).root.to_string() })).collect();
    json!({
        "leaves": "leaf n is SHA-256 of n as 64 bits, big-endian",
        "first_leaf_hash": hex_encode(leaf_hash(&log.leaves[0]).as_bytes()),
        "roots": roots,
        "inclusion": { "index": 41, "size": 100, "proof": hashes(&log.inclusion(41, 100)) },
        "consistency": { "old": 41, "new": 100, "proof": hashes(&log.consistency(41, 100)) },
    })
}

fn leaves() -> Value {
    let (subject, entry) = (Subject::from_bytes([0x5a; 16]), MlogEntryHash::from_bytes([0xa5; 32]));
    let leaf = mlog_leaf(subject, entry);
    json!({
        "subject": subject.to_string(),
        "entry_hash": entry.to_string(),
        "mlog_leaf": hex_encode(&leaf),
        "mlog_leaf_hash": hex_encode(leaf_hash(&leaf).as_bytes()),
        "envelope_hash": envelope(0).to_string(),
        "olog_leaf_hash": hex_encode(leaf_hash(olog_leaf(&envelope(0))).as_bytes()),
    })
}

fn keys() -> Value {
    let witness_keys: Value =
        [1, 2].iter().map(|n| witness(*n).verifier(SignatureKind::Cosignature).to_string()).collect();
    json!({
        "seeds": "the log's Ed25519 seed is 32 times 01; witness n has 32 times the byte 10 + n",
        "log": log_key().to_string(),
        "witnesses": witness_keys,
    })
}

fn checkpoint() -> Value {
    let log = TestLog::new(300);
    let request = AddCheckpoint { old_size: 41, proof: log.consistency(41, 300), note: log.signed(300) };
    json!({
        "note": log.cosigned(300, DAY_S).to_string(),
        "attested_s": DAY_S,
        "cosigned_message": cosignature_message(DAY_S, log.signed(300).text()),
        "add_checkpoint": request.to_string(),
    })
}

fn receipt() -> Value {
    let log = TestLog::new(300);
    let envelopes = vec![envelope(300), envelope(301)];
    let received_at = TimestampMs(1_800_000_000_123);
    let receipt = sign_receipt(&log_signer(), 300, envelopes, received_at, log.head(300)).unwrap();
    json!({ "cbor": hex_encode(&receipt.to_canonical()) })
}

fn witness_time() -> Value {
    let statement = TimeStatement { nonce: [0x42; 32], time_s: DAY_S };
    let answer = sign_time(&statement, &witness(1)).unwrap();
    json!({
        "nonce": hex_encode(&statement.nonce),
        "message": hex_encode(&statement.message()),
        "cbor": hex_encode(&answer.to_canonical()),
    })
}

fn tiles() -> Value {
    let tiles = TileEdge::new().append_leaves(&TestLog::new(258).leaves);
    let tile = |tile: &Tile| json!({ "path": tile.path.to_string(), "bytes": hex_encode(&tile.bytes) });
    let partial: Value = tiles.iter().filter(|tile| !tile.path.is_full()).map(tile).collect();
    let bundle = encode_entry_bundle(&[b"one".as_slice(), b"", b"three"]).unwrap();
    let all: Value = tiles_for_growth(0, 258).iter().map(ToString::to_string).collect();
    json!({ "size": 258, "paths": all, "partial": partial, "entry_bundle": hex_encode(&bundle) })
}

fn made() -> String {
    let vectors = json!({
        "format": "ward/v1 logs",
        "keys": keys(),
        "trees": trees(),
        "leaves": leaves(),
        "checkpoint": checkpoint(),
        "receipt": receipt(),
        "witness_time": witness_time(),
        "tiles": tiles(),
    });
    format!("{}\n", serde_json::to_string_pretty(&vectors).unwrap())
}

#[test]
fn the_committed_vectors_are_what_the_code_makes() {
    let made = made();
    if std::env::var_os("WARD_WRITE_VECTORS").is_some_and(|set| set == "1") {
        std::fs::write(FILE, &made).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap();
    assert!(made == committed, "a format changed: {FILE} is not what the code makes");
}

#[test]
fn the_committed_vectors_verify() {
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let text = |pointer: &str| vectors.pointer(pointer).and_then(Value::as_str).unwrap().to_string();
    let log: VerifierKey = text("/keys/log").parse().unwrap();
    let note: SignedNote = text("/checkpoint/note").parse().unwrap();
    let head = verify_cosigned(&note, &log, &policy(2)).unwrap();
    assert_eq!(Some(head.attested_s()), vectors.pointer("/checkpoint/attested_s").and_then(Value::as_u64));
    let request: AddCheckpoint = text("/checkpoint/add_checkpoint").parse().unwrap();
    assert_eq!(request.note.text(), note.text());
    let bytes = ward_id::hex_decode(&text("/receipt/cbor")).unwrap();
    assert_eq!(Receipt::from_canonical(&bytes).unwrap().verify(&log), Ok(()));
    let bytes = ward_id::hex_decode(&text("/witness_time/cbor")).unwrap();
    let answer = WitnessTime::from_canonical(&bytes).unwrap();
    assert_eq!(verify_witness_time(&[0x42; 32], &[answer], &policy(1)), Ok(DAY_S));
}
