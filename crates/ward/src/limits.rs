//! Limits of the command line.

/// Bytes of a file given on the command line (a questionnaire, answers, a configuration).
pub const INPUT_FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// Seconds that `ward serve` waits for requests in flight when it is told to stop.
pub const DRAIN_MAX_S: u64 = 20;
/// How far the clock of a server may be off before it refuses to start (seconds).
pub const CLOCK_OFF_MAX_S: i64 = 60;
/// Milliseconds between two looks whether the site has signed.
pub const ENROL_POLL_MS: u64 = 2_000;
/// Bytes of a witness's list of logs.
pub const WITNESS_LOGS_FILE_MAX_BYTES: u64 = 1024 * 1024;
/// Logs that one witness follows.
pub const WITNESS_LOGS_MAX: usize = 1_024;
/// Root keys of a new site.
pub const SITE_ROOT_KEYS: usize = 3;
/// Root keys that must sign a manifest of a new site.
pub const SITE_ROOT_THRESHOLD: u8 = 2;
/// Admin devices of a new site: what two admins must sign needs two.
pub const SITE_ADMINS: usize = 2;
/// Witnesses of a new site.
pub const SITE_WITNESSES: usize = 3;
/// Witnesses that must cosign a head of a new site.
pub const SITE_QUORUM: u8 = 2;
/// Age of a head in seconds above which devices seal nothing (72 h).
pub const FRESHNESS_S: u32 = 259_200;
/// The same where a quorum of witnesses is outside the operator's hands (24 h).
pub const FRESHNESS_OUTSIDE_S: u32 = 86_400;
/// Bytes of the webhook's certificate or key: a secret of a cluster holds no more.
pub const WEBHOOK_PEM_MAX_BYTES: u64 = 1024 * 1024;
/// Seconds between two looks of the webhook at its certificate; a cluster takes a minute to bring a new one.
pub const WEBHOOK_LOOK_EVERY_S: u64 = 5;
/// Milliseconds within which a program that `ward policy apply` starts has begun nothing yet: it reads its plan.
pub const APPLY_BEGINS_MS: u64 = 100;
/// Bytes of a backup's manifest.
pub const BACKUP_MANIFEST_MAX_BYTES: u32 = 64 * 1024;
/// Files in a backup.
pub const BACKUP_FILES_MAX: usize = 64;
/// Bytes of a file in a backup other than the database.
pub const BACKUP_SMALL_FILE_MAX_BYTES: u64 = 1024 * 1024;
/// Bytes of a public key file: a word and an X-Wing key in base64url.
pub const BACKUP_KEY_FILE_MAX_BYTES: u64 = 4_096;
/// Bytes that a backup leaves free on a disk that a server writes to.
pub const BACKUP_SPARE_BYTES: u64 = 64 * 1024 * 1024;
/// How often a database that grows is compared with its witnesses again.
pub const COMPARE_ROUNDS_MAX: u32 = 5;
/// Bytes that must be free beside the database: twice its size, and never less than this.
pub const DISK_FREE_MIN_BYTES: u64 = 512 * 1024 * 1024;
/// How long a ticket for remote enrolment lives (72 hours).
pub const TICKET_REMOTE_MS: i64 = 72 * 3_600_000;
/// Further syncs of `ward audit verify` while something is not checked yet.
pub const VERIFY_ROUNDS_MAX: usize = 20;
/// Milliseconds between two of them: witnesses sign about once a second.
pub const VERIFY_PAUSE_MS: u64 = 500;
/// Bytes of one file of an audit package.
pub const PACKAGE_FILE_MAX_BYTES: u64 = 256 << 20;
/// Files of an audit package.
pub const PACKAGE_FILES_MAX: usize = 1_000_000;
/// Charts whose streams of hints `ward sync --watch` keeps open; a device has four connections.
pub const WATCHED_CHARTS_MAX: usize = 2;
/// Bytes of an export that alert rules are tried on.
pub const EXPORT_FILE_MAX_BYTES: u64 = 256 << 20;
/// Questionnaires that alert rules are tried with.
pub const TRIED_FORMS_MAX: usize = 200;
/// So many minutes after midnight a person is asked whether the answers are for the day before.
pub const AFTER_MIDNIGHT_MIN: u16 = 4 * 60;
/// A schedule that begins further from today than this is asked about again: the clock may be wrong.
pub const STARTS_SOON_DAYS: i64 = 60;
/// Planned times that are told when a schedule is written.
pub const PLANNED_SHOWN: usize = 5;
/// So many days ahead they are looked for.
pub const PLANNED_SHOWN_DAYS: i64 = 400;
/// Fixes that `ward policy fix` tries in one folder.
pub const POLICY_FIXES_MAX: usize = 500;
