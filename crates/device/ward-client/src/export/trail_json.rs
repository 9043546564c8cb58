//! The trail as JSON.

use super::place_words::{place_code, purpose_words};
use super::returned::Returned;
use super::trail::{Trail, TrailAuthor, TrailEntry, role_words};
use super::trail_words::{bounded_code, claim_code, delivery_code, fault_code, fault_words};
use crate::views::calendar::{iso_day, iso_instant};
use serde_json::{Value, json};
use ward_sync::{Accounting, DeliveryState};

/// The trail as one document.
pub fn trail_json(trail: &Trail) -> Value {
    json!({
        "chart": trail.chart,
        "label": trail.label,
        "made_at": iso_instant(trail.made_at),
        "entries": trail.entries.iter().map(entry_json).collect::<Vec<_>>(),
        "totals": {
            "places": accounting_json(&trail.accounting),
            "saved_here": trail.delivered(DeliveryState::SavedHere),
            "received": trail.delivered(DeliveryState::Received),
            "opened_at_site": trail.delivered(DeliveryState::Opened),
            "time_suspect": trail.suspects(),
        },
        "missing": trail.missing,
        "readings_not_written_yet": trail.waiting_accesses.iter().map(|waiting| json!({
            "day": iso_day(waiting.day), "purpose": purpose_words(waiting.purpose), "count": waiting.count,
        })).collect::<Vec<_>>(),
    })
}

fn accounting_json(accounting: &Accounting) -> Value {
    json!({
        "total": accounting.total, "visible": accounting.visible, "superseded": accounting.superseded,
        "in_conflict": accounting.in_conflict, "parked": accounting.parked,
        "quarantined": accounting.quarantined, "unknown_kind": accounting.unknown_kind,
        "invalid": accounting.invalid, "not_permitted": accounting.not_permitted,
        "balances": accounting.balances(),
    })
}

fn author_json(author: &TrailAuthor) -> Value {
    json!({
        "person": author.person, "name": author.name, "role": role_words(author),
        "device": author.device, "this_device": author.this_device,
    })
}

fn returned_json(returned: &Returned) -> Value {
    json!({
        "log": returned.log, "came_after": returned.came_after,
        "by": returned.by.iter().map(author_json).collect::<Vec<_>>(),
        "earlier_receipt": returned.receipt.as_ref().map(|receipt| json!({
            "log": receipt.origin, "index": receipt.index, "received_at": iso_instant(receipt.received_at),
        })),
    })
}

fn entry_json(entry: &TrailEntry) -> Value {
    let time = &entry.time;
    json!({
        "number": entry.number,
        "entry": entry.entry,
        "kind": entry.kind.name(),
        "author": author_json(&entry.author),
        // A number of 64 bits: as text, because JSON readers round large numbers.
        "incarnation": entry.incarnation.0.to_string(),
        "seq": entry.seq,
        "changes": entry.changes,
        "replaces": entry.replaces,
        "reason": entry.reason,
        "time": {
            "claimed_at": iso_instant(time.claimed),
            "claimed_local": time.local,
            "zone": time.zone,
            "zone_before": time.zone_before,
            "boot_id": format!("{:016x}", time.evidence.boot_id),
            "monotonic_ms": time.evidence.monotonic_ms,
            "server_after": time.earliest.map(iso_instant),
            "server_before": time.latest.map(iso_instant),
            "witnesses_after": time.witnessed_after.map(iso_instant),
            "witnesses_before": time.witnessed_before.map(iso_instant),
            "verdict": claim_code(time.claim),
            "bounded_by": bounded_code(time.bounded_by),
            "faults": time.faults.iter().map(|fault| json!({
                "fault": fault_code(*fault), "text": fault_words(*fault),
            })).collect::<Vec<_>>(),
            "counted_at": iso_instant(time.counted_at),
        },
        "place": place_code(entry.place),
        "carried_by": entry.carried_by.as_ref().map(|(carrier, by)| json!({
            "entry": carrier, "author": author_json(by),
        })),
        "forked": entry.forked,
        "olog_index": entry.olog_index,
        "place_proved": entry.place_proved,
        "returned": entry.returned.as_ref().map(returned_json),
        "delivery": delivery_code(entry.delivery),
    })
}
