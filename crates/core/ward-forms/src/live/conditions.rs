//! Whether the conditions of an item hold, given the answers so far.
//!
//! An item is on when the item holding it is on and its conditions hold. Answers of an item that is
//! off count as absent.

use super::LiveForm;
use super::place::PlaceId;
use crate::answer_value::AnswerValue;
use crate::enable_when::{Condition, EnableBehavior};
use crate::questionnaire::Item;
use crate::response::ResponseItem;

impl LiveForm<'_> {
    pub(super) fn conditions_hold(&self, id: PlaceId, item: &Item) -> bool {
        let mut outcomes =
            item.conditions.iter().map(|condition| condition.holds(&self.answers_for(id, condition)));
        match item.enable_behavior {
            Some(EnableBehavior::Any) if !item.conditions.is_empty() => outcomes.any(|holds| holds),
            _ => outcomes.all(|holds| holds),
        }
    }

    /// The answers a condition looks at: those of the nearest occurrence of its question, or none when
    /// that is off or not there.
    fn answers_for(&self, id: PlaceId, condition: &Condition) -> Vec<&AnswerValue> {
        let found = self.nearest_occurrence(id, condition);
        let is_on = |id: &PlaceId| {
            self.places.get(*id).is_some_and(|place| place.is_on && place.has_value && !place.is_masked)
        };
        let source = found.filter(is_on).and_then(|found| self.source(found));
        let answers = source.map_or(&[][..], ResponseItem::answers);
        answers.iter().filter_map(|answer| answer.value.as_ref()).collect()
    }

    /// The occurrence of the condition's question nearest to a place.
    ///
    /// FHIR R4 `Questionnaire.item.enableWhen.question`: with several occurrences the nearest counts,
    /// first upwards, then before, then after. The search stays in the innermost repetition that
    /// holds both items, so that a repetition never looks into its sibling. What the form has before
    /// an item comes before it in all its occurrences, so the nearest is the last or the first.
    fn nearest_occurrence(&self, id: PlaceId, condition: &Condition) -> Option<PlaceId> {
        let target = condition.target?.0;
        let scope = condition.scope.map(|scope| scope.0);
        if scope == Some(target) {
            return self.places.ancestor(id, target);
        }
        let holder = match scope {
            None => None,
            Some(scope) => Some(self.places.ancestor(id, scope)?),
        };
        let below_holder = self
            .places
            .chain(id)
            .find(|above| self.places.get(*above).is_some_and(|place| place.parent == holder));
        let answer =
            below_holder.and_then(|below| self.places.get(below)).map_or(0, |place| place.under_answer);
        let mut way: Vec<usize> =
            self.compiled.chain(target).take_while(|item| Some(*item) != scope).collect();
        way.reverse();
        let is_before = self.places.get(id).is_some_and(|place| target < place.item);
        self.occurrence(self.places.branch(holder, answer), &way, is_before)
    }

    /// The first or the last place at the end of a way of items.
    fn occurrence(&self, branch: &[PlaceId], way: &[usize], is_last: bool) -> Option<PlaceId> {
        let (item, rest) = way.split_first()?;
        let found = branch.get(self.places.of_item_in(branch, *item))?;
        let below = |id: &PlaceId| {
            if rest.is_empty() {
                return Some(*id);
            }
            // What is nested under a hidden answer is as good as gone.
            let branches = &self.places.get(*id).filter(|place| !place.is_masked)?.branches;
            let mut results = branches.iter();
            if is_last {
                results.rev().find_map(|branch| self.occurrence(branch, rest, is_last))
            } else {
                results.find_map(|branch| self.occurrence(branch, rest, is_last))
            }
        };
        if is_last { found.iter().rev().find_map(below) } else { found.iter().find_map(below) }
    }
}
