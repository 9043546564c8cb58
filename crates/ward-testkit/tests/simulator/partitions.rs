//! Row 40: many clients that write all the time while the network between them and the server is
//! cut and mended, in virtual time. Nothing stays unsent, and at the end all read the same.

use ward_crypto::Role;
use ward_id::{ChartId, EntryId};
use ward_sync::Note;
use ward_testkit::{Site, TestDevice};

const SECOND_MS: i64 = 1_000;

/// A cut of the network: which devices lose it, and for how many seconds.
struct Cut {
    devices: Vec<usize>,
    until_s: u64,
}

struct Matrix {
    site: Site,
    devices: Vec<TestDevice>,
    chart: ChartId,
    written: Vec<EntryId>,
    dice: u64,
}

impl Matrix {
    async fn of(clients: usize, seed: u64) -> Self {
        let mut site = Site::small(seed).await;
        let mut devices = Vec::new();
        for number in 1..clients {
            devices.push(site.staff(&format!("staff {number}"), Role::Clinician).await);
        }
        let patient = site.patient("ada").await;
        let chart = patient.chart();
        devices.push(patient);
        for device in &mut devices {
            device.sync().await;
            device.relay.clear_record();
        }
        Self { site, devices, chart, written: Vec::new(), dice: seed }
    }

    fn roll(&mut self, end: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % end
    }

    /// Every second `rate` entries are written, and every client meets the server. Every ten seconds
    /// the network of some is cut.
    async fn work(&mut self, rate: u64, seconds: u64) {
        let mut cut: Option<Cut> = None;
        for second in 0..seconds {
            if cut.as_ref().is_some_and(|cut| cut.until_s <= second) {
                self.set_offline(&cut.take().expect("there is a cut").devices, false);
            }
            if second % 10 == 0 && cut.is_none() {
                let devices: Vec<usize> = (0..self.devices.len()).filter(|_| self.roll(2) == 0).collect();
                let until_s = second + 1 + self.roll(9);
                self.set_offline(&devices, true);
                cut = Some(Cut { devices, until_s });
            }
            for number in 0..rate {
                let by = usize::try_from(self.roll(self.devices.len() as u64)).unwrap();
                let note = Note { text: format!("{second}/{number}"), supersedes: Vec::new() };
                let device = self.devices.get_mut(by).unwrap();
                self.written.push(device.client.capture(self.chart, note).await.unwrap());
            }
            for device in &mut self.devices {
                device.client.sync().await.unwrap();
                device.relay.clear_record();
            }
            self.site.clock.advance_ms(SECOND_MS);
        }
        let all: Vec<usize> = (0..self.devices.len()).collect();
        self.set_offline(&all, false);
    }

    fn set_offline(&self, devices: &[usize], offline: bool) {
        for device in devices.iter().filter_map(|place| self.devices.get(*place)) {
            device.relay.set_offline(offline);
        }
    }

    /// Two rounds of meeting the server, and then the questions.
    async fn ends_well(&mut self) {
        for _ in 0..2 {
            for device in &mut self.devices {
                device.client.sync().await.unwrap();
            }
            self.site.clock.advance_ms(SECOND_MS);
        }
        let mut first: Option<Vec<EntryId>> = None;
        for device in &mut self.devices {
            let report = device.client.sync().await.unwrap();
            assert!(report.is_complete(), "{report:?}");
            let view = device.client.chart(self.chart).unwrap();
            assert!(self.written.iter().all(|entry| view.place(*entry).is_some()), "an entry is lost");
            let read: Vec<EntryId> = view.timeline().iter().map(|item| item.entry.id()).collect();
            assert_eq!(first.get_or_insert_with(|| read.clone()), &read, "two clients read differently");
        }
    }
}

async fn runs(clients: usize, rate: u64, seconds: u64) {
    let mut matrix = Matrix::of(clients, 40 + clients as u64).await;
    matrix.work(rate, seconds).await;
    assert_eq!(matrix.written.len() as u64, rate * seconds);
    matrix.ends_well().await;
}

#[tokio::test]
async fn fault_40_five_clients_end_equal_and_unstalled() {
    runs(5, 10, 100).await;
}

#[tokio::test]
async fn fault_40_ten_clients_end_equal_and_unstalled() {
    runs(10, 10, 100).await;
}

/// The rest of the matrix takes minutes: `cargo test -p ward-testkit --release --test simulator -- --ignored`.
#[tokio::test]
#[ignore = "takes minutes; run it by name"]
async fn fault_40_the_whole_matrix_ends_equal_and_unstalled() {
    for clients in [5, 10] {
        for rate in [10, 20, 40] {
            for seconds in [100, 300] {
                runs(clients, rate, seconds).await;
            }
        }
    }
}
