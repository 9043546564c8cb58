//! What a person is asked, and what is owed. The session and the check of a finished response ask here,
//! so that nobody is held to an answer that they can't give.

use super::LiveForm;
use super::place::{Place, PlaceId};
use crate::completion::{says_more, watched_repetitions};
use crate::questionnaire::{Item, ItemType};
use std::collections::BTreeSet;

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

    /// The repetitions of groups that hold nothing and that no rule asks for: they are left out of what is
    /// given away, so nothing in them is owed.
    pub(crate) fn spare_repetitions(&self) -> BTreeSet<PlaceId> {
        let mut watched = None;
        let mut spare = BTreeSet::new();
        for id in &self.order {
            let Some((place, item)) = self.with_item(*id) else { continue };
            if place.instance != 0 || item.item_type != ItemType::Group || !item.repeats {
                continue;
            }
            let branch = self.places.branch(place.parent, place.under_answer);
            let all = branch.get(self.places.of_item_in(branch, place.item)).unwrap_or_default();
            let (holding, bare): (Vec<PlaceId>, Vec<PlaceId>) =
                all.iter().copied().partition(|id| self.holds_something(*id));
            // One that a condition looks at stays beside others that hold something.
            let watched = watched.get_or_insert_with(|| watched_repetitions(&self.form));
            if !holding.is_empty() && watched.contains(item.link_id.as_str()) {
                continue;
            }
            let is_owed = self.is_wanted(*id) && self.last_question(*id).is_some();
            let least = if is_owed { item.rules.min_occurs.unwrap_or(1).max(1) } else { 0 };
            spare.extend(bare.into_iter().skip(least.saturating_sub(holding.len())));
        }
        spare
    }

    /// Whether something of a repetition is given away.
    fn holds_something(&self, id: PlaceId) -> bool {
        let says = |id: PlaceId| {
            self.places.get(id).is_some_and(|place| place.is_on)
                && (self.places.get(id).is_some_and(|place| place.has_value)
                    || self.source(id).is_some_and(says_more))
        };
        says(id) || self.below(id).iter().any(|id| says(*id))
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
