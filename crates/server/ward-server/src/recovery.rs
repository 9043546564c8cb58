//! A server that was restored from a backup which lacks acknowledged history. It says so, takes back
//! what devices hold, and goes on only when nothing can be denied any more: the membership log must
//! be whole again, entry by entry as it was, and an admin must sign that the operation log goes on
//! under a new origin.
//!
//! Who restores a backup asks the witnesses, and they know nothing of entries that no head covered yet.
//! So a server can run on a database that was set back without knowing it. Devices know: their receipts
//! name places and envelopes. One receipt that the log does not keep is enough, for only this server
//! can have signed it, and the server waits from then on as after any other restore.

use crate::App;
use crate::limits::LATER_MANIFESTS_MAX;
use crate::log_desk::{CosignedNote, LogDesk, LogDeskError};
use crate::log_signer::ReceiptSigner;
use crate::mlog_offers::MlogOffers;
use crate::problem_response::{Refusal, refuse, refuse_with};
use crate::store_problem::{cosign_failed, store_failed};
use minicbor::{Decode, Encode};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use ward_api::{ErrorCode, LogName, ProblemMembers};
use ward_audit::{Receipt, TreeHead};
use ward_crypto::{SiteManifest, sha256};
use ward_id::{Canonical as _, TimestampMs};
use ward_store::{MetaKey, ReopenedLog, Store, StoreError};
use ward_sync::{HeadOfManifest, Membership, Reopening, key_of_receipt};

/// Where the state stands in the store.
const RESTORED: MetaKey = MetaKey::new("server.restored");

/// What a restore found missing, as the witnesses know it; also where nothing was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The origin of the operation log, if leaves of it are missing: it must be opened again.
    pub olog_origin: Option<String>,
    /// Leaves that the witnesses know the operation log to have had.
    pub olog_size: u64,
    /// Leaves that the membership log must have again.
    pub mlog_size: u64,
    /// When: no two restores are the same, also where nothing was missing of the logs. What the database
    /// holds beside them may be lost.
    pub at: TimestampMs,
}

impl Restored {
    /// Writes into a restored database what it waits for, before a server is started on it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn declare<S: Store>(self, store: &S) -> Result<(), StoreError> {
        let Self { olog_origin, olog_size, mlog_size, at } = self;
        // What the backup holds beyond what the witnesses know was there before the restore too.
        let held = store.mlog_size().await?;
        let (at, log) = (Some(at), Some(store.olog_reopened().await?.map_or(1, |log| log.number)));
        let is_whole = olog_origin.is_none() && mlog_size <= held;
        let state = match RestoreState::load(store).await? {
            // Where nothing is missing, the server goes on as it was; what it waited for, it waits for still.
            Some(before) if is_whole => RestoreState { at, ..before },
            before => {
                let mlog_size = if is_whole { 0 } else { mlog_size.max(held) };
                let now = RestoreState { olog_origin, olog_size, mlog_size, at, log };
                // A log that an earlier restore ended has to be opened again still, unless that was done.
                match before.filter(|before| before.log.is_none() || before.log == log) {
                    Some(before) => now.and(before),
                    None => now,
                }
            }
        };
        store.put_meta(RESTORED, state.to_canonical()).await
    }
}

/// What a database that was restored waits for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct RestoreState {
    /// As in [`Restored`].
    #[n(0)]
    olog_origin: Option<String>,
    #[n(1)]
    olog_size: u64,
    #[n(2)]
    mlog_size: u64,
    #[n(3)]
    at: Option<TimestampMs>,
    /// The number of the operation log that the database held at the restore.
    #[n(4)]
    log: Option<u32>,
}

impl RestoreState {
    fn and(self, before: Self) -> Self {
        Self {
            olog_origin: self.olog_origin.or(before.olog_origin),
            olog_size: self.olog_size.max(before.olog_size),
            mlog_size: self.mlog_size.max(before.mlog_size),
            ..self
        }
    }

    /// Whether a reopening came after the restore. Those before it stand in the membership log at places
    /// that the witnesses knew.
    fn was_reopened_by(&self, reopening: &Reopening) -> bool {
        reopening.index >= self.mlog_size
    }

    pub(crate) async fn load<S: Store>(store: &S) -> Result<Option<Self>, StoreError> {
        let Some(bytes) = store.meta(RESTORED).await? else { return Ok(None) };
        let damaged = |_| StoreError::Corrupt { what: "the state of a restore".to_owned() };
        Self::from_canonical(&bytes).map(Some).map_err(damaged)
    }
}

/// How far the recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryStage {
    /// Nothing is missing, or nothing any more.
    Running,
    /// Entries of the membership log are missing.
    WaitsForMlog,
    /// An admin must open the operation log again.
    WaitsForReopening,
}

/// What a server needs of its operation log at a time; exchanged as a whole when it is reopened.
pub(crate) struct OlogParts<S> {
    pub(crate) desk: Arc<LogDesk<S>>,
    pub(crate) receipts: Arc<ReceiptSigner>,
}

impl<S> Clone for OlogParts<S> {
    fn clone(&self) -> Self {
        Self { desk: Arc::clone(&self.desk), receipts: Arc::clone(&self.receipts) }
    }
}

/// The restore, and the newest cosigned checkpoint of the old log that somebody brought.
pub(crate) struct Recovery {
    restored: RwLock<Option<Arc<RestoreState>>>,
    brought: Mutex<Option<Brought>>,
    offers: MlogOffers,
    /// Manifests that the database lost.
    later: Mutex<Vec<LaterManifest>>,
}

/// A manifest that the root signed and that follows on the one that is held, or on another one of these.
#[derive(Clone)]
pub(crate) struct LaterManifest {
    pub(crate) manifest: SiteManifest,
    /// It was shown to have stood in the log: heads that bear its keys count.
    pub(crate) has_stood: bool,
}

/// A cosigned checkpoint that somebody brought.
#[derive(Clone)]
struct Brought {
    /// Of which log.
    origin: String,
    head: HeadOfManifest,
    note: Vec<u8>,
}

/// What waits to be opened again.
pub(crate) struct Awaiting {
    /// The origin of the log that ended: as far as the membership log is back, the newest.
    pub(crate) ended: String,
    /// Leaves that it is known to have had.
    pub(crate) olog_size: u64,
}

impl Recovery {
    pub(crate) fn new(restored: Option<RestoreState>) -> Self {
        let restored = RwLock::new(restored.map(Arc::new));
        let (brought, later) = (Mutex::default(), Mutex::default());
        Self { restored, brought, offers: MlogOffers::default(), later }
    }

    fn restored(&self) -> Option<Arc<RestoreState>> {
        self.restored.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&self, restored: RestoreState) {
        *self.restored.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(restored));
    }

    fn brought(&self) -> MutexGuard<'_, Option<Brought>> {
        self.brought.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> App<S> {
    /// Membership entries that are offered without a proved place.
    pub(crate) const fn offers(&self) -> &MlogOffers {
        &self.recovery().offers
    }

    /// The manifests that are known to follow in the membership log.
    pub(crate) fn later_manifests(&self) -> Vec<LaterManifest> {
        self.recovery().later.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a manifest that follows. One that was not shown to have stood in the log is a link only: a
    /// later one may follow on it.
    pub(crate) fn know_later_manifest(&self, manifest: SiteManifest, has_stood: bool) {
        let mut later = self.recovery().later.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = later.iter_mut().find(|known| known.manifest == manifest) {
            known.has_stood |= has_stood;
        } else if later.len() < LATER_MANIFESTS_MAX {
            later.push(LaterManifest { manifest, has_stood });
        }
    }

    /// How far the recovery is.
    pub(crate) fn stage(&self) -> RecoveryStage {
        let Some(restored) = self.recovery().restored() else { return RecoveryStage::Running };
        let membership = self.membership().read();
        if membership.size() < restored.mlog_size {
            return RecoveryStage::WaitsForMlog;
        }
        let desk = self.desk(LogName::Olog);
        let newest = membership.reopenings().last();
        // What counts is the log that receipts are signed for.
        let is_shown = newest.is_none_or(|newest| newest.new_origin == desk.origin().as_str());
        let reopened = newest.is_some_and(|newest| restored.was_reopened_by(newest));
        if is_shown && (reopened || restored.olog_origin.is_none()) {
            RecoveryStage::Running
        } else {
            RecoveryStage::WaitsForReopening
        }
    }

    /// The refusal of what must wait at this stage; nothing when all may go on.
    pub(crate) fn waits(&self) -> Option<Refusal> {
        match self.stage() {
            RecoveryStage::Running => None,
            RecoveryStage::WaitsForMlog => {
                let size = Some(self.membership().read().size());
                let limit = self.recovery().restored().map(|restored| restored.mlog_size);
                Some(refuse_with(
                    ErrorCode::MlogRecovering,
                    "Send back the membership entries from this size on, each with its proved place, then those that you handed in.",
                    ProblemMembers { size, limit, ..ProblemMembers::default() },
                ))
            }
            RecoveryStage::WaitsForReopening => Some(refuse(
                ErrorCode::AwaitsReopening,
                "An admin runs `ward reopen`; until then nothing is taken but membership entries.",
            )),
        }
    }

    /// The restore, while the operation log waits to be opened again.
    pub(crate) fn awaiting(&self) -> Result<Awaiting, Refusal> {
        let waits = |restored: &RestoreState| match self.stage() {
            RecoveryStage::WaitsForReopening => true,
            RecoveryStage::WaitsForMlog => restored.olog_origin.is_some(),
            RecoveryStage::Running => false,
        };
        let restored = self.recovery().restored().filter(|restored| waits(restored));
        let origin = self.membership().read().olog_origin().map(ToOwned::to_owned);
        let waits =
            restored.zip(origin).map(|(restored, ended)| Awaiting { ended, olog_size: restored.olog_size });
        waits.ok_or_else(|| refuse(ErrorCode::NotReopening, "The operation log goes on as it is."))
    }

    /// The newest cosigned head of the old log: the one in the backup, or a newer one that a device
    /// brought.
    pub(crate) fn old_head(&self, ended: &str) -> Option<(TreeHead, Vec<u8>)> {
        let desk = self.desk(LogName::Olog);
        let kept = desk.cosigned().filter(|_| desk.origin().as_str() == ended);
        let kept = kept.and_then(|note| {
            let note = note.text.clone().into_bytes();
            Some((self.membership().read().once_cosigned(ended, &note)?, note))
        });
        let brought = self.recovery().brought().clone().filter(|brought| brought.origin == ended);
        let brought = brought.map(|Brought { head, note, .. }| (head, note));
        let newest = kept.into_iter().chain(brought).max_by_key(|(head, _)| head.rank());
        newest.map(|(head, note)| (head.cosigned.head(), note))
    }

    /// Names the newest restore, if there was one.
    pub(crate) fn restore_mark(&self) -> Option<[u8; 32]> {
        self.recovery().restored().map(|restored| sha256(&restored.to_canonical()))
    }

    /// The newest cosigned head of the log that this database holds: what stands below it can be proved
    /// after the log was opened again too.
    pub(crate) fn kept_head(&self) -> Option<Arc<CosignedNote>> {
        self.desk(LogName::Olog).cosigned()
    }

    /// Takes a checkpoint of the log that ended.
    pub(crate) fn bring(&self, note: Vec<u8>) -> Result<(), Refusal> {
        let origin = self.awaiting()?.ended;
        let head = self.membership().read().once_cosigned(&origin, &note).ok_or_else(|| {
            refuse(ErrorCode::OldCheckpointRefused, "Bring a head that the site's witnesses cosigned.")
        })?;
        let mut brought = self.recovery().brought();
        let is_newer = |known: &Brought| known.origin != origin || known.head.rank() < head.rank();
        if brought.as_ref().is_none_or(is_newer) {
            *brought = Some(Brought { origin, head, note });
        }
        Ok(())
    }

    /// Takes a receipt that a device holds. If the log does not have what it promises, this database was
    /// set back and nobody said so: the log must be opened again, and until then the server waits.
    pub(crate) async fn bring_receipt(&self, receipt: &[u8]) -> Result<(), Refusal> {
        if self.awaiting().is_ok() {
            return Ok(());
        }
        let desk = self.desk(LogName::Olog);
        let refused = || refuse(ErrorCode::OldCheckpointRefused, "Bring a receipt of the log that counts.");
        let receipt = Receipt::from_canonical(receipt).map_err(|_| refused())?;
        let is_ours = receipt.origin() == desk.origin()
            && key_of_receipt(self.membership().read().manifests(), &receipt).is_some();
        if !is_ours {
            return Err(refused());
        }
        let first = receipt.first_index();
        let end = first.saturating_add(receipt.envelopes().len() as u64);
        let kept = self.store().olog_leaves(first, end).await.map_err(store_failed)?;
        if kept == receipt.envelopes() {
            return Err(refuse(ErrorCode::NotReopening, "The operation log has what the receipt promises."));
        }
        // The old log ends with everything that is here.
        let end = self.cosigned_head(LogName::Olog).await.map_err(|error| cosign_failed(self, error))?;
        let restored = Restored {
            olog_origin: Some(desk.origin().to_string()),
            olog_size: end.head.size,
            mlog_size: self.membership().read().size(),
            at: self.clock().now(),
        };
        restored.declare(self.store()).await.map_err(store_failed)?;
        let state = RestoreState::load(self.store()).await.map_err(store_failed)?;
        tracing::error!(
            first,
            "a device holds a receipt that the operation log does not keep: it was set back"
        );
        state.into_iter().for_each(|state| self.recovery().begin(state));
        Ok(())
    }

    /// Goes over to the operation log that the membership log says counts.
    pub(crate) async fn follow_reopening(&self) -> Result<(), LogDeskError> {
        let wanted = {
            let membership = self.membership().read();
            // A reopening that is given back is of a log that is lost: nothing is signed for it.
            newest_log(&membership, self.recovery().restored().as_deref())
        };
        let Some((log, origin)) = wanted else { return Ok(()) };
        if self.desk(LogName::Olog).origin().as_str() == origin {
            return Ok(());
        }
        self.store().reopen_olog(log).await?;
        self.damage().forget();
        let desk = LogDesk::open(self.store().clone(), LogName::Olog, &origin, self.log_key()).await?;
        let receipts = ReceiptSigner::new(desk.origin(), &self.log_key())
            .map_err(|_| StoreError::Corrupt { what: "the log key".to_owned() })?;
        self.witnesses().forget(LogName::Olog);
        self.exchange_olog(OlogParts { desk: Arc::new(desk), receipts: Arc::new(receipts) });
        tracing::warn!(origin, "the operation log was opened again");
        Ok(())
    }
}

/// The newest log that was opened again, with its origin; nothing if that was before a restore: a
/// reopening that is given back tells of a log that is lost, and the database holds the one before.
pub(crate) fn newest_log(
    membership: &Membership,
    restored: Option<&RestoreState>,
) -> Option<(ReopenedLog, String)> {
    let newest = membership.reopenings().last()?;
    if restored.is_some_and(|restored| !restored.was_reopened_by(newest)) {
        return None;
    }
    let log = ReopenedLog { number: membership.olog_number(), leaf: newest.first_leaf() };
    Some((log, newest.new_origin.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_store::{MemoryStore, OlogStore as _};

    fn found(olog_origin: Option<&str>, mlog_size: u64, at: i64) -> Restored {
        Restored {
            olog_origin: olog_origin.map(ToOwned::to_owned),
            olog_size: 7,
            mlog_size,
            at: TimestampMs(at),
        }
    }

    async fn state(store: &MemoryStore) -> RestoreState {
        RestoreState::load(store).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_further_restore_forgets_nothing_that_an_earlier_one_waits_for() {
        let store = MemoryStore::new();
        found(Some("old"), 3, 1).declare(&store).await.unwrap();
        let first = state(&store).await;
        assert_eq!((first.olog_origin.as_deref(), first.mlog_size, first.log), (Some("old"), 3, Some(1)));
        // Nothing is missing: what was waited for is waited for still.
        found(None, 0, 2).declare(&store).await.unwrap();
        assert_eq!(state(&store).await, RestoreState { at: Some(TimestampMs(2)), ..first });
        // Only entries of the membership log are missing, and more of them than before.
        found(None, 5, 3).declare(&store).await.unwrap();
        let third = state(&store).await;
        assert_eq!((third.olog_origin.as_deref(), third.mlog_size, third.olog_size), (Some("old"), 5, 7));
        // Once the log was opened again, its end is not waited for any more.
        let log = ReopenedLog { number: 2, leaf: ward_id::EnvelopeHash::from_bytes([2; 32]) };
        store.reopen_olog(log).await.unwrap();
        found(None, 6, 4).declare(&store).await.unwrap();
        let fourth = state(&store).await;
        assert_eq!((fourth.olog_origin, fourth.mlog_size, fourth.log), (None, 6, Some(2)));
    }
}
