//! Time from witnesses: a device sends a random nonce, and a quorum signs it with the time.
//!
//! After a reboot, or when the wall clock is far off, this is the only "now" that a device
//! believes. The nonce makes an old answer worthless.

use crate::key::{NoteSigner, VerifierKey};
use crate::limits::{COSIGNATURE_TIME_MAX_S, TIME_MAX_STATEMENTS};
use crate::note::{NoteError, SignerName};
use crate::policy::{PolicyError, WitnessPolicy};
use alloc::vec::Vec;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};

const LABEL: &[u8] = b"ward/v1/witness-time";

/// Answers that give no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// More answers than a policy has witnesses. The server that passed them on must act.
    #[error("{got} answers are more than a policy can have witnesses")]
    TooMany {
        /// How many came.
        got: usize,
    },
    /// Fewer valid answers than the quorum. Ask again; if it lasts, the operator must act.
    #[error(transparent)]
    Quorum(#[from] PolicyError),
}

/// What a witness states: this nonce was in my hands at this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeStatement {
    /// The random bytes of the device that asked.
    pub nonce: [u8; 32],
    /// Seconds since 1970.
    pub time_s: u64,
}

impl TimeStatement {
    /// The bytes that are signed: label, nonce, seconds as 64 bits, big-endian.
    pub fn message(&self) -> Vec<u8> {
        [LABEL, &self.nonce, &self.time_s.to_be_bytes()].concat()
    }
}

/// A witness's answer, without the nonce, which the device knows. As CBOR
/// `{0: name, 1: seconds, 2: signature}`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WitnessTime {
    #[n(0)]
    name: SignerName,
    #[n(1)]
    time_s: u64,
    #[n(2)]
    signature: ByteArray<64>,
}

impl WitnessTime {
    /// Which witness says to have answered.
    pub const fn name(&self) -> &SignerName {
        &self.name
    }

    /// The time it states; worth nothing before [`verify_witness_time`].
    pub const fn time_s(&self) -> u64 {
        self.time_s
    }

    fn verifies(&self, nonce: &[u8; 32], key: &VerifierKey) -> bool {
        let statement = TimeStatement { nonce: *nonce, time_s: self.time_s };
        self.name == *key.name()
            && self.time_s <= COSIGNATURE_TIME_MAX_S
            && key.verifies(&statement.message(), self.signature.as_slice())
    }
}

/// Answers a nonce as a witness.
///
/// # Errors
/// [`NoteError::Name`] if the witness's own name is unusable.
pub fn sign_time(statement: &TimeStatement, signer: &impl NoteSigner) -> Result<WitnessTime, NoteError> {
    Ok(WitnessTime {
        name: signer.name().parse()?,
        time_s: statement.time_s,
        signature: ByteArray::from(signer.sign(&statement.message())),
    })
}

/// The time that a quorum of the policy's witnesses attests for this nonce: the quorum-th newest.
/// Answers of strangers and answers that do not verify are left out: one broken witness must not
/// keep a device from the time that the others give.
///
/// # Errors
/// [`TimeError::TooMany`] or [`TimeError::Quorum`].
pub fn verify_witness_time(
    nonce: &[u8; 32],
    answers: &[WitnessTime],
    policy: &WitnessPolicy,
) -> Result<u64, TimeError> {
    if answers.len() > TIME_MAX_STATEMENTS {
        return Err(TimeError::TooMany { got: answers.len() });
    }
    let newest_of = |key: &VerifierKey| {
        answers.iter().filter(|answer| answer.verifies(nonce, key)).map(|answer| answer.time_s).max()
    };
    let times_s = policy.witnesses().iter().filter_map(|witness| newest_of(witness.key())).collect();
    Ok(policy.attested_time(times_s)?)
}
