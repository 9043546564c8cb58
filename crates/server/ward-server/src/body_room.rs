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
    room: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl BodyRoom {
    /// The room of a body of which nothing has come yet.
    pub(crate) fn share(&self) -> BodyShare {
        BodyShare { room: Arc::clone(&self.0), taken: None, bytes: 0 }
    }
}

impl BodyShare {
    /// Takes room for so many bytes more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        let full = || {
            let members = ProblemMembers { retry_after_s: Some(1), ..ProblemMembers::default() };
            refuse_with(ErrorCode::Busy, "The server is reading as much as it can hold; try again.", members)
        };
        let held = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        self.bytes = self.bytes.saturating_add(bytes);
        let more = self.bytes.div_ceil(BODY_ROOM_UNIT_BYTES).saturating_sub(held);
        let more = u32::try_from(more).map_err(|_| full())?;
        let more = Arc::clone(&self.room).try_acquire_many_owned(more).map_err(|_| full())?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
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
        let whole = |bytes: usize| {
            let mut share = room.share();
            share.grow(bytes).map(|()| share)
        };
        let mut held: Vec<BodyShare> = (0..8).map(|_| whole(part).ok().unwrap()).collect();
        assert!(whole(1).is_err());
        assert!(whole(0).is_ok(), "a request without a body goes on");
        held.pop();
        assert!(whole(part + 1).is_err());
        let mut slow = room.share();
        slow.grow(1).ok().unwrap();
        slow.grow(1).ok().unwrap();
        assert!(whole(part).is_err(), "what came of a body takes room");
        drop(slow);
        assert!(whole(part).is_ok());
    }
}
