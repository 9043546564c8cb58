//! Properties of the chart over random histories: convergence, idempotence, accounting, causal
//! reads, independence of clocks.

#![cfg(test)]

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use support::TestRng;
use ward_crypto::{CaptureSignature, DeviceCert, Role, Signature};
use ward_id::*;
use ward_sync::*;

const SITE: SiteId = SiteId::from_bytes([1; 16]);
const CHART: ChartId = ChartId::from_bytes([2; 16]);
const ROLES: [Role; 4] = [Role::Patient, Role::Coordinator, Role::Clinician, Role::Investigator];

/// Roles by device; the device `LOST` was revoked below a place in the log.
struct Table {
    cut_off: u64,
}

const LOST: u8 = 3;

impl Authority for Table {
    fn author(&self, device: DeviceId) -> Option<Author> {
        let number = device.as_bytes()[0];
        let role = *ROLES.get(usize::from(number))?;
        Some(Author { person: PersonId::from_bytes([number; 16]), role, device })
    }
    fn certificate(&self, _: DeviceId) -> Option<&DeviceCert> {
        None
    }
    fn standing(&self, device: DeviceId, olog_index: Option<u64>) -> Standing {
        let late = olog_index.is_none_or(|index| index >= self.cut_off);
        if device.as_bytes()[0] == LOST && late { Standing::ToBeAdopted } else { Standing::Effective }
    }
}

/// One device with its own replica.
#[derive(Clone)]
struct Replica {
    device: DeviceId,
    chart: Chart,
    seq: u64,
    prev: Option<EntryId>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    device: u8,
    action: u8,
    argument: u8,
}

/// The entries of a history, in the order in which they were made.
fn play(steps: &[Step], clock_seed: u64) -> Vec<SignedEntry> {
    let mut clock = TestRng::new(clock_seed);
    let mut random = TestRng::new(7);
    let replica = |number: u8| Replica {
        device: DeviceId::from_bytes([number; 16]),
        chart: Chart::new(SITE, CHART),
        seq: 0,
        prev: None,
    };
    // Four devices, a fifth without a certificate, and a copy of the first one that forks it.
    let mut replicas: Vec<Replica> = (0..5).map(replica).chain([replica(0)]).collect();
    let mut all = Vec::new();
    for step in steps {
        let from = usize::from(step.argument) % replicas.len();
        let at = usize::from(step.device) % replicas.len();
        if step.action.is_multiple_of(3) {
            let source: Vec<SignedEntry> = all.clone();
            let (to, other) = (at, replicas[from].chart.clone());
            for entry in source.iter().filter(|entry: &&SignedEntry| other.get(entry.id()).is_some()) {
                replicas[to].chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
            }
            continue;
        }
        let entry = write(&mut replicas[at], *step, &mut clock, &mut random);
        all.push(entry);
    }
    all
}

fn write(replica: &mut Replica, step: Step, clock: &mut TestRng, random: &mut TestRng) -> SignedEntry {
    let have = replica.chart.have();
    let own = |d: DeviceId, i: Incarnation| (d, i) == (replica.device, Incarnation(1));
    let deps = have.iter().filter(|(d, i, _)| !own(*d, *i)).map(|(_, _, head)| head.entry).collect();
    let view = replica.chart.view(&Table { cut_off: u64::MAX });
    let Content { kind, schema, version, payload, amends } = content(&view, step);
    let body = EntryBody {
        random16: ward_crypto::random_bytes(random),
        deps,
        lamport: replica.chart.lamport() + 1,
        kind,
        schema,
        version,
        captured_at: TimestampMs((clock.next() >> 20) as i64),
        zone: "UTC".into(),
        evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
        olog: None,
        amends,
        reason: None,
        payload,
    };
    replica.seq += 1;
    let frame = EntryFrame {
        site: SITE,
        chart: CHART,
        device: replica.device,
        incarnation: Incarnation(1),
        seq: replica.seq,
        prev: replica.prev,
        body,
    };
    let unsigned = |_| Ok(CaptureSignature::Device(Signature::from_bytes([0; 64])));
    let entry = SignedEntry::sign(frame, unsigned).unwrap();
    replica.prev = Some(entry.id());
    replica.chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
    entry
}

struct Content {
    kind: EntryKind,
    schema: String,
    version: u64,
    payload: Vec<u8>,
    amends: Option<EntryId>,
}

fn content(view: &ChartView<'_>, step: Step) -> Content {
    let field = format!("field-{}", step.argument % 3);
    let known = |payload: Payload, amends| Content {
        kind: payload.kind(),
        schema: payload.schema().into(),
        version: payload.version(),
        payload: payload.encode(),
        amends,
    };
    let odd = |kind, schema: &str, payload| Content {
        kind,
        schema: schema.into(),
        version: 1,
        payload,
        amends: None,
    };
    match step.action % 10 {
        1 => {
            let key = (MedicationId::new("m"), field.clone());
            let supersedes = view.medication_plan().get(&key).map_or(vec![], Thread::current_ids);
            let (value, unit) = (Some(step.argument.to_string()), None);
            known(MedicationPlanField { medication: key.0, field, value, unit, supersedes }.into(), None)
        }
        2 => {
            let supersedes = view.profile().get(&field).map_or(vec![], Thread::current_ids);
            known(ProfileField { field, value: step.argument.to_string(), supersedes }.into(), None)
        }
        4 => {
            let mut notes: Vec<_> = view.notes().iter().collect();
            notes.sort_by_key(|note| note.first().map(seal_of));
            let note = notes.get(usize::from(step.argument) % 4);
            let supersedes = note.map_or(vec![], |note| note.current_ids());
            known(Note { text: step.argument.to_string(), supersedes }.into(), None)
        }
        5 => {
            let payload = support::response(&field, ResponseStatus::Completed, AnsweredBy::Interview);
            let responses = view.responses().values().flatten().flat_map(|thread| &thread.current);
            let there = responses.min_by_key(|written| seal_of(written));
            let amends = there.filter(|_| step.argument.is_multiple_of(2)).map(|written| written.id());
            known(payload.into(), amends)
        }
        7 => odd(EntryKind(20), "ward/future", vec![step.argument]),
        8 => known(support::instrument(&field).into(), None),
        9 => {
            // Mostly an instrument, if there is one; now and then any entry.
            let instruments = view.instruments().iter().flat_map(|thread| &thread.current);
            let there = instruments.min_by_key(|written| seal_of(written)).map(Written::id);
            let any = view.timeline().iter().min_by_key(|item| item.entry.body().random16);
            let any = any.map(|item| item.entry.id());
            let named = if step.argument.is_multiple_of(8) { any } else { there.or(any) };
            match named {
                Some(named) => known(support::dense(named, &field, AnsweredBy::Interview).into(), None),
                None => known(support::note("nothing to answer").into(), None),
            }
        }
        _ => odd(EntryKind::NOTE, "ward/note", vec![0xff, step.argument]),
    }
}

/// An author's choice must not hang on names, for names hang on clocks: entries are told apart by
/// their random bytes, which are the same in every playing of a history.
fn seal_of<P>(written: &Written<'_, P>) -> [u8; 16] {
    written.entry.body().random16
}

fn chart_of<'a>(entries: impl IntoIterator<Item = (usize, &'a SignedEntry)>) -> Chart {
    let mut chart = Chart::new(SITE, CHART);
    for (place, entry) in entries {
        chart.insert(entry.clone(), Arrival::at(place as u64, TimestampMs(place as i64))).unwrap();
        chart.prove(entry.id(), place as u64);
    }
    chart
}

fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut rng = TestRng::new(seed);
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        order.swap(i, (rng.next() % (i as u64 + 1)) as usize);
    }
    // A fifth of all entries comes twice.
    let twice: Vec<usize> = order.iter().copied().filter(|_| rng.next().is_multiple_of(5)).collect();
    order.extend(twice);
    order
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<u8>(), any::<u8>(), any::<u8>());
    prop::collection::vec(
        step.prop_map(|(device, action, argument)| Step { device, action, argument }),
        1..60,
    )
}

/// Values and places with entries named by author and place, so that two histories with different
/// clocks (and so different names) can be compared.
fn abstracted(entries: &[SignedEntry], cut_off: u64) -> (BTreeMap<EntryId, usize>, BTreeSet<String>) {
    let chart = chart_of(entries.iter().enumerate());
    let view = chart.view(&Table { cut_off });
    let number: BTreeMap<EntryId, usize> = entries.iter().enumerate().map(|(n, e)| (e.id(), n)).collect();
    let mut facts = BTreeSet::new();
    for item in view.timeline() {
        facts.insert(format!("{} {:?}", number[&item.entry.id()], item.place));
    }
    for (key, thread) in view.medication_plan() {
        let current: BTreeSet<_> = thread.current.iter().map(|w| number[&w.id()]).collect();
        facts.insert(format!("{key:?} {current:?}"));
    }
    for (key, threads) in view.responses() {
        let threads: BTreeSet<BTreeSet<_>> =
            threads.iter().map(|t| t.current.iter().map(|w| number[&w.id()]).collect()).collect();
        facts.insert(format!("{key:?} {threads:?}"));
    }
    (number, facts)
}

proptest! {
    #![proptest_config(support::proptest_config(400))]

    /// Any order and any repetition of arrivals give the same chart, and every prefix of an order
    /// balances its accounts.
    #[test]
    fn p1_p2_p5_convergence(steps in steps(), seed in any::<u64>(), cut_off in 0u64..40) {
        let entries = play(&steps, 1);
        let table = Table { cut_off };
        let reference = chart_of(entries.iter().enumerate());
        let expected = format!("{:?}", reference.view(&table));
        let mut chart = Chart::new(SITE, CHART);
        for (n, place) in shuffled(entries.len(), seed).into_iter().enumerate() {
            let arrival = Arrival::at(place as u64, TimestampMs(place as i64));
            chart.insert(entries[place].clone(), arrival).unwrap();
            chart.prove(entries[place].id(), place as u64);
            if n.is_multiple_of(7) {
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
        let table = Table { cut_off };
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
        let view = chart.view(&Table { cut_off: u64::MAX });
        let mut parked = 0;
        for item in view.timeline() {
            let body = item.entry.body();
            let named = match body.decode_payload() {
                Decoded::Known(payload) => payload.supersedes().to_vec(),
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
    let view = chart.view(&Table { cut_off: 100 });
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
