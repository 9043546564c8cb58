//! What an auditor must be able to find: written into the chart by the device that saw it, once for
//! one event.

use super::{Client, SyncProblem};
use crate::store::{Batch, Table, row_id};
use crate::{ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_crypto::sha256;
use ward_id::{Canonical, ChartId, DeviceId, Incarnation};
use ward_sync::limits::INCIDENT_EVIDENCE_MAX_BYTES;
use ward_sync::{Decoded, Draft, ForkProof, Incident, IncidentKind, Payload};

/// The name of an event: the same on every device that sees it.
pub(crate) fn event_name(what: IncidentKind, parts: &[&[u8]]) -> [u8; 32] {
    let mut bytes = b"ward/v1/incident".to_vec();
    bytes.extend_from_slice(what.name().as_bytes());
    bytes.push(0);
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    sha256(&bytes)
}

/// The incident of a fork.
pub(crate) fn fork_incident(
    device: DeviceId,
    incarnation: Incarnation,
    proof: Option<&ForkProof>,
) -> Incident {
    let event = event_name(IncidentKind::Fork, &[device.as_bytes(), &incarnation.0.to_be_bytes()]);
    let evidence = proof.map(Canonical::to_canonical);
    Incident {
        device: Some(device),
        incarnation: Some(incarnation),
        seq: proof.map(ForkProof::seq),
        evidence: evidence.filter(|bytes| bytes.len() <= INCIDENT_EVIDENCE_MAX_BYTES),
        ..Incident::new(IncidentKind::Fork, event)
    }
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Writes an incident, unless this device has written the event down already.
    pub(crate) async fn write_incident(
        &mut self,
        chart: ChartId,
        incident: Incident,
    ) -> Result<bool, ClientError> {
        if self.has_written(chart, &incident)? || self.device()?.set_back {
            return Ok(false);
        }
        match self.capture_draft(chart, Draft::new(incident)).await {
            Ok(_) => Ok(true),
            // Taken out of the chart since: those who are in it write it down.
            Err(ClientError::UnknownChart(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an entry of this device, of whatever life of its store, names the event.
    fn has_written(&self, chart: ChartId, incident: &Incident) -> Result<bool, ClientError> {
        let open = self.device()?;
        let Some(local) = open.charts.get(&chart) else { return Ok(false) };
        let same = |payload: &Decoded| {
            matches!(payload, Decoded::Known(Payload::Incident(known))
            if (known.what, known.event) == (incident.what, incident.event))
        };
        let mut mine = local.chart.entries_of(open.me.device);
        Ok(mine.any(|entry| {
            entry.body().kind == ward_sync::EntryKind::INCIDENT && same(&entry.body().decode_payload())
        }))
    }

    /// A device wrote two histories: what proves it is kept here and written into the chart.
    pub(crate) async fn fork_found(
        &mut self,
        chart: ChartId,
        device: DeviceId,
        incarnation: Incarnation,
    ) -> SyncProblem {
        let proof = self.fork_proof(chart, device, incarnation, &[]).await.ok().flatten();
        if let Some(proof) = &proof {
            let kept = self.keep_fork_proof(chart, proof).await;
            let incident = fork_incident(device, incarnation, Some(proof));
            let written = match kept {
                Ok(()) => self.write_incident(chart, incident).await.map(drop),
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                return SyncProblem::of_error("fork", error);
            }
        }
        SyncProblem::DeviceFork { chart, device }
    }

    /// Keeps the proof of a fork in the local store, whole.
    pub(crate) async fn keep_fork_proof(
        &mut self,
        chart: ChartId,
        proof: &ForkProof,
    ) -> Result<(), ClientError> {
        let (device, incarnation) = proof.device();
        let id = row_id(&[
            chart.as_bytes(),
            device.as_bytes(),
            &incarnation.0.to_be_bytes(),
            &proof.seq().to_be_bytes(),
        ]);
        let mut batch = Batch::default();
        batch.put(Table::Forks, id, proof);
        self.commit(batch).await?;
        self.raise_mark(None).await;
        Ok(())
    }

    /// The proofs of forks that this device holds of a chart, for auditors.
    ///
    /// # Errors
    /// [`ClientError::Store`], [`ClientError::StoreDamaged`].
    pub async fn fork_proofs(&self, chart: ChartId) -> Result<Vec<ForkProof>, ClientError> {
        let all = self.rows().records::<ForkProof>(Table::Forks).await?;
        Ok(all
            .into_iter()
            .filter(|(id, _)| id.starts_with(chart.as_bytes()))
            .map(|(_, proof)| proof)
            .collect())
    }
}
