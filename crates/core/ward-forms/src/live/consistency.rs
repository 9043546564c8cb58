//! Whether a form that was kept up to date says the same as one that is evaluated anew.

use super::place::{Place, PlaceId};
use super::{LiveForm, Surroundings};
use crate::item_path::ItemPath;

impl LiveForm<'static> {
    /// Evaluates the answers from scratch and compares everything.
    ///
    /// # Errors
    /// The first place that differs; the root path where something else does.
    pub(crate) fn compare_with_scratch(&self) -> Result<(), ItemPath> {
        let surroundings: Surroundings = self.surroundings().clone();
        let form = self.shared_form();
        let scratch = LiveForm::follow(form, self.response.clone().into_owned(), surroundings, false);
        for (own, other) in self.order.iter().zip(&scratch.order) {
            if !self.is_like(*own, &scratch, *other) {
                return Err(self.path(*own));
            }
        }
        let is_same = self.order.len() == scratch.order.len()
            && self.rules == scratch.rules
            && self.mirror == scratch.mirror
            && self.response.items == scratch.response.items
            && self.waiting.is_empty();
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
            && left.rules == right.rules
            && result(left) == result(right)
            && self.values(own) == scratch.values(other)
    }
}
