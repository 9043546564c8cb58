//! A certificate that is renewed while the webhook runs: the kubelet exchanges the files below it.

use super::pem_files::{PemFault, PemFiles};
use crate::limits::WEBHOOK_LOOK_EVERY_S;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::time::Duration;
use ward_server::ServedIdentity;

/// What was found when the files were looked at last.
#[derive(PartialEq, Eq)]
enum Seen {
    /// Files with this digest.
    Files([u8; 32]),
    /// Files that were not read, and why.
    Fault(String),
}

/// What a look at the files led to.
#[derive(Debug)]
pub enum Look {
    /// They are as they were.
    Same,
    /// Others are served from now on.
    Renewed,
    /// They are new and can't be used: what was served is served on.
    Kept(PemFault),
}

/// The files of a certificate and its key, watched for new ones.
pub struct Renewal {
    cert: PathBuf,
    key: PathBuf,
    seen: Seen,
}

impl Renewal {
    /// Watches these files, of which this is served.
    pub fn of(cert: PathBuf, key: PathBuf, served: &PemFiles) -> Self {
        Self { cert, key, seen: Seen::Files(digest(served)) }
    }

    /// Looks at the files once. What can't be used is told once, and looked at again when it changes.
    pub fn look(&mut self, served: &ServedIdentity) -> Look {
        let read = PemFiles::read(&self.cert, &self.key);
        let now = match &read {
            Ok(files) => Seen::Files(digest(files)),
            Err(fault) => Seen::Fault(fault.to_string()),
        };
        if now == self.seen {
            return Look::Same;
        }
        self.seen = now;
        let exchanged = read.and_then(|files| Ok(served.exchange(files.identity()?)?));
        exchanged.map_or_else(Look::Kept, |()| Look::Renewed)
    }

    /// Looks at the files again and again, and logs what came of it.
    pub async fn watch(mut self, served: ServedIdentity) {
        let mut every = tokio::time::interval(Duration::from_secs(WEBHOOK_LOOK_EVERY_S));
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            match self.look(&served) {
                Look::Same => {}
                Look::Renewed => tracing::info!("the certificate was renewed"),
                Look::Kept(error) => {
                    tracing::warn!(error = %error, "the new certificate or key cannot be used; the old one is served on");
                }
            }
        }
    }
}

fn digest(files: &PemFiles) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for bytes in files.bytes() {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().into()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    fn made() -> (String, String) {
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate =
            rcgen::CertificateParams::new(vec!["w".to_owned()]).unwrap().self_signed(&pair).unwrap();
        (certificate.pem(), pair.serialize_pem())
    }

    /// Brings files as the kubelet does: a folder of their own, and one link that is exchanged at once.
    fn bring(folder: &Path, version: &str, (cert, key): (&str, &str)) {
        let of_version = folder.join(format!("..{version}"));
        std::fs::create_dir(&of_version).unwrap();
        std::fs::write(of_version.join("tls.crt"), cert).unwrap();
        std::fs::write(of_version.join("tls.key"), key).unwrap();
        std::fs::set_permissions(of_version.join("tls.key"), std::fs::Permissions::from_mode(0o400)).unwrap();
        symlink(of_version.file_name().unwrap(), folder.join("..data_tmp")).unwrap();
        std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    }

    #[test]
    fn a_new_pair_is_served_and_what_does_not_fit_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second, third) = (made(), made(), made());
        bring(folder.path(), "1", (&first.0, &first.1));
        for name in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{name}"), folder.path().join(name)).unwrap();
        }
        let (cert, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        let files = PemFiles::read(&cert, &key).unwrap();
        let served = ServedIdentity::new(files.identity().unwrap()).unwrap();
        let mut renewal = Renewal::of(cert, key, &files);
        assert!(matches!(renewal.look(&served), Look::Same));
        bring(folder.path(), "2", (&second.0, &second.1));
        assert!(matches!(renewal.look(&served), Look::Renewed));
        assert!(matches!(renewal.look(&served), Look::Same));
        // Half of a pair, no certificate, and no file.
        for (version, pair) in
            [("3", (&*third.0, &*second.1)), ("4", ("nothing", &*third.1)), ("5", (&*third.0, ""))]
        {
            bring(folder.path(), version, pair);
            assert!(matches!(renewal.look(&served), Look::Kept(PemFault::Tls(_))), "{version}");
            assert!(matches!(renewal.look(&served), Look::Same), "it is told once");
        }
        std::fs::remove_file(folder.path().join("..data")).unwrap();
        assert!(matches!(renewal.look(&served), Look::Kept(PemFault::Unread { .. })));
        bring(folder.path(), "6", (&third.0, &third.1));
        assert!(matches!(renewal.look(&served), Look::Renewed));
    }
}
