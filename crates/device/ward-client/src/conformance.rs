//! What every [`RowStore`](crate::RowStore) must do, as tests that an implementation runs with
//! [`row_store_conformance!`](crate::row_store_conformance).

use crate::{Row, RowStore, RowWrite, WriteBatch};
use std::future::Future;
use std::task::{Context, Poll, Waker};

/// Runs a future to its end on this thread, for stores that need no runtime.
pub fn run_to_end<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
        std::thread::yield_now();
    }
}

fn row(id: &[u8], version: u64, sealed: &[u8]) -> Row {
    Row { id: id.to_vec(), version, sealed: sealed.to_vec() }
}

fn put(table: u8, row: Row) -> RowWrite {
    RowWrite::Put { table, row }
}

/// What a broken expectation says; empty when the store behaves.
type Verdict = Result<(), String>;

fn expect(holds: bool, what: &str) -> Verdict {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// A written row comes back byte for byte; a second write replaces it.
pub async fn reads_back_what_was_written<S: RowStore>(store: S) -> Verdict {
    let said = |error: crate::RowStoreError| error.to_string();
    expect(store.get(1, b"a").await.map_err(said)?.is_none(), "an empty store holds no row")?;
    let first = row(b"a", 1, &[0, 255, 7]);
    store.commit(WriteBatch { writes: vec![put(1, first.clone())] }).await.map_err(said)?;
    expect(store.get(1, b"a").await.map_err(said)? == Some(first), "the row comes back")?;
    expect(store.get(2, b"a").await.map_err(said)?.is_none(), "tables are apart")?;
    let has = [(1, &b"a"[..]), (2, b"a"), (1, b"b")];
    for (table, id) in has {
        let told = store.has(table, id).await.map_err(said)?;
        expect(told == store.get(table, id).await.map_err(said)?.is_some(), "a row that is there is told")?;
    }
    let second = row(b"a", 2, &[]);
    store.commit(WriteBatch { writes: vec![put(1, second.clone())] }).await.map_err(said)?;
    expect(store.get(1, b"a").await.map_err(said)? == Some(second), "the later write holds")
}

/// A scan gives the rows of one table in the order of their ids.
pub async fn scans_in_order_of_ids<S: RowStore>(store: S) -> Verdict {
    let said = |error: crate::RowStoreError| error.to_string();
    let ids: [&[u8]; 5] = [b"b", b"", b"a\0", b"\xff", b"a"];
    let writes = ids.iter().map(|id| put(3, row(id, 1, id))).chain([put(4, row(b"a", 1, b"other"))]);
    store.commit(WriteBatch { writes: writes.collect() }).await.map_err(said)?;
    let found: Vec<Vec<u8>> = store.scan(3).await.map_err(said)?.into_iter().map(|row| row.id).collect();
    let sorted: [&[u8]; 5] = [b"", b"a", b"a\0", b"b", b"\xff"];
    expect(found == sorted, "ordered by bytes, this table only")
}

/// Changes of a batch apply in order; a delete of an absent row is no error.
pub async fn applies_a_batch_in_order<S: RowStore>(store: S) -> Verdict {
    let said = |error: crate::RowStoreError| error.to_string();
    let delete = |id: &[u8]| RowWrite::Delete { table: 1, id: id.to_vec() };
    let writes =
        vec![put(1, row(b"x", 1, b"1")), delete(b"x"), put(1, row(b"x", 1, b"2")), delete(b"absent")];
    store.commit(WriteBatch { writes }).await.map_err(said)?;
    let found = store.get(1, b"x").await.map_err(said)?;
    expect(found.is_some_and(|row| row.sealed == b"2"), "the last change holds")?;
    store.commit(WriteBatch { writes: vec![delete(b"x")] }).await.map_err(said)?;
    expect(store.scan(1).await.map_err(said)?.is_empty(), "deleted rows are gone")?;
    store.commit(WriteBatch::default()).await.map_err(said)
}

/// Large rows and many rows are kept.
pub async fn keeps_large_and_many_rows<S: RowStore>(store: S) -> Verdict {
    let said = |error: crate::RowStoreError| error.to_string();
    let large = row(b"large", 9, &vec![0xa5; 1 << 20]);
    let many = (0..1_000u32).map(|i| put(6, row(&i.to_be_bytes(), u64::MAX >> 1, b"s")));
    let writes = [put(5, large.clone())].into_iter().chain(many).collect();
    store.commit(WriteBatch { writes }).await.map_err(said)?;
    expect(store.get(5, b"large").await.map_err(said)? == Some(large), "a MiB comes back")?;
    let found = store.scan(6).await.map_err(said)?;
    expect(found.len() == 1_000 && found.iter().all(|row| row.version == u64::MAX >> 1), "every row is there")
}

/// Makes the tests of one implementation. The argument is an expression that makes an empty
/// store; it is evaluated once a test.
///
/// ```
/// mod memory {
///     // In a test module of the implementation:
///     // ward_client::row_store_conformance!(MyRowStore::empty());
/// }
/// ```
#[macro_export]
macro_rules! row_store_conformance {
    ($make:expr) => {
        $crate::row_store_conformance!(@each $make;
            reads_back_what_was_written,
            scans_in_order_of_ids,
            applies_a_batch_in_order,
            keeps_large_and_many_rows
        );
    };
    (@each $make:expr; $($name:ident),+) => {$(
        #[test]
        fn $name() {
            let verdict = $crate::conformance::run_to_end($crate::conformance::$name($make));
            assert_eq!(verdict, Ok(()));
        }
    )+};
}
