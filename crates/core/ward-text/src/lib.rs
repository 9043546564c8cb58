//! Texts that several people edit at once and offline: each edit is kept as it was written, with
//! the edits its author knew, and the text is what replaying them all gives. Operational
//! transformation over the event graph (Gentle and Kleppmann, "Collaborative Text Editing with
//! Eg-walker: Better, Faster, Smaller").
//!
//! Invariant: knows nothing of people, keys or charts; the same edits give the same text on every
//! device, in whatever order and however often they arrive.
//!
//! ```
//! use ward_id::{DeviceId, EntryId, Incarnation};
//! use ward_text::{Burst, Document, EditId};
//!
//! let id = |device: u8| EditId {
//!     device: DeviceId::from_bytes([device; 16]),
//!     incarnation: Incarnation(1),
//!     seq: 1,
//!     entry: EntryId::from_bytes([device; 32]),
//! };
//! let writes = |text: &str| {
//!     let mut burst = Burst::new();
//!     burst.insert(0, text).unwrap();
//!     burst.finish().unwrap()
//! };
//! let mut document = Document::new();
//! document.insert(id(2), &[], writes("Rested well. ")).unwrap();
//! document.insert(id(1), &[], writes("Slept badly. ")).unwrap();
//! assert_eq!(document.text(), "Slept badly. Rested well. ");
//! assert_eq!(document.review_marks(&[]).unwrap().len(), 1);
//! ```
#![cfg_attr(not(test), no_std)]
extern crate alloc;

mod arrivals;
mod changes;
mod document;
mod edit;
mod edit_id;
mod encoding;
mod graph;
pub mod limits;
mod lines;
mod pieces;
mod replay;
mod review;
mod run_tree;
mod tracker;
mod trail;
mod unit_text;

pub use changes::{Changed, Changes, What};
pub use document::{Authored, Document, DocumentError, Inserted, NewEdit};
pub use edit::{Burst, EditError, Replacement, TextEdit, TextRun};
pub use edit_id::EditId;
pub use review::ReviewMark;
