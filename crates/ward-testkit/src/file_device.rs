//! A device whose rows stand in a file, as an app keeps them.

use crate::{FakeEnv, MemoryKey, RelayTransport, TestDevice};
use std::path::Path;
use ward_client::native::SqliteRowStore;
use ward_client::{Client, ClientError, RowStore as _, RowWrite, WriteBatch};

/// A client over an SQLite file and the test kit's other ports.
pub type FileClient = Client<SqliteRowStore, RelayTransport, FakeEnv, MemoryKey>;

impl TestDevice {
    /// Copies the rows of this device into a file and opens a client there. From here on that
    /// client is the device: two clients on one chain are a fork.
    pub async fn moved_to_file(&mut self, path: &Path) -> FileClient {
        let file = SqliteRowStore::open(path).expect("the file is made");
        let mut writes = Vec::new();
        for table in 0..=u8::MAX {
            let rows = self.rows.scan(table).await.expect("rows in memory are read");
            writes.extend(rows.into_iter().map(|row| RowWrite::Put { table, row }));
        }
        file.commit(WriteBatch { writes }).await.expect("the file takes the rows");
        drop(file);
        self.opened_on(path).await.expect("the file opens")
    }

    /// A client with this device's key, clocks and way to the server on a file, unlocked.
    ///
    /// # Errors
    /// What opening or unlocking fails with.
    pub async fn opened_on(&mut self, path: &Path) -> Result<FileClient, ClientError> {
        let mut client = self.open_locked_on(path).await?;
        client.unlock().await?;
        Ok(client)
    }

    /// The same, still locked.
    ///
    /// # Errors
    /// What opening fails with.
    pub async fn open_locked_on(&mut self, path: &Path) -> Result<FileClient, ClientError> {
        let (_, transport, env, key) = self.ports();
        let rows = SqliteRowStore::open(path)?;
        Client::open(rows, transport, env, key).await
    }
}
