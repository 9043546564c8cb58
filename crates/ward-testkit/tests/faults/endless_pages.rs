//! A server that lies about where a chart's pages end: it can hold nobody in one sync, fill no phone, and
//! keep nothing out for good.

use crate::scene::{capture, names, site_with, synced, texts};
use ward_api::{EnvelopePage, EnvelopeRow, Opaque};
use ward_client::limits::{REPULL_EVERY_SYNCS, SURPLUS_MAX_BYTES};
use ward_client::{HttpMethod, HttpRequest, HttpResponse};
use ward_id::{Canonical as _, TimestampMs};
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
