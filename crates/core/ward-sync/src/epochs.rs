//! Epochs of a chart: planning the next one, and accepting one that somebody else made.

use crate::limits::{EPOCH_MAX_AGE_MS, MEMBERS_MAX};
use crate::membership::{CountedEpoch, MemberSet, Membership, VoidReason};
use alloc::vec::Vec;
use ward_audit::TreeHead;
use ward_crypto::{
    AcceptedSuites, CryptoError, EncKey, EncPublicKey, EpochPackage, EpochSecret, NewEpoch, PreviousEpoch,
    SiteManifest, open_epoch_package,
};
use ward_id::{ChartId, DeviceId, MemberSetHash, PackageHash, SiteId, TimestampMs};

/// Why no new epoch can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// The chart is not open in this view. The caller must fetch the log.
    #[error("the chart is not open")]
    ChartNotOpen,
    /// Only a member makes an epoch. Another device must.
    #[error("this device is not a member of the chart")]
    NotMember,
    /// An announced package is missing. The caller must fetch it.
    #[error("the announced package {0} is missing; fetch it")]
    PackageMissing(PackageHash),
    /// More devices than one package serves. An admin must take some away.
    #[error("the chart has {0} member devices; at most {MEMBERS_MAX} are served")]
    TooManyMembers(usize),
}

/// What the next epoch of a chart is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationPlan {
    /// The site.
    pub site: SiteId,
    /// The chart.
    pub chart: ChartId,
    /// The number of the new epoch.
    pub epoch: u64,
    /// The counted epoch that it follows.
    pub previous: Option<PreviousEpoch>,
    /// The head of the membership log that it is made on.
    pub head: TreeHead,
    /// Who makes it.
    pub author: DeviceId,
    /// For whom.
    pub members: Vec<(DeviceId, EncPublicKey)>,
    /// The hash of those members.
    pub member_set_hash: MemberSetHash,
}

impl RotationPlan {
    /// The plan as the package maker takes it. `history` are all secrets of the chart that the
    /// author holds; that of the epoch before may be missing, if its package does not open.
    pub fn new_epoch<'a>(&'a self, history: &'a [&'a EpochSecret]) -> NewEpoch<'a> {
        NewEpoch {
            site: self.site,
            chart: self.chart,
            previous: self.previous,
            history,
            mlog_size: self.head.size,
            mlog_root: self.head.root,
            author: self.author,
            members: &self.members,
        }
    }
}

/// Plans the next epoch of a chart for exactly its members as the log stands.
///
/// # Errors
/// [`RotationError`].
pub fn plan_rotation(
    membership: &Membership,
    chart: ChartId,
    author: DeviceId,
) -> Result<RotationPlan, RotationError> {
    let set = membership.members(chart).ok_or(RotationError::ChartNotOpen)?;
    if !set.contains(author) {
        return Err(RotationError::NotMember);
    }
    if let Some(package) = membership.awaited_package(chart) {
        return Err(RotationError::PackageMissing(package));
    }
    if set.members().len() > MEMBERS_MAX {
        return Err(RotationError::TooManyMembers(set.members().len()));
    }
    let key = |device| Some((device, membership.device(chart, device)?.cert().binding.enc_pk.clone()));
    let counted = membership.counted_epoch(chart);
    Ok(RotationPlan {
        site: membership.root_policy().site,
        chart,
        epoch: counted.map_or(0, |counted| counted.epoch.saturating_add(1)),
        previous: counted.map(|counted| PreviousEpoch { epoch: counted.epoch, package: counted.package }),
        head: membership.head(),
        author,
        members: set.devices().filter_map(key).collect(),
        member_set_hash: set.hash(),
    })
}

/// Whether an epoch is so old that the next one is due, though no member changed.
pub fn epoch_is_old(counted_at: TimestampMs, now: TimestampMs) -> bool {
    now.since_ms(counted_at) >= EPOCH_MAX_AGE_MS
}

/// A package that does not hold what its members need. Its author's app is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackageFault {
    /// Its author is not a member.
    #[error("the author of the package, {0}, is not a member of the chart")]
    AuthorNotMember(DeviceId),
    /// Its signature does not hold.
    #[error("the signature of the package does not hold")]
    Signature,
    /// It serves a device that is no member.
    #[error("the package serves {0}, which is not a member of the chart")]
    ServesStranger(DeviceId),
    /// It leaves out a member.
    #[error("the package leaves out {0}, a member of the chart")]
    LeavesOut(DeviceId),
}

/// Checks a package against the members at its announce.
///
/// # Errors
/// The first fault; a stranger comes before a member left out.
pub fn check_package(
    membership: &Membership,
    package: &EpochPackage,
    members: &MemberSet,
) -> Result<(), PackageFault> {
    let header = package.header();
    let author = members
        .contains(header.author)
        .then(|| membership.device(header.chart, header.author))
        .flatten()
        .ok_or(PackageFault::AuthorNotMember(header.author))?;
    package.verify_signature(&author.cert().binding.sign_pk).map_err(|_| PackageFault::Signature)?;
    if let Some(stranger) = package.wrapped_devices().find(|device| !members.contains(*device)) {
        return Err(PackageFault::ServesStranger(stranger));
    }
    let served: Vec<DeviceId> = package.wrapped_devices().collect();
    match members.devices().find(|device| served.binary_search(device).is_err()) {
        Some(left_out) => Err(PackageFault::LeavesOut(left_out)),
        None => Ok(()),
    }
}

/// Why a package is kept aside. Each is an alarm: somebody tried to change who reads, or an app is
/// broken. Nothing is wrapped again without an act of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Quarantine {
    /// No announce of it counts.
    #[error("no announce of this package counts: {}", .0.map_or("it was not announced", |_| "its announce is void"))]
    DoesNotCount(Option<VoidReason>),
    /// It breaks a rule that anybody can see.
    #[error(transparent)]
    Fault(#[from] PackageFault),
    /// This device's own wrap is missing, does not open, or holds another secret than the package
    /// commits to.
    #[error("this device's part of the package does not open: {0}")]
    OwnWrap(CryptoError),
}

/// An epoch that this device may use.
pub struct AcceptedEpoch {
    /// Its secret.
    pub secret: EpochSecret,
    /// A member that the author left out: an alarm, but no reason to refuse.
    pub left_out: Option<DeviceId>,
}

/// Accepts a package: it counts, its author was a member at the announce, its signature holds, it
/// serves no stranger, this device's wrap opens, and it holds the secret that it commits to.
///
/// # Errors
/// Why it is kept aside.
pub fn accept_package(
    membership: &Membership,
    package: &EpochPackage,
    device: DeviceId,
    key: &EncKey,
) -> Result<AcceptedEpoch, Quarantine> {
    let (header, hash) = (package.header(), package.hash());
    let same = |counted: &&CountedEpoch| counted.epoch == header.epoch && counted.package == hash;
    let counted = membership
        .counted_epochs(header.chart)
        .iter()
        .find(same)
        .ok_or_else(|| Quarantine::DoesNotCount(membership.verdict_on_package(header.chart, hash)))?;
    let left_out = match check_package(membership, package, &counted.members) {
        Ok(()) => None,
        Err(PackageFault::LeavesOut(other)) if other != device => Some(other),
        Err(fault) => return Err(fault.into()),
    };
    let author =
        membership.device(header.chart, header.author).ok_or(PackageFault::AuthorNotMember(header.author))?;
    let suites = membership.manifest().map_or(AcceptedSuites::ALL, SiteManifest::accepted_suites);
    let secret = open_epoch_package(device, key, package, &author.cert().binding.sign_pk, suites)
        .map_err(Quarantine::OwnWrap)?;
    Ok(AcceptedEpoch { secret, left_out })
}
