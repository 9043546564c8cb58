//! The rules of the membership log: what an entry would change, or why it is void.
//!
//! A rule looks at the site's own entries and at those of the entry's chart, never at another
//! chart. So a device that holds one chart comes to the same answer as the server, which holds
//! all of them.

use super::Membership;
use super::epoch_count::Announce;
use super::reopening::Reopening;
use super::signers::Signers;
use super::state::{ChartState, DeviceRecord, Revocation, Shelf};
use super::void::VoidReason;
use crate::alert_rule_set::{AlertRuleSet, PublishedAlertRules};
use crate::limits::OLOG_SPAN;
use crate::mlog::{MlogEntry, SignerId};
use crate::mlog_body::{
    Cancel, ChartOpen, EpochAnnounce, MlogBody, MlogKind, RecoveryUse, Revoke, RevokePolicy, SpaceMember,
    Team, Wipe,
};
use crate::study_schema::StudySchema;
use alloc::boxed::Box;
use alloc::vec::Vec;
use ward_audit::TreeHead;
use ward_crypto::{Role, SiteManifest, labels};
use ward_id::{ChartId, DeviceId, MlogEntryHash, PersonId};

/// What an entry changes.
pub(super) enum Change {
    Manifest(Box<SiteManifest>),
    Certify(Box<DeviceRecord>),
    Open(ChartOpen),
    Team(Team),
    Person(SpaceMember),
    Revoke(DeviceId, Revocation),
    Wipe(DeviceId),
    Cancel(Vec<(MlogEntryHash, SignerId)>),
    Announce(Announce),
    Schema(Box<StudySchema>),
    AlertRules(Box<PublishedAlertRules>),
    Reopen(Box<Reopening>),
    Recover { lost: Vec<DeviceId>, revocation: Revocation, record: Box<DeviceRecord> },
}

/// Who signs against a participant's device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Revokers {
    /// Staff of the chart only. Whoever found one phone of a participant must not be able to throw away
    /// what the other one holds: what staff do, somebody at the site answers for.
    Staff,
    /// Also another device of the same person: all that the device wrote can be adopted.
    OrOwnDevice,
}

/// An entry while it is judged.
pub(super) struct Judged<'a> {
    pub(super) membership: &'a Membership,
    pub(super) entry: &'a MlogEntry,
    pub(super) chart: Option<ChartId>,
}

impl<'a> Judged<'a> {
    /// Judges an entry that would stand next in the log. Whether an announced epoch counts is
    /// decided when it is filed, for that takes its package.
    pub(super) fn judge(
        membership: &'a Membership,
        entry: &'a MlogEntry,
        hash: MlogEntryHash,
    ) -> Result<Change, VoidReason> {
        let this = Self { membership, entry, chart: membership.chart_of(entry.subject()) };
        let body = entry.decode_body()?;
        this.check_frame(hash, body.kind())?;
        if body.subject(membership.root.site).is_some_and(|subject| subject != entry.subject()) {
            return Err(VoidReason::WrongSubject);
        }
        if body.kind() != MlogKind::SiteManifest && membership.site.manifest.is_none() {
            return Err(VoidReason::NoManifest);
        }
        match body {
            MlogBody::SiteManifest(manifest) => this.manifest(manifest),
            MlogBody::DeviceCert(cert) => this.certificate(cert),
            MlogBody::ChartOpen(open) => this.open(open),
            MlogBody::Team(team) => this.team(team),
            MlogBody::SpaceMember(person) => this.person(person),
            MlogBody::Revoke(revoke) => this.revoke(&revoke),
            MlogBody::Cancel(cancel) => this.cancel(&cancel),
            MlogBody::EpochAnnounce(announce) => this.announce(&announce),
            MlogBody::RecoveryUse(recovery) => this.recover(recovery),
            MlogBody::StudySchema(schema) => this.schema(schema),
            MlogBody::AlertRules(set) => this.alert_rules(*set),
            MlogBody::Wipe(wipe) => this.wipe(&wipe),
            MlogBody::LogReopen(reopen) => this.reopen(reopen),
        }
    }

    /// What holds for every kind: site, suite, order, base, cancellation.
    fn check_frame(&self, hash: MlogEntryHash, kind: MlogKind) -> Result<(), VoidReason> {
        let (membership, entry, index) = (self.membership, self.entry, self.membership.size());
        if entry.site() != membership.root.site {
            return Err(VoidReason::WrongSite);
        }
        let accepted = membership.site.manifest.as_deref().map(SiteManifest::accepted_suites);
        if accepted.is_some_and(|suites| suites.check(entry.suite()).is_err()) {
            return Err(VoidReason::SuiteRefused);
        }
        let base = entry.base();
        match membership.root_at(base.size) {
            None => return Err(VoidReason::BaseAhead { base: base.size, index }),
            Some(root) if root != base.root => return Err(VoidReason::ForeignBase),
            Some(_) => {}
        }
        let Some(shelf) = self.shelf() else { return Ok(()) };
        if shelf.seen.contains(&hash) {
            return Err(VoidReason::Duplicate);
        }
        // Announces are compared with counted ones only, and a revocation never waits.
        if !matches!(kind, MlogKind::Revoke | MlogKind::EpochAnnounce) {
            let last = shelf.last_effective.get(&kind).filter(|last| **last >= base.size);
            if let Some(&by) = last {
                return Err(VoidReason::Moved { by });
            }
        }
        let cancelled = entry.signatures().iter().any(|one| shelf.cancels.contains(&(hash, one.signer)));
        if cancelled { Err(VoidReason::Cancelled) } else { Ok(()) }
    }

    fn shelf(&self) -> Option<&'a Shelf> {
        match self.chart {
            None => Some(&self.membership.site.shelf),
            Some(_) => self.chart_state().map(|state| &state.shelf),
        }
    }

    pub(super) fn chart_state(&self) -> Option<&'a ChartState> {
        self.membership.charts.get(&self.chart?)
    }

    /// The chart, if it was opened.
    pub(super) fn open_chart(&self) -> Result<(&'a ChartState, &'a ChartOpen), VoidReason> {
        let state = self.chart_state().ok_or(VoidReason::ChartNotOpen)?;
        Ok((state, state.open.as_ref().ok_or(VoidReason::ChartNotOpen)?))
    }

    pub(super) fn signers(&self) -> Result<Signers<'a>, VoidReason> {
        Signers::find(self.membership, self.entry, self.chart)
    }

    fn manifest(&self, manifest: Box<SiteManifest>) -> Result<Change, VoidReason> {
        let extends = match self.membership.site.manifest.as_deref() {
            None => manifest.site == self.membership.root.site && manifest.number == 0,
            Some(before) => manifest.extends(before),
        };
        if !extends {
            return Err(VoidReason::ManifestChain);
        }
        let signers = self.signers()?;
        signers.require_root(usize::from(self.membership.root.threshold))?;
        signers.verify(self.entry)?;
        Ok(Change::Manifest(manifest))
    }

    fn open(&self, open: ChartOpen) -> Result<Change, VoidReason> {
        if self.open_chart().is_ok() {
            return Err(VoidReason::ChartOpenAlready);
        }
        let signers = self.signers()?;
        signers.require(1, Signers::is_issuer)?;
        signers.verify(self.entry)?;
        Ok(Change::Open(open))
    }

    fn team(&self, team: Team) -> Result<Change, VoidReason> {
        let signers = self.signers()?;
        signers.require(1, Signers::is_admin)?;
        signers.verify(self.entry)?;
        Ok(Change::Team(team))
    }

    /// One admin: what a schema can do is bounded by the rules that every device checks.
    fn schema(&self, schema: Box<StudySchema>) -> Result<Change, VoidReason> {
        let site = &self.membership.site;
        let of_study = site.manifest.as_deref().is_some_and(|manifest| manifest.study == schema.study);
        if !of_study || !schema.extends(site.schema.as_deref()) {
            return Err(VoidReason::SchemaChain);
        }
        if let Some(finding) = schema.findings().first() {
            return Err(VoidReason::SchemaRefused(finding.fault));
        }
        let signers = self.signers()?;
        signers.require(1, Signers::is_admin)?;
        signers.verify(self.entry)?;
        Ok(Change::Schema(schema))
    }

    /// One admin. Rules decide what the care team is told of: they hide no answer and no alert that was
    /// raised before, and every care team is told of them.
    fn alert_rules(&self, set: AlertRuleSet) -> Result<Change, VoidReason> {
        let site = &self.membership.site;
        let of_study = site.manifest.as_deref().is_some_and(|manifest| manifest.study == set.study);
        if !of_study || !set.extends(site.alert_rules.last().map(|last| &last.set)) {
            return Err(VoidReason::AlertRulesOrder);
        }
        let signers = self.signers()?;
        signers.require(1, Signers::is_admin)?;
        signers.verify(self.entry)?;
        let by = signers.devices().next().map(DeviceRecord::device);
        Ok(Change::AlertRules(Box::new(PublishedAlertRules { set, place: self.membership.size(), by })))
    }

    /// Adding somebody outside the chart's team takes two: nobody alone lets a stranger read.
    fn person(&self, person: SpaceMember) -> Result<Change, VoidReason> {
        let (state, _) = self.open_chart()?;
        let outside = !state.in_team(&self.membership.site, person.person);
        let signers = self.signers()?;
        signers.require(if person.add && outside { 2 } else { 1 }, Signers::is_keeper)?;
        signers.verify(self.entry)?;
        Ok(Change::Person(person))
    }

    fn revoke(&self, revoke: &Revoke) -> Result<Change, VoidReason> {
        let target = self.filed_device(revoke.device)?;
        let by = if revoke.policy == RevokePolicy::Salvage { Revokers::OrOwnDevice } else { Revokers::Staff };
        self.require_revokers(target, by)?;
        Ok(Change::Revoke(revoke.device, self.revocation(revoke.olog, revoke.policy)))
    }

    /// Staff who may revoke a device may order its wipe, once it is revoked: taking it out of the charts
    /// never destroys anything by itself.
    fn wipe(&self, wipe: &Wipe) -> Result<Change, VoidReason> {
        let target = self.filed_device(wipe.device)?;
        if target.is_active() {
            return Err(VoidReason::NotRevoked(wipe.device));
        }
        self.require_revokers(target, Revokers::Staff)?;
        Ok(Change::Wipe(wipe.device))
    }

    fn filed_device(&self, device: DeviceId) -> Result<&'a DeviceRecord, VoidReason> {
        let known = self.shelf().and_then(|shelf| shelf.devices.get(&device));
        known.ok_or(VoidReason::UnknownDevice(device))
    }

    /// The signatures that it takes against a device.
    fn require_revokers(&self, target: &DeviceRecord, by: Revokers) -> Result<(), VoidReason> {
        let signers = self.signers()?;
        match target.role() {
            Role::Patient => signers.require(1, |signers, record| {
                let own = record.person() == target.person() && record.role() == Role::Patient;
                (own && by == Revokers::OrOwnDevice)
                    || (signers.is_staff(record) && signers.is_member(record))
            })?,
            Role::Recovery => signers.require_root(usize::from(self.membership.root.threshold))?,
            Role::Admin => signers.require(2, Signers::is_admin)?,
            _ => signers.require(1, Signers::is_admin)?,
        }
        signers.verify(self.entry)
    }

    fn revocation(&self, olog: TreeHead, policy: RevokePolicy) -> Revocation {
        // The signer's head is one of the log that counted at the entry's base.
        let begin = self.membership.olog_begin_at(self.entry.base().size);
        let cut = begin.saturating_add(olog.size.min(OLOG_SPAN));
        Revocation { index: self.membership.size(), olog, policy, cut }
    }

    /// A cancellation reaches entries that come after it: what stands in the log stands.
    fn cancel(&self, cancel: &Cancel) -> Result<Change, VoidReason> {
        if self.shelf().is_some_and(|shelf| shelf.seen.contains(&cancel.entry_hash)) {
            return Err(VoidReason::CancelTooLate);
        }
        self.signers()?.verify(self.entry)?;
        let signed = self.entry.signatures().iter();
        Ok(Change::Cancel(signed.map(|one| (cancel.entry_hash, one.signer)).collect()))
    }

    fn announce(&self, announce: &EpochAnnounce) -> Result<Change, VoidReason> {
        let (state, _) = self.open_chart()?;
        let signers = self.signers()?;
        signers.require(1, Signers::is_member)?;
        let signer = signers.devices().next().ok_or(VoidReason::Unsigned)?.device();
        let change = Announce {
            index: self.membership.size(),
            base_size: self.entry.base().size,
            site: self.entry.site(),
            chart: announce.chart,
            epoch: announce.epoch,
            package: announce.package_hash,
            signer,
            members: state.current().ok_or(VoidReason::ChartNotOpen)?.clone(),
        };
        signers.verify(self.entry)?;
        Ok(Change::Announce(change))
    }

    fn recover(&self, recovery: RecoveryUse) -> Result<Change, VoidReason> {
        let (state, open) = self.open_chart()?;
        if recovery.person != open.participant {
            return Err(VoidReason::NotParticipant);
        }
        let belongs = |device: &DeviceId| {
            state.shelf.devices.get(device).is_some_and(|record| record.person() == recovery.person)
        };
        if let Some(device) = recovery.revoked.iter().find(|device| !belongs(device)) {
            return Err(VoidReason::UnknownDevice(*device));
        }
        let signers = self.signers()?;
        signers.require(2, Signers::is_staff)?;
        if recovery.cert.binding.role != Role::Patient {
            return Err(VoidReason::Certificate("a recovery certifies a device of the participant"));
        }
        self.check_certificate(&recovery.cert, &signers, &recovery.revoked)?;
        signers.verify(self.entry)?;
        Ok(Change::Recover {
            lost: recovery.revoked,
            // The devices were lost, not turned: what they wrote can be adopted.
            revocation: self.revocation(recovery.olog, RevokePolicy::Salvage),
            record: Box::new(DeviceRecord::new(recovery.cert, self.membership.size())),
        })
    }

    /// Checks the one signature of an admin who certifies themselves.
    pub(super) fn verify_self_signed(&self, cert: &ward_crypto::DeviceCert) -> Result<(), VoidReason> {
        let signer: SignerId = cert.binding.device.into();
        let [one] = self.entry.signatures() else {
            return Err(VoidReason::MoreSignatures { needed: 1, got: self.entry.signatures().len() });
        };
        if one.signer != signer {
            return Err(VoidReason::NotAuthorised(one.signer));
        }
        cert.binding
            .sign_pk
            .verify_labelled(labels::MLOG, &self.entry.signing_digest(), &one.signature)
            .map_err(|_| VoidReason::BadSignature(signer))
    }

    /// Whether a person has an unrevoked device under this entry's subject.
    pub(super) fn has_active_device(&self, person: PersonId) -> bool {
        self.shelf().is_some_and(|shelf| shelf.active_of(person).next().is_some())
    }
}
