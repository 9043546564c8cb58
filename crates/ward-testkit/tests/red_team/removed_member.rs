//! A former member with everything their device ever held and a full copy of the database.

use crate::loot::{envelopes_of, loot};
use crate::scene::{names, note, packages_of, site_with_nurse, synced, write};
use std::collections::BTreeSet;
use ward_client::{ClientError, HttpMethod};
use ward_crypto::Envelope;
use ward_sync::RevokePolicy;

#[tokio::test]
async fn rt_22_a_revoked_device_opens_nothing_that_was_sealed_after_its_removal_was_known() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(2201).await;
    let chart = patient.chart();
    site.staff("another nurse", ward_crypto::Role::Clinician).await;
    write(&mut patient, chart, &["under a second epoch"]).await;
    nurse.sync().await;
    // The patient's phone is kept in the dark for a while: it does not know yet.
    patient.relay.freeze();
    synced(&mut patient).await;
    let revoked = site.admins[0].client.revoke(nurse.device(), RevokePolicy::Sever, "left the site").await;
    assert!(revoked.unwrap().is_done());
    let index = site.admins[0].client.membership().unwrap().size() - 1;
    patient.client.capture(chart, note("before the phone knew")).await.unwrap();
    synced(&mut patient).await;

    // A device that knows, and cannot make the next epoch, seals nothing.
    let before = site.server.envelopes().await.len();
    let coordinator = &mut site.coordinator;
    coordinator
        .relay
        .before(|request| request.method != HttpMethod::Post || !request.path.ends_with("/mlog/entries"));
    coordinator.client.capture(chart, note("after the removal")).await.unwrap();
    let report = synced(coordinator).await;
    assert_eq!((report.pushed, report.unsent, report.rotated.len()), (0, 1, 0), "{report:?}");
    assert!(names(&report).contains(&"needs-rotation"), "{report:?}");
    assert_eq!(site.server.envelopes().await.len(), before);
    coordinator.relay.heal();
    let report = synced(coordinator).await;
    assert_eq!((report.pushed, report.rotated.len()), (1, 1), "first the epoch, then the entry: {report:?}");
    patient.relay.heal();
    synced(&mut patient).await;
    write(&mut patient, chart, &["long after the removal"]).await;
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"revoked"), "{report:?}");
    assert_eq!(
        nurse.client.chart(chart).err(),
        Some(ClientError::Severed),
        "the app shows nothing more at all"
    );

    // Now the former member takes the whole database, and tries every key on everything.
    let log = patient.client.membership().unwrap();
    let packages = packages_of(&site.server, chart).await;
    let mut stolen = loot(&nurse).await;
    let kept = stolen.epochs.len();
    stolen.dig(chart, &packages, log);
    assert_eq!(stolen.epochs.len(), kept, "the database adds no key");
    let (knew, did_not): (Vec<Envelope>, Vec<Envelope>) = envelopes_of(&site.server)
        .await
        .into_iter()
        .partition(|envelope| envelope.header().mlog_size > index);
    assert_eq!((knew.len(), did_not.len()), (2, 3));
    for envelope in &knew {
        assert!(!stolen.opens(envelope, log), "sealed by somebody who knew of the removal");
    }
    for envelope in &did_not {
        assert!(stolen.opens(envelope, log), "what was sealed before stays readable: that is no promise");
    }
    // Those who stayed open everything with the same tools.
    let mut member = loot(&patient).await;
    member.dig(chart, &packages, log);
    assert!(knew.iter().chain(&did_not).all(|envelope| member.opens(envelope, log)));
    let epochs: BTreeSet<u64> = knew.iter().map(|envelope| envelope.header().epoch).collect();
    for package in packages.iter().filter(|package| epochs.contains(&package.header().epoch)) {
        assert!(package.wrapped_devices().all(|device| device != nurse.device()));
    }
}
