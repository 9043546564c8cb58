//! Vector clocks against a plain computation; closed chains; what a device carries on of its own.

use crate::support::*;
use std::collections::{BTreeMap, BTreeSet};
use ward_crypto::CaptureSignature;
use ward_id::*;
use ward_sync::*;

/// The clock of one entry, by walking its whole past.
fn naive(chart: &Chart, entry: EntryId) -> VectorClock {
    let (mut open, mut seen, mut clock) = (vec![entry], BTreeSet::new(), VectorClock::new());
    while let Some(id) = open.pop() {
        let Some(entry) = chart.get(id).filter(|_| seen.insert(id)) else { continue };
        let frame = entry.frame();
        let known = clock.entry((frame.device, frame.incarnation)).or_insert(0);
        *known = frame.seq.max(*known);
        open.extend(frame.prev.into_iter().chain(frame.body.deps.iter().copied()).chain(frame.body.amends));
    }
    clock
}

/// A history of several devices that see each other's entries now and then, and one that forks.
fn history(ward: &Ward, entries: usize, seed: u64) -> Chart {
    let mut rng = TestRng::new(seed);
    let devices = [&ward.phone, &ward.coordinator, &ward.clinician, &ward.investigator];
    let mut replicas: Vec<(Pen<'_>, Chart)> = devices
        .iter()
        .map(|device| {
            let pen = Pen::new(ward.site.site, ward.chart, device, seed + 1);
            (pen, Chart::new(ward.site.site, ward.chart))
        })
        .collect();
    let mut all: Vec<SignedEntry> = Vec::new();
    for number in 0..entries {
        let at = usize::try_from(rng.next() % 4).unwrap();
        let (pen, chart) = &mut replicas[at];
        // What this device has fetched by now.
        let upto = all.len() - usize::try_from(rng.next() % (all.len() as u64 / 3 + 1)).unwrap();
        for entry in &all[..upto] {
            chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
        }
        let entry = pen.write(chart, note(&format!("{number}")));
        chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
        all.push(entry);
    }
    let mut chart = Chart::new(ward.site.site, ward.chart);
    for entry in all {
        chart.insert(entry, Arrival::UNSENT).unwrap();
    }
    chart
}

#[test]
fn expanded_clocks_are_those_of_the_whole_past() {
    let ward = Ward::new(81);
    for seed in 0..4 {
        let chart = history(&ward, 60, seed);
        let clocks = chart.vector_clocks();
        let ids: Vec<EntryId> = chart.entries().map(SignedEntry::id).collect();
        assert_eq!(ids.len(), 60);
        for &id in &ids {
            assert_eq!(clocks.of(id), Some(naive(&chart, id)));
        }
        // Order from clocks is order from the past.
        let past: BTreeMap<EntryId, VectorClock> = ids.iter().map(|id| (*id, naive(&chart, *id))).collect();
        for &a in &ids {
            let frame = chart.get(a).unwrap().frame();
            for &b in &ids {
                let known = past[&b].get(&(frame.device, frame.incarnation)).copied().unwrap_or(0);
                assert_eq!(clocks.happened_before(a, b), a != b && known >= frame.seq);
            }
        }
    }
    assert_eq!(Chart::new(ward.site.site, ward.chart).vector_clocks().of(EntryId::from_bytes([1; 32])), None);
}

/// Ten thousand entries of two chains that saw each other all the time: each clock is made once.
#[test]
fn clocks_of_ten_thousand_entries_are_quick() {
    let ward = Ward::new(82);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let sign = |device: &Device, id| Ok(CaptureSignature::sign(&device.keys.sign, id));
    let mut heads = VersionVector::new();
    let mut chains = [&ward.phone, &ward.clinician].map(|device| {
        (EntryChain::open(ward.site.site, ward.chart, device.id, device.role, Incarnation(1)), device)
    });
    let mut newest = None;
    for number in 0..10_000u64 {
        let (chain, device) = &mut chains[usize::try_from(number % 2).unwrap()];
        let moment = Moment {
            random16: [u8::try_from(number % 251).unwrap(); 16],
            captured_at: T0,
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: number },
            olog: None,
        };
        let seen = Seen { heads: &heads, lamport: number };
        let entry = chain.append(&Draft::new(note("n")), &moment, seen, |id| sign(device, id)).unwrap();
        let frame = entry.frame();
        heads.observe(frame.device, frame.incarnation, Head { seq: frame.seq, entry: entry.id() }).unwrap();
        newest = Some(entry.id());
        chart.insert(entry, Arrival::UNSENT).unwrap();
    }
    let began = std::time::Instant::now();
    let clocks = chart.vector_clocks();
    let took = began.elapsed();
    let newest = clocks.of(newest.unwrap()).unwrap();
    assert_eq!(newest.values().copied().collect::<Vec<_>>(), [5_000, 5_000]);
    println!("10,000 vector clocks in {took:?}");
}

fn closing(entry: &SignedEntry) -> DeviceClosed {
    let frame = entry.frame();
    DeviceClosed {
        device: frame.device,
        incarnation: frame.incarnation,
        final_seq: frame.seq,
        final_entry: entry.id(),
    }
}

#[test]
fn a_closed_chain_leaves_the_live_set_and_a_late_entry_is_merged_and_marked() {
    let ward = Ward::new(83);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut phone = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let mut nurse = Pen::new(ward.site.site, ward.chart, &ward.clinician, 2);
    let mut written = Vec::new();
    for text in ["one", "two"] {
        let entry = phone.write(&chart, note(text));
        chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
        written.push(entry);
    }
    assert_eq!(chart.live(&chart.view(&authority).closed_chains()).len(), 1);
    // Nobody closes somebody else's chain: a patient that of staff.
    let nurses = nurse.write(&chart, note("of the nurse"));
    chart.insert(nurses.clone(), Arrival::UNSENT).unwrap();
    let stolen = phone.write(&chart, closing(&nurses));
    chart.insert(stolen.clone(), Arrival::UNSENT).unwrap();
    assert!(chart.view(&authority).closed_chains().is_empty());
    let closed = nurse.write(&chart, closing(&stolen));
    chart.insert(closed, Arrival::UNSENT).unwrap();
    let view = chart.view(&authority);
    let name = (ward.phone.id, Incarnation(1));
    assert_eq!(view.closed_chains().get(&name).map(|end| end.seq), Some(3));
    let live = chart.live(&view.closed_chains());
    assert_eq!(live.iter().map(|(device, _, _)| device).collect::<Vec<_>>(), [ward.clinician.id]);
    assert_eq!(view.late_entries().count(), 0);
    // The device comes back: merged, marked, and compared again.
    let late = phone.write(&chart, note("late"));
    chart.insert(late.clone(), Arrival::UNSENT).unwrap();
    let view = chart.view(&authority);
    assert_eq!(view.late_entries().collect::<Vec<_>>(), [late.id()]);
    assert_eq!(view.place(late.id()), Some(Place::Visible));
    assert_eq!(chart.live(&view.closed_chains()).len(), 2);
    assert!(view.accounting().balances());
}

#[test]
fn a_device_carries_on_its_own_entries_and_nobody_elses() {
    let ward = Ward::new(84);
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut old = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let mut life = Pen::new(ward.site.site, ward.chart, &ward.phone, 2);
    let mut nurse = Pen::new(ward.site.site, ward.chart, &ward.clinician, 3);
    let lost = old.write(&chart, note("on the lost branch"));
    let of_nurse = nurse.write(&chart, note("of the nurse, never sent"));
    let own = life.write(&chart, Carry::of(&lost, CarryReason::Reauthor));
    chart.insert(own.clone(), Arrival::UNSENT).unwrap();
    // A patient adopts nothing, and takes nobody else's entry up as theirs.
    let foreign = life.write(&chart, Carry::of(&of_nurse, CarryReason::Reauthor));
    chart.insert(foreign, Arrival::UNSENT).unwrap();
    let adopt = life.try_write(&chart, &Draft::new(Carry::of(&of_nurse, CarryReason::Adopt)));
    assert!(matches!(adopt, Err(EntryError::NotPermitted { .. })));
    let view = chart.view(&authority);
    let item = view.timeline().iter().find(|item| item.entry.id() == lost.id()).unwrap();
    assert_eq!((item.place, item.carried_by), (Place::Visible, Some(own.id())));
    assert_eq!(item.entry.body().captured_at, lost.body().captured_at, "with its own time");
    assert_eq!(view.place(of_nurse.id()), None);
    let texts: Vec<&str> = view.notes().iter().map(|thread| thread.current[0].value.text.as_str()).collect();
    assert_eq!(texts, ["on the lost branch"]);
    assert!(view.accounting().balances());
}

/// The soft cap of living devices, at the limit and one past it; a closed one does not count.
#[test]
fn a_crowd_is_told_one_past_the_limit_and_closing_ends_it() {
    let ward = Ward::new(85);
    let mut chart = Chart::new(ward.site.site, ward.chart);
    let mut last = None;
    for number in 1..=u8::try_from(ward_sync::limits::LIVE_DEVICES_SOFT_MAX + 1).unwrap() {
        assert_eq!(chart.crowd(&BTreeMap::new()), None, "{} devices", number - 1);
        let device = DeviceId::from_bytes([number; 16]);
        let role = ward_crypto::Role::Patient;
        let mut chain = EntryChain::open(ward.site.site, ward.chart, device, role, Incarnation(1));
        let moment = Moment {
            random16: [number; 16],
            captured_at: T0,
            zone: "Europe/Vienna".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
            olog: None,
        };
        let seen = Seen { heads: &VersionVector::new(), lamport: 0 };
        let sign = |id| Ok(CaptureSignature::sign(&ward.phone.keys.sign, id));
        let entry = chain.append(&Draft::new(note("one of many")), &moment, seen, sign).unwrap();
        last = Some(((device, Incarnation(1)), Head { seq: 1, entry: entry.id() }));
        chart.insert(entry, Arrival::UNSENT).unwrap();
    }
    assert_eq!(chart.crowd(&BTreeMap::new()), Some(ward_sync::limits::LIVE_DEVICES_SOFT_MAX + 1));
    assert_eq!(chart.crowd(&last.into_iter().collect()), None);
}
