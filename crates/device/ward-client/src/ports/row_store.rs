//! The store underneath: rows of sealed bytes that it cannot read, and batches that happen as a
//! whole or not at all.

use std::future::Future;

/// One stored row. The store sees the table number, an opaque id, a version and sealed bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Its id within the table.
    pub id: Vec<u8>,
    /// The store version at which it was written; part of what its seal authenticates.
    pub version: u64,
    /// The sealed content.
    pub sealed: Vec<u8>,
}

/// One change of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowWrite {
    /// Writes a row, in place of any earlier one with this id.
    Put {
        /// The table.
        table: u8,
        /// The row.
        row: Row,
    },
    /// Removes a row; removing an absent row is no error.
    Delete {
        /// The table.
        table: u8,
        /// The row's id.
        id: Vec<u8>,
    },
}

/// Changes that happen together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WriteBatch {
    /// The changes, applied in this order.
    pub writes: Vec<RowWrite>,
}

/// A store that could not do its work. The person must act (free space, check the disk), unless
/// said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowStoreError {
    /// The disk or the quota is full; nothing of the batch was kept.
    #[error("this device has no room left; nothing was changed")]
    Full,
    /// The file is in use by another program that holds it.
    #[error("another program is using this device's store; close it and try again")]
    Busy,
    /// A newer version of Ward wrote the store: it is read, and not written.
    #[error("a newer version of Ward wrote this device's store; it is only read here")]
    Newer,
    /// The file itself is damaged. What it still holds can be read out of it by a repair.
    #[error("the file of this device's store is damaged; repair it")]
    Damaged,
    /// The store cannot be read or written; the text names the cause.
    #[error("this device's store cannot be used: {0}")]
    Broken(String),
}

/// How much room a store takes and has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StoreSpace {
    /// Bytes that it takes; `None` if it cannot tell.
    pub used_bytes: Option<u64>,
    /// Bytes that it may still take; `None` if it cannot tell, and then only trying shows.
    pub free_bytes: Option<u64>,
}

/// Dumb rows: three calls, no knowledge of their content. No `Send` bound, so that a browser's
/// store fits; the native store is `Send` all the same.
///
/// Every implementation runs [`crate::row_store_conformance`].
pub trait RowStore {
    /// One row.
    ///
    /// # Errors
    /// [`RowStoreError`].
    fn get(&self, table: u8, id: &[u8]) -> impl Future<Output = Result<Option<Row>, RowStoreError>>;

    /// Whether a row is there. A store that can tell without reading the row should.
    ///
    /// # Errors
    /// [`RowStoreError`].
    fn has(&self, table: u8, id: &[u8]) -> impl Future<Output = Result<bool, RowStoreError>> {
        async move { Ok(self.get(table, id).await?.is_some()) }
    }

    /// All rows of a table, ordered by id bytes.
    ///
    /// # Errors
    /// [`RowStoreError`].
    fn scan(&self, table: u8) -> impl Future<Output = Result<Vec<Row>, RowStoreError>>;

    /// Applies a batch: after a crash at any moment, all of it is there or none of it. When this
    /// returns `Ok`, the batch survives a power cut.
    ///
    /// # Errors
    /// [`RowStoreError`]; then nothing was changed.
    fn commit(&self, batch: WriteBatch) -> impl Future<Output = Result<(), RowStoreError>>;

    /// Whether a newer version of Ward wrote this store, so that every commit fails.
    fn is_read_only(&self) -> bool {
        false
    }

    /// How much room there is. A store that cannot tell says so by this default.
    ///
    /// # Errors
    /// [`RowStoreError`].
    fn space(&self) -> impl Future<Output = Result<StoreSpace, RowStoreError>> {
        async { Ok(StoreSpace::default()) }
    }
}
