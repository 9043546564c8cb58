//! Putting an entry into the membership log: sign on the newest head, send, and be done only when
//! a cosigned head includes it. What is sent is kept first. When somebody else was faster, sign again on the newer head.

use super::{Client, SyncProblem};
use crate::limits::{CONFIRM_ATTEMPTS, CONFIRM_PAUSE_MS, SUBMIT_ATTEMPTS};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{ErrorCode, MlogAccepted, MlogSubmission, Opaque, ProposalSubmission, paths};
use ward_audit::{TreeHead, mlog_leaf};
use ward_crypto::EpochPackage;
use ward_id::{Canonical as _, MlogEntryHash, Subject};
use ward_sync::{Effect, MlogBody, MlogEntry, VoidReason};

/// What became of an act of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It stands under a cosigned head and holds.
    Done(MlogEntryHash),
    /// It waits for the signature of another person.
    Proposed(MlogEntryHash),
}

impl Outcome {
    /// The hash of the entry.
    pub const fn hash(self) -> MlogEntryHash {
        match self {
            Self::Done(hash) | Self::Proposed(hash) => hash,
        }
    }

    /// Whether it holds now.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// A sync problem where a call needs an error.
pub(crate) fn as_error(problem: SyncProblem) -> ClientError {
    match problem {
        SyncProblem::Failed { error, .. } => error,
        _ => ClientError::MayNotSeal,
    }
}

/// Whether an entry that came too late can simply be signed again.
fn can_sign_again(reason: &VoidReason) -> bool {
    matches!(
        reason,
        VoidReason::Moved { .. } | VoidReason::EpochNotNext { .. } | VoidReason::MemberSetDiffers
    )
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The newest cosigned head that this device verified.
    pub(crate) fn base(&self) -> Result<TreeHead, ClientError> {
        Ok(self.device()?.mlog.membership.head())
    }

    /// Signs a body on the newest head as this device.
    pub(crate) fn signed(&self, subject: Subject, body: &MlogBody) -> Result<MlogEntry, ClientError> {
        let open = self.device()?;
        // A cut-off counts in the log that the signer's head of the membership log names.
        let cuts = matches!(body, MlogBody::Revoke(_) | MlogBody::RecoveryUse(_));
        if cuts && !self.olog_is_current() {
            return Err(ClientError::Contended);
        }
        MlogEntry::unsigned(open.me.site, subject, self.base()?, body)
            .and_then(|entry| entry.sign_as_device(open.me.device, &open.keys.sign))
            .map_err(|error| ClientError::Void(error.to_string()))
    }

    /// Does something that the log decides about: alone where the rules allow, as a proposal where
    /// another person must sign too.
    pub(crate) async fn act(&mut self, subject: Subject, body: &MlogBody) -> Result<Outcome, ClientError> {
        if self.is_read_only() {
            return Err(ClientError::StoreIsNewer);
        }
        self.follow_mlog().await.map_err(as_error)?;
        for _ in 0..SUBMIT_ATTEMPTS {
            let entry = self.signed(subject, body)?;
            match self.device()?.mlog.membership.would_be_effective(&entry, None) {
                Ok(()) => {}
                Err(VoidReason::MoreSignatures { .. }) => return self.propose(&entry).await,
                Err(reason) => return Err(ClientError::Void(reason.to_string())),
            }
            match self.submit(&entry, None).await {
                Ok(hash) => return Ok(Outcome::Done(hash)),
                Err(error) if error.is(ErrorCode::MoreSignatures) => return self.propose(&entry).await,
                Err(ClientError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ClientError::Contended)
    }

    /// Leaves an entry with the server until somebody else signs it.
    pub(crate) async fn propose(&mut self, entry: &MlogEntry) -> Result<Outcome, ClientError> {
        let body = ProposalSubmission { entry: Opaque(entry.to_canonical()) };
        self.wire()?.post_done(paths::MLOG_PROPOSALS, &body).await?;
        Ok(Outcome::Proposed(entry.hash()))
    }

    /// Sends a signed entry and waits until a cosigned head includes it. [`ClientError::Contended`]
    /// means that the log moved on and the entry must be signed again.
    pub(crate) async fn submit(
        &mut self,
        entry: &MlogEntry,
        package: Option<&EpochPackage>,
    ) -> Result<MlogEntryHash, ClientError> {
        let body = MlogSubmission {
            entry: Opaque(entry.to_canonical()),
            package: package.map(|package| Opaque(package.to_canonical())),
            place: None,
        };
        self.keep_submission(&body).await?;
        let accepted = self.wire()?.post::<MlogAccepted>(paths::MLOG_ENTRIES, &body).await;
        if accepted.as_ref().is_err_and(is_refused) {
            self.forget_submission(&body);
        }
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(error) if moved(&error) => {
                self.follow_mlog().await.map_err(as_error)?;
                return Err(ClientError::Contended);
            }
            Err(error) => return Err(error),
        };
        self.confirm(accepted.index, entry).await
    }

    /// Waits for a cosigned head over the entry, and checks that it stands there and holds.
    async fn confirm(&mut self, index: u64, entry: &MlogEntry) -> Result<MlogEntryHash, ClientError> {
        let hash = entry.hash();
        for attempt in 0..CONFIRM_ATTEMPTS {
            if attempt > 0 {
                self.env.pause(CONFIRM_PAUSE_MS).await;
            }
            match self.follow_mlog().await {
                Ok(()) => {}
                Err(SyncProblem::Failed { error, .. }) if error.passes_by_itself() => continue,
                Err(problem) => return Err(as_error(problem)),
            }
            let mlog = &self.device()?.mlog;
            let place = usize::try_from(index).ok().and_then(|place| mlog.leaves.get(place));
            let Some(leaf) = place else { continue };
            if *leaf != mlog_leaf(entry.subject(), hash) {
                return Err(ClientError::MlogRefused("another entry stands where this one was taken"));
            }
            return match mlog.effects.get(&index) {
                Some(Effect::Void(reason)) if can_sign_again(reason) => Err(ClientError::Contended),
                Some(Effect::Void(reason)) => Err(ClientError::Void(reason.to_string())),
                _ => Ok(hash),
            };
        }
        Err(ClientError::NotConfirmed)
    }
}

/// Whether the server said no, and that it does not stand in the log.
fn is_refused(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(_)) && !error.passes_by_itself()
}

fn moved(error: &ClientError) -> bool {
    [ErrorCode::MlogMoved, ErrorCode::BaseUnknown, ErrorCode::EpochDoesNotCount]
        .into_iter()
        .any(|code| error.is(code))
}
