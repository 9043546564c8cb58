//! Rows 5, 15, 16, 17 and 18: what comes late, twice, altered, withheld or damaged.

use crate::scene::{capture, incidents, names, note, replica, site_with, synced, texts, until_quiet};
use ward_api::{EnvelopePage, EnvelopeRow};
use ward_client::SyncProblem;
use ward_crypto::{Envelope, Role};
use ward_id::Canonical as _;
use ward_store::OlogStore as _;
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use ward_sync::IncidentKind;
use ward_testkit::{Relay, Site, TestDevice};

/// Changes every page of envelopes on its way, and lets the device ask for pages at every sync.
fn change_pages(relay: &Relay, mut change: impl FnMut(&mut EnvelopePage) + Send + 'static) {
    relay.always_differs();
    relay.after(move |request, response| {
        if request.path.contains("/envelopes?") && response.status == 200 {
            let mut page = EnvelopePage::from_canonical(&response.body).unwrap();
            change(&mut page);
            response.body = page.to_canonical();
        }
    });
}

fn author(row: &EnvelopeRow) -> ward_id::DeviceId {
    Envelope::from_canonical(&row.envelope.0).unwrap().header().device
}

#[tokio::test]
async fn fault_05_what_comes_out_of_order_waits_and_is_then_the_same_everywhere() {
    for staff in [1, 4] {
        let (mut site, mut phone, mut others) = site_with(500 + staff as u64, staff).await;
        let chart = phone.chart();
        for round in 0..3 {
            capture(&mut phone, chart, &[&format!("phone {round}")]).await;
            synced(&mut phone).await;
            for (number, nurse) in others.iter_mut().enumerate() {
                synced(nurse).await;
                capture(nurse, chart, &[&format!("nurse {number} {round}")]).await;
                synced(nurse).await;
            }
        }
        // The last comes first: each page holds back what is older than the newest.
        let kept = others.iter_mut().chain([&mut phone]);
        let mut expected = Vec::new();
        for device in kept {
            synced(device).await;
            expected = texts(device, chart);
        }
        change_pages(&site.coordinator.relay, |page| {
            let newest = page.rows.iter().map(|row| row.index).max();
            page.rows.retain(|row| Some(row.index) == newest);
        });
        let report = synced(&mut site.coordinator).await;
        assert!(names(&report).contains(&"incomplete"), "{report:?}");
        let view = site.coordinator.client.chart(chart).unwrap();
        assert_eq!(view.parked().count(), 1, "it waits for what it names");
        assert!(view.accounting().balances());
        drop(view);
        site.coordinator.relay.heal();
        let mut everybody: Vec<&mut TestDevice> =
            others.iter_mut().chain([&mut phone, &mut site.coordinator]).collect();
        until_quiet(&mut everybody, ward_client::limits::REPULL_EVERY_SYNCS as usize + 2).await;
        let shown: Vec<_> = everybody.iter().map(|device| replica(device, chart)).collect();
        assert!(shown.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(texts(everybody[0], chart), expected);
    }
}

#[tokio::test]
async fn fault_15_two_operation_logs_are_noticed_with_both_heads() {
    let (mut site, mut phone, mut others) = site_with(1501, 1).await;
    let chart = phone.chart();
    capture(&mut phone, chart, &["shared"]).await;
    synced(&mut phone).await;
    let mlog = synced(&mut others[0]).await.mlog_size;
    let olog = site.server.envelopes().await.len() as u64;
    let fork = site.server.twin(mlog, olog).await;
    phone.relay.lead_to(Some(fork.transport.clone()));
    for text in ["on the other log", "names its head"] {
        capture(&mut phone, chart, &[text]).await;
        synced(&mut phone).await;
        synced(&mut phone).await;
    }
    for text in ["here", "and", "there"] {
        capture(&mut site.coordinator, chart, &[text]).await;
        synced(&mut site.coordinator).await;
    }
    synced(&mut others[0]).await;
    let crossing = fork.envelopes().await.split_off(olog as usize);
    change_pages(&others[0].relay, move |page| {
        for row in &crossing {
            let row = EnvelopeRow { index: row.index + 1_000, ..row.clone() };
            if page.rows.iter().all(|known| known.index < row.index) {
                page.rows.push(row);
            }
        }
    });
    let report = synced(&mut others[0]).await;
    let sides = report.problems.iter().find_map(|problem| match problem {
        SyncProblem::OtherHistory { evidence, .. } => Some(evidence.sides.len()),
        _ => None,
    });
    assert_eq!(sides, Some(2), "both heads: {report:?}");
}

#[tokio::test]
async fn fault_16_entries_of_one_device_withheld_are_never_a_clean_sync() {
    for staff in [1, 4] {
        let (site, mut phone, mut others) = site_with(1600 + staff as u64, staff).await;
        let chart = phone.chart();
        let hidden = phone.device();
        change_pages(&others[0].relay, move |page| page.rows.retain(|row| author(row) != hidden));
        capture(&mut phone, chart, &["withheld"]).await;
        synced(&mut phone).await;
        site.clock.advance_days(30);
        for _ in 0..3 {
            let report = synced(&mut others[0]).await;
            assert!(names(&report).contains(&"incomplete") && !report.is_complete(), "{report:?}");
            assert!(others[0].client.charts().iter().any(|known| known.chart == chart && known.incomplete));
        }
        others[0].relay.heal();
        for _ in 0..=ward_client::limits::REPULL_EVERY_SYNCS {
            synced(&mut others[0]).await;
        }
        assert_eq!(texts(&others[0], chart), ["withheld"]);
        assert!(synced(&mut others[0]).await.is_complete());
    }
}

#[tokio::test]
async fn fault_17_replayed_foreign_and_swapped_envelopes_change_nothing() {
    let (mut site, mut phone, mut others) = site_with(1701, 1).await;
    let chart = phone.chart();
    let mut other_patient = site.patient("bob").await;
    let foreign_chart = other_patient.chart();
    capture(&mut other_patient, foreign_chart, &["of another chart"]).await;
    synced(&mut other_patient).await;
    capture(&mut phone, chart, &["mine"]).await;
    synced(&mut phone).await;
    let all = site.server.envelopes().await;
    change_pages(&others[0].relay, move |page| {
        let last = page.rows.last().map_or(0, |row| row.index);
        for (place, row) in all.iter().enumerate() {
            let mut swapped = row.envelope.0.clone();
            // Inside the ciphertext, and in the header's ids.
            for at in [swapped.len() / 2, 12, 40] {
                swapped[at] ^= 0x55;
            }
            let base = last.max(5_000) + 2 * place as u64;
            page.rows.push(EnvelopeRow { index: base + 1, ..row.clone() });
            page.rows.push(EnvelopeRow { index: base + 2, envelope: swapped.into(), ..row.clone() });
        }
    });
    let report = synced(&mut others[0]).await;
    assert!(names(&report).contains(&"bad-envelope"), "{report:?}");
    assert_eq!(texts(&others[0], chart), ["mine"], "each entry once, and none of another chart");
    others[0].relay.heal();
    capture(&mut phone, chart, &["sync goes on"]).await;
    synced(&mut phone).await;
    synced(&mut others[0]).await;
    assert_eq!(texts(&others[0], chart), ["mine", "sync goes on"]);
}

#[tokio::test]
async fn fault_18_an_envelope_damaged_at_the_server_is_mended_by_whoever_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let mut site = Site::small_on(1801, store).await;
    let mut nurse = site.staff("nurse", Role::Clinician).await;
    let mut phone = site.patient("ada").await;
    let chart = phone.chart();
    nurse.sync().await;
    phone.client.capture(chart, note("before the damage")).await.unwrap();
    phone.sync().await;
    let newest = i64::try_from(site.server.store.olog_size().await.unwrap()).unwrap() - 1;
    nurse.sync().await;
    site.coordinator.sync().await;
    // One bit of the row, as a dying disk leaves it.
    let flipped = {
        let conn = rusqlite::Connection::open(&path).unwrap();
        let sql = "SELECT olog_index, envelope FROM operation WHERE olog_index = ?1";
        let (index, mut bytes): (i64, Vec<u8>) =
            conn.query_row(sql, [newest], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let at = bytes.len() - 100;
        bytes[at] ^= 0x08;
        conn.execute("UPDATE operation SET envelope = ?2 WHERE olog_index = ?1", (index, bytes)).unwrap()
    };
    assert_eq!(flipped, 1);
    // A newcomer is given the damaged one: it is kept aside, never shown.
    let mut newcomer = site.newcomer("newcomer", Role::Clinician).await;
    site.coordinator.sync().await;
    let report = synced(&mut newcomer).await;
    assert!(names(&report).iter().any(|name| ["bad-envelope", "incomplete"].contains(name)), "{report:?}");
    assert!(texts(&newcomer, chart).is_empty());
    // The server asks, whoever comes gives.
    let report = synced(&mut nurse).await;
    assert_eq!(report.relayed, 1, "{report:?}");
    for _ in 0..2 {
        synced(&mut newcomer).await;
        synced(&mut nurse).await;
    }
    assert_eq!(texts(&newcomer, chart), ["before the damage"]);
    assert_eq!(incidents(&newcomer, chart, IncidentKind::Relayed).len(), 1);
    assert!(synced(&mut newcomer).await.is_complete());
}
