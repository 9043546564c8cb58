//! What an app must provide: rows, a way to the server, time and randomness, and a place for the
//! key. Everything else of the SDK is plain computation over these four.

mod device_key;
mod environment;
mod row_store;
mod transport;

pub use device_key::{DeviceKeyError, DeviceKeyStore, HighWater, OwnHead};
pub use environment::Environment;
pub use row_store::{Row, RowStore, RowStoreError, RowWrite, StoreSpace, WriteBatch};
pub use transport::{
    HintStream, HttpMethod, HttpRequest, HttpResponse, ServerAddress, Transport, TransportError,
};
