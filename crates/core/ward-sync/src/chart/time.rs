//! When an entry was written: what its author claims, what bounds the claim, and whether they
//! agree. A claim that does not fit is marked; it changes no value, no order and no delivery.
//!
//! Two kinds of bounds. The **server's word**: an entry was written after those of others that its
//! author had seen arrived, and before it arrived itself. The **witnesses' word**, which the server
//! cannot forge alone: an entry that names a head of the operation log was written after the
//! witnesses had signed a shorter one, and an entry that is proved to stand below a head was
//! written before that head was signed.

use super::view::{ChartView, TimelineItem};
use crate::entry::SignedEntry;
use crate::limits::CLAIM_TOLERANCE_MS;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use ward_id::{EntryId, TimestampMs};

/// Heads of the operation log that a device verified, with the times that a quorum of witnesses
/// attested. Bounds follow from it only where any two quorums share a witness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WitnessedHeads {
    /// By size: the earliest and the latest attested time.
    heads: BTreeMap<u64, (TimestampMs, TimestampMs)>,
}

impl WitnessedHeads {
    /// None yet.
    pub const fn new() -> Self {
        Self { heads: BTreeMap::new() }
    }

    /// A verified head of this size bears this time.
    pub fn note(&mut self, size: u64, attested_at: TimestampMs) {
        let (first, last) = self.heads.entry(size).or_insert((attested_at, attested_at));
        *first = attested_at.min(*first);
        *last = attested_at.max(*last);
    }

    /// All of them: size, earliest and latest attested time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, TimestampMs, TimestampMs)> + '_ {
        self.heads.iter().map(|(size, (first, last))| (*size, *first, *last))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Keeps at most `max` of them: every second of the older half goes until they fit. Bounds from
    /// fewer heads are wider, never wrong.
    pub fn thin(&mut self, max: usize) {
        while self.heads.len() > max {
            let older: Vec<u64> = self.heads.keys().take(self.heads.len() / 2).copied().collect();
            let before = self.heads.len();
            older.iter().skip(1).step_by(2).for_each(|size| {
                self.heads.remove(size);
            });
            if self.heads.len() == before {
                self.heads.pop_first();
            }
        }
    }

    /// A time after which a head of this size was signed: a witness signs no shorter head after a
    /// longer one. Heads of the same size prove nothing, for they are signed again and again.
    fn signed_after(&self, size: u64) -> Option<TimestampMs> {
        self.heads.range(..size).map(|(_, (_, last))| *last).max()
    }

    /// A time by which the leaf at this index stood in the log.
    fn stood_by(&self, index: u64) -> Option<TimestampMs> {
        self.heads.range(index.saturating_add(1)..).map(|(_, (first, _))| *first).min()
    }
}

/// What does not fit about a claimed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeFault {
    /// It lies before something arrived that the author had seen.
    BeforeWhatWasSeen,
    /// It lies after the entry arrived.
    AfterArrival,
    /// It lies before the witnesses had signed a head shorter than one that the author had seen.
    BeforeWitnesses,
    /// It lies after the witnesses had signed a head over the entry.
    AfterWitnesses,
    /// Since the entry before, in one boot of the device, the wall clock went further than the
    /// monotonic clock by this much, or less far if it is negative: somebody set the clock.
    ClockMoved {
        /// By how much.
        by_ms: i64,
    },
    /// The server says that the entry arrived before something that its author had seen: the
    /// server's times contradict each other, not the author's.
    ReceiptsContradict,
}

/// Whether a claimed time fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeClaim {
    /// Nothing bounds it yet.
    Unbounded,
    /// It fits what is known.
    Plausible,
    /// It does not fit: the author's clock was wrong, or the author was, or the server.
    Suspect,
}

/// Who bounds a claimed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundedBy {
    /// Nobody yet.
    Nobody,
    /// The server alone: its word.
    Server,
    /// The witnesses, with or without the server.
    Witnesses,
}

/// What is known of when an entry was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryTime<'a> {
    /// What the author's clock said.
    pub claimed: TimestampMs,
    /// The newest arrival among what the author had seen of others, as the server says.
    pub earliest: Option<TimestampMs>,
    /// When the entry arrived, as the server says.
    pub latest: Option<TimestampMs>,
    /// The witnesses say that it was written after this.
    pub witnessed_after: Option<TimestampMs>,
    /// The witnesses say that it was written before this.
    pub witnessed_before: Option<TimestampMs>,
    /// What does not fit.
    pub faults: Vec<TimeFault>,
    /// The time zone of the entry before, where it was another one.
    pub zone_before: Option<&'a str>,
}

impl EntryTime<'_> {
    /// Whether the claim fits.
    pub const fn claim(&self) -> TimeClaim {
        match (self.is_suspect(), self.bounded_by()) {
            (true, _) => TimeClaim::Suspect,
            (false, BoundedBy::Nobody) => TimeClaim::Unbounded,
            (false, _) => TimeClaim::Plausible,
        }
    }

    /// Whether something does not fit.
    pub const fn is_suspect(&self) -> bool {
        !self.faults.is_empty()
    }

    /// Who bounds it.
    pub const fn bounded_by(&self) -> BoundedBy {
        if self.witnessed_after.is_some() || self.witnessed_before.is_some() {
            BoundedBy::Witnesses
        } else if self.earliest.is_some() || self.latest.is_some() {
            BoundedBy::Server
        } else {
            BoundedBy::Nobody
        }
    }

    /// Whether the claim lies outside its bounds, whatever the device's own clockwork says.
    pub fn is_outside_bounds(&self) -> bool {
        self.counted_at() != self.claimed
    }

    /// The time that counts where a day decides: the claim, or the nearest bound if the claim lies
    /// outside by more than the tolerance. Where the server's word contradicts itself, only that of
    /// the witnesses counts.
    pub fn counted_at(&self) -> TimestampMs {
        let (mut after, mut before) =
            (self.earliest.max(self.witnessed_after), sooner(self.latest, self.witnessed_before));
        if after.zip(before).is_some_and(|(after, before)| after > before) {
            (after, before) = (self.witnessed_after, self.witnessed_before);
        }
        match (after, before) {
            (Some(after), _) if is_before(self.claimed, after) => after,
            (_, Some(before)) if is_before(before, self.claimed) => before,
            _ => self.claimed,
        }
    }
}

fn sooner(one: Option<TimestampMs>, other: Option<TimestampMs>) -> Option<TimestampMs> {
    one.into_iter().chain(other).min()
}

/// Whether an instant lies before another by more than the tolerance.
fn is_before(one: TimestampMs, other: TimestampMs) -> bool {
    one < other.plus_ms(-CLAIM_TOLERANCE_MS)
}

/// When each entry of a chart was written, as far as it is known. Adopted entries and those kept
/// aside are among them.
#[derive(Debug, Clone)]
pub struct ChartTimes<'a> {
    times: BTreeMap<EntryId, EntryTime<'a>>,
}

impl<'a> ChartTimes<'a> {
    /// By the server's word and the devices' own clockwork.
    pub fn of_receipts(view: &ChartView<'a>) -> Self {
        Self::of(view, &BTreeMap::new(), &WitnessedHeads::new())
    }

    /// With the witnesses' word: `proved` are the places of entries that were proved under a
    /// verified head ([`Chart::proved_chains`](super::Chart::proved_chains)).
    pub fn of(view: &ChartView<'a>, proved: &BTreeMap<EntryId, u64>, heads: &WitnessedHeads) -> Self {
        let items: BTreeMap<EntryId, &TimelineItem<'a>> =
            view.timeline().iter().map(|item| (item.entry.id(), item)).collect();
        let mut times: BTreeMap<EntryId, EntryTime<'a>> = BTreeMap::new();
        // Causes come before effects in the timeline. A device that lies about its logical clock
        // makes the bounds of its own entries wider.
        for item in view.timeline() {
            let (earliest, mut witnessed_after) = after_causes(item.entry, &items, &times);
            let body = item.entry.body();
            witnessed_after = witnessed_after.max(body.olog.and_then(|head| heads.signed_after(head.size)));
            let carrier = item.carried_by.and_then(|carrier| items.get(&carrier));
            let carried_at = carrier.and_then(|carrier| carrier.arrival.received_at);
            let prev = item.entry.frame().prev.and_then(|prev| items.get(&prev));
            let mut time = EntryTime {
                claimed: body.captured_at,
                earliest,
                latest: item.arrival.received_at.or(carried_at),
                witnessed_after,
                witnessed_before: proved.get(&item.entry.id()).and_then(|index| heads.stood_by(*index)),
                faults: Vec::new(),
                zone_before: prev
                    .map(|prev| prev.entry.body().zone.as_str())
                    .filter(|zone| *zone != body.zone.as_str()),
            };
            time.faults = faults(&time, prev.and_then(|prev| clock_moved_ms(prev.entry, item.entry)));
            times.insert(item.entry.id(), time);
        }
        Self { times }
    }

    /// What is known of one entry.
    pub fn get(&self, entry: EntryId) -> Option<&EntryTime<'a>> {
        self.times.get(&entry)
    }

    /// How many claims do not fit.
    pub fn suspects(&self) -> usize {
        self.times.values().filter(|time| time.is_suspect()).count()
    }
}

/// The lower bounds that follow from what the author had seen, directly or through another.
///
/// What the same device wrote before bounds nothing by its own arrival: two entries that were written
/// without a network arrive together.
fn after_causes<'a>(
    entry: &SignedEntry,
    items: &BTreeMap<EntryId, &TimelineItem<'a>>,
    times: &BTreeMap<EntryId, EntryTime<'a>>,
) -> (Option<TimestampMs>, Option<TimestampMs>) {
    let (frame, body) = (entry.frame(), entry.body());
    let (mut arrived, mut witnessed) = (None, None);
    for cause in frame.prev.into_iter().chain(body.amends).chain(body.deps.iter().copied()) {
        if let Some(time) = times.get(&cause) {
            arrived = arrived.max(time.earliest);
            witnessed = witnessed.max(time.witnessed_after);
        }
        let of_another = items.get(&cause).filter(|item| item.entry.frame().device != frame.device);
        arrived = arrived.max(of_another.and_then(|item| item.arrival.received_at));
    }
    (arrived, witnessed)
}

/// By how much the wall clock went further than the monotonic clock between two entries of one
/// chain; nothing in another boot, where the two cannot be compared, and nothing within the
/// tolerance.
fn clock_moved_ms(before: &SignedEntry, after: &SignedEntry) -> Option<i64> {
    let (before, after) = (before.body(), after.body());
    if before.evidence.boot_id != after.evidence.boot_id {
        return None;
    }
    let wall_ms = i128::from(after.captured_at.0) - i128::from(before.captured_at.0);
    let monotonic_ms = i128::from(after.evidence.monotonic_ms) - i128::from(before.evidence.monotonic_ms);
    let by_ms = wall_ms - monotonic_ms;
    let limit = i128::from(CLAIM_TOLERANCE_MS);
    let clamped = by_ms.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    (by_ms > limit || by_ms < -limit).then(|| i64::try_from(clamped).unwrap_or(i64::MAX))
}

fn faults(time: &EntryTime<'_>, moved_ms: Option<i64>) -> Vec<TimeFault> {
    let before = |bound: Option<TimestampMs>| bound.is_some_and(|bound| is_before(time.claimed, bound));
    let after = |bound: Option<TimestampMs>| bound.is_some_and(|bound| is_before(bound, time.claimed));
    let contradict = time.earliest.zip(time.latest).is_some_and(|(after, before)| is_before(before, after));
    [
        before(time.earliest).then_some(TimeFault::BeforeWhatWasSeen),
        after(time.latest).then_some(TimeFault::AfterArrival),
        before(time.witnessed_after).then_some(TimeFault::BeforeWitnesses),
        after(time.witnessed_before).then_some(TimeFault::AfterWitnesses),
        moved_ms.map(|by_ms| TimeFault::ClockMoved { by_ms }),
        contradict.then_some(TimeFault::ReceiptsContradict),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: TimestampMs = TimestampMs(1_790_000_000_000);

    #[test]
    fn heads_bound_what_names_a_longer_one_and_what_stands_below() {
        let mut heads = WitnessedHeads::new();
        heads.note(10, T0);
        heads.note(10, T0.plus_ms(50));
        heads.note(20, T0.plus_ms(100));
        assert_eq!(heads.signed_after(10), None, "the same head is signed again and again");
        assert_eq!(heads.signed_after(11), Some(T0.plus_ms(50)));
        assert_eq!(heads.signed_after(21), Some(T0.plus_ms(100)));
        assert_eq!(heads.stood_by(9), Some(T0));
        assert_eq!(heads.stood_by(10), Some(T0.plus_ms(100)));
        assert_eq!(heads.stood_by(20), None);
    }

    #[test]
    fn fewer_heads_give_wider_bounds() {
        let mut heads = WitnessedHeads::new();
        (1..=9).for_each(|size| heads.note(size * 10, T0.plus_ms(i64::from(size as u8))));
        let all = heads.clone();
        heads.thin(4);
        assert!(heads.len() <= 4 && !heads.is_empty());
        for size in 0..100 {
            assert!(heads.signed_after(size) <= all.signed_after(size));
            assert!(heads.stood_by(size).is_none_or(|by| all.stood_by(size).is_some_and(|all| all <= by)));
        }
        assert!(heads.signed_after(95).is_some(), "the newest stays");
        let mut one = WitnessedHeads::new();
        one.note(1, T0);
        one.thin(0);
        assert!(one.is_empty());
    }

    fn time(claimed: i64, earliest: Option<i64>, latest: Option<i64>) -> EntryTime<'static> {
        EntryTime {
            claimed: T0.plus_ms(claimed),
            earliest: earliest.map(|ms| T0.plus_ms(ms)),
            latest: latest.map(|ms| T0.plus_ms(ms)),
            witnessed_after: None,
            witnessed_before: None,
            faults: Vec::new(),
            zone_before: None,
        }
    }

    #[test]
    fn the_nearest_bound_counts_where_the_claim_lies_outside_and_the_claim_elsewhere() {
        let hour = 3_600_000;
        assert_eq!(time(0, None, None).counted_at(), T0);
        assert_eq!(time(0, Some(-hour), Some(hour)).counted_at(), T0);
        assert_eq!(time(0, Some(hour), None).counted_at(), T0.plus_ms(hour));
        assert_eq!(time(0, None, Some(-hour)).counted_at(), T0.plus_ms(-hour));
        let edge = CLAIM_TOLERANCE_MS;
        assert_eq!(time(0, Some(edge), None).counted_at(), T0, "at the tolerance");
        assert_eq!(time(0, Some(edge + 1), None).counted_at(), T0.plus_ms(edge + 1), "one past it");
        assert_eq!(time(0, None, Some(-edge)).counted_at(), T0);
        assert_eq!(time(0, None, Some(-edge - 1)).counted_at(), T0.plus_ms(-edge - 1));
        assert_eq!(time(0, Some(9 * hour), Some(hour)).counted_at(), T0, "a contradiction bounds nothing");
        let witnessed =
            EntryTime { witnessed_after: Some(T0.plus_ms(2 * hour)), ..time(0, Some(9 * hour), Some(hour)) };
        assert_eq!(witnessed.counted_at(), T0.plus_ms(2 * hour));
    }
}
