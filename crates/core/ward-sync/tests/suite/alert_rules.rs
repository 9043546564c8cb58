//! Alert rules in the membership log: who signs, which revision counts, and what has no effect.

use crate::support::{Site, Ward};
use ward_id::{StudyId, TimestampMs};
use ward_sync::limits::ALERT_RULES_MAX_BYTES;
use ward_sync::{AlertRuleSet, Effect, MlogBody, VoidReason};

fn revisions(site: &Site) -> Vec<u64> {
    site.membership.alert_rules().iter().map(|one| one.set.revision).collect()
}

#[test]
fn revisions_follow_one_another_without_a_gap_and_those_before_stay() {
    let mut site = Site::new(31);
    assert!(site.membership.alert_rules().is_empty());
    let void = Effect::Void(VoidReason::AlertRulesOrder);
    assert_eq!(site.publish_rules(site.alert_rules(2, 10)), void, "the first one is revision 1");
    assert_eq!(site.publish_rules(site.alert_rules(1, 10)), Effect::Effective);
    assert_eq!(site.publish_rules(site.alert_rules(1, 30)), void, "the same revision twice");
    assert_eq!(site.publish_rules(site.alert_rules(3, 30)), void, "one is left out");
    assert_eq!(site.publish_rules(site.alert_rules(u64::MAX, 30)), void, "nothing could follow it");
    assert_eq!(revisions(&site), [1]);
    assert_eq!(site.publish_rules(site.alert_rules(2, 0)), Effect::Effective, "no clock keeps it out");
    assert_eq!(revisions(&site), [1, 2]);
}

#[test]
fn a_set_says_where_it_stands_and_who_signed_it() {
    let mut site = Site::new(34);
    let before = site.membership.size();
    assert_eq!(site.publish_rules(site.alert_rules(1, 10)), Effect::Effective);
    let published = &site.membership.alert_rules()[0];
    assert_eq!((published.place, published.by), (before, Some(site.admins[0].id)));
}

#[test]
fn an_admin_of_the_study_signs_on_what_they_saw() {
    let mut ward = Ward::new(32);
    let set = ward.site.alert_rules(1, 10);
    let body = MlogBody::AlertRules(Box::new(set.clone()));
    let entry = ward.site.sign(ward.site.entry(ward.site.site.into(), &body), &[&ward.investigator]);
    assert_eq!(ward.site.append(entry), Effect::Void(VoidReason::NotAuthorised(ward.investigator.id.into())));
    let elsewhere = ward.site.sign(ward.site.entry(ward.chart.into(), &body), &[&ward.site.admins[0]]);
    assert_eq!(ward.site.append(elsewhere), Effect::Void(VoidReason::WrongSubject));
    let other_study = AlertRuleSet { study: StudyId::from_bytes([9; 16]), ..set.clone() };
    assert_eq!(ward.site.publish_rules(other_study), Effect::Void(VoidReason::AlertRulesOrder));
    let base = ward.site.membership.head();
    assert_eq!(ward.site.publish_rules(set.clone()), Effect::Effective);
    // An admin who had not seen the first one signs again.
    let next = MlogBody::AlertRules(Box::new(AlertRuleSet { revision: 2, ..set.clone() }));
    let stale = ward.site.entry_on(base, ward.site.site.into(), &next);
    let stale = ward.site.sign(stale, &[&ward.site.admins[1]]);
    assert!(matches!(ward.site.append(stale), Effect::Void(VoidReason::Moved { .. })));
    let sets: Vec<_> = ward.site.membership.alert_rules().iter().map(|one| &one.set).collect();
    assert_eq!(sets, [&set]);
}

#[test]
fn a_set_is_bounded_and_counted_from_1() {
    let site = Site::new(33);
    let check = |set: AlertRuleSet| MlogBody::AlertRules(Box::new(set)).check();
    let sized = |bytes: usize| AlertRuleSet { rules: vec![b' '; bytes], ..site.alert_rules(1, 0) };
    assert_eq!(check(sized(ALERT_RULES_MAX_BYTES)), Ok(()));
    assert!(check(sized(ALERT_RULES_MAX_BYTES + 1)).is_err());
    assert!(check(sized(0)).is_err());
    assert!(check(site.alert_rules(0, 0)).is_err());
    // The largest one fits into an entry of the log.
    let largest = AlertRuleSet { from: TimestampMs(i64::MAX), ..sized(ALERT_RULES_MAX_BYTES) };
    let body = MlogBody::AlertRules(Box::new(largest));
    site.sign(site.entry(site.site.into(), &body), &[&site.admins[0], &site.admins[1]]);
}
