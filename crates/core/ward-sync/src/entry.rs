//! Entries: what a person did, chained to what the same device did before, named by its hash
//! and signed at the moment of the act.
//!
//! An entry is durable, ordered evidence of work before any server has seen it. Its name never
//! changes, whatever envelope carries it later.

use crate::kind::EntryKind;
use crate::limits::{
    CARRY_MAX_BYTES, DEPS_MAX, LAMPORT_MAX, PAYLOAD_MAX_BYTES, REASON_MAX_BYTES, SCHEMA_MAX_BYTES,
    ZONE_MAX_BYTES,
};
use crate::payload::{Decoded, Payload, PayloadError};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_audit::TreeHead;
use ward_crypto::{
    BatchVerifier, CaptureSignature, CryptoError, DeviceCert, EnvelopeHeader, Role, Signature, labelled_hash,
    labels,
};
use ward_id::{Canonical, CborError, ChartId, DeviceId, EntryId, Incarnation, SiteId, TimestampMs};

/// An entry that cannot be made or taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The bytes are not an entry. The author's app is at fault.
    #[error("the bytes are not an entry: {0}")]
    Encoding(#[from] CborError),
    /// A part is longer than its limit. The author's app is at fault.
    #[error("{0} is longer than an entry may hold; shorten it")]
    TooLarge(&'static str),
    /// The first entry names one before it, or a later one does not. The author's app is at fault.
    #[error("the entry's place in its chain contradicts itself")]
    ChainShape,
    /// The entry is not the one its header names. Whoever forwarded it must act.
    #[error("the entry is not the one that its header names")]
    OtherEntry,
    /// The certificate is not that of the entry's device. The caller must look it up again.
    #[error("the certificate belongs to another device or site")]
    OtherDevice,
    /// The signature of the act is wrong. Whoever forwarded it must act.
    #[error("the signature made when the person acted does not hold")]
    CaptureSignature,
    /// An unknown signature algorithm. The author's app is newer, or at fault.
    #[error("the entry is signed in a way that this version does not know")]
    SignatureAlgorithm,
    /// The role may not write this. The app must not offer it.
    #[error("a {role:?} may not write {kind}")]
    NotPermitted {
        /// The role of the device.
        role: Role,
        /// What it tried to write.
        kind: EntryKind,
    },
    /// The payload breaks a rule of its kind. The app must not offer it.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The key that signs is not available. The person must unlock it.
    #[error("the signing key refused; unlock it and try again")]
    Signing,
}

/// What a device's own clockwork says of the moment: it shows a clock that was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct BootEvidence {
    /// Which boot of the machine it was.
    #[n(0)]
    pub boot_id: u64,
    /// Milliseconds since that boot.
    #[n(1)]
    pub monotonic_ms: u64,
}

/// The content of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EntryBody {
    /// Randomness that lets the entry's name stand in clear.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub random16: [u8; 16],
    /// Heads of other chains that the author had seen and had not named before.
    #[n(1)]
    pub deps: Vec<EntryId>,
    /// Logical clock: larger than that of everything the author had seen.
    #[n(2)]
    pub lamport: u64,
    /// What the entry is about.
    #[n(3)]
    pub kind: EntryKind,
    /// The payload's schema.
    #[n(4)]
    pub schema: String,
    /// The version of that schema.
    #[n(5)]
    pub version: u64,
    /// When the author's clock says it happened. A claim: it orders nothing.
    #[n(6)]
    pub captured_at: TimestampMs,
    /// The time zone of the author, as an IANA name.
    #[n(7)]
    pub zone: String,
    /// The device's own clockwork at that moment.
    #[n(8)]
    pub evidence: BootEvidence,
    /// The newest head of the operation log that the device had verified, when it changed.
    #[n(9)]
    pub olog: Option<TreeHead>,
    /// The record that this one amends.
    #[n(10)]
    pub amends: Option<EntryId>,
    /// Why, in the author's words.
    #[n(11)]
    pub reason: Option<String>,
    /// The payload, decoded by (kind, schema, version).
    #[cbor(n(12), with = "minicbor::bytes")]
    pub payload: Vec<u8>,
}

impl EntryBody {
    /// Decodes the payload.
    pub fn decode_payload(&self) -> Decoded {
        match Payload::decode(self.kind, &self.schema, self.version, &self.payload) {
            Decoded::Known(payload) => match payload.check_reason(self.reason.as_deref()) {
                Ok(()) => Decoded::Known(payload),
                Err(error) => Decoded::Invalid(error),
            },
            other => other,
        }
    }

    fn check(&self) -> Result<(), EntryError> {
        let payload_max = if self.kind == EntryKind::CARRY { CARRY_MAX_BYTES } else { PAYLOAD_MAX_BYTES };
        let too_large = [
            ("the list of entries seen", self.deps.len(), DEPS_MAX),
            ("the schema", self.schema.len(), SCHEMA_MAX_BYTES),
            ("the time zone", self.zone.len(), ZONE_MAX_BYTES),
            ("the reason", self.reason.as_ref().map_or(0, String::len), REASON_MAX_BYTES),
            ("the payload", self.payload.len(), payload_max),
        ]
        .into_iter()
        .find(|(_, is, limit)| is > limit);
        match too_large {
            Some((what, ..)) => Err(EntryError::TooLarge(what)),
            None if self.lamport > LAMPORT_MAX => Err(EntryError::TooLarge("the logical clock")),
            None => Ok(()),
        }
    }
}

/// An entry with its place: what the entry's name is computed over.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct EntryFrame {
    /// The site.
    #[n(0)]
    pub site: SiteId,
    /// The chart.
    #[n(1)]
    pub chart: ChartId,
    /// The author's device.
    #[n(2)]
    pub device: DeviceId,
    /// The life of the device's store.
    #[n(3)]
    pub incarnation: Incarnation,
    /// The place in the chain, from 1.
    #[n(4)]
    pub seq: u64,
    /// The entry before; absent at the first.
    #[n(5)]
    pub prev: Option<EntryId>,
    /// The content.
    #[n(6)]
    pub body: EntryBody,
}

impl EntryFrame {
    /// The entry's permanent name: `H("ward/v1/entry" || dCBOR(frame))`.
    pub fn entry_id(&self) -> EntryId {
        EntryId::from_bytes(labelled_hash(labels::ENTRY, &[&self.to_canonical()]))
    }

    fn check(&self) -> Result<(), EntryError> {
        if self.seq == 0 || (self.seq == 1) != self.prev.is_none() {
            return Err(EntryError::ChainShape);
        }
        self.body.check()
    }
}

/// What an envelope encloses: everything of the entry that its header does not say.
#[derive(Encode)]
struct PlaintextRef<'a> {
    #[n(0)]
    prev: Option<EntryId>,
    #[n(1)]
    body: &'a EntryBody,
    #[n(2)]
    sig_alg: u8,
    #[n(3)]
    capture_sig: Signature,
}

#[derive(Encode, Decode)]
struct Plaintext {
    #[n(0)]
    prev: Option<EntryId>,
    #[n(1)]
    body: EntryBody,
    #[n(2)]
    sig_alg: u8,
    #[n(3)]
    capture_sig: Signature,
}

/// An envelope that was opened: its header, its plaintext, and the certificate of its device.
#[derive(Debug, Clone, Copy)]
pub struct OpenedEnvelope<'a> {
    /// What the envelope says in clear.
    pub header: &'a EnvelopeHeader,
    /// What it enclosed.
    pub plaintext: &'a [u8],
    /// The certificate of the header's device.
    pub cert: &'a DeviceCert,
}

/// An entry whose name was computed here and whose signature was made or checked here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEntry {
    id: EntryId,
    frame: EntryFrame,
    capture: CaptureSignature,
}

impl SignedEntry {
    /// Signs a frame. `sign` gets the entry's name and returns the signature of the act.
    ///
    /// # Errors
    /// A limit or the chain's shape; [`EntryError::Signing`] if the key refuses.
    pub fn sign(
        frame: EntryFrame,
        sign: impl FnOnce(EntryId) -> Result<CaptureSignature, CryptoError>,
    ) -> Result<Self, EntryError> {
        frame.check()?;
        let id = frame.entry_id();
        let capture = sign(id).map_err(|_| EntryError::Signing)?;
        Ok(Self { id, frame, capture })
    }

    /// Rebuilds an entry from an envelope's header and opened content, and checks its name and
    /// the author's signature.
    ///
    /// # Errors
    /// Anything that is not exactly the entry that the header names, signed by its device.
    pub fn rebuild_and_check(
        header: &EnvelopeHeader,
        plaintext: &[u8],
        cert: &DeviceCert,
    ) -> Result<Self, EntryError> {
        let entry = Self::rebuild(header, plaintext)?;
        entry.verify(cert)?;
        Ok(entry)
    }

    /// Rebuilds many entries, with their signatures checked in batches. Each answer is what
    /// [`SignedEntry::rebuild_and_check`] gives for that one.
    pub fn rebuild_and_check_all(opened: &[OpenedEnvelope<'_>]) -> Vec<Result<Self, EntryError>> {
        let mut batch = BatchVerifier::new();
        let mut places = Vec::with_capacity(opened.len());
        let mut out: Vec<Result<Self, EntryError>> = Vec::with_capacity(opened.len());
        for (place, OpenedEnvelope { header, plaintext, cert }) in opened.iter().enumerate() {
            let rebuilt = Self::rebuild(header, plaintext).and_then(|entry| {
                entry.check_author(cert)?;
                match &entry.capture {
                    CaptureSignature::Device(signature) => {
                        batch.push_labelled(
                            &cert.binding.sign_pk,
                            labels::CAPTURE,
                            entry.id.as_bytes(),
                            signature,
                        );
                        places.push(place);
                    }
                    CaptureSignature::Hardware(_) => entry.verify(cert)?,
                }
                Ok(entry)
            });
            out.push(rebuilt);
        }
        let bad = batch.verify().err().map(|error| error.bad).unwrap_or_default();
        for place in bad.into_iter().filter_map(|bad| places.get(bad)) {
            if let Some(verdict) = out.get_mut(*place) {
                *verdict = Err(EntryError::CaptureSignature);
            }
        }
        out
    }

    /// Checks the signatures of many entries in batches. Each answer is what [`SignedEntry::verify`]
    /// gives for that one.
    pub fn verify_all(signed: &[(&Self, &DeviceCert)]) -> Vec<Result<(), EntryError>> {
        let mut batch = BatchVerifier::new();
        let mut places = Vec::with_capacity(signed.len());
        let mut out: Vec<Result<(), EntryError>> = Vec::with_capacity(signed.len());
        for (place, (entry, cert)) in signed.iter().enumerate() {
            out.push(match &entry.capture {
                CaptureSignature::Device(signature) => entry.check_author(cert).inspect(|()| {
                    let key = &cert.binding.sign_pk;
                    batch.push_labelled(key, labels::CAPTURE, entry.id.as_bytes(), signature);
                    places.push(place);
                }),
                CaptureSignature::Hardware(_) => entry.verify(cert),
            });
        }
        let bad = batch.verify().err().map(|error| error.bad).unwrap_or_default();
        for place in bad.into_iter().filter_map(|bad| places.get(bad)) {
            if let Some(verdict) = out.get_mut(*place) {
                *verdict = Err(EntryError::CaptureSignature);
            }
        }
        out
    }

    /// The entry that the header names, with nothing said about its signature yet.
    fn rebuild(header: &EnvelopeHeader, plaintext: &[u8]) -> Result<Self, EntryError> {
        let Plaintext { prev, body, sig_alg, capture_sig } = Plaintext::from_canonical(plaintext)?;
        let capture =
            CaptureSignature::from_parts(sig_alg, capture_sig).ok_or(EntryError::SignatureAlgorithm)?;
        let frame = EntryFrame {
            site: header.site,
            chart: header.chart,
            device: header.device,
            incarnation: header.incarnation,
            seq: header.seq,
            prev,
            body,
        };
        let entry = Self::unverified(frame, capture)?;
        if entry.id == header.entry_id { Ok(entry) } else { Err(EntryError::OtherEntry) }
    }

    /// Takes an entry that travels with its whole frame, inside another one.
    ///
    /// # Errors
    /// As [`SignedEntry::rebuild_and_check`].
    pub fn from_frame(
        frame: &[u8],
        capture: CaptureSignature,
        cert: &DeviceCert,
    ) -> Result<Self, EntryError> {
        let entry = Self::unverified(EntryFrame::from_canonical(frame)?, capture)?;
        entry.verify(cert)?;
        Ok(entry)
    }

    /// An entry whose signature nobody has checked yet.
    pub(crate) fn unverified(frame: EntryFrame, capture: CaptureSignature) -> Result<Self, EntryError> {
        frame.check()?;
        Ok(Self { id: frame.entry_id(), frame, capture })
    }

    /// Checks that the device of a certificate signed the entry.
    ///
    /// # Errors
    /// [`EntryError::OtherDevice`], [`EntryError::CaptureSignature`].
    pub fn verify(&self, cert: &DeviceCert) -> Result<(), EntryError> {
        self.check_author(cert)?;
        self.capture.verify(&cert.binding, self.id).map_err(|_| EntryError::CaptureSignature)
    }

    fn check_author(&self, cert: &DeviceCert) -> Result<(), EntryError> {
        let author = (cert.binding.device, cert.binding.site);
        if author == (self.frame.device, self.frame.site) { Ok(()) } else { Err(EntryError::OtherDevice) }
    }

    /// What an envelope encloses, before padding: `[prev, body, sig_alg, capture_sig]`.
    pub fn plaintext(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let parts = PlaintextRef {
            prev: self.frame.prev,
            body: &self.frame.body,
            sig_alg: self.capture.alg(),
            capture_sig: *self.capture.signature(),
        };
        // Writing into a vector cannot fail and the derived encoders raise no error of their own.
        let done = minicbor::encode(parts, &mut out);
        debug_assert!(done.is_ok());
        out
    }

    /// The bytes for a device's own sealed store.
    pub fn to_stored(&self) -> Vec<u8> {
        StoredEntry {
            frame: self.frame.clone(),
            sig_alg: self.capture.alg(),
            capture_sig: *self.capture.signature(),
        }
        .to_canonical()
    }

    /// Reads what [`SignedEntry::to_stored`] wrote. The signature was checked before the entry was
    /// stored and the store's rows are authenticated, so it is not checked again.
    ///
    /// # Errors
    /// Bytes that are not a stored entry.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, EntryError> {
        let StoredEntry { frame, sig_alg, capture_sig } = StoredEntry::from_canonical(bytes)?;
        let capture =
            CaptureSignature::from_parts(sig_alg, capture_sig).ok_or(EntryError::SignatureAlgorithm)?;
        Self::unverified(frame, capture)
    }

    /// The entry's name.
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// The entry with its place.
    pub const fn frame(&self) -> &EntryFrame {
        &self.frame
    }

    /// The content.
    pub const fn body(&self) -> &EntryBody {
        &self.frame.body
    }

    /// The signature of the act.
    pub const fn capture(&self) -> &CaptureSignature {
        &self.capture
    }
}

#[derive(Encode, Decode)]
struct StoredEntry {
    #[n(0)]
    frame: EntryFrame,
    #[n(1)]
    sig_alg: u8,
    #[n(2)]
    capture_sig: Signature,
}
