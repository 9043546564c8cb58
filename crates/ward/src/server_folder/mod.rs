//! The folder of a server: how it is made, configured, opened, compared with its witnesses, and
//! carried to another disk.

pub mod archive;
pub mod disk;
pub mod folder_lock;
pub mod make_site;
pub mod settings;
pub mod site_state;
pub mod start;
pub mod system_clock;
pub mod tls_files;
pub mod verify;
pub mod witness_clock;
pub mod witness_folder;
pub mod witness_heads;

use crate::exit::Failure;
use settings::{Loaded, load};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use ward_crypto::SignKey;
use ward_server::read_key_file;
use ward_store_sqlite::{SqliteOptions, SqliteStore};
use zeroize::Zeroizing;

/// The system's random generator.
pub fn system_rng() -> rand_core::UnwrapErr<getrandom::SysRng> {
    rand_core::UnwrapErr(getrandom::SysRng)
}

/// Makes a new file that its owner alone may read; never overwrites one.
///
/// # Errors
/// What the system says.
pub fn create_private(path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes a folder, and those above it, that its owner alone may enter. One that is there stays.
///
/// # Errors
/// What the system says.
pub fn private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// A file's path with something added to its name: `ward.db` and `-wal`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The configuration in `file` with this process's environment over it.
///
/// # Errors
/// As [`load`].
pub fn open(file: &Path) -> Result<Loaded, Failure> {
    // A variable that is not Unicode is no name of the configuration; as a value it is refused.
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    load(file, std::env::vars_os().filter_map(text))
}

impl Loaded {
    /// Opens the database.
    ///
    /// # Errors
    /// A database that is not there or cannot be opened; none is made.
    pub fn store(&self) -> Result<SqliteStore, Failure> {
        let max_bytes = self.settings.files.database_max_bytes;
        open_store_with(
            &self.settings.files.database,
            SqliteOptions { max_bytes, ..SqliteOptions::default() },
        )
    }

    /// The key of both logs.
    ///
    /// # Errors
    /// A file that cannot be read or that others can read.
    pub fn log_key(&self) -> Result<SignKey, Failure> {
        let bytes = secret(&self.settings.files.log_key)?;
        Ok(SignKey::from_secret_bytes(&bytes))
    }

    /// The server's own secret.
    ///
    /// # Errors
    /// A file that cannot be read or that others can read.
    pub fn server_seed(&self) -> Result<Zeroizing<[u8; 32]>, Failure> {
        secret(&self.settings.files.server_key)
    }
}

/// Opens a database that must be there.
///
/// # Errors
/// A missing or unusable file.
pub fn open_store(path: &Path) -> Result<SqliteStore, Failure> {
    open_store_with(path, SqliteOptions::default())
}

fn open_store_with(path: &Path, options: SqliteOptions) -> Result<SqliteStore, Failure> {
    let what = format!("The database {} cannot be opened", path.display());
    if !path.exists() {
        let next = "begin a site with `ward init`, or bring a backup back with `ward restore`";
        return Err(Failure::input(what, "it is not there", next));
    }
    SqliteStore::open(path, options).map_err(|error| {
        Failure::input(what, error, "run `ward doctor`; if the file is damaged, restore a backup")
    })
}

fn secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, Failure> {
    read_key_file(path).map_err(|error| {
        Failure::input(
            "A key of the server cannot be used",
            error,
            "put the file back that `ward init` wrote, mode 0600",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::settings::Settings;
    use super::*;
    use ward_store::{MetaKey, MetaStore as _, StoreError};

    /// A database that the configuration keeps small takes no more than it may.
    #[tokio::test]
    async fn the_database_has_the_limit_of_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("ward.db");
        SqliteStore::open(&database, SqliteOptions::default()).unwrap().close().await;
        let mut loaded =
            Loaded { settings: Settings::default(), values: Vec::new(), dir: folder.path().to_owned() };
        loaded.settings.files.database = database;
        for (limit, fits) in [(Some(512 * 1024), false), (None, true)] {
            loaded.settings.files.database_max_bytes = limit;
            let store = loaded.store().unwrap();
            let kept = store.put_meta(MetaKey::new("test.large"), vec![1; 1024 * 1024]).await;
            assert_eq!(kept, if fits { Ok(()) } else { Err(StoreError::StorageFull) });
            store.close().await;
        }
    }
}
