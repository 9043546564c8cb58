//! Inputs that are too large or too deep, at the device and at the server.

use ward_api::{EnvelopeBatch, Opaque};
use ward_client::{ClientError, HttpMethod};
use ward_crypto::Role;
use ward_id::Canonical as _;
use ward_sync::{AnsweredBy, Note, Occurrence, QuestionnaireResponse, ResponseStatus};
use ward_testkit::{Site, TestDevice};

fn note(bytes: usize) -> Note {
    Note { text: "x".repeat(bytes), supersedes: vec![] }
}

fn response(bytes: usize) -> QuestionnaireResponse {
    QuestionnaireResponse {
        instrument_url: "https://example.org/q".into(),
        instrument_version: "1".into(),
        occurrence: Occurrence::new("day 1"),
        status: ResponseStatus::Completed,
        answered_by: AnsweredBy::WithHelp,
        response: vec![b' '; bytes],
    }
}

async fn site(seed: u64) -> (Site, TestDevice, TestDevice) {
    let mut site = Site::small(seed).await;
    let nurse = site.staff("nurse", Role::Clinician).await;
    let patient = site.patient("ada").await;
    (site, nurse, patient)
}

/// Too large is refused before anything is signed or stored, the chain goes on with the next entry,
/// and whatever a device does take the server takes too.
#[tokio::test]
async fn fault_20_huge_entries_are_refused_before_they_are_signed_and_the_chain_goes_on() {
    let (_site, mut nurse, mut patient) = site(2_000).await;
    let chart = patient.chart();
    patient.sync().await;
    let rows = patient.rows.used_bytes();
    for bytes in [32_769, 256 * 1_024 + 1, 100_000_000] {
        let refused = patient.client.capture(chart, note(bytes)).await;
        assert!(matches!(refused, Err(ClientError::Entry(_))), "{bytes}");
    }
    for bytes in [196_609, 256 * 1_024 + 1] {
        let refused = patient.client.capture(chart, response(bytes)).await;
        assert!(matches!(refused, Err(ClientError::Entry(_))), "{bytes}");
    }
    assert_eq!(patient.rows.used_bytes(), rows, "nothing was stored");
    // The largest that is taken passes the server's door.
    patient.client.capture(chart, response(196_000)).await.unwrap();
    patient.client.capture(chart, note(32_768)).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 1);
}

/// A hostile device sends an envelope of one byte too many, ten million elements, and a bomb of
/// nesting: each is refused with the right code, and the same chain goes on.
#[tokio::test]
async fn fault_20_the_server_refuses_what_is_too_large_or_too_deep() {
    let (site, mut nurse, mut patient) = site(2_001).await;
    let chart = patient.chart();
    patient.sync().await;
    let before = site.server.envelopes().await.len();
    let large: EnvelopeBatch = vec![Opaque(vec![0; 256 * 1_024 + 1])];
    let mut elements = vec![0x9a];
    elements.extend_from_slice(&10_000_000u32.to_be_bytes());
    let counted = elements.clone();
    elements.resize(4_000_000, 0x40);
    let deep = [vec![0x81; 1_000_000], vec![0x00]].concat();
    let bodies = [
        (large.to_canonical(), 413, "WARD-4009"),
        (elements, 413, "WARD-4010"),
        (counted, 413, "WARD-4010"),
        (deep, 400, "WARD-1002"),
        (vec![0; 6 << 20], 413, "WARD-4010"),
    ];
    for (body, status, code) in bodies {
        patient.client.capture(chart, note(10)).await.unwrap();
        patient.relay.before(move |request| {
            if request.method == HttpMethod::Post && request.path.ends_with("/envelopes") {
                request.body.clone_from(&body);
            }
            true
        });
        patient.relay.clear_record();
        let report = patient.client.sync().await.unwrap();
        assert!(report.pushed == 0 && report.unsent >= 1, "{report:?}");
        let record = patient.relay.record();
        let push = record
            .iter()
            .find(|one| one.request.path.ends_with("/envelopes") && one.request.method == HttpMethod::Post);
        let answer = push.and_then(|one| one.response.as_ref()).unwrap();
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!((answer.status, text.contains(code)), (status, true), "{code}: {text}");
        patient.relay.heal();
    }
    assert_eq!(site.server.envelopes().await.len(), before, "nothing of it was stored");
    patient.sync().await;
    nurse.sync().await;
    assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 5);
}

/// A page full of nonsense does not move the cursor, takes bounded memory, and the next sync is well.
#[tokio::test]
async fn fault_20_a_device_refuses_pages_that_are_too_deep_or_too_many() {
    let (_site, mut nurse, mut patient) = site(2_002).await;
    let chart = patient.chart();
    patient.client.capture(chart, note(10)).await.unwrap();
    patient.sync().await;
    let mut elements = vec![0xa4, 0x00, 0x9a];
    elements.extend_from_slice(&10_000_000u32.to_be_bytes());
    for body in [elements, [vec![0x81; 1_000_000], vec![0x00]].concat(), vec![0xa1; 100_000]] {
        nurse.relay.after(move |request, response| {
            if request.method == HttpMethod::Get && request.path.contains("/envelopes?") {
                response.body.clone_from(&body);
            }
        });
        let report = nurse.client.sync().await.unwrap();
        assert!(!report.problems.is_empty() && report.pulled == 0, "{report:?}");
        nurse.relay.heal();
    }
    nurse.sync().await;
    assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 1);
}
