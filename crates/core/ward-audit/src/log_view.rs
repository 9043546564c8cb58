//! A reader's view of a log: the newest head it verified. The view only ever moves forward, along
//! consistency proofs; whatever contradicts it is kept as evidence and changes nothing.

use crate::checkpoint::{Checkpoint, TreeHead};
use crate::evidence::{Equivocation, Rollback};
use crate::hash::{NodeHash, leaf_hash};
use crate::key::VerifierKey;
use crate::note::{SignedNote, SignerName};
use crate::policy::{CosignedHead, PolicyError, WitnessPolicy, verify_cosigned};
use crate::proof::{ProofError, verify_inclusion};
use alloc::boxed::Box;

/// Why a view did not take a head or a claim. The view is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogViewError {
    /// The note is no head that counts: not signed by the log, or by too few witnesses. Try again;
    /// if it lasts, the operator must act.
    #[error(transparent)]
    Head(#[from] PolicyError),
    /// The log signed two roots for one size. Stop, keep the evidence, call a person.
    #[error("the log shows two histories: two roots for one size")]
    Equivocation(Box<Equivocation>),
    /// The log offers fewer leaves than before. Stop, keep the evidence, call a person.
    #[error("the log went back: it offers fewer leaves than before")]
    Rollback(Box<Rollback>),
    /// A larger head came without a proof that it extends the held one. Ask for the proof again;
    /// if it lasts, the log is forked: stop, keep both notes, call a person.
    #[error("the offered head is not shown to extend the held one: {cause}")]
    Inconsistent {
        /// The head that was held.
        held: Box<SignedNote>,
        /// The one that was offered.
        offered: Box<SignedNote>,
        /// What is wrong with the proof.
        cause: ProofError,
    },
    /// Another member saw a tree that does not fit this view. Ask for the proof again; if it lasts,
    /// the two were shown different histories: stop, keep note and record, call a person.
    #[error("another member saw another history: {cause}")]
    Fork {
        /// The head of this view.
        held: Box<SignedNote>,
        /// What the other member's record says.
        claimed: TreeHead,
        /// What is wrong with the proof.
        cause: ProofError,
    },
    /// The leaf is not shown to be in the log. The server must answer for it.
    #[error(transparent)]
    NotIncluded(#[from] ProofError),
    /// There is no head yet to compare with. Fetch one first.
    #[error("no head of this log was verified yet")]
    NoHead,
}

/// How a view moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The first head that was ever taken.
    First,
    /// The log grew.
    Grown {
        /// Leaves before.
        from: u64,
        /// Leaves now.
        to: u64,
    },
    /// The same tree, attested at a later time.
    Refreshed,
    /// The same tree, nothing newer.
    Unchanged,
}

/// How a claimed tree relates to the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootRelation {
    /// It is a beginning of the view's tree.
    Older,
    /// It is the view's tree.
    Same,
    /// The view's tree is a beginning of it. Whether it is a head that counts is another matter.
    Newer,
}

/// A reader's view of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogView {
    key: VerifierKey,
    policy: WitnessPolicy,
    head: Option<CosignedHead>,
}

impl LogView {
    /// A view that has seen nothing yet. The key's name is the origin of the log.
    pub const fn new(key: VerifierKey, policy: WitnessPolicy) -> Self {
        Self { key, policy, head: None }
    }

    /// A view that goes on from the head that it had taken, as the reader's own sealed store gives
    /// it back with the time that it was attested at. The head is not judged again: it counted when
    /// it was taken, witnesses may have been replaced since, and a view that forgot its head would
    /// let an older log pass.
    ///
    /// # Errors
    /// [`LogViewError::Head`] if the note is no checkpoint at all.
    pub fn restore(
        key: VerifierKey,
        policy: WitnessPolicy,
        held: &SignedNote,
        attested_s: u64,
    ) -> Result<Self, LogViewError> {
        let head = CosignedHead::stored(held, &policy, attested_s)?;
        Ok(Self { key, policy, head: Some(head) })
    }

    /// Which log.
    pub const fn origin(&self) -> &SignerName {
        self.key.name()
    }

    /// The key of the log.
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Whose cosignatures count.
    pub const fn policy(&self) -> &WitnessPolicy {
        &self.policy
    }

    /// The newest verified head.
    pub const fn head(&self) -> Option<&CosignedHead> {
        self.head.as_ref()
    }

    /// Takes over the log key and the witnesses of a new site manifest. The held head stays: it counted
    /// when taken. A key of another log changes nothing.
    pub fn set_trust(&mut self, key: VerifierKey, policy: WitnessPolicy) {
        if key.name() == self.key.name() {
            self.key = key;
        }
        self.policy = policy;
    }

    /// Takes a newer head, with a proof that it extends the held one. From nothing, from the empty
    /// tree and to the same tree the proof is empty.
    ///
    /// # Errors
    /// A [`LogViewError`]; the view is unchanged.
    pub fn advance(&mut self, note: &SignedNote, proof: &[NodeHash]) -> Result<Advance, LogViewError> {
        let offered = Checkpoint::verify(note, &self.key).map_err(PolicyError::from)?.head();
        // Contradictions come before the quorum: two signatures of the log are evidence enough,
        // and a log that went back will hardly find witnesses.
        if let Some(held) = &self.head {
            let (held_note, held) = (held.note(), held.head());
            if offered.size == held.size && offered.root != held.root {
                let evidence = Equivocation { held: held_note.clone(), offered: note.clone() };
                return Err(LogViewError::Equivocation(Box::new(evidence)));
            }
            if offered.size < held.size {
                let evidence = Rollback { held: held_note.clone(), offered: note.clone() };
                return Err(LogViewError::Rollback(Box::new(evidence)));
            }
        }
        let cosigned = verify_cosigned(note, &self.key, &self.policy)?;
        let (advance, cause) = match &self.head {
            None => (Advance::First, verify_no_proof(proof)),
            Some(held) => {
                let (from, to) = (held.head().size, offered.size);
                let advance = match from == to {
                    false => Advance::Grown { from, to },
                    true if cosigned.attested_s() > held.attested_s() => Advance::Refreshed,
                    true => Advance::Unchanged,
                };
                (advance, held.head().verify_extended_by(&offered, proof))
            }
        };
        if let Err(cause) = cause {
            let held = self.head.as_ref().map_or(note, CosignedHead::note);
            return Err(LogViewError::Inconsistent {
                held: Box::new(held.clone()),
                offered: Box::new(note.clone()),
                cause,
            });
        }
        if advance != Advance::Unchanged {
            self.head = Some(cosigned);
        }
        Ok(advance)
    }

    /// Checks that `leaf` (its data, not its hash) is leaf `index` under the held head.
    ///
    /// # Errors
    /// [`LogViewError::NoHead`] or [`LogViewError::NotIncluded`].
    pub fn check_inclusion(&self, index: u64, leaf: &[u8], proof: &[NodeHash]) -> Result<(), LogViewError> {
        let head = self.head.as_ref().ok_or(LogViewError::NoHead)?.head();
        Ok(verify_inclusion(index, head.size, &leaf_hash(leaf), &head.root, proof)?)
    }

    /// Compares what another member's record says about the log with this view. Two members who
    /// were shown different histories notice at the first record that they exchange.
    ///
    /// # Errors
    /// [`LogViewError::NoHead`] or [`LogViewError::Fork`].
    pub fn check_root(&self, claimed: TreeHead, proof: &[NodeHash]) -> Result<RootRelation, LogViewError> {
        let held = self.head.as_ref().ok_or(LogViewError::NoHead)?;
        let (relation, checked) = if claimed.size < held.head().size {
            (RootRelation::Older, claimed.verify_extended_by(&held.head(), proof))
        } else if claimed.size == held.head().size {
            (RootRelation::Same, held.head().verify_extended_by(&claimed, proof))
        } else {
            (RootRelation::Newer, held.head().verify_extended_by(&claimed, proof))
        };
        match checked {
            Ok(()) => Ok(relation),
            Err(cause) => Err(LogViewError::Fork { held: Box::new(held.note().clone()), claimed, cause }),
        }
    }
}

const fn verify_no_proof(proof: &[NodeHash]) -> Result<(), ProofError> {
    if proof.is_empty() { Ok(()) } else { Err(ProofError::WrongLength { expected: 0, got: proof.len() }) }
}
