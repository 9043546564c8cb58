//! Waivers.

use crate::Target;
use ward_policy::Day;
use ward_policy::read_text;
use ward_policy::waiver::{SignatureCheck, SignerRole, WaiverSigner, read_waiver, signed_well, write_waiver};

pub(crate) const TARGET: Target = Target {
    name: "waiver",
    about: "a waiver: what is written is read again and signs the same; without a signature that holds it never counts",
    words: &[
        "version: 1\n",
        "rule: W-003\n",
        "aspect: keys\n",
        "resource: aws_db_instance.d\n",
        "binds: \"0000000000000000000000000000000000000000000000000000000000000000\"\n",
        "reason: r\n",
        "alternative: a\n",
        "ticket: t\n",
        "written: 2026-11-30\n",
        "expires: 2027-01-31\n",
        "observed:\n  - seen\n",
        "signatures:\n  - {role: author, name: ann, key: \"",
        "role: approver",
        "signature: \"",
        "\\u00",
    ],
    run,
};

/// No signature holds.
struct NothingHolds;

impl SignatureCheck for NothingHolds {
    fn holds(&self, _key: &[u8; 32], _digest: &[u8; 32], _signature: &[u8; 64]) -> bool {
        false
    }
}

fn run(input: &[u8]) {
    let Ok(text) = read_text(input) else { return };
    let Ok(waiver) = read_waiver("input", &text) else { return };
    let written = write_waiver(&waiver);
    let again = read_waiver("written", &written);
    assert_eq!(again.as_ref(), Ok(&waiver), "what is written is read again: {written}");
    let key = [1; 32];
    let author = waiver.digest(SignerRole::Author, "n", &key);
    assert!(again.is_ok_and(|again| again.digest(SignerRole::Author, "n", &key) == author));
    assert_ne!(author, waiver.digest(SignerRole::Approver, "n", &key), "parts are signed apart");
    let signers: Vec<WaiverSigner> =
        waiver.signatures.iter().map(|one| WaiverSigner { name: one.name.clone(), key: one.key }).collect();
    for today in [waiver.written, waiver.expires, Day::from_number(0)] {
        assert!(
            signed_well(&waiver, &signers, today, &NothingHolds).is_err(),
            "no signature holds, and it counts"
        );
    }
}
