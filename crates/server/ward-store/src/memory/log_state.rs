//! Heads and tiles in memory.

use super::MemoryStore;
use crate::{
    CheckpointError, CheckpointKind, LogStateStore, SavedCheckpoint, StoreError, StoredTile, TileError,
};
use ward_api::LogName;

impl LogStateStore for MemoryStore {
    async fn checkpoint(
        &self,
        log: LogName,
        kind: CheckpointKind,
    ) -> Result<Option<SavedCheckpoint>, StoreError> {
        Ok(self.read()?.checkpoints.get(&(log, kind)).cloned())
    }

    async fn save_checkpoint(
        &self,
        log: LogName,
        kind: CheckpointKind,
        checkpoint: SavedCheckpoint,
    ) -> Result<(), CheckpointError> {
        let mut state = self.write()?;
        let log_size = match kind {
            CheckpointKind::Signed => state.log_size(log),
            CheckpointKind::Cosigned => {
                state.checkpoints.get(&(log, CheckpointKind::Signed)).map_or(0, |c| c.size)
            }
        };
        let kept = state.checkpoints.get(&(log, kind)).map(|kept| (kept.size, kept.root));
        checkpoint.check_follows(kept, log_size)?;
        state.checkpoints.insert((log, kind), checkpoint);
        Ok(())
    }

    async fn save_tiles(&self, log: LogName, tiles: Vec<StoredTile>) -> Result<(), TileError> {
        let mut state = self.write()?;
        for tile in &tiles {
            let (level, index) = (tile.level, tile.index);
            tile.check_full()?;
            if state.tiles.get(&(log, level, index)).is_some_and(|kept| *kept != tile.bytes) {
                return Err(TileError::Differs { level, index });
            }
        }
        for tile in tiles {
            state.tiles.insert((log, tile.level, tile.index), tile.bytes);
        }
        Ok(())
    }

    async fn tile(&self, log: LogName, level: u8, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read()?.tiles.get(&(log, level, index)).cloned())
    }
}
