//! The four ports of a device in the simulator: rows, secure element, clocks and network, each
//! asking the device's fate first.

use super::fate::{CommitFate, Fate, RequestFate};
use super::schedule::NetFault;
use crate::{FakeClock, InProcessHints, InProcessTransport, MemoryKey, MemoryRows, SeededRng};
use rand_core::CryptoRng;
use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use ward_client::native::SqliteRowStore;
use ward_client::{
    DeviceKeyError, DeviceKeyStore, Environment, HighWater, HttpRequest, HttpResponse, Row, RowStore,
    RowStoreError, RowWrite, ServerAddress, Transport, TransportError, WriteBatch,
};
use ward_crypto::Lkek;
use ward_id::TimestampMs;

/// Where a device keeps its rows between two lives of its app.
#[derive(Clone)]
pub(super) enum Disk {
    Memory(MemoryRows),
    File(PathBuf),
}

impl Disk {
    pub(super) fn open(&self) -> Result<OpenDisk, RowStoreError> {
        match self {
            Self::Memory(rows) => Ok(OpenDisk::Memory(rows.clone())),
            Self::File(path) => Ok(OpenDisk::File(Box::new(SqliteRowStore::open(path)?))),
        }
    }

    /// All rows as they stand. No app may be running on a file.
    pub(super) async fn copied(&self) -> Result<MemoryRows, RowStoreError> {
        let from = match self {
            Self::Memory(rows) => return Ok(rows.snapshot()),
            Self::File(_) => self.open()?,
        };
        let copy = MemoryRows::new();
        copy.commit(every_row(&from).await?).await?;
        Ok(copy)
    }

    /// Puts these rows in place of all others. No app may be running on a file.
    pub(super) async fn replace(&self, rows: &MemoryRows) -> Result<(), RowStoreError> {
        match self {
            Self::Memory(present) => {
                present.restore(rows);
                Ok(())
            }
            Self::File(path) => {
                for end in ["", "-wal", "-shm"] {
                    let mut name = path.clone().into_os_string();
                    name.push(end);
                    // A file that is not there needs no removing.
                    let _absent = std::fs::remove_file(name);
                }
                self.open()?.commit(every_row(&OpenDisk::Memory(rows.clone())).await?).await
            }
        }
    }
}

async fn every_row(disk: &OpenDisk) -> Result<WriteBatch, RowStoreError> {
    let mut writes = Vec::new();
    for table in 0..=u8::MAX {
        let rows = disk.scan(table).await?;
        writes.extend(rows.into_iter().map(|row| RowWrite::Put { table, row }));
    }
    Ok(WriteBatch { writes })
}

/// A disk that an app uses.
pub(super) enum OpenDisk {
    Memory(MemoryRows),
    File(Box<SqliteRowStore>),
}

impl OpenDisk {
    async fn scan(&self, table: u8) -> Result<Vec<Row>, RowStoreError> {
        match self {
            Self::Memory(rows) => rows.scan(table).await,
            Self::File(rows) => rows.scan(table).await,
        }
    }

    async fn commit(&self, batch: WriteBatch) -> Result<(), RowStoreError> {
        match self {
            Self::Memory(rows) => rows.commit(batch).await,
            Self::File(rows) => rows.commit(batch).await,
        }
    }
}

/// The rows of a device that can die at any commit.
pub struct SimRows {
    pub(super) disk: OpenDisk,
    pub(super) fate: Fate,
}

fn dead() -> RowStoreError {
    RowStoreError::Broken("the device died".to_owned())
}

impl RowStore for SimRows {
    async fn get(&self, table: u8, id: &[u8]) -> Result<Option<Row>, RowStoreError> {
        if self.fate.is_dead() {
            return Err(dead());
        }
        match &self.disk {
            OpenDisk::Memory(rows) => rows.get(table, id).await,
            OpenDisk::File(rows) => rows.get(table, id).await,
        }
    }

    async fn has(&self, table: u8, id: &[u8]) -> Result<bool, RowStoreError> {
        if self.fate.is_dead() {
            return Err(dead());
        }
        match &self.disk {
            OpenDisk::Memory(rows) => rows.has(table, id).await,
            OpenDisk::File(rows) => rows.has(table, id).await,
        }
    }

    async fn scan(&self, table: u8) -> Result<Vec<Row>, RowStoreError> {
        if self.fate.is_dead() {
            return Err(dead());
        }
        self.disk.scan(table).await
    }

    async fn commit(&self, batch: WriteBatch) -> Result<(), RowStoreError> {
        match self.fate.on_commit() {
            CommitFate::Goes => self.disk.commit(batch).await,
            CommitFate::Fails => Err(dead()),
            CommitFate::FindsDiskFull => Err(RowStoreError::Full),
            CommitFate::IsTheLast => {
                self.disk.commit(batch).await?;
                Err(dead())
            }
        }
    }
}

/// A secure element that a dead device does not reach.
#[derive(Clone)]
pub struct SimKey {
    pub(super) key: MemoryKey,
    pub(super) fate: Fate,
}

impl SimKey {
    fn living(&self) -> Result<&MemoryKey, DeviceKeyError> {
        if self.fate.is_dead() {
            return Err(DeviceKeyError::Broken("the device died".to_owned()));
        }
        Ok(&self.key)
    }
}

impl DeviceKeyStore for SimKey {
    async fn wrap(&self, local_key: &Lkek, rng: &mut impl CryptoRng) -> Result<Vec<u8>, DeviceKeyError> {
        self.living()?.wrap(local_key, rng).await
    }

    async fn unwrap(&self, wrapped: &[u8]) -> Result<Lkek, DeviceKeyError> {
        self.living()?.unwrap(wrapped).await
    }

    async fn high_water(&self) -> Result<Option<HighWater>, DeviceKeyError> {
        self.living()?.high_water().await
    }

    async fn set_high_water(&self, mark: &HighWater) -> Result<(), DeviceKeyError> {
        self.living()?.set_high_water(mark).await
    }

    async fn destroy(&self) -> Result<(), DeviceKeyError> {
        self.living()?.destroy().await
    }
}

/// The clocks of one device, through all its lives.
pub(super) struct DeviceClock {
    pub(super) truth: FakeClock,
    offset_ms: Cell<i64>,
    boot_id: Cell<u64>,
    booted_at: Cell<TimestampMs>,
}

impl DeviceClock {
    pub(super) fn new(truth: FakeClock) -> Rc<Self> {
        let booted_at = Cell::new(truth.now().plus_ms(-1_000));
        Rc::new(Self { truth, offset_ms: Cell::new(0), boot_id: Cell::new(1), booted_at })
    }

    pub(super) fn set_offset_ms(&self, offset_ms: i64) {
        self.offset_ms.set(offset_ms);
    }

    pub(super) fn reboot(&self) {
        self.boot_id.set(self.boot_id.get() + 1);
        self.booted_at.set(self.truth.now());
    }
}

/// Clocks and entropy of one life of an app.
pub struct SimEnv {
    pub(super) clock: Rc<DeviceClock>,
    pub(super) rng: SeededRng,
}

impl Environment for SimEnv {
    type Rng = SeededRng;

    fn wall(&self) -> TimestampMs {
        self.clock.truth.now().plus_ms(self.clock.offset_ms.get())
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.clock.truth.now().since_ms(self.clock.booted_at.get())).unwrap_or(0)
    }

    fn boot_id(&self) -> u64 {
        self.clock.boot_id.get()
    }

    fn zone(&self) -> String {
        "Europe/Berlin".to_owned()
    }

    fn rng(&mut self) -> &mut SeededRng {
        &mut self.rng
    }

    async fn pause(&self, duration_ms: u64) {
        self.clock.truth.advance_ms(i64::try_from(duration_ms).unwrap_or(0));
    }
}

/// A network on which each request can go wrong in its own way.
pub struct SimTransport {
    pub(super) inner: InProcessTransport,
    pub(super) fate: Fate,
}

impl SimTransport {
    async fn pass(
        &self,
        server: &ServerAddress,
        request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        let late = self.fate.take_late();
        let answer = self.inner.send(server, request).await;
        for request in late {
            // Whoever sent it does not wait for it any more.
            let _nobody_waits = self.inner.send(server, request).await;
        }
        answer
    }

    async fn go_wrong(
        &self,
        fault: NetFault,
        server: &ServerAddress,
        mut request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        match fault {
            NetFault::LoseRequest => Err(TransportError::TimedOut),
            NetFault::Late => {
                self.fate.keep_late(request);
                Err(TransportError::TimedOut)
            }
            NetFault::LoseAnswer => {
                let _lost = self.pass(server, request).await;
                Err(TransportError::TimedOut)
            }
            NetFault::Repeat => {
                let _first = self.pass(server, request.clone()).await;
                self.pass(server, request).await
            }
            NetFault::SpoilRequest => {
                spoil(&mut request.body);
                self.pass(server, request).await
            }
            NetFault::SpoilAnswer => {
                let mut answer = self.pass(server, request).await?;
                spoil(&mut answer.body);
                Ok(answer)
            }
            NetFault::CutAnswer => {
                let mut answer = self.pass(server, request).await?;
                answer.body.truncate(answer.body.len() / 2);
                Ok(answer)
            }
            NetFault::Portal => Ok(portal()),
        }
    }
}

/// Changes one bit in the middle.
fn spoil(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
}

fn portal() -> HttpResponse {
    HttpResponse {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<!doctype html><title>Welcome</title>Please accept our terms.".to_vec(),
    }
}

impl Transport for SimTransport {
    type Hints = InProcessHints;

    async fn send(
        &self,
        server: &ServerAddress,
        request: HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        match self.fate.on_request() {
            RequestFate::Goes => self.pass(server, request).await,
            RequestFate::Fails => Err(TransportError::Unreachable("no network".to_owned())),
            RequestFate::IsTheLast => {
                let _unseen = self.pass(server, request).await;
                Err(TransportError::Unreachable("the device died".to_owned()))
            }
            RequestFate::GoesWrong(fault) => self.go_wrong(fault, server, request).await,
        }
    }

    async fn events(&self, _: &ServerAddress, _: HttpRequest) -> Result<InProcessHints, TransportError> {
        Err(TransportError::NoHints)
    }
}
