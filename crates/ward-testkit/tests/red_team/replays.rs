//! Operations that are sent or delivered again, and operations that are left out in the middle.

use crate::caller::{Caller, code};
use crate::loot::loot;
use crate::scene::{change_pages, entries_of, held, names, site_with_nurse, synced, texts, write};
use ward_api::headers::MEDIA_CBOR;
use ward_api::{EnvelopeBatch, EnvelopeRow, ErrorCode, paths};
use ward_audit::Receipt;
use ward_client::HttpMethod;
use ward_id::Canonical as _;
use ward_testkit::Exchange;

#[tokio::test]
async fn rt_15_a_repeated_operation_is_one_entry_on_every_device() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1501).await;
    let chart = patient.chart();
    write(&mut patient, chart, &["second"]).await;
    let (old, author) = (site.server.envelopes().await[0].clone(), patient.device());
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        let old = old.clone();
        change_pages(&device.relay, move |page| {
            for place in [2_000, 3_000] {
                if page.rows.iter().all(|known| known.index < place) {
                    page.rows.push(EnvelopeRow { index: place, ..old.clone() });
                }
            }
        });
        synced(device).await;
        assert_eq!(texts(device, chart), ["first", "second"]);
        assert_eq!(entries_of(device, chart, author), 2);
        let given =
            device.relay.record().iter().filter(|one| one.request.path.contains("/envelopes?")).count();
        assert!(given > 0, "the device asked and was lied to");
        device.restart().await;
        assert_eq!(texts(device, chart), ["first", "second"], "nor after it was read again");
    }
    // Everybody writes and reads on.
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.relay.heal();
        synced(device).await;
    }
    write(&mut patient, chart, &["third"]).await;
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "second", "third"]);
}

#[tokio::test]
async fn rt_15_an_honest_server_takes_a_repeat_from_nobody() {
    let (site, nurse, patient) = site_with_nurse(1502).await;
    let chart = patient.chart();
    let held = site.server.envelopes().await;
    let path = paths::envelopes(chart);
    // The network sends the very request once more.
    let pushed = |one: &Exchange| one.request.method == HttpMethod::Post && one.request.path == path;
    let sent = patient.relay.record().into_iter().find(pushed).unwrap().request;
    let repeat = site.server.transport.request("POST", &sent.path, sent.headers, sent.body).await.unwrap();
    assert_eq!(repeat.status, 401, "{:?}", code(&repeat));
    // Another member sends somebody else's operation as their own.
    let batch: EnvelopeBatch = vec![held[0].envelope.clone()];
    let (hers, own) = (loot(&nurse).await, loot(&patient).await);
    let mut caller = Caller::with(&hers, &site.server.transport, &site.clock).await;
    let answer = caller.call("POST", &path, Some(MEDIA_CBOR), batch.to_canonical()).await;
    assert_eq!(code(&answer), Some(ErrorCode::ForeignDevice));
    // The device itself gets the place that it got first.
    let mut caller = Caller::with(&own, &site.server.transport, &site.clock).await;
    let answer = caller.call("POST", &path, Some(MEDIA_CBOR), batch.to_canonical()).await;
    assert_eq!(answer.status, 200, "{:?}", code(&answer));
    assert_eq!(Receipt::from_canonical(&answer.body).unwrap().first_index(), held[0].index);
    assert_eq!(site.server.envelopes().await, held);
}

#[tokio::test]
async fn rt_16_a_chart_with_a_hole_is_incomplete_and_names_the_entry_that_lacks() {
    let (site, mut nurse, mut patient) = site_with_nurse(1601).await;
    let chart = patient.chart();
    let place = held(&site.server).await + 1;
    write(&mut patient, chart, &["second", "third", "fourth"]).await;
    let view = patient.client.chart(chart).unwrap();
    let third = view.timeline().iter().find(|item| item.entry.frame().seq == 3).unwrap().entry.id();
    change_pages(&nurse.relay, move |page| page.rows.retain(|row| row.index != place));
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"incomplete"), "{report:?}");
    assert_eq!(nurse.client.missing(chart).unwrap(), [third]);
    assert!(nurse.client.charts().iter().any(|known| known.chart == chart && known.incomplete));
    nurse.relay.heal();
    for _ in 0..ward_client::limits::REPULL_EVERY_SYNCS {
        synced(&mut nurse).await;
    }
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "fourth", "second", "third"]);
    assert!(nurse.client.missing(chart).unwrap().is_empty());
}
