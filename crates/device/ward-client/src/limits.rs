//! Limits of the SDK. Wire limits stand in ward-api.

/// Format number of the local store; a store with a higher one is left alone.
pub const STORE_FORMAT: i64 = 1;
/// How long a locked SQLite file is waited for.
pub const SQLITE_BUSY_MS: u64 = 5_000;
/// Pages that SQLite can count.
pub const SQLITE_PAGES_MAX: u32 = 4_294_967_294;
/// Bytes that a key file or a mark file may have.
pub const KEY_FILE_MAX_BYTES: u64 = 1 << 20;
/// Time for a TCP connection.
pub const HTTP_CONNECT_MS: u64 = 10_000;
/// Time for an answer to begin, and again for its body.
pub const HTTP_TIMEOUT_MS: u64 = 60_000;
/// Bytes that an answer may have.
pub const RESPONSE_MAX_BYTES: usize = 16 << 20;
/// Bytes buffered of a stream of hints without a line end.
pub const SSE_LINE_MAX_BYTES: usize = 64 << 10;
/// Share of an access token's life after which it is renewed.
pub const TOKEN_RENEW_PERCENT: u64 = 60;
/// Root keys of a site.
pub const SITE_MAX_ROOT_KEYS: usize = 15;
/// Admin devices made with a site.
pub const SITE_MAX_ADMINS: usize = 15;
/// How far before "now" a certificate begins: the trusted time of two devices differs by the age
/// of the heads they saw, and a new device must not be told that its certificate is of tomorrow.
pub const CERT_BACKDATE_MS: i64 = 3_600_000;
/// Life of an admin device's certificate.
pub const ADMIN_CERT_LIFE_MS: i64 = 2 * 365 * 86_400_000;
/// Bytes of one draft of answers: as JSON it is several times as long as the entry that is made of it.
pub const DRAFT_MAX_BYTES: usize = 512 << 10;
/// Drafts kept at a time.
pub const DRAFTS_MAX: usize = 256;
/// Hexadecimal digits in the name of a draft: few enough to type, and of 256 none the same.
pub const DRAFT_NAME_CHARS: usize = 12;
/// Time without a keystroke after which a burst of writing is handed over.
pub const TEXT_IDLE_MS: u64 = 2_000;
/// Leaves of the membership log taken in one sync.
pub const MLOG_FOLLOW_MAX_LEAVES: u64 = 1_000_000;
/// Times that a proof is asked for which does not hold: it may have been damaged on the way, and what is
/// said of the log otherwise stops a device until a person has looked.
pub const PROOF_TRIES: usize = 4;
/// Times that an entry is signed again because the membership log moved on.
pub const SUBMIT_ATTEMPTS: usize = 5;
/// Entries of the membership log kept by the device that sent them: the newest, and older ones that it
/// holds nowhere else.
pub const SUBMISSIONS_KEPT: usize = 4;
/// Times that a cosigned head over a new entry is looked for.
pub const CONFIRM_ATTEMPTS: usize = 40;
/// Wait between two looks for a cosigned head.
pub const CONFIRM_PAUSE_MS: u64 = 250;
/// Life of a ticket in the clinic.
pub const TICKET_CLINIC_MS: i64 = 15 * 60_000;
/// Life of a patient's certificate.
pub const PATIENT_CERT_LIFE_MS: i64 = 2 * 365 * 86_400_000;
/// Life of a staff certificate.
pub const STAFF_CERT_LIFE_MS: i64 = 365 * 86_400_000;
/// Times that entries are sealed again because the epoch moved on.
pub const RESEAL_ATTEMPTS: usize = 3;
/// Answers full of packages that are fetched in a row.
pub const EPOCH_FETCH_ROUNDS: usize = 64;
/// Bytes asked for in one page of envelopes.
pub const PULL_PAGE_BYTES: usize = 1 << 20;
/// Pages that one pull fetches at most: 1 GiB of envelopes.
pub const PAGES_PER_PULL: usize = 1_024;
/// Bytes that a device keeps of a chart, since it was unlocked, of envelopes that no known device signed
/// and of those that it has from another place.
pub const SURPLUS_MAX_BYTES: u64 = 16 << 20;
/// Drops that are not what they say which are kept in mind until the next whole listing.
pub const BAD_DROPS_KNOWN_MAX: usize = 4_096;
/// Entries of one branch that a server lost which are given back in one sync.
pub const BRANCH_GIVEN_BACK_PER_SYNC: usize = 64;
/// Places that a server asks for which are looked for in one sync.
pub const WANTED_PER_SYNC: usize = 1_024;
/// An envelope that comes again as it was is asked for after 0, 1, 3, 7 meetings and so on, with as
/// many doublings.
pub const REFETCH_DOUBLINGS: u32 = 6;
/// Inclusion proofs fetched in one sync.
pub const INCLUSIONS_PER_SYNC: usize = 64;
/// Proofs about the operation log that one sync fetches for what others said of it.
pub const OLOG_PROOFS_PER_SYNC: usize = 256;
/// Places before the cut-off that are tried, newest first, until one of a revoked device is proved.
pub const PLACES_TRIED_OF_A_REVOKED_DEVICE: usize = 8;
/// Items below which no thread is started.
pub const PARALLEL_MIN_ITEMS: usize = 16;
/// The first wait before another sync.
pub const RETRY_BASE_MS: u64 = 1_000;
/// The longest wait before another sync.
pub const RETRY_MAX_MS: u64 = 300_000;
/// Characters of a reason in the worklist.
pub const REASON_SHOWN_MAX: usize = 400;
/// Rules of all revisions together that are run over each chart. A rule that a later revision has unchanged
/// counts once. Beyond it the oldest revisions are not run, and every care team is told so.
pub const ALERT_RULES_RUN_MAX: usize = 2_000;
/// Characters of what an item says, before when it happened and what became of it.
pub const WHAT_SHOWN_MAX: usize = 160;
/// Characters of a planned time in an item.
pub const OCCURRENCE_SHOWN_MAX: usize = 40;
/// Characters of what a participant wrote beside a wish to be called.
pub const WORDS_SHOWN_MAX: usize = 120;
/// Changed rules that the item about a new rule set names; the others are counted.
pub const RULE_CHANGES_SHOWN: usize = 40;
/// Answers full of a revocation's proof that are fetched in a row.
pub const ORDER_FETCH_ROUNDS: usize = 1_024;
/// Time after which an entry in the drop box is handed over once more; it doubles with each time.
pub const DROP_REPEAT_MS: i64 = 86_400_000;
/// How often that time doubles.
pub const DROP_REPEAT_DOUBLINGS: u32 = 6;
/// Syncs after which the whole drop box is listed again.
pub const DROPS_RELIST_EVERY_SYNCS: u32 = 16;
/// Pages of drops that are listed in one sync.
pub const DROP_PAGES_PER_SYNC: usize = 64;
/// Damaged envelopes fetched again in one sync.
pub const REFETCHES_PER_SYNC: usize = 16;
/// Syncs after which the pages of an incomplete chart are all looked through again.
pub const REPULL_EVERY_SYNCS: u32 = 8;
/// Heads of the operation log of which the witnesses' times are kept.
pub const WITNESSED_HEADS_MAX: usize = 512;
/// Time without being sent after which the status urges a person to find a network.
pub const UNSENT_NAG_MS: i64 = 24 * 3_600_000;
/// Columns of a trail that is printed.
pub const TRAIL_COLUMNS: usize = 80;
/// Days beyond which a date is not computed; a claim that far off is shown as the limit.
pub const DAY_MAX: i64 = 1 << 40;
/// Characters of a matter's own name within the name of an item.
pub const SLUG_MAX_CHARS: usize = 32;

/// Entries of the membership log given back to a restored server in one sync.
pub const GIVEN_BACK_PER_SYNC: usize = 1_024;
/// Receipts that are shown to a server which lacks what it had receipted.
pub const RECEIPTS_SHOWN: usize = 4;
/// Bytes that a carry adds around the frame of the entry that it holds.
pub const CARRY_ROOM_BYTES: usize = 256;
/// The longest time between two meetings with the server, before jitter, whatever hints come.
pub const SYNC_FLOOR_MS: u64 = 60_000;
/// By how much of itself the floor varies, so that devices do not come together.
pub const SYNC_FLOOR_JITTER_PERCENT: u64 = 20;
/// Time in which writes that follow one another are gathered into one meeting.
pub const SYNC_SETTLE_MS: u64 = 500;
/// Bytes that a row takes beyond its id and content: seal, number, the store's own pages.
pub const ROW_OVERHEAD_BYTES: u64 = 128;
/// Rows of the reserve for submissions.
pub const RESERVE_ROWS: u8 = 8;
/// Bytes of one of them; together 2 MiB.
pub const RESERVE_ROW_BYTES: usize = 256 << 10;
/// Room that an attachment leaves free.
pub const ATTACHMENT_LEAVES_BYTES: u64 = 4 << 20;
/// Room that new texts, drafts and received pages leave free.
pub const TEXT_LEAVES_BYTES: u64 = 512 << 10;
/// Room that a submission leaves free before it takes from the reserve: for the store's own pages.
pub const SUBMISSION_LEAVES_BYTES: u64 = 64 << 10;
/// Chunks of a blob that are held in memory and stored at a time.
pub const BLOB_CHUNKS_AT_A_TIME: u32 = 4;
/// How long the content of an attachment stays on the device that captured it, though the server has it:
/// longer than anybody goes back to with a backup.
pub const OWN_CONTENT_KEPT_MS: i64 = 30 * 86_400_000;
/// How long the envelopes of a chart stay though a checkpoint covers them: only with them can anything be
/// given back to a server that was restored.
pub const ENVELOPES_KEPT_MS: i64 = OWN_CONTENT_KEPT_MS;
/// Contents that the server must show in one sync before they may make room.
pub const CONTENTS_SHOWN_PER_SYNC: usize = 4;
/// Blobs that the server is asked about again in one sync, though it said that it has them.
pub const BLOB_CHECKS_PER_SYNC: usize = 16;
/// Bytes of one item of a file with unsent work.
pub const UNSENT_ITEM_MAX_BYTES: usize = 1 << 20;
/// Items of a file with unsent work.
pub const UNSENT_ITEMS_MAX: u64 = 1_000_000;
/// Bytes of a checkpoint's content: what one blob takes.
pub const CHECKPOINT_MAX_BYTES: u64 = ward_crypto::limits::BLOB_MAX_BYTES;
/// Entries of a checkpoint in one row.
pub const BASE_PAGE_ROWS: usize = 512;
/// About how many bytes the envelope of an entry takes.
pub const HISTORY_ROW_BYTES: u64 = 850;
/// Last places of the operation log among which a new device first looks for a checkpoint.
pub const COLD_START_FIRST_PLACES: u64 = 64;
/// How many times as many places it looks through next: what is fetched in vain is about as much.
pub const COLD_START_WIDER: u64 = 4;
/// Signatures of a checkpoint's entries that one sync checks.
pub const CHECKPOINT_VERIFIED_PER_SYNC: usize = 2_048;
/// Signatures that are checked between two commits.
pub const VERIFIED_AT_A_TIME: usize = 4_096;
/// Changes of zone that a device remembers; older ones stand in what it wrote.
pub const ZONES_REMEMBERED_MAX: usize = 64;
