//! What must hold: after every step on the device that it was about, and at the end on all.

use super::entries::{bears, mark};
use super::failure::{Checked, Verdict};
use super::schedule::Slot;
use super::template::SiteStore;
use super::world::World;
use std::collections::{BTreeMap, BTreeSet};
use ward_id::{DeviceId, EntryId, Incarnation};
use ward_sync::{ChartView, TimelineItem};

/// An entry that was confirmed to the person who wrote it.
pub(super) struct Confirmed {
    pub(super) slot: Slot,
    pub(super) number: u64,
    /// Its name; another one once it was written again.
    pub(super) entry: EntryId,
    /// Why nobody owes it any more.
    pub(super) forgiven: Option<&'static str>,
}

/// What was promised so far.
#[derive(Default)]
pub(super) struct Oracle {
    marks: u64,
    pub(super) confirmed: Vec<Confirmed>,
    places: BTreeMap<(DeviceId, Incarnation, u64), EntryId>,
    copied: BTreeSet<DeviceId>,
    revoked: BTreeSet<DeviceId>,
}

impl Oracle {
    pub(super) fn next_mark(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    pub(super) fn confirm(&mut self, slot: Slot, number: u64, entry: EntryId) {
        self.confirmed.push(Confirmed { slot, number, entry, forgiven: None });
    }

    /// A second machine holds what the first held, and owes it too.
    pub(super) fn copied(&mut self, _: Slot, device: DeviceId) {
        self.copied.insert(device);
    }

    pub(super) fn revoked(&mut self, device: DeviceId) {
        self.revoked.insert(device);
    }

    /// The call failed on the way: the log may hold it all the same.
    pub(super) fn perhaps_revoked(&mut self, device: DeviceId) {
        self.revoked.insert(device);
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
    let mut bearing = view.timeline().iter().filter(|item| bears(&item.entry.body().payload, &mark));
    bearing.next().map(|item| item.entry.id())
}

impl<S: SiteStore> World<'_, S> {
    /// P5 on one machine, and that it still holds what it confirmed.
    pub(super) fn check_machine(&mut self, slot: Slot) -> Checked {
        let Some(machine) = self.machines.get(&slot) else { return Ok(()) };
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
            if view.place(one.entry).is_some() {
                continue;
            }
            // Written again under another name.
            let Some(entry) = find(&view, one.number) else {
                let what = format!("{} does not hold entry {} any more", machine.name, one.number);
                return Err((Verdict::Lost, what));
            };
            one.entry = entry;
            self.tally.path("written again");
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
            at_server.contains(&one.entry)
                || view
                    .as_ref()
                    .is_some_and(|view| view.place(one.entry).is_some() || find(view, one.number).is_some())
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

    /// The names of all entries that the server holds.
    pub(super) async fn entries_at_server(&self) -> Checked<BTreeSet<EntryId>> {
        let (mut out, mut index) = (BTreeSet::new(), 0);
        loop {
            let row = self.server.store.operation_at(index).await;
            match row.map_err(|error| (Verdict::Broken, error.to_string()))? {
                Some(row) => out.insert(row.entry_id),
                None => return Ok(out),
            };
            index += 1;
        }
    }
}

/// Why an entry is not looked for on its own device for a while. At the end it is.
pub(super) const AT_SERVER: &str = "the server holds it";
