//! Checkpoints: cold starts, and checkpoints that say something else than what is so.

use crate::reopened::{lead, reopen};
use ward_api::EnvelopePage;
use ward_client::{ChartTrust, SyncProblem};
use ward_crypto::{BlobKey, Role};
use ward_id::{Canonical as _, ChartId, TreeRoot};
use ward_store::{MlogStore as _, OlogStore as _};
use ward_sync::{
    Checkpoint, CheckpointFault, Decoded, MedicationId, MedicationPlanField, Note, Payload, Place,
};
use ward_testkit::{Site, TestDevice};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

async fn write(device: &mut TestDevice, chart: ChartId, from: usize, count: usize) {
    for number in from..from + count {
        device.client.capture(chart, note(&format!("note {number}"))).await.unwrap();
    }
    device.sync().await;
}

/// A site with a nurse, and a patient whose chart is large enough for a cold start.
async fn site(seed: u64) -> (Site, TestDevice, TestDevice) {
    let mut site = Site::small(seed).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    write(&mut patient, chart, 0, 520).await;
    nurse.sync().await;
    (site, nurse, patient)
}

/// Every entry with its place, as a device sees them.
fn shown(device: &TestDevice, chart: ChartId) -> Vec<(ward_id::EntryId, Place)> {
    let view = device.client.chart(chart).unwrap();
    view.timeline().iter().map(|item| (item.entry.id(), item.place)).collect()
}

fn pulled_pages(device: &TestDevice) -> usize {
    let record = device.relay.record();
    let bytes = record.iter().filter(|one| one.request.path.contains("/envelopes?"));
    bytes.filter_map(|one| one.response.as_ref()).map(|answer| answer.body.len()).sum()
}

/// A checkpoint that two people signed: a new device shows the chart from it and from what came
/// after, equal to a chart that was fetched envelope by envelope, and verifies everything meanwhile.
#[tokio::test]
async fn fault_35_a_sound_checkpoint_begins_a_chart_that_equals_the_whole_log() {
    let (mut site, mut nurse, mut patient) = site(3_500).await;
    let chart = patient.chart();
    let checkpoint = nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    site.coordinator.sync().await;
    site.coordinator.sync().await;
    write(&mut patient, chart, 520, 10).await;
    for device in [&mut nurse, &mut site.coordinator, &mut patient] {
        device.sync().await;
    }
    let view = patient.client.chart(chart).unwrap();
    assert_eq!((view.checkpoints().len(), view.checkpoint_cosignatures().len()), (1, 1), "one signs beside");
    let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
    site.coordinator.sync().await;
    cold.relay.clear_record();
    let report = cold.client.sync().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert!(report.pulled > 520, "{report:?}");
    assert!(pulled_pages(&cold) < 150_000, "the tail only: {} bytes", pulled_pages(&cold));
    let trust = cold.client.chart_trust(chart).unwrap();
    assert!(
        matches!(trust, ChartTrust::BeingVerified { verified, of, two_persons: true } if verified == of),
        "who signed what is checked before it enters the chart: {trust:?}"
    );
    nurse.sync().await;
    assert_eq!(shown(&cold, chart), shown(&nurse, chart));
    cold.restart().await;
    assert_eq!(shown(&cold, chart), shown(&nurse, chart), "from the store too");
    assert_eq!(cold.client.verify_checkpoints().await.unwrap(), []);
    assert_eq!(cold.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
    cold.restart().await;
    assert_eq!(cold.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
    assert!(cold.client.chart(chart).unwrap().place(checkpoint).is_some());
    // It goes on like any other device.
    write(&mut patient, chart, 530, 3).await;
    write(&mut cold, chart, 0, 1).await;
    nurse.sync().await;
    assert_eq!(nurse.client.chart(chart).unwrap().notes().len(), 534);
    cold.sync().await;
    assert_eq!(shown(&cold, chart), shown(&nurse, chart));
}

/// One person's signature is not enough to say nothing: the chart is shown as being verified.
#[tokio::test]
async fn fault_35_a_checkpoint_of_one_person_is_shown_as_being_verified() {
    let (mut site, mut nurse, patient) = site(3_501).await;
    let chart = patient.chart();
    nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
    // Makes the epoch that lets the newcomer in, and does not cosign: it writes nothing this time.
    site.coordinator.relay.before(|request| !request.path.ends_with("/envelopes"));
    let _later = site.coordinator.client.sync().await.unwrap();
    cold.client.sync().await.unwrap();
    let trust = cold.client.chart_trust(chart).unwrap();
    assert!(matches!(trust, ChartTrust::BeingVerified { two_persons: false, .. }), "{trust:?}");
    assert_eq!(cold.client.verify_checkpoints().await.unwrap(), []);
    assert_eq!(cold.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
}

/// The nurse's device signs a checkpoint with something wrong in it.
async fn wrong_checkpoint(nurse: &mut TestDevice, chart: ChartId, spoil: impl Fn(&mut Checkpoint)) {
    // A sound one is made first; what it says is then signed again with one thing changed.
    let sound = nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    let mut checkpoint = {
        let view = nurse.client.chart(chart).unwrap();
        let item = view.timeline().iter().find(|item| item.entry.id() == sound).unwrap();
        let Decoded::Known(Payload::Checkpoint(checkpoint)) = item.entry.body().decode_payload() else {
            panic!("a checkpoint decodes")
        };
        checkpoint
    };
    spoil(&mut checkpoint);
    // The newest one is the wrong one: a note in between moves nothing but the place.
    nurse.client.capture(chart, checkpoint).await.unwrap();
    let _sent = nurse.client.sync().await.unwrap();
}

/// Signed over another state, other entries, other places: whoever holds the chart does not cosign and
/// names the author; a cold device throws it away, names the author, and has the whole chart all the
/// same. Nobody is stopped by it.
#[tokio::test]
async fn fault_35_a_checkpoint_over_a_wrong_state_is_ignored_and_its_author_named() {
    let root = TreeRoot::from_bytes([7; 32]);
    type Spoil = Box<dyn Fn(&mut Checkpoint)>;
    let cases: Vec<(Spoil, CheckpointFault)> = vec![
        (Box::new(move |checkpoint| checkpoint.state_root = root), CheckpointFault::State),
        (Box::new(move |checkpoint| checkpoint.entries_root = root), CheckpointFault::Entries),
        (Box::new(move |checkpoint| checkpoint.places_root = root), CheckpointFault::Places),
        (Box::new(move |checkpoint| checkpoint.closed_root = root), CheckpointFault::Closed),
        (Box::new(|checkpoint| checkpoint.count -= 1), CheckpointFault::Frontier),
    ];
    for (number, (spoil, fault)) in cases.into_iter().enumerate() {
        let (mut site, mut nurse, mut patient) = site(3_510 + number as u64).await;
        let chart = patient.chart();
        // A later upto than the sound one has, so that the wrong one is the newest of all.
        wrong_checkpoint(&mut nurse, chart, spoil).await;
        let author = nurse.device();
        let named = |problems: &[SyncProblem]| {
            problems.iter().any(|problem| {
                matches!(problem, SyncProblem::BadCheckpoint { device, fault: found, .. }
                    if *device == author && *found == fault)
            })
        };
        let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
        // If it begins with the sound one, it verifies that first.
        let mut told = false;
        for _ in 0..4 {
            told |= named(&site.coordinator.client.sync().await.unwrap().problems);
        }
        let mut problems = cold.client.sync().await.unwrap().problems;
        problems.extend(cold.client.verify_checkpoints().await.unwrap());
        for _ in 0..2 {
            problems.extend(cold.client.sync().await.unwrap().problems);
        }
        assert!(named(&problems), "{fault:?}: a cold device says so too: {problems:?}");
        assert!(told, "{fault:?}: whoever holds the chart says so; the cold device: {problems:?}");
        assert_eq!(cold.client.chart_trust(chart).unwrap(), ChartTrust::Whole, "{fault:?}");
        patient.client.capture(chart, note("life goes on")).await.unwrap();
        patient.client.sync().await.unwrap();
        for device in [&mut nurse, &mut cold] {
            device.client.sync().await.unwrap();
            assert_eq!(device.client.chart(chart).unwrap().notes().len(), 521, "{fault:?}");
        }
    }
}

/// The blob is not there, or is not what the checkpoint names: the pages are fetched.
#[tokio::test]
async fn fault_35_a_checkpoint_without_its_blob_costs_nothing_but_time() {
    let (mut site, mut nurse, patient) = site(3_502).await;
    let chart = patient.chart();
    wrong_checkpoint(&mut nurse, chart, |checkpoint| checkpoint.key = BlobKey::from_secret_bytes(&[1; 32]))
        .await;
    site.coordinator.client.sync().await.unwrap();
    let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
    site.coordinator.client.sync().await.unwrap();
    cold.relay.before(|request| !request.path.contains("/blobs/"));
    cold.client.sync().await.unwrap();
    cold.relay.heal();
    cold.client.sync().await.unwrap();
    assert_eq!(cold.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
    assert_eq!(cold.client.chart(chart).unwrap().notes().len(), 520);
}

/// Covered history makes room: the envelopes go, the entries stay, and nothing changes in the chart.
#[tokio::test]
async fn fault_09_history_under_a_cosigned_checkpoint_makes_room() {
    let (mut site, mut nurse, patient) = site(3_503).await;
    let chart = patient.chart();
    nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    site.coordinator.sync().await;
    site.coordinator.sync().await;
    nurse.sync().await;
    let before = (shown(&nurse, chart), nurse.rows.used_bytes());
    // Less than a text needs, and nothing is cached but the checkpoint's own blob.
    nurse.rows.set_capacity(Some(nurse.rows.used_bytes() + (512 << 10) - 100_000), true);
    nurse.client.capture(chart, note("fits once history made room")).await.unwrap();
    assert!(nurse.rows.used_bytes() < before.1, "{} of {}", nurse.rows.used_bytes(), before.1);
    let now = shown(&nurse, chart);
    assert!(before.0.iter().all(|item| now.contains(item)) && now.len() == before.0.len() + 1);
    nurse.rows.set_capacity(None, true);
    nurse.restart().await;
    assert_eq!(shown(&nurse, chart), now);
    nurse.sync().await;
    assert_eq!(nurse.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
    let report = nurse.client.sync().await.unwrap();
    assert!(report.is_complete(), "{report:?}");
}

/// A page of which only a part is covered cannot be dropped: that must not stand between a person who
/// submits and the reserve that is kept for it.
#[tokio::test]
async fn fault_09_history_that_cannot_be_dropped_does_not_stand_before_the_reserve() {
    let mut site = Site::small(3_504).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut late = site.staff("a nurse on leave", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    write(&mut patient, chart, 0, 1).await;
    late.sync().await;
    write(&mut patient, chart, 1, 519).await;
    nurse.sync().await;
    nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    site.coordinator.sync().await;
    site.coordinator.sync().await;
    write(&mut patient, chart, 520, 5).await;
    // One page holds what is covered and what is not.
    late.sync().await;
    assert_eq!(late.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
    let reserve = late.client.room().await.unwrap().reserve_bytes;
    late.rows.set_capacity(Some(late.rows.used_bytes() + 1_000), true);
    let dose = MedicationPlanField {
        medication: MedicationId::new("ondansetron"),
        field: "dose".to_owned(),
        value: Some("8".to_owned()),
        unit: Some("mg".to_owned()),
        supersedes: Vec::new(),
    };
    late.client.capture(chart, dose).await.unwrap();
    let room = late.client.room().await.unwrap();
    assert!(room.reserve_bytes < reserve && room.export_advised, "{room:?}");
}

/// Two staff devices, the coordinator's and a patient's meet for a year in which nobody writes: one
/// checkpoint is made, signed once, and nothing follows from it.
#[tokio::test]
async fn fault_35_devices_that_meet_for_ever_make_one_checkpoint_and_fall_silent() {
    let mut site = Site::small(3_510).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    write(&mut patient, chart, 0, 3).await;
    let mut sent = Vec::new();
    for _ in 0..6 {
        let mut pushed = 0;
        for _ in 0..4 {
            for device in [&mut nurse, &mut site.coordinator, &mut patient] {
                let report = device.client.sync().await.unwrap();
                assert!(report.is_complete(), "{report:?}");
                pushed += report.pushed;
            }
        }
        sent.push(pushed);
        site.clock.advance_days(61);
    }
    let view = patient.client.chart(chart).unwrap();
    assert_eq!((view.checkpoints().len(), view.checkpoint_cosignatures().len()), (1, 1), "{sent:?}");
    assert_eq!(sent, [2, 2, 0, 0, 0, 0], "two say what they opened; one writes, one signs");
}

/// The log ends while a newcomer has not verified yet what it began with: the checkpoint is not used
/// any more, nobody is accused of it, and the newcomer's chart is whole and that of everybody.
#[tokio::test]
async fn fault_35_a_checkpoint_of_a_log_that_ended_is_not_used_and_accuses_nobody() {
    let (mut site, mut nurse, mut patient) = site(3_511).await;
    let chart = patient.chart();
    nurse.client.write_checkpoint(chart).await.unwrap().unwrap();
    nurse.sync().await;
    let mut cold = site.newcomer("a new nurse", Role::Clinician).await;
    site.coordinator.sync().await;
    site.coordinator.sync().await;
    assert!(cold.client.sync().await.unwrap().is_complete());
    assert!(matches!(cold.client.chart_trust(chart).unwrap(), ChartTrust::BeingVerified { .. }));
    let backup = site.server.store.olog_size().await.unwrap();
    write(&mut patient, chart, 520, 2).await;
    for device in [&mut nurse, &mut site.coordinator].into_iter().chain(&mut site.admins) {
        device.client.sync().await.unwrap();
    }
    let mlog = site.server.store.mlog_size().await.unwrap();
    let back = site.server.restored(mlog, backup).await.unwrap();
    lead(
        &back,
        [&mut nurse, &mut cold, &mut patient, &mut site.coordinator].into_iter().chain(&mut site.admins),
    );
    let mut last = Vec::new();
    for round in 0..9 {
        last.clear();
        for device in
            [&mut nurse, &mut cold, &mut patient, &mut site.coordinator].into_iter().chain(&mut site.admins)
        {
            let report = device.client.sync().await.unwrap();
            let accuses = |problem: &SyncProblem| matches!(problem, SyncProblem::BadCheckpoint { .. });
            assert!(!report.problems.iter().any(accuses), "{report:?}");
            last.push((report.is_complete(), report.pushed));
        }
        if round == 1 {
            reopen(&mut site.admins[0]).await;
        }
    }
    assert!(last.iter().all(|one| *one == (true, 0)), "{last:?}");
    assert_eq!(cold.client.chart_trust(chart).unwrap(), ChartTrust::Whole);
    assert_eq!(shown(&cold, chart), shown(&nurse, chart));
    assert_eq!(shown(&patient, chart), shown(&nurse, chart));
    cold.restart().await;
    assert_eq!(shown(&cold, chart), shown(&nurse, chart), "from the store too");
    // A checkpoint of the log that counts is signed as before.
    assert!(nurse.client.write_checkpoint(chart).await.unwrap().is_some());
    nurse.sync().await;
    site.coordinator.sync().await;
    let view = site.coordinator.client.chart(chart).unwrap();
    assert_eq!((view.checkpoints().len(), view.checkpoint_cosignatures().len()), (2, 2));
}

/// Places and times of arrival come from the server only. Where they differ, it is as likely wrong as the
/// author: the problem says so, and whoever holds the chart goes on with a checkpoint of their own.
#[tokio::test]
async fn fault_35_places_that_differ_accuse_no_colleague_and_stop_no_checkpoint() {
    let mut site = Site::small(3_580).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    write(&mut patient, chart, 0, 3).await;
    nurse.sync().await;
    wrong_checkpoint(&mut nurse, chart, |checkpoint| {
        checkpoint.places_root = TreeRoot::from_bytes([7; 32]);
    })
    .await;
    let problems = site.coordinator.client.sync().await.unwrap().problems;
    let [SyncProblem::BadCheckpoint { fault, .. }] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(fault.to_string().contains("the server"), "{fault}");
    patient.client.capture(chart, note("life goes on")).await.unwrap();
    patient.client.sync().await.unwrap();
    site.clock.advance_days(31);
    for _ in 0..2 {
        site.coordinator.client.sync().await.unwrap();
    }
    let view = site.coordinator.client.chart(chart).unwrap();
    let by: Vec<_> = view.checkpoints().iter().flat_map(|thread| &thread.current).collect();
    assert!(by.iter().any(|written| written.author.device == site.coordinator.device()), "{}", by.len());
}

/// A server that shows one device an entry at another place makes it find fewer entries below the last
/// place of a sound checkpoint. Which entries its author covered follows from the chains that it names.
#[tokio::test]
async fn fault_35_an_entry_that_the_server_moved_for_one_device_accuses_no_colleague() {
    let mut site = Site::small(3_581).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    write(&mut patient, chart, 0, 3).await;
    // Twice, so that what it wrote itself came back with its place.
    nurse.sync().await;
    nurse.sync().await;
    let moved = site.server.store.olog_size().await.unwrap() - 1;
    site.coordinator.relay.after(move |request, response| {
        if request.path.contains("/envelopes?") && response.status == 200 {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            if let Some(at) = page.rows.iter().position(|row| row.index == moved) {
                let mut row = page.rows.remove(at);
                row.index += 1_000;
                page.rows.push(row);
            }
            response.body = page.to_canonical();
        }
    });
    site.coordinator.client.sync().await.unwrap();
    assert!(nurse.client.write_checkpoint(chart).await.unwrap().is_some());
    nurse.sync().await;
    let mut told = 0;
    for _ in 0..3 {
        for problem in site.coordinator.client.sync().await.unwrap().problems {
            if let SyncProblem::BadCheckpoint { fault, .. } = problem {
                assert_eq!(fault, CheckpointFault::Places, "the author is not to blame");
                told += 1;
            }
        }
    }
    assert!(told > 0, "that places differ is said");
    // An honest server again: the same checkpoint is found sound, and signed.
    site.coordinator.relay.heal();
    patient.client.capture(chart, note("life goes on")).await.unwrap();
    patient.client.sync().await.unwrap();
    for _ in 0..3 {
        site.coordinator.client.sync().await.unwrap();
    }
    let view = site.coordinator.client.chart(chart).unwrap();
    assert_eq!(view.checkpoint_cosignatures().len(), 1);
}
