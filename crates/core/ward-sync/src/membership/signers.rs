//! Who signed an entry, and how far that reaches.

use super::Membership;
use super::state::{ChartState, DeviceRecord, SiteState};
use super::void::VoidReason;
use crate::mlog::{MlogEntry, SignerId};
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use ward_crypto::{Role, SignPublicKey, labels};
use ward_id::{ChartId, PersonId};

/// One who signed.
#[derive(Clone, Copy)]
pub(super) enum Signer<'a> {
    /// A certified, unrevoked device.
    Device(&'a DeviceRecord),
    /// A root key.
    Root(&'a SignPublicKey),
}

impl Signer<'_> {
    fn id(&self) -> SignerId {
        match self {
            Self::Device(record) => record.device().into(),
            Self::Root(key) => SignerId::of_root_key(key),
        }
    }

    fn key(&self) -> SignPublicKey {
        match self {
            Self::Device(record) => record.cert().binding.sign_pk,
            Self::Root(key) => **key,
        }
    }
}

/// All who signed one entry.
pub(super) struct Signers<'a> {
    site: &'a SiteState,
    chart: Option<&'a ChartState>,
    all: Vec<Signer<'a>>,
}

impl<'a> Signers<'a> {
    /// Looks the signers up. Devices of the chart come before devices of the site.
    pub(super) fn find(
        membership: &'a Membership,
        entry: &MlogEntry,
        chart: Option<ChartId>,
    ) -> Result<Self, VoidReason> {
        let site = &membership.site;
        let chart = chart.and_then(|chart| membership.charts.get(&chart));
        if entry.signatures().is_empty() {
            return Err(VoidReason::Unsigned);
        }
        let find = |id: SignerId| {
            let device = id.as_device();
            let record = chart
                .and_then(|state| state.shelf.devices.get(&device))
                .or_else(|| site.shelf.devices.get(&device));
            match record {
                Some(record) if record.is_active() => Ok(Signer::Device(record)),
                Some(_) => Err(VoidReason::SignerRevoked(device)),
                None => membership
                    .root
                    .keys
                    .iter()
                    .find(|key| SignerId::of_root_key(key) == id)
                    .map(Signer::Root)
                    .ok_or(VoidReason::UnknownSigner(id)),
            }
        };
        let all = entry.signatures().iter().map(|one| find(one.signer)).collect::<Result<_, _>>()?;
        Ok(Self { site, chart, all })
    }

    /// Whether a root key is among them.
    pub(super) fn any_root(&self) -> bool {
        self.all.iter().any(|one| matches!(one, Signer::Root(_)))
    }

    /// Checks every signature. The dearest check, so it comes last.
    pub(super) fn verify(&self, entry: &MlogEntry) -> Result<(), VoidReason> {
        let digest = entry.signing_digest();
        for (signer, signed) in self.all.iter().zip(entry.signatures()) {
            signer
                .key()
                .verify_labelled(labels::MLOG, &digest, &signed.signature)
                .map_err(|_| VoidReason::BadSignature(signed.signer))?;
        }
        Ok(())
    }

    /// Requires that every signer passes `may` and that they are at least `needed` persons.
    pub(super) fn require(
        &self,
        needed: usize,
        may: impl Fn(&Self, &'a DeviceRecord) -> bool,
    ) -> Result<(), VoidReason> {
        let mut persons: BTreeSet<PersonId> = BTreeSet::new();
        for signer in &self.all {
            match signer {
                Signer::Device(record) if may(self, record) => {
                    persons.insert(record.person());
                }
                other => return Err(VoidReason::NotAuthorised(other.id())),
            }
        }
        if persons.len() < needed {
            return Err(VoidReason::MoreSignatures { needed, got: persons.len() });
        }
        Ok(())
    }

    /// Requires at least `threshold` root keys and nobody else.
    pub(super) fn require_root(&self, threshold: usize) -> Result<(), VoidReason> {
        if let Some(device) = self.all.iter().find(|signer| matches!(signer, Signer::Device(_))) {
            return Err(VoidReason::NotAuthorised(device.id()));
        }
        if self.all.len() < threshold {
            return Err(VoidReason::MoreSignatures { needed: threshold, got: self.all.len() });
        }
        Ok(())
    }

    /// The devices among the signers.
    pub(super) fn devices(&self) -> impl Iterator<Item = &'a DeviceRecord> + '_ {
        self.all.iter().filter_map(|signer| match signer {
            Signer::Device(record) => Some(*record),
            Signer::Root(_) => None,
        })
    }

    /// How many different persons signed with devices.
    pub(super) fn persons(&self) -> usize {
        self.devices().map(DeviceRecord::person).collect::<BTreeSet<_>>().len()
    }

    pub(super) fn is_admin(&self, record: &DeviceRecord) -> bool {
        self.site.is_admin(record)
    }

    /// A coordinator or an admin: who may open charts and certify patients.
    pub(super) fn is_issuer(&self, record: &DeviceRecord) -> bool {
        record.role() == Role::Coordinator || self.is_admin(record)
    }

    /// An investigator or an admin: who may change a chart's members.
    pub(super) fn is_keeper(&self, record: &DeviceRecord) -> bool {
        record.role() == Role::Investigator || self.is_admin(record)
    }

    /// Staff of the site. A patient's own device, found under the chart, is none.
    pub(super) fn is_staff(&self, record: &DeviceRecord) -> bool {
        record.role().is_staff() && (record.role() != Role::Admin || self.is_admin(record))
    }

    pub(super) fn is_member(&self, record: &DeviceRecord) -> bool {
        let members = self.chart.and_then(ChartState::current);
        members.is_some_and(|members| members.contains(record.device()))
    }
}
