//! Questions to the membership log.

use super::Membership;
use super::epoch_count::CountedEpoch;
use super::state::{ChartState, DeviceRecord, MemberSet, Revocation};
use crate::alert_rule_set::PublishedAlertRules;
use crate::mlog_body::RevokePolicy;
use crate::study_schema::StudySchema;
use alloc::sync::Arc;
use alloc::vec::Vec;
use ward_crypto::{Role, RootPolicy, SiteManifest};
use ward_id::{ChartId, DeviceId, MemberSetHash, PackageHash, PersonId, Subject, TeamId};

/// Whether an entry of a device stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It stands.
    Effective,
    /// It came after the cut-off of a lost device: staff may adopt it.
    ToBeAdopted,
    /// It came after the cut-off of a device that is not trusted.
    Severed,
}

/// Why a chart needs a new epoch before anything is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationReason {
    /// There is none yet.
    FirstEpoch,
    /// The members are not those of the epoch that counts.
    MembersChanged,
}

impl Membership {
    /// The pinned root policy.
    pub const fn root_policy(&self) -> &RootPolicy {
        &self.root
    }

    /// The newest manifest.
    pub fn manifest(&self) -> Option<&SiteManifest> {
        self.site.manifest.as_deref()
    }

    /// The newest study schema; `None` if none was published.
    pub fn study_schema(&self) -> Option<&StudySchema> {
        self.site.schema.as_deref()
    }

    /// Every revision of the study's alert rules, the newest last; empty if none was published.
    pub fn alert_rules(&self) -> &[PublishedAlertRules] {
        &self.site.alert_rules
    }

    /// A device that may write in a chart: of its participant, or of the site.
    pub fn device(&self, chart: ChartId, device: DeviceId) -> Option<&DeviceRecord> {
        let own = self.charts.get(&chart).and_then(|state| state.shelf.devices.get(&device));
        own.or_else(|| self.site.shelf.devices.get(&device))
    }

    /// A device of the site: staff, recovery and everybody else but patients.
    pub fn site_device(&self, device: DeviceId) -> Option<&DeviceRecord> {
        self.site.shelf.devices.get(&device)
    }

    /// A device by its id alone, with its chart if it is a patient's. Looks through all charts
    /// that this view holds.
    pub fn find_device(&self, device: DeviceId) -> Option<(&DeviceRecord, Option<ChartId>)> {
        if let Some(record) = self.site.shelf.devices.get(&device) {
            return Some((record, None));
        }
        self.charts.iter().find_map(|(chart, state)| Some((state.shelf.devices.get(&device)?, Some(*chart))))
    }

    /// Every device of the site itself.
    pub fn site_devices(&self) -> impl Iterator<Item = &DeviceRecord> {
        self.site.shelf.devices.values()
    }

    /// Every device of a chart's participant.
    pub fn participant_devices(&self, chart: ChartId) -> impl Iterator<Item = &DeviceRecord> {
        self.charts.get(&chart).into_iter().flat_map(|state| state.shelf.devices.values())
    }

    /// Whether the device acts as an admin: certified, unrevoked and named by the newest manifest.
    pub fn is_admin(&self, device: DeviceId) -> bool {
        self.site_device(device).is_some_and(|record| record.is_active() && self.site.is_admin(record))
    }

    /// Whether the log still trusts a device.
    pub fn is_active(&self, chart: ChartId, device: DeviceId) -> bool {
        self.device(chart, device).is_some_and(DeviceRecord::is_active)
    }

    /// The revocation of a device, if there is one.
    pub fn revocation(&self, chart: ChartId, device: DeviceId) -> Option<&Revocation> {
        self.device(chart, device).and_then(DeviceRecord::revocation)
    }

    /// Whether an entry stands whose envelope is proved to have this place in the operation log, or
    /// an earlier one; places are counted through all logs ([`Membership::olog_begin`]). An entry without
    /// a place has not arrived yet, or nothing proves that it has. A place of a log that ended counts only
    /// if everybody can prove it ([`Membership::is_provable`]).
    pub fn standing(&self, chart: ChartId, device: DeviceId, olog_index: Option<u64>) -> Standing {
        match self.revocation(chart, device) {
            None => Standing::Effective,
            Some(revocation)
                if olog_index.is_some_and(|index| index < revocation.cut && self.is_provable(index)) =>
            {
                Standing::Effective
            }
            Some(revocation) => match revocation.policy {
                RevokePolicy::Salvage => Standing::ToBeAdopted,
                RevokePolicy::Sever => Standing::Severed,
            },
        }
    }

    fn opened(&self, chart: ChartId) -> Option<&ChartState> {
        self.charts.get(&chart).filter(|state| state.open.is_some())
    }

    /// The charts that this view holds and that were opened.
    pub fn charts(&self) -> impl Iterator<Item = ChartId> + '_ {
        self.charts.iter().filter(|(_, state)| state.open.is_some()).map(|(chart, _)| *chart)
    }

    /// Whose chart it is.
    pub fn participant(&self, chart: ChartId) -> Option<PersonId> {
        self.opened(chart)?.open.as_ref().map(|open| open.participant)
    }

    /// Which team looks after a chart.
    pub fn team_of(&self, chart: ChartId) -> Option<TeamId> {
        self.opened(chart)?.open.as_ref().map(|open| open.team)
    }

    /// Every team with the persons in it.
    pub fn teams(&self) -> impl Iterator<Item = (TeamId, impl Iterator<Item = PersonId> + '_)> + '_ {
        self.site.teams.iter().map(|(team, persons)| (*team, persons.iter().copied()))
    }

    /// The persons of a team, sorted.
    pub fn team(&self, team: TeamId) -> Option<Vec<PersonId>> {
        self.site.teams.get(&team).map(|persons| persons.iter().copied().collect())
    }

    /// The members of a chart as the log stands.
    pub fn members(&self, chart: ChartId) -> Option<&Arc<MemberSet>> {
        self.opened(chart)?.current()
    }

    /// The members of a chart before the entry at `index`.
    pub fn members_at(&self, chart: ChartId, index: u64) -> Option<&Arc<MemberSet>> {
        self.opened(chart)?.members_at(index)
    }

    /// The members of a chart as they were one after another, the present ones last.
    pub fn member_sets(&self, chart: ChartId) -> impl DoubleEndedIterator<Item = &MemberSet> {
        let history = self.opened(chart).map_or(&[][..], |state| state.history.as_slice());
        history.iter().map(|(_, set)| &**set)
    }

    /// The hash of the members of a chart as the log stands.
    pub fn member_set_hash(&self, chart: ChartId) -> Option<MemberSetHash> {
        self.members(chart).map(|members| members.hash())
    }

    /// Whether a device is a member of a chart as the log stands.
    pub fn is_member(&self, chart: ChartId, device: DeviceId) -> bool {
        self.members(chart).is_some_and(|members| members.contains(device))
    }

    /// The charts of which a device is a member.
    pub fn charts_of(&self, device: DeviceId) -> Vec<ChartId> {
        self.charts().filter(|chart| self.is_member(*chart, device)).collect()
    }

    /// The epoch of a chart that counts. While an announce waits for its package, the one before.
    pub fn counted_epoch(&self, chart: ChartId) -> Option<&CountedEpoch> {
        self.opened(chart)?.epochs.counted().last()
    }

    /// All epochs of a chart that count or counted, from 0 on.
    pub fn counted_epochs(&self, chart: ChartId) -> &[CountedEpoch] {
        self.opened(chart).map_or(&[], |state| state.epochs.counted())
    }

    /// A package that must be fetched before it is known which epoch counts.
    pub fn awaited_package(&self, chart: ChartId) -> Option<PackageHash> {
        self.opened(chart)?.epochs.awaited()
    }

    /// How the announce at an index of the log was judged; `None` while its package is missing, or
    /// if no announce stands there.
    pub fn announce_verdict(&self, chart: ChartId, index: u64) -> Option<Result<(), super::VoidReason>> {
        self.opened(chart)?.epochs.verdict(index)
    }

    /// Why the first announce of a package is void; `None` if it was not announced, counts, or is
    /// not judged yet.
    pub fn verdict_on_package(&self, chart: ChartId, package: PackageHash) -> Option<super::VoidReason> {
        self.opened(chart)?.epochs.refusal(package)
    }

    /// Whether a chart needs a new epoch because of its members. Age is asked of
    /// [`epoch_is_old`](crate::epoch_is_old): the log has no clock.
    pub fn needs_rotation(&self, chart: ChartId) -> Option<RotationReason> {
        let members = self.members(chart)?;
        match self.counted_epoch(chart) {
            None => Some(RotationReason::FirstEpoch),
            Some(counted) if counted.members.hash() != members.hash() => Some(RotationReason::MembersChanged),
            Some(_) => None,
        }
    }

    /// Whether a device may fetch the bytes of entries under a subject: those of the site are for
    /// everybody, those of a chart for its members, admins and auditors.
    pub fn may_read(&self, device: DeviceId, subject: Subject) -> bool {
        self.find_device(device).is_some_and(|(record, _)| self.may_read_as(record, subject))
    }

    /// The same for a device that was looked up already.
    pub fn may_read_as(&self, record: &DeviceRecord, subject: Subject) -> bool {
        let device = record.device();
        let of_chart =
            |chart| self.is_admin(device) || record.role() == Role::Auditor || self.is_member(chart, device);
        record.is_active() && self.chart_of(subject).is_none_or(of_chart)
    }
}
