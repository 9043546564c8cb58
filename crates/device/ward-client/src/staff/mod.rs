//! What staff do at a site: invite, certify, open charts, set teams, revoke, recover. Each act is
//! an entry of the membership log, signed on this device; the server only orders it.

mod adopt;
mod alert_rules;
mod certify;
mod charts;
mod invite;
mod proposals;
mod recover;
mod reopen;
mod revoke;
mod study_schema;

pub(crate) use adopt::Adoptable;
pub use certify::{Certified, Comparison, PendingCert};
pub use invite::{NewInvite, TicketRow};
pub use proposals::ProposalView;
pub use recover::RecoverRequest;
pub use reopen::PendingReopening;
