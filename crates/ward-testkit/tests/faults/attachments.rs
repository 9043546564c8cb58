//! Attachments that are missing, half sent, or damaged.

use ward_client::limits::OWN_CONTENT_KEPT_MS;
use ward_client::{AttachmentState, ClientError, HttpMethod};
use ward_crypto::Role;
use ward_id::{ChartId, EntryId};
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_sync::Note;
use ward_testkit::{Site, TestDevice};

const CHUNK: usize = 262_144;

fn photo(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n / 7 % 256) as u8).collect()
}

fn states(device: &TestDevice, chart: ChartId) -> Vec<AttachmentState> {
    device.client.attachments(chart).unwrap().into_iter().map(|one| one.state).collect()
}

async fn attach(device: &mut TestDevice, content: &[u8]) -> EntryId {
    let chart = device.chart();
    device.client.attach(chart, content, "image/jpeg", "rash on the left arm").await.unwrap()
}

async fn content_of(device: &TestDevice, chart: ChartId, entry: EntryId) -> Vec<u8> {
    let mut out = Vec::new();
    device.client.read_attachment(chart, entry, &mut out).await.unwrap();
    out
}

async fn site(seed: u64, days_offline: i64) -> (Site, TestDevice, TestDevice) {
    let mut site = Site::small(seed).await;
    let nurse = site.staff("nurse", Role::Clinician).await;
    let patient = site.patient("ada").await;
    site.clock.advance_ms(days_offline * 86_400_000);
    (site, nurse, patient)
}

/// The entry arrives first; its content comes chunk by chunk, over as many syncs as it takes, with a
/// crash after every chunk; readers see "pending" until it is whole, and no entry ever waits for it.
#[tokio::test]
async fn fault_34_an_attachment_half_sent_holds_nothing_up_and_is_resumed_after_every_crash() {
    for days_offline in [0, 30] {
        let (mut site, mut nurse, mut patient) = site(3_400, days_offline).await;
        let chart = patient.chart();
        let content = photo(3 * CHUNK + 100);
        let entry = attach(&mut patient, &content).await;
        assert_eq!(states(&patient, chart), [AttachmentState::SavedHere]);
        patient
            .client
            .capture(chart, Note { text: "after the photo".into(), supersedes: vec![] })
            .await
            .unwrap();
        // One chunk passes, then the network goes, then the app ends.
        for sent in 1..=4u32 {
            let mut left = 1;
            patient.relay.before(move |request| {
                let chunk = request.method == HttpMethod::Put;
                left -= i32::from(chunk);
                !chunk || left >= 0
            });
            let report = patient.client.sync().await.unwrap();
            assert_eq!(report.unsent, 0, "entries never wait: {report:?}");
            patient.relay.heal();
            patient.restart().await;
            let expected = match sent {
                4 => AttachmentState::Here,
                sent => AttachmentState::Sending { sent, of: 4 },
            };
            assert_eq!(states(&patient, chart), [expected]);
            nurse.sync().await;
            assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 1);
            if sent < 4 {
                assert_eq!(states(&nurse, chart), [AttachmentState::Pending]);
                let early = nurse.client.fetch_attachment(chart, entry).await;
                assert_eq!(early, Err(ClientError::AttachmentNotHere { pending: true }));
            }
        }
        nurse.client.fetch_attachment(chart, entry).await.unwrap();
        assert_eq!(states(&nurse, chart), [AttachmentState::Here]);
        assert_eq!(content_of(&nurse, chart, entry).await, content);
        nurse.restart().await;
        assert_eq!(content_of(&nurse, chart, entry).await, content, "it survives a restart");
        assert_eq!(content_of(&patient, chart, entry).await, content);
        site.coordinator.sync().await;
    }
}

/// Reading stops at any chunk and goes on there; a chunk that was changed on the way is not kept.
#[tokio::test]
async fn fault_34_fetching_is_resumed_and_damaged_chunks_are_refused() {
    let (_site, mut nurse, mut patient) = site(3_401, 0).await;
    let chart = patient.chart();
    let content = photo(6 * CHUNK);
    let entry = attach(&mut patient, &content).await;
    patient.sync().await;
    nurse.sync().await;
    nurse.relay.after(|request, response| {
        if request.path.ends_with("/5") && request.path.contains("/blobs/") {
            response.body[1_000] ^= 1;
        }
    });
    let damaged = nurse.client.fetch_attachment(chart, entry).await;
    assert_eq!(damaged, Err(ClientError::AttachmentDamaged));
    assert_eq!(states(&nurse, chart), [AttachmentState::Fetching { here: 4, of: 6 }]);
    let mut none = Vec::new();
    assert!(nurse.client.read_attachment(chart, entry, &mut none).await.is_err() && none.is_empty());
    nurse.relay.heal();
    nurse.relay.clear_record();
    nurse.restart().await;
    nurse.client.fetch_attachment(chart, entry).await.unwrap();
    let fetched = nurse.relay.record().iter().filter(|one| one.request.path.contains("/blobs/")).count();
    assert_eq!(fetched, 2, "what was here already is not fetched again");
    assert_eq!(content_of(&nurse, chart, entry).await, content);
}

/// The app dies at every commit of a capture: afterwards there is the whole attachment with its
/// entry, or nothing of it.
#[tokio::test]
async fn fault_34_a_crash_while_attaching_leaves_all_or_nothing() {
    let (_site, _nurse, mut patient) = site(3_402, 0).await;
    let chart = patient.chart();
    let rows_before = patient.rows.ids().len();
    for commit in 1..=4 {
        patient.rows.fail_at_commit(commit);
        let done = patient.client.attach(chart, photo(9 * CHUNK).as_slice(), "image/png", "scan").await;
        let failed = patient.rows.failed();
        patient.rows.heal();
        patient.restart().await;
        if done.is_ok() {
            assert!(!failed, "commit {commit}");
            patient.sync().await;
            let [one] = patient.client.attachments(chart).unwrap().try_into().unwrap();
            assert_eq!(content_of(&patient, chart, one.entry).await, photo(9 * CHUNK));
            return;
        }
        patient.sync().await;
        assert!(patient.client.attachments(chart).unwrap().is_empty(), "commit {commit}");
        assert!(patient.rows.ids().len() <= rows_before + 8, "staged chunks were removed");
    }
    panic!("a capture needs at most three commits here");
}

/// Every edge of sizes, captured on a phone, read by staff.
#[tokio::test]
async fn fault_34_attachments_of_every_edge_arrive() {
    let (_site, mut nurse, mut patient) = site(3_403, 0).await;
    let chart = patient.chart();
    for bytes in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK] {
        let entry = attach(&mut patient, &photo(bytes)).await;
        patient.sync().await;
        nurse.sync().await;
        nurse.client.fetch_attachment(chart, entry).await.unwrap();
        assert_eq!(content_of(&nurse, chart, entry).await, photo(bytes), "{bytes}");
    }
    assert_eq!(states(&patient, chart).len(), 6);
}

/// A server whose operator brought the logs back and not the blobs: the device that still has one
/// sends it again, without being told.
#[tokio::test]
async fn fault_34_a_blob_that_the_server_lost_is_sent_again() {
    let (mut site, mut nurse, mut patient) = site(3_404, 0).await;
    let chart = patient.chart();
    let content = photo(CHUNK + 5);
    let entry = attach(&mut patient, &content).await;
    patient.sync().await;
    assert_eq!(states(&patient, chart), [AttachmentState::Here]);
    site.coordinator.sync().await;
    let mlog = site.coordinator.client.membership().unwrap().size();
    let olog = site.server.envelopes().await.len() as u64;
    let bare = site.server.twin(mlog, olog).await;
    for device in [&mut patient, &mut nurse] {
        device.relay.lead_to(Some(bare.transport.clone()));
    }
    nurse.sync().await;
    let lost = nurse.client.fetch_attachment(chart, entry).await;
    assert_eq!(lost, Err(ClientError::AttachmentNotHere { pending: true }));
    patient.restart().await;
    patient.sync().await;
    nurse.client.fetch_attachment(chart, entry).await.unwrap();
    assert_eq!(content_of(&nurse, chart, entry).await, content);
}

/// A disk that lost a bit of a picture at the server: the phone that took it still has the good bytes, gives
/// them again, and everybody sees the picture.
#[tokio::test]
async fn fault_34_a_blob_that_rotted_at_the_server_is_given_again_by_whoever_took_it() {
    for (number, bytes) in [100, 3 * CHUNK + 100].into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.db");
        let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
        let mut site = Site::small_on(3_405 + number as u64, store).await;
        let mut nurse = site.staff("nurse", Role::Clinician).await;
        let mut patient = site.patient("ada").await;
        let chart = patient.chart();
        let content = photo(bytes);
        let entry = attach(&mut patient, &content).await;
        patient.sync().await;
        nurse.sync().await;
        let rotted = {
            let conn = rusqlite::Connection::open(&path).unwrap();
            let sql = "UPDATE blob_chunk SET bytes = zeroblob(length(bytes)) \
                WHERE chunk = (SELECT max(chunk) FROM blob_chunk)";
            conn.execute(sql, []).unwrap()
        };
        assert_eq!(rotted, 1);
        let damaged = nurse.client.fetch_attachment(chart, entry).await;
        assert_eq!(damaged, Err(ClientError::AttachmentDamaged));
        site.clock.advance_ms(OWN_CONTENT_KEPT_MS);
        for _ in 0..2 {
            patient.client.sync().await.unwrap();
        }
        nurse.client.sync().await.unwrap();
        nurse.client.fetch_attachment(chart, entry).await.unwrap();
        assert_eq!(content_of(&nurse, chart, entry).await, content);
        assert_eq!(patient.client.room().await.unwrap().cached_blob_bytes, 0, "the 30 days begin anew");
        site.clock.advance_ms(OWN_CONTENT_KEPT_MS);
        assert!(patient.client.sync().await.unwrap().is_complete());
        assert!(patient.client.room().await.unwrap().cached_blob_bytes > 0);
    }
}
