//! Properties of the chart over random histories: convergence, idempotence, accounting, causal
//! reads, independence of clocks.

use crate::support::TestRng;
use crate::support::history::{CHART, SITE, Step, Table, chart_of, play, shuffled, steps};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use ward_id::*;
use ward_sync::*;

/// Values and places with entries named by author and place, so that two histories with different
/// clocks (and so different names) can be compared.
fn abstracted(entries: &[SignedEntry], cut_off: u64) -> (BTreeMap<EntryId, usize>, BTreeSet<String>) {
    let chart = chart_of(entries.iter().enumerate());
    let view = chart.view(&Table::new(cut_off));
    let number: BTreeMap<EntryId, usize> = entries.iter().enumerate().map(|(n, e)| (e.id(), n)).collect();
    let mut facts = BTreeSet::new();
    for item in view.timeline() {
        facts.insert(format!("{} {:?}", number[&item.entry.id()], item.place));
    }
    for (key, thread) in view.medication_plan() {
        let current: BTreeSet<_> = thread.current.iter().map(|w| number[&w.id()]).collect();
        facts.insert(format!("{key:?} {current:?}"));
    }
    for (key, thread) in view.profile() {
        let current: BTreeSet<_> = thread.current.iter().map(|w| number[&w.id()]).collect();
        facts.insert(format!("{key:?} {current:?} {}", thread.is_conflict()));
    }
    for (key, set) in view.sets() {
        facts.insert(format!("{key:?} {:?}", set.elements.keys().collect::<Vec<_>>()));
    }
    for (key, threads) in view.responses() {
        let threads: BTreeSet<BTreeSet<_>> =
            threads.iter().map(|t| t.current.iter().map(|w| number[&w.id()]).collect()).collect();
        facts.insert(format!("{key:?} {threads:?}"));
    }
    (number, facts)
}

proptest! {
    #![proptest_config(crate::support::proptest_config(400))]

    /// Any order and any repetition of arrivals give the same chart, and every prefix of an order
    /// balances its accounts.
    #[test]
    fn p1_p2_p5_convergence(steps in steps(), seed in any::<u64>(), cut_off in 0u64..40) {
        let entries = play(&steps, 1);
        let table = Table::new(cut_off);
        let reference = chart_of(entries.iter().enumerate());
        let expected = format!("{:?}", reference.view(&table));
        let mut chart = Chart::new(SITE, CHART);
        for (n, place) in shuffled(entries.len(), seed).into_iter().enumerate() {
            let arrival = Arrival::at(place as u64, TimestampMs(place as i64));
            chart.insert(entries[place].clone(), arrival).unwrap();
            chart.prove(entries[place].id(), place as u64);
            if n.is_multiple_of(5) {
                let accounting = chart.view(&table).accounting();
                prop_assert!(accounting.balances(), "{accounting:?}");
                prop_assert_eq!(accounting.total, chart.len());
            }
        }
        prop_assert_eq!(format!("{:?}", chart.view(&table)), expected);
        prop_assert_eq!(chart.have(), reference.have());
        prop_assert_eq!(chart.forks(), reference.forks());
        prop_assert!(chart.gaps().is_empty());
        prop_assert_eq!(chart.missing(), reference.missing());
    }

    /// A chart that begins with a checkpoint and gets the rest in any order is the same chart, byte for
    /// byte; and the roots of a checkpoint fit its own entries only.
    #[test]
    fn p10_a_checkpoint_and_what_came_after_are_the_whole_log(
        steps in steps(), part in 0usize..=100, seed in any::<u64>(), cut_off in 0u64..40
    ) {
        let entries = play(&steps, 1);
        let table = Table::new(cut_off);
        let full = chart_of(entries.iter().enumerate());
        let covered = entries.len() * part / 100;
        let row = |place: usize| (place as u64, TimestampMs(place as i64), &entries[place]);
        let content = encode_content((0..covered).map(row));
        let rows: Vec<CheckpointRow> =
            decode_content(&content).unwrap().into_iter().map(|row| CheckpointRow::read(row).unwrap()).collect();
        let mut begun = Chart::new(SITE, CHART);
        for row in &rows {
            begun.insert(row.entry.clone(), Arrival::at(row.index, row.received_at)).unwrap();
            begun.prove(row.entry.id(), row.index);
        }
        for place in shuffled(entries.len(), seed).into_iter().filter(|place| *place >= covered) {
            let arrival = Arrival::at(place as u64, TimestampMs(place as i64));
            begun.insert(entries[place].clone(), arrival).unwrap();
            begun.prove(entries[place].id(), place as u64);
        }
        prop_assert_eq!(state_root(&begun, &table), state_root(&full, &table));
        // Neither a study schema nor a revocation that came later changes what was signed.
        let later_on = Table::with_all_classes(cut_off / 2);
        prop_assert_eq!(state_root(&begun, &table), state_root(&full, &later_on));
        prop_assert_eq!(format!("{:?}", begun.view(&table)), format!("{:?}", full.view(&table)));
        let listed: Vec<_> = full.arrived_upto(covered as u64).into_iter().take(covered).collect();
        let roots = roots_of_rows(listed.iter().copied());
        let read = roots_of_rows(rows.iter().map(|row| (row.index, row.received_at, &row.entry)));
        prop_assert_eq!(&read, &roots);
        if let Ok(roots) = roots {
            prop_assert_eq!(roots.count, covered as u64);
            let dropped = (seed % covered as u64) as usize;
            let lacks = listed.iter().copied().enumerate().filter(|(n, _)| *n != dropped).map(|(_, row)| row);
            prop_assert_ne!(roots_of_rows(lacks), Ok(roots.clone()));
            let later = listed.iter().enumerate().map(|(n, (index, at, entry))| {
                (*index, at.plus_ms(i64::from(n == dropped)), *entry)
            });
            prop_assert_ne!(roots_of_rows(later).unwrap().places_root, roots.places_root);
        }
    }

    /// Rewriting all claims of time changes no value and no place.
    #[test]
    fn p8_clocks_decide_nothing(steps in steps(), clock in 2u64.., cut_off in 0u64..40) {
        let (a, b) = (play(&steps, 1), play(&steps, clock));
        prop_assert_eq!(abstracted(&a, cut_off).1, abstracted(&b, cut_off).1);
    }

    /// A view of any part of a history shows no entry without its causes, and names what is missing.
    #[test]
    fn p9_causes_come_first(steps in steps(), seed in any::<u64>()) {
        let entries = play(&steps, 1);
        let mut rng = TestRng::new(seed);
        let some: Vec<_> = entries.iter().enumerate().filter(|_| !rng.next().is_multiple_of(4)).collect();
        let chart = chart_of(some);
        let view = chart.view(&Table::new(u64::MAX));
        let mut parked = 0;
        for item in view.timeline() {
            let body = item.entry.body();
            let named = match body.decode_payload() {
                Decoded::Known(payload) => payload.names().to_vec(),
                _ => vec![],
            };
            let causes = item.entry.frame().prev.into_iter().chain(body.amends).chain(body.deps.clone()).chain(named);
            if item.place == Place::Parked {
                parked += 1;
                continue;
            }
            for cause in causes {
                prop_assert!(view.place(cause).is_some_and(|place| place != Place::Parked));
            }
        }
        prop_assert_eq!(parked > 0, !chart.missing().is_empty());
        for gap in chart.gaps() {
            let (missing, _) = entries.iter().map(|e| (e.id(), e)).find(|(id, _)| *id == gap.missing).unwrap();
            prop_assert!(chart.get(missing).is_none());
        }
    }
}

#[test]
fn the_histories_are_not_trivial() {
    let mut rng = TestRng::new(3);
    let mut byte = || (rng.next() >> 32) as u8;
    let steps: Vec<Step> =
        (0..400).map(|_| Step { device: byte(), action: byte(), argument: byte() }).collect();
    let entries = play(&steps, 1);
    let chart = chart_of(entries.iter().enumerate());
    let view = chart.view(&Table::new(100));
    let accounting = view.accounting();
    for count in [
        accounting.visible,
        accounting.superseded,
        accounting.in_conflict,
        accounting.quarantined,
        accounting.unknown_kind,
        accounting.invalid,
        accounting.not_permitted,
    ] {
        assert!(count > 0, "{accounting:?}");
    }
    assert!(!chart.forks().is_empty());
}
