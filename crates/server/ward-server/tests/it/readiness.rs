//! Whether the server says that it can work.

use crate::support::World;
use ward_api::paths;
use ward_server::limits::READY_BELIEF_MS;
use ward_store_sqlite::{SqliteOptions, SqliteStore};

/// A store in trouble is not written to by everybody who asks how it is.
#[tokio::test]
async fn a_failed_write_is_believed_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.db");
    let world = World::on(SqliteStore::open(&path, SqliteOptions::default()).unwrap()).await;
    let ready = async || world.wire.plain("GET", paths::READYZ, None, Vec::new()).await.status;
    assert_eq!(ready().await, 200);
    world.clock.advance_ms(i64::try_from(READY_BELIEF_MS).unwrap());
    {
        // Another program holds the database.
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(ready().await >= 500);
    }
    assert!(ready().await >= 500, "what was found is believed");
    world.clock.advance_ms(i64::try_from(READY_BELIEF_MS).unwrap());
    assert_eq!(ready().await, 200);
}
