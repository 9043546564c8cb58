//! A witness: remembers the newest head of each log it follows and cosigns only what extends it
//! (C2SP tlog-witness). The new head is on the disk before the signature leaves.

use crate::log_signer::NamedSigner;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use ward_audit::{
    AddCheckpoint, AddCheckpointError, NoteError, NoteSignature, SignedNote, SignerName, TimeStatement,
    VerifierKey, WitnessLogs, WitnessRefusal, WitnessState, WitnessTime, sign_time,
};
use ward_crypto::SignKey;
use ward_id::{Canonical as _, TimestampMs};

/// Where a witness keeps its heads.
pub trait WitnessMemory: Send + Sync + 'static {
    /// What was kept last.
    ///
    /// # Errors
    /// [`WitnessMemoryError`]; a memory that is not there is one too.
    fn load(&self) -> Result<WitnessState, WitnessMemoryError>;

    /// Keeps `state`; when this returns, it survives a power cut.
    ///
    /// # Errors
    /// [`WitnessMemoryError`]; nothing may be signed then.
    fn save(&self, state: &WitnessState) -> Result<(), WitnessMemoryError>;
}

/// The memory of a witness cannot be read or written. Its operator must act.
#[derive(Debug, thiserror::Error)]
pub enum WitnessMemoryError {
    /// The file cannot be read or written.
    #[error("the witness's file {path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no file. A witness that began with nothing would cosign any history, also one that
    /// was set back; only making a witness writes the first file.
    #[error(
        "the witness's file {path} is missing: put it back from the newest copy; if there is none, \
         retire this witness and name another one in a new site manifest"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is not the state of a witness. A witness that forgot its heads must not sign.
    #[error("the witness's file {path} is damaged: restore it from a copy; never delete it")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// One file, replaced as a whole.
pub struct WitnessFile {
    path: PathBuf,
}

impl WitnessFile {
    /// Keeps the heads in `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Begins the memory of a new witness.
    ///
    /// # Errors
    /// [`WitnessMemoryError::Io`], also when there is a file already.
    pub fn begin(&self) -> Result<(), WitnessMemoryError> {
        let begun = std::fs::File::create_new(&self.path).map(drop);
        begun.map_err(|error| self.io(error))?;
        self.save(&WitnessState::default())
    }

    fn io(&self, source: std::io::Error) -> WitnessMemoryError {
        WitnessMemoryError::Io { path: self.path.clone(), source }
    }

    fn replace(&self, bytes: &[u8]) -> std::io::Result<()> {
        let fresh = self.path.with_extension("new");
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        // The rename itself must survive a power cut.
        let folder = self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()
    }
}

impl WitnessMemory for WitnessFile {
    fn load(&self) -> Result<WitnessState, WitnessMemoryError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => WitnessState::from_canonical(&bytes)
                .map_err(|_| WitnessMemoryError::Damaged { path: self.path.clone() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(WitnessMemoryError::Missing { path: self.path.clone() })
            }
            Err(error) => Err(self.io(error)),
        }
    }

    fn save(&self, state: &WitnessState) -> Result<(), WitnessMemoryError> {
        self.replace(&state.to_canonical()).map_err(|error| self.io(error))
    }
}

/// For tests and for a demonstration that lives as long as its process.
#[derive(Default)]
pub struct VolatileMemory;

impl WitnessMemory for VolatileMemory {
    fn load(&self) -> Result<WitnessState, WitnessMemoryError> {
        Ok(WitnessState::default())
    }

    fn save(&self, _: &WitnessState) -> Result<(), WitnessMemoryError> {
        Ok(())
    }
}

/// Why a witness did not sign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessServiceError {
    /// The request is not one of the witness protocol; the caller must act.
    #[error(transparent)]
    Request(#[from] AddCheckpointError),
    /// The checkpoint is not one to cosign; the log's operator must act.
    #[error(transparent)]
    Refused(#[from] WitnessRefusal),
    /// The head could not be kept, so nothing was signed.
    #[error(transparent)]
    Memory(#[from] WitnessMemoryError),
    /// The witness's own name cannot stand in a note; its operator must act.
    #[error(transparent)]
    Name(#[from] NoteError),
}

/// One witness.
pub struct WitnessService {
    name: String,
    key: SignKey,
    logs: WitnessLogs,
    memory: Box<dyn WitnessMemory>,
    state: Mutex<WitnessState>,
}

impl WitnessService {
    /// A witness that follows the logs with these keys.
    ///
    /// # Errors
    /// [`WitnessMemoryError`] when its heads cannot be read.
    pub fn new(
        name: impl Into<String>,
        key: SignKey,
        logs: impl IntoIterator<Item = VerifierKey>,
        memory: Box<dyn WitnessMemory>,
    ) -> Result<Arc<Self>, WitnessMemoryError> {
        let state = Mutex::new(memory.load()?);
        let logs = logs.into_iter().filter(|key| key.kind() == ward_audit::SignatureKind::Log);
        // Only keys of the one kind that `WitnessLogs` takes are left.
        let logs = WitnessLogs::new(logs).unwrap_or_default();
        Ok(Arc::new(Self { name: name.into(), key, logs, memory, state }))
    }

    /// Its name in the manifest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cosigns a checkpoint that extends the newest one known. Blocks for one write to the disk.
    ///
    /// # Errors
    /// [`WitnessServiceError`].
    pub fn add_checkpoint(
        &self,
        request: &str,
        now: TimestampMs,
    ) -> Result<NoteSignature, WitnessServiceError> {
        let request: AddCheckpoint = request.parse()?;
        let time_s = u64::try_from(now.unix_s()).map_err(|_| WitnessRefusal::Time)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = state.prepare(&self.logs, &request, time_s)?;
        let mut next = state.clone();
        next.apply(&pending)?;
        if next != *state {
            self.memory.save(&next)?;
            *state = next;
        }
        Ok(pending.persisted(&NamedSigner::new(&self.name, &self.key))?)
    }

    /// The newest checkpoint that it cosigned for a log, with the log's signature and its own; `None` if
    /// there is none. A log that was set back asks for it.
    ///
    /// # Errors
    /// [`WitnessServiceError::Name`].
    pub fn cosigned(&self, origin: &SignerName) -> Result<Option<SignedNote>, WitnessServiceError> {
        // What is in memory was brought to the disk before.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.cosigned(origin, &NamedSigner::new(&self.name, &self.key))?)
    }

    /// Signs a nonce with the witness's time.
    ///
    /// # Errors
    /// [`WitnessServiceError`].
    pub fn sign_time(&self, nonce: [u8; 32], now: TimestampMs) -> Result<WitnessTime, WitnessServiceError> {
        let time_s = u64::try_from(now.unix_s()).map_err(|_| WitnessRefusal::Time)?;
        Ok(sign_time(&TimeStatement { nonce, time_s }, &NamedSigner::new(&self.name, &self.key))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_audit::{
        Checkpoint, MemoryTree, SignatureKind, TreeHead, consistency_proof, leaf_hash, sign_checkpoint,
    };

    const ORIGIN: &str = "ward.example/00/olog";

    fn log_key() -> SignKey {
        SignKey::from_secret_bytes(&[1; 32])
    }

    fn witness(path: &Path) -> Arc<WitnessService> {
        let log =
            VerifierKey::new(ORIGIN.parse().unwrap(), SignatureKind::Log, log_key().public().as_bytes())
                .unwrap();
        let memory = WitnessFile::new(path);
        if !path.exists() {
            memory.begin().unwrap();
        }
        let memory = Box::new(memory);
        WitnessService::new("w1", SignKey::from_secret_bytes(&[2; 32]), [log], memory).unwrap()
    }

    fn request(leaves: &[u8], old: u64) -> String {
        let mut tree = MemoryTree::new();
        leaves.iter().for_each(|leaf| tree.append(leaf_hash(&[*leaf])));
        let head = TreeHead { size: tree.size(), root: tree.root() };
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), head).unwrap();
        let key = log_key();
        let note = sign_checkpoint(&checkpoint, &NamedSigner::new(ORIGIN, &key)).unwrap();
        let proof = if old == 0 { Vec::new() } else { consistency_proof(&tree, old, tree.size()).unwrap() };
        AddCheckpoint { old_size: old, proof, note }.to_string()
    }

    /// A witness that was restarted still refuses the history that it did not cosign.
    #[test]
    fn rt_13_a_restarted_witness_refuses_another_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        let now = TimestampMs(1_000_000);
        witness(&path).add_checkpoint(&request(b"ab", 0), now).unwrap();
        let restarted = witness(&path);
        let refused = restarted.add_checkpoint(&request(b"xyz", 2), now);
        assert!(
            matches!(refused, Err(WitnessServiceError::Refused(WitnessRefusal::Proof(_)))),
            "{refused:?}"
        );
        let back = restarted.add_checkpoint(&request(b"a", 1), now);
        assert!(matches!(
            back,
            Err(WitnessServiceError::Refused(WitnessRefusal::Conflict { known_size: 2 }))
        ));
        assert!(restarted.add_checkpoint(&request(b"abc", 2), now).is_ok());
    }

    /// What a witness gives back is what it gave out first, also after a restart.
    #[test]
    fn a_restarted_witness_gives_back_what_it_cosigned_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        let origin: SignerName = ORIGIN.parse().unwrap();
        assert_eq!(witness(&path).cosigned(&origin).unwrap(), None, "nothing was cosigned yet");
        witness(&path).add_checkpoint(&request(b"ab", 0), TimestampMs(1_000_000)).unwrap();
        let line = witness(&path).add_checkpoint(&request(b"abc", 2), TimestampMs(2_000_000)).unwrap();
        let restarted = witness(&path);
        let note = restarted.cosigned(&origin).unwrap().unwrap();
        assert_eq!(note.text().parse::<Checkpoint>().unwrap().size(), 3);
        assert_eq!(note.signatures()[1], line);
        // The same head again is signed with a new time, and written down for none.
        let before = std::fs::read(&path).unwrap();
        let later = restarted.add_checkpoint(&request(b"abc", 3), TimestampMs(3_000_000)).unwrap();
        assert_ne!(later, line);
        assert_eq!(restarted.cosigned(&origin).unwrap(), Some(note));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(restarted.cosigned(&"another/log".parse().unwrap()).unwrap(), None);
    }

    /// A witness that was put back from its key and name alone has forgotten what it cosigned.
    #[test]
    fn rt_13_a_witness_without_its_heads_does_not_wake() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        witness(&path).add_checkpoint(&request(b"ab", 0), TimestampMs(1)).unwrap();
        std::fs::remove_file(&path).unwrap();
        let key = SignKey::from_secret_bytes(&[2; 32]);
        let woken = WitnessService::new("w1", key, [], Box::new(WitnessFile::new(&path)));
        assert!(matches!(woken.err(), Some(WitnessMemoryError::Missing { .. })));
        let memory = WitnessFile::new(&path);
        memory.begin().unwrap();
        assert_eq!(memory.load().unwrap(), WitnessState::default());
        assert!(memory.begin().is_err(), "never begun anew");
    }

    #[test]
    fn a_damaged_or_unwritable_memory_signs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        std::fs::write(&path, b"junk").unwrap();
        assert!(matches!(WitnessFile::new(&path).load(), Err(WitnessMemoryError::Damaged { .. })));
        let gone = folder.path().join("gone");
        std::fs::create_dir(&gone).unwrap();
        let nowhere = witness(&gone.join("heads"));
        std::fs::remove_dir_all(&gone).unwrap();
        let failed = nowhere.add_checkpoint(&request(b"a", 0), TimestampMs(1));
        assert!(matches!(failed, Err(WitnessServiceError::Memory(_))));
        assert_eq!(
            nowhere.state.lock().unwrap().head(&ORIGIN.parse().unwrap()),
            None,
            "the head is not taken either"
        );
    }
}
