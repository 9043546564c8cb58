//! When entries were written: claims, bounds, clocks that were set, and how far entries came.

use crate::support::*;
use std::collections::BTreeMap;
use ward_crypto::*;
use ward_id::*;
use ward_sync::limits::CLAIM_TOLERANCE_MS;
use ward_sync::*;

const HOUR_MS: i64 = 3_600_000;

struct Desk {
    ward: Ward,
    chart: Chart,
    next: u64,
}

impl Desk {
    fn new(seed: u64) -> Self {
        let ward = Ward::new(seed);
        let chart = Chart::new(ward.site.site, ward.chart);
        Self { ward, chart, next: 0 }
    }

    /// The server takes an entry so long after the beginning.
    fn arrive(&mut self, entry: &SignedEntry, after_ms: i64) {
        let arrival = Arrival::at(self.next, T0.plus_ms(after_ms));
        self.chart.insert(entry.clone(), arrival).unwrap();
        self.next += 1;
    }

    fn keep(&mut self, entry: &SignedEntry) {
        self.chart.insert(entry.clone(), Arrival::UNSENT).unwrap();
    }

    fn view(&self) -> ChartView<'_> {
        let view = self
            .chart
            .view(&ChartAuthority { membership: &self.ward.site.membership, chart: self.ward.chart });
        assert!(view.accounting().balances());
        view
    }

    fn faults(&self, entry: &SignedEntry) -> Vec<TimeFault> {
        let view = self.view();
        ChartTimes::of_receipts(&view).get(entry.id()).unwrap().faults.clone()
    }
}

macro_rules! pen {
    ($desk:expr, $who:ident, $incarnation:expr) => {{
        let device = Device {
            id: $desk.ward.$who.id,
            person: $desk.ward.$who.person,
            role: $desk.ward.$who.role,
            keys: DeviceKeys::from_secret_bytes(&$desk.ward.$who.keys.to_secret_bytes()).unwrap(),
            cert: $desk.ward.$who.cert.clone(),
        };
        let device = Box::leak(Box::new(device));
        let pen = Pen::new($desk.ward.site.site, $desk.ward.chart, device, $incarnation);
        Pen { runs: true, ..pen }
    }};
}

#[test]
fn a_claim_is_compared_with_what_arrived_and_changes_nothing() {
    let mut desk = Desk::new(11);
    let (mut nurse, mut phone) = (pen!(desk, coordinator, 1), pen!(desk, phone, 2));
    let seen = nurse.write(&desk.chart, note("seen"));
    desk.arrive(&seen, 0);
    let mut claim = |desk: &mut Desk, claimed_ms: i64, received_ms: Option<i64>| {
        // Another boot each time: only arrivals bound the claim here.
        (phone.boot_id, phone.clock) = (phone.boot_id + 1, T0.plus_ms(claimed_ms));
        let entry = phone.write(&desk.chart, note("claim"));
        match received_ms {
            Some(at_ms) => desk.arrive(&entry, at_ms),
            None => desk.keep(&entry),
        }
        desk.faults(&entry)
    };
    assert_eq!(claim(&mut desk, -HOUR_MS, Some(HOUR_MS)), [TimeFault::BeforeWhatWasSeen]);
    assert_eq!(claim(&mut desk, 2 * HOUR_MS, Some(HOUR_MS)), [TimeFault::AfterArrival]);
    assert_eq!(claim(&mut desk, HOUR_MS, Some(HOUR_MS)), []);
    // Through the entries before it in its chain, the bound holds for what was not sent too.
    assert_eq!(claim(&mut desk, -HOUR_MS, None), [TimeFault::BeforeWhatWasSeen]);
    assert_eq!(claim(&mut desk, 9 * HOUR_MS, None), []);
    let view = desk.view();
    assert_eq!(view.accounting().visible, 6);
    let times = ChartTimes::of_receipts(&view);
    assert_eq!(times.suspects(), 3);
    let unbounded = times.get(seen.id()).unwrap();
    assert_eq!((unbounded.claim(), unbounded.bounded_by()), (TimeClaim::Plausible, BoundedBy::Server));
}

#[test]
fn what_was_written_without_a_network_and_arrives_at_once_is_not_suspect() {
    let mut desk = Desk::new(12);
    let (mut nurse, mut phone) = (pen!(desk, coordinator, 1), pen!(desk, phone, 2));
    let plan = nurse.write(&desk.chart, note("plan"));
    desk.arrive(&plan, 0);
    let mut entries = Vec::new();
    for day in 1..=30 {
        phone.clock = T0.plus_ms(day * DAY_MS);
        let entry = phone.write(&desk.chart, note("offline"));
        desk.keep(&entry);
        entries.push(entry);
    }
    entries.iter().for_each(|entry| desk.arrive(entry, 31 * DAY_MS));
    for entry in &entries {
        assert_eq!(desk.faults(entry), []);
    }
    let view = desk.view();
    let times = ChartTimes::of_receipts(&view);
    let last = times.get(entries[29].id()).unwrap();
    assert_eq!((last.earliest, last.latest), (Some(T0), Some(T0.plus_ms(31 * DAY_MS))));
    assert_eq!(last.counted_at(), last.claimed);
}

#[test]
fn a_clock_that_was_set_shows_within_one_boot_without_any_receipt() {
    let mut desk = Desk::new(13);
    let mut phone = pen!(desk, phone, 1);
    let mut write = |desk: &mut Desk, off_ms: i64, boot: u64| {
        (phone.wall_off_ms, phone.boot_id) = (off_ms, boot);
        let entry = phone.write(&desk.chart, note("n"));
        desk.keep(&entry);
        desk.faults(&entry)
    };
    let moved = |by_ms| vec![TimeFault::ClockMoved { by_ms }];
    assert_eq!(write(&mut desk, 0, 1), []);
    assert_eq!(write(&mut desk, -25 * HOUR_MS, 1), moved(-25 * HOUR_MS));
    assert_eq!(write(&mut desk, -25 * HOUR_MS, 1), [], "it runs on from there");
    assert_eq!(write(&mut desk, 365 * DAY_MS, 1), moved(365 * DAY_MS + 25 * HOUR_MS));
    assert_eq!(write(&mut desk, 0, 2), [], "in another boot the clocks cannot be compared");
    assert_eq!(write(&mut desk, CLAIM_TOLERANCE_MS, 2), [], "at the tolerance");
    assert_eq!(write(&mut desk, 2 * CLAIM_TOLERANCE_MS + 1, 2), moved(CLAIM_TOLERANCE_MS + 1));
    assert_eq!(write(&mut desk, 2 * CLAIM_TOLERANCE_MS + 1_001, 2), [], "a leap second is within it");
    let view = desk.view();
    assert!(view.timeline().iter().all(|item| item.place == Place::Visible), "no value and no order changes");
}

#[test]
fn clocks_at_their_ends_do_not_overflow() {
    let mut desk = Desk::new(14);
    let mut phone = pen!(desk, phone, 1);
    for wall in [i64::MIN, i64::MAX, 0, i64::MIN] {
        phone.clock = TimestampMs(0);
        phone.wall_off_ms = wall;
        let entry = phone.write(&desk.chart, note("n"));
        desk.keep(&entry);
    }
    let view = desk.view();
    assert_eq!(ChartTimes::of_receipts(&view).suspects(), 3);
}

#[test]
fn another_zone_is_shown_and_is_no_fault() {
    let mut desk = Desk::new(15);
    let mut phone = pen!(desk, phone, 1);
    let home = phone.write(&desk.chart, note("home"));
    desk.keep(&home);
    phone.zone = "Asia/Tokyo";
    let away = phone.write(&desk.chart, note("away"));
    desk.keep(&away);
    let view = desk.view();
    let times = ChartTimes::of_receipts(&view);
    assert_eq!(times.get(home.id()).unwrap().zone_before, None);
    let away = times.get(away.id()).unwrap();
    assert_eq!((away.zone_before, away.claim()), (Some("Europe/Vienna"), TimeClaim::Unbounded));
}

#[test]
fn witnesses_bound_a_claim_that_the_server_could_forge() {
    let mut desk = Desk::new(16);
    let mut phone = pen!(desk, phone, 1);
    let mut heads = WitnessedHeads::new();
    heads.note(10, T0.plus_ms(10 * HOUR_MS));
    heads.note(30, T0.plus_ms(30 * HOUR_MS));
    let head = |size| Some(TreeHead { size, root: TreeRoot::from_bytes([1; 32]) });
    let mut write = |desk: &mut Desk, claimed_ms, olog| {
        (phone.clock, phone.boot_id, phone.olog) = (T0.plus_ms(claimed_ms), phone.boot_id + 1, olog);
        let entry = phone.write(&desk.chart, note("n"));
        desk.keep(&entry);
        entry
    };
    let same = write(&mut desk, 9 * HOUR_MS, head(10));
    let backdated = write(&mut desk, HOUR_MS, head(11));
    let follows = write(&mut desk, HOUR_MS, None);
    let late = write(&mut desk, 40 * HOUR_MS, None);
    let proved = BTreeMap::from([(late.id(), 12)]);
    let view = desk.view();
    let times = ChartTimes::of(&view, &proved, &heads);
    let faults = |entry: &SignedEntry| times.get(entry.id()).unwrap().faults.clone();
    assert_eq!(faults(&same), [], "a head of the same size is signed again and again");
    assert_eq!(faults(&backdated), [TimeFault::BeforeWitnesses]);
    assert_eq!(faults(&follows), [TimeFault::BeforeWitnesses], "and so is what comes after it");
    assert_eq!(faults(&late), [TimeFault::AfterWitnesses]);
    assert_eq!(times.get(late.id()).unwrap().bounded_by(), BoundedBy::Witnesses);
    assert_eq!(times.get(late.id()).unwrap().counted_at(), T0.plus_ms(30 * HOUR_MS));
    // Nobody is accused by a server that contradicts itself without being named.
    let mut nurse = pen!(desk, coordinator, 5);
    let seen = nurse.write(&desk.chart, note("seen"));
    desk.arrive(&seen, 50 * HOUR_MS);
    let answer = phone.write(&desk.chart, note("answer"));
    desk.arrive(&answer, 45 * HOUR_MS);
    assert!(desk.faults(&answer).contains(&TimeFault::ReceiptsContradict));
}

#[test]
fn an_entry_is_saved_then_received_then_opened_by_somebody_elses_word() {
    let mut desk = Desk::new(17);
    let (mut nurse, mut phone) = (pen!(desk, coordinator, 1), pen!(desk, phone, 2));
    let mut other = pen!(desk, phone, 3);
    let entries: Vec<SignedEntry> = (0..3)
        .map(|_| {
            let entry = phone.write(&desk.chart, note("n"));
            desk.keep(&entry);
            entry
        })
        .collect();
    let states = |desk: &Desk| -> Vec<DeliveryState> {
        let view = desk.view();
        let all = delivery(&view, |item| match item.arrival.olog_index {
            Some(_) => DeliveryState::Received,
            None => DeliveryState::SavedHere,
        });
        entries.iter().map(|entry| all[&entry.id()]).collect()
    };
    use DeliveryState::{Opened as O, Received as R, SavedHere as S};
    assert_eq!(states(&desk), [S, S, S]);
    desk.arrive(&entries[0], HOUR_MS);
    desk.arrive(&entries[1], HOUR_MS);
    assert_eq!(states(&desk), [R, R, S]);
    let opened = |entry: &SignedEntry, seq: u64| {
        let frame = entry.frame();
        let chain =
            OpenedChain { device: frame.device, incarnation: frame.incarnation, seq, entry: entry.id() };
        Opened { chains: vec![chain] }
    };
    // Without what staff have seen of others: only the payload says what was opened.
    let nothing = Chart::new(desk.ward.site.site, desk.ward.chart);
    let wrong = nurse.write(&nothing, opened(&entries[1], 1));
    desk.arrive(&wrong, HOUR_MS);
    assert_eq!(states(&desk), [R, R, S], "a place that names another entry says nothing");
    let right = nurse.write(&nothing, opened(&entries[1], 2));
    desk.arrive(&right, HOUR_MS);
    assert_eq!(states(&desk), [O, O, S], "the entries before it in the chain are opened with it");
    // The participant's own second device says nothing about the site.
    let own = other.write(&desk.chart, note("I have seen all of it"));
    desk.arrive(&own, HOUR_MS);
    assert_eq!(states(&desk), [O, O, S]);
    // Whatever staff write after having seen an entry says the same.
    let after = nurse.write(&desk.chart, note("seen"));
    desk.arrive(&after, HOUR_MS);
    assert_eq!(states(&desk), [O, O, O]);
}

#[test]
fn only_staff_may_say_that_the_site_opened_something() {
    let mut desk = Desk::new(18);
    let mut phone = pen!(desk, phone, 1);
    let entry = phone.write(&desk.chart, note("n"));
    desk.arrive(&entry, 0);
    let chain =
        OpenedChain { device: entry.frame().device, incarnation: Incarnation(1), seq: 1, entry: entry.id() };
    let refused = phone.try_write(&desk.chart, &Draft::new(Opened { chains: vec![chain] }));
    assert!(matches!(refused, Err(EntryError::NotPermitted { .. })));
}
