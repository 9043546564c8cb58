//! Turns a draft into a completed response: answers of questions that are off go,
//! and so does what is left empty.

use crate::forest::Forest;
use crate::live::{LiveForm, PlaceId, Surroundings};
use crate::questionnaire::{ItemType, Questionnaire};
use crate::response::{Answer, QuestionnaireResponse, ResponseItem};
use crate::skip_logic::enabled_nodes_in;
use std::collections::BTreeSet;

/// The response to give away, written at this time.
///
/// It is what the draft shows: the form is evaluated once more, and what is off, and what holds nothing,
/// is left out. A repetition that a condition elsewhere may look at stays even if it holds nothing,
/// beside one that does; else that condition would find another one than it did in the draft.
pub(crate) fn finished(live: &LiveForm<'static>, authored: Option<&str>) -> QuestionnaireResponse {
    let mut last = live.clone();
    last.write(authored);
    let form = &last.form;
    let response = given_away(&last, &watched_repetitions(form), |_| true);
    if last.compiled.strata.iter().any(|stratum| stratum.is_cyclic) {
        return without_disabled(form, response, last.surroundings());
    }
    response
}

/// The items of a response without what is off and what the form calculated itself.
pub(crate) fn said_by_people(live: &LiveForm<'static>) -> Vec<ResponseItem> {
    let is_said = |id: PlaceId| {
        let place = live.places.get(id);
        place.is_none_or(|place| place.calculation.is_none() || place.is_overridden())
            || live.has_nested_answers(id)
    };
    given_away(live, &BTreeSet::new(), is_said).items
}

/// What is on and holds something, of a form that was evaluated.
fn given_away(
    live: &LiveForm<'static>,
    watched: &BTreeSet<&str>,
    is_said: impl Fn(PlaceId) -> bool,
) -> QuestionnaireResponse {
    let response: &QuestionnaireResponse = &live.response;
    let forest = Forest::new(&live.form, response);
    debug_assert_eq!(live.order.len(), forest.nodes.len(), "places and nodes stand for the same items");
    let is_kept = |id: &PlaceId| live.places.get(*id).is_some_and(|place| place.is_on) && is_said(*id);
    let kept: Vec<bool> = live.order.iter().map(is_kept).collect();
    let mut pruning = Pruning { forest: &forest, kept: &kept, watched, removed: 0 };
    let items = pruning.items(&response.items);
    QuestionnaireResponse {
        fields: response.fields.clone(),
        numbers: response.numbers.clone(),
        status: response.status,
        items,
    }
}

/// Without what a check of the response would find off: items that wait for one another may be on in the
/// draft only. Each round takes something away, so it ends.
fn without_disabled(
    form: &Questionnaire,
    mut current: QuestionnaireResponse,
    surroundings: &Surroundings,
) -> QuestionnaireResponse {
    let watched = watched_repetitions(form);
    loop {
        let forest = Forest::new(form, &current);
        let kept = enabled_nodes_in(form, &forest, surroundings);
        let mut pruning = Pruning { forest: &forest, kept: &kept, watched: &watched, removed: 0 };
        let items = pruning.items(&current.items);
        if pruning.removed == 0 {
            return current;
        }
        current.items = items;
    }
}

/// The repeating groups into which a condition looks from outside.
pub(crate) fn watched_repetitions(form: &Questionnaire) -> BTreeSet<&str> {
    let conditions = form.items().iter().flat_map(|item| &item.conditions);
    let ways = conditions.filter_map(|condition| {
        let target = form.get(condition.target?)?;
        Some(form.ancestors(target).take_while(|above| Some(above.index) != condition.scope))
    });
    let groups = ways.flatten().filter(|above| above.item_type == ItemType::Group && above.repeats);
    groups.map(|group| group.link_id.as_str()).collect()
}

struct Pruning<'c, 'a> {
    forest: &'c Forest<'a>,
    /// For each node, whether it may stay.
    kept: &'c [bool],
    /// Groups whose repetitions are looked at, by linkId.
    watched: &'c BTreeSet<&'c str>,
    removed: usize,
}

impl Pruning<'_, '_> {
    fn items(&mut self, items: &[ResponseItem]) -> Vec<ResponseItem> {
        let mut found: Vec<Option<ResponseItem>> = Vec::with_capacity(items.len());
        let mut bare: Vec<usize> = Vec::new();
        let mut holding: BTreeSet<&str> = BTreeSet::new();
        for (at, item) in items.iter().enumerate() {
            let before = self.removed;
            let left = self.item(item);
            if self.watched.contains(item.link_id.as_str()) {
                match left {
                    Some(_) => drop(holding.insert(item.link_id.as_str())),
                    None => bare.push(at),
                }
                // One that was bare before loses nothing if it stays.
                if left.is_none() && item.answers.is_empty() && item.items.is_empty() {
                    self.removed = before;
                }
            }
            found.push(left);
        }
        for at in bare {
            let Some(item) = items.get(at) else { continue };
            match found.get_mut(at) {
                Some(slot) if holding.contains(item.link_id.as_str()) => {
                    *slot = Some(ResponseItem {
                        fields: item.fields.clone(),
                        ..ResponseItem::new(&item.link_id)
                    });
                }
                _ => self.removed += 1,
            }
        }
        found.into_iter().flatten().collect()
    }

    fn item(&mut self, item: &ResponseItem) -> Option<ResponseItem> {
        let Some(node) = self.forest.node_of(item) else {
            return Some(item.clone());
        };
        if !self.kept.get(node).copied().unwrap_or(false) {
            self.removed += 1;
            return None;
        }
        // Without the parked ones.
        let is_calculated = self
            .forest
            .nodes
            .get(node)
            .is_some_and(|node| node.item.extensions.calculated_expression.is_some());
        let answers = item.answers.iter().filter(|answer| answer.value.is_some() || !is_calculated);
        let answers: Vec<Answer> = answers.filter_map(|answer| self.answer(answer)).collect();
        let items = self.items(&item.items);
        if answers.is_empty() && items.is_empty() && !says_more(item) {
            self.removed += 1;
            return None;
        }
        Some(ResponseItem {
            link_id: item.link_id.clone(),
            fields: item.fields.clone(),
            numbers: item.numbers.clone(),
            answers,
            items,
        })
    }

    fn answer(&mut self, answer: &Answer) -> Option<Answer> {
        let items = self.items(&answer.items);
        if answer.value.is_none() && items.is_empty() {
            self.removed += 1;
            return None;
        }
        Some(Answer {
            fields: answer.fields.clone(),
            numbers: answer.numbers.clone(),
            value: answer.value.clone(),
            items,
        })
    }
}

/// Whether an item of the response, or one in it, has an answer or says something else.
pub(crate) fn holds_something(item: &ResponseItem) -> bool {
    let in_answers =
        item.answers.iter().any(|answer| answer.value.is_some() || answer.items.iter().any(holds_something));
    in_answers || says_more(item) || item.items.iter().any(holds_something)
}

/// Whether an item without answers says something else, such as an extension with
/// the reason why there is no answer.
pub(crate) fn says_more(item: &ResponseItem) -> bool {
    item.fields
        .keys()
        .any(|field| !matches!(field.as_str(), "linkId" | "text" | "definition" | "item" | "answer"))
}
