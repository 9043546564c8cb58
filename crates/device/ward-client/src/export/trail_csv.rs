//! The trail as a table (RFC 4180, UTF-8, CRLF): one row for each field that an entry wrote, and one
//! for an entry that wrote none. Spreadsheets: as in the table of answers.

use super::answers_csv::{Cell, push_row};
use super::place_words::place_code;
use super::returned::Returned;
use super::trail::{Trail, TrailEntry, role_words};
use super::trail_change::Change;
use super::trail_words::{bounded_code, claim_code, delivery_code, fault_code};
use crate::views::calendar::iso_instant;
use ward_id::TimestampMs;

/// The columns.
pub const TRAIL_CSV_COLUMNS: [&str; 36] = [
    "chart",
    "number",
    "entry",
    "kind",
    "person",
    "name",
    "role",
    "device",
    "incarnation",
    "seq",
    "field",
    "old",
    "new",
    "reason",
    "claimed_at",
    "claimed_local",
    "zone",
    "zone_before",
    "boot_id",
    "monotonic_ms",
    "server_after",
    "server_before",
    "witnesses_after",
    "witnesses_before",
    "time",
    "time_faults",
    "bounded_by",
    "place",
    "carried_by",
    "forked",
    "olog_index",
    "place_proved",
    "delivery",
    "returned_to",
    "returned_by",
    "earlier_receipt_at",
];

/// The trail as a table.
pub fn trail_csv(trail: &Trail) -> String {
    let mut out = String::new();
    push_row(&mut out, &TRAIL_CSV_COLUMNS.map(Cell::Plain));
    for entry in &trail.entries {
        for change in &entry.changes {
            push_change(&mut out, trail, entry, Some(change));
        }
        if entry.changes.is_empty() {
            push_change(&mut out, trail, entry, None);
        }
    }
    out
}

fn push_change(out: &mut String, trail: &Trail, entry: &TrailEntry, change: Option<&Change>) {
    let at = |at: Option<TimestampMs>| at.map(iso_instant).unwrap_or_default();
    let time = &entry.time;
    let old = change.map(|change| change.old.join(" | ")).unwrap_or_default();
    let faults: Vec<&str> = time.faults.iter().map(|fault| fault_code(*fault)).collect();
    let [returned_to, returned_by, earlier] = returned_cells(entry.returned.as_ref());
    let texts = [
        trail.chart.to_string(),
        entry.number.to_string(),
        entry.entry.to_string(),
        entry.author.person.map(|person| person.to_string()).unwrap_or_default(),
        entry.author.device.to_string(),
        entry.incarnation.0.to_string(),
        entry.seq.to_string(),
        iso_instant(time.claimed),
        format!("{:016x}", time.evidence.boot_id),
        time.evidence.monotonic_ms.to_string(),
        at(time.earliest),
        at(time.latest),
        at(time.witnessed_after),
        at(time.witnessed_before),
        entry.carried_by.as_ref().map(|(carrier, _)| carrier.to_string()).unwrap_or_default(),
        entry.olog_index.map(|index| index.to_string()).unwrap_or_default(),
        faults.join(" "),
    ];
    let [
        chart,
        number,
        id,
        person,
        device,
        life,
        seq,
        claimed,
        boot,
        monotonic,
        after,
        before,
        witnessed_after,
        witnessed_before,
        carried,
        index,
        faults,
    ] = &texts;
    let row = [
        Cell::Plain(chart),
        Cell::Plain(number),
        Cell::Plain(id),
        Cell::Plain(entry.kind.name()),
        Cell::Plain(person),
        Cell::Text(entry.author.name.as_deref().unwrap_or_default()),
        Cell::Plain(role_words(&entry.author)),
        Cell::Plain(device),
        Cell::Plain(life),
        Cell::Plain(seq),
        Cell::Text(change.map_or("", |change| &change.field)),
        Cell::Text(&old),
        Cell::Text(change.and_then(|change| change.new.as_deref()).unwrap_or_default()),
        Cell::Text(entry.reason.as_deref().unwrap_or_default()),
        Cell::Plain(claimed),
        Cell::Plain(&time.local),
        Cell::Text(&time.zone),
        Cell::Text(time.zone_before.as_deref().unwrap_or_default()),
        Cell::Plain(boot),
        Cell::Plain(monotonic),
        Cell::Plain(after),
        Cell::Plain(before),
        Cell::Plain(witnessed_after),
        Cell::Plain(witnessed_before),
        Cell::Plain(claim_code(time.claim)),
        Cell::Plain(faults),
        Cell::Plain(bounded_code(time.bounded_by)),
        Cell::Plain(place_code(entry.place)),
        Cell::Plain(carried),
        Cell::Plain(if entry.forked { "true" } else { "false" }),
        Cell::Plain(index),
        Cell::Plain(if entry.place_proved { "true" } else { "false" }),
        Cell::Plain(delivery_code(entry.delivery)),
        Cell::Plain(&returned_to),
        Cell::Plain(&returned_by),
        Cell::Plain(&earlier),
    ];
    push_row(out, &row);
}

/// The log that an entry came into after it was opened again, the devices that gave entries back to
/// it, and when the server had received it by an earlier receipt.
fn returned_cells(returned: Option<&Returned>) -> [String; 3] {
    let Some(returned) = returned else { return Default::default() };
    let to = if returned.came_after { returned.log.clone() } else { String::new() };
    let by: Vec<String> = returned.by.iter().map(|by| by.device.to_string()).collect();
    let earlier = returned.receipt.as_ref().map(|receipt| iso_instant(receipt.received_at));
    [to, by.join(" "), earlier.unwrap_or_default()]
}
