//! Heads and tiles.

use super::samples::{NOW, push, root};
use crate::limits::{NOTE_MAX_BYTES, TILE_BYTES};
use crate::{CheckpointError, CheckpointKind, SavedCheckpoint, Store, StoreError, StoredTile, TileError};
use ward_api::LogName;

fn head(size: u64, r: u8, note: &[u8]) -> SavedCheckpoint {
    SavedCheckpoint { size, root: root(r), note: note.to_vec() }
}

/// A head grows, or stays and gets more signatures; it never shrinks or changes.
pub async fn heads_never_move_back<S: Store>(store: S) {
    use CheckpointKind::Signed;
    store.append_operations(push(1, 1, 1..=5), NOW).await.unwrap();
    assert_eq!(store.checkpoint(LogName::Olog, Signed).await.unwrap(), None);
    store.save_checkpoint(LogName::Olog, Signed, head(0, 0, b"empty")).await.unwrap();
    store.save_checkpoint(LogName::Olog, Signed, head(3, 3, b"three")).await.unwrap();
    let back = store.save_checkpoint(LogName::Olog, Signed, head(2, 2, b"two")).await;
    assert_eq!(back, Err(CheckpointError::Backwards { size: 2, kept: 3 }));
    let other = store.save_checkpoint(LogName::Olog, Signed, head(3, 4, b"other")).await;
    assert_eq!(other, Err(CheckpointError::OtherRoot { size: 3 }));
    let beyond = store.save_checkpoint(LogName::Olog, Signed, head(6, 6, b"six")).await;
    assert_eq!(beyond, Err(CheckpointError::BeyondLog { size: 6, log_size: 5 }));
    assert_eq!(store.checkpoint(LogName::Olog, Signed).await.unwrap(), Some(head(3, 3, b"three")));
    store.save_checkpoint(LogName::Olog, Signed, head(3, 3, b"three, signed again")).await.unwrap();
    store.save_checkpoint(LogName::Olog, Signed, head(5, 5, &vec![1; NOTE_MAX_BYTES])).await.unwrap();
    let long = store.save_checkpoint(LogName::Olog, Signed, head(5, 5, &vec![1; NOTE_MAX_BYTES + 1])).await;
    assert!(matches!(long, Err(CheckpointError::Store(StoreError::TooLarge { .. }))));
    assert_eq!(store.checkpoint(LogName::Mlog, Signed).await.unwrap(), None, "the logs are apart");
}

/// Witnesses never vouch for more than the log signed.
pub async fn a_cosigned_head_is_within_the_signed_one<S: Store>(store: S) {
    use CheckpointKind::{Cosigned, Signed};
    store.append_operations(push(1, 1, 1..=5), NOW).await.unwrap();
    let early = store.save_checkpoint(LogName::Olog, Cosigned, head(2, 2, b"c")).await;
    assert_eq!(early, Err(CheckpointError::BeyondLog { size: 2, log_size: 0 }));
    store.save_checkpoint(LogName::Olog, Signed, head(4, 4, b"s")).await.unwrap();
    store.save_checkpoint(LogName::Olog, Cosigned, head(3, 3, b"c3")).await.unwrap();
    let beyond = store.save_checkpoint(LogName::Olog, Cosigned, head(5, 5, b"c5")).await;
    assert_eq!(beyond, Err(CheckpointError::BeyondLog { size: 5, log_size: 4 }));
    assert_eq!(store.checkpoint(LogName::Olog, Cosigned).await.unwrap(), Some(head(3, 3, b"c3")));
    assert_eq!(store.checkpoint(LogName::Olog, Signed).await.unwrap(), Some(head(4, 4, b"s")));
}

/// A tile has 256 hashes and never changes; a call is kept whole or not at all.
pub async fn tiles_are_full_and_final<S: Store>(store: S) {
    let tile = |level, index, byte| StoredTile { level, index, bytes: vec![byte; TILE_BYTES] };
    store.save_tiles(LogName::Olog, vec![tile(0, 0, 1), tile(0, 1, 2), tile(1, 0, 3)]).await.unwrap();
    store.save_tiles(LogName::Olog, vec![tile(0, 1, 2), tile(0, 2, 4)]).await.unwrap();
    let differs = store.save_tiles(LogName::Olog, vec![tile(0, 3, 5), tile(0, 1, 9)]).await;
    assert_eq!(differs, Err(TileError::Differs { level: 0, index: 1 }));
    for bytes in [vec![], vec![1; TILE_BYTES - 1], vec![1; TILE_BYTES + 1]] {
        let refused = store
            .save_tiles(LogName::Olog, vec![tile(0, 3, 5), StoredTile { level: 2, index: 7, bytes }])
            .await;
        assert_eq!(refused, Err(TileError::NotFull { level: 2, index: 7 }));
    }
    assert_eq!(store.tile(LogName::Olog, 0, 1).await.unwrap(), Some(vec![2; TILE_BYTES]));
    assert_eq!(store.tile(LogName::Olog, 0, 3).await.unwrap(), None, "a refused call keeps nothing");
    assert_eq!(store.tile(LogName::Mlog, 0, 1).await.unwrap(), None, "the logs are apart");
}
