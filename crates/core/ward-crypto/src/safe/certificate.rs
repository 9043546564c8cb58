//! Device certificates: they tie a device's three keys to each other, to a person and to a role.

use super::auth_key::{AuthPublicKey, AuthSigner};
use super::digest::{labelled_message, sha256};
use super::enc_key::EncPublicKey;
use super::sign_key::{SignKey, SignPublicKey};
use super::suite::Suite;
use crate::codec::{Signature, V1, checked, numbered};
use crate::labels::BINDING;
use crate::{CryptoError, FormatError};
use minicbor::{Decode, Encode};
use ward_id::{
    Canonical as _, CertHash, DeviceId, ManifestHash, PersonId, SiteId, StudyId, TicketId, TimestampMs,
};

numbered! {
    /// What a person may do at a site.
    Role {
        /// The participant of a chart.
        Patient = 1,
        /// Enrols patients and looks after visits.
        Coordinator = 2,
        /// Treats.
        Clinician = 3,
        /// The principal investigator.
        Investigator = 4,
        /// Reads released data.
        Researcher = 5,
        /// Checks sites for the sponsor.
        Monitor = 6,
        /// Watches for attacks.
        SecurityOfficer = 7,
        /// Audits.
        Auditor = 8,
        /// Runs the server.
        Operator = 9,
        /// Names staff.
        Admin = 10,
        /// An offline device that can read a chart when all others are lost.
        Recovery = 11,
    }
}

impl Role {
    /// Coordinator, clinician, investigator and admin.
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Coordinator | Self::Clinician | Self::Investigator | Self::Admin)
    }
}

numbered! {
    /// How well a device's keys are held.
    AttestLevel {
        /// Nothing is known.
        None = 0,
        /// A key in software, or a TPM without a certificate chain.
        Software = 1,
        /// A TPM 2.0 with its chain, a trusted execution environment, or App Attest.
        Hardware = 2,
        /// StrongBox, Secure Enclave, or attested FIDO2.
        Secure = 3,
    }
}

numbered! {
    /// How the person's identity was checked at enrolment.
    Idv {
        /// Not at all.
        None = 0,
        /// In person.
        InPerson = 1,
        /// From afar, with the six words compared.
        Compared = 2,
        /// By an identity provider.
        Oidc = 3,
    }
}

/// The fields of a device binding.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceBindingFields {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The suite of the keys.
    #[n(1)]
    pub suite: Suite,
    /// The study.
    #[n(2)]
    pub study: StudyId,
    /// The site.
    #[n(3)]
    pub site: SiteId,
    /// Who acts through the device.
    #[n(4)]
    pub person: PersonId,
    /// What they may do.
    #[n(5)]
    pub role: Role,
    /// The device.
    #[n(6)]
    pub device: DeviceId,
    /// Its P-256 key.
    #[n(7)]
    pub auth_pk: AuthPublicKey,
    /// Its Ed25519 key.
    #[n(8)]
    pub sign_pk: SignPublicKey,
    /// Its X-Wing key.
    #[n(9)]
    pub enc_pk: EncPublicKey,
    /// The ticket with which it was enrolled.
    #[n(10)]
    pub ticket: TicketId,
}

impl DeviceBindingFields {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "every checked structure has the same shape; the types check all here"
    )]
    const fn check(&self) -> Result<(), FormatError> {
        Ok(())
    }
}

checked! {
    /// What a device says about itself and signs with both of its signing keys.
    #[derive(Debug, Clone, PartialEq, Eq)]
    DeviceBinding(DeviceBindingFields)
}

/// A device's own signatures over its binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterSignatures {
    /// With the Ed25519 key.
    pub sign: Signature,
    /// With the P-256 key.
    pub auth: Signature,
}

impl DeviceBinding {
    fn digest(&self) -> [u8; 32] {
        sha256(&self.to_canonical())
    }

    /// Signs the binding with the device's own two keys.
    ///
    /// # Errors
    /// [`FormatError::Mismatch`] if a key is not that of the binding, [`CryptoError::AuthSign`] if
    /// the hardware does not sign.
    pub fn counter_sign(
        &self,
        sign: &SignKey,
        auth: &dyn AuthSigner,
    ) -> Result<CounterSignatures, CryptoError> {
        if *sign.public() != self.sign_pk || auth.public_key() != self.auth_pk {
            return Err(FormatError::Mismatch("a key of the binding").into());
        }
        let digest = self.digest();
        let signatures = CounterSignatures {
            sign: sign.sign_labelled(BINDING, &digest),
            auth: auth.sign(&labelled_message(BINDING, &digest))?,
        };
        // A hardware key that signs wrongly must be noticed here, not by the issuer.
        self.verify_counter_signatures(&signatures)?;
        Ok(signatures)
    }

    /// Checks both signatures.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_counter_signatures(&self, signatures: &CounterSignatures) -> Result<(), CryptoError> {
        let digest = self.digest();
        self.sign_pk.verify_labelled(BINDING, &digest, &signatures.sign)?;
        self.auth_pk.verify(&labelled_message(BINDING, &digest), &signatures.auth)
    }
}

/// The fields of a device certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeviceCertFields {
    /// What the device says about itself.
    #[n(0)]
    pub binding: DeviceBinding,
    /// Its Ed25519 signature over the binding.
    #[n(1)]
    pub counter_sign: Signature,
    /// Its P-256 signature over the binding.
    #[n(2)]
    pub counter_auth: Signature,
    /// How well its keys are held.
    #[n(3)]
    pub attest_level: AttestLevel,
    /// First instant at which it is valid.
    #[n(4)]
    pub not_before: TimestampMs,
    /// First instant at which it is no longer valid.
    #[n(5)]
    pub not_after: TimestampMs,
    /// How the person was identified.
    #[n(6)]
    pub idv: Idv,
    /// The issuer's certificate; all zero where an admin whom the manifest names signs itself.
    #[n(7)]
    pub issuer_cert_hash: CertHash,
    /// The newest manifest that the issuer knew.
    #[n(8)]
    pub manifest_hash: ManifestHash,
}

impl DeviceCertFields {
    fn check(&self) -> Result<(), FormatError> {
        if self.not_before >= self.not_after {
            return Err(FormatError::OutOfRange("the validity of the certificate"));
        }
        Ok(())
    }
}

checked! {
    /// A device certificate. Its issuers sign the membership entry that carries it, so a
    /// certificate alone proves nothing but that the device agreed to it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    DeviceCert(DeviceCertFields)
}

impl DeviceCert {
    /// SHA-256 over the canonical bytes.
    pub fn hash(&self) -> CertHash {
        CertHash::from_bytes(sha256(&self.to_canonical()))
    }

    /// Checks that the device signed its binding with both keys, so that nobody presents a key of
    /// another as their own.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_counter_signatures(&self) -> Result<(), CryptoError> {
        let signatures = CounterSignatures { sign: self.counter_sign, auth: self.counter_auth };
        self.binding.verify_counter_signatures(&signatures)
    }

    /// Checks the Ed25519 half only. Issuers and witnesses check both when it enters the log; a
    /// client that reads hundreds of certificates may check the slow P-256 half later.
    ///
    /// # Errors
    /// [`CryptoError::Rejected`].
    pub fn verify_counter_sign_only(&self) -> Result<(), CryptoError> {
        self.binding.sign_pk.verify_labelled(BINDING, &self.binding.digest(), &self.counter_sign)
    }

    /// Whether an instant lies within the validity.
    pub fn valid_at(&self, at: TimestampMs) -> bool {
        self.not_before <= at && at < self.not_after
    }
}
