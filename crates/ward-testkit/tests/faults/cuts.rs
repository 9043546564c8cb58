//! Rows 2, 3 and 6: answers that are lost, batches that get through in part, and pages that are cut
//! or altered at each byte.

use crate::scene::{capture, names, site_with, synced, texts, until_quiet};
use std::sync::{Arc, Mutex};
use ward_client::HttpMethod;
use ward_id::ChartId;
use ward_testkit::{Site, TestDevice};

#[tokio::test]
async fn fault_02_a_receipt_lost_on_the_way_is_given_again_and_nothing_doubles() {
    for staff in [0, 4] {
        let (mut site, mut phone, mut others) = site_with(200 + staff as u64, staff).await;
        let chart = phone.chart();
        let before = site.server.envelopes().await.len();
        capture(&mut phone, chart, &["one", "two"]).await;
        phone.relay.lose_answers_of(HttpMethod::Post, "/envelopes", 1);
        let report = synced(&mut phone).await;
        assert!(names(&report).contains(&"failed"), "{report:?}");
        // The app is killed before it knows.
        phone.restart().await;
        phone.relay.heal();
        phone.sync().await;
        assert_eq!(site.server.envelopes().await.len(), before + 2, "no entry twice");
        assert_eq!(phone.client.status().unwrap().saved_here, 0, "both are acknowledged");
        let mut everybody: Vec<_> = others.iter_mut().chain([&mut site.coordinator, &mut phone]).collect();
        until_quiet(&mut everybody, 4).await;
        for device in &everybody {
            assert_eq!(texts(device, chart), ["one", "two"]);
        }
    }
}

#[tokio::test]
async fn fault_02_a_receipt_that_is_given_again_hides_the_place_of_no_entry() {
    let (mut site, mut phone, _) = site_with(202, 0).await;
    let (chart, reader) = (phone.chart(), &mut site.coordinator);
    capture(&mut phone, chart, &["one"]).await;
    synced(&mut phone).await;
    // What a meeting sends last does not come back in it.
    synced(reader).await;
    let not_back = without_place(reader, chart);
    assert!(not_back > 0, "the reader said that it opened the entry");
    capture(reader, chart, &["two"]).await;
    reader.relay.lose_answers_of(HttpMethod::Post, "/envelopes", 1);
    synced(reader).await;
    reader.restart().await;
    reader.relay.heal();
    for _ in 0..2 {
        synced(reader).await;
    }
    assert_eq!(without_place(reader, chart), 0, "each entry has its place in the operation log");
}

/// How many entries have no place in the operation log yet, as a device knows it.
fn without_place(device: &TestDevice, chart: ChartId) -> usize {
    let view = device.client.chart(chart).unwrap();
    view.timeline().iter().filter(|item| item.arrival.olog_index.is_none()).count()
}

#[tokio::test]
async fn fault_03_a_batch_that_got_through_in_part_goes_on_where_it_stopped() {
    let (mut site, mut phone, _) = site_with(300, 0).await;
    let chart = phone.chart();
    let count = ward_api::limits::PUSH_MAX_OPERATIONS + 5;
    for number in 0..count {
        capture(&mut phone, chart, &[&format!("entry {number:03}")]).await;
    }
    capture(&mut site.coordinator, chart, &["from the site"]).await;
    synced(&mut site.coordinator).await;
    let pushes = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&pushes);
    phone.relay.before(move |request| {
        let push = request.method == HttpMethod::Post && request.path.ends_with("/envelopes");
        let mut pushes = counted.lock().unwrap();
        *pushes += usize::from(push);
        !push || *pushes == 1
    });
    let report = synced(&mut phone).await;
    assert_eq!(report.unsent, 5, "the front of it is acknowledged: {report:?}");
    assert!(texts(&phone, chart).contains(&"from the site".to_owned()), "downloads are not held up");
    assert!(*pushes.lock().unwrap() > 1);
    phone.relay.heal();
    phone.sync().await;
    synced(&mut site.coordinator).await;
    assert_eq!(texts(&site.coordinator, chart), texts(&phone, chart));
    assert_eq!(texts(&phone, chart).len(), count + 1);
}

/// What a relay makes of a page, by the place of a byte.
type Spoil = fn(&[u8], usize) -> Vec<u8>;

/// A page with one entry, as it passed on the way to a reader.
async fn small_page(site: &mut Site, phone: &mut TestDevice) -> usize {
    let chart = phone.chart();
    capture(phone, chart, &["one"]).await;
    synced(phone).await;
    let mut other = site.coordinator.in_another_future().await;
    synced(&mut other).await;
    let found = other.relay.record().into_iter().find(|one| one.request.path.contains("/envelopes?"));
    found.unwrap().response.unwrap().body.len()
}

fn spoil_pages(reader: &TestDevice, place: &Arc<Mutex<usize>>, spoil: Spoil) {
    let place = Arc::clone(place);
    reader.relay.after(move |request, response| {
        if request.path.contains("/envelopes?") && response.status == 200 {
            response.body = spoil(&response.body, *place.lock().unwrap());
        }
    });
}

#[tokio::test]
async fn fault_06_a_page_cut_at_any_byte_is_refused_and_fetched_again() {
    let (mut site, mut phone, _) = site_with(601, 0).await;
    let chart = phone.chart();
    let length = small_page(&mut site, &mut phone).await;
    let mut reader = site.coordinator.in_another_future().await;
    let place = Arc::default();
    spoil_pages(&reader, &place, |page, at| page[..at].to_vec());
    for byte in 0..length {
        *place.lock().unwrap() = byte;
        let report = synced(&mut reader).await;
        assert!(report.pulled == 0 && !report.is_complete(), "byte {byte}: {report:?}");
        assert!(texts(&reader, chart).is_empty(), "byte {byte}");
    }
    reader.relay.heal();
    assert!(synced(&mut reader).await.is_complete());
    assert_eq!(texts(&reader, chart), ["one"], "the cursor did not pass what was refused");
}

#[tokio::test]
async fn fault_06_a_page_altered_at_any_byte_shows_nothing_wrong_and_is_mended() {
    let (mut site, mut phone, _) = site_with(602, 0).await;
    let chart = phone.chart();
    let length = small_page(&mut site, &mut phone).await;
    let flip: Spoil = |page, at| {
        let mut page = page.to_vec();
        if let Some(byte) = page.get_mut(at) {
            *byte ^= 0x01;
        }
        page
    };
    let (mut refused, mut aside, mut byte) = (0, 0, 0);
    while byte < length {
        // One reader as long as nothing of the page is taken: what is kept aside is fetched again at
        // each sync, and spoilt again.
        let mut reader = site.coordinator.in_another_future().await;
        let place = Arc::default();
        spoil_pages(&reader, &place, flip);
        while byte < length {
            *place.lock().unwrap() = byte;
            let report = synced(&mut reader).await;
            byte += 1;
            let shown = texts(&reader, chart);
            assert!(shown.is_empty() || shown == ["one"], "byte {byte}: {shown:?}");
            refused += usize::from(names(&report).contains(&"failed"));
            aside += usize::from(names(&report).contains(&"bad-envelope"));
            if !shown.is_empty() {
                break;
            }
            assert!(!report.is_complete(), "byte {byte}: never said to be complete");
        }
        reader.relay.heal();
        synced(&mut reader).await;
        assert_eq!(texts(&reader, chart), ["one"], "byte {byte}: it is fetched again");
    }
    assert!(refused > 0 && aside > 0, "{refused} pages refused, {aside} times an envelope kept aside");
}
