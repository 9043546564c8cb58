//! Epochs: fetching and accepting packages, walking back through history, and making the next
//! epoch when the members changed.

use super::load::charts_without_epoch;
use super::submit::as_error;
use super::{Client, OpenDevice, SyncProblem};
use crate::limits::{EPOCH_FETCH_ROUNDS, SUBMIT_ATTEMPTS};
use crate::store::{Batch, EpochRecord, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_api::{EpochPackages, paths};
use ward_crypto::limits::HISTORY_MAX_EPOCHS;
use ward_crypto::{EpochPackage, EpochSecret, HedgedRng, PreviousEpoch, make_epoch_package, open_history};
use ward_id::{Canonical as _, ChartId, PackageHash, TimestampMs};
use ward_sync::{
    EpochAnnounce, MlogBody, Quarantine, RotationError, accept_package, epoch_is_old, plan_rotation,
};

/// An epoch whose secret this device holds.
pub(crate) struct HeldEpoch {
    pub(crate) package: EpochPackage,
    pub(crate) secret: EpochSecret,
    /// When it was accepted, in trusted time.
    pub(crate) held_since: Option<TimestampMs>,
}

fn failed(error: impl Into<ClientError>) -> SyncProblem {
    SyncProblem::of_error("epochs", error.into())
}

fn record_of(held: &HeldEpoch) -> EpochRecord {
    EpochRecord {
        package: held.package.to_canonical().into(),
        secret: held.secret.to_secret_bytes().to_vec().into(),
        held_since: held.held_since,
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Fetches what is missing of all charts. A chart that fails does not hold up the others.
    pub(crate) async fn keep_epochs(&mut self) -> Vec<SyncProblem> {
        let Ok(open) = self.device() else { return Vec::new() };
        let mut problems = Vec::new();
        for chart in charts_without_epoch(open) {
            if let Err(problem) = self.fetch_epochs(chart).await {
                problems.push(problem);
            }
        }
        problems
    }

    /// Fetches packages from the first that is not at hand until the one that counts.
    pub(crate) async fn fetch_epochs(&mut self, chart: ChartId) -> Result<(), SyncProblem> {
        let open = self.device().map_err(failed)?;
        if !open.mlog.membership.is_member(chart, open.me.device) {
            return Ok(());
        }
        let held = open.charts.get(&chart).map(|local| &local.epochs);
        let mut from = (0u64..).find(|epoch| held.is_none_or(|held| !held.contains_key(epoch))).unwrap_or(0);
        let mut packages = BTreeMap::new();
        for _ in 0..EPOCH_FETCH_ROUNDS {
            let path = paths::epochs(chart, from);
            let rows: EpochPackages = self.wire().map_err(failed)?.get(&path).await.map_err(failed)?;
            let bad = || failed(ClientError::BadAnswer { path: path.clone() });
            for row in rows {
                let package = EpochPackage::from_canonical(row.as_ref()).map_err(|_| bad())?;
                if package.header().chart != chart {
                    return Err(bad());
                }
                packages.insert(package.header().epoch, package);
            }
            let Some(last) = packages.last_key_value().map(|(epoch, _)| *epoch).filter(|last| *last >= from)
            else {
                break;
            };
            from = last.saturating_add(1);
        }
        self.take_packages(chart, packages).await
    }

    /// Accepts packages and stores their secrets. One that counts and does not open is kept in mind:
    /// the next epoch goes round it.
    async fn take_packages(
        &mut self,
        chart: ChartId,
        packages: BTreeMap<u64, EpochPackage>,
    ) -> Result<(), SyncProblem> {
        let now = self.trusted_now();
        let open = self.device_mut().map_err(failed)?;
        for package in packages.values() {
            open.mlog.membership.learn_package(package);
        }
        let (mut secrets, refused) = opened(open, chart, &packages);
        hand_back(open, chart, &packages, &mut secrets);
        let newest = open.mlog.membership.counted_epoch(chart).map(|counted| counted.package);
        let mut held = Vec::new();
        for (epoch, package) in packages {
            if let Some(secret) = secrets.remove(&epoch) {
                held.push((epoch, HeldEpoch { package, secret, held_since: now }));
            }
        }
        self.store_epochs(chart, held).await.map_err(failed)?;
        let local = self.device_mut().map_err(failed)?.chart_or_new(chart);
        local.spoilt = newest.filter(|newest| refused.iter().any(|(package, _)| package == newest));
        // An older one that counts was said when it came; the chart has gone round it since.
        let told = |(package, reason): &&(PackageHash, Quarantine)| {
            Some(*package) == newest || matches!(reason, Quarantine::DoesNotCount(_))
        };
        match refused.iter().rev().find(told) {
            Some((_, reason)) => Err(package_problem(chart, reason)),
            None => Ok(()),
        }
    }

    /// Epochs that were accepted before the time was known begin to grow old now.
    pub(crate) async fn date_epochs(&mut self) -> Result<(), ClientError> {
        let Some(now) = self.trusted_now() else { return Ok(()) };
        let mut batch = Batch::default();
        let open = self.device_mut()?;
        for (chart, local) in &mut open.charts {
            for (epoch, held) in local.epochs.iter().filter(|(_, held)| held.held_since.is_none()) {
                let mut record = record_of(held);
                record.held_since = Some(now);
                batch.put(Table::Epochs, row_id(&[chart.as_bytes(), &epoch.to_be_bytes()]), &record);
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.commit(batch).await?;
        let open = self.device_mut()?;
        let undated = open.charts.values_mut().flat_map(|local| local.epochs.values_mut());
        undated.for_each(|held| held.held_since = held.held_since.or(Some(now)));
        self.raise_mark(None).await;
        Ok(())
    }

    async fn store_epochs(&mut self, chart: ChartId, held: Vec<(u64, HeldEpoch)>) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        for (epoch, held) in &held {
            batch.put(Table::Epochs, row_id(&[chart.as_bytes(), &epoch.to_be_bytes()]), &record_of(held));
        }
        self.commit(batch).await?;
        let open = self.device_mut()?;
        // The log may have been computed anew while an own package was on its way, from the packages
        // that were held then. What is held is never fetched again, so it is made known here.
        for (_, held) in &held {
            open.mlog.membership.learn_package(&held.package);
        }
        open.chart_or_new(chart).epochs.extend(held);
        self.raise_mark(None).await;
        Ok(())
    }

    /// Makes the next epoch of every chart whose members changed, as far as this device may.
    pub(crate) async fn rotate_where_needed(&mut self) -> (Vec<(ChartId, u64)>, Vec<SyncProblem>) {
        let (mut rotated, mut problems) = (Vec::new(), self.keep_epochs().await);
        let Ok(open) = self.device() else { return (rotated, problems) };
        let now = self.trusted_now();
        let due = |chart: &ChartId| rotation_is_due(open, *chart, now);
        let charts: Vec<ChartId> =
            open.mlog.membership.charts_of(open.me.device).into_iter().filter(due).collect();
        for chart in charts {
            match self.rotate(chart).await {
                Ok(Some(epoch)) => rotated.push((chart, epoch)),
                Ok(None) => {}
                // A joiner: a device that holds the epoch before makes the next one.
                Err(ClientError::MayNotSeal) => problems.push(SyncProblem::NeedsRotation(chart)),
                Err(error) => problems.push(SyncProblem::of_error("rotation", error)),
            }
        }
        (rotated, problems)
    }

    /// Makes the next epoch of a chart. `None` if somebody else was faster.
    pub(crate) async fn rotate(&mut self, chart: ChartId) -> Result<Option<u64>, ClientError> {
        for _ in 0..SUBMIT_ATTEMPTS {
            let open = self.device()?;
            if !rotation_is_due(open, chart, self.trusted_now()) {
                return Ok(None);
            }
            let plan = plan_rotation(&open.mlog.membership, chart, open.me.device);
            let plan = match plan {
                Ok(plan) => plan,
                Err(RotationError::PackageMissing(_)) => {
                    self.fetch_epochs(chart).await.map_err(as_error)?;
                    continue;
                }
                Err(error) => return Err(ClientError::Void(error.to_string())),
            };
            let (open, env) = self.device_and_env()?;
            let local = open.charts.get(&chart);
            let holds = |before: PreviousEpoch| {
                local.is_some_and(|local| {
                    local.epochs.contains_key(&before.epoch) || local.spoilt == Some(before.package)
                })
            };
            if plan.previous.is_some_and(|before| !holds(before)) {
                return Err(ClientError::MayNotSeal);
            }
            let history: Vec<&EpochSecret> =
                local.into_iter().flat_map(|local| local.epochs.values().map(|held| &held.secret)).collect();
            let context = [chart.as_bytes().as_slice(), &plan.epoch.to_be_bytes()].concat();
            let mut rng = HedgedRng::new(env.rng(), &open.keys.hedge, &context);
            let (package, secret) =
                make_epoch_package(&plan.new_epoch(&history), &open.keys.sign, &open.keys.hedge, &mut rng)?;
            let body = MlogBody::EpochAnnounce(EpochAnnounce {
                chart,
                epoch: plan.epoch,
                package_hash: package.hash(),
            });
            let entry = self.signed(chart.into(), &body)?;
            // Known before the log is followed, so that the announce can be judged at once.
            self.device_mut()?.mlog.membership.learn_package(&package);
            match self.submit(&entry, Some(&package)).await {
                Ok(_) => {
                    let held = HeldEpoch { package, secret, held_since: self.trusted_now() };
                    self.store_epochs(chart, vec![(plan.epoch, held)]).await?;
                    return Ok(Some(plan.epoch));
                }
                Err(ClientError::Contended) => {
                    self.fetch_epochs(chart).await.map_err(as_error)?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(ClientError::Contended)
    }
}

/// Whether this device should make the next epoch of a chart: its members changed, its key is old,
/// the package that counts does not open here, or its author did not hand on what this device holds.
fn rotation_is_due(open: &OpenDevice, chart: ChartId, now: Option<TimestampMs>) -> bool {
    let membership = &open.mlog.membership;
    if membership.needs_rotation(chart).is_some() {
        return true;
    }
    let (Some(local), Some(counted)) = (open.charts.get(&chart), membership.counted_epoch(chart)) else {
        return false;
    };
    let Some(held) = local.epochs.get(&counted.epoch) else { return local.spoilt == Some(counted.package) };
    let old = held.held_since.zip(now).is_some_and(|(at, now)| epoch_is_old(at, now));
    old || !hands_on_all(held, &local.epochs)
}

/// Whether a package hands on every earlier secret that this device holds, as far as one can. What
/// it leaves out, devices that join now could never read.
fn hands_on_all(newest: &HeldEpoch, held: &BTreeMap<u64, HeldEpoch>) -> bool {
    let earlier = held.range(..newest.secret.epoch()).rev().take(HISTORY_MAX_EPOCHS);
    let earlier: Vec<&EpochPackage> = earlier.map(|(_, one)| &one.package).collect();
    let handed_on = open_history(&newest.secret, &newest.package, earlier.iter().copied());
    handed_on.is_ok_and(|secrets| secrets.len() == earlier.len())
}

/// Opens this device's own part of each package. What it cannot open, though it was made for it, is
/// given back with the reason.
fn opened(
    open: &OpenDevice,
    chart: ChartId,
    packages: &BTreeMap<u64, EpochPackage>,
) -> (BTreeMap<u64, EpochSecret>, Vec<(PackageHash, Quarantine)>) {
    let (mut secrets, mut refused) = (BTreeMap::new(), Vec::new());
    let local = open.charts.get(&chart);
    for (epoch, package) in packages {
        let known = local.is_some_and(|local| local.epochs.contains_key(epoch));
        if known || made_before_joining(open, package) {
            continue;
        }
        match accept_package(&open.mlog.membership, package, open.me.device, &open.keys.enc) {
            Ok(accepted) => {
                secrets.insert(*epoch, accepted.secret);
            }
            Err(reason) => refused.push((package.hash(), reason)),
        }
    }
    (secrets, refused)
}

/// Takes the earlier secrets that later packages hand on: a joiner was wrapped in the newest only.
fn hand_back(
    open: &OpenDevice,
    chart: ChartId,
    packages: &BTreeMap<u64, EpochPackage>,
    secrets: &mut BTreeMap<u64, EpochSecret>,
) {
    let counted = open.mlog.membership.counted_epochs(chart);
    let counts = |package: &&EpochPackage| {
        let hash = package.hash();
        counted.iter().any(|one| one.epoch == package.header().epoch && one.package == hash)
    };
    let held = open.charts.get(&chart).map(|local| &local.epochs);
    let is_held = |epoch: &u64| held.is_some_and(|held| held.contains_key(epoch));
    for (epoch, package) in packages.iter().rev() {
        let at_hand = held.and_then(|held| held.get(epoch)).map(|held| (&held.secret, &held.package));
        let Some((secret, package)) = at_hand.or_else(|| Some((secrets.get(epoch)?, package))) else {
            continue;
        };
        let wanted = packages.range(..epoch);
        let wanted = wanted.filter(|(earlier, _)| !secrets.contains_key(earlier) && !is_held(earlier));
        let wanted: Vec<&EpochPackage> = wanted.map(|(_, package)| package).filter(counts).collect();
        if wanted.is_empty() {
            continue;
        }
        let Ok(found) = open_history(secret, package, wanted) else { continue };
        secrets.extend(found.into_iter().map(|secret| (secret.epoch(), secret)));
    }
}

/// Whether a package counts and was made for members among whom this device was not yet.
fn made_before_joining(open: &OpenDevice, package: &EpochPackage) -> bool {
    let (header, hash) = (package.header(), package.hash());
    let counted = open.mlog.membership.counted_epochs(header.chart).iter();
    counted.filter(|counted| counted.package == hash).any(|counted| !counted.members.contains(open.me.device))
}

fn package_problem(chart: ChartId, reason: &Quarantine) -> SyncProblem {
    SyncProblem::BadPackage { chart, why: reason.to_string() }
}
