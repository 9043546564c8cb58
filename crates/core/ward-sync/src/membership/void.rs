//! What applying an entry of the membership log can come to.

use crate::mlog::{MlogError, SignerId};
use crate::study_schema::SchemaFault;
use ward_id::{DeviceId, MlogEntryHash, PackageHash, Subject};

/// What an entry of the membership log does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It holds.
    Effective,
    /// It is kept in the log, without effect.
    Void(VoidReason),
    /// An announce whose package is not known yet: fetch it and give it to
    /// [`Membership::learn_package`](super::Membership::learn_package).
    AwaitsPackage(PackageHash),
    /// It concerns a chart outside this view.
    Foreign,
}

/// Why an entry of the membership log has no effect. The signers must act: make it again on the
/// newest head, or with the signatures it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VoidReason {
    /// Not an entry, or a body that is not of its kind, or a reserved kind.
    #[error(transparent)]
    Malformed(#[from] MlogError),
    /// For another site.
    #[error("the entry is for another site")]
    WrongSite,
    /// A suite below the site's least.
    #[error("the entry's suite is below the site's least")]
    SuiteRefused,
    /// Filed under another subject than its content.
    #[error("the entry is filed under a subject that its content contradicts")]
    WrongSubject,
    /// The same entry stands in the log already.
    #[error("the same entry stands in the log already")]
    Duplicate,
    /// Its base is larger than the log before it.
    #[error("the entry names a base of {base} entries, but stands at {index}")]
    BaseAhead {
        /// The size it names.
        base: u64,
        /// Where it stands.
        index: u64,
    },
    /// Its base is not a head of this log: its signers were shown another one.
    #[error("the signers of the entry were shown another log")]
    ForeignBase,
    /// Another entry of its kind and subject came in between.
    #[error("entry {by} of the same kind and subject came first; look at it and sign again")]
    Moved {
        /// Where the other one stands.
        by: u64,
    },
    /// A signer took it back.
    #[error("a signer took the entry back")]
    Cancelled,
    /// Nobody signed.
    #[error("the entry bears no signature")]
    Unsigned,
    /// A signer that the log does not know.
    #[error("signer {0} has no certificate in this log")]
    UnknownSigner(SignerId),
    /// A wipe of a device that is still trusted.
    #[error("device {0} must be revoked before it is wiped")]
    NotRevoked(DeviceId),
    /// A signer that was revoked.
    #[error("signer {0} was revoked")]
    SignerRevoked(DeviceId),
    /// A signature that does not hold.
    #[error("the signature of {0} does not hold")]
    BadSignature(SignerId),
    /// A signer's role does not reach this far.
    #[error("signer {0} may not sign this")]
    NotAuthorised(SignerId),
    /// Signatures of more persons are needed.
    #[error("the entry needs signatures of {needed} different persons and has {got}")]
    MoreSignatures {
        /// How many are needed.
        needed: usize,
        /// How many are there.
        got: usize,
    },
    /// The site has no manifest yet.
    #[error("the site has no manifest yet")]
    NoManifest,
    /// The manifest does not extend the one before.
    #[error("the manifest does not extend the one before it")]
    ManifestChain,
    /// The schema is of another study, or does not extend the one before.
    #[error("the study schema is of another study, or does not extend the one before it")]
    SchemaChain,
    /// The schema says what no schema may say.
    #[error("the study schema is refused: {0}")]
    SchemaRefused(SchemaFault),
    /// The alert rules are of another study, or not the revision after the one before.
    #[error("the alert rules are of another study, or do not follow on the revision before")]
    AlertRulesOrder,
    /// The certificate contradicts the site, its issuers or itself.
    #[error("the certificate is refused: {0}")]
    Certificate(&'static str),
    /// A public key or the device id stands in an earlier certificate.
    #[error("a key of the certificate, or its device id, was used before")]
    KeyReused,
    /// The person has as many devices as one may have.
    #[error("the person has as many devices as one may have; revoke one first")]
    TooManyDevices,
    /// The chart is not open.
    #[error("the chart is not open")]
    ChartNotOpen,
    /// The chart is open already.
    #[error("the chart is open already")]
    ChartOpenAlready,
    /// The person is not the participant of the chart.
    #[error("the person is not the participant of this chart")]
    NotParticipant,
    /// The device has no certificate under this subject.
    #[error("device {0} has no certificate under this subject")]
    UnknownDevice(DeviceId),
    /// The cancelled entry stands in the log already: it cannot be taken back any more.
    #[error("the entry stands in the log already and cannot be taken back")]
    CancelTooLate,
    /// The epoch is not the next one.
    #[error("epoch {got} does not follow; the next one is {expected}")]
    EpochNotNext {
        /// The epoch that would count.
        expected: u64,
        /// The epoch that was announced.
        got: u64,
    },
    /// The package does not say what the announce says, or does not follow the package before.
    #[error("the package does not belong to its announce or does not follow the one before")]
    OtherPackage,
    /// The package was made for other members than those of the chart at its announce.
    #[error("the package was made for other members than the chart has")]
    MemberSetDiffers,
    /// The reopening of the operation log does not follow the log that counts, or its checkpoint is
    /// not one that enough witnesses cosigned.
    #[error("the reopening of the operation log is refused: {0}")]
    Reopening(&'static str),
    /// A package is missing, so that it cannot be told whether the epoch counts.
    #[error("the package is missing; send it with the announce")]
    PackageMissing,
}

/// An entry that cannot be taken into a view. The caller must act; the view is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// Entries are applied one after the other.
    #[error("entry {got} was given where entry {expected} is next")]
    OutOfOrder {
        /// The next index.
        expected: u64,
        /// The index that was given.
        got: u64,
    },
    /// The entry concerns this view: its bytes are needed, its leaf is not enough.
    #[error("the entry under {0} concerns this view; fetch its bytes")]
    BytesNeeded(Subject),
    /// The bytes are not those of the leaf. The server sent something else.
    #[error("the bytes do not hash to {0}; the server sent another entry")]
    OtherBytes(MlogEntryHash),
    /// The leaf cannot be taken apart.
    #[error("the leaf is malformed")]
    Leaf,
}
