//! Texts of the transparency log: a byte that chooses the format, and the text.

use crate::Target;
use crate::choices::selected;
use std::fmt::Display;
use std::str::FromStr;
use ward_audit::{AddCheckpoint, NoteSignature, SignedNote, SignerName};

pub(crate) const TARGET: Target = Target {
    name: "note",
    about: "signed notes, requests to witnesses and names of signers: an accepted text is the one spelling",
    words: &[
        "\n\n\u{2014} ",
        "old 0\n",
        "ward.example/site/olog",
        "\n",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ],
    run,
};

fn run(input: &[u8]) {
    let (choice, bytes) = selected(input);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match choice % 4 {
        0 => one_spelling::<SignedNote>(text),
        1 => one_spelling::<AddCheckpoint>(text),
        2 => one_spelling::<SignerName>(text),
        _ => {
            if let Ok(signature) = NoteSignature::from_line(text) {
                assert_eq!(signature.to_string(), text, "an accepted line is the one spelling");
            }
        }
    }
}

fn one_spelling<T: FromStr + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text, "an accepted text is the one spelling");
    }
}
