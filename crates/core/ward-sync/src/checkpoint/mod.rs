//! Checkpoints: what a chart held up to a place of the operation log, so that a new device need not
//! fetch and open every envelope before it can show the chart.
//!
//! A checkpoint names roots and a blob; the blob holds the entries themselves. So a chart that
//! begins with a checkpoint is the same function of the same entries as one that was fetched
//! envelope by envelope, and everything that a checkpoint claims can be computed again from what it
//! brings. Whether entries stand (revoked devices, adoption) is no part of it: every reader asks its
//! own membership log.

mod content;
mod due;
mod roots;
mod trust;

pub use content::{CheckpointRow, ContentError, decode_content, encode_content};
pub use due::{CheckpointDue, checkpoint_due};
pub use roots::{CheckpointFault, CheckpointRoots, roots_of_rows, state_root};
pub use trust::{CheckpointTrust, checkpoint_trust};
