//! Every limit of the interface, with its value. `GET /v1/limits` answers with [`Limits`].

use serde::{Deserialize, Serialize};

/// Places of one chain that one question of a bisection may name.
pub const RECONCILE_MAX_PLACES: usize = 64;
/// Charts whose version vectors one question may compare.
pub const HAVE_CHARTS_MAX: usize = 64;
/// Proofs about the operation log that one question may ask for.
pub const OLOG_PROOFS_MAX: usize = 64;
/// Bytes of a body with a checkpoint of a log that ended.
pub const OLD_CHECKPOINT_MAX_BYTES: usize = 16 * 1024 + 16;
/// One operation as sent (an envelope), bytes.
pub const OPERATION_MAX_BYTES: usize = 256 * 1024;
/// Operations in one push.
pub const PUSH_MAX_OPERATIONS: usize = 256;
/// One push, bytes of its envelopes.
pub const PUSH_MAX_BYTES: usize = 4 * 1024 * 1024;
/// What the encoding of a full push adds to its envelopes: a head of 5 bytes each and one around.
pub const PUSH_ENCODING_BYTES: usize = 5 * (PUSH_MAX_OPERATIONS + 1);
/// Members of one chart, devices.
pub const CHART_MAX_MEMBERS: usize = 64;
/// Active devices of one person.
pub const PERSON_MAX_DEVICES: usize = 8;
/// Open tickets of one site.
pub const SITE_MAX_OPEN_TICKETS: usize = 1_000;
/// One entry of the membership log, bytes.
pub const MLOG_ENTRY_MAX_BYTES: usize = 64 * 1024;
/// One epoch package, bytes.
pub const PACKAGE_MAX_BYTES: usize = 256 * 1024;
/// The sealed request of an enrolment, bytes. An identity token inside may take 8 KiB.
pub const ENROL_BLOB_MAX_BYTES: usize = 32 * 1024;
/// Wrong proofs that burn a ticket.
pub const TICKET_MAX_WRONG_PROOFS: u32 = 5;
/// The longest life of a ticket, milliseconds (remote enrolment).
pub const TICKET_MAX_LIFE_MS: i64 = 72 * 3_600_000;
/// The usual life of a ticket in the clinic, milliseconds.
pub const TICKET_CLINIC_LIFE_MS: i64 = 15 * 60_000;
/// Entries that wait for a second signature.
pub const SITE_MAX_PROPOSALS: usize = 256;
/// Connections of one device at a time.
pub const DEVICE_MAX_CONNECTIONS: usize = 4;
/// Requests of one device in a minute.
pub const DEVICE_REQUESTS_PER_MIN: u32 = 600;
/// Requests of one person over all their devices in a minute.
pub const PERSON_REQUESTS_PER_MIN: u32 = 1_200;
/// Requests from one address in a minute. A whole hospital may stand behind one address.
pub const ADDRESS_REQUESTS_PER_MIN: u32 = 6_000;
/// Requests without a token (tickets, tokens) from one address in a minute.
pub const ADDRESS_ANONYMOUS_PER_MIN: u32 = 120;
/// Bytes that one device sends in a minute: sixteen full pushes, enough for what piles up in a week
/// without a network.
pub const DEVICE_BYTES_PER_MIN: u32 = 64 * 1024 * 1024;
/// Membership entries that one device sends in a minute.
pub const DEVICE_MLOG_APPENDS_PER_MIN: u32 = 120;
/// Open tickets of one issuer's device, so that one device cannot keep the others from enrolling.
pub const DEVICE_MAX_OPEN_TICKETS: usize = 250;
/// Entries of one device that wait for a second signature.
pub const DEVICE_MAX_PROPOSALS: usize = 32;
/// A proposal that nobody signs is dropped after this time, milliseconds.
pub const PROPOSAL_MAX_LIFE_MS: i64 = 30 * 86_400_000;
/// Chains that one device begins in one chart: one for each life of its store. The version vector
/// of a chart has room for so many of every member it may ever have.
pub const DEVICE_MAX_CHAINS: usize = 32;
/// The largest page of envelopes, bytes; a larger wish is cut to this.
pub const PAGE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// The page given when the caller names no size, bytes.
pub const PAGE_DEFAULT_BYTES: usize = 1024 * 1024;
/// The most envelopes in one page.
pub const PAGE_MAX_OPERATIONS: usize = 2_048;
/// The most leaves answered at once.
pub const LEAVES_MAX: u64 = 65_536;
/// The most membership entries answered at once.
pub const MLOG_ENTRIES_MAX: u64 = 1_024;
/// The most bytes of membership entries or of packages answered at once.
pub const MLOG_PAGE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Life of an access token of a patient, seconds.
pub const ACCESS_TOKEN_PATIENT_S: u32 = 600;
/// Life of an access token of staff, seconds.
pub const ACCESS_TOKEN_STAFF_S: u32 = 300;
/// After an epoch announce, envelopes of the epoch before are still taken so long, milliseconds.
pub const EPOCH_GRACE_MS: i64 = 60_000;
/// The longest suspension that can be asked for at once, milliseconds.
pub const SUSPENSION_MAX_MS: i64 = 30 * 86_400_000;
/// One drop, bytes: an entry sealed to each staff device of its chart.
pub const DROP_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Drops in one request.
pub const DROP_BATCH_MAX: usize = 64;
/// Drops in one request, bytes.
pub const DROP_BATCH_MAX_BYTES: usize = DROP_MAX_BYTES;
/// Drops of one device that wait for staff: a year of diaries.
pub const DEVICE_MAX_DROPS: usize = 4_096;
/// The same, bytes.
pub const DEVICE_MAX_DROP_BYTES: usize = 64 * 1024 * 1024;
/// Drops of one chart that wait for staff, so that one device leaves room for the others.
pub const CHART_MAX_DROPS: usize = 8_192;
/// The same, bytes.
pub const CHART_MAX_DROP_BYTES: usize = 128 * 1024 * 1024;
/// Drops that one device hands over in a minute.
pub const DEVICE_DROPS_PER_MIN: u32 = 600;
/// The most bytes of drops listed at once; at least one drop is.
pub const DROP_PAGE_MAX_BYTES: usize = 4 * 1024 * 1024;
/// A drop that staff decided about is kept as evidence for this time, milliseconds.
pub const DROP_KEPT_MS: i64 = 400 * 86_400_000;
/// A path of a tile or a page never needs more, bytes.
pub const TARGET_MAX_BYTES: usize = 1_024;

/// One chunk of a blob as sent, bytes: 256 KiB and its tag.
pub const BLOB_CHUNK_MAX_BYTES: usize = 256 * 1024 + 16;
/// Ciphertext of one blob, bytes: 256 full chunks.
pub const BLOB_MAX_BYTES: u64 = 256 * BLOB_CHUNK_MAX_BYTES as u64;
/// Envelopes of one chart, bytes: at 850 bytes each more than a million.
pub const CHART_QUOTA_BYTES: u64 = 1024 * 1024 * 1024;
/// Envelopes that one device sends over its life, bytes.
pub const DEVICE_QUOTA_BYTES: u64 = 512 * 1024 * 1024;
/// Envelopes of one chart. Devices hold a chart up to 1,000,000 entries; the rest is for what they wrote
/// and could not send.
pub const CHART_MAX_OPERATIONS: u64 = 950_000;
/// Envelopes that one device sends over its life: two devices of one person leave room for others.
pub const DEVICE_MAX_OPERATIONS: u64 = 400_000;
/// Blobs of one chart, bytes, those among them that are still being sent.
pub const CHART_BLOB_QUOTA_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Blobs that one device sends over its life, bytes.
pub const DEVICE_BLOB_QUOTA_BYTES: u64 = 1024 * 1024 * 1024;
/// Blobs that one device sends at a time.
pub const DEVICE_MAX_UPLOADS: usize = 16;
/// A blob that is not complete is dropped so long after its last chunk, milliseconds.
pub const UPLOAD_MAX_REST_MS: i64 = 7 * 86_400_000;
/// A device whose room is used up asks again after this time, seconds: an operator may have given more.
pub const QUOTA_RETRY_S: u32 = 3_600;

/// The limits as the server states them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// See [`OPERATION_MAX_BYTES`].
    pub operation_max_bytes: u64,
    /// See [`PUSH_MAX_OPERATIONS`].
    pub push_max_operations: u64,
    /// See [`PUSH_MAX_BYTES`].
    pub push_max_bytes: u64,
    /// See [`CHART_MAX_MEMBERS`].
    pub chart_max_members: u64,
    /// See [`PERSON_MAX_DEVICES`].
    pub person_max_devices: u64,
    /// See [`SITE_MAX_OPEN_TICKETS`].
    pub site_max_open_tickets: u64,
    /// See [`SITE_MAX_PROPOSALS`].
    pub site_max_proposals: u64,
    /// See [`MLOG_ENTRY_MAX_BYTES`].
    pub mlog_entry_max_bytes: u64,
    /// See [`PACKAGE_MAX_BYTES`].
    pub package_max_bytes: u64,
    /// See [`ENROL_BLOB_MAX_BYTES`].
    pub enrol_blob_max_bytes: u64,
    /// See [`PAGE_MAX_BYTES`].
    pub page_max_bytes: u64,
    /// See [`PAGE_MAX_OPERATIONS`].
    pub page_max_operations: u64,
    /// See [`LEAVES_MAX`].
    pub leaves_max: u64,
    /// See [`MLOG_ENTRIES_MAX`].
    pub mlog_entries_max: u64,
    /// See [`DEVICE_MAX_CONNECTIONS`].
    pub device_max_connections: u64,
    /// See [`DEVICE_REQUESTS_PER_MIN`].
    pub device_requests_per_min: u32,
    /// See [`PERSON_REQUESTS_PER_MIN`].
    pub person_requests_per_min: u32,
    /// See [`ADDRESS_REQUESTS_PER_MIN`].
    pub address_requests_per_min: u32,
    /// See [`ADDRESS_ANONYMOUS_PER_MIN`].
    pub address_anonymous_per_min: u32,
    /// See [`DEVICE_BYTES_PER_MIN`].
    pub device_bytes_per_min: u32,
    /// See [`DEVICE_MLOG_APPENDS_PER_MIN`].
    pub device_mlog_appends_per_min: u32,
    /// See [`DEVICE_MAX_OPEN_TICKETS`].
    pub device_max_open_tickets: u64,
    /// See [`DEVICE_MAX_PROPOSALS`].
    pub device_max_proposals: u64,
    /// See [`DEVICE_MAX_CHAINS`].
    pub device_max_chains: u64,
    /// See [`DROP_MAX_BYTES`].
    pub drop_max_bytes: u64,
    /// See [`DROP_BATCH_MAX`].
    pub drop_batch_max: u64,
    /// See [`DEVICE_MAX_DROPS`].
    pub device_max_drops: u64,
    /// See [`CHART_MAX_DROPS`].
    pub chart_max_drops: u64,
    /// See [`DEVICE_DROPS_PER_MIN`].
    pub device_drops_per_min: u32,
    /// See [`BLOB_MAX_BYTES`].
    pub blob_max_bytes: u64,
    /// See [`CHART_QUOTA_BYTES`].
    pub chart_quota_bytes: u64,
    /// See [`DEVICE_QUOTA_BYTES`].
    pub device_quota_bytes: u64,
    /// See [`CHART_BLOB_QUOTA_BYTES`].
    pub chart_blob_quota_bytes: u64,
    /// See [`DEVICE_BLOB_QUOTA_BYTES`].
    pub device_blob_quota_bytes: u64,
    /// See [`DEVICE_MAX_UPLOADS`].
    pub device_max_uploads: u64,
    /// See [`ACCESS_TOKEN_PATIENT_S`].
    pub access_token_patient_s: u32,
    /// See [`ACCESS_TOKEN_STAFF_S`].
    pub access_token_staff_s: u32,
}

impl Default for Limits {
    /// The limits of this version; a server may lower its request rates.
    fn default() -> Self {
        Self {
            operation_max_bytes: OPERATION_MAX_BYTES as u64,
            push_max_operations: PUSH_MAX_OPERATIONS as u64,
            push_max_bytes: PUSH_MAX_BYTES as u64,
            chart_max_members: CHART_MAX_MEMBERS as u64,
            person_max_devices: PERSON_MAX_DEVICES as u64,
            site_max_open_tickets: SITE_MAX_OPEN_TICKETS as u64,
            site_max_proposals: SITE_MAX_PROPOSALS as u64,
            mlog_entry_max_bytes: MLOG_ENTRY_MAX_BYTES as u64,
            package_max_bytes: PACKAGE_MAX_BYTES as u64,
            enrol_blob_max_bytes: ENROL_BLOB_MAX_BYTES as u64,
            page_max_bytes: PAGE_MAX_BYTES as u64,
            page_max_operations: PAGE_MAX_OPERATIONS as u64,
            leaves_max: LEAVES_MAX,
            mlog_entries_max: MLOG_ENTRIES_MAX,
            device_max_connections: DEVICE_MAX_CONNECTIONS as u64,
            device_requests_per_min: DEVICE_REQUESTS_PER_MIN,
            person_requests_per_min: PERSON_REQUESTS_PER_MIN,
            address_requests_per_min: ADDRESS_REQUESTS_PER_MIN,
            address_anonymous_per_min: ADDRESS_ANONYMOUS_PER_MIN,
            device_bytes_per_min: DEVICE_BYTES_PER_MIN,
            device_mlog_appends_per_min: DEVICE_MLOG_APPENDS_PER_MIN,
            device_max_open_tickets: DEVICE_MAX_OPEN_TICKETS as u64,
            device_max_proposals: DEVICE_MAX_PROPOSALS as u64,
            device_max_chains: DEVICE_MAX_CHAINS as u64,
            drop_max_bytes: DROP_MAX_BYTES as u64,
            drop_batch_max: DROP_BATCH_MAX as u64,
            device_max_drops: DEVICE_MAX_DROPS as u64,
            chart_max_drops: CHART_MAX_DROPS as u64,
            device_drops_per_min: DEVICE_DROPS_PER_MIN,
            blob_max_bytes: BLOB_MAX_BYTES,
            chart_quota_bytes: CHART_QUOTA_BYTES,
            device_quota_bytes: DEVICE_QUOTA_BYTES,
            chart_blob_quota_bytes: CHART_BLOB_QUOTA_BYTES,
            device_blob_quota_bytes: DEVICE_BLOB_QUOTA_BYTES,
            device_max_uploads: DEVICE_MAX_UPLOADS as u64,
            access_token_patient_s: ACCESS_TOKEN_PATIENT_S,
            access_token_staff_s: ACCESS_TOKEN_STAFF_S,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_plain_json_numbers() {
        let limits = Limits::default();
        let text = serde_json::to_string(&limits).unwrap();
        assert!(text.contains("\"operation_max_bytes\":262144"), "{text}");
        assert!(text.contains("\"push_max_operations\":256"), "{text}");
        assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), limits);
    }
}
