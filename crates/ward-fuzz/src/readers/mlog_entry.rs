//! Entries of the membership log: a byte (0 for a whole entry, else the kind of a body), and the bytes.

use crate::Target;
use crate::choices::selected;
use ward_id::Canonical;
use ward_sync::{MlogBody, MlogEntry};

pub(crate) const TARGET: Target = Target {
    name: "mlog_entry",
    about: "entries of the membership log and their bodies: accepted bytes are the one spelling, signers rise, a body keeps its rules",
    words: &["ward.example", "P", "X ", "\u{1}"],
    run,
};

fn run(input: &[u8]) {
    let (kind, bytes) = selected(input);
    match u8::try_from(kind).unwrap_or_default() {
        0 => entry(bytes),
        kind => body(kind, bytes),
    }
}

fn entry(bytes: &[u8]) {
    let Ok(entry) = MlogEntry::read(bytes) else { return };
    assert_eq!(entry.to_canonical(), bytes, "accepted bytes are the one spelling of an entry");
    let signers: Vec<_> = entry.signatures().iter().map(|signature| signature.signer).collect();
    assert!(signers.windows(2).all(|pair| matches!(pair, [a, b] if a < b)), "each signer once, in order");
    let Ok(body) = entry.decode_body() else { return };
    assert_eq!(body.kind().number(), entry.kind(), "a body is of its entry's kind");
    let again = MlogEntry::unsigned(entry.site(), entry.subject(), entry.base(), &body);
    let digest = again.map(|again| again.signing_digest());
    assert!(digest.is_ok_and(|digest| digest == entry.signing_digest()), "signers sign what the body says");
}

fn body(kind: u8, bytes: &[u8]) {
    let Ok(body) = MlogBody::decode(kind, bytes) else { return };
    assert_eq!(body.encode(), bytes, "accepted bytes are the one spelling of a body");
    assert_eq!(body.kind().number(), kind, "a body is of the kind that was asked for");
    assert!(body.check().is_ok(), "what was read keeps the rules");
}
