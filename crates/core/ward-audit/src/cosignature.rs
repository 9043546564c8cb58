//! Witness cosignatures (C2SP tlog-cosignature, Ed25519, version 1).

use crate::checkpoint::Checkpoint;
use crate::key::{NoteSigner, SignatureKind, VerifierKey, key_id};
use crate::limits::COSIGNATURE_TIME_MAX_S;
use crate::note::{NoteError, NoteSignature, SignedNote};
use alloc::string::String;
use alloc::vec::Vec;

/// A line that names a witness but is no cosignature of it. Whoever passed the note on tampered
/// with it, or the witness is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// Not a time and an Ed25519 signature, or a time that nobody can have.
    #[error("the cosignature is not a time and a signature")]
    Malformed,
    /// The signature is wrong.
    #[error("the signature of the witness is wrong")]
    BadSignature,
}

/// The message that a witness signs: a header, its time, and the text of the checkpoint.
pub fn cosignature_message(time_s: u64, text: &str) -> String {
    alloc::format!("cosignature/v1\ntime {time_s}\n{text}")
}

/// Makes a cosignature line without looking at any state; only a witness that has written its new
/// state down may come here.
pub(crate) fn cosign(
    checkpoint: &Checkpoint,
    time_s: u64,
    signer: &impl NoteSigner,
) -> Result<NoteSignature, NoteError> {
    let name = signer.name().parse()?;
    let message = cosignature_message(time_s, &alloc::string::ToString::to_string(checkpoint));
    let mut signature: Vec<u8> = time_s.to_be_bytes().to_vec();
    signature.extend_from_slice(&signer.sign(message.as_bytes()));
    let key_id = key_id(&name, SignatureKind::Cosignature, &signer.public_key());
    Ok(NoteSignature { name, key_id, signature })
}

/// The newest time at which this witness cosigned the note; `None` if it did not.
///
/// # Errors
/// [`CosignatureError`]: one line that names the key but does not verify makes the note suspect.
pub fn verify_cosignature(note: &SignedNote, key: &VerifierKey) -> Result<Option<u64>, CosignatureError> {
    let mut newest = None;
    for line in note.signatures().iter().filter(|line| key.is_named_by(line)) {
        let (time, signature) = line.signature.split_first_chunk::<8>().ok_or(CosignatureError::Malformed)?;
        let time_s = u64::from_be_bytes(*time);
        let message = cosignature_message(time_s, note.text());
        if key.kind() != SignatureKind::Cosignature || time_s > COSIGNATURE_TIME_MAX_S {
            return Err(CosignatureError::Malformed);
        }
        if !key.verifies(message.as_bytes(), signature) {
            return Err(CosignatureError::BadSignature);
        }
        newest = newest.max(Some(time_s));
    }
    Ok(newest)
}
