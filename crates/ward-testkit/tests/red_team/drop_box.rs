//! The server lies about revocations and about the drop box.

use crate::scene::{ghost, names, note, site_with_nurse, synced, texts, unsigned, write_into_log};
use ward_api::{
    DropBatch, DropPage, ErrorCode, HaveOfManyAnswer, LogName, MlogRow, Opaque, Problem, ProblemMembers,
    RevocationProof, paths,
};
use ward_client::{ClientError, HttpMethod, HttpResponse};
use ward_crypto::{DropEnvelope, DropEnvelopeFields, Role};
use ward_id::{Canonical as _, DeviceId, EntryId};
use ward_store::MlogStore as _;
use ward_sync::{DeliveryState, MlogBody, MlogEntry, Revoke, RevokePolicy, TreeHead};
use ward_testkit::{Relay, Site, TestDevice};

const PROBLEM: &str = "application/problem+json";

fn refuses(response: &mut HttpResponse, code: ErrorCode, policy: Option<u8>) {
    let problem =
        Problem::new(code, "by the operator").with(ProblemMembers { policy, ..ProblemMembers::default() });
    response.status = code.status();
    response.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    response.headers.push(("content-type".to_owned(), PROBLEM.to_owned()));
    response.body = problem.to_json().into_bytes();
}

/// The server says to everything that the device was revoked, and shows this as its proof.
fn says_revoked(relay: &Relay, shown: Option<Vec<u8>>) {
    relay.after(move |request, response| match &shown {
        Some(proof) if request.path.contains("/revocation") => {
            response.status = 200;
            response.body.clone_from(proof);
        }
        None if request.path.contains("/revocation") => {}
        _ => refuses(response, ErrorCode::Revoked, Some(2)),
    });
}

/// The log from a size on, with all its entries, as the proof that its last entry revokes somebody.
async fn proof_of_last(site: &mut Site, from: u64) -> RevocationProof {
    site.coordinator.sync().await;
    let to = site.server.store.mlog_size().await.unwrap();
    let stored = site.server.store.mlog_entries(from, to).await.unwrap();
    let mut leaves = Vec::new();
    for leaf in site.server.store.mlog_leaves(from, to).await.unwrap() {
        leaves.extend_from_slice(&leaf.to_bytes());
    }
    let row = |entry: ward_store::StoredMlogEntry| MlogRow { index: entry.index, entry: Opaque(entry.bytes) };
    RevocationProof {
        index: to - 1,
        to,
        leaves: Opaque(leaves),
        entries: stored.into_iter().map(row).collect(),
        consistency: Vec::new(),
        note: Opaque(site.coordinator.relay.newest_note(LogName::Mlog).unwrap()),
    }
}

fn revocation(site: &Site, patient: &TestDevice) -> MlogEntry {
    let body = MlogBody::Revoke(Revoke {
        device: patient.device(),
        olog: TreeHead::empty(),
        policy: RevokePolicy::Sever,
        reason: "by the operator".to_owned(),
    });
    unsigned(site, patient.chart().into(), &body)
}

/// Nothing is locked, nothing is deleted, nothing is believed; and everything is sent later.
async fn is_not_believed(patient: &mut TestDevice, what: &str) {
    let chart = patient.chart();
    let before = texts(patient, chart).len();
    patient.client.capture(chart, note(what)).await.unwrap();
    let report = synced(patient).await;
    assert!(names(&report).contains(&"revocation-not-proved"), "{what}: {report:?}");
    assert!(!names(&report).contains(&"revoked") && !names(&report).contains(&"wiped"), "{what}: {report:?}");
    assert_eq!((report.handed_over, report.pushed), (0, 0), "{what}: {report:?}");
    assert_eq!(patient.client.order(), None, "{what}");
    patient.restart().await;
    assert_eq!(texts(patient, chart).len(), before + 1, "{what}: the person sees and writes as ever");
    patient.relay.heal();
    patient.sync().await;
}

#[tokio::test]
async fn rt_14_a_faked_revocation_locks_nothing_and_deletes_nothing() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1_441).await;
    let chart = patient.chart();
    says_revoked(&patient.relay, None);
    is_not_believed(&mut patient, "the server only says so").await;

    // The operator writes revocations of their own into the log: signed by nobody, by a device that
    // exists in their cellar only, and with a borrowed signature in the coordinator's name.
    let fake = revocation(&site, &patient);
    let cellar = ghost(&site, nurse.person(), Role::Coordinator, 7);
    let borrowed = cellar.keys.sign.sign_labelled(ward_crypto::labels::MLOG, &fake.signing_digest());
    let signed = [
        fake.clone(),
        fake.clone().sign_as_device(cellar.device, &cellar.keys.sign).unwrap(),
        fake.clone().add_signature(site.coordinator.device().into(), borrowed).unwrap(),
    ];
    for (number, entry) in signed.iter().enumerate() {
        let from = patient.client.membership().unwrap().size();
        write_into_log(&mut site.server, entry, None).await;
        let proof = proof_of_last(&mut site, from).await;
        says_revoked(&patient.relay, Some(proof.to_canonical()));
        is_not_believed(&mut patient, &format!("void entry {number}")).await;
    }

    // A real revocation, of another device of the chart.
    let from = patient.client.membership().unwrap().size();
    let done = site.admins[0].client.revoke(nurse.device(), RevokePolicy::Sever, "left the site").await;
    assert!(done.unwrap().is_done());
    let index = site.admins[0].client.membership().unwrap().size() - 1;
    let whole = proof_of_last(&mut site, from).await;
    let end = usize::try_from((index + 1 - from) * 48).unwrap();
    let proof = RevocationProof {
        index,
        to: index + 1,
        leaves: Opaque(whole.leaves.0[..end].to_vec()),
        entries: whole.entries.iter().filter(|row| row.index <= index).cloned().collect(),
        ..whole.clone()
    };
    says_revoked(&patient.relay, Some(proof.to_canonical()));
    is_not_believed(&mut patient, "somebody else's").await;
    let report = synced(&mut nurse).await;
    assert!(
        names(&report).contains(&"revoked"),
        "the nurse's own device believes the same entry: {report:?}"
    );
    assert!(nurse.client.order().unwrap().severed);

    // A true one under a head that too few witnesses signed is no reason either.
    let from = patient.client.membership().unwrap().size();
    let done = site.coordinator.client.revoke(patient.device(), RevokePolicy::Sever, "stolen").await;
    assert!(done.unwrap().is_done());
    let proof = proof_of_last(&mut site, from).await;
    let text = String::from_utf8(proof.note.0.clone()).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("witness")).collect();
    let bare = RevocationProof { note: Opaque((kept.join("\n") + "\n").into_bytes()), ..proof };
    says_revoked(&patient.relay, Some(bare.to_canonical()));
    let report = synced(&mut patient).await;
    assert!(names(&report).contains(&"revocation-not-proved"), "{report:?}");
    assert!(patient.client.chart(chart).is_ok());
    patient.relay.heal();
    let report = synced(&mut patient).await;
    assert!(names(&report).contains(&"revoked"), "{report:?}");
    assert_eq!(patient.client.chart(chart).err(), Some(ClientError::Severed), "the true proof is believed");
}

#[tokio::test]
async fn rt_14_a_server_that_lets_a_revoked_device_go_on_is_not_believed_either() {
    for (seed, policy) in [(1_451, RevokePolicy::Salvage), (1_452, RevokePolicy::Sever)] {
        let (mut site, mut nurse, mut patient) = site_with_nurse(seed).await;
        let chart = patient.chart();
        let from = patient.client.membership().unwrap().size();
        let done = site.coordinator.client.revoke(patient.device(), policy, "lost").await;
        assert!(done.unwrap().is_done());
        let whole = proof_of_last(&mut site, from).await;
        // The device is refused nothing of the log, as if nothing had happened.
        patient.relay.after(move |request, response| {
            let body = if request.path == paths::MLOG_CHECKPOINT {
                whole.note.0.clone()
            } else if request.path == paths::HAVE_OF_MANY {
                let mlog = Some(whole.note.clone());
                HaveOfManyAnswer { same: Vec::new(), mlog, olog: None }.to_canonical()
            } else if request.path.starts_with(paths::MLOG_LEAVES) {
                whole.leaves.0.clone()
            } else if request.path.starts_with(paths::MLOG_ENTRIES) {
                whole.entries.to_canonical()
            } else {
                return;
            };
            (response.status, response.body) = (200, body);
        });
        patient.client.capture(chart, note("after the revocation")).await.unwrap();
        let report = synced(&mut patient).await;
        assert!(names(&report).contains(&"revoked"), "{report:?}");
        let severed = policy == RevokePolicy::Sever;
        assert_eq!(report.handed_over, u64::from(!severed), "{report:?}");
        assert_eq!(patient.client.order().unwrap().severed, severed);
        assert_eq!(patient.client.chart(chart).is_err(), severed);
        nurse.sync().await;
        assert_eq!(nurse.client.waiting_drops(chart).unwrap().len(), usize::from(!severed));
    }
}

/// The drops that a device handed over, as they left it.
fn handed_over(device: &TestDevice) -> Vec<DropEnvelope> {
    let passed = device.relay.record();
    let posts =
        passed.iter().filter(|one| one.request.method == HttpMethod::Post && one.request.path == paths::DROP);
    posts
        .flat_map(|one| DropBatch::from_canonical(&one.request.body).unwrap())
        .map(|one| DropEnvelope::from_canonical(&one.0).unwrap())
        .collect()
}

async fn salvaged(site: &mut Site, patient: &mut TestDevice, text: &str) -> EntryId {
    let chart = patient.chart();
    patient.relay.set_offline(true);
    let entry = patient.client.capture(chart, note(text)).await.unwrap();
    let done = site.coordinator.client.revoke(patient.device(), RevokePolicy::Salvage, "lost").await;
    assert!(done.unwrap().is_done());
    patient.relay.set_offline(false);
    entry
}

#[tokio::test]
async fn rt_01_nothing_is_handed_over_to_a_device_that_the_server_names() {
    let (mut site, nurse, mut patient) = site_with_nurse(141).await;
    let staff = ghost(&site, nurse.person(), Role::Clinician, 3);
    let entry =
        unsigned(&site, site.root_policy.site.into(), &MlogBody::DeviceCert(Box::new(staff.cert.clone())));
    let entry = entry.sign_as_device(staff.device, &staff.keys.sign).unwrap();
    write_into_log(&mut site.server, &entry, None).await;
    patient.sync().await;
    salvaged(&mut site, &mut patient, "for the team only").await;
    // On the way every answer names the stranger's device where a device can be named at all.
    let (real, stranger) = (nurse.device(), staff.device);
    patient.relay.after(move |_, response| swap(&mut response.body, real, stranger));
    let report = synced(&mut patient).await;
    patient.relay.heal();
    let report = if report.handed_over == 1 { report } else { synced(&mut patient).await };
    assert_eq!(report.handed_over, 1, "{report:?}");
    let mut expected = vec![nurse.device(), site.coordinator.device()];
    expected.sort();
    let drops = handed_over(&patient);
    assert!(!drops.is_empty());
    for dropped in drops {
        assert_eq!(dropped.wraps.iter().map(|wrap| wrap.device).collect::<Vec<_>>(), expected);
    }
}

fn swap(bytes: &mut [u8], from: DeviceId, to: DeviceId) {
    let Some(at) = bytes.windows(16).position(|window| window == from.as_bytes()) else { return };
    bytes[at..at + 16].copy_from_slice(to.as_bytes());
}

/// Changes every page of drops on its way to a device.
fn change_drops(relay: &Relay, mut change: impl FnMut(&mut DropPage) + Send + 'static) {
    relay.after(move |request, response| {
        if request.method == HttpMethod::Get
            && request.path.starts_with(paths::DROP)
            && response.status == 200
        {
            let mut page = DropPage::from_canonical(&response.body).unwrap();
            change(&mut page);
            response.body = page.to_canonical();
        }
    });
}

#[tokio::test]
async fn rt_15_a_repeated_drop_is_adopted_once() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1_541).await;
    let chart = patient.chart();
    let entry = salvaged(&mut site, &mut patient, "once").await;
    synced(&mut patient).await;
    nurse.sync().await;
    let kept = {
        let passed = nurse.relay.record();
        let listed = passed.iter().rev().find(|one| one.request.path == paths::DROP).unwrap();
        DropPage::from_canonical(&listed.response.as_ref().unwrap().body).unwrap()
    };
    assert_eq!(kept.rows.len(), 1);
    nurse.client.adopt(chart, entry).await.unwrap();
    nurse.sync().await;
    for device in [&mut nurse, &mut site.coordinator] {
        let replayed = kept.clone();
        change_drops(&device.relay, move |page| *page = replayed.clone());
        for _ in 0..3 {
            // A device that was just unlocked lists everything; one that goes on refuses a repeat at once.
            device.restart().await;
            let report = synced(device).await;
            assert_eq!((report.drops_waiting, report.is_complete()), (0, true), "{report:?}");
        }
        assert_eq!(
            device.client.adopt(chart, entry).await.err(),
            Some(ClientError::Unknown("the entry that waits for adoption"))
        );
        assert_eq!(texts(device, chart), ["first", "once"]);
        let report = synced(device).await;
        assert_eq!((names(&report), report.drops_waiting), (vec!["failed"], 0), "{report:?}");
        device.relay.heal();
    }
    // The sender's request, repeated by somebody on the way, is refused or changes nothing.
    let passed = patient.relay.record();
    let posts: Vec<_> = passed
        .iter()
        .filter(|one| {
            one.request.path == paths::DROP && one.response.as_ref().is_some_and(|r| r.status == 204)
        })
        .collect();
    for one in posts {
        let again = site.server.transport.request(
            "POST",
            paths::DROP,
            one.request.headers.clone(),
            one.request.body.clone(),
        );
        let again = again.await.unwrap();
        assert_eq!(Problem::from_json(&again.body).unwrap().code.known(), Some(ErrorCode::ProofReplayed));
    }
}

#[tokio::test]
async fn rt_10_a_drop_that_was_altered_or_moved_to_another_chart_is_nobodys() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1_041).await;
    let other = site.patient("bob").await;
    nurse.sync().await;
    let (chart, other_chart) = (patient.chart(), other.chart());
    let entry = salvaged(&mut site, &mut patient, "only here").await;
    synced(&mut patient).await;
    type Change = fn(&mut DropEnvelopeFields, DeviceId, ward_id::ChartId);
    let changes: [(&str, Change); 5] = [
        ("another chart", |fields, _, chart| fields.chart = chart),
        ("another author", |fields, device, _| fields.device = device),
        ("another entry", |fields, _, _| fields.entry_id = EntryId::from_bytes([9; 32])),
        ("other content", |fields, _, _| fields.wraps.iter_mut().for_each(|wrap| wrap.ct[40] ^= 1)),
        ("fewer recipients", |fields, _, _| {
            fields.wraps.pop();
        }),
    ];
    for (what, change) in changes {
        let (device, to) = (other.device(), other_chart);
        change_drops(&nurse.relay, move |page| {
            for row in &mut page.rows {
                let mut fields = (*DropEnvelope::from_canonical(&row.dropped.0).unwrap()).clone();
                change(&mut fields, device, to);
                row.dropped = Opaque(DropEnvelope::new(fields).unwrap().to_canonical());
            }
        });
        let report = synced(&mut nurse).await;
        assert_eq!((names(&report), report.drops_waiting), (vec!["bad-drop"], 0), "{what}: {report:?}");
        assert_eq!(nurse.client.waiting_drops(chart).unwrap().len(), 0, "{what}");
        assert_eq!(nurse.client.waiting_drops(other_chart).unwrap().len(), 0, "{what}");
        nurse.relay.heal();
    }
    let report = synced(&mut nurse).await;
    assert_eq!((report.drops_waiting, report.is_complete()), (1, true), "{report:?}");
    nurse.client.adopt(chart, entry).await.unwrap();
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "only here"]);
}

#[tokio::test]
async fn rt_16_a_server_that_withholds_drops_hides_nothing_from_their_author() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1_641).await;
    let chart = patient.chart();
    let entry = salvaged(&mut site, &mut patient, "withheld").await;
    let own = |patient: &TestDevice| {
        let status = patient.client.status().unwrap();
        status
            .charts
            .iter()
            .flat_map(|chart| &chart.entries)
            .find(|known| known.entry == entry)
            .unwrap()
            .state
    };
    // The server says that it took the drop, and lost it.
    patient.relay.before(|request| {
        if request.path == paths::DROP {
            request.body = DropBatch::new().to_canonical();
        }
        true
    });
    patient.relay.after(|request, response| {
        if request.path == paths::DROP {
            response.status = 204;
            response.body.clear();
        }
    });
    assert_eq!(synced(&mut patient).await.handed_over, 1);
    assert_eq!(own(&patient), DeliveryState::HandedOver, "never received, never opened");
    nurse.sync().await;
    assert!(nurse.client.waiting_drops(chart).unwrap().is_empty());
    // It shows the drop to nobody for a day; then the phone hands it over once more by itself.
    patient.relay.heal();
    assert_eq!(synced(&mut patient).await.handed_over, 0, "not at every sync");
    nurse.sync().await;
    assert!(nurse.client.waiting_drops(chart).unwrap().is_empty());
    site.clock.advance_days(1);
    synced(&mut patient).await;
    nurse.sync().await;
    assert_eq!(nurse.client.waiting_drops(chart).unwrap().len(), 1);
    nurse.client.adopt(chart, entry).await.unwrap();
    nurse.sync().await;
    assert_eq!(texts(&nurse, chart), ["first", "withheld"]);
    assert_eq!(own(&patient), DeliveryState::HandedOver, "a revoked phone learns nothing more, and says so");
}
