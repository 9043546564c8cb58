//! A participant who lost their devices gets a new one: two members of staff sign one entry that
//! revokes the old ones and certifies the new one.

use super::Comparison;
use crate::client::{Outcome, as_error};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::TicketState;
use ward_id::{ChartId, DeviceId, TicketId};
use ward_sync::{DeviceRecord, MlogBody, RecoveryUse};

/// What a recovery needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverRequest {
    /// The ticket with which the new device was enrolled.
    pub ticket: TicketId,
    /// The participant's chart.
    pub chart: ChartId,
    /// The lost devices; all of the participant's where empty.
    pub lost: Vec<DeviceId>,
    /// Why; the participant sees it.
    pub reason: String,
    /// What a person said about the six words.
    pub comparison: Comparison,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Begins a recovery as the first of two members of staff; the second uses
    /// [`Client::cosign`].
    ///
    /// # Errors
    /// [`ClientError::EnrolmentMismatch`], [`ClientError::Void`] with the rule that is broken, and
    /// what a call can fail with.
    pub async fn recover(&mut self, request: RecoverRequest) -> Result<Outcome, ClientError> {
        if request.comparison == Comparison::Different {
            self.set_ticket_state(request.ticket, TicketState::Declined).await?;
            return Err(ClientError::EnrolmentMismatch);
        }
        self.follow_mlog().await.map_err(as_error)?;
        let olog = self.verified_olog().await?;
        let opened = self.redeemed_request(request.ticket).await?;
        let cert = self.certificate(&opened)?;
        let open = self.device()?;
        let active =
            open.mlog.membership.participant_devices(request.chart).filter(|known| known.is_active());
        let all: Vec<DeviceId> = active.map(DeviceRecord::device).collect();
        let mut revoked = if request.lost.is_empty() { all } else { request.lost };
        revoked.sort_unstable();
        let person = cert.binding.person;
        let body = MlogBody::RecoveryUse(RecoveryUse {
            chart: request.chart,
            person,
            revoked,
            olog,
            cert: Box::new(cert),
            reason: request.reason,
        });
        let outcome = self.act(request.chart.into(), &body).await?;
        match outcome {
            Outcome::Done(_) => {
                self.set_ticket_state(request.ticket, TicketState::Certified).await?;
                self.forget_ticket(request.ticket).await?;
                self.rotate_where_needed().await;
            }
            Outcome::Proposed(hash) => {
                if let Some(record) = self.device()?.tickets.get(&request.ticket).cloned() {
                    self.keep_ticket(record.proposed_as(Some(hash))).await?;
                }
            }
        }
        Ok(outcome)
    }
}
