//! Room for request bodies. A body is kept in memory until its request was answered, so what all of
//! them take together is bounded, whoever sends them and however slowly.

use crate::limits::{BODIES_IN_FLIGHT_MAX_BYTES, BODY_ROOM_UNIT_BYTES};
use crate::problem_response::{Refusal, refuse_with};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use ward_api::{ErrorCode, ProblemMembers};

/// The room that is left.
pub(crate) struct BodyRoom(Arc<Semaphore>);

/// The room of one body, given back when this is dropped.
pub(crate) struct BodyShare {
    _taken: OwnedSemaphorePermit,
}

impl BodyRoom {
    /// Takes room for a body of at most so many bytes.
    pub(crate) fn take(&self, bytes: usize) -> Result<BodyShare, Refusal> {
        let units = u32::try_from(bytes.div_ceil(BODY_ROOM_UNIT_BYTES)).unwrap_or(u32::MAX);
        match Arc::clone(&self.0).try_acquire_many_owned(units) {
            Ok(taken) => Ok(BodyShare { _taken: taken }),
            Err(_) => {
                let members = ProblemMembers { retry_after_s: Some(1), ..ProblemMembers::default() };
                let detail = "The server is reading as much as it can hold; try again.";
                Err(refuse_with(ErrorCode::Busy, detail, members))
            }
        }
    }
}

impl Default for BodyRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_IN_FLIGHT_MAX_BYTES / BODY_ROOM_UNIT_BYTES)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_in_flight_are_bounded_together() {
        let room = BodyRoom::default();
        let part = BODIES_IN_FLIGHT_MAX_BYTES / 8;
        let mut held: Vec<BodyShare> = (0..8).map(|_| room.take(part).unwrap()).collect();
        assert!(room.take(1).is_err());
        assert!(room.take(0).is_ok(), "a request without a body goes on");
        held.pop();
        assert!(room.take(part + 1).is_err());
        assert!(room.take(part).is_ok());
    }
}
