//! Sites with devices that are taken out, and what all of them must agree on.

use ward_client::{SyncProblem, SyncReport};
use ward_crypto::Role;
use ward_id::{ChartId, EntryId};
use ward_sync::{DeliveryState, Note, RevokePolicy};
use ward_testkit::{Site, TestDevice};

pub fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

/// A site with so many clinicians and a patient, all in order.
pub async fn site_with(seed: u64, clinicians: usize) -> (Site, Vec<TestDevice>, TestDevice) {
    let mut site = Site::small(seed).await;
    let mut staff = Vec::new();
    for number in 0..clinicians {
        staff.push(site.staff(&format!("clinician {number}"), Role::Clinician).await);
    }
    let patient = site.patient("ada").await;
    site.coordinator.sync().await;
    for one in &mut staff {
        one.sync().await;
    }
    (site, staff, patient)
}

/// Writes one entry on each of so many days without a network; at least one.
pub async fn days_offline(site: &Site, patient: &mut TestDevice, days: i64) -> Vec<EntryId> {
    let chart = patient.chart();
    patient.relay.set_offline(true);
    let mut entries = Vec::new();
    for day in 0..days.max(1) {
        entries.push(patient.client.capture(chart, note(&format!("day {day}"))).await.unwrap());
        if days > 0 {
            site.clock.advance_days(1);
        }
    }
    entries
}

/// The coordinator takes a device out.
pub async fn revoke(site: &mut Site, device: &TestDevice, policy: RevokePolicy) {
    let done = site.coordinator.client.revoke(device.device(), policy, "the phone was lost").await;
    assert!(done.unwrap().is_done());
}

pub async fn synced(device: &mut TestDevice) -> SyncReport {
    device.client.sync().await.unwrap()
}

pub fn names(report: &SyncReport) -> Vec<&'static str> {
    report.problems.iter().map(SyncProblem::name).collect()
}

/// The current notes of a chart, sorted.
pub fn texts(device: &TestDevice, chart: ChartId) -> Vec<String> {
    let view = device.client.chart(chart).unwrap();
    let current = view.notes().iter().flat_map(|thread| &thread.current);
    let mut texts: Vec<String> = current.map(|written| written.value.text.clone()).collect();
    texts.sort();
    texts
}

/// Everything that a chart amounts to on a device, in words that two replicas can be compared by.
pub fn everything(device: &TestDevice, chart: ChartId) -> String {
    let view = device.client.chart(chart).unwrap();
    assert!(view.accounting().balances());
    let lines = view.timeline().iter().map(|item| {
        let frame = item.entry.frame();
        format!(
            "{} {:?} {:?} {:?} {:?} {}\n",
            item.entry.id(),
            item.place,
            item.author.map(|author| author.device),
            item.carried_by,
            frame.body.captured_at,
            item.forked
        )
    });
    lines.collect()
}

/// How far each own entry came, as its person sees it.
pub fn progress(device: &TestDevice, entries: &[EntryId]) -> Vec<DeliveryState> {
    let status = device.client.status().unwrap();
    let of = |entry: &EntryId| {
        let mut known = status.charts.iter().flat_map(|chart| &chart.entries);
        known.find(|known| known.entry == *entry).expect("the entry is the device's").state
    };
    entries.iter().map(of).collect()
}
