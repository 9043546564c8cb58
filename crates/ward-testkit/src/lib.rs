//! Builders, fake clock and randomness, the server in memory, hostile relays.
//!
//! For tests and examples only: keys follow from seeds, and failures panic with what happened.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use ward_testkit::Site;
//! let mut site = Site::small(1).await;
//! let mut patient = site.patient("ada").await;
//! assert!(patient.client.sync().await.unwrap().is_complete());
//! # });
//! ```

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot set up its world has failed")]

mod device;
mod diary;
mod fake_clock;
mod file_device;
mod in_process;
mod inline_witness;
pub mod limits;
mod log_key_change;
mod memory_key;
mod memory_rows;
mod relay;
mod seeded_rng;
mod server;
pub mod sim;
mod site;
mod wire_meter;

pub use device::{TestClient, TestDevice};
pub use diary::{DIARY_URL, DIARY_VERSION, diary_answers, diary_instrument, diary_response};
pub use fake_clock::{FakeClock, FakeEnv, START};
pub use file_device::FileClient;
pub use in_process::{InProcessHints, InProcessTransport};
pub use memory_key::{Cut, MemoryKey};
pub use memory_rows::MemoryRows;
pub use relay::{Exchange, Relay, RelayTransport};
pub use seeded_rng::SeededRng;
pub use server::{Loopback, ORIGIN, Server, WitnessMemories};
pub use site::Site;
pub use wire_meter::WireMeter;
