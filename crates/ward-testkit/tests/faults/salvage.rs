//! Row 22: revoked while offline, with entries that nobody has seen.

use crate::drop_scene::{days_offline, everything, names, note, progress, revoke, site_with, synced, texts};
use ward_api::paths;
use ward_client::views::Urgency;
use ward_client::{ClientError, SyncProblem};
use ward_crypto::Role;
use ward_id::EntryId;
use ward_sync::{DeliveryState, Place, QuarantineReason, RevokePolicy};
use ward_testkit::{TestDevice, diary_answers, diary_instrument, diary_response};

/// What a salvaged phone shows: its own data, and the truth about how far each entry came.
async fn salvaged(patient: &mut TestDevice, entries: &[EntryId]) {
    let chart = patient.chart();
    let count = entries.len() as u64;
    let report = synced(patient).await;
    assert_eq!(names(&report), ["revoked"], "{report:?}");
    assert_eq!((report.handed_over, report.unsent, report.pushed), (count, count, 0));
    assert!(progress(patient, entries).iter().all(|one| *one == DeliveryState::HandedOver), "never received");
    let order = patient.client.order().expect("the phone verified its revocation");
    assert_eq!((order.severed, order.wipe, order.reason.as_str()), (false, false, "the phone was lost"));
    assert_eq!(texts(patient, chart).len(), entries.len(), "the person still sees their own data");
    let again = synced(patient).await;
    assert_eq!((again.handed_over, again.unsent), (0, count), "handed over once");
    patient.restart().await;
    assert!(progress(patient, entries).iter().all(|one| *one == DeliveryState::HandedOver));
}

async fn salvage(seed: u64, clinicians: usize, days: i64) {
    let (mut site, mut staff, mut patient) = site_with(seed, clinicians).await;
    let chart = patient.chart();
    let entries = days_offline(&site, &mut patient, days).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    salvaged(&mut patient, &entries).await;

    // Before anybody adopts, nothing of it is in any chart, and everybody is told.
    site.coordinator.sync().await;
    let now = site.clock.now();
    let waiting: Vec<EntryId> =
        site.coordinator.client.waiting_drops(chart).unwrap().iter().map(|drop| drop.entry.id()).collect();
    assert_eq!(waiting, entries, "in the order of the chain");
    assert_eq!(texts(&site.coordinator, chart), Vec::<String>::new());
    let items = site.coordinator.client.worklist(now).unwrap();
    assert!(
        items.iter().any(|item| item.urgency == Urgency::ToAdopt && item.reason.contains("wait")),
        "{items:?}"
    );

    // One act for the whole chain; author, time and signature stay the patient's.
    let carries = site.coordinator.client.adopt_all(chart, patient.device()).await.unwrap();
    assert_eq!(carries.len(), entries.len());
    assert!(site.coordinator.client.waiting_drops(chart).unwrap().is_empty());
    site.coordinator.sync().await;
    for one in &mut staff {
        let report = synced(one).await;
        assert!(report.is_complete() && report.drops_waiting == 0, "{report:?}");
    }
    site.coordinator.sync().await;
    let expected = everything(&site.coordinator, chart);
    for one in &staff {
        assert_eq!(everything(one, chart), expected);
    }
    let view = site.coordinator.client.chart(chart).unwrap();
    let adopted: Vec<EntryId> = view
        .timeline()
        .iter()
        .filter(|item| item.carried_by.is_some())
        .map(|item| {
            let author = item.author.unwrap();
            assert_eq!((author.device, author.role), (patient.device(), Role::Patient));
            item.entry.id()
        })
        .collect();
    assert_eq!(adopted, entries);
    assert_eq!(texts(&site.coordinator, chart).len(), entries.len());
    // A member who joins later sees the same.
    let mut newcomer = site.staff("newcomer", Role::Clinician).await;
    newcomer.sync().await;
    site.coordinator.sync().await;
    assert_eq!(everything(&newcomer, chart), everything(&site.coordinator, chart));
}

#[tokio::test]
async fn fault_22_seven_days_of_a_revoked_phone_are_adopted_and_all_replicas_are_equal() {
    salvage(2_201, 1, 7).await;
}

#[tokio::test]
async fn fault_22_salvage_holds_for_five_devices_and_thirty_days() {
    salvage(2_202, 5, 30).await;
}

#[tokio::test]
async fn fault_22_salvage_holds_at_once_and_for_five_devices() {
    salvage(2_203, 5, 0).await;
}

#[tokio::test]
async fn fault_22_a_severed_phone_hands_over_nothing_locks_and_nothing_of_it_is_applied() {
    for (seed, clinicians, days) in [(2_211, 1, 7), (2_212, 5, 0)] {
        let (mut site, mut staff, mut patient) = site_with(seed, clinicians).await;
        let chart = patient.chart();
        let entries = days_offline(&site, &mut patient, days).await;
        revoke(&mut site, &patient, RevokePolicy::Sever).await;
        patient.relay.set_offline(false);
        let report = synced(&mut patient).await;
        assert_eq!((names(&report), report.handed_over), (vec!["revoked"], 0), "{report:?}");
        for restarted in [false, true] {
            if restarted {
                patient.restart().await;
            }
            assert!(patient.client.order().unwrap().severed);
            assert_eq!(patient.client.chart(chart).err(), Some(ClientError::Severed));
            assert_eq!(patient.client.capture(chart, note("more")).await, Err(ClientError::Severed));
            assert_eq!(patient.client.worklist(site.clock.now()).err(), Some(ClientError::Severed));
            assert_eq!(patient.client.only_here(), Ok(entries.len() as u64), "a lock deletes nothing");
        }
        site.coordinator.sync().await;
        for one in &mut staff {
            let report = synced(one).await;
            assert_eq!((report.drops_waiting, report.is_complete()), (0, true), "{report:?}");
        }
        site.coordinator.sync().await;
        for one in &staff {
            assert_eq!(everything(one, chart), everything(&site.coordinator, chart));
            assert!(entries.iter().all(|entry| one.client.chart(chart).unwrap().place(*entry).is_none()));
        }
    }
}

#[tokio::test]
async fn fault_22_what_waits_goes_when_its_device_is_severed_and_what_was_adopted_stays() {
    let (mut site, mut staff, mut patient) = site_with(2_215, 1).await;
    let chart = patient.chart();
    let entries = days_offline(&site, &mut patient, 2).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    synced(&mut patient).await;
    let nurse = &mut staff[0];
    nurse.sync().await;
    nurse.client.adopt(chart, entries[0]).await.unwrap();
    nurse.sync().await;
    assert_eq!(nurse.client.waiting_drops(chart).unwrap().len(), 1);
    revoke(&mut site, &patient, RevokePolicy::Sever).await;
    let report = synced(nurse).await;
    assert_eq!((report.drops_waiting, report.is_complete()), (0, true), "{report:?}");
    assert!(nurse.client.adopt(chart, entries[1]).await.is_err());
    assert!(nurse.client.adopt_all(chart, patient.device()).await.unwrap().is_empty());
    nurse.restart().await;
    assert!(nurse.client.waiting_drops(chart).unwrap().is_empty());
    assert_eq!(texts(nurse, chart), ["day 0"], "what somebody vouched for stays");
    synced(&mut patient).await;
    assert_eq!(
        patient.client.chart(chart).err(),
        Some(ClientError::Severed),
        "the stricter word reaches the phone"
    );
}

#[tokio::test]
async fn fault_22_a_declined_entry_stays_out_everywhere_and_says_why() {
    let (mut site, mut staff, mut patient) = site_with(2_221, 2).await;
    let chart = patient.chart();
    let entries = days_offline(&site, &mut patient, 2).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    synced(&mut patient).await;
    let [nurse, other] = staff.as_mut_slice() else { panic!("two were asked for") };
    nurse.sync().await;
    let client = &mut nurse.client;
    assert!(matches!(client.decline(chart, entries[0], " ").await, Err(ClientError::NotAllowed(_))));
    let declined = client.decline(chart, entries[0], "she did not write this").await.unwrap();
    client.adopt(chart, entries[1]).await.unwrap();
    assert_eq!(
        client.decline(chart, entries[0], "again").await,
        Err(ClientError::Unknown("the entry that waits for adoption"))
    );
    // The word is not sent yet: others still see both on the list.
    let report = synced(other).await;
    assert_eq!(report.drops_waiting, 2);
    nurse.sync().await;
    let report = synced(other).await;
    assert_eq!((report.drops_waiting, report.is_complete()), (0, true), "{report:?}");
    nurse.sync().await;
    site.coordinator.sync().await;
    assert_eq!(everything(nurse, chart), everything(other, chart));
    for one in [&*nurse, &*other, &site.coordinator] {
        let view = one.client.chart(chart).unwrap();
        let aside = Place::Quarantined(QuarantineReason::ToBeAdopted);
        assert_eq!(view.place(entries[0]), Some(aside), "kept, and nothing of it counts");
        let [thread] = view.drop_declines() else { panic!("one decision") };
        let written = thread.single().unwrap();
        assert_eq!((written.id(), written.value.entry), (declined, entries[0]));
        assert_eq!(written.entry.body().reason.as_deref(), Some("she did not write this"));
        assert_eq!(texts(one, chart), ["day 1"]);
    }
    // Whoever changes their mind later can still ask the phone again: it hands over once more nothing.
    assert_eq!(synced(&mut patient).await.handed_over, 0);
}

/// Somebody between the phone and the server answers everything, with a page or with nothing at all.
#[tokio::test]
async fn fault_33_what_a_portal_answers_is_no_word_that_something_was_done() {
    let (mut site, mut staff, mut patient) = site_with(2_271, 1).await;
    let chart = patient.chart();
    let entries = days_offline(&site, &mut patient, 1).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    let until = site.clock.now().plus_ms(3_600_000);
    let nurse = staff[0].device();
    for (status, page) in [(200, "<!doctype html><title>Welcome</title>"), (204, "")] {
        for relay in [&patient.relay, &site.coordinator.relay] {
            relay.heal();
            relay.before(|request| {
                let is_write = request.path == paths::DROP || request.path.contains("/suspend");
                if is_write {
                    request.body = Vec::new();
                }
                true
            });
            relay.after(move |request, response| {
                if request.path == paths::DROP || request.path.contains("/suspend") {
                    response.status = status;
                    response.headers = vec![("content-type".to_owned(), "text/html".to_owned())];
                    response.body = page.as_bytes().to_vec();
                }
            });
        }
        let report = synced(&mut patient).await;
        assert_eq!(report.handed_over, 0, "{report:?}");
        assert!(names(&report).contains(&"failed") && report.next_attempt_in_ms.is_some(), "{report:?}");
        assert_ne!(progress(&patient, &entries), [DeliveryState::HandedOver]);
        let suspended = site.coordinator.client.suspend(nurse, until, ward_api::SuspendReason::Lost).await;
        assert!(matches!(suspended, Err(ClientError::BadAnswer { .. })), "{suspended:?}");
    }
    patient.relay.heal();
    site.coordinator.relay.heal();
    assert_eq!(synced(&mut patient).await.handed_over, 1, "as soon as the server itself answers");
    assert_eq!(progress(&patient, &entries), [DeliveryState::HandedOver]);
    assert_eq!(synced(&mut staff[0]).await.drops_waiting, 1);
    assert_eq!(staff[0].client.waiting_drops(chart).unwrap()[0].entry.id(), entries[0]);
}

#[tokio::test]
async fn fault_22_what_presses_alerts_before_it_is_adopted() {
    let (mut site, mut staff, mut patient) = site_with(2_231, 1).await;
    let chart = patient.chart();
    let first_day = site.clock.now().utc_day();
    site.coordinator.client.capture(chart, diary_instrument(first_day, 28)).await.unwrap();
    site.coordinator.sync().await;
    patient.sync().await;
    patient.relay.set_offline(true);
    let severe = diary_response(first_day, &diary_answers((4, 4), 0, false, "cannot keep anything down"));
    let severe = patient.client.capture(chart, severe).await.unwrap();
    let urgent = patient.client.capture(chart, note("please call me")).await.unwrap();
    patient.client.mark_urgent(chart, urgent).await.unwrap();
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    assert_eq!(synced(&mut patient).await.handed_over, 2);
    let nurse = &mut staff[0];
    nurse.sync().await;
    let now = site.clock.now();
    let items = nurse.client.worklist(now).unwrap();
    let of = |urgency| items.iter().find(|item| item.urgency == urgency);
    let call = of(Urgency::PatientUrgent).unwrap_or_else(|| panic!("the urgent mark: {items:?}"));
    let bad = of(Urgency::Urgent).unwrap_or_else(|| panic!("severe nausea: {items:?}"));
    for item in [call, bad] {
        assert!(item.reason.starts_with("not yet adopted: "), "{}", item.reason);
        let ack = nurse.client.acknowledge(&item.id.clone(), "called").await;
        assert!(matches!(ack, Err(ClientError::NotAllowed(_))), "it ends with an adoption, not by a word");
    }
    assert!(!nurse.client.chart(chart).unwrap().responses().values().flatten().any(|_| true));
    nurse.client.adopt(chart, severe).await.unwrap();
    let items = nurse.client.worklist(now).unwrap();
    let bad = items.iter().find(|item| item.urgency == Urgency::Urgent).unwrap();
    assert!(!bad.reason.contains("not yet adopted"), "now it is an item like any other");
    assert_eq!(bad.entries, [severe]);
}

#[tokio::test]
async fn fault_22_what_may_hide_an_alert_is_told_before_it_is_adopted() {
    let (mut site, mut staff, mut patient) = site_with(2_232, 1).await;
    let chart = patient.chart();
    let first_day = site.clock.now().utc_day();
    patient.relay.set_offline(true);
    // Their questionnaire is not in the chart: nobody can tell how bad it is.
    let severe = diary_response(first_day, &diary_answers((4, 4), 0, false, "cannot keep anything down"));
    patient.client.capture(chart, severe).await.unwrap();
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    assert_eq!(synced(&mut patient).await.handed_over, 1);
    let nurse = &mut staff[0];
    nurse.sync().await;
    let items = nurse.client.worklist(site.clock.now()).unwrap();
    let told = items.iter().find(|item| item.urgency == Urgency::Concern);
    let told = told.unwrap_or_else(|| panic!("answers without scores: {items:?}"));
    assert_eq!(
        told.reason,
        "not yet adopted: alerts may be hidden: 1 set of answers has no scores: their questionnaire is not in the chart"
    );
    assert!(!told.closable && told.entries.is_empty(), "{told:?}");
}

#[tokio::test]
async fn fault_22_a_suspended_phone_hands_over_and_what_was_adopted_does_not_come_twice() {
    let (mut site, mut staff, mut patient) = site_with(2_241, 1).await;
    let chart = patient.chart();
    let entries = days_offline(&site, &mut patient, 1).await;
    let until = site.clock.now().plus_ms(3_600_000);
    let reason = ward_api::SuspendReason::Lost;
    site.coordinator.client.suspend(patient.device(), until, reason).await.unwrap();
    patient.relay.set_offline(false);
    let report = synced(&mut patient).await;
    assert_eq!((names(&report), report.handed_over), (vec!["suspended"], 1), "{report:?}");
    assert_eq!(patient.client.order(), None, "a suspension is no revocation");
    staff[0].sync().await;
    staff[0].client.adopt(chart, entries[0]).await.unwrap();
    staff[0].sync().await;
    // The suspension ends: the entry comes on its own as well, and is one.
    site.clock.advance_ms(3_600_001);
    patient.sync().await;
    staff[0].sync().await;
    site.coordinator.sync().await;
    staff[0].sync().await;
    assert_eq!(texts(&staff[0], chart), ["day 0"]);
    assert_eq!(everything(&staff[0], chart), everything(&site.coordinator, chart));
    patient.sync().await;
    assert_eq!(everything(&patient, chart), everything(&site.coordinator, chart));
}

#[tokio::test]
async fn fault_22_only_what_is_urgent_goes_when_the_log_is_only_stale() {
    let (site, mut staff, mut patient) = site_with(2_251, 1).await;
    let chart = patient.chart();
    let entries = days_offline(&site, &mut patient, 4).await;
    patient.client.mark_urgent(chart, entries[1]).await.unwrap();
    let unknown = patient.client.mark_urgent(chart, EntryId::from_bytes([1; 32])).await;
    assert!(matches!(unknown, Err(ClientError::Unknown(_))));
    patient.restart().await;
    patient.relay.set_offline(false);
    // The way to the log shows what it showed four days ago: nothing can be sealed under that.
    let stale = patient.relay.newest_note(ward_api::LogName::Mlog).unwrap();
    patient.relay.on_heads(ward_api::LogName::Mlog, move |note| note.clone_from(&stale));
    patient.relay.after(|request, response| {
        if request.path == ward_api::paths::WITNESS_TIME {
            response.status = 503;
        }
    });
    let report = synced(&mut patient).await;
    let stale =
        |problem: &SyncProblem| matches!(problem, SyncProblem::Stale { .. } | SyncProblem::TimeUnknown);
    assert!(report.problems.iter().any(stale), "{report:?}");
    assert_eq!((report.handed_over, report.pushed, report.unsent), (1, 0, 4), "{report:?}");
    staff[0].sync().await;
    let waiting = staff[0].client.waiting_drops(chart).unwrap();
    assert_eq!(
        waiting.iter().map(|drop| (drop.entry.id(), drop.urgent)).collect::<Vec<_>>(),
        [(entries[1], true)]
    );
    // The way is free again: everything is sent, and the drop settles by itself.
    patient.relay.heal();
    patient.sync().await;
    staff[0].sync().await;
    assert!(staff[0].client.waiting_drops(chart).unwrap().is_empty());
    assert_eq!(texts(&staff[0], chart).len(), 4);
}
