//! One member who writes very much keeps nobody else from their chart: what a view costs grows with the
//! entries, not with their square.

use crate::support::history::{CHART, SITE, Table};
use std::time::{Duration, Instant};
use ward_crypto::{CaptureSignature, Signature};
use ward_id::*;
use ward_sync::*;

/// More than a phone sends in a minute.
const MANY: u64 = 20_000;
/// Comparing each with each takes many times as long, also on a slow machine.
const LONGEST: Duration = Duration::from_secs(60);

/// The processor time of this thread, where the system tells it.
fn spent(begun: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|line| line.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| begun.elapsed(), Duration::from_nanos)
}

/// A chart into which one device wrote so much.
fn chart_of(payload: impl Fn(u64) -> Payload) -> Chart {
    let mut chart = Chart::new(SITE, CHART);
    let mut prev = None;
    for number in 1..=MANY {
        let payload = payload(number);
        let body = EntryBody {
            random16: [0; 16],
            deps: vec![],
            lamport: number,
            kind: payload.kind(),
            schema: payload.schema().into(),
            version: payload.version(),
            captured_at: TimestampMs(0),
            zone: "UTC".into(),
            evidence: BootEvidence { boot_id: 1, monotonic_ms: 1 },
            olog: None,
            amends: None,
            reason: None,
            payload: payload.encode(),
        };
        let device = DeviceId::from_bytes([0; 16]);
        let frame = EntryFrame {
            site: SITE,
            chart: CHART,
            device,
            incarnation: Incarnation(1),
            seq: number,
            prev,
            body,
        };
        let unsigned = |_| Ok(CaptureSignature::Device(Signature::from_bytes([0; 64])));
        let entry = SignedEntry::sign(frame, unsigned).unwrap();
        prev = Some(entry.id());
        chart.insert(entry, Arrival::UNSENT).unwrap();
    }
    chart
}

#[track_caller]
fn quick<R>(chart: &Chart, look: impl FnOnce(&ChartView<'_>) -> R) -> R {
    let table = Table::new(u64::MAX);
    let begun = Instant::now();
    let before = spent(begun);
    let view = chart.view(&table);
    let out = look(&view);
    let took = spent(begun).saturating_sub(before);
    assert!(took < LONGEST, "{took:?}");
    assert!(view.accounting().balances());
    out
}

#[test]
fn candidates_of_one_field_are_not_compared_each_with_each() {
    let chart = chart_of(|number| {
        // Every value twice: half of them repeat.
        let value = (number / 2).to_string();
        ProfileField { field: "phone".into(), value, supersedes: vec![] }.into()
    });
    quick(&chart, |view| {
        let thread = &view.profile()["phone"];
        assert!(thread.is_conflict() && thread.current.len() as u64 == MANY);
        assert_eq!(thread.values().len() as u64, MANY / 2 + 1, "each value once");
    });
}

#[test]
fn sets_are_not_looked_through_for_each_name() {
    let chart = chart_of(|number| SetChange::adding(number.to_string(), "x").into());
    quick(&chart, |view| assert_eq!(view.sets().len() as u64, MANY));
}
