//! The rules of the membership log, one by one.

use crate::support::*;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;

fn void(effect: Effect) -> VoidReason {
    match effect {
        Effect::Void(reason) => reason,
        other => panic!("expected a void entry, got {other:?}"),
    }
}

#[test]
fn a_ward_has_the_members_it_should_have() {
    let ward = Ward::new(1);
    let mut expected =
        vec![ward.coordinator.id, ward.clinician.id, ward.investigator.id, ward.recovery.id, ward.phone.id];
    expected.sort();
    assert_eq!(ward.members(), expected);
    let membership = &ward.site.membership;
    assert_eq!(membership.charts_of(ward.phone.id), [ward.chart]);
    assert!(membership.charts_of(ward.site.admins[0].id).is_empty(), "admins are not members by role");
    assert_eq!(membership.participant(ward.chart), Some(ward.participant));
    assert_eq!(membership.find_device(ward.phone.id).unwrap().1, Some(ward.chart));
    assert!(membership.is_admin(ward.site.admins[1].id) && !membership.is_admin(ward.phone.id));
    let expected_hash = {
        let key = |d: &Device| (d.id, d.keys.enc.public().clone());
        member_set_hash(&[
            key(&ward.coordinator),
            key(&ward.clinician),
            key(&ward.investigator),
            key(&ward.recovery),
            key(&ward.phone),
        ])
    };
    assert_eq!(membership.member_set_hash(ward.chart), Some(expected_hash));
}

#[test]
fn members_are_a_function_of_the_prefix() {
    let mut ward = Ward::new(2);
    let before = ward.site.membership.size();
    let entry = ward.site.space_member(ward.chart, ward.clinician.person, false, &[&ward.investigator]);
    ward.site.append_effective(entry);
    assert!(!ward.members().contains(&ward.clinician.id));
    let membership = &ward.site.membership;
    assert!(membership.members_at(ward.chart, before).unwrap().contains(ward.clinician.id));
    assert!(!membership.members_at(ward.chart, before + 1).unwrap().contains(ward.clinician.id));
    assert!(membership.members_at(ward.chart, 0).is_none(), "the chart was not open");
}

#[test]
fn manifests_extend_the_chain_under_the_threshold() {
    let mut site = Site::new(3);
    let next = |site: &Site, number: u64, prev: ManifestHash| {
        let fields = SiteManifestFields { number, prev: Some(prev), ..(*site.manifest).clone() };
        SiteManifest::new(fields).unwrap()
    };
    let good = next(&site, 1, site.manifest.hash());
    let unsigned = site.entry(site.site.into(), &MlogBody::SiteManifest(Box::new(good.clone())));
    assert_eq!(void(site.append(unsigned.clone())), VoidReason::Unsigned);
    let one_key = unsigned.sign_as_root(&site.root_keys[0]).unwrap();
    assert_eq!(void(site.append(one_key)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    let admin = site.sign(site.manifest_entry(good.clone()), &[&site.admins[0]]);
    assert!(matches!(void(site.append(admin)), VoidReason::NotAuthorised(_)));
    let other = next(&site, 1, ManifestHash::from_bytes([9; 32]));
    let entry = site.manifest_entry(other);
    assert_eq!(void(site.append(entry)), VoidReason::ManifestChain);
    let entry = site.manifest_entry(good.clone());
    site.append_effective(entry);
    assert_eq!(site.membership.manifest(), Some(&good));
}

#[test]
fn an_admin_taken_out_of_the_manifest_signs_nothing_more() {
    let mut ward = Ward::new(4);
    let admins = vec![ward.site.manifest.admins[0].clone()];
    let fields = SiteManifestFields {
        number: 1,
        prev: Some(ward.site.manifest.hash()),
        admins,
        ..(*ward.site.manifest).clone()
    };
    let entry = ward.site.manifest_entry(SiteManifest::new(fields).unwrap());
    ward.site.append_effective(entry);
    let body = MlogBody::Team(Team { team: ward.team, persons: vec![] });
    let entry = ward.site.sign(ward.site.entry(ward.site.site.into(), &body), &[&ward.site.admins[1]]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::NotAuthorised(ward.site.admins[1].id.into()));
}

#[test]
fn base_order_and_duplicates() {
    let mut ward = Ward::new(5);
    let chart = ward.chart;
    let base = ward.site.membership.head();
    let body = |person| MlogBody::SpaceMember(SpaceMember { chart, person, add: false });
    let (a, b) = (ward.clinician.person, ward.coordinator.person);
    let first = ward.site.sign(ward.site.entry_on(base, chart.into(), &body(a)), &[&ward.investigator]);
    let second = ward.site.sign(ward.site.entry_on(base, chart.into(), &body(b)), &[&ward.investigator]);
    ward.site.append_effective(first.clone());
    let by = ward.site.membership.size() - 1;
    assert_eq!(void(ward.site.append(second)), VoidReason::Moved { by });
    assert_eq!(void(ward.site.append(first)), VoidReason::Duplicate);
    let ahead = TreeHead { size: base.size + 99, root: base.root };
    let entry = ward.site.sign(ward.site.entry_on(ahead, chart.into(), &body(b)), &[&ward.investigator]);
    assert!(matches!(void(ward.site.append(entry)), VoidReason::BaseAhead { .. }));
    let forked = TreeHead { size: base.size, root: TreeRoot::from_bytes([3; 32]) };
    let entry = ward.site.sign(ward.site.entry_on(forked, chart.into(), &body(b)), &[&ward.investigator]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::ForeignBase, "its signer saw another log");
}

#[test]
fn a_void_entry_does_not_block_one_that_holds() {
    let mut ward = Ward::new(6);
    let base = ward.site.membership.head();
    let body =
        MlogBody::SpaceMember(SpaceMember { chart: ward.chart, person: ward.clinician.person, add: false });
    let unentitled = ward.site.sign(ward.site.entry_on(base, ward.chart.into(), &body), &[&ward.phone]);
    assert_eq!(void(ward.site.append(unentitled)), VoidReason::NotAuthorised(ward.phone.id.into()));
    let entry = ward.site.sign(ward.site.entry_on(base, ward.chart.into(), &body), &[&ward.investigator]);
    ward.site.append_effective(entry);
}

#[test]
fn a_cancelled_entry_is_void_when_it_comes_later() {
    let mut ward = Ward::new(7);
    let (chart, clinician) = (ward.chart, ward.clinician.person);
    let withheld = ward.site.space_member(chart, clinician, false, &[&ward.investigator]);
    let cancel = |site: &Site, signer: &Device, hash| {
        site.sign(site.entry(chart.into(), &MlogBody::Cancel(Cancel { entry_hash: hash })), &[signer])
    };
    let entry = cancel(&ward.site, &ward.coordinator, withheld.hash());
    ward.site.append_effective(entry);
    assert_eq!(
        ward.site.membership.would_be_effective(&withheld, None),
        Ok(()),
        "a stranger cannot take it back"
    );
    let entry = cancel(&ward.site, &ward.investigator, withheld.hash());
    ward.site.append_effective(entry);
    assert_eq!(void(ward.site.append(withheld.clone())), VoidReason::Cancelled);
    let entry = cancel(&ward.site, &ward.investigator, withheld.hash());
    assert_eq!(void(ward.site.append(entry)), VoidReason::CancelTooLate);
}

#[test]
fn adding_somebody_outside_the_team_takes_two_persons() {
    let mut ward = Ward::new(8);
    let stranger = ward.site.staff(Role::Clinician);
    let second_device = ward.site.staff_of(ward.investigator.person, Role::Investigator);
    let one = ward.site.space_member(ward.chart, stranger.person, true, &[&ward.investigator]);
    assert_eq!(void(ward.site.append(one)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    let same =
        ward.site.space_member(ward.chart, stranger.person, true, &[&ward.investigator, &second_device]);
    assert_eq!(
        void(ward.site.append(same)),
        VoidReason::MoreSignatures { needed: 2, got: 1 },
        "one person, two devices"
    );
    let with_clinician =
        ward.site.space_member(ward.chart, stranger.person, true, &[&ward.investigator, &ward.clinician]);
    assert_eq!(void(ward.site.append(with_clinician)), VoidReason::NotAuthorised(ward.clinician.id.into()));
    let two = ward.site.space_member(
        ward.chart,
        stranger.person,
        true,
        &[&ward.investigator, &ward.site.admins[0]],
    );
    ward.site.append_effective(two);
    assert!(ward.members().contains(&stranger.id));
    let gone = ward.site.space_member(ward.chart, stranger.person, false, &[&ward.investigator]);
    ward.site.append_effective(gone);
    assert!(!ward.members().contains(&stranger.id));
}

#[test]
fn a_team_change_changes_the_members_of_its_charts() {
    let mut ward = Ward::new(9);
    let newcomer = ward.site.staff(Role::Clinician);
    assert!(!ward.members().contains(&newcomer.id));
    ward.site.team(ward.team, &[ward.coordinator.person, newcomer.person]);
    let members = ward.members();
    assert!(members.contains(&newcomer.id) && !members.contains(&ward.clinician.id));
    let body = MlogBody::Team(Team { team: ward.team, persons: vec![] });
    let entry = ward.site.sign(ward.site.entry(ward.site.site.into(), &body), &[&ward.coordinator]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::NotAuthorised(ward.coordinator.id.into()));
}

#[test]
fn a_second_phone_needs_the_first_one() {
    let mut ward = Ward::new(10);
    let plan = ward.site.plan(ward.participant, Role::Patient, &ward.coordinator);
    let second = ward.site.certify(plan);
    let alone = ward.site.patient_entry(ward.chart, &second, &ward.coordinator, None);
    assert_eq!(void(ward.site.append(alone)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    let with_staff =
        ward.site.patient_entry(ward.chart, &second, &ward.coordinator, Some(&ward.site.admins[0]));
    assert_eq!(void(ward.site.append(with_staff)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    let entry = ward.site.patient_entry(ward.chart, &second, &ward.coordinator, Some(&ward.phone));
    ward.site.append_effective(entry);
    assert!(ward.members().contains(&second.id));
    let other = ward.site.person();
    let plan = ward.site.plan(other, Role::Patient, &ward.coordinator);
    let foreign = ward.site.certify(plan);
    let entry = ward.site.patient_entry(ward.chart, &foreign, &ward.coordinator, None);
    assert_eq!(void(ward.site.append(entry)), VoidReason::NotParticipant);
}

#[test]
fn certificates_are_refused_for_what_is_wrong_with_them() {
    let mut ward = Ward::new(11);
    let site = &mut ward.site;
    let admins = std::mem::take(&mut site.admins);
    let try_cert = |site: &mut Site, issuer: &Device, change: &dyn Fn(&mut CertPlan<'_>)| {
        let person = site.person();
        let mut plan = site.plan(person, Role::Coordinator, issuer);
        change(&mut plan);
        let device = site.certify(plan);
        let body = MlogBody::DeviceCert(Box::new(device.cert.clone()));
        let entry = site.sign(site.entry(site.site.into(), &body), &[&admins[0], &admins[1]]);
        site.append(entry)
    };
    assert!(matches!(
        void(try_cert(site, &admins[0], &|plan| plan.attest_level = AttestLevel::Software)),
        VoidReason::Certificate(_)
    ));
    let stranger = &ward.clinician;
    assert!(matches!(void(try_cert(site, stranger, &|_| {})), VoidReason::Certificate(_)));
    assert_eq!(void(try_cert(site, &admins[0], &|plan| plan.device = stranger.id)), VoidReason::KeyReused);
    let reuse = |plan: &mut CertPlan<'_>| {
        plan.keys = DeviceKeys::from_secret_bytes(&stranger.keys.to_secret_bytes()).unwrap();
    };
    assert_eq!(void(try_cert(site, &admins[0], &reuse)), VoidReason::KeyReused);
    assert_eq!(try_cert(site, &admins[0], &|_| {}), Effect::Effective);

    let person = site.person();
    let plan = site.plan(person, Role::Coordinator, &admins[0]);
    let device = site.certify(plan);
    let body = MlogBody::DeviceCert(Box::new(device.cert.clone()));
    let one_admin = site.sign(site.entry(site.site.into(), &body), &[&admins[0]]);
    assert_eq!(void(site.append(one_admin)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    let other = DeviceKeys::generate(&mut site.rng).unwrap();
    let mut fields = (*device.cert).clone();
    fields.counter_auth = other.auth_signer().unwrap().sign(b"something else").unwrap();
    let body = MlogBody::DeviceCert(Box::new(DeviceCert::new(fields).unwrap()));
    let entry = site.sign(site.entry(site.site.into(), &body), &[&admins[0], &admins[1]]);
    assert!(matches!(void(site.append(entry)), VoidReason::Certificate(_)), "the P-256 key did not agree");
}

#[test]
fn a_person_has_at_most_eight_devices() {
    let mut site = Site::new(12);
    let person = site.person();
    let devices: Vec<Device> = (0..8).map(|_| site.staff_of(person, Role::Clinician)).collect();
    let admins = std::mem::take(&mut site.admins);
    let plan = site.plan(person, Role::Clinician, &admins[0]);
    let ninth = site.certify(plan);
    let body = MlogBody::DeviceCert(Box::new(ninth.cert.clone()));
    let entry = site.sign(site.entry(site.site.into(), &body), &[&admins[0], &admins[1]]);
    assert_eq!(void(site.append(entry)), VoidReason::TooManyDevices);
    let entry = site.revoke_entry(site.site.into(), devices[0].id, 0, RevokePolicy::Sever, &[&admins[0]]);
    site.append_effective(entry);
    let entry = site.sign(site.entry(site.site.into(), &body), &[&admins[0], &admins[1]]);
    assert_eq!(site.append(entry), Effect::Effective);
}

#[test]
fn who_may_revoke_whom() {
    let mut ward = Ward::new(13);
    let site_subject: Subject = ward.site.site.into();
    let chart: Subject = ward.chart.into();
    let sever = RevokePolicy::Sever;
    let revoke = |ward: &Ward, subject, device, signers: &[&Device]| {
        ward.site.revoke_entry(subject, device, 7, sever, signers)
    };
    // Staff: one admin.
    let entry = revoke(&ward, site_subject, ward.clinician.id, &[&ward.coordinator]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::NotAuthorised(ward.coordinator.id.into()));
    let entry = revoke(&ward, chart, ward.clinician.id, &[&ward.site.admins[0]]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::UnknownDevice(ward.clinician.id), "wrong subject");
    // An admin: two admins.
    let entry = revoke(&ward, site_subject, ward.site.admins[1].id, &[&ward.site.admins[0]]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    // A recovery device: the root.
    let entry = revoke(&ward, site_subject, ward.recovery.id, &[&ward.site.admins[0], &ward.site.admins[1]]);
    assert!(matches!(void(ward.site.append(entry)), VoidReason::NotAuthorised(_)));
    let entry = revoke(&ward, site_subject, ward.recovery.id, &[]);
    let entry =
        entry.sign_as_root(&ward.site.root_keys[0]).unwrap().sign_as_root(&ward.site.root_keys[1]).unwrap();
    ward.site.append_effective(entry);
    assert!(!ward.members().contains(&ward.recovery.id));
    // A patient's device: staff of the chart, not staff of another one; or the person, as lost.
    let stranger = ward.site.staff(Role::Coordinator);
    let entry = revoke(&ward, chart, ward.phone.id, &[&stranger]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::NotAuthorised(stranger.id.into()));
    let entry = revoke(&ward, chart, ward.phone.id, &[&ward.phone]);
    assert_eq!(
        void(ward.site.append(entry)),
        VoidReason::NotAuthorised(ward.phone.id.into()),
        "only as lost"
    );
    let entry = ward.site.revoke_entry(chart, ward.phone.id, 7, RevokePolicy::Salvage, &[&ward.phone]);
    ward.site.append_effective(entry);
    assert!(!ward.members().contains(&ward.phone.id));
    let entry = revoke(&ward, site_subject, ward.clinician.id, &[&ward.site.admins[0]]);
    ward.site.append_effective(entry);
    assert!(!ward.site.membership.is_active(ward.chart, ward.clinician.id));
    // A revoked device signs nothing.
    let entry = ward.site.space_member(ward.chart, stranger.person, false, &[&ward.clinician]);
    assert_eq!(void(ward.site.append(entry)), VoidReason::SignerRevoked(ward.clinician.id));
}

#[test]
fn several_revocations_add_up_to_the_strictest() {
    let mut ward = Ward::new(14);
    let (chart, phone) = (ward.chart, ward.phone.id);
    // A thief with the phone revokes it with a cut-off far in the future.
    let entry = ward.site.revoke_entry(chart.into(), phone, 1_000_000, RevokePolicy::Salvage, &[&ward.phone]);
    ward.site.append_effective(entry);
    let standing = |ward: &Ward, index| ward.site.membership.standing(chart, phone, index);
    assert_eq!(standing(&ward, Some(500)), Standing::Effective);
    assert_eq!(standing(&ward, None), Standing::ToBeAdopted);
    let first = ward.site.membership.revocation(chart, phone).unwrap().index;
    let entry = ward.site.revoke_entry(chart.into(), phone, 400, RevokePolicy::Sever, &[&ward.coordinator]);
    ward.site.append_effective(entry);
    assert_eq!(standing(&ward, Some(399)), Standing::Effective);
    assert_eq!(standing(&ward, Some(400)), Standing::Severed);
    let entry = ward.site.revoke_entry(chart.into(), phone, 900, RevokePolicy::Salvage, &[&ward.coordinator]);
    ward.site.append_effective(entry);
    assert_eq!(standing(&ward, Some(500)), Standing::Severed, "a later revocation does not loosen");
    assert_eq!(ward.site.membership.revocation(chart, phone).unwrap().index, first);
}

#[test]
fn recovery_takes_two_staff_persons_and_does_all_of_it() {
    let mut ward = Ward::new(15);
    let plan = ward.site.plan(ward.participant, Role::Patient, &ward.coordinator);
    let new_phone = ward.site.certify(plan);
    let olog = TreeHead { size: 12, root: TreeRoot::from_bytes([2; 32]) };
    let recovery = RecoveryUse {
        chart: ward.chart,
        person: ward.participant,
        revoked: vec![ward.phone.id],
        olog,
        cert: Box::new(new_phone.cert.clone()),
        reason: "phone fell into a lake".into(),
    };
    let body = MlogBody::RecoveryUse(recovery);
    let entry =
        |ward: &Ward, signers: &[&Device]| ward.site.sign(ward.site.entry(ward.chart.into(), &body), signers);
    let one = entry(&ward, &[&ward.coordinator]);
    assert_eq!(void(ward.site.append(one)), VoidReason::MoreSignatures { needed: 2, got: 1 });
    let with_phone = entry(&ward, &[&ward.coordinator, &ward.phone]);
    assert_eq!(void(ward.site.append(with_phone)), VoidReason::NotAuthorised(ward.phone.id.into()));
    let two = entry(&ward, &[&ward.coordinator, &ward.clinician]);
    ward.site.append_effective(two);
    let members = ward.members();
    assert!(members.contains(&new_phone.id) && !members.contains(&ward.phone.id));
    assert_eq!(ward.site.membership.standing(ward.chart, ward.phone.id, Some(11)), Standing::Effective);
    assert_eq!(ward.site.membership.standing(ward.chart, ward.phone.id, Some(12)), Standing::ToBeAdopted);
}

#[test]
fn epochs_count_by_the_members_at_their_announce() {
    let mut ward = Ward::new(16);
    let chart = ward.chart;
    assert_eq!(ward.site.membership.needs_rotation(chart), Some(RotationReason::FirstEpoch));
    let (package0, secret0) = ward.site.rotate(chart, &ward.phone, None);
    assert_eq!(ward.site.membership.needs_rotation(chart), None);
    assert_eq!(ward.site.membership.counted_epoch(chart).unwrap().package, package0.hash());

    // Two make the next one at the same time: the first in the log wins.
    let plan = plan_rotation(&ward.site.membership, chart, ward.coordinator.id).unwrap();
    let (a, _) = ward.site.package(&plan, &ward.coordinator, Some((&package0, &secret0)));
    let plan = RotationPlan { author: ward.clinician.id, ..plan };
    let (b, _) = ward.site.package(&plan, &ward.clinician, Some((&package0, &secret0)));
    let (announce_a, announce_b) =
        (ward.site.announce(&a, &ward.coordinator), ward.site.announce(&b, &ward.clinician));
    assert_eq!(ward.site.membership.would_be_effective(&announce_a, None), Err(VoidReason::PackageMissing));
    assert_eq!(ward.site.membership.would_be_effective(&announce_a, Some(&a)), Ok(()));
    assert_eq!(
        ward.site.append(announce_a),
        Effect::AwaitsPackage(a.hash()),
        "it arrived before its package"
    );
    assert_eq!(ward.site.append(announce_b), Effect::AwaitsPackage(b.hash()));
    assert_eq!(ward.site.membership.awaited_package(chart), Some(a.hash()));
    assert_eq!(
        plan_rotation(&ward.site.membership, chart, ward.phone.id),
        Err(RotationError::PackageMissing(a.hash()))
    );
    ward.site.membership.learn_package(&b);
    assert_eq!(ward.site.membership.counted_epoch(chart).unwrap().epoch, 0);
    assert_eq!(ward.site.membership.learn_package(&a), None);
    assert_eq!(ward.site.membership.counted_epoch(chart).unwrap().package, a.hash());
    let second = ward.site.membership.size() - 1;
    let moved = VoidReason::Moved { by: second - 1 };
    assert_eq!(ward.site.membership.announce_verdict(chart, second), Some(Err(moved)));

    // A change of members between planning and announcing makes the package worthless.
    let plan = plan_rotation(&ward.site.membership, chart, ward.phone.id).unwrap();
    assert_eq!(plan.epoch, 2);
    let opened = accept_package(&ward.site.membership, &a, ward.phone.id, &ward.phone.keys.enc).unwrap();
    let (late, _) = ward.site.package(&plan, &ward.phone, Some((&a, &opened.secret)));
    let entry = ward.site.space_member(chart, ward.clinician.person, false, &[&ward.investigator]);
    ward.site.append_effective(entry);
    let announce = ward.site.announce(&late, &ward.phone);
    ward.site.membership.learn_package(&late);
    assert_eq!(void(ward.site.append(announce)), VoidReason::MemberSetDiffers);
    assert_eq!(ward.site.membership.needs_rotation(chart), Some(RotationReason::MembersChanged));
}

#[test]
fn the_door_takes_few_epochs_without_a_change_of_members() {
    use ward_sync::limits::ANNOUNCES_UNCHANGED_MAX;
    let mut ward = Ward::new(31);
    let (package, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
    let facts = ArrivalFacts {
        now: T0,
        revokes_by_signer: 0,
        announces_by_signer: ANNOUNCES_UNCHANGED_MAX,
        cut_off: CutOff::Fresh,
    };
    let next = |ward: &mut Ward| {
        let plan = plan_rotation(&ward.site.membership, ward.chart, ward.phone.id).unwrap();
        let (next, _) = ward.site.package(&plan, &ward.phone, Some((&package, &secret)));
        (ward.site.announce(&next, &ward.phone), next)
    };
    let (announce, made) = next(&mut ward);
    let often = ward.site.membership.check_arrival(&announce, Some(&made), facts);
    assert_eq!(often, Err(ArrivalRefusal::TooManyEpochs));
    let seldom = ArrivalFacts { announces_by_signer: ANNOUNCES_UNCHANGED_MAX - 1, ..facts };
    assert_eq!(ward.site.membership.check_arrival(&announce, Some(&made), seldom), Ok(()));
    // Whoever leaves is followed by an epoch, however often that is.
    let leaves = ward.site.space_member(ward.chart, ward.clinician.person, false, &[&ward.investigator]);
    ward.site.append_effective(leaves);
    let (announce, made) = next(&mut ward);
    assert_eq!(ward.site.membership.check_arrival(&announce, Some(&made), facts), Ok(()));
}

#[test]
fn what_the_door_asks_beyond_the_log() {
    let mut ward = Ward::new(17);
    let facts =
        ArrivalFacts { now: T0, revokes_by_signer: 0, announces_by_signer: 0, cut_off: CutOff::Fresh };
    let chart: Subject = ward.chart.into();
    let entry = ward.site.revoke_entry(chart, ward.phone.id, 1, RevokePolicy::Sever, &[&ward.coordinator]);
    assert_eq!(ward.site.membership.check_arrival(&entry, None, facts), Ok(()));
    let many = ArrivalFacts { revokes_by_signer: ward_sync::limits::REVOKES_ALONE_MAX, ..facts };
    assert!(matches!(
        ward.site.membership.check_arrival(&entry, None, many),
        Err(ArrivalRefusal::SecondSignature(_))
    ));
    let two = ward.site.revoke_entry(
        chart,
        ward.phone.id,
        1,
        RevokePolicy::Sever,
        &[&ward.coordinator, &ward.clinician],
    );
    assert_eq!(ward.site.membership.check_arrival(&two, None, many), Ok(()));
    // A cut-off that is none, and one that takes back what was written long ago.
    let foreign = ArrivalFacts { cut_off: CutOff::Foreign, ..facts };
    let old = ArrivalFacts { cut_off: CutOff::Old, ..facts };
    for entry in [&entry, &two] {
        let refused = ward.site.membership.check_arrival(entry, None, foreign);
        assert_eq!(refused, Err(ArrivalRefusal::CutOffForeign));
    }
    let alone = ward.site.membership.check_arrival(&entry, None, old);
    assert!(matches!(alone, Err(ArrivalRefusal::SecondSignature(_))), "{alone:?}");
    assert_eq!(ward.site.membership.check_arrival(&two, None, old), Ok(()));
    let late = ArrivalFacts { now: T0.plus_ms(400 * DAY_MS), ..facts };
    assert_eq!(
        ward.site.membership.check_arrival(&entry, None, late),
        Err(ArrivalRefusal::SignerOutOfDate(ward.coordinator.id.into()))
    );
    // The last staff device of a chart.
    ward.site.team(ward.team, &[ward.coordinator.person]);
    let site: Subject = ward.site.site.into();
    let last =
        ward.site.revoke_entry(site, ward.coordinator.id, 1, RevokePolicy::Sever, &[&ward.site.admins[0]]);
    assert!(matches!(
        ward.site.membership.check_arrival(&last, None, facts),
        Err(ArrivalRefusal::SecondSignature(_))
    ));
    let (first, second) = (&ward.site.admins[0], &ward.site.admins[1]);
    let last = ward.site.revoke_entry(site, ward.coordinator.id, 1, RevokePolicy::Sever, &[first, second]);
    assert_eq!(ward.site.membership.check_arrival(&last, None, facts), Ok(()));
    // A phone of one chart does not come back in another.
    let (other, person) = ward.site.open(&ward.coordinator, ward.team, vec![]);
    let mut plan = ward.site.plan(person, Role::Patient, &ward.coordinator);
    plan.keys = DeviceKeys::from_secret_bytes(&ward.phone.keys.to_secret_bytes()).unwrap();
    let copy = ward.site.certify(plan);
    let entry = ward.site.patient_entry(other, &copy, &ward.coordinator, None);
    assert_eq!(
        ward.site.membership.would_be_effective(&entry, None),
        Ok(()),
        "no view of one chart could tell"
    );
    assert_eq!(
        ward.site.membership.check_arrival(&entry, None, facts),
        Err(ArrivalRefusal::KeyKnownElsewhere)
    );
}

#[test]
fn bytes_that_are_no_entry_stay_in_the_log_without_effect() {
    let mut ward = Ward::new(18);
    let garbage = b"not an entry";
    let mut leaf = [0u8; 48];
    leaf[..16].copy_from_slice(ward.site.site.as_bytes());
    leaf[16..].copy_from_slice(&sha256(garbage));
    let index = ward.site.membership.size();
    let membership = &mut ward.site.membership;
    assert_eq!(
        membership.apply_bytes(index, &leaf, b"another text"),
        Err(MembershipError::OtherBytes(MlogEntryHash::from_bytes(sha256(garbage))))
    );
    assert!(matches!(
        membership.apply_bytes(index, &leaf, garbage),
        Ok(Effect::Void(VoidReason::Malformed(_)))
    ));
    assert_eq!(membership.size(), index + 1);
    let subject = ward.site.site.into();
    assert_eq!(
        membership.apply_leaf(index + 1, subject, MlogEntryHash::from_bytes([0; 32])),
        Err(MembershipError::BytesNeeded(subject))
    );
    assert_eq!(
        membership.apply_leaf(index, subject, MlogEntryHash::from_bytes([0; 32])),
        Err(MembershipError::OutOfOrder { expected: index + 1, got: index })
    );
}

#[test]
fn who_reads_which_entries() {
    let mut ward = Ward::new(19);
    let auditor = ward.site.staff(Role::Auditor);
    let stranger = ward.site.staff(Role::Clinician);
    let membership = &ward.site.membership;
    let (site, chart): (Subject, Subject) = (ward.site.site.into(), ward.chart.into());
    for device in [&ward.phone, &stranger, &auditor] {
        assert!(membership.may_read(device.id, site));
    }
    for (device, may) in
        [(&ward.phone, true), (&stranger, false), (&auditor, true), (&ward.site.admins[0], true)]
    {
        assert_eq!(membership.may_read(device.id, chart), may, "{:?}", device.role);
    }
    assert!(!membership.may_read(DeviceId::from_bytes([0; 16]), site));
}

#[test]
fn a_signature_of_somebody_else_does_not_hold() {
    let mut ward = Ward::new(20);
    let body = MlogBody::Team(Team { team: ward.team, persons: vec![ward.clinician.person] });
    let entry = ward.site.entry(ward.site.site.into(), &body);
    let by_coordinator = ward.coordinator.keys.sign.sign_labelled(labels::MLOG, &entry.signing_digest());
    let forged = entry.clone().add_signature(ward.site.admins[0].id.into(), by_coordinator).unwrap();
    assert_eq!(void(ward.site.append(forged)), VoidReason::BadSignature(ward.site.admins[0].id.into()));
    let other_label = ward.site.admins[0].keys.sign.sign_labelled(labels::OP_SIG, &entry.signing_digest());
    let forged = entry.add_signature(ward.site.admins[0].id.into(), other_label).unwrap();
    assert_eq!(void(ward.site.append(forged)), VoidReason::BadSignature(ward.site.admins[0].id.into()));
}

#[test]
fn counts_of_signatures_and_persons_are_limited() {
    use ward_sync::limits::{MLOG_SIGNATURES_MAX, TEAM_MAX_PERSONS};
    let ward = Ward::new(21);
    let persons = |count: usize| (0..count).map(|n| PersonId::from_bytes([n as u8; 16])).collect::<Vec<_>>();
    let team = |persons| MlogBody::Team(Team { team: ward.team, persons });
    let unsigned =
        |body: &MlogBody| MlogEntry::unsigned(ward.site.site, ward.site.site.into(), TreeHead::empty(), body);
    assert!(unsigned(&team(persons(TEAM_MAX_PERSONS))).is_ok());
    assert!(matches!(unsigned(&team(persons(TEAM_MAX_PERSONS + 1))), Err(MlogError::Rule(_))));
    let mut twice = persons(2);
    twice[1] = twice[0];
    assert!(matches!(unsigned(&team(twice)), Err(MlogError::Rule(_))));
    let signature = Signature::from_bytes([0; 64]);
    let mut entry = unsigned(&team(vec![])).unwrap();
    for n in 0..MLOG_SIGNATURES_MAX {
        entry = entry.add_signature(DeviceId::from_bytes([n as u8; 16]).into(), signature).unwrap();
    }
    assert_eq!(MlogEntry::read(&entry.to_canonical()), Ok(entry.clone()));
    let repeated = entry.clone().add_signature(DeviceId::from_bytes([3; 16]).into(), signature);
    assert_eq!(repeated, Err(MlogError::Signers));
    let ninth = entry.add_signature(DeviceId::from_bytes([99; 16]).into(), signature);
    assert_eq!(ninth, Err(MlogError::TooManySignatures));
}

#[test]
fn a_chart_serves_sixty_four_member_devices() {
    use ward_sync::limits::{MEMBERS_MAX, RECOVERY_DEVICES_MAX};
    let mut ward = Ward::new(22);
    let mut persons = vec![ward.coordinator.person];
    // The coordinator, the recovery device and the phone are there already.
    for _ in 0..MEMBERS_MAX - 3 {
        persons.push(ward.site.staff(Role::Clinician).person);
    }
    ward.site.team(ward.team, &persons);
    let plan = plan_rotation(&ward.site.membership, ward.chart, ward.coordinator.id).unwrap();
    assert_eq!(plan.members.len(), MEMBERS_MAX);
    persons.truncate(63);
    ward.site.staff_of(persons[1], Role::Clinician);
    let refused = plan_rotation(&ward.site.membership, ward.chart, ward.coordinator.id);
    assert_eq!(refused, Err(RotationError::TooManyMembers(MEMBERS_MAX + 1)));
    let open = |count: usize| {
        let recovery_devices = (0..count).map(|n| DeviceId::from_bytes([n as u8; 16])).collect();
        let (chart, participant) = (ChartId::from_bytes([1; 16]), ward.participant);
        let body = MlogBody::ChartOpen(ChartOpen { chart, participant, team: ward.team, recovery_devices });
        MlogEntry::unsigned(ward.site.site, chart.into(), TreeHead::empty(), &body)
    };
    assert!(open(RECOVERY_DEVICES_MAX).is_ok());
    assert!(matches!(open(RECOVERY_DEVICES_MAX + 1), Err(MlogError::Rule(_))));
}

/// With a sixty-fifth member no epoch could be made, and nothing could be sealed in the chart.
#[test]
fn the_door_keeps_a_chart_at_sixty_four_member_devices() {
    use ward_sync::limits::MEMBERS_MAX;
    let mut ward = Ward::new(22);
    let facts =
        ArrivalFacts { now: T0, revokes_by_signer: 0, announces_by_signer: 0, cut_off: CutOff::Fresh };
    let mut persons = vec![ward.coordinator.person];
    for _ in 0..MEMBERS_MAX - 4 {
        persons.push(ward.site.staff(Role::Clinician).person);
    }
    ward.site.team(ward.team, &persons);
    assert_eq!(ward.members().len(), MEMBERS_MAX - 1);
    let (newcomer, clerk) = (ward.site.staff(Role::Clinician), ward.site.staff(Role::Clinician));
    let full = Err(ArrivalRefusal::TooManyMembers(ward.chart));
    let entries = |ward: &mut Ward| {
        let admins = std::mem::take(&mut ward.site.admins);
        let plan = ward.site.plan(persons[1], Role::Clinician, &admins[0]);
        let second = ward.site.certify(plan);
        ward.site.admins = admins;
        let plan = ward.site.plan(ward.participant, Role::Patient, &ward.coordinator);
        let spare = ward.site.certify(plan);
        let admins = [&ward.site.admins[0], &ward.site.admins[1]];
        let team = [persons.as_slice(), &[newcomer.person]].concat();
        let site: Subject = ward.site.site.into();
        let mut sorted = team;
        sorted.sort();
        let body = MlogBody::Team(Team { team: ward.team, persons: sorted });
        let cert = MlogBody::DeviceCert(Box::new(second.cert.clone()));
        [
            ward.site.sign(ward.site.entry(site, &body), &admins[..1]),
            ward.site.sign(ward.site.entry(site, &cert), &admins),
            ward.site.space_member(ward.chart, newcomer.person, true, &admins),
            ward.site.patient_entry(ward.chart, &spare, &ward.coordinator, Some(&ward.phone)),
        ]
    };
    for entry in entries(&mut ward) {
        assert_eq!(ward.site.membership.check_arrival(&entry, None, facts), Ok(()), "the sixty-fourth");
    }
    let admins = [&ward.site.admins[0], &ward.site.admins[1]];
    let last = ward.site.space_member(ward.chart, clerk.person, true, &admins);
    ward.site.append_effective(last);
    assert_eq!(ward.members().len(), MEMBERS_MAX);
    for entry in entries(&mut ward) {
        assert_eq!(ward.site.membership.check_arrival(&entry, None, facts), full, "one past");
    }
    // The other way is always open.
    let admins = [&ward.site.admins[0], &ward.site.admins[1]];
    let fewer = ward.site.space_member(ward.chart, clerk.person, false, &admins);
    assert_eq!(ward.site.membership.check_arrival(&fewer, None, facts), Ok(()));
}

#[test]
fn long_reasons_and_long_entries_are_refused() {
    use ward_sync::limits::{MLOG_ENTRY_MAX_BYTES, REASON_MAX_BYTES};
    let ward = Ward::new(23);
    let revoke = |len: usize| {
        let olog = TreeHead { size: 1, root: TreeRoot::from_bytes([1; 32]) };
        let (device, policy) = (ward.phone.id, RevokePolicy::Sever);
        let body = MlogBody::Revoke(Revoke { device, olog, policy, reason: "r".repeat(len) });
        MlogEntry::unsigned(ward.site.site, ward.chart.into(), TreeHead::empty(), &body)
    };
    assert!(revoke(REASON_MAX_BYTES).is_ok());
    assert!(matches!(revoke(REASON_MAX_BYTES + 1), Err(MlogError::Rule(_))));
    assert_eq!(MlogEntry::read(&vec![0; MLOG_ENTRY_MAX_BYTES + 1]), Err(MlogError::TooLarge));
    assert!(matches!(MlogEntry::read(&vec![0; MLOG_ENTRY_MAX_BYTES]), Err(MlogError::Encoding(_))));
}
