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
use ward_crypto::{EpochPackage, EpochSecret, HedgedRng, make_epoch_package, open_history};
use ward_id::{Canonical as _, ChartId, TimestampMs};
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

    /// Fetches packages until the one that counts is at hand.
    pub(crate) async fn fetch_epochs(&mut self, chart: ChartId) -> Result<(), SyncProblem> {
        for _ in 0..EPOCH_FETCH_ROUNDS {
            let open = self.device().map_err(failed)?;
            if !open.mlog.membership.is_member(chart, open.me.device) {
                return Ok(());
            }
            let known = open
                .charts
                .get(&chart)
                .and_then(|local| local.epochs.last_key_value())
                .map(|(epoch, _)| *epoch);
            let path = paths::epochs(chart, known.map_or(0, |epoch| epoch + 1));
            let rows: EpochPackages = self.wire().map_err(failed)?.get(&path).await.map_err(failed)?;
            if rows.is_empty() {
                return Ok(());
            }
            let bad = || failed(ClientError::BadAnswer { path: path.clone() });
            let mut packages = BTreeMap::new();
            for row in rows {
                let package = EpochPackage::from_canonical(row.as_ref()).map_err(|_| bad())?;
                if package.header().chart != chart {
                    return Err(bad());
                }
                packages.insert(package.header().epoch, package);
            }
            if !self.take_packages(chart, packages).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Accepts packages and stores their secrets. Whether there may be more to fetch.
    async fn take_packages(
        &mut self,
        chart: ChartId,
        packages: BTreeMap<u64, EpochPackage>,
    ) -> Result<bool, SyncProblem> {
        let now = self.trusted_now();
        let open = self.device_mut().map_err(failed)?;
        for package in packages.values() {
            open.mlog.membership.learn_package(package);
        }
        let mut secrets: BTreeMap<u64, EpochSecret> = BTreeMap::new();
        let mut quarantined = None;
        for (epoch, package) in &packages {
            if made_before_joining(open, package) {
                continue;
            }
            match accept_package(&open.mlog.membership, package, open.me.device, &open.keys.enc) {
                Ok(accepted) => {
                    secrets.insert(*epoch, accepted.secret);
                }
                Err(reason) => quarantined = Some(reason),
            }
        }
        // From each secret back to the one before: a joiner was wrapped in the newest only.
        for (epoch, package) in packages.iter().rev() {
            let Some(previous) = epoch.checked_sub(1) else { break };
            if secrets.contains_key(&previous) {
                continue;
            }
            let (Some(secret), Some(before)) = (secrets.get(epoch), packages.get(&previous)) else {
                continue;
            };
            if let Ok(opened) = open_history(secret, package, before) {
                secrets.insert(previous, opened);
            }
        }
        let mut held = Vec::new();
        for (epoch, package) in packages {
            if let Some(secret) = secrets.remove(&epoch) {
                held.push((epoch, HeldEpoch { package, secret, held_since: now }));
            }
        }
        let took_some = !held.is_empty();
        self.store_epochs(chart, held).await.map_err(failed)?;
        match quarantined {
            // Without any secret the newest package is not for this device, or was tampered with.
            Some(reason) if !took_some => Err(package_problem(chart, &reason)),
            _ => Ok(took_some),
        }
    }

    async fn store_epochs(&mut self, chart: ChartId, held: Vec<(u64, HeldEpoch)>) -> Result<(), ClientError> {
        let mut batch = Batch::default();
        for (epoch, held) in &held {
            let record = EpochRecord {
                package: held.package.to_canonical().into(),
                secret: held.secret.to_secret_bytes().to_vec().into(),
                held_since: held.held_since,
            };
            batch.put(Table::Epochs, row_id(&[chart.as_bytes(), &epoch.to_be_bytes()]), &record);
        }
        self.commit(batch).await?;
        self.device_mut()?.chart_or_new(chart).epochs.extend(held);
        self.raise_mark(None).await;
        Ok(())
    }

    /// Makes the next epoch of every chart whose members changed, as far as this device may.
    pub(crate) async fn rotate_where_needed(&mut self) -> (Vec<(ChartId, u64)>, Vec<SyncProblem>) {
        let Ok(open) = self.device() else { return (Vec::new(), Vec::new()) };
        let now = self.trusted_now();
        let membership = &open.mlog.membership;
        let due = |chart: &ChartId| {
            let held = open.charts.get(chart).and_then(|local| local.epochs.last_key_value());
            let old = held
                .and_then(|(_, held)| held.held_since)
                .zip(now)
                .is_some_and(|(at, now)| epoch_is_old(at, now));
            membership.needs_rotation(*chart).is_some() || old
        };
        let charts: Vec<ChartId> = membership.charts_of(open.me.device).into_iter().filter(due).collect();
        let (mut rotated, mut problems) = (Vec::new(), self.keep_epochs().await);
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
            let plan = {
                let open = self.device()?;
                let current = open.mlog.membership.needs_rotation(chart).is_none();
                let held = open.charts.get(&chart).and_then(|local| local.epochs.last_key_value());
                let old = held.and_then(|(_, held)| held.held_since).zip(self.trusted_now());
                if current && !old.is_some_and(|(at, now)| epoch_is_old(at, now)) {
                    return Ok(None);
                }
                plan_rotation(&open.mlog.membership, chart, open.me.device)
            };
            let plan = match plan {
                Ok(plan) => plan,
                Err(RotationError::PackageMissing(_)) => {
                    self.fetch_epochs(chart).await.map_err(as_error)?;
                    continue;
                }
                Err(error) => return Err(ClientError::Void(error.to_string())),
            };
            let (open, env) = self.device_and_env()?;
            let held = plan
                .epoch
                .checked_sub(1)
                .map(|epoch| open.charts.get(&chart).and_then(|local| local.epochs.get(&epoch)));
            let previous = match held {
                None => None,
                Some(Some(held)) => Some((&held.package, &held.secret)),
                Some(None) => return Err(ClientError::MayNotSeal),
            };
            let context = [chart.as_bytes().as_slice(), &plan.epoch.to_be_bytes()].concat();
            let mut rng = HedgedRng::new(env.rng(), &open.keys.hedge, &context);
            let (package, secret) =
                make_epoch_package(&plan.new_epoch(previous), &open.keys.sign, &open.keys.hedge, &mut rng)?;
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

/// Whether a package counts and was made for members among whom this device was not yet.
fn made_before_joining(open: &OpenDevice, package: &EpochPackage) -> bool {
    let (header, hash) = (package.header(), package.hash());
    let counted = open.mlog.membership.counted_epochs(header.chart).iter();
    counted.filter(|counted| counted.package == hash).any(|counted| !counted.members.contains(open.me.device))
}

fn package_problem(chart: ChartId, reason: &Quarantine) -> SyncProblem {
    SyncProblem::BadPackage { chart, why: reason.to_string() }
}
