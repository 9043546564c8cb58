//! A site that asks for a newer suite: whatever is of an older one is refused, however well it is
//! signed. Suite 1 is the only one that programs know so far, so everything that they make is too
//! old for such a site; nothing else could make "older and validly signed" true today.

use crate::caller::{Caller, code};
use crate::loot::loot;
use crate::members::package_with;
use crate::scene::{change_pages, names, note, packages_of, site_with_nurse, synced, texts, write_into_log};
use ward_api::headers::MEDIA_CBOR;
use ward_api::{EnvelopeBatch, EnvelopeRow, ErrorCode, Opaque, paths};
use ward_client::HttpMethod;
use ward_crypto::{SiteManifest, SiteManifestFields};
use ward_id::Canonical as _;
use ward_sync::{MlogBody, MlogEntry, Team, VoidReason};
use ward_testkit::Site;

/// The root's word that the site takes nothing below a suite from now on.
async fn raise_least_suite(site: &mut Site, least: u8) {
    let log = site.coordinator.client.membership().unwrap();
    let before = log.manifest().unwrap();
    let fields = SiteManifestFields {
        number: before.number + 1,
        prev: Some(before.hash()),
        min_suite: least,
        ..SiteManifestFields::clone(before)
    };
    let body = MlogBody::SiteManifest(Box::new(SiteManifest::new(fields).unwrap()));
    let mut entry =
        MlogEntry::unsigned(site.root_policy.site, site.root_policy.site.into(), log.head(), &body).unwrap();
    for key in &site.root_keys[..2] {
        entry = entry.sign_as_root(key).unwrap();
    }
    write_into_log(&mut site.server, &entry, None).await;
}

#[tokio::test]
async fn rt_19_envelopes_packages_and_entries_below_the_sites_least_suite_are_refused() {
    let (mut site, mut nurse, mut patient) = site_with_nurse(1901).await;
    let chart = patient.chart();
    raise_least_suite(&mut site, 2).await;
    for device in [&mut patient, &mut nurse, &mut site.coordinator, &mut site.admins[0]] {
        synced(device).await;
        assert_eq!(device.client.membership().unwrap().manifest().unwrap().min_suite, 2);
    }
    // An envelope: the server refuses it, and says why; so does a reader to whom it is smuggled.
    let held = site.server.envelopes().await;
    patient.client.capture(chart, note("sealed under the old suite")).await.unwrap();
    let report = synced(&mut patient).await;
    assert_eq!((report.pushed, report.unsent), (0, 1), "{report:?}");
    assert_eq!(site.server.envelopes().await, held);
    let pushed =
        patient.relay.record().into_iter().rev().find(|one| {
            one.request.method == HttpMethod::Post && one.request.path == paths::envelopes(chart)
        });
    let pushed = pushed.unwrap();
    assert_eq!(code(&pushed.response.unwrap()), Some(ErrorCode::Suite));
    let sealed = EnvelopeBatch::from_canonical(&pushed.request.body).unwrap().pop().unwrap();
    for device in [&mut nurse, &mut site.coordinator] {
        let row = EnvelopeRow {
            index: held.len() as u64,
            received_at: ward_testkit::START,
            envelope: sealed.clone(),
        };
        change_pages(&device.relay, move |page| {
            if page.rows.iter().all(|known| known.index < row.index) {
                page.rows.push(row.clone());
            }
        });
        let report = synced(device).await;
        assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
        assert_eq!(texts(device, chart), ["first"]);
        device.relay.heal();
    }
    // A package and its announce by a member, and an entry by an admin.
    let current = packages_of(&site.server, chart).await.pop().unwrap();
    let (package, announce) = package_with(chart, &nurse, None, &current).await;
    let log = patient.client.membership().unwrap();
    assert_eq!(log.would_be_effective(&announce, None).err(), Some(VoidReason::SuiteRefused));
    let admin = loot(&site.admins[0]).await;
    let subject = site.root_policy.site.into();
    let body = MlogBody::Team(Team { team: site.team, persons: vec![] });
    let entry = MlogEntry::unsigned(site.root_policy.site, subject, log.head(), &body).unwrap();
    let entry = entry.sign_as_device(admin.device, &admin.keys.sign).unwrap();
    assert_eq!(log.would_be_effective(&entry, None).err(), Some(VoidReason::SuiteRefused));
    assert!(site.admins[0].client.set_team(site.team, &[]).await.is_err());
    let members = log.members(chart).unwrap().devices().count();
    write_into_log(&mut site.server, &announce, Some(&package)).await;
    write_into_log(&mut site.server, &entry, None).await;
    for device in [&mut patient, &mut nurse, &mut site.coordinator] {
        synced(device).await;
        let log = device.client.membership().unwrap();
        assert_eq!(log.counted_epoch(chart).unwrap().epoch, current.header().epoch, "it does not count");
        assert_eq!(log.members(chart).unwrap().devices().count(), members, "the team stays as it was");
        assert_eq!(texts(device, chart).iter().filter(|text| *text == "first").count(), 1);
    }
}

#[tokio::test]
async fn rt_19_a_suite_that_nobody_knows_is_read_by_nobody() {
    let (site, mut nurse, patient) = site_with_nurse(1902).await;
    let chart = patient.chart();
    let before = nurse.client.chart(chart).unwrap().timeline().len();
    let good = site.server.envelopes().await.pop().unwrap();
    // Array of five, map of eleven, 0: version 1, 1: suite.
    assert_eq!(good.envelope.0[..6], [0x85, 0xab, 0x00, 0x01, 0x01, 0x01]);
    let other = |suite: u8| {
        let mut bytes = good.envelope.0.clone();
        bytes[5] = suite;
        Opaque(bytes)
    };
    let rows: Vec<EnvelopeRow> = [0, 2, 3, 23]
        .into_iter()
        .zip(1_000..)
        .map(|(suite, index)| EnvelopeRow { index, envelope: other(suite), ..good.clone() })
        .collect();
    change_pages(&nurse.relay, move |page| {
        if page.rows.iter().all(|row| row.index < 1_000) {
            page.rows.extend(rows.iter().cloned());
        }
    });
    let report = synced(&mut nurse).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    assert_eq!(nurse.client.chart(chart).unwrap().timeline().len(), before);
    let own = loot(&patient).await;
    let mut caller = Caller::with(&own, &site.server.transport, &site.clock).await;
    for suite in [0, 2, 3, 23] {
        let batch: EnvelopeBatch = vec![other(suite)];
        let answer =
            caller.call("POST", &paths::envelopes(chart), Some(MEDIA_CBOR), batch.to_canonical()).await;
        assert_eq!(code(&answer), Some(ErrorCode::Suite), "suite {suite}");
    }
}
