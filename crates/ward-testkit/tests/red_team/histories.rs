//! Two histories of one membership log.

use crate::scene::{a_team, change_pages, log_sizes, names, note, site_with_nurse, stops, synced, texts};
use ward_api::EnvelopeRow;
use ward_crypto::Role;
use ward_testkit::TestDevice;

/// The relay carries envelopes over from the other side, as news.
fn carry_over(to: &TestDevice, rows: Vec<EnvelopeRow>) {
    change_pages(&to.relay, move |page| {
        for row in &rows {
            let row = EnvelopeRow { index: row.index + 1_000, ..row.clone() };
            if page.rows.iter().all(|known| known.index < row.index) {
                page.rows.push(row);
            }
        }
    });
}

#[tokio::test]
async fn rt_13_two_groups_with_two_membership_logs_notice_at_the_first_record_either_way() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1301).await;
    let chart = patient.chart();
    let mut doctor = site.staff("doctor", Role::Investigator).await;
    for device in [&mut patient, &mut nurse, &mut site.coordinator, &mut doctor] {
        device.sync().await;
    }
    let (mlog, olog) = log_sizes(&site).await;
    let fork = site.server.twin(mlog, olog).await;
    site.admins[0].client.set_team(a_team(1), &[]).await.unwrap();
    for device in [&mut site.admins[1], &mut nurse, &mut doctor] {
        device.relay.lead_to(Some(fork.transport.clone()));
    }
    site.admins[1].client.set_team(a_team(2), &[]).await.unwrap();
    // Each side works and sees nothing wrong.
    for device in [&mut patient, &mut nurse] {
        device.sync().await;
        device.client.capture(chart, note("on my side")).await.unwrap();
        device.sync().await;
    }
    for device in [&mut site.coordinator, &mut doctor] {
        device.sync().await;
        assert_eq!(texts(device, chart), ["first", "on my side"]);
        assert!(device.client.status().unwrap().stopped_by.is_empty());
    }
    let (here, there) = (site.server.envelopes().await.pop().unwrap(), fork.envelopes().await.pop().unwrap());
    for device in [&mut nurse, &mut doctor] {
        carry_over(device, vec![here.clone()]);
    }
    for device in [&mut patient, &mut site.coordinator] {
        carry_over(device, vec![there.clone()]);
    }
    for device in [&mut patient, &mut nurse, &mut site.coordinator, &mut doctor] {
        let report = synced(device).await;
        assert!(names(&report).contains(&"equivocation"), "{report:?}");
        stops(device, chart, "equivocation").await;
    }
    // Admins read no chart; they notice when they are shown the other side once.
    site.admins[1].relay.heal();
    site.admins[0].relay.lead_to(Some(fork.transport.clone()));
    for admin in &mut site.admins {
        assert!(admin.client.set_team(a_team(3), &[]).await.is_err(), "an admin signs nothing more");
        let report = synced(admin).await;
        assert!(names(&report).contains(&"equivocation"), "{report:?}");
        assert!(!admin.client.status().unwrap().stopped_by.is_empty());
    }
}
