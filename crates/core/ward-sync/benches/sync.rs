//! How long the work of a device and of the server takes: making and rebuilding entries, viewing a
//! chart of 10,000 entries, replaying a membership log, checking a push, merging texts that are made to
//! cost much.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../tests/suite/support/mod.rs"]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "shared with the tests")]
mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::*;
use ward_crypto::*;
use ward_id::*;
use ward_sync::*;
use ward_text::{Burst, Document, EditId, NewEdit};

const ENTRIES: usize = 10_000;
const STAFF: usize = 300;
const CHARTS: usize = 300;
const HOSTILE_EDITS: u64 = 8_000;

fn line(what: &str, count: usize, took: Duration) {
    let per_s = count as f64 / took.as_secs_f64();
    println!("{what:<52} {count:>7}  {:>9.1} ms  {per_s:>10.0} /s", took.as_secs_f64() * 1e3);
}

fn timed<R>(what: &str, count: usize, work: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let out = black_box(work());
    line(what, count, start.elapsed());
    out
}

fn main() {
    entries_and_chart();
    membership();
    hostile_texts();
}

/// One edit that inserts one scalar.
fn written(device: u8, number: u64, at: u64, parents: &[u64]) -> NewEdit {
    let name = |number: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        EntryId::from_bytes(bytes)
    };
    let mut burst = Burst::default();
    burst.insert(u32::try_from(at).unwrap(), "x").unwrap();
    let (device, incarnation) = (DeviceId::from_bytes([device; 16]), Incarnation(1));
    NewEdit {
        id: EditId { device, incarnation, seq: number + 1, entry: name(number) },
        parents: parents.iter().map(|parent| name(*parent)).collect(),
        edit: Arc::new(burst.finish().unwrap()),
        hidden: false,
    }
}

/// Texts that nobody writes by working: each edit knows as little of the others as it can.
fn hostile_texts() {
    let half = HOSTILE_EDITS / 2;
    let before = |number: u64| number.checked_sub(1).into_iter().collect::<Vec<_>>();
    let apart = (0..HOSTILE_EDITS).map(|number| written(1, number, 0, &[]));
    let backwards = (0..half).map(|number| written(1, number, 0, &before(number)));
    let beside = (half..HOSTILE_EDITS).map(|number| written(2, number, 0, &[]));
    let line = (0..half).map(|number| written(1, number, number, &before(number)));
    let teeth = (0..half).map(|number| written(2, half + number, number + 1, &[number]));
    let cases: [(&str, Vec<NewEdit>); 3] = [
        ("edits at one place, each apart from all", apart.collect()),
        ("edits apart beside a line written backwards", backwards.chain(beside).collect()),
        ("edits apart, each on another place of a line", line.chain(teeth).collect()),
    ];
    for (what, edits) in cases {
        timed(what, edits.len(), || Document::new().insert_all(edits).unwrap());
    }
}

fn entries_and_chart() {
    let mut ward = Ward::new(1);
    let (_, secret) = ward.site.rotate(ward.chart, &ward.phone, None);
    let mut pen = Pen::new(ward.site.site, ward.chart, &ward.phone, 1);
    let empty = Chart::new(ward.site.site, ward.chart);
    let mut answer = response("day-1", ResponseStatus::Completed, AnsweredBy::Self_);
    answer.response = vec![b'x'; 590];
    let made: Vec<SignedEntry> = timed("entries made and signed", ENTRIES, || {
        (0..ENTRIES)
            .map(|n| {
                answer.occurrence = Occurrence::new(format!("day-{n}"));
                pen.write(&empty, answer.clone())
            })
            .collect()
    });
    let headers: Vec<EnvelopeHeader> = made.iter().map(|entry| header(&ward.site, entry, 0)).collect();
    let plain: Vec<Vec<u8>> = made.iter().map(SignedEntry::plaintext).collect();
    timed("entries rebuilt and checked", ENTRIES, || {
        for (header, plain) in headers.iter().zip(&plain) {
            black_box(SignedEntry::rebuild_and_check(header, plain, &ward.phone.cert).unwrap());
        }
    });
    let mut chart = empty.clone();
    timed("entries put into a chart", ENTRIES, || {
        for (n, entry) in made.iter().enumerate() {
            chart.insert(entry.clone(), Arrival::at(n as u64, T0)).unwrap();
        }
    });
    let authority = ChartAuthority { membership: &ward.site.membership, chart: ward.chart };
    timed("view of that chart", ENTRIES, || chart.view(&authority).accounting());

    let mut rng = TestRng::new(1);
    let envelopes: Vec<Envelope> = made[..256]
        .iter()
        .zip(&headers)
        .map(|(entry, header)| seal(header.clone(), entry, &ward.phone, &secret, &mut rng))
        .collect();
    let batch: Vec<PushItem<'_>> =
        envelopes.iter().map(|envelope| PushItem { envelope, bytes_len: 2_048 }).collect();
    let stored = StoredChain::default();
    let context = PushContext {
        membership: &ward.site.membership,
        chart: ward.chart,
        caller: ward.phone.id,
        now: T0,
        stored: &stored,
        epoch_announced_at: None,
    };
    timed("envelopes of one push checked", batch.len(), || check_push(&batch, &context).unwrap());
}

fn membership() {
    let mut ward = Ward::new(2);
    for _ in 0..STAFF {
        ward.site.staff(Role::Clinician);
    }
    for _ in 0..CHARTS {
        let (chart, person) = ward.site.open(&ward.coordinator, ward.team, vec![ward.recovery.id]);
        ward.site.patient(chart, person, &ward.coordinator, None);
    }
    let bytes: Vec<(Vec<u8>, [u8; 48])> =
        ward.site.log.iter().map(|entry| (entry.to_canonical(), entry.leaf())).collect();
    timed("membership entries applied", bytes.len(), || {
        let mut full = Membership::new(ward.site.root.clone(), Scope::All);
        for (index, (bytes, leaf)) in (0..).zip(&bytes) {
            assert_eq!(full.apply_bytes(index, leaf, bytes), Ok(Effect::Effective));
        }
        full.head()
    });
    let mut last = Team { team: ward.team, persons: vec![ward.coordinator.person] };
    timed("charts whose team changed", CHARTS, || {
        last.persons.push(ward.clinician.person);
        ward.site.team(ward.team, &last.persons);
    });
}
