//! Questions that need no network: what this device knows.

mod access;
mod charts;
mod delivery;
mod exports;
mod status;
mod status_words;
mod trail;
mod unchecked;
mod work;

pub(crate) use access::purpose_of;
pub use charts::ChartSummary;
pub use delivery::{ChartDelivery, EntryDelivery, OldestUnsent};
pub use status::{HeadStatus, Losses, Status, WitnessStatus};
pub use status_words::stop_words;
pub(crate) use status_words::{NEVER_SYNCED, SET_BACK, UNREACHABLE};
pub use unchecked::Unchecked;
pub use work::ChartAdherence;
