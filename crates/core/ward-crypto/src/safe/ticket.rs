//! The one-time invitation that a coordinator's device shows and a new device scans.

use super::certificate::Role;
use super::enrolment::EnrolBlob;
use super::random::random_bytes;
use crate::codec::{V1, cbor_bytes, checked};
use crate::hazmat::kdf;
use crate::labels::{REDEEM, TICKET_PSK, TICKET_SRV};
use crate::limits::{KEY_BYTES, SERVER_ORIGIN_MAX_BYTES, SPKI_PINS_MAX, TICKET_TEXT_MAX_BYTES};
use crate::{CryptoError, FormatError, TicketError};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq as _;
use ward_id::{
    Canonical as _, ChartId, DeviceId, PersonId, RootFingerprint, SiteId, StudyId, TicketId, TimestampMs,
    base64url_decode, base64url_encode,
};
use zeroize::{ZeroizeOnDrop, Zeroizing};

const TEXT_PREFIX: &str = "ward:1:";

/// 32 random bytes that only the two devices know. Not printable, wiped when dropped.
#[derive(ZeroizeOnDrop)]
pub struct TicketSecret([u8; KEY_BYTES]);

impl TicketSecret {
    /// Makes a new secret.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(random_bytes(rng))
    }

    /// Takes back a secret that was stored under the device's own wrap.
    pub const fn from_secret_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    fn derive(&self, ticket: TicketId, label: crate::Label) -> Zeroizing<[u8; KEY_BYTES]> {
        kdf::hkdf(&self.0, ticket.as_bytes(), &[label.as_bytes()])
    }
}

cbor_bytes!(TicketSecret[KEY_BYTES], |bytes: &[u8; KEY_BYTES]| Ok::<_, &'static str>(TicketSecret(*bytes)));

/// The fields of a ticket. Holds a secret, so it cannot be printed or copied.
#[derive(Encode, Decode)]
#[cbor(map)]
pub struct TicketFields {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The study.
    #[n(1)]
    pub study: StudyId,
    /// The site.
    #[n(2)]
    pub site: SiteId,
    /// The pin of the site's root policy.
    #[n(3)]
    pub srf: RootFingerprint,
    /// The id of the ticket.
    #[n(4)]
    pub ticket: TicketId,
    /// The secret.
    #[n(5)]
    pub secret: TicketSecret,
    /// Where the server is: scheme, host and port.
    #[n(6)]
    pub server_origin: String,
    /// SHA-256 of the server's TLS public keys.
    #[n(7)]
    pub spki_pins: Vec<ByteArray<32>>,
    /// SHA-256 of the issuer's X-Wing key.
    #[n(8)]
    pub issuer_enc_hash: ByteArray<32>,
    /// The device that made the ticket.
    #[n(9)]
    pub issuer_device: DeviceId,
    /// The person who is invited.
    #[n(10)]
    pub person: PersonId,
    /// Their role.
    #[n(11)]
    pub role: Role,
    /// The chart of a patient; absent for all others.
    #[n(12)]
    pub chart: Option<ChartId>,
    /// First instant at which the ticket is no longer valid.
    #[n(13)]
    pub not_after: TimestampMs,
    /// Whether the site's root keys were made on independent machines.
    #[n(14)]
    pub independent: bool,
}

impl TicketFields {
    fn check(&self) -> Result<(), FormatError> {
        if (self.role == Role::Patient) != self.chart.is_some() {
            return Err(FormatError::Mismatch("the role and the chart of the ticket"));
        }
        if self.spki_pins.len() > SPKI_PINS_MAX {
            return Err(FormatError::OutOfRange("the number of TLS pins"));
        }
        let origin = self.server_origin.as_bytes();
        if origin.is_empty()
            || origin.len() > SERVER_ORIGIN_MAX_BYTES
            || !origin.iter().all(u8::is_ascii_graphic)
        {
            return Err(FormatError::OutOfRange("the server's origin"));
        }
        Ok(())
    }
}

checked! {
    /// A ticket that keeps the rules.
    Ticket(TicketFields)
}

impl Ticket {
    /// The text of the QR code: `ward:1:` and base64url of the canonical bytes. It holds the
    /// secret: show it, never log or store it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new(self.to_canonical());
        let body = Zeroizing::new(base64url_encode(&bytes));
        let mut text = Zeroizing::new(String::with_capacity(TEXT_PREFIX.len() + body.len()));
        text.push_str(TEXT_PREFIX);
        text.push_str(&body);
        text
    }

    /// Reads the text, strictly: one ticket has one spelling.
    ///
    /// # Errors
    /// [`TicketError::NotATicket`].
    pub fn from_text(text: &str) -> Result<Self, TicketError> {
        if text.len() > TICKET_TEXT_MAX_BYTES {
            return Err(TicketError::NotATicket);
        }
        let body = text.strip_prefix(TEXT_PREFIX).ok_or(TicketError::NotATicket)?;
        let bytes = Zeroizing::new(base64url_decode(body).map_err(|_| TicketError::NotATicket)?);
        Self::from_canonical(&bytes).map_err(|_| TicketError::NotATicket)
    }

    /// Refuses a ticket of another site than the one this device belongs to. Call it before
    /// anything is sent: a code shown by an attacker must not cause a network call.
    ///
    /// # Errors
    /// [`TicketError::OtherSite`].
    pub fn check_site(&self, pin: Option<RootFingerprint>) -> Result<(), TicketError> {
        match pin {
            Some(pin) if pin != self.srf => Err(TicketError::OtherSite),
            _ => Ok(()),
        }
    }

    /// The half of the secret that the server gets when the ticket is registered.
    pub fn redeem_key(&self) -> RedeemKey {
        RedeemKey(*self.secret.derive(self.ticket, TICKET_SRV))
    }

    /// The half of the secret that the server never gets.
    pub(crate) fn psk(&self) -> Zeroizing<[u8; KEY_BYTES]> {
        self.secret.derive(self.ticket, TICKET_PSK)
    }
}

/// What the server holds of a ticket. It can check a redemption and open nothing.
///
/// ```
/// use ward_crypto::{EnrolBlob, RedeemKey};
/// # use ward_id::{Canonical, TicketId};
/// # let ticket = TicketId::from_bytes([1; 16]);
/// # let mut bytes = vec![0xa2, 0, 0x59, 0x04, 0x60];
/// # bytes.extend([7; 1120]);
/// # bytes.extend([1, 0x50]);
/// # bytes.extend([7; 16]);
/// # let blob = EnrolBlob::from_canonical(&bytes).unwrap();
/// let key = RedeemKey::from_bytes([9; 32]);
/// let proof = key.proof(ticket, &blob);
/// assert!(key.verify_proof(ticket, &blob, &proof).is_ok());
/// assert!(key.verify_proof(ticket, &blob, &[0; 32]).is_err());
/// ```
#[derive(ZeroizeOnDrop)]
pub struct RedeemKey([u8; KEY_BYTES]);

impl RedeemKey {
    /// Takes the 32 bytes `srv` that a registration carried.
    pub const fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes `srv`, for the registration and the server's table of tickets.
    pub const fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// What the new device sends with its sealed request.
    pub fn proof(&self, ticket: TicketId, blob: &EnrolBlob) -> [u8; 32] {
        kdf::hmac_parts(&self.0, &[REDEEM.as_bytes(), ticket.as_bytes(), &blob.hash()])
    }

    /// Checks a proof in constant time.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`]. The server counts it; five burn the ticket.
    pub fn verify_proof(&self, ticket: TicketId, blob: &EnrolBlob, proof: &[u8]) -> Result<(), CryptoError> {
        if bool::from(self.proof(ticket, blob).as_slice().ct_eq(proof)) {
            Ok(())
        } else {
            Err(CryptoError::Rejected)
        }
    }
}
