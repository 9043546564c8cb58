//! The folder of one witness: its key, its name, the logs it follows, and the heads it cosigned.

use super::folder_lock::FolderLock;
use crate::exit::Failure;
use crate::limits::{WITNESS_LOGS_FILE_MAX_BYTES, WITNESS_LOGS_MAX};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use ward_audit::{SignatureKind, SignerName, VerifierKey, WitnessState};
use ward_crypto::{SignKey, WitnessEntry, random_bytes};
use ward_server::{WitnessFile, WitnessMemory as _, WitnessService, read_key_file, write_key_file};
use zeroize::Zeroizing;

const KEY: &str = "witness.key";
const NAME: &str = "name.txt";
const LOGS: &str = "logs.txt";
const HEADS: &str = "heads";

/// A witness at rest.
pub struct WitnessFolder {
    dir: PathBuf,
    name: SignerName,
    key: SignKey,
}

fn unusable(dir: &Path, why: impl std::fmt::Display) -> Failure {
    let next = "check the folder's name and permissions; its key and heads must never be made anew";
    Failure::input(format!("The witness folder {} cannot be used", dir.display()), why, next)
}

impl WitnessFolder {
    /// Whether there is a witness in the folder.
    pub fn exists(dir: &Path) -> bool {
        dir.join(KEY).exists()
    }

    /// Makes a witness with a new key.
    ///
    /// # Errors
    /// A name that cannot stand in a note, and folders that cannot be written or hold one already.
    pub fn make(dir: &Path, name: &str) -> Result<Self, Failure> {
        let name: SignerName = name.parse().map_err(|_| {
            let next = "use letters, digits, dots and dashes, such as witness.example.org";
            Failure::input(
                "The witness's name cannot be used",
                format!("`{name}` cannot stand in a signed note"),
                next,
            )
        })?;
        let failed = |error: std::io::Error| unusable(dir, error);
        super::private_folder(dir).map_err(failed)?;
        let secret = Zeroizing::new(random_bytes::<32>(&mut super::system_rng()));
        let mut file = std::fs::File::create_new(dir.join(NAME)).map_err(failed)?;
        file.write_all(format!("{name}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        write_key_file(&dir.join(KEY), &secret).map_err(|error| unusable(dir, error))?;
        let made = Self { dir: dir.to_owned(), name, key: SignKey::from_secret_bytes(&secret) };
        // The only place that does: without it, a folder put back from key and name alone would
        // cosign any history.
        made.memory().begin().map_err(|error| unusable(dir, error))?;
        Ok(made)
    }

    /// Opens a witness that was made before.
    ///
    /// # Errors
    /// A folder without a witness, and a key that others can read.
    pub fn open(dir: &Path) -> Result<Self, Failure> {
        let secret = read_key_file(&dir.join(KEY)).map_err(|error| unusable(dir, error))?;
        let text = std::fs::read_to_string(dir.join(NAME)).map_err(|error| unusable(dir, error))?;
        let name = text.trim_end().parse().map_err(|_| unusable(dir, "its name is damaged"))?;
        Ok(Self { dir: dir.to_owned(), name, key: SignKey::from_secret_bytes(&secret) })
    }

    /// Its name.
    pub const fn name(&self) -> &SignerName {
        &self.name
    }

    /// The line by which a site names this witness.
    ///
    /// # Errors
    /// None in practice: a key that was made here is never weak.
    pub fn key_line(&self) -> Result<String, Failure> {
        VerifierKey::new(self.name.clone(), SignatureKind::Cosignature, self.key.public().as_bytes())
            .map(|key| key.to_string())
            .map_err(|error| Failure::fault("The witness's key cannot be used", error))
    }

    /// The witness as a manifest names it. `outside`: somebody other than the operator runs it.
    pub fn entry(&self, outside: bool) -> WitnessEntry {
        WitnessEntry { name: self.name.as_str().to_owned(), key: *self.key.public(), outside }
    }

    /// The logs written down in `logs.txt`: one key line each; empty lines and `#` lines are skipped.
    ///
    /// # Errors
    /// A line that is not the key of a log.
    pub fn logs(&self) -> Result<Vec<VerifierKey>, Failure> {
        let file = match std::fs::File::open(self.dir.join(LOGS)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|error| unusable(&self.dir, error))?,
        };
        let mut text = String::new();
        file.take(WITNESS_LOGS_FILE_MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(|error| unusable(&self.dir, error))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<VerifierKey> = lines.map(parse_log_key).collect::<Result<_, _>>()?;
        if keys.len() > WITNESS_LOGS_MAX {
            return Err(unusable(&self.dir, format!("{LOGS} names more than {WITNESS_LOGS_MAX} logs")));
        }
        Ok(keys)
    }

    /// Writes down logs to follow, those that are not there yet.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn follow(&self, logs: &[VerifierKey]) -> Result<(), Failure> {
        let known = self.logs()?;
        let new: String =
            logs.iter().filter(|key| !known.contains(key)).map(|key| format!("{key}\n")).collect();
        if new.is_empty() {
            return Ok(());
        }
        let append = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(self.dir.join(LOGS))?;
            file.write_all(new.as_bytes())?;
            file.sync_all()
        };
        append().map_err(|error| unusable(&self.dir, error))
    }

    /// The newest heads that this witness cosigned.
    ///
    /// # Errors
    /// A memory that is damaged or missing.
    pub fn heads(&self) -> Result<WitnessState, Failure> {
        self.memory().load().map_err(|error| unusable(&self.dir, error))
    }

    /// Wakes the witness. The lock keeps a second process from signing with the same memory.
    ///
    /// # Errors
    /// When it runs already, or its memory is damaged.
    pub fn into_service(self) -> Result<(Arc<WitnessService>, FolderLock), Failure> {
        let lock = FolderLock::take(&self.dir, "This witness")?;
        let logs = self.logs()?;
        let memory = Box::new(self.memory());
        let service = WitnessService::new(self.name.as_str(), self.key, logs, memory)
            .map_err(|error| unusable(&self.dir, error))?;
        Ok((service, lock))
    }

    fn memory(&self) -> WitnessFile {
        WitnessFile::new(self.dir.join(HEADS))
    }
}

/// Reads the key line of a log: `origin+hash+key`.
///
/// # Errors
/// Another line.
pub fn parse_log_key(line: &str) -> Result<VerifierKey, Failure> {
    let wrong = |why: String| {
        let next = "copy the line `origin+hash+key` as `ward init` printed it, in quotation marks";
        Failure::input(format!("`{line}` is not the key of a log"), why, next)
    };
    let key: VerifierKey = line.parse().map_err(|error: ward_audit::KeyError| wrong(error.to_string()))?;
    if key.kind() == SignatureKind::Log {
        Ok(key)
    } else {
        Err(wrong("it is the key of a witness".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_line(origin: &str) -> VerifierKey {
        let key = SignKey::from_secret_bytes(&[3; 32]);
        VerifierKey::new(origin.parse().unwrap(), SignatureKind::Log, key.public().as_bytes()).unwrap()
    }

    #[test]
    fn a_witness_keeps_its_key_name_and_logs() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("w");
        assert!(!WitnessFolder::exists(&dir));
        let made = WitnessFolder::make(&dir, "witness.example").unwrap();
        let line = made.key_line().unwrap();
        made.follow(&[log_line("a/mlog"), log_line("a/olog")]).unwrap();
        made.follow(&[log_line("a/olog")]).unwrap();
        let opened = WitnessFolder::open(&dir).unwrap();
        assert_eq!(opened.key_line().unwrap(), line);
        assert_eq!(opened.logs().unwrap(), [log_line("a/mlog"), log_line("a/olog")]);
        assert!(WitnessFolder::make(&dir, "other").is_err(), "never made anew");
        assert_eq!(opened.heads().unwrap(), WitnessState::default());
        let (_service, _lock) = opened.into_service().unwrap();
        assert!(WitnessFolder::open(&dir).unwrap().into_service().is_err(), "one process at a time");
    }

    /// A folder put back from key and name only has forgotten what it cosigned.
    #[test]
    fn a_witness_without_its_heads_signs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("w");
        WitnessFolder::make(&dir, "witness.example").unwrap();
        std::fs::remove_file(dir.join(HEADS)).unwrap();
        let opened = WitnessFolder::open(&dir).unwrap();
        let refused = opened.heads().unwrap_err();
        assert!(refused.to_string().contains("new site manifest"), "{refused}");
        assert!(opened.into_service().is_err());
    }

    #[test]
    fn names_and_lines_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        assert!(WitnessFolder::make(&folder.path().join("w"), "two words").is_err());
        let witness = WitnessFolder::make(&folder.path().join("v"), "v").unwrap();
        assert!(parse_log_key(&witness.key_line().unwrap()).is_err(), "a witness is no log");
        assert!(parse_log_key("a/mlog").is_err());
        std::fs::write(folder.path().join("v/logs.txt"), "# site\n\nnonsense\n").unwrap();
        assert!(witness.logs().is_err());
    }
}
