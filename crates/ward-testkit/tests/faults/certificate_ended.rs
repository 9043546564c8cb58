//! Row 25, the way back: the certificate ended meanwhile. What was written goes to the drop box, and
//! the same phone becomes a new device without losing anything.

use crate::drop_scene::{everything, names, note, progress, revoke, site_with, synced, texts};
use ward_client::{Certified, ClientError, Comparison, EnrolOutcome, ExportReaders, NewInvite};
use ward_crypto::Role;
use ward_id::{ChartId, PersonId};
use ward_sync::{DeliveryState, Place, QuarantineReason, RevokePolicy};
use ward_testkit::{Site, TestDevice};

/// Invites the participant once more, on the same phone.
pub async fn renew(site: &mut Site, patient: &mut TestDevice, chart: ChartId, person: PersonId) {
    let invite = NewInvite { person, role: Role::Patient, chart: Some(chart), not_after: None, server: None };
    let ticket = site.coordinator.client.invite(invite).await.unwrap();
    let words = patient.client.renew_begin(&ticket.to_text()).await.unwrap().words;
    let pending = site.coordinator.client.pending_enrolments().await.unwrap();
    let shown = pending.iter().find(|pending| pending.ticket == ticket.ticket).unwrap();
    assert_eq!(shown.words, words);
    assert_eq!(patient.client.renew_finish().await.unwrap(), EnrolOutcome::Waiting);
    // The app is started again while the site has not signed: the words stay the same.
    patient.restart().await;
    assert_eq!(patient.client.renew_begin(&ticket.to_text()).await.unwrap().words, words);
    let done = site.coordinator.client.certify(ticket.ticket, Comparison::Same).await.unwrap();
    assert!(matches!(done, Certified::Done(_)), "{done:?}");
    // The site's new member gets into the chart's key.
    site.coordinator.sync().await;
    let outcome = patient.client.renew_finish().await.unwrap();
    assert!(matches!(outcome, EnrolOutcome::Enrolled { .. }), "{outcome:?}");
}

#[tokio::test]
async fn fault_25_an_ended_certificate_leads_to_the_drop_box_and_a_new_one_to_the_chart() {
    // Staff of the second year: the first year's certificates end with the first year.
    let (mut site, _, mut patient) = site_with(2_511, 0).await;
    let (chart, person, old) = (patient.chart(), patient.person(), patient.device());
    patient.client.capture(chart, note("in the first year")).await.unwrap();
    patient.sync().await;
    site.coordinator.sync().await;
    site.clock.advance_days(300);
    for one in 0..3 {
        // Somebody of the team must hold the key over the years.
        let name = format!("coordinator of year {one}");
        let mut next = site.staff(&name, Role::Coordinator).await;
        next.sync().await;
        site.coordinator = next;
        site.clock.advance_days(150);
        site.coordinator.sync().await;
    }
    let dropped = patient.client.capture(chart, note("two years later")).await.unwrap();
    let report = synced(&mut patient).await;
    assert!(names(&report).contains(&"certificate-expired"), "{report:?}");
    // The team that the phone knows is not there any more; nobody can open what it seals to them.
    assert_eq!((report.handed_over, report.unsent), (1, 1), "{report:?}");
    assert_eq!(progress(&patient, &[dropped]), [DeliveryState::HandedOver]);
    site.coordinator.sync().await;
    assert!(site.coordinator.client.waiting_drops(chart).unwrap().is_empty());
    let sealed = |site: &Site| {
        let items = site.coordinator.client.worklist(site.clock.now()).unwrap();
        items.iter().any(|item| item.reason.contains("nobody of the present team can open"))
    };
    assert!(sealed(&site), "staff learn that something waits which only the phone can bring");

    // The way back: the old device is taken out, the same phone becomes a new one.
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    renew(&mut site, &mut patient, chart, person).await;
    assert_ne!(patient.device(), old);
    patient.restart().await;
    patient.sync().await;
    patient.sync().await;
    let status = patient.client.status().unwrap();
    assert_eq!((status.saved_here, status.handed_over), (0, 0), "{:?}", status.charts);
    assert_eq!(texts(&patient, chart), ["in the first year", "two years later"]);
    site.coordinator.sync().await;
    assert_eq!(texts(&site.coordinator, chart), ["in the first year", "two years later"]);
    assert!(!sealed(&site));
    let view = site.coordinator.client.chart(chart).unwrap();
    let again = view.timeline().iter().find(|item| item.author.is_some_and(|a| a.device == patient.device()));
    assert!(again.is_some(), "written again by the new device");
    let opened: Vec<_> = view.incarnations().iter().flat_map(|thread| &thread.current).collect();
    assert!(
        opened.iter().any(|written| written.value.old_entry == dropped),
        "which says where the old chain ended"
    );
}

#[tokio::test]
async fn fault_25_a_phone_that_comes_back_keeps_what_it_handed_over_apart_from_what_it_did_not() {
    let (mut site, mut staff, mut patient) = site_with(2_521, 1).await;
    let (chart, person) = (patient.chart(), patient.person());
    let healthy = site.coordinator.client.invite(NewInvite {
        person,
        role: Role::Patient,
        chart: Some(chart),
        not_after: None,
        server: None,
    });
    let healthy = healthy.await.unwrap().to_text();
    assert_eq!(patient.client.renew_begin(&healthy).await.err(), Some(ClientError::AlreadyEnrolled));
    patient.relay.set_offline(true);
    let handed = patient.client.capture(chart, note("handed over and adopted")).await.unwrap();
    let refused = patient.client.capture(chart, note("handed over and declined")).await.unwrap();
    let open = patient.client.capture(chart, note("handed over, nobody decided")).await.unwrap();
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    patient.relay.set_offline(false);
    assert_eq!(synced(&mut patient).await.handed_over, 3);
    patient.relay.set_offline(true);
    patient.client.capture(chart, note("never handed over")).await.unwrap();
    patient.relay.set_offline(false);
    staff[0].sync().await;
    staff[0].client.adopt(chart, handed).await.unwrap();
    staff[0].client.decline(chart, refused, "not hers").await.unwrap();
    staff[0].sync().await;

    // The drop box is not there for a while; the way back is.
    patient.relay.before(|request| request.path != ward_api::paths::DROP);
    renew(&mut site, &mut patient, chart, person).await;
    patient.relay.heal();
    // The power goes before anything was written again: what is left says what is to be done.
    patient.restart().await;
    assert_eq!(patient.client.only_here(), Ok(1));
    patient.sync().await;
    patient.sync().await;
    staff[0].sync().await;
    assert_eq!(texts(&staff[0], chart), ["handed over and adopted", "never handed over"]);
    assert_eq!(progress(&patient, &[open]), [DeliveryState::HandedOver], "still the staff's to decide");
    staff[0].client.adopt(chart, open).await.unwrap();
    staff[0].sync().await;
    patient.sync().await;
    site.coordinator.sync().await;
    let expected = ["handed over and adopted", "handed over, nobody decided", "never handed over"];
    assert_eq!(texts(&patient, chart), expected);
    staff[0].sync().await;
    patient.sync().await;
    assert_eq!(everything(&staff[0], chart), everything(&site.coordinator, chart));
    assert_eq!(everything(&patient, chart), everything(&site.coordinator, chart));
    assert_eq!(patient.client.only_here(), Ok(0));
    // What staff took over is the chart's, and what they declined is kept there too: the phone holds
    // nothing apart from it.
    let aside = Place::Quarantined(QuarantineReason::ToBeAdopted);
    assert_eq!(staff[0].client.chart(chart).unwrap().place(refused), Some(aside));
    let readers = ExportReaders { staff: false, passphrase: true };
    let exported = patient.client.export_unsent(readers, &mut Vec::new()).await;
    assert_eq!(exported.err(), Some(ClientError::Unknown("unsent work")));
    assert_eq!(texts(&patient, chart), expected);
    patient.restart().await;
    assert_eq!(texts(&patient, chart), expected);
}

#[tokio::test]
async fn fault_25_somebody_elses_invitation_does_not_take_over_a_phone() {
    let (mut site, _, mut patient) = site_with(2_531, 0).await;
    revoke(&mut site, &patient, RevokePolicy::Salvage).await;
    synced(&mut patient).await;
    let (other_chart, other) = site.open_chart().await;
    let invite = NewInvite {
        person: other,
        role: Role::Patient,
        chart: Some(other_chart),
        not_after: None,
        server: None,
    };
    let ticket = site.coordinator.client.invite(invite).await.unwrap().to_text();
    assert!(matches!(patient.client.renew_begin(&ticket).await, Err(ClientError::NotAllowed(_))));
    assert_eq!(patient.client.renew_finish().await, Err(ClientError::NotEnrolled));
}
