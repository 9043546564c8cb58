//! What a person is asked, and what is owed. The session and the check of a finished response ask here,
//! so that nobody is held to an answer that they can't give.

use super::LiveForm;
use super::place::{Place, PlaceId};
use crate::questionnaire::{Item, ItemType};

impl LiveForm<'_> {
    fn with_item(&self, id: PlaceId) -> Option<(&Place, &Item)> {
        let place = self.places.get(id)?;
        Some((place, self.form.items().get(place.item)?))
    }

    fn is_hidden(&self, place: &Place) -> bool {
        self.compiled.item(place.item).is_some_and(|item| item.is_hidden)
    }

    /// Whether a person is asked this: on, visible, not only for reading, and one that Ward can ask.
    pub(crate) fn is_asked(&self, id: PlaceId) -> bool {
        self.with_item(id).is_some_and(|(place, item)| {
            place.is_on && item.can_be_answered() && !item.read_only && !self.is_hidden(place)
        })
    }

    /// Whether the form wants an answer here, be it one that nobody can be asked for. Where that is in
    /// doubt it wants none.
    pub(crate) fn is_wanted(&self, id: PlaceId) -> bool {
        self.with_item(id).is_some_and(|(place, item)| {
            let counts = place.is_on && !place.is_optional && !place.is_in_doubt && !self.is_hidden(place);
            counts && item.owes_answer()
        })
    }

    /// Whether nobody can say if an answer is wanted here that is not there.
    pub(crate) fn is_debt_in_doubt(&self, id: PlaceId) -> bool {
        self.with_item(id).is_some_and(|(place, item)| {
            let counts = place.is_on && !place.is_optional && place.is_in_doubt && !self.is_hidden(place);
            counts && item.owes_answer() && !self.holds_answer(id)
        })
    }

    /// Whether a person owes the answer of this question.
    pub(crate) fn is_owed(&self, id: PlaceId) -> bool {
        self.is_wanted(id) && self.is_asked(id)
    }

    /// The last question in a group that a person can be held to; `None` where there is none.
    pub(crate) fn last_question(&self, group: PlaceId) -> Option<PlaceId> {
        let is_certain = |id: &PlaceId| self.places.get(*id).is_some_and(|place| !place.is_in_doubt);
        self.below(group).iter().rev().copied().find(|id| self.is_asked(*id) && is_certain(id))
    }

    /// A group may owe an answer although none of its questions does. While it has none, the last
    /// question asked in it is owed.
    pub(crate) fn last_chance(&self, group: PlaceId) -> Option<PlaceId> {
        let (_, item) = self.with_item(group)?;
        if item.item_type != ItemType::Group || !self.is_wanted(group) {
            return None;
        }
        if self.holds_answer(group) {
            return None;
        }
        self.last_question(group)
    }

    /// Whether a question has an answer, or one in a group has.
    fn holds_answer(&self, id: PlaceId) -> bool {
        let has_value =
            |id: &PlaceId| self.places.get(*id).is_some_and(|place| place.is_on && place.has_value);
        has_value(&id) || (self.is_group(id) && self.below(id).iter().any(has_value))
    }

    fn below(&self, id: PlaceId) -> &[PlaceId] {
        let range = self.places.get(id).map_or(0..0, |place| place.at + 1..place.end);
        self.order.get(range).unwrap_or_default()
    }
}
