//! Sets: an element is in as long as one addition of it was not taken out. A removal takes out the
//! additions that its author saw, so an addition made beside it stays.

use super::place::Place;
use super::thread::Written;
use crate::payload::SetChange;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use ward_id::EntryId;

/// One set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElementSet<'a> {
    /// The elements, each with the additions that keep it in.
    pub elements: BTreeMap<String, Vec<Written<'a, SetChange>>>,
    /// Additions that were taken out.
    pub removed: Vec<Written<'a, SetChange>>,
    /// Who took out what.
    pub removals: Vec<Written<'a, SetChange>>,
}

impl ElementSet<'_> {
    /// The additions that keep an element in: what a removal of it names.
    pub fn additions_of(&self, element: &str) -> Vec<EntryId> {
        self.elements.get(element).into_iter().flatten().map(Written::id).collect()
    }

    pub(super) fn note_places(&self, places: &mut BTreeMap<EntryId, Place>) {
        let there = self.elements.values().flatten().chain(&self.removals);
        places.extend(there.map(|written| (written.id(), Place::Visible)));
        places.extend(self.removed.iter().map(|written| (written.id(), Place::Superseded)));
    }
}

/// The sets that changes make up. They come in their order.
pub(super) fn sets_of(changes: Vec<Written<'_, SetChange>>) -> BTreeMap<String, ElementSet<'_>> {
    let taken = |set: &str| -> BTreeSet<EntryId> {
        let of_set = changes.iter().filter(|change| change.value.set == set);
        of_set.flat_map(|change| change.value.removes.iter().copied()).collect()
    };
    let names: BTreeSet<&String> = changes.iter().map(|change| &change.value.set).collect();
    let taken: BTreeMap<String, BTreeSet<EntryId>> =
        names.into_iter().map(|name| (name.clone(), taken(name))).collect();
    let mut out: BTreeMap<String, ElementSet<'_>> = BTreeMap::new();
    for change in changes {
        let set = out.entry(change.value.set.clone()).or_default();
        let is_out = taken.get(&change.value.set).is_some_and(|taken| taken.contains(&change.id()));
        match &change.value.add {
            None => set.removals.push(change),
            Some(_) if is_out => set.removed.push(change),
            Some(element) => set.elements.entry(element.clone()).or_default().push(change),
        }
    }
    out
}
