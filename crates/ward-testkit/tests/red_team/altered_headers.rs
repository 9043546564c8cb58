//! Bytes of an envelope's visible header, altered on the way.

use crate::scene::{change_pages, entries_of, names, note, site_with_nurse, synced, texts, write};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use ward_api::EnvelopeRow;
use ward_client::HttpMethod;
use ward_crypto::Envelope;
use ward_id::Canonical as _;

#[tokio::test]
async fn rt_18_every_header_byte_altered_on_the_way_to_a_reader_is_refused_and_the_good_one_taken_later() {
    let (site, mut nurse, mut patient) = site_with_nurse(1800).await;
    let chart = patient.chart();
    let good = site.server.envelopes().await.pop().unwrap();
    let sealed = Envelope::from_canonical(&good.envelope.0).unwrap();
    let length = sealed.header().to_canonical().len();
    // As many entries as the header has bytes, and a byte more for the longer place numbers.
    let written: Vec<String> = (0..=length).map(|place| format!("note {place:03}")).collect();
    let said: Vec<&str> = written.iter().map(String::as_str).collect();
    write(&mut patient, chart, &said).await;
    // The first byte is the head of the array; of each envelope the next byte is altered.
    change_pages(&nurse.relay, move |page| {
        for row in page.rows.iter_mut().filter(|row| row.index > 0) {
            let place = usize::try_from(row.index).unwrap();
            row.envelope.0[place] ^= 1;
        }
    });
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    assert_eq!(texts(&nurse, chart), ["first"], "of the altered ones not one is shown");
    assert!(nurse.client.charts().iter().any(|known| known.chart == chart && known.incomplete));
    assert!(nurse.client.status().unwrap().stopped_by.is_empty(), "it proves nothing against anybody");
    nurse.restart().await;
    assert_eq!(texts(&nurse, chart), ["first"]);
    nurse.relay.heal();
    let rounds = said.len() / ward_client::limits::REFETCHES_PER_SYNC + 2;
    for _ in 0..rounds {
        synced(&mut nurse).await;
    }
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart).len(), said.len() + 1, "all came in the end");
    assert!(!nurse.client.charts().iter().any(|known| known.chart == chart && known.incomplete));
}

#[tokio::test]
async fn rt_18_an_altered_copy_of_an_envelope_counts_for_nothing() {
    let (site, mut nurse, mut patient) = site_with_nurse(1801).await;
    let chart = patient.chart();
    write(&mut patient, chart, &["second"]).await;
    let good = site.server.envelopes().await.pop().unwrap();
    let header = Envelope::from_canonical(&good.envelope.0).unwrap().header().to_canonical();
    assert_eq!(good.envelope.0[1..=header.len()], header, "the header follows the head of the array");
    let altered: Vec<EnvelopeRow> = (1..=header.len())
        .flat_map(|at| [0x01, 0x10, 0x80].map(|bit| (at, bit)))
        .zip(1_000..)
        .map(|((at, bit), index)| {
            let mut row = EnvelopeRow { index, ..good.clone() };
            row.envelope.0[at] ^= bit;
            row
        })
        .collect();
    let tried = altered.len() as u64;
    assert!(tried > 400, "{tried}");
    change_pages(&nurse.relay, move |page| {
        if page.rows.iter().all(|row| row.index < 1_000) {
            page.rows.extend(altered.iter().cloned());
        }
    });
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    assert_eq!(texts(&nurse, chart), ["first", "second"]);
    assert_eq!(entries_of(&nurse, chart, patient.device()), 2, "of them all only the honest one counts");
    assert!(
        nurse.client.status().unwrap().stopped_by.is_empty(),
        "an altered head proves nothing against anybody"
    );
}

#[tokio::test]
async fn rt_18_no_visible_byte_of_an_envelope_can_be_altered_on_the_way_to_the_server() {
    let (mut site, _nurse, mut patient) = site_with_nurse(1802).await;
    let chart = patient.chart();
    let held = site.server.envelopes().await;
    patient.client.capture(chart, note("second")).await.unwrap();
    let refusals = Arc::new(Mutex::new(BTreeSet::new()));
    for at in (8..180).step_by(6) {
        patient.relay.before(move |request| {
            if request.method == HttpMethod::Post && request.path.contains("/envelopes") {
                request.body[at] ^= 1;
            }
            true
        });
        let seen = Arc::clone(&refusals);
        patient.relay.after(move |request, response| {
            if request.method == HttpMethod::Post && request.path.contains("/envelopes") {
                seen.lock().unwrap().insert(response.status);
            }
        });
        let report = synced(&mut patient).await;
        assert_eq!((report.pushed, report.unsent), (0, 1), "byte {at}: {report:?}");
        patient.relay.heal();
    }
    assert_eq!(site.server.envelopes().await, held, "nothing altered was kept");
    assert!(refusals.lock().unwrap().iter().all(|status| (400..500).contains(status)));
    patient.sync().await;
    site.coordinator.sync().await;
    assert_eq!(texts(&site.coordinator, chart), ["first", "second"]);
}
