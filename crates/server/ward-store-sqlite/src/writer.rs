//! The one writing thread and its group commit.

use crate::checkpointer::Checkpointer;
use crate::fault::Fault;
use crate::limits::{COMMIT_MAX_BYTES, COMMIT_MAX_REQUESTS, GATHER_MS, WRITE_QUEUE, WRITE_WAIT_MS};
use crate::sql;
use rusqlite::Connection;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    read_only: AtomicBool,
}

/// What the writer did since the start.
#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    requests: AtomicU64,
}

enum Message {
    /// Requests that came together and share a transaction.
    Run(Vec<Box<dyn Job>>),
    Stop(oneshot::Sender<()>),
}

/// Where the answer to a request arrives.
type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

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
    pub(crate) fn start(conn: Connection, checkpointer: Option<Checkpointer>) -> std::io::Result<Self> {
        Self::start_with(conn, checkpointer, Box::new(commit))
    }

    fn start_with(
        conn: Connection,
        checkpointer: Option<Checkpointer>,
        commit: Commit,
    ) -> std::io::Result<Self> {
        // One more than there are places, for the message that ends the thread.
        let (queue, arrivals) = sync_channel(WRITE_QUEUE + 1);
        let counters = Arc::new(Counters::default());
        let mut service =
            Service { checkpointer, conn, arrivals, commit, counters: Arc::clone(&counters), ended: None };
        std::thread::Builder::new().name("ward-store-writer".to_owned()).spawn(move || service.serve())?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            places: Arc::new(Semaphore::new(WRITE_QUEUE)),
            counters,
            read_only: AtomicBool::new(false),
        })
    }

    /// Runs `work` in a transaction; the answer comes after the commit. `bytes` is about how much
    /// it writes. An error of `work` keeps nothing of it.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnMut(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut answers = self.enqueue(vec![(bytes, work)]).await?;
        answers.pop().ok_or_else(stopped)?.await.map_err(|_| stopped())?
    }

    /// Runs several works in one transaction, each with an answer of its own: one that fails
    /// keeps nothing and takes no other with it.
    pub(crate) async fn write_together<T: Send + 'static>(
        &self,
        works: Vec<(usize, impl FnMut(&Connection) -> Result<T, Fault> + Send + 'static)>,
    ) -> Vec<Result<T, StoreError>> {
        let count = works.len();
        let receivers = match self.enqueue(works).await {
            Ok(receivers) => receivers,
            Err(error) => return (0..count).map(|_| Err(error.clone())).collect(),
        };
        let mut answers = Vec::with_capacity(count);
        for receiver in receivers {
            answers.push(receiver.await.unwrap_or_else(|_| Err(stopped())));
        }
        answers
    }

    async fn enqueue<T: Send + 'static>(
        &self,
        works: Vec<(usize, impl FnMut(&Connection) -> Result<T, Fault> + Send + 'static)>,
    ) -> Result<Vec<Answer<T>>, StoreError> {
        if self.read_only.load(Ordering::Acquire) {
            return Err(StoreError::ReadOnly);
        }
        let wait = Duration::from_millis(WRITE_WAIT_MS);
        let count = u32::try_from(works.len()).map_err(|_| StoreError::Busy)?;
        let places = tokio::time::timeout(wait, Arc::clone(&self.places).acquire_many_owned(count));
        let mut places = places.await.map_err(|_| StoreError::Busy)?.map_err(|_| stopped())?;
        let mut jobs: Vec<Box<dyn Job>> = Vec::with_capacity(works.len());
        let mut answers = Vec::with_capacity(works.len());
        for (bytes, work) in works {
            let place = places.split(1).ok_or_else(stopped)?;
            let (reply, answer) = oneshot::channel();
            jobs.push(Box::new(Request { work, bytes, result: None, reply, _place: place }));
            answers.push(answer);
        }
        if !jobs.is_empty() {
            self.send(Message::Run(jobs))?;
        }
        Ok(answers)
    }

    /// Refuses what comes from now on, or takes it again.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        self.read_only.store(read_only, Ordering::Release);
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
    /// First, so that its connection is closed before the writer's.
    checkpointer: Option<Checkpointer>,
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
                Message::Run(jobs) => self.group(jobs),
                Message::Stop(done) => Some(done),
            };
            if let Some(done) = stop {
                self.leave(done);
                return;
            }
        }
    }

    /// One transaction: the first requests and all that arrive while it is open. An idle writer
    /// does not wait: with nothing in the queue it commits at once, and what arrives during that
    /// fsync makes the next group.
    fn group(&mut self, mut jobs: Vec<Box<dyn Job>>) -> Option<oneshot::Sender<()>> {
        if let Some(error) = self.ended.clone() {
            finish(jobs, &Err(error));
            return None;
        }
        let mut stop = None;
        let outcome = self.run_arrivals(&mut jobs, &mut stop).and_then(|()| self.commit(jobs.len()));
        match outcome {
            Ok(()) => {
                finish(jobs, &Ok(()));
                self.checkpoint();
            }
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
        let (mut ran, mut bytes) = (0, 0usize);
        self.begin()?;
        loop {
            while let Some(job) = jobs.get_mut(ran) {
                bytes = bytes.saturating_add(job.bytes());
                job.run(&self.conn)?;
                ran += 1;
            }
            let full = ran >= COMMIT_MAX_REQUESTS
                || bytes >= COMMIT_MAX_BYTES
                || began.elapsed() >= Duration::from_millis(GATHER_MS);
            if full {
                break;
            }
            match self.arrivals.try_recv() {
                Ok(Message::Run(more)) => jobs.extend(more),
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

    /// After the answers, since it can take a moment. A failure is no failure of a request: the
    /// frames stay where they are, and the next commit tries again.
    fn checkpoint(&mut self) {
        if let Some(checkpointer) = &mut self.checkpointer {
            let _tried_again = checkpointer.after_commit(&self.conn);
        }
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
                Message::Run(jobs) => jobs.into_iter().for_each(|job| self.alone(job)),
                Message::Stop(also) => drop(also),
            }
        }
        self.checkpointer = None;
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
        let writer = Arc::new(Writer::start(connection(&path), None).unwrap());
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
    async fn works_handed_over_together_share_a_commit_and_one_bad_one_fails_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let writer = Writer::start(connection(&path), None).unwrap();
        let works = |from: i64| (from..from + 5).map(|x| (10, insert(x))).collect::<Vec<_>>();
        assert!(writer.write_together(works(1)).await.iter().all(Result::is_ok));
        assert_eq!(writer.counts(), (1, 5));
        let answers = writer.write_together(works(997)).await;
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, true, false, false]);
        assert_eq!(rows(&path), [1, 2, 3, 4, 5, 997, 998, 999]);
        writer.close().await;
        let refused = writer.write_together(works(20)).await;
        assert_eq!(refused.len(), 5);
        assert!(refused.iter().all(|answer| matches!(answer, Err(StoreError::Stopped { .. }))));
    }

    #[tokio::test]
    async fn a_failed_fsync_ends_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let fail = Arc::new(AtomicBool::new(false));
        let io_fsync = rusqlite::ffi::SQLITE_IOERR_FSYNC;
        let writer =
            Writer::start_with(connection(&path), None, failing(io_fsync, Arc::clone(&fail))).unwrap();
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
            Writer::start_with(connection(&path), None, failing(rusqlite::ffi::SQLITE_FULL, fail)).unwrap();
        assert_eq!(writer.write(1, insert(1)).await, Err(StoreError::StorageFull));
        writer.write(1, insert(2)).await.unwrap();
        assert_eq!(rows(&path), [2]);
    }

    #[tokio::test]
    async fn closing_commits_what_waits_and_refuses_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let writer = Arc::new(Writer::start(connection(&path), None).unwrap());
        let first = writer.write(1, insert(1));
        let (first, ()) = tokio::join!(first, writer.close());
        first.unwrap();
        assert!(matches!(writer.write(1, insert(2)).await, Err(StoreError::Stopped { .. })));
        writer.close().await;
        assert_eq!(rows(&path), [1]);
    }
}
