//! What a database says about its site: root, manifest, and the heads of both logs, computed from
//! the leaves and not from what was noted about them.

use crate::exit::Failure;
use std::collections::{BTreeMap, BTreeSet};
use ward_audit::{CompactTree, SignatureKind, TreeHead, VerifierKey, leaf_hash};
use ward_crypto::{RootPolicy, SiteManifest};
use ward_id::{Canonical as _, RootFingerprint, TreeRoot};
use ward_store::{LogName, MetaKey, MlogLeaf, Store, StoreError};
use ward_sync::{Membership, Scope};

/// Where the server keeps the root policy.
const ROOT_POLICY: MetaKey = MetaKey::new("site.root-policy");

/// A site as its database has it.
pub struct SiteState {
    /// Who may sign manifests.
    pub root: RootPolicy,
    /// The newest manifest.
    pub manifest: SiteManifest,
    /// The origin of the operation log that counts: a later one than the manifest's, once the log
    /// was opened again.
    pub olog_origin: String,
    /// Head of the membership log.
    pub mlog: TreeHead,
    /// Head of the operation log.
    pub olog: TreeHead,
    /// Roots at the sizes that were asked for, as far as the logs reach.
    roots: BTreeMap<(LogName, u64), TreeRoot>,
}

fn store_failed(error: StoreError) -> Failure {
    Failure::fault("The database cannot be read", error)
}

fn damaged(why: impl std::fmt::Display) -> Failure {
    Failure::new(
        crate::exit::Kind::No,
        "The database holds no usable site",
        why,
        "restore the newest backup with `ward restore`",
    )
}

impl SiteState {
    /// Replays the site's own entries and hashes every leaf of both logs. `wanted` are sizes whose
    /// roots are to be kept.
    ///
    /// # Errors
    /// A database without a site, or with a damaged one.
    pub async fn read<S: Store>(store: &S, wanted: &BTreeSet<(LogName, u64)>) -> Result<Self, Failure> {
        let (root, membership) = replay(store).await?;
        let mut roots = BTreeMap::new();
        for (log, size) in wanted.iter().filter(|(log, _)| *log == LogName::Mlog) {
            roots.extend(membership.root_at(*size).map(|root| ((*log, *size), root)));
        }
        let olog = read_olog(store, wanted, &mut roots).await?;
        let manifest = manifest_of(&membership)?;
        let olog_origin = membership.olog_origin().unwrap_or(&manifest.olog_origin).to_owned();
        Ok(Self { root, manifest, olog_origin, mlog: membership.head(), olog, roots })
    }

    /// The pin that tickets carry.
    pub fn fingerprint(&self) -> RootFingerprint {
        self.root.fingerprint()
    }

    /// Head of a log.
    pub const fn head(&self, log: LogName) -> TreeHead {
        match log {
            LogName::Mlog => self.mlog,
            LogName::Olog => self.olog,
        }
    }

    /// The root that a log had at a size that was asked for.
    pub fn root_at(&self, log: LogName, size: u64) -> Option<TreeRoot> {
        self.roots.get(&(log, size)).copied()
    }

    /// The public key of a log under its origin, as witnesses know it.
    ///
    /// # Errors
    /// An origin that cannot stand in a note.
    pub fn log_key(&self, log: LogName) -> Result<VerifierKey, Failure> {
        match log {
            LogName::Mlog => log_key(&self.manifest, log),
            LogName::Olog => key_under(&self.manifest, &self.olog_origin),
        }
    }
}

/// Who may sign the site's manifests.
///
/// # Errors
/// A database without a site.
pub async fn root_policy<S: Store>(store: &S) -> Result<RootPolicy, Failure> {
    let policy = store.meta(ROOT_POLICY).await.map_err(store_failed)?;
    let policy = policy.ok_or_else(|| damaged("it was never begun with `ward init`"))?;
    RootPolicy::from_canonical(&policy).map_err(damaged)
}

/// The newest manifest, without reading the operation log.
///
/// # Errors
/// A database without a site, or with a damaged one.
pub async fn newest_manifest<S: Store>(store: &S) -> Result<SiteManifest, Failure> {
    manifest_of(&replay(store).await?.1)
}

fn manifest_of(membership: &Membership) -> Result<SiteManifest, Failure> {
    membership.manifest().cloned().ok_or_else(|| damaged("its membership log has no manifest"))
}

/// The membership log as the site itself stands in it.
async fn replay<S: Store>(store: &S) -> Result<(RootPolicy, Membership), Failure> {
    let root = root_policy(store).await?;
    // No chart is in scope: their entries count as leaves, and need no packages.
    let mut membership = Membership::new(root.clone(), Scope::Charts(BTreeSet::new()));
    loop {
        let entries = store.mlog_entries(membership.size(), u64::MAX).await.map_err(store_failed)?;
        if entries.is_empty() {
            return Ok((root, membership));
        }
        for entry in entries {
            let leaf = MlogLeaf { subject: entry.subject, entry_hash: entry.entry_hash }.to_bytes();
            membership.apply_bytes(entry.index, &leaf, &entry.bytes).map_err(damaged)?;
        }
    }
}

/// The public key of a log under its origin.
///
/// # Errors
/// An origin that cannot stand in a note.
pub fn log_key(manifest: &SiteManifest, log: LogName) -> Result<VerifierKey, Failure> {
    let origin = match log {
        LogName::Mlog => &manifest.mlog_origin,
        LogName::Olog => &manifest.olog_origin,
    };
    key_under(manifest, origin)
}

/// The keys of both logs as they count now, without reading the operation log.
///
/// # Errors
/// As [`newest_manifest`].
pub async fn newest_log_keys<S: Store>(store: &S) -> Result<[(LogName, VerifierKey); 2], Failure> {
    let (_, membership) = replay(store).await?;
    let manifest = manifest_of(&membership)?;
    let olog_origin = membership.olog_origin().unwrap_or(&manifest.olog_origin);
    Ok([
        (LogName::Mlog, log_key(&manifest, LogName::Mlog)?),
        (LogName::Olog, key_under(&manifest, olog_origin)?),
    ])
}

/// The site's log key under an origin.
///
/// # Errors
/// An origin that cannot stand in a note.
pub fn key_under(manifest: &SiteManifest, origin: &str) -> Result<VerifierKey, Failure> {
    let name = origin.parse().map_err(|error: ward_audit::NoteError| damaged(error))?;
    VerifierKey::new(name, SignatureKind::Log, manifest.log_key.as_bytes()).map_err(damaged)
}

async fn read_olog<S: Store>(
    store: &S,
    wanted: &BTreeSet<(LogName, u64)>,
    roots: &mut BTreeMap<(LogName, u64), TreeRoot>,
) -> Result<TreeHead, Failure> {
    let mut tree = CompactTree::new();
    loop {
        let leaves = store.olog_leaves(tree.size(), u64::MAX).await.map_err(store_failed)?;
        if leaves.is_empty() {
            return Ok(TreeHead { size: tree.size(), root: tree.root() });
        }
        for leaf in leaves {
            tree.append(leaf_hash(leaf.as_bytes()));
            let place = (LogName::Olog, tree.size());
            if wanted.contains(&place) {
                roots.insert(place, tree.root());
            }
        }
    }
}

/// Sites for the tests of this folder.
#[cfg(test)]
pub mod begun {
    use sha2::{Digest as _, Sha256};
    use ward_client::bootstrap::{SiteBootstrap, SitePlan, site_bootstrap};
    use ward_crypto::{SignKey, WitnessEntry, random_id};
    use ward_id::{ChartId, DeviceId, EntryId, EnvelopeHash, Incarnation, TimestampMs};
    use ward_server::bootstrap_site;
    use ward_store::{NewOperation, Store};

    /// A site with two admins and one witness, begun in a store.
    pub async fn begin<S: Store>(store: &S) -> SiteBootstrap {
        let mut rng = super::super::system_rng();
        let key = *SignKey::from_secret_bytes(&[1; 32]).public();
        let plan = SitePlan {
            study: random_id(&mut rng),
            site: random_id(&mut rng),
            server_name: "ward.test".to_owned(),
            independent: false,
            root_keys: 3,
            threshold: 2,
            admins: 2,
            witnesses: vec![WitnessEntry { name: "w".to_owned(), key, outside: false }],
            quorum: 1,
            freshness_limit_s: 1_000,
            min_attest: Vec::new(),
        };
        let made = site_bootstrap(&plan, TimestampMs(1), &mut rng).unwrap();
        bootstrap_site(store, &made.root_policy, &made.entries, TimestampMs(1)).await.unwrap();
        made
    }

    /// A leaf of the operation log whose bytes are no envelope.
    pub fn leaf(seq: u64) -> NewOperation {
        let bytes = vec![u8::try_from(seq).unwrap(); 300];
        NewOperation {
            chart: ChartId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            incarnation: Incarnation(1),
            seq,
            entry_id: EntryId::from_bytes(Sha256::digest(seq.to_be_bytes()).into()),
            envelope_hash: EnvelopeHash::from_bytes(Sha256::digest(&bytes).into()),
            epoch: 0,
            bytes,
        }
    }
}
