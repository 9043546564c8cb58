//! Seals every row under the local key, bound to its table, its id and its version, and counts
//! commits so that a store that was set back is noticed.

use super::batch::Change;
use super::{Batch, Table};
use crate::{ClientError, Row, RowStore, RowWrite, StoreSpace, WriteBatch};
use rand_core::CryptoRng;
use ward_crypto::{Lkek, LocalKey};
use ward_id::Canonical;
use zeroize::Zeroizing;

const COUNTER_ROW: &[u8] = b"store";
const KEY_ROW: &[u8] = b"lkek";
const WIPE_ROW: &[u8] = b"wipe";

/// A row after its seal was opened.
pub(crate) struct OpenedRow {
    pub(crate) id: Vec<u8>,
    pub(crate) content: Zeroizing<Vec<u8>>,
}

/// The row store under the local key.
pub(crate) struct SealedRows<S> {
    rows: S,
    key: Option<LocalKey>,
    /// The number of the last commit.
    version: u64,
}

impl<S: RowStore> SealedRows<S> {
    pub(crate) const fn new(rows: S) -> Self {
        Self { rows, key: None, version: 0 }
    }

    /// Gives the raw store back.
    pub(crate) fn into_rows(self) -> S {
        self.rows
    }

    /// The wrapped local key, if this store was ever set up.
    pub(crate) async fn wrapped_key(&self) -> Result<Option<Vec<u8>>, ClientError> {
        let row = self.rows.get(Table::WrappedKey.number(), KEY_ROW).await?;
        Ok(row.map(|row| row.sealed))
    }

    /// Whether a wipe was begun and not ended. The mark is not sealed: the key may be gone already.
    pub(crate) async fn is_wiping(&self) -> Result<bool, ClientError> {
        Ok(self.rows.get(Table::WrappedKey.number(), WIPE_ROW).await?.is_some())
    }

    /// Notes that a wipe begins: from here on it is carried to its end, whatever happens in between.
    pub(crate) async fn mark_wiping(&self) -> Result<(), ClientError> {
        let row = Row { id: WIPE_ROW.to_vec(), version: 0, sealed: Vec::new() };
        let put = RowWrite::Put { table: Table::WrappedKey.number(), row };
        Ok(self.rows.commit(WriteBatch { writes: vec![put] }).await?)
    }

    /// Removes every row of every table, that of the wrapped key and the mark of the wipe last.
    pub(crate) async fn erase(&mut self) -> Result<(), ClientError> {
        self.lock();
        let keys = Table::WrappedKey.number();
        for table in (0..=u8::MAX).filter(|table| *table != keys).chain([keys]) {
            let rows = self.rows.scan(table).await?;
            if rows.is_empty() {
                continue;
            }
            let writes = rows.into_iter().map(|row| RowWrite::Delete { table, id: row.id }).collect();
            self.rows.commit(WriteBatch { writes }).await?;
        }
        self.version = 0;
        Ok(())
    }

    /// Begins an empty store under a fresh local key, or takes it up after a crash in between.
    pub(crate) async fn begin(&mut self, lkek: &Lkek, wrapped: Vec<u8>) -> Result<(), ClientError> {
        let row = Row { id: KEY_ROW.to_vec(), version: 0, sealed: wrapped };
        let put = RowWrite::Put { table: Table::WrappedKey.number(), row };
        self.rows.commit(WriteBatch { writes: vec![put] }).await?;
        self.key = Some(lkek.local_key());
        self.version = 0;
        Ok(())
    }

    /// Opens the rows and reads how far they had come.
    pub(crate) async fn unlock(&mut self, lkek: &Lkek) -> Result<(), ClientError> {
        self.key = Some(lkek.local_key());
        self.version = self.get::<u64>(Table::Counter, COUNTER_ROW).await?.unwrap_or_default();
        Ok(())
    }

    /// Opens the rows of a damaged store: the highest number of a commit that a sound row bears.
    pub(crate) async fn unlock_damaged(&mut self, lkek: &Lkek) -> Result<u64, ClientError> {
        self.key = Some(lkek.local_key());
        let mut newest = 0;
        for row in self.rows.scan(Table::Counter.number()).await? {
            if let Ok(content) = self.open(Table::Counter, &row) {
                newest = newest.max(decode::<u64>(Table::Counter, &content).unwrap_or_default());
            }
        }
        for table in [Table::Own, Table::Chains, Table::Pages, Table::Mlog, Table::Heads, Table::Memory] {
            for row in self.rows.scan(table.number()).await? {
                // The version is part of the seal: one that opens was not made up.
                if row.version > newest && self.open(table, &row).is_ok() {
                    newest = row.version;
                }
            }
        }
        self.version = newest;
        Ok(newest)
    }

    /// The rows of a table that do not open.
    pub(crate) async fn damaged(&self, table: Table) -> Result<Vec<Row>, ClientError> {
        let rows = self.rows.scan(table.number()).await?;
        Ok(rows.into_iter().filter(|row| self.open(table, row).is_err()).collect())
    }

    /// Removes a counter that does not open, so that the next commit is not taken for an older one.
    pub(crate) async fn drop_counter(&self) -> Result<(), ClientError> {
        let delete = RowWrite::Delete { table: Table::Counter.number(), id: COUNTER_ROW.to_vec() };
        Ok(self.rows.commit(WriteBatch { writes: vec![delete] }).await?)
    }

    /// The ids of a table's rows, in order.
    pub(crate) async fn ids(&self, table: Table) -> Result<Vec<Vec<u8>>, ClientError> {
        Ok(self.rows.scan(table.number()).await?.into_iter().map(|row| row.id).collect())
    }

    /// Forgets the local key.
    pub(crate) fn lock(&mut self) {
        self.key = None;
    }

    /// Whether a newer version of Ward wrote the store.
    pub(crate) fn is_read_only(&self) -> bool {
        self.rows.is_read_only()
    }

    /// How much room the store takes and has.
    pub(crate) async fn space(&self) -> Result<StoreSpace, ClientError> {
        Ok(self.rows.space().await?)
    }

    /// The number of the last commit.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Counts on from at least `version`: after a rollback the numbers of the lost commits are not
    /// used again, so no old row fits a new version.
    pub(crate) fn skip_to(&mut self, version: u64) {
        self.version = self.version.max(version);
    }

    fn key(&self) -> Result<&LocalKey, ClientError> {
        self.key.as_ref().ok_or(ClientError::Locked)
    }

    fn open(&self, table: Table, row: &Row) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        self.key()?
            .open_row(table.name(), &row.id, row.version, &row.sealed)
            .map_err(|_| ClientError::StoreDamaged { table: table.name() })
    }

    /// One record.
    pub(crate) async fn get<R: Canonical>(&self, table: Table, id: &[u8]) -> Result<Option<R>, ClientError> {
        let Some(row) = self.rows.get(table.number(), id).await? else { return Ok(None) };
        if row.id != id {
            return Err(ClientError::StoreDamaged { table: table.name() });
        }
        decode(table, &self.open(table, &row)?).map(Some)
    }

    /// The content of one row.
    pub(crate) async fn get_bytes(
        &self,
        table: Table,
        id: &[u8],
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        let Some(row) = self.rows.get(table.number(), id).await? else { return Ok(None) };
        if row.id != id {
            return Err(ClientError::StoreDamaged { table: table.name() });
        }
        self.open(table, &row).map(Some)
    }

    /// Whether a row is there; it is not opened.
    pub(crate) async fn has(&self, table: Table, id: &[u8]) -> Result<bool, ClientError> {
        Ok(self.rows.has(table.number(), id).await?)
    }

    /// All rows of a table, opened.
    pub(crate) async fn scan(&self, table: Table) -> Result<Vec<OpenedRow>, ClientError> {
        let rows = self.rows.scan(table.number()).await?;
        let open = |row: Row| {
            let content = self.open(table, &row)?;
            Ok(OpenedRow { id: row.id, content })
        };
        rows.into_iter().map(open).collect()
    }

    /// All records of a table with their ids.
    pub(crate) async fn records<R: Canonical>(&self, table: Table) -> Result<Vec<(Vec<u8>, R)>, ClientError> {
        let rows = self.scan(table).await?;
        rows.into_iter().map(|row| Ok((row.id, decode(table, &row.content)?))).collect()
    }

    /// Seals and applies a batch as a whole.
    pub(crate) async fn commit(&mut self, batch: Batch, rng: &mut impl CryptoRng) -> Result<(), ClientError> {
        let next = self.version + 1;
        let mut writes = Vec::with_capacity(batch.changes.len() + 1);
        let counter = Change::Put {
            table: Table::Counter,
            id: COUNTER_ROW.to_vec(),
            content: Zeroizing::new(next.to_canonical()),
        };
        for change in batch.changes.into_iter().chain([counter]) {
            writes.push(match change {
                Change::Delete { table, id } => RowWrite::Delete { table: table.number(), id },
                Change::Put { table, id, content } => {
                    let sealed = self.key()?.seal_row(table.name(), &id, next, &content, rng)?;
                    RowWrite::Put { table: table.number(), row: Row { id, version: next, sealed } }
                }
            });
        }
        self.rows.commit(WriteBatch { writes }).await?;
        self.version = next;
        Ok(())
    }
}

pub(super) fn decode<R: Canonical>(table: Table, bytes: &[u8]) -> Result<R, ClientError> {
    R::from_canonical(bytes).map_err(|_| ClientError::StoreDamaged { table: table.name() })
}
