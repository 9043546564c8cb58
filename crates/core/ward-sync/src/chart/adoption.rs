//! What a chart holds with what staff adopted: entries that others carry. A carrier may wait for what
//! another one carries, so this goes on until nothing is adopted any more; each carrier is looked at
//! once, when nothing that it waits for is missing.

use super::Chart;
use super::authority::Authority;
use super::decisions::Items;
use super::held::Held;
use super::view::{Item, admit};
use crate::membership::Standing;
use crate::payload::{CarryReason, Decoded, Payload};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::{DeviceId, EntryId, Incarnation};

/// All entries, and those that wait.
pub(super) struct Collected<'a> {
    pub(super) items: Items<'a>,
    /// Entries that wait for one that is not here, directly or through another. An adopted entry does
    /// not wait: staff took it as it is.
    pub(super) parked: BTreeSet<EntryId>,
}

/// All entries, those that are carried among them. An entry that came on its own and is carried
/// too is adopted.
pub(super) fn collect<'a>(chart: &'a Chart, authority: &impl Authority) -> Collected<'a> {
    // Only where a device is not trusted any more does the place of an entry matter.
    let proved = chart.proved_places(|device| authority.standing(device, None) != Standing::Effective);
    let item = |held: &'a Held| {
        let frame = held.entry.frame();
        let proved_index = proved.get(&held.entry.id()).copied();
        let author = authority.author(frame.device);
        Item { held, carried_by: None, author, forked: false, proved_index }
    };
    let mut items: Items<'a> = chart.entries.iter().map(|(id, held)| (*id, item(held))).collect();
    let parked = parked(&items);
    let mut ready: BTreeSet<EntryId> = carriers(&items).filter(|id| !parked.contains(id)).collect();
    let mut waits = Waits::of(parked, &items);
    while !ready.is_empty() {
        // In the order of carriers, so that the first carrier of an entry is the same everywhere.
        let adopted: Vec<(EntryId, &'a Held)> =
            ready.iter().filter_map(|id| Some((*id, adoptable(*id, &items, authority)?))).collect();
        ready.clear();
        for (carrier, inner) in adopted {
            let there = items.entry(inner.entry.id()).or_insert_with(|| item(inner));
            if there.carried_by.is_none() {
                there.carried_by = Some(carrier);
                // It may carry something itself, and others may have waited for it.
                ready.insert(inner.entry.id());
                ready.extend(waits.release(inner.entry.id()));
            }
        }
        ready.retain(|id| items.get(id).is_some_and(|item| item.held.carried.is_some()));
    }
    mark_forked(&mut items);
    Collected { items, parked: waits.parked }
}

/// Marks what stands at or after a place for which its device signed several entries. What others carry
/// counts: who never met the branch that the server lost sees the fork all the same.
fn mark_forked(items: &mut Items<'_>) {
    let mut at: BTreeMap<(DeviceId, Incarnation, u64), u8> = BTreeMap::new();
    for item in items.values() {
        let frame = item.held.entry.frame();
        let there = at.entry((frame.device, frame.incarnation, frame.seq)).or_default();
        *there = there.saturating_add(1);
    }
    let mut first: BTreeMap<(DeviceId, Incarnation), u64> = BTreeMap::new();
    for ((device, incarnation, seq), _) in at.into_iter().filter(|(_, entries)| *entries > 1) {
        first.entry((device, incarnation)).or_insert(seq);
    }
    if first.is_empty() {
        return;
    }
    for item in items.values_mut() {
        let frame = item.held.entry.frame();
        let fork = first.get(&(frame.device, frame.incarnation));
        item.forked = fork.is_some_and(|from| frame.seq >= *from);
    }
}

fn carriers<'i>(items: &'i Items<'_>) -> impl Iterator<Item = EntryId> + 'i {
    items.iter().filter(|(_, item)| item.held.carried.is_some()).map(|(id, _)| *id)
}

/// What a carrier that does not wait carries, if it stands and nobody adopted that yet.
fn adoptable<'a>(carrier: EntryId, items: &Items<'a>, authority: &impl Authority) -> Option<&'a Held> {
    let outer = items.get(&carrier)?;
    let inner = outer.held.carried.as_deref()?;
    if items.get(&inner.entry.id()).is_some_and(|item| item.carried_by.is_some()) {
        return None;
    }
    // A device takes up again what stood on a branch of its own store, and nobody else's.
    let may_carry = match &outer.held.payload {
        Decoded::Known(Payload::Carry(carry)) if carry.why == CarryReason::Reauthor => {
            inner.entry.frame().device == outer.held.entry.frame().device
        }
        _ => outer.author.is_some_and(|author| author.role.is_staff()),
    };
    let stands = may_carry && admit(outer, false, items, authority).is_ok();
    let signed = |inner: &Held| {
        let cert = authority.certificate(inner.entry.frame().device);
        cert.is_some_and(|cert| inner.entry.verify(cert).is_ok())
    };
    (stands && signed(inner)).then_some(inner)
}

/// Entries that wait for one that is not here, directly or through another.
fn parked(items: &Items<'_>) -> BTreeSet<EntryId> {
    let mut effects: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
    let mut waiting: Vec<EntryId> = Vec::new();
    for (id, item) in items.iter().filter(|(_, item)| item.carried_by.is_none()) {
        for cause in item.held.causes() {
            if items.contains_key(&cause) {
                effects.entry(cause).or_default().push(*id);
            } else {
                waiting.push(*id);
            }
        }
    }
    let mut out = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if out.insert(id) {
            waiting.extend(effects.get(&id).into_iter().flatten());
        }
    }
    out
}

/// Entries that wait, each with how many causes it waits for.
struct Waits {
    parked: BTreeSet<EntryId>,
    causes_left: BTreeMap<EntryId, usize>,
    waiting_for: BTreeMap<EntryId, Vec<EntryId>>,
}

impl Waits {
    fn of(parked: BTreeSet<EntryId>, items: &Items<'_>) -> Self {
        let mut causes_left = BTreeMap::new();
        let mut waiting_for: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
        for (id, item) in parked.iter().filter_map(|id| Some((*id, items.get(id)?))) {
            let missing = |cause: &EntryId| !items.contains_key(cause) || parked.contains(cause);
            let causes: BTreeSet<EntryId> = item.held.causes().filter(missing).collect();
            causes_left.insert(id, causes.len());
            causes.into_iter().for_each(|cause| waiting_for.entry(cause).or_default().push(id));
        }
        Self { parked, causes_left, waiting_for }
    }

    /// An entry does not wait any more. Gives those that no longer wait because of that.
    fn release(&mut self, entry: EntryId) -> Vec<EntryId> {
        let mut released = Vec::new();
        let mut open = Vec::from([entry]);
        while let Some(cause) = open.pop() {
            self.parked.remove(&cause);
            for effect in self.waiting_for.remove(&cause).unwrap_or_default() {
                if let Some(left) = self.causes_left.get_mut(&effect) {
                    *left = left.saturating_sub(1);
                    if *left == 0 && self.parked.contains(&effect) {
                        released.push(effect);
                        open.push(effect);
                    }
                }
            }
        }
        released
    }
}
