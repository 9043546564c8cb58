//! Version vectors: what a replica holds of each device's chain, named by hash, so that a forked
//! device cannot pass for an honest one.

use crate::limits::VERSION_VECTOR_MAX_HEADS;
use crate::{DeviceId, EntryId};
use alloc::collections::BTreeMap;
use minicbor::{Decode, Encode};

/// One life of a device's local store: a random number, new after a restore or a clone.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Incarnation(#[n(0)] pub u64);

/// The newest entry held of one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
pub struct Head {
    /// Its place in the chain, counted from 1.
    #[n(0)]
    pub seq: u64,
    /// Its name.
    #[n(1)]
    pub entry: EntryId,
}

/// How two version vectors relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordering {
    /// Both hold the same.
    Equal,
    /// The left one lacks something that the right one holds.
    Before,
    /// The left one holds all of the right one and more.
    After,
    /// Each holds something the other lacks.
    Concurrent,
    /// Same place, different entry: one device signed two histories.
    Forked(DeviceId, Incarnation),
}

/// A version vector that cannot be taken. The sender must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionVectorError {
    /// More heads than [`VERSION_VECTOR_MAX_HEADS`].
    #[error("the version vector names more than {VERSION_VECTOR_MAX_HEADS} chains")]
    TooManyHeads,
}

/// For each (device, incarnation), the newest entry held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionVector {
    heads: BTreeMap<(DeviceId, Incarnation), Head>,
}

impl VersionVector {
    /// Holds nothing.
    pub const fn new() -> Self {
        Self { heads: BTreeMap::new() }
    }

    /// The newest entry held of one chain.
    pub fn head(&self, device: DeviceId, incarnation: Incarnation) -> Option<Head> {
        self.heads.get(&(device, incarnation)).copied()
    }

    /// Notes that the chain is held up to `head`; an older head changes nothing.
    ///
    /// # Errors
    /// [`VersionVectorError::TooManyHeads`] when a new chain would exceed the limit.
    pub fn observe(
        &mut self,
        device: DeviceId,
        incarnation: Incarnation,
        head: Head,
    ) -> Result<(), VersionVectorError> {
        let key = (device, incarnation);
        match self.heads.get(&key) {
            Some(known) if known.seq >= head.seq => return Ok(()),
            None if self.heads.len() >= VERSION_VECTOR_MAX_HEADS => {
                return Err(VersionVectorError::TooManyHeads);
            }
            _ => {}
        }
        self.heads.insert(key, head);
        Ok(())
    }

    /// Chains and heads, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (DeviceId, Incarnation, Head)> + '_ {
        self.heads.iter().map(|(&(device, incarnation), &head)| (device, incarnation, head))
    }

    /// How many chains are named.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// How this vector relates to another.
    pub fn compare(&self, other: &Self) -> Ordering {
        let (mut less, mut more) = (false, false);
        for (&(device, incarnation), mine) in &self.heads {
            match other.heads.get(&(device, incarnation)) {
                None => more = true,
                Some(theirs) if theirs.seq == mine.seq && theirs.entry != mine.entry => {
                    return Ordering::Forked(device, incarnation);
                }
                Some(theirs) => {
                    less |= mine.seq < theirs.seq;
                    more |= mine.seq > theirs.seq;
                }
            }
        }
        less |= other.heads.keys().any(|key| !self.heads.contains_key(key));
        match (less, more) {
            (false, false) => Ordering::Equal,
            (true, false) => Ordering::Before,
            (false, true) => Ordering::After,
            (true, true) => Ordering::Concurrent,
        }
    }
}

impl<C> Encode<C> for VersionVector {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(self.heads.len() as u64)?;
        for ((device, incarnation), head) in &self.heads {
            e.array(4)?;
            device.encode(e, ctx)?;
            incarnation.encode(e, ctx)?;
            e.u64(head.seq)?;
            head.entry.encode(e, ctx)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for VersionVector {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let count = d.array()?.ok_or_else(|| minicbor::decode::Error::message("indefinite length"))?;
        if count > VERSION_VECTOR_MAX_HEADS as u64 {
            return Err(minicbor::decode::Error::message("too many heads"));
        }
        let mut heads = BTreeMap::new();
        for _ in 0..count {
            if d.array()? != Some(4) {
                return Err(minicbor::decode::Error::message("a head has four parts"));
            }
            let key = (DeviceId::decode(d, ctx)?, Incarnation::decode(d, ctx)?);
            heads.insert(key, Head { seq: d.u64()?, entry: EntryId::decode(d, ctx)? });
        }
        Ok(Self { heads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Canonical;

    fn vector(heads: &[(u8, u64, u8)]) -> VersionVector {
        let mut out = VersionVector::new();
        for &(device, seq, entry) in heads {
            let head = Head { seq, entry: EntryId::from_bytes([entry; 32]) };
            out.observe(DeviceId::from_bytes([device; 16]), Incarnation(1), head).unwrap();
        }
        out
    }

    #[test]
    fn relations() {
        let a = vector(&[(1, 3, 3), (2, 1, 1)]);
        assert_eq!(a.compare(&a), Ordering::Equal);
        assert_eq!(a.compare(&vector(&[(1, 4, 4), (2, 1, 1)])), Ordering::Before);
        assert_eq!(a.compare(&vector(&[(1, 3, 3)])), Ordering::After);
        assert_eq!(a.compare(&vector(&[(1, 2, 2), (3, 1, 1)])), Ordering::Concurrent);
        let forked = Ordering::Forked(DeviceId::from_bytes([1; 16]), Incarnation(1));
        assert_eq!(a.compare(&vector(&[(1, 3, 9), (2, 1, 1)])), forked);
    }

    #[test]
    fn older_heads_change_nothing_and_bytes_are_canonical() {
        let mut a = vector(&[(1, 3, 3)]);
        let head = Head { seq: 2, entry: EntryId::from_bytes([2; 32]) };
        a.observe(DeviceId::from_bytes([1; 16]), Incarnation(1), head).unwrap();
        assert_eq!(a, vector(&[(1, 3, 3)]));
        assert_eq!(VersionVector::from_canonical(&a.to_canonical()), Ok(a));
    }

    #[test]
    fn at_the_limit_and_one_past() {
        let mut full = VersionVector::new();
        let head = Head { seq: 1, entry: EntryId::from_bytes([0; 32]) };
        for i in 0..VERSION_VECTOR_MAX_HEADS as u64 {
            full.observe(DeviceId::from_bytes([0; 16]), Incarnation(i), head).unwrap();
        }
        let past = full.observe(DeviceId::from_bytes([1; 16]), Incarnation(0), head);
        assert_eq!(past, Err(VersionVectorError::TooManyHeads));
        assert_eq!(VersionVector::from_canonical(&full.to_canonical()), Ok(full));
    }
}
