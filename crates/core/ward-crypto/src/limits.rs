//! Every size and count that this crate enforces.

/// Bytes of a symmetric key, an epoch secret and an Ed25519 key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a signature, Ed25519 or P-256 `r || s`.
pub const SIGNATURE_BYTES: usize = 64;
/// Bytes of a compressed P-256 public key (SEC 1 §2.3.3).
pub const AUTH_PUBLIC_KEY_BYTES: usize = 33;
/// Bytes of an X-Wing public key: ML-KEM-768 (1,184) and X25519 (32).
pub const ENC_PUBLIC_KEY_BYTES: usize = 1_216;
/// Bytes of the ML-KEM-768 half, which stands first.
pub const ENC_ML_KEM_BYTES: usize = 1_184;
/// Bytes of an X-Wing encapsulation: ML-KEM-768 (1,088) and X25519 (32).
pub const ENCAPSULATION_BYTES: usize = 1_120;
/// Bytes of an AES-GCM tag.
pub const TAG_BYTES: usize = 16;
/// Bytes of an AES-GCM nonce.
pub const GCM_NONCE_BYTES: usize = 12;
/// Bytes of an XAES-256-GCM nonce: long enough to be random under a key that is used often.
pub const XAES_NONCE_BYTES: usize = 24;
/// Bytes of a pre-shared key that HPKE gets at least; the library itself would take fewer.
pub const PSK_MIN_BYTES: usize = 32;

/// Plaintext sizes that sealed entries are padded to, up to 16 KiB; beyond, Padmé.
pub const PADDING_BUCKETS_BYTES: [usize; 11] =
    [512, 768, 1_024, 1_536, 2_048, 3_072, 4_096, 6_144, 8_192, 12_288, 16_384];
/// Largest padded plaintext, so that a whole operation stays within 256 KiB.
pub const PADDED_MAX_BYTES: usize = 258_048;
/// Largest plaintext before padding: one byte goes to the mark.
pub const PLAINTEXT_MAX_BYTES: usize = PADDED_MAX_BYTES - 1;
/// Largest operation on the wire.
pub const OPERATION_MAX_BYTES: usize = 262_144;

/// Members of one chart, and so wraps of one epoch package.
pub const MEMBERS_MAX: usize = 64;
/// Earlier secrets that one epoch package hands on: at one change of members a week, twenty years.
pub const HISTORY_MAX_EPOCHS: usize = 1_024;
/// Longest sealed history, in bytes: for each secret an array head, the epoch (at most 9) and 34 for
/// the secret; then the head of the list and the tag.
pub const HISTORY_MAX_BYTES: usize = HISTORY_MAX_EPOCHS * 44 + 3 + TAG_BYTES;
/// Staff devices that one drop envelope is sealed to.
pub const DROP_RECIPIENTS_MAX: usize = 64;
/// Keys of a root policy.
pub const ROOT_KEYS_MAX: usize = 16;
/// Admin devices of a manifest.
pub const ADMINS_MAX: usize = 64;
/// Witnesses of a manifest.
pub const WITNESSES_MAX: usize = 16;
/// Longest name of a witness and longest origin of a log, in bytes.
pub const NAME_MAX_BYTES: usize = 200;
/// Longest time that a head may be old before a device stops sealing, in seconds (72 h).
pub const FRESHNESS_LIMIT_MAX_S: u32 = 259_200;
/// Longest server origin in a ticket, in bytes.
pub const SERVER_ORIGIN_MAX_BYTES: usize = 200;
/// TLS key pins in a ticket.
pub const SPKI_PINS_MAX: usize = 4;
/// Longest ticket text, in characters.
pub const TICKET_TEXT_MAX_BYTES: usize = 1_024;
/// Longest OIDC id token in an enrolment request, in bytes.
pub const ID_TOKEN_MAX_BYTES: usize = 16_384;
/// Longest sealed enrolment request, in bytes.
pub const ENROL_BLOB_MAX_BYTES: usize = 32_768;
/// Signatures that one batch equation takes.
pub const BATCH_SIGNATURES: usize = 64;
/// Longest table name of a sealed row, in bytes.
pub const TABLE_NAME_MAX_BYTES: usize = 64;
/// Longest id of a sealed row, in bytes.
pub const ROW_ID_MAX_BYTES: usize = 256;
/// Largest plaintext of a sealed row, in bytes.
pub const ROW_MAX_BYTES: usize = 16_777_216;
/// Plaintext bytes of every chunk of a sealed file but the last.
pub const SEALED_CHUNK_BYTES: usize = 262_144;
/// Chunks of a sealed file: their count stands in 32 bits of the nonce.
pub const SEALED_CHUNKS_MAX: u32 = u32::MAX;
/// Bytes that a sealed file begins with: 19 of the label, one of the version, the encapsulation,
/// the sealed key.
pub const SEALED_HEADER_BYTES: usize = 19 + 1 + ENCAPSULATION_BYTES + KEY_BYTES + TAG_BYTES;
/// Plaintext bytes of every chunk of a blob but the last.
pub const BLOB_CHUNK_BYTES: usize = 262_144;
/// Plaintext bytes of a blob: 256 chunks.
pub const BLOB_MAX_BYTES: u64 = 64 * 1_048_576;
/// Devices that a file with unsent work is sealed to.
pub const UNSENT_RECIPIENTS_MAX: usize = 64;
/// Words of the passphrase of a file with unsent work: 11 bits each, 132 in all, so that nobody
/// need slow the guessing down.
pub const EXPORT_PASSPHRASE_WORDS: usize = 12;
/// Bytes of the header of a file with unsent work.
pub const UNSENT_HEADER_MAX_BYTES: usize = 128 * 1_024;
