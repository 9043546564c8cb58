//! The sealed enrolment request, and the six words that two people compare.
//!
//! X-Wing has no authenticated mode, so the request is sealed with a pre-shared key from the
//! ticket as well: a server that swaps the issuer's key learns and forges nothing.

use super::certificate::{AttestLevel, CounterSignatures, DeviceBinding};
use super::digest::{labelled_hash, sha256};
use super::enc_key::{EncKey, EncPublicKey};
use super::ticket::Ticket;
use crate::codec::{Signature, V1, canonical_with, checked};
use crate::hazmat::hpke_base::{self, Psk};
use crate::labels::{ENROL, SAS};
use crate::limits::{ENCAPSULATION_BYTES, ENROL_BLOB_MAX_BYTES, ID_TOKEN_MAX_BYTES, TAG_BYTES};
use crate::{CryptoError, FormatError};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use ward_id::{Canonical as _, DeviceId, SIX_WORDS, six_words};
use zeroize::Zeroizing;

/// What a new device asks its issuer to certify.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolRequest {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The device's keys, person and role.
    #[n(1)]
    pub binding: DeviceBinding,
    /// Its Ed25519 signature over the binding.
    #[n(2)]
    pub counter_sign: Signature,
    /// Its P-256 signature over the binding.
    #[n(3)]
    pub counter_auth: Signature,
    /// How well its keys are held, as it says.
    #[n(4)]
    pub attest_level: AttestLevel,
    /// An OIDC id token, where the site asks for one.
    #[n(5)]
    pub id_token: Option<String>,
}

/// The fields of a sealed request, as they travel through the server.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolBlobFields {
    /// The encapsulation.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub enc: Vec<u8>,
    /// The ciphertext.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ct: Vec<u8>,
}

impl EnrolBlobFields {
    fn check(&self) -> Result<(), FormatError> {
        if self.enc.len() != ENCAPSULATION_BYTES {
            return Err(FormatError::OutOfRange("the encapsulation"));
        }
        if self.ct.len() < TAG_BYTES || self.ct.len() > ENROL_BLOB_MAX_BYTES {
            return Err(FormatError::OutOfRange("the sealed request"));
        }
        Ok(())
    }
}

checked! {
    /// A sealed enrolment request.
    #[derive(Debug, Clone, PartialEq, Eq)]
    EnrolBlob(EnrolBlobFields)
}

impl EnrolBlob {
    pub(crate) fn hash(&self) -> [u8; 32] {
        sha256(&self.to_canonical())
    }
}

fn info(ticket: &Ticket) -> Vec<u8> {
    [ENROL.as_bytes(), ticket.srf.as_bytes(), ticket.ticket.as_bytes()].concat()
}

/// The binding must be the one that the ticket invites.
fn check_against(ticket: &Ticket, request: &EnrolRequest) -> Result<(), CryptoError> {
    let binding = &request.binding;
    let same = binding.study == ticket.study
        && binding.site == ticket.site
        && binding.person == ticket.person
        && binding.role == ticket.role
        && binding.ticket == ticket.ticket;
    if !same {
        return Err(FormatError::Mismatch("the request and the ticket").into());
    }
    if request.id_token.as_ref().is_some_and(|token| token.len() > ID_TOKEN_MAX_BYTES) {
        return Err(FormatError::OutOfRange("the id token").into());
    }
    Ok(())
}

/// Seals a request to the issuer that the ticket names.
///
/// # Errors
/// [`FormatError::Mismatch`] if the issuer's key is not the one whose hash the ticket carries (the
/// server presented another) or the request is not what the ticket invites.
pub fn seal_enrol_request(
    ticket: &Ticket,
    issuer: &EncPublicKey,
    request: &EnrolRequest,
    rng: &mut impl CryptoRng,
) -> Result<EnrolBlob, CryptoError> {
    if issuer.key_hash() != *ticket.issuer_enc_hash {
        return Err(FormatError::Mismatch("the issuer's key").into());
    }
    check_against(ticket, request)?;
    let plaintext = Zeroizing::new(request.to_canonical());
    let key = ticket.psk();
    let psk = Psk { key: key.as_slice(), id: ticket.ticket.as_bytes() };
    let sealed = hpke_base::seal(&issuer.hpke()?, Some(psk), &info(ticket), b"", &plaintext, rng)?;
    Ok(EnrolBlob::new(EnrolBlobFields { enc: sealed.enc, ct: sealed.ct })?)
}

/// Opens a request, and checks that it is what the ticket invites and that the device signed its
/// binding with both keys. The issuer certifies it only after the six words were the same.
///
/// # Errors
/// [`CryptoError::Rejected`] for everything that depends on a secret or a signature.
pub fn open_enrol_request(
    ticket: &Ticket,
    issuer: &EncKey,
    blob: &EnrolBlob,
) -> Result<EnrolRequest, CryptoError> {
    let key = ticket.psk();
    let psk = Psk { key: key.as_slice(), id: ticket.ticket.as_bytes() };
    let plaintext = hpke_base::open(issuer.private(), Some(psk), &info(ticket), b"", &blob.enc, &blob.ct)?;
    let request = EnrolRequest::from_canonical(&plaintext).map_err(|_| CryptoError::Rejected)?;
    check_against(ticket, &request).map_err(|_| CryptoError::Rejected)?;
    let signatures = CounterSignatures { sign: request.counter_sign, auth: request.counter_auth };
    request.binding.verify_counter_signatures(&signatures)?;
    Ok(request)
}

/// The six words that both devices show. They cover the ticket, all three keys of the new device,
/// the site and the issuer's device.
pub fn sas_words(binding: &DeviceBinding, issuer: DeviceId) -> [&'static str; SIX_WORDS] {
    let transcript = canonical_with(|e| {
        e.array(6)?
            .encode(binding.ticket)?
            .encode(binding.auth_pk)?
            .encode(binding.sign_pk)?
            .encode(&binding.enc_pk)?
            .encode(binding.site)?
            .encode(issuer)?
            .ok()
    });
    six_words(&labelled_hash(SAS, &[&transcript]))
}
