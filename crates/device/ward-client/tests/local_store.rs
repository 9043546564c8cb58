//! The local store: nothing readable in it, nothing lost at any crash, and no way back.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world has failed")]

use ward_client::{ClientError, DeviceState, DraftKey, SyncProblem};
use ward_sync::Note;
use ward_testkit::{MemoryRows, Site, TestDevice};

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), supersedes: vec![] }
}

fn texts(device: &TestDevice) -> Vec<String> {
    let view = device.client.chart(device.chart()).unwrap();
    let mut texts: Vec<String> = view
        .notes()
        .iter()
        .flat_map(|thread| &thread.current)
        .map(|written| written.value.text.clone())
        .collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn canary_rt_41_nothing_readable_stands_in_the_local_store() {
    let mut site = Site::small(11).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let canary = "CANARY-7f3a-kingfisher";
    patient.client.capture(chart, note(canary)).await.unwrap();
    let key = DraftKey {
        chart,
        instrument_url: format!("https://example.org/{canary}"),
        instrument_version: "1".to_owned(),
        occurrence: canary.to_owned(),
        amends: None,
    };
    patient.client.save_draft(&key, canary.as_bytes()).await.unwrap();
    patient.sync().await;
    let bytes = patient.rows.all_bytes();
    assert!(bytes.len() > 10_000, "the store was looked at");
    assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()));
    for exchange in patient.relay.record() {
        let body = exchange.response.map(|response| response.body).unwrap_or_default();
        for side in [&exchange.request.body, &body, &exchange.request.path.clone().into_bytes()] {
            assert!(!side.windows(canary.len()).any(|window| window == canary.as_bytes()));
        }
    }
    patient.restart().await;
    assert_eq!(patient.client.draft(&key), Some(canary.as_bytes()));
    assert_eq!(texts(&patient), [canary]);
    patient.client.drop_draft(&key).await.unwrap();
    patient.restart().await;
    assert_eq!(patient.client.draft(&key), None);
}

#[tokio::test]
async fn drafts_are_listed_kept_apart_and_gone_with_the_answers() {
    let mut site = Site::small(17).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    let earlier = patient.client.capture(chart, note("first")).await.unwrap();
    let new = DraftKey {
        chart,
        instrument_url: "https://example.org/diary".to_owned(),
        instrument_version: "1".to_owned(),
        occurrence: "2026-03-02".to_owned(),
        amends: None,
    };
    let correction = DraftKey { amends: Some(earlier), ..new.clone() };
    patient.client.save_draft(&new, b"new").await.unwrap();
    patient.client.save_draft(&correction, b"correction").await.unwrap();
    patient.restart().await;
    assert_eq!(patient.client.draft(&new), Some(b"new".as_slice()));
    assert_eq!(patient.client.draft(&correction), Some(b"correction".as_slice()));
    let listed = patient.client.drafts();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|draft| draft.key == correction) && listed[0].name != listed[1].name);

    // The answers and the end of their draft are one commit.
    patient.client.submit_draft(&new, ward_sync::Draft::new(note("answers"))).await.unwrap();
    patient.restart().await;
    assert_eq!(patient.client.drafts().into_iter().map(|draft| draft.key).collect::<Vec<_>>(), [correction]);
    assert_eq!(texts(&patient), ["answers", "first"]);
}

/// A day of a device: two notes, a sync between them, one after.
async fn a_day(device: &mut TestDevice, confirmed: &mut Vec<String>) -> Result<(), ClientError> {
    let chart = device.chart();
    for text in ["one", "two", "three"] {
        if !confirmed.iter().any(|known| known == text) {
            device.client.capture(chart, note(text)).await?;
            confirmed.push(text.to_owned());
        }
        device.client.sync().await?;
        if device.client.state() == DeviceState::Locked {
            return Err(ClientError::Locked);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_crash_at_every_commit_loses_nothing_that_was_confirmed() {
    let mut site = Site::small(12).await;
    let mut patient = site.patient("ada").await;
    let mut nurse = site.staff("nurse", ward_crypto::Role::Clinician).await;
    site.coordinator.sync().await;
    let mut round = 0;
    loop {
        round += 1;
        let mut confirmed = Vec::new();
        patient.rows.fail_at_commit(round);
        let done = a_day(&mut patient, &mut confirmed).await;
        let reached = patient.rows.failed();
        patient.rows.heal();
        patient.restart().await;
        assert_ne!(
            patient.client.state(),
            DeviceState::SetBack,
            "a crash is not a rollback (commit {round})"
        );
        assert!(done.is_ok() || reached, "only the crash stops the day: {done:?}");
        let mut again = confirmed.clone();
        a_day(&mut patient, &mut again).await.unwrap();
        patient.sync().await;
        nurse.sync().await;
        let (here, there) = (texts(&patient).len(), {
            let view = nurse.client.chart(patient.chart()).unwrap();
            assert!(view.accounting().balances());
            assert!(nurse.client.charts().iter().all(|chart| !chart.incomplete));
            view.notes().len()
        });
        assert_eq!(
            (here, there),
            (round as usize * 3, round as usize * 3),
            "after a crash at commit {round}"
        );
        if !reached {
            break;
        }
    }
    assert!(round > 10, "a day has more than {round} commits");
}

#[tokio::test]
async fn rt_43_a_restored_snapshot_syncs_before_it_writes() {
    let mut site = Site::small(43).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    patient.client.capture(chart, note("first")).await.unwrap();
    patient.sync().await;
    patient.client.capture(chart, note("waits in the backup")).await.unwrap();
    let backup = patient.rows.snapshot();
    patient.sync().await;
    patient.client.capture(chart, note("after the backup")).await.unwrap();
    patient.sync().await;

    patient.restart_with(&backup).await;
    assert_eq!(patient.client.state(), DeviceState::SetBack);
    let refused = patient.client.capture(chart, note("too early")).await;
    assert_eq!(refused, Err(ClientError::StoreSetBack));
    patient.relay.set_offline(true);
    patient.client.sync().await.unwrap();
    assert_eq!(patient.client.state(), DeviceState::SetBack, "only the server can say what is missing");
    patient.relay.set_offline(false);
    let report = patient.client.sync().await.unwrap();
    assert!(report.problems.contains(&SyncProblem::LocalRollback), "{report:?}");
    assert_eq!(patient.client.state(), DeviceState::Ready);
    patient.client.capture(chart, note("in a new life")).await.unwrap();
    patient.sync().await;
    site.coordinator.sync().await;
    let expected = ["after the backup", "first", "in a new life", "waits in the backup"];
    assert_eq!(texts(&patient), expected);
    let view = site.coordinator.client.chart(chart).unwrap();
    assert_eq!(view.notes().len(), 4);
    assert_eq!(view.incarnations().len(), 1, "the new life names the old one");
    assert!(view.timeline().iter().all(|item| !item.forked));
}

/// The table of the room that is kept for submissions.
const RESERVE: u8 = 30;

#[tokio::test]
async fn rt_43_swapped_rows_are_refused() {
    let mut site = Site::small(44).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    for text in ["one", "two"] {
        patient.client.capture(chart, note(text)).await.unwrap();
    }
    patient.sync().await;
    let ids = patient.rows.ids();
    let mut swapped = 0;
    for pair in ids.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[0].0 != 0) {
        let copy: MemoryRows = patient.rows.snapshot();
        assert!(copy.swap_contents(pair[0].0, &pair[0].1, &pair[1].1));
        let original = patient.rows.clone();
        patient.rows = copy;
        let refused = patient.try_restart().await;
        if pair[0].0 == RESERVE {
            // The reserve holds nothing: only whether its rows are there is looked at.
            assert_eq!(refused, Ok(()));
        } else {
            assert!(
                matches!(refused, Err(ClientError::StoreDamaged { .. })),
                "table {}: {refused:?}",
                pair[0].0
            );
        }
        patient.rows = original;
        swapped += 1;
    }
    assert!(swapped > 3, "{swapped} pairs were tried");
}

#[tokio::test]
async fn a_copied_store_forks_and_both_sides_are_kept() {
    let mut site = Site::small(45).await;
    let mut patient = site.patient("ada").await;
    let chart = patient.chart();
    patient.client.capture(chart, note("common")).await.unwrap();
    patient.sync().await;
    let mut copy = patient.cloned().await;
    copy.key = patient.key.clone();
    patient.client.capture(chart, note("on the phone")).await.unwrap();
    copy.client.capture(chart, note("on the copy")).await.unwrap();
    patient.sync().await;
    let report = copy.client.sync().await.unwrap();
    assert!(report.problems.contains(&SyncProblem::OwnFork { chart }), "{report:?}");
    copy.sync().await;
    site.coordinator.sync().await;
    let view = site.coordinator.client.chart(chart).unwrap();
    assert_eq!(view.notes().len(), 3, "nothing that was written is lost");
}
