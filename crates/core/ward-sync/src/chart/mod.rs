//! The chart: everything that is known of one participant, as a pure function of a set of entries
//! and of the membership log. The order of arrival and the clocks of devices change nothing.

mod adoption;
mod authority;
mod clock;
mod closure;
mod decisions;
mod delivery;
mod given_back;
mod held;
mod instruments;
mod place;
mod sets;
mod settle;
mod texts;
mod thread;
mod time;
mod value;
mod view;

pub use authority::{Author, Authority, ChartAuthority};
pub use clock::{VectorClock, VectorClocks};
pub use closure::ChainName;
pub use delivery::{DeliveryState, carriers, delivery};
pub use held::{Arrival, ReadEntry};
pub use place::{Accounting, Place, QuarantineReason};
pub use sets::ElementSet;
pub use texts::{SignedVersion, Text};
pub use thread::{Conflict, Derived, FieldState, Thread, Written};
pub use time::{BoundedBy, ChartTimes, EntryTime, TimeClaim, TimeFault, WitnessedHeads};
pub use value::Value;
pub use view::{ChartView, MedicationField, OpenConflict, ResponseKey, TimelineItem};

use crate::chain::Seen;
use crate::entry::SignedEntry;
use crate::kind::EntryKind;
use crate::limits::{CHART_MAX_ENTRIES, READER_LEVEL};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use held::Held;
use ward_id::{ChartId, DeviceId, EntryId, Head, Incarnation, SiteId, TimestampMs, VersionVector};

/// An entry that cannot be put into a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// It belongs to another chart or site. The caller must act.
    #[error("the entry belongs to another chart")]
    OtherChart,
    /// The chart is full. The operator must act: no participant makes that many entries.
    #[error("a chart holds at most {CHART_MAX_ENTRIES} entries")]
    Full,
}

/// What putting an entry into a chart came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is new.
    New,
    /// It was there already: nothing changed, but for the place in the operation log if it was
    /// not known.
    Known,
    /// It is new, and another entry stands at its place: the device signed two histories. Both
    /// are kept.
    Forked {
        /// The other entry.
        other: EntryId,
    },
}

/// A place in a chain whose entry is missing, though a later one names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Whose chain.
    pub device: DeviceId,
    /// Which life of the store.
    pub incarnation: Incarnation,
    /// The place.
    pub seq: u64,
    /// The entry that is missing there.
    pub missing: EntryId,
}

/// Several entries at one place of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Whose chain.
    pub device: DeviceId,
    /// Which life of the store.
    pub incarnation: Incarnation,
    /// The place.
    pub seq: u64,
    /// The entries there, sorted.
    pub entries: Vec<EntryId>,
}

type Chain = BTreeMap<u64, BTreeSet<EntryId>>;

/// The accepted entries of one chart.
#[derive(Debug, Clone)]
pub struct Chart {
    site: SiteId,
    chart: ChartId,
    entries: BTreeMap<EntryId, Held>,
    chains: BTreeMap<(DeviceId, Incarnation), Chain>,
    /// Places with several entries.
    forked: BTreeSet<(DeviceId, Incarnation, u64)>,
    /// Entries whose place in the operation log was proved.
    proved: BTreeMap<EntryId, u64>,
    lamport: u64,
    level: u64,
    max_entries: usize,
}

impl Chart {
    /// A chart without entries.
    pub const fn new(site: SiteId, chart: ChartId) -> Self {
        Self::at_level(site, chart, READER_LEVEL)
    }

    /// A chart as an app of an earlier level keeps it: what it cannot read it stores, counts and passes
    /// on, so that after an update it is the chart of everybody else.
    pub const fn at_level(site: SiteId, chart: ChartId, level: u64) -> Self {
        Self {
            site,
            chart,
            level,
            entries: BTreeMap::new(),
            chains: BTreeMap::new(),
            forked: BTreeSet::new(),
            proved: BTreeMap::new(),
            lamport: 0,
            max_entries: CHART_MAX_ENTRIES,
        }
    }

    /// A chart that holds fewer entries than others, on a device that has no memory for more.
    #[must_use]
    pub const fn holding_at_most(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Whether all of these entries have room: [`Chart::insert`] then refuses none of them as
    /// [`ChartError::Full`].
    pub fn has_room_for(&self, entries: impl IntoIterator<Item = EntryId>) -> bool {
        let new: BTreeSet<EntryId> =
            entries.into_iter().filter(|entry| !self.entries.contains_key(entry)).collect();
        self.entries.len().saturating_add(new.len()) <= self.max_entries
    }

    /// Puts an entry into the chart. Again and in any order gives the same chart.
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn insert(&mut self, entry: SignedEntry, arrival: Arrival) -> Result<Inserted, ChartError> {
        match self.admit(&entry, arrival)? {
            Some(known) => Ok(known),
            None => Ok(self.put(ReadEntry::at_level(entry, self.level), arrival)),
        }
    }

    /// The same with an entry that was read already.
    ///
    /// # Errors
    /// [`ChartError`].
    pub fn insert_read(&mut self, read: ReadEntry, arrival: Arrival) -> Result<Inserted, ChartError> {
        if read.level != self.level {
            return self.insert(read.into_entry(), arrival);
        }
        match self.admit(read.entry(), arrival)? {
            Some(known) => Ok(known),
            None => Ok(self.put(read, arrival)),
        }
    }

    /// Whether an entry is here already: then its arrival is noted.
    fn admit(&mut self, entry: &SignedEntry, arrival: Arrival) -> Result<Option<Inserted>, ChartError> {
        let frame = entry.frame();
        if (frame.site, frame.chart) != (self.site, self.chart) {
            return Err(ChartError::OtherChart);
        }
        if let Some(held) = self.entries.get_mut(&entry.id()) {
            held.arrival = held.arrival.earlier(arrival);
            return Ok(Some(Inserted::Known));
        }
        if self.entries.len() >= self.max_entries { Err(ChartError::Full) } else { Ok(None) }
    }

    fn put(&mut self, read: ReadEntry, arrival: Arrival) -> Inserted {
        let (id, frame) = (read.entry().id(), read.entry().frame());
        let chain = self.chains.entry((frame.device, frame.incarnation)).or_default();
        let at_place = chain.entry(frame.seq).or_default();
        let other = at_place.first().copied();
        at_place.insert(id);
        if other.is_some() {
            self.forked.insert((frame.device, frame.incarnation, frame.seq));
        }
        self.lamport = self.lamport.max(frame.body.lamport);
        self.entries.insert(id, Held { arrival, ..read.held });
        other.map_or(Inserted::New, |other| Inserted::Forked { other })
    }

    /// Notes that an entry's envelope was shown to stand at a place of the operation log, by a proof
    /// under a head that the caller verified. Through its chain it proves the entries before it too:
    /// they were there when it was signed. Only so can an entry of a revoked device be told from one
    /// that was made afterwards with the help of a server that names an earlier place.
    pub fn prove(&mut self, entry: EntryId, olog_index: u64) {
        self.proved.entry(entry).and_modify(|known| *known = olog_index.min(*known)).or_insert(olog_index);
    }

    /// Of each chain of a device the newest entry with a place in the log that counts from `begin` on and
    /// below `end`, unless a place before `cut` is proved for it already.
    pub fn to_prove_before(
        &self,
        device: DeviceId,
        (begin, end): (u64, u64),
        cut: u64,
    ) -> Vec<(EntryId, u64)> {
        let proved = self.proved_places(|of| of == device);
        let chains = self.chains.iter().filter(|((of, _), _)| *of == device);
        let newest = chains.filter_map(|(_, chain)| {
            chain.values().rev().flatten().find_map(|id| {
                let place = self.entries.get(id)?.arrival.olog_index?;
                (begin..end).contains(&place).then_some((*id, place))
            })
        });
        newest.filter(|(entry, _)| proved.get(entry).is_none_or(|place| *place >= cut)).collect()
    }

    /// What was proved, for building the chart anew.
    pub fn proved(&self) -> impl Iterator<Item = (EntryId, u64)> + '_ {
        self.proved.iter().map(|(entry, place)| (*entry, *place))
    }

    /// For every entry that a proof reaches, directly or by the chain that names it, a place at or
    /// before which it stood in the operation log.
    pub fn proved_chains(&self) -> BTreeMap<EntryId, u64> {
        self.proved_places(|_| true)
    }

    /// The devices that wrote here, each once.
    pub fn devices(&self) -> impl Iterator<Item = DeviceId> + '_ {
        let mut last = None;
        self.chains
            .keys()
            .map(|(device, _)| *device)
            .filter(move |device| last.replace(*device) != Some(*device))
    }

    /// Entries whose place is worth proving: the newest of every chain that the server places below
    /// `size`. What is proved already is left out.
    pub fn to_prove(&self, size: u64) -> Vec<(EntryId, u64)> {
        let newest = |chain: &Chain| {
            chain.values().rev().flatten().find_map(|id| {
                let place = self.entries.get(id)?.arrival.olog_index.filter(|place| *place < size)?;
                Some((*id, place))
            })
        };
        let due = self.chains.values().filter_map(newest);
        due.filter(|(entry, _)| !self.proved.contains_key(entry)).collect()
    }

    /// As [`Chart::to_prove`], for the chains of one device.
    pub fn to_prove_of(&self, device: DeviceId, size: u64) -> Vec<(EntryId, u64)> {
        let of_device = |entry: &(EntryId, u64)| {
            self.entries.get(&entry.0).is_some_and(|held| held.entry.frame().device == device)
        };
        self.to_prove(size).into_iter().filter(of_device).collect()
    }

    /// For every entry of these devices that a proof reaches, a place at or before which it stood in
    /// the operation log.
    fn proved_places(&self, wanted: impl Fn(DeviceId) -> bool) -> BTreeMap<EntryId, u64> {
        let mut by_place: Vec<(u64, EntryId)> = self.proved.iter().map(|(id, place)| (*place, *id)).collect();
        by_place.sort_unstable();
        let mut out = BTreeMap::new();
        for (place, entry) in by_place {
            let mut next = Some(entry);
            while let Some(held) = next.and_then(|id| self.entries.get(&id)) {
                let frame = held.entry.frame();
                if !wanted(frame.device) || out.contains_key(&held.entry.id()) {
                    break;
                }
                out.insert(held.entry.id(), place);
                next = frame.prev;
            }
        }
        out
    }

    /// Everything that the chart amounts to.
    pub fn view<'a>(&'a self, authority: &impl Authority) -> ChartView<'a> {
        ChartView::compute(self, authority)
    }

    /// The chart's id.
    pub const fn id(&self) -> ChartId {
        self.chart
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One entry.
    pub fn get(&self, entry: EntryId) -> Option<&SignedEntry> {
        self.entries.get(&entry).map(|held| &held.entry)
    }

    /// Whether there is an entry of a kind.
    pub fn has_kind(&self, kind: EntryKind) -> bool {
        self.entries.values().any(|held| held.entry.body().kind == kind)
    }

    /// Every entry, by name.
    pub fn entries(&self) -> impl Iterator<Item = &SignedEntry> {
        self.entries.values().map(|held| &held.entry)
    }

    /// Every entry of one device, chain by chain.
    pub fn entries_of(&self, device: DeviceId) -> impl Iterator<Item = &SignedEntry> {
        let chains = self.chains.iter().filter(move |((of, _), _)| *of == device);
        let ids = chains.flat_map(|(_, chain)| chain.values().flatten());
        ids.filter_map(|id| self.entries.get(id)).map(|held| &held.entry)
    }

    /// The entries of a chain after one of them, each following the one before; from the beginning
    /// for `None`.
    pub fn following(&self, device: DeviceId, incarnation: Incarnation, after: Option<Head>) -> Vec<Head> {
        let Some(chain) = self.chains.get(&(device, incarnation)) else { return Vec::new() };
        let (mut seq, mut prev) = after.map_or((0, None), |head| (head.seq, Some(head.entry)));
        let mut out = Vec::new();
        loop {
            seq = seq.saturating_add(1);
            let follows =
                |id: &&EntryId| self.entries.get(*id).is_some_and(|held| held.entry.frame().prev == prev);
            let Some(entry) = chain.get(&seq).and_then(|there| there.iter().find(follows)).copied() else {
                return out;
            };
            out.push(Head { seq, entry });
            prev = Some(entry);
        }
    }

    /// When and where an entry arrived.
    pub fn arrival(&self, entry: EntryId) -> Option<Arrival> {
        self.entries.get(&entry).map(|held| held.arrival)
    }

    /// The entries that arrived at a place up to this one, in the order of the operation log.
    pub fn arrived_upto(&self, upto: u64) -> Vec<(u64, TimestampMs, &SignedEntry)> {
        let arrived = |held: &'_ Held| held.arrival.placed().filter(|(index, _)| *index <= upto);
        let mut out: Vec<_> = self
            .entries
            .values()
            .filter_map(|held| arrived(held).map(|(index, at)| (index, at, &held.entry)))
            .collect();
        out.sort_unstable_by_key(|(index, ..)| *index);
        out
    }

    /// The entries of one kind that stand here in their own envelopes, by name.
    pub fn of_kind(&self, kind: EntryKind) -> impl Iterator<Item = (&SignedEntry, Arrival)> {
        let of_kind = move |held: &&Held| held.entry.body().kind == kind;
        self.entries.values().filter(of_kind).map(|held| (&held.entry, held.arrival))
    }

    /// How far each chain is held without a gap. At a fork the smaller name stands for both.
    pub fn have(&self) -> VersionVector {
        let mut out = VersionVector::new();
        for (&(device, incarnation), chain) in &self.chains {
            let unbroken = chain.iter().zip(1u64..).take_while(|((seq, _), expect)| *seq == expect);
            let last = unbroken.last().and_then(|((&seq, entries), _)| Some((seq, *entries.first()?)));
            if let Some((seq, entry)) = last {
                // Beyond the limit of a version vector further chains are left out and fetched again.
                let _full = out.observe(device, incarnation, Head { seq, entry });
            }
        }
        out
    }

    /// As [`Chart::have`], but only as far as nothing waits for an entry that is not here: what the
    /// author of a next entry may name as seen. Naming an entry that waits would make the next one
    /// wait too, so one device that names what does not exist could hide everybody's later entries. From a
    /// fork on it follows what has a place in the log: of the branches others may have that one only.
    pub fn settled(&self) -> VersionVector {
        let waiting = self.waiting();
        let arrived = |entry: &&EntryId| self.arrival(**entry).is_some_and(|it| it.olog_index.is_some());
        let mut out = VersionVector::new();
        for (&(device, incarnation), chain) in &self.chains {
            let mut is_forked = false;
            let unbroken = chain.iter().zip(1u64..).map_while(|((seq, there), expect)| {
                is_forked |= there.len() > 1;
                let one = if is_forked { there.iter().find(arrived) } else { there.first() };
                one.filter(|entry| *seq == expect && !waiting.contains(*entry)).map(|entry| (*seq, *entry))
            });
            if let Some((seq, entry)) = unbroken.last() {
                let _full = out.observe(device, incarnation, Head { seq, entry });
            }
        }
        out
    }

    /// Entries that wait for one that is not here, directly or through another.
    fn waiting(&self) -> BTreeSet<EntryId> {
        let lacks = |held: &Held| held.causes().any(|cause| !self.entries.contains_key(&cause));
        let mut open: Vec<EntryId> =
            self.entries.iter().filter(|(_, held)| lacks(held)).map(|(id, _)| *id).collect();
        let mut out = BTreeSet::new();
        if open.is_empty() {
            return out;
        }
        let mut effects: BTreeMap<EntryId, Vec<EntryId>> = BTreeMap::new();
        for (id, held) in &self.entries {
            held.causes().for_each(|cause| effects.entry(cause).or_default().push(*id));
        }
        while let Some(id) = open.pop() {
            if out.insert(id) {
                open.extend(effects.get(&id).into_iter().flatten());
            }
        }
        out
    }

    /// The highest logical clock.
    pub const fn lamport(&self) -> u64 {
        self.lamport
    }

    /// What the author of a next entry has seen, from the vector that [`Chart::settled`] gave.
    pub const fn seen<'a>(&self, heads: &'a VersionVector) -> Seen<'a> {
        Seen { heads, lamport: self.lamport }
    }

    /// Missing entries of chains: the server, or the way from it, left something out.
    pub fn gaps(&self) -> Vec<Gap> {
        let gap = |held: &Held| {
            let frame = held.entry.frame();
            let missing = frame.prev.filter(|prev| !self.entries.contains_key(prev))?;
            let seq = frame.seq.saturating_sub(1);
            Some(Gap { device: frame.device, incarnation: frame.incarnation, seq, missing })
        };
        let gaps: BTreeSet<Gap> = self.entries.values().filter_map(gap).collect();
        gaps.into_iter().collect()
    }

    /// Entries that others name and that are not here, sorted.
    pub fn missing(&self) -> Vec<EntryId> {
        let named = self.entries.values().flat_map(Held::causes);
        let missing: BTreeSet<EntryId> = named.filter(|id| !self.entries.contains_key(id)).collect();
        missing.into_iter().collect()
    }

    /// The first place of one chain with several entries.
    pub fn forked_at(&self, device: DeviceId, incarnation: Incarnation) -> Option<u64> {
        let of_chain = (device, incarnation, 0)..=(device, incarnation, u64::MAX);
        self.forked.range(of_chain).next().map(|(_, _, seq)| *seq)
    }

    /// Places with several entries.
    pub fn forks(&self) -> Vec<Fork> {
        let fork = |&(device, incarnation, seq): &(DeviceId, Incarnation, u64)| {
            let entries = self.chains.get(&(device, incarnation))?.get(&seq)?.iter().copied().collect();
            Some(Fork { device, incarnation, seq, entries })
        };
        self.forked.iter().filter_map(fork).collect()
    }

    /// Of a chain, every entry from a place on with its frame's place, in order; several where it is forked.
    pub fn chain_from(
        &self,
        device: DeviceId,
        incarnation: Incarnation,
        seq: u64,
    ) -> impl Iterator<Item = (u64, &SignedEntry)> {
        let chain = self.chains.get(&(device, incarnation)).into_iter();
        let places = chain.flat_map(move |chain| chain.range(seq..));
        let entries = places.flat_map(|(seq, entries)| entries.iter().map(move |entry| (*seq, entry)));
        entries.filter_map(|(seq, entry)| Some((seq, self.get(*entry)?)))
    }
}
