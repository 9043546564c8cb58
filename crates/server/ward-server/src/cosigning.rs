//! Gathering cosignatures: one flight at a time for each log, as many witnesses as answer.

use crate::limits::{COSIGN_GRACE_MS, COSIGN_MAX_AGE_MS, COSIGN_RETRY_MS, COSIGN_TRIES};
use crate::log_desk::{CosignedNote, LogDesk, LogDeskError};
use crate::log_tiles::{LogReadError, consistency};
use crate::metrics::Metrics;
use crate::recovery::RecoveryStage;
use crate::witness_client::{WitnessClient, WitnessClientError};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use ward_api::LogName;
use ward_audit::{
    AddCheckpoint, NoteSignature, SignatureKind, SignedNote, SignerName, TreeHead, VerifierKey,
    WitnessPolicy, WitnessTime, verify_cosigned,
};
use ward_id::TimestampMs;
use ward_store::Store;

/// C2SP tlog-witness: the proof does not lead from the witness's head to the one offered.
const WITNESS_PROOF_REFUSED: u16 = 422;

/// Why there is no cosigned head to give.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The log cannot go on.
    #[error(transparent)]
    Log(#[from] LogDeskError),
    /// A witness saw more leaves than there are: the store was set back.
    #[error("{0}")]
    Behind(LogBehind),
    /// The database was restored and lacks leaves that the witnesses know.
    #[error("the database was restored and waits ({0:?})")]
    Restored(RecoveryStage),
    /// Fewer witnesses answered than the manifest asks for, and there is no older cosigned head.
    #[error("fewer witnesses answered than the manifest asks for")]
    NoQuorum,
}

/// A log that does not extend what a witness cosigned. Going on would make a second history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBehind {
    /// The log.
    pub log: LogName,
    /// The witness.
    pub witness: String,
    /// Leaves that the witness cosigned.
    pub known_size: u64,
    /// Leaves at hand.
    pub size: u64,
}

impl std::fmt::Display for LogBehind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the {} has {} leaves and does not extend the {3} that witness {2} cosigned: the database was set back; \
             restore the newest backup",
            self.log.as_str(),
            self.size,
            self.witness,
            self.known_size
        )
    }
}

/// The witnesses of a site and what is known of them.
pub(crate) struct Witnesses {
    clients: Vec<Arc<dyn WitnessClient>>,
    known: Mutex<BTreeMap<(LogName, String), u64>>,
    conflicts: Mutex<BTreeMap<(LogName, String), LogBehind>>,
    flights: [tokio::sync::Mutex<()>; 2],
    /// Who has cosigned each log since this process began, and when the last try to reach a quorum
    /// failed, by the monotonic clock.
    agreed: Mutex<BTreeSet<(LogName, String)>>,
    failed_at_ms: Mutex<BTreeMap<LogName, u64>>,
    confirmed: [AtomicBool; 2],
    behind: OnceLock<LogBehind>,
}

const fn place(log: LogName) -> usize {
    match log {
        LogName::Mlog => 0,
        LogName::Olog => 1,
    }
}

impl Witnesses {
    pub(crate) fn new(clients: Vec<Arc<dyn WitnessClient>>) -> Self {
        let flights = [tokio::sync::Mutex::new(()), tokio::sync::Mutex::new(())];
        Self {
            clients,
            known: Mutex::default(),
            conflicts: Mutex::default(),
            flights,
            agreed: Mutex::default(),
            failed_at_ms: Mutex::default(),
            confirmed: [AtomicBool::new(false), AtomicBool::new(false)],
            behind: OnceLock::new(),
        }
    }

    /// Set for good once so many witnesses contradict the log that the others are no quorum:
    /// nothing is appended any more. One witness alone cannot stop a site by saying so.
    pub(crate) fn behind(&self) -> Option<&LogBehind> {
        self.behind.get()
    }

    /// Whether so many witnesses have cosigned this log since the process began that none of its
    /// cosigned heads can be missing here: a head that counts has a quorum, and these meet every
    /// quorum. Until then the database may be one that was set back, and nothing may be appended.
    pub(crate) fn confirmed(&self, log: LogName) -> bool {
        self.confirmed.get(place(log)).is_some_and(|flag| flag.load(Ordering::Acquire))
    }

    fn note_agreed(&self, log: LogName, witness: &str, policy: &WitnessPolicy) {
        if self.confirmed(log) {
            return;
        }
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.insert((log, witness.to_owned()));
        let named = |name: &str| policy.witnesses().iter().any(|one| one.key().name().as_str() == name);
        let count = agreed.iter().filter(|(of, name)| *of == log && named(name)).count();
        if count + policy.quorum() > policy.witnesses().len()
            && let Some(flag) = self.confirmed.get(place(log))
        {
            flag.store(true, Ordering::Release);
        }
    }

    /// Forgets everything about a log: another one takes its place.
    pub(crate) fn forget(&self, log: LogName) {
        self.known().retain(|(of, _), _| *of != log);
        self.conflicts().retain(|(of, _), _| *of != log);
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _)| *of != log);
        self.failed_at_ms.lock().unwrap_or_else(PoisonError::into_inner).remove(&log);
        if let Some(flag) = self.confirmed.get(place(log)) {
            flag.store(false, Ordering::Release);
        }
    }

    /// Whether a quorum was asked for in vain a moment ago.
    fn failed_lately(&self, log: LogName, now_ms: u64) -> bool {
        let failed = self.failed_at_ms.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(&log).is_some_and(|at_ms| now_ms.saturating_sub(*at_ms) < COSIGN_RETRY_MS)
    }

    fn note_gathered(&self, log: LogName, now_ms: u64, gathered: bool) {
        let mut failed = self.failed_at_ms.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered {
            failed.remove(&log);
        } else {
            failed.insert(log, now_ms);
        }
    }

    /// Any witness that contradicted a log the last time it was asked.
    pub(crate) fn conflict(&self, log: LogName) -> Option<LogBehind> {
        self.conflicts().iter().find(|((of, _), _)| *of == log).map(|(_, behind)| behind.clone())
    }

    fn note_conflict(&self, behind: LogBehind, policy: &WitnessPolicy) {
        tracing::error!(
            witness = behind.witness,
            known_size = behind.known_size,
            size = behind.size,
            "a witness contradicts the log"
        );
        let log = behind.log;
        let mut conflicts = self.conflicts();
        conflicts.insert((log, behind.witness.clone()), behind.clone());
        let against = conflicts.keys().filter(|(of, _)| *of == log).count();
        if against + policy.quorum() > policy.witnesses().len() {
            // Later ones that say the same add nothing.
            let _ = self.behind.set(behind);
        }
    }

    fn conflicts(&self) -> std::sync::MutexGuard<'_, BTreeMap<(LogName, String), LogBehind>> {
        self.conflicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cosigned note of the log's present size, younger than a minute if the witnesses answer.
    /// When too few do, the newest cosigned note there is; then nobody waits for them again for
    /// [`COSIGN_RETRY_MS`].
    pub(crate) async fn cosigned_head<S: Store>(
        &self,
        desk: &LogDesk<S>,
        policy: &WitnessPolicy,
        log_key: &[u8; 32],
        clock: &dyn crate::clock::Clock,
        (store, metrics): (&S, &Metrics),
    ) -> Result<Arc<CosignedNote>, CosignError> {
        let wanted = desk.size();
        let fresh = |note: &Arc<CosignedNote>| {
            note.head.size >= wanted && clock.now().since_ms(note.cosigned_at).abs() <= COSIGN_MAX_AGE_MS
        };
        if let Some(note) = desk.cosigned().filter(fresh) {
            return Ok(note);
        }
        let log = desk.log();
        let [mlog, olog] = &self.flights;
        let flight = if log == LogName::Mlog { mlog } else { olog };
        let _flight = flight.lock().await;
        if let Some(note) = desk.cosigned().filter(fresh) {
            return Ok(note);
        }
        if self.failed_lately(log, clock.monotonic_ms()) {
            return match self.behind() {
                Some(behind) => Err(CosignError::Behind(behind.clone())),
                None => desk.cosigned().ok_or(CosignError::NoQuorum),
            };
        }
        let (head, note) = desk.sign_head().await?;
        let origin = desk.origin().clone();
        let gathered = match VerifierKey::new(origin, SignatureKind::Log, log_key) {
            Ok(key) => self.gather(log, head, note, (policy, &key), (store, metrics)).await,
            Err(_) => None,
        };
        self.note_gathered(log, clock.monotonic_ms(), gathered.is_some());
        if let Some(behind) = self.behind() {
            return Err(CosignError::Behind(behind.clone()));
        }
        match gathered {
            Some(text) => Ok(desk.publish(CosignedNote { head, text, cosigned_at: clock.now() }).await?),
            None => desk.cosigned().ok_or(CosignError::NoQuorum),
        }
    }

    /// Asks all witnesses at once; with a quorum, waits only a little for the others.
    async fn gather<S: Store>(
        &self,
        log: LogName,
        head: TreeHead,
        note: SignedNote,
        (policy, key): (&WitnessPolicy, &VerifierKey),
        (store, metrics): (&S, &Metrics),
    ) -> Option<String> {
        let mut waiting: FuturesUnordered<_> = self
            .clients
            .iter()
            .map(|client| self.cosign_by(client, (log, head), &note, policy, store))
            .collect();
        let mut best = note.clone();
        let (mut quorum, mut enough) = (false, false);
        loop {
            let next = if enough {
                let grace = Duration::from_millis(COSIGN_GRACE_MS);
                tokio::time::timeout(grace, waiting.next()).await.ok().flatten()
            } else {
                waiting.next().await
            };
            let Some(answer) = next else { break };
            let Ok(lines) = answer else {
                metrics.witness_failed();
                continue;
            };
            for line in lines {
                if let Some((longer, witness)) = with_valid_line(&best, line, policy) {
                    self.note_agreed(log, &witness, policy);
                    best = longer;
                }
            }
            quorum = verify_cosigned(&best, key, policy).is_ok();
            // With a quorum below the majority, the start comparison asks for more than a quorum.
            enough = quorum && self.confirmed(log);
        }
        quorum.then(|| best.to_string())
    }

    async fn cosign_by<S: Store>(
        &self,
        client: &Arc<dyn WitnessClient>,
        (log, head): (LogName, TreeHead),
        note: &SignedNote,
        policy: &WitnessPolicy,
        store: &S,
    ) -> Result<Vec<NoteSignature>, WitnessClientError> {
        let name = (log, client.name().to_owned());
        let mut old_size = self.known().get(&name).copied().unwrap_or(0).min(head.size);
        let conflict = |known_size| {
            let witness = client.name().to_owned();
            self.note_conflict(LogBehind { log, witness, known_size, size: head.size }, policy);
        };
        for _ in 0..COSIGN_TRIES {
            let proof = consistency(store, log, old_size, head.size).await.map_err(|error| match error {
                LogReadError::Beyond | LogReadError::Store(_) => WitnessClientError::Unreachable,
            })?;
            let request = AddCheckpoint { old_size, proof, note: note.clone() };
            match client.add_checkpoint(&request).await {
                Ok(lines) => {
                    self.conflicts().remove(&name);
                    self.known().insert(name, head.size);
                    return Ok(lines);
                }
                Err(WitnessClientError::Conflict { known_size })
                    if known_size < head.size && known_size != old_size =>
                {
                    old_size = known_size;
                }
                Err(WitnessClientError::Conflict { known_size })
                    if known_size == head.size && old_size < head.size =>
                {
                    old_size = known_size;
                }
                // It knows more leaves, or others at this size.
                Err(WitnessClientError::Conflict { known_size }) => {
                    conflict(known_size);
                    return Err(WitnessClientError::Conflict { known_size });
                }
                // Our own proof does not hold from its head: it cosigned other leaves.
                Err(error @ WitnessClientError::Refused { status: WITNESS_PROOF_REFUSED }) => {
                    conflict(old_size);
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(WitnessClientError::BadAnswer)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<(LogName, String), u64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest checkpoints that the witnesses which answer cosigned for a log, by their names. Nothing
    /// of them is checked yet.
    pub(crate) async fn newest_cosigned(&self, origin: &SignerName) -> Vec<(String, SignedNote)> {
        let asked = self.clients.iter().map(|client| async move {
            let note = client.cosigned(origin).await.ok().flatten()?;
            Some((client.name().to_owned(), note))
        });
        futures_util::future::join_all(asked).await.into_iter().flatten().collect()
    }

    /// The times of the witnesses that answer.
    pub(crate) async fn times(&self, nonce: [u8; 32]) -> Vec<WitnessTime> {
        let asked = self.clients.iter().map(|client| client.sign_time(nonce));
        futures_util::future::join_all(asked).await.into_iter().filter_map(Result::ok).collect()
    }
}

/// The note with a line and the name of the witness of the manifest that made it; other lines
/// would only swell the note.
fn with_valid_line(
    note: &SignedNote,
    line: NoteSignature,
    policy: &WitnessPolicy,
) -> Option<(SignedNote, String)> {
    let longer = note.with_signature(line.clone()).ok()?;
    let named = policy.witnesses().iter().find(|witness| witness.key().is_named_by(&line))?;
    match ward_audit::verify_cosignature(&longer, named.key()) {
        Ok(Some(_)) => Some((longer, named.key().name().as_str().to_owned())),
        _ => None,
    }
}

/// The time a cosigned note was last signed at is kept in memory only: after a restart the
/// first caller has it cosigned again.
pub(crate) const fn never() -> TimestampMs {
    TimestampMs(i64::MIN)
}
