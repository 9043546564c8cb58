//! The ports of a desktop or a phone: one SQLite file, HTTPS with pinned keys, the system's
//! clocks and entropy, and a key file that only its owner can read.

mod https_transport;
mod software_key;
mod spki_verifier;
mod sqlite_rows;
mod sqlite_salvage;
mod system_environment;

pub use https_transport::HttpsTransport;
pub use software_key::SoftwareDeviceKey;
pub use sqlite_rows::SqliteRowStore;
pub use sqlite_salvage::Salvaged;
pub use system_environment::SystemEnvironment;

/// A client over the native ports.
pub type NativeClient = crate::Client<SqliteRowStore, HttpsTransport, SystemEnvironment, SoftwareDeviceKey>;
