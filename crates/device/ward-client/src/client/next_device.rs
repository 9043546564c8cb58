//! A participant's further device: the site compares the six words and signs first, then a device
//! that the participant already has compares them again and signs too. So a coordinator alone adds
//! no reader in the participant's name, and a phone alone adds none either.

use super::as_error;
use crate::staff::Comparison;
use crate::{Client, ClientError, DeviceKeyStore, Environment, RowStore, Transport};
use ward_api::{Proposal, paths};
use ward_crypto::{AttestLevel, DeviceCert, Role, labels, sas_words};
use ward_id::{DeviceId, MlogEntryHash, PersonId, Subject, TimestampMs};
use ward_sync::{DeviceRecord, MlogBody, MlogEntry, VoidReason};

/// A device that the site signed for this device's person, and that waits for this one's signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDevice {
    /// Names the entry to sign.
    pub entry: MlogEntryHash,
    /// The new device.
    pub device: DeviceId,
    /// How well it says that its keys are held.
    pub attest: AttestLevel,
    /// Compare these with what the new device shows. They are computed here, from the keys that
    /// would be certified.
    pub words: [&'static str; 6],
    /// Who of the site signed.
    pub issued_by: PersonId,
    /// In which role.
    pub issuer_role: Role,
    /// When the server took the entry.
    pub received_at: TimestampMs,
}

/// What became of a waiting device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceAnswer {
    /// It is certified: it reads the chart once the next epoch counts.
    Certified(DeviceId),
    /// It was refused, and its entry taken off the list.
    Declined(DeviceId),
}

impl<S: RowStore, T: Transport, E: Environment, K: DeviceKeyStore> Client<S, T, E, K> {
    /// Further devices of this device's person that wait for its signature. What the site did not
    /// sign, or what could have no effect any more, is left out: the site signs it again.
    ///
    /// # Errors
    /// [`ClientError::NotAllowed`] on a device that is no participant's, and what a call can fail
    /// with.
    pub async fn waiting_devices(&mut self) -> Result<Vec<WaitingDevice>, ClientError> {
        let found = self.certificates_to_sign().await?;
        Ok(found.into_iter().map(|(waiting, _)| waiting).collect())
    }

    /// Signs for a further device of this device's person, or refuses it, by what the person said
    /// about the two lists of six words.
    ///
    /// # Errors
    /// [`ClientError::Unknown`] for an entry that does not wait for this device,
    /// [`ClientError::Void`] with the rule that is broken, and what a call can fail with.
    pub async fn answer_device(
        &mut self,
        entry: MlogEntryHash,
        comparison: Comparison,
    ) -> Result<DeviceAnswer, ClientError> {
        if self.is_read_only() {
            return Err(ClientError::StoreIsNewer);
        }
        let waiting = self.certificates_to_sign().await?;
        let found = waiting.into_iter().find(|(waiting, _)| waiting.entry == entry);
        let (waiting, half) = found.ok_or(ClientError::Unknown("the waiting device"))?;
        if comparison == Comparison::Different {
            self.withdraw_proposal(entry).await?;
            return Ok(DeviceAnswer::Declined(waiting.device));
        }
        let open = self.device()?;
        let signed = half
            .sign_as_device(open.me.device, &open.keys.sign)
            .map_err(|error| ClientError::Void(error.to_string()))?;
        open.mlog
            .membership
            .would_be_effective(&signed, None)
            .map_err(|reason| ClientError::Void(reason.to_string()))?;
        self.submit(&signed, None).await?;
        self.rotate_where_needed().await;
        Ok(DeviceAnswer::Certified(waiting.device))
    }

    async fn certificates_to_sign(&mut self) -> Result<Vec<(WaitingDevice, MlogEntry)>, ClientError> {
        if self.me()?.role != Role::Patient {
            return Err(ClientError::NotAllowed(
                "staff sign with a comparison of their own, or as cosigners",
            ));
        }
        self.follow_mlog().await.map_err(as_error)?;
        let rows: Vec<Proposal> = self.wire()?.get(paths::MLOG_PROPOSALS).await?;
        let mut out = Vec::new();
        for row in &rows {
            let Ok(entry) = MlogEntry::read(row.entry.as_ref()) else { continue };
            if let Some(waiting) = self.waiting_device(&entry, row.received_at)? {
                out.push((waiting, entry));
            }
        }
        Ok(out)
    }

    /// The device that an entry would certify, if this device's signature is all that it lacks. The
    /// server's word counts for nothing here: person, chart, issuer and words follow from the entry
    /// and from this device's own copy of the log.
    fn waiting_device(
        &self,
        entry: &MlogEntry,
        received_at: TimestampMs,
    ) -> Result<Option<WaitingDevice>, ClientError> {
        let open = self.device()?;
        let Ok(MlogBody::DeviceCert(cert)) = entry.decode_body() else { return Ok(None) };
        let binding = &cert.binding;
        let own = binding.role == Role::Patient
            && binding.person == open.me.person
            && open.me.chart.map(Subject::from) == Some(entry.subject());
        let lacks_one = matches!(
            open.mlog.membership.would_be_effective(entry, None),
            Err(VoidReason::MoreSignatures { .. })
        );
        if !own || !lacks_one {
            return Ok(None);
        }
        let issuer = open.mlog.membership.site_devices().find(|known| signed_by(known, &cert, entry));
        Ok(issuer.map(|issuer| WaitingDevice {
            entry: entry.hash(),
            device: binding.device,
            attest: cert.attest_level,
            words: sas_words(binding, issuer.device()),
            issued_by: issuer.person(),
            issuer_role: issuer.role(),
            received_at,
        }))
    }
}

/// Whether a device of the site issued a certificate and signed the entry that carries it.
fn signed_by(known: &DeviceRecord, cert: &DeviceCert, entry: &MlogEntry) -> bool {
    let key = &known.cert().binding.sign_pk;
    known.is_active()
        && known.cert_hash() == cert.issuer_cert_hash
        && entry.signatures().iter().any(|one| {
            one.signer == known.device().into()
                && key.verify_labelled(labels::MLOG, &entry.signing_digest(), &one.signature).is_ok()
        })
}
