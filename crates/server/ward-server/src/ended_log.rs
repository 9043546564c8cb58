//! Operation logs that ended, as far as the database still holds them. Their tiles are gone; their
//! leaves stand at the front of the log that counts, in their old order, behind a leaf of its own. From
//! them the old tree is built again under the head that the membership log says was kept, so that a
//! device can check for ever that an entry of a revoked device stood before its cut-off.

use crate::App;
use crate::log_tiles::LogReadError;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use ward_audit::limits::TILE_WIDTH;
use ward_audit::{
    MemoryTree, NodeHash, TileReader, TileSource, TreeHead, inclusion_proof, leaf_hash, olog_leaf,
};
use ward_id::EnvelopeHash;
use ward_store::{Store, StoreError};

/// A leaf and its audit path.
type Inclusion = (Vec<u8>, Vec<NodeHash>);
/// The roots of the full tiles of leaves of a log, in order: what is kept in memory of its tree.
type TileRoots = Arc<Vec<NodeHash>>;

/// The roots of logs that were asked about, with the head under which they were computed. Computing
/// them reads all leaves once, so whoever asks meanwhile waits; what is computed stays if the one who
/// asked goes away.
#[derive(Default)]
pub(crate) struct EndedLogs(tokio::sync::Mutex<BTreeMap<u32, (TreeHead, TileRoots)>>);

/// The front of a log that ended, up to the head that was kept.
pub(crate) struct EndedLog {
    number: u32,
    head: TreeHead,
    /// What stood before its envelopes; the first log begins with them.
    first_leaf: Option<EnvelopeHash>,
}

/// Tiles of one question.
struct Tiles {
    leaves: BTreeMap<u64, Vec<u8>>,
    roots: TileRoots,
}

impl TileSource for Tiles {
    fn tile(&self, level: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        let mut bytes = match level.checked_sub(1) {
            None => self.leaves.get(&index)?.clone(),
            Some(above) => self.tile_above(above, index, width)?,
        };
        let wanted = usize::from(width) * NodeHash::BYTES;
        bytes.truncate(wanted);
        (bytes.len() == wanted).then_some(bytes)
    }
}

impl Tiles {
    /// A tile so many levels above the one over the tiles of leaves.
    fn tile_above(&self, above: u8, index: u64, width: u16) -> Option<Vec<u8>> {
        let span = usize::from(TILE_WIDTH).checked_pow(u32::from(above))?;
        let first = usize::try_from(index).ok()?.checked_mul(usize::from(TILE_WIDTH))?;
        let mut bytes = Vec::new();
        for place in first..first.checked_add(usize::from(width))? {
            let from = place.checked_mul(span)?;
            let covered = self.roots.get(from..from.checked_add(span)?)?;
            bytes.extend_from_slice(root_over(covered.iter().copied()).as_bytes());
        }
        Some(bytes)
    }
}

fn root_over(hashes: impl Iterator<Item = NodeHash>) -> NodeHash {
    let mut tree = MemoryTree::new();
    hashes.for_each(|hash| tree.append(hash));
    NodeHash::from(tree.root())
}

impl EndedLog {
    /// Leaves under the head that was kept.
    pub(crate) const fn size(&self) -> u64 {
        self.head.size
    }

    /// The leaves at these places, and what proves that they stood there.
    pub(crate) async fn inclusions<S: Store>(
        &self,
        app: &App<S>,
        indexes: &[u64],
    ) -> Result<Vec<Inclusion>, LogReadError> {
        let width = u64::from(TILE_WIDTH);
        let mut tiles = Tiles { leaves: BTreeMap::new(), roots: self.roots(app).await? };
        let mut wanted: BTreeSet<u64> = indexes.iter().map(|index| index / width).collect();
        // The last tile, if it is not full, is the right edge of the tree.
        wanted.insert(self.head.size / width);
        let mut shown = BTreeMap::new();
        for tile in wanted {
            let first = tile.saturating_mul(width);
            let leaves = self.leaves(app.store(), first, first.saturating_add(width)).await?;
            tiles.leaves.insert(tile, leaves.iter().flat_map(|leaf| *hash_of(leaf).as_bytes()).collect());
            shown.extend((first..).zip(leaves));
        }
        let reader = TileReader::new(&tiles, self.head.size);
        if reader.root().ok() != Some(self.head.root) {
            // Devices refuse what is shown from it; who runs the server has to know why. Once the store is
            // mended, it is read anew.
            app.ended_logs().0.lock().await.remove(&self.number);
            tracing::error!(log = self.number, "the leaves of an ended log are not those of its signed head");
        }
        let proof = |index: &u64| {
            let path = inclusion_proof(&reader, *index, self.head.size).map_err(|_| LogReadError::Beyond)?;
            let leaf = shown.get(index).ok_or(LogReadError::Beyond)?;
            Ok((leaf.as_bytes().to_vec(), path))
        };
        indexes.iter().map(proof).collect()
    }

    async fn roots<S: Store>(&self, app: &App<S>) -> Result<TileRoots, StoreError> {
        let mut known = app.ended_logs().0.lock().await;
        let (head, roots) = known.entry(self.number).or_insert_with(|| (self.head, TileRoots::default()));
        if *head != self.head {
            (*head, *roots) = (self.head, TileRoots::default());
        }
        let width = u64::from(TILE_WIDTH);
        for tile in roots.len() as u64..self.head.size / width {
            let first = tile.saturating_mul(width);
            let leaves = self.leaves(app.store(), first, first.saturating_add(width)).await?;
            Arc::make_mut(roots).push(root_over(leaves.iter().map(hash_of)));
        }
        Ok(Arc::clone(roots))
    }

    /// Its leaves from a place on; fewer at its end.
    async fn leaves<S: Store>(&self, store: &S, from: u64, to: u64) -> Result<Vec<EnvelopeHash>, StoreError> {
        let to = to.min(self.head.size);
        // The log that counts has a leaf before all envelopes.
        let before = u64::from(self.first_leaf.is_none());
        let mut leaves = store.olog_leaves(from.saturating_add(before), to.saturating_add(before)).await?;
        if let Some((own, there)) = self.first_leaf.zip(leaves.first_mut()).filter(|_| from == 0) {
            *there = own;
        }
        Ok(leaves)
    }
}

fn hash_of(leaf: &EnvelopeHash) -> NodeHash {
    leaf_hash(olog_leaf(leaf))
}

impl<S: Store> App<S> {
    /// A log that ended, by its number, if this server holds what was kept of it.
    pub(crate) async fn ended_log(&self, number: u32) -> Result<Option<EndedLog>, StoreError> {
        let counts = self.store().olog_reopened().await?.map_or(1, |log| log.number);
        let membership = self.membership().read();
        // A database that has not gone over to the log that counts has its leaves at other places.
        if number >= counts || counts != membership.olog_number() {
            return Ok(None);
        }
        let Some(head) = membership.kept_of(number) else { return Ok(None) };
        let before = number.checked_sub(2).and_then(|place| usize::try_from(place).ok());
        let first_leaf = before.and_then(|place| membership.reopenings().get(place));
        let first_leaf = first_leaf.map(ward_sync::Reopening::first_leaf);
        Ok(Some(EndedLog { number, head, first_leaf }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_audit::verify_inclusion;

    fn leaf(index: u64) -> NodeHash {
        leaf_hash(&index.to_be_bytes())
    }

    /// What one question about some places has at hand, as [`EndedLog::inclusions`] gathers it.
    fn tiles(size: u64, indexes: &[u64]) -> Tiles {
        let width = u64::from(TILE_WIDTH);
        let of_tile = |tile: u64| (tile * width..size.min((tile + 1) * width)).map(leaf);
        let roots = (0..size / width).map(|tile| root_over(of_tile(tile))).collect();
        let wanted = indexes.iter().map(|index| index / width).chain([size / width]);
        let bytes = |tile| of_tile(tile).flat_map(|hash| *hash.as_bytes()).collect::<Vec<u8>>();
        Tiles { leaves: wanted.map(|tile| (tile, bytes(tile))).collect(), roots: Arc::new(roots) }
    }

    #[test]
    fn a_tree_of_any_size_proves_its_leaves_from_the_roots_of_its_tiles() {
        let mut tree = MemoryTree::new();
        let mut grown = 0;
        for size in [1, 2, 255, 256, 257, 600, 65_535, 65_536, 65_537, 66_000, 131_072 + 300] {
            (grown..size).for_each(|index| tree.append(leaf(index)));
            grown = size;
            let root = tree.root();
            for index in [0, size / 3, size / 2, size - 1] {
                let tiles = tiles(size, &[index]);
                let path = inclusion_proof(&TileReader::new(&tiles, size), index, size).unwrap();
                verify_inclusion(index, size, &leaf(index), &root, &path).unwrap();
                assert!(verify_inclusion(index, size, &leaf(index + 1), &root, &path).is_err());
            }
        }
    }
}
