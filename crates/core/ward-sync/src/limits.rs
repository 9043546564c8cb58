//! Limits of entries, payloads, the membership log and pushes.

/// Entries that one entry may name as seen.
pub const DEPS_MAX: usize = 64;
/// Writes that one register write may supersede.
pub const SUPERSEDES_MAX: usize = 64;
/// Entries that one acknowledgement may name.
pub const ACKNOWLEDGED_ENTRIES_MAX: usize = 64;
/// Highest logical clock: exact in every language that has only doubles.
pub const LAMPORT_MAX: u64 = 1 << 53;
/// Bytes of the name of a payload's schema.
pub const SCHEMA_MAX_BYTES: usize = 128;
/// Bytes of the name of a time zone.
pub const ZONE_MAX_BYTES: usize = 64;
/// Bytes of a reason that a person gives.
pub const REASON_MAX_BYTES: usize = 2_000;
/// Bytes of a short text in a payload: a field name, a unit, an occurrence, a place.
pub const SHORT_TEXT_MAX_BYTES: usize = 512;
/// Bytes of a long text in a payload: a note, the value of a field.
pub const LONG_TEXT_MAX_BYTES: usize = 32_768;
/// Bytes of a payload. An envelope of at most [`OPERATION_MAX_BYTES`] holds it with its padding.
pub const PAYLOAD_MAX_BYTES: usize = 196_608;
/// Longest schedule of an instrument.
pub const SCHEDULE_MAX_DAYS: u16 = 3_660;
/// Longest appointment, in minutes.
pub const APPOINTMENT_MAX_MIN: u16 = 1_440;

/// Bytes of one entry of the membership log.
pub const MLOG_ENTRY_MAX_BYTES: usize = 65_536;
/// Signatures on one entry of the membership log.
pub const MLOG_SIGNATURES_MAX: usize = 8;
/// Persons in one team.
pub const TEAM_MAX_PERSONS: usize = 64;
/// Recovery devices of one chart.
pub const RECOVERY_DEVICES_MAX: usize = 8;
/// Devices that are members of one chart.
pub const MEMBERS_MAX: usize = 64;
/// Unrevoked devices of one person.
pub const DEVICES_PER_PERSON_MAX: usize = 8;
/// Revocations that one signer makes alone within [`REVOKE_WINDOW_MS`].
pub const REVOKES_ALONE_MAX: usize = 5;
/// The window of [`REVOKES_ALONE_MAX`].
pub const REVOKE_WINDOW_MS: i64 = 86_400_000;

/// Age at which an epoch is followed by the next, though no member changed.
pub const EPOCH_MAX_AGE_MS: i64 = 90 * 86_400_000;
/// Time after an announce in which envelopes of the epoch before are still taken.
pub const EPOCH_GRACE_MS: i64 = 60_000;

/// Bytes of one envelope on the wire.
pub const OPERATION_MAX_BYTES: usize = 262_144;
/// Envelopes in one push.
pub const PUSH_MAX_ENVELOPES: usize = 256;
/// Bytes of one push.
pub const PUSH_MAX_BYTES: usize = 4 * 1_048_576;

/// How far a claimed time may lie outside what receipts allow before it is marked.
pub const CLAIM_TOLERANCE_MS: i64 = 300_000;
/// Entries that one chart view holds.
pub const CHART_MAX_ENTRIES: usize = 1_000_000;

/// Version of the rules by which a chart follows from its entries: raised when an entry comes to
/// stand elsewhere than before, so that checkpoints of other versions are not compared.
pub const FOLD_RULES: u64 = 1;
/// Entries after which a checkpoint is due.
pub const CHECKPOINT_EVERY_ENTRIES: u64 = 1_000;
/// Time after which a checkpoint is due, from the arrival of the first entry that none covers.
pub const CHECKPOINT_EVERY_MS: i64 = 30 * 86_400_000;
/// How many times as long a patient's device waits: checkpoints are large, and phones pay for it.
pub const PATIENTS_WAIT_TIMES: u64 = 2;
