//! What an entry was written after: everything that its author had seen, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use ward_id::EntryId;
use ward_sync::{ChartView, SignedEntry};

/// The entries of a chart, asked about causes.
pub(super) struct Causes<'v> {
    entries: BTreeMap<EntryId, &'v SignedEntry>,
}

impl<'v> Causes<'v> {
    pub(super) fn of(view: &'v ChartView<'_>) -> Self {
        Self { entries: view.timeline().iter().map(|item| (item.entry.id(), item.entry)).collect() }
    }

    /// Whether an entry was written after another, by somebody who had seen it.
    pub(super) fn follows(&self, later: EntryId, earlier: EntryId) -> bool {
        let Some(target) = self.entries.get(&earlier) else { return false };
        let bound = target.body().lamport;
        let mut seen: BTreeSet<EntryId> = BTreeSet::new();
        let mut open = self.causes(later);
        while let Some(cause) = open.pop() {
            if cause == earlier {
                return true;
            }
            // What stands before it in the common order cannot have followed it.
            let may_follow = self.entries.get(&cause).is_some_and(|entry| entry.body().lamport > bound);
            if may_follow && seen.insert(cause) {
                open.extend(self.causes(cause));
            }
        }
        false
    }

    fn causes(&self, entry: EntryId) -> Vec<EntryId> {
        self.entries.get(&entry).into_iter().flat_map(|entry| causes_of(entry)).collect()
    }
}

/// What the author of an entry names as seen.
pub(super) fn causes_of(entry: &SignedEntry) -> impl Iterator<Item = EntryId> + '_ {
    let body = entry.body();
    entry.frame().prev.into_iter().chain(body.amends).chain(body.deps.iter().copied())
}
