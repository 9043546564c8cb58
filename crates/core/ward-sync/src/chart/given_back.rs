//! What members give back of branches. A server that was set back may have another entry at a place of a
//! chain than it once had; who still has the first carries it. That is worth what its author is, as a relay
//! is, and takes nothing over. It counts only on a branch, so that nobody brings in what a former member
//! signs today unless it shows as a fork.
//!
//! Whoever has the branch itself and who has only the carries must come to the same: so the rules look at
//! what is held and what is given back together, until nothing is added any more.

use super::Chart;
use super::adoption::is_signed;
use super::authority::Authority;
use super::decisions::Items;
use super::held::Held;
use super::view::{Item, admit};
use crate::membership::Standing;
use crate::payload::CarryReason;
use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::{DeviceId, EntryId, Incarnation};

/// A place of a chain.
type ChainPlace = (DeviceId, Incarnation, u64);

/// What was given back, and what may still be.
struct GivingBack<'c> {
    chart: &'c Chart,
    returned: BTreeSet<EntryId>,
    places: BTreeMap<ChainPlace, BTreeSet<EntryId>>,
    /// Carriers of what is on no branch yet, by what would change that.
    by_place: BTreeMap<ChainPlace, Vec<EntryId>>,
    by_before: BTreeMap<EntryId, Vec<EntryId>>,
}

fn place_of(held: &Held) -> ChainPlace {
    let frame = held.entry.frame();
    (frame.device, frame.incarnation, frame.seq)
}

impl GivingBack<'_> {
    /// Whether another entry is at a place, held or given back.
    fn has_rival(&self, (device, incarnation, seq): ChainPlace, entry: Option<EntryId>) -> bool {
        let held = self.chart.chains.get(&(device, incarnation)).and_then(|chain| chain.get(&seq));
        let returned = self.places.get(&(device, incarnation, seq));
        held.into_iter().chain(returned).flatten().any(|other| Some(*other) != entry)
    }

    /// Whether an entry is on a branch: another one is at its place, or the one before it was given back, or
    /// it is held and another one is at the place of the one before.
    fn is_on_a_branch(&self, inner: &Held) -> bool {
        let (frame, id) = (inner.entry.frame(), inner.entry.id());
        let (device, incarnation, seq) = place_of(inner);
        let before = || (device, incarnation, seq.saturating_sub(1));
        self.has_rival((device, incarnation, seq), Some(id))
            || frame.prev.is_some_and(|prev| self.returned.contains(&prev))
            || (frame.prev.is_some()
                && self.chart.entries.contains_key(&id)
                && self.has_rival(before(), frame.prev))
    }

    fn wait(&mut self, carrier: EntryId, inner: &Held) {
        let (device, incarnation, seq) = place_of(inner);
        for seq in [seq, seq.saturating_sub(1)] {
            self.by_place.entry((device, incarnation, seq)).or_default().push(carrier);
        }
        if let Some(prev) = inner.entry.frame().prev {
            self.by_before.entry(prev).or_default().push(carrier);
        }
    }

    /// Notes an entry as given back. The carriers that this may change.
    fn note(&mut self, inner: &Held) -> Vec<EntryId> {
        let (id, place) = (inner.entry.id(), place_of(inner));
        if !self.returned.insert(id) {
            return Vec::new();
        }
        self.places.entry(place).or_default().insert(id);
        let mut due = self.by_place.remove(&place).unwrap_or_default();
        due.extend(self.by_before.remove(&id).unwrap_or_default());
        due
    }
}

/// Adds what is given back to the entries that are held. Which entries that are.
///
/// Of a device that is not trusted any more it is brought and kept aside: staff decide.
pub(super) fn give_back<'a>(
    chart: &'a Chart,
    items: &mut Items<'a>,
    item: &impl Fn(&'a Held) -> Item<'a>,
    authority: &impl Authority,
) -> BTreeSet<EntryId> {
    let mut open: BTreeSet<EntryId> =
        items.iter().filter(|(_, item)| gives_back(item)).map(|(id, _)| *id).collect();
    let (by_place, by_before) = (BTreeMap::new(), BTreeMap::new());
    let mut giving =
        GivingBack { chart, returned: BTreeSet::new(), places: BTreeMap::new(), by_place, by_before };
    while let Some(carrier) = open.pop_first() {
        let Some(inner) = given_by(carrier, items, authority) else { continue };
        if !giving.is_on_a_branch(inner) {
            giving.wait(carrier, inner);
            continue;
        }
        let aside = authority.standing(inner.entry.frame().device, None) != Standing::Effective;
        let there = match items.entry(inner.entry.id()) {
            Entry::Vacant(place) => place.insert(Item { aside, ..item(inner) }),
            Entry::Occupied(place) => place.into_mut(),
        };
        // What is held of a device that is not trusted is judged by itself.
        if !aside || there.aside {
            there.carried_by = there.carried_by.into_iter().chain([carrier]).min();
        }
        if gives_back(there) && !giving.returned.contains(&inner.entry.id()) {
            open.insert(inner.entry.id());
        }
        open.extend(giving.note(inner));
    }
    giving.returned
}

/// Whether an entry carries another to give it back.
const fn gives_back(item: &Item<'_>) -> bool {
    matches!(item.carries(), Some(carry) if matches!(carry.why, CarryReason::GiveBack))
}

/// What a carrier that stands gives back, with the signature of its author.
fn given_by<'a>(carrier: EntryId, items: &Items<'a>, authority: &impl Authority) -> Option<&'a Held> {
    let outer = items.get(&carrier)?;
    let inner = outer.held.carried.as_deref()?;
    admit(outer, false, items, authority).ok()?;
    is_signed(inner, authority).then_some(inner)
}
