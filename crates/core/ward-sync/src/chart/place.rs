//! Where an entry ends up in the view. Every entry has exactly one place, so that nothing is lost
//! in silence.

use crate::payload::PayloadError;
use ward_id::EntryId;

/// Why an entry is kept aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuarantineReason {
    /// Its device has no certificate in this chart.
    NoCertificate,
    /// Its device was lost before the entry arrived: staff may adopt it.
    ToBeAdopted,
    /// Its device was not trusted any more when the entry arrived.
    Severed,
    /// It does not continue the entry that it names as the one before.
    BrokenChain,
    /// Its answers are bound to an instrument that is kept aside itself.
    InstrumentAside,
    /// It was taken over, and the value that it decided for was declined.
    ChosenDeclined,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is part of what the chart shows.
    Visible,
    /// A later entry replaces or amends it; it is part of the trail.
    Superseded,
    /// It is one of several current values: a person must choose.
    InConflict,
    /// It waits for entries that are not here.
    Parked,
    /// It is kept aside.
    Quarantined(QuarantineReason),
    /// It needs a newer app.
    UnknownKind,
    /// Its payload breaks the rules of its kind.
    Invalid(PayloadError),
    /// Its author's role may not write this.
    NotPermitted,
}

impl Place {
    /// Whether the entry is part of what the chart shows or showed.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(self, Self::Visible | Self::Superseded | Self::InConflict)
    }
}

/// How many entries stand where. The places add up to the total, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accounting {
    /// All entries, carried ones that did not arrive on their own among them.
    pub total: usize,
    /// See [`Place::Visible`].
    pub visible: usize,
    /// See [`Place::Superseded`].
    pub superseded: usize,
    /// See [`Place::InConflict`].
    pub in_conflict: usize,
    /// See [`Place::Parked`].
    pub parked: usize,
    /// See [`Place::Quarantined`].
    pub quarantined: usize,
    /// See [`Place::UnknownKind`].
    pub unknown_kind: usize,
    /// See [`Place::Invalid`].
    pub invalid: usize,
    /// See [`Place::NotPermitted`].
    pub not_permitted: usize,
}

impl Accounting {
    pub(super) fn count<'a>(total: usize, places: impl Iterator<Item = (&'a EntryId, &'a Place)>) -> Self {
        let mut out = Self { total, ..Self::default() };
        for (_, place) in places {
            *match place {
                Place::Visible => &mut out.visible,
                Place::Superseded => &mut out.superseded,
                Place::InConflict => &mut out.in_conflict,
                Place::Parked => &mut out.parked,
                Place::Quarantined(_) => &mut out.quarantined,
                Place::UnknownKind => &mut out.unknown_kind,
                Place::Invalid(_) => &mut out.invalid,
                Place::NotPermitted => &mut out.not_permitted,
            } += 1;
        }
        out
    }

    /// Whether the places add up to the total.
    pub const fn balances(&self) -> bool {
        self.total
            == self.visible
                + self.superseded
                + self.in_conflict
                + self.parked
                + self.quarantined
                + self.unknown_kind
                + self.invalid
                + self.not_permitted
    }
}
