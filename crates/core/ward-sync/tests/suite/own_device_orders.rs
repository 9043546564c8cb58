//! What one device of a participant may order against another: whoever found one phone must not be able
//! to throw away what the other one holds.

use crate::support::{Device, Ward};
use ward_crypto::Role;
use ward_sync::{MlogBody, MlogEntry, RevokePolicy, Standing, VoidReason, Wipe};

/// A further device of the participant, certified with the phone's word.
fn tablet_of(ward: &mut Ward) -> Device {
    let plan = ward.site.plan(ward.phone.person, Role::Patient, &ward.coordinator);
    let tablet = ward.site.certify(plan);
    let entry = ward.site.patient_entry(ward.chart, &tablet, &ward.coordinator, Some(&ward.phone));
    ward.site.append_effective(entry);
    tablet
}

fn against_phone(ward: &Ward, policy: RevokePolicy, signers: &[&Device]) -> MlogEntry {
    ward.site.revoke_entry(ward.chart.into(), ward.phone.id, 0, policy, signers)
}

fn wipe_of_phone(ward: &Ward, signers: &[&Device]) -> MlogEntry {
    let body = MlogBody::Wipe(Wipe { device: ward.phone.id, reason: "found".into() });
    ward.site.sign(ward.site.entry(ward.chart.into(), &body), signers)
}

#[test]
fn a_found_phone_severs_no_other_phone_of_the_same_person() {
    let mut ward = Ward::new(71);
    let tablet = tablet_of(&mut ward);
    let alone = against_phone(&ward, RevokePolicy::Sever, &[&tablet]);
    let judged = ward.site.membership.would_be_effective(&alone, None);
    assert_eq!(judged, Err(VoidReason::NotAuthorised(tablet.id.into())));
    // Nor beside staff: a void signature makes the entry void, and staff need no second one.
    let beside = against_phone(&ward, RevokePolicy::Sever, &[&tablet, &ward.coordinator]);
    assert!(ward.site.membership.would_be_effective(&beside, None).is_err());
    let staff = against_phone(&ward, RevokePolicy::Sever, &[&ward.coordinator]);
    assert_eq!(ward.site.membership.would_be_effective(&staff, None), Ok(()));
}

#[test]
fn a_lost_phone_is_reported_by_the_other_one_and_all_of_it_can_be_adopted() {
    let mut ward = Ward::new(72);
    let tablet = tablet_of(&mut ward);
    // With a cut-off before everything that the phone ever wrote.
    let lost = against_phone(&ward, RevokePolicy::Salvage, &[&tablet]);
    ward.site.append_effective(lost);
    let standing = ward.site.membership.standing(ward.chart, ward.phone.id, Some(0));
    assert_eq!(standing, Standing::ToBeAdopted, "not thrown away");
}

#[test]
fn only_staff_order_the_wipe_of_a_participants_phone() {
    let mut ward = Ward::new(73);
    let tablet = tablet_of(&mut ward);
    let lost = against_phone(&ward, RevokePolicy::Salvage, &[&tablet]);
    ward.site.append_effective(lost);
    let by_tablet = wipe_of_phone(&ward, &[&tablet]);
    let judged = ward.site.membership.would_be_effective(&by_tablet, None);
    assert_eq!(judged, Err(VoidReason::NotAuthorised(tablet.id.into())));
    let by_staff = wipe_of_phone(&ward, &[&ward.clinician]);
    ward.site.append_effective(by_staff);
    assert!(ward.site.membership.device(ward.chart, ward.phone.id).unwrap().wipe_index().is_some());
}
