//! What expressions see: the response as it would be given away now, as JSON, changed in place.
//!
//! Items that are off, and items that hold nothing, are not in it.

use super::LiveForm;
use super::mirror_digits::{self, ListChange, WayStep};
use super::place::PlaceId;
use crate::completion::says_more;
use crate::number_text::NumberTexts;
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
        let way = self.way_to_list(parent, under_answer);
        let Some(list) = self.mirror.as_mut().and_then(|mirror| list_at(mirror, &way)) else {
            // The holder has no list yet.
            return parent.map_or((), |parent| self.refresh(parent));
        };
        let at = at.min(list.len());
        let change = match (was_mirrored, built) {
            (true, Some(Seen { json, digits })) => {
                if let Some(slot) = list.get_mut(at) {
                    *slot = json;
                }
                Some(ListChange::Replace(digits))
            }
            (true, None) if at < list.len() => {
                drop(list.remove(at));
                Some(ListChange::Remove)
            }
            (false, Some(Seen { json, digits })) => {
                list.insert(at, json);
                Some(ListChange::Insert(digits))
            }
            _ => None,
        };
        let is_empty = list.is_empty();
        if let Some(change) = change {
            mirror_digits::change(&mut self.mirror_digits, &way, at, change);
        }
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
    fn build(&self, id: PlaceId, source: Option<&ResponseItem>, seen: &mut Vec<PlaceId>) -> Option<Seen> {
        let place = self.places.get(id).filter(|place| place.is_on && !place.is_masked)?;
        let source = source?;
        let before = seen.len();
        seen.push(id);
        let is_group = self.compiled.item(place.item)?.is_group;
        let mut answers = Vec::new();
        for (at, answer) in source.answers.iter().enumerate().filter(|_| !is_group) {
            let nested = self.build_level(self.places.branch(Some(id), at), &answer.items, seen);
            if answer.value.is_some() || !nested.is_empty() {
                answers.push(Seen::of(&answer.fields, &answer.numbers, [("item", nested)]));
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
        Some(Seen::of(&source.fields, &source.numbers, [("answer", answers), ("item", items)]))
    }

    fn build_level(&self, branch: &[PlaceId], items: &[ResponseItem], seen: &mut Vec<PlaceId>) -> Vec<Seen> {
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

    /// The way through the mirror to a place, from the top.
    fn way_to(&self, id: PlaceId) -> Vec<WayStep> {
        let mut way = Vec::new();
        for id in self.places.chain(id) {
            way.push(("item", self.index_in_mirror(id)));
            way.extend(self.answer_in_mirror(id).map(|answer| ("answer", answer)));
        }
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

    /// What expressions see of a place, and how its numbers were written; `None` where it is not in the
    /// mirror.
    pub(super) fn seen(&self, id: PlaceId) -> Option<(&Value, Option<&NumberTexts>)> {
        self.places.get(id).filter(|place| place.is_mirrored)?;
        let (mut at, mut digits) = (self.mirror.as_ref()?, Some(&self.mirror_digits));
        for (list, index) in self.way_to(id) {
            at = at.get(list)?.get(index)?;
            digits = digits.and_then(|texts| texts.field(list)?.element(index));
        }
        Some((at, digits))
    }

    /// The way to what holds a list of items: nothing, a group, or an answer.
    fn way_to_list(&self, parent: Option<PlaceId>, under_answer: usize) -> Vec<WayStep> {
        let mut way = parent.map_or_else(Vec::new, |parent| self.way_to(parent));
        let own_answer = parent.and_then(|parent| self.answer_of(parent, under_answer));
        way.extend(own_answer.map(|answer| ("answer", answer)));
        way
    }
}

/// The list of items at the end of a way.
fn list_at<'m>(mirror: &'m mut Value, way: &[WayStep]) -> Option<&'m mut Vec<Value>> {
    let holder = way.iter().try_fold(mirror, |at, (list, index)| at.get_mut(*list)?.get_mut(*index))?;
    holder.get_mut("item")?.as_array_mut()
}

/// What expressions see of a part of the response.
struct Seen {
    json: Value,
    /// How its numbers were written.
    digits: NumberTexts,
}

impl Seen {
    /// The fields with these lists; an empty list is left out.
    fn of<const N: usize>(
        fields: &Map<String, Value>,
        numbers: &NumberTexts,
        lists: [(&str, Vec<Self>); N],
    ) -> Self {
        let (mut map, mut digits) = (fields.clone(), numbers.clone());
        for (field, list) in lists {
            if list.is_empty() {
                map.shift_remove(field);
                continue;
            }
            let (list, texts): (Vec<Value>, Vec<NumberTexts>) =
                list.into_iter().map(|seen| (seen.json, seen.digits)).unzip();
            map.insert(field.to_owned(), Value::Array(list));
            digits = digits.with_list(field, texts.into_iter());
        }
        Self { json: Value::Object(map), digits }
    }
}
