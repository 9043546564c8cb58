//! How far an entry came: saved on its device, received by the server, opened at the site.

use super::view::{ChartView, TimelineItem};
use crate::Author;
use crate::entry::SignedEntry;
use crate::payload::{Decoded, Payload};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::EntryId;

/// How far an entry came. Each state is reached by what somebody else signed, never by a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Durable on the device that wrote it; nobody else is known to have it.
    SavedHere,
    /// Handed to the drop box, because its device may not seal; nobody has adopted it yet.
    HandedOver,
    /// The server's receipt for it verified, or the server delivered it.
    Received,
    /// A device of staff, other than its author's, says in a signed entry of its own that it has
    /// verified and decrypted it.
    Opened,
}

/// For each carried entry the one that brought it: the outermost carry around it, which came on its own.
pub fn carriers(view: &ChartView<'_>) -> BTreeMap<EntryId, EntryId> {
    let carried = view.timeline().iter().filter_map(|item| Some((item.entry.id(), item.carried_by?)));
    let next: BTreeMap<EntryId, EntryId> = carried.collect();
    let outermost = |mut carrier: EntryId| {
        // A carry holds what it carries, so none comes back to itself.
        while let Some(outer) = next.get(&carrier) {
            carrier = *outer;
        }
        carrier
    };
    next.iter().map(|(entry, carrier)| (*entry, outermost(*carrier))).collect()
}

/// How far each entry of a chart came, as the device knows that asks. `reached` says how far an entry
/// came that nobody is known to have opened, by the rules of receipts and of the drop box.
pub fn delivery(
    view: &ChartView<'_>,
    reached: impl Fn(&TimelineItem<'_>) -> DeliveryState,
) -> BTreeMap<EntryId, DeliveryState> {
    let (opened, carriers) = (opened_by_staff(view), carriers(view));
    let state = |item: &TimelineItem<'_>| {
        // What is carried came as far as the entry that carries it.
        let entry = item.entry.id();
        let mut ids = [Some(entry), item.carried_by, carriers.get(&entry).copied()].into_iter().flatten();
        if ids.any(|id| opened.contains(&id)) { DeliveryState::Opened } else { reached(item) }
    };
    view.timeline().iter().map(|item| (item.entry.id(), state(item))).collect()
}

/// The entries that a device of staff other than their author's has opened: those that a standing
/// entry of it names as opened or as seen, and by their chains all before them.
fn opened_by_staff(view: &ChartView<'_>) -> BTreeSet<EntryId> {
    let entries: BTreeMap<EntryId, &SignedEntry> =
        view.timeline().iter().map(|item| (item.entry.id(), item.entry)).collect();
    let mut out = BTreeSet::new();
    for item in view.timeline() {
        let is_of_staff = |author: &Author| item.place.stands() && author.role.is_staff();
        let Some(author) = item.author.filter(is_of_staff) else { continue };
        for named in named(item.entry, &entries) {
            let mut next = entries.get(&named).filter(|entry| entry.frame().device != author.device);
            while let Some(entry) = next {
                next = if out.insert(entry.id()) {
                    entry.frame().prev.and_then(|prev| entries.get(&prev))
                } else {
                    None
                };
            }
        }
    }
    out
}

/// What an entry says that its author has opened.
fn named(entry: &SignedEntry, entries: &BTreeMap<EntryId, &SignedEntry>) -> Vec<EntryId> {
    let body = entry.body();
    let mut out = body.deps.clone();
    if let Decoded::Known(Payload::Opened(opened)) = body.decode_payload() {
        // A place that names another entry than stands there says nothing.
        let stands = opened.chains.iter().filter(|chain| {
            entries.get(&chain.entry).is_some_and(|entry| {
                let frame = entry.frame();
                (frame.device, frame.incarnation, frame.seq) == (chain.device, chain.incarnation, chain.seq)
            })
        });
        out.extend(stands.map(|chain| chain.entry));
    }
    out
}
