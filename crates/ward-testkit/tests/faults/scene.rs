//! Sites in which something will go wrong, and questions that every test asks.

use std::collections::BTreeSet;
use ward_api::{HaveAnswer, paths};
use ward_client::{HttpMethod, SyncProblem, SyncReport};
use ward_crypto::Role;
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, Head, Incarnation};
use ward_sync::{IncidentKind, Note, Place};
use ward_testkit::{Site, TestDevice};

/// A note.
pub fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

/// A site with a patient and so many more devices of staff beside the coordinator.
pub async fn site_with(seed: u64, staff: usize) -> (Site, TestDevice, Vec<TestDevice>) {
    let mut site = Site::small(seed).await;
    let mut others = Vec::new();
    for number in 0..staff {
        others.push(site.staff(&format!("nurse {number}"), Role::Clinician).await);
    }
    let mut patient = site.patient("ada").await;
    for device in others.iter_mut().chain([&mut site.coordinator, &mut patient]) {
        synced(device).await;
    }
    (site, patient, others)
}

/// Syncs without expecting anything.
pub async fn synced(device: &mut TestDevice) -> SyncReport {
    device.client.sync().await.unwrap()
}

/// The names of a report's problems.
pub fn names(report: &SyncReport) -> Vec<&'static str> {
    report.problems.iter().map(SyncProblem::name).collect()
}

/// Writes notes without sending them.
pub async fn capture(device: &mut TestDevice, chart: ChartId, texts: &[&str]) {
    for text in texts {
        device.client.capture(chart, note(text)).await.unwrap();
    }
}

/// The current notes of a chart as a device sees them, sorted.
pub fn texts(device: &TestDevice, chart: ChartId) -> Vec<String> {
    let view = device.client.chart(chart).unwrap();
    let current = view.notes().iter().flat_map(|thread| &thread.current);
    let mut texts: Vec<String> = current.map(|written| written.value.text.clone()).collect();
    texts.sort();
    texts
}

/// Every entry that a device shows, with its place. Equal replicas show the same.
pub fn replica(device: &TestDevice, chart: ChartId) -> Vec<(EntryId, Place)> {
    let view = device.client.chart(chart).unwrap();
    assert!(view.accounting().balances());
    view.timeline().iter().map(|item| (item.entry.id(), item.place)).collect()
}

/// The incidents of a chart: what, and by how many devices.
pub fn incidents(device: &TestDevice, chart: ChartId, what: IncidentKind) -> Vec<[u8; 32]> {
    let view = device.client.chart(chart).unwrap();
    let current = view.incidents().iter().flat_map(|thread| &thread.current);
    current.filter(|written| written.value.what == what).map(|written| written.value.event).collect()
}

/// Nobody wrote one event down twice.
pub fn each_once(device: &TestDevice, chart: ChartId) {
    let view = device.client.chart(chart).unwrap();
    let current = view.incidents().iter().flat_map(|thread| &thread.current);
    let mut seen = BTreeSet::new();
    for written in current {
        let by = written.entry.frame().device;
        assert!(seen.insert((by, written.value.what, written.value.event)), "written twice");
    }
}

/// Syncs all devices in rounds until everybody is complete, at most so often.
pub async fn until_quiet(devices: &mut [&mut TestDevice], rounds: usize) {
    let mut last = Vec::new();
    for _ in 0..rounds {
        last.clear();
        for device in devices.iter_mut() {
            last.push(synced(device).await);
        }
        let quiet = |report: &SyncReport| {
            report.is_complete() && (report.pushed, report.pulled, report.relayed) == (0, 0, 0)
        };
        if last.iter().all(quiet) {
            return;
        }
    }
    panic!("not quiet after {rounds} rounds: {last:?}");
}

/// The server names a chain that there is not: all pages are looked through for it.
pub fn name_a_made_up_chain(device: &TestDevice) {
    device.relay.always_differs();
    device.relay.after(|request, response| {
        let of_one = request.path.ends_with("/have") && request.path != paths::HAVE_OF_MANY;
        if of_one && request.method == HttpMethod::Post && response.status == 200 {
            let mut answer = HaveAnswer::from_canonical(&response.body).unwrap();
            let head = Head { seq: 1, entry: EntryId::from_bytes([9; 32]) };
            let heads = answer.heads.get_or_insert_default();
            heads.observe(DeviceId::from_bytes([9; 16]), Incarnation(9), head).unwrap();
            response.body = answer.to_canonical();
        }
    });
}
