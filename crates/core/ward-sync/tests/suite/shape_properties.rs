//! Properties of the four shapes over random histories of every kind: any order, batches,
//! duplicates and restarts give one chart; accounts balance after every entry; conflicts are the
//! same everywhere; what was declared void does not come back by itself; an older app passes on what
//! it cannot read.

use crate::support::TestRng;
use crate::support::history::{CHART, SITE, Step, Table, chart_of, play, shuffled, steps};
use proptest::prelude::*;
use std::collections::BTreeMap;
use ward_id::*;
use ward_sync::*;

/// Accounts balance, and each entry has exactly one place.
fn balances(chart: &Chart, table: &Table) -> Result<(), TestCaseError> {
    let view = chart.view(table);
    let accounting = view.accounting();
    prop_assert!(accounting.balances(), "{:?}", accounting);
    prop_assert_eq!(accounting.total, chart.len());
    prop_assert_eq!(view.timeline().len(), chart.len());
    Ok(())
}

/// The chart after its program was ended and started again.
fn restarted(chart: &Chart, table: &Table) -> Chart {
    let mut out = Chart::new(SITE, CHART);
    for item in chart.view(table).timeline() {
        let stored = SignedEntry::from_stored(&item.entry.to_stored()).unwrap();
        out.insert(stored, item.arrival).unwrap();
    }
    chart.proved().for_each(|(entry, place)| out.prove(entry, place));
    out
}

/// What an entry names as the writes that it is about.
fn named(entry: &SignedEntry) -> Vec<EntryId> {
    let payload = match entry.body().decode_payload() {
        Decoded::Known(payload) => payload.names().to_vec(),
        _ => vec![],
    };
    entry.body().amends.into_iter().chain(payload).collect()
}

proptest! {
    #![proptest_config(crate::support::proptest_config(48))]

    /// P1, P2, P5, P6, P12: batches in any order, with duplicates and restarts; a device that was
    /// copied is seen by everybody.
    #[test]
    fn p1_p2_p5_p6_p12_any_delivery_gives_one_chart(
        steps in steps(), seed in any::<u64>(), cut_off in 0u64..40, batch in 1usize..9,
    ) {
        let entries = play(&steps, 1);
        let table = Table::with_all_classes(cut_off);
        let reference = chart_of(entries.iter().enumerate());
        let mut rng = TestRng::new(seed);
        let mut chart = Chart::new(SITE, CHART);
        for part in shuffled(entries.len(), seed).chunks(batch) {
            // A batch that arrives twice changes nothing.
            for _ in 0..2 {
                for place in part {
                    let arrival = Arrival::at(*place as u64, TimestampMs(*place as i64));
                    chart.insert(entries[*place].clone(), arrival).unwrap();
                    chart.prove(entries[*place].id(), *place as u64);
                    balances(&chart, &table)?;
                }
            }
            if rng.next().is_multiple_of(4) {
                chart = restarted(&chart, &table);
            }
        }
        let (view, expected) = (chart.view(&table), reference.view(&table));
        prop_assert_eq!(view.conflicts(), expected.conflicts());
        prop_assert_eq!(format!("{view:?}"), format!("{expected:?}"));
        prop_assert_eq!(chart.forks(), reference.forks());
        let mut places: BTreeMap<(DeviceId, u64), usize> = BTreeMap::new();
        for entry in &entries {
            *places.entry((entry.frame().device, entry.frame().seq)).or_default() += 1;
        }
        let twice = places.values().filter(|count| **count > 1).count();
        prop_assert_eq!(chart.forks().len(), twice, "every place with two entries is proof of a copy");
        for fork in chart.forks() {
            let flagged = |id: &EntryId| view.timeline().iter().any(|item| item.entry.id() == *id && item.forked);
            prop_assert!(fork.entries.iter().all(flagged), "both branches stay and are marked");
        }
    }

    /// A conflict has several values, everything else one; and only a decision ends one: no entry
    /// that came after the conflict and is no decision leaves a single value.
    #[test]
    fn only_decisions_end_conflicts(steps in steps()) {
        let entries = play(&steps, 1);
        let table = Table::new(u64::MAX);
        let mut chart = Chart::new(SITE, CHART);
        let mut before: Vec<(FieldKey, Vec<EntryId>)> = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            chart.insert(entry.clone(), Arrival::at(place as u64, TimestampMs(0))).unwrap();
            let view = chart.view(&table);
            let open = view.conflicts();
            for conflict in &open {
                prop_assert!(conflict.candidates.len() > 1);
                for candidate in &conflict.candidates {
                    prop_assert_eq!(view.place(*candidate), Some(Place::InConflict));
                }
            }
            for (field, candidates) in &before {
                let still = open.iter().any(|now| {
                    now.field == *field && now.candidates.iter().any(|one| candidates.contains(one) || *one == entry.id())
                });
                let kind = entry.body().kind;
                prop_assert!(still || kind == EntryKind::RESOLVE, "{field:?} ended by {kind}");
            }
            before = open.into_iter().map(|conflict| (conflict.field, conflict.candidates)).collect();
        }
    }

    /// P7: what a declaration replaced never holds again, whatever arrives in whatever order; and a
    /// declaration is replaced only by an entry that names it.
    #[test]
    fn p7_nothing_comes_back_by_itself(steps in steps(), seed in any::<u64>()) {
        let entries = play(&steps, 1);
        let table = Table::new(u64::MAX);
        let mut chart = Chart::new(SITE, CHART);
        for place in shuffled(entries.len(), seed) {
            chart.insert(entries[place].clone(), Arrival::UNSENT).unwrap();
        }
        let view = chart.view(&table);
        for item in view.timeline() {
            let Decoded::Known(Payload::Void(void)) = item.entry.body().decode_payload() else { continue };
            let counts = matches!(item.place, Place::Visible | Place::InConflict | Place::Superseded);
            if !counts {
                continue;
            }
            prop_assert_eq!(view.place(void.target), Some(Place::Superseded));
            let taken_back = item.place == Place::Superseded;
            let names_it = view.timeline().iter().any(|other| named(other.entry).contains(&item.entry.id()));
            prop_assert!(!taken_back || names_it);
        }
    }

    /// P11: an app of an earlier level stores and counts what it cannot read; what it passes on, and
    /// what it is after an update, is the chart of everybody else.
    #[test]
    fn p11_an_older_app_loses_nothing(steps in steps(), seed in any::<u64>(), cut_off in 0u64..40) {
        let entries = play(&steps, 1);
        let table = Table::with_all_classes(cut_off);
        let mut old = Chart::at_level(SITE, CHART, 0);
        for place in shuffled(entries.len(), seed) {
            let arrival = Arrival::at(place as u64, TimestampMs(place as i64));
            old.insert(entries[place].clone(), arrival).unwrap();
            old.prove(entries[place].id(), place as u64);
            balances(&old, &table)?;
        }
        let view = old.view(&table);
        let newer = |kind: EntryKind| kind.since_level() > 0;
        for item in view.timeline().iter().filter(|item| newer(item.entry.body().kind)) {
            let aside = matches!(item.place, Place::UnknownKind | Place::Quarantined(_));
            prop_assert!(aside, "{:?}", item.place);
        }
        prop_assert_eq!(old.have(), chart_of(entries.iter().enumerate()).have(), "it passes all of it on");
        let updated = restarted(&old, &table);
        let fresh = chart_of(entries.iter().enumerate());
        prop_assert_eq!(format!("{:?}", updated.view(&table)), format!("{:?}", fresh.view(&table)));
    }
}

#[test]
fn the_histories_hold_every_shape() {
    let mut rng = TestRng::new(11);
    let mut byte = || (rng.next() >> 32) as u8;
    let steps: Vec<Step> =
        (0..900).map(|_| Step { device: byte(), action: byte(), argument: byte() }).collect();
    let entries = play(&steps, 1);
    let table = Table::with_all_classes(300);
    let chart = chart_of(entries.iter().enumerate());
    let view = chart.view(&table);
    let of = |kind: EntryKind, place: fn(Place) -> bool| {
        let fits = |item: &&TimelineItem<'_>| item.entry.body().kind == kind && place(item.place);
        view.timeline().iter().filter(fits).count()
    };
    let counts = |place: Place| matches!(place, Place::Visible | Place::InConflict | Place::Superseded);
    for kind in [EntryKind::RESOLVE, EntryKind::VOID, EntryKind::SET_CHANGE] {
        assert!(of(kind, counts) > 3, "{kind}: {}", of(kind, counts));
        assert!(of(kind, |place| place == Place::NotPermitted) > 0, "{kind}");
    }
    assert!(view.sets().values().any(|set| !set.removed.is_empty() && !set.elements.is_empty()));
    assert!(view.conflicts().len() > 1);
}
