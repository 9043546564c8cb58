//! Vector clocks. An entry names only what changed since its author's entry before (`deps`); the
//! whole clock of its causal past is built from those here, for auditors.

use super::Chart;
use super::held::Held;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ward_id::{DeviceId, EntryId, Incarnation};

/// For each chain, the highest place in the causal past of an entry, the entry itself included.
pub type VectorClock = BTreeMap<(DeviceId, Incarnation), u64>;

/// The clocks of all entries of a chart. Entries of one chain share the clock of the one before,
/// where nothing else was seen.
#[derive(Debug, Clone, Default)]
pub struct VectorClocks {
    clocks: BTreeMap<EntryId, Clocked>,
}

/// What an entry's author had seen of other chains, and the entry's own place: chain and number.
type Clocked = (Arc<VectorClock>, (DeviceId, Incarnation), u64);

impl VectorClocks {
    /// The whole clock of an entry; `None` for one that is not here. Causes that are missing are not
    /// counted.
    pub fn of(&self, entry: EntryId) -> Option<VectorClock> {
        let (seen, chain, seq) = self.clocks.get(&entry)?;
        let mut clock = (**seen).clone();
        raise(&mut clock, *chain, *seq);
        Some(clock)
    }

    /// Whether `later` was written with `earlier` in its causal past.
    pub fn happened_before(&self, earlier: EntryId, later: EntryId) -> bool {
        let (Some((_, chain, seq)), Some((seen, after, at))) =
            (self.clocks.get(&earlier), self.clocks.get(&later))
        else {
            return false;
        };
        let known = seen.get(chain).copied().unwrap_or(0);
        known >= *seq || (after == chain && at > seq)
    }

    fn take(&mut self, held: &Held) {
        let frame = held.entry.frame();
        let chain = (frame.device, frame.incarnation);
        let base = frame.prev.and_then(|prev| self.clocks.get(&prev)).map(|(seen, _, _)| Arc::clone(seen));
        let mut seen = base.unwrap_or_default();
        for cause in held.causes().filter(|cause| Some(*cause) != frame.prev) {
            let Some((more, of, seq)) = self.clocks.get(&cause) else { continue };
            let news = *of != chain && seen.get(of).is_none_or(|known| known < seq);
            let behind = |(chain, seq): (&(DeviceId, Incarnation), &u64)| {
                seen.get(chain).is_none_or(|known| known < seq)
            };
            if news || more.iter().any(behind) {
                let (more, of, seq) = (Arc::clone(more), *of, *seq);
                let clock = Arc::make_mut(&mut seen);
                more.iter().for_each(|(chain, seq)| raise(clock, *chain, *seq));
                raise(clock, of, seq);
            }
        }
        self.clocks.insert(held.entry.id(), (seen, chain, frame.seq));
    }
}

fn raise(clock: &mut VectorClock, chain: (DeviceId, Incarnation), seq: u64) {
    let known = clock.entry(chain).or_insert(0);
    *known = seq.max(*known);
}

impl Chart {
    /// The vector clocks of all entries, each computed once from those of its causes.
    pub fn vector_clocks(&self) -> VectorClocks {
        let mut out = VectorClocks::default();
        // Depth first without recursion: a chain may be longer than a stack.
        let mut open: Vec<(EntryId, bool)> = Vec::new();
        for id in self.entries.keys() {
            open.push((*id, false));
            while let Some((id, ready)) = open.pop() {
                let Some(held) = self.entries.get(&id).filter(|_| !out.clocks.contains_key(&id)) else {
                    continue;
                };
                if ready {
                    out.take(held);
                    continue;
                }
                open.push((id, true));
                let waiting = held.causes().filter(|cause| !out.clocks.contains_key(cause));
                open.extend(waiting.map(|cause| (cause, false)));
            }
        }
        out
    }
}
