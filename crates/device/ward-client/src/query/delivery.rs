//! How far the entries of this device came, chart by chart: saved here, received by the server,
//! opened at the site.

use crate::client::{LocalChart, innermost_kind};
use crate::limits::UNSENT_NAG_MS;
use crate::views::NamedChart;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs};
use ward_sync::{ChartView, DeliveryState, EntryChain, EntryKind, SignedEntry};

/// How far one entry of this device came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDelivery {
    /// The entry.
    pub entry: EntryId,
    /// What it is about.
    pub kind: EntryKind,
    /// When it was written, by this device's clock.
    pub captured_at: TimestampMs,
    /// How far it came.
    pub state: DeliveryState,
}

/// An entry that waits on this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldestUnsent {
    /// The entry.
    pub entry: EntryId,
    /// When it was written, by this device's clock.
    pub captured_at: TimestampMs,
    /// How long it waits: by the monotonic clock within one boot, else by the wall clock.
    pub waits_ms: i64,
}

/// How far the entries of this device in one chart came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartDelivery {
    /// The chart.
    pub chart: ChartId,
    /// The name under which people know it.
    pub label: String,
    /// Saved on this device; nobody else is known to have them.
    pub saved_here: u64,
    /// Handed to the site through the drop box, not adopted yet.
    pub handed_over: u64,
    /// Received by the server.
    pub received: u64,
    /// Opened at the site.
    pub opened_at_site: u64,
    /// The entry that waits longest.
    pub oldest_unsent: Option<OldestUnsent>,
    /// Every entry of this device, in order.
    pub entries: Vec<EntryDelivery>,
}

impl ChartDelivery {
    /// Whether something waits so long that a person should find a network.
    pub fn needs_network(&self) -> bool {
        self.oldest_unsent.is_some_and(|oldest| oldest.waits_ms >= UNSENT_NAG_MS)
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// How far the entries of this device in a chart came.
    ///
    /// # Errors
    /// As [`Client::chart`].
    pub fn delivery(&self, chart: ChartId) -> Result<ChartDelivery, ClientError> {
        let me = self.device()?.me.device;
        let view = self.view_of(chart)?;
        let states = self.delivery_states(chart, &view)?;
        let own = view.timeline().iter().map(|item| item.entry);
        let own = own.filter(|entry| entry.frame().device == me);
        let mut entries = Vec::new();
        let mut oldest: Option<OldestUnsent> = None;
        let former = self.former_entries(chart, &states)?.into_iter();
        for entry in own.chain(former).filter(|entry| !innermost_kind(entry).is_about_checkpoints()) {
            let state = states.get(&entry.id()).copied().unwrap_or(self.without_server(chart, entry));
            if state == DeliveryState::SavedHere {
                let waits = self.waiting(entry);
                if oldest.is_none_or(|oldest| oldest.waits_ms < waits.waits_ms) {
                    oldest = Some(waits);
                }
            }
            let body = entry.body();
            entries.push(EntryDelivery {
                entry: entry.id(),
                kind: body.kind,
                captured_at: body.captured_at,
                state,
            });
        }
        let count = |state| entries.iter().filter(|entry| entry.state == state).count() as u64;
        Ok(ChartDelivery {
            chart,
            label: NamedChart::new(chart, &view).label,
            saved_here: count(DeliveryState::SavedHere),
            handed_over: count(DeliveryState::HandedOver),
            received: count(DeliveryState::Received),
            opened_at_site: count(DeliveryState::Opened),
            oldest_unsent: oldest,
            entries,
        })
    }

    /// How far every entry of a chart came, as this device knows.
    pub(crate) fn delivery_states(
        &self,
        chart: ChartId,
        view: &ChartView<'_>,
    ) -> Result<BTreeMap<EntryId, DeliveryState>, ClientError> {
        let open = self.device()?;
        let me = open.me.device;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let carriers = ward_sync::carriers(view);
        Ok(ward_sync::delivery(view, |item| {
            let carrier = carriers.get(&item.entry.id()).and_then(|carrier| local.chart.get(*carrier));
            let at_server = server_has(local, me, carrier.unwrap_or(item.entry));
            if at_server { DeliveryState::Received } else { self.without_server(chart, item.entry) }
        }))
    }

    /// Entries of former devices of this store that nobody else is known to have and that the chart
    /// does not hold.
    fn former_entries(
        &self,
        chart: ChartId,
        held: &BTreeMap<EntryId, DeliveryState>,
    ) -> Result<Vec<&SignedEntry>, ClientError> {
        let open = self.device()?;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        Ok(local.former_unsent(open.me.device).filter(|entry| !held.contains_key(&entry.id())).collect())
    }

    /// How far an entry came that the server does not have.
    fn without_server(&self, chart: ChartId, entry: &SignedEntry) -> DeliveryState {
        let dropped = self.device().is_ok_and(|open| open.dropped.contains_key(&(chart, entry.id())));
        if dropped { DeliveryState::HandedOver } else { DeliveryState::SavedHere }
    }

    fn waiting(&self, entry: &SignedEntry) -> OldestUnsent {
        let (body, env) = (entry.body(), self.environment());
        let by_monotonic = env.monotonic_ms().checked_sub(body.evidence.monotonic_ms);
        let waits_ms = by_monotonic
            .filter(|_| env.boot_id() == body.evidence.boot_id)
            .and_then(|ms| i64::try_from(ms).ok())
            .unwrap_or_else(|| env.wall().since_ms(body.captured_at).max(0));
        OldestUnsent { entry: entry.id(), captured_at: body.captured_at, waits_ms }
    }
}

/// Whether the server is known to have an entry: its receipt verified, or it delivered the entry. An
/// own entry that the server lost again after a receipt counts as not sent, for it is sent again.
fn server_has(local: &LocalChart, me: DeviceId, entry: &SignedEntry) -> bool {
    let frame = entry.frame();
    let life = local.chain.as_ref().map(EntryChain::incarnation);
    if frame.device == me && Some(frame.incarnation) == life {
        frame.seq <= local.receipted
    } else {
        local.arrived(entry.id())
    }
}
