//! The roots of a checkpoint, computed from entries. Author, cosigner and verifier run this code.

use crate::chart::{Author, Authority, Chart, Place};
use crate::entry::SignedEntry;
use crate::kind::EntryKind;
use crate::membership::Standing;
use crate::payload::Checkpoint;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use minicbor::Encoder;
use ward_audit::{CompactTree, leaf_hash};
use ward_crypto::{DeviceCert, sha256};
use ward_id::{DeviceId, EntryId, Head, Incarnation, TimestampMs, TreeRoot, VersionVector};

/// Why entries make no checkpoint, or another one than was signed. The author of the checkpoint is
/// at fault, unless it is this device that lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointFault {
    /// A chain has a gap, or two entries at one place.
    #[error("a chain of the checkpoint is not whole")]
    Chain,
    /// Places repeat or do not rise.
    #[error("the places in the operation log do not rise")]
    Order,
    /// Another number of entries, another frontier or another last place than was signed.
    #[error("the checkpoint names other entries than it holds")]
    Frontier,
    /// The entries are not those that were signed.
    #[error("the entries of the checkpoint have another root than was signed")]
    Entries,
    /// The places or times of arrival are not those that were signed. Both devices have them from the
    /// server only, so it is as likely wrong as the author.
    #[error(
        "the server told the author and this device other places or times of arrival, or the author signed wrong ones"
    )]
    Places,
    /// The entries that close devices are not those that were signed.
    #[error("the closed devices of the checkpoint have another root than was signed")]
    Closed,
    /// The entries come to another state than was signed.
    #[error("the entries of the checkpoint come to another state than was signed")]
    State,
    /// An entry is not signed by its author.
    #[error("entry {0} of the checkpoint is not signed by its author")]
    Signature(EntryId),
}

/// What follows from a list of entries, without any certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRoots {
    /// The last place.
    pub upto: u64,
    /// The newest entry of each chain.
    pub frontier: VersionVector,
    /// How many there are.
    pub count: u64,
    /// Over the sorted ids.
    pub entries_root: TreeRoot,
    /// Over places and times of arrival, in the order of the log.
    pub places_root: TreeRoot,
    /// Over the sorted ids of the entries that close a device.
    pub closed_root: TreeRoot,
}

impl CheckpointRoots {
    /// Compares with what a checkpoint says.
    ///
    /// # Errors
    /// The first that differs.
    pub fn check(&self, signed: &Checkpoint) -> Result<(), CheckpointFault> {
        if (self.upto, self.count, &self.frontier) != (signed.upto, signed.count, &signed.frontier) {
            return Err(CheckpointFault::Frontier);
        }
        let pairs = [
            (self.entries_root, signed.entries_root, CheckpointFault::Entries),
            (self.places_root, signed.places_root, CheckpointFault::Places),
            (self.closed_root, signed.closed_root, CheckpointFault::Closed),
        ];
        pairs.into_iter().find(|(own, theirs, _)| own != theirs).map_or(Ok(()), |(.., fault)| Err(fault))
    }
}

/// Computes the roots of entries in the order of the operation log.
///
/// # Errors
/// [`CheckpointFault::Order`]; [`CheckpointFault::Chain`] unless every chain is whole from its first
/// entry on and has one entry at each place.
pub fn roots_of_rows<'a>(
    rows: impl Iterator<Item = (u64, TimestampMs, &'a SignedEntry)>,
) -> Result<CheckpointRoots, CheckpointFault> {
    let mut chains: BTreeMap<(DeviceId, Incarnation), BTreeMap<u64, &SignedEntry>> = BTreeMap::new();
    let (mut ids, mut closed) = (BTreeSet::new(), BTreeSet::new());
    let mut places = CompactTree::new();
    let mut upto = None;
    for (index, received_at, entry) in rows {
        if upto.is_some_and(|before| index <= before) || !ids.insert(entry.id()) {
            return Err(CheckpointFault::Order);
        }
        upto = Some(index);
        places.append(leaf_hash(&place_leaf(index, received_at, entry.id())));
        if entry.body().kind == EntryKind::DEVICE_CLOSED {
            closed.insert(entry.id());
        }
        let frame = entry.frame();
        let chain = chains.entry((frame.device, frame.incarnation)).or_default();
        if chain.insert(frame.seq, entry).is_some() {
            return Err(CheckpointFault::Chain);
        }
    }
    Ok(CheckpointRoots {
        upto: upto.ok_or(CheckpointFault::Frontier)?,
        frontier: frontier(&chains)?,
        count: ids.len() as u64,
        entries_root: root_of(&ids),
        places_root: places.root(),
        closed_root: root_of(&closed),
    })
}

fn frontier(
    chains: &BTreeMap<(DeviceId, Incarnation), BTreeMap<u64, &SignedEntry>>,
) -> Result<VersionVector, CheckpointFault> {
    let mut out = VersionVector::new();
    for (&(device, incarnation), chain) in chains {
        let mut before: Option<Head> = None;
        for (&seq, entry) in chain {
            let continues = seq == before.map_or(1, |head| head.seq.saturating_add(1))
                && entry.frame().prev == before.map(|head| head.entry);
            if !continues {
                return Err(CheckpointFault::Chain);
            }
            before = Some(Head { seq, entry: entry.id() });
        }
        let head = before.ok_or(CheckpointFault::Chain)?;
        out.observe(device, incarnation, head).map_err(|_| CheckpointFault::Chain)?;
    }
    Ok(out)
}

fn root_of(ids: &BTreeSet<EntryId>) -> TreeRoot {
    let mut tree = CompactTree::new();
    ids.iter().for_each(|id| tree.append(leaf_hash(id.as_bytes())));
    tree.root()
}

fn place_leaf(index: u64, received_at: TimestampMs, entry: EntryId) -> Vec<u8> {
    [&index.to_be_bytes()[..], &received_at.0.to_be_bytes(), entry.as_bytes()].concat()
}

/// Every author stands as long as they have a certificate: revocations are asked about later, by
/// each reader at its own head, so that the state of a set of entries never changes.
struct AsWritten<'a, A>(&'a A);

impl<A: Authority> Authority for AsWritten<'_, A> {
    fn author(&self, device: DeviceId) -> Option<Author> {
        self.0.author(device)
    }

    fn certificate(&self, device: DeviceId) -> Option<&DeviceCert> {
        self.0.certificate(device)
    }

    fn standing(&self, _: DeviceId, _: Option<u64>) -> Standing {
        Standing::Effective
    }
}

/// The digest of what a chart amounts to: `H("ward/v1/state" || dCBOR([[entry, place, carrier], …]))`
/// in the order that is the same on every device. An entry's id binds what it says, and its place
/// says what became of it, so equal digests mean equal views.
pub fn state_root(chart: &Chart, authority: &impl Authority) -> TreeRoot {
    let view = chart.view(&AsWritten(authority));
    let mut bytes = b"ward/v1/state".to_vec();
    let mut encoder = Encoder::new(&mut bytes);
    // Writing into a vector cannot fail.
    let begun = encoder.array(view.timeline().len() as u64).is_ok();
    debug_assert!(begun);
    for item in view.timeline() {
        let row = (item.entry.id(), place_number(item.place), item.carried_by);
        let written = encoder.encode(row).is_ok();
        debug_assert!(written);
    }
    TreeRoot::from_bytes(sha256(&bytes))
}

const fn place_number(place: Place) -> u8 {
    match place {
        Place::Visible => 0,
        Place::Superseded => 1,
        Place::InConflict => 2,
        Place::Parked => 3,
        Place::Quarantined(_) => 4,
        Place::UnknownKind => 5,
        Place::Invalid(_) => 6,
        Place::NotPermitted => 7,
    }
}
