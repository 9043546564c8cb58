//! The operation log.

use super::samples::{NOW, SECOND_MS, chart, device, operation, push};
use crate::limits::DEVICE_MAX_CHAINS;
use crate::{AppendError, AppendRefusal, NewOperation, NewPush, PageRequest, PlacedOperation, Store};
use tokio::task::JoinSet;
use ward_id::{EntryId, EnvelopeHash, Head, Incarnation, VersionVector};

fn page(c: u8, after: Option<u64>, limit_bytes: usize) -> PageRequest {
    PageRequest { chart: chart(c), after, limit_bytes }
}

fn indexes(placed: &[PlacedOperation]) -> Vec<u64> {
    placed.iter().map(|p| p.index).collect()
}

/// Another envelope of the same entry, as after an epoch change.
fn sealed_again(operation: &NewOperation) -> NewOperation {
    let mut again = operation.clone();
    again.bytes.push(0xff);
    again.envelope_hash = EnvelopeHash::from_bytes([0xee; 32]);
    again.epoch += 1;
    again
}

/// Indexes count from 0 without a hole.
pub async fn indexes_are_contiguous_and_pushes_whole<S: Store>(store: S) {
    let first = store.append_operations(push(1, 1, 1..=3), NOW).await.unwrap();
    assert_eq!((indexes(&first.placed), first.log_size), (vec![0, 1, 2], 3));
    let second = store.append_operations(push(2, 2, 1..=2), NOW).await.unwrap();
    assert_eq!((indexes(&second.placed), second.log_size), (vec![3, 4], 5));
    assert!(second.placed.iter().all(|p| p.new && p.received_at == NOW));
    assert_eq!(store.olog_size().await.unwrap(), 5);
}

/// The first envelope stays, in whatever envelope the entry comes again.
pub async fn a_repeat_is_answered_with_the_first_place<S: Store>(store: S) {
    let operations = push(1, 1, 1..=2);
    let first = store.append_operations(operations.clone(), NOW).await.unwrap();
    let later = NOW.plus_ms(SECOND_MS);
    let again = store.append_operations(operations.iter().map(sealed_again).collect(), later).await.unwrap();
    assert!(again.placed.iter().all(|placed| !placed.new));
    assert_eq!(again.log_size, 2);
    for (a, b) in first.placed.iter().zip(&again.placed) {
        assert_eq!(PlacedOperation { new: true, ..*b }, *a);
    }
    let kept = store.operation_at(1).await.unwrap().unwrap();
    assert_eq!(
        (kept.bytes, kept.envelope_hash, kept.epoch),
        (operations[1].bytes.clone(), operations[1].envelope_hash, 0)
    );
}

/// A push whose beginning is known appends the rest.
pub async fn known_and_new_entries_mix_in_one_push<S: Store>(store: S) {
    store.append_operations(push(1, 1, 1..=2), NOW).await.unwrap();
    store.append_operations(push(2, 1, 1..=1), NOW).await.unwrap();
    let later = NOW.plus_ms(SECOND_MS);
    let mixed = store.append_operations(push(1, 1, 2..=4), later).await.unwrap();
    assert_eq!(indexes(&mixed.placed), [1, 3, 4]);
    assert_eq!(mixed.placed.iter().map(|p| p.new).collect::<Vec<_>>(), [false, true, true]);
    let runs: Vec<_> = mixed.runs().into_iter().map(indexes).collect();
    assert_eq!(runs, [vec![1], vec![3, 4]]);
}

/// A hole is named by the place at which the chain continues.
pub async fn a_gap_names_the_next_place<S: Store>(store: S) {
    let refused = store.append_operations(push(1, 1, 2..=3), NOW).await;
    assert_eq!(refused, Err(AppendRefusal::Gap { expect: 1 }.into()));
    store.append_operations(push(1, 1, 1..=3), NOW).await.unwrap();
    let refused = store.append_operations(push(1, 1, 5..=6), NOW).await;
    assert_eq!(refused, Err(AppendRefusal::Gap { expect: 4 }.into()));
    assert_eq!(store.olog_size().await.unwrap(), 3);
    let far = store.append_operations(push(1, 1, u64::MAX - 1..=u64::MAX), NOW).await;
    assert_eq!(far, Err(AppendRefusal::Gap { expect: 4 }.into()));
}

/// A fork names the entry that stands there, wherever in the push it is.
pub async fn another_entry_at_a_place_is_a_fork<S: Store>(store: S) {
    let kept = push(1, 1, 1..=3);
    store.append_operations(kept.clone(), NOW).await.unwrap();
    let mut other = push(1, 1, 2..=4);
    other[1] = operation(1, 1, 3, 9, 300);
    let refused = store.append_operations(other, NOW).await;
    assert_eq!(refused, Err(AppendRefusal::Fork { seq: 3, entry_id: kept[2].entry_id }.into()));
    assert_eq!(store.olog_size().await.unwrap(), 3);
}

/// Pushes that are handed over together stand each for itself: a refused one takes none with it,
/// and a chain continues from one push to the next.
pub async fn pushes_together_get_their_own_answers<S: Store>(store: S) {
    let later = NOW.plus_ms(SECOND_MS);
    let new = |operations, received_at| NewPush { operations, received_at };
    let answers = store
        .append_pushes(vec![
            new(push(1, 1, 1..=2), NOW),
            new(push(2, 2, 5..=6), NOW),
            new(vec![], NOW),
            new(push(3, 3, 1..=1), later),
            new(push(1, 1, 3..=3), NOW),
        ])
        .await;
    let places = |answer: &Result<crate::Appended, AppendError>| {
        answer.as_ref().map(|appended| indexes(&appended.placed)).map_err(Clone::clone)
    };
    assert_eq!(
        answers.iter().map(places).collect::<Vec<_>>(),
        [
            Ok(vec![0, 1]),
            Err(AppendRefusal::Gap { expect: 1 }.into()),
            Err(AppendRefusal::NotOneChain.into()),
            Ok(vec![2]),
            Ok(vec![3]),
        ]
    );
    assert_eq!(answers[3].as_ref().unwrap().placed[0].received_at, later);
    assert_eq!(store.olog_size().await.unwrap(), 4);
    let head = store.chain_head(chart(1), device(1), Incarnation(1)).await.unwrap();
    assert_eq!(head, Some(Head { seq: 3, entry: push(1, 1, 3..=3)[0].entry_id }));
    assert_eq!(store.append_pushes(vec![]).await, []);
}

/// A device's chains in one chart at the limit and one past: nobody's version vector is filled up
/// by one device.
pub async fn a_device_begins_so_many_chains_in_a_chart<S: Store>(store: S) {
    let begin = |chart: u8, device: u8, life: u64| {
        let mut first = operation(chart, device, 1, 0, 300);
        first.incarnation = Incarnation(life);
        store.append_operations(vec![first], NOW)
    };
    let limit = DEVICE_MAX_CHAINS as u64;
    for life in 1..=limit {
        begin(1, 1, life).await.unwrap();
    }
    assert_eq!(begin(1, 1, u64::MAX).await, Err(AppendRefusal::TooManyChains.into()));
    let size = store.olog_size().await.unwrap();
    assert_eq!(size, limit, "nothing of it was kept");
    assert!(!begin(1, 1, limit).await.unwrap().placed[0].new, "old chains are known");
    begin(1, 2, 1).await.unwrap();
    begin(2, 1, 1).await.unwrap();
    assert_eq!(store.have(chart(1)).await.unwrap().iter().count() as u64, limit + 1);
}

/// Nothing, another chart, device or life in between, a repeat or a hole inside, or place 0.
pub async fn a_push_is_one_piece_of_one_chain<S: Store>(store: S) {
    let two = |second: NewOperation| vec![operation(1, 1, 1, 0, 300), second];
    let mut other_life = operation(1, 1, 2, 0, 300);
    other_life.incarnation = Incarnation(2);
    let bad = [
        vec![],
        two(operation(2, 1, 2, 0, 300)),
        two(operation(1, 2, 2, 0, 300)),
        two(other_life),
        two(operation(1, 1, 1, 0, 300)),
        two(operation(1, 1, 3, 0, 300)),
        vec![operation(1, 1, 0, 0, 300)],
    ];
    for push in bad {
        let refused = store.append_operations(push, NOW).await;
        assert_eq!(refused, Err(AppendError::Refused(AppendRefusal::NotOneChain)));
    }
    assert_eq!(store.olog_size().await.unwrap(), 0);
}

/// A refused push leaves no row, no chain and no hole in the indexes.
pub async fn a_refused_push_leaves_nothing<S: Store>(store: S) {
    assert!(store.append_operations(push(1, 1, 7..=9), NOW).await.is_err());
    assert_eq!(store.have(chart(1)).await.unwrap(), VersionVector::new());
    assert_eq!(store.chain_head(chart(1), device(1), Incarnation(1)).await.unwrap(), None);
    assert_eq!(store.operations_page(page(1, None, 1_000)).await.unwrap().operations.len(), 0);
    let next = store.append_operations(push(1, 1, 1..=1), NOW).await.unwrap();
    assert_eq!(indexes(&next.placed), [0]);
}

/// The chain is that of one chart, one device and one life of its store.
pub async fn chains_of_charts_devices_and_lives_are_apart<S: Store>(store: S) {
    let mut second_life = push(1, 1, 1..=1);
    second_life[0].incarnation = Incarnation(u64::MAX);
    second_life[0].entry_id = EntryId::from_bytes([0x77; 32]);
    let pushes = [push(1, 1, 1..=2), push(1, 2, 1..=1), push(2, 1, 1..=1), second_life.clone()];
    for push in pushes {
        store.append_operations(push, NOW).await.unwrap();
    }
    let mut want = VersionVector::new();
    let head = |c, d, seq| Head { seq, entry: operation(c, d, seq, 0, 300).entry_id };
    want.observe(device(1), Incarnation(1), head(1, 1, 2)).unwrap();
    want.observe(device(2), Incarnation(1), head(1, 2, 1)).unwrap();
    want.observe(device(1), Incarnation(u64::MAX), Head { seq: 1, entry: second_life[0].entry_id }).unwrap();
    assert_eq!(store.have(chart(1)).await.unwrap(), want);
    let found = store.chain_head(chart(1), device(1), Incarnation(1)).await.unwrap();
    assert_eq!(found, Some(head(1, 1, 2)));
    assert_eq!(store.chain_head(chart(2), device(2), Incarnation(1)).await.unwrap(), None);
    assert_eq!(store.have(chart(9)).await.unwrap(), VersionVector::new());
}

/// One row for each operation, and all callers get the same places.
pub async fn the_same_push_in_parallel_is_stored_once<S: Store>(store: S) {
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move { store.append_operations(push(1, 1, 1..=5), NOW).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|a| indexes(&a.placed) == [0, 1, 2, 3, 4]));
    assert_eq!(answers.iter().filter(|a| a.placed.iter().any(|placed| placed.new)).count(), 1);
    assert_eq!(store.olog_size().await.unwrap(), 5);
    assert_eq!(store.operations_page(page(1, None, usize::MAX)).await.unwrap().operations.len(), 5);
}

/// Many devices at once: each push is contiguous, each chain whole, no index is given twice.
pub async fn pushes_in_parallel_keep_chains_whole<S: Store>(store: S) {
    let mut tasks = JoinSet::new();
    for d in 0..20 {
        let store = store.clone();
        tasks.spawn(async move {
            let mut places = Vec::new();
            for begin in [1, 4, 7] {
                let done = store.append_operations(push(d % 4, d, begin..=begin + 2), NOW).await.unwrap();
                assert_eq!(done.runs().len(), 1, "new ones of one push are contiguous");
                places.extend(indexes(&done.placed));
            }
            places
        });
    }
    let mut all: Vec<u64> = tasks.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    assert_eq!(all, (0..180).collect::<Vec<_>>());
    let page = store.operations_page(page(1, None, usize::MAX)).await.unwrap();
    assert_eq!(page.operations.len(), 45);
    for d in [1, 5, 9, 13, 17] {
        let seqs: Vec<_> = page.operations.iter().filter(|o| o.device == device(d)).map(|o| o.seq).collect();
        assert_eq!(seqs, (1..=9).collect::<Vec<_>>(), "index order is chain order");
    }
}

/// Pages are in order, without overlap, within the limit, and end.
pub async fn pages_follow_the_index_and_the_limit<S: Store>(store: S) {
    for begin in [1, 3, 5, 7, 9] {
        store.append_operations(push(1, 1, begin..=begin + 1), NOW).await.unwrap();
        store.append_operations(push(2, 1, begin..=begin + 1), NOW).await.unwrap();
    }
    let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
    loop {
        let got = store.operations_page(page(1, after, 950)).await.unwrap();
        assert!(got.operations.iter().all(|o| o.chart == chart(1) && o.received_at == NOW));
        assert!(got.operations.iter().map(|o| o.bytes.len()).sum::<usize>() <= 950);
        seen.extend(got.operations.iter().map(|o| o.index));
        after = got.operations.last().map(|o| o.index);
        pages += 1;
        if !got.more {
            break;
        }
        assert_eq!(got.operations.len(), 3);
    }
    assert_eq!(seen, [0, 1, 4, 5, 8, 9, 12, 13, 16, 17]);
    assert_eq!(pages, 4);
    let one = store.operations_page(page(1, None, 0)).await.unwrap();
    assert_eq!((one.operations.len(), one.more), (1, true), "a page holds at least one operation");
    let exact = store.operations_page(page(1, Some(13), 600)).await.unwrap();
    assert_eq!((exact.operations.len(), exact.more), (2, false));
    for nothing in [page(1, Some(17), 950), page(1, Some(u64::MAX), 950), page(9, None, 950)] {
        let got = store.operations_page(nothing).await.unwrap();
        assert_eq!((got.operations.len(), got.more), (0, false));
    }
}

/// Leaves and rows stand at their index; ranges are cut to the log's end.
pub async fn leaves_and_operations_by_index<S: Store>(store: S) {
    let operations = push(1, 1, 1..=4);
    store.append_operations(operations.clone(), NOW).await.unwrap();
    let leaves: Vec<_> = operations.iter().map(|o| o.envelope_hash).collect();
    assert_eq!(store.olog_leaves(0, 4).await.unwrap(), leaves);
    assert_eq!(store.olog_leaves(1, 3).await.unwrap(), leaves[1..3]);
    assert_eq!(store.olog_leaves(3, u64::MAX).await.unwrap(), leaves[3..]);
    for (from, to) in [(4, 9), (3, 3), (3, 1), (u64::MAX, u64::MAX)] {
        assert_eq!(store.olog_leaves(from, to).await.unwrap(), []);
    }
    for (index, want) in operations.iter().enumerate() {
        let got = store.operation_at(index as u64).await.unwrap().unwrap();
        assert_eq!((got.index, got.received_at, got.epoch), (index as u64, NOW, want.epoch));
        assert_eq!((got.chart, got.device, got.incarnation), (want.chart, want.device, want.incarnation));
        assert_eq!((got.seq, got.entry_id, got.envelope_hash), (want.seq, want.entry_id, want.envelope_hash));
        assert_eq!(got.bytes, want.bytes);
    }
    assert_eq!(store.operation_at(4).await.unwrap(), None);
    assert_eq!(store.operation_at(u64::MAX).await.unwrap(), None);
}

/// Byte for byte, from nothing to the largest, with or without the ids inside.
pub async fn every_size_of_envelope_comes_back<S: Store>(store: S) {
    let sizes = [0, 1, 8, 40, 90, 120, 817, 4_096, ward_api::limits::OPERATION_MAX_BYTES];
    for (place, size_bytes) in sizes.into_iter().enumerate() {
        let mut operation = operation(1, 1, place as u64 + 1, 0, size_bytes);
        operation.epoch = u64::from(u32::MAX) + place as u64;
        store.append_operations(vec![operation.clone()], NOW).await.unwrap();
        let got = store.operation_at(place as u64).await.unwrap().unwrap();
        assert_eq!(got.bytes, operation.bytes, "{size_bytes} bytes");
        assert_eq!(got.epoch, operation.epoch);
    }
}
