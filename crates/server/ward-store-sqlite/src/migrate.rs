//! Migrations: numbered files, applied in order, each in a transaction, recorded with a checksum.
//! A file that was applied is never edited; a database of a newer program is refused.

use crate::sql;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

/// A schema that this program does not take. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database was migrated by a newer program.
    #[error("the store has schema {found}, this program knows {known}: run the newer program that wrote it")]
    TooNew {
        /// The newest migration in it.
        found: u32,
        /// The newest one of this program.
        known: u32,
    },
    /// A migration in the database is not the one of this program.
    #[error("migration {number} in the store is not the one of this program: use the program that wrote it")]
    Changed {
        /// Its number.
        number: u32,
    },
    /// A migration could not be applied; the store is as it was before.
    #[error("migration {number} failed: {cause}")]
    Failed {
        /// Its number; 0 for the table of migrations itself.
        number: u32,
        /// Why.
        cause: rusqlite::Error,
    },
}

struct Migration {
    number: u32,
    name: &'static str,
    text: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "site", text: include_str!("../migrations/0001_site.sql") },
    Migration { number: 2, name: "reopening", text: include_str!("../migrations/0002_reopening.sql") },
    Migration { number: 3, name: "drop", text: include_str!("../migrations/0003_drop.sql") },
    Migration { number: 4, name: "blobs", text: include_str!("../migrations/0004_blobs.sql") },
    Migration { number: 5, name: "blob_numbers", text: include_str!("../migrations/0005_blob_numbers.sql") },
    Migration {
        number: 6,
        name: "operation_counts",
        text: include_str!("../migrations/0006_operation_counts.sql"),
    },
    Migration {
        number: 7,
        name: "staff_suspension",
        text: include_str!("../migrations/0007_staff_suspension.sql"),
    },
];

/// Brings a database to this program's schema; says how many migrations were applied.
pub(crate) fn migrate(conn: &Connection) -> Result<usize, MigrateError> {
    apply(conn, MIGRATIONS)
}

fn apply(conn: &Connection, migrations: &[Migration]) -> Result<usize, MigrateError> {
    let failed = |number| move |cause| MigrateError::Failed { number, cause };
    conn.execute_batch(sql::MIGRATION_TABLE).map_err(failed(0))?;
    let done = recorded(conn).map_err(failed(0))?;
    let known = migrations.last().map_or(0, |m| m.number);
    for (number, name, checksum) in &done {
        match migrations.iter().find(|m| m.number == *number) {
            None => return Err(MigrateError::TooNew { found: *number, known }),
            Some(m) if m.name != name || *checksum != sum(m) => {
                return Err(MigrateError::Changed { number: *number });
            }
            Some(_) => {}
        }
    }
    let mut applied = 0;
    for migration in migrations.iter().skip(done.len()) {
        one(conn, migration).map_err(failed(migration.number))?;
        applied += 1;
    }
    Ok(applied)
}

fn recorded(conn: &Connection) -> rusqlite::Result<Vec<(u32, String, [u8; 32])>> {
    let mut statement = conn.prepare(sql::MIGRATIONS_DONE)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn one(conn: &Connection, migration: &Migration) -> rusqlite::Result<()> {
    // Dropped without a commit, the transaction rolls back: no half migration stays.
    let transaction = conn.unchecked_transaction()?;
    transaction.execute_batch(migration.text)?;
    transaction.execute(sql::MIGRATION_INSERT, params![migration.number, migration.name, sum(migration)])?;
    transaction.commit()
}

fn sum(migration: &Migration) -> [u8; 32] {
    Sha256::digest(migration.text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    const A: Migration = Migration { number: 1, name: "a", text: "CREATE TABLE a (x INTEGER) STRICT;" };
    const B: Migration = Migration { number: 2, name: "b", text: "ALTER TABLE a ADD COLUMN y INTEGER;" };

    #[test]
    fn migrations_apply_once_and_in_order() {
        let conn = memory();
        assert_eq!(apply(&conn, &[A]).unwrap(), 1);
        assert_eq!(apply(&conn, &[A, B]).unwrap(), 1);
        assert_eq!(apply(&conn, &[A, B]).unwrap(), 0);
        conn.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).unwrap();
    }

    #[test]
    fn a_newer_database_is_refused() {
        let conn = memory();
        apply(&conn, &[A, B]).unwrap();
        assert!(matches!(apply(&conn, &[A]), Err(MigrateError::TooNew { found: 2, known: 1 })));
    }

    #[test]
    fn an_edited_migration_is_refused() {
        let conn = memory();
        apply(&conn, &[A]).unwrap();
        let edited = Migration { text: "CREATE TABLE a (x TEXT) STRICT;", ..A };
        assert!(matches!(apply(&conn, &[edited]), Err(MigrateError::Changed { number: 1 })));
        let renamed = Migration { name: "z", ..A };
        assert!(matches!(apply(&conn, &[renamed]), Err(MigrateError::Changed { number: 1 })));
    }

    #[test]
    fn a_failing_migration_leaves_nothing() {
        let conn = memory();
        let broken = Migration { number: 2, name: "b", text: "CREATE TABLE b (x INTEGER); SELECT nonsense;" };
        assert!(matches!(apply(&conn, &[A, broken]), Err(MigrateError::Failed { number: 2, .. })));
        assert!(conn.prepare("SELECT * FROM b").is_err());
        assert_eq!(apply(&conn, &[A, B]).unwrap(), 1);
    }

    /// The files as released: an edit changes a checksum here.
    #[test]
    fn the_files_are_the_reviewed_ones() {
        let listed: String = MIGRATIONS
            .iter()
            .map(|m| format!("{:04}_{} {}\n", m.number, m.name, ward_id::hex_encode(&sum(m))))
            .collect();
        let golden = include_str!("../tests/golden/migrations.txt");
        assert_eq!(listed, golden, "a released migration is never edited; write a new one");
        assert!(MIGRATIONS.iter().zip(1..).all(|(m, number)| m.number == number));
    }
}
