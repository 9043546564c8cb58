//! Tiles: written while appending, read back for proofs.

use crate::fixture::*;
use std::collections::BTreeMap;
use ward_audit::*;

#[derive(Default)]
struct Store {
    tiles: BTreeMap<TilePath, Vec<u8>>,
}

impl Store {
    fn write(&mut self, tiles: Vec<Tile>) {
        self.tiles.extend(tiles.into_iter().map(|tile| (tile.path, tile.bytes)));
    }

    /// A log in tiles, appended in batches.
    fn filled(count: usize, batch: usize) -> (Self, TileEdge) {
        let (mut store, mut edge) = (Self::default(), TileEdge::new());
        for leaves in TestLog::new(count).leaves.chunks(batch) {
            store.write(edge.append_leaves(leaves));
        }
        (store, edge)
    }
}

impl TileSource for Store {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        self.tiles.get(&TilePath::new(TileKind::Hashes(level), index, width).unwrap()).cloned()
    }
}

fn path(level: u8, index: u64, width: u16) -> TilePath {
    TilePath::new(TileKind::Hashes(level), index, width).unwrap()
}

/// The examples of the tlog-tiles text: sizes 256 and 70,000.
#[test]
fn a_tree_has_the_tiles_that_the_format_names() {
    assert_eq!(tiles_for_growth(0, 256), [path(0, 0, 256), path(1, 0, 1)]);
    let tiles = tiles_for_growth(0, 70_000);
    let full =
        |level| tiles.iter().filter(|tile| tile.kind() == TileKind::Hashes(level) && tile.is_full()).count();
    assert_eq!((full(0), full(1), full(2)), (273, 1, 0));
    let partial: Vec<_> = tiles.iter().filter(|tile| !tile.is_full()).copied().collect();
    assert_eq!(partial, [path(0, 273, 112), path(1, 1, 17), path(2, 0, 1)]);
    assert!(tiles_for_growth(70_000, 70_000).is_empty());
    assert!(tiles_for_growth(0, 0).is_empty());
}

#[test]
fn every_batch_writes_exactly_the_tiles_that_changed() {
    for batch in [1, 7, 255, 256, 257, 1_000] {
        let mut edge = TileEdge::new();
        for leaves in TestLog::new(1_600).leaves.chunks(batch) {
            let before = edge.size();
            let mut written: Vec<_> = edge.append_leaves(leaves).iter().map(|tile| tile.path).collect();
            let mut expected = tiles_for_growth(before, edge.size());
            written.sort_unstable();
            expected.sort_unstable();
            assert_eq!(written, expected, "{before} to {}", edge.size());
        }
    }
}

#[test]
fn tiles_carry_every_proof() {
    let count = 66_000;
    let (store, edge) = Store::filled(count, 997);
    let log = TestLog::new(count);
    let tree = log.tree();
    assert_eq!(edge.root(), tree.root());
    let reader = TileReader::new(&store, count as u64);
    assert_eq!(reader.root(), Ok(tree.root()));
    for index in (0..count as u64).step_by(611).chain([255, 256, 65_535, 65_536, count as u64 - 1]) {
        let proof = inclusion_proof(&reader, index, count as u64).unwrap();
        assert_eq!(proof, inclusion_proof(&tree, index, count as u64).unwrap());
        let old = index + 1;
        let proof = consistency_proof(&reader, old, count as u64);
        assert_eq!(proof, consistency_proof(&tree, old, count as u64));
        assert_eq!(root_at(&reader, old), root_at(&tree, old));
    }
}

#[test]
fn an_edge_read_back_goes_on_as_if_nothing_happened() {
    for count in [0, 1, 255, 256, 257, 511, 512, 600] {
        let (store, mut edge) = Store::filled(count, 100);
        let mut read = TileEdge::from_tiles(&store, count as u64).unwrap();
        assert_eq!(read, edge, "{count}");
        let more = TestLog::new(count + 300).leaves.split_off(count);
        assert_eq!(read.append_leaves(&more), edge.append_leaves(&more));
        assert_eq!(read.root(), TestLog::new(count + 300).tree().root());
    }
}

#[test]
fn a_deleted_partial_tile_is_read_from_the_full_one() {
    let (mut store, _) = Store::filled(300, 100);
    store.tiles.retain(|path, _| path.is_full() || *path == self::path(1, 0, 1));
    assert_eq!(TileReader::new(&store, 256).root(), Ok(TestLog::new(256).tree().root()));
    let reader = TileReader::new(&store, 200);
    assert_eq!(reader.root(), Ok(TestLog::new(200).tree().root()));
    let gone = TileError::Missing { path: path(0, 1, 44) };
    assert_eq!(TileEdge::from_tiles(&store, 300), Err(gone));
}

#[test]
fn tiles_of_a_wrong_length_and_changed_tiles_are_noticed() {
    let (store, edge) = Store::filled(300, 300);
    for (changed, bytes) in &store.tiles {
        for cut in [bytes[1..].to_vec(), [bytes.as_slice(), &[0]].concat(), vec![]] {
            let mut damaged = Store { tiles: store.tiles.clone() };
            damaged.tiles.insert(*changed, cut);
            // Size 300 needs the full tile only through its root at level 1; size 299 reads it.
            let read = TileReader::new(&damaged, 300).root().is_ok()
                && inclusion_proof(&TileReader::new(&damaged, 300), 5, 300).is_ok();
            assert!(!read, "{changed}");
        }
        for bit in (0..bytes.len() * 8).step_by(97) {
            let mut damaged = Store { tiles: store.tiles.clone() };
            if let Some(tile) = damaged.tiles.get_mut(changed) {
                tile[bit / 8] ^= 1 << (bit % 8);
            }
            let reader = TileReader::new(&damaged, 300);
            let index = match (changed.kind(), changed.index()) {
                (TileKind::Hashes(0), 0) => bit as u64 / 256,
                (TileKind::Hashes(0), _) => 256 + bit as u64 / 256,
                // The root of the first tile is a sibling of every leaf behind it.
                _ => 256,
            };
            let proof = inclusion_proof(&reader, index, 300).unwrap();
            // The changed hash stands in the root, in the proof, or is the leaf itself.
            let leaf = reader.node(0, index).unwrap();
            let holds = verify_inclusion(index, 300, &leaf, &edge.root(), &proof);
            assert_eq!(holds, Err(ProofError::RootMismatch), "{changed} bit {bit}");
        }
    }
}
