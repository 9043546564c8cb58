//! Sites with one device that writes or with five, and what they must agree on.

use ward_crypto::Role;
use ward_id::ChartId;
use ward_sync::Note;
use ward_testkit::{Site, TestDevice};

/// A note.
pub fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

/// A site with a patient and so many devices of staff that read the chart, the coordinator first.
pub struct Crowd {
    pub site: Site,
    pub patient: TestDevice,
    pub staff: Vec<TestDevice>,
}

impl Crowd {
    /// `devices` counts the patient's; with one, only the coordinator reads along at the end.
    pub async fn new(seed: u64, devices: usize) -> Self {
        let mut site = Site::small(seed).await;
        let mut staff = Vec::new();
        for number in 0..devices.saturating_sub(2) {
            staff.push(site.staff(&format!("staff {number}"), Role::Clinician).await);
        }
        let patient = site.patient("ada").await;
        Self { site, patient, staff }
    }

    /// Everybody meets the server until nothing is left to say.
    pub async fn settle(&mut self) {
        for _ in 0..3 {
            self.patient.sync().await;
            self.site.coordinator.sync().await;
            for device in &mut self.staff {
                device.sync().await;
            }
        }
    }

    /// Every replica holds the same notes, every entry has its place, nothing waits.
    pub fn agree_on(&self, chart: ChartId, expected: &[String]) {
        let mut expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        expected.sort_unstable();
        for device in [&self.patient, &self.site.coordinator].into_iter().chain(&self.staff) {
            assert_eq!(texts(device, chart), expected);
            let view = device.client.chart(chart).unwrap();
            assert!(view.accounting().balances() && view.parked().next().is_none());
            assert!(device.client.charts().iter().all(|chart| !chart.incomplete && chart.unsent == 0));
        }
    }
}

/// The notes of a chart, sorted.
pub fn texts(device: &TestDevice, chart: ChartId) -> Vec<String> {
    let view = device.client.chart(chart).unwrap();
    let all = view.notes().iter().flat_map(|thread| &thread.current);
    let mut texts: Vec<String> = all.map(|written| written.value.text.clone()).collect();
    texts.sort();
    texts
}
