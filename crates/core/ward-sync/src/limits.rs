//! Limits of entries, payloads, the membership log and pushes.

/// Entries that one entry may name as seen.
pub const DEPS_MAX: usize = 64;
/// Writes that one register write may supersede.
pub const SUPERSEDES_MAX: usize = 64;
/// Candidates that one decision may name.
pub const CANDIDATES_MAX: usize = SUPERSEDES_MAX;
/// Additions that one removal from a set may name.
pub const SET_REMOVES_MAX: usize = 64;
/// Entries that one acknowledgement may name.
pub const ACKNOWLEDGED_ENTRIES_MAX: usize = 64;
/// Chains that one entry may name as opened.
pub const OPENED_CHAINS_MAX: usize = 256;
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
/// Edits that name one version of a text: as many as one edit has parents.
pub const TEXT_VERSION_MAX: usize = ward_text::limits::PARENTS_MAX;
/// Bytes of a payload. An envelope of at most [`OPERATION_MAX_BYTES`] holds it with its padding.
pub const PAYLOAD_MAX_BYTES: usize = 196_608;
/// Bytes of a payload that carries another entry: the largest payload with the frame around it, so that
/// whatever was written can be adopted.
pub const CARRY_MAX_BYTES: usize = PAYLOAD_MAX_BYTES + 8_192;

/// So deep a carry is read for what it carries: a carry of a store that was copied, taken over by
/// staff whose devices were lost in turn.
pub const CARRIES_NESTED_MAX: u8 = 8;
/// Longest schedule of an instrument.
pub const SCHEDULE_MAX_DAYS: u16 = 3_660;
/// Bytes of the schedule of an instrument.
pub const SCHEDULE_MAX_BYTES: usize = 65_536;
/// Longest appointment, in minutes.
pub const APPOINTMENT_MAX_MIN: u16 = 1_440;

/// Bytes of one entry of the membership log.
pub const MLOG_ENTRY_MAX_BYTES: usize = 65_536;
/// Signatures on one entry of the membership log.
pub const MLOG_SIGNATURES_MAX: usize = 8;
/// Fields that one study schema describes.
pub const SCHEMA_FIELDS_MAX: usize = 256;
/// Kinds for which one study schema asks for a newer app.
pub const SCHEMA_MIN_READERS_MAX: usize = 64;
/// Bytes of the rules in one set of alert rules. Its entry of the membership log has room for them.
pub const ALERT_RULES_MAX_BYTES: usize = 61_440;
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
/// Epochs that one device announces within [`ANNOUNCE_WINDOW_MS`] in one chart without a change of its
/// members: a spoilt package or an old epoch is replaced by one.
pub const ANNOUNCES_UNCHANGED_MAX: usize = 4;
/// The window of [`ANNOUNCES_UNCHANGED_MAX`].
pub const ANNOUNCE_WINDOW_MS: i64 = 3_600_000;
/// Epochs of one chart that were made for the same members as the one before. Their packages stay for
/// ever; one each 90 days is due.
pub const EPOCHS_UNCHANGED_MAX: usize = 1_000;
/// The window of [`REVOKES_ALONE_MAX`].
pub const REVOKE_WINDOW_MS: i64 = 86_400_000;

/// Bytes of the checkpoint that a reopened operation log begins with.
pub const REOPEN_NOTE_MAX_BYTES: usize = 16_384;
/// Places that each operation log of a site has when places are counted through all of them.
pub const OLOG_SPAN: u64 = 1 << 48;
/// Bytes of the evidence in an incident.
pub const INCIDENT_EVIDENCE_MAX_BYTES: usize = 65_536;
/// Chains of living devices in one chart above which the operator is told.
pub const LIVE_DEVICES_SOFT_MAX: usize = 64;

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

/// Time after the last answer of the server beyond which a patient's app opens for writing only.
pub const LEASE_PATIENT_MS: i64 = 72 * 3_600_000;
/// Time after the last answer of the server beyond which every other device stays locked.
pub const LEASE_STAFF_MS: i64 = 12 * 3_600_000;

/// How far a claimed time may lie outside what receipts allow before it is marked.
pub const CLAIM_TOLERANCE_MS: i64 = 300_000;
/// Entries that one chart view holds.
pub const CHART_MAX_ENTRIES: usize = 1_000_000;

/// What this version understands, as study schemas count it (`min_reader`). It rises with every
/// kind, schema or version of a payload that an older app cannot read.
pub const READER_LEVEL: u64 = 1;
/// Places of one chain that one question of a bisection asks for.
pub const PLACES_PER_ROUND: u64 = 32;
/// Version of the rules by which a chart follows from its entries: raised when an entry comes to
/// stand elsewhere than before, so that checkpoints of other versions are not compared.
pub const FOLD_RULES: u64 = 3;
/// Entries after which a checkpoint is due.
pub const CHECKPOINT_EVERY_ENTRIES: u64 = 1_000;
/// Time after which a checkpoint is due, from the arrival of the first entry that none covers.
pub const CHECKPOINT_EVERY_MS: i64 = 30 * 86_400_000;
/// How many times as long a patient's device waits: checkpoints are large, and phones pay for it.
pub const PATIENTS_WAIT_TIMES: u64 = 2;

/// Edits that one chain of a device writes in one text. What is beyond takes no part.
pub const TEXT_CHAIN_MAX_EDITS: usize = 65_536;

/// Unicode scalars that the edits of one chain of a device together insert into one text: 16 times as
/// much as a text holds.
pub const TEXT_CHAIN_MAX_INSERTED: u64 = 1 << 24;
