//! A server that lies about where a chart's pages end: it can hold nobody in one sync, fill no phone, and
//! keep nothing out for good.

use crate::scene::{capture, name_a_made_up_chain, names, replica, site_with, synced, texts};
use ward_api::{EnvelopePage, EnvelopeRow, LogName, Opaque};
use ward_client::limits::{REPULL_EVERY_SYNCS, ROW_OVERHEAD_BYTES, SURPLUS_MAX_BYTES};
use ward_client::{HttpMethod, HttpRequest, HttpResponse};
use ward_crypto::Envelope;
use ward_id::{Canonical as _, TimestampMs};
use ward_sync::RevokePolicy;
use ward_testkit::TestDevice;

/// Whether a device asks for pages of envelopes.
fn asks_for_pages(request: &HttpRequest) -> bool {
    request.method == HttpMethod::Get && request.path.contains("/envelopes?")
}

/// The place after which a page is asked for.
fn after_of(request: &HttpRequest) -> u64 {
    let query = request.path.split('?').nth(1).unwrap_or_default();
    let after = query.split('&').find_map(|part| part.strip_prefix("after="));
    after.map_or(0, |after| after.parse().unwrap())
}

/// Alters each page that the server gives.
fn on_pages(device: &TestDevice, mut alter: impl FnMut(&HttpRequest, &mut EnvelopePage) + Send + 'static) {
    device.relay.after(move |request: &HttpRequest, response: &mut HttpResponse| {
        if asks_for_pages(request) && response.status == 200 {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            alter(request, &mut page);
            response.body = page.to_canonical();
        }
    });
}

fn pages_asked(device: &TestDevice) -> usize {
    device.relay.record().iter().filter(|one| asks_for_pages(&one.request)).count()
}

/// Writes as the patient and meets as the nurse until everything is there; gives how often pages were
/// asked for in a last meeting in which nothing was new.
async fn goes_on(patient: &mut TestDevice, nurse: &mut TestDevice, text: &str) -> usize {
    let chart = patient.chart();
    capture(patient, chart, &[text]).await;
    patient.sync().await;
    // All pages are looked through again in one of so many meetings.
    for _ in 0..=REPULL_EVERY_SYNCS {
        synced(nurse).await;
    }
    assert!(texts(nurse, chart).contains(&text.to_owned()), "what is new comes");
    nurse.relay.clear_record();
    let report = synced(nurse).await;
    assert!(report.is_complete(), "{:?}", names(&report));
    pages_asked(nurse)
}

#[tokio::test]
async fn fault_13_a_server_whose_pages_never_end_holds_nobody_and_fills_no_phone() {
    let (site, mut patient, mut staff) = site_with(1_350, 1).await;
    let chart = patient.chart();
    let nurse = &mut staff[0];
    capture(&mut patient, chart, &["before"]).await;
    patient.sync().await;
    let clock = site.clock.clone();
    on_pages(nurse, move |request, page| {
        let (index, envelope) = (after_of(request) + 1, Opaque(vec![0xab; 400_000]));
        page.rows = vec![EnvelopeRow { index, received_at: TimestampMs(0), envelope }];
        page.more = true;
        clock.advance_ms(2_000);
    });
    let before = nurse.rows.used_bytes();
    for _ in 0..3 {
        nurse.relay.clear_record();
        synced(nurse).await;
        let asked = pages_asked(nurse) as u64;
        // Until nothing more of it is kept, and now and then once more from the beginning.
        let until_full = 2 + SURPLUS_MAX_BYTES / 400_000;
        assert!((1..=2 * until_full).contains(&asked), "{asked}");
    }
    let grown = nurse.rows.used_bytes() - before;
    assert!(grown < SURPLUS_MAX_BYTES + (1 << 20), "{grown}");
    assert!(grown > SURPLUS_MAX_BYTES / 2, "what is damaged on the way is kept, and asked for again");
    nurse.relay.heal();
    assert_eq!(goes_on(&mut patient, nurse, "afterwards").await, 0);
    let held = nurse.rows.used_bytes() - before;
    assert!(held < 1 << 20, "nothing of it stays: {held}");
}

#[tokio::test]
async fn fault_13_a_place_far_ahead_keeps_nothing_out_for_good() {
    for is_damaged in [false, true] {
        let (_site, mut patient, mut staff) = site_with(1_351, 1).await;
        let chart = patient.chart();
        let nurse = &mut staff[0];
        capture(&mut patient, chart, &["before"]).await;
        patient.sync().await;
        // What came last came at a place that the log will not have in a thousand years.
        on_pages(nurse, move |_, page| {
            if let Some(mut row) = page.rows.last().cloned() {
                row.index = 1 << 40;
                if is_damaged {
                    row.envelope.0[100] ^= 1;
                }
                page.rows.push(row);
            }
        });
        synced(nurse).await;
        nurse.relay.heal();
        assert_eq!(goes_on(&mut patient, nurse, "afterwards").await, 0);
        nurse.restart().await;
        assert!(goes_on(&mut patient, nurse, "after a restart").await <= 1);
        assert_eq!(texts(nurse, chart), ["after a restart", "afterwards", "before"]);
    }
}

/// First everything comes at places far ahead, with junk until nothing more of it is kept; then the server
/// is honest. The true places are taken, or what a device that is revoked wrote before would stand
/// everywhere but here.
#[tokio::test]
async fn fault_13_true_places_are_taken_though_a_server_used_up_what_is_kept_of_junk() {
    let (mut site, mut patient, mut staff) = site_with(1_352, 1).await;
    let chart = patient.chart();
    let nurse = &mut staff[0];
    capture(&mut patient, chart, &["one", "two"]).await;
    patient.sync().await;
    // The last of it is so small that nothing else would fit beside it.
    let mut left = SURPLUS_MAX_BYTES as usize;
    on_pages(nurse, move |request, page| {
        page.rows.iter_mut().for_each(|row| row.index += 1 << 30);
        if page.rows.is_empty() {
            let bytes = (left / 2).clamp(200, 400_000);
            left = left.saturating_sub(bytes + ROW_OVERHEAD_BYTES as usize);
            let (index, envelope) = (after_of(request) + 1, Opaque(vec![0xab; bytes]));
            page.rows.push(EnvelopeRow { index, received_at: TimestampMs(0), envelope });
        }
        page.more = true;
    });
    let before = nurse.rows.used_bytes();
    synced(nurse).await;
    assert_eq!(texts(nurse, chart), ["one", "two"]);
    assert!(nurse.rows.used_bytes() - before > SURPLUS_MAX_BYTES - (1 << 20), "there is no room for more");
    nurse.relay.heal();
    // Of another chain: nothing else of the patient's has a place that proves what was before it.
    capture(&mut site.coordinator, chart, &["three"]).await;
    site.coordinator.sync().await;
    for _ in 0..=REPULL_EVERY_SYNCS {
        synced(nurse).await;
    }
    let done = site.coordinator.client.revoke(patient.device(), RevokePolicy::Salvage, "lost").await;
    assert!(done.unwrap().is_done());
    for _ in 0..3 {
        site.coordinator.sync().await;
        synced(nurse).await;
    }
    assert_eq!(texts(&site.coordinator, chart), ["one", "three", "two"]);
    assert_eq!(texts(nurse, chart), ["one", "three", "two"]);
    assert_eq!(replica(nurse, chart), replica(&site.coordinator, chart));
    let held = nurse.rows.used_bytes() - before;
    assert!(held < 1 << 20, "nothing of the junk stays, and no entry twice: {held}");
    // Where the junk was there is room again: what is damaged on the way is kept, and asked for once more.
    capture(&mut site.coordinator, chart, &["four"]).await;
    site.coordinator.sync().await;
    on_pages(nurse, |_, page| page.rows.iter_mut().for_each(|row| row.envelope.0[100] ^= 1));
    let report = synced(nurse).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    nurse.relay.heal();
    synced(nurse).await;
    assert_eq!(texts(nurse, chart), ["four", "one", "three", "two"]);
}

/// What happens between the meeting in which an envelope came whose author is not known yet, and the one in
/// which the server's pages end before it.
#[derive(Clone, Copy)]
enum Meanwhile {
    Nothing,
    Restarted,
    LogWentOn,
}

/// What a device wrote whose certificate this one has not seen yet may be nowhere else: a server whose pages
/// end before it takes it from nobody.
#[tokio::test]
async fn fault_13_what_a_device_wrote_that_is_not_known_yet_is_not_deleted_on_the_servers_word() {
    use Meanwhile::{LogWentOn, Nothing, Restarted};
    for (seed, meanwhile) in [(1_353, Nothing), (1_354, Restarted), (1_355, LogWentOn)] {
        let (mut site, mut patient, mut staff) = site_with(seed, 1).await;
        let chart = patient.chart();
        let nurse = &mut staff[0];
        capture(&mut patient, chart, &["from the phone"]).await;
        patient.sync().await;
        synced(nurse).await;
        // The membership log does not come as far as the tablet's certificate.
        nurse.relay.freeze();
        synced(nurse).await;
        let known = nurse.client.membership().unwrap().size();
        site.open_chart().await;
        site.coordinator.sync().await;
        let further = site.coordinator.relay.newest_note(LogName::Mlog).unwrap();
        let mut tablet = site.device("tablet").await;
        site.enrol_next_of_patient(&mut tablet, &mut patient).await;
        site.coordinator.sync().await;
        capture(&mut tablet, chart, &["from the tablet"]).await;
        tablet.sync().await;
        synced(nurse).await;
        match meanwhile {
            Nothing => {}
            Restarted => nurse.restart().await,
            LogWentOn => {
                nurse.relay.heal();
                nurse.relay.on_heads(LogName::Mlog, move |note| note.clone_from(&further));
            }
        }
        let by = tablet.device();
        let hide = move |page: &mut EnvelopePage| {
            page.rows.retain(|row| Envelope::from_canonical(&row.envelope.0).unwrap().header().device != by);
        };
        name_a_made_up_chain(nurse);
        on_pages(nurse, move |request, page| {
            if !request.path.contains("after=") {
                hide(page);
            }
        });
        let report = synced(nurse).await;
        assert!(names(&report).contains(&"incomplete"), "{report:?}");
        assert_eq!(report.mlog_size > known, matches!(meanwhile, LogWentOn), "{report:?}");
        // It is never shown again, and its author's device is lost.
        nurse.relay.heal();
        on_pages(nurse, move |_, page| hide(page));
        for _ in 0..3 {
            synced(nurse).await;
        }
        assert_eq!(texts(nurse, chart), ["from the phone", "from the tablet"]);
    }
}

/// Junk comes at the places of what people wrote, and then the server gives what belongs there: the junk goes,
/// or it would fill the phone round by round.
#[tokio::test]
async fn fault_13_junk_goes_when_what_belongs_at_its_place_comes() {
    let (_site, mut patient, mut staff) = site_with(1_356, 1).await;
    let chart = patient.chart();
    let nurse = &mut staff[0];
    capture(&mut patient, chart, &["0"]).await;
    patient.sync().await;
    synced(nurse).await;
    let before = nurse.rows.used_bytes();
    for round in 1..=3 {
        let written = ["a", "b", "c", "d"].map(|letter| format!("{round}{letter}"));
        capture(&mut patient, chart, &written.each_ref().map(String::as_str)).await;
        patient.sync().await;
        on_pages(nurse, |request, page| {
            if request.path.contains("after=") {
                page.rows.iter_mut().for_each(|row| row.envelope = Opaque(vec![0xab; 400_000]));
            }
        });
        for _ in 0..=REPULL_EVERY_SYNCS {
            synced(nurse).await;
        }
        nurse.relay.heal();
        assert_eq!(texts(nurse, chart).len(), 1 + 4 * round, "what people wrote is there");
    }
    let grown = nurse.rows.used_bytes() - before;
    // At most one is left: what came back last of the nurse's own, until it is fetched again.
    assert!(grown < 2 * 400_000, "no junk stays: {grown}");
}
