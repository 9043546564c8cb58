//! Evaluates what waits, in the order in which things depend on one another, until nothing changes.

use super::place::{PlaceId, RuleState};
use super::result_answers::{answers, are_same};
use super::{Calculation, LiveForm};
use crate::answer_value::AnswerValue;
use crate::compiled::{ExpressionFailure, Reader, Task, What};
use std::sync::Arc;

/// A task in the queue: its rank, what is evaluated, and where. The form itself stands behind all
/// places.
pub(super) type Waiting = (usize, What, PlaceId);

/// The place of the form itself in the queue.
const FORM: PlaceId = PlaceId::MAX;
/// The rank of what nothing else reads.
const LAST: usize = usize::MAX;

impl LiveForm<'_> {
    /// Evaluates all that waits.
    pub(super) fn settle(&mut self) {
        while let Some((rank, what, id)) = self.waiting.pop_first() {
            if rank != LAST && self.compiled.is_cyclic(rank) {
                self.settle_together(rank);
                continue;
            }
            match what {
                What::Enable => drop(self.settle_enabled(id)),
                What::Calculate => drop(self.settle_calculated(id)),
                What::Rule(place) if id == FORM => {
                    let state = self.judge(Task { item: None, what }, None);
                    if let Some(slot) = self.rules.get_mut(place) {
                        *slot = state;
                    }
                }
                What::Rule(place) => self.settle_rule(id, place),
                What::Initial => {}
            }
        }
    }

    /// Puts a task in the queue.
    pub(super) fn wait(&mut self, what: What, id: PlaceId) {
        let Some(item) = self.places.get(id).and_then(|place| self.compiled.item(place.item)) else { return };
        let rank = match what {
            What::Enable => item.rank,
            // Where nothing is written, nothing waits for it.
            What::Calculate if self.calculation == Calculation::Follow => item.rank,
            _ => LAST,
        };
        self.waiting.insert((rank, what, id));
    }

    /// Puts all of a place in the queue that depends on whether it is on.
    pub(super) fn wait_for_own(&mut self, id: PlaceId) {
        let Some(place) = self.places.get(id) else { return };
        let (rules, is_calculated) = (place.rules.len(), place.calculation.is_some());
        if is_calculated {
            self.wait(What::Calculate, id);
        }
        for rule in 0..rules {
            self.wait(What::Rule(rule), id);
        }
    }

    pub(super) fn wait_for_form(&mut self) {
        for place in 0..self.rules.len() {
            self.waiting.insert((LAST, What::Rule(place), FORM));
        }
    }

    /// Puts in the queue what reads a place whose answers have changed.
    pub(super) fn notify(&mut self, id: PlaceId) {
        let Some(item) = self.places.get(id).map(|place| place.item) else { return };
        self.notify_conditions(id);
        let compiled = Arc::clone(&self.compiled);
        for above in compiled.chain(item) {
            for reader in compiled.readers(above) {
                self.wake(*reader, id);
            }
        }
        for task in compiled.readers_of_everything() {
            self.wake(Reader { task: *task, within: None }, id);
        }
    }

    /// Puts in the queue the conditions that look at a place. One that stands there or is gone changes
    /// which place is the nearest, on or off.
    pub(super) fn notify_conditions(&mut self, id: PlaceId) {
        let Some(item) = self.places.get(id).map(|place| place.item) else { return };
        let compiled = Arc::clone(&self.compiled);
        for reader in compiled.conditions_on(item) {
            self.wake(*reader, id);
        }
    }

    fn wake(&mut self, reader: Reader, id: PlaceId) {
        let Some(item) = reader.task.item else {
            if let What::Rule(_) = reader.task.what {
                self.waiting.insert((LAST, reader.task.what, FORM));
            }
            return;
        };
        let Some(within) = reader.within else {
            for other in self.places.of_item(item).to_vec() {
                self.wait(reader.task.what, other);
            }
            return;
        };
        // What lies elsewhere is out of the reader's sight.
        let Some(holder) = self.places.ancestor(id, within) else { return };
        for other in self.places.of_item(item).to_vec() {
            if self.places.ancestor(other, within) == Some(holder) {
                self.wait(reader.task.what, other);
            }
        }
    }

    /// Decides whether a place is on. Says whether that changed.
    pub(super) fn settle_enabled(&mut self, id: PlaceId) -> bool {
        let (is_on, is_in_doubt, failure) = self.enabled(id);
        self.set_enabled(id, is_on, is_in_doubt, failure)
    }

    pub(super) fn enabled(&self, id: PlaceId) -> (bool, bool, Option<ExpressionFailure>) {
        let Some(place) = self.places.get(id) else { return (false, false, None) };
        let (is_held, is_doubted) = match place.parent.and_then(|parent| self.places.get(parent)) {
            Some(parent) => (parent.is_on, parent.is_in_doubt),
            None => (true, false),
        };
        let item = self.form.items().get(place.item);
        if !is_held || !item.is_some_and(|item| self.conditions_hold(id, item)) {
            return (false, false, None);
        }
        let formula = self.compiled.formula(Task { item: Some(place.item), what: What::Enable });
        match formula.map(|formula| self.evaluate(formula, Some(id), |result| Ok(result.truth()?))) {
            None => (true, is_doubted, None),
            // Nothing is not true: the item is not asked before its expression says so.
            Some(Ok(truth)) => (truth == Some(true), is_doubted, None),
            Some(Err(failure)) => (true, is_doubted || failure.leaves_in_doubt(), Some(failure)),
        }
    }

    pub(super) fn set_enabled(
        &mut self,
        id: PlaceId,
        is_on: bool,
        is_in_doubt: bool,
        failure: Option<ExpressionFailure>,
    ) -> bool {
        let Some(place) = self.places.get_mut(id) else { return false };
        let is_changed = place.is_on != is_on;
        let is_doubt_changed = place.is_in_doubt != is_in_doubt;
        place.is_on = is_on;
        place.is_in_doubt = is_in_doubt;
        place.enable_failure = failure;
        if !(is_changed || is_doubt_changed) {
            return false;
        }
        for below in place.branches.iter().flatten().copied().collect::<Vec<_>>() {
            self.wait(What::Enable, below);
        }
        if is_changed {
            self.refresh(id);
            self.notify(id);
            self.wait_for_own(id);
            if is_on {
                self.beginning.insert(id);
            }
        }
        true
    }

    /// Calculates the answer of a place. Says whether something changed.
    pub(super) fn settle_calculated(&mut self, id: PlaceId) -> bool {
        let Some(place) = self.places.get(id) else { return false };
        let item = place.item;
        let is_due = place.is_on && !place.is_optional;
        let result = if is_due { self.calculate(item, id) } else { Some(Ok(Vec::new())) };
        self.set_calculated(id, is_due, result)
    }

    pub(super) fn calculate(
        &self,
        index: usize,
        id: PlaceId,
    ) -> Option<Result<Vec<AnswerValue>, ExpressionFailure>> {
        let formula = self.compiled.formula(Task { item: Some(index), what: What::Calculate })?;
        let item = self.form.items().get(index)?;
        Some(self.evaluate(formula, Some(id), |result| answers(item, result)))
    }

    pub(super) fn set_calculated(
        &mut self,
        id: PlaceId,
        is_due: bool,
        result: Option<Result<Vec<AnswerValue>, ExpressionFailure>>,
    ) -> bool {
        let present = self.values(id);
        let is_locked = self.is_locked(id);
        let is_followed = self.calculation == Calculation::Follow;
        let wanted = match &result {
            Some(Ok(values)) => values.as_slice(),
            _ => &[],
        };
        let is_other = !are_same(&present, wanted);
        // What a person entered under an answer comes back with it.
        let is_held = self.is_kept(id, matches!(result, Some(Err(_))));
        let Some(place) = self.places.get_mut(id) else { return false };
        let is_known = place.is_known_calculated;
        let Some(calculation) = place.calculation.as_mut() else { return false };
        if calculation.is_fresh && is_followed && is_due && matches!(result, Some(Ok(_))) {
            // A stored answer that differs is a person's own, where a person may give one.
            calculation.is_overridden = !is_locked && !is_known && !present.is_empty() && is_other;
            calculation.is_fresh = false;
        }
        // A stored answer stands until its formula has a result.
        let is_kept = is_held || calculation.is_fresh;
        let is_changed = calculation.result != result;
        let wanted =
            (is_other && is_followed && !is_kept && !calculation.is_overridden).then(|| wanted.to_vec());
        calculation.result = result.filter(|_| is_due);
        let Some(values) = wanted else { return is_changed };
        // Whoever has seen the answer before has not seen this one.
        place.is_settled = false;
        self.set_values(id, values);
        true
    }

    /// Whether a calculated answer stays that is not due, or can't be calculated: what persons entered
    /// under it hangs on it, and comes back with it.
    pub(super) fn is_kept(&self, id: PlaceId, has_failed: bool) -> bool {
        let is_due = self.places.get(id).is_some_and(|place| place.is_on && !place.is_optional);
        (!is_due || has_failed) && self.has_nested_answers(id)
    }

    fn settle_rule(&mut self, id: PlaceId, rule: usize) {
        let Some(place) = self.places.get(id) else { return };
        let is_judged = place.is_on && place.position.is_some();
        let task = Task { item: Some(place.item), what: What::Rule(rule) };
        let state = if is_judged { self.judge(task, Some(id)) } else { None };
        if let Some(slot) = self.places.get_mut(id).and_then(|place| place.rules.get_mut(rule)) {
            *slot = state;
        }
    }

    /// Whether a rule holds. One that says nothing, because answers that it needs are missing, is not
    /// broken.
    pub(super) fn judge(&self, task: Task, id: Option<PlaceId>) -> RuleState {
        let formula = self.compiled.formula(task)?;
        Some(self.evaluate(formula, id, |result| Ok(result.truth()? != Some(false))))
    }
}
