//! The decrypted entries of a package, readable and with the bytes that their names and signatures
//! cover.

use super::package::{PackageParts, ReadEnvelope, envelope_name};
use super::payload_json::{payload_digits, payload_json};
use super::place_words::place_code;
use crate::views::calendar::iso_instant;
use crate::views::{ChartForms, role_name};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ward_forms::JsonDigits;
use ward_id::{Canonical as _, EntryId, hex_encode};
use ward_sync::{EntryBody, SignedEntry, TimelineItem};

/// All entries in the order that is the same on every device, whatever their place. Numbers of answers have
/// the digits that were signed.
pub(super) fn entries_text(parts: &PackageParts<'_>, envelopes: &[ReadEnvelope]) -> Vec<u8> {
    let bodies = parts.chart.view.timeline().iter().map(|item| item.entry.body());
    let digits = bodies.map(|body| payload_digits(body).under("payload").under("body").under("frame"));
    let mut text = JsonDigits::of_list(digits).write_pretty(&entries_json(parts, envelopes));
    text.push('\n');
    text.into_bytes()
}

fn entries_json(parts: &PackageParts<'_>, envelopes: &[ReadEnvelope]) -> Value {
    let mut carriers: BTreeMap<EntryId, Vec<u64>> = BTreeMap::new();
    for envelope in envelopes {
        if let Some(entry) = envelope.entry {
            carriers.entry(entry).or_default().push(envelope.olog_index);
        }
    }
    let forms = ChartForms::of_entries(parts.chart.view.timeline().iter().map(|item| item.entry));
    let one = |item: &TimelineItem<'_>| {
        entry_json(&forms, item, carriers.get(&item.entry.id()).map_or(&[], Vec::as_slice))
    };
    Value::Array(parts.chart.view.timeline().iter().map(one).collect())
}

fn entry_json(forms: &ChartForms, item: &TimelineItem<'_>, sealed_at: &[u64]) -> Value {
    let (frame, capture) = (item.entry.frame(), item.entry.capture());
    json!({
        "entry_id": item.entry.id(),
        "place": place_code(item.place),
        "author": item.author.map(|author| json!({
            "person": author.person, "role": role_name(author.role), "device": author.device,
        })),
        "frame": frame_json(forms, item.entry),
        "frame_bytes": hex_encode(&frame.to_canonical()),
        "sig_alg": capture.alg(),
        "capture_sig": hex_encode(capture.signature().as_bytes()),
        "received_at": item.arrival.received_at.map(iso_instant),
        "olog_index": item.arrival.olog_index,
        "envelopes": sealed_at.iter().map(|index| envelope_name(*index)).collect::<Vec<_>>(),
        "carried_by": item.carried_by,
        "forked": item.forked,
    })
}

/// What an entry's signed bytes say, readable. Answers that are bound to a questionnaire are read by
/// the one that stands in the same package, whatever its place.
pub(super) fn frame_json(forms: &ChartForms, entry: &SignedEntry) -> Value {
    let frame = entry.frame();
    json!({
        "site": frame.site,
        "chart": frame.chart,
        "device": frame.device,
        // A number of 64 bits: as text, because JSON readers round large numbers.
        "incarnation": frame.incarnation.0.to_string(),
        "seq": frame.seq,
        "prev": frame.prev,
        "body": body_json(forms, entry.body()),
    })
}

fn body_json(forms: &ChartForms, body: &EntryBody) -> Value {
    json!({
        "random16": hex_encode(&body.random16),
        "deps": body.deps,
        "lamport": body.lamport,
        "kind": body.kind.0,
        "kind_name": body.kind.name(),
        "schema": body.schema,
        "version": body.version,
        "captured_at": iso_instant(body.captured_at),
        "captured_at_ms": body.captured_at,
        "zone": body.zone,
        "evidence": {
            "boot_id": body.evidence.boot_id.to_string(),
            "monotonic_ms": body.evidence.monotonic_ms.to_string(),
        },
        "olog": body.olog.map(|head| json!({"size": head.size, "root": head.root})),
        "amends": body.amends,
        "reason": body.reason,
        "payload": payload_json(forms, body),
    })
}
