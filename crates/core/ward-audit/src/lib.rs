//! Merkle logs that nobody can rewrite: trees, tiles, checkpoints, proofs, witness cosignatures,
//! receipts, and the view that a client keeps of a log.
//!
//! Hashing is RFC 6962 §2.1; tiles, notes, checkpoints and cosignatures are the C2SP formats
//! (tlog-tiles, signed-note, tlog-checkpoint, tlog-cosignature, tlog-witness). The same code
//! carries a site's membership log and its operation log.
//!
//! Invariant: this crate holds no secret key, reads no clock, file or network. Signing is the
//! trait [`NoteSigner`], storage the traits [`NodeSource`] and [`TileSource`], time an argument.
//!
//! ```
//! use ward_audit::{MemoryTree, inclusion_proof, leaf_hash, verify_inclusion};
//! let leaves: Vec<_> = (0u8..5).map(|n| leaf_hash(&[n])).collect();
//! let mut tree = MemoryTree::new();
//! leaves.iter().for_each(|leaf| tree.append(*leaf));
//! let proof = inclusion_proof(&tree, 2, 5)?;
//! assert_eq!(verify_inclusion(2, 5, &leaf_hash(&[2]), &tree.root(), &proof), Ok(()));
//! # Ok::<(), ward_audit::ProofError>(())
//! ```
#![cfg_attr(not(test), no_std)]
extern crate alloc;

mod checkpoint;
mod cosignature;
mod entry_bundle;
mod evidence;
mod hash;
mod hazmat;
mod key;
mod leaf;
pub mod limits;
mod log_builder;
mod log_view;
mod note;
mod policy;
mod proof;
mod receipt;
mod receipt_breach;
mod reopened;
mod tile;
mod tile_path;
mod tree;
mod witness;
mod witness_request;
mod witness_time;

pub use checkpoint::{Checkpoint, CheckpointError, TreeHead, sign_checkpoint};
pub use cosignature::{CosignatureError, cosignature_message, verify_cosignature};
pub use entry_bundle::{EntryBundleError, decode_entry_bundle, encode_entry_bundle};
pub use evidence::{Equivocation, EvidenceError, Rollback};
pub use hash::{NodeHash, empty_root, leaf_hash, node_hash};
pub use key::{KeyError, NoteSigner, SignatureKind, VerifierKey};
pub use leaf::{MLOG_LEAF_BYTES, mlog_leaf, mlog_leaf_parts, olog_leaf};
pub use log_builder::{LogBuilder, LogBuilderError, PendingCheckpoint, VerifyLogError, verify_log};
pub use log_view::{Advance, LogView, LogViewError, RootRelation};
pub use note::{NoteError, NoteSignature, SignedNote, SignerName};
pub use policy::{CosignedHead, PolicyError, WitnessKey, WitnessPolicy, verify_cosigned};
pub use proof::{
    ProofError, consistency_proof, inclusion_proof, subtree_proof, verify_consistency, verify_inclusion,
    verify_subtree_consistency, verify_subtree_inclusion,
};
pub use receipt::{RECEIPT_VERSION, Receipt, ReceiptError, sign_receipt};
pub use receipt_breach::{Breach, ReceiptBreach, ReceiptBreachError};
pub use reopened::{first_origin_of, reopened_origin};
pub use tile::{Tile, TileEdge, TileError, TileReader, TileSource, tiles_for_growth};
pub use tile_path::{TileKind, TilePath, TilePathError};
pub use tree::{CompactTree, CompactTreeError, MemoryTree, MissingNode, NodeSource, root_at};
pub use witness::{PendingCosignature, WitnessLogs, WitnessRefusal, WitnessState};
pub use witness_request::{AddCheckpoint, AddCheckpointError};
pub use witness_time::{TimeError, TimeStatement, WitnessTime, sign_time, verify_witness_time};
