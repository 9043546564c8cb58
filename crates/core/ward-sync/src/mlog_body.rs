//! What entries of the membership log say.

use crate::alert_rule_set::AlertRuleSet;
use crate::limits::{
    DEVICES_PER_PERSON_MAX, REASON_MAX_BYTES, RECOVERY_DEVICES_MAX, REOPEN_NOTE_MAX_BYTES, TEAM_MAX_PERSONS,
};
use crate::mlog::MlogError;
use crate::study_schema::StudySchema;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_audit::TreeHead;
use ward_crypto::{DeviceCert, Role, SiteManifest};
use ward_id::{Canonical, ChartId, DeviceId, MlogEntryHash, PackageHash, PersonId, SiteId, Subject, TeamId};

/// The numbered kinds of the membership log. 10 to 14 are reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MlogKind {
    /// Admins, witnesses and limits of the site.
    SiteManifest = 1,
    /// A device and its keys.
    DeviceCert,
    /// A new chart.
    ChartOpen,
    /// The persons of a team.
    Team,
    /// A person added to a chart or removed from it.
    SpaceMember,
    /// A device is no longer trusted.
    Revoke,
    /// A signer takes an entry back that is not in the log yet.
    Cancel,
    /// A new epoch of a chart.
    EpochAnnounce,
    /// A participant who lost their devices gets a new one.
    RecoveryUse,
    /// The operation log goes on under a new origin after a restore that lost acknowledged leaves.
    LogReopen = 15,
    /// How the study's data merges.
    StudySchema,
    /// A revoked device shall destroy what it holds.
    Wipe,
    /// The study's alert rules.
    AlertRules,
}

impl MlogKind {
    /// All kinds, in order.
    pub const ALL: [Self; 13] = [
        Self::SiteManifest,
        Self::DeviceCert,
        Self::ChartOpen,
        Self::Team,
        Self::SpaceMember,
        Self::Revoke,
        Self::Cancel,
        Self::EpochAnnounce,
        Self::RecoveryUse,
        Self::LogReopen,
        Self::StudySchema,
        Self::Wipe,
        Self::AlertRules,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number, unless it is reserved.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// A new chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ChartOpen {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// Whose it is.
    #[n(1)]
    pub participant: PersonId,
    /// Who looks after it.
    #[n(2)]
    pub team: TeamId,
    /// Offline devices that can recover it.
    #[n(3)]
    pub recovery_devices: Vec<DeviceId>,
}

/// The persons of a team; replaces the list before.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Team {
    /// The team.
    #[n(0)]
    pub team: TeamId,
    /// Its persons, sorted.
    #[n(1)]
    pub persons: Vec<PersonId>,
}

/// A person added to a chart or removed from it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SpaceMember {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// The person.
    #[n(1)]
    pub person: PersonId,
    /// Added or removed.
    #[n(2)]
    pub add: bool,
}

/// What happens to entries of a revoked device that arrived after the cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum RevokePolicy {
    /// They wait for staff to adopt them: the device was lost, its owner is honest.
    #[n(1)]
    Salvage,
    /// They are refused: somebody else holds the device.
    #[n(2)]
    Sever,
}

/// A device is no longer trusted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Revoke {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The head of the operation log below which its entries stand.
    #[n(1)]
    pub olog: TreeHead,
    /// What happens to its later entries.
    #[n(2)]
    pub policy: RevokePolicy,
    /// Why.
    #[n(3)]
    pub reason: String,
}

/// A signer takes an entry back before it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cancel {
    /// The entry.
    #[n(0)]
    pub entry_hash: MlogEntryHash,
}

/// A new epoch of a chart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EpochAnnounce {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// The epoch.
    #[n(1)]
    pub epoch: u64,
    /// Its package.
    #[n(2)]
    pub package_hash: PackageHash,
}

/// A participant who lost their devices gets a new one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RecoveryUse {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// The participant.
    #[n(1)]
    pub person: PersonId,
    /// The devices that were lost.
    #[n(2)]
    pub revoked: Vec<DeviceId>,
    /// The head of the operation log below which their entries stand.
    #[n(3)]
    pub olog: TreeHead,
    /// The certificate of the new device.
    #[cbor(n(4), with = "embedded")]
    pub cert: Box<DeviceCert>,
    /// Why.
    #[n(5)]
    pub reason: String,
}

/// A revoked device shall destroy its local key and its rows, after it handed over what was unsent
/// if it was revoked with salvage. Revoking alone destroys nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Wipe {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// Why.
    #[n(1)]
    pub reason: String,
}

/// The operation log goes on under a new origin: the server was restored from a backup that lacks
/// leaves which the old log had acknowledged. Leaf 0 of the new log is the hash of `checkpoint`, so
/// that nothing of the old log's last word can be denied.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LogReopen {
    /// The origin that ends.
    #[n(0)]
    pub old_origin: String,
    /// The last cosigned checkpoint of the old log: the bytes of its note.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub checkpoint: Vec<u8>,
    /// The origin that begins: that of the manifest with the number of the log behind it.
    #[n(2)]
    pub new_origin: String,
    /// Why.
    #[n(3)]
    pub reason: String,
    /// The newest cosigned checkpoint of what the restored server still holds: the bytes of its note. It is
    /// of the log that ends, or of an earlier one if the backup is older. What stands below it can be
    /// proved for ever; what the log that ends held beyond it, to nobody.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub kept: Option<Vec<u8>>,
}

/// A canonical value held as a byte string inside another.
mod embedded {
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};
    use ward_id::Canonical;

    pub(super) fn encode<C, T: Canonical, W: Write>(
        value: &T,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&value.to_canonical())?.ok()
    }

    pub(super) fn decode<'b, C, T: Canonical>(d: &mut Decoder<'b>, _: &mut C) -> Result<T, DecodeError> {
        let bytes = d.bytes()?;
        T::from_canonical(bytes).map_err(|_| DecodeError::message("the embedded value is malformed"))
    }
}

/// What an entry of the membership log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MlogBody {
    /// Admins, witnesses and limits of the site.
    SiteManifest(Box<SiteManifest>),
    /// A device and its keys.
    DeviceCert(Box<DeviceCert>),
    /// A new chart.
    ChartOpen(ChartOpen),
    /// The persons of a team.
    Team(Team),
    /// A person added to a chart or removed from it.
    SpaceMember(SpaceMember),
    /// A device is no longer trusted.
    Revoke(Revoke),
    /// A signer takes an entry back.
    Cancel(Cancel),
    /// A new epoch of a chart.
    EpochAnnounce(EpochAnnounce),
    /// A participant gets a new device.
    RecoveryUse(RecoveryUse),
    /// How the study's data merges.
    StudySchema(Box<StudySchema>),
    /// A revoked device shall destroy what it holds.
    Wipe(Wipe),
    /// The operation log goes on under a new origin.
    LogReopen(LogReopen),
    /// The study's alert rules.
    AlertRules(Box<AlertRuleSet>),
}

impl MlogBody {
    /// The kind.
    pub const fn kind(&self) -> MlogKind {
        match self {
            Self::SiteManifest(_) => MlogKind::SiteManifest,
            Self::DeviceCert(_) => MlogKind::DeviceCert,
            Self::ChartOpen(_) => MlogKind::ChartOpen,
            Self::Team(_) => MlogKind::Team,
            Self::SpaceMember(_) => MlogKind::SpaceMember,
            Self::Revoke(_) => MlogKind::Revoke,
            Self::Cancel(_) => MlogKind::Cancel,
            Self::EpochAnnounce(_) => MlogKind::EpochAnnounce,
            Self::RecoveryUse(_) => MlogKind::RecoveryUse,
            Self::StudySchema(_) => MlogKind::StudySchema,
            Self::Wipe(_) => MlogKind::Wipe,
            Self::LogReopen(_) => MlogKind::LogReopen,
            Self::AlertRules(_) => MlogKind::AlertRules,
        }
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::SiteManifest(body) => body.to_canonical(),
            Self::DeviceCert(body) => body.to_canonical(),
            Self::ChartOpen(body) => body.to_canonical(),
            Self::Team(body) => body.to_canonical(),
            Self::SpaceMember(body) => body.to_canonical(),
            Self::Revoke(body) => body.to_canonical(),
            Self::Cancel(body) => body.to_canonical(),
            Self::EpochAnnounce(body) => body.to_canonical(),
            Self::RecoveryUse(body) => body.to_canonical(),
            Self::StudySchema(body) => body.to_canonical(),
            Self::Wipe(body) => body.to_canonical(),
            Self::LogReopen(body) => body.to_canonical(),
            Self::AlertRules(body) => body.to_canonical(),
        }
    }

    /// Decodes a body by the number of its kind.
    ///
    /// # Errors
    /// [`MlogError::ReservedKind`], [`MlogError::Body`] or a broken rule.
    pub fn decode(kind: u8, bytes: &[u8]) -> Result<Self, MlogError> {
        let kind = MlogKind::from_number(kind).ok_or(MlogError::ReservedKind(kind))?;
        let body = match kind {
            MlogKind::SiteManifest => {
                SiteManifest::from_canonical(bytes).map(|body| Self::SiteManifest(Box::new(body)))
            }
            MlogKind::DeviceCert => {
                DeviceCert::from_canonical(bytes).map(|body| Self::DeviceCert(Box::new(body)))
            }
            MlogKind::ChartOpen => ChartOpen::from_canonical(bytes).map(Self::ChartOpen),
            MlogKind::Team => Team::from_canonical(bytes).map(Self::Team),
            MlogKind::SpaceMember => SpaceMember::from_canonical(bytes).map(Self::SpaceMember),
            MlogKind::Revoke => Revoke::from_canonical(bytes).map(Self::Revoke),
            MlogKind::Cancel => Cancel::from_canonical(bytes).map(Self::Cancel),
            MlogKind::EpochAnnounce => EpochAnnounce::from_canonical(bytes).map(Self::EpochAnnounce),
            MlogKind::RecoveryUse => RecoveryUse::from_canonical(bytes).map(Self::RecoveryUse),
            MlogKind::StudySchema => {
                StudySchema::from_canonical(bytes).map(|body| Self::StudySchema(Box::new(body)))
            }
            MlogKind::Wipe => Wipe::from_canonical(bytes).map(Self::Wipe),
            MlogKind::LogReopen => LogReopen::from_canonical(bytes).map(Self::LogReopen),
            MlogKind::AlertRules => {
                AlertRuleSet::from_canonical(bytes).map(|body| Self::AlertRules(Box::new(body)))
            }
        }
        .map_err(MlogError::Body)?;
        body.check()?;
        Ok(body)
    }

    /// The subject that an entry with this body must have, where the body alone decides it: a
    /// revocation or a wipe is filed where the device is certified, a cancellation where the cancelled
    /// entry is, and a patient's certificate under the chart of the ticket.
    pub fn subject(&self, site: SiteId) -> Option<Subject> {
        match self {
            Self::SiteManifest(_)
            | Self::Team(_)
            | Self::LogReopen(_)
            | Self::StudySchema(_)
            | Self::AlertRules(_) => Some(site.into()),
            Self::DeviceCert(cert) if cert.binding.role == Role::Patient => None,
            Self::DeviceCert(_) => Some(site.into()),
            Self::ChartOpen(ChartOpen { chart, .. })
            | Self::SpaceMember(SpaceMember { chart, .. })
            | Self::EpochAnnounce(EpochAnnounce { chart, .. })
            | Self::RecoveryUse(RecoveryUse { chart, .. }) => Some((*chart).into()),
            Self::Revoke(_) | Self::Cancel(_) | Self::Wipe(_) => None,
        }
    }

    /// Checks counts and order.
    ///
    /// # Errors
    /// [`MlogError::Rule`].
    pub fn check(&self) -> Result<(), MlogError> {
        let rule = |holds: bool, text: &'static str| if holds { Ok(()) } else { Err(MlogError::Rule(text)) };
        match self {
            Self::ChartOpen(open) => rule(
                open.recovery_devices.len() <= RECOVERY_DEVICES_MAX,
                "a chart has too many recovery devices",
            ),
            Self::Team(team) => {
                rule(team.persons.len() <= TEAM_MAX_PERSONS, "a team has too many persons")?;
                rule(rising(&team.persons), "the persons of a team are not sorted, or one stands twice")
            }
            Self::Revoke(revoke) => rule(revoke.reason.len() <= REASON_MAX_BYTES, "the reason is too long"),
            Self::Wipe(wipe) => rule(wipe.reason.len() <= REASON_MAX_BYTES, "the reason is too long"),
            Self::RecoveryUse(recovery) => {
                rule(recovery.reason.len() <= REASON_MAX_BYTES, "the reason is too long")?;
                rule(recovery.revoked.len() <= DEVICES_PER_PERSON_MAX, "a recovery names too many devices")
            }
            Self::StudySchema(schema) => schema.check_form().map_err(MlogError::Rule),
            Self::AlertRules(set) => set.check_form().map_err(MlogError::Rule),
            Self::LogReopen(reopen) => {
                rule(reopen.reason.len() <= REASON_MAX_BYTES, "the reason is too long")?;
                rule(
                    (1..=REOPEN_NOTE_MAX_BYTES).contains(&reopen.checkpoint.len()),
                    "the checkpoint is empty or too long",
                )
            }
            Self::SiteManifest(_)
            | Self::DeviceCert(_)
            | Self::SpaceMember(_)
            | Self::Cancel(_)
            | Self::EpochAnnounce(_) => Ok(()),
        }
    }
}

fn rising<T: Ord>(items: &[T]) -> bool {
    items.windows(2).all(|pair| matches!(pair, [a, b] if a < b))
}
