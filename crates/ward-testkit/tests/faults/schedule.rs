//! Rows 7 and 33: servers that restart, networks that lie, streams that are silently dead. Work is
//! drained within a known time, without a new write and without anybody doing anything.

use crate::scene::{capture, site_with, synced, texts};
use std::sync::{Arc, Mutex};
use ward_api::HaveOfManyAnswer;
use ward_client::limits::{RETRY_MAX_MS, SYNC_FLOOR_MS};
use ward_client::{SyncEnd, SyncReport, SyncSchedule, SyncSignal};
use ward_id::Canonical as _;
use ward_testkit::{FakeClock, START, TestDevice};

/// A device with its schedule, in virtual time.
struct Driven<'a> {
    device: &'a mut TestDevice,
    schedule: SyncSchedule,
    clock: FakeClock,
}

impl<'a> Driven<'a> {
    fn new(device: &'a mut TestDevice, clock: &FakeClock, seed: u64) -> Self {
        let clock = clock.clone();
        Self { device, schedule: SyncSchedule::new(now_ms(&clock), seed), clock }
    }

    /// Waits as long as the schedule says, and meets the server. Returns what came of it and how
    /// long the wait was.
    async fn next(&mut self) -> (SyncReport, u64) {
        let wait = self.schedule.wait_ms(now_ms(&self.clock));
        self.clock.advance_ms(i64::try_from(wait).unwrap());
        assert!(self.schedule.is_due(now_ms(&self.clock)));
        self.schedule.begin();
        let report = synced(self.device).await;
        let end = if report.is_complete() { SyncEnd::Complete } else { SyncEnd::TryAgain };
        self.schedule.end(now_ms(&self.clock), end);
        (report, wait)
    }

    /// Meets the server until nothing waits; how long that took in virtual time.
    async fn drain(&mut self) -> u64 {
        let began = now_ms(&self.clock);
        for _ in 0..40 {
            if self.next().await.0.is_complete() {
                return now_ms(&self.clock) - began;
            }
        }
        panic!("not drained");
    }
}

fn now_ms(clock: &FakeClock) -> u64 {
    u64::try_from(clock.now().since_ms(START)).unwrap()
}

#[tokio::test]
async fn fault_07_a_restart_at_each_step_and_resets_drain_without_a_new_write() {
    for staff in [0, 4] {
        let (mut site, mut phone, mut others) = site_with(700 + staff as u64, staff).await;
        let chart = phone.chart();
        let mut written = Vec::new();
        for step in 0..10 {
            let text = format!("step {step:02}");
            capture(&mut phone, chart, &[&text]).await;
            written.push(text);
            // The connection breaks at this request, and at every third after it for a while.
            let seen = Arc::new(Mutex::new(0u64));
            let counter = Arc::clone(&seen);
            phone.relay.before(move |_| {
                let mut seen = counter.lock().unwrap();
                *seen += 1;
                let at = *seen - 1;
                !(at == step || at < 30 && at > step && (at - step).is_multiple_of(3))
            });
            let clock = site.clock.clone();
            let mut driven = Driven::new(&mut phone, &clock, step);
            driven.next().await;
            site.server.restart().await;
            let took = driven.drain().await;
            assert!(took <= 4 * RETRY_MAX_MS, "step {step}: drained after {took} ms");
            phone.relay.heal();
        }
        for device in others.iter_mut().chain([&mut site.coordinator]) {
            synced(device).await;
            assert_eq!(texts(device, chart), written);
        }
    }
}

#[tokio::test]
async fn fault_33_a_silently_dead_stream_costs_the_floor_and_no_data() {
    let (mut site, mut phone, mut others) = site_with(3301, 1).await;
    let chart = phone.chart();
    let clock = site.clock.clone();
    let mut driven = Driven::new(&mut others[0], &clock, 1);
    driven.drain().await;
    capture(&mut phone, chart, &["nobody hints"]).await;
    synced(&mut phone).await;
    // Not one signal comes: the stream is open and dead.
    let (report, wait) = driven.next().await;
    assert!(report.pulled >= 1 && wait <= SYNC_FLOOR_MS * 12 / 10, "after {wait} ms: {report:?}");
    assert_eq!(texts(driven.device, chart), ["nobody hints"]);
    // With a hint it is at once.
    capture(&mut site.coordinator, chart, &["hinted"]).await;
    synced(&mut site.coordinator).await;
    driven.schedule.notice(now_ms(&clock), SyncSignal::Hint);
    let (report, wait) = driven.next().await;
    assert!(report.pulled >= 1 && wait == 0, "{report:?}");
}

#[tokio::test]
async fn fault_33_a_captive_portal_and_cut_answers_back_off_and_drain_after_they_heal() {
    let spoilers: [fn(&mut ward_client::HttpResponse); 3] = [
        |answer| {
            answer.status = 200;
            answer.headers = vec![("content-type".to_owned(), "text/html".to_owned())];
            answer.body = b"<html><body>Welcome! Please accept our terms.</body></html>".to_vec();
        },
        |answer| answer.body.truncate(answer.body.len() / 2),
        |answer| {
            // A proxy that answers with what it once cached for somebody else.
            answer.body = br#"{"cached":true}"#.to_vec();
        },
    ];
    for (number, spoil) in spoilers.into_iter().enumerate() {
        let (mut site, mut phone, _) = site_with(3310 + number as u64, 0).await;
        let chart = phone.chart();
        capture(&mut phone, chart, &["written in the waiting room"]).await;
        phone.relay.after(move |_, answer| spoil(answer));
        let clock = site.clock.clone();
        let mut driven = Driven::new(&mut phone, &clock, number as u64);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let (report, wait) = driven.next().await;
            assert!(!report.is_complete() && report.unsent == 1, "{report:?}");
            waits.push(wait);
        }
        assert!(waits[7] > waits[1] && waits.iter().all(|wait| *wait <= RETRY_MAX_MS), "{waits:?}");
        driven.device.relay.heal();
        let took = driven.drain().await;
        assert!(took <= RETRY_MAX_MS, "drained {took} ms after it healed");
        synced(&mut site.coordinator).await;
        assert_eq!(texts(&site.coordinator, chart), ["written in the waiting room"]);
    }
}

/// What one chart with nothing new costs: the part that compares versions, and the whole meeting.
#[tokio::test]
async fn a_meeting_with_nothing_new_is_one_round_of_little_for_the_version_vector() {
    let (mut site, mut phone, mut others) = site_with(2400, 4).await;
    let chart = phone.chart();
    for device in others.iter_mut().chain([&mut site.coordinator, &mut phone]) {
        capture(device, chart, &["something"]).await;
        synced(device).await;
    }
    for device in others.iter_mut().chain([&mut site.coordinator, &mut phone]) {
        for _ in 0..3 {
            synced(device).await;
        }
    }
    phone.relay.clear_record();
    phone.sync().await;
    let (mut up, mut down, mut have) = (0, 0, 0);
    let record = phone.relay.record();
    for one in &record {
        let headers = |headers: &[(String, String)]| -> usize {
            headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum()
        };
        let answer = one.response.as_ref().unwrap();
        let sent = one.request.path.len() + headers(&one.request.headers) + one.request.body.len();
        let got = headers(&answer.headers) + answer.body.len();
        println!(
            "{:?} {} body {} of {sent} up, body {} of {got} down",
            one.request.method,
            one.request.path,
            one.request.body.len(),
            answer.body.len()
        );
        up += sent;
        down += got;
        if one.request.path.ends_with("/have") {
            let heads = HaveOfManyAnswer::from_canonical(&answer.body).unwrap();
            let notes = heads.mlog.iter().chain(&heads.olog).map(|note| note.0.len()).sum::<usize>();
            assert!(notes > 0, "the heads of both logs come along");
            have += one.request.body.len() + answer.body.len() - notes;
        }
    }
    println!("{} requests, {up} bytes up, {down} bytes down; version vector {have} bytes", record.len());
    let asked = record.iter().filter(|one| one.request.path.ends_with("/have")).count();
    assert_eq!((asked, record.len()), (1, 1), "one round");
    assert!(have <= 1_024, "{have} bytes");
    assert!(!record.iter().any(|one| one.request.path.contains("/envelopes")), "no page was asked for");
}

/// Who looks after many participants compares all their charts in one round.
#[tokio::test]
async fn charts_with_nothing_new_are_compared_in_one_round() {
    let (mut site, mut first, mut staff) = site_with(2500, 1).await;
    let (mut second, mut third) = (site.patient("second").await, site.patient("third").await);
    let nurse = &mut staff[0];
    for _ in 0..3 {
        for device in [&mut site.coordinator, &mut first, &mut second, &mut third, &mut *nurse] {
            synced(device).await;
        }
    }
    let asked = |nurse: &TestDevice| {
        let record = nurse.relay.record();
        let count =
            |wanted: &dyn Fn(&str) -> bool| record.iter().filter(|one| wanted(&one.request.path)).count();
        let many = count(&|path| path == "/v1/have");
        let one_by_one = count(&|path| path.starts_with("/v1/charts/") && path.ends_with("/have"));
        let pages = count(&|path| path.contains("/envelopes"));
        nurse.relay.clear_record();
        (many, one_by_one, pages)
    };
    nurse.relay.clear_record();
    synced(nurse).await;
    assert_eq!(asked(nurse), (1, 0, 0));
    let chart = second.chart();
    capture(&mut second, chart, &["a line"]).await;
    synced(&mut second).await;
    synced(nurse).await;
    let of_others = nurse.relay.record().iter().any(|one| {
        one.request.path.ends_with("/have")
            && [first.chart(), third.chart()].map(ward_api::paths::have).contains(&one.request.path)
    });
    let (many, one_by_one, pages) = asked(nurse);
    assert!(many == 1 && one_by_one > 0 && !of_others, "only the chart with news is asked about");
    assert!(pages > 0 && texts(nurse, chart).contains(&"a line".to_owned()));
    // A server that does not know the question is asked about each chart.
    nurse.relay.before(|request| {
        if request.path == "/v1/have" {
            request.path = "/v1/nothing".to_owned();
        }
        true
    });
    assert!(synced(nurse).await.is_complete());
    let (_, one_by_one, _) = asked(nurse);
    assert_eq!(one_by_one, 3);
}
