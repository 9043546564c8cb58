//! The bridge between Ward's labelled keys and the signed-note format of the logs.
//!
//! A log key signs notes (checkpoints, cosignatures), receipts and witness times and nothing else.
//! Notes begin with an origin or with `cosignature/v1`, the other two with a label of Ward, so
//! no signature of one kind can pass for another (the key refuses a note that begins like a label).

use crate::hazmat::signatures::ReceiptKey;
use ward_audit::{NoteSigner, SignerName, TimeStatement};
use ward_crypto::{SignKey, labels};

/// Signs for one name: an origin of a log or the name of a witness.
pub(crate) struct NamedSigner<'a> {
    name: &'a str,
    key: &'a SignKey,
}

impl<'a> NamedSigner<'a> {
    pub(crate) const fn new(name: &'a str, key: &'a SignKey) -> Self {
        Self { name, key }
    }
}

impl NoteSigner for NamedSigner<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn public_key(&self) -> [u8; 32] {
        *self.key.public().as_bytes()
    }

    /// A message of neither kind gives a signature that never verifies; nothing in this crate
    /// makes one.
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        if let Some(hash) =
            message.strip_prefix(labels::RECEIPT.as_bytes()).and_then(|rest| rest.try_into().ok())
        {
            return *self.key.sign_labelled(labels::RECEIPT, hash).as_bytes();
        }
        if let Some(statement) = time_statement(message) {
            return *self.key.sign_witness_time(&statement.nonce, statement.time_s).as_bytes();
        }
        self.key.sign_note(message).map_or([0; 64], |signature| *signature.as_bytes())
    }
}

/// Signs receipts and nothing else, with the log key as the TLS provider holds it. Ed25519 gives
/// the same signature whoever computes it (RFC 8032 §5.1.6); the provider takes half the time, and
/// every push waits for one.
pub(crate) struct ReceiptSigner {
    name: SignerName,
    public: [u8; 32],
    key: ReceiptKey,
}

/// A log key that the TLS provider does not take. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log key cannot sign receipts: use the key file that `ward init` wrote for this site")]
pub struct ReceiptKeyError;

impl ReceiptSigner {
    /// Signs under the origin of the operation log.
    ///
    /// # Errors
    /// [`ReceiptKeyError`].
    pub(crate) fn new(origin: &SignerName, log_key: &SignKey) -> Result<Self, ReceiptKeyError> {
        let public = *log_key.public().as_bytes();
        let key = ReceiptKey::new(log_key).ok_or(ReceiptKeyError)?;
        Ok(Self { name: origin.clone(), public, key })
    }
}

impl NoteSigner for ReceiptSigner {
    fn name(&self) -> &str {
        self.name.as_str()
    }

    fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// A message that is no receipt gives a signature that never verifies; nothing in this crate
    /// makes one.
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let digest = message.strip_prefix(labels::RECEIPT.as_bytes()).filter(|rest| rest.len() == 32);
        digest.and_then(|_| self.key.sign(message)).unwrap_or([0; 64])
    }
}

/// `label || nonce || u64 BE seconds`.
fn time_statement(message: &[u8]) -> Option<TimeStatement> {
    let rest = message.strip_prefix(labels::WITNESS_TIME.as_bytes())?;
    let (nonce, seconds) = rest.split_first_chunk::<32>()?;
    Some(TimeStatement { nonce: *nonce, time_s: u64::from_be_bytes(seconds.try_into().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_audit::{
        Checkpoint, SignatureKind, TreeHead, VerifierKey, WitnessKey, WitnessPolicy, sign_checkpoint,
        sign_receipt, sign_time, verify_witness_time,
    };
    use ward_id::{EnvelopeHash, TimestampMs};

    #[test]
    fn a_receipt_has_the_same_signature_from_both_signers() {
        let key = SignKey::from_secret_bytes(&[4; 32]);
        let origin: SignerName = "ward.example/00/olog".parse().unwrap();
        let receipts = ReceiptSigner::new(&origin, &key).unwrap();
        let receipt = |signer: &dyn Fn(&[u8]) -> [u8; 64]| {
            (0..20u8).map(|i| signer(&[labels::RECEIPT.as_bytes(), &[i; 32]].concat())).collect::<Vec<_>>()
        };
        let named = NamedSigner::new(origin.as_str(), &key);
        assert_eq!(receipt(&|message| receipts.sign(message)), receipt(&|message| named.sign(message)));
        assert_eq!((receipts.name(), receipts.public_key()), (named.name(), named.public_key()));
        let short = [labels::RECEIPT.as_bytes(), &[1; 31]].concat();
        for other in [&b"ward.example/00/olog\n1\n"[..], b"ward/v1/mlog", &short, b""] {
            assert_eq!(receipts.sign(other), [0; 64], "signs receipts only");
        }
    }

    #[test]
    fn every_kind_of_statement_verifies() {
        let key = SignKey::from_secret_bytes(&[4; 32]);
        let public = *key.public().as_bytes();
        let signer = NamedSigner::new("ward.example/00/olog", &key);
        let log =
            VerifierKey::new("ward.example/00/olog".parse().unwrap(), SignatureKind::Log, &public).unwrap();

        let checkpoint = Checkpoint::new(log.name().clone(), TreeHead::empty()).unwrap();
        let note = sign_checkpoint(&checkpoint, &signer).unwrap();
        assert_eq!(Checkpoint::verify(&note, &log), Ok(checkpoint));

        let receipt = sign_receipt(
            &signer,
            3,
            vec![EnvelopeHash::from_bytes([1; 32])],
            TimestampMs(5),
            TreeHead::empty(),
        )
        .unwrap();
        assert_eq!(receipt.verify(&log), Ok(()));

        let witness = NamedSigner::new("w1", &key);
        let statement = TimeStatement { nonce: [9; 32], time_s: 77 };
        let answer = sign_time(&statement, &witness).unwrap();
        let policy =
            WitnessPolicy::new(vec![WitnessKey::new("w1".parse().unwrap(), &public, false).unwrap()], 1)
                .unwrap();
        assert_eq!(verify_witness_time(&[9; 32], &[answer], &policy), Ok(77));
    }
}
