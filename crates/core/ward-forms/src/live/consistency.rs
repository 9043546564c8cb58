//! Whether a form that was kept up to date says the same as one that is evaluated anew, and whether
//! nothing changes when everything is evaluated once more.

use super::place::{Place, PlaceId};
use super::{LiveForm, Surroundings, are_same};
use crate::compiled::{ExpressionFailure, Task, What};
use crate::item_path::ItemPath;

impl LiveForm<'static> {
    /// Evaluates the answers from scratch and compares everything.
    ///
    /// # Errors
    /// The first place that differs; the root path where something else does.
    pub(crate) fn compare_with_scratch(&self) -> Result<(), ItemPath> {
        let surroundings: Surroundings = self.surroundings().clone();
        let form = self.shared_form();
        // Whose answers they are, only their marks tell.
        let scratch = LiveForm::evaluated_anew(form, self.marked(), surroundings);
        for (own, other) in self.order.iter().zip(&scratch.order) {
            if !(self.is_like(*own, &scratch, *other) && self.is_at_rest(*own)) {
                return Err(self.path(*own));
            }
        }
        self.steps.renew();
        let is_same = self.order.len() == scratch.order.len()
            && self.rules == scratch.rules
            && self.mirror == scratch.mirror
            && self.mirror_digits == scratch.mirror_digits
            && self.response.items == scratch.response.items
            && self.waiting.is_empty()
            && (self.unprepared.is_empty() && self.followed.is_none());
        if is_same { Ok(()) } else { Err(ItemPath::root()) }
    }

    fn is_like(&self, own: PlaceId, scratch: &Self, other: PlaceId) -> bool {
        let (Some(left), Some(right)) = (self.places.get(own), scratch.places.get(other)) else {
            return false;
        };
        let result = |place: &Place| place.calculation.as_ref().and_then(|found| found.result.clone());
        self.path(own) == scratch.path(other)
            && left.position == right.position
            && (left.at, left.end) == (right.at, right.end)
            && left.is_on == right.is_on
            && left.is_in_doubt == right.is_in_doubt
            && left.enable_failure == right.enable_failure
            && left.is_optional == right.is_optional
            && left.is_mirrored == right.is_mirrored
            && left.has_value == right.has_value
            && (left.under_answer, left.instance) == (right.under_answer, right.instance)
            && left.branches.len() == right.branches.len()
            && !left.is_masked
            && left.is_prepared == right.is_prepared
            && self.stands_against(own) == scratch.stands_against(other)
            && left.rules == right.rules
            && result(left) == result(right)
            && self.values(own) == scratch.values(other)
    }

    /// Whether a person's own answer stands where another one is calculated. That it once did, a stored
    /// response does not tell.
    fn stands_against(&self, id: PlaceId) -> bool {
        let calculated = self.places.get(id).and_then(|place| place.calculation.as_ref());
        calculated.is_some_and(|calculated| {
            let differs = |result: &Vec<_>| !are_same(result, &self.values(id));
            calculated.is_overridden && matches!(&calculated.result, Some(Ok(result)) if differs(result))
        })
    }

    /// Evaluates everything of a place once more, whatever is known of who reads what. Nothing may change.
    fn is_at_rest(&self, id: PlaceId) -> bool {
        self.steps.renew();
        let Some(place) = self.places.get(id) else { return false };
        let has_failed = |failure: &ExpressionFailure| failure.is_unrest();
        let is_decided = place.enable_failure.as_ref().is_some_and(has_failed)
            || self.enabled(id) == (place.is_on, place.is_in_doubt, place.enable_failure.clone());
        let is_due = place.is_on && !place.is_optional;
        let is_calculated = place.calculation.as_ref().is_none_or(|known| match &known.result {
            Some(Err(failure)) if failure.is_unrest() => true,
            result if is_due => *result == self.calculate(place.item, id),
            result => result.is_none(),
        });
        let is_judged = place.rules.iter().enumerate().all(|(rule, state)| {
            let task = Task { item: Some(place.item), what: What::Rule(rule) };
            let is_due = place.is_on && place.position.is_some();
            *state == if is_due { self.judge(task, Some(id)) } else { None }
        });
        // What the form fills in is filled in as soon as a place is asked.
        let has_initial = self.compiled.item(place.item).is_some_and(|item| item.initial.is_some());
        let is_begun = place.is_begun || !is_due || !has_initial || place.calculation.is_some();
        is_decided && is_calculated && is_judged && is_begun
    }
}
