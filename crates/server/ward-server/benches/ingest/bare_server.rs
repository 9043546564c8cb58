//! The limit: TLS, rows of the same size, one group commit for what has arrived. No HTTP, no
//! token, no signature, no log.
//!
//! A request is its length, the number of rows, the length of the answer (each u32 BE), then bytes
//! that are cut into the rows. The answer is sent when the rows are on disk.

use crate::child::{identity, say_listening};
use rusqlite::{Connection, params};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

const HEAD_BYTES: usize = 12;
/// As the store of Ward has it.
const SET_UP: &str = "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA wal_autocheckpoint = 512; PRAGMA cache_size = -16384; \
    CREATE TABLE IF NOT EXISTS operation (olog_index INTEGER PRIMARY KEY, chart INTEGER, chain INTEGER, \
    seq INTEGER, epoch INTEGER, received_at INTEGER, entry_id BLOB, envelope_hash BLOB, cut BLOB, envelope BLOB) STRICT";
const INSERT: &str = "INSERT INTO operation (chart, chain, seq, epoch, received_at, entry_id, envelope_hash, cut, envelope) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
/// Of an envelope, the store keeps these in columns.
const CUT_BYTES: usize = 64;

/// A request of the same size as one of Ward's, with an answer of the same size.
pub fn request(size: usize, rows: usize, answer_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    for number in [size - HEAD_BYTES, rows, answer_bytes] {
        bytes.extend(u32::try_from(number).unwrap().to_be_bytes());
    }
    bytes.resize(size, 0x5a);
    bytes
}

struct Job {
    rows: Vec<Vec<u8>>,
    done: oneshot::Sender<()>,
}

/// Serves until it is killed.
pub fn run(folder: &Path) -> ExitCode {
    let conn = Connection::open(folder.join("bare.db")).unwrap();
    conn.execute_batch(SET_UP).unwrap();
    let (send, arrivals) = channel();
    std::thread::spawn(move || write(&conn, &arrivals));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let acceptor = TlsAcceptor::from(identity(folder).server_config().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        say_listening(listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(answer(acceptor.clone(), stream, send.clone()));
        }
    })
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream, writer: Sender<Job>) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let mut head = [0; HEAD_BYTES];
    while stream.read_exact(&mut head).await.is_ok() {
        let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap()) as usize;
        let (size, rows, answer_bytes) = (number(0), number(4), number(8));
        let mut bytes = vec![0; size];
        stream.read_exact(&mut bytes).await.unwrap();
        let rows = bytes.chunks(size.div_ceil(rows)).map(|row| row[CUT_BYTES..].to_vec()).collect();
        let (done, stored) = oneshot::channel();
        writer.send(Job { rows, done }).unwrap();
        stored.await.unwrap();
        stream.write_all(&vec![1; answer_bytes]).await.unwrap();
        stream.flush().await.unwrap();
    }
}

/// One transaction for everything that has arrived.
fn write(conn: &Connection, arrivals: &Receiver<Job>) {
    let mut seq = 0i64;
    while let Ok(first) = arrivals.recv() {
        conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        let jobs: Vec<Job> = std::iter::once(first).chain(arrivals.try_iter()).collect();
        for row in jobs.iter().flat_map(|job| &job.rows) {
            seq += 1;
            let mut insert = conn.prepare_cached(INSERT).unwrap();
            let hash = [7u8; 32];
            insert.execute(params![1, 1, seq, 0, seq, hash, hash, [1u8, 2, 3], row]).unwrap();
        }
        conn.execute_batch("COMMIT").unwrap();
        for job in jobs {
            // A client that went away needs no answer.
            let _gone = job.done.send(());
        }
    }
}
