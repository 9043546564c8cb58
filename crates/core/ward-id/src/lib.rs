//! The words that every other crate speaks: typed ids, instants, version vectors,
//! the six-word comparison, and the one canonical encoding.
//!
//! Nothing here knows about keys, networks, files or clocks.
//!
//! ```
//! use ward_id::{Canonical, ChartId};
//! let chart = ChartId::from_bytes([7; 16]);
//! let bytes = chart.to_canonical();
//! assert_eq!(ChartId::from_canonical(&bytes), Ok(chart));
//! ```
#![cfg_attr(not(test), no_std)]
extern crate alloc;

mod canonical;
mod ids;
pub mod limits;
mod text;
mod time;
mod version_vector;
mod words;

pub use canonical::{Canonical, CborError};
pub use ids::{
    BlobAddress, CertHash, ChartId, DeviceId, EntryId, EnvelopeHash, IdParseError, ManifestHash,
    MemberSetHash, MlogEntryHash, PackageHash, PersonId, RootFingerprint, SchemaHash, SiteId, StudyId,
    Subject, TeamId, TicketId, TreeRoot,
};
pub use text::{TextDecodeError, base64url_decode, base64url_encode, hex_decode, hex_encode};
pub use time::TimestampMs;
pub use version_vector::{Head, Incarnation, Ordering, VersionVector, VersionVectorError};
pub use words::{SIX_WORDS, WordsError, six_words, word_at, word_index};
