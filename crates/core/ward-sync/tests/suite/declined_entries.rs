//! What staff declined, and what its author wrote on top of it: nothing of it counts, and nothing waits
//! for it.

use crate::support::*;
use ward_id::*;
use ward_sync::*;

/// Entries in the order of their arrival, each at the next place.
fn arrive(chart: &mut Chart, entries: &[&SignedEntry]) {
    for entry in entries {
        let place = chart.len() as u64;
        chart.insert((*entry).clone(), Arrival::at(place, TimestampMs(place as i64))).unwrap();
        chart.prove(entry.id(), place);
    }
}

/// A doctor's device was lost with work that nobody had seen: a dose, the decision for it, a note and the
/// word that the note is void. Staff decline the dose and the note, and take over the rest.
#[test]
fn what_builds_on_a_declined_entry_neither_waits_for_it_nor_brings_it_back() {
    let mut ward = Ward::new(91);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let [first, other, dose, decision, note, void] = {
        let (mut doctor, mut colleague) = (ward.pen(&ward.clinician, 1), ward.pen(&ward.investigator, 1));
        let first = doctor.write(&chart, dose_field("8", vec![]));
        let other = colleague.write(&chart, dose_field("4", vec![first.id()]));
        arrive(&mut chart, &[&first, &other]);
        let dose = doctor.write(&chart, dose_field("16", vec![first.id()]));
        let candidates = vec![other.id(), dose.id()];
        let decision = doctor.decide(&chart, Resolve::choosing(dose_key(), candidates, dose.id()));
        let note = doctor.write(&chart, crate::support::note("seen on Monday"));
        let void = doctor.decide(&chart, Void { target: note.id() });
        [first, other, dose, decision, note, void]
    };
    let device = ward.clinician.id;
    let revoke = ward.site.revoke_entry(
        ward.site.site.into(),
        device,
        1,
        RevokePolicy::Salvage,
        &[&ward.site.admins[0]],
    );
    ward.site.append_effective(revoke);
    let carried = {
        let mut nurse = ward.pen(&ward.coordinator, 1);
        let mut out = Vec::new();
        for (entry, why) in [(&dose, CarryReason::Decline), (&note, CarryReason::Decline)] {
            out.push(nurse.write(&chart, Carry::of(entry, why)));
            out.push(nurse.decide(&chart, DropDeclined { device, entry: entry.id() }));
        }
        for entry in [&decision, &void] {
            out.push(nurse.write(&chart, Carry::of(entry, CarryReason::Adopt)));
        }
        out
    };
    arrive(&mut chart, &carried.iter().collect::<Vec<_>>());

    let view = chart.view(&ChartAuthority { membership: &ward.site.membership, chart: ward.chart });
    let aside = |reason| Some(Place::Quarantined(reason));
    assert_eq!(view.place(dose.id()), aside(QuarantineReason::ToBeAdopted));
    assert_eq!(view.place(note.id()), aside(QuarantineReason::ToBeAdopted));
    assert_eq!(view.place(decision.id()), aside(QuarantineReason::ChosenDeclined));
    assert_eq!(view.place(void.id()), Some(Place::Visible));
    assert_eq!(
        (view.place(first.id()), view.place(other.id())),
        (Some(Place::Superseded), Some(Place::Visible))
    );
    let key = (MedicationId::new("amlodipine"), "dose".to_owned());
    assert_eq!(view.medication_plan()[&key].current_ids(), [other.id()], "the declined dose is not shown");
    let mut declined = vec![dose.id(), note.id()];
    declined.sort();
    assert_eq!(view.declined().into_iter().collect::<Vec<_>>(), declined);
    let accounting = view.accounting();
    assert!(accounting.balances() && accounting.parked == 0, "{accounting:?}");

    // Somebody takes the dose over after all: the decision for it holds then.
    let adopted = ward.pen(&ward.investigator, 2).write(&chart, Carry::of(&dose, CarryReason::Adopt));
    arrive(&mut chart, &[&adopted]);
    let view = chart.view(&ChartAuthority { membership: &ward.site.membership, chart: ward.chart });
    assert_eq!(view.place(decision.id()), Some(Place::Visible));
    assert_eq!(view.medication_plan()[&key].current_ids(), [decision.id()]);
}

/// A doctor who is in the team decided for a dose of a device that was lost, and staff decline that dose: the
/// decision is the doctor's own act, and a carry of it by somebody else makes it no less.
#[test]
fn a_carry_of_a_decision_that_stands_by_itself_takes_nothing_from_it() {
    let mut ward = Ward::new(92);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let (first, dose, decision) = {
        let (mut doctor, mut lost) = (ward.pen(&ward.investigator, 1), ward.pen(&ward.clinician, 1));
        let first = doctor.write(&chart, dose_field("4", vec![]));
        arrive(&mut chart, &[&first]);
        let dose = lost.write(&chart, dose_field("16", vec![]));
        arrive(&mut chart, &[&dose]);
        let candidates = vec![first.id(), dose.id()];
        let decision = doctor.decide(&chart, Resolve::choosing(dose_key(), candidates, dose.id()));
        arrive(&mut chart, &[&decision]);
        (first, dose, decision)
    };
    let device = ward.clinician.id;
    let subject = ward.site.site.into();
    let revoke = ward.site.revoke_entry(subject, device, 1, RevokePolicy::Salvage, &[&ward.site.admins[0]]);
    ward.site.append_effective(revoke);
    let added = {
        let mut nurse = ward.pen(&ward.coordinator, 1);
        let declined = nurse.decide(&chart, DropDeclined { device, entry: dose.id() });
        [declined, nurse.write(&chart, Carry::of(&decision, CarryReason::Adopt))]
    };
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    for count in [1, 2] {
        let mut chart = chart.clone();
        arrive(&mut chart, &added.iter().take(count).collect::<Vec<_>>());
        let view = chart.view(&authority);
        assert!(view.declined().contains(&dose.id()));
        assert_eq!(view.place(decision.id()), Some(Place::Visible), "with {count} of what staff wrote");
        assert_eq!(view.place(first.id()), Some(Place::Superseded));
    }
}
