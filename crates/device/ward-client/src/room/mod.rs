//! Room on the device: one rule for what goes first, what is refused, and what is kept for the last.

mod bounds;
mod make_room;

pub use bounds::{Growth, StorageFacts, StorageStep, next_step};
pub use make_room::RoomStatus;
