//! What can go wrong, as data. Everything that depends on a secret is one and the same
//! [`CryptoError::Rejected`], so that an attacker who sees errors learns nothing from them.

use alloc::vec::Vec;
use ward_id::CborError;

/// A failure of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// Something did not open, verify or match. Deliberately nothing more is said. Whoever made
    /// the bytes must act; to the person it is "altered or not meant for this device".
    #[error("the data was altered or is not meant for this device")]
    Rejected,
    /// A public key is not usable. Whoever presented it must act.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A structure breaks a rule that anybody can see. Whoever made it must act.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The suite is below the least that the site accepts. The maker must update the app.
    #[error("suite {suite} is below the site's least suite {min}")]
    SuiteRefused {
        /// The suite of the data.
        suite: u8,
        /// The least suite of the site manifest.
        min: u8,
    },
    /// A part is larger than its limit. The caller must send less.
    #[error("{what} is {bytes} bytes; at most {max_bytes} are taken")]
    TooLarge {
        /// Which part.
        what: &'static str,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max_bytes: usize,
    },
    /// A note begins like a labelled message and is not signed. The caller must act.
    #[error("a note that begins like a labelled message is not signed")]
    LabelledNote,
    /// The hardware key did not sign. The person or the platform must act.
    #[error(transparent)]
    AuthSign(#[from] AuthSignError),
}

/// A public key that is refused. Whoever presented it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Wrong length, or not a point of the curve.
    #[error("the public key is malformed")]
    Malformed,
    /// Zero, of small order, or with a part of small order.
    #[error("the public key is weak")]
    Weak,
    /// A second spelling of a key.
    #[error("the public key is not in its canonical form")]
    NotCanonical,
}

/// A structure that breaks a visible rule. Whoever made it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not the canonical encoding of the type.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A list that must be sorted and without repetition is not.
    #[error("{0} are not sorted or one stands twice")]
    NotSorted(&'static str),
    /// A number, count or length outside its range.
    #[error("{0} is outside its range")]
    OutOfRange(&'static str),
    /// A part that must be there is absent.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A part that must not be there is present.
    #[error("{0} does not belong here")]
    Unexpected(&'static str),
    /// Two parts that must agree do not. The caller must act.
    #[error("{0} does not match")]
    Mismatch(&'static str),
}

/// A ticket that is not taken. The person who shows or scans it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// The text is no Ward ticket, or was damaged. Scan it again.
    #[error("this is not a Ward ticket, or it was not read completely")]
    NotATicket,
    /// The ticket belongs to another site than this device. Nothing was sent.
    #[error("this ticket is from another site than the one this device belongs to")]
    OtherSite,
}

/// Words that are no passphrase of a file. The person who typed them must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// A word that is not in the list.
    #[error(transparent)]
    Word(#[from] ward_id::WordsError),
    /// Too few or too many.
    #[error("the passphrase has twelve words")]
    Count,
}

/// The hardware key did not sign: absent, locked, or the person declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hardware key did not sign")]
pub struct AuthSignError;

/// Signatures of a batch that do not hold. Whoever made them must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} signatures of the batch do not hold", bad.len())]
pub struct BatchError {
    /// Their places, in the order of pushing, ascending.
    pub bad: Vec<usize>,
}
