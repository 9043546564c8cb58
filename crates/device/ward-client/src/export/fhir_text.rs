//! A text that several people edit, as a FHIR R4 `DocumentReference`: what it says now, whether it
//! was signed, and what a reader must know of merges and of changes since.

use super::fhir_ndjson::{ResourceWriter, Surroundings};
use super::fhir_trail::{Facts, who_wrote};
use crate::views::SharedText;
use crate::views::calendar::iso_instant;
use crate::views::role_name;
use serde_json::{Value, json};
use ward_id::{ChartId, base64url_encode, hex_encode};
use ward_sync::{TextBurst, Written};

/// The reference by which a trail names a text.
pub(super) fn reference(text: &SharedText) -> String {
    format!("DocumentReference/{}", hex_encode(&text.id.0))
}

/// The text as it stands. `newest` is the newest burst of writing.
pub(super) fn shared_note(chart: ChartId, text: &SharedText, newest: &Written<'_, TextBurst>) -> Value {
    let around = Surroundings { chart, record: newest.id(), current: 1, conflict: false, void: None };
    let id = hex_encode(&text.id.0);
    let authors: Vec<Value> = text.contributors.iter().map(|author| who_wrote(&around, author)).collect();
    let holding = text.signatures.iter().rev().find(|signed| !signed.changed_since);
    let bytes = text.text.as_bytes();
    ResourceWriter::new("DocumentReference", &id)
        .set("extension", vec![facts(text, newest).extension()])
        .set("status", "current")
        .set("docStatus", standing(text))
        .set("type", json!({"text": "Note that several people edit"}))
        .set("subject", around.subject())
        .instant("date", text.written_at)
        .set("author", authors)
        .set("authenticator", holding.map(|signed| who_wrote(&around, &signed.by)))
        .set("description", warning(text))
        .set(
            "content",
            json!([{"attachment": {
                "contentType": "text/plain; charset=utf-8", "data": base64(bytes), "size": bytes.len(),
            }}]),
        )
        .done()
}

/// Whether a signature stands for what the text says: `amended` where somebody wrote since.
fn standing(text: &SharedText) -> &'static str {
    match text.signatures.as_slice() {
        [] => "preliminary",
        signed if signed.iter().any(|signed| !signed.changed_since) => "final",
        _ => "amended",
    }
}

fn facts(text: &SharedText, newest: &Written<'_, TextBurst>) -> Facts {
    let mut out = Facts::of(newest).text("text", Some(&hex_encode(&text.id.0)));
    for entry in &text.version {
        out = out.text("version", Some(&entry.to_string()));
    }
    for passage in &text.to_review {
        out = out.text("review", Some(&format!("merged, please review: {}", passage.text)));
    }
    for signed in &text.signatures {
        let since = if signed.changed_since { "; changed since signature" } else { "" };
        let said = format!(
            "{} ({}) {}: {}{since}",
            signed.by.person,
            role_name(signed.by.role),
            iso_instant(signed.at),
            signed.meaning
        );
        out = out.text("signature", Some(&said));
    }
    out
}

fn warning(text: &SharedText) -> Option<String> {
    let count = text.to_review.len();
    (count > 0).then(|| {
        format!(
            "{count} passages were merged from what people wrote apart, and nobody has looked at them since."
        )
    })
}

/// FHIR's base64Binary: RFC 4648 §4, padded.
fn base64(bytes: &[u8]) -> String {
    let mut out = base64url_encode(bytes).replace('-', "+").replace('_', "/");
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn binary_is_written_as_fhir_asks() {
        let cases: [(&[u8], &str); 5] =
            [(b"", ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (&[0xfb, 0xff], "+/8=")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes), text);
        }
    }
}
