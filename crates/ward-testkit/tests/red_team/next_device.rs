//! A participant's further device takes the signature of the site and of a device that the
//! participant has. Whoever holds one of both, or the server, gets no further.

use crate::caller::{Caller, code};
use crate::loot::loot;
use crate::scene::{counts, ghost, note, site_with_nurse, texts, unsigned};
use ward_api::headers::MEDIA_CBOR;
use ward_api::{
    ErrorCode, MlogAccepted, MlogSubmission, Opaque, Proposal, ProposalSubmission, TicketState, paths,
};
use ward_client::{Certified, ClientError, Comparison, DeviceAnswer};
use ward_crypto::Role;
use ward_id::{Canonical as _, MlogEntryHash, PersonId};
use ward_store::{MlogStore as _, ProposalStore as _};
use ward_sync::{MlogBody, MlogEntry, RevokePolicy, SpaceMember, Team};
use ward_testkit::{Site, TestDevice};

fn submission(entry: &MlogEntry) -> Vec<u8> {
    MlogSubmission { entry: Opaque(entry.to_canonical()), package: None, place: None }.to_canonical()
}

fn proposal(entry: &MlogEntry) -> Vec<u8> {
    ProposalSubmission { entry: Opaque(entry.to_canonical()) }.to_canonical()
}

/// The site's half of a certificate for a new device of this participant.
async fn half_signed(site: &mut Site, device: &mut TestDevice, phone: &TestDevice) -> MlogEntryHash {
    let (done, _) = site.certify_patient(device, phone.chart(), phone.person()).await;
    let Certified::Proposed(entry) = done else { panic!("the participant signs too: {done:?}") };
    entry
}

#[tokio::test]
async fn rt_01_a_participants_next_device_takes_the_signature_of_the_one_they_have() {
    let (mut site, mut nurse, mut phone) = site_with_nurse(111).await;
    let chart = phone.chart();
    let mut tablet = site.device("tablet").await;
    let (done, words) = site.certify_patient(&mut tablet, chart, phone.person()).await;
    let Certified::Proposed(entry) = done else { panic!("a coordinator alone adds nobody: {done:?}") };
    assert!(matches!(tablet.client.enrol_finish().await.unwrap(), ward_client::EnrolOutcome::Waiting));
    // What waits is signed with the comparison of words, and in no other way.
    assert!(matches!(phone.client.cosign(entry).await, Err(ClientError::NotAllowed(_))));
    assert!(matches!(nurse.client.waiting_devices().await, Err(ClientError::NotAllowed(_))));
    let waiting = phone.client.waiting_devices().await.unwrap();
    let [shown] = waiting.as_slice() else { panic!("one device waits: {waiting:?}") };
    assert_eq!((shown.entry, shown.words), (entry, words));
    assert_eq!((shown.issued_by, shown.issuer_role), (site.coordinator.person(), Role::Coordinator));
    let answer = phone.client.answer_device(entry, Comparison::Same).await.unwrap();
    assert_eq!(answer, DeviceAnswer::Certified(shown.device));
    assert!(phone.client.waiting_devices().await.unwrap().is_empty());
    tablet.finish().await;
    assert_eq!(tablet.device(), shown.device);
    for device in [&mut site.coordinator, &mut phone, &mut tablet] {
        device.sync().await;
    }
    let tickets = site.coordinator.client.tickets().await.unwrap();
    assert!(tickets.iter().all(|row| row.state == TicketState::Certified), "{tickets:?}");

    // Both devices write, and everybody reads both; the new one reads what was there before.
    for (device, text) in [(&mut phone, "from the phone"), (&mut tablet, "from the tablet")] {
        device.client.capture(chart, note(text)).await.unwrap();
        device.sync().await;
    }
    for device in [&mut phone, &mut tablet, &mut nurse] {
        device.sync().await;
        assert_eq!(texts(device, chart), ["first", "from the phone", "from the tablet"]);
    }
    // Each may take the other one out, as its person's own.
    tablet.client.revoke(phone.device(), RevokePolicy::Salvage, "sold").await.unwrap();
    tablet.sync().await;
    assert!(!counts(&tablet, chart, phone.device()) && counts(&tablet, chart, tablet.device()));
}

#[tokio::test]
async fn rt_01_words_that_differ_end_the_request_and_nothing_is_certified() {
    let (mut site, _nurse, mut phone) = site_with_nurse(112).await;
    let size = site.server.store.mlog_size().await.unwrap();
    // Somebody else used the ticket, and the coordinator compared with somebody else's screen.
    let mut strangers = site.device("stranger").await;
    let entry = half_signed(&mut site, &mut strangers, &phone).await;
    let answer = phone.client.answer_device(entry, Comparison::Different).await.unwrap();
    assert!(matches!(answer, DeviceAnswer::Declined(_)));
    assert!(phone.client.waiting_devices().await.unwrap().is_empty());
    assert!(site.coordinator.client.proposals().await.unwrap().is_empty());
    let again = phone.client.answer_device(entry, Comparison::Same).await;
    assert!(matches!(again, Err(ClientError::Unknown(_))), "{again:?}");
    assert_eq!(site.server.store.mlog_size().await.unwrap(), size);
    phone.sync().await;
}

#[tokio::test]
async fn rt_01_a_phone_signs_for_its_own_person_and_for_nothing_else() {
    let (mut site, mut nurse, mut phone) = site_with_nurse(113).await;
    let mut other = site.patient("bob").await;
    phone.sync().await;
    site.coordinator.sync().await;
    let chart = phone.chart();
    let (hers, keys) = (loot(&site.coordinator).await.keys, loot(&phone).await);
    let by = |entry: MlogEntry| entry.sign_as_device(site.coordinator.device(), &hers.sign).unwrap();
    let cert =
        |person: PersonId, role, seed| MlogBody::DeviceCert(Box::new(ghost(&site, person, role, seed).cert));
    let of_another = unsigned(&site, other.chart().into(), &cert(other.person(), Role::Patient, 1));
    let moved = unsigned(&site, other.chart().into(), &cert(phone.person(), Role::Patient, 2));
    let foreign = unsigned(&site, chart.into(), &cert(other.person(), Role::Patient, 3));
    let staff = unsigned(&site, site.root_policy.site.into(), &cert(phone.person(), Role::Clinician, 4));
    let member = MlogBody::SpaceMember(SpaceMember { chart, person: other.person(), add: true });
    let member = unsigned(&site, chart.into(), &member);
    let team = MlogBody::Team(Team { team: site.team, persons: vec![] });
    let team = unsigned(&site, site.root_policy.site.into(), &team);
    // The coordinator did not sign this one; the server says so.
    let forged = unsigned(&site, chart.into(), &cert(phone.person(), Role::Patient, 5));
    let copied = by(team.clone()).signatures()[0].signature;
    let forged = forged.add_signature(site.coordinator.device().into(), copied).unwrap();
    let wrong = [of_another, moved, foreign, staff, member, team];
    let size = site.server.store.mlog_size().await.unwrap();
    let mut thief = Caller::with(&keys, &site.server.transport, &site.clock).await;
    assert!(thief.is_logged_in());
    for (number, plain) in wrong.iter().enumerate() {
        let own = plain.clone().sign_as_device(phone.device(), &keys.keys.sign).unwrap();
        let refused = thief.call("POST", paths::MLOG_PROPOSALS, Some(MEDIA_CBOR), proposal(&own)).await;
        assert_eq!(code(&refused), Some(ErrorCode::RoleNotAllowed), "{number}");
        let refused = thief.call("POST", paths::MLOG_ENTRIES, Some(MEDIA_CBOR), submission(&own)).await;
        assert!(refused.status == 403 || refused.status == 422 || refused.status == 409, "{number}");
        assert!(code(&refused).is_some(), "{number}");
        // With the coordinator's signature as well, the phone's is one too many.
        let both = by(own);
        let refused = thief.call("POST", paths::MLOG_ENTRIES, Some(MEDIA_CBOR), submission(&both)).await;
        assert!(code(&refused).is_some(), "{number}: {}", refused.status);
    }
    // Alone it certifies nobody of its own person either.
    let alone = unsigned(&site, chart.into(), &cert(phone.person(), Role::Patient, 6));
    let alone = alone.sign_as_device(phone.device(), &keys.keys.sign).unwrap();
    let refused = thief.call("POST", paths::MLOG_ENTRIES, Some(MEDIA_CBOR), submission(&alone)).await;
    assert!(code(&refused).is_some());
    assert_eq!(site.server.store.mlog_size().await.unwrap(), size, "nothing of it came into the log");

    // It is shown none of them; a server that shows it all of them gets no signature.
    let halves: Vec<MlogEntry> = wrong.into_iter().map(by).chain([forged]).collect();
    for half in &halves {
        let stored = ward_store::StoredProposal {
            hash: half.hash(),
            subject: half.subject(),
            proposer: site.coordinator.device(),
            received_at: site.clock.now(),
            bytes: half.to_canonical(),
        };
        site.server.store.add_proposal(stored).await.unwrap();
    }
    let listed = thief.call("GET", paths::MLOG_PROPOSALS, None, Vec::new()).await;
    let listed: Vec<Proposal> = Vec::from_canonical(&listed.body).unwrap();
    let forged = halves.last().unwrap().hash();
    assert_eq!(listed.iter().map(|row| row.hash).collect::<Vec<_>>(), [forged], "its own person's");
    for half in &halves[..halves.len() - 1] {
        let refused = thief.call("DELETE", &paths::mlog_proposal(half.hash()), None, Vec::new()).await;
        assert_eq!(code(&refused), Some(ErrorCode::ProposalUnknown));
    }
    let rows: Vec<Proposal> = halves
        .iter()
        .map(|half| Proposal {
            hash: half.hash(),
            entry: Opaque(half.to_canonical()),
            proposer: site.coordinator.device(),
            received_at: site.clock.now(),
        })
        .collect();
    let all = rows.to_canonical();
    phone.relay.after(move |request, response| {
        if request.path.starts_with(paths::MLOG_PROPOSALS) {
            response.status = 200;
            response.body = all.clone();
        }
    });
    assert_eq!(phone.client.waiting_devices().await.unwrap(), []);
    for half in &halves {
        let refused = phone.client.answer_device(half.hash(), Comparison::Same).await;
        assert!(matches!(refused, Err(ClientError::Unknown(_))), "{refused:?}");
    }
    phone.relay.heal();
    for device in [&mut phone, &mut nurse, &mut other] {
        device.sync().await;
    }
    assert_eq!(site.server.store.mlog_size().await.unwrap(), size);
}

#[tokio::test]
async fn rt_22_a_revoked_first_device_signs_for_nobody() {
    let (mut site, mut nurse, mut phone) = site_with_nurse(2_211).await;
    let chart = phone.chart();
    let mut tablet = site.device("tablet").await;
    site.enrol_next_of_patient(&mut tablet, &mut phone).await;
    for device in [&mut site.coordinator, &mut nurse, &mut phone, &mut tablet] {
        device.sync().await;
    }
    let stolen = loot(&phone).await;
    tablet.client.revoke(phone.device(), RevokePolicy::Salvage, "stolen").await.unwrap();
    tablet.sync().await;
    // The thief has the phone's keys and the site's half for a device of his own.
    let mut thiefs = site.device("thief's").await;
    site.coordinator.sync().await;
    let entry = half_signed(&mut site, &mut thiefs, &tablet).await;
    let waiting = site.server.store.proposals().await.unwrap();
    let half = MlogEntry::read(&waiting.iter().find(|row| row.hash == entry).unwrap().bytes).unwrap();
    let MlogBody::DeviceCert(cert) = half.decode_body().unwrap() else { panic!("a certificate") };
    let half_device = cert.binding.device;
    let full = half.clone().sign_as_device(stolen.device, &stolen.keys.sign).unwrap();
    let mut thief = Caller::with(&stolen, &site.server.transport, &site.clock).await;
    assert!(!thief.is_logged_in(), "a revoked device gets no token");
    for (method, path, body) in [
        ("GET", paths::MLOG_PROPOSALS.to_owned(), vec![]),
        ("DELETE", paths::mlog_proposal(entry), vec![]),
        ("POST", paths::MLOG_ENTRIES.to_owned(), submission(&full)),
    ] {
        let media = (method == "POST").then_some(MEDIA_CBOR);
        assert_eq!(thief.call(method, &path, media, body).await.status, 401, "{method} {path}");
    }
    let size = site.server.store.mlog_size().await.unwrap();
    let hers = loot(&nurse).await;
    let mut helper = Caller::with(&hers, &site.server.transport, &site.clock).await;
    let refused = helper.call("POST", paths::MLOG_ENTRIES, Some(MEDIA_CBOR), submission(&full)).await;
    assert_eq!(code(&refused), Some(ErrorCode::SignerNotAuthorised), "whoever brings it");
    assert_eq!(site.server.store.mlog_size().await.unwrap(), size);
    // The participant's living device is asked, and says no.
    assert!(matches!(
        tablet.client.answer_device(entry, Comparison::Different).await.unwrap(),
        DeviceAnswer::Declined(_)
    ));
    for device in [&mut tablet, &mut nurse, &mut site.coordinator] {
        device.client.sync().await.unwrap();
        assert!(!counts(device, chart, stolen.device) && !counts(device, chart, half_device));
    }
}

#[tokio::test]
async fn rt_15_a_certificate_that_was_signed_is_signed_once() {
    let (mut site, mut nurse, mut phone) = site_with_nurse(1_511).await;
    let chart = phone.chart();
    let mut tablet = site.device("tablet").await;
    let entry = half_signed(&mut site, &mut tablet, &phone).await;
    let waiting = site.server.store.proposals().await.unwrap();
    let half = MlogEntry::read(&waiting.iter().find(|row| row.hash == entry).unwrap().bytes).unwrap();
    let keys = loot(&phone).await;
    let full = half.clone().sign_as_device(phone.device(), &keys.keys.sign).unwrap();
    phone.client.answer_device(entry, Comparison::Same).await.unwrap();
    tablet.finish().await;
    let mut caller = Caller::with(&keys, &site.server.transport, &site.clock).await;
    let size = site.server.store.mlog_size().await.unwrap();
    for _ in 0..2 {
        let again = caller.call("POST", paths::MLOG_ENTRIES, Some(MEDIA_CBOR), submission(&full)).await;
        let again = MlogAccepted::from_canonical(&again.body).unwrap();
        assert!(again.index < size, "it has its first place");
    }
    // Put up again, it asks nobody; nor does it after the device was taken out.
    let stored = ward_store::StoredProposal {
        hash: half.hash(),
        subject: half.subject(),
        proposer: site.coordinator.device(),
        received_at: site.clock.now(),
        bytes: half.to_canonical(),
    };
    site.server.store.add_proposal(stored).await.unwrap();
    assert_eq!(phone.client.waiting_devices().await.unwrap(), []);
    phone.client.revoke(tablet.device(), RevokePolicy::Salvage, "broken").await.unwrap();
    assert_eq!(phone.client.waiting_devices().await.unwrap(), []);
    let again = caller.call("POST", paths::MLOG_ENTRIES, Some(MEDIA_CBOR), submission(&full)).await;
    assert!(MlogAccepted::from_canonical(&again.body).unwrap().index < size);
    for device in [&mut site.coordinator, &mut nurse, &mut phone] {
        device.sync().await;
        assert!(!counts(device, chart, tablet.device()));
    }
}
