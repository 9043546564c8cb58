//! What members give back of branches that a server lost, and what nobody can bring in that way.

use crate::support::*;
use ward_id::*;
use ward_sync::*;

/// The same store on another machine.
fn copy_of<'a>(ward: &Ward, pen: &Pen<'a>) -> Pen<'a> {
    let mut copy = Pen::new(ward.site.site, ward.chart, pen.device, 99);
    copy.chain = pen.chain.clone();
    copy
}

/// A branch that the server lost, as a member has it who met it before, and as one has it who did not.
#[test]
fn a_lost_branch_is_given_back_by_anybody_who_has_it() {
    let ward = Ward::new(87);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let blank = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let begin = clinician.write(&blank, note("before"));
    let mut copy = copy_of(&ward, &clinician);
    let lost = [clinician.write(&blank, note("lost, one")), clinician.write(&blank, note("lost, two"))];
    let kept = copy.write(&blank, note("kept"));
    let (mut here, mut there) = (blank.clone(), blank);
    for entry in [&begin, &lost[0], &lost[1]] {
        here.insert(entry.clone(), Arrival::UNSENT).unwrap();
    }
    // Before anybody knows of the fork: where the branch is not, this waits, and with it all that follows.
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let on_top = phone.write(&here, note("on top"));
    for entry in [&begin, &kept, &on_top] {
        here.insert(entry.clone(), Arrival::UNSENT).unwrap();
        there.insert(entry.clone(), Arrival::UNSENT).unwrap();
    }
    assert_eq!(there.view(&authority).place(on_top.id()), Some(Place::Parked));
    // What others have only one branch of, an entry does not name as seen: it would wait there.
    let heads = here.settled();
    assert_eq!(heads.head(ward.clinician.id, Incarnation(3)).map(|head| head.entry), Some(begin.id()));
    let carries = lost.each_ref().map(|entry| phone.write(&here, Carry::of(entry, CarryReason::GiveBack)));
    // In whatever order they come, and the second alone gives nothing back: it follows nothing that is known.
    let mut alone = there.clone();
    alone.insert(carries[1].clone(), Arrival::UNSENT).unwrap();
    assert_eq!(alone.view(&authority).place(lost[1].id()), None);
    for carry in carries.iter().rev() {
        here.insert(carry.clone(), Arrival::UNSENT).unwrap();
        there.insert(carry.clone(), Arrival::UNSENT).unwrap();
    }
    let (here, there) = (here.view(&authority), there.view(&authority));
    let shown = |view: &ChartView<'_>| -> Vec<_> {
        view.timeline().iter().map(|it| (it.entry.id(), it.place, it.carried_by, it.forked)).collect()
    };
    assert_eq!(shown(&here), shown(&there));
    for (entry, carry) in lost.iter().zip(&carries) {
        let item = there.timeline().iter().find(|item| item.entry.id() == entry.id()).unwrap();
        assert_eq!((item.place, item.carried_by, item.forked), (Place::Visible, Some(carry.id()), true));
        assert_eq!(item.author.map(|author| author.device), Some(ward.clinician.id), "it stays its author's");
    }
    assert_eq!(there.place(on_top.id()), Some(Place::Visible));
    assert!(here.accounting().balances() && there.accounting().balances());
}

/// What the log has need not wait for what stood before it, once somebody says that it is gone.
#[test]
fn what_follows_a_lost_entry_is_given_back() {
    let ward = Ward::new(89);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let mut copy = copy_of(&ward, &clinician);
    let _gone = clinician.write(&chart, note("gone with its store"));
    let after = clinician.write(&chart, note("after it"));
    let other = copy.write(&chart, note("at the place of what is gone"));
    chart.insert(other, Arrival::at(0, T0)).unwrap();
    chart.insert(after.clone(), Arrival::at(1, T0)).unwrap();
    assert_eq!(chart.view(&authority).place(after.id()), Some(Place::Parked));
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let carry = phone.write(&chart, Carry::of(&after, CarryReason::GiveBack));
    chart.insert(carry, Arrival::UNSENT).unwrap();
    let view = chart.view(&authority);
    assert_eq!(view.place(after.id()), Some(Place::Visible));
    assert!(view.accounting().balances());
}

/// Whoever left the team cannot write on through somebody who stayed, and of a revoked device staff decide.
#[test]
fn nothing_else_is_given_back() {
    let mut ward = Ward::new(88);
    let blank = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let begin = clinician.write(&blank, note("before"));
    let mut copy = copy_of(&ward, &clinician);
    let next = clinician.write(&blank, note("never sent"));
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let carry = phone.write(&blank, Carry::of(&next, CarryReason::GiveBack));
    let mut chart = blank;
    for entry in [&begin, &carry] {
        chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
    }
    let place = |ward: &Ward, chart: &Chart| {
        let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
        chart.view(&authority).place(next.id())
    };
    // It follows what the chain has: that is relayed, by the rules of a relay.
    assert_eq!(place(&ward, &chart), None);
    let other = copy.write(&chart, note("in its place"));
    chart.insert(other, Arrival::UNSENT).unwrap();
    assert_eq!(place(&ward, &chart), Some(Place::Visible));
    let (subject, by) = (ward.site.site.into(), &[&ward.site.admins[0]]);
    let revoke = ward.site.revoke_entry(subject, ward.clinician.id, 1, RevokePolicy::Salvage, by);
    ward.site.append_effective(revoke);
    assert_eq!(place(&ward, &chart), Some(Place::Quarantined(QuarantineReason::ToBeAdopted)));
}

/// Somebody who left may have had an entry taken over by staff; nobody writes on behind it for them.
#[test]
fn nothing_is_given_back_behind_what_staff_took_over() {
    let ward = Ward::new(90);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let mut nurse = Pen::new(ward.site.site, ward.chart, &ward.coordinator, 4);
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let dropped = clinician.write(&chart, note("from the drop box"));
    let today = clinician.write(&chart, note("signed today"));
    let adopted = nurse.write(&chart, Carry::of(&dropped, CarryReason::Adopt));
    chart.insert(adopted, Arrival::UNSENT).unwrap();
    let carry = phone.write(&chart, Carry::of(&today, CarryReason::GiveBack));
    chart.insert(carry.clone(), Arrival::UNSENT).unwrap();
    let view = chart.view(&authority);
    assert_eq!((view.place(dropped.id()), view.place(today.id())), (Some(Place::Visible), None));
    // Staff can take over the carry as they can take over the entry.
    let mut apart = Chart::new(ward.site.site, ward.chart);
    let mut investigator = Pen::new(ward.site.site, ward.chart, &ward.investigator, 5);
    let taken = investigator.write(&apart, Carry::of(&carry, CarryReason::Adopt));
    apart.insert(taken, Arrival::UNSENT).unwrap();
    assert_eq!(apart.view(&authority).place(today.id()), Some(Place::Visible));
}

/// A carry that was only given back decides nothing: what it holds waits for staff, and is marked like it.
#[test]
fn what_a_returned_carry_holds_waits_for_staff() {
    let ward = Ward::new(91);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let blank = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let mut copy = copy_of(&ward, &clinician);
    let mut invented = Pen::new(ward.site.site, ward.chart, &ward.clinician, 77);
    let mut nurse = Pen::new(ward.site.site, ward.chart, &ward.coordinator, 4);
    let hidden =
        [invented.write(&blank, note("of an invented life")), nurse.write(&blank, note("never sent"))];
    let whys = [CarryReason::Reauthor, CarryReason::Adopt];
    let wraps: Vec<SignedEntry> =
        hidden.iter().zip(whys).map(|(entry, why)| clinician.write(&blank, Carry::of(entry, why))).collect();
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let (mut here, mut there) = (blank.clone(), blank);
    let kept = copy.write(&here, note("kept"));
    for chart in [&mut here, &mut there] {
        chart.insert(kept.clone(), Arrival::at(0, T0)).unwrap();
    }
    for wrap in &wraps {
        let carry = phone.write(&there, Carry::of(wrap, CarryReason::GiveBack));
        here.insert(wrap.clone(), Arrival::UNSENT).unwrap();
        here.insert(carry.clone(), Arrival::UNSENT).unwrap();
        there.insert(carry, Arrival::UNSENT).unwrap();
    }
    for chart in [&here, &there] {
        let view = chart.view(&authority);
        for entry in &hidden {
            let item = view.timeline().iter().find(|item| item.entry.id() == entry.id()).unwrap();
            let aside = Place::Quarantined(QuarantineReason::ToBeAdopted);
            assert_eq!((item.place, item.forked), (aside, true));
        }
        assert!(view.accounting().balances());
    }
}

/// Staff decided that an entry is not taken over: that somebody gives it back does not change it.
#[test]
fn what_staff_declined_is_not_given_back() {
    let ward = Ward::new(92);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let blank = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let mut copy = copy_of(&ward, &clinician);
    let mut nurse = Pen::new(ward.site.site, ward.chart, &ward.coordinator, 4);
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let (lost, kept) = (clinician.write(&blank, note("lost")), copy.write(&blank, note("kept")));
    let declined = nurse.write(&blank, Carry::of(&lost, CarryReason::Decline));
    let given = phone.write(&blank, Carry::of(&lost, CarryReason::GiveBack));
    for with_branch in [false, true] {
        let mut chart = blank.clone();
        for entry in [&kept, &declined, &given].into_iter().chain(with_branch.then_some(&lost)) {
            chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
        }
        let place = chart.view(&authority).place(lost.id());
        assert_eq!(place, Some(Place::Quarantined(QuarantineReason::ToBeAdopted)), "{with_branch}");
    }
}

/// A long branch that comes in the worst order is looked at once for each entry.
#[test]
fn a_long_branch_is_given_back_in_any_order() {
    const LONG: usize = 1_500;
    let ward = Ward::new(93);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut clinician = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let mut copy = copy_of(&ward, &clinician);
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let blank = chart.clone();
    let lost: Vec<SignedEntry> =
        (0..LONG).map(|number| clinician.write(&blank, note(&number.to_string()))).collect();
    chart.insert(copy.write(&blank, note("kept")), Arrival::at(0, T0)).unwrap();
    let carries: Vec<SignedEntry> =
        lost.iter().rev().map(|entry| phone.write(&blank, Carry::of(entry, CarryReason::GiveBack))).collect();
    for carry in carries {
        chart.insert(carry, Arrival::UNSENT).unwrap();
    }
    let view = chart.view(&authority);
    assert!(lost.iter().all(|entry| view.place(entry.id()) == Some(Place::Visible)));
    assert!(view.accounting().balances());
}
