//! The drop box.

use super::samples::{NOW, SECOND_MS, chart, device};
use crate::limits::{CHART_MAX_DROPS, DEVICE_MAX_DROP_BYTES, DEVICE_MAX_DROPS};
use crate::{DropDecision, DropError, DropsRequest, MlogAppend, NewDrop, Store};
use ward_api::DropState;
use ward_id::{EntryId, Subject};

/// The drop with this number of device `d` for chart `c`.
fn dropped(c: u8, d: u8, n: usize, size_bytes: usize) -> NewDrop {
    let mut entry = [d; 32];
    entry[..8].copy_from_slice(&(n as u64).to_be_bytes());
    NewDrop {
        chart: chart(c),
        device: device(d),
        entry_id: EntryId::from_bytes(entry),
        bytes: vec![d; size_bytes],
    }
}

fn all_of(charts: &[u8]) -> DropsRequest {
    DropsRequest { charts: charts.iter().map(|c| chart(*c)).collect(), after: None, limit_bytes: usize::MAX }
}

fn decision(of: &NewDrop, state: DropState) -> DropDecision {
    let (chart, device, entry_id) = (of.chart, of.device, of.entry_id);
    DropDecision { chart, device, entry_id, state, by: super::device(99), at: NOW.plus_ms(SECOND_MS) }
}

async fn listed<S: Store>(store: &S, charts: &[u8]) -> Vec<NewDrop> {
    let page = store.drops_waiting(all_of(charts)).await.unwrap();
    assert!(!page.more && page.drops.is_sorted_by(|a, b| a.number < b.number));
    page.drops.into_iter().map(|stored| stored.dropped).collect()
}

/// They wait for the charts they are of, once each, until staff decided.
pub async fn drops_wait_until_they_are_decided<S: Store>(store: S) {
    let (one, two, other) = (dropped(1, 1, 1, 10), dropped(1, 1, 2, 20), dropped(2, 2, 1, 30));
    assert_eq!(store.add_drops(vec![one.clone(), two.clone()], NOW).await, Ok(2));
    assert_eq!(store.add_drops(vec![other.clone()], NOW).await, Ok(1));
    let again = NewDrop { bytes: vec![9; 5], ..one.clone() };
    assert_eq!(store.add_drops(vec![again.clone(), two.clone()], NOW.plus_ms(1)).await, Ok(0));
    assert_eq!(listed(&store, &[1]).await, [one.clone(), two.clone()]);
    assert_eq!(listed(&store, &[1, 2]).await, [one.clone(), two.clone(), other.clone()]);
    assert_eq!(listed(&store, &[3]).await, []);
    let elsewhere = DropDecision { chart: chart(2), ..decision(&one, DropState::Adopted) };
    assert_eq!(store.decide_drop(elsewhere).await, Ok(false), "it is of another chart");
    assert_eq!(store.decide_drop(decision(&one, DropState::Adopted)).await, Ok(true));
    assert_eq!(
        store.decide_drop(decision(&one, DropState::Adopted)).await,
        Ok(true),
        "as often as one likes"
    );
    assert_eq!(store.decide_drop(decision(&two, DropState::Declined)).await, Ok(true));
    assert_eq!(store.decide_drop(decision(&dropped(1, 1, 3, 1), DropState::Adopted)).await, Ok(false));
    assert_eq!(listed(&store, &[1, 2]).await, std::slice::from_ref(&other));
    // One device's word takes nothing off the list for good: what is handed over again waits again, after
    // what came before.
    assert_eq!(store.add_drops(vec![again.clone()], NOW).await, Ok(1));
    assert_eq!(store.add_drops(vec![again.clone()], NOW).await, Ok(0), "once");
    assert_eq!(listed(&store, &[1]).await, std::slice::from_ref(&again));
    assert_eq!(listed(&store, &[1, 2]).await.last(), Some(&again), "under a new number");
    assert_eq!(store.decide_drop(decision(&again, DropState::Adopted)).await, Ok(true));
    assert_eq!(listed(&store, &[1]).await, []);
}

/// A page is cut by bytes and goes on after its last number.
pub async fn pages_of_drops_follow_the_number<S: Store>(store: S) {
    let drops: Vec<NewDrop> = (1..=5).map(|n| dropped(1 + (n % 2) as u8, 1, n, 100)).collect();
    store.add_drops(drops.clone(), NOW).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let request = DropsRequest { after, limit_bytes: 250, ..all_of(&[1, 2]) };
        let page = store.drops_waiting(request).await.unwrap();
        assert!(page.drops.len() <= 2 && !page.drops.is_empty());
        after = page.drops.last().map(|last| last.number);
        assert!(page.drops.iter().all(|stored| stored.received_at == NOW));
        seen.extend(page.drops.into_iter().map(|stored| stored.dropped));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, drops);
    // A database that is set back to now and goes on later gives no number a second time.
    let first = store.drops_waiting(all_of(&[1, 2])).await.unwrap().drops.first().map(|drop| drop.number);
    assert!(first >= u64::try_from(NOW.0).ok());
    assert!(after < u64::try_from(NOW.plus_ms(SECOND_MS).0).ok());
    let tiny = DropsRequest { limit_bytes: 1, ..all_of(&[1, 2]) };
    assert_eq!(store.drops_waiting(tiny).await.unwrap().drops.len(), 1, "at least one");
}

/// One device's share at the limit and one past, by count; a decision makes room; a refused request
/// keeps nothing. And a chart's share over its devices.
pub async fn waiting_drops_are_limited<S: Store>(store: S) {
    let of = |d: u8| (0..DEVICE_MAX_DROPS).map(move |n| dropped(1, d, n, 1)).collect::<Vec<_>>();
    assert_eq!(store.add_drops(of(1), NOW).await, Ok(DEVICE_MAX_DROPS as u64));
    let more = dropped(1, 1, DEVICE_MAX_DROPS, 1);
    let mixed = vec![dropped(1, 1, 0, 1), more.clone()];
    assert_eq!(store.add_drops(mixed.clone(), NOW).await, Err(DropError::DeviceFull));
    assert_eq!(store.add_drops(vec![dropped(1, 1, 0, 1)], NOW).await, Ok(0), "a repeat needs no room");
    assert_eq!(listed(&store, &[1]).await.len(), DEVICE_MAX_DROPS);
    store.decide_drop(decision(&dropped(1, 1, 0, 1), DropState::Declined)).await.unwrap();
    assert_eq!(store.add_drops(mixed, NOW).await, Err(DropError::DeviceFull), "a decided one waits again");
    assert_eq!(store.add_drops(vec![more], NOW).await, Ok(1));
    assert_eq!(CHART_MAX_DROPS, 2 * DEVICE_MAX_DROPS);
    assert_eq!(store.add_drops(of(2), NOW).await, Ok(DEVICE_MAX_DROPS as u64), "the chart is full now");
    assert_eq!(store.add_drops(vec![dropped(1, 3, 0, 1)], NOW).await, Err(DropError::ChartFull));
    assert_eq!(store.add_drops(vec![dropped(2, 3, 0, 1)], NOW).await, Ok(1), "the next chart is not");
}

/// Bytes are counted as well as drops, at the limit and one past.
pub async fn bytes_of_waiting_drops_are_limited<S: Store>(store: S) {
    let part = DEVICE_MAX_DROP_BYTES / 16;
    for n in 0..15 {
        store.add_drops(vec![dropped(1, 1, n, part)], NOW).await.unwrap();
    }
    let past = dropped(1, 1, 15, part + 1);
    assert_eq!(store.add_drops(vec![past], NOW).await, Err(DropError::DeviceFull));
    assert_eq!(store.add_drops(vec![dropped(1, 1, 15, part)], NOW).await, Ok(1), "at the limit");
    assert_eq!(store.add_drops(vec![dropped(1, 1, 16, 1)], NOW).await, Err(DropError::DeviceFull));
    assert_eq!(store.add_drops(vec![dropped(1, 2, 1, part)], NOW).await, Ok(1), "another device goes on");
}

/// What was decided goes after its time, what waits never does; and a revocation takes nothing.
pub async fn decided_drops_run_out_and_waiting_ones_stay<S: Store>(store: S) {
    let (one, two) = (dropped(1, 1, 1, 10), dropped(1, 1, 2, 10));
    store.add_drops(vec![one.clone(), two.clone()], NOW).await.unwrap();
    store.decide_drop(decision(&one, DropState::Adopted)).await.unwrap();
    let decided_at = NOW.plus_ms(SECOND_MS);
    assert_eq!(store.purge_drops(decided_at.plus_ms(-1)).await, Ok(0));
    assert_eq!(store.purge_drops(decided_at).await, Ok(1));
    assert_eq!(store.purge_drops(decided_at.plus_ms(i64::from(i32::MAX))).await, Ok(0));
    let entry = MlogAppend {
        expected_size: 0,
        subject: Subject::from(chart(1)),
        entry_hash: super::samples::mlog_hash(b"revoke"),
        bytes: b"revoke".to_vec(),
        package: None,
        ended_devices: vec![device(1)],
        received_at: NOW,
    };
    store.append_mlog(entry).await.unwrap();
    assert_eq!(listed(&store, &[1]).await, [two]);
}
