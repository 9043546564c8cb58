//! The trail of a chart: every entry with who wrote it, what changed, why, when by whose word, where
//! it stands and how far it came (21 CFR 11.10(e)). Nothing is left out: entries kept aside, replaced
//! and waiting ones stand in it too, and the numbers add up to all.

use super::returned::{Reopenings, Returned};
use super::trail_change::{Change, changes, replaces};
use crate::views::{ChartForms, NamedChart, local_instant, role_name};
use std::collections::BTreeMap;
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, EntryId, Incarnation, PersonId, TimestampMs};
use ward_sync::{
    AccessPurpose, Accounting, Author, BootEvidence, BoundedBy, ChartTimes, Decoded, DeliveryState,
    EntryKind, EntryTime, Payload, Place, SignedEntry, TimeClaim, TimeFault, TimelineItem, WitnessedHeads,
};

/// What a trail is made of.
pub struct TrailParts<'a> {
    /// The chart.
    pub chart: NamedChart<'a>,
    /// The device that asks: its own entries are marked.
    pub device: DeviceId,
    /// Names of persons, as far as the device knows them.
    pub names: &'a BTreeMap<PersonId, String>,
    /// Places in the operation log that are proved, for the entries that a proof reaches.
    pub proved: &'a BTreeMap<EntryId, u64>,
    /// When witnesses signed which head of the operation log.
    pub heads: &'a WitnessedHeads,
    /// How far each entry came.
    pub delivery: &'a BTreeMap<EntryId, DeliveryState>,
    /// Operation logs that were opened again, and receipts of those that ended.
    pub reopenings: &'a Reopenings,
    /// Entries that others name and that are not here.
    pub missing: Vec<EntryId>,
    /// Readings of the chart on this device that are not written into it yet.
    pub waiting_accesses: Vec<WaitingAccess>,
    /// When the trail is made, by the clock of the device.
    pub made_at: TimestampMs,
}

/// Readings of a chart on this device that are not written into it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitingAccess {
    /// What for.
    pub purpose: AccessPurpose,
    /// The UTC day, counted from 1970-01-01.
    pub day: i64,
    /// How often.
    pub count: u64,
}

/// Who wrote an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailAuthor {
    /// The person; `None` without a certificate.
    pub person: Option<PersonId>,
    /// The name, if the device knows it.
    pub name: Option<String>,
    /// The role in which they acted.
    pub role: Option<Role>,
    /// The device.
    pub device: DeviceId,
    /// Whether it is the device that made the trail.
    pub this_device: bool,
}

/// When an entry was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailTime {
    /// What the author's clock said.
    pub claimed: TimestampMs,
    /// The same where the author was, with its distance from UTC; in UTC where the zone is not known.
    pub local: String,
    /// The zone, as the author's device named it.
    pub zone: String,
    /// The zone of the entry before in this chain, where it was another one.
    pub zone_before: Option<String>,
    /// The device's own clockwork.
    pub evidence: BootEvidence,
    /// The newest arrival among what the author had seen of others, by the server's word.
    pub earliest: Option<TimestampMs>,
    /// When the entry arrived, by the server's word.
    pub latest: Option<TimestampMs>,
    /// Written after this, by the witnesses' word.
    pub witnessed_after: Option<TimestampMs>,
    /// Written before this, by the witnesses' word.
    pub witnessed_before: Option<TimestampMs>,
    /// Whether the claim fits.
    pub claim: TimeClaim,
    /// Who bounds it.
    pub bounded_by: BoundedBy,
    /// What does not fit.
    pub faults: Vec<TimeFault>,
    /// The time that counts where a day decides.
    pub counted_at: TimestampMs,
}

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEntry {
    /// Its number, from 1, in the order that is the same on every device.
    pub number: usize,
    /// The entry.
    pub entry: EntryId,
    /// What it is about.
    pub kind: EntryKind,
    /// Who wrote it.
    pub author: TrailAuthor,
    /// The life of the author's store.
    pub incarnation: Incarnation,
    /// The place in the author's chain.
    pub seq: u64,
    /// What it changed.
    pub changes: Vec<Change>,
    /// The entries that it replaces or amends.
    pub replaces: Vec<EntryId>,
    /// Why, in the author's words.
    pub reason: Option<String>,
    /// When.
    pub time: TrailTime,
    /// Where it stands.
    pub place: Place,
    /// The entry that carries it, and who took it over.
    pub carried_by: Option<(EntryId, TrailAuthor)>,
    /// Whether its device signed two histories at or before this place.
    pub forked: bool,
    /// Its index in the operation log, as the server says.
    pub olog_index: Option<u64>,
    /// Whether a proof under a witnessed head reaches it.
    pub place_proved: bool,
    /// Whether it came into a log that was opened again, and what is known of its first arrival.
    pub returned: Option<Returned>,
    /// How far it came.
    pub delivery: DeliveryState,
    /// Whether it tells of a reading and changes nothing.
    pub is_reading: bool,
}

/// The trail of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The chart.
    pub chart: ChartId,
    /// The name under which people know it.
    pub label: String,
    /// When it was made, by the clock of the device.
    pub made_at: TimestampMs,
    /// Every entry.
    pub entries: Vec<TrailEntry>,
    /// How many entries stand where; the places add up to all.
    pub accounting: Accounting,
    /// Entries that others name and that are not here.
    pub missing: Vec<EntryId>,
    /// Readings on this device that are not written into the chart yet.
    pub waiting_accesses: Vec<WaitingAccess>,
}

impl Trail {
    /// How many claimed times do not fit.
    pub fn suspects(&self) -> usize {
        self.entries.iter().filter(|entry| entry.time.claim == TimeClaim::Suspect).count()
    }

    /// How many entries came how far.
    pub fn delivered(&self, state: DeliveryState) -> usize {
        self.entries.iter().filter(|entry| entry.delivery == state).count()
    }
}

/// Puts the trail of a chart together. The same parts give the same trail.
pub fn trail(parts: &TrailParts<'_>) -> Trail {
    let view = parts.chart.view;
    let items: BTreeMap<EntryId, &TimelineItem<'_>> =
        view.timeline().iter().map(|item| (item.entry.id(), item)).collect();
    let entries: BTreeMap<EntryId, &SignedEntry> = items.iter().map(|(id, item)| (*id, item.entry)).collect();
    let forms = ChartForms::of(view);
    let times = ChartTimes::of(view, parts.proved, parts.heads);
    let line = |(number, item): (usize, &TimelineItem<'_>)| {
        let (id, frame, body) = (item.entry.id(), item.entry.frame(), item.entry.body());
        let carrier = item.carried_by.and_then(|carrier| items.get(&carrier));
        TrailEntry {
            number: number + 1,
            entry: id,
            kind: body.kind,
            author: author(parts, frame.device, item.author),
            incarnation: frame.incarnation,
            seq: frame.seq,
            changes: changes(&forms, item.entry, &entries),
            replaces: replaces(item.entry),
            reason: body.reason.clone().filter(|reason| !reason.is_empty()),
            time: time(item.entry, times.get(id)),
            place: item.place,
            carried_by: carrier.map(|carrier| {
                let device = carrier.entry.frame().device;
                (carrier.entry.id(), author(parts, device, carrier.author))
            }),
            forked: item.forked,
            olog_index: item.arrival.olog_index,
            place_proved: parts.proved.contains_key(&id),
            returned: parts
                .reopenings
                .returned(view, item, |item| author(parts, item.entry.frame().device, item.author)),
            delivery: parts.delivery.get(&id).copied().unwrap_or(DeliveryState::SavedHere),
            is_reading: is_reading(item.entry),
        }
    };
    Trail {
        chart: parts.chart.chart,
        label: parts.chart.label.clone(),
        made_at: parts.made_at,
        entries: view.timeline().iter().enumerate().map(line).collect(),
        accounting: view.accounting(),
        missing: parts.missing.clone(),
        waiting_accesses: parts.waiting_accesses.clone(),
    }
}

fn is_reading(entry: &SignedEntry) -> bool {
    matches!(entry.body().decode_payload(), Decoded::Known(Payload::AccessReceipt(_) | Payload::Opened(_)))
}

fn author(parts: &TrailParts<'_>, device: DeviceId, author: Option<Author>) -> TrailAuthor {
    let person = author.map(|author| author.person);
    TrailAuthor {
        person,
        name: person.and_then(|person| parts.names.get(&person).cloned()),
        role: author.map(|author| author.role),
        device,
        this_device: device == parts.device,
    }
}

fn time(entry: &SignedEntry, known: Option<&EntryTime<'_>>) -> TrailTime {
    let body = entry.body();
    TrailTime {
        claimed: body.captured_at,
        local: local_instant(&body.zone, body.captured_at),
        zone: body.zone.clone(),
        zone_before: known.and_then(|time| time.zone_before).map(str::to_owned),
        evidence: body.evidence,
        earliest: known.and_then(|time| time.earliest),
        latest: known.and_then(|time| time.latest),
        witnessed_after: known.and_then(|time| time.witnessed_after),
        witnessed_before: known.and_then(|time| time.witnessed_before),
        claim: known.map_or(TimeClaim::Unbounded, EntryTime::claim),
        bounded_by: known.map_or(BoundedBy::Nobody, EntryTime::bounded_by),
        faults: known.map(|time| time.faults.clone()).unwrap_or_default(),
        counted_at: known.map_or(body.captured_at, EntryTime::counted_at),
    }
}

/// The role of an author in words.
pub(super) fn role_words(author: &TrailAuthor) -> &'static str {
    author.role.map_or("a device without a certificate", role_name)
}
