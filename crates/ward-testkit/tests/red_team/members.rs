//! The server adds devices, persons and recoveries of its own to who may read.

use crate::loot::{loot, opens_any};
use crate::scene::{
    counts, ghost, names, note, packages_of, site_with_nurse, synced, texts, unsigned, write_into_log,
};
use ward_api::{LogName, MlogRow};
use ward_client::{ClientError, HttpMethod, SyncProblem};
use ward_crypto::{EpochPackage, HedgedRng, NewEpoch, PreviousEpoch, Role, make_epoch_package};
use ward_id::{Canonical as _, ChartId, TreeRoot};
use ward_sync::{EpochAnnounce, MlogBody, MlogEntry, RecoveryUse, SpaceMember, TreeHead, VoidReason};
use ward_testkit::{SeededRng, Site, TestDevice};

/// Adds somebody to the care team, so that the chart gets a new epoch, and lets everybody read a
/// note that was sealed under it.
async fn next_epoch(site: &mut Site, nurse: &mut TestDevice, patient: &mut TestDevice, text: &str) {
    let chart = patient.chart();
    let before = packages_of(&site.server, chart).await.len();
    site.staff("another nurse", Role::Clinician).await;
    patient.sync().await;
    assert!(packages_of(&site.server, chart).await.len() > before, "the members changed");
    patient.client.capture(chart, note(text)).await.unwrap();
    patient.sync().await;
    nurse.sync().await;
    assert!(texts(nurse, chart).contains(&text.to_owned()), "honest members read on");
}

/// Why the log's rules give an entry no effect, as a device computes them.
fn void(device: &TestDevice, entry: &MlogEntry) -> VoidReason {
    device.client.membership().unwrap().would_be_effective(entry, None).unwrap_err()
}

#[tokio::test]
async fn rt_01_a_device_that_the_server_certified_is_nobodys_and_gets_no_wrap() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(101).await;
    let chart = patient.chart();
    let phone = ghost(&site, patient.person(), Role::Patient, 1);
    let staff = ghost(&site, nurse.person(), Role::Clinician, 2);
    let mut forged = Vec::new();
    for (ghost, subject) in [(&phone, chart.into()), (&staff, site.root_policy.site.into())] {
        let entry = unsigned(&site, subject, &MlogBody::DeviceCert(Box::new(ghost.cert.clone())));
        let borrowed = ghost.keys.sign.sign_labelled(ward_crypto::labels::MLOG, &entry.signing_digest());
        let by_itself = entry.clone().sign_as_device(ghost.device, &ghost.keys.sign).unwrap();
        let in_her_name = entry.clone().add_signature(site.coordinator.device().into(), borrowed).unwrap();
        assert!(matches!(void(&patient, &by_itself), VoidReason::UnknownSigner(_)));
        forged.extend([entry, by_itself, in_her_name]);
    }
    for entry in &forged {
        void(&patient, entry);
        write_into_log(&mut site.server, entry, None).await;
    }
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.sync().await;
    }
    next_epoch(&mut site, &mut nurse, &mut patient, "after the ghosts came").await;
    let packages = packages_of(&site.server, chart).await;
    for ghost in [&phone, &staff] {
        for device in [&patient, &nurse, &site.coordinator] {
            assert!(!counts(device, chart, ghost.device));
            assert!(counts(device, chart, patient.device()) && counts(device, chart, nurse.device()));
        }
        assert!(
            packages.iter().all(|package| package.wrapped_devices().all(|device| device != ghost.device))
        );
        let log = patient.client.membership().unwrap();
        assert!(!opens_any(ghost.device, &ghost.keys.enc, &packages, log));
    }
    let stolen = loot(&nurse).await;
    assert!(opens_any(nurse.device(), &stolen.keys.enc, &packages, patient.client.membership().unwrap()));
}

#[tokio::test]
async fn rt_01_a_certificate_put_in_on_the_way_fits_no_leaf() {
    let (mut site, _nurse, mut patient) = site_with_nurse(102).await;
    let chart = patient.chart();
    let phone = ghost(&site, patient.person(), Role::Patient, 1);
    let entry = unsigned(&site, chart.into(), &MlogBody::DeviceCert(Box::new(phone.cert.clone())));
    let entry = entry.sign_as_device(phone.device, &phone.keys.sign).unwrap().to_canonical();
    // Somebody else's chart: a place of the log of which the patient sees the leaf only.
    site.open_chart().await;
    patient.relay.after(move |request, response| {
        if request.method == HttpMethod::Get && request.path.contains("/mlog/entries") {
            let mut rows = Vec::<MlogRow>::from_canonical(&response.body).unwrap();
            let from = request.path.split(['=', '&']).nth(1).unwrap().parse().unwrap();
            rows.insert(0, MlogRow { index: from, entry: entry.clone().into() });
            response.body = rows.to_canonical();
        }
    });
    let size = patient.client.membership().unwrap().size();
    let report = synced(&mut patient).await;
    let refused = |problem: &SyncProblem| {
        matches!(problem, SyncProblem::Failed { error: ClientError::MlogRefused(_), .. })
    };
    assert!(report.problems.iter().any(refused), "{report:?}");
    assert_eq!(patient.client.membership().unwrap().size(), size, "nothing of it was taken");
    patient.relay.heal();
    patient.sync().await;
    assert!(patient.client.membership().unwrap().size() > size);
    assert!(!counts(&patient, chart, phone.device));
}

#[tokio::test]
async fn rt_01_a_head_without_a_quorum_of_witnesses_is_not_taken() {
    let (mut site, _nurse, mut patient) = site_with_nurse(103).await;
    site.open_chart().await;
    // The log's own signature and one witness of three; by itself, and as a meeting begins with it.
    let weakened = |note: &[u8]| {
        let note = String::from_utf8(note.to_vec()).unwrap();
        let (text, signatures) = note.split_once("\n\n").unwrap();
        let kept: Vec<&str> = signatures.lines().take(2).collect();
        format!("{text}\n\n{}\n", kept.join("\n")).into_bytes()
    };
    patient.relay.on_heads(LogName::Mlog, move |note| *note = weakened(note));
    let size = patient.client.membership().unwrap().size();
    let report = synced(&mut patient).await;
    assert!(names(&report).contains(&"failed"), "{report:?}");
    assert_eq!(patient.client.membership().unwrap().size(), size);
    patient.relay.heal();
    patient.sync().await;
    assert!(patient.client.membership().unwrap().size() > size);
}

/// A package by a member whose device obeys the attacker, for the honest members and one more.
pub async fn package_with(
    chart: ChartId,
    member: &TestDevice,
    extra: Option<&TestDevice>,
    current: &EpochPackage,
) -> (EpochPackage, MlogEntry) {
    let stolen = loot(member).await;
    let log = member.client.membership().unwrap();
    let head: TreeHead = log.head();
    let mut members = Vec::new();
    for device in log.members(chart).unwrap().devices().chain(extra.map(TestDevice::device)) {
        members.push((device, log.find_device(device).unwrap().0.cert().binding.enc_pk.clone()));
    }
    members.sort_by_key(|(device, _)| *device);
    let new = NewEpoch {
        site: current.header().site,
        chart,
        previous: Some(PreviousEpoch { epoch: current.header().epoch, package: current.hash() }),
        history: &[&stolen.epochs[&(chart, current.header().epoch)]],
        mlog_size: head.size,
        mlog_root: head.root,
        author: stolen.device,
        members: &members,
    };
    let mut rng = HedgedRng::new(SeededRng::new(9, "insider"), &stolen.keys.hedge, b"insider");
    let (package, _) = make_epoch_package(&new, &stolen.keys.sign, &stolen.keys.hedge, &mut rng).unwrap();
    let body = MlogBody::EpochAnnounce(EpochAnnounce {
        chart,
        epoch: package.header().epoch,
        package_hash: package.hash(),
    });
    let entry = MlogEntry::unsigned(current.header().site, chart.into(), head, &body).unwrap();
    (package, entry.sign_as_device(stolen.device, &stolen.keys.sign).unwrap())
}

#[tokio::test]
async fn rt_02_a_package_for_a_ghost_member_is_kept_aside_and_nothing_is_sealed_under_it() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(201).await;
    let chart = patient.chart();
    let mut stranger = site.device("stranger").await;
    let person = site.new_person();
    site.enrol_staff_as(&mut stranger, person, Role::Clinician).await;
    site.coordinator.sync().await;
    // The person is put into the chart by nobody, by themselves, and by a nurse who may not.
    let body = MlogBody::SpaceMember(SpaceMember { chart, person, add: true });
    let (own, hers) = (loot(&stranger).await.keys, loot(&nurse).await.keys);
    let plain = unsigned(&site, chart.into(), &body);
    let by_stranger = plain.clone().sign_as_device(stranger.device(), &own.sign).unwrap();
    let by_nurse = plain.clone().sign_as_device(nurse.device(), &hers.sign).unwrap();
    for entry in [plain, by_stranger, by_nurse] {
        write_into_log(&mut site.server, &entry, None).await;
    }
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.sync().await;
        assert!(!counts(device, chart, stranger.device()));
    }
    // A member's device makes a package for the set that the operator would like.
    let current = packages_of(&site.server, chart).await.pop().unwrap();
    let (package, announce) = package_with(chart, &nurse, Some(&stranger), &current).await;
    assert!(package.wrapped_devices().any(|device| device == stranger.device()));
    write_into_log(&mut site.server, &announce, Some(&package)).await;
    for device in [&mut patient, &mut site.coordinator] {
        let report = synced(device).await;
        assert!(names(&report).contains(&"bad-package"), "{report:?}");
        let counted = device.client.membership().unwrap().counted_epoch(chart).unwrap();
        assert_eq!(counted.epoch, current.header().epoch, "it does not count");
        assert!(!counts(device, chart, stranger.device()));
    }
    patient.client.capture(chart, note("after the package")).await.unwrap();
    assert_eq!(synced(&mut patient).await.pushed, 1);
    synced(&mut site.coordinator).await;
    assert_eq!(texts(&site.coordinator, chart), ["after the package", "first"]);
    let sealed = crate::loot::envelopes_of(&site.server).await;
    assert!(sealed.iter().all(|envelope| envelope.header().epoch == current.header().epoch));
}

#[tokio::test]
async fn rt_04_a_recovery_that_the_server_made_changes_nobody_and_gets_no_wrap() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(401).await;
    let chart = patient.chart();
    let thief = ghost(&site, patient.person(), Role::Patient, 1);
    let body = MlogBody::RecoveryUse(RecoveryUse {
        chart,
        person: patient.person(),
        revoked: vec![patient.device()],
        olog: TreeHead { size: 0, root: TreeRoot::from_bytes([0; 32]) },
        cert: Box::new(thief.cert.clone()),
        reason: "lost".to_owned(),
    });
    let (nurses, patients) = (loot(&nurse).await.keys, loot(&patient).await.keys);
    let plain = unsigned(&site, chart.into(), &body);
    let by_itself = plain.clone().sign_as_device(thief.device, &thief.keys.sign).unwrap();
    let by_one = plain.clone().sign_as_device(nurse.device(), &nurses.sign).unwrap();
    let by_one_and_ghost = by_one.clone().sign_as_device(thief.device, &thief.keys.sign).unwrap();
    let by_one_and_patient = by_one.clone().sign_as_device(patient.device(), &patients.sign).unwrap();
    for entry in [plain, by_itself, by_one, by_one_and_ghost, by_one_and_patient] {
        void(&patient, &entry);
        write_into_log(&mut site.server, &entry, None).await;
    }
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        device.sync().await;
    }
    next_epoch(&mut site, &mut nurse, &mut patient, "from the phone that was said to be lost").await;
    let packages = packages_of(&site.server, chart).await;
    for device in [&patient, &nurse, &site.coordinator] {
        assert!(!counts(device, chart, thief.device) && counts(device, chart, patient.device()));
    }
    assert!(!opens_any(thief.device, &thief.keys.enc, &packages, patient.client.membership().unwrap()));
}
