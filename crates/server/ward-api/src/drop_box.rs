//! The drop box, and what the log says about a device that has no token any more.

use crate::{MlogRow, Opaque};
use minicbor::{Decode, Encode};
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs, TreeRoot};

/// Body of `POST /v1/drop`: drop envelopes of one device. All of them are kept, or none.
pub type DropBatch = Vec<Opaque>;

/// How a drop stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum DropState {
    /// It waits for staff.
    #[n(1)]
    Waiting,
    /// A member of staff adopted it.
    #[n(2)]
    Adopted,
    /// A member of staff declined it.
    #[n(3)]
    Declined,
}

impl DropState {
    /// The number on the wire and in stores.
    pub const fn number(self) -> u8 {
        match self {
            Self::Waiting => 1,
            Self::Adopted => 2,
            Self::Declined => 3,
        }
    }

    /// The state with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Waiting,
            2 => Self::Adopted,
            3 => Self::Declined,
            _ => return None,
        })
    }
}

/// One waiting drop: `[number, received_at, drop envelope]`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DropRow {
    /// Its number at this server: what to ask after next.
    #[n(0)]
    pub number: u64,
    /// When the server took it.
    #[n(1)]
    pub received_at: TimestampMs,
    /// Canonical bytes of the drop envelope.
    #[n(2)]
    pub dropped: Opaque,
}

/// Answer of `GET /v1/drop`: drops that wait in the caller's charts, by number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DropPage {
    /// The drops.
    #[n(0)]
    pub rows: Vec<DropRow>,
    /// Whether there are more after the last row.
    #[n(1)]
    pub more: bool,
}

/// Body of `POST /v1/drop/state`: what staff did with a drop. The chart's entries say so too; this
/// only takes it off the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DropStateChange {
    /// The chart.
    #[n(0)]
    pub chart: ChartId,
    /// The device that handed the entry over.
    #[n(1)]
    pub device: DeviceId,
    /// The entry.
    #[n(2)]
    pub entry: EntryId,
    /// Adopted or declined.
    #[n(3)]
    pub state: DropState,
}

/// Answer of `GET /v1/devices/{device}/revocation`: a piece of the membership log, as that device
/// could have read it, which ends with the newest entry that revokes or wipes it; and what ties the
/// end of the piece to a cosigned head. The device judges all of it by its own pinned root.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RevocationProof {
    /// Where the newest such entry stands.
    #[n(0)]
    pub index: u64,
    /// The piece reaches to here; when that is not beyond `index`, ask again from here.
    #[n(1)]
    pub to: u64,
    /// The leaves from the size that was asked for, 48 bytes each.
    #[n(2)]
    pub leaves: Opaque,
    /// The entries among them that concern the device.
    #[n(3)]
    pub entries: Vec<MlogRow>,
    /// The proof that the head of `note` extends the log of size `index + 1`.
    #[n(4)]
    pub consistency: Vec<TreeRoot>,
    /// A cosigned head, as text.
    #[n(5)]
    pub note: Opaque,
}

#[cfg(test)]
mod tests {
    use super::*;
    use ward_id::Canonical;

    #[test]
    fn a_state_is_one_integer() {
        for number in 0..=9u8 {
            let state = DropState::from_number(number);
            assert_eq!(DropState::from_canonical(&[number]).ok(), state);
            assert_eq!(state.map(DropState::number), state.map(|_| number));
        }
    }

    #[test]
    fn pages_and_changes_are_the_maps_of_the_protocol() {
        let row = DropRow { number: 3, received_at: TimestampMs(9), dropped: Opaque(vec![5]) };
        let page = DropPage { rows: vec![row], more: true };
        assert_eq!(page.to_canonical(), [0xa2, 0, 0x81, 0x83, 3, 9, 0x41, 5, 1, 0xf5]);
        assert_eq!(DropPage::from_canonical(&page.to_canonical()), Ok(page));
        let change = DropStateChange {
            chart: ChartId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            entry: EntryId::from_bytes([3; 32]),
            state: DropState::Declined,
        };
        let bytes = change.to_canonical();
        assert_eq!((&bytes[..3], bytes.last()), (&[0xa4, 0, 0x50][..], Some(&3)));
        assert_eq!(DropStateChange::from_canonical(&bytes), Ok(change));
    }
}
