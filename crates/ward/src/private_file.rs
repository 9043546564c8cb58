//! Files with decrypted data: readable by their owner alone, and whole or not there at all.

use crate::exit::Failure;
use crate::server_folder::{beside, create_private, private_folder};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Writes a file in place of an earlier one. It is written beside its place, brought to the disk
/// and then renamed: whoever looks sees the old file or the whole new one, and other accounts of
/// the machine see neither.
///
/// # Errors
/// What the system says; the earlier file is then as it was.
pub fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| {
        Failure::input(format!("{} cannot be written", file.display()), error, "choose another file")
    };
    write_whole(file, bytes).map_err(unwritable)
}

fn write_whole(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if file.is_dir() {
        return Err(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder"));
    }
    let part = beside(file, &format!(".{}.part", std::process::id()));
    let written = create_private(&part).and_then(|mut open| {
        open.write_all(bytes)?;
        open.sync_all()
    });
    if let Err(error) = written.and_then(|()| std::fs::rename(&part, file)) {
        // The part is of no use to anybody; the error that is reported is the first one.
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    sync_folder_of(file)
}

/// Writes a new folder of files; it appears under its name once all of them are there.
///
/// # Errors
/// When something of that name exists, or what the system says; nothing is left behind.
pub fn write_folder(dir: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    let part = beside(dir, &format!(".{}.part", std::process::id()));
    let make = || -> std::io::Result<()> {
        if dir.exists() {
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, "it exists already"));
        }
        private_folder(&part)?;
        for (name, bytes) in files {
            let place = part.join(name);
            if let Some(above) = place.parent() {
                private_folder(above)?;
            }
            let mut open = create_private(&place)?;
            open.write_all(bytes)?;
            open.sync_all()?;
        }
        std::fs::rename(&part, dir)?;
        sync_folder_of(dir)
    };
    make().map_err(|error| {
        // As in `write_whole`.
        let _ = std::fs::remove_dir_all(&part);
        Failure::input(format!("{} cannot be written", dir.display()), error, "choose another folder")
    })
}

/// Brings the new name to the disk.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(above)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_decrypted_file_is_private_and_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.ndjson");
        std::fs::write(&file, "old and world-readable").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        write(&file, b"new").unwrap();
        assert_eq!((std::fs::read(&file).unwrap().as_slice(), mode(&file)), (b"new".as_slice(), 0o600));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left");
        assert!(write(folder.path(), b"x").is_err());
        assert!(write(&folder.path().join("missing/data"), b"x").is_err());
    }

    #[test]
    fn a_package_is_private_and_appears_whole() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("package");
        let files = [("index.html".to_owned(), b"page".to_vec()), ("proofs/1.txt".to_owned(), b"p".to_vec())];
        write_folder(&dir, &files).unwrap();
        assert_eq!((mode(&dir), mode(&dir.join("index.html"))), (0o700, 0o600));
        assert_eq!((mode(&dir.join("proofs")), mode(&dir.join("proofs/1.txt"))), (0o700, 0o600));
        assert!(write_folder(&dir, &files).is_err(), "never mixed with what is there");
        let broken = [("a".to_owned(), vec![1]), ("a".to_owned(), vec![2])];
        assert!(write_folder(&folder.path().join("other"), &broken).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half done is left");
    }
}
