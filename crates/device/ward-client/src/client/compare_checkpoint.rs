//! Comparing a checkpoint with this device's own copy, so that nobody is accused of what somebody else
//! said: which entries it covers follows from the chains that its author names, and only their places and
//! times of arrival are the server's word.

use super::checkpoints::ChartRows;
use super::{Client, LocalChart};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::{ChartId, EntryId, VersionVector};
use ward_sync::limits::FOLD_RULES;
use ward_sync::{
    Arrival, Checkpoint, CheckpointFault, CheckpointRoots, EntryFrame, Inserted, ReadEntry, SignedEntry,
    roots_of_rows,
};

/// Whether a checkpoint with this frontier covers an entry.
fn covers(frontier: &VersionVector, frame: &EntryFrame) -> bool {
    frontier.head(frame.device, frame.incarnation).is_some_and(|head| frame.seq <= head.seq)
}

impl LocalChart {
    /// Puts an entry into the chart. Entries of another chart never come here: they are checked when they
    /// are opened. What was found of the places that a checkpoint covers is forgotten when one of them comes
    /// or moves.
    pub(crate) fn insert(&mut self, entry: SignedEntry, arrival: Arrival) -> Option<Inserted> {
        if self.other_places.is_empty() {
            return self.chart.insert(entry, arrival).ok();
        }
        let id = entry.id();
        let covering = self.other_places.iter().filter(|(_, frontier)| covers(frontier, entry.frame()));
        let covering: Vec<EntryId> = covering.map(|(checkpoint, _)| *checkpoint).collect();
        let before = self.chart.arrival(id);
        let inserted = self.chart.insert(entry, arrival).ok();
        if self.chart.arrival(id) != before {
            covering.iter().for_each(|checkpoint| drop(self.other_places.remove(checkpoint)));
        }
        inserted
    }

    /// The same with an entry that was read already.
    pub(crate) fn insert_read(&mut self, read: ReadEntry, arrival: Arrival) -> Option<Inserted> {
        if self.other_places.is_empty() {
            return self.chart.insert_read(read, arrival).ok();
        }
        self.insert(read.into_entry(), arrival)
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Compares a checkpoint, but not again where its places were found to differ and none that it covers
    /// has moved since: a comparison takes the whole chart, and the server's word alone decides how often.
    pub(super) fn compare_checkpoint_once(
        &mut self,
        chart: ChartId,
        entry: EntryId,
        checkpoint: &Checkpoint,
    ) -> Result<Result<(), CheckpointFault>, ClientError> {
        if self.device_mut()?.chart_or_new(chart).other_places.contains_key(&entry) {
            return Ok(Err(CheckpointFault::Places));
        }
        let compared = self.compare_checkpoint(chart, checkpoint)?;
        if compared == Err(CheckpointFault::Places) {
            let local = self.device_mut()?.chart_or_new(chart);
            local.other_places.insert(entry, checkpoint.frontier.clone());
        }
        Ok(compared)
    }

    /// Computes what a checkpoint says from this device's own copy. A checkpoint by other rules is not
    /// compared by its state.
    fn compare_checkpoint(
        &self,
        chart: ChartId,
        checkpoint: &Checkpoint,
    ) -> Result<Result<(), CheckpointFault>, ClientError> {
        let local = self.device()?.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let covered = |entry: &SignedEntry| covers(&checkpoint.frontier, entry.frame());
        let rows: ChartRows<'_> =
            local.chart.arrived_upto(u64::MAX).into_iter().filter(|(.., entry)| covered(entry)).collect();
        let Ok(roots) = roots_of_rows(rows.iter().copied()) else { return Ok(Err(CheckpointFault::Places)) };
        if roots.frontier != checkpoint.frontier {
            // The server did not give both the same, or the author names what there is not.
            return Ok(Err(CheckpointFault::Places));
        }
        // What the author's own signature answers for, whatever the server said.
        let (upto, places_root) = (checkpoint.upto, checkpoint.places_root);
        let by_author = CheckpointRoots { upto, places_root, ..roots.clone() };
        if let Err(fault) = by_author.check(checkpoint) {
            return Ok(Err(fault));
        }
        if checkpoint.rules == FOLD_RULES && self.state_of(chart, &rows)? != checkpoint.state_root {
            return Ok(Err(CheckpointFault::State));
        }
        let same_places = (roots.upto, roots.places_root) == (upto, places_root);
        Ok(if same_places { Ok(()) } else { Err(CheckpointFault::Places) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_crypto::{CaptureSignature, Role, SignKey};
    use ward_id::{DeviceId, Incarnation, SiteId, TimestampMs};
    use ward_sync::{BootEvidence, Draft, EntryChain, Moment, Note, Seen};

    fn entries(count: usize) -> Vec<SignedEntry> {
        let (site, chart) = (SiteId::from_bytes([1; 16]), ChartId::from_bytes([2; 16]));
        let (device, key) = (DeviceId::from_bytes([4; 16]), SignKey::from_secret_bytes(&[3; 32]));
        let mut chain = EntryChain::open(site, chart, device, Role::Clinician, Incarnation(1));
        let heads = VersionVector::new();
        let mut one = |_| {
            let moment = Moment {
                random16: [5; 16],
                captured_at: TimestampMs(1),
                zone: "UTC".into(),
                evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
                olog: None,
            };
            let note = Draft::new(Note { text: "covered".into(), supersedes: vec![] });
            let sign = |entry| Ok(CaptureSignature::sign(&key, entry));
            chain.append(&note, &moment, Seen { heads: &heads, lamport: 0 }, sign).unwrap()
        };
        (0..count).map(&mut one).collect()
    }

    #[test]
    fn places_that_differ_are_compared_again_when_a_covered_entry_comes_or_moves() {
        let [first, second, third] = entries(3).try_into().unwrap();
        let (site, chart) = (SiteId::from_bytes([1; 16]), ChartId::from_bytes([2; 16]));
        let checkpoint = EntryId::from_bytes([8; 32]);
        let mut local = LocalChart::new(site, chart);
        let at = |place| Arrival::at(place, TimestampMs(7));
        local.insert(first.clone(), at(10));
        local.insert(second.clone(), at(11));
        let covered = local.chart.have();
        let mut still_known = |entry: &SignedEntry, place| {
            local.other_places.insert(checkpoint, covered.clone());
            local.insert(entry.clone(), at(place));
            local.other_places.contains_key(&checkpoint)
        };
        assert!(still_known(&third, 12), "what comes after it says nothing of it");
        assert!(still_known(&first, 10), "nor does what comes again where it was");
        assert!(still_known(&first, 99), "or at a larger place, which does not count");
        assert!(!still_known(&first, 9), "it moved");
        let mut empty = LocalChart::new(site, chart);
        empty.other_places.insert(checkpoint, covered.clone());
        empty.insert(second, at(11));
        assert!(empty.other_places.is_empty(), "it came");
    }
}
