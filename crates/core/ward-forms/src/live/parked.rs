//! What persons entered under a calculated answer stays when that answer changes, or is gone for a while
//! because an answer that it is calculated from is being corrected.
//!
//! An answer that is gone is parked behind those that are there: without its value, so that it counts as
//! no answer and is never given away, but with the items nested under it. The next answer that is
//! calculated goes on with it.

use super::LiveForm;
use super::grow::Branch;
use super::place::PlaceId;
use crate::questionnaire::ItemType;
use crate::response::Answer;

impl LiveForm<'_> {
    /// Whether what is nested under the answer of a question outlives it: nobody chose that answer, and there
    /// is only one. Of several, and of things that are named, what was said of one is not said of the next.
    pub(super) fn is_lasting(&self, id: PlaceId) -> bool {
        let Some(place) = self.places.get(id).filter(|place| place.calculation.is_some()) else {
            return false;
        };
        self.form.items().get(place.item).is_some_and(|item| {
            let is_named =
                matches!(item.item_type, ItemType::Choice | ItemType::OpenChoice | ItemType::Reference);
            !item.children.is_empty() && !item.repeats && !is_named
        })
    }

    /// Takes the answers out that stay as parked ones: those that no new answer goes on with, and under
    /// which somebody has entered something.
    pub(super) fn park(&mut self, id: PlaceId, pairs: &[Option<usize>]) -> Vec<Answer> {
        let count = self.source(id).map_or(0, |source| source.answers.len());
        let mut parked = Vec::new();
        for at in (0..count).filter(|at| !pairs.contains(&Some(*at))) {
            let below = self.places.branch(Some(id), at).to_vec();
            let places: Vec<PlaceId> = below.iter().flat_map(|below| self.places.subtree(*below)).collect();
            let is_empty = !places.iter().any(|place| self.is_given(*place));
            let is_parked = self
                .answer_at(id, at)
                .is_some_and(|answer| answer.value.is_none() && !answer.items.is_empty());
            if is_empty && !is_parked {
                continue;
            }
            // What is calculated is calculated anew; from below, so that places keep their answers' numbers.
            for place in places.into_iter().rev() {
                self.strip(place);
            }
            let items = self.answer_at_mut(id, at).map(|answer| std::mem::take(&mut answer.items));
            parked.extend(items.map(Answer::parked));
        }
        parked
    }

    /// Whether somebody has entered the answer of a place.
    pub(super) fn is_given(&self, id: PlaceId) -> bool {
        self.places.get(id).is_some_and(|place| {
            place.has_value && place.calculation.as_ref().is_none_or(|calculation| calculation.is_overridden)
        })
    }

    fn strip(&mut self, id: PlaceId) {
        let is_calculated = self.places.get(id).is_some_and(|place| place.calculation.is_some());
        if !is_calculated || self.is_given(id) {
            return;
        }
        let Some(item) = self.source_mut(id) else { return };
        for answer in &mut item.answers {
            *answer = Answer::parked(std::mem::take(&mut answer.items));
        }
        item.answers.retain(|answer| !answer.items.is_empty());
    }

    fn answer_at(&self, id: PlaceId, at: usize) -> Option<&Answer> {
        self.source(id)?.answers.get(at)
    }

    fn answer_at_mut(&mut self, id: PlaceId, at: usize) -> Option<&mut Answer> {
        self.source_mut(id)?.answers.get_mut(at)
    }

    /// Makes the places again under an answer that goes on with a parked one. What the form filled in there
    /// was filled in before.
    pub(super) fn grow_again(&mut self, id: PlaceId, under_answer: usize) {
        let Some(place) = self.places.get(id) else { return };
        let (item, is_optional) = (place.item, place.is_optional);
        let children = self.form.items().get(item).map(|item| item.children.clone()).unwrap_or_default();
        let items = self.answer_at(id, under_answer).map(|answer| answer.items.clone()).unwrap_or_default();
        let branch = Branch { parent: Some(id), under_answer, is_optional };
        let ((), made) = self.grow(|growth| growth.level(branch, &children, &items));
        for id in &made {
            let Some(item) = self.places.get(*id).map(|place| place.item) else { continue };
            let is_filled_in = self.is_filled_in_by_form(item);
            let Some(place) = self.places.get_mut(*id).filter(|place| place.position.is_some()) else {
                continue;
            };
            (place.is_prepared, place.is_begun) = (true, true);
            place.is_settled = place.has_value && !is_filled_in;
            // Only what persons calculated otherwise was kept.
            if let Some(calculation) = place.calculation.as_mut() {
                calculation.is_overridden = place.has_value;
            }
        }
        self.take_up_new(&made);
    }
}
