//! Row 39: a wipe that races with an upload, and the power that goes in the middle of it.

use crate::drop_scene::{names, note, revoke, site_with, synced, texts};
use ward_client::{ClientError, DeviceState, DraftKey, HttpMethod, OnlyHere, SyncProblem};
use ward_id::EntryId;
use ward_sync::RevokePolicy;
use ward_testkit::{Cut, Site, TestDevice};

const CANARY: &str = "canary-in-the-mine-39";

/// A revoked phone with an order to wipe waiting for it. Its last words are not written yet.
async fn ordered(seed: u64, policy: RevokePolicy) -> (Site, TestDevice) {
    let (mut site, _, mut patient) = site_with(seed, 0).await;
    let chart = patient.chart();
    patient.client.capture(chart, note(CANARY)).await.unwrap();
    patient.sync().await;
    patient.relay.set_offline(true);
    revoke(&mut site, &patient, policy).await;
    let done = site.coordinator.client.order_wipe(patient.device(), "found by a stranger").await.unwrap();
    assert!(done.is_done());
    patient.relay.set_offline(false);
    (site, patient)
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Whether staff can adopt the entry.
async fn is_handed_over(site: &mut Site, patient_chart: ward_id::ChartId, entry: EntryId) -> bool {
    synced(&mut site.coordinator).await;
    let waiting = site.coordinator.client.waiting_drops(patient_chart).unwrap();
    waiting.iter().any(|drop| drop.entry.id() == entry)
}

#[tokio::test]
async fn fault_39_what_is_unsent_is_handed_over_before_the_key_goes() {
    let (mut site, mut patient) = ordered(3_901, RevokePolicy::Salvage).await;
    let chart = patient.chart();
    let last = patient.client.capture(chart, note("the last words")).await.unwrap();
    // The drop box is not there: the wipe waits, and nothing is shown meanwhile.
    patient.relay.before(|request| request.path != ward_api::paths::DROP);
    let report = synced(&mut patient).await;
    assert!(!names(&report).contains(&"wiped") && !patient.key.is_destroyed(), "{report:?}");
    assert!(patient.client.order().unwrap().wipe);
    assert_eq!(patient.client.chart(chart).err(), Some(ClientError::Severed));
    patient.restart().await;
    assert_eq!(patient.client.chart(chart).err(), Some(ClientError::Severed), "also after a restart");
    patient.relay.heal();
    let report = synced(&mut patient).await;
    assert!(report.problems.contains(&SyncProblem::Wiped), "{report:?}");
    // With what the server has receipted, and no head that this phone verified covers yet.
    assert_eq!((report.handed_over, patient.client.state()), (2, DeviceState::New));
    assert!(patient.key.is_destroyed() && patient.rows.ids().is_empty());
    assert!(is_handed_over(&mut site, chart, last).await);
    site.coordinator.client.adopt(chart, last).await.unwrap();
    assert_eq!(texts(&site.coordinator, chart), [CANARY, "the last words"]);
    site.coordinator.sync().await;
    assert_eq!(
        site.coordinator.client.waiting_drops(chart).unwrap().len(),
        0,
        "what the chart has waits for nobody"
    );
}

#[tokio::test]
async fn fault_39_a_severed_phone_is_wiped_without_a_word() {
    let (mut site, mut patient) = ordered(3_902, RevokePolicy::Sever).await;
    let chart = patient.chart();
    let last = patient.client.capture(chart, note("by whoever holds it")).await.unwrap();
    let report = synced(&mut patient).await;
    assert!(report.problems.contains(&SyncProblem::Wiped), "{report:?}");
    assert_eq!(report.handed_over, 0);
    assert!(patient.key.is_destroyed() && patient.rows.ids().is_empty());
    assert!(!is_handed_over(&mut site, chart, last).await);
}

/// Carries a cut-off wipe to its end, as a person does who starts the app again and again.
async fn carried_to_its_end(patient: &mut TestDevice) {
    for _ in 0..6 {
        patient.rows.heal();
        patient.key.heal();
        match patient.try_restart().await {
            Ok(()) => {
                assert!(!patient.key.is_destroyed(), "what opens has its key");
                synced(patient).await;
            }
            Err(ClientError::NotEnrolled) => {}
            Err(error) => panic!("{error}"),
        }
        if patient.rows.ids().is_empty() {
            assert!(patient.key.is_destroyed());
            assert_eq!(patient.client.state(), DeviceState::New);
            return;
        }
    }
    panic!("the wipe does not end");
}

/// What must hold at the moment of the cut: no word in clear, and if the key is gone, the last words
/// are with the site.
async fn check_cut(
    site: &mut Site,
    patient: &TestDevice,
    chart: ward_id::ChartId,
    last: EntryId,
    what: &str,
) {
    let bytes = patient.rows.all_bytes();
    assert!(!holds(&bytes, CANARY) && !holds(&bytes, "the last words"), "{what}");
    if patient.key.is_destroyed() {
        assert!(is_handed_over(site, chart, last).await, "{what}: the key went before the last words");
    }
}

#[tokio::test]
async fn fault_39_the_power_may_go_at_every_write_of_the_store() {
    let (mut site, mut patient) = ordered(3_903, RevokePolicy::Salvage).await;
    let chart = patient.chart();
    for k in 1.. {
        let mut future = patient.in_another_future().await;
        let text = format!("the last words, {k}");
        let last = future.client.capture(chart, note(&text)).await.unwrap();
        future.rows.fail_at_commit(k);
        synced(&mut future).await;
        let cut = future.rows.failed();
        check_cut(&mut site, &future, chart, last, &format!("commit {k}")).await;
        carried_to_its_end(&mut future).await;
        assert!(is_handed_over(&mut site, chart, last).await, "commit {k}");
        if !cut {
            assert!(k > 10, "the wipe has that many steps: {k}");
            return;
        }
    }
}

#[tokio::test]
async fn fault_39_the_power_may_go_at_every_call_of_the_key_store() {
    let (mut site, mut patient) = ordered(3_904, RevokePolicy::Salvage).await;
    let chart = patient.chart();
    for cut in [Cut::Before, Cut::After] {
        for k in 1.. {
            let mut future = patient.in_another_future().await;
            let last =
                future.client.capture(chart, note(&format!("the last words, {cut:?} {k}"))).await.unwrap();
            let before = future.key.calls();
            future.key.cut_at(k, cut);
            synced(&mut future).await;
            let reached = future.key.calls() >= before + k;
            check_cut(&mut site, &future, chart, last, &format!("call {k}, {cut:?}")).await;
            carried_to_its_end(&mut future).await;
            assert!(is_handed_over(&mut site, chart, last).await, "call {k}, {cut:?}");
            if !reached {
                assert!(k > 2, "the key store is called that often: {k}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn fault_39_a_person_wipes_their_own_phone_and_is_told_what_is_lost() {
    let (_site, _, mut patient) = site_with(3_905, 0).await;
    let chart = patient.chart();
    patient.relay.set_offline(true);
    patient.client.capture(chart, note("unsent")).await.unwrap();
    assert_eq!(patient.client.only_here(), Ok(1));
    assert!(matches!(patient.client.wipe(0).await, Err(ClientError::NotAllowed(_))), "not unknowingly");
    assert_eq!(texts(&patient, chart), ["unsent"]);
    patient.client.wipe(1).await.unwrap();
    assert_eq!(patient.client.state(), DeviceState::New);
    assert!(patient.key.is_destroyed() && patient.rows.ids().is_empty());
    assert_eq!(patient.try_restart().await, Err(ClientError::NotEnrolled));
}

#[tokio::test]
async fn fault_39_a_wiped_phone_can_be_enrolled_again() {
    let (mut site, mut patient) = ordered(3_906, RevokePolicy::Salvage).await;
    let (chart, person) = (patient.chart(), patient.person());
    synced(&mut patient).await;
    assert_eq!(patient.client.state(), DeviceState::New);
    site.enrol_patient(&mut patient, chart, person).await;
    site.coordinator.sync().await;
    patient.sync().await;
    assert_eq!(texts(&patient, chart), [CANARY], "what the site has is there again");
    patient.client.capture(chart, note("a new beginning")).await.unwrap();
    patient.sync().await;
}

/// A picture of which the entry is sent and the content is not, words that are being typed, and answers
/// that were begun: nothing of it is destroyed unnamed.
#[tokio::test]
async fn fault_39_pictures_texts_and_drafts_are_named_before_a_wipe() {
    let (_site, _, mut patient) = site_with(3_907, 0).await;
    let chart = patient.chart();
    patient.client.attach(chart, &vec![7; 300_000][..], "image/jpeg", "rash").await.unwrap();
    patient.relay.before(|request| request.method != HttpMethod::Put);
    synced(&mut patient).await;
    let picture = OnlyHere { attachments: 1, ..OnlyHere::default() };
    assert_eq!(patient.client.only_here_by_kind(), Ok(picture), "the entry is sent, the content is not");
    assert!(matches!(patient.client.wipe(0).await, Err(ClientError::NotAllowed(_))));
    let text = patient.client.new_text().unwrap();
    patient.client.open_text(chart, text).unwrap();
    patient.client.write_text(chart, text, "half a sent").await.unwrap();
    let key = DraftKey {
        chart,
        instrument_url: "https://example.org/daily".to_owned(),
        instrument_version: "1".to_owned(),
        occurrence: "day 1".to_owned(),
        amends: None,
    };
    patient.client.save_draft(&key, b"{}").await.unwrap();
    let all = OnlyHere { texts: 1, drafts: 1, ..picture };
    assert_eq!(patient.client.only_here_by_kind(), Ok(all));
    assert!(matches!(patient.client.wipe(1).await, Err(ClientError::NotAllowed(_))));
    patient.relay.heal();
    synced(&mut patient).await;
    assert_eq!(patient.client.only_here_by_kind(), Ok(OnlyHere { attachments: 0, ..all }));
    patient.client.wipe(2).await.unwrap();
    assert_eq!(patient.client.state(), DeviceState::New);
}

#[tokio::test]
async fn fault_39_words_that_are_being_typed_are_handed_over_before_the_key_goes() {
    let (mut site, mut patient) = ordered(3_908, RevokePolicy::Salvage).await;
    let chart = patient.chart();
    let text = patient.client.new_text().unwrap();
    patient.client.open_text(chart, text).unwrap();
    patient.client.write_text(chart, text, "the last words").await.unwrap();
    let report = synced(&mut patient).await;
    assert!(report.problems.contains(&SyncProblem::Wiped), "{report:?}");
    assert!(patient.rows.ids().is_empty());
    site.coordinator.sync().await;
    let by = site.coordinator.client.waiting_drops(chart).unwrap()[0].entry.frame().device;
    site.coordinator.client.adopt_all(chart, by).await.unwrap();
    assert_eq!(site.coordinator.client.texts(chart).unwrap()[&text].text(), "the last words");
}

/// A picture that only this phone has holds the wipe back, and the phone shows nothing meanwhile; a
/// stricter word of the site ends the waiting.
#[tokio::test]
async fn fault_39_a_picture_that_only_the_phone_has_waits_for_the_stricter_word() {
    let (mut site, mut patient) = ordered(3_909, RevokePolicy::Salvage).await;
    let chart = patient.chart();
    patient.client.attach(chart, &vec![7; 300_000][..], "image/jpeg", "rash").await.unwrap();
    for _ in 0..2 {
        let report = synced(&mut patient).await;
        assert!(!report.problems.contains(&SyncProblem::Wiped), "{report:?}");
        assert_eq!(patient.client.chart(chart).err(), Some(ClientError::Severed), "it is locked");
        assert_eq!(patient.client.only_here_by_kind().unwrap().attachments, 1);
    }
    revoke(&mut site, &patient, RevokePolicy::Sever).await;
    let report = synced(&mut patient).await;
    assert!(report.problems.contains(&SyncProblem::Wiped), "{report:?}");
}
