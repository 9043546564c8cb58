//! Versions that leave some of their edits out.
//!
//! A version is named by its newest edits. A name in the list that is an ancestor of another one
//! says nothing about what was seen, so it says what was not: from that edit on, the edits of its
//! device were hidden from whoever saw the version, up to the next such name of the same device.

use super::Graph;
use crate::edit_id::EditId;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use ward_id::{DeviceId, Incarnation};

/// A version, by the numbers of edits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    /// The newest edits, sorted.
    pub newest: Vec<u32>,
    /// The names that say what was not seen, sorted.
    pub markers: Vec<u32>,
    /// The edits whose effects are left out, sorted.
    pub unseen: Vec<u32>,
}

type Chain = (DeviceId, Incarnation);

const fn chain(id: EditId) -> Chain {
    (id.device, id.incarnation)
}

impl Graph {
    /// Reads a list of edits, sorted.
    pub fn version(&self, named: Vec<u32>) -> Version {
        if named.len() < 2 {
            return Version { newest: named, ..Version::default() };
        }
        let newest = self.newest(named.clone());
        let markers: Vec<u32> = named.into_iter().filter(|edit| !newest.contains(edit)).collect();
        let unseen = if markers.is_empty() { Vec::new() } else { self.unseen(&newest, &markers) };
        Version { newest, markers, unseen }
    }

    fn unseen(&self, newest: &[u32], markers: &[u32]) -> Vec<u32> {
        let mut turns: BTreeMap<Chain, BTreeSet<EditId>> = BTreeMap::new();
        for marker in markers {
            let id = self.id(*marker);
            turns.entry(chain(id)).or_default().insert(id);
        }
        let is_unseen = |edit: &u32| {
            let id = self.id(*edit);
            let before = turns.get(&chain(id)).map_or(0, |turns| turns.range(..=id).count());
            before % 2 == 1 && !newest.contains(edit)
        };
        self.within(newest).filter(is_unseen).collect()
    }

    /// The version of everything that is not hidden: its newest edits, and what leaves the hidden
    /// ones out.
    pub fn shown_version(&self) -> Version {
        if self.hidden == 0 {
            let mut newest = self.frontier().to_vec();
            newest.sort_unstable();
            return Version { newest, ..Version::default() };
        }
        let shown = (0..self.len()).filter(|edit| !self.node(*edit).hidden).collect();
        let newest = self.newest(shown);
        let mut chains: BTreeMap<Chain, Vec<(EditId, u32)>> = BTreeMap::new();
        for edit in self.within(&newest).filter(|edit| !newest.contains(edit)) {
            let id = self.id(edit);
            chains.entry(chain(id)).or_default().push((id, edit));
        }
        let (mut markers, mut unseen) = (Vec::new(), Vec::new());
        for edits in chains.values_mut() {
            edits.sort_unstable();
            let mut out = false;
            for (_, edit) in edits.iter() {
                let hidden = self.node(*edit).hidden;
                if hidden != out {
                    markers.push(*edit);
                    out = hidden;
                }
                if hidden {
                    unseen.push(*edit);
                }
            }
        }
        markers.sort_unstable();
        unseen.sort_unstable();
        Version { newest, markers, unseen }
    }

    fn within(&self, newest: &[u32]) -> impl Iterator<Item = u32> + use<> {
        (0..).zip(self.ancestors(newest)).filter(|(_, within)| *within).map(|(edit, _)| edit)
    }
}
