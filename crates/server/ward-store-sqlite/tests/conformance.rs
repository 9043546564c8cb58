//! The suite that every store passes.

use tempfile::TempDir;
use ward_store_sqlite::{SqliteOptions, SqliteStore};

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
fn make() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("site.db"), SqliteOptions::default()).unwrap();
    (store, folder)
}

ward_store::store_conformance!(make);
