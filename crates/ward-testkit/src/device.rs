//! A device under test: its client, and handles on everything around it.

use crate::{
    FakeClock, FakeEnv, InProcessTransport, MemoryKey, MemoryRows, Relay, RelayTransport, SeededRng,
};
use ward_client::{Client, ClientError, EnrolOutcome};
use ward_id::{ChartId, DeviceId, PersonId};

/// A client over the test kit's ports.
pub type TestClient = Client<MemoryRows, RelayTransport, FakeEnv, MemoryKey>;

/// A device with handles on its store, its key and its way to the server.
pub struct TestDevice {
    /// The client.
    pub client: TestClient,
    /// Its store.
    pub rows: MemoryRows,
    /// Its secure element.
    pub key: MemoryKey,
    /// What stands between it and the server.
    pub relay: Relay,
    name: String,
    seed: u64,
    lives: u64,
    transport: InProcessTransport,
    clock: FakeClock,
}

impl TestDevice {
    pub(crate) async fn new(transport: InProcessTransport, clock: FakeClock, seed: u64, name: &str) -> Self {
        let rows = MemoryRows::new();
        let key = MemoryKey::new(&mut SeededRng::new(seed, &format!("{name}/secure element")));
        let relay = Relay::default();
        let client = Client::open(
            rows.clone(),
            RelayTransport::new(transport.clone(), relay.clone()),
            FakeEnv::new(clock.clone(), seed, name),
            key.clone(),
        )
        .await
        .expect("an empty store opens");
        Self { client, rows, key, relay, name: name.to_owned(), seed, lives: 0, transport, clock }
    }

    /// The ports of this device, for building a client in another way.
    pub(crate) fn ports(&mut self) -> (MemoryRows, RelayTransport, FakeEnv, MemoryKey) {
        self.lives += 1;
        let env = FakeEnv::new(self.clock.clone(), self.seed, &format!("{}/{}", self.name, self.lives));
        (
            self.rows.clone(),
            RelayTransport::new(self.transport.clone(), self.relay.clone()),
            env,
            self.key.clone(),
        )
    }

    /// Ends the app and starts it again on the same store, unlocked.
    pub async fn restart(&mut self) {
        let (rows, transport, env, key) = self.ports();
        self.client = Client::open(rows, transport, env, key).await.expect("the store opens");
        self.client.unlock().await.expect("the store unlocks");
    }

    /// Ends the app and tries to start it again.
    ///
    /// # Errors
    /// What opening or unlocking fails with.
    pub async fn try_restart(&mut self) -> Result<(), ClientError> {
        let (rows, transport, env, key) = self.ports();
        self.client = Client::open(rows, transport, env, key).await?;
        self.client.unlock().await
    }

    /// Starts the app on another store with the same secure element, as after restoring a backup.
    pub async fn restart_with(&mut self, rows: &MemoryRows) {
        self.rows = rows.clone();
        self.restart().await;
    }

    /// A second machine with a copy of this device's store and key.
    pub async fn cloned(&mut self) -> Self {
        let key = self.key.clone();
        self.copy_with(key).await
    }

    /// This device in another future, in which something else happens to it from here on.
    pub async fn in_another_future(&mut self) -> Self {
        let key = self.key.snapshot();
        self.copy_with(key).await
    }

    async fn copy_with(&mut self, key: MemoryKey) -> Self {
        let rows = self.rows.snapshot();
        self.lives += 1;
        let name = format!("{}/copy {}", self.name, self.lives);
        let relay = Relay::default();
        let mut client = Client::open(
            rows.clone(),
            RelayTransport::new(self.transport.clone(), relay.clone()),
            FakeEnv::new(self.clock.clone(), self.seed, &name),
            key.clone(),
        )
        .await
        .expect("the store opens");
        client.unlock().await.expect("the store unlocks");
        Self {
            client,
            rows,
            key,
            relay,
            name,
            seed: self.seed,
            lives: 0,
            transport: self.transport.clone(),
            clock: self.clock.clone(),
        }
    }

    /// This device's id.
    pub fn device(&self) -> DeviceId {
        self.client.me().expect("the device is enrolled").device
    }

    /// Its person.
    pub fn person(&self) -> PersonId {
        self.client.me().expect("the device is enrolled").person
    }

    /// The patient's chart.
    pub fn chart(&self) -> ChartId {
        self.client.me().expect("the device is enrolled").chart.expect("the device is a patient's")
    }

    /// Syncs and expects everything to be well.
    pub async fn sync(&mut self) {
        let report = self.client.sync().await.expect("the device is enrolled and unlocked");
        assert!(report.is_complete(), "{} synced with {report:?}", self.name);
    }

    /// Takes an invitation and shows the six words.
    pub async fn begin(&mut self, ticket: &str) -> [&'static str; 6] {
        self.client.enrol_begin(ticket).await.expect("the invitation is taken").words
    }

    /// Ends the enrolment.
    pub async fn finish(&mut self) {
        let outcome = self.client.enrol_finish().await.expect("the enrolment can be asked about");
        assert!(matches!(outcome, EnrolOutcome::Enrolled { .. }), "{} is {outcome:?}", self.name);
    }
}
