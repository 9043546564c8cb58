//! The repositories of the relay and their conformance suite.
//!
//! A store belongs to one site. It holds ciphertext, hashes and the metadata of the protocol; it
//! judges no content and holds no key in clear. Every rule that two requests could race for is
//! decided inside the store, in the transaction that writes: callers never check first and write
//! later. What a method returned as done is durable.
//!
//! [`Store`] is the sum of small traits, one a concern. [`MemoryStore`] keeps the same rules
//! without a disk; `store_conformance!` (feature `conformance`) is the suite that every store passes.
//!
//! Invariant: this crate knows no HTTP, no SQL, no key and no clock: instants are arguments.
//!
//! ```
//! # fn block_on<F: std::future::Future>(f: F) -> F::Output {
//! #     let mut f = std::pin::pin!(f);
//! #     let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
//! #     loop { if let std::task::Poll::Ready(v) = f.as_mut().poll(&mut cx) { return v; } }
//! # }
//! use ward_store::{MemoryStore, MetaKey, MetaStore};
//! let store = MemoryStore::new();
//! let key = MetaKey::new("server.identity");
//! assert!(block_on(store.create_meta(key, vec![1]))?);
//! assert!(!block_on(store.create_meta(key, vec![2]))?, "the first one stays");
//! assert_eq!(block_on(store.meta(key))?, Some(vec![1]));
//! # Ok::<(), ward_store::StoreError>(())
//! ```

mod blob;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod drop_box;
mod error;
pub mod limits;
mod log_state;
mod memory;
mod mlog;
mod olog;
mod proposal;
mod quota;
mod ticket;
mod token;
mod upkeep;

pub use blob::{BlobError, BlobName, BlobStore, ChunkRead, NEVER_AT_REST, NewChunk, blob_state, check_chunk};
pub use drop_box::{DropDecision, DropError, DropStore, DropsPage, DropsRequest, NewDrop, StoredDrop};
pub use error::StoreError;
pub use log_state::{CheckpointError, CheckpointKind, LogStateStore, SavedCheckpoint, StoredTile, TileError};
pub use memory::MemoryStore;
pub use mlog::{
    MlogAppend, MlogAppendError, MlogAppended, MlogStore, NewPackage, StoredMlogEntry, StoredPackage,
};
pub use olog::{
    AppendError, AppendRefusal, Appended, NewOperation, NewPush, OlogStore, OperationsPage, PageRequest,
    PlacedOperation, ReopenedLog, StoredOperation, check_push,
};
pub use proposal::{ProposalError, ProposalStore, StoredProposal};
pub use quota::{QuotaReached, QuotaStore, Quotas, StorageUse};
pub use ticket::{
    CreateTicketError, NewTicket, RedeemError, StoredTicket, TicketStateError, TicketStore, WrongProof,
    check_blob,
};
pub use token::{
    DeviceSession, DeviceSuspension, FamilyId, KeyThumbprint, NewRefreshFamily, RefreshHash, RefreshToken,
    RotateError, RotateRefresh, Rotation, SuspensionOf, TokenStore,
};
pub use upkeep::{BackupSummary, IntegrityReport, MetaKey, MetaStore, StoreStats, Upkeep, check_meta};
pub use ward_api::{DropState, LogName, MlogLeaf, SuspendReason, TicketState};

/// Everything the relay keeps. Cheap to clone: clones share one store.
pub trait Store:
    OlogStore
    + MlogStore
    + LogStateStore
    + TicketStore
    + TokenStore
    + ProposalStore
    + DropStore
    + BlobStore
    + QuotaStore
    + MetaStore
    + Upkeep
{
}

impl<S> Store for S where
    S: OlogStore
        + MlogStore
        + LogStateStore
        + TicketStore
        + TokenStore
        + ProposalStore
        + DropStore
        + BlobStore
        + QuotaStore
        + MetaStore
        + Upkeep
{
}
