//! Proof that a log broke a receipt, which anybody can check with public keys of the log and a policy.

use crate::hash::{NodeHash, leaf_hash};
use crate::key::VerifierKey;
use crate::leaf::olog_leaf;
use crate::limits::RECEIPT_GRACE_S;
use crate::note::SignedNote;
use crate::policy::{PolicyError, WitnessPolicy, verify_cosigned};
use crate::proof::{ProofError, verify_inclusion};
use crate::receipt::{Receipt, ReceiptError};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};

/// A claim of misbehaviour that does not hold. Whoever claims it must act; the log is not accused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptBreachError {
    /// The receipt is not a promise of the log.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The head does not count.
    #[error(transparent)]
    Head(#[from] PolicyError),
    /// The receipt says nothing about that index.
    #[error("the receipt says nothing about index {index}")]
    NotPromised {
        /// The index in the claim.
        index: u64,
    },
    /// The leaf at the index is the promised one.
    #[error("the promised envelope stands where it was promised")]
    Kept,
    /// The other leaf is not proven to stand at the index.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The head reaches beyond the index, or the time to include the envelope has not passed.
    #[error("the log still has time to include the envelope, or has included it")]
    NotYet,
}

/// How the log broke its promise.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Breach {
    /// Another leaf stands at the promised index.
    #[n(0)]
    OtherLeaf {
        /// The promised index.
        #[n(0)]
        index: u64,
        /// Hash of the leaf that stands there.
        #[n(1)]
        leaf: NodeHash,
        /// Its inclusion proof under the head.
        #[n(2)]
        proof: Vec<NodeHash>,
    },
    /// An hour after the promise, a quorum of witnesses still knows no head that reaches the index.
    #[n(1)]
    Missing {
        /// The promised index.
        #[n(0)]
        index: u64,
    },
}

/// A receipt, a cosigned head, and how the two contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ReceiptBreach {
    /// What the log promised.
    #[n(0)]
    pub receipt: Receipt,
    /// What the log and its witnesses signed later.
    #[n(1)]
    pub head: SignedNote,
    /// The contradiction.
    #[n(2)]
    pub breach: Breach,
}

impl ReceiptBreach {
    /// Checks the proof. `Ok` means that the log misbehaved. The log may have had another key when it gave
    /// the receipt than when it signed the head.
    ///
    /// # Errors
    /// A [`ReceiptBreachError`] if the log is not shown to have misbehaved.
    pub fn verify(
        &self,
        receipt_key: &VerifierKey,
        head_key: &VerifierKey,
        policy: &WitnessPolicy,
    ) -> Result<(), ReceiptBreachError> {
        if receipt_key.name() != head_key.name() {
            return Err(ReceiptError::OtherOrigin.into());
        }
        self.receipt.verify(receipt_key)?;
        let cosigned = verify_cosigned(&self.head, head_key, policy)?;
        let head = cosigned.head();
        let promised =
            |index: u64| self.receipt.envelope_at(index).ok_or(ReceiptBreachError::NotPromised { index });
        match &self.breach {
            Breach::OtherLeaf { index, leaf, proof } => {
                if *leaf == leaf_hash(olog_leaf(promised(*index)?)) {
                    return Err(ReceiptBreachError::Kept);
                }
                Ok(verify_inclusion(*index, head.size, leaf, &head.root, proof)?)
            }
            Breach::Missing { index } => {
                promised(*index)?;
                // Rounded up to the next second, in favour of the log.
                let received_s = u64::try_from(self.receipt.received_at().unix_s()).unwrap_or(0);
                let due_s = received_s.saturating_add(1).saturating_add(RECEIPT_GRACE_S);
                // A witness never signs a smaller size than before, so its signature at that time
                // says that it knew no larger head.
                if head.size <= *index && cosigned.attested_s() >= due_s {
                    Ok(())
                } else {
                    Err(ReceiptBreachError::NotYet)
                }
            }
        }
    }
}
