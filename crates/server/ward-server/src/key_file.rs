//! Key files: 32 secret bytes as 64 hexadecimal digits, readable by their owner alone.

use crate::limits::KEY_FILE_MAX_BYTES;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A key file that cannot be used. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("the key file {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than its owner may read it.
    #[error("the key file {path} can be read by others than its owner: run `chmod 600 {path}`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// It does not hold a key.
    #[error("the key file {path} does not hold 64 lower-case hexadecimal digits")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Refuses a file that others than its owner may read. Systems without such bits pass.
///
/// # Errors
/// [`KeyFileError::Exposed`] or [`KeyFileError::Io`].
pub fn check_private(path: &Path) -> Result<(), KeyFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let meta =
            std::fs::metadata(path).map_err(|source| KeyFileError::Io { path: path.to_owned(), source })?;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Exposed { path: path.to_owned() });
        }
    }
    Ok(())
}

/// Reads a key file after checking who may read it.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_key_file(path: &Path) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    check_private(path)?;
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let malformed = || KeyFileError::Malformed { path: path.to_owned() };
    let mut text = Zeroizing::new(String::with_capacity(KEY_FILE_MAX_BYTES as usize));
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(KEY_FILE_MAX_BYTES).read_to_string(&mut text).map_err(io)?;
    let bytes = Zeroizing::new(ward_id::hex_decode(text.trim_end()).map_err(|_| malformed())?);
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| malformed())?;
    Ok(Zeroizing::new(key))
}

/// Writes a new key file that its owner alone may read; never overwrites one.
///
/// # Errors
/// [`KeyFileError::Io`].
pub fn write_key_file(path: &Path, key: &[u8; 32]) -> Result<(), KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(io)?;
    let text = Zeroizing::new(ward_id::hex_encode(key));
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_folder_of(path))
        .map_err(io)
}

/// Makes the name of a new file survive a power cut: a key that is gone cannot be made again.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg(unix)]
    std::fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn written_files_are_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        write_key_file(&path, &[5; 32]).unwrap();
        assert_eq!(*read_key_file(&path).unwrap(), [5; 32]);
        assert!(matches!(write_key_file(&path, &[6; 32]), Err(KeyFileError::Io { .. })));
    }

    #[test]
    fn exposed_and_malformed_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        write_key_file(&path, &[5; 32]).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(read_key_file(&path), Err(KeyFileError::Exposed { .. })), "{mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "00", &"0".repeat(65), &"G".repeat(64)] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(read_key_file(&path), Err(KeyFileError::Malformed { .. })), "{text}");
        }
    }
}
