//! Rows 11 and 12: a store that was set back, and one that runs twice.

use crate::reopened::lead;
use crate::scene::{capture, each_once, incidents, names, replica, site_with, synced, texts, until_quiet};
use ward_api::{EnvelopePage, HaveAnswer, Opaque, ReconcileAnswer};
use ward_client::DeviceState;
use ward_crypto::Envelope;
use ward_id::{Canonical as _, ChartId, DeviceId, EntryId, Head, VersionVector};
use ward_sync::{ChainDifference, ForkProof, IncidentKind, RevokePolicy};
use ward_testkit::{TestDevice, WitnessMemories};

/// Entries that are carried on, with the time that their author claimed and the time of the carry.
fn carried(device: &TestDevice, chart: ChartId) -> Vec<(String, i64, i64)> {
    let view = device.client.chart(chart).unwrap();
    let notes = view.notes().iter().flat_map(|thread| &thread.current);
    let mut out: Vec<(String, i64, i64)> = notes
        .filter_map(|written| {
            let carrier = written.carried_by?;
            let outer = view.timeline().iter().find(|item| item.entry.id() == carrier).unwrap();
            let times = (written.entry.body().captured_at, outer.entry.body().captured_at);
            Some((written.value.text.clone(), times.0.0, times.1.0))
        })
        .collect();
    out.sort();
    out
}

async fn cloned(seed: u64, staff: usize, days_offline: i64) {
    let (mut site, mut phone, mut others) = site_with(seed, staff).await;
    let chart = phone.chart();
    capture(&mut phone, chart, &["before the copy"]).await;
    phone.sync().await;
    let mut copy = phone.cloned().await;
    capture(&mut phone, chart, &["on the phone 1", "on the phone 2"]).await;
    capture(&mut copy, chart, &["on the copy 1", "on the copy 2", "on the copy 3"]).await;
    let kept: Vec<_> = {
        let view = copy.client.chart(chart).unwrap();
        view.timeline().iter().map(|item| item.entry.id()).collect()
    };
    let written_at = site.clock.now();
    site.clock.advance_days(days_offline);
    synced(&mut phone).await;
    let report = synced(&mut copy).await;
    assert!(names(&report).contains(&"own-fork"), "detected at the first push: {report:?}");
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut phone, &mut copy]).collect();
    until_quiet(&mut everybody, 6).await;
    let expected = [
        "before the copy",
        "on the copy 1",
        "on the copy 2",
        "on the copy 3",
        "on the phone 1",
        "on the phone 2",
    ];
    let shown: Vec<_> = everybody.iter().map(|device| replica(device, chart)).collect();
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]), "replicas are equal");
    for device in &everybody {
        assert_eq!(texts(device, chart), expected, "both sets are kept");
        let view = device.client.chart(chart).unwrap();
        assert!(
            kept.iter().all(|entry| view.place(*entry).is_some()),
            "under the names that they were saved by"
        );
        let on_copy = carried(device, chart);
        assert_eq!(on_copy.len(), 3, "{on_copy:?}");
        for (_, first, outer) in on_copy {
            assert!(
                first <= written_at.0 && outer - first >= days_offline * 86_400_000,
                "both times are shown"
            );
        }
        assert_eq!(incidents(device, chart, IncidentKind::Fork).len(), 1);
        each_once(device, chart);
        // What an auditor takes from any replica.
        let key = device.client.membership().unwrap().device(chart, phone_id(&view)).unwrap();
        let proof = view
            .incidents()
            .iter()
            .flat_map(|thread| &thread.current)
            .find_map(|written| ForkProof::from_canonical(written.value.evidence.as_deref()?).ok());
        let proof = proof.expect("the incident holds the proof");
        proof.verify(&key.cert().binding.sign_pk).unwrap();
        assert_eq!(proof.seq(), 2, "the first place after the copy was made");
    }
    drop(everybody);
    let proofs = copy.client.fork_proofs(chart).await.unwrap();
    assert_eq!(proofs.len(), 1, "kept whole where it was found");
    copy.restart().await;
    assert_eq!(copy.client.fork_proofs(chart).await.unwrap(), proofs);
    assert_eq!(texts(&copy, chart), expected);
}

/// The device that the fork is about.
fn phone_id(view: &ward_sync::ChartView<'_>) -> ward_id::DeviceId {
    view.incidents()[0].current[0].value.device.unwrap()
}

#[tokio::test]
async fn fault_12_two_copies_of_one_store_are_both_kept_and_the_fork_is_proved() {
    cloned(1201, 0, 0).await;
    cloned(1202, 4, 30).await;
}

/// Whatever a device wrote comes with another signature, in every page.
fn spoil_entries_of(author: DeviceId, reader: &TestDevice) {
    reader.relay.after(move |request, answer| {
        if !request.path.contains("/envelopes?") || answer.status != 200 {
            return;
        }
        let mut page = EnvelopePage::from_canonical(&answer.body).unwrap();
        for row in &mut page.rows {
            let mut bytes = row.envelope.0.clone();
            if Envelope::from_canonical(&bytes).unwrap().header().device == author {
                *bytes.last_mut().unwrap() ^= 1;
                row.envelope = Opaque(bytes);
            }
        }
        answer.body = page.to_canonical();
    });
}

#[tokio::test]
async fn fault_12_a_copy_is_mended_though_what_somebody_else_sent_never_opens() {
    let (mut site, mut phone, _) = site_with(1203, 0).await;
    let chart = phone.chart();
    capture(&mut phone, chart, &["before the copy"]).await;
    phone.sync().await;
    let mut copy = phone.cloned().await;
    capture(&mut site.coordinator, chart, &["from the site 1", "from the site 2"]).await;
    site.coordinator.sync().await;
    capture(&mut phone, chart, &["on the phone"]).await;
    phone.sync().await;
    spoil_entries_of(site.coordinator.device(), &copy);
    capture(&mut copy, chart, &["on the copy"]).await;
    copy.relay.clear_record();
    for _ in 0..20 {
        let report = synced(&mut copy).await;
        assert!(names(&report).contains(&"bad-envelope"), "it is said each time: {report:?}");
    }
    assert_eq!(copy.client.status().unwrap().saved_here, 0, "all of the copy reached the server");
    let single = copy.relay.record().into_iter().filter(|one| one.request.path.ends_with("limit_bytes=1"));
    let (single, bad) = (single.count(), copy.client.unchecked().unwrap().unopened as usize);
    assert!(bad >= 2 && single <= 6 * bad, "{bad} are asked for more and more seldom, {single} times");
    phone.sync().await;
    assert!(texts(&phone, chart).contains(&"on the copy".to_owned()));
}

async fn set_back(seed: u64, staff: usize, days_offline: i64) {
    let (mut site, mut phone, mut others) = site_with(seed, staff).await;
    let chart = phone.chart();
    capture(&mut phone, chart, &["sent before"]).await;
    phone.sync().await;
    capture(&mut phone, chart, &["waits in the backup"]).await;
    let backup = phone.rows.snapshot();
    let written_at = site.clock.now();
    // After the backup: one entry that nobody but this store ever held.
    site.clock.advance_days(days_offline);
    capture(&mut phone, chart, &["only in the lost store"]).await;
    phone.restart_with(&backup).await;
    assert_eq!(phone.client.state(), DeviceState::SetBack, "detected");
    let report = synced(&mut phone).await;
    assert!(names(&report).contains(&"local-rollback"), "{report:?}");
    capture(&mut phone, chart, &["later"]).await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut phone]).collect();
    until_quiet(&mut everybody, 6).await;
    let shown: Vec<_> = everybody.iter().map(|device| replica(device, chart)).collect();
    assert!(shown.windows(2).all(|pair| pair[0] == pair[1]));
    for device in &everybody {
        assert_eq!(texts(device, chart), ["later", "sent before", "waits in the backup"]);
        let again = carried(device, chart);
        assert_eq!(again.len(), 1);
        assert!(again[0].1 <= written_at.0 && again[0].2 - again[0].1 >= days_offline * 86_400_000);
        assert_eq!(incidents(device, chart, IncidentKind::LocalRollback).len(), 1, "and written down");
        // The new life names where the old one had got to, so that what is gone is not hidden.
        let view = device.client.chart(chart).unwrap();
        let opened = view.incarnations().iter().flat_map(|thread| &thread.current);
        let ends: Vec<u64> = opened.map(|written| written.value.old_seq).collect();
        assert_eq!(ends, [3], "three entries were made in the old life");
    }
}

#[tokio::test]
async fn fault_11_a_store_set_back_is_detected_and_nothing_is_silently_dropped() {
    set_back(1101, 0, 0).await;
    set_back(1102, 4, 30).await;
}

/// A server that only claims a fork proves nothing, and is found out in few questions.
#[tokio::test]
async fn fault_12_a_place_that_differs_is_found_in_few_rounds_and_a_claim_alone_proves_nothing() {
    let (_site, mut phone, mut others) = site_with(1230, 1).await;
    let chart = phone.chart();
    for number in 0..40 {
        capture(&mut phone, chart, &[&format!("{number}")]).await;
    }
    phone.sync().await;
    synced(&mut others[0]).await;
    let life = {
        let view = others[0].client.chart(chart).unwrap();
        view.timeline()
            .iter()
            .find(|item| item.entry.frame().device == phone.device())
            .unwrap()
            .entry
            .frame()
            .incarnation
    };
    let reader = &mut others[0];
    assert_eq!(
        reader.client.reconcile_chain(chart, phone.device(), life).await.unwrap(),
        ChainDifference::Equal
    );
    // From here on the server tells of other entries from place 23 on, and delivers none.
    let fake = |seq: u64| EntryId::from_bytes([u8::try_from(seq).unwrap(); 32]);
    let device = phone.device();
    reader.relay.after(move |request, answer| {
        if answer.status != 200 {
            return;
        }
        if request.path.ends_with("/have") {
            let mut heads = VersionVector::new();
            heads.observe(device, life, Head { seq: 40, entry: fake(40) }).unwrap();
            answer.body = HaveAnswer { heads: Some(heads), wanted: Vec::new() }.to_canonical();
        }
        if request.path.ends_with("/reconcile") {
            let mut told = ReconcileAnswer::from_canonical(&answer.body).unwrap();
            told.head = Some(Head { seq: 40, entry: fake(40) });
            for placed in told.entries.iter_mut().filter(|placed| placed.seq >= 23) {
                placed.entry = fake(placed.seq);
            }
            answer.body = told.to_canonical();
        }
    });
    reader.relay.clear_record();
    let found = reader.client.reconcile_chain(chart, device, life).await.unwrap();
    assert_eq!(found, ChainDifference::Forked { seq: 23, theirs: fake(23) });
    let asked = |reader: &TestDevice| {
        reader.relay.record().iter().filter(|one| one.request.path.ends_with("/reconcile")).count()
    };
    assert!(asked(reader) <= 3, "{} rounds for 40 places", asked(reader));
    let report = synced(reader).await;
    assert!(names(&report).contains(&"device-fork"), "{report:?}");
    assert!(incidents(reader, chart, IncidentKind::Fork).is_empty(), "nobody signed two entries");
    assert!(reader.client.fork_proofs(chart).await.unwrap().is_empty());
    reader.relay.heal();
    synced(reader).await;
    assert!(synced(reader).await.is_complete());
}

#[tokio::test]
async fn a_person_who_enrolled_anew_closes_the_chain_of_the_device_that_was_lost() {
    let (mut site, mut old, mut others) = site_with(1240, 1).await;
    let (chart, person, device) = (old.chart(), old.person(), old.device());
    capture(&mut old, chart, &["on the old phone"]).await;
    old.sync().await;
    for reader in others.iter_mut().chain([&mut site.coordinator]) {
        synced(reader).await;
        synced(reader).await;
    }
    site.coordinator.client.revoke(device, RevokePolicy::Salvage, "evicted").await.unwrap();
    let mut new = site.device("the new phone").await;
    site.enrol_patient(&mut new, chart, person).await;
    let mut everybody: Vec<&mut TestDevice> =
        others.iter_mut().chain([&mut site.coordinator, &mut new]).collect();
    until_quiet(&mut everybody, 6).await;
    for reader in &everybody {
        let view = reader.client.chart(chart).unwrap();
        let closed = view.closed_chains();
        let ends: Vec<_> =
            closed.iter().filter(|((of, _), _)| *of == device).map(|(_, end)| end.seq).collect();
        assert_eq!(ends, [1], "closed at its last entry");
        let by = view.closures().iter().flat_map(|thread| &thread.current).map(|one| one.author.device);
        assert_eq!(by.collect::<Vec<_>>(), [everybody.last().unwrap().device()], "once, by its owner");
        assert_eq!(texts(reader, chart), ["on the old phone"]);
        assert!(reader.client.status().unwrap().crowded_charts.is_empty());
    }
}

/// The server was set back unseen and lost what the phone had sent; the phone is lost too. The copy has
/// fetched it, and has written at the same place since: it leaves that place to the phone's, which it can
/// give back only there.
#[tokio::test]
async fn fault_12_a_copy_gives_back_what_the_other_machine_wrote_before_it_sends_its_own() {
    let (mut site, mut phone, _) = site_with(1204, 0).await;
    let chart = phone.chart();
    capture(&mut phone, chart, &["before the copy"]).await;
    synced(&mut phone).await;
    for device in [&mut site.coordinator, &mut phone] {
        synced(device).await;
    }
    let mut copy = phone.cloned().await;
    let backup = site.server.store.snapshot().unwrap();
    capture(&mut phone, chart, &["on the phone 1", "on the phone 2"]).await;
    assert!(synced(&mut phone).await.pushed >= 2);
    // Fetched without asking for a head, so that no witness knows of it.
    copy.relay.heads_apart();
    copy.relay.before(|request| request.path != ward_api::paths::OLOG_CHECKPOINT);
    synced(&mut copy).await;
    assert_eq!(texts(&copy, chart), ["before the copy", "on the phone 1", "on the phone 2"]);
    copy.relay.heal();
    drop(phone);
    let back = site.server.started_on(backup, WitnessMemories::Kept).await.expect("no witness knows more");
    lead(&back, [&mut site.coordinator, &mut copy]);
    lead(&back, &mut site.admins);
    capture(&mut copy, chart, &["on the copy"]).await;
    let report = synced(&mut copy).await;
    assert!(names(&report).contains(&"own-fork"), "{report:?}");
    until_quiet(&mut [&mut site.coordinator, &mut copy], 8).await;
    for device in [&site.coordinator, &copy] {
        let all = ["before the copy", "on the copy", "on the phone 1", "on the phone 2"];
        assert_eq!(texts(device, chart), all, "nothing is lost with the phone");
        each_once(device, chart);
    }
}
