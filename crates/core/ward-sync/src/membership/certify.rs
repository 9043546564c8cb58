//! The rules under which a device certificate enters the log.

use super::judge::{Change, Judged};
use super::signers::Signers;
use super::state::{DeviceRecord, Shelf};
use super::void::VoidReason;
use crate::limits::DEVICES_PER_PERSON_MAX;
use alloc::boxed::Box;
use ward_crypto::{DeviceCert, Role};
use ward_id::{CertHash, DeviceId};

impl Judged<'_> {
    pub(super) fn certificate(&self, cert: Box<DeviceCert>) -> Result<Change, VoidReason> {
        match cert.binding.role {
            Role::Patient => self.patient(&cert)?,
            Role::Admin => self.admin(&cert)?,
            _ => {
                let signers = self.signers()?;
                signers.require(2, Signers::is_admin)?;
                self.check_certificate(&cert, &signers, &[])?;
                signers.verify(self.entry)?;
            }
        }
        Ok(Change::Certify(Box::new(DeviceRecord::new(cert, self.membership.size()))))
    }

    /// One coordinator or admin; and a device that the participant already has, if there is one:
    /// otherwise a coordinator alone could add a reader in the participant's name.
    fn patient(&self, cert: &DeviceCert) -> Result<(), VoidReason> {
        if self.chart.is_none() {
            return Err(VoidReason::WrongSubject);
        }
        let (_, open) = self.open_chart()?;
        if cert.binding.person != open.participant {
            return Err(VoidReason::NotParticipant);
        }
        let signers = self.signers()?;
        let own =
            |record: &DeviceRecord| record.role() == Role::Patient && record.person() == cert.binding.person;
        signers.require(1, |signers, record| signers.is_issuer(record) || own(record))?;
        let issued = signers.devices().any(|record| signers.is_issuer(record));
        let approved = signers.devices().any(own);
        let needed = 1 + usize::from(self.has_active_device(cert.binding.person));
        let got = usize::from(issued) + usize::from(approved);
        if !issued || got < needed {
            return Err(VoidReason::MoreSignatures { needed, got });
        }
        self.check_certificate(cert, &signers, &[])?;
        signers.verify(self.entry)
    }

    /// The root named the device, its person and its signing key in the manifest.
    fn admin(&self, cert: &DeviceCert) -> Result<(), VoidReason> {
        let binding = &cert.binding;
        let manifest = self.membership.site.manifest.as_deref().ok_or(VoidReason::NoManifest)?;
        let named = manifest.admin(binding.device);
        if !named.is_some_and(|admin| admin.person == binding.person && admin.sign_pk == binding.sign_pk) {
            return Err(VoidReason::Certificate("the manifest does not name this admin device"));
        }
        if *cert.issuer_cert_hash.as_bytes() != [0; CertHash::BYTES] {
            return Err(VoidReason::Certificate("an admin named by the manifest has no issuer"));
        }
        self.check_content(cert, &[])?;
        self.verify_self_signed(cert)
    }

    /// Checks a certificate that others issued. `lost` are devices that the same entry revokes.
    pub(super) fn check_certificate(
        &self,
        cert: &DeviceCert,
        signers: &Signers<'_>,
        lost: &[DeviceId],
    ) -> Result<(), VoidReason> {
        let issuer = |record: &DeviceRecord| {
            record.cert_hash() == cert.issuer_cert_hash && record.role() != Role::Patient
        };
        if !signers.devices().any(issuer) {
            return Err(VoidReason::Certificate("the issuer that it names did not sign"));
        }
        self.check_content(cert, lost)
    }

    fn check_content(&self, cert: &DeviceCert, lost: &[DeviceId]) -> Result<(), VoidReason> {
        let site = &self.membership.site;
        let manifest = site.manifest.as_deref().ok_or(VoidReason::NoManifest)?;
        let binding = &cert.binding;
        let rule = |holds: bool, text| if holds { Ok(()) } else { Err(VoidReason::Certificate(text)) };
        rule(binding.site == manifest.site, "it is for another site")?;
        rule(binding.study == manifest.study, "it is for another study")?;
        rule(manifest.accepted_suites().check(binding.suite).is_ok(), "its suite is below the site's least")?;
        rule(site.manifests.contains(&cert.manifest_hash), "it names a manifest that is not in the log")?;
        rule(cert.attest_level >= manifest.min_attest_of(binding.role), "its keys are not held well enough")?;
        let chart = self.chart_state().map(|state| &state.shelf);
        let known = |shelf: &Shelf| shelf.knows_device_or_key(cert);
        if known(&site.shelf) || chart.is_some_and(known) {
            return Err(VoidReason::KeyReused);
        }
        let shelf = if self.chart.is_some() { chart } else { Some(&site.shelf) };
        let left = |record: &&DeviceRecord| !lost.contains(&record.device());
        let devices = shelf.map_or(0, |shelf| shelf.active_of(binding.person).filter(left).count());
        if devices >= DEVICES_PER_PERSON_MAX {
            return Err(VoidReason::TooManyDevices);
        }
        rule(cert.verify_counter_signatures().is_ok(), "the device did not sign it with both of its keys")
    }
}
