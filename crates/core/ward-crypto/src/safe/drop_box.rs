//! The drop box: how a device that may not seal hands an entry to staff.

use super::digest::sha256;
use super::enc_key::{EncKey, EncPublicKey};
use super::padding::{pad, unpad};
use super::sign_key::{SignKey, SignPublicKey};
use crate::codec::{Signature, V1, canonical_with, checked, strictly_ascending};
use crate::hazmat::hpke_base;
use crate::labels::{DROP, DROP_SIG};
use crate::limits::{DROP_RECIPIENTS_MAX, ENCAPSULATION_BYTES, PADDED_MAX_BYTES, TAG_BYTES};
use crate::{CryptoError, FormatError};
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use ward_id::{ChartId, DeviceId, EntryId};
use zeroize::Zeroizing;

/// The entry, sealed to one staff device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DropWrap {
    /// For whom.
    #[n(0)]
    pub device: DeviceId,
    /// The encapsulation.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub enc: Vec<u8>,
    /// The padded entry, sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub ct: Vec<u8>,
}

/// The parts of a drop envelope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DropEnvelopeFields {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The chart.
    #[n(1)]
    pub chart: ChartId,
    /// The device that made the entry.
    #[n(2)]
    pub device: DeviceId,
    /// The entry inside.
    #[n(3)]
    pub entry_id: EntryId,
    /// One sealing for each staff device, sorted by device.
    #[n(4)]
    pub wraps: Vec<DropWrap>,
    /// The device's signature over the fields before.
    #[n(5)]
    pub signature: Signature,
}

impl DropEnvelopeFields {
    fn check(&self) -> Result<(), FormatError> {
        if self.wraps.is_empty() || self.wraps.len() > DROP_RECIPIENTS_MAX {
            return Err(FormatError::OutOfRange("the number of staff devices"));
        }
        if !strictly_ascending(&self.wraps, |wrap| wrap.device) {
            return Err(FormatError::NotSorted("the staff devices"));
        }
        let sized = |wrap: &DropWrap| {
            wrap.enc.len() == ENCAPSULATION_BYTES
                && (TAG_BYTES..=PADDED_MAX_BYTES + TAG_BYTES).contains(&wrap.ct.len())
        };
        if !self.wraps.iter().all(sized) {
            return Err(FormatError::OutOfRange("a sealed entry"));
        }
        Ok(())
    }

    fn signed_digest(&self) -> [u8; 32] {
        sha256(&canonical_with(|e| {
            e.array(5)?
                .encode(self.v)?
                .encode(self.chart)?
                .encode(self.device)?
                .encode(self.entry_id)?
                .encode(&self.wraps)?
                .ok()
        }))
    }
}

checked! {
    /// An entry that waits for a staff device to adopt or decline it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    DropEnvelope(DropEnvelopeFields)
}

impl DropEnvelope {
    /// Checks the device's signature strictly.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_signature(&self, author: &SignPublicKey) -> Result<(), CryptoError> {
        author.verify_labelled(DROP_SIG, &self.signed_digest(), &self.signature)
    }
}

fn info(chart: ChartId, entry: EntryId) -> Vec<u8> {
    [DROP.as_bytes(), chart.as_bytes(), entry.as_bytes()].concat()
}

/// Pads an entry and seals it to each staff device.
///
/// # Errors
/// [`CryptoError::TooLarge`]; [`FormatError`] for no, too many or repeated devices.
///
/// ```
/// # let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
/// use ward_crypto::*;
/// let (patient, staff) = (DeviceKeys::generate(&mut rng)?, DeviceKeys::generate(&mut rng)?);
/// let (chart, from, to): (ward_id::ChartId, ward_id::DeviceId, ward_id::DeviceId) =
///     (random_id(&mut rng), random_id(&mut rng), random_id(&mut rng));
/// let entry = ward_id::EntryId::from_bytes([1; 32]);
/// let staff_keys = [(to, staff.enc.public().clone())];
/// let dropped = seal_drop(chart, from, entry, &staff_keys, b"entry", &patient.sign, &mut rng)?;
/// assert_eq!(*open_drop(to, &staff.enc, &dropped, patient.sign.public())?, b"entry");
/// # Ok::<(), CryptoError>(())
/// ```
pub fn seal_drop(
    chart: ChartId,
    device: DeviceId,
    entry_id: EntryId,
    staff: &[(DeviceId, EncPublicKey)],
    plaintext: &[u8],
    author: &SignKey,
    rng: &mut impl CryptoRng,
) -> Result<DropEnvelope, CryptoError> {
    let padded = pad(plaintext)?;
    let info = info(chart, entry_id);
    let mut sorted: Vec<_> = staff.iter().collect();
    sorted.sort_by_key(|(device, _)| *device);
    let mut wraps = Vec::with_capacity(sorted.len());
    for (to, key) in sorted {
        let sealed = hpke_base::seal(&key.hpke()?, None, &info, b"", &padded, rng)?;
        wraps.push(DropWrap { device: *to, enc: sealed.enc, ct: sealed.ct });
    }
    let mut fields = DropEnvelopeFields {
        v: V1,
        chart,
        device,
        entry_id,
        wraps,
        signature: Signature::from_bytes([0; 64]),
    };
    fields.signature = author.sign_labelled(DROP_SIG, &fields.signed_digest());
    Ok(DropEnvelope::new(fields)?)
}

/// Checks the signature, opens a staff device's own sealing and takes the padding off.
///
/// # Errors
/// [`CryptoError::Rejected`].
pub fn open_drop(
    staff: DeviceId,
    key: &EncKey,
    dropped: &DropEnvelope,
    author: &SignPublicKey,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    dropped.verify_signature(author)?;
    let wrap = dropped.wraps.iter().find(|wrap| wrap.device == staff).ok_or(CryptoError::Rejected)?;
    let info = info(dropped.chart, dropped.entry_id);
    let padded = hpke_base::open(key.private(), None, &info, b"", &wrap.enc, &wrap.ct)?;
    unpad(&padded).map(|plaintext| Zeroizing::new(plaintext.to_vec()))
}
