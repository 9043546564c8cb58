//! What this device holds and has not checked against the operation log yet.

use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_audit::LogView;

/// How much is not checked. Each sync checks a bounded part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unchecked {
    /// Chains whose newest place in the operation log is not proved.
    pub places: u64,
    /// Receipts whose promise no verified head has reached, or that were not looked up yet.
    pub receipts: u64,
    /// Envelopes that cannot be opened here, so that nobody looked into them.
    pub unopened: u64,
    /// Own entries that no server has: no log can speak for them.
    pub unsent: u64,
}

impl Unchecked {
    /// Whether everything is checked.
    pub const fn is_nothing(&self) -> bool {
        self.places + self.receipts + self.unopened + self.unsent == 0
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// What is not checked yet.
    ///
    /// # Errors
    /// [`ClientError::Locked`] or [`ClientError::NotEnrolled`].
    pub fn unchecked(&self) -> Result<Unchecked, ClientError> {
        let open = self.device()?;
        let size = open.olog.as_ref().and_then(LogView::head).map_or(0, |head| head.head().size);
        // Charts count the places of all logs of the site.
        let size = open.olog_begin().saturating_add(size);
        let mut out = Unchecked::default();
        for local in open.charts.values() {
            out.places += local.chart.to_prove(size).len() as u64;
            let unseen = local.receipts.values().filter(|record| record.checked_at_size.is_none());
            out.receipts += unseen.count() as u64;
            out.unopened += local.unopened.len() as u64;
            out.unsent += local.unsent().count() as u64;
        }
        Ok(out)
    }
}
