//! The site manifest: admins, witnesses and limits, signed by the root.

use super::certificate::{AttestLevel, Role};
use super::digest::sha256;
use super::sign_key::SignPublicKey;
use super::suite::AcceptedSuites;
use crate::FormatError;
use crate::codec::{V1, all_distinct, checked, strictly_ascending};
use crate::limits::{ADMINS_MAX, FRESHNESS_LIMIT_MAX_S, NAME_MAX_BYTES, WITNESSES_MAX};
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{Canonical as _, DeviceId, ManifestHash, PersonId, SiteId, StudyId};

/// An admin device that the root names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AdminEntry {
    /// Who acts through it.
    #[n(0)]
    pub person: PersonId,
    /// The device.
    #[n(1)]
    pub device: DeviceId,
    /// Its signing key.
    #[n(2)]
    pub sign_pk: SignPublicKey,
}

/// A witness that cosigns heads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WitnessEntry {
    /// Its key name in signed notes.
    #[n(0)]
    pub name: String,
    /// Its key.
    #[n(1)]
    pub key: SignPublicKey,
    /// Whether it is run by somebody else than the server.
    #[n(2)]
    pub outside: bool,
}

/// The least attestation of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MinAttest {
    /// The role.
    #[n(0)]
    pub role: Role,
    /// The least level.
    #[n(1)]
    pub level: AttestLevel,
}

/// The fields of a site manifest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SiteManifestFields {
    /// Version of the format.
    #[n(0)]
    pub v: V1,
    /// The site.
    #[n(1)]
    pub site: SiteId,
    /// The study.
    #[n(2)]
    pub study: StudyId,
    /// Counted from 0.
    #[n(3)]
    pub number: u64,
    /// The manifest before; absent at number 0.
    #[n(4)]
    pub prev: Option<ManifestHash>,
    /// Admin devices.
    #[n(5)]
    pub admins: Vec<AdminEntry>,
    /// Witnesses.
    #[n(6)]
    pub witnesses: Vec<WitnessEntry>,
    /// How many witnesses must cosign a head.
    #[n(7)]
    pub quorum: u8,
    /// The least suite that is accepted.
    #[n(8)]
    pub min_suite: u8,
    /// How old a head may be before nothing is sealed, in seconds.
    #[n(9)]
    pub freshness_limit_s: u32,
    /// The key of both logs.
    #[n(10)]
    pub log_key: SignPublicKey,
    /// The least attestation by role, sorted by role.
    #[n(11)]
    pub min_attest: Vec<MinAttest>,
    /// Origin of the membership log.
    #[n(12)]
    pub mlog_origin: String,
    /// Origin of the operation log.
    #[n(13)]
    pub olog_origin: String,
}

impl SiteManifestFields {
    fn check(&self) -> Result<(), FormatError> {
        if (self.number == 0) != self.prev.is_none() {
            return Err(FormatError::Mismatch("the number and the hash of the manifest before"));
        }
        self.check_admins()?;
        self.check_witnesses()?;
        if self.min_suite == 0 {
            return Err(FormatError::OutOfRange("the least suite"));
        }
        if self.freshness_limit_s == 0 || self.freshness_limit_s > FRESHNESS_LIMIT_MAX_S {
            return Err(FormatError::OutOfRange("the freshness limit"));
        }
        if !strictly_ascending(&self.min_attest, |entry| entry.role) {
            return Err(FormatError::NotSorted("the attestation levels"));
        }
        if !(is_name(&self.mlog_origin) && is_name(&self.olog_origin)) || self.mlog_origin == self.olog_origin
        {
            return Err(FormatError::OutOfRange("an origin of a log"));
        }
        Ok(())
    }

    fn check_admins(&self) -> Result<(), FormatError> {
        if self.admins.is_empty() || self.admins.len() > ADMINS_MAX {
            return Err(FormatError::OutOfRange("the number of admins"));
        }
        if !all_distinct(&self.admins, |admin| admin.device)
            || !all_distinct(&self.admins, |admin| admin.sign_pk)
        {
            return Err(FormatError::NotSorted("admin devices or keys"));
        }
        Ok(())
    }

    fn check_witnesses(&self) -> Result<(), FormatError> {
        if self.witnesses.is_empty() || self.witnesses.len() > WITNESSES_MAX {
            return Err(FormatError::OutOfRange("the number of witnesses"));
        }
        if !all_distinct(&self.witnesses, |witness| witness.key)
            || !all_distinct(&self.witnesses, |witness| witness.name.as_str())
        {
            return Err(FormatError::NotSorted("witness names or keys"));
        }
        if self.quorum == 0 || usize::from(self.quorum) > self.witnesses.len() {
            return Err(FormatError::OutOfRange("the quorum"));
        }
        if self.witnesses.iter().any(|witness| !is_name(&witness.name)) {
            return Err(FormatError::OutOfRange("a witness name"));
        }
        // A log that cosigns itself would be no witness.
        if self.witnesses.iter().any(|witness| witness.key == self.log_key) {
            return Err(FormatError::Unexpected("the log's own key among the witnesses"));
        }
        Ok(())
    }
}

/// A key name or origin of a signed note (C2SP signed-note): no white space, no plus sign.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= NAME_MAX_BYTES
        && !text.chars().any(|c| c == '+' || c.is_whitespace() || c.is_control())
}

checked! {
    /// A site manifest that keeps the rules. The root's signatures stand in the membership entry
    /// that carries it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    SiteManifest(SiteManifestFields)
}

impl SiteManifest {
    /// SHA-256 over the canonical bytes.
    pub fn hash(&self) -> ManifestHash {
        ManifestHash::from_bytes(sha256(&self.to_canonical()))
    }

    /// The suites that the site accepts.
    pub const fn accepted_suites(&self) -> AcceptedSuites {
        AcceptedSuites::from_min(self.0.min_suite)
    }

    /// Whether this manifest is the next one after `before`: same site and study, its hash, the
    /// number one higher, and no lower suite.
    pub fn extends(&self, before: &Self) -> bool {
        self.site == before.site
            && self.study == before.study
            && before.number.checked_add(1) == Some(self.number)
            && self.prev == Some(before.hash())
            && self.min_suite >= before.min_suite
    }

    /// The least attestation that a role needs.
    pub fn min_attest_of(&self, role: Role) -> AttestLevel {
        let entry = self.min_attest.iter().find(|entry| entry.role == role);
        entry.map_or(AttestLevel::None, |entry| entry.level)
    }

    /// The admin entry of a device, if the root named it.
    pub fn admin(&self, device: DeviceId) -> Option<&AdminEntry> {
        self.admins.iter().find(|admin| admin.device == device)
    }
}
