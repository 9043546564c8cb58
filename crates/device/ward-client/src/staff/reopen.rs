//! Letting the operation log go on after a restore that lost acknowledged entries. Only an admin can.

use crate::client::{Outcome, as_error};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{ReopeningState, paths};
use ward_audit::{LogView, TreeHead};
use ward_sync::{KeptLog, LogReopen, MlogBody};

/// What a restored server waits for, as an admin is told before they sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingReopening {
    /// The log that ended.
    pub old_origin: String,
    /// The log that begins.
    pub new_origin: String,
    /// The newest cosigned head of the old log that this device or the server knows.
    pub old_head: TreeHead,
    /// Leaves that the witnesses know the old log to have had, as the server says. While it is more
    /// than the head has, a device that saw a newer head has not synced yet.
    pub known_size: u64,
    /// The newest cosigned head of what the server holds, of the old log or of an earlier one. Of a device
    /// that was revoked, what stands below it keeps its place; the rest does not count until staff adopt it.
    pub kept: Option<KeptLog>,
    checkpoint: Vec<u8>,
    kept_note: Option<Vec<u8>>,
}

impl PendingReopening {
    /// Whether nothing that witnesses confirmed lies beyond the head.
    pub const fn reaches_the_end(&self) -> bool {
        self.old_head.size >= self.known_size
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// What the server waits for, with the newest checkpoint of the old log that can be had.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `WARD-4041` when the log is not waiting;
    /// [`ClientError::MlogRefused`] if what the server shows is not of this site.
    pub async fn pending_reopening(&mut self) -> Result<PendingReopening, ClientError> {
        self.follow_mlog().await.map_err(as_error)?;
        let state: ReopeningState = self.wire()?.get(paths::OLOG_REOPENING).await?;
        let open = self.device()?;
        let membership = &open.mlog.membership;
        if membership.olog_origin() != Some(state.old_origin.as_str()) {
            return Err(ClientError::MlogRefused("the server ends a log that does not count"));
        }
        let held = open.olog.as_ref().filter(|view| view.origin().as_str() == state.old_origin);
        let held = held.and_then(LogView::head).map(|head| head.note().to_string().into_bytes());
        let shown = state.checkpoint.map(|note| note.0);
        let known = |note: Vec<u8>| Some((membership.once_cosigned(&state.old_origin, &note)?, note));
        let newest = held.into_iter().chain(shown).filter_map(known).max_by_key(|(head, _)| head.rank());
        let (old_head, checkpoint) = newest.ok_or(ClientError::Unknown("a checkpoint of the old log"))?;
        let old_head = old_head.cosigned.head();
        // What cannot be checked is not signed: less can be proved afterwards, and nothing wrong.
        let kept = state.kept.and_then(|note| Some((membership.kept_by(&note.0)?, note.0)));
        let (kept, kept_note) = kept.unzip();
        Ok(PendingReopening {
            old_origin: state.old_origin,
            new_origin: state.new_origin,
            old_head,
            known_size: state.known_size,
            kept,
            checkpoint,
            kept_note,
        })
    }

    /// Signs that the operation log goes on. What the old log had acknowledged beyond the checkpoint
    /// cannot be proved to anybody afterwards, so it should reach the end
    /// ([`PendingReopening::reaches_the_end`]).
    ///
    /// # Errors
    /// [`ClientError::Void`] with the rule that is broken, and what a call can fail with.
    pub async fn reopen_olog(
        &mut self,
        pending: &PendingReopening,
        reason: &str,
    ) -> Result<Outcome, ClientError> {
        let body = MlogBody::LogReopen(LogReopen {
            old_origin: pending.old_origin.clone(),
            checkpoint: pending.checkpoint.clone(),
            new_origin: pending.new_origin.clone(),
            reason: reason.to_owned(),
            kept: pending.kept_note.clone(),
        });
        let site = self.device()?.me.site;
        self.act(site.into(), &body).await
    }
}
