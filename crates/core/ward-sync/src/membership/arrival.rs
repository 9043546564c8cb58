//! What the server asks of an entry at its door, beyond what the log can judge for itself.
//!
//! The log has no clock, and a device that holds one chart cannot see the keys of the others. So
//! these rules cannot make an entry void; they keep it out. A server that skips them harms
//! availability and hygiene, not who may read.

use super::Membership;
use super::cut_off::CutOff;
use super::signers::Signers;
use super::state::{ChartState, DeviceRecord, SiteState};
use super::void::VoidReason;
use crate::epochs::{PackageFault, check_package};
use crate::limits::{ANNOUNCES_UNCHANGED_MAX, EPOCHS_UNCHANGED_MAX, MEMBERS_MAX, REVOKES_ALONE_MAX};
use crate::mlog::{MlogEntry, SignerId};
use crate::mlog_body::MlogBody;
use ward_crypto::{DeviceCert, EpochPackage};
use ward_id::{ChartId, DeviceId, TimestampMs};

/// What the server knows and the log does not.
#[derive(Debug, Clone, Copy)]
pub struct ArrivalFacts {
    /// The server's time.
    pub now: TimestampMs,
    /// Revocations that the entry's signer made alone within
    /// [`REVOKE_WINDOW_MS`](crate::limits::REVOKE_WINDOW_MS).
    pub revokes_by_signer: usize,
    /// Epochs that the entry's signer announced in its chart without a change of members within
    /// [`ANNOUNCE_WINDOW_MS`](crate::limits::ANNOUNCE_WINDOW_MS).
    pub announces_by_signer: usize,
    /// How the cut-off that the entry names stands to the operation log; of an entry without one,
    /// [`CutOff::Fresh`].
    pub cut_off: CutOff,
}

/// Why an entry of the membership log is not taken. Its signers must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArrivalRefusal {
    /// It would be void.
    #[error(transparent)]
    Void(#[from] VoidReason),
    /// A signer's certificate is not in date.
    #[error("the certificate of signer {0} is not in date")]
    SignerOutOfDate(SignerId),
    /// The new certificate is not in date.
    #[error("the new certificate is not in date")]
    CertificateOutOfDate,
    /// A key or the device id stands in a certificate of another chart.
    #[error("a key of the certificate, or its device id, is used in another chart")]
    KeyKnownElsewhere,
    /// A revocation names a cut-off that is no head of the operation log that counts. Its signer follows
    /// the log and signs again.
    #[error("the cut-off is no head of the operation log that counts: follow the log and sign again")]
    CutOffForeign,
    /// A second person must sign.
    #[error("a second person must sign: {0}")]
    SecondSignature(&'static str),
    /// A chart would have more member devices than [`MEMBERS_MAX`]: no epoch could be made for it
    /// and nothing could be sealed any more.
    #[error("chart {0} would have more than {MEMBERS_MAX} member devices")]
    TooManyMembers(ChartId),
    /// Epochs were announced again and again without a change of members: each stays for ever.
    #[error("the members did not change, and epochs were announced often enough")]
    TooManyEpochs,
    /// The package does not hold what its members need.
    #[error(transparent)]
    Package(#[from] PackageFault),
}

impl Membership {
    /// Whether the server takes an entry.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check_arrival(
        &self,
        entry: &MlogEntry,
        package: Option<&EpochPackage>,
        facts: ArrivalFacts,
    ) -> Result<(), ArrivalRefusal> {
        self.would_be_effective(entry, package)?;
        let body = entry.decode_body().map_err(VoidReason::Malformed)?;
        let self_signed = matches!(&body, MlogBody::DeviceCert(cert) if self.site_device(cert.binding.device).is_none()
            && entry.signatures().iter().any(|one| one.signer == cert.binding.device.into()));
        if !self_signed {
            self.check_signers_in_date(entry, facts.now)?;
        }
        self.check_member_counts(entry, &body)?;
        match &body {
            MlogBody::DeviceCert(cert) => self.check_new_certificate(cert, facts.now),
            MlogBody::RecoveryUse(recovery) => {
                self.check_cut_off(entry, facts.cut_off)?;
                self.check_new_certificate(&recovery.cert, facts.now)
            }
            MlogBody::Revoke(revoke) => {
                self.check_cut_off(entry, facts.cut_off)?;
                self.check_revoke(entry, revoke.device, facts)
            }
            MlogBody::EpochAnnounce(announce) => {
                let package = package.ok_or(VoidReason::PackageMissing)?;
                let members = self.members(announce.chart).ok_or(VoidReason::ChartNotOpen)?;
                self.check_announces(announce.chart, facts)?;
                Ok(check_package(self, package, members)?)
            }
            _ => Ok(()),
        }
    }

    fn check_signers_in_date(&self, entry: &MlogEntry, now: TimestampMs) -> Result<(), ArrivalRefusal> {
        let signers = Signers::find(self, entry, self.chart_of(entry.subject()))?;
        match signers.devices().find(|record| !record.cert().valid_at(now)) {
            Some(record) => Err(ArrivalRefusal::SignerOutOfDate(record.device().into())),
            None => Ok(()),
        }
    }

    fn check_new_certificate(&self, cert: &DeviceCert, now: TimestampMs) -> Result<(), ArrivalRefusal> {
        if !cert.valid_at(now) {
            return Err(ArrivalRefusal::CertificateOutOfDate);
        }
        let known = |state: &ChartState| state.shelf.knows_device_or_key(cert);
        if self.charts.values().any(known) { Err(ArrivalRefusal::KeyKnownElsewhere) } else { Ok(()) }
    }

    fn check_revoke(
        &self,
        entry: &MlogEntry,
        device: DeviceId,
        facts: ArrivalFacts,
    ) -> Result<(), ArrivalRefusal> {
        let signers = Signers::find(self, entry, self.chart_of(entry.subject()))?;
        if signers.persons() >= 2 {
            return Ok(());
        }
        if facts.revokes_by_signer >= REVOKES_ALONE_MAX {
            return Err(ArrivalRefusal::SecondSignature("one signer revoked many devices within a day"));
        }
        if self.is_last_staff_device(device) {
            return Err(ArrivalRefusal::SecondSignature("a chart would be left without a staff device"));
        }
        Ok(())
    }

    /// A change of members is always followed by an epoch.
    fn check_announces(&self, chart: ChartId, facts: ArrivalFacts) -> Result<(), ArrivalRefusal> {
        if self.needs_rotation(chart).is_some() {
            return Ok(());
        }
        let epochs = self.counted_epochs(chart).iter();
        let next = epochs.clone().skip(1);
        let unchanged = epochs.zip(next).filter(|(a, b)| a.members.hash() == b.members.hash()).count();
        if facts.announces_by_signer >= ANNOUNCES_UNCHANGED_MAX || unchanged >= EPOCHS_UNCHANGED_MAX {
            return Err(ArrivalRefusal::TooManyEpochs);
        }
        Ok(())
    }

    /// Refuses what would leave a chart with more member devices than an epoch can be made for. A
    /// chart that has too many already may lose some.
    fn check_member_counts(&self, entry: &MlogEntry, body: &MlogBody) -> Result<(), ArrivalRefusal> {
        match (body, self.chart_of(entry.subject())) {
            (MlogBody::Team(team), _) => {
                let mut site = self.site.clone();
                site.teams.insert(team.team, team.persons.iter().copied().collect());
                self.check_all_counts(&site)
            }
            (MlogBody::DeviceCert(cert), None) => {
                let mut site = self.site.clone();
                site.shelf.certify(DeviceRecord::new(cert.clone(), self.size()));
                self.check_all_counts(&site)
            }
            (MlogBody::DeviceCert(cert), Some(chart)) => self.check_count(chart, |state| {
                state.shelf.certify(DeviceRecord::new(cert.clone(), self.size()));
            }),
            (MlogBody::RecoveryUse(recovery), Some(chart)) => self.check_count(chart, |state| {
                let lost = |record: &DeviceRecord| recovery.revoked.contains(&record.device());
                state.shelf.devices.retain(|_, record| !lost(record));
                state.shelf.certify(DeviceRecord::new(recovery.cert.clone(), self.size()));
            }),
            (MlogBody::SpaceMember(one), Some(chart)) => self.check_count(chart, |state| {
                state.persons.insert(one.person, one.add);
            }),
            (MlogBody::ChartOpen(open), Some(chart)) => {
                self.check_count(chart, |state| state.open = Some(open.clone()))
            }
            _ => Ok(()),
        }
    }

    /// The members of every chart, were the site's own part of the log this one.
    fn check_all_counts(&self, site: &SiteState) -> Result<(), ArrivalRefusal> {
        let full = self.charts.iter().find(|(_, state)| grows_too_large(state, state, site));
        full.map_or(Ok(()), |(chart, _)| Err(ArrivalRefusal::TooManyMembers(*chart)))
    }

    /// The members of one chart after a change of its own part of the log.
    fn check_count(
        &self,
        chart: ChartId,
        change: impl FnOnce(&mut ChartState),
    ) -> Result<(), ArrivalRefusal> {
        let now = self.charts.get(&chart).cloned().unwrap_or_default();
        let mut next = now.clone();
        change(&mut next);
        if grows_too_large(&now, &next, &self.site) {
            Err(ArrivalRefusal::TooManyMembers(chart))
        } else {
            Ok(())
        }
    }

    /// Whether a chart has this device and no other of staff.
    fn is_last_staff_device(&self, device: DeviceId) -> bool {
        self.charts.values().filter_map(ChartState::current).any(|members| {
            let staff = |m: &&super::Member| m.role.is_staff();
            let mut all = members.members().iter().filter(staff);
            matches!((all.next(), all.next()), (Some(only), None) if only.device == device)
        })
    }
}

fn grows_too_large(now: &ChartState, next: &ChartState, site: &SiteState) -> bool {
    let before = now.current().map_or(0, |set| set.members().len());
    let after = next.compute_members(site).members().len();
    after > MEMBERS_MAX && after > before
}
