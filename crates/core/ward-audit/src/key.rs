//! Keys that check notes, and the trait behind which the secret ones stay.

use crate::hazmat::ed25519::PublicKey;
use crate::note::{NoteSignature, SignerName, base64_text};
use alloc::vec::Vec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::fmt;
use core::str::FromStr;
use sha2::{Digest, Sha256};
use ward_id::{hex_decode, hex_encode};

/// A secret Ed25519 key somewhere else: in a key file, a module, another process.
pub trait NoteSigner {
    /// The name under which it signs. A log signs under its origin.
    fn name(&self) -> &str;
    /// Its public key.
    fn public_key(&self) -> [u8; 32];
    /// The Ed25519 signature (RFC 8032) over exactly these bytes.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// A verifier key that cannot be used. Whoever configured it must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not spelled `name+id+base64`.
    #[error("a verifier key is written as name+id+base64")]
    Malformed,
    /// The id is not that of name, kind and key.
    #[error("the key id does not fit the key")]
    WrongId,
    /// A kind of signature that Ward does not use.
    #[error("only Ed25519 log signatures and cosignatures are supported")]
    UnknownKind,
    /// Not a point, or one of small order under which signatures prove nothing.
    #[error("the public key is not a usable Ed25519 key")]
    BadPoint,
}

/// What a key signs in a note (C2SP signed-note, signature types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureKind {
    /// A log's signature over the text of the note.
    Log,
    /// A witness's cosignature/v1 with a time.
    Cosignature,
}

impl SignatureKind {
    /// The type byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// The public key of a log or a witness, with its name. Never a weak point.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: SignerName,
    kind: SignatureKind,
    key: PublicKey,
    id: [u8; 4],
}

impl VerifierKey {
    /// Binds a name, a kind and a public key.
    ///
    /// # Errors
    /// [`KeyError::BadPoint`].
    pub fn new(name: SignerName, kind: SignatureKind, public_key: &[u8; 32]) -> Result<Self, KeyError> {
        let key = PublicKey::parse(public_key).ok_or(KeyError::BadPoint)?;
        let id = key_id(&name, kind, public_key);
        Ok(Self { name, kind, key, id })
    }

    /// The name.
    pub const fn name(&self) -> &SignerName {
        &self.name
    }

    /// What it signs.
    pub const fn kind(&self) -> SignatureKind {
        self.kind
    }

    /// `SHA-256(name || "\n" || type || key)[..4]`.
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The public key.
    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether a signature line names this key; says nothing about the signature.
    pub fn is_named_by(&self, line: &NoteSignature) -> bool {
        line.name == self.name && line.key_id == self.id
    }

    /// Strict Ed25519: small-order points and non-canonical scalars are refused.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        <[u8; 64]>::try_from(signature).is_ok_and(|bytes| self.key.verifies(message, &bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl fmt::Display for VerifierKey {
    /// `name+id+base64(type || key)` (C2SP signed-note, verifier keys).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(33);
        bytes.push(self.kind.byte());
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex_encode(&self.id), base64_text(&bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // Names hold no plus sign, base64 does: split from the left.
        let (name, rest) = text.split_once('+').ok_or(KeyError::Malformed)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        let name = name.parse().map_err(|_| KeyError::Malformed)?;
        let id = hex_decode(id).map_err(|_| KeyError::Malformed)?;
        let bytes = STANDARD.decode(key).map_err(|_| KeyError::Malformed)?;
        let (kind, public_key) = bytes.split_first().ok_or(KeyError::Malformed)?;
        let kind = [SignatureKind::Log, SignatureKind::Cosignature]
            .into_iter()
            .find(|known| known.byte() == *kind)
            .ok_or(KeyError::UnknownKind)?;
        let public_key = public_key.try_into().map_err(|_| KeyError::Malformed)?;
        let key = Self::new(name, kind, public_key)?;
        if key.id.as_slice() == id { Ok(key) } else { Err(KeyError::WrongId) }
    }
}

/// The key id under which a signer of this kind appears in notes.
pub(crate) fn key_id(name: &SignerName, kind: SignatureKind, public_key: &[u8; 32]) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_str().as_bytes());
    hasher.update([b'\n', kind.byte()]);
    hasher.update(public_key);
    let digest: [u8; 32] = hasher.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}
