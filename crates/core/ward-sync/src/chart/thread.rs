//! Threads: the writes of one register, or one record with its amendments.
//!
//! A write names the writes that its author saw and replaces. What no other write names is
//! current. Several current writes are a conflict: all are shown, none is chosen, and a write that
//! names all of them closes it.

use super::authority::Author;
use super::held::Arrival;
use super::place::Place;
use crate::entry::SignedEntry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::{EntryId, TimestampMs};

/// A value with who wrote it and how it came here.
#[derive(Debug, PartialEq, Eq)]
pub struct Written<'a, P> {
    /// What was written.
    pub value: &'a P,
    /// The entry that says so.
    pub entry: &'a SignedEntry,
    /// Who wrote it.
    pub author: Author,
    /// When and where it arrived.
    pub arrival: Arrival,
    /// The entry that carries it, if staff adopted it.
    pub carried_by: Option<EntryId>,
    /// Whether its device signed two histories at or before this place.
    pub forked: bool,
}

impl<P> Clone for Written<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Written<'_, P> {}

impl<P> Written<'_, P> {
    /// The entry's name.
    pub const fn id(&self) -> EntryId {
        self.entry.id()
    }

    /// When the author's clock says that it was written.
    pub const fn captured_at(&self) -> TimestampMs {
        self.entry.body().captured_at
    }

    /// The order that is the same on every device: causes come before effects.
    pub const fn order(&self) -> (u64, EntryId) {
        (self.entry.body().lamport, self.entry.id())
    }
}

/// The writes of one register, or one record with its amendments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread<'a, P> {
    /// What holds. More than one is a conflict.
    pub current: Vec<Written<'a, P>>,
    /// What was replaced or amended, oldest first.
    pub past: Vec<Written<'a, P>>,
}

impl<'a, P> Thread<'a, P> {
    /// Whether a person must choose.
    pub const fn is_conflict(&self) -> bool {
        self.current.len() > 1
    }

    /// The one current value; `None` in a conflict.
    pub fn single(&self) -> Option<&Written<'a, P>> {
        match self.current.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The names of all current writes: what a write that closes a conflict supersedes.
    pub fn current_ids(&self) -> Vec<EntryId> {
        self.current.iter().map(Written::id).collect()
    }

    /// The first write.
    pub fn first(&self) -> Option<&Written<'a, P>> {
        self.past.iter().chain(&self.current).min_by_key(|written| written.order())
    }

    /// Splits writes into what holds and what was replaced.
    fn of(writes: Vec<Written<'a, P>>, links: &impl Fn(&Written<'a, P>) -> Vec<EntryId>) -> Self {
        let replaced: BTreeSet<EntryId> = writes.iter().flat_map(links).collect();
        let (past, current) = writes.into_iter().partition(|written| replaced.contains(&written.id()));
        Self { current, past }
    }

    pub(super) fn note_places(&self, places: &mut BTreeMap<EntryId, Place>) {
        let current = if self.is_conflict() { Place::InConflict } else { Place::Visible };
        places.extend(self.current.iter().map(|written| (written.id(), current)));
        places.extend(self.past.iter().map(|written| (written.id(), Place::Superseded)));
    }
}

/// Threads of writes that share a key, such as the name of a field. Writes come in order.
pub(super) fn by_key<'a, P, K: Ord>(
    writes: Vec<Written<'a, P>>,
    key: impl Fn(&P) -> K,
    links: impl Fn(&Written<'a, P>) -> Vec<EntryId>,
) -> BTreeMap<K, Thread<'a, P>> {
    let mut groups: BTreeMap<K, Vec<Written<'a, P>>> = BTreeMap::new();
    for written in writes {
        groups.entry(key(written.value)).or_default().push(written);
    }
    groups.into_iter().map(|(key, group)| (key, Thread::of(group, &links))).collect()
}

/// Threads of writes that name each other, in the order of their first writes. Writes come in
/// order; a link to a write outside the list means nothing.
pub(super) fn by_lineage<'a, P>(
    writes: Vec<Written<'a, P>>,
    links: impl Fn(&Written<'a, P>) -> Vec<EntryId>,
) -> Vec<Thread<'a, P>> {
    let known: BTreeSet<EntryId> = writes.iter().map(Written::id).collect();
    // Union of linked writes, by following each one's representative.
    let mut leader: BTreeMap<EntryId, EntryId> = known.iter().map(|id| (*id, *id)).collect();
    let find = |leader: &BTreeMap<EntryId, EntryId>, mut id: EntryId| {
        while let Some(next) = leader.get(&id).filter(|next| **next != id) {
            id = *next;
        }
        id
    };
    for written in &writes {
        for link in links(written).into_iter().filter(|link| known.contains(link)) {
            let (a, b) = (find(&leader, written.id()), find(&leader, link));
            leader.insert(a.max(b), a.min(b));
        }
    }
    let mut groups: BTreeMap<EntryId, Vec<Written<'a, P>>> = BTreeMap::new();
    for written in writes {
        groups.entry(find(&leader, written.id())).or_default().push(written);
    }
    let mut threads: Vec<Thread<'a, P>> =
        groups.into_values().map(|group| Thread::of(group, &links)).collect();
    threads.sort_by_key(|thread| thread.first().map(Written::order));
    threads
}
