//! Receipts: the log's signed promise that these envelopes stand at these indexes.

use crate::checkpoint::TreeHead;
use crate::key::{NoteSigner, VerifierKey};
use crate::limits::{RECEIPT_MAX_ENVELOPES, TREE_SIZE_MAX};
use crate::note::SignerName;
use alloc::vec::Vec;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};
use ward_id::{Canonical, EnvelopeHash, TimestampMs};

/// The version of receipts that this crate writes and reads.
pub const RECEIPT_VERSION: u8 = 1;
const LABEL: &[u8] = b"ward/v1/receipt";

/// A receipt that is no promise. The server must answer for it, and the device must not count the
/// envelopes as acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A version that this program does not know.
    #[error("receipts of version {0} are not known")]
    Version(u8),
    /// No envelope, or more than one push may hold.
    #[error("a receipt names 1 to 256 envelopes, not {got}")]
    Count {
        /// How many it names.
        got: usize,
    },
    /// Indexes or the checkpoint lie outside what a log may have.
    #[error("the indexes or the checkpoint of the receipt are out of range")]
    Range,
    /// The receipt is of another log, or the signer is.
    #[error("the receipt is of another log")]
    OtherOrigin,
    /// The signature is not that of the log.
    #[error("the signature of the log is wrong")]
    BadSignature,
}

/// A promise of the log: envelope `n` of the list is leaf `first_index + n`. As CBOR
/// `{0: v, 1: origin, 2: first_index, 3: [envelope hashes], 4: received_at, 5: [size, root], 6: sig}`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    #[n(0)]
    v: u8,
    #[n(1)]
    origin: SignerName,
    #[n(2)]
    first_index: u64,
    #[n(3)]
    envelopes: Vec<EnvelopeHash>,
    #[n(4)]
    received_at: TimestampMs,
    #[n(5)]
    checkpoint: TreeHead,
    #[n(6)]
    sig: ByteArray<64>,
}

/// What is signed: the fields of a receipt but the signature, as an array.
#[derive(Encode, Decode)]
struct SignedFields {
    #[n(0)]
    v: u8,
    #[n(1)]
    origin: SignerName,
    #[n(2)]
    first_index: u64,
    #[n(3)]
    envelopes: Vec<EnvelopeHash>,
    #[n(4)]
    received_at: TimestampMs,
    #[n(5)]
    checkpoint: TreeHead,
}

impl Receipt {
    /// Which log.
    pub const fn origin(&self) -> &SignerName {
        &self.origin
    }

    /// Index of the first envelope.
    pub const fn first_index(&self) -> u64 {
        self.first_index
    }

    /// The envelopes, in the order of their indexes.
    pub fn envelopes(&self) -> &[EnvelopeHash] {
        &self.envelopes
    }

    /// When the server committed them, by its clock.
    pub const fn received_at(&self) -> TimestampMs {
        self.received_at
    }

    /// The last checkpoint of the log at that time.
    pub const fn checkpoint(&self) -> TreeHead {
        self.checkpoint
    }

    /// The index promised to an envelope.
    pub fn index_of(&self, envelope: &EnvelopeHash) -> Option<u64> {
        let place = self.envelopes.iter().position(|promised| promised == envelope)?;
        self.first_index.checked_add(place as u64)
    }

    /// The envelope promised at an index.
    pub fn envelope_at(&self, index: u64) -> Option<&EnvelopeHash> {
        self.envelopes.get(usize::try_from(index.checked_sub(self.first_index)?).ok()?)
    }

    /// Checks the promise: its form, its log, and the log's signature.
    ///
    /// # Errors
    /// A [`ReceiptError`].
    pub fn verify(&self, log_key: &VerifierKey) -> Result<(), ReceiptError> {
        self.check_form()?;
        if self.origin != *log_key.name() {
            return Err(ReceiptError::OtherOrigin);
        }
        if log_key.verifies(&self.message(), self.sig.as_slice()) {
            Ok(())
        } else {
            Err(ReceiptError::BadSignature)
        }
    }

    fn check_form(&self) -> Result<(), ReceiptError> {
        if self.v != RECEIPT_VERSION {
            return Err(ReceiptError::Version(self.v));
        }
        let got = self.envelopes.len();
        if got == 0 || got > RECEIPT_MAX_ENVELOPES {
            return Err(ReceiptError::Count { got });
        }
        let end = self.first_index.checked_add(got as u64).ok_or(ReceiptError::Range)?;
        if end > TREE_SIZE_MAX || !self.checkpoint.is_plausible() {
            return Err(ReceiptError::Range);
        }
        Ok(())
    }

    /// `"ward/v1/receipt" || SHA-256(fields 0 to 5 as an array)`.
    fn message(&self) -> Vec<u8> {
        let fields = SignedFields {
            v: self.v,
            origin: self.origin.clone(),
            first_index: self.first_index,
            envelopes: self.envelopes.clone(),
            received_at: self.received_at,
            checkpoint: self.checkpoint,
        };
        [LABEL, &Sha256::digest(fields.to_canonical())].concat()
    }
}

/// Signs the promise as the log. Only for envelopes that are committed at exactly these indexes.
///
/// # Errors
/// [`ReceiptError::Count`], [`ReceiptError::Range`] or [`ReceiptError::OtherOrigin`].
pub fn sign_receipt(
    signer: &impl NoteSigner,
    first_index: u64,
    envelopes: Vec<EnvelopeHash>,
    received_at: TimestampMs,
    checkpoint: TreeHead,
) -> Result<Receipt, ReceiptError> {
    let origin = signer.name().parse().map_err(|_| ReceiptError::OtherOrigin)?;
    let mut receipt = Receipt {
        v: RECEIPT_VERSION,
        origin,
        first_index,
        envelopes,
        received_at,
        checkpoint,
        sig: ByteArray::from([0; 64]),
    };
    receipt.check_form()?;
    receipt.sig = ByteArray::from(signer.sign(&receipt.message()));
    Ok(receipt)
}
