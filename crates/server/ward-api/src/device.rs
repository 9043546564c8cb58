//! Suspension of a device: the one thing that the server can do alone. It takes no key away and
//! can be lifted.

use minicbor::{Decode, Encode};
use ward_id::TimestampMs;

/// Why a device is suspended. A code and no free text, so that nothing about a person is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum SuspendReason {
    /// Its owner cannot find it.
    #[n(1)]
    Lost,
    /// It was taken from its owner.
    #[n(2)]
    Stolen,
    /// Somebody else may be using it.
    #[n(3)]
    SuspectedMisuse,
    /// A detector asked for it.
    #[n(4)]
    Containment,
    /// Its owner or the site asked for it.
    #[n(5)]
    Requested,
}

impl SuspendReason {
    /// The number on the wire and in stores.
    pub const fn number(self) -> u8 {
        match self {
            Self::Lost => 1,
            Self::Stolen => 2,
            Self::SuspectedMisuse => 3,
            Self::Containment => 4,
            Self::Requested => 5,
        }
    }

    /// The reason with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Lost,
            2 => Self::Stolen,
            3 => Self::SuspectedMisuse,
            4 => Self::Containment,
            5 => Self::Requested,
            _ => return None,
        })
    }
}

/// Body of `POST /v1/devices/{device}/suspend`. An instant that has passed lifts a suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SuspensionRequest {
    /// It ends at this instant.
    #[n(0)]
    pub until: TimestampMs,
    /// Why.
    #[n(1)]
    pub reason: SuspendReason,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::Canonical;

    #[test]
    fn a_reason_is_one_integer() {
        for number in 0..=9u8 {
            let reason = SuspendReason::from_number(number);
            assert_eq!(SuspendReason::from_canonical(&[number]).ok(), reason);
            assert_eq!(reason.map(SuspendReason::number), reason.map(|_| number));
        }
        let request = SuspensionRequest { until: TimestampMs(3), reason: SuspendReason::Lost };
        assert_eq!(request.to_canonical(), [0xa2, 0, 3, 1, 1]);
    }
}
