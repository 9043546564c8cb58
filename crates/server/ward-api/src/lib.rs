//! Wire types, paths and error codes shared by device and server.
//!
//! Bodies are deterministic CBOR; every type here round-trips through [`ward_id::Canonical`].
//! Errors are RFC 9457 problems in JSON with a stable code. Certificates, envelopes, packages and
//! membership entries travel as opaque bytes: what they mean is decided where keys are at hand.
//!
//! Invariant: this crate knows no key, no clock, no socket and no store.
//!
//! ```
//! use ward_api::{MlogAccepted, paths};
//! use ward_id::{Canonical, ChartId};
//! let answer = MlogAccepted { index: 4, size: 5 };
//! assert_eq!(MlogAccepted::from_canonical(&answer.to_canonical()), Ok(answer));
//! assert_eq!(paths::envelopes(ChartId::from_bytes([1; 16])), format!("/v1/charts/{}/envelopes", "01".repeat(16)));
//! ```

mod blob;
mod chart;
mod device;
mod drop_box;
mod error_code;
pub mod headers;
pub mod limits;
mod log;
mod opaque;
pub mod paths;
mod problem;
mod repair;
mod site;
mod ticket;
mod token;
mod witness;

pub use blob::BlobState;
pub use chart::{ChartEvent, EnvelopeBatch, EnvelopePage, EnvelopeRow, EpochPackages, OlogHint};
pub use device::{SuspendReason, SuspensionRequest};
pub use drop_box::{DropBatch, DropPage, DropRow, DropState, DropStateChange, RevocationProof};
pub use error_code::{ErrorCode, Who};
pub use limits::Limits;
pub use log::{
    Consistency, Inclusion, LogName, MlogAccepted, MlogLeaf, MlogRow, MlogSubmission, OlogProofsAnswer,
    OlogProofsQuestion, Proposal, ProposalSubmission,
};
pub use opaque::{Key32, Opaque};
pub use problem::{Problem, ProblemCode, ProblemMembers};
pub use repair::{
    ChainPlace, ChartDigest, HaveAnswer, HaveOfManyAnswer, HaveOfManyQuestion, HaveQuestion, MlogPlace,
    OlogEvidence, PlacedEntry, ReconcileAnswer, ReconcileQuestion, ReopeningState,
};
pub use site::SiteInfo;
pub use ticket::{
    EnrolmentInfo, EnrolmentSubmission, OwnTicket, TicketRegistration, TicketState, TicketStateChange,
};
pub use token::{FormError, GRANT_DEVICE, GRANT_REFRESH, RefreshText, TOKEN_TYPE, TokenAnswer, TokenRequest};
/// A head of a log: `[size, root]`.
pub use ward_audit::TreeHead as LogHead;
pub use ward_audit::{Receipt, TilePath, WitnessTime};
pub use witness::WitnessNonce;
