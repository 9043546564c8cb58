//! The sequencer's pure part: it never signs two roots for one size, whatever was lost.

use crate::fixture::*;
use std::collections::BTreeMap;
use ward_audit::*;

#[derive(Default, Clone)]
struct Store(BTreeMap<TilePath, Vec<u8>>);

impl TileSource for Store {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        self.0.get(&TilePath::new(TileKind::Hashes(level), index, width).unwrap()).cloned()
    }
}

impl Store {
    fn write(&mut self, tiles: Vec<Tile>) {
        self.0.extend(tiles.into_iter().map(|tile| (tile.path, tile.bytes)));
    }
}

fn origin() -> SignerName {
    ORIGIN.parse().unwrap()
}

fn built(leaves: &[Vec<u8>]) -> (LogBuilder, Store) {
    let mut builder = LogBuilder::new(origin(), None).unwrap();
    let mut store = Store::default();
    store.write(builder.append(leaves).unwrap());
    (builder, store)
}

#[test]
fn a_log_grows_and_signs() {
    let log = TestLog::new(700);
    let mut builder = LogBuilder::new(origin(), None).unwrap();
    let mut store = Store::default();
    for (n, leaves) in log.leaves.chunks(100).enumerate() {
        store.write(builder.append(leaves).unwrap());
        let pending = builder.prepare_checkpoint().unwrap();
        assert_eq!(builder.max_signed(), Some(pending.head()));
        let note = pending.persisted(&log_signer()).unwrap();
        assert_eq!(note, log.signed((n + 1) * 100));
        let checkpoint = Checkpoint::verify(&note, &log_key()).unwrap();
        assert_eq!(verify_log(&log.leaves[..(n + 1) * 100], &checkpoint), Ok(()));
    }
    // The same head again is no new statement.
    assert_eq!(builder.prepare_checkpoint().unwrap().head(), log.head(700));
    let resumed = LogBuilder::resume(origin(), &store, 700, builder.max_signed()).unwrap();
    assert_eq!(resumed.head(), log.head(700));
    let stranger = TestSigner::new("stranger", 1);
    let refused = builder.prepare_checkpoint().unwrap().persisted(&stranger);
    assert_eq!(refused, Err(CheckpointError::OtherOrigin));
}

#[test]
fn lost_leaves_stop_the_signing_until_they_are_back() {
    let log = TestLog::new(700);
    let (_, store) = built(&log.leaves[..300]);
    let signed = log.head(500);
    let mut builder = LogBuilder::resume(origin(), &store, 300, Some(signed)).unwrap();
    let behind = LogBuilderError::BehindSigned { size: 300, signed_size: 500 };
    assert_eq!(builder.prepare_checkpoint().map(|_| ()), Err(behind));
    builder.append(&log.leaves[300..450]).unwrap();
    assert!(builder.prepare_checkpoint().is_err());
    // The true leaves bring it back; other leaves are refused at the signed size.
    let mut wrong = log.leaves[450..600].to_vec();
    wrong[10] = b"another".to_vec();
    let before = builder.head();
    assert!(matches!(builder.append(&wrong), Err(LogBuilderError::Forked { size: 500, .. })));
    assert_eq!(builder.head(), before, "a refused batch changes nothing");
    builder.append(&log.leaves[450..600]).unwrap();
    assert_eq!(builder.prepare_checkpoint().unwrap().head(), log.head(600));
}

#[test]
fn another_root_at_a_signed_size_is_refused() {
    let log = TestLog::new(700);
    let mut other = log.clone();
    other.leaves[20] = b"another".to_vec();
    let (_, store) = built(&other.leaves);
    let refused = |size, signed| {
        let result = LogBuilder::resume(origin(), &store, size, Some(signed)).map(|_| ());
        matches!(result, Err(LogBuilderError::Forked { .. }))
    };
    assert!(refused(700, log.head(700)), "at the signed size");
    assert!(refused(700, log.head(650)), "beyond it");
    assert!(refused(700, log.head(21)));
    assert!(!refused(700, log.head(20)), "the change is younger than the signed head");
    let empty = LogBuilder::new(origin(), Some(TreeHead { size: 0, root: log.head(1).root }));
    assert!(matches!(empty, Err(LogBuilderError::Forked { .. })));
    let mut fresh = LogBuilder::new(origin(), Some(log.head(10))).unwrap();
    assert!(matches!(fresh.append(&other.leaves[11..30]), Err(LogBuilderError::Forked { size: 10, .. })));
}

#[test]
fn a_witness_that_knows_more_stops_the_signing() {
    let log = TestLog::new(20);
    let (mut builder, _) = built(&log.leaves[..10]);
    builder.witnessed(12);
    builder.witnessed(11);
    let behind = LogBuilderError::BehindSigned { size: 10, signed_size: 12 };
    assert_eq!(builder.prepare_checkpoint().map(|_| ()), Err(behind));
    builder.append(&log.leaves[10..12]).unwrap();
    assert!(builder.prepare_checkpoint().is_ok());
}

#[test]
fn missing_tiles_are_named_on_resume() {
    let log = TestLog::new(600);
    let (_, store) = built(&log.leaves);
    for path in store.0.keys().filter(|path| !path.is_full()) {
        let mut damaged = store.clone();
        damaged.0.remove(path);
        let missing = LogBuilderError::Tile(TileError::Missing { path: *path });
        assert_eq!(LogBuilder::resume(origin(), &damaged, 600, None).map(|_| ()), Err(missing));
    }
    let mut damaged = store.clone();
    damaged.0.retain(|path, _| !path.is_full());
    let refused = LogBuilder::resume(origin(), &damaged, 600, Some(log.head(100))).map(|_| ());
    assert!(matches!(refused, Err(LogBuilderError::Node(_))));
}

#[test]
fn the_largest_log_takes_no_more() {
    struct Zeros;
    impl TileSource for Zeros {
        fn tile(&self, _: u8, _: u64, width: u16) -> Option<Vec<u8>> {
            Some(vec![0; usize::from(width) * 32])
        }
    }
    let mut builder = LogBuilder::resume(origin(), &Zeros, limits::TREE_SIZE_MAX - 1, None).unwrap();
    assert!(matches!(builder.append(&[b"a", b"b"]), Err(LogBuilderError::TooLarge)));
    assert!(builder.append(&[b"a"]).is_ok());
    assert_eq!(builder.head().size, limits::TREE_SIZE_MAX);
    assert!(matches!(builder.append(&[b"b"]), Err(LogBuilderError::TooLarge)));
    assert!(builder.prepare_checkpoint().is_ok());
}

#[test]
fn a_full_rebuild_finds_every_change() {
    let log = TestLog::new(50);
    let checkpoint = log.checkpoint(50);
    assert_eq!(verify_log(&log.leaves, &checkpoint), Ok(()));
    for n in 0..50 {
        let mut changed = log.leaves.clone();
        changed[n][0] ^= 1;
        assert!(matches!(verify_log(&changed, &checkpoint), Err(VerifyLogError::Root { .. })));
        changed.remove(n);
        assert_eq!(verify_log(&changed, &checkpoint), Err(VerifyLogError::Size { expected: 50, got: 49 }));
    }
}
