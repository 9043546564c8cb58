//! What must hold: after every step on the device that it was about, and at the end on all.

use super::entries::{bears, mark};
use super::failure::{Checked, Verdict};
use super::schedule::{Entry, Slot};
use super::template::SiteStore;
use super::world::World;
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{DeviceId, EntryId, Incarnation};
use ward_sync::{ChartView, RevokePolicy, TimelineItem};

/// An entry that was confirmed to the person who wrote it.
pub(super) struct Confirmed {
    pub(super) slot: Slot,
    pub(super) number: u64,
    /// What it is.
    pub(super) what: Entry,
    /// Its name; another one once it was written again.
    pub(super) entry: EntryId,
    /// The entry that it takes over, for an adoption.
    pub(super) inner: Option<EntryId>,
    /// Why nobody owes it any more.
    pub(super) forgiven: Option<&'static str>,
}

impl Confirmed {
    /// By which name it stands on a chart now: its own, or that under which it was written again.
    pub(super) fn find(&self, view: &ChartView<'_>) -> Option<EntryId> {
        if view.place(self.entry).is_some() {
            return Some(self.entry);
        }
        match self.inner {
            Some(inner) => {
                let item = view.timeline().iter().find(|item| item.entry.id() == inner);
                item.and_then(|item| item.carried_by)
            }
            None => find(view, self.number),
        }
    }
}

/// What was promised so far.
#[derive(Default)]
pub(super) struct Oracle {
    marks: u64,
    pub(super) confirmed: Vec<Confirmed>,
    /// Words of the text that were taken away, each with the entry that took them.
    pub(super) cuts: Vec<(u64, u64)>,
    places: BTreeMap<(DeviceId, Incarnation, u64), EntryId>,
    copied: BTreeSet<DeviceId>,
    revoked: BTreeSet<DeviceId>,
    /// Of those, the ones of which nothing late is taken.
    severed: BTreeSet<DeviceId>,
    /// Devices whose store was set back.
    set_back: BTreeSet<Slot>,
    /// Entries that staff declined.
    declined: BTreeSet<EntryId>,
}

impl Oracle {
    pub(super) fn next_mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    pub(super) fn confirm(&mut self, slot: Slot, (number, what): (u64, Entry), entry: EntryId) {
        self.confirmed.push(Confirmed { slot, number, what, entry, inner: None, forgiven: None });
    }

    /// Somebody took an entry over with another.
    pub(super) fn adopt(&mut self, slot: Slot, number: u64, (entry, inner): (EntryId, EntryId)) {
        let inner = Some(inner);
        self.confirmed.push(Confirmed { slot, number, what: Entry::Adopt, entry, inner, forgiven: None });
    }

    pub(super) fn set_back(&mut self, slot: Slot) {
        self.set_back.insert(slot);
    }

    pub(super) fn was_set_back(&self, slot: Slot) -> bool {
        self.set_back.contains(&slot)
    }

    pub(super) fn decline(&mut self, inner: EntryId) {
        self.declined.insert(inner);
    }

    pub(super) fn was_declined(&self, entry: EntryId) -> bool {
        self.declined.contains(&entry)
    }

    /// A second machine holds what the first held, and owes it too.
    pub(super) fn copied(&mut self, _: Slot, device: DeviceId) {
        self.copied.insert(device);
    }

    /// A device was revoked, or, if the call failed on the way, may have been.
    pub(super) fn revoked(&mut self, device: DeviceId, policy: RevokePolicy) {
        self.revoked.insert(device);
        if policy == RevokePolicy::Sever {
            self.severed.insert(device);
        }
    }

    pub(super) fn was_severed(&self, device: DeviceId) -> bool {
        self.severed.contains(&device)
    }

    pub(super) fn any_revoked(&self) -> bool {
        !self.revoked.is_empty()
    }

    pub(super) fn was_revoked(&self, device: DeviceId) -> bool {
        self.revoked.contains(&device)
    }

    /// No place of a chain is given to two entries, but by two machines that share a key.
    fn note_place(&mut self, item: &TimelineItem<'_>) -> Checked {
        let frame = item.entry.frame();
        let known = *self
            .places
            .entry((frame.device, frame.incarnation, frame.seq))
            .or_insert_with(|| item.entry.id());
        if known == item.entry.id() || self.copied.contains(&frame.device) {
            return Ok(());
        }
        let what = format!("{} gave place {} of one chain to two entries", frame.device, frame.seq);
        Err((Verdict::PlaceTwice, what))
    }
}

/// The entry that bears a mark.
pub(super) fn find(view: &ChartView<'_>, number: u64) -> Option<EntryId> {
    let mark = mark(number);
    let mut bearing = view.timeline().iter().filter(|item| bears(item.entry, &mark));
    bearing.next().map(|item| item.entry.id())
}

impl<S: SiteStore> World<'_, S> {
    /// P5 on one machine, and that it still holds what it confirmed.
    pub(super) fn check_machine(&mut self, slot: Slot) -> Checked {
        let Some(machine) = self.machines.get_mut(&slot).filter(|machine| machine.client.is_some()) else {
            return Ok(());
        };
        if !machine.is_to_check() {
            return Ok(());
        }
        let Some(client) = &machine.client else { return Ok(()) };
        let Ok(view) = client.chart(self.chart) else { return Ok(()) };
        let accounting = view.accounting();
        if !accounting.balances() || accounting.total != view.timeline().len() {
            return Err((Verdict::Unaccounted, format!("{}: {accounting:?}", machine.name)));
        }
        for item in view.timeline().iter().filter(|item| item.entry.frame().device == machine.device) {
            self.oracle.note_place(item)?;
        }
        let owed = self.oracle.confirmed.iter_mut();
        for one in owed.filter(|one| one.slot == slot && one.forgiven.is_none()) {
            let Some(entry) = one.find(&view) else {
                let what = format!("{} does not hold entry {} any more", machine.name, one.number);
                return Err((Verdict::Lost, what));
            };
            if one.entry != entry {
                one.entry = entry;
                self.tally.path("written again");
            }
        }
        Ok(())
    }

    /// After a store was set back: what neither it nor the server holds is gone.
    pub(super) async fn forgive_what_the_disk_lost(&mut self, slot: Slot) -> Checked {
        let at_server = self.entries_at_server().await?;
        let Some(client) = self.machines.get(&slot).and_then(|machine| machine.client.as_ref()) else {
            return Ok(());
        };
        let view = client.chart(self.chart).ok();
        let held = |one: &Confirmed| {
            at_server.contains(&one.entry) || view.as_ref().is_some_and(|view| one.find(view).is_some())
        };
        let mut lost = 0;
        for one in self.oracle.confirmed.iter_mut().filter(|one| one.slot == slot && one.forgiven.is_none()) {
            if !held(one) {
                one.forgiven = Some("the schedule set the store back before it was sent");
                lost += 1;
            } else if view.as_ref().is_none_or(|view| view.place(one.entry).is_none()) {
                // It is back after the next sync; until then the server has it.
                one.forgiven = Some(AT_SERVER);
            }
        }
        for _ in 0..lost {
            self.tally.path("entry lost with a store that was set back");
        }
        Ok(())
    }

    /// After the server was set back for good: what neither it nor any member holds is gone.
    pub(super) async fn forgive_what_the_server_lost(&mut self) -> Checked {
        let at_server = self.entries_at_server().await?;
        let members: Vec<Slot> =
            self.machines.keys().copied().filter(|slot| self.gives_back(*slot)).collect();
        let views: Vec<ChartView<'_>> = members
            .iter()
            .filter_map(|slot| self.machines.get(slot)?.client.as_ref()?.chart(self.chart).ok())
            .collect();
        let mut lost = 0;
        for one in self.oracle.confirmed.iter_mut() {
            let owed = one.forgiven.is_none() || one.forgiven == Some(AT_SERVER);
            let at_home = one.forgiven.is_none();
            let held = at_home
                || at_server.contains(&one.entry)
                || views.iter().any(|view| one.find(view).is_some());
            if owed && !held {
                one.forgiven = Some("the schedule set the server back, and nobody else had it");
                lost += 1;
            }
        }
        for _ in 0..lost {
            self.tally.path("entry lost with a server that was set back");
        }
        Ok(())
    }

    /// Whether a machine gives back what others wrote and the server lost: no revoked one does.
    pub(super) fn gives_back(&self, slot: Slot) -> bool {
        let revoked = self.machines.get(&slot).map(|machine| self.oracle.was_revoked(machine.device));
        self.is_member(slot) && revoked == Some(false)
    }

    /// The names of all entries that the server holds.
    pub(super) async fn entries_at_server(&self) -> Checked<BTreeSet<EntryId>> {
        let broken = |error: ward_store::StoreError| (Verdict::Broken, error.to_string());
        let mut out = BTreeSet::new();
        for index in 0..self.server.store.olog_size().await.map_err(broken)? {
            // A log that was opened again begins with another leaf.
            out.extend(self.server.store.operation_at(index).await.map_err(broken)?.map(|row| row.entry_id));
        }
        Ok(out)
    }
}

/// Why an entry is not looked for on its own device for a while. At the end it is.
pub(super) const AT_SERVER: &str = "the server holds it";
