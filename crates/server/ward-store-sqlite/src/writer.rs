//! The one writing thread and its group commit.

use crate::fault::Fault;
use crate::limits::{COMMIT_MAX_BYTES, COMMIT_MAX_REQUESTS, GATHER_MS, WRITE_QUEUE, WRITE_WAIT_MS};
use crate::sql;
use rusqlite::Connection;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use ward_store::StoreError;

/// Hands requests to the writing thread.
pub(crate) struct Writer {
    queue: Mutex<Option<SyncSender<Message>>>,
    places: Arc<Semaphore>,
    counters: Arc<Counters>,
}

/// What the writer did since the start.
#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    requests: AtomicU64,
}

enum Message {
    Run(Box<dyn Job>),
    Stop(oneshot::Sender<()>),
}

/// A request whose answer waits for the commit. It can run again, alone, if its transaction fails.
trait Job: Send {
    fn bytes(&self) -> usize;
    fn run(&mut self, conn: &Connection) -> Result<(), Fault>;
    fn finish(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Request<T, F> {
    work: F,
    bytes: usize,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    _place: OwnedSemaphorePermit,
}

impl<T: Send, F: FnMut(&Connection) -> Result<T, Fault> + Send> Job for Request<T, F> {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, conn: &Connection) -> Result<(), Fault> {
        self.result = Some((self.work)(conn)?);
        Ok(())
    }

    fn finish(mut self: Box<Self>, outcome: Result<(), StoreError>) {
        let answer = outcome.and_then(|()| self.result.take().ok_or_else(stopped));
        // The caller may have gone away; what was committed stays, and can be asked for again.
        let _gone = self.reply.send(answer);
    }
}

/// How a transaction is committed; tests put a failing disk in its place.
type Commit = Box<dyn FnMut(&Connection) -> rusqlite::Result<()> + Send>;

/// The commit of normal service.
fn commit(conn: &Connection) -> rusqlite::Result<()> {
    conn.prepare_cached(sql::COMMIT)?.execute([]).map(|_| ())
}

fn stopped() -> StoreError {
    StoreError::Stopped { why: "the writer has ended".to_owned() }
}

impl Writer {
    /// Starts the thread; it ends when the writer is closed or dropped.
    pub(crate) fn start(conn: Connection) -> std::io::Result<Self> {
        Self::start_with(conn, Box::new(commit))
    }

    fn start_with(conn: Connection, commit: Commit) -> std::io::Result<Self> {
        // One more than there are places, for the message that ends the thread.
        let (queue, arrivals) = sync_channel(WRITE_QUEUE + 1);
        let counters = Arc::new(Counters::default());
        let mut service = Service { conn, arrivals, commit, counters: Arc::clone(&counters), ended: None };
        std::thread::Builder::new().name("ward-store-writer".to_owned()).spawn(move || service.serve())?;
        Ok(Self { queue: Mutex::new(Some(queue)), places: Arc::new(Semaphore::new(WRITE_QUEUE)), counters })
    }

    /// Runs `work` in a transaction; the answer comes after the commit. `bytes` is about how much
    /// it writes. An error of `work` keeps nothing of it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let wait = Duration::from_millis(WRITE_WAIT_MS);
        let place = tokio::time::timeout(wait, Arc::clone(&self.places).acquire_owned());
        let place = place.await.map_err(|_| StoreError::Busy)?.map_err(|_| stopped())?;
        let (reply, answer) = oneshot::channel();
        self.send(Message::Run(Box::new(Request { work, bytes, result: None, reply, _place: place })))?;
        answer.await.map_err(|_| stopped())?
    }

    /// Commits what waits, ends the thread and closes its connection.
    pub(crate) async fn close(&self) {
        let (done, end) = oneshot::channel();
        let sent = self.send(Message::Stop(done));
        if let Ok(mut queue) = self.queue.lock() {
            *queue = None;
        }
        if sent.is_ok() {
            // An error says that the thread is gone already, which is what was asked for.
            let _ended = end.await;
        }
    }

    /// Commits and requests since the start.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.counters.commits.load(Ordering::Relaxed), self.counters.requests.load(Ordering::Relaxed))
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let queue = self.queue.lock().map_err(|_| stopped())?;
        let queue = queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(message).map_err(|_| stopped())
    }
}

/// The thread's side.
struct Service {
    conn: Connection,
    arrivals: Receiver<Message>,
    commit: Commit,
    counters: Arc<Counters>,
    /// Set when a commit failed in a way that leaves the disk unknown.
    ended: Option<StoreError>,
}

impl Service {
    fn serve(&mut self) {
        while let Ok(message) = self.arrivals.recv() {
            let stop = match message {
                Message::Run(job) => self.group(job),
                Message::Stop(done) => Some(done),
            };
            if let Some(done) = stop {
                self.leave(done);
                return;
            }
        }
    }

    /// One transaction: the first request and all that arrive while it is open. An idle writer
    /// does not wait: with nothing in the queue it commits at once, and what arrives during that
    /// fsync makes the next group.
    fn group(&mut self, first: Box<dyn Job>) -> Option<oneshot::Sender<()>> {
        let mut jobs = vec![first];
        if let Some(error) = self.ended.clone() {
            finish(jobs, &Err(error));
            return None;
        }
        let mut stop = None;
        let outcome = self.run_arrivals(&mut jobs, &mut stop).and_then(|()| self.commit(jobs.len()));
        match outcome {
            Ok(()) => finish(jobs, &Ok(())),
            Err(fault) => {
                self.roll_back();
                if jobs.len() == 1 || self.ended.is_some() {
                    finish(jobs, &Err(fault.to_store()));
                } else {
                    // One request that does not fit must not take the others with it.
                    jobs.into_iter().for_each(|job| self.alone(job));
                }
            }
        }
        stop
    }

    fn run_arrivals(
        &self,
        jobs: &mut Vec<Box<dyn Job>>,
        stop: &mut Option<oneshot::Sender<()>>,
    ) -> Result<(), Fault> {
        let began = Instant::now();
        let mut bytes = 0usize;
        self.begin()?;
        while let Some(job) = jobs.last_mut() {
            bytes = bytes.saturating_add(job.bytes());
            job.run(&self.conn)?;
            let full = jobs.len() >= COMMIT_MAX_REQUESTS
                || bytes >= COMMIT_MAX_BYTES
                || began.elapsed() >= Duration::from_millis(GATHER_MS);
            if full {
                break;
            }
            match self.arrivals.try_recv() {
                Ok(Message::Run(job)) => jobs.push(job),
                Ok(Message::Stop(done)) => {
                    *stop = Some(done);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn alone(&mut self, mut job: Box<dyn Job>) {
        let outcome = match self.ended.clone() {
            Some(error) => Err(error),
            None => {
                let run = self.begin().and_then(|()| job.run(&self.conn)).and_then(|()| self.commit(1));
                run.map_err(|fault| {
                    self.roll_back();
                    fault.to_store()
                })
            }
        };
        job.finish(outcome);
    }

    fn begin(&self) -> Result<(), Fault> {
        self.conn.prepare_cached(sql::BEGIN_WRITE)?.execute([])?;
        Ok(())
    }

    fn commit(&mut self, requests: usize) -> Result<(), Fault> {
        let outcome = (self.commit)(&self.conn).map_err(Fault::from);
        match &outcome {
            Ok(()) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                self.counters.requests.fetch_add(requests as u64, Ordering::Relaxed);
            }
            Err(fault) if fault.ends_writing() => {
                let why = format!("a commit failed ({})", fault.to_store());
                self.ended = Some(StoreError::Stopped { why });
            }
            Err(_) => {}
        }
        outcome
    }

    /// SQLite may have rolled back by itself. A transaction that cannot be ended ends writing.
    fn roll_back(&mut self) {
        if !self.conn.is_autocommit() && self.conn.execute_batch(sql::ROLLBACK).is_err() {
            self.ended =
                Some(StoreError::Stopped { why: "a transaction could not be rolled back".to_owned() });
        }
    }

    /// Answers what still waits and closes the connection before saying that it is done.
    fn leave(&mut self, done: oneshot::Sender<()>) {
        while let Ok(message) = self.arrivals.try_recv() {
            match message {
                Message::Run(job) => self.alone(job),
                Message::Stop(also) => drop(also),
            }
        }
        if let Ok(nothing) = Connection::open_in_memory() {
            drop(std::mem::replace(&mut self.conn, nothing));
        }
        // Whoever asked may have gone away.
        let _gone = done.send(());
    }
}

fn finish(jobs: Vec<Box<dyn Job>>, outcome: &Result<(), StoreError>) {
    for job in jobs {
        job.finish(outcome.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use tokio::task::JoinSet;

    fn connection(path: &std::path::Path) -> Connection {
        let conn = Connection::open(path).unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        conn.execute_batch("CREATE TABLE IF NOT EXISTS t (x INTEGER NOT NULL CHECK (x < 1000)) STRICT")
            .unwrap();
        conn
    }

    fn insert(x: i64) -> impl FnMut(&Connection) -> Result<(), Fault> + Send + 'static {
        move |conn| Ok(conn.execute("INSERT INTO t (x) VALUES (?1)", [x]).map(|_| ())?)
    }

    fn rows(path: &std::path::Path) -> Vec<i64> {
        let conn = Connection::open(path).unwrap();
        let mut statement = conn.prepare("SELECT x FROM t ORDER BY x").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// A commit that fails once with this extended code when the flag is set.
    fn failing(code: i32, fail: Arc<AtomicBool>) -> Commit {
        Box::new(move |conn| {
            if fail.swap(false, Ordering::Relaxed) {
                return Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
            }
            commit(conn)
        })
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn requests_share_commits_and_one_bad_one_fails_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let writer = Arc::new(Writer::start(connection(&path)).unwrap());
        let mut tasks = JoinSet::new();
        for x in 0..200 {
            let writer = Arc::clone(&writer);
            let x = if x == 77 { 5_000 } else { x };
            tasks.spawn(async move { writer.write(10, insert(x)).await.is_ok() });
        }
        let accepted = tasks.join_all().await.into_iter().filter(|ok| *ok).count();
        assert_eq!(accepted, 199);
        assert_eq!(rows(&path).len(), 199);
        let (commits, requests) = writer.counts();
        assert_eq!(requests, 199);
        assert!((1..199).contains(&commits), "{commits} commits");
    }

    #[tokio::test]
    async fn a_failed_fsync_ends_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let fail = Arc::new(AtomicBool::new(false));
        let io_fsync = rusqlite::ffi::SQLITE_IOERR_FSYNC;
        let writer = Writer::start_with(connection(&path), failing(io_fsync, Arc::clone(&fail))).unwrap();
        writer.write(1, insert(1)).await.unwrap();
        fail.store(true, Ordering::Relaxed);
        assert!(matches!(writer.write(1, insert(2)).await, Err(StoreError::Io { .. })));
        for x in 3..6 {
            let refused = writer.write(1, insert(x)).await;
            assert!(
                matches!(refused, Err(StoreError::Stopped { .. })),
                "the disk may say yes again, but nobody asks it"
            );
        }
        assert_eq!(rows(&path), [1]);
    }

    #[tokio::test]
    async fn a_full_disk_at_the_commit_does_not_end_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let fail = Arc::new(AtomicBool::new(true));
        let writer =
            Writer::start_with(connection(&path), failing(rusqlite::ffi::SQLITE_FULL, fail)).unwrap();
        assert_eq!(writer.write(1, insert(1)).await, Err(StoreError::StorageFull));
        writer.write(1, insert(2)).await.unwrap();
        assert_eq!(rows(&path), [2]);
    }

    #[tokio::test]
    async fn closing_commits_what_waits_and_refuses_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let writer = Arc::new(Writer::start(connection(&path)).unwrap());
        let first = writer.write(1, insert(1));
        let (first, ()) = tokio::join!(first, writer.close());
        first.unwrap();
        assert!(matches!(writer.write(1, insert(2)).await, Err(StoreError::Stopped { .. })));
        writer.close().await;
        assert_eq!(rows(&path), [1]);
    }
}
