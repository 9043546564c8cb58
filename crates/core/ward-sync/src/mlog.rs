//! Entries of the membership log: who may read, said by people, ordered by the server.

use crate::limits::{MLOG_ENTRY_MAX_BYTES, MLOG_SIGNATURES_MAX};
use crate::mlog_body::MlogBody;
use alloc::vec::Vec;
use core::fmt;
use minicbor::bytes::ByteSlice;
use minicbor::{Decode, Encode};
use ward_audit::{MLOG_LEAF_BYTES, TreeHead, mlog_leaf};
use ward_crypto::{SignKey, SignPublicKey, Signature, Suite, V1, labels, sha256};
use ward_id::{Canonical, CborError, DeviceId, MlogEntryHash, SiteId, Subject, hex_encode};

/// Bytes that are not an entry of the membership log, or an entry that cannot be completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MlogError {
    /// Not the canonical encoding of an entry. Its maker is at fault.
    #[error("the bytes are not an entry of the membership log: {0}")]
    Encoding(#[from] CborError),
    /// The body is not that of its kind. Its maker is at fault.
    #[error("the body is not that of its kind: {0}")]
    Body(CborError),
    /// A reserved or unknown kind. Its maker must use this version's kinds.
    #[error("kind {0} of the membership log is reserved")]
    ReservedKind(u8),
    /// Longer than [`MLOG_ENTRY_MAX_BYTES`]. Its maker is at fault.
    #[error("an entry of the membership log has at most {MLOG_ENTRY_MAX_BYTES} bytes")]
    TooLarge,
    /// More than [`MLOG_SIGNATURES_MAX`] signatures. Its maker is at fault.
    #[error("an entry of the membership log has at most {MLOG_SIGNATURES_MAX} signatures")]
    TooManySignatures,
    /// Signers are not sorted, or one stands twice. Its maker is at fault.
    #[error("the signers are not sorted, or one stands twice")]
    Signers,
    /// A list in the body is too long, unsorted, or contradicts itself. Its maker is at fault.
    #[error("{0}")]
    Rule(&'static str),
}

/// Who signed: a device by its id, or a root key by the first 16 bytes of its hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct SignerId(#[cbor(n(0), with = "minicbor::bytes")] [u8; 16]);

impl SignerId {
    /// The name of a root key.
    pub fn of_root_key(key: &SignPublicKey) -> Self {
        Self(key.signer_id())
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The device with this id, if the signer is a device.
    pub const fn as_device(&self) -> DeviceId {
        DeviceId::from_bytes(self.0)
    }
}

impl From<DeviceId> for SignerId {
    fn from(device: DeviceId) -> Self {
        Self(*device.as_bytes())
    }
}

impl fmt::Debug for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerId({})", hex_encode(&self.0))
    }
}

impl fmt::Display for SignerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_encode(&self.0))
    }
}

/// One signature on an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MlogSignature {
    /// Who.
    #[n(0)]
    pub signer: SignerId,
    /// The signature.
    #[n(1)]
    pub signature: Signature,
}

/// An entry of the membership log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MlogEntry {
    #[n(0)]
    v: V1,
    #[n(1)]
    suite: Suite,
    #[n(2)]
    kind: u8,
    #[n(3)]
    site: SiteId,
    #[n(4)]
    subject: Subject,
    #[n(5)]
    base: TreeHead,
    #[cbor(n(6), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[n(7)]
    signatures: Vec<MlogSignature>,
}

#[derive(Encode)]
struct SignedPart<'a> {
    #[n(0)]
    v: V1,
    #[n(1)]
    suite: Suite,
    #[n(2)]
    kind: u8,
    #[n(3)]
    site: SiteId,
    #[n(4)]
    subject: Subject,
    #[n(5)]
    base: TreeHead,
    #[n(6)]
    body: &'a ByteSlice,
}

impl MlogEntry {
    /// An entry without signatures. The subject follows from the body.
    ///
    /// `base` is the newest cosigned head that the signers verified; [`TreeHead::empty`] at the
    /// very start.
    ///
    /// # Errors
    /// A body that breaks a rule of its kind.
    pub fn unsigned(
        site: SiteId,
        subject: Subject,
        base: TreeHead,
        body: &MlogBody,
    ) -> Result<Self, MlogError> {
        body.check()?;
        let entry = Self {
            v: V1,
            suite: Suite::W1,
            kind: body.kind().number(),
            site,
            subject,
            base,
            body: body.encode(),
            signatures: Vec::new(),
        };
        if entry.to_canonical().len() > MLOG_ENTRY_MAX_BYTES { Err(MlogError::TooLarge) } else { Ok(entry) }
    }

    /// Reads an entry and checks its outer form. Its body is decoded by
    /// [`MlogEntry::decode_body`], so that an unknown kind can still be kept.
    ///
    /// # Errors
    /// Anything but one canonical entry within limits.
    pub fn read(bytes: &[u8]) -> Result<Self, MlogError> {
        if bytes.len() > MLOG_ENTRY_MAX_BYTES {
            return Err(MlogError::TooLarge);
        }
        let entry = Self::from_canonical(bytes)?;
        entry.check_signers()?;
        Ok(entry)
    }

    fn check_signers(&self) -> Result<(), MlogError> {
        if self.signatures.len() > MLOG_SIGNATURES_MAX {
            return Err(MlogError::TooManySignatures);
        }
        let rising = |pair: &[MlogSignature]| matches!(pair, [a, b] if a.signer < b.signer);
        if self.signatures.windows(2).all(rising) { Ok(()) } else { Err(MlogError::Signers) }
    }

    /// What a signer signs, under the label of this log.
    pub fn signing_digest(&self) -> [u8; 32] {
        let &Self { v, suite, kind, site, subject, base, .. } = self;
        let part = SignedPart { v, suite, kind, site, subject, base, body: self.body.as_slice().into() };
        let mut bytes = Vec::new();
        // Writing into a vector cannot fail and the derived encoders raise no error of their own.
        let done = minicbor::encode(part, &mut bytes);
        debug_assert!(done.is_ok());
        sha256(&bytes)
    }

    /// Signs as a device.
    ///
    /// # Errors
    /// As [`MlogEntry::add_signature`].
    pub fn sign_as_device(self, device: DeviceId, key: &SignKey) -> Result<Self, MlogError> {
        let signature = key.sign_labelled(labels::MLOG, &self.signing_digest());
        self.add_signature(device.into(), signature)
    }

    /// Signs as a root key.
    ///
    /// # Errors
    /// As [`MlogEntry::add_signature`].
    pub fn sign_as_root(self, key: &SignKey) -> Result<Self, MlogError> {
        let signature = key.sign_labelled(labels::MLOG, &self.signing_digest());
        self.add_signature(SignerId::of_root_key(key.public()), signature)
    }

    /// Adds a signature that was made elsewhere.
    ///
    /// # Errors
    /// [`MlogError::Signers`] if the signer already signed, [`MlogError::TooManySignatures`].
    pub fn add_signature(mut self, signer: SignerId, signature: Signature) -> Result<Self, MlogError> {
        match self.signatures.binary_search_by_key(&signer, |present| present.signer) {
            Ok(_) => return Err(MlogError::Signers),
            Err(place) => self.signatures.insert(place, MlogSignature { signer, signature }),
        }
        self.check_signers()?;
        Ok(self)
    }

    /// The entry's hash: its name and the second part of its leaf.
    pub fn hash(&self) -> MlogEntryHash {
        MlogEntryHash::from_bytes(sha256(&self.to_canonical()))
    }

    /// The leaf of the log: subject and hash.
    pub fn leaf(&self) -> [u8; MLOG_LEAF_BYTES] {
        mlog_leaf(self.subject, self.hash())
    }

    /// Decodes the body by its kind.
    ///
    /// # Errors
    /// A reserved kind, or a body that is not of its kind.
    pub fn decode_body(&self) -> Result<MlogBody, MlogError> {
        MlogBody::decode(self.kind, &self.body)
    }

    /// The suite.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The number of the kind.
    pub const fn kind(&self) -> u8 {
        self.kind
    }

    /// The site.
    pub const fn site(&self) -> SiteId {
        self.site
    }

    /// What it is about: a chart or the site.
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// The newest cosigned head that the signers had verified.
    pub const fn base(&self) -> TreeHead {
        self.base
    }

    /// The signatures, sorted by signer.
    pub fn signatures(&self) -> &[MlogSignature] {
        &self.signatures
    }
}
