//! Certificate and key of the webhook, as a cluster hands them to a pod.
//!
//! Kubernetes gives the files of a secret to root, and lets the group of the pod read them (`fsGroup`). Such a
//! key is as private as one that its owner alone may open: root hands it out, and the group is the pod's own.

use crate::limits::WEBHOOK_PEM_MAX_BYTES;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use ward_server::{PemText, TlsError, TlsIdentity};
use zeroize::Zeroizing;

/// The user that hands out the files of a secret.
#[cfg(unix)]
const ROOT: u32 = 0;

/// Why certificate and key are not used. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum PemFault {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is none: a pipe or a device would be waited for.
    #[error("{path} is no file")]
    NoFile {
        /// What was named.
        path: PathBuf,
    },
    /// It is larger than any certificate or key.
    #[error("{path} has more than {WEBHOOK_PEM_MAX_BYTES} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else may read or change the key.
    #[error(
        "the key file {path} is not private (mode {mode:03o}, user {owner}, group {group}): nobody but its owner may \
         open it, or root owns it and the first group of this process reads it (in a pod: fsGroup the same as runAsGroup, \
         and defaultMode 0440)"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its rights.
        mode: u32,
        /// Its owner.
        owner: u32,
        /// Its group.
        group: u32,
    },
    /// They hold no certificate and key that can be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What both files hold. The key is wiped when it goes.
pub struct PemFiles {
    cert: (PathBuf, Vec<u8>),
    key: (PathBuf, Zeroizing<Vec<u8>>),
}

impl PemFiles {
    /// Reads both. Whether the key is private is asked of the file that is open, not of its name.
    ///
    /// # Errors
    /// [`PemFault`], but for what the files hold.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, PemFault> {
        let (cert_file, key_file) = (open(cert)?, open(key)?);
        check_private(key, &key_file)?;
        Ok(Self {
            cert: (cert.to_owned(), read(cert, cert_file)?.to_vec()),
            key: (key.to_owned(), read(key, key_file)?),
        })
    }

    /// The identity that they hold.
    ///
    /// # Errors
    /// [`PemFault::Tls`].
    pub fn identity(&self) -> Result<TlsIdentity, PemFault> {
        let (cert, key) = (&self.cert, &self.key);
        let cert = PemText { path: &cert.0, bytes: &cert.1 };
        Ok(TlsIdentity::from_pem(cert, PemText { path: &key.0, bytes: &key.1 })?)
    }

    /// The bytes of the certificate and of the key.
    pub fn bytes(&self) -> [&[u8]; 2] {
        [&self.cert.1, &self.key.1]
    }
}

/// Opens a file, and nothing but a file. A pipe that nobody writes to is opened without waiting, and then refused.
fn open(path: &Path) -> Result<File, PemFault> {
    let unread = |source| PemFault::Unread { path: path.to_owned(), source };
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    }
    let file = options.open(path).map_err(unread)?;
    if file.metadata().map_err(unread)?.is_file() {
        return Ok(file);
    }
    Err(PemFault::NoFile { path: path.to_owned() })
}

fn read(path: &Path, file: File) -> Result<Zeroizing<Vec<u8>>, PemFault> {
    // Room for all of it at once: growing would leave copies of a key behind.
    let size = file.metadata().map_or(0, |meta| meta.len()).min(WEBHOOK_PEM_MAX_BYTES);
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1));
    let read = file.take(WEBHOOK_PEM_MAX_BYTES + 1).read_to_end(&mut bytes);
    match read {
        Ok(len) if len as u64 > WEBHOOK_PEM_MAX_BYTES => Err(PemFault::TooLarge { path: path.to_owned() }),
        Ok(_) => Ok(bytes),
        Err(source) => Err(PemFault::Unread { path: path.to_owned(), source }),
    }
}

#[cfg(unix)]
fn check_private(path: &Path, file: &File) -> Result<(), PemFault> {
    use std::os::unix::fs::MetadataExt as _;
    let unread = |source| PemFault::Unread { path: path.to_owned(), source };
    let meta = file.metadata().map_err(unread)?;
    // Only the first group: others of the process may be shared with other programs of the machine.
    let is_own = rustix::process::getegid().as_raw() == meta.gid();
    let (mode, owner, group) = (meta.mode() & 0o777, meta.uid(), meta.gid());
    if is_private(mode, owner, is_own) {
        return Ok(());
    }
    Err(PemFault::Exposed { path: path.to_owned(), mode, owner, group })
}

/// Systems without such bits have no group that could be meant.
#[cfg(not(unix))]
fn check_private(_: &Path, _: &File) -> Result<(), PemFault> {
    Ok(())
}

/// Whether nobody reads a file but its owner, or root gave it to the first group of this process to read.
#[cfg(unix)]
const fn is_private(mode: u32, owner: u32, is_own_group: bool) -> bool {
    match (mode & 0o007, mode & 0o070) {
        (0, 0) => true,
        (0, 0o040) => owner == ROOT && is_own_group,
        _ => false,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    #[test]
    fn fails_closed_who_may_open_a_private_key() {
        const POD: u32 = 10_001;
        for mode in 0..=0o777 {
            let owner_alone = mode & 0o077 == 0;
            let handed_out = mode & 0o077 == 0o040;
            assert_eq!(is_private(mode, ROOT, true), owner_alone || handed_out, "{mode:03o}");
            for (owner, is_own_group) in [(ROOT, false), (POD, true), (POD, false)] {
                assert_eq!(is_private(mode, owner, is_own_group), owner_alone, "{mode:03o} {owner}");
            }
        }
    }

    /// Real files, by the names that the kubelet gives: `tls.key` leads to `..data/tls.key`.
    #[test]
    fn the_file_behind_a_link_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("..2026_11_30")).unwrap();
        std::fs::write(at("..2026_11_30/tls.key"), "key").unwrap();
        std::os::unix::fs::symlink("..2026_11_30", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/tls.key", at("tls.key")).unwrap();
        let is_root = std::fs::metadata(at("tls.key")).unwrap().uid() == ROOT;
        for (mode, is_taken) in [
            (0o400, true),
            (0o600, true),
            (0o440, is_root),
            (0o640, is_root),
            (0o460, false),
            (0o450, false),
            (0o404, false),
            (0o444, false),
        ] {
            std::fs::set_permissions(at("..2026_11_30/tls.key"), std::fs::Permissions::from_mode(mode))
                .unwrap();
            let read = PemFiles::read(&at("tls.key"), &at("tls.key"));
            assert_eq!(read.is_ok(), is_taken, "{mode:03o}");
            if let Err(error) = read {
                assert!(
                    matches!(error, PemFault::Exposed { .. }) && error.to_string().contains("0440"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn fails_closed_what_is_no_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("tls.key"), "key").unwrap();
        std::fs::set_permissions(at("tls.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
        let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(at("pipe")).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink("pipe", at("link")).unwrap();
        for other in [at("pipe"), at("link"), "/dev/zero".into(), folder.path().to_owned()] {
            for (cert, key) in [(&other, &at("tls.key")), (&at("tls.key"), &other)] {
                let fault = PemFiles::read(cert, key).err().unwrap();
                assert!(matches!(&fault, PemFault::NoFile { path } if *path == other), "{fault}");
            }
        }
    }

    #[test]
    fn a_key_that_is_not_well_formed_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        let pair = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let inner = pair.lines().nth(1).unwrap().to_owned();
        for text in
            [pair.replace('\n', ""), pair.replace(" KEY", "_KEY"), pair.replace("-----END", inner.as_str())]
        {
            std::fs::write(&path, &text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let fault = PemFiles::read(&path, &path).unwrap().identity().err().unwrap().to_string();
            let as_bytes = format!("{:?}", &inner.as_bytes()[..8]);
            assert!(
                !fault.contains(&inner[..8]) && !fault.contains(as_bytes.trim_matches(['[', ']'])),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_file_at_the_limit_and_one_past() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        for (bytes, is_read) in [(WEBHOOK_PEM_MAX_BYTES, true), (WEBHOOK_PEM_MAX_BYTES + 1, false)] {
            std::fs::write(&path, vec![b'-'; usize::try_from(bytes).unwrap()]).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            assert_eq!(PemFiles::read(&path, &path).is_ok(), is_read);
        }
        let missing = PemFiles::read(&folder.path().join("none"), &path);
        assert!(matches!(missing, Err(PemFault::Unread { .. })));
        let empty = PemFiles::read(&path, &path);
        assert!(matches!(empty, Err(PemFault::TooLarge { .. })));
    }
}
