//! The program is killed, or the disk is full, at each commit of a device's day.

use crate::crowd::{Crowd, note, texts};
use ward_client::{ClientError, DeviceState, Growth, RowStoreError};
use ward_testkit::TestDevice;

/// Writes two notes, meets the server between them and afterwards. What was confirmed is noted.
async fn a_day(device: &mut TestDevice, round: u64, confirmed: &mut Vec<String>) -> Result<(), ClientError> {
    let chart = device.chart();
    for part in ["morning", "evening"] {
        let text = format!("{part} {round}");
        if !confirmed.contains(&text) {
            device.client.capture(chart, note(&text)).await?;
            confirmed.push(text);
        }
        device.client.sync().await?;
        if device.client.state() == DeviceState::Locked {
            return Err(ClientError::Locked);
        }
    }
    Ok(())
}

/// Old or new, never half: the chart holds what was confirmed and at most the one entry that was
/// under way, and the chain and the view say the same.
fn is_old_or_new(device: &TestDevice, confirmed: &[String]) {
    let held = texts(device, device.chart());
    assert!(confirmed.iter().all(|text| held.contains(text)), "{held:?} lacks one of {confirmed:?}");
    assert!(held.len() <= confirmed.len() + 1, "{held:?}");
    let view = device.client.chart(device.chart()).unwrap();
    assert!(view.accounting().balances());
    let me = device.device();
    let mut places: Vec<u64> = view
        .timeline()
        .iter()
        .map(|item| item.entry.frame())
        .filter(|frame| frame.device == me)
        .map(|frame| frame.seq)
        .collect();
    places.sort_unstable();
    assert_eq!(places, (1..=places.len() as u64).collect::<Vec<_>>(), "no place is missing or given twice");
}

async fn killed_at_every_commit(seed: u64, devices: usize, days_offline: i64) {
    let mut crowd = Crowd::new(seed, devices).await;
    let chart = crowd.patient.chart();
    let mut all = Vec::new();
    for round in 1.. {
        crowd.patient.relay.set_offline(days_offline > 0);
        let mut confirmed = Vec::new();
        crowd.patient.rows.fail_at_commit(round);
        let _ended = a_day(&mut crowd.patient, round, &mut confirmed).await;
        let reached = crowd.patient.rows.failed();
        crowd.patient.rows.heal();
        crowd.patient.restart().await;
        assert_ne!(crowd.patient.client.state(), DeviceState::SetBack, "a kill is no rollback");
        let mut known = all.clone();
        known.extend(confirmed.iter().cloned());
        is_old_or_new(&crowd.patient, &known);
        crowd.site.clock.advance_days(days_offline);
        crowd.patient.relay.set_offline(false);
        // The person looks what is there and writes what is not.
        let held = texts(&crowd.patient, chart);
        let mut again: Vec<String> = ["morning", "evening"]
            .map(|part| format!("{part} {round}"))
            .into_iter()
            .filter(|text| held.contains(text))
            .collect();
        a_day(&mut crowd.patient, round, &mut again).await.unwrap();
        all.extend(again);
        crowd.settle().await;
        crowd.agree_on(chart, &all);
        if !reached {
            assert!(round > 4, "a day has more than {round} commits");
            return;
        }
    }
}

#[tokio::test]
async fn fault_01_a_kill_at_every_commit_leaves_the_old_or_the_new_state() {
    killed_at_every_commit(101, 1, 0).await;
}

#[tokio::test]
async fn fault_01_a_kill_at_every_commit_among_five_devices() {
    killed_at_every_commit(102, 5, 0).await;
}

#[tokio::test]
async fn fault_01_a_kill_at_every_commit_while_offline_for_30_days() {
    killed_at_every_commit(103, 1, 30).await;
}

async fn full_at_every_commit(seed: u64, devices: usize, days_offline: i64) {
    let mut crowd = Crowd::new(seed, devices).await;
    let chart = crowd.patient.chart();
    let mut all = Vec::new();
    for round in 1.. {
        crowd.patient.relay.set_offline(days_offline > 0);
        let mut confirmed = Vec::new();
        crowd.patient.rows.full_at_commit(round);
        let ended = a_day(&mut crowd.patient, round, &mut confirmed).await;
        let reached = crowd.patient.rows.failed();
        if reached {
            // Work of the device's own that found no room is done at another time.
            let refused = |error: &ClientError| {
                matches!(
                    error,
                    ClientError::NoRoom(_) | ClientError::Store(RowStoreError::Full) | ClientError::Locked
                )
            };
            assert!(ended.as_ref().err().is_none_or(refused), "{ended:?}");
            // The disk is still full: everything is readable, nothing is confirmed.
            crowd.patient.restart().await;
            let before = texts(&crowd.patient, chart);
            let refused = crowd.patient.client.capture(chart, note("no room")).await;
            let no_room = |error: &ClientError| {
                matches!(error, ClientError::NoRoom(Growth::Text) | ClientError::Store(RowStoreError::Full))
            };
            assert!(refused.as_ref().err().is_some_and(no_room), "{refused:?}");
            crowd.patient.client.unlock().await.unwrap();
            assert_eq!(texts(&crowd.patient, chart), before, "what was refused is not there");
        }
        // Space is back: the same program goes on.
        crowd.patient.rows.heal();
        crowd.patient.client.unlock().await.unwrap();
        assert_eq!(crowd.patient.client.state(), DeviceState::Ready);
        let mut known = all.clone();
        known.extend(confirmed.iter().cloned());
        let mut held = texts(&crowd.patient, chart);
        known.sort();
        held.sort();
        assert_eq!(held, known, "exactly what was confirmed");
        crowd.site.clock.advance_days(days_offline);
        crowd.patient.relay.set_offline(false);
        a_day(&mut crowd.patient, round, &mut confirmed).await.unwrap();
        all.extend(confirmed);
        crowd.settle().await;
        crowd.agree_on(chart, &all);
        if !reached {
            assert!(round > 4, "a day has more than {round} commits");
            return;
        }
    }
}

#[tokio::test]
async fn fault_09_a_full_disk_confirms_nothing_and_loses_nothing() {
    full_at_every_commit(901, 1, 0).await;
}

#[tokio::test]
async fn fault_09_a_full_disk_among_five_devices() {
    full_at_every_commit(902, 5, 0).await;
}

#[tokio::test]
async fn fault_09_a_full_disk_while_offline_for_30_days() {
    full_at_every_commit(903, 1, 30).await;
}
