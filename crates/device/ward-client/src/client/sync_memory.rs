//! What a device remembers between two runs: how the last sync went, and when witnesses signed
//! which head of the operation log.

use super::{Client, OpenDevice, SyncProblem, SyncReport};
use crate::limits::WITNESSED_HEADS_MAX;
use crate::query::UNREACHABLE;
use crate::store::{
    Batch, LAST_SYNC_ROW, LOSSES_ROW, LastSyncRecord, LossRecord, RECOVERED_ROW, SUBMISSIONS_ROW, SealedRows,
    Table, WITNESSED_ROW, WitnessedRecord, ZONES_ROW,
};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_audit::CosignedHead;
use ward_id::TimestampMs;
use ward_sync::WitnessedHeads;

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Keeps what a sync came to, and a token that was renewed on the way.
    pub(crate) async fn remember_sync(&mut self, report: &SyncReport) {
        let now = self.env_wall();
        let Ok(open) = self.device() else { return };
        let before = open.last_sync.as_ref().and_then(|last| last.complete_at);
        let mut problems: Vec<String> = report.problems.iter().map(stop_name).map(str::to_owned).collect();
        problems.sort_unstable();
        problems.dedup();
        let next_ms = report.next_attempt_in_ms.and_then(|ms| i64::try_from(ms).ok());
        let record = LastSyncRecord {
            tried_at: now,
            complete_at: if report.is_complete() { Some(now) } else { before },
            next_attempt_at: next_ms.map(|ms| now.plus_ms(ms)),
            problems,
        };
        let mut batch = Batch::default();
        batch.put(Table::Memory, LAST_SYNC_ROW, &record);
        if self.commit(batch).await.is_ok() {
            if let Ok(open) = self.device_mut() {
                open.last_sync = Some(record);
            }
            self.raise_mark(None).await;
        }
    }

    /// Notes when witnesses signed a head of the operation log.
    pub(crate) fn note_witnessed(
        &mut self,
        head: &CosignedHead,
        batch: &mut Batch,
    ) -> Result<(), ClientError> {
        let at_ms = i64::try_from(head.attested_s()).unwrap_or(i64::MAX).saturating_mul(1_000);
        let witnessed = &mut self.device_mut()?.witnessed;
        witnessed.note(head.head().size, TimestampMs(at_ms));
        witnessed.thin(WITNESSED_HEADS_MAX);
        let record = WitnessedRecord { heads: witnessed.iter().collect() };
        batch.put(Table::Memory, WITNESSED_ROW, &record);
        Ok(())
    }

    /// Heads with the times of witnesses; none where two quorums need not share a witness, because
    /// nothing follows from them then.
    pub(crate) fn witnessed_heads(&self) -> Result<WitnessedHeads, ClientError> {
        let open = self.device()?;
        let shares = open.mlog.membership.manifest().is_some_and(|manifest| {
            usize::from(manifest.quorum).saturating_mul(2) > manifest.witnesses.len()
        });
        Ok(if shares { open.witnessed.clone() } else { WitnessedHeads::new() })
    }

    /// The person has taken note of what was lost on this device: it is not shown any more.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::Locked`].
    pub async fn dismiss_losses(&mut self) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        batch.delete(Table::Memory, LOSSES_ROW);
        self.commit(batch).await?;
        self.device_mut()?.losses = LossRecord::default();
        self.raise_mark(None).await;
        Ok(())
    }
}

/// The stable word of a problem; a server that was not there has one of its own.
const fn stop_name(problem: &SyncProblem) -> &'static str {
    match problem {
        SyncProblem::Failed { error: ClientError::Transport(_) | ClientError::BadAnswer { .. }, .. } => {
            UNREACHABLE
        }
        other => other.name(),
    }
}

/// Takes up what is remembered.
pub(crate) async fn load_memory<S: RowStore>(
    rows: &SealedRows<S>,
    open: &mut OpenDevice,
) -> Result<(), ClientError> {
    open.last_sync = rows.get(Table::Memory, LAST_SYNC_ROW).await?;
    open.recovered = rows.get(Table::Memory, RECOVERED_ROW).await?.unwrap_or_default();
    open.losses = rows.get(Table::Memory, LOSSES_ROW).await?.unwrap_or_default();
    open.zones = rows.get(Table::Memory, ZONES_ROW).await?.unwrap_or_default();
    open.submissions = rows.get(Table::Memory, SUBMISSIONS_ROW).await?.unwrap_or_default();
    let witnessed: WitnessedRecord = rows.get(Table::Memory, WITNESSED_ROW).await?.unwrap_or_default();
    for (size, first, last) in witnessed.heads {
        open.witnessed.note(size, first);
        open.witnessed.note(size, last);
    }
    Ok(())
}
