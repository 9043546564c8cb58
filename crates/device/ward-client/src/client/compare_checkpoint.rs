//! Comparing a checkpoint with this device's own copy, so that nobody is accused of what somebody else
//! said: which entries it covers follows from the chains that its author names, and only their places and
//! times of arrival are the server's word.

use super::Client;
use super::checkpoints::ChartRows;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_id::ChartId;
use ward_sync::limits::FOLD_RULES;
use ward_sync::{Checkpoint, CheckpointFault, CheckpointRoots, roots_of_rows};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Computes what a checkpoint says from this device's own copy. A checkpoint by other rules is not
    /// compared by its state.
    pub(super) fn compare_checkpoint(
        &self,
        chart: ChartId,
        checkpoint: &Checkpoint,
    ) -> Result<Result<(), CheckpointFault>, ClientError> {
        let local = self.device()?.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let covered = |entry: &ward_sync::SignedEntry| {
            let frame = entry.frame();
            let head = checkpoint.frontier.head(frame.device, frame.incarnation);
            head.is_some_and(|head| frame.seq <= head.seq)
        };
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
