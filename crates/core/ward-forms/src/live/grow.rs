//! Lays a form over a response: one place for every item that stands there or could.
//!
//! A group that the response leaves out still has one place, so that the questions in it are asked
//! and owed. A question nested under another question has a place for each answer of that question,
//! and none while that question has no answer.

use super::LiveForm;
use super::place::{CalculatedPlace, Place, PlaceId, Places};
use crate::compiled::CompiledForm;
use crate::questionnaire::{Item, ItemIndex, ItemType, Questionnaire};
use crate::response::ResponseItem;
use std::collections::BTreeMap;

/// Where a level of places hangs.
#[derive(Clone, Copy)]
pub(super) struct Branch {
    pub(super) parent: Option<PlaceId>,
    pub(super) under_answer: usize,
    pub(super) is_optional: bool,
}

pub(super) struct Growth<'g> {
    pub(super) form: &'g Questionnaire,
    pub(super) compiled: &'g CompiledForm,
    pub(super) places: &'g mut Places,
    /// Whether the items come from a stored response.
    pub(super) is_stored: bool,
    /// The places that were made, each after the one that holds it.
    pub(super) made: Vec<PlaceId>,
}

impl LiveForm<'_> {
    /// Makes places within the form as it stands. Gives what `make` gives, and the places that it made.
    pub(super) fn grow<T>(&mut self, make: impl FnOnce(&mut Growth<'_>) -> T) -> (T, Vec<PlaceId>) {
        let mut growth = Growth {
            form: &self.form,
            compiled: &self.compiled,
            places: &mut self.places,
            is_stored: false,
            made: Vec::new(),
        };
        let grown = make(&mut growth);
        (grown, growth.made)
    }
}

impl Growth<'_> {
    /// Makes the places of a level and all below it, and hangs them up.
    pub(super) fn level(&mut self, branch: Branch, children: &[ItemIndex], items: &[ResponseItem]) {
        let mut positions: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, item) in items.iter().enumerate() {
            positions.entry(item.link_id.as_str()).or_default().push(position);
        }
        let mut list = Vec::with_capacity(children.len());
        for index in children {
            let Some(item) = self.form.get(*index) else { continue };
            let found = positions.remove(item.link_id.as_str()).unwrap_or_default();
            if item.item_type != ItemType::Group {
                list.push(self.question(branch, item, found.first().copied(), items));
            } else if found.is_empty() {
                list.push(self.group(branch, item, 0, None, items));
            } else {
                for (instance, position) in found.iter().enumerate() {
                    list.push(self.group(branch, item, instance, Some(*position), items));
                }
            }
        }
        if let Some(place) = self.places.branch_mut(branch.parent, branch.under_answer) {
            *place = list;
        }
    }

    /// Makes one instance of a group and all below it. The caller hangs it up.
    pub(super) fn group(
        &mut self,
        branch: Branch,
        item: &Item,
        instance: usize,
        position: Option<usize>,
        items: &[ResponseItem],
    ) -> PlaceId {
        let source = position.and_then(|position| items.get(position));
        let is_optional = branch.is_optional || (source.is_none() && begins_optional(item));
        let id = self.place(Branch { is_optional, ..branch }, item, instance, position);
        if let Some(place) = self.places.get_mut(id) {
            place.branches.push(Vec::new());
        }
        let below = Branch { parent: Some(id), under_answer: 0, is_optional };
        self.level(below, &item.children, source.map_or(&[][..], |source| source.items.as_slice()));
        id
    }

    fn question(
        &mut self,
        branch: Branch,
        item: &Item,
        position: Option<usize>,
        items: &[ResponseItem],
    ) -> PlaceId {
        let source = position.and_then(|position| items.get(position));
        let id = self.place(branch, item, 0, position);
        let answers = source.map_or(&[][..], ResponseItem::answers);
        if let Some(place) = self.places.get_mut(id) {
            place.has_value = answers.iter().any(|answer| answer.value.is_some());
            if !item.children.is_empty() {
                place.branches = vec![Vec::new(); answers.len()];
            }
        }
        for (under_answer, answer) in answers.iter().enumerate() {
            // An answer without a value is no answer.
            if answer.value.is_some() && !item.children.is_empty() {
                let below = Branch { parent: Some(id), under_answer, is_optional: branch.is_optional };
                self.level(below, &item.children, &answer.items);
            }
        }
        id
    }

    fn place(&mut self, branch: Branch, item: &Item, instance: usize, position: Option<usize>) -> PlaceId {
        let compiled = self.compiled.item(item.index.0);
        let calculated = compiled.and_then(|item| item.calculated.as_ref());
        let is_fresh = self.is_stored;
        let id = self.places.push(Place {
            item: item.index.0,
            parent: branch.parent,
            under_answer: branch.under_answer,
            instance,
            position,
            is_optional: branch.is_optional,
            calculation: calculated
                .map(|_| Box::new(CalculatedPlace { result: None, is_overridden: false, is_fresh })),
            rules: compiled.map_or_else(Vec::new, |item| vec![None; item.rules.len()]),
            ..Place::default()
        });
        self.made.push(id);
        id
    }
}

/// Whether a group may be left out altogether.
pub(super) fn begins_optional(item: &Item) -> bool {
    let owes_one = item.required || item.rules.min_occurs.is_some_and(|count| count > 0);
    item.repeats && !owes_one
}
