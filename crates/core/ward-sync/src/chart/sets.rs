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
    let mut taken: BTreeMap<&str, BTreeSet<EntryId>> = BTreeMap::new();
    for change in &changes {
        taken.entry(&change.value.set).or_default().extend(&change.value.removes);
    }
    let mut out: BTreeMap<String, ElementSet<'_>> = BTreeMap::new();
    for change in changes.iter().copied() {
        let set = out.entry(change.value.set.clone()).or_default();
        let is_out = taken.get(change.value.set.as_str()).is_some_and(|taken| taken.contains(&change.id()));
        match &change.value.add {
            None => set.removals.push(change),
            Some(_) if is_out => set.removed.push(change),
            Some(element) => set.elements.entry(element.clone()).or_default().push(change),
        }
    }
    out
}
