//! What the witnesses know of the site's logs, compared with what the database holds.
//!
//! A database that was set back is the usual way in which a log forgets what it promised. The
//! witnesses remember. Any head that ever counted was cosigned by a quorum, so `witnesses - quorum
//! + 1` answers are enough to meet at least one witness of that quorum.

use super::site_state::{SiteState, newest_log_keys};
use super::witness_folder::WitnessFolder;
use crate::exit::Failure;
use crate::limits::COMPARE_ROUNDS_MAX;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use ward_audit::{
    AddCheckpoint, Checkpoint, NoteSigner, SignedNote, SignerName, TreeHead, VerifierKey, WitnessState,
    sign_checkpoint,
};
use ward_crypto::{SignKey, SiteManifest};
use ward_server::{HttpWitness, WitnessAddress, WitnessClient as _, WitnessClientError};
use ward_store::{LogName, Store, StoreError};

/// How a witness's knowledge of one log stands to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The witness knows this head or an earlier one.
    Fits {
        /// Leaves that it knows.
        known_size: u64,
    },
    /// The witness cosigned more leaves than there are: history is missing here.
    Missing {
        /// Leaves that it knows.
        known_size: u64,
    },
    /// The witness cosigned another root at a size that the database has: another history.
    OtherHistory {
        /// Leaves at which they differ.
        known_size: u64,
    },
    /// It could not be asked.
    NoAnswer {
        /// Why.
        why: String,
    },
}

/// One witness and one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessReport {
    /// The witness.
    pub witness: String,
    /// The log.
    pub log: LogName,
    /// What it knows.
    pub standing: Standing,
}

/// The site of a database and what its witnesses say.
pub struct Comparison {
    /// The site.
    pub site: SiteState,
    /// One report for each witness of the manifest and each log.
    pub reports: Vec<WitnessReport>,
}

/// With this status a witness refuses a head without a signature of the key that it knows (C2SP
/// tlog-witness).
const NOT_SIGNED: u16 = 403;

/// Both logs.
pub const LOGS: [LogName; 2] = [LogName::Mlog, LogName::Olog];

/// Reads the database and asks the witnesses: those beside the server by their folders, those
/// elsewhere over the network, with one of the keys that the logs had, the newest first.
///
/// # Errors
/// A database that cannot be read. Witnesses that cannot be asked are reports, not errors.
pub async fn compare<S: Store>(
    store: &S,
    log_keys: &[SignKey],
    folders: &[PathBuf],
    addresses: &[WitnessAddress],
) -> Result<Comparison, Failure> {
    let (near, unreadable) = read_folders(folders);
    let mut wanted = BTreeSet::new();
    for (log, origin) in newest_log_keys(store).await? {
        wanted
            .extend(near.values().filter_map(|state| state.head(origin.name())).map(|head| (log, head.size)));
    }
    let known = Known { near, unreadable, log_keys, addresses };
    compare_until_still(store, &wanted, async |site| known.reports(site).await).await
}

/// Compares again while something seems to be missing and the logs have grown in the meantime: a
/// server that runs may have had a longer head cosigned after this one was hashed.
async fn compare_until_still<S: Store>(
    store: &S,
    wanted: &BTreeSet<(LogName, u64)>,
    ask: impl AsyncFn(&SiteState) -> Result<Vec<WitnessReport>, Failure>,
) -> Result<Comparison, Failure> {
    let failed = |error: StoreError| Failure::fault("The database cannot be read", error);
    let mut rounds = 0;
    loop {
        let site = SiteState::read(store, wanted).await?;
        let reports = ask(&site).await?;
        rounds += 1;
        let is_missing = |report: &WitnessReport| matches!(report.standing, Standing::Missing { .. });
        let grew = store.mlog_size().await.map_err(failed)? > site.mlog.size
            || store.olog_size().await.map_err(failed)? > site.olog.size;
        if !reports.iter().any(is_missing) || !grew || rounds >= COMPARE_ROUNDS_MAX {
            return Ok(Comparison { site, reports });
        }
    }
}

impl Comparison {
    /// The most leaves of a log that any witness knows.
    pub fn known_size(&self, log: LogName) -> u64 {
        let known =
            self.reports.iter().filter(|report| report.log == log).map(|report| match report.standing {
                Standing::Fits { known_size }
                | Standing::Missing { known_size }
                | Standing::OtherHistory { known_size } => known_size,
                Standing::NoAnswer { .. } => 0,
            });
        known.max().unwrap_or(0)
    }
}

/// Where the witnesses' knowledge comes from.
struct Known<'a> {
    near: BTreeMap<String, WitnessState>,
    unreadable: Vec<String>,
    log_keys: &'a [SignKey],
    addresses: &'a [WitnessAddress],
}

impl Known<'_> {
    async fn reports(&self, site: &SiteState) -> Result<Vec<WitnessReport>, Failure> {
        let mut unreadable = self.unreadable.clone();
        let mut reports = Vec::new();
        for name in site.manifest.witnesses.iter().map(|witness| witness.name.as_str()) {
            let address = self.addresses.iter().find(|address| address.name == name);
            for log in LOGS {
                let standing = match (self.near.get(name), address) {
                    (Some(state), _) => by_memory(site, log, state)?,
                    (None, Some(address)) => over_network(site, log, self.log_keys, address).await?,
                    (None, None) => {
                        Standing::NoAnswer { why: unreadable.pop().unwrap_or_else(not_configured) }
                    }
                };
                reports.push(WitnessReport { witness: name.to_owned(), log, standing });
            }
        }
        Ok(reports)
    }
}

fn not_configured() -> String {
    "the configuration names neither its folder nor its address".to_owned()
}

fn read_folders(folders: &[PathBuf]) -> (BTreeMap<String, WitnessState>, Vec<String>) {
    let (mut near, mut unreadable) = (BTreeMap::new(), Vec::new());
    for folder in folders {
        let read = WitnessFolder::open(folder)
            .and_then(|witness| Ok((witness.name().to_string(), witness.heads()?)));
        match read {
            Ok((name, state)) => {
                near.insert(name, state);
            }
            // Said for both logs.
            Err(failure) => unreadable.extend([failure.to_string(), failure.to_string()]),
        }
    }
    (near, unreadable)
}

fn by_memory(site: &SiteState, log: LogName, state: &WitnessState) -> Result<Standing, Failure> {
    let known = state.head(site.log_key(log)?.name()).unwrap_or_else(TreeHead::empty);
    let known_size = known.size;
    if known_size > site.head(log).size {
        return Ok(Standing::Missing { known_size });
    }
    let same = known_size == 0 || site.root_at(log, known_size) == Some(known.root);
    Ok(if same { Standing::Fits { known_size } } else { Standing::OtherHistory { known_size } })
}

/// Offers the present head as if the witness knew exactly it. A witness that knows another size
/// says which; one that knows this size compares the roots. It answers only to the key under which it
/// follows the log.
async fn over_network(
    site: &SiteState,
    log: LogName,
    log_keys: &[SignKey],
    address: &WitnessAddress,
) -> Result<Standing, Failure> {
    let no_answer = |why: &dyn std::fmt::Display| Ok(Standing::NoAnswer { why: why.to_string() });
    let witness = match HttpWitness::new(address) {
        Ok(witness) => witness,
        Err(error) => return no_answer(&error),
    };
    let size = site.head(log).size;
    let mut answer = Err(WitnessClientError::Refused { status: NOT_SIGNED });
    for log_key in log_keys {
        let note = signed_head(&site.log_key(log)?, site.head(log), log_key)?;
        let request = AddCheckpoint { old_size: size, proof: Vec::new(), note };
        answer = witness.add_checkpoint(&request).await;
        if !matches!(answer, Err(WitnessClientError::Refused { status: NOT_SIGNED })) {
            break;
        }
    }
    match answer {
        Ok(_) => Ok(Standing::Fits { known_size: size }),
        Err(WitnessClientError::Conflict { known_size }) if known_size > size => {
            Ok(Standing::Missing { known_size })
        }
        Err(WitnessClientError::Conflict { known_size }) if known_size == size => {
            Ok(Standing::OtherHistory { known_size })
        }
        Err(WitnessClientError::Conflict { known_size }) => Ok(Standing::Fits { known_size }),
        Err(error) => no_answer(&error),
    }
}

struct LogSigner<'a> {
    origin: &'a SignerName,
    key: &'a SignKey,
}

impl NoteSigner for LogSigner<'_> {
    fn name(&self) -> &str {
        self.origin.as_str()
    }

    fn public_key(&self) -> [u8; 32] {
        *self.key.public().as_bytes()
    }

    /// The text of a checkpoint begins with an origin, which no label of Ward does.
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign_note(message).map_or([0; 64], |signature| *signature.as_bytes())
    }
}

fn signed_head(log: &VerifierKey, head: TreeHead, key: &SignKey) -> Result<SignedNote, Failure> {
    let fault =
        |error: ward_audit::CheckpointError| Failure::fault("The head of a log cannot be signed", error);
    let checkpoint = Checkpoint::new(log.name().clone(), head).map_err(fault)?;
    sign_checkpoint(&checkpoint, &LogSigner { origin: log.name(), key }).map_err(fault)
}

impl Comparison {
    /// Leaves of each log that a witness cosigned and that are not here.
    pub fn missing(&self) -> Vec<(LogName, u64)> {
        let missing_of = |log: LogName| {
            let known = self.reports.iter().filter(|report| report.log == log).filter_map(|report| {
                match report.standing {
                    Standing::Missing { known_size } => Some(known_size),
                    _ => None,
                }
            });
            known.max().map(|known| (log, known.saturating_sub(self.site.head(log).size)))
        };
        LOGS.into_iter().filter_map(missing_of).collect()
    }

    /// Witnesses that cosigned another history.
    pub fn other_history(&self) -> Option<&WitnessReport> {
        self.reports.iter().find(|report| matches!(report.standing, Standing::OtherHistory { .. }))
    }

    /// Witnesses whose answer for a log is needed, and how many gave one for the log that fewest did.
    pub fn answers(&self) -> (usize, usize) {
        let answered = |log: LogName| {
            let of_log = self.reports.iter().filter(|report| report.log == log);
            of_log.filter(|report| !matches!(report.standing, Standing::NoAnswer { .. })).count()
        };
        (needed_answers(&self.site.manifest), LOGS.into_iter().map(answered).min().unwrap_or(0))
    }
}

/// Answers that meet every quorum.
fn needed_answers(manifest: &SiteManifest) -> usize {
    manifest.witnesses.len().saturating_sub(usize::from(manifest.quorum)).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::super::site_state::begun::{begin, leaf};
    use super::*;
    use std::cell::Cell;
    use ward_store::{MemoryStore, OlogStore as _};

    fn report(standing: Standing) -> Vec<WitnessReport> {
        vec![WitnessReport { witness: "w".to_owned(), log: LogName::Olog, standing }]
    }

    /// A head that was cosigned while the log was hashed is no sign of a database that was set back.
    #[tokio::test]
    async fn a_log_that_grew_in_the_meantime_is_compared_again() {
        let store = MemoryStore::new();
        begin(&store).await;
        let rounds = Cell::new(0);
        let ask = async |site: &SiteState| {
            rounds.set(rounds.get() + 1);
            if site.olog.size == 0 {
                store.append_operations(vec![leaf(1)], ward_id::TimestampMs(1)).await.unwrap();
            }
            Ok(report(match site.olog.size {
                0 => Standing::Missing { known_size: 1 },
                known_size => Standing::Fits { known_size },
            }))
        };
        let compared = compare_until_still(&store, &BTreeSet::new(), ask).await.unwrap();
        assert_eq!((rounds.get(), compared.site.olog.size), (2, 1));
        assert_eq!(compared.missing(), []);
    }

    #[tokio::test]
    async fn what_is_missing_for_good_is_said_at_once() {
        let store = MemoryStore::new();
        begin(&store).await;
        let rounds = Cell::new(0);
        let ask = async |_: &SiteState| {
            rounds.set(rounds.get() + 1);
            Ok(report(Standing::Missing { known_size: 3 }))
        };
        let compared = compare_until_still(&store, &BTreeSet::new(), ask).await.unwrap();
        assert_eq!(compared.missing(), [(LogName::Olog, 3)]);
        assert_eq!(rounds.get(), 1);
    }
}
