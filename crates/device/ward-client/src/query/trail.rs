//! The trail of a chart, from what this device holds: no network is needed.

use crate::export::{Trail, TrailParts, WaitingAccess, balp_ndjson, trail, trail_csv};
use crate::query::purpose_of;
use crate::views::NamedChart;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_id::{ChartId, PersonId};
use ward_sync::{AccessPurpose, SignedEntry};

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// The trail of a chart, to be read on this device. Reading it is noted as a check of the data.
    ///
    /// # Errors
    /// As [`Client::note_access`].
    pub async fn read_trail(&mut self, chart: ChartId) -> Result<Trail, ClientError> {
        self.note_access(chart, AccessPurpose::Verify).await?;
        self.trail(chart)
    }

    /// The trail of a chart as a table, to be taken out: that leaves a receipt in the chart.
    ///
    /// # Errors
    /// As [`Client::export_fhir`].
    pub async fn export_trail_csv(&mut self, chart: ChartId) -> Result<String, ClientError> {
        self.note_access(chart, AccessPurpose::Export).await?;
        Ok(trail_csv(&self.trail(chart)?))
    }

    /// The trail of a chart as FHIR audit events, to be taken out: that leaves a receipt in the chart.
    ///
    /// # Errors
    /// As [`Client::export_fhir`].
    pub async fn export_balp(&mut self, chart: ChartId) -> Result<String, ClientError> {
        self.note_access(chart, AccessPurpose::Export).await?;
        self.balp(chart)
    }

    pub(crate) fn balp(&self, chart: ChartId) -> Result<String, ClientError> {
        let open = self.device()?;
        let held = self.chart(chart)?;
        let entries: BTreeMap<_, &SignedEntry> =
            held.timeline().iter().map(|item| (item.entry.id(), item.entry)).collect();
        let trail = self.trail(chart)?;
        Ok(balp_ndjson(&trail, &open.server.origin, |entry| entries.get(&entry.entry).copied()))
    }

    pub(crate) fn trail(&self, chart: ChartId) -> Result<Trail, ClientError> {
        let open = self.device()?;
        let view = self.chart(chart)?;
        let local = open.charts.get(&chart).ok_or(ClientError::UnknownChart(chart))?;
        let waiting = self.waiting_accesses(chart).filter_map(|record| {
            let purpose = purpose_of(record.purpose)?;
            Some(WaitingAccess { purpose, day: record.day, count: record.count })
        });
        Ok(trail(&TrailParts {
            chart: NamedChart::new(chart, &view),
            device: open.me.device,
            names: &self.known_names(chart)?,
            proved: &local.chart.proved_chains(),
            heads: &self.witnessed_heads()?,
            delivery: &self.delivery_states(chart, &view)?,
            missing: local.chart.missing(),
            waiting_accesses: waiting.collect(),
            made_at: self.environment().wall(),
        }))
    }

    /// Names of persons: the participant's, if the profile of the chart has one.
    fn known_names(&self, chart: ChartId) -> Result<BTreeMap<PersonId, String>, ClientError> {
        let view = self.chart(chart)?;
        let named = view.profile().contains_key("name");
        let participant = self.device()?.mlog.membership.participant(chart).filter(|_| named);
        Ok(participant.map(|person| (person, NamedChart::new(chart, &view).label)).into_iter().collect())
    }
}
