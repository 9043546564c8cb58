//! Every statement of the store. They are constants, so no input ever becomes SQL, and a test
//! prepares each against the migrated schema.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $sql;)*

        /// All of them.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

statements! {
    BEGIN_WRITE = "BEGIN IMMEDIATE";
    COMMIT = "COMMIT";
    ROLLBACK = "ROLLBACK";

    // The write-ahead file: busy, frames written, frames copied.
    WAL_FRAMES = "PRAGMA wal_checkpoint(NOOP)";
    WAL_COPY = "PRAGMA wal_checkpoint(PASSIVE)";

    // Operation log.
    OLOG_SIZE = "SELECT ifnull(max(olog_index) + 1, EXISTS (SELECT 1 FROM reopening WHERE number >= 2)) FROM operation";
    REOPENED = "SELECT number, leaf FROM reopening ORDER BY number DESC LIMIT 1";
    REOPENING_INSERT = "INSERT INTO reopening (number, leaf) VALUES (?1, ?2)";
    OPERATIONS_STEP_ASIDE = "UPDATE operation SET olog_index = -olog_index - 1";
    OPERATIONS_STEP_BACK = "UPDATE operation SET olog_index = -olog_index";
    OLOG_HEADS_FORGET = "DELETE FROM checkpoint WHERE log = 2";
    OLOG_TILES_FORGET = "DELETE FROM tile WHERE log = 2";
    OPERATION_LEAF = "SELECT envelope_hash FROM operation WHERE olog_index = ?1";
    OPERATION_MEND = "UPDATE operation SET cut = NULL, envelope = ?2 WHERE olog_index = ?1";
    ENTRY_AT = "SELECT entry_id FROM operation WHERE chain = ?1 AND seq = ?2";
    CHART_ID = "SELECT id FROM chart WHERE chart = ?1";
    CHART_INSERT = "INSERT INTO chart (chart) VALUES (?1) RETURNING id";
    DEVICE_ID = "SELECT id FROM device WHERE device = ?1";
    DEVICE_INSERT = "INSERT INTO device (device) VALUES (?1) RETURNING id";
    CHAIN_FIND = "SELECT c.id, c.chart, c.head_seq, c.head_entry FROM chart s \
        CROSS JOIN device d CROSS JOIN chain c \
        WHERE s.chart = ?1 AND d.device = ?2 AND c.chart = s.id AND c.device = d.id AND c.incarnation = ?3";
    CHAINS_BEGUN = "SELECT count(*) FROM chart s CROSS JOIN device d CROSS JOIN chain c \
        WHERE s.chart = ?1 AND d.device = ?2 AND c.chart = s.id AND c.device = d.id";
    CHAIN_INSERT = "INSERT INTO chain (chart, device, incarnation, head_seq, head_entry) \
        VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
    CHAIN_ADVANCE = "UPDATE chain SET head_seq = ?2, head_entry = ?3 WHERE id = ?1";
    CHAINS_OF_CHART = "SELECT d.device, c.incarnation, c.head_seq, c.head_entry FROM chart s \
        CROSS JOIN chain c CROSS JOIN device d WHERE s.chart = ?1 AND c.chart = s.id AND d.id = c.device";
    OPERATIONS_KNOWN = "SELECT olog_index, seq, received_at, entry_id, envelope_hash FROM operation \
        WHERE chain = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq";
    OPERATION_INSERT = "INSERT INTO operation \
        (olog_index, chart, chain, seq, epoch, received_at, entry_id, envelope_hash, cut, envelope) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    OPERATIONS_OF_CHART = "SELECT o.olog_index, o.received_at, ?4, d.device, c.incarnation, o.seq, o.epoch, \
        o.entry_id, o.envelope_hash, o.cut, o.envelope \
        FROM operation o CROSS JOIN chain c CROSS JOIN device d \
        WHERE o.chart = ?1 AND o.olog_index > ?2 AND c.id = o.chain AND d.id = c.device \
        ORDER BY o.olog_index LIMIT ?3";
    OPERATIONS_FROM = "SELECT o.olog_index, o.received_at, s.chart, d.device, c.incarnation, o.seq, o.epoch, \
        o.entry_id, o.envelope_hash, o.cut, o.envelope \
        FROM operation o CROSS JOIN chain c CROSS JOIN device d CROSS JOIN chart s \
        WHERE o.olog_index >= ?1 AND c.id = o.chain AND d.id = c.device AND s.id = o.chart \
        ORDER BY o.olog_index LIMIT ?2";
    OLOG_LEAVES = "SELECT envelope_hash FROM operation WHERE olog_index >= ?1 AND olog_index < ?2 \
        ORDER BY olog_index LIMIT ?3";

    // Membership log.
    MLOG_SIZE = "SELECT ifnull(max(mlog_index) + 1, 0) FROM mlog_entry";
    MLOG_INDEX_OF = "SELECT mlog_index FROM mlog_entry WHERE entry_hash = ?1";
    MLOG_INSERT = "INSERT INTO mlog_entry (mlog_index, subject, entry_hash, received_at, entry) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    MLOG_ENTRIES = "SELECT mlog_index, subject, entry_hash, received_at, entry FROM mlog_entry \
        WHERE mlog_index >= ?1 AND mlog_index < ?2 ORDER BY mlog_index LIMIT ?3";
    MLOG_LEAVES = "SELECT subject, entry_hash FROM mlog_entry WHERE mlog_index >= ?1 AND mlog_index < ?2 \
        ORDER BY mlog_index LIMIT ?3";
    PACKAGE_EXISTS = "SELECT 1 FROM epoch_package WHERE chart = ?1 AND epoch = ?2";
    PACKAGE_INSERT = "INSERT INTO epoch_package (chart, epoch, package_hash, mlog_index, package) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    PACKAGES = "SELECT epoch, package_hash, mlog_index, package FROM epoch_package \
        WHERE chart = ?1 AND epoch >= ?2 ORDER BY epoch LIMIT ?3";

    // Heads and tiles.
    CHECKPOINT = "SELECT size, root, note FROM checkpoint WHERE log = ?1 AND kind = ?2";
    CHECKPOINT_PUT = "INSERT INTO checkpoint (log, kind, size, root, note) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (log, kind) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note";
    TILE_PARTS = "SELECT part, hashes FROM tile WHERE log = ?1 AND level = ?2 AND tile_index = ?3 ORDER BY part";
    TILE_INSERT = "INSERT INTO tile (log, level, tile_index, part, hashes) VALUES (?1, ?2, ?3, ?4, ?5)";

    // Tickets.
    TICKET_OPEN_COUNT = "SELECT count(*) FROM ticket WHERE state = 1 AND not_after > ?1";
    TICKET_OPEN_COUNT_OF = "SELECT count(*) FROM ticket WHERE issuer = ?2 AND state = 1 AND not_after > ?1";
    TICKET_EXISTS = "SELECT 1 FROM ticket WHERE ticket = ?1";
    TICKET_INSERT = "INSERT INTO ticket (ticket, issuer, sealed_srv, role, chart, not_after, state, wrong_proofs) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 0)";
    TICKET = "SELECT ticket, issuer, sealed_srv, role, chart, not_after, state, wrong_proofs, blob, redeemed_at \
        FROM ticket WHERE ticket = ?1";
    TICKETS_OF = "SELECT ticket, issuer, sealed_srv, role, chart, not_after, state, wrong_proofs, blob, redeemed_at \
        FROM ticket WHERE issuer = ?1 ORDER BY id DESC LIMIT ?2";
    TICKET_WRONG_PROOF = "UPDATE ticket SET wrong_proofs = wrong_proofs + 1, \
        state = CASE WHEN wrong_proofs + 1 >= ?3 THEN 6 ELSE 1 END, \
        sealed_srv = CASE WHEN wrong_proofs + 1 >= ?3 THEN x'' ELSE sealed_srv END \
        WHERE ticket = ?1 AND state = 1 AND not_after > ?2";
    TICKET_REDEEM = "UPDATE ticket SET state = 2, blob = ?3, redeemed_at = ?2 \
        WHERE ticket = ?1 AND state = 1 AND not_after > ?2";
    TICKET_END = "UPDATE ticket SET state = ?2, sealed_srv = x'', blob = NULL WHERE ticket = ?1";
    TICKETS_EXPIRE = "UPDATE ticket SET state = 7, sealed_srv = x'' WHERE state = 1 AND not_after <= ?1";

    // Tokens.
    FAMILY_INSERT = "INSERT INTO refresh_family (family, device, jkt, expires_at) VALUES (?1, ?2, ?3, ?4)";
    FAMILY_END = "DELETE FROM refresh_family WHERE family = ?1";
    FAMILIES_END_OF_DEVICE = "DELETE FROM refresh_family WHERE device = ?1";
    FAMILIES_PURGE = "DELETE FROM refresh_family WHERE expires_at <= ?1";
    TOKEN_INSERT = "INSERT INTO refresh_token (token_hash, family, generation) VALUES (?1, ?2, ?3)";
    TOKEN = "SELECT t.family, f.device, f.jkt, t.generation, f.expires_at, t.used_at \
        FROM refresh_token t JOIN refresh_family f ON f.family = t.family WHERE t.token_hash = ?1";
    TOKEN_USE = "UPDATE refresh_token SET used_at = ?2 WHERE token_hash = ?1 AND used_at IS NULL \
        AND EXISTS (SELECT 1 FROM refresh_family f \
        WHERE f.family = refresh_token.family AND f.jkt = ?3 AND f.expires_at > ?2)";
    TOKENS_FORGET = "DELETE FROM refresh_token WHERE family = ?1 AND generation <= ?2";
    SESSION_VERSION = "SELECT session_version FROM device_session WHERE device = ?1";
    SESSION_RAISE = "INSERT INTO device_session (device, session_version) VALUES (?1, 1) \
        ON CONFLICT (device) DO UPDATE SET session_version = session_version + 1 RETURNING session_version";
    SUSPENSION = "SELECT until, reason, by_device FROM device_suspension WHERE device = ?1 AND until > ?2";
    SUSPENSION_PUT = "INSERT INTO device_suspension (device, until, reason, by_device) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (device) DO UPDATE SET until = excluded.until, reason = excluded.reason, \
        by_device = excluded.by_device";
    SUSPENSION_LIFT = "DELETE FROM device_suspension WHERE device = ?1";
    SUSPENSION_BY_STAFF = "SELECT until, reason, by_device FROM staff_suspension WHERE device = ?1 AND until > ?2";
    SUSPENSION_BY_STAFF_PUT = "INSERT INTO staff_suspension (device, until, reason, by_device) \
        VALUES (?1, ?2, ?3, ?4) ON CONFLICT (device) DO UPDATE SET until = excluded.until, \
        reason = excluded.reason, by_device = excluded.by_device";
    SUSPENSION_BY_STAFF_LIFT = "DELETE FROM staff_suspension WHERE device = ?1";

    // Proposals.
    PROPOSAL_COUNT = "SELECT count(*) FROM proposal";
    PROPOSAL_COUNT_OF = "SELECT count(*) FROM proposal WHERE proposer = ?1";
    PROPOSALS_PURGE = "DELETE FROM proposal WHERE received_at <= ?1";
    PROPOSALS_END_OF_DEVICE = "DELETE FROM proposal WHERE proposer = ?1";
    PROPOSAL_EXISTS = "SELECT 1 FROM proposal WHERE entry_hash = ?1";
    PROPOSAL_INSERT = "INSERT INTO proposal (entry_hash, subject, proposer, received_at, entry) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    PROPOSALS = "SELECT entry_hash, subject, proposer, received_at, entry FROM proposal ORDER BY id";
    PROPOSAL_REMOVE = "DELETE FROM proposal WHERE entry_hash = ?1";

    // The drop box.
    DROP_WAITS = "SELECT 1 FROM dropped WHERE device = ?1 AND entry_id = ?2 AND state = 1";
    DROP_INSERT = "INSERT OR REPLACE INTO dropped \
        (id, chart, device, entry_id, received_at, state, envelope, decided_by) VALUES (\
        max(?4, 1 + ifnull((SELECT s.seq FROM sqlite_sequence s WHERE s.name = 'dropped'), 0)), \
        ?1, ?2, ?3, ?4, 1, ?5, \
        (SELECT d.decided_by FROM dropped d WHERE d.device = ?2 AND d.entry_id = ?3))";
    DROPS_WAITING_OF_DEVICE = "SELECT count(*), ifnull(sum(length(envelope)), 0) FROM dropped \
        WHERE device = ?1 AND state = 1";
    DROPS_WAITING_OF_CHART = "SELECT count(*), ifnull(sum(length(envelope)), 0) FROM dropped \
        WHERE chart = ?1 AND state = 1";
    DROPS_OF_CHART = "SELECT id, length(envelope) FROM dropped WHERE chart = ?1 AND state = 1 AND id > ?2 \
        ORDER BY id";
    DROP_READ = "SELECT id, chart, device, entry_id, received_at, envelope FROM dropped WHERE id = ?1";
    DROP_DECIDE = "UPDATE dropped SET state = ?4, decided_at = ?5, decided_by = ?6 \
        WHERE chart = ?1 AND device = ?2 AND entry_id = ?3";
    DROPS_PURGE = "DELETE FROM dropped WHERE decided_at <= ?1";

    // Blobs.
    BLOB_COMPLETE = "SELECT id, sealed_size, complete FROM blob \
        WHERE chart = ?1 AND address = ?2 AND complete = 1";
    BLOB_OF_DEVICE = "SELECT id, sealed_size, complete FROM blob \
        WHERE chart = ?1 AND address = ?2 AND device = ?3";
    BLOB_BEGUN = "SELECT 1 FROM blob WHERE chart = ?1 AND address = ?2 LIMIT 1";
    BLOB_NUMBER = "UPDATE blob_number SET last = last + 1 WHERE one = 1 RETURNING last";
    BLOB_INSERT = "INSERT INTO blob (id, chart, address, device, sealed_size, complete, touched_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)";
    BLOB_STILL_SENT = "SELECT 1 FROM blob \
        WHERE id = ?1 AND chart = ?2 AND address = ?3 AND device = ?4 AND complete = 0";
    BLOB_TOUCH = "UPDATE blob SET touched_at = max(touched_at, ?2) WHERE id = ?1";
    BLOB_MARK_COMPLETE = "UPDATE blob SET complete = 1 WHERE id = ?1 AND complete = 0 AND NOT EXISTS \
        (SELECT 1 FROM blob o WHERE o.chart = blob.chart AND o.address = blob.address AND o.complete = 1)";
    BLOB_MARK_DAMAGED = "UPDATE blob SET complete = 0, touched_at = ?2 WHERE id = ?1 AND complete = 1";
    BLOB_DELETE = "DELETE FROM blob WHERE id = ?1 AND chart = ?2 AND device = ?3 AND complete = 0";
    BLOBS_OPEN_OF = "SELECT count(*) FROM blob WHERE device = ?1 AND complete = 0 AND touched_at < ?2";
    BLOBS_INCOMPLETE = "SELECT id, chart, device, sealed_size FROM blob \
        WHERE chart = ?1 AND address = ?2 AND complete = 0";
    BLOBS_AT_REST = "SELECT id, chart, device, sealed_size FROM blob WHERE complete = 0 AND touched_at <= ?1";
    BLOB_CHUNK_INSERT = "INSERT INTO blob_chunk (blob, chunk, bytes) VALUES (?1, ?2, ?3) \
        ON CONFLICT (blob, chunk) DO NOTHING";
    BLOB_CHUNKS_HERE = "SELECT chunk FROM blob_chunk WHERE blob = ?1 ORDER BY chunk";
    BLOB_CHUNK = "SELECT bytes FROM blob_chunk WHERE blob = ?1 AND chunk = ?2";

    // What is used.
    USE = "SELECT operations, operation_bytes, blob_bytes FROM storage_use WHERE kind = ?1 AND owner = ?2";
    USE_ADD = "INSERT INTO storage_use (kind, owner, operations, operation_bytes, blob_bytes) \
        VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (kind, owner) DO UPDATE SET operations = operations + excluded.operations, \
        operation_bytes = operation_bytes + excluded.operation_bytes, \
        blob_bytes = blob_bytes + excluded.blob_bytes";
    USE_GIVE_BACK = "UPDATE storage_use SET blob_bytes = blob_bytes - ?3 WHERE kind = ?1 AND owner = ?2";

    // The server's values, figures, checks.
    META = "SELECT value FROM meta WHERE key = ?1";
    META_PUT = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    META_CREATE = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING";
    STATS = "SELECT (SELECT ifnull(max(olog_index) + 1, 0) FROM operation), \
        (SELECT ifnull(max(mlog_index) + 1, 0) FROM mlog_entry), \
        (SELECT count(*) FROM chart), (SELECT count(*) FROM chain), \
        (SELECT count(*) FROM ticket WHERE state = 1), (SELECT count(*) FROM proposal)";
    PAGE_COUNT = "SELECT page_count FROM pragma_page_count()";
    FREE_PAGES = "SELECT freelist_count FROM pragma_freelist_count()";
    FILE_CHECK = "SELECT integrity_check FROM pragma_integrity_check()";
    REFERENCE_CHECK = "SELECT \"table\" FROM pragma_foreign_key_check()";
    CHAIN_CHECK = "SELECT c.id FROM chain c LEFT JOIN operation o ON o.chain = c.id AND o.seq = c.head_seq \
        WHERE o.entry_id IS NOT c.head_entry OR o.chart IS NOT c.chart \
        OR c.head_seq <> (SELECT count(*) FROM operation x WHERE x.chain = c.id)";
    BACKUP = "VACUUM INTO ?1";

    // Migrations.
    MIGRATION_TABLE = "CREATE TABLE IF NOT EXISTS schema_migration (\
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL CHECK (length(checksum) = 32)) STRICT";
    MIGRATIONS_DONE = "SELECT number, name, checksum FROM schema_migration ORDER BY number";
    MIGRATION_INSERT = "INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::migrate;
    use rusqlite::Connection;

    /// This stands in for checking statements when the program is built.
    #[test]
    fn every_statement_prepares_against_the_migrated_schema() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        for (name, sql) in ALL {
            if let Err(error) = conn.prepare(sql) {
                panic!("{name}: {error}");
            }
        }
        assert!(ALL.len() > 60, "the list is complete");
    }

    /// What runs for each request finds its rows by an index.
    #[test]
    fn no_statement_of_a_request_scans_a_growing_table() {
        let conn = Connection::open_in_memory().unwrap();
        migrate(&conn).unwrap();
        let whole_by_purpose = [
            "STATS",
            "PROPOSAL_COUNT",
            "PROPOSALS",
            // At most 256 rows.
            "PROPOSAL_COUNT_OF",
            "PROPOSALS_PURGE",
            "PROPOSALS_END_OF_DEVICE",
            "MIGRATIONS_DONE",
            "REOPENED",
            "OPERATIONS_STEP_ASIDE",
            "OPERATIONS_STEP_BACK",
            "OLOG_TILES_FORGET",
            "CHAIN_CHECK",
            "FILE_CHECK",
            "REFERENCE_CHECK",
            "PAGE_COUNT",
            "FREE_PAGES",
        ];
        for (name, sql) in ALL {
            let plain = sql.starts_with("SELECT") || sql.starts_with("UPDATE") || sql.starts_with("DELETE");
            if !plain || whole_by_purpose.contains(name) {
                continue;
            }
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nulls = vec![rusqlite::types::Null; plan.parameter_count()];
            let steps: Vec<String> = plan
                .query_map(rusqlite::params_from_iter(nulls), |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert!(!steps.iter().any(|step| step.starts_with("SCAN ")), "{name}: {steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{name}: {steps:?}");
        }
    }
}
