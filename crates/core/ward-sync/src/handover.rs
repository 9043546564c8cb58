//! The drop box: what a device that may not seal hands to staff, for whom, and what makes a drop
//! acceptable. Server and staff devices judge by the same rules.

use crate::entry::{EntryError, EntryFrame, SignedEntry};
use crate::membership::{DeviceRecord, Membership};
use crate::mlog_body::RevokePolicy;
use crate::seal::SealRefusal;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_crypto::{CaptureSignature, DeviceCert, DropEnvelope, EncPublicKey, Signature};
use ward_id::{Canonical, ChartId, DeviceId};

/// Why entries cannot be sealed and go to the drop box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropCause {
    /// The device was revoked; whether with salvage, the server and the readers judge.
    Revoked,
    /// Its certificate is not in date.
    CertificateOutOfDate,
    /// It is suspended for a time.
    Suspended,
    /// Nobody knows whether the newest head is recent enough.
    Stale,
}

impl DropCause {
    /// The cause in a refusal to seal, if it is one that the drop box is for. All others pass by
    /// themselves or wait for a person, and the entries wait with them.
    pub const fn of_refusal(refusal: &SealRefusal) -> Option<Self> {
        match refusal {
            SealRefusal::Revoked => Some(Self::Revoked),
            SealRefusal::CertificateOutOfDate => Some(Self::CertificateOutOfDate),
            SealRefusal::Stale { .. } | SealRefusal::NeedsWitnessTime => Some(Self::Stale),
            _ => None,
        }
    }

    /// Whether an entry is handed over for this cause. A stale head passes by itself, so only what
    /// the person marked urgent goes then.
    pub const fn hands_over(self, urgent: bool) -> bool {
        urgent || !matches!(self, Self::Stale)
    }
}

/// `[frame, sig_alg, capture_sig, urgent]`: the drop envelope says neither the life nor the place of
/// an entry, so its whole frame is inside.
#[derive(Encode, Decode)]
struct DropPlaintext {
    #[n(0)]
    frame: EntryFrame,
    #[n(1)]
    sig_alg: u8,
    #[n(2)]
    capture_sig: Signature,
    #[n(3)]
    urgent: bool,
}

/// An entry as it is inside a drop envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedEntry {
    /// The entry; its name and its signature were checked when it was read.
    pub entry: SignedEntry,
    /// Whether its author asks for attention now.
    pub urgent: bool,
}

impl DroppedEntry {
    /// What a drop envelope encloses, before padding.
    pub fn plaintext(&self) -> Vec<u8> {
        DropPlaintext {
            frame: self.entry.frame().clone(),
            sig_alg: self.entry.capture().alg(),
            capture_sig: *self.entry.capture().signature(),
            urgent: self.urgent,
        }
        .to_canonical()
    }

    /// Rebuilds the entry from an opened drop and checks that it is the one that the envelope names,
    /// signed by its device when the person acted.
    ///
    /// # Errors
    /// Anything else, as for an entry inside an envelope.
    pub fn read(dropped: &DropEnvelope, plaintext: &[u8], cert: &DeviceCert) -> Result<Self, EntryError> {
        let DropPlaintext { frame, sig_alg, capture_sig, urgent } = DropPlaintext::from_canonical(plaintext)?;
        if (frame.chart, frame.device) != (dropped.chart, dropped.device) {
            return Err(EntryError::OtherEntry);
        }
        let capture =
            CaptureSignature::from_parts(sig_alg, capture_sig).ok_or(EntryError::SignatureAlgorithm)?;
        let entry = SignedEntry::unverified(frame, capture)?;
        if entry.id() != dropped.entry_id {
            return Err(EntryError::OtherEntry);
        }
        entry.verify(cert)?;
        Ok(Self { entry, urgent })
    }
}

/// Whom a device seals its drops to: the staff among the members of the newest head that it verified
/// itself, with the keys of their certificates. Never anybody whom a server names.
pub fn drop_recipients(
    membership: &Membership,
    chart: ChartId,
    sender: DeviceId,
) -> Vec<(DeviceId, EncPublicKey)> {
    let Some(members) = membership.members(chart) else { return Vec::new() };
    let staff = members.members().iter().filter(|member| member.role.is_staff() && member.device != sender);
    let key = |device| Some((device, membership.device(chart, device)?.cert().binding.enc_pk.clone()));
    staff.filter_map(|member| key(member.device)).collect()
}

/// Why a drop is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DropRefusal {
    /// No certificate of the device stands in the log for this chart. Staff must enrol it.
    #[error("no certificate of device {0} stands in the log for this chart")]
    NotCertified(DeviceId),
    /// The device was never a member of the chart. An admin must act.
    #[error("device {0} was never a member of the chart")]
    NeverMember(DeviceId),
    /// The device was revoked and is not trusted. Nothing of it is taken.
    #[error("device {0} was revoked and is not trusted any more")]
    Severed(DeviceId),
    /// It is sealed to a device that was no staff member of the chart. The sender's app is at fault.
    #[error("the drop is sealed to device {0}, which was no staff member of the chart")]
    Recipient(DeviceId),
    /// The device's signature does not hold. Whoever forwarded it must act.
    #[error("the signature of the drop does not hold")]
    Signature,
}

/// Judges a drop: its device is or was a member of the chart and is not severed, every recipient is
/// staff of the chart now or was while the sender was a member, and the signature holds.
///
/// # Errors
/// The first rule that is broken.
pub fn check_drop<'m>(
    membership: &'m Membership,
    dropped: &DropEnvelope,
) -> Result<&'m DeviceRecord, DropRefusal> {
    let (chart, device) = (dropped.chart, dropped.device);
    let record = membership.device(chart, device).ok_or(DropRefusal::NotCertified(device))?;
    if record.revocation().is_some_and(|revocation| revocation.policy == RevokePolicy::Sever) {
        return Err(DropRefusal::Severed(device));
    }
    if !membership.member_sets(chart).any(|set| set.contains(device)) {
        return Err(DropRefusal::NeverMember(device));
    }
    let present = membership.members(chart).map(|set| &**set);
    let is_staff = |wanted: DeviceId| {
        let known = membership.member_sets(chart).filter(|set| set.contains(device)).chain(present);
        known.filter_map(|set| set.get(wanted)).any(|member| member.role.is_staff())
    };
    if let Some(stranger) = dropped.wraps.iter().find(|wrap| !is_staff(wrap.device)) {
        return Err(DropRefusal::Recipient(stranger.device));
    }
    dropped.verify_signature(&record.cert().binding.sign_pk).map_err(|_| DropRefusal::Signature)?;
    Ok(record)
}
