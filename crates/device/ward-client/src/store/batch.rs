//! Changes to the local store before they are sealed.

use super::Table;
use crate::limits::ROW_OVERHEAD_BYTES;
use ward_id::Canonical;
use zeroize::Zeroizing;

#[derive(Clone)]
pub(crate) enum Change {
    Put { table: Table, id: Vec<u8>, content: Zeroizing<Vec<u8>> },
    Delete { table: Table, id: Vec<u8> },
}

/// Gathers the changes of one commit.
#[derive(Clone, Default)]
pub(crate) struct Batch {
    pub(super) changes: Vec<Change>,
}

impl Batch {
    /// Writes a record in its canonical form.
    pub(crate) fn put(&mut self, table: Table, id: impl Into<Vec<u8>>, record: &impl Canonical) {
        self.put_bytes(table, id, Zeroizing::new(record.to_canonical()));
    }

    /// Writes bytes as they are.
    pub(crate) fn put_bytes(&mut self, table: Table, id: impl Into<Vec<u8>>, content: Zeroizing<Vec<u8>>) {
        self.changes.push(Change::Put { table, id: id.into(), content });
    }

    /// Removes a row.
    pub(crate) fn delete(&mut self, table: Table, id: impl Into<Vec<u8>>) {
        self.changes.push(Change::Delete { table, id: id.into() });
    }

    /// About how many bytes it adds to the store.
    pub(crate) fn bytes(&self) -> u64 {
        let bytes = |change: &Change| match change {
            Change::Put { id, content, .. } => (id.len() + content.len()) as u64 + ROW_OVERHEAD_BYTES,
            Change::Delete { .. } => 0,
        };
        self.changes.iter().map(bytes).sum()
    }

    /// Takes the changes of another batch before its own.
    pub(crate) fn after(mut self, mut first: Self) -> Self {
        first.changes.append(&mut self.changes);
        first
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}
