//! A server's whole database, verified without trusting anything that it noted about itself: the
//! membership log is replayed, every leaf is hashed again, every envelope is hashed, its signature
//! checked and its place in its author's chain, and both newest cosigned heads are compared.

use super::settings::Loaded;
use super::site_state::{log_key, root_policy};
use crate::exit::Failure;
use serde::Serialize;
use std::collections::BTreeMap;
use ward_audit::{CompactTree, SignedNote, WitnessKey, WitnessPolicy, leaf_hash, olog_leaf, verify_cosigned};
use ward_crypto::{Envelope, EpochPackage, SiteManifest};
use ward_id::{Canonical as _, ChartId, DeviceId, Incarnation, TreeRoot};
use ward_store::{CheckpointKind, LogName, LogStateStore as _, MlogLeaf, MlogStore as _, OlogStore as _};
use ward_store_sqlite::SqliteStore;
use ward_sync::{Membership, Scope};

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// Entries of the membership log.
    pub mlog_entries: u64,
    /// Operations.
    pub operations: u64,
    /// Signatures that were checked.
    pub signatures: u64,
    /// What does not hold, in sentences. Empty when all is well.
    pub faults: Vec<String>,
}

type Tips = BTreeMap<(ChartId, DeviceId, Incarnation), u64>;

/// Verifies the database of a server folder. The server may be running.
///
/// # Errors
/// When the database cannot be read at all.
pub async fn verify_server(loaded: &Loaded) -> Result<Verified, Failure> {
    let store = loaded.store()?;
    let result = verify_store(&store).await;
    store.close().await;
    result
}

async fn verify_store(store: &SqliteStore) -> Result<Verified, Failure> {
    let mut found = Verified { mlog_entries: 0, operations: 0, signatures: 0, faults: Vec::new() };
    // The heads first: what is appended while this runs lies behind them.
    let heads = [cosigned(store, LogName::Mlog).await?, cosigned(store, LogName::Olog).await?];
    let membership = replay(store, &mut found).await?;
    let tree = operations(store, &membership, &mut found).await?;
    found.mlog_entries = membership.size();
    let Some(manifest) = membership.manifest() else {
        found.faults.push("the membership log has no manifest".to_owned());
        return Ok(found);
    };
    let policy = policy_of(manifest)?;
    for (log, note) in [LogName::Mlog, LogName::Olog].into_iter().zip(heads) {
        let Some(note) = note else {
            found.faults.push(format!("{log:?} has no head that witnesses signed"));
            continue;
        };
        match verify_cosigned(&note, &log_key(manifest, log)?, &policy) {
            Err(error) => found.faults.push(format!("the head of {log:?} does not verify: {error}")),
            Ok(head) => {
                let own = match log {
                    LogName::Mlog => membership.root_at(head.head().size),
                    LogName::Olog => {
                        tree.get(usize::try_from(head.head().size).unwrap_or(usize::MAX)).copied()
                    }
                };
                if own != Some(head.head().root) {
                    found.faults.push(format!(
                        "{log:?} at size {} has another root than the one witnesses signed",
                        head.head().size
                    ));
                }
            }
        }
    }
    Ok(found)
}

async fn cosigned(store: &SqliteStore, log: LogName) -> Result<Option<SignedNote>, Failure> {
    let saved = store.checkpoint(log, CheckpointKind::Cosigned).await.map_err(unreadable)?;
    saved
        .map(|saved| {
            let text = String::from_utf8(saved.note).map_err(unreadable)?;
            text.parse::<SignedNote>().map_err(unreadable)
        })
        .transpose()
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::fault("The database cannot be read", error)
}

fn policy_of(manifest: &SiteManifest) -> Result<WitnessPolicy, Failure> {
    let key = |witness: &ward_crypto::WitnessEntry| {
        let name = witness.name.parse().map_err(|error: ward_audit::NoteError| unreadable(error))?;
        WitnessKey::new(name, witness.key.as_bytes(), witness.outside).map_err(unreadable)
    };
    let witnesses = manifest.witnesses.iter().map(key).collect::<Result<Vec<_>, Failure>>()?;
    WitnessPolicy::new(witnesses, usize::from(manifest.quorum)).map_err(unreadable)
}

async fn replay(store: &SqliteStore, found: &mut Verified) -> Result<Membership, Failure> {
    let mut membership = Membership::new(root_policy(store).await?, Scope::All);
    loop {
        let entries = store.mlog_entries(membership.size(), u64::MAX).await.map_err(unreadable)?;
        if entries.is_empty() {
            return Ok(membership);
        }
        for entry in entries {
            let leaf = MlogLeaf { subject: entry.subject, entry_hash: entry.entry_hash }.to_bytes();
            let before = membership.size();
            if let Err(error) = membership.apply_bytes(entry.index, &leaf, &entry.bytes) {
                found.faults.push(format!("entry {} of the membership log: {error}", entry.index));
                return Ok(membership);
            }
            found.signatures += u64::from(membership.size() > before);
        }
        // Announces are judged by their packages.
        let charts: Vec<ChartId> = membership.charts().collect();
        for chart in charts {
            for bytes in store.epoch_packages(chart, 0).await.map_err(unreadable)? {
                if let Ok(package) = EpochPackage::from_canonical(&bytes.bytes) {
                    membership.learn_package(&package);
                }
            }
        }
    }
}

/// Checks every operation; gives the root at every size.
async fn operations(
    store: &SqliteStore,
    membership: &Membership,
    found: &mut Verified,
) -> Result<Vec<TreeRoot>, Failure> {
    let mut tree = CompactTree::new();
    let mut roots = vec![tree.root()];
    let mut tips: Tips = BTreeMap::new();
    let size = store.olog_size().await.map_err(unreadable)?;
    for index in 0..size {
        let Some(stored) = store.operation_at(index).await.map_err(unreadable)? else {
            found.faults.push(format!("operation {index} is missing"));
            return Ok(roots);
        };
        if let Err(why) = operation(&stored.bytes, &stored.envelope_hash, membership, &mut tips) {
            found.faults.push(format!("operation {index}: {why}"));
        }
        found.signatures += 1;
        tree.append(leaf_hash(olog_leaf(&stored.envelope_hash)));
        roots.push(tree.root());
    }
    found.operations = size;
    Ok(roots)
}

fn operation(
    bytes: &[u8],
    hash: &ward_id::EnvelopeHash,
    membership: &Membership,
    tips: &mut Tips,
) -> Result<(), &'static str> {
    let envelope = Envelope::from_canonical(bytes).map_err(|_| "it is no envelope")?;
    if envelope.envelope_hash() != *hash {
        return Err("its bytes are not those of its leaf");
    }
    let header = envelope.header();
    let record = membership.device(header.chart, header.device).ok_or("its device has no certificate")?;
    envelope.verify(&record.cert().binding.sign_pk).map_err(|_| "its signature does not hold")?;
    let tip = tips.entry((header.chart, header.device, header.incarnation)).or_insert(0);
    *tip += 1;
    if header.seq == *tip { Ok(()) } else { Err("an entry before it in its chain is missing") }
}
