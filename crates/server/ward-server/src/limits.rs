//! Limits of the server that are not part of the interface; those stand in `ward_api::limits`.

/// Life of a DPoP nonce, milliseconds (RFC 9449 §8 leaves it to the server).
pub const DPOP_NONCE_LIFE_MS: i64 = 120_000;
/// Bytes of the MAC in a nonce.
pub const DPOP_NONCE_MAC_BYTES: usize = 16;
/// How far a device's clock may be off before its proofs are refused, seconds.
pub const DPOP_IAT_TOLERANCE_S: i64 = 600;
/// The longest DPoP proof, bytes.
pub const DPOP_PROOF_MAX_BYTES: usize = 4_096;
/// The longest name of a proof, bytes.
pub const DPOP_JTI_MAX_BYTES: usize = 64;
/// How much longer than its nonce a proof is remembered, milliseconds.
pub const REPLAY_EXTRA_MS: i64 = 60_000;
/// Proofs are remembered in groups of this many milliseconds of nonce time.
pub const REPLAY_SLOT_MS: i64 = 60_000;
/// Proofs remembered at most: 5,000 requests a second over the life of a nonce.
pub const REPLAY_MAX_PROOFS: usize = 1_000_000;
/// Parsed DPoP keys remembered: parsing one costs as much as checking a signature with it.
pub const PROOF_KEYS_REMEMBERED_MAX: usize = 8_192;
/// The longest access token, bytes.
pub const TOKEN_MAX_BYTES: usize = 2_048;
/// Access tokens whose check is remembered, about 150 bytes each; beyond that all are forgotten.
pub const TOKENS_REMEMBERED_MAX: usize = 16_384;
/// Absolute life of a refresh family of staff, milliseconds.
pub const REFRESH_LIFE_STAFF_MS: i64 = 12 * 3_600_000;
/// Absolute life of a refresh family of a patient, milliseconds.
pub const REFRESH_LIFE_PATIENT_MS: i64 = 30 * 86_400_000;
/// After the operation log was opened again, a revocation of one signer leaves out only what came within this
/// time, milliseconds: as long as a signer takes who just looked.
pub const CUT_OFF_REOPENED_AGE_MS: i64 = 60_000;
/// A change of a device's session (suspension, end of tokens) reaches every request within this
/// time, milliseconds.
pub const SESSION_CACHE_MS: i64 = 2_000;
/// Sessions kept in memory.
pub const SESSION_CACHE_MAX: usize = 100_000;
/// A request must have arrived whole within this time, milliseconds.
pub const BODY_TIMEOUT_MS: u64 = 30_000;
/// A request must be answered within this time, milliseconds; streams excepted.
pub const REQUEST_TIMEOUT_MS: u64 = 60_000;
/// A TLS handshake must be done within this time, milliseconds.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 10_000;
/// Connections at a time, over all devices.
pub const CONNECTIONS_MAX: usize = 8_192;
/// Connections at a time from one address (one prefix, for IPv6), trusted proxies excepted. A whole
/// hospital may stand behind one address; it may not shut out everybody else.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 1_024;
/// A connection on which nothing moves for this time is closed, milliseconds. Longer than a request
/// may take and than an idle event stream stays silent.
pub const CONNECTION_IDLE_MS: u64 = 120_000;
/// A connection that is being closed for silence is cut after this time, milliseconds.
pub const CONNECTION_CLOSE_MS: u64 = 10_000;
/// The other side of an HTTP/2 connection is pinged this often, milliseconds.
pub const HTTP2_PING_EVERY_MS: u64 = 30_000;
/// Bytes that the bodies of all requests in flight take together.
pub const BODIES_IN_FLIGHT_MAX_BYTES: usize = 256 * 1_024 * 1_024;
/// They are counted in units of so many bytes.
pub const BODY_ROOM_UNIT_BYTES: usize = 1_024;
/// Bytes of a request body on routes that say nothing else.
pub const SMALL_BODY_MAX_BYTES: usize = 4_096;
/// Bytes of request headers taken (HTTP/1 buffer, HTTP/2 header list).
pub const HEADERS_MAX_BYTES: usize = 16 * 1_024;
/// Default time that a shutdown gives to requests in flight, seconds.
pub const DRAIN_DEFAULT_S: u64 = 20;
/// A comment goes through an idle event stream this often, milliseconds.
pub const EVENTS_KEEP_ALIVE_MS: u64 = 25_000;
/// An event stream is closed after this time, so that a revoked device does not listen on, milliseconds.
pub const EVENTS_MAX_LIFE_MS: u64 = 600_000;
/// An event stream notices within this time that its device may not listen any more, milliseconds.
pub const EVENTS_RECHECK_MS: u64 = 2_000;
/// Hints kept for a slow listener; beyond that it is told to ask for everything.
pub const EVENTS_BACKLOG: usize = 1_024;
/// A checkpoint whose newest cosignature is older than this is cosigned anew on demand, milliseconds.
pub const COSIGN_MAX_AGE_MS: i64 = 60_000;
/// A witness must answer within this time, milliseconds.
pub const WITNESS_TIMEOUT_MS: u64 = 5_000;
/// Bytes of a witness's answer.
pub const WITNESS_ANSWER_MAX_BYTES: usize = 16 * 1_024;
/// Bytes of a request to a witness: a proof of 63 hashes and a checkpoint with its signatures.
pub const WITNESS_REQUEST_MAX_BYTES: usize = 64 * 1_024;
/// Leaves read from the store at a time while a log is rebuilt.
pub const REBUILD_CHUNK_LEAVES: u64 = 16_384;
/// Membership entries read from the store at a time while the membership is rebuilt.
pub const REBUILD_CHUNK_ENTRIES: u64 = 256;
/// Pushes of more envelopes than this are checked on a thread of their own; smaller ones wait for
/// each other.
pub const PUSH_INLINE_MAX: usize = 4;
/// Small pushes that are checked and stored together. More would hold up a thread that others
/// wait for: 32 pushes of one envelope each take about a millisecond.
pub const PUSH_TOGETHER_MAX: usize = 32;
/// Bytes of envelopes after which no further push is taken into the same group.
pub const PUSH_TOGETHER_MAX_BYTES: usize = 4 * 1_024 * 1_024;
/// How often a committed membership entry is read back before it waits for the next append or for
/// housekeeping. One try may take as long as a read waits for its connection.
pub const APPLY_TRIES: u32 = 2;
/// How often a moving log is followed before the caller is told to come back.
pub const CAS_MAX_TRIES: u32 = 8;
/// Membership entries without a proved place that a restored server holds at a time.
pub const OFFERS_MAX: usize = 16;
/// Such entries of one device.
pub const OFFERS_PER_DEVICE_MAX: usize = 4;
/// Missing entries in a row that are looked for among them: every order is tried.
pub const OFFERS_IN_A_ROW_MAX: usize = 3;
/// Manifests that a restored server lost and knows of before their entries come back.
pub const LATER_MANIFESTS_MAX: usize = 16;
/// Rate limiters forget quiet callers after this many requests.
pub const RATE_SWEEP_EVERY: u64 = 65_536;
/// Bits of an IPv6 address that name one subscriber (RFC 6177 §2).
pub const IPV6_PREFIX_BITS: u32 = 64;
/// A key file holds this many hexadecimal digits and a line end at most.
pub const KEY_FILE_MAX_BYTES: u64 = 128;
/// Rounds in which a proof may ask for tiles: one for each level of the tree, and some.
pub const PROOF_FETCH_ROUNDS: u32 = 24;
/// With a quorum at hand, the other witnesses are given this time, milliseconds.
pub const COSIGN_GRACE_MS: u64 = 150;
/// When too few witnesses answered, they are not asked again for this time, milliseconds; callers
/// get the newest cosigned head there is.
pub const COSIGN_RETRY_MS: u64 = 15_000;
/// How often a witness that knows another size is asked again.
pub const COSIGN_TRIES: u32 = 3;
/// How far past the longest life a ticket may reach, for clocks that differ, milliseconds.
pub const TICKET_CLOCK_TOLERANCE_MS: i64 = 600_000;
/// Heads are cosigned and leftovers dropped this often, milliseconds.
pub const UPKEEP_EVERY_MS: u64 = 60_000;
/// A submission to the membership log: an entry, a package, two heads and the map around them, bytes.
pub const SUBMISSION_MAX_BYTES: usize =
    ward_api::limits::MLOG_ENTRY_MAX_BYTES + ward_api::limits::PACKAGE_MAX_BYTES + 16;
/// A redemption: a sealed request, its proof and the map around them, bytes.
pub const ENROL_MAX_BYTES: usize = ward_api::limits::ENROL_BLOB_MAX_BYTES + 64;
/// What the encoding of a full request of drops adds to them: a head of 5 bytes each and one around.
pub const DROP_ENCODING_BYTES: usize = 5 * (ward_api::limits::DROP_BATCH_MAX + 1);
/// What came of a readiness check's write is believed for this time, milliseconds.
pub const READY_BELIEF_MS: u64 = 5_000;

/// A complete blob of which devices send other bytes is hashed again this often, milliseconds.
pub const BLOB_RECHECK_EVERY_MS: i64 = 3_600_000;
/// Blobs of which it is remembered when they were hashed again.
pub const BLOB_RECHECKS_REMEMBERED_MAX: usize = 4_096;
/// Damaged envelopes that are asked for at a time.
pub const DAMAGED_MAX: usize = 1_024;
