//! The disk under a server's folder: how much room there is, names that survive a power cut, and
//! files that go to another disk.

use std::fs::File;
use std::io;
use std::path::Path;

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Bytes that this account may still write in a folder.
///
/// # Errors
/// What the system says.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether two folders lie on one disk.
///
/// # Errors
/// What the system says.
pub fn same_disk(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(rustix::fs::stat(one)?.st_dev == rustix::fs::stat(other)?.st_dev)
}

/// Makes the name of a new or renamed file survive a power cut.
///
/// # Errors
/// What the system says.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder_of(path))?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Gives a file another name, also on another disk; there it is copied, made durable, and only then
/// taken away here.
///
/// # Errors
/// What the system says; the old file is still there then.
pub fn carry(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let mut copy = super::create_private(to)?;
            let copied = File::open(from).and_then(|mut file| io::copy(&mut file, &mut copy));
            if let Err(error) = copied.and_then(|_| copy.sync_all()) {
                // Half a copy must not be taken for the file.
                let _ = std::fs::remove_file(to);
                return Err(error);
            }
            sync_folder_of(to)?;
            std::fs::remove_file(from)
        }
        other => other.and_then(|()| sync_folder_of(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_carried_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&from, b"leaves").unwrap();
        carry(&from, &to).unwrap();
        assert_eq!((from.exists(), std::fs::read(&to).unwrap()), (false, b"leaves".to_vec()));
        assert!(carry(&from, &to).is_err());
        assert!(same_disk(folder.path(), folder_of(&to)).unwrap());
        assert!(free_bytes(folder.path()).unwrap() > 0);
        assert!(free_bytes(&folder.path().join("missing")).is_err());
    }
}
