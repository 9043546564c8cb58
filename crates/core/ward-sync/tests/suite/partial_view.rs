//! A device that holds one chart comes to the same answers about it as the server, which holds all.

use crate::support::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

#[derive(Debug, Clone, Copy)]
struct Step {
    what: u8,
    who: u16,
    whom: u8,
}

struct Play {
    ward: Ward,
    devices: Vec<Device>,
    charts: Vec<(ChartId, PersonId)>,
    effects: Vec<Effect>,
    held: Vec<(EpochPackage, EpochSecret)>,
}

impl Play {
    fn new() -> Self {
        let mut ward = Ward::new(77);
        let (second, person) = ward.site.open(&ward.coordinator, ward.team, vec![ward.recovery.id]);
        let charts = vec![(ward.chart, ward.participant), (second, person)];
        let effects = vec![Effect::Effective; ward.site.log.len()];
        let stranger = ward.site.staff(Role::Clinician);
        let mut this = Self { ward, devices: vec![stranger], charts, effects, held: vec![] };
        this.effects.push(Effect::Effective);
        this
    }

    /// Up to two signers, entitled or not.
    fn signers(&self, pick: u16) -> Vec<&Device> {
        let ward = &self.ward;
        let staff = [&ward.coordinator, &ward.clinician, &ward.investigator, &ward.recovery, &ward.phone];
        let all: Vec<&Device> = staff.into_iter().chain(&ward.site.admins).chain(&self.devices).collect();
        let first = all[usize::from(pick & 0xff) % all.len()];
        let second = all[usize::from(pick >> 8) % all.len()];
        if pick.is_multiple_of(3) || first.id == second.id { vec![first] } else { vec![first, second] }
    }

    fn append(&mut self, entry: MlogEntry) {
        let effect = self.ward.site.append(entry);
        self.effects.push(effect);
    }

    fn step(&mut self, step: Step) {
        let (chart, participant) = self.charts[usize::from(step.whom) % self.charts.len()];
        let everybody: Vec<(DeviceId, PersonId)> = {
            let membership = &self.ward.site.membership;
            let site = membership.site_devices().map(|r| (r.device(), r.person()));
            site.chain(membership.participant_devices(chart).map(|r| (r.device(), r.person()))).collect()
        };
        let (device, person) = everybody[usize::from(step.whom) % everybody.len()];
        let site = &self.ward.site;
        let signers = self.signers(step.who);
        let base = if step.whom.is_multiple_of(5) {
            let size = site.membership.size().saturating_sub(u64::from(step.whom % 4));
            TreeHead { size, root: site.membership.root_at(size).unwrap() }
        } else {
            site.membership.head()
        };
        let sign =
            |subject: Subject, body: MlogBody| site.sign(site.entry_on(base, subject, &body), &signers);
        let entry = match step.what % 9 {
            0 => {
                let mut persons = vec![person, self.ward.coordinator.person];
                persons.sort();
                persons.dedup();
                sign(site.site.into(), MlogBody::Team(Team { team: self.ward.team, persons }))
            }
            1 | 2 => {
                let add = step.what.is_multiple_of(2);
                sign(chart.into(), MlogBody::SpaceMember(SpaceMember { chart, person, add }))
            }
            3 => {
                let subject = if step.whom.is_multiple_of(2) { site.site.into() } else { chart.into() };
                let olog = TreeHead { size: u64::from(step.whom), root: TreeRoot::from_bytes([0; 32]) };
                let policy =
                    if step.who.is_multiple_of(2) { RevokePolicy::Salvage } else { RevokePolicy::Sever };
                sign(subject, MlogBody::Revoke(Revoke { device, olog, policy, reason: String::new() }))
            }
            4 => return self.certify(step, chart, participant),
            5 => return self.rotate(chart),
            6 => {
                let entry_hash = MlogEntryHash::from_bytes([step.whom; 32]);
                sign(chart.into(), MlogBody::Cancel(Cancel { entry_hash }))
            }
            7 => {
                let last = self.ward.site.log[usize::from(step.who) % self.ward.site.log.len()].clone();
                return self.append(last);
            }
            _ => return self.recover(step, chart, participant),
        };
        self.append(entry);
    }

    fn certify(&mut self, step: Step, chart: ChartId, participant: PersonId) {
        let patient = step.whom.is_multiple_of(2);
        let person = if patient { participant } else { random_id(&mut self.ward.site.rng) };
        let role = if patient { Role::Patient } else { Role::Clinician };
        let issuer = self.signers(step.who)[0].cert.clone();
        let keys = DeviceKeys::generate(&mut self.ward.site.rng).unwrap();
        let device = random_id(&mut self.ward.site.rng);
        let plan = CertPlan { person, role, issuer: None, keys, device, attest_level: AttestLevel::Secure };
        let mut device = self.ward.site.certify(plan);
        let fields = DeviceCertFields { issuer_cert_hash: issuer.hash(), ..(*device.cert).clone() };
        device.cert = DeviceCert::new(fields).unwrap();
        let subject: Subject = if patient { chart.into() } else { self.ward.site.site.into() };
        let body = MlogBody::DeviceCert(Box::new(device.cert.clone()));
        let entry = self.ward.site.sign(self.ward.site.entry(subject, &body), &self.signers(step.who));
        self.append(entry);
        self.devices.push(device);
    }

    fn recover(&mut self, step: Step, chart: ChartId, participant: PersonId) {
        let signers: Vec<(DeviceId, DeviceCert)> =
            self.signers(step.who).iter().map(|d| (d.id, d.cert.clone())).collect();
        let keys = DeviceKeys::generate(&mut self.ward.site.rng).unwrap();
        let device = random_id(&mut self.ward.site.rng);
        let plan = CertPlan {
            person: participant,
            role: Role::Patient,
            issuer: None,
            keys,
            device,
            attest_level: AttestLevel::Secure,
        };
        let mut device = self.ward.site.certify(plan);
        let fields = DeviceCertFields { issuer_cert_hash: signers[0].1.hash(), ..(*device.cert).clone() };
        device.cert = DeviceCert::new(fields).unwrap();
        let revoked =
            self.ward.site.membership.participant_devices(chart).map(|r| r.device()).take(1).collect();
        let body = MlogBody::RecoveryUse(RecoveryUse {
            chart,
            person: participant,
            revoked,
            olog: TreeHead { size: 3, root: TreeRoot::from_bytes([0; 32]) },
            cert: Box::new(device.cert.clone()),
            reason: String::new(),
        });
        let entry = self.ward.site.sign(self.ward.site.entry(chart.into(), &body), &self.signers(step.who));
        self.append(entry);
        self.devices.push(device);
    }

    /// The coordinator makes the next epoch, if it can.
    fn rotate(&mut self, chart: ChartId) {
        let site = &mut self.ward.site;
        let author = &self.ward.coordinator;
        let Ok(plan) = plan_rotation(&site.membership, chart, author.id) else { return };
        let previous = self
            .held
            .iter()
            .find(|(package, _)| Some(package.hash()) == plan.previous.map(|before| before.package));
        if plan.previous.is_some() != previous.is_some() {
            return;
        }
        let previous = previous.map(|(package, secret)| (package, secret));
        let (package, secret) = site.package(&plan, author, previous);
        let entry = site.announce(&package, author);
        site.membership.learn_package(&package);
        site.packages.insert(package.hash(), package.clone());
        self.held.push((package, secret));
        self.append(entry);
    }
}

/// Replays the log as a device of one chart sees it.
fn partial(play: &Play, chart: ChartId) -> (Membership, Vec<Effect>) {
    let site = &play.ward.site;
    let mut view = Membership::new(site.root.clone(), Scope::Charts(BTreeSet::from([chart])));
    let mut effects = Vec::new();
    for (index, entry) in (0u64..).zip(&site.log) {
        let concerns = entry.subject() == site.site.into() || entry.subject() == chart.into();
        let effect = if concerns {
            view.apply_bytes(index, &entry.leaf(), &entry.to_canonical()).unwrap()
        } else {
            view.apply_leaf(index, entry.subject(), entry.hash()).unwrap()
        };
        effects.push(effect);
    }
    for package in site.packages.values() {
        view.learn_package(package);
    }
    (view, effects)
}

proptest! {
    #![proptest_config(crate::support::proptest_config(24))]

    #[test]
    fn a_partial_view_equals_the_full_one(
        steps in prop::collection::vec((any::<u8>(), any::<u16>(), any::<u8>()), 1..40)
    ) {
        let mut play = Play::new();
        for (what, who, whom) in steps {
            play.step(Step { what, who, whom });
        }
        let full = &play.ward.site.membership;
        for &(chart, _) in &play.charts {
            let (view, effects) = partial(&play, chart);
            prop_assert_eq!(view.head(), full.head());
            for (index, (seen, entry)) in effects.iter().zip(&play.ward.site.log).enumerate() {
                match seen {
                    Effect::Foreign => prop_assert_ne!(entry.subject(), chart.into()),
                    Effect::AwaitsPackage(_) => {
                        let verdict = view.announce_verdict(chart, index as u64);
                        let expected = match &play.effects[index] {
                            Effect::Effective => Ok(()),
                            Effect::Void(reason) => Err(*reason),
                            other => panic!("the server knows the package: {other:?}"),
                        };
                        prop_assert_eq!(verdict, Some(expected));
                    }
                    effect => prop_assert_eq!(effect, &play.effects[index]),
                }
            }
            for index in 0..=full.size() {
                prop_assert_eq!(view.members_at(chart, index), full.members_at(chart, index));
            }
            prop_assert_eq!(view.counted_epochs(chart), full.counted_epochs(chart));
            prop_assert_eq!(view.needs_rotation(chart), full.needs_rotation(chart));
            for device in full.site_devices().chain(full.participant_devices(chart)) {
                let id = device.device();
                prop_assert_eq!(view.revocation(chart, id), full.revocation(chart, id));
                prop_assert_eq!(view.standing(chart, id, Some(2)), full.standing(chart, id, Some(2)));
            }
        }
    }
}

#[test]
fn the_random_logs_are_not_trivial() {
    let mut rng = TestRng::new(1);
    let mut play = Play::new();
    for _ in 0..300 {
        let bits = rng.next();
        play.step(Step { what: bits as u8, who: (bits >> 8) as u16, whom: (bits >> 24) as u8 });
    }
    let started = Play::new().effects.len();
    let effective = play.effects[started..].iter().filter(|effect| **effect == Effect::Effective).count();
    let void = play.effects[started..].len() - effective;
    assert!(effective >= 20 && void >= 50, "{effective} effective, {void} void");
}
