//! Entries and what they say: a byte for the kind (0 is a whole stored entry), a byte for the version,
//! and the bytes.

use super::one_spelling;
use crate::Target;
use crate::choices::selected;
use ward_sync::{Decoded, EntryFrame, EntryKind, Payload, SignedEntry, decode_content};

pub(crate) const TARGET: Target = Target {
    name: "payload",
    about: "payloads of every kind and version, stored entries, frames, content of checkpoints: accepted bytes are the one spelling",
    words: &["ward/note", "fhir/Questionnaire", "fhir/QuestionnaireResponse", "Europe/Vienna", "X ", "P"],
    run,
};

/// Versions of a schema that are tried; one more than the newest.
const VERSIONS: usize = 3;

fn run(input: &[u8]) {
    let (kind, rest) = selected(input);
    let (version, bytes) = selected(rest);
    let version = u64::try_from(version % (VERSIONS + 1)).unwrap_or_default();
    let known = EntryKind::ALL.len();
    match kind % (known + 3) {
        0 => stored_entry(bytes),
        kind if kind <= known => {
            let kind = EntryKind(u8::try_from(kind).unwrap_or_default());
            let schema = Payload::schema_of(kind);
            assert!(schema.is_some(), "every kind has a schema");
            payload(kind, schema.unwrap_or_default(), version, bytes);
        }
        kind if kind == known + 1 => frame(bytes),
        _ => drop(decode_content(bytes)),
    }
}

fn payload(kind: EntryKind, schema: &str, version: u64, bytes: &[u8]) {
    let decoded = Payload::decode(kind, schema, version, bytes);
    assert_eq!(Payload::decode(kind, schema, version, bytes), decoded, "a payload is read the same twice");
    let Decoded::Known(payload) = decoded else { return };
    assert_eq!(payload.encode(), bytes, "accepted bytes are the one spelling of a payload");
    assert_eq!(
        (payload.kind(), payload.schema(), payload.version()),
        (kind, schema, version),
        "its own triple"
    );
    assert_eq!(payload.check(), Ok(()), "what was read keeps the rules");
    let mut renamed = payload.clone();
    renamed.rename(|_| None);
    assert_eq!(renamed.encode(), bytes, "naming nothing anew changes nothing");
}

fn stored_entry(bytes: &[u8]) {
    let Ok(entry) = SignedEntry::from_stored(bytes) else { return };
    assert_eq!(entry.to_stored(), bytes, "accepted bytes are the one spelling of a stored entry");
    assert_eq!(entry.id(), entry.frame().entry_id(), "an entry is named by its frame");
    drop(entry.body().decode_payload());
}

fn frame(bytes: &[u8]) {
    let Some(frame) = one_spelling::<EntryFrame>(bytes) else { return };
    if let Decoded::Known(payload) = frame.body.decode_payload() {
        assert_eq!(payload.encode(), frame.body.payload, "a payload within a frame has one spelling");
    }
}
