//! Rows about the drop box and about orders against this device.

use super::Bytes;
use crate::limits::{DROP_REPEAT_DOUBLINGS, DROP_REPEAT_MS};
use minicbor::{Decode, Encode};
use ward_id::{DeviceId, TimestampMs};

/// An own entry that was handed over. Row id: chart, then entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct DroppedRecord {
    /// When, by this device's clock.
    #[n(0)]
    pub(crate) at: TimestampMs,
    /// The staff devices that can open it.
    #[n(1)]
    pub(crate) recipients: Vec<DeviceId>,
    /// How often it was handed over.
    #[n(2)]
    pub(crate) times: u32,
    /// The restore of the server's database that was the newest then: what it was given before, it may
    /// have lost.
    #[n(3)]
    pub(crate) restore: Option<Bytes>,
}

impl DroppedRecord {
    /// Whether it is time to hand it over once more. The server's word that it has it is not proved by
    /// anything, so it is repeated, more and more seldom; and at once to a server that was restored since.
    pub(crate) fn is_due(&self, now: TimestampMs, restore: Option<&Bytes>) -> bool {
        if restore.is_some() && self.restore.as_ref() != restore {
            return true;
        }
        let doublings = self.times.saturating_sub(1).min(DROP_REPEAT_DOUBLINGS);
        let waited_ms = now.since_ms(self.at);
        // A time in the future is of a clock that was ahead, and says nothing of how long it waited.
        waited_ms < 0 || waited_ms >= DROP_REPEAT_MS << doublings
    }
}

/// An entry of another device in the drop box, opened and checked. Row id: chart, device, entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct DropRecord {
    /// When the server took it, as the server says.
    #[n(0)]
    pub(crate) received_at: TimestampMs,
    /// The entry as a store keeps it.
    #[n(1)]
    pub(crate) entry: Bytes,
    /// Whether its author asks for attention now.
    #[n(2)]
    pub(crate) urgent: bool,
    /// What was decided here and the server was not told yet: 2 adopted, 3 declined.
    #[n(3)]
    pub(crate) decided: Option<u8>,
}

/// What stands against this device in the membership log, as this device verified it. Row `order`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct OrderRecord {
    /// Where the newest entry of it stands.
    #[n(0)]
    pub(crate) index: u64,
    /// Whether later entries of this device are refused.
    #[n(1)]
    pub(crate) severed: bool,
    /// Whether this device shall destroy what it holds.
    #[n(2)]
    pub(crate) wipe: bool,
    /// Why, in the words of whoever signed.
    #[n(3)]
    pub(crate) reason: String,
    /// The newest entry, as it was signed.
    #[n(4)]
    pub(crate) entry: Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_come_more_and_more_seldom() {
        let due_after = |times: u32| {
            let record = DroppedRecord { at: TimestampMs(7), recipients: Vec::new(), times, restore: None };
            (0..10_000).find(|hours| record.is_due(TimestampMs(7 + hours * 3_600_000), None))
        };
        assert_eq!([1, 2, 3].map(due_after), [Some(24), Some(48), Some(96)]);
        assert_eq!(due_after(DROP_REPEAT_DOUBLINGS + 1), due_after(u32::MAX), "and not never");
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_put_off_the_repeat() {
        let at = |ms| DroppedRecord { at: TimestampMs(ms), recipients: Vec::new(), times: 1, restore: None };
        let now = TimestampMs(1_000_000_000_000);
        assert!(!at(now.0).is_due(now, None));
        assert!(at(now.0 - DROP_REPEAT_MS).is_due(now, None));
        assert!(
            at(now.0 + 10 * 365 * 86_400_000).is_due(now, None),
            "handed over in a year that has not come"
        );
    }

    #[test]
    fn a_server_that_was_restored_since_is_given_it_again() {
        let (first, second) = (Bytes::from(vec![1; 32]), Bytes::from(vec![2; 32]));
        let now = TimestampMs(1_000_000_000_000);
        let given = |restore: Option<&Bytes>| DroppedRecord {
            at: now,
            recipients: Vec::new(),
            times: 1,
            restore: restore.cloned(),
        };
        assert!(!given(None).is_due(now, None) && given(None).is_due(now, Some(&first)));
        assert!(!given(Some(&first)).is_due(now, Some(&first)));
        assert!(given(Some(&first)).is_due(now, Some(&second)));
        assert!(!given(Some(&first)).is_due(now, None), "it did not say");
    }
}
