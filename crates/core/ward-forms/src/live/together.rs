//! Evaluates items that may wait for one another.
//!
//! They begin with nothing and are evaluated in the form's order, round by round, until nothing is left
//! that waits. So the result does not depend on what was answered before. If they never come to rest,
//! they wait for one another indeed: then nothing is calculated, and what only such an expression would
//! switch off is shown.

use super::place::{CalculatedPlace, PlaceId};
use super::result_answers::are_same;
use super::{Calculation, LiveForm};
use crate::compiled::{ExpressionFailure, Task, What};
use crate::limits::MAX_RESPONSE_ITEMS;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The places of a stratum in the order in which they are evaluated.
struct Round {
    order: Vec<PlaceId>,
    index_of: BTreeMap<PlaceId, usize>,
    /// Which of them wait, by their index.
    waiting: BTreeSet<usize>,
    /// As many rounds as the longest chain of them may need.
    most: usize,
}

impl LiveForm<'_> {
    pub(super) fn settle_together(&mut self, rank: usize) {
        if self.followed.is_some() && self.has_calculated(rank) {
            return self.take_over(rank);
        }
        let provisional = self.begin_with_nothing(rank);
        if let Err(failure) = self.rest(rank, Self::decide) {
            self.give_up(rank, &failure);
        }
        for id in provisional {
            let present = self.values(id);
            if let Some(calculation) = self.calculation_mut(id)
                && matches!(&calculation.result, Some(Ok(values)) if are_same(values, &present))
            {
                calculation.is_overridden = false;
            }
        }
        for id in self.calculated_of(rank) {
            self.unmask(id);
        }
        // What that has put in the queue of their own is done.
        self.take_waiting(rank);
    }

    /// Answers that wait for one another are calculated only where answers are written, and whether
    /// something is on may hang on how they came to rest there. So that is taken from there.
    fn take_over(&mut self, rank: usize) {
        let Some(followed) = self.followed.take() else { return };
        for id in self.places_of(rank) {
            let is_held = |live: &LiveForm<'_>, id: PlaceId| {
                let parent = live.places.get(id).and_then(|place| place.parent);
                parent.is_none_or(|parent| live.places.get(parent).is_some_and(|parent| parent.is_on))
            };
            let other = followed.find(&self.path(id)).filter(|other| {
                // Where the answers above are others, there is nothing to take.
                is_held(&followed, *other) == is_held(self, id)
            });
            match other.and_then(|other| followed.places.get(other)) {
                Some(other) => {
                    let failure = other.enable_failure.clone();
                    self.set_enabled(id, other.is_on, other.is_in_doubt, failure);
                }
                None => drop(self.settle_enabled(id)),
            }
        }
        self.take_waiting(rank);
        self.followed = Some(followed);
    }

    /// Where calculated answers came to no rest, there is nothing to compare with.
    pub(super) fn take_over_failures(&mut self) {
        let Some(followed) = self.followed.take() else { return };
        for id in self.order.clone() {
            if self.places.get(id).is_none_or(|place| place.calculation.is_none()) {
                continue;
            }
            let other = followed.find(&self.path(id)).and_then(|other| followed.places.get(other));
            let result = other.and_then(|other| other.calculation.as_ref()?.result.as_ref());
            if let (Some(Err(failure)), Some(calculation)) = (result, self.calculation_mut(id))
                && failure.is_unrest()
            {
                calculation.result = Some(Err(failure.clone()));
            }
        }
    }

    fn has_calculated(&self, rank: usize) -> bool {
        let is_calculated =
            |item: &usize| self.compiled.item(*item).is_some_and(|item| item.calculated.is_some());
        self.compiled.strata.get(rank).is_some_and(|stratum| stratum.items.iter().any(is_calculated))
    }

    /// Switches everything off and hides what was calculated. Returns the places whose stored answers
    /// may be a person's own; they stand until it is known.
    fn begin_with_nothing(&mut self, rank: usize) -> Vec<PlaceId> {
        for id in self.places_of(rank) {
            self.set_enabled(id, false, false, None);
        }
        let mut provisional = Vec::new();
        for id in self.calculated_of(rank) {
            let may_be_own = !self.is_locked(id)
                && self.places.get(id).is_some_and(|place| place.has_value && !place.is_known_calculated);
            let Some(calculation) = self.calculation_mut(id) else { continue };
            if calculation.is_fresh {
                calculation.is_fresh = false;
                calculation.is_overridden = may_be_own;
                provisional.extend(may_be_own.then_some(id));
            }
            if self.places.get(id).is_some_and(|place| !place.is_overridden()) {
                self.mask(id, true);
            }
        }
        provisional
    }

    /// Evaluates all places of a stratum in the form's order, and again what the evaluation of others has
    /// changed, until nothing waits.
    ///
    /// Each round settles at least one more link of the longest chain. So whatever waits after as many
    /// rounds as there are links waits for itself. Such a loop takes no more than half of the steps that
    /// are left, so that the rest of the form can be evaluated.
    fn rest(
        &mut self,
        rank: usize,
        mut decide: impl FnMut(&mut Self, usize, PlaceId),
    ) -> Result<(), ExpressionFailure> {
        let steps_to_leave = self.steps.left() / 2;
        self.take_waiting(rank);
        let mut round = self.begin_round(rank);
        let mut rounds = 0;
        while !round.waiting.is_empty() {
            if rounds >= round.most {
                return Err(ExpressionFailure::Loop);
            }
            rounds += 1;
            let mut next = 0;
            let mut is_grown = false;
            while let Some(index) = round.waiting.range(next..).next().copied() {
                if self.steps.left() < steps_to_leave {
                    return Err(ExpressionFailure::too_much_work());
                }
                round.waiting.remove(&index);
                next = index + 1;
                if let Some(id) = round.order.get(index) {
                    decide(self, rank, *id);
                }
                for id in self.take_waiting(rank) {
                    match round.index_of.get(&id) {
                        Some(index) => drop(round.waiting.insert(*index)),
                        None => is_grown = true,
                    }
                }
            }
            if is_grown {
                // What grows without end is a loop too: it gets no more rounds for having grown.
                round = Round { most: round.most, ..self.begin_round(rank) };
                if round.order.len() > MAX_RESPONSE_ITEMS {
                    return Err(ExpressionFailure::Loop);
                }
            }
        }
        Ok(())
    }

    fn begin_round(&self, rank: usize) -> Round {
        let order = self.places_of(rank);
        let index_of = order.iter().enumerate().map(|(index, id)| (*id, index)).collect();
        let items = self.compiled.strata.get(rank).map_or(&[][..], |stratum| stratum.items.as_slice());
        let of_items = items.iter().filter(|item| self.is_decided(**item)).count();
        let of_places = order.iter().filter_map(|id| self.places.get(*id));
        let of_places = of_places.filter(|place| self.is_decided(place.item)).count();
        // Items below calculated answers have no places yet.
        let decided = of_items + of_places;
        // Whether it is on is one link of a chain, its answer another.
        let most = 2 * decided + 2;
        Round { waiting: (0..order.len()).collect(), order, index_of, most }
    }

    /// Whether more than the item that holds it decides about an item.
    fn is_decided(&self, item: usize) -> bool {
        let compiled = self.compiled.item(item);
        let has_formula = compiled.is_some_and(|item| item.enable.is_some() || item.calculated.is_some());
        has_formula || self.form.items().get(item).is_some_and(|item| !item.conditions.is_empty())
    }

    /// Takes what waits of a stratum out of the queue.
    fn take_waiting(&mut self, rank: usize) -> Vec<PlaceId> {
        let of_rank = (rank, What::Enable, 0)..(rank + 1, What::Enable, 0);
        let mut taken = Vec::new();
        while let Some(waiting) = self.waiting.range(of_rank.clone()).next().copied() {
            self.waiting.remove(&waiting);
            taken.push(waiting.2);
        }
        taken
    }

    fn decide(&mut self, rank: usize, id: PlaceId) {
        self.settle_enabled(id);
        // It is calculated right here.
        self.waiting.remove(&(rank, What::Calculate, id));
        if self.calculation == Calculation::Follow {
            self.settle_masked(id);
        }
    }

    /// Calculates an answer without taking away what is nested under the one before.
    fn settle_masked(&mut self, id: PlaceId) {
        let Some(place) = self.places.get(id).filter(|place| place.calculation.is_some()) else { return };
        let (item, is_overridden) = (place.item, place.is_overridden());
        let is_due = place.is_on && !place.is_optional;
        let result = if is_due { self.calculate(item, id) } else { None };
        let wanted = match &result {
            Some(Ok(values)) => values.clone(),
            _ => Vec::new(),
        };
        let has_failed = matches!(result, Some(Err(_)));
        let Some(calculation) = self.calculation_mut(id) else { return };
        calculation.result = result;
        if is_overridden {
            return;
        }
        if wanted.is_empty() {
            return self.mask(id, !self.is_kept(id, has_failed));
        }
        if !are_same(&self.values(id), &wanted) {
            self.set_values(id, wanted);
        }
        self.mask(id, false);
    }

    /// Hides the answers of a place, and what is nested under them, from everything that reads them, or
    /// shows them again.
    fn mask(&mut self, id: PlaceId, is_masked: bool) {
        let Some(place) = self.places.get_mut(id).filter(|place| place.is_masked != is_masked) else {
            return;
        };
        place.is_masked = is_masked;
        let is_shown = place.is_on && place.has_value;
        if is_shown {
            self.refresh(id);
        }
        for below in self.places.subtree(id) {
            if is_shown {
                self.notify(below);
            } else {
                self.notify_conditions(below);
            }
        }
    }

    /// Takes away what is still hidden in the end.
    fn unmask(&mut self, id: PlaceId) {
        let Some(place) = self.places.get_mut(id) else { return };
        place.is_masked = false;
        let is_due = place.is_on && !place.is_optional;
        let result = place.calculation.as_ref().and_then(|calculation| calculation.result.clone());
        self.set_calculated(id, is_due, result);
    }

    fn calculation_mut(&mut self, id: PlaceId) -> Option<&mut CalculatedPlace> {
        self.places.get_mut(id)?.calculation.as_deref_mut()
    }

    /// The places of a stratum whose answers are written here.
    fn calculated_of(&self, rank: usize) -> Vec<PlaceId> {
        if self.calculation != Calculation::Follow {
            return Vec::new();
        }
        let mut found = self.places_of(rank);
        found.retain(|id| self.places.get(*id).is_some_and(|place| place.calculation.is_some()));
        found
    }

    /// Conditions alone never wait for one another, or the form could not be read. So they come to rest
    /// without the expressions.
    fn give_up(&mut self, rank: usize, failure: &ExpressionFailure) {
        for id in self.places_of(rank) {
            self.set_enabled(id, false, false, None);
        }
        drop(self.rest(rank, |live, _, id| live.decide_by_conditions(id, failure)));
        for id in self.calculated_of(rank) {
            let is_on = self.places.get(id).is_some_and(|place| place.is_on);
            if let Some(calculation) = self.calculation_mut(id) {
                calculation.result = is_on.then(|| Err(failure.clone()));
            }
        }
    }

    /// Switches a place on that only an expression would switch off.
    fn decide_by_conditions(&mut self, id: PlaceId, failure: &ExpressionFailure) {
        let Some(place) = self.places.get(id) else { return };
        let has_formula =
            self.compiled.formula(Task { item: Some(place.item), what: What::Enable }).is_some();
        let parent = place.parent.and_then(|parent| self.places.get(parent));
        let is_held = parent.is_none_or(|parent| parent.is_on);
        let is_doubted = parent.is_some_and(|parent| parent.is_in_doubt);
        let item = self.form.items().get(place.item);
        let is_on = is_held && item.is_some_and(|item| self.conditions_hold(id, item));
        let failure = (is_on && has_formula).then(|| failure.clone());
        self.set_enabled(id, is_on, is_on && (is_doubted || has_formula), failure);
        let is_written = self.calculation == Calculation::Follow
            && self.places.get(id).is_some_and(|place| place.calculation.is_some() && !place.is_overridden());
        if is_written {
            self.mask(id, !self.is_kept(id, true));
        }
    }

    /// The places of a stratum in the form's order.
    fn places_of(&self, rank: usize) -> Vec<PlaceId> {
        let compiled = Arc::clone(&self.compiled);
        let items = compiled.strata.get(rank).map_or(&[][..], |stratum| stratum.items.as_slice());
        let mut found = Vec::new();
        for item in items {
            let start = found.len();
            found.extend_from_slice(self.places.of_item(*item));
            if let Some(own) = found.get_mut(start..) {
                own.sort_by_cached_key(|id| self.order_of(*id));
            }
        }
        found
    }

    /// Which repetitions and answers lead to a place, from the top.
    fn order_of(&self, id: PlaceId) -> Vec<(usize, usize)> {
        let places = self.places.chain(id).filter_map(|id| self.places.get(id));
        let mut order: Vec<_> = places.map(|place| (place.under_answer, place.instance)).collect();
        order.reverse();
        order
    }
}
