//! An entry as the chart holds it.

use crate::entry::SignedEntry;
use crate::limits::{CARRIES_NESTED_MAX, READER_LEVEL};
use crate::payload::{CarryReason, Decoded, Payload};
use alloc::boxed::Box;
use ward_id::{EntryId, TimestampMs};

/// Where and when an entry arrived at the server; nothing for one that was not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrival {
    /// The place of its envelope in the operation log, as the server says
    /// ([`Chart::prove`](super::Chart::prove)).
    pub olog_index: Option<u64>,
    /// When the server first took it, as the server says.
    pub received_at: Option<TimestampMs>,
    /// When it took it at that place: later than the first time, if the log was opened again between.
    placed_at: Option<TimestampMs>,
    /// The size of the membership log under which its author sealed it, as the envelope says that bears
    /// the author's signature; the smallest one, where it came more than once. Not known of what came
    /// without its envelope.
    pub sealed_at: Option<u64>,
}

impl Arrival {
    /// Not sent yet.
    pub const UNSENT: Self = Self { olog_index: None, received_at: None, placed_at: None, sealed_at: None };

    /// At this place and time.
    pub const fn at(olog_index: u64, received_at: TimestampMs) -> Self {
        let at = Some(received_at);
        Self { olog_index: Some(olog_index), received_at: at, placed_at: at, sealed_at: None }
    }

    /// At this time, at a place of a log that ended.
    pub const fn in_ended_log(received_at: TimestampMs) -> Self {
        Self { olog_index: None, received_at: Some(received_at), placed_at: None, sealed_at: None }
    }

    /// The same, sealed under a membership log of this size.
    #[must_use]
    pub const fn sealed_under(self, mlog_size: Option<u64>) -> Self {
        Self { sealed_at: mlog_size, ..self }
    }

    /// The place in the log that counts with the time that belongs to it: what every device is told alike.
    pub(super) fn placed(self) -> Option<(u64, TimestampMs)> {
        self.olog_index.zip(self.placed_at)
    }

    /// The earlier of two: the first envelope of an entry is the one that counts. Without a place
    /// the time may be known still, of a log that was opened again since.
    pub(super) fn earlier(self, other: Self) -> Self {
        let received_at = self.received_at.into_iter().chain(other.received_at).min();
        let first = match (self.olog_index, other.olog_index) {
            (None, _) => other,
            (Some(a), Some(b)) if b < a => other,
            _ => self,
        };
        let sealed_at = self.sealed_at.into_iter().chain(other.sealed_at).min();
        Self { received_at, sealed_at, ..first }
    }
}

/// An entry whose payload was decoded, ready for a chart: reading needs no chart, so it can be done on
/// any core.
#[derive(Debug, Clone)]
pub struct ReadEntry {
    pub(super) held: Held,
    /// Of which level the app is that read it.
    pub(super) level: u64,
}

impl ReadEntry {
    /// Reads an entry as this version does.
    pub fn new(entry: SignedEntry) -> Self {
        Self::at_level(entry, READER_LEVEL)
    }

    pub(super) fn at_level(entry: SignedEntry, level: u64) -> Self {
        Self { held: Held::new(entry, Arrival::UNSENT, level), level }
    }

    /// The entry.
    pub const fn entry(&self) -> &SignedEntry {
        &self.held.entry
    }

    /// The entry, without what was read of it.
    pub fn into_entry(self) -> SignedEntry {
        self.held.entry
    }
}

/// An entry with its decoded payload and, if it carries another, that one too.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) entry: SignedEntry,
    pub(super) payload: Decoded,
    pub(super) arrival: Arrival,
    /// The carried entry; its signature is checked when the chart is viewed, for that takes the
    /// certificate of its author.
    pub(super) carried: Option<Box<Held>>,
}

impl Held {
    /// An entry as an app of a level reads it.
    pub(super) fn new(entry: SignedEntry, arrival: Arrival, level: u64) -> Self {
        Self::nested(entry, arrival, level, CARRIES_NESTED_MAX)
    }

    /// An entry with what it carries, and what that carries: a carry can have been carried itself,
    /// because the device that wrote it could not send it any more.
    fn nested(entry: SignedEntry, arrival: Arrival, level: u64, carries: u8) -> Self {
        let payload = read(&entry, level);
        let carried = match (&payload, carries.checked_sub(1)) {
            (Decoded::Known(Payload::Carry(carry)), Some(below)) if carry.why != CarryReason::Transfer => {
                carry
                    .entry()
                    .filter(|inner| is_of_the_same_chart(inner, &entry))
                    .map(|inner| Box::new(Self::nested(inner, Arrival::UNSENT, level, below)))
            }
            _ => None,
        };
        Self { entry, payload, arrival, carried }
    }

    /// Entries that must be known before this one is shown.
    pub(super) fn causes(&self) -> impl Iterator<Item = EntryId> + '_ {
        let body = self.entry.body();
        let named = match &self.payload {
            Decoded::Known(payload) => payload.names(),
            _ => &[],
        };
        let chained = self.entry.frame().prev.into_iter().chain(body.amends);
        chained.chain(body.deps.iter().copied()).chain(named.iter().copied())
    }
}

fn is_of_the_same_chart(inner: &SignedEntry, outer: &SignedEntry) -> bool {
    inner.frame().site == outer.frame().site && inner.frame().chart == outer.frame().chart
}

fn read(entry: &SignedEntry, level: u64) -> Decoded {
    if entry.body().kind.since_level() > level { Decoded::Unknown } else { entry.body().decode_payload() }
}
