//! Payload of a staff device that says what it has opened.

use super::PayloadError;
use crate::limits::OPENED_CHAINS_MAX;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_id::{DeviceId, EntryId, Incarnation};

/// How far one chain was opened: the newest entry that was verified and decrypted, and by the chain
/// all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct OpenedChain {
    /// Whose chain.
    #[n(0)]
    pub device: DeviceId,
    /// Which life of the store.
    #[n(1)]
    pub incarnation: Incarnation,
    /// The place.
    #[n(2)]
    pub seq: u64,
    /// The entry there.
    #[n(3)]
    pub entry: EntryId,
}

/// A device of staff opened entries: how far each chain, where that changed since it last said so.
///
/// It says that the device holds, verified and decrypted them; not that a person has read them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Opened {
    /// The chains, each once, sorted.
    #[n(0)]
    pub chains: Vec<OpenedChain>,
}

impl Opened {
    pub(super) fn check(&self) -> Result<(), PayloadError> {
        if self.chains.is_empty() || self.chains.len() > OPENED_CHAINS_MAX {
            return Err(PayloadError::Size("the list of opened chains"));
        }
        let key = |chain: &OpenedChain| (chain.device, chain.incarnation);
        if !self.chains.is_sorted_by(|a, b| key(a) < key(b)) {
            return Err(PayloadError::Contradiction("each opened chain stands once, in order"));
        }
        if self.chains.iter().any(|chain| chain.seq == 0) {
            return Err(PayloadError::Contradiction("places of a chain are counted from 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(device: u8, incarnation: u64, seq: u64) -> OpenedChain {
        let (device, entry) = (DeviceId::from_bytes([device; 16]), EntryId::from_bytes([1; 32]));
        OpenedChain { device, incarnation: Incarnation(incarnation), seq, entry }
    }

    #[test]
    fn each_chain_stands_once_in_order_and_there_is_at_least_one() {
        let check = |chains: Vec<OpenedChain>| Opened { chains }.check();
        assert_eq!(check(vec![chain(1, 1, 1), chain(1, 2, 1), chain(2, 1, 9)]), Ok(()));
        assert!(check(vec![]).is_err());
        assert!(check(vec![chain(1, 1, 1), chain(1, 1, 2)]).is_err());
        assert!(check(vec![chain(2, 1, 1), chain(1, 1, 1)]).is_err());
        assert!(check(vec![chain(1, 1, 0)]).is_err());
        let many = |count: u64| (1..=count).map(|number| chain(1, number, 1)).collect::<Vec<_>>();
        assert_eq!(check(many(OPENED_CHAINS_MAX as u64)), Ok(()));
        assert!(check(many(OPENED_CHAINS_MAX as u64 + 1)).is_err());
    }
}
