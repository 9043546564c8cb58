//! May this device seal an entry now? One answer, from freshness, membership and the epoch.

use crate::epochs::epoch_is_old;
use crate::freshness::Freshness;
use crate::membership::{Membership, RotationReason};
use ward_audit::TreeHead;
use ward_id::{ChartId, DeviceId, PackageHash, TimestampMs};

/// What the device knows when it wants to seal.
#[derive(Debug, Clone, Copy)]
pub struct SealFacts<'a> {
    /// The membership log, applied up to the newest cosigned head that the device verified.
    pub membership: &'a Membership,
    /// That head.
    pub head: TreeHead,
    /// Whether the head is recent enough.
    pub freshness: Freshness,
    /// Whether a log showed two faces and nobody has looked at it yet.
    pub log_evidence: bool,
    /// The chart.
    pub chart: ChartId,
    /// The device.
    pub device: DeviceId,
    /// The package whose secret the device holds and would seal under.
    pub held_package: Option<PackageHash>,
    /// When the device accepted that package, in trusted time.
    pub held_since: Option<TimestampMs>,
}

/// What an envelope's header takes from the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealPermit {
    /// The epoch to seal under.
    pub epoch: u64,
    /// The head to name.
    pub head: TreeHead,
}

/// Why nothing is sealed. Capturing goes on in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealRefusal {
    /// A log contradicted itself. A person must look at it.
    #[error("a log of the site contradicts itself; sending stops until a person has looked at it")]
    LogEvidence,
    /// The membership log was not applied up to the head. The app must do that.
    #[error("the membership log was not applied up to its newest head")]
    NotAtHead,
    /// The time is not known. The app asks the witnesses.
    #[error("the time is not known since the device was restarted; the witnesses must be asked")]
    NeedsWitnessTime,
    /// The head is too old. The app fetches a newer one.
    #[error("the site's log was last seen {age_ms} ms ago, longer than the site allows")]
    Stale {
        /// How old the head is.
        age_ms: i64,
    },
    /// The device has no certificate in this chart. Staff must enrol it.
    #[error("this device is not certified for the chart")]
    NotCertified,
    /// The device was revoked. Staff must act.
    #[error("this device was revoked")]
    Revoked,
    /// The certificate is not in date. Staff must renew it.
    #[error("the certificate of this device is not in date")]
    CertificateOutOfDate,
    /// The device is not a member of the chart. An admin must act.
    #[error("this device is not a member of the chart")]
    NotMember,
    /// A package must be fetched first. The app does.
    #[error("the announced package {0} must be fetched first")]
    PackageMissing(PackageHash),
    /// The members changed since the epoch began: a member's app makes the next one first.
    #[error("the members of the chart changed; the next epoch must be made first")]
    RotationNeeded(RotationReason),
    /// The epoch is old: a member's app makes the next one first.
    #[error("the epoch is old; the next one must be made first")]
    EpochOld,
    /// The device does not hold the secret of the epoch that counts. It fetches the package.
    #[error("this device does not hold the epoch that counts")]
    EpochNotHeld,
}

/// Decides whether an entry may be sealed.
///
/// # Errors
/// The first reason against it.
pub fn may_seal(facts: &SealFacts<'_>) -> Result<SealPermit, SealRefusal> {
    let SealFacts { membership, chart, device, .. } = *facts;
    if facts.log_evidence {
        return Err(SealRefusal::LogEvidence);
    }
    if membership.head() != facts.head {
        return Err(SealRefusal::NotAtHead);
    }
    let now = match facts.freshness {
        Freshness::Fresh { now } => now,
        Freshness::NeedsWitnessTime => return Err(SealRefusal::NeedsWitnessTime),
        Freshness::Stale { age_ms } => return Err(SealRefusal::Stale { age_ms }),
    };
    let record = membership.device(chart, device).ok_or(SealRefusal::NotCertified)?;
    if !record.is_active() {
        return Err(SealRefusal::Revoked);
    }
    if !record.cert().valid_at(now) {
        return Err(SealRefusal::CertificateOutOfDate);
    }
    if !membership.is_member(chart, device) {
        return Err(SealRefusal::NotMember);
    }
    if let Some(package) = membership.awaited_package(chart) {
        return Err(SealRefusal::PackageMissing(package));
    }
    if let Some(reason) = membership.needs_rotation(chart) {
        return Err(SealRefusal::RotationNeeded(reason));
    }
    let counted = membership.counted_epoch(chart).ok_or(SealRefusal::EpochNotHeld)?;
    if facts.held_package != Some(counted.package) {
        return Err(SealRefusal::EpochNotHeld);
    }
    if facts.held_since.is_some_and(|since| epoch_is_old(since, now)) {
        return Err(SealRefusal::EpochOld);
    }
    Ok(SealPermit { epoch: counted.epoch, head: facts.head })
}
