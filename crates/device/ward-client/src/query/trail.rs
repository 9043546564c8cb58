//! The trail of a chart, from what this device holds: no network is needed.

use crate::client::event_name;
use crate::export::{
    EarlierReceipt, ReopenedLog, Reopenings, Trail, TrailParts, WaitingAccess, balp_ndjson, trail, trail_csv,
};
use crate::query::purpose_of;
use crate::views::NamedChart;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use std::collections::BTreeMap;
use ward_audit::Receipt;
use ward_id::{Canonical as _, ChartId, PersonId, TimestampMs};
use ward_sync::{AccessPurpose, IncidentKind, SignedEntry};

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
            reopenings: &self.reopenings(chart)?,
            missing: local.chart.missing(),
            waiting_accesses: waiting.collect(),
            made_at: self.environment().wall(),
        }))
    }

    /// Operation logs that were opened again, and what this device holds of the first arrival of what
    /// stands in them.
    fn reopenings(&self, chart: ChartId) -> Result<Reopenings, ClientError> {
        let open = self.device()?;
        let membership = &open.mlog.membership;
        let mut out = Reopenings::default();
        for one in membership.reopenings() {
            let begin = membership.olog_begin_of(&one.new_origin);
            let head = membership.once_cosigned(&one.old_origin, &one.checkpoint);
            if let Some((begin, head)) = begin.zip(head) {
                let ended_at = end_of_second(head.cosigned.attested_s());
                let event = event_name(IncidentKind::LogReopened, &[one.new_origin.as_bytes()]);
                out.logs.push(ReopenedLog { origin: one.new_origin.clone(), begin, event, ended_at });
            }
        }
        let Some(local) = open.charts.get(&chart).filter(|_| !out.logs.is_empty()) else { return Ok(out) };
        for record in local.receipts.values() {
            let Ok(receipt) = Receipt::from_canonical(&record.receipt) else { continue };
            if Some(receipt.origin().as_str()) == membership.olog_origin() {
                continue;
            }
            for (index, entry) in (receipt.first_index()..).zip(&record.entries) {
                let origin = receipt.origin().to_string();
                let held = EarlierReceipt { origin, index, received_at: receipt.received_at() };
                let known = out.receipts.entry(*entry).or_insert_with(|| held.clone());
                if held.received_at < known.received_at {
                    *known = held;
                }
            }
        }
        Ok(out)
    }

    /// Names of persons: the participant's, if the profile of the chart has one.
    fn known_names(&self, chart: ChartId) -> Result<BTreeMap<PersonId, String>, ClientError> {
        let view = self.chart(chart)?;
        let named = view.profile().contains_key("name");
        let participant = self.device()?.mlog.membership.participant(chart).filter(|_| named);
        Ok(participant.map(|person| (person, NamedChart::new(chart, &view).label)).into_iter().collect())
    }
}

/// Witnesses sign whole seconds: what arrived within that second arrived before the log ended.
fn end_of_second(seconds: u64) -> TimestampMs {
    let ms = seconds.saturating_mul(1_000).saturating_add(999);
    TimestampMs(i64::try_from(ms).unwrap_or(i64::MAX))
}
