//! What expressions see: the response as it would be given away now, as JSON, changed in place.
//!
//! Items that are off, and items that hold nothing, are not in it.

use super::LiveForm;
use super::place::PlaceId;
use crate::completion::says_more;
use crate::response::{QuestionnaireResponse, ResponseItem};
use serde_json::{Map, Value};

/// The empty mirror of a response.
pub(super) fn empty(response: &QuestionnaireResponse) -> Value {
    let mut root = response.fields.clone();
    root.insert("item".to_owned(), Value::Array(Vec::new()));
    Value::Object(root)
}

impl LiveForm<'_> {
    /// Brings the mirror up to date at a place.
    pub(super) fn refresh(&mut self, id: PlaceId) {
        if self.mirror.is_none() {
            return;
        }
        let Some(place) = self.places.get(id) else { return };
        let (parent, under_answer, was_mirrored) = (place.parent, place.under_answer, place.is_mirrored);
        let holder = parent.and_then(|parent| self.places.get(parent));
        let is_held = holder.is_none_or(|holder| holder.is_mirrored);
        let mut seen = Vec::new();
        let built = self.build(id, self.source(id), &mut seen);
        if !is_held {
            if let (Some(_), Some(parent)) = (built, parent) {
                self.refresh(parent);
            }
            return;
        }
        if !was_mirrored && built.is_none() {
            return;
        }
        if was_mirrored {
            self.forget(id);
        }
        let is_seen = built.is_some();
        let at = self.index_in_mirror(id);
        let Some(list) = self.list_of(parent, under_answer) else {
            // The holder has no list yet.
            return parent.map_or((), |parent| self.refresh(parent));
        };
        match (was_mirrored, built) {
            (true, Some(json)) => {
                if let Some(slot) = list.get_mut(at) {
                    *slot = json;
                }
            }
            (true, None) if at < list.len() => drop(list.remove(at)),
            (false, Some(json)) => list.insert(at.min(list.len()), json),
            _ => {}
        }
        let is_empty = list.is_empty();
        for id in seen {
            if let Some(place) = self.places.get_mut(id) {
                place.is_mirrored = true;
            }
        }
        if let (true, false, Some(parent)) = (is_empty, is_seen, parent) {
            self.refresh(parent);
        }
    }

    fn forget(&mut self, id: PlaceId) {
        for below in self.places.subtree(id) {
            if let Some(place) = self.places.get_mut(below) {
                place.is_mirrored = false;
            }
        }
    }

    /// What is seen of a place, and the places that are in it.
    fn build(&self, id: PlaceId, source: Option<&ResponseItem>, seen: &mut Vec<PlaceId>) -> Option<Value> {
        let place = self.places.get(id).filter(|place| place.is_on && !place.is_masked)?;
        let source = source?;
        let before = seen.len();
        seen.push(id);
        let is_group = self.compiled.item(place.item)?.is_group;
        let mut answers = Vec::new();
        for (at, answer) in source.answers.iter().enumerate().filter(|_| !is_group) {
            let nested = self.build_level(self.places.branch(Some(id), at), &answer.items, seen);
            if answer.value.is_some() || !nested.is_empty() {
                answers.push(with_lists(&answer.fields, [("item", nested)]));
            }
        }
        let items = match is_group {
            true => self.build_level(self.places.branch(Some(id), 0), &source.items, seen),
            false => Vec::new(),
        };
        if answers.is_empty() && items.is_empty() && !says_more(source) {
            seen.truncate(before);
            return None;
        }
        Some(with_lists(&source.fields, [("answer", answers), ("item", items)]))
    }

    fn build_level(&self, branch: &[PlaceId], items: &[ResponseItem], seen: &mut Vec<PlaceId>) -> Vec<Value> {
        let source = |id: &PlaceId| items.get(self.places.get(*id)?.position?);
        branch.iter().filter_map(|id| self.build(*id, source(id), seen)).collect()
    }

    /// How many places before this one are in the list that holds it.
    fn index_in_mirror(&self, id: PlaceId) -> usize {
        let Some(place) = self.places.get(id) else { return 0 };
        let branch = self.places.branch(place.parent, place.under_answer);
        let before = branch.iter().take_while(|other| **other != id);
        before.filter(|other| self.places.get(**other).is_some_and(|place| place.is_mirrored)).count()
    }

    /// The way through the mirror to a place, from the top: its index in each list, and the answer of
    /// the question above it.
    fn way_to(&self, id: PlaceId) -> Vec<(Option<usize>, usize)> {
        let mut way: Vec<(Option<usize>, usize)> =
            self.places.chain(id).map(|id| (self.answer_in_mirror(id), self.index_in_mirror(id))).collect();
        way.reverse();
        way
    }

    /// Which of the answers in the mirror a place is nested under.
    fn answer_in_mirror(&self, id: PlaceId) -> Option<usize> {
        let place = self.places.get(id)?;
        self.answer_of(place.parent?, place.under_answer)
    }

    /// Where an answer of a question stands in the mirror; `None` for a group.
    fn answer_of(&self, parent: PlaceId, under_answer: usize) -> Option<usize> {
        if self.is_group(parent) {
            return None;
        }
        let answers = self.source(parent)?.answers.iter().take(under_answer);
        Some(answers.filter(|answer| answer.value.is_some()).count())
    }

    /// What expressions see of a place; `None` where it is not in the mirror.
    pub(super) fn seen(&self, id: PlaceId) -> Option<&Value> {
        self.places.get(id).filter(|place| place.is_mirrored)?;
        let mut at = self.mirror.as_ref()?;
        for (answer, index) in self.way_to(id) {
            if let Some(answer) = answer {
                at = at.get("answer")?.get(answer)?;
            }
            at = at.get("item")?.get(index)?;
        }
        Some(at)
    }

    /// The list of what is seen at the top, in a group, or under an answer.
    fn list_of(&mut self, parent: Option<PlaceId>, under_answer: usize) -> Option<&mut Vec<Value>> {
        let way = parent.map_or_else(Vec::new, |parent| self.way_to(parent));
        let own_answer = parent.and_then(|parent| self.answer_of(parent, under_answer));
        let mut at = self.mirror.as_mut()?;
        for (answer, index) in way {
            at = under(at, answer)?.get_mut("item")?.get_mut(index)?;
        }
        under(at, own_answer)?.get_mut("item")?.as_array_mut()
    }
}

/// What holds the list of items: the item itself, or one of its answers.
fn under(item: &mut Value, answer: Option<usize>) -> Option<&mut Value> {
    match answer {
        Some(answer) => item.get_mut("answer")?.get_mut(answer),
        None => Some(item),
    }
}

/// The fields with these lists; an empty list is left out.
fn with_lists<const N: usize>(fields: &Map<String, Value>, lists: [(&str, Vec<Value>); N]) -> Value {
    let mut map = fields.clone();
    for (field, list) in lists {
        if list.is_empty() {
            map.shift_remove(field);
        } else {
            map.insert(field.to_owned(), Value::Array(list));
        }
    }
    Value::Object(map)
}
