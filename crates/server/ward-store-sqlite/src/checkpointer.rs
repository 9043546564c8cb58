//! Working the write-ahead file into the database, beside the writer instead of inside it.
//!
//! SQLite does it in the commit that makes the file too long, and everybody waits for tens of
//! megabytes to be copied and synced. Here a thread with a connection of its own copies while the
//! writer goes on; the writer copies only what was written meanwhile, and then begins the file
//! anew. Nothing about durability changes: every commit has synced the write-ahead file before.

use crate::columns::single;
use crate::fault::Fault;
use crate::sql;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// The thread, as the writer sees it. Dropping it ends the thread and closes its connection.
pub(crate) struct Checkpointer {
    begin: Option<SyncSender<()>>,
    copied: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    running: bool,
    /// Frames in the write-ahead file at which the next round begins.
    next_at: u64,
    every: u64,
}

impl Checkpointer {
    /// Starts the thread. It copies whenever the file has `every` frames more.
    pub(crate) fn start(conn: Connection, every: u32) -> std::io::Result<Self> {
        let (begin, rounds) = sync_channel(1);
        let copied = Arc::new(AtomicBool::new(false));
        let done = Arc::clone(&copied);
        let thread = std::thread::Builder::new()
            .name("ward-store-checkpointer".to_owned())
            .spawn(move || copy_rounds(&conn, &rounds, &done))?;
        let every = u64::from(every);
        Ok(Self { begin: Some(begin), copied, thread: Some(thread), running: false, next_at: every, every })
    }

    /// Called after a commit, by the writer and with its connection.
    pub(crate) fn after_commit(&mut self, conn: &Connection) -> Result<(), Fault> {
        if self.running {
            if self.copied.swap(false, Ordering::AcqRel) {
                self.running = false;
                // The rest; the next transaction then begins the file anew, unless a reader still
                // needs it. Then another round comes when it has grown by as much again.
                let left = single(conn, sql::WAL_COPY, [], frames)?;
                self.next_at = if left.all_copied() { self.every } else { left.written + self.every };
            }
            return Ok(());
        }
        let written = single(conn, sql::WAL_FRAMES, [], frames)?.written;
        if written >= self.next_at && self.begin.as_ref().is_some_and(|begin| begin.try_send(()).is_ok()) {
            self.running = true;
        }
        Ok(())
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.begin = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its connection too.
            let _ended = thread.join();
        }
    }
}

/// What SQLite says of the write-ahead file.
struct Frames {
    written: u64,
    copied: u64,
}

impl Frames {
    const fn all_copied(&self) -> bool {
        self.copied >= self.written
    }
}

fn frames(row: &rusqlite::Row<'_>) -> rusqlite::Result<Frames> {
    // -1 where there is no write-ahead file.
    let frames = |column| row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Frames { written: frames(1)?, copied: frames(2)? })
}

fn copy_rounds(conn: &Connection, rounds: &Receiver<()>, copied: &AtomicBool) {
    while rounds.recv().is_ok() {
        // A failure leaves the frames where they are, and they stay valid: the writer tries again
        // with what is left, and a disk that fails shows in its own commits.
        let _tried = single(conn, sql::WAL_COPY, [], frames);
        copied.store(true, Ordering::Release);
    }
}
