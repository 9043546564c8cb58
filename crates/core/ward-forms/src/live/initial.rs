//! What a form fills in itself, once.
//!
//! `initial` and options that are chosen in advance are filled in where a place first stands;
//! `initialExpression` where it is first asked, in reading order, each seeing those before it. What a
//! formula calculates all the time has no initial answer besides.

use super::LiveForm;
use super::place::PlaceId;
use super::result_answers::answers;
use crate::answer_check::{AnswerIssue, check_answers};
use crate::answer_value::AnswerValue;
use crate::compiled::{Task, What};

impl LiveForm<'_> {
    /// Whether the form itself fills an answer in here.
    pub(crate) fn is_filled_in_by_form(&self, item: usize) -> bool {
        self.compiled.item(item).is_some_and(|item| item.initial.is_some())
            || self.form.items().get(item).is_some_and(|item| !item.initial.is_empty())
    }

    /// Counts everything that stands there as filled in: a stored response was opened before.
    pub(super) fn is_filled_in(&mut self) {
        self.settle();
        for id in std::mem::take(&mut self.unprepared) {
            if let Some(place) = self.places.get_mut(id) {
                place.is_prepared = !place.is_optional;
                // One that is off and was answered, or cleared, was filled in before it went off.
                place.is_begun = (place.is_on || place.position.is_some()) && !place.is_optional;
            }
        }
        self.beginning.clear();
    }

    /// Fills in until nothing is left to fill in; each place is taken once, so it ends.
    pub(super) fn fill_in(&mut self) {
        loop {
            let new = std::mem::take(&mut self.unprepared);
            for id in &new {
                self.prepare(*id);
            }
            if !new.is_empty() {
                self.settle();
                continue;
            }
            let Some(id) = self.next_to_begin() else { return };
            self.begin(id);
            self.settle();
        }
    }

    fn prepare(&mut self, id: PlaceId) {
        let Some(place) = self.places.get_mut(id).filter(|place| !place.is_prepared && !place.is_optional)
        else {
            return;
        };
        place.is_prepared = true;
        if place.has_value || place.calculation.is_some() {
            return;
        }
        let Some(item) = self.form.items().get(place.item) else { return };
        let values: Vec<AnswerValue> = item.initial.clone();
        let checked: Vec<_> = values.iter().map(Some).collect();
        // An initial answer that does not fit its own question is left out.
        if !values.is_empty() && !check_answers(item, &checked).iter().any(AnswerIssue::is_error) {
            self.set_values(id, values);
        }
    }

    /// The first place in reading order whose initial expression is due.
    fn next_to_begin(&mut self) -> Option<PlaceId> {
        let due: Vec<PlaceId> = std::mem::take(&mut self.beginning).into_iter().collect();
        let mut due: Vec<PlaceId> = due.into_iter().filter(|id| self.is_to_begin(*id)).collect();
        if due.len() > 1 {
            self.put_in_order();
            due.sort_by_key(|id| self.places.get(*id).map_or(usize::MAX, |place| place.at));
        }
        let first = due.first().copied();
        self.beginning.extend(due.into_iter().skip(1));
        first
    }

    fn is_to_begin(&self, id: PlaceId) -> bool {
        let Some(place) = self.places.get(id) else { return false };
        let is_due = place.is_on && !place.is_optional && !place.is_begun && place.calculation.is_none();
        is_due && self.compiled.item(place.item).is_some_and(|item| item.initial.is_some())
    }

    fn begin(&mut self, id: PlaceId) {
        let Some(place) = self.places.get_mut(id) else { return };
        place.is_begun = true;
        if place.has_value {
            return;
        }
        let index = place.item;
        let Some(item) = self.form.items().get(index) else { return };
        let Some(formula) = self.compiled.formula(Task { item: Some(index), what: What::Initial }) else {
            return;
        };
        match self.evaluate(formula, Some(id), |result| answers(item, result)) {
            Ok(values) if values.is_empty() => {}
            Ok(values) => self.set_values(id, values),
            Err(failure) => {
                if let Some(place) = self.places.get_mut(id) {
                    place.initial_failure = Some(failure);
                }
            }
        }
    }
}
