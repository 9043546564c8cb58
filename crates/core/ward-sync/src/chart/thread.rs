//! Threads: the writes of one register, or one record with its amendments, with what was decided
//! about them and whether they were declared void.
//!
//! A write names the writes that its author saw and replaces. What nothing replaces is a
//! *candidate*. Candidates that are not one value are a conflict: all are shown and none is chosen,
//! until a decision names all of them (`settle`).

use super::authority::Author;
use super::held::Arrival;
use super::place::Place;
use super::value::Value;
use crate::entry::SignedEntry;
use crate::kind::EntryKind;
use crate::payload::Void;
use crate::study_schema::MergeClass;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Ordering;
use ward_id::{EntryId, TimestampMs};

/// A value with who wrote it and how it came here.
#[derive(Debug, PartialEq, Eq)]
pub struct Written<'a, P> {
    /// What was written; for a decision, what holds by it.
    pub value: &'a P,
    /// The entry that says so.
    pub entry: &'a SignedEntry,
    /// Who wrote it.
    pub author: Author,
    /// When and where it arrived.
    pub arrival: Arrival,
    /// The entry that carries it, if staff adopted it.
    pub carried_by: Option<EntryId>,
    /// Whether its device signed two histories at or before this place.
    pub forked: bool,
}

impl<P> Clone for Written<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Written<'_, P> {}

impl<'a, P> Written<'a, P> {
    /// The entry's name.
    pub const fn id(&self) -> EntryId {
        self.entry.id()
    }

    /// When the author's clock says that it was written.
    pub const fn captured_at(&self) -> TimestampMs {
        self.entry.body().captured_at
    }

    /// The order that is the same on every device: causes come before effects.
    pub const fn order(&self) -> (u64, EntryId) {
        (self.entry.body().lamport, self.entry.id())
    }

    /// Whether somebody decided so between values that contradicted each other.
    pub fn is_decision(&self) -> bool {
        self.entry.body().kind == EntryKind::RESOLVE
    }

    /// The same entry with something else that it says.
    pub(super) const fn saying<Q>(&self, value: &'a Q) -> Written<'a, Q> {
        let Self { entry, author, arrival, carried_by, forked, .. } = *self;
        Written { value, entry, author, arrival, carried_by, forked }
    }
}

/// What a field amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldState<'t, 'a, P> {
    /// Nothing was written.
    Empty,
    /// One value holds.
    Value(&'t Written<'a, P>),
    /// Several values hold together, for the study schema says that they add up.
    Union(Vec<&'t Written<'a, P>>),
    /// It was declared void and nobody took that back.
    Voided(&'t Written<'a, Void>),
    /// Nobody has chosen.
    Conflict(Conflict<'t, 'a, P>),
}

/// Values that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict<'t, 'a, P> {
    /// The values, each once, in the order in which they were written.
    pub values: Vec<&'t Written<'a, P>>,
    /// Who says that none of them holds.
    pub voids: Vec<&'t Written<'a, Void>>,
    /// The worst of the values, where the study schema asks for it and it can be told.
    pub worst: Option<&'t Written<'a, P>>,
}

/// What follows from a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derived<T> {
    /// There is nothing it could follow from.
    Nothing,
    /// It follows from this.
    From(T),
    /// Nobody has chosen what it follows from: it is not known, and must not pass for normal.
    Indeterminate,
}

/// The writes of one register, or one record with its amendments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread<'a, P> {
    /// What nothing replaces, in order. Whether these contradict each other says
    /// [`Thread::is_conflict`]: two may say the same.
    pub current: Vec<Written<'a, P>>,
    /// What was replaced or amended, oldest first.
    pub past: Vec<Written<'a, P>>,
    /// Who says that the record does not hold, as far as nothing replaces that.
    pub voids: Vec<Written<'a, Void>>,
    /// Declarations that were taken back.
    pub past_voids: Vec<Written<'a, Void>>,
    /// How its values merge.
    pub class: MergeClass,
    /// Candidates that are one value with an earlier one (`settle`).
    pub(super) repeats: BTreeSet<EntryId>,
}

impl<'a, P: Value> Thread<'a, P> {
    /// What the field amounts to.
    pub fn state(&self) -> FieldState<'_, 'a, P> {
        let (values, voids) = (self.values(), self.own(&self.voids));
        match (values.as_slice(), voids.as_slice()) {
            ([], []) => FieldState::Empty,
            ([], [void]) => FieldState::Voided(void),
            ([only], []) => FieldState::Value(only),
            (_, []) if self.class.effective() == MergeClass::UNION => FieldState::Union(values),
            _ => {
                let worst = if voids.is_empty() { self.worst(&values) } else { None };
                FieldState::Conflict(Conflict { values, voids, worst })
            }
        }
    }

    /// What follows from the field, where one value is needed.
    pub fn derived(&self) -> Derived<&Written<'a, P>> {
        match self.state() {
            FieldState::Empty | FieldState::Voided(_) => Derived::Nothing,
            FieldState::Value(value) => Derived::From(value),
            FieldState::Conflict(Conflict { worst: Some(worst), .. }) => Derived::From(worst),
            FieldState::Conflict(_) | FieldState::Union(_) => Derived::Indeterminate,
        }
    }

    /// The current values, each once: of several who made the same of one state, and of decisions that
    /// agree, the first.
    pub fn values(&self) -> Vec<&Written<'a, P>> {
        self.own(&self.current)
    }

    fn own<'t, Q>(&self, candidates: &'t [Written<'a, Q>]) -> Vec<&'t Written<'a, Q>> {
        candidates.iter().filter(|candidate| !self.repeats.contains(&candidate.id())).collect()
    }

    fn worst<'t>(&self, values: &[&'t Written<'a, P>]) -> Option<&'t Written<'a, P>> {
        if self.class.effective() != MergeClass::WORST_CASE {
            return None;
        }
        let (first, rest) = values.split_first()?;
        rest.iter().try_fold(*first, |worst, one| {
            let order = one.value.compare_worse(worst.value)?;
            Some(if order == Ordering::Greater { *one } else { worst })
        })
    }

    /// Whether a person must choose.
    pub fn is_conflict(&self) -> bool {
        matches!(self.state(), FieldState::Conflict(_))
    }

    /// Whether it was declared void, and nobody says otherwise.
    pub fn is_voided(&self) -> bool {
        matches!(self.state(), FieldState::Voided(_))
    }

    /// The one current value; `None` in a conflict.
    pub fn single(&self) -> Option<&Written<'a, P>> {
        match self.state() {
            FieldState::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The names of all candidates: what the next write replaces or, in a conflict, a decision names.
    pub fn current_ids(&self) -> Vec<EntryId> {
        self.current.iter().map(Written::id).chain(self.voids.iter().map(Written::id)).collect()
    }

    /// The first write.
    pub fn first(&self) -> Option<&Written<'a, P>> {
        self.past.iter().chain(&self.current).min_by_key(|written| written.order())
    }

    /// Every version that was ever written, oldest first.
    pub fn versions(&self) -> Vec<&Written<'a, P>> {
        let mut out: Vec<&Written<'a, P>> = self.past.iter().chain(&self.current).collect();
        out.sort_by_key(|written| written.order());
        out
    }

    pub(super) fn note_places(&self, places: &mut BTreeMap<EntryId, Place>) {
        let current = if self.is_conflict() { Place::InConflict } else { Place::Visible };
        places.extend(self.current.iter().map(|written| (written.id(), current)));
        places.extend(self.voids.iter().map(|written| (written.id(), current)));
        places.extend(self.past.iter().map(|written| (written.id(), Place::Superseded)));
        places.extend(self.past_voids.iter().map(|written| (written.id(), Place::Superseded)));
    }
}
