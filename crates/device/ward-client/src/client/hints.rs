//! Live hints: a stream that says that something changed. A lost hint costs time, never data.

use super::Client;
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::paths;
use ward_id::ChartId;

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Opens the stream of hints of a chart. Sync on each hint, and now and then without one.
    ///
    /// # Errors
    /// [`ClientError::Transport`], and what getting a token can fail with.
    pub async fn hints(&mut self, chart: ChartId) -> Result<T::Hints, ClientError> {
        let request = self.wire()?.hint_request(&paths::events(chart)).await?;
        let server = self.server()?.clone();
        Ok(self.transport.events(&server, request).await?)
    }
}
