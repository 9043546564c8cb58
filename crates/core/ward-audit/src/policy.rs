//! Which witnesses a site trusts, how many must agree, and heads that they agreed on.

use crate::checkpoint::{Checkpoint, CheckpointError, TreeHead};
use crate::cosignature::{CosignatureError, verify_cosignature};
use crate::key::{KeyError, SignatureKind, VerifierKey};
use crate::limits::POLICY_MAX_WITNESSES;
use crate::note::{SignedNote, SignerName};
use alloc::vec::Vec;

/// A policy that cannot be used, or a head that does not meet it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No witnesses, or more than fit. Whoever wrote the site manifest must act.
    #[error("a policy names 1 to 15 witnesses, not {got}")]
    WitnessCount {
        /// How many were named.
        got: usize,
    },
    /// The quorum is zero or larger than the number of witnesses. Same.
    #[error("a quorum of {quorum} among {witnesses} witnesses makes no sense")]
    Quorum {
        /// The quorum.
        quorum: usize,
        /// Witnesses named.
        witnesses: usize,
    },
    /// Two witnesses share a name or a key, so one could vote twice. Same.
    #[error("two witnesses share a name or a key")]
    SharedKey,
    /// A witness key is unusable. Same.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The note is not a checkpoint signed by the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A line names a witness, but is no cosignature of it. The sender tampered with the note, or
    /// that witness is broken.
    #[error("the cosignature of {witness} does not hold: {cause}")]
    BadCosignature {
        /// Whose.
        witness: SignerName,
        /// What is wrong.
        cause: CosignatureError,
    },
    /// Too few witnesses cosigned. The log must collect more; until then the head does not count.
    #[error("{got} witnesses cosigned where {quorum} are needed")]
    BelowQuorum {
        /// Valid cosignatures.
        got: usize,
        /// Needed.
        quorum: usize,
    },
}

/// One witness of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    key: VerifierKey,
    outside: bool,
}

impl WitnessKey {
    /// A witness by name and public key. `outside` says that it is not run by the operator.
    ///
    /// # Errors
    /// [`PolicyError::Key`].
    pub fn new(name: SignerName, public_key: &[u8; 32], outside: bool) -> Result<Self, PolicyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureKind::Cosignature, public_key)?, outside })
    }

    /// Its name and key.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Whether somebody other than the operator runs it.
    pub const fn is_outside(&self) -> bool {
        self.outside
    }
}

/// The witnesses of a site and how many of them must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessPolicy {
    witnesses: Vec<WitnessKey>,
    quorum: usize,
}

impl WitnessPolicy {
    /// A policy.
    ///
    /// # Errors
    /// [`PolicyError::WitnessCount`], [`PolicyError::Quorum`] or [`PolicyError::SharedKey`].
    pub fn new(witnesses: Vec<WitnessKey>, quorum: usize) -> Result<Self, PolicyError> {
        if witnesses.is_empty() || witnesses.len() > POLICY_MAX_WITNESSES {
            return Err(PolicyError::WitnessCount { got: witnesses.len() });
        }
        if quorum == 0 || quorum > witnesses.len() {
            return Err(PolicyError::Quorum { quorum, witnesses: witnesses.len() });
        }
        let shared = |a: &WitnessKey, b: &WitnessKey| {
            a.key.name() == b.key.name() || a.key.public_key() == b.key.public_key()
        };
        let mut rest = witnesses.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if others.iter().any(|other| shared(first, other)) {
                return Err(PolicyError::SharedKey);
            }
            rest = others;
        }
        Ok(Self { witnesses, quorum })
    }

    /// The witnesses.
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// How many must agree.
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// Whether no quorum exists without a witness that the operator does not run. Where this is
    /// false, the operator alone can make heads count, and the security page must say so.
    pub fn quorum_needs_outside(&self) -> bool {
        self.witnesses.iter().filter(|witness| !witness.outside).count() < self.quorum
    }

    /// The time that a quorum agrees has come: the quorum-th newest. Fewer than a quorum of lying
    /// witnesses cannot push it ahead of every honest one.
    pub(crate) fn attested_time(&self, mut times_s: Vec<u64>) -> Result<u64, PolicyError> {
        let got = times_s.len();
        times_s.sort_unstable_by(|a, b| b.cmp(a));
        let place = self.quorum.saturating_sub(1);
        times_s.get(place).copied().ok_or(PolicyError::BelowQuorum { got, quorum: self.quorum })
    }
}

/// A head that counts: signed by its log and cosigned by a quorum. Exists only verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedHead {
    checkpoint: Checkpoint,
    note: SignedNote,
    cosigned: Vec<(SignerName, u64)>,
    outside: usize,
    attested_s: u64,
}

impl CosignedHead {
    /// A head that counted when it was taken, from the reader's own sealed store. It is not judged
    /// again: the witnesses may have changed since.
    pub(crate) fn stored(
        note: &SignedNote,
        policy: &WitnessPolicy,
        attested_s: u64,
    ) -> Result<Self, PolicyError> {
        let checkpoint = note.text().parse().map_err(PolicyError::from)?;
        let mut head = Self { checkpoint, note: note.clone(), cosigned: Vec::new(), outside: 0, attested_s };
        for witness in &policy.witnesses {
            if let Ok(Some(time_s)) = verify_cosignature(note, &witness.key) {
                head.cosigned.push((witness.key.name().clone(), time_s));
                head.outside += usize::from(witness.outside);
            }
        }
        Ok(head)
    }

    /// What the log said.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root.
    pub const fn head(&self) -> TreeHead {
        self.checkpoint.head()
    }

    /// The note with all its signatures, as evidence for others.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Which witnesses of the policy cosigned, and when (seconds since 1970).
    pub fn cosigned(&self) -> &[(SignerName, u64)] {
        &self.cosigned
    }

    /// How many of them the operator does not run.
    pub const fn outside(&self) -> usize {
        self.outside
    }

    /// The time of the head: the quorum-th newest cosignature, in seconds since 1970.
    pub const fn attested_s(&self) -> u64 {
        self.attested_s
    }
}

/// Checks a note against the key of the log and the policy of the site.
///
/// # Errors
/// [`PolicyError::Checkpoint`], [`PolicyError::BadCosignature`] or [`PolicyError::BelowQuorum`].
pub fn verify_cosigned(
    note: &SignedNote,
    log_key: &VerifierKey,
    policy: &WitnessPolicy,
) -> Result<CosignedHead, PolicyError> {
    let checkpoint = Checkpoint::verify(note, log_key)?;
    let mut cosigned = Vec::new();
    let mut outside = 0;
    for witness in &policy.witnesses {
        let bad = |cause| PolicyError::BadCosignature { witness: witness.key.name().clone(), cause };
        if let Some(time_s) = verify_cosignature(note, &witness.key).map_err(bad)? {
            cosigned.push((witness.key.name().clone(), time_s));
            outside += usize::from(witness.outside);
        }
    }
    let attested_s = policy.attested_time(cosigned.iter().map(|(_, time_s)| *time_s).collect())?;
    Ok(CosignedHead { checkpoint, note: note.clone(), cosigned, outside, attested_s })
}
