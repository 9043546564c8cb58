//! What Ward's devices and server agree on: entries and their chains, the membership log and what
//! follows from it, epochs, freshness, the push rules, and the chart as a pure function of entries.
//!
//! Invariant: no clock, no network, no storage, no randomness of its own, and no secret but the
//! keys that a caller hands in for one call. The same input gives the same answer on every device,
//! in whatever order entries of a chart arrive.
#![cfg_attr(not(test), no_std)]
extern crate alloc;

mod alert_rule_set;
mod bisection;
mod chain;
mod chart;
mod checkpoint;
mod entry;
mod epochs;
mod fork;
mod freshness;
mod handover;
mod kind;
mod lease;
pub mod limits;
mod membership;
mod mlog;
mod mlog_body;
mod payload;
mod permission;
mod push;
mod read;
mod relay;
mod seal;
mod study_schema;

pub use alert_rule_set::{AlertRuleSet, PublishedAlertRules};
pub use bisection::{Bisection, ChainDifference};
pub use chain::{Draft, EntryChain, Moment, Seen};
pub use chart::{
    Accounting, Arrival, Author, Authority, BoundedBy, ChainName, Chart, ChartAuthority, ChartError,
    ChartTimes, ChartView, Conflict, DeliveryState, Derived, ElementSet, EntryTime, FieldState, Fork, Gap,
    Inserted, MedicationField, OpenConflict, Place, QuarantineReason, ReadEntry, ResponseKey, SignedVersion,
    Text, Thread, TimeClaim, TimeFault, TimelineItem, Value, VectorClock, VectorClocks, WitnessedHeads,
    Written, carriers, delivery,
};
pub use checkpoint::{
    CheckpointDue, CheckpointFault, CheckpointRoots, CheckpointRow, CheckpointTrust, ContentError,
    checkpoint_due, checkpoint_trust, decode_content, encode_content, roots_of_rows, state_root,
};
pub use entry::{BootEvidence, EntryBody, EntryError, EntryFrame, OpenedEnvelope, SignedEntry};
pub use epochs::{
    AcceptedEpoch, PackageFault, Quarantine, RotationError, RotationPlan, accept_package, check_package,
    epoch_is_old, plan_rotation,
};
pub use fork::{ForkProof, ForkProofError};
pub use freshness::{ClockReading, Freshness, TrustedTime};
pub use handover::{DropCause, DropRefusal, DroppedEntry, check_drop, drop_recipients};
pub use kind::EntryKind;
pub use lease::{Lease, OnlineMark, lease};
pub use membership::{
    ArrivalFacts, ArrivalRefusal, CountedEpoch, CutOff, DeviceRecord, Effect, HeadOfManifest, KeptLog,
    Member, MemberSet, Membership, MembershipError, Reopening, Revocation, RotationReason, Scope, Standing,
    VoidReason, cosigned_head, key_of_receipt,
};
pub use mlog::{MlogEntry, MlogError, MlogSignature, SignerId};
pub use mlog_body::{
    Cancel, ChartOpen, EpochAnnounce, LogReopen, MlogBody, MlogKind, RecoveryUse, Revoke, RevokePolicy,
    SpaceMember, Team, Wipe,
};
pub use payload::{
    AccessPurpose, AccessReceipt, AlertAcknowledgement, AnsweredBy, Appointment, AppointmentId,
    AppointmentStatus, Attachment, Carry, CarryReason, Checkpoint, CheckpointCosignature, Consent,
    ConsentStatus, DataChoice, Decoded, DenseResponse, DeviceClosed, Dose, DoseOutcome, DropDeclined,
    FieldKey, IncarnationOpen, Incident, IncidentKind, Instrument, InstrumentSchedule, MedicationId,
    MedicationPlanField, Note, Occurrence, Opened, OpenedChain, Participation, ParticipationState, Payload,
    PayloadError, PayloadRoom, ProfileField, QuestionnaireResponse, Resolution, Resolve, Response,
    ResponseStatus, SetChange, TextBurst, TextId, TextSignature, Void,
};
pub use permission::{Permission, may_write, permission};
pub use push::{PushContext, PushError, PushItem, PushPlan, StoredChain, check_push, check_pushes};
pub use read::{ReadFault, check_author};
pub use relay::{RelayContext, check_relay};
pub use seal::{SealFacts, SealPermit, SealRefusal, may_seal};
pub use study_schema::{
    DataShape, MergeClass, MinReader, SchemaFault, SchemaField, SchemaFinding, StudySchema, may_resolve,
    merge_class, needed_level,
};
pub use ward_audit::TreeHead;
