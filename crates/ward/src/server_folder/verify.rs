//! A server's whole database, verified without trusting anything that it noted about itself: the
//! membership log is replayed, every leaf is hashed again, every envelope is hashed, its signature
//! checked and its place in its author's chain, and both newest cosigned heads are compared.

use super::settings::Loaded;
use super::site_state::{key_under, root_policy};
use crate::exit::Failure;
use serde::Serialize;
use std::collections::BTreeMap;
use ward_audit::{CompactTree, SignedNote, WitnessKey, WitnessPolicy, leaf_hash, olog_leaf, verify_cosigned};
use ward_crypto::{Envelope, EnvelopeHeader, EpochPackage, SiteManifest};
use ward_id::{Canonical as _, ChartId, DeviceId, Incarnation, TreeRoot};
use ward_store::{CheckpointKind, LogName, LogStateStore as _, MlogLeaf, MlogStore as _, OlogStore as _};
use ward_store_sqlite::SqliteStore;
use ward_sync::{Effect, Membership, MlogEntry, Scope};

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// Entries of the membership log.
    pub mlog_entries: u64,
    /// Operations.
    pub operations: u64,
    /// Signatures that were checked and hold.
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
    // Then the operations, and their devices' certificates last: whoever wrote an operation stood in
    // the membership log before it, also in one that grows while this runs.
    let size = store.olog_size().await.map_err(unreadable)?;
    let membership = replay(store, &mut found).await?;
    let tree = operations(store, size, &membership, &mut found).await?;
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
        let origin = match log {
            LogName::Mlog => Some(manifest.mlog_origin.as_str()),
            LogName::Olog => membership.olog_origin(),
        };
        match verify_cosigned(&note, &key_under(manifest, origin.unwrap_or_default())?, &policy) {
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
            match membership.apply_bytes(entry.index, &leaf, &entry.bytes) {
                Err(error) => {
                    found.faults.push(format!("entry {} of the membership log: {error}", entry.index));
                    return Ok(membership);
                }
                // A void entry may have been put aside before its signatures were looked at.
                Ok(Effect::Void(_)) => {}
                Ok(_) => {
                    let signed = MlogEntry::read(&entry.bytes).map_or(0, |entry| entry.signatures().len());
                    found.signatures += signed as u64;
                }
            }
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
    size: u64,
    membership: &Membership,
    found: &mut Verified,
) -> Result<Vec<TreeRoot>, Failure> {
    let mut tree = CompactTree::new();
    let mut roots = vec![tree.root()];
    let mut tips: Tips = BTreeMap::new();
    let first_leaf = membership.reopenings().last().map(ward_sync::Reopening::first_leaf);
    if let Some(leaf) = first_leaf {
        // The log was opened again: it begins with the end of the one before.
        if store.olog_leaves(0, 1).await.map_err(unreadable)? != [leaf] {
            found.faults.push("the operation log does not begin with the end of the one before".to_owned());
            return Ok(roots);
        }
        tree.append(leaf_hash(olog_leaf(&leaf)));
        roots.push(tree.root());
    }
    for index in u64::from(first_leaf.is_some())..size {
        let Some(stored) = store.operation_at(index).await.map_err(unreadable)? else {
            found.faults.push(format!("operation {index} is missing"));
            return Ok(roots);
        };
        match operation(&stored.bytes, &stored.envelope_hash, membership) {
            Err(why) => found.faults.push(format!("operation {index}: {why}")),
            Ok(header) => {
                found.signatures += 1;
                let tip = tips.entry((header.chart, header.device, header.incarnation)).or_insert(0);
                *tip += 1;
                if header.seq != *tip {
                    let why = "an entry before it in its chain is missing";
                    found.faults.push(format!("operation {index}: {why}"));
                }
            }
        }
        tree.append(leaf_hash(olog_leaf(&stored.envelope_hash)));
        roots.push(tree.root());
    }
    found.operations = size;
    Ok(roots)
}

/// The header of an envelope whose bytes and signature hold.
fn operation(
    bytes: &[u8],
    hash: &ward_id::EnvelopeHash,
    membership: &Membership,
) -> Result<EnvelopeHeader, &'static str> {
    let envelope = Envelope::from_canonical(bytes).map_err(|_| "it is no envelope")?;
    if envelope.envelope_hash() != *hash {
        return Err("its bytes are not those of its leaf");
    }
    let header = envelope.header();
    let record = membership.device(header.chart, header.device).ok_or("its device has no certificate")?;
    envelope.verify(&record.cert().binding.sign_pk).map_err(|_| "its signature does not hold")?;
    Ok(header.clone())
}

#[cfg(test)]
mod tests {
    use super::super::site_state::begun::{begin, leaf};
    use super::*;
    use ward_id::{MlogEntryHash, Subject, TimestampMs};
    use ward_store::MlogAppend;
    use ward_store_sqlite::SqliteOptions;

    /// Only signatures that were checked and hold are counted.
    #[tokio::test]
    async fn what_was_not_checked_is_not_counted() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("ward.db"), SqliteOptions::default()).unwrap();
        let made = begin(&store).await;
        let entries = made.entries.len() as u64;
        // Two root keys sign the manifest, each admin their own certificate.
        let signatures = verify_store(&store).await.unwrap().signatures;
        assert_eq!((entries, signatures), (3, 4));
        let bytes = b"no entry".to_vec();
        let entry = MlogAppend {
            expected_size: entries,
            subject: Subject::from_bytes([9; 16]),
            entry_hash: MlogEntryHash::from_bytes(ward_crypto::sha256(&bytes)),
            bytes,
            package: None,
            ended_devices: vec![],
            received_at: TimestampMs(1),
        };
        store.append_mlog(entry).await.unwrap();
        store.append_operations(vec![leaf(1)], TimestampMs(1)).await.unwrap();
        let found = verify_store(&store).await.unwrap();
        assert_eq!((found.mlog_entries, found.operations, found.signatures), (entries + 1, 1, signatures));
        assert!(found.faults.iter().any(|fault| fault == "operation 0: it is no envelope"), "{found:?}");
    }
}
