//! Waivers.

use crate::Target;
use ward_policy::Day;
use ward_policy::waiver::{SignatureCheck, SignerRole, read_waiver, signed_well, write_waiver};
use ward_policy::{read_settings, read_text};

pub(crate) const TARGET: Target = Target {
    name: "waiver",
    about: "a waiver: what is written is read again and signs the same; without a signature that holds it never counts",
    words: &[
        "version: 1\n",
        "rule: W-003\n",
        "aspect: keys\n",
        "resource: aws_db_instance.d\n",
        "stage: test\n",
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
    // Settings in which everybody who signed is named, and the stage is that of the waiver.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut settings = format!("version: 1\nstage: {}\nwaiver_signers:\n", quoted(&waiver.stage));
    for one in &waiver.signatures {
        settings +=
            &format!("  - {{name: {}, key: \"{}\"}}\n", quoted(&one.name), ward_id::hex_encode(&one.key));
    }
    let Ok(settings) = read_settings("settings", &settings) else { return };
    for today in [waiver.written, waiver.expires, Day::from_number(0)] {
        assert!(
            signed_well(&waiver, &settings, today, &NothingHolds).is_err(),
            "no signature holds, and it counts"
        );
    }
}
