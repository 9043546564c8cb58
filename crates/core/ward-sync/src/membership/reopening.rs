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
    Checkpoint, CosignedHead, SignatureKind, SignedNote, TreeHead, VerifierKey, WitnessKey, WitnessPolicy,
    limits::REOPENED_LOGS_MAX, reopened_origin, verify_cosigned,
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
    /// What the restored server still held, if an admin saw a cosigned head of it.
    pub kept: Option<KeptLog>,
}

/// A log, or the front of one, that a restored server still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptLog {
    /// Its number.
    pub number: u32,
    /// The newest cosigned head of it: what stands below can be proved to everybody.
    pub head: TreeHead,
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

    /// How many entries of the membership log somebody must know to know the operation log that counts now.
    pub fn olog_known_from(&self) -> u64 {
        self.site.reopenings.last().map_or(0, |one| one.index.saturating_add(1))
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

    /// How much of a log that ended can be proved for ever: everything below this head. Nothing, if no
    /// server holds any of it for sure.
    pub fn kept_of(&self, number: u32) -> Option<TreeHead> {
        let ended = usize::try_from(number).ok()?.checked_sub(1)?;
        self.site.reopenings.iter().skip(ended).fold(None, |before, one| match one.kept {
            Some(kept) if kept.number == number => Some(kept.head),
            // A later log survived, and with it what it began with.
            Some(kept) if kept.number > number => before,
            // The backup was older than this log, or nobody can tell.
            _ => None,
        })
    }

    /// Whether what is proved to stand at a place, counted through all logs, can be proved to everybody
    /// else too. What one reader happened to prove of a log that ended, and no other reader can, is for
    /// all of them as if it had not been proved: else they would show different charts.
    pub fn is_provable(&self, place: u64) -> bool {
        if place >= self.olog_begin() {
            return true;
        }
        let number = u32::try_from(place / OLOG_SPAN).map_or(u32::MAX, |before| before.saturating_add(1));
        self.kept_of(number).is_some_and(|head| place % OLOG_SPAN < head.size)
    }

    /// What a note of a restored server shows that it kept; nothing for one that is no cosigned head of a
    /// log of this site.
    pub fn kept_by(&self, note: &[u8]) -> Option<KeptLog> {
        let signed: SignedNote = core::str::from_utf8(note).ok()?.parse().ok()?;
        let checkpoint: Checkpoint = signed.text().parse().ok()?;
        let origin = checkpoint.origin().as_str();
        let begin = self.olog_begin_of(origin)?;
        let number = u32::try_from(begin / OLOG_SPAN).ok()?.saturating_add(1);
        Some(KeptLog { number, head: self.once_cosigned(origin, note)?.cosigned.head() })
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
        let old_head = membership
            .once_cosigned(&reopen.old_origin, &reopen.checkpoint)
            .ok_or(refused("its checkpoint is not a cosigned head of the old log"))?
            .cosigned
            .head();
        let signers = self.signers()?;
        signers.require(1, Signers::is_admin)?;
        signers.verify(self.entry)?;
        let kept = match reopen.kept.as_deref() {
            None => None,
            Some(note) => {
                let kept = membership.kept_by(note);
                let beyond = |kept: &KeptLog| {
                    kept.number == membership.olog_number() && kept.head.size > old_head.size
                };
                Some(kept.filter(|kept| !beyond(kept)).ok_or(refused("it keeps what is no head of a log"))?)
            }
        };
        let LogReopen { old_origin, checkpoint, new_origin, .. } = reopen;
        let index = membership.size();
        Ok(Change::Reopen(Box::new(Reopening { index, old_origin, old_head, checkpoint, new_origin, kept })))
    }
}

/// The head that a note states, if the manifest's log key and a quorum of its witnesses signed it.
pub fn cosigned_head(manifest: &SiteManifest, origin: &str, note: &[u8]) -> Option<TreeHead> {
    Some(cosigned(manifest, origin, note)?.head())
}

pub(super) fn cosigned(manifest: &SiteManifest, origin: &str, note: &[u8]) -> Option<CosignedHead> {
    let note: SignedNote = core::str::from_utf8(note).ok()?.parse().ok()?;
    let key = VerifierKey::new(origin.parse().ok()?, SignatureKind::Log, manifest.log_key.as_bytes()).ok()?;
    let witness = |entry: &ward_crypto::WitnessEntry| {
        WitnessKey::new(entry.name.to_string().parse().ok()?, entry.key.as_bytes(), entry.outside).ok()
    };
    // A witness whose name cannot stand in a note never cosigns.
    let witnesses = manifest.witnesses.iter().filter_map(witness).collect();
    let policy = WitnessPolicy::new(witnesses, usize::from(manifest.quorum)).ok()?;
    verify_cosigned(&note, &key, &policy).ok()
}
