//! Signing certificates: only after a person compared the six words.

use crate::client::Outcome;
use crate::limits::{CERT_BACKDATE_MS, PATIENT_CERT_LIFE_MS, STAFF_CERT_LIFE_MS};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::TicketState;
use ward_crypto::{
    AttestLevel, DeviceCert, DeviceCertFields, EnrolBlob, EnrolRequest, Idv, Role, Ticket,
    open_enrol_request, sas_words,
};
use ward_id::{Canonical as _, ChartId, DeviceId, PersonId, Subject, TicketId};
use ward_sync::MlogBody;

/// What a person said about the two lists of six words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same.
    Same,
    /// They differ: somebody is in between.
    Different,
}

/// A device that waits for its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingCert {
    /// The invitation.
    pub ticket: TicketId,
    /// The new device.
    pub device: DeviceId,
    /// Its person.
    pub person: PersonId,
    /// Its role.
    pub role: Role,
    /// The chart, for a patient.
    pub chart: Option<ChartId>,
    /// How well it says that its keys are held.
    pub attest: AttestLevel,
    /// Compare these with the new device's.
    pub words: [&'static str; 6],
}

/// What became of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certified {
    /// The device is certified.
    Done(DeviceId),
    /// The certificate waits for another person's signature.
    Proposed(ward_id::MlogEntryHash),
    /// The device was refused.
    Declined,
}

/// A request that was opened and checked.
pub(crate) struct OpenedRequest {
    pub(crate) ticket: Ticket,
    pub(crate) request: EnrolRequest,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Devices that redeemed a ticket of this device and wait for a person's word. A request that
    /// does not open, or is not what the ticket invites, is left out: it can only be declined.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn pending_enrolments(&mut self) -> Result<Vec<PendingCert>, ClientError> {
        let mut out = Vec::new();
        for row in self.own_tickets().await? {
            let (TicketState::Redeemed, Some(blob)) = (row.state, row.blob) else { continue };
            if let Ok(OpenedRequest { ticket, request }) = self.opened_request(row.ticket, blob.as_ref()) {
                out.push(PendingCert {
                    ticket: row.ticket,
                    device: request.binding.device,
                    person: request.binding.person,
                    role: request.binding.role,
                    chart: ticket.chart,
                    attest: request.attest_level,
                    words: sas_words(&request.binding, self.device()?.me.device),
                });
            }
        }
        Ok(out)
    }

    fn opened_request(&self, ticket: TicketId, blob: &[u8]) -> Result<OpenedRequest, ClientError> {
        let open = self.device()?;
        let record = open.tickets.get(&ticket).ok_or(ClientError::Unknown("the ticket's secret"))?;
        let ticket = Ticket::from_text(&record.text)?;
        let blob = EnrolBlob::from_canonical(blob).map_err(|_| ClientError::EnrolmentMismatch)?;
        let request =
            open_enrol_request(&ticket, &open.keys.enc, &blob).map_err(|_| ClientError::EnrolmentMismatch)?;
        Ok(OpenedRequest { ticket, request })
    }

    pub(crate) async fn redeemed_request(&mut self, ticket: TicketId) -> Result<OpenedRequest, ClientError> {
        let rows = self.own_tickets().await?;
        let row =
            rows.into_iter().find(|row| row.ticket == ticket).ok_or(ClientError::Unknown("the ticket"))?;
        let blob = row.blob.ok_or(ClientError::NotAllowed("no device has used this ticket yet"))?;
        self.opened_request(ticket, blob.as_ref())
    }

    /// Certifies the device that redeemed a ticket, or refuses it, by what a person said about the
    /// six words.
    ///
    /// # Errors
    /// [`ClientError::EnrolmentMismatch`] for a request that is not what the ticket invites,
    /// [`ClientError::Void`] with the rule that is broken, and what a call can fail with.
    pub async fn certify(
        &mut self,
        ticket: TicketId,
        comparison: Comparison,
    ) -> Result<Certified, ClientError> {
        if comparison == Comparison::Different {
            self.set_ticket_state(ticket, TicketState::Declined).await?;
            self.forget_ticket(ticket).await?;
            return Ok(Certified::Declined);
        }
        self.follow_mlog().await.map_err(crate::client::as_error)?;
        let opened = self.redeemed_request(ticket).await?;
        let cert = self.certificate(&opened)?;
        let (device, subject) = (cert.binding.device, self.subject_of(&opened.ticket)?);
        match self.act(subject, &MlogBody::DeviceCert(Box::new(cert))).await? {
            Outcome::Done(_) => {
                self.set_ticket_state(ticket, TicketState::Certified).await?;
                self.forget_ticket(ticket).await?;
                Ok(Certified::Done(device))
            }
            Outcome::Proposed(hash) => {
                let record = self.device()?.tickets.get(&ticket).cloned();
                if let Some(record) = record {
                    self.keep_ticket(record.proposed_as(Some(hash))).await?;
                }
                Ok(Certified::Proposed(hash))
            }
        }
    }

    fn subject_of(&self, ticket: &Ticket) -> Result<Subject, ClientError> {
        let site = self.device()?.me.site;
        Ok(ticket.chart.map_or_else(|| site.into(), Into::into))
    }

    /// The certificate for an opened request, issued by this device.
    pub(crate) fn certificate(&self, opened: &OpenedRequest) -> Result<DeviceCert, ClientError> {
        let open = self.device()?;
        let issuer = open.own_record().ok_or(ClientError::NotEnrolled)?;
        let manifest = open.mlog.membership.manifest().ok_or(ClientError::WrongSite)?;
        let request = &opened.request;
        let now = self.trusted_now().unwrap_or_else(|| self.env_wall());
        let life_ms =
            if request.binding.role == Role::Patient { PATIENT_CERT_LIFE_MS } else { STAFF_CERT_LIFE_MS };
        Ok(DeviceCert::new(DeviceCertFields {
            binding: request.binding.clone(),
            counter_sign: request.counter_sign,
            counter_auth: request.counter_auth,
            attest_level: request.attest_level,
            not_before: now.plus_ms(-CERT_BACKDATE_MS),
            not_after: now.plus_ms(life_ms),
            idv: Idv::Compared,
            issuer_cert_hash: issuer.cert_hash(),
            manifest_hash: manifest.hash(),
        })?)
    }

    /// Tickets whose certificate got its second signature elsewhere are marked at the server.
    pub(crate) async fn settle_tickets(&mut self) -> Result<(), ClientError> {
        let open = self.device()?;
        let proposed: Vec<_> =
            open.tickets.values().filter(|record| record.proposed.is_some()).cloned().collect();
        for record in proposed {
            let ticket = Ticket::from_text(&record.text)?;
            let open = self.device()?;
            let certified =
                open.mlog.membership.site_devices().any(|known| known.cert().binding.ticket == record.ticket)
                    || ticket.chart.is_some_and(|chart| {
                        open.mlog
                            .membership
                            .participant_devices(chart)
                            .any(|known| known.cert().binding.ticket == record.ticket)
                    });
            if certified {
                self.set_ticket_state(record.ticket, TicketState::Certified).await?;
                self.forget_ticket(record.ticket).await?;
            }
        }
        Ok(())
    }
}
