//! Repetitions of a group that are owed stand there from the beginning, so that they are asked: not
//! every app lets a person add one.

use super::Answering;
use crate::limits::MAX_GROUP_INSTANCES;
use crate::live::PlaceId;
use crate::questionnaire::ItemType;

impl Answering {
    /// Adds the repetitions that groups owe.
    pub(super) fn add_owed_instances(&mut self) {
        let form = self.live.shared_form();
        for item in form.items() {
            let least = item.rules.min_occurs.unwrap_or(0).min(MAX_GROUP_INSTANCES);
            if item.item_type != ItemType::Group || !item.repeats || least < 2 {
                continue;
            }
            for id in self.live.places.of_item(item.index.0).to_vec() {
                let is_first = self.live.places.get(id).is_some_and(|place| place.instance == 0);
                // Where nothing can be answered, nothing is owed.
                let is_owed = is_first && self.live.is_wanted(id) && self.live.last_question(id).is_some();
                // The first stands there in any case; adding it again only writes it down.
                for _ in self.instances_beside(id)..least {
                    if !is_owed || self.live.add_instance(id, least).is_none() {
                        break;
                    }
                }
            }
        }
    }

    /// How many repetitions of a group are written down where this one stands.
    fn instances_beside(&self, id: PlaceId) -> usize {
        let Some(place) = self.live.places.get(id) else { return 0 };
        let branch = self.live.places.branch(place.parent, place.under_answer);
        let own = branch.get(self.live.places.of_item_in(branch, place.item)).unwrap_or_default();
        own.iter()
            .filter(|id| self.live.places.get(**id).is_some_and(|place| place.position.is_some()))
            .count()
    }
}
