//! A row store in memory that can be copied, watched, and made to fail at the k-th commit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use ward_client::{Row, RowStore, RowStoreError, RowWrite, StoreSpace, WriteBatch};

/// Copies of a store share what stands in the rows.
type Rows = BTreeMap<(u8, Vec<u8>), Arc<Row>>;

#[derive(Default)]
struct Inner {
    rows: Rows,
    commits: u64,
    fail_at: Option<u64>,
    full: bool,
    capacity_bytes: Option<u64>,
    tells_space: bool,
}

fn bytes_of(rows: &Rows) -> u64 {
    rows.iter().map(|((_, id), row)| (id.len() + row.sealed.len()) as u64).sum()
}

/// Rows in memory. Clones share the rows, as a program that is started again shares its file.
#[derive(Clone, Default)]
pub struct MemoryRows {
    inner: Arc<Mutex<Inner>>,
}

impl MemoryRows {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy that goes its own way: a backup, or a cloned device.
    pub fn snapshot(&self) -> Self {
        let rows = self.lock().rows.clone();
        Self { inner: Arc::new(Mutex::new(Inner { rows, ..Inner::default() })) }
    }

    /// Puts the rows of a snapshot in place of the present ones.
    pub fn restore(&self, snapshot: &Self) {
        let rows = snapshot.lock().rows.clone();
        self.lock().rows = rows;
    }

    /// Lets the `k`-th commit from now fail, counted from 1, with nothing kept.
    pub fn fail_at_commit(&self, k: u64) {
        let mut inner = self.lock();
        (inner.fail_at, inner.full) = (Some(inner.commits + k), false);
    }

    /// Lets the disk be full from the `k`-th commit from now on, counted from 1.
    pub fn full_at_commit(&self, k: u64) {
        let mut inner = self.lock();
        (inner.fail_at, inner.full) = (Some(inner.commits + k), true);
    }

    /// Alters one bit of a row, as a failing disk does. Whether there was such a row with a byte.
    pub fn flip_bit(&self, table: u8, id: &[u8], bit: usize) -> bool {
        let mut inner = self.lock();
        let Some(row) = inner.rows.get_mut(&(table, id.to_vec())).map(Arc::make_mut) else { return false };
        let bits = row.sealed.len() * 8;
        let Some(place) = bit.checked_rem(bits) else { return false };
        let Some(byte) = row.sealed.get_mut(place / 8) else { return false };
        *byte ^= 1 << (place % 8);
        true
    }

    /// Takes a row away. Whether it was there.
    pub fn remove(&self, table: u8, id: &[u8]) -> bool {
        self.lock().rows.remove(&(table, id.to_vec())).is_some()
    }

    /// Lets commits succeed again.
    pub fn heal(&self) {
        self.lock().fail_at = None;
    }

    /// Gives the store so many bytes; `tells` says whether it can say how many are free.
    pub fn set_capacity(&self, capacity_bytes: Option<u64>, tells: bool) {
        let mut inner = self.lock();
        (inner.capacity_bytes, inner.tells_space) = (capacity_bytes, tells);
    }

    /// Bytes that the rows take.
    pub fn used_bytes(&self) -> u64 {
        bytes_of(&self.lock().rows)
    }

    /// Whether the failure that was asked for has happened or lies behind.
    pub fn failed(&self) -> bool {
        let inner = self.lock();
        inner.fail_at.is_some_and(|at| inner.commits >= at)
    }

    /// Commits so far.
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// Everything a thief of the file would see.
    pub fn all_bytes(&self) -> Vec<u8> {
        let inner = self.lock();
        inner
            .rows
            .values()
            .flat_map(|row| row.id.iter().chain(&row.sealed).copied().collect::<Vec<u8>>())
            .collect()
    }

    /// Exchanges the contents of two rows of one table.
    pub fn swap_contents(&self, table: u8, one: &[u8], two: &[u8]) -> bool {
        let mut inner = self.lock();
        let (one, two) = ((table, one.to_vec()), (table, two.to_vec()));
        let (Some(a), Some(b)) = (inner.rows.get(&one).cloned(), inner.rows.get(&two).cloned()) else {
            return false;
        };
        let named = |id: Vec<u8>, row: Arc<Row>| Arc::new(Row { id, ..Arc::unwrap_or_clone(row) });
        inner.rows.insert(one.clone(), named(one.1, b));
        inner.rows.insert(two.clone(), named(two.1, a));
        true
    }

    /// Tables and row ids that exist.
    pub fn ids(&self) -> Vec<(u8, Vec<u8>)> {
        self.lock().rows.keys().cloned().collect()
    }
}

impl RowStore for MemoryRows {
    async fn get(&self, table: u8, id: &[u8]) -> Result<Option<Row>, RowStoreError> {
        Ok(self.lock().rows.get(&(table, id.to_vec())).map(|row| Row::clone(row)))
    }

    async fn has(&self, table: u8, id: &[u8]) -> Result<bool, RowStoreError> {
        Ok(self.lock().rows.contains_key(&(table, id.to_vec())))
    }

    async fn scan(&self, table: u8) -> Result<Vec<Row>, RowStoreError> {
        let inner = self.lock();
        Ok(inner
            .rows
            .range((table, Vec::new())..)
            .take_while(|((at, _), _)| *at == table)
            .map(|(_, row)| Row::clone(row))
            .collect())
    }

    async fn commit(&self, batch: WriteBatch) -> Result<(), RowStoreError> {
        let mut inner = self.lock();
        inner.commits += 1;
        if inner.fail_at.is_some_and(|at| inner.commits >= at) {
            return Err(if inner.full {
                RowStoreError::Full
            } else {
                RowStoreError::Broken("the test asked for this failure".to_owned())
            });
        }
        let before = inner.capacity_bytes.map(|_| inner.rows.clone());
        for write in batch.writes {
            match write {
                RowWrite::Put { table, row } => {
                    inner.rows.insert((table, row.id.clone()), Arc::new(row));
                }
                RowWrite::Delete { table, id } => {
                    inner.rows.remove(&(table, id));
                }
            }
        }
        let full = inner.capacity_bytes.is_some_and(|capacity| bytes_of(&inner.rows) > capacity);
        match before.filter(|_| full) {
            Some(before) => {
                inner.rows = before;
                Err(RowStoreError::Full)
            }
            None => Ok(()),
        }
    }

    async fn space(&self) -> Result<StoreSpace, RowStoreError> {
        let inner = self.lock();
        let used = bytes_of(&inner.rows);
        let free = inner.capacity_bytes.map(|capacity| capacity.saturating_sub(used));
        Ok(StoreSpace { used_bytes: Some(used), free_bytes: free.filter(|_| inner.tells_space) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    ward_client::row_store_conformance!(MemoryRows::new());

    #[test]
    fn a_commit_that_was_told_to_fail_keeps_nothing() {
        let rows = MemoryRows::new();
        rows.fail_at_commit(1);
        let row = Row { id: vec![1], version: 1, sealed: vec![2] };
        let batch = WriteBatch { writes: vec![RowWrite::Put { table: 1, row }] };
        let done = ward_client::conformance::run_to_end(rows.commit(batch.clone()));
        assert!(done.is_err() && rows.ids().is_empty() && rows.failed());
        rows.heal();
        assert!(ward_client::conformance::run_to_end(rows.commit(batch)).is_ok());
        assert_eq!(rows.ids(), [(1, vec![1])]);
    }
}
