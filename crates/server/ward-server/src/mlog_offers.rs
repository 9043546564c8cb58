//! Entries of the membership log that a restored server gets back from whoever handed them in, without
//! a proof of their place: the device had no answer before the server lost them, and nobody else holds
//! them.
//!
//! Such an entry is taken only where it gives exactly the root that the witnesses know: the newest
//! checkpoint that one of them cosigned, which bears the log's own signature. So it is the entry that
//! stood there. For any other nothing is appended, and nothing signed.

use crate::App;
use crate::app::witness_policy;
use crate::limits::{COSIGN_RETRY_MS, OFFERS_IN_A_ROW_MAX, OFFERS_MAX, OFFERS_PER_DEVICE_MAX};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use ward_api::LogName;
use ward_audit::{
    Checkpoint, CompactTree, NodeHash, SignatureKind, SignedNote, SignerName, VerifierKey, WitnessPolicy,
    leaf_hash, mlog_leaf, verify_cosignature,
};
use ward_crypto::EpochPackage;
use ward_id::{DeviceId, MlogEntryHash, TreeRoot};
use ward_store::Store;
use ward_sync::MlogEntry;

/// An entry as a device handed it in.
#[derive(Clone)]
pub(crate) struct HandedIn {
    pub(crate) entry: MlogEntry,
    pub(crate) bytes: Vec<u8>,
    /// With an announce.
    pub(crate) package: Option<(EpochPackage, Vec<u8>)>,
}

struct Offer {
    by: DeviceId,
    handed_in: HandedIn,
}

impl Offer {
    fn hash(&self) -> MlogEntryHash {
        self.handed_in.entry.hash()
    }

    fn leaf(&self) -> NodeHash {
        leaf_hash(&mlog_leaf(self.handed_in.entry.subject(), self.hash()))
    }
}

/// What is offered and what the witnesses know. Nothing of it outlives the process: devices come again,
/// and witnesses are asked again.
#[derive(Default)]
pub(crate) struct MlogOffers {
    waiting: Mutex<Vec<Offer>>,
    known: tokio::sync::Mutex<KnownNotes>,
}

/// The newest checkpoint that each witness gave.
#[derive(Default)]
struct KnownNotes {
    asked_at_ms: Option<u64>,
    notes: BTreeMap<String, SignedNote>,
}

impl MlogOffers {
    fn waiting(&self) -> MutexGuard<'_, Vec<Offer>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an offer. Where there is no room, the oldest one goes of the device that offered most; it comes
    /// again, and nobody pushes out what others offer by offering much.
    pub(crate) fn keep(&self, by: DeviceId, handed_in: HandedIn) {
        let hash = handed_in.entry.hash();
        let mut waiting = self.waiting();
        waiting.retain(|offer| offer.hash() != hash);
        let of_device = waiting.iter().filter(|offer| offer.by == by).count();
        let oldest = if of_device >= OFFERS_PER_DEVICE_MAX {
            waiting.iter().position(|offer| offer.by == by)
        } else {
            let count_of = |by: DeviceId| waiting.iter().filter(|offer| offer.by == by).count();
            let most = waiting.iter().map(|offer| count_of(offer.by)).max();
            let is_full = waiting.len() >= OFFERS_MAX;
            waiting.iter().position(|offer| is_full && Some(count_of(offer.by)) == most)
        };
        if let Some(oldest) = oldest {
            waiting.remove(oldest);
        }
        waiting.push(Offer { by, handed_in });
    }

    /// Forgets an offer: it stands in the log, or was refused.
    pub(crate) fn forget(&self, hash: MlogEntryHash) {
        self.waiting().retain(|offer| offer.hash() != hash);
    }

    /// Forgets everything: the log is whole.
    pub(crate) fn clear(&self) {
        self.waiting().clear();
    }
}

impl<S: Store> App<S> {
    /// The offers that come next in the membership log, each with its place, as far as the witnesses
    /// prove it.
    pub(crate) async fn next_offers(&self) -> Vec<(u64, HandedIn)> {
        if self.offers().waiting().is_empty() {
            return Vec::new();
        }
        let heads = self.heads_of_witnesses().await;
        let tree = self.membership().read().tree().clone();
        let waiting = self.offers().waiting();
        let leaves: Vec<NodeHash> = waiting.iter().map(Offer::leaf).collect();
        let order = in_order(&tree, &heads, &leaves).unwrap_or_default();
        let in_order = order.into_iter().filter_map(|one| waiting.get(one));
        (tree.size()..).zip(in_order.map(|offer| offer.handed_in.clone())).collect()
    }

    /// Heads of the membership log that witnesses cosigned last. They are asked again after a while: one
    /// that was away may know more.
    async fn heads_of_witnesses(&self) -> BTreeMap<u64, TreeRoot> {
        let desk = self.desk(LogName::Mlog);
        let mut known = self.offers().known.lock().await;
        let now_ms = self.clock().monotonic_ms();
        if known.asked_at_ms.is_none_or(|at_ms| now_ms.saturating_sub(at_ms) >= COSIGN_RETRY_MS) {
            known.notes.extend(self.witnesses().newest_cosigned(desk.origin()).await);
            known.asked_at_ms = Some(now_ms);
        }
        let manifest = self.membership().read().manifest().cloned();
        let policy = manifest.and_then(|manifest| witness_policy(&manifest).ok());
        let log_key = self.log_key();
        let key = VerifierKey::new(desk.origin().clone(), SignatureKind::Log, log_key.public().as_bytes());
        match (key, policy) {
            (Ok(key), Some(policy)) => agreed_heads(known.notes.values(), &key, &policy),
            _ => BTreeMap::new(),
        }
    }
}

/// The roots that the log's own signature and a cosignature of the site's witnesses stand for, by size. One
/// witness is enough: it cosigns only what extends all that it cosigned before, and the log signed it. Where
/// witnesses were shown different roots of one size, only the one with a quorum counts.
fn agreed_heads<'a>(
    notes: impl Iterator<Item = &'a SignedNote>,
    log: &VerifierKey,
    policy: &WitnessPolicy,
) -> BTreeMap<u64, TreeRoot> {
    let mut by_size: BTreeMap<u64, BTreeMap<TreeRoot, BTreeSet<SignerName>>> = BTreeMap::new();
    for note in notes {
        let Ok(checkpoint) = Checkpoint::verify(note, log) else { continue };
        let witnesses = policy.witnesses().iter().map(ward_audit::WitnessKey::key);
        let cosigned = witnesses.filter(|key| matches!(verify_cosignature(note, key), Ok(Some(_))));
        let by_root = by_size.entry(checkpoint.size()).or_default();
        by_root.entry(checkpoint.root()).or_default().extend(cosigned.map(|key| key.name().clone()));
    }
    let one_of = |(size, mut roots): (u64, BTreeMap<TreeRoot, BTreeSet<SignerName>>)| {
        roots.retain(|_, witnesses| !witnesses.is_empty());
        if roots.len() > 1 {
            tracing::error!(size, "witnesses were shown different roots of the membership log");
            roots.retain(|_, witnesses| witnesses.len() >= policy.quorum());
        }
        match roots.len() {
            1 => roots.into_keys().next().map(|root| (size, root)),
            _ => None,
        }
    };
    by_size.into_iter().filter_map(one_of).collect()
}

/// Which of the leaves lead from the tree to the nearest head, in their order; nothing if none do.
fn in_order(tree: &CompactTree, heads: &BTreeMap<u64, TreeRoot>, leaves: &[NodeHash]) -> Option<Vec<usize>> {
    let from = tree.size().checked_add(1)?;
    let (size, root) = heads.range(from..).next()?;
    let missing =
        usize::try_from(size - tree.size()).ok().filter(|missing| *missing <= OFFERS_IN_A_ROW_MAX)?;
    let mut order = Vec::with_capacity(missing);
    leads_to(tree, (missing, *root), leaves, &mut order).then_some(order)
}

/// Tries every leaf that was not used yet as the next one.
fn leads_to(
    tree: &CompactTree,
    (missing, root): (usize, TreeRoot),
    leaves: &[NodeHash],
    order: &mut Vec<usize>,
) -> bool {
    let Some(missing) = missing.checked_sub(1) else { return tree.root() == root };
    for (place, leaf) in leaves.iter().enumerate() {
        if order.contains(&place) {
            continue;
        }
        let mut longer = tree.clone();
        longer.append(*leaf);
        order.push(place);
        if leads_to(&longer, (missing, root), leaves, order) {
            return true;
        }
        order.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_signer::NamedSigner;
    use ward_audit::{AddCheckpoint, TreeHead, WitnessKey, WitnessLogs, WitnessState, sign_checkpoint};
    use ward_crypto::SignKey;
    use ward_id::{SiteId, Subject};
    use ward_sync::{MlogBody, Team};

    const ORIGIN: &str = "ward.example/00/mlog";
    const NAMES: [&str; 3] = ["w1", "w2", "w3"];

    fn key_of(number: u8) -> SignKey {
        SignKey::from_secret_bytes(&[number; 32])
    }

    fn log_key(number: u8) -> VerifierKey {
        let public = *key_of(number).public().as_bytes();
        VerifierKey::new(ORIGIN.parse().unwrap(), SignatureKind::Log, &public).unwrap()
    }

    fn policy() -> WitnessPolicy {
        let witness = |(number, name): (u8, &&str)| {
            WitnessKey::new(name.parse().unwrap(), key_of(number).public().as_bytes(), false).unwrap()
        };
        WitnessPolicy::new((10..).zip(&NAMES).map(witness).collect(), 2).unwrap()
    }

    /// A head as a witness gives it back; `None` for one that nobody cosigned.
    fn note(size: u64, root: u8, log: u8, witness: Option<u8>) -> SignedNote {
        let head = TreeHead { size, root: TreeRoot::from_bytes([root; 32]) };
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), head).unwrap();
        let signed = sign_checkpoint(&checkpoint, &NamedSigner::new(ORIGIN, &key_of(log))).unwrap();
        let Some(witness) = witness else { return signed };
        let logs = WitnessLogs::new([log_key(log)]).unwrap();
        let mut state = WitnessState::new();
        let request = AddCheckpoint { old_size: 0, proof: Vec::new(), note: signed };
        let pending = state.prepare(&logs, &request, 77).unwrap();
        state.apply(&pending).unwrap();
        let (name, key) = (NAMES[usize::from(witness - 10) % NAMES.len()], key_of(witness));
        state.cosigned(checkpoint.origin(), &NamedSigner::new(name, &key)).unwrap().unwrap()
    }

    fn heads(notes: &[SignedNote]) -> Vec<(u64, u8)> {
        let heads = agreed_heads(notes.iter(), &log_key(1), &policy());
        heads.into_iter().map(|(size, root)| (size, root.as_bytes()[0])).collect()
    }

    #[test]
    fn a_head_needs_the_log_and_a_witness_of_the_site() {
        assert_eq!(heads(&[note(4, 7, 1, Some(10)), note(5, 8, 1, Some(12))]), [(4, 7), (5, 8)]);
        assert_eq!(heads(&[note(4, 7, 1, None)]), [], "nobody cosigned it");
        assert_eq!(heads(&[note(4, 7, 2, Some(10))]), [], "the log did not sign it");
        assert_eq!(heads(&[note(4, 7, 1, Some(13))]), [], "another key under the name of a witness");
    }

    #[test]
    fn of_two_roots_for_one_size_only_the_one_of_a_quorum_counts() {
        let split = [note(4, 7, 1, Some(10)), note(4, 8, 1, Some(11))];
        assert_eq!(heads(&split), []);
        let quorum = [split.to_vec(), vec![note(4, 8, 1, Some(12))]].concat();
        assert_eq!(heads(&quorum), [(4, 8)]);
        let unsigned = [note(4, 7, 1, Some(10)), note(4, 8, 1, None)];
        assert_eq!(heads(&unsigned), [(4, 7)], "a root that no witness cosigned contradicts nobody");
    }

    fn tree_of(leaves: &[u8]) -> CompactTree {
        let mut tree = CompactTree::new();
        leaves.iter().for_each(|leaf| tree.append(leaf_hash(&[*leaf])));
        tree
    }

    fn order(held: &[u8], heads: &[&[u8]], offered: &[u8]) -> Option<Vec<usize>> {
        let heads = heads.iter().map(|leaves| (leaves.len() as u64, tree_of(leaves).root())).collect();
        let offered: Vec<NodeHash> = offered.iter().map(|leaf| leaf_hash(&[*leaf])).collect();
        in_order(&tree_of(held), &heads, &offered)
    }

    #[test]
    fn what_completes_the_tree_is_found_in_whatever_order_it_is_offered() {
        assert_eq!(order(b"ab", &[b"abc"], b"xcy"), Some(vec![1]));
        assert_eq!(order(b"ab", &[b"abc"], b"xy"), None);
        assert_eq!(order(b"ab", &[b"ab", b"a"], b"b"), None, "heads of before say nothing");
        assert_eq!(order(b"", &[b"abc"], b"xcab"), Some(vec![2, 3, 1]));
        assert_eq!(order(b"a", &[b"ab", b"abxy"], b"yb"), Some(vec![1]), "up to the nearest head");
        assert_eq!(order(b"a", &[b"abb"], b"b"), None, "each is used once");
        // As many in a row as are tried, and one more.
        let missing = b"bcde";
        assert_eq!(OFFERS_IN_A_ROW_MAX, 3);
        assert_eq!(order(b"a", &[b"abcd"], missing), Some(vec![0, 1, 2]));
        assert_eq!(order(b"a", &[b"abcde"], missing), None);
    }

    fn handed_in(number: u8) -> HandedIn {
        let body = MlogBody::Team(Team { team: ward_id::TeamId::from_bytes([number; 16]), persons: vec![] });
        let site = SiteId::from_bytes([1; 16]);
        let entry = MlogEntry::unsigned(site, Subject::from(site), TreeHead::empty(), &body).unwrap();
        HandedIn { bytes: ward_id::Canonical::to_canonical(&entry), entry, package: None }
    }

    #[test]
    fn offers_have_limits_and_the_oldest_goes() {
        let device = |number| DeviceId::from_bytes([number; 16]);
        let offers = MlogOffers::default();
        let held = || -> Vec<MlogEntryHash> { offers.waiting().iter().map(Offer::hash).collect() };
        let name = |number| handed_in(number).entry.hash();
        for number in 0..OFFERS_PER_DEVICE_MAX as u8 {
            offers.keep(device(1), handed_in(number));
        }
        offers.keep(device(1), handed_in(3));
        assert_eq!(held(), [name(0), name(1), name(2), name(3)], "the same again is one");
        offers.keep(device(1), handed_in(4));
        assert_eq!(held(), [name(1), name(2), name(3), name(4)]);
        for number in 0..(OFFERS_MAX - OFFERS_PER_DEVICE_MAX) as u8 {
            offers.keep(device(10 + number), handed_in(10 + number));
        }
        assert_eq!(held().len(), OFFERS_MAX);
        assert!(held().contains(&name(1)));
        offers.keep(device(99), handed_in(99));
        assert_eq!(held().len(), OFFERS_MAX);
        assert!(!held().contains(&name(1)) && held().contains(&name(99)));
        offers.forget(name(99));
        assert!(!held().contains(&name(99)));
        offers.clear();
        assert!(held().is_empty());
    }
}
