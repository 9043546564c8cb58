//! Entries that need the signature of another person.

use crate::client::{Outcome, as_error};
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{ErrorCode, Proposal, paths};
use ward_crypto::Role;
use ward_id::{DeviceId, MlogEntryHash, Subject, TimestampMs};
use ward_sync::{MlogBody, MlogEntry, MlogKind, VoidReason};

/// An entry that waits for a signature, as a person must see it before signing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalView {
    /// Names the proposal.
    pub hash: MlogEntryHash,
    /// What it is.
    pub kind: MlogKind,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub body: MlogBody,
    /// In a sentence.
    pub summary: String,
    /// Who signed so far.
    pub signed_by: Vec<DeviceId>,
    /// When the server took it.
    pub received_at: TimestampMs,
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// What waits for another signature.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn proposals(&mut self) -> Result<Vec<ProposalView>, ClientError> {
        let rows: Vec<Proposal> = self.wire()?.get(paths::MLOG_PROPOSALS).await?;
        Ok(rows.iter().filter_map(view).collect())
    }

    pub(crate) async fn waiting_entries(&mut self) -> Result<Vec<MlogEntry>, ClientError> {
        let rows: Vec<Proposal> = self.wire()?.get(paths::MLOG_PROPOSALS).await?;
        Ok(rows.iter().filter_map(|row| MlogEntry::read(row.entry.as_ref()).ok()).collect())
    }

    /// Adds this device's signature to a proposal, and sends it when that makes it whole. The log
    /// may have moved on since it was proposed; then it must be proposed again.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] on a participant's device, which compares six words first
    /// ([`Client::answer_device`]); [`ClientError::Unknown`] for no such proposal,
    /// [`ClientError::Void`] with the rule that is broken, and what a call can fail with.
    pub async fn cosign(&mut self, hash: MlogEntryHash) -> Result<Outcome, ClientError> {
        if self.me()?.role == Role::Patient {
            return Err(ClientError::NotAllowed("compare the six words of your new device first"));
        }
        self.follow_mlog().await.map_err(as_error)?;
        let waiting = self.waiting_entries().await?;
        let entry = waiting
            .into_iter()
            .find(|entry| entry.hash() == hash)
            .ok_or(ClientError::Unknown("the proposal"))?;
        let open = self.device()?;
        let signed = entry
            .sign_as_device(open.me.device, &open.keys.sign)
            .map_err(|error| ClientError::Void(error.to_string()))?;
        let outcome = match open.mlog.membership.would_be_effective(&signed, None) {
            Ok(()) => self.submit(&signed, None).await.map(Outcome::Done)?,
            Err(VoidReason::MoreSignatures { .. }) => self.propose(&signed).await?,
            Err(reason) => return Err(ClientError::Void(reason.to_string())),
        };
        self.withdraw_proposal(hash).await?;
        if outcome.is_done() {
            self.rotate_where_needed().await;
        }
        Ok(outcome)
    }

    /// Takes a proposal from the list.
    ///
    /// # Errors
    /// What a call can fail with.
    pub async fn withdraw_proposal(&mut self, hash: MlogEntryHash) -> Result<(), ClientError> {
        match self.wire()?.delete(&paths::mlog_proposal(hash)).await {
            // The server drops proposals that became entries by itself.
            Err(error) if error.is(ErrorCode::ProposalUnknown) => Ok(()),
            other => other,
        }
    }
}

fn view(row: &Proposal) -> Option<ProposalView> {
    let entry = MlogEntry::read(row.entry.as_ref()).ok()?;
    let body = entry.decode_body().ok()?;
    Some(ProposalView {
        hash: entry.hash(),
        kind: body.kind(),
        subject: entry.subject(),
        summary: summary(&body),
        signed_by: entry.signatures().iter().map(|one| one.signer.as_device()).collect(),
        received_at: row.received_at,
        body,
    })
}

/// What an entry does, for the person who is asked to sign it.
fn summary(body: &MlogBody) -> String {
    match body {
        MlogBody::SiteManifest(manifest) => {
            format!("replace the site's manifest (number {})", manifest.number)
        }
        MlogBody::DeviceCert(cert) => format!(
            "certify device {} of person {} as {:?}",
            cert.binding.device, cert.binding.person, cert.binding.role
        ),
        MlogBody::ChartOpen(open) => {
            format!("open chart {} for participant {}", open.chart, open.participant)
        }
        MlogBody::Team(team) => format!("set team {} to {} persons", team.team, team.persons.len()),
        MlogBody::SpaceMember(member) if member.add => {
            format!("let person {} read chart {}", member.person, member.chart)
        }
        MlogBody::SpaceMember(member) => {
            format!("take person {} out of chart {}", member.person, member.chart)
        }
        MlogBody::Revoke(revoke) => format!("revoke device {}: {}", revoke.device, revoke.reason),
        MlogBody::Wipe(wipe) => format!("wipe the revoked device {}: {}", wipe.device, wipe.reason),
        MlogBody::Cancel(cancel) => format!("cancel entry {}", cancel.entry_hash),
        MlogBody::StudySchema(schema) => {
            format!("let the study's data merge by schema {} ({} fields)", schema.number, schema.fields.len())
        }
        MlogBody::AlertRules(set) => {
            format!("let alerts follow revision {} of the study's rules", set.revision)
        }
        MlogBody::EpochAnnounce(announce) => {
            format!("begin epoch {} of chart {}", announce.epoch, announce.chart)
        }
        MlogBody::LogReopen(reopen) => {
            format!("let the operation log go on as {}: {}", reopen.new_origin, reopen.reason)
        }
        MlogBody::RecoveryUse(recovery) => format!(
            "give participant {} of chart {} the new device {} in place of {} lost ones: {}",
            recovery.person,
            recovery.chart,
            recovery.cert.binding.device,
            recovery.revoked.len(),
            recovery.reason
        ),
    }
}
