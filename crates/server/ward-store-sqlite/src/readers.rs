//! A small pool of reading connections. Each read is one transaction: one consistent snapshot.

use crate::fault::Fault;
use crate::limits::READ_WAIT_MS;
use rusqlite::Connection;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use ward_store::StoreError;

/// The pool.
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
    count: u32,
}

/// Gives its connection back when dropped, also when the read panicked.
struct Borrowed {
    conn: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let (Some(conn), Ok(mut idle)) = (self.conn.take(), self.idle.lock()) {
            idle.push(conn);
        }
    }
}

fn stopped() -> StoreError {
    StoreError::Stopped { why: "the store is closed".to_owned() }
}

impl Readers {
    /// A pool of these connections.
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        let count = u32::try_from(connections.len()).unwrap_or(u32::MAX);
        let places = Arc::new(Semaphore::new(connections.len()));
        Self { idle: Arc::new(Mutex::new(connections)), places, count }
    }

    /// Runs `work` on a connection of the pool, off the async threads.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let wait = Duration::from_millis(READ_WAIT_MS);
        let place = tokio::time::timeout(wait, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| StoreError::Busy)?.map_err(|_| stopped())?;
        let idle = Arc::clone(&self.idle);
        let task = tokio::task::spawn_blocking(move || {
            let conn = idle.lock().ok().and_then(|mut list| list.pop());
            let borrowed = Borrowed { conn, idle };
            let conn = borrowed.conn.as_ref().ok_or_else(stopped)?;
            let outcome = snapshot(conn, work);
            drop(borrowed);
            drop(place);
            outcome.map_err(|fault| fault.to_store())
        });
        task.await.map_err(|_| StoreError::Io { what: "a read was ended before its answer".to_owned() })?
    }

    /// Takes no more reads, waits for those that go on and closes the connections.
    pub(crate) async fn close(&self) {
        let all = self.count;
        // An error says that the pool is closed already.
        if let Ok(places) = self.places.acquire_many(all).await {
            self.places.close();
            drop(places);
        }
        if let Ok(mut idle) = self.idle.lock() {
            idle.clear();
        }
    }
}

fn snapshot<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
    let transaction = conn.unchecked_transaction()?;
    let answer = work(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}
