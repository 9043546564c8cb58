//! Evaluates items that may wait for one another.
//!
//! They begin with nothing and are evaluated in the form's order until a round changes nothing. So the
//! result does not depend on what was answered before. If it never comes to rest, they wait for one
//! another indeed: then nothing is calculated, and what only such an expression would switch off is
//! shown.

use super::place::{CalculatedPlace, PlaceId};
use super::result_answers::are_same;
use super::{Calculation, LiveForm};
use crate::compiled::{ExpressionFailure, Task, What};
use crate::limits::MAX_ROUNDS_OF_A_CIRCLE;
use std::sync::Arc;

impl LiveForm<'_> {
    pub(super) fn settle_together(&mut self, rank: usize) {
        let provisional = self.begin_with_nothing(rank);
        let is_at_rest = (0..MAX_ROUNDS_OF_A_CIRCLE).any(|_| !self.round(rank));
        if !is_at_rest {
            self.give_up(rank);
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
        // What the rounds have put in the queue of their own is done.
        self.waiting.retain(|(other, ..)| *other != rank);
    }

    /// Answers that wait for one another are calculated only where answers are written. Where they came
    /// to no rest there, there is nothing to compare with.
    pub(super) fn take_over_loops(&mut self) {
        let (form, response) = (self.shared_form(), self.response.clone().into_owned());
        let followed = LiveForm::follow(form, response, self.surroundings().clone(), false);
        for id in self.order.clone() {
            if self.places.get(id).is_none_or(|place| place.calculation.is_none()) {
                continue;
            }
            let other = followed.find(&self.path(id)).and_then(|other| followed.places.get(other));
            let result = other.and_then(|other| other.calculation.as_ref()?.result.as_ref());
            if let (Some(Err(ExpressionFailure::Loop)), Some(calculation)) =
                (result, self.calculation_mut(id))
            {
                calculation.result = Some(Err(ExpressionFailure::Loop));
            }
        }
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

    fn round(&mut self, rank: usize) -> bool {
        let mut is_changed = false;
        for id in self.places_of(rank) {
            is_changed |= self.settle_enabled(id);
            if self.calculation == Calculation::Follow {
                is_changed |= self.settle_masked(id);
            }
        }
        is_changed
    }

    /// Calculates an answer without taking away what is nested under the one before.
    fn settle_masked(&mut self, id: PlaceId) -> bool {
        let Some(place) = self.places.get(id).filter(|place| place.calculation.is_some()) else {
            return false;
        };
        let (item, is_overridden) = (place.item, place.is_overridden());
        let is_due = place.is_on && !place.is_optional;
        let result = if is_due { self.calculate(item, id) } else { None };
        let wanted = match &result {
            Some(Ok(values)) => values.clone(),
            _ => Vec::new(),
        };
        let Some(calculation) = self.calculation_mut(id) else { return false };
        let mut is_changed = calculation.result != result;
        calculation.result = result;
        if is_overridden {
            return is_changed;
        }
        if wanted.is_empty() {
            return self.mask(id, true) || is_changed;
        }
        if !are_same(&self.values(id), &wanted) {
            self.set_values(id, wanted);
            is_changed = true;
        }
        self.mask(id, false) || is_changed
    }

    /// Hides the answers of a place from everything that reads them, or shows them again.
    fn mask(&mut self, id: PlaceId, is_masked: bool) -> bool {
        let Some(place) = self.places.get_mut(id).filter(|place| place.is_masked != is_masked) else {
            return false;
        };
        place.is_masked = is_masked;
        if place.is_on && place.has_value {
            self.refresh(id);
            self.notify(id);
            return true;
        }
        false
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

    fn give_up(&mut self, rank: usize) {
        for id in self.places_of(rank) {
            let Some(place) = self.places.get(id) else { continue };
            let has_formula =
                self.compiled.formula(Task { item: Some(place.item), what: What::Enable }).is_some();
            let parent = place.parent.and_then(|parent| self.places.get(parent));
            let is_held = parent.is_none_or(|parent| parent.is_on);
            let is_doubted = parent.is_some_and(|parent| parent.is_in_doubt);
            let item = self.form.items().get(place.item);
            let is_on = is_held && item.is_some_and(|item| self.conditions_hold(id, item));
            let failure = (is_on && has_formula).then_some(ExpressionFailure::Loop);
            self.set_enabled(id, is_on, is_on && (is_doubted || has_formula), failure);
            if self.calculation == Calculation::Follow
                && let Some(calculation) = self.calculation_mut(id)
            {
                calculation.result = is_on.then_some(Err(ExpressionFailure::Loop));
                if !calculation.is_overridden {
                    self.mask(id, true);
                }
            }
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
