//! What a chart holds with what staff adopted: entries that others carry. A carrier may wait for what
//! another one carries, so this goes on until nothing is brought any more; each carrier is looked at
//! when nothing that it waits for is missing, and once more when it is adopted itself. What stood on a
//! branch that the server lost does not wait.
//!
//! What staff declined, and what a carrier holds that is kept aside itself, is brought too, and kept
//! aside: others may have written on top of it.

use super::Chart;
use super::authority::Authority;
use super::decisions::Items;
use super::given_back::give_back;
use super::held::Held;
use super::view::{Item, admit, is_of_a_revoked_device};
use crate::membership::Standing;
use crate::payload::{Carry, CarryReason};
use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::{DeviceId, EntryId, Incarnation};

/// All entries, and those that wait.
pub(super) struct Collected<'a> {
    pub(super) items: Items<'a>,
    /// Entries that wait for one that is not here, directly or through another. What is carried does
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
        Item { held, carried_by: None, aside: false, author, forked: false, proved_index }
    };
    let mut items: Items<'a> = chart.entries.iter().map(|(id, held)| (*id, item(held))).collect();
    let returned = give_back(chart, &mut items, &item, authority);
    let parked = parked(&items);
    let mut ready: BTreeSet<EntryId> = carriers(&items).filter(|id| !parked.contains(id)).collect();
    // What stood on a branch is brought at once: its carrier may name what others wrote on top of it, and that
    // waits for what it brings.
    ready.extend(items.iter().filter(|(_, item)| reauthors(item)).map(|(id, _)| *id));
    let mut waits = Waits::of(parked, &items);
    let mut chosen: BTreeMap<EntryId, (Weight, EntryId)> = BTreeMap::new();
    for id in &returned {
        let there = items.get(id).and_then(|item| Some((item.carried_by?, item.aside)));
        chosen.extend(
            there.map(|(carrier, aside)| {
                (*id, (if aside { Weight::Aside } else { Weight::GivenBack }, carrier))
            }),
        );
    }
    while !ready.is_empty() {
        let brought: Vec<(EntryId, Brought<'a>)> = ready
            .iter()
            .filter_map(|id| Some((*id, brought(*id, &items, (&returned, &chosen), authority)?)))
            .collect();
        ready.clear();
        for (carrier, Brought { inner, aside }) in brought {
            let entry = inner.entry.id();
            let there = match items.entry(entry) {
                Entry::Vacant(place) => place.insert(item(inner)),
                // What came by itself is adopted, if it was not yet; aside it is not put.
                Entry::Occupied(_) if aside && !chosen.contains_key(&entry) => continue,
                Entry::Occupied(place) => place.into_mut(),
            };
            // Of several carriers that weigh alike the one with the smallest name stands for all, whichever was
            // looked at first: who has an entry already looks at those that wait for it elsewhere.
            let new = (if aside { Weight::Aside } else { Weight::Adopted }, carrier);
            let known = chosen.get(&entry).copied();
            if known.is_some_and(|known| known <= new) {
                continue;
            }
            chosen.insert(entry, new);
            (there.carried_by, there.aside) = (Some(carrier), aside);
            if known.is_none_or(|(known, _)| known == Weight::Aside && !aside) {
                // It may carry something itself, and others may have waited for it.
                ready.insert(entry);
                ready.extend(waits.release(entry));
            }
        }
        ready.retain(|id| items.get(id).is_some_and(|item| item.held.carried.is_some()));
    }
    mark_forked(chart, &mut items, &returned);
    Collected { items, parked: waits.parked }
}

/// What a carrier does for an entry: what staff decided weighs more than that somebody gave it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// It was adopted, or carried on by its own device.
    Adopted,
    /// It was only brought.
    Aside,
    /// It was given back.
    GivenBack,
}

/// Marks what stands at or after a place for which its device signed several entries. What others carry
/// counts: who never met the branch that the server lost sees the fork all the same.
fn mark_forked(chart: &Chart, items: &mut Items<'_>, returned: &BTreeSet<EntryId>) {
    let mut first: BTreeMap<(DeviceId, Incarnation), u64> = BTreeMap::new();
    let mut note = |chain, seq: u64| {
        let known = first.entry(chain).or_insert(seq);
        *known = seq.min(*known);
    };
    for fork in chart.forks() {
        note((fork.device, fork.incarnation), fork.seq);
    }
    for frame in returned.iter().filter_map(|id| items.get(id)).map(|item| item.held.entry.frame()) {
        note((frame.device, frame.incarnation), frame.seq);
    }
    // Of what came inside others, each place is compared with the chains, and with what else came so.
    let mut carried: BTreeSet<(DeviceId, Incarnation, u64)> = BTreeSet::new();
    for item in items.iter().filter(|(id, _)| !chart.entries.contains_key(id)).map(|(_, item)| item) {
        let frame = item.held.entry.frame();
        let chain = (frame.device, frame.incarnation);
        let stands = chart.chains.get(&chain).is_some_and(|chain| chain.contains_key(&frame.seq));
        if !carried.insert((frame.device, frame.incarnation, frame.seq)) || stands {
            note(chain, frame.seq);
        }
    }
    if first.is_empty() {
        return;
    }
    for item in items.values_mut() {
        let frame = item.held.entry.frame();
        let fork = first.get(&(frame.device, frame.incarnation));
        // What comes out of a carry that was given back is marked like it.
        let in_returned = item.carried_by.is_some_and(|carrier| returned.contains(&carrier));
        item.forked = in_returned || fork.is_some_and(|from| frame.seq >= *from);
    }
}

fn carriers<'i>(items: &'i Items<'_>) -> impl Iterator<Item = EntryId> + 'i {
    items.iter().filter(|(_, item)| item.held.carried.is_some()).map(|(id, _)| *id)
}

/// What a carrier brings.
struct Brought<'a> {
    inner: &'a Held,
    /// Whether it only brings it.
    aside: bool,
}

fn reauthors(item: &Item<'_>) -> bool {
    item.carries().is_some_and(|carry| carry.why == CarryReason::Reauthor)
}

/// What a carrier brings, unless that is adopted by it, or by one with a smaller name.
fn brought<'a>(
    carrier: EntryId,
    items: &Items<'a>,
    (returned, chosen): (&BTreeSet<EntryId>, &BTreeMap<EntryId, (Weight, EntryId)>),
    authority: &impl Authority,
) -> Option<Brought<'a>> {
    let outer = items.get(&carrier)?;
    let inner = outer.held.carried.as_deref()?;
    if chosen.get(&inner.entry.id()).is_some_and(|known| *known <= (Weight::Adopted, carrier)) {
        return None;
    }
    let Carry { why, .. } = outer.carries()?;
    let stands = match admit(outer, false, items, authority) {
        Ok(_) => true,
        // Before its device was revoked, others may have written on what it carries.
        Err(place) if is_of_a_revoked_device(place) => false,
        Err(_) => return None,
    };
    let of_staff = |carrier: EntryId| items.get(&carrier).is_some_and(is_of_staff);
    let may_carry = match why {
        // A device takes up again what stood on a branch of its own store, and nobody else's.
        CarryReason::Reauthor => inner.entry.frame().device == outer.held.entry.frame().device,
        // What counts by itself was given back before this; what staff took over counts as they say.
        CarryReason::GiveBack => {
            !stands || (!returned.contains(&carrier) && outer.carried_by.is_some_and(of_staff))
        }
        _ => is_of_staff(outer),
    };
    // A carry that was only given back decides nothing any more: else a former member could sign one today.
    let only_returned = returned.contains(&carrier) && outer.held.arrival.olog_index.is_none();
    let aside = !stands || only_returned || *why == CarryReason::Decline;
    (may_carry && is_signed(inner, authority)).then_some(Brought { inner, aside })
}

/// Whether what is carried bears the signature of its author.
pub(super) fn is_signed(inner: &Held, authority: &impl Authority) -> bool {
    let cert = authority.certificate(inner.entry.frame().device);
    cert.is_some_and(|cert| inner.entry.verify(cert).is_ok())
}

fn is_of_staff(item: &Item<'_>) -> bool {
    item.author.is_some_and(|author| author.role.is_staff())
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
