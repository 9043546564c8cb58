//! The embedded store: SQLite, one writer, group commit.
//!
//! One thread owns the one writing connection. It takes every request that has arrived, for at
//! most 2 ms, into one transaction and commits it with one fsync (`journal_mode = WAL`,
//! `synchronous = FULL`); a lone request is committed at once. Only then are callers told. Reads
//! run on a small pool of connections and see a consistent snapshot each.
//!
//! A full disk refuses a request and keeps nothing of it; reads go on, and writing works again
//! when there is room. A commit that fails in any other way ends writing until a restart: after a
//! failed fsync nobody knows what the disk holds.
//!
//! Its methods run inside a tokio runtime with the time driver on.
//!
//! Invariant: this crate judges no content and opens no envelope; all its SQL is constant.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("site.db");
//! use ward_store::{MetaKey, MetaStore, Upkeep};
//! use ward_store_sqlite::{SqliteOptions, SqliteStore};
//! # runtime.block_on(async {
//! let store = SqliteStore::open(&path, SqliteOptions::default())?;
//! store.put_meta(MetaKey::new("server.identity"), vec![1]).await?;
//! assert_eq!(store.stats().await?.operations, 0);
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blob;
mod checkpointer;
mod columns;
mod cut;
mod drop_box;
mod fault;
mod head_cache;
mod integrity;
pub mod limits;
mod log_state;
mod migrate;
mod mlog;
mod olog;
mod open;
mod proposal;
mod quota;
mod readers;
mod reopening;
mod sql;
mod ticket;
mod token;
mod upkeep;
mod writer;

pub use migrate::MigrateError;
pub use open::{OpenError, SqliteOptions, SqliteStore};
