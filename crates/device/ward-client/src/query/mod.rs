//! Questions that need no network: what this device knows.

mod access;
mod charts;
mod exports;
mod status;
mod unchecked;
mod work;

pub(crate) use access::purpose_of;
pub use charts::ChartSummary;
pub use status::{EntryProgress, EntryState, HeadStatus, Status, WitnessStatus};
pub use unchecked::Unchecked;
pub use work::ChartAdherence;
