//! Which epoch of a chart counts: the first in the log whose package was made for exactly the
//! members at its announce.

use super::state::MemberSet;
use super::void::VoidReason;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ward_crypto::EpochPackage;
use ward_id::{ChartId, DeviceId, MemberSetHash, PackageHash, SiteId};

/// What a package says in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackageFacts {
    site: SiteId,
    chart: ChartId,
    epoch: u64,
    prev: Option<PackageHash>,
    member_set_hash: MemberSetHash,
}

impl PackageFacts {
    pub(super) fn of(package: &EpochPackage) -> Self {
        let header = package.header();
        Self {
            site: header.site,
            chart: header.chart,
            epoch: header.epoch,
            prev: header.prev_pkg_hash,
            member_set_hash: header.member_set_hash,
        }
    }
}

pub(super) type Packages = BTreeMap<PackageHash, PackageFacts>;

/// An announce that passed every rule that the log alone can judge.
#[derive(Debug, Clone)]
pub(super) struct Announce {
    pub(super) index: u64,
    pub(super) base_size: u64,
    pub(super) site: SiteId,
    pub(super) chart: ChartId,
    pub(super) epoch: u64,
    pub(super) package: PackageHash,
    pub(super) signer: DeviceId,
    pub(super) members: Arc<MemberSet>,
}

/// An epoch that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedEpoch {
    /// Its number.
    pub epoch: u64,
    /// Its package.
    pub package: PackageHash,
    /// Where in the membership log it was announced.
    pub index: u64,
    /// Who announced it.
    pub announced_by: DeviceId,
    /// For whom it was made.
    pub members: Arc<MemberSet>,
}

/// The announces of one chart, judged in the order of the log as far as packages are known.
#[derive(Debug, Clone, Default)]
pub(super) struct EpochLedger {
    announces: Vec<Announce>,
    /// One verdict for each announce, from the first on; shorter while a package is missing.
    verdicts: Vec<Result<(), VoidReason>>,
    counted: Vec<CountedEpoch>,
}

impl EpochLedger {
    pub(super) fn push(&mut self, announce: Announce, packages: &Packages) {
        self.announces.push(announce);
        self.resolve(packages);
    }

    /// Judges announces until one lacks its package.
    pub(super) fn resolve(&mut self, packages: &Packages) {
        while let Some(announce) = self.announces.get(self.verdicts.len()) {
            match judge(self.counted.last(), announce, packages.get(&announce.package)) {
                Err(VoidReason::PackageMissing) => return,
                verdict => {
                    if verdict.is_ok() {
                        self.counted.push(CountedEpoch {
                            epoch: announce.epoch,
                            package: announce.package,
                            index: announce.index,
                            announced_by: announce.signer,
                            members: announce.members.clone(),
                        });
                    }
                    self.verdicts.push(verdict);
                }
            }
        }
    }

    /// How an announce that is not in the log yet would be judged.
    pub(super) fn would_count(
        &self,
        announce: &Announce,
        facts: Option<&PackageFacts>,
    ) -> Result<(), VoidReason> {
        if self.awaited().is_some() {
            return Err(VoidReason::PackageMissing);
        }
        judge(self.counted.last(), announce, facts)
    }

    /// The package that is missing first.
    pub(super) fn awaited(&self) -> Option<PackageHash> {
        self.announces.get(self.verdicts.len()).map(|announce| announce.package)
    }

    /// The verdict over the announce at an index, or `None` while it is open.
    pub(super) fn verdict(&self, index: u64) -> Option<Result<(), VoidReason>> {
        let place = self.announces.iter().position(|announce| announce.index == index)?;
        self.verdicts.get(place).copied()
    }

    /// Why the first announce of a package does not count.
    pub(super) fn refusal(&self, package: PackageHash) -> Option<VoidReason> {
        let place = self.announces.iter().position(|announce| announce.package == package)?;
        self.verdicts.get(place).and_then(|verdict| verdict.err())
    }

    pub(super) fn counted(&self) -> &[CountedEpoch] {
        &self.counted
    }
}

fn judge(
    last: Option<&CountedEpoch>,
    announce: &Announce,
    facts: Option<&PackageFacts>,
) -> Result<(), VoidReason> {
    if let Some(last) = last.filter(|last| last.index >= announce.base_size) {
        return Err(VoidReason::Moved { by: last.index });
    }
    let expected = last.map_or(0, |last| last.epoch.saturating_add(1));
    if announce.epoch != expected {
        return Err(VoidReason::EpochNotNext { expected, got: announce.epoch });
    }
    let facts = facts.ok_or(VoidReason::PackageMissing)?;
    let same = facts.site == announce.site && facts.chart == announce.chart && facts.epoch == announce.epoch;
    if !same || facts.prev != last.map(|last| last.package) {
        return Err(VoidReason::OtherPackage);
    }
    if facts.member_set_hash == announce.members.hash() { Ok(()) } else { Err(VoidReason::MemberSetDiffers) }
}
