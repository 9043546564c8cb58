//! Chains that were closed. They leave the set that devices compare with the server at every
//! meeting; nothing of them is dropped, and what turns up beyond the end is merged and marked.

use super::{Chart, ChartView};
use crate::limits::LIVE_DEVICES_SOFT_MAX;
use alloc::collections::{BTreeMap, BTreeSet};
use ward_id::{DeviceId, EntryId, Head, Incarnation, VersionVector};

/// A chain, named by its device and life.
pub type ChainName = (DeviceId, Incarnation);

impl ChartView<'_> {
    /// The chains that were closed by their owner or by staff, with the end that was stated. Where
    /// several people closed one chain at different ends, the furthest counts: whoever named it had
    /// seen the others' entries.
    pub fn closed_chains(&self) -> BTreeMap<ChainName, Head> {
        let mut out: BTreeMap<ChainName, Head> = BTreeMap::new();
        for written in self.closures().iter().flat_map(|thread| &thread.current) {
            let closed = written.value;
            let owner = self.owner_of(closed.device);
            if !written.author.role.is_staff() && owner != Some(written.author.person) {
                continue;
            }
            let end = Head { seq: closed.final_seq, entry: closed.final_entry };
            let known = out.entry((closed.device, closed.incarnation)).or_insert(end);
            if (known.seq, known.entry) < (end.seq, end.entry) {
                *known = end;
            }
        }
        out
    }

    /// Entries of closed chains beyond the end that was stated: a device that was thought gone came
    /// back. They count like others.
    pub fn late_entries(&self) -> impl Iterator<Item = EntryId> + '_ {
        let closed = self.closed_chains();
        self.timeline().iter().filter_map(move |item| {
            let frame = item.entry.frame();
            let end = closed.get(&(frame.device, frame.incarnation))?;
            (frame.seq > end.seq).then(|| item.entry.id())
        })
    }

    /// The person behind a device that wrote here.
    fn owner_of(&self, device: DeviceId) -> Option<ward_id::PersonId> {
        let mut items = self.timeline().iter();
        items.find(|item| item.entry.frame().device == device)?.author.map(|author| author.person)
    }
}

impl Chart {
    /// The chains that are not closed: what is compared with the server. A closed chain that is held
    /// to its stated end, and nothing of it beyond, is left out.
    pub fn live(&self, closed: &BTreeMap<ChainName, Head>) -> VersionVector {
        let mut out = VersionVector::new();
        for (device, incarnation, head) in self.have().iter() {
            if closed.get(&(device, incarnation)) != Some(&head) {
                // Never more chains than the vector that this one is taken from.
                let _full = out.observe(device, incarnation, head);
            }
        }
        out
    }

    /// How many living devices write here, if they are more than [`LIVE_DEVICES_SOFT_MAX`]: a hint
    /// for people that old ones should be closed, never a refusal.
    pub fn crowd(&self, closed: &BTreeMap<ChainName, Head>) -> Option<usize> {
        let live = self.live(closed);
        let devices: BTreeSet<DeviceId> = live.iter().map(|(device, _, _)| device).collect();
        Some(devices.len()).filter(|count| *count > LIVE_DEVICES_SOFT_MAX)
    }
}
