//! Changes the answers, and the places with them.

use super::LiveForm;
use super::grow::{Branch, begins_optional};
use super::pairing::{lasting_pairs, pairs, renewed};
use super::place::PlaceId;
use super::written_bytes::{most_bytes, most_bytes_of_item};
use crate::answer_value::AnswerValue;
use crate::compiled::What;
use crate::questionnaire::ItemType;
use crate::response::{Answer, ResponseItem};

impl LiveForm<'_> {
    /// Puts answers in the place of those before. What is nested under an answer belongs to that
    /// answer alone. Only puts in the queue what depends on them.
    pub(super) fn set_values(&mut self, id: PlaceId, values: Vec<AnswerValue>) {
        if values.is_empty() && self.source(id).is_none_or(|source| source.answers.is_empty()) {
            return;
        }
        self.ensure(id);
        self.written_bytes = self.written_bytes.saturating_add(most_bytes(&values));
        let is_lasting = self.is_lasting(id);
        let before = self.source(id).map_or(&[][..], ResponseItem::answers);
        let pairs = if is_lasting { lasting_pairs(before, &values) } else { pairs(before, &values) };
        let was_parked: Vec<bool> = before.iter().map(|answer| answer.value.is_none()).collect();
        let parked = if is_lasting { self.park(id, &pairs) } else { Vec::new() };
        let Some(item) = self.source_mut(id) else { return };
        let mut before: Vec<Option<Answer>> =
            std::mem::take(&mut item.answers).into_iter().map(Some).collect();
        for (value, from) in values.into_iter().zip(&pairs) {
            let kept = from.and_then(|at| before.get_mut(at)?.take());
            item.answers.push(renewed(kept, value));
        }
        let has_value = !item.answers.is_empty();
        let parked_count = parked.len();
        item.answers.extend(parked);
        if let Some(place) = self.places.get_mut(id) {
            place.has_value = has_value;
        }
        self.regrow(id, &pairs, &was_parked);
        if let Some(place) = self.places.get_mut(id).filter(|_| is_lasting) {
            place.branches.extend(std::iter::repeat_n(Vec::new(), parked_count));
        }
        self.refresh(id);
        self.notify(id);
        self.wait_for_own_rules(id);
    }

    /// Keeps the places under the answers that stay, wherever they stand now, and makes those under new
    /// ones.
    fn regrow(&mut self, id: PlaceId, pairs: &[Option<usize>], was_parked: &[bool]) {
        let Some(place) = self.places.get_mut(id) else { return };
        let has_children = self.form.items().get(place.item).is_some_and(|item| !item.children.is_empty());
        if !has_children {
            return;
        }
        let mut old = std::mem::take(&mut place.branches);
        let kept = pairs.iter().map(|from| from.and_then(|at| old.get_mut(at)).map(std::mem::take));
        let branches: Vec<Vec<PlaceId>> = kept.map(Option::unwrap_or_default).collect();
        place.branches.clone_from(&branches);
        self.is_order_old = true;
        let mut moved = Vec::new();
        for (at, below) in
            branches.iter().enumerate().flat_map(|(at, list)| list.iter().map(move |id| (at, id)))
        {
            if let Some(place) = self.places.get_mut(*below).filter(|place| place.under_answer != at) {
                place.under_answer = at;
                moved.push(*below);
            }
        }
        // Another occurrence may be the nearest from now on.
        for id in moved.into_iter().flat_map(|id| self.places.subtree(id)).collect::<Vec<_>>() {
            self.notify_conditions(id);
        }
        for id in old.into_iter().flatten() {
            self.remove_places(id);
        }
        for (at, from) in pairs.iter().enumerate() {
            match from {
                None => self.grow_under(id, at),
                Some(from) if was_parked.get(*from) == Some(&true) => self.grow_again(id, at),
                Some(_) => {}
            }
        }
    }

    fn grow_under(&mut self, id: PlaceId, under_answer: usize) {
        let Some(place) = self.places.get(id) else { return };
        let is_optional = place.is_optional;
        let children =
            self.form.items().get(place.item).map(|item| item.children.clone()).unwrap_or_default();
        let branch = Branch { parent: Some(id), under_answer, is_optional };
        let ((), made) = self.grow(|growth| growth.level(branch, &children, &[]));
        self.take_up_new(&made);
    }

    /// Puts new places in the queue, and the conditions that may look at one of them from now on.
    pub(super) fn take_up_new(&mut self, made: &[PlaceId]) {
        self.take_up(made);
        for id in made {
            self.notify_conditions(*id);
        }
    }

    /// Puts the places in the queue that a form begins with.
    pub(super) fn take_up(&mut self, made: &[PlaceId]) {
        self.is_order_old = true;
        for id in made {
            self.wait(What::Enable, *id);
        }
        self.unprepared.extend(made);
    }

    /// Makes the response have the item of a place, and all that hold it.
    pub(super) fn ensure(&mut self, id: PlaceId) -> Option<()> {
        let place = self.places.get(id)?;
        if place.position.is_some() {
            return Some(());
        }
        let (parent, under_answer, item) = (place.parent, place.under_answer, place.item);
        if let Some(parent) = parent {
            self.ensure(parent)?;
        }
        let link_id = self.form.items().get(item)?.link_id.clone();
        let branch = self.places.branch(parent, under_answer).to_vec();
        let own = branch.iter().position(|other| *other == id)?;
        let later = branch.iter().skip(own + 1).filter_map(|other| self.places.get(*other)?.position).min();
        let list = self.items_mut(parent, under_answer)?;
        let position = later.unwrap_or(list.len());
        let bytes = most_bytes_of_item(&link_id);
        list.insert(position, ResponseItem::new(&link_id));
        self.shift(&branch, position, 1);
        self.places.get_mut(id)?.position = Some(position);
        self.written_bytes = self.written_bytes.saturating_add(bytes);
        self.renew_optional(id);
        self.wait_for_own_rules(id);
        Some(())
    }

    /// Moves the positions from this one on.
    fn shift(&mut self, branch: &[PlaceId], from: usize, by: isize) {
        for id in branch {
            if let Some(place) = self.places.get_mut(*id)
                && let Some(position) = place.position.filter(|position| *position >= from)
            {
                place.position = position.checked_add_signed(by);
            }
        }
    }

    /// Finds out again whether a group and what lies in it may be left out altogether.
    fn renew_optional(&mut self, id: PlaceId) {
        for below in self.places.subtree(id) {
            let Some(place) = self.places.get(below) else { continue };
            let item = self.form.items().get(place.item);
            let is_group = item.is_some_and(|item| item.item_type == ItemType::Group);
            let holder = place.parent.and_then(|parent| self.places.get(parent));
            let is_held_optional = holder.is_some_and(|holder| holder.is_optional);
            let begins = is_group && place.position.is_none() && item.is_some_and(begins_optional);
            let is_optional = is_held_optional || begins;
            if place.is_optional != is_optional
                && let Some(place) = self.places.get_mut(below)
            {
                place.is_optional = is_optional;
                self.wait_for_own(below);
                self.unprepared.push(below);
                self.beginning.insert(below);
            }
        }
    }

    fn wait_for_own_rules(&mut self, id: PlaceId) {
        let rules = self.places.get(id).map_or(0, |place| place.rules.len());
        for rule in 0..rules {
            self.wait(What::Rule(rule), id);
        }
    }

    /// Takes a place and all below it away. The caller has taken it out of its branch.
    fn remove_places(&mut self, id: PlaceId) {
        self.is_order_old = true;
        let below = self.places.subtree(id);
        for id in &below {
            if self.places.get(*id).is_some_and(|place| place.is_on) {
                self.notify(*id);
            } else {
                self.notify_conditions(*id);
            }
        }
        for id in below {
            drop(self.places.take(id));
            self.removed.push(id);
        }
    }

    /// Adds an instance of the repeating group that a place is one of. `None` when it has as many as it
    /// may have.
    pub(crate) fn add_instance(&mut self, id: PlaceId, most: usize) -> Option<PlaceId> {
        let place = self.places.get(id)?;
        let (parent, under_answer, item, is_held_optional) =
            (place.parent, place.under_answer, place.item, self.is_held_optional(id));
        let branch = self.places.branch(parent, under_answer);
        let range = self.places.of_item_in(branch, item);
        let instances = branch.get(range.clone())?.to_vec();
        let absent = instances.iter().find(|id| self.places.get(**id).is_some_and(|p| p.position.is_none()));
        let new = match absent.copied() {
            Some(first) if most > 0 => first,
            _ if instances.len() >= most => return None,
            _ => {
                let held = Branch { parent, under_answer, is_optional: is_held_optional };
                self.grow_instance(held, item, instances.len(), range.end)?
            }
        };
        self.ensure(new)?;
        self.settle_all();
        Some(new)
    }

    /// Makes an instance of a group and puts it into its branch.
    fn grow_instance(&mut self, held: Branch, item: usize, instance: usize, at: usize) -> Option<PlaceId> {
        let definition = self.form.items().get(item)?.clone();
        let (new, made) = self.grow(|growth| growth.group(held, &definition, instance, None, &[]));
        self.places.branch_mut(held.parent, held.under_answer)?.insert(at, new);
        self.take_up_new(&made);
        Some(new)
    }

    fn is_held_optional(&self, id: PlaceId) -> bool {
        let parent = self.places.get(id).and_then(|place| place.parent);
        parent.and_then(|parent| self.places.get(parent)).is_some_and(|parent| parent.is_optional)
    }

    /// Takes an instance of a repeating group away with all that is in it.
    pub(crate) fn remove_instance(&mut self, id: PlaceId) -> Option<()> {
        let place = self.places.get(id)?;
        let (parent, under_answer, item, position) =
            (place.parent, place.under_answer, place.item, place.position?);
        self.places.get_mut(id)?.is_on = false;
        self.refresh(id);
        self.places.get_mut(id)?.is_on = true;
        let is_held_optional = self.is_held_optional(id);
        self.items_mut(parent, under_answer)?.remove(position);
        let branch = self.places.branch(parent, under_answer).to_vec();
        self.shift(&branch, position + 1, -1);
        let range = self.places.of_item_in(&branch, item);
        let others: Vec<PlaceId> =
            branch.get(range.clone())?.iter().copied().filter(|other| *other != id).collect();
        self.places.branch_mut(parent, under_answer)?.retain(|other| *other != id);
        self.remove_places(id);
        for (instance, other) in others.iter().enumerate() {
            self.places.get_mut(*other)?.instance = instance;
        }
        if others.is_empty() {
            let held = Branch { parent, under_answer, is_optional: is_held_optional };
            self.grow_instance(held, item, 0, range.start)?;
        }
        self.settle_all();
        Some(())
    }
}
