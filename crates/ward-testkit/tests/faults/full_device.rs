//! A device that is full, with or without a network.

use ward_api::BlobState;
use ward_client::limits::OWN_CONTENT_KEPT_MS;
use ward_client::{
    AttachmentState, ClientError, Comparison, ExportReaders, Growth, HttpMethod, ImportKey, ImportStanding,
    NewInvite, RecoverRequest, RowStoreError,
};
use ward_crypto::{BlobLayout, ExportPassphrase, Role};
use ward_id::{Canonical as _, ChartId, EntryId};
use ward_sync::{Consent, ConsentStatus, Dose, DoseOutcome, MedicationId, Note};
use ward_testkit::{Site, TestDevice};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

fn dose(device: &TestDevice, site: &Site) -> Dose {
    let _ = device;
    let at = site.clock.now();
    Dose {
        medication: MedicationId::new("ondansetron"),
        due_at: at,
        outcome: DoseOutcome::Taken,
        at,
        note: None,
    }
}

fn consent() -> Consent {
    Consent { consent_version: "3".into(), status: ConsentStatus::Given, choice: None }
}

async fn site(seed: u64) -> (Site, TestDevice, TestDevice) {
    let mut site = Site::small(seed).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut patient = site.patient("ada").await;
    patient.sync().await;
    nurse.sync().await;
    (site, nurse, patient)
}

fn no_room<T: std::fmt::Debug>(done: Result<T, ClientError>, growth: Growth) {
    assert_eq!(done.unwrap_err(), ClientError::NoRoom(growth));
}

/// The disk is full, whether the store can tell beforehand or not: attachments are refused first,
/// then texts, before anything was confirmed; submissions are taken from the reserve; then the person
/// is told to export. What was confirmed survives a restart and reaches the site.
#[tokio::test]
async fn fault_09_a_full_device_refuses_in_order_and_still_takes_submissions() {
    for (tells, days_offline) in [(true, 0), (false, 0), (true, 30), (false, 30)] {
        let (site, mut nurse, mut patient) = site(900).await;
        let chart = patient.chart();
        patient.relay.set_offline(true);
        site.clock.advance_days(days_offline);
        let reserve = patient.client.room().await.unwrap().reserve_bytes;
        assert_eq!(reserve, 2 << 20);
        patient.rows.set_capacity(Some(patient.rows.used_bytes() + 100), tells);
        no_room(
            patient.client.attach(chart, vec![1; 5_000].as_slice(), "image/png", "x").await,
            Growth::Attachment,
        );
        no_room(patient.client.capture(chart, note("a long story")).await, Growth::Text);
        let before = patient.client.delivery(chart).unwrap().entries.len();
        let mut kept: Vec<EntryId> = Vec::new();
        for _ in 0..3 {
            kept.push(patient.client.capture(chart, dose(&patient, &site)).await.unwrap());
        }
        kept.push(patient.client.capture(chart, consent()).await.unwrap());
        let room = patient.client.room().await.unwrap();
        assert!(room.reserve_bytes < reserve && room.export_advised, "{room:?}");
        patient.restart().await;
        assert_eq!(patient.client.delivery(chart).unwrap().entries.len(), before + kept.len());
        assert!(patient.client.room().await.unwrap().export_advised);
        // The end of the reserve is an explicit end.
        patient.rows.set_capacity(Some(0), tells);
        no_room(patient.client.capture(chart, consent()).await, Growth::Submission);
        patient.rows.set_capacity(None, tells);
        patient.relay.set_offline(false);
        patient.client.sync().await.unwrap();
        patient.sync().await;
        nurse.sync().await;
        let view = nurse.client.chart(chart).unwrap();
        assert!(kept.iter().all(|entry| view.place(*entry).is_some()));
        assert_eq!(
            patient.client.room().await.unwrap().reserve_bytes,
            reserve,
            "the reserve is filled again"
        );
    }
}

/// What the server has goes first: cached contents make room, and can be fetched again. What was captured
/// here stays for a while: a server that is restored may have lost it.
#[tokio::test]
async fn fault_09_cached_attachments_make_room_before_anything_is_refused() {
    let (site, _nurse, mut patient) = site(901).await;
    let chart = patient.chart();
    let content = vec![9; 900_000];
    let sent = patient.client.attach(chart, content.as_slice(), "image/png", "sent").await.unwrap();
    patient.sync().await;
    assert_eq!(patient.client.room().await.unwrap().cached_blob_bytes, 0, "it is too new to go");
    site.clock.advance_ms(OWN_CONTENT_KEPT_MS);
    assert_eq!(patient.client.room().await.unwrap().cached_blob_bytes, 0, "the server did not show it yet");
    patient.sync().await;
    assert!(patient.client.room().await.unwrap().cached_blob_bytes >= 900_000);
    let unsent = patient.client.attach(chart, content.as_slice(), "image/png", "unsent").await.unwrap();
    patient.rows.set_capacity(Some(patient.rows.used_bytes() + 10_000), true);
    patient.client.capture(chart, note("this still fits")).await.unwrap();
    let states: Vec<_> =
        patient.client.attachments(chart).unwrap().into_iter().map(|one| (one.entry, one.state)).collect();
    assert!(states.contains(&(sent, AttachmentState::AtServer)), "{states:?}");
    assert!(states.contains(&(unsent, AttachmentState::SavedHere)), "nothing unsent is dropped: {states:?}");
    patient.rows.set_capacity(None, true);
    patient.sync().await;
    patient.client.fetch_attachment(chart, sent).await.unwrap();
    let mut out = Vec::new();
    patient.client.read_attachment(chart, sent, &mut out).await.unwrap();
    assert_eq!(out, content);
}

/// The server's bare word for a picture is worth nothing: one that says it has it, and does not, is found
/// out before the only copy goes, and gets it again when it takes it.
#[tokio::test]
async fn fault_09_a_picture_goes_only_after_the_server_has_shown_it() {
    let (site, mut nurse, mut patient) = site(905).await;
    let chart = patient.chart();
    let content = vec![7; 900_000];
    // Nothing of it reaches the server, which says that all is there.
    let says_all = |request: &ward_client::HttpRequest, response: &mut ward_client::HttpResponse| {
        if request.path.contains("/blobs/") && !(request.method == HttpMethod::Get && is_chunk(&request.path))
        {
            response.status = 200;
            response.body = BlobState {
                sealed_size: BlobLayout::of_size(900_000).unwrap().sealed_size(),
                chunks: 4,
                missing: vec![],
                complete: true,
            }
            .to_canonical();
        }
    };
    patient.relay.after(says_all);
    let sent = patient.client.attach(chart, content.as_slice(), "image/png", "rash").await.unwrap();
    patient.sync().await;
    let state = patient.client.attachments(chart).unwrap()[0].state;
    assert_eq!(state, AttachmentState::Here, "as the server says");
    site.clock.advance_ms(OWN_CONTENT_KEPT_MS);
    patient.sync().await;
    assert_eq!(patient.client.room().await.unwrap().cached_blob_bytes, 0);
    patient.rows.set_capacity(Some(patient.rows.used_bytes() + 10_000), true);
    no_room(patient.client.capture(chart, note("no picture goes for a text")).await, Growth::Text);
    patient.rows.set_capacity(None, true);
    patient.relay.heal();
    patient.sync().await;
    patient.sync().await;
    nurse.sync().await;
    nurse.client.fetch_attachment(chart, sent).await.unwrap();
    let mut out = Vec::new();
    nurse.client.read_attachment(chart, sent, &mut out).await.unwrap();
    assert_eq!(out, content, "nothing was lost");
}

/// The clock was three weeks ahead when the picture was taken, or said 1970 after a reboot: the picture is no
/// older for that.
#[tokio::test]
async fn fault_09_a_picture_taken_while_the_clock_was_wrong_is_kept_as_long_as_any() {
    for (seed, is_behind) in [(906, false), (907, true)] {
        let (site, _nurse, mut patient) = site(seed).await;
        let chart = patient.chart();
        let offset_ms = if is_behind { -site.clock.now().0 } else { 21 * 86_400_000 };
        let env = patient.client.environment_mut();
        env.reboot();
        env.set_wall_offset_ms(offset_ms);
        patient.client.attach(chart, [7; 9_000].as_slice(), "image/png", "rash").await.unwrap();
        patient.client.environment_mut().set_wall_offset_ms(0);
        let cached = async |patient: &mut TestDevice| {
            patient.client.sync().await.unwrap();
            patient.client.sync().await.unwrap();
            patient.client.room().await.unwrap().cached_blob_bytes
        };
        assert_eq!(cached(&mut patient).await, 0);
        site.clock.advance_ms(OWN_CONTENT_KEPT_MS - 60_000);
        assert_eq!(cached(&mut patient).await, 0);
        site.clock.advance_ms(60_000);
        assert!(cached(&mut patient).await > 9_000, "and no longer");
    }
}

/// Whether a path names a part of a blob.
fn is_chunk(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|last| last.len() < 8)
}

/// What the nurse sees of an entry: its author, the time that the author claims, what it says.
fn shown(device: &TestDevice, chart: ChartId, entry: EntryId) -> Option<(ward_id::PersonId, i64)> {
    let view = device.client.chart(chart).ok()?;
    let item = view.timeline().iter().find(|item| item.entry.id() == entry)?;
    let admitted = view.place(entry).is_some_and(|place| place == ward_sync::Place::Visible);
    Some((item.author?.person, item.entry.body().captured_at.0)).filter(|_| admitted)
}

/// Full and without a network: the phone writes a sealed file, a nurse's device opens it with its own
/// key, takes the entries over, and everybody sees them with the author and the time of the phone.
#[tokio::test]
async fn fault_09_unsent_work_of_a_full_phone_reaches_the_site_in_a_sealed_file() {
    for days_offline in [0, 30] {
        let (mut site, mut nurse, mut patient) = site(902).await;
        let chart = patient.chart();
        patient.relay.set_offline(true);
        site.clock.advance_days(days_offline);
        let content: Vec<u8> = (0..600_000u32).map(|n| (n % 253) as u8).collect();
        let photo = patient.client.attach(chart, content.as_slice(), "image/jpeg", "rash").await.unwrap();
        patient.rows.set_capacity(Some(patient.rows.used_bytes()), true);
        let taken = patient.client.capture(chart, dose(&patient, &site)).await.unwrap();
        let written_at = site.clock.now().0;
        let mut file = Vec::new();
        let readers = ExportReaders { staff: true, passphrase: true };
        let exported = patient.client.export_unsent(readers, &mut file).await.unwrap();
        assert_eq!((exported.entries, exported.attachments), (2, 1));
        assert!(exported.staff_devices >= 2 && exported.passphrase.is_some());
        assert!(!file.windows(11).any(|window| window == b"ondansetron"), "the file is sealed");
        site.clock.advance_days(1);
        let work = nurse.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.unwrap();
        assert_eq!((work.device, work.entries.len(), work.attachments), (patient.device(), 2, 1));
        for one in &work.entries {
            assert_eq!((one.standing, one.author), (ImportStanding::Offered, Some(patient.person())));
            nurse.client.adopt_imported(&one.entry).await.unwrap();
            assert!(nurse.client.adopt_imported(&one.entry).await.is_err(), "once");
        }
        nurse.sync().await;
        site.coordinator.sync().await;
        for device in [&nurse, &site.coordinator] {
            assert_eq!(shown(device, chart, taken), Some((patient.person(), written_at)));
        }
        site.coordinator.client.fetch_attachment(chart, photo).await.unwrap();
        let mut out = Vec::new();
        site.coordinator.client.read_attachment(chart, photo, &mut out).await.unwrap();
        assert_eq!(out, content, "the attachment came with the file");
        let again = nurse.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.unwrap();
        assert!(again.entries.iter().all(|one| one.standing == ImportStanding::AlreadyHere));
        // The phone finds a network after all: nothing is doubled.
        patient.rows.set_capacity(None, true);
        patient.relay.set_offline(false);
        patient.client.sync().await.unwrap();
        patient.sync().await;
        nurse.sync().await;
        assert_eq!(nurse.client.chart(chart).unwrap().doses().len(), 1);
        assert_eq!(shown(&nurse, chart, taken), Some((patient.person(), written_at)));
        assert!(patient.client.export_unsent(readers, Vec::new()).await.is_err(), "nothing waits any more");
    }
}

/// Two members of staff give the person another phone; the old one is revoked.
pub async fn replaced(site: &mut Site, nurse: &mut TestDevice, old: &TestDevice) -> TestDevice {
    let (chart, person) = (old.chart(), old.person());
    let mut phone = site.device("ada's new phone").await;
    let invite = NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: None };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    phone.begin(&ticket.to_text()).await;
    let recover = RecoverRequest {
        ticket: ticket.ticket,
        chart,
        lost: vec![],
        reason: "the phone is full and broken".to_owned(),
        comparison: Comparison::Same,
    };
    assert!(!site.coordinator.client.recover(recover).await.unwrap().is_done());
    let waiting = nurse.client.proposals().await.unwrap();
    assert!(nurse.client.cosign(waiting[0].hash).await.unwrap().is_done());
    site.coordinator.sync().await;
    phone.finish().await;
    phone.sync().await;
    phone
}

/// The same person's new phone writes the work again, with the times of the old one, and once only.
#[tokio::test]
async fn fault_09_the_words_open_the_file_on_the_persons_new_phone() {
    let (mut site, mut nurse, mut patient) = site(903).await;
    let chart = patient.chart();
    patient.relay.set_offline(true);
    let taken_at = site.clock.now().0;
    patient.client.capture(chart, dose(&patient, &site)).await.unwrap();
    let content = vec![7; 300_000];
    patient.client.attach(chart, content.as_slice(), "image/png", "letter").await.unwrap();
    let mut file = Vec::new();
    let readers = ExportReaders { staff: false, passphrase: true };
    let exported = patient.client.export_unsent(readers, &mut file).await.unwrap();
    let words = exported.passphrase.unwrap();
    site.clock.advance_days(2);
    let mut phone = replaced(&mut site, &mut nurse, &patient).await;
    assert!(phone.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.is_err());
    let wrong = ExportPassphrase::generate(&mut ward_testkit::SeededRng::new(1, "words"));
    assert!(phone.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&wrong)).await.is_err());
    let words = ExportPassphrase::from_text(&words).unwrap();
    for expected in [2, 0] {
        let work = phone.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&words)).await.unwrap();
        assert_eq!(phone.client.write_imported(&work).await.unwrap(), expected, "the second time nothing");
    }
    phone.sync().await;
    nurse.sync().await;
    let view = nurse.client.chart(chart).unwrap();
    let [thread] = view.doses() else { panic!("one dose: {:?}", view.doses()) };
    let written = thread.single().unwrap();
    assert_eq!((written.author.person, written.captured_at().0), (patient.person(), taken_at));
    assert_eq!(written.author.device, phone.device());
    let [letter] = nurse.client.attachments(chart).unwrap().try_into().unwrap();
    nurse.client.fetch_attachment(chart, letter.entry).await.unwrap();
    // Another person's device does not write it as its own.
    let opened = nurse.client.import_unsent(file.as_slice(), ImportKey::Passphrase(&words)).await.unwrap();
    assert!(matches!(nurse.client.write_imported(&opened).await, Err(ClientError::NotAllowed(_))));
}

/// Cut off at every place and changed at many, the file is refused, and nothing is written.
#[tokio::test]
async fn fault_09_a_cut_or_changed_file_is_refused() {
    let (mut site, mut nurse, mut patient) = site(904).await;
    let chart = patient.chart();
    patient.relay.set_offline(true);
    patient.client.capture(chart, note("unsent")).await.unwrap();
    let mut file = Vec::new();
    let readers = ExportReaders { staff: true, passphrase: false };
    patient.client.export_unsent(readers, &mut file).await.unwrap();
    let rows = nurse.rows.ids().len();
    for cut in (0..file.len()).step_by(97).chain([file.len() - 1]) {
        let done = nurse.client.import_unsent(&file[..cut], ImportKey::ThisDevice).await;
        assert!(done.is_err(), "cut to {cut}");
        let mut changed = file.clone();
        changed[cut] ^= 1;
        let done = nurse.client.import_unsent(changed.as_slice(), ImportKey::ThisDevice).await;
        assert!(
            done.is_err_and(|error| !matches!(error, ClientError::Store(RowStoreError::Broken(_)))),
            "byte {cut}"
        );
    }
    let longer = [file.clone(), vec![0]].concat();
    assert!(nurse.client.import_unsent(longer.as_slice(), ImportKey::ThisDevice).await.is_err());
    assert_eq!(nurse.rows.ids().len(), rows, "nothing was kept");
    let outsider = &mut site.admins[0];
    assert!(outsider.client.import_unsent(file.as_slice(), ImportKey::ThisDevice).await.is_err());
}
