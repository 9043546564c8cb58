//! Operation logs that follow one another. A restore that lost acknowledged leaves ends the log; an
//! admin signs that it goes on under a new origin. The membership log never reopens, so it says in
//! which order the logs come, and a place in any of them becomes one number: the places of a log
//! come after all places of the logs before it.

use super::Membership;
use super::judge::{Change, Judged};
use super::signers::Signers;
use super::void::VoidReason;
use crate::limits::OLOG_SPAN;
use crate::mlog_body::LogReopen;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use ward_audit::{
    SignatureKind, SignedNote, TreeHead, VerifierKey, WitnessKey, WitnessPolicy, limits::REOPENED_LOGS_MAX,
    reopened_origin, verify_cosigned,
};
use ward_crypto::{SiteManifest, sha256};
use ward_id::EnvelopeHash;

/// The end of one operation log and the beginning of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reopening {
    /// Where it stands in the membership log.
    pub index: u64,
    /// The log that ended.
    pub old_origin: String,
    /// Its last cosigned head. What it held beyond this is not proved by anything.
    pub old_head: TreeHead,
    /// The note of that head.
    pub checkpoint: Vec<u8>,
    /// The log that began.
    pub new_origin: String,
}

impl Reopening {
    /// Leaf 0 of the log that began: the hash of the old log's last checkpoint.
    pub fn first_leaf(&self) -> EnvelopeHash {
        EnvelopeHash::from_bytes(sha256(&self.checkpoint))
    }
}

impl Membership {
    /// The operation logs that ended, in order.
    pub fn reopenings(&self) -> &[Reopening] {
        &self.site.reopenings
    }

    /// The origin of the operation log that counts now.
    pub fn olog_origin(&self) -> Option<&str> {
        let manifest = self.site.manifest.as_deref()?;
        Some(self.site.reopenings.last().map_or(manifest.olog_origin.as_str(), |one| one.new_origin.as_str()))
    }

    /// The number of the operation log that counts now: 1, and one more for each reopening.
    pub fn olog_number(&self) -> u32 {
        u32::try_from(self.site.reopenings.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Where the places of the log that counts now begin, counted through all logs: each has
    /// [`OLOG_SPAN`] of them.
    pub fn olog_begin(&self) -> u64 {
        begin(self.site.reopenings.len())
    }

    /// The same for the log with this origin; `None` for a log that this site never had.
    pub fn olog_begin_of(&self, origin: &str) -> Option<u64> {
        if self.site.manifest.as_deref()?.olog_origin == origin {
            return Some(0);
        }
        let number = self.site.reopenings.iter().position(|one| one.new_origin == origin)?;
        Some(begin(number.saturating_add(1)))
    }

    /// The same for the log that counted before the entry at `index` of the membership log.
    pub(super) fn olog_begin_at(&self, index: u64) -> u64 {
        begin(self.site.reopenings.iter().filter(|one| one.index < index).count())
    }
}

fn begin(ended: usize) -> u64 {
    OLOG_SPAN.saturating_mul(ended as u64)
}

impl Judged<'_> {
    /// An admin says that the log goes on. The checkpoint must be one that a quorum of the site's
    /// witnesses cosigned: nobody can make the old log end earlier than at a true head of it, and
    /// whoever verified a newer one has the proof.
    pub(super) fn reopen(&self, reopen: LogReopen) -> Result<Change, VoidReason> {
        let refused = VoidReason::Reopening;
        let membership = self.membership;
        let manifest = membership.manifest().ok_or(VoidReason::NoManifest)?;
        if membership.olog_origin() != Some(reopen.old_origin.as_str()) {
            return Err(refused("it does not end the log that counts"));
        }
        let number = membership.olog_number().saturating_add(1);
        if number > REOPENED_LOGS_MAX {
            return Err(refused("the log was opened again as often as it may"));
        }
        if reopened_origin(&manifest.olog_origin, number) != reopen.new_origin {
            return Err(refused("the new origin is not the next one"));
        }
        let old_head = cosigned_head(manifest, &reopen.old_origin, &reopen.checkpoint)
            .ok_or(refused("its checkpoint is not a cosigned head of the old log"))?;
        let signers = self.signers()?;
        signers.require(1, Signers::is_admin)?;
        signers.verify(self.entry)?;
        let LogReopen { old_origin, checkpoint, new_origin, .. } = reopen;
        let index = membership.size();
        Ok(Change::Reopen(Box::new(Reopening { index, old_origin, old_head, checkpoint, new_origin })))
    }
}

/// The head that a note states, if the site's log key and a quorum of its witnesses signed it.
pub fn cosigned_head(manifest: &SiteManifest, origin: &str, note: &[u8]) -> Option<TreeHead> {
    let note: SignedNote = core::str::from_utf8(note).ok()?.parse().ok()?;
    let key = VerifierKey::new(origin.parse().ok()?, SignatureKind::Log, manifest.log_key.as_bytes()).ok()?;
    let witness = |entry: &ward_crypto::WitnessEntry| {
        WitnessKey::new(entry.name.to_string().parse().ok()?, entry.key.as_bytes(), entry.outside).ok()
    };
    // A witness whose name cannot stand in a note never cosigns.
    let witnesses = manifest.witnesses.iter().filter_map(witness).collect();
    let policy = WitnessPolicy::new(witnesses, usize::from(manifest.quorum)).ok()?;
    verify_cosigned(&note, &key, &policy).ok().map(|cosigned| cosigned.head())
}
