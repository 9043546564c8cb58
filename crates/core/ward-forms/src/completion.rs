//! Turns a draft into a completed response: answers of questions that are off go,
//! and so does what is left empty.

use crate::forest::Forest;
use crate::limits::MAX_ROUNDS_OF_FINISHING;
use crate::live::{LiveForm, Surroundings};
use crate::questionnaire::Questionnaire;
use crate::response::{Answer, QuestionnaireResponse, ResponseItem};
use crate::skip_logic::enabled_nodes_in;
use std::sync::Arc;

/// A copy of the response without answers of disabled items and without items
/// that hold nothing. Items that the form doesn't know stay, for the validation
/// to report.
///
/// Taking an empty repetition away can change which occurrence a condition looks
/// at, so it goes on until nothing changes. Each round takes something away, so
/// it ends.
pub(crate) fn without_disabled(
    questionnaire: &Questionnaire,
    response: &QuestionnaireResponse,
    surroundings: &Surroundings,
) -> QuestionnaireResponse {
    let mut current = response.clone();
    loop {
        let forest = Forest::new(questionnaire, &current);
        let enabled = enabled_nodes_in(questionnaire, &forest, surroundings);
        let mut pruning = Pruning { forest: &forest, enabled: &enabled, removed: 0 };
        let items = pruning.items(&current.items);
        if pruning.removed == 0 {
            return current;
        }
        current = QuestionnaireResponse {
            fields: current.fields.clone(),
            numbers: current.numbers.clone(),
            status: current.status,
            items,
        };
    }
}

/// The response to give away, calculated at the time that the surroundings say.
///
/// Taking something away can change what is calculated, so the form is evaluated over what is left,
/// until both agree.
pub(crate) fn finished(live: &LiveForm<'static>, surroundings: &Surroundings) -> QuestionnaireResponse {
    let form = &live.form;
    if !live.compiled.has_expressions() {
        return without_disabled(form, &live.response, surroundings);
    }
    let mut last = live.clone();
    if last.surroundings() != surroundings {
        last.set_surroundings(surroundings.clone());
    }
    let mut response = without_disabled(form, &last.response, surroundings);
    for _ in 0..MAX_ROUNDS_OF_FINISHING {
        let again = LiveForm::follow(last.shared_form(), response.clone(), surroundings.clone(), false);
        let next = without_disabled(form, &again.response, surroundings);
        if next.items == response.items {
            break;
        }
        response = next;
    }
    response
}

/// The items of a response without what is off and what only the form itself can answer.
pub(crate) fn said_by_people(
    questionnaire: &Questionnaire,
    response: &QuestionnaireResponse,
    surroundings: &Surroundings,
) -> Vec<ResponseItem> {
    let mut response = without_disabled(questionnaire, response, surroundings);
    drop_calculated(questionnaire, &mut response.items);
    response.items
}

fn drop_calculated(questionnaire: &Questionnaire, items: &mut Vec<ResponseItem>) {
    let compiled = Arc::clone(questionnaire.compiled());
    items.retain_mut(|item| {
        for answer in &mut item.answers {
            drop_calculated(questionnaire, &mut answer.items);
        }
        drop_calculated(questionnaire, &mut item.items);
        let definition = questionnaire.item(&item.link_id);
        let known = definition.and_then(|item| compiled.item(item.index.0));
        let is_locked =
            definition.is_some_and(|item| item.read_only) || known.is_some_and(|item| item.is_hidden);
        !(is_locked && known.is_some_and(|item| item.calculated.is_some()))
    });
}

struct Pruning<'c, 'a> {
    forest: &'c Forest<'a>,
    enabled: &'c [bool],
    removed: usize,
}

impl Pruning<'_, '_> {
    fn items(&mut self, items: &[ResponseItem]) -> Vec<ResponseItem> {
        items.iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, item: &ResponseItem) -> Option<ResponseItem> {
        let Some(node) = self.forest.node_of(item) else {
            return Some(item.clone());
        };
        if !self.enabled.get(node).copied().unwrap_or(false) {
            self.removed += 1;
            return None;
        }
        let answers: Vec<Answer> = item.answers.iter().filter_map(|answer| self.answer(answer)).collect();
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

/// Whether an item without answers says something else, such as an extension with
/// the reason why there is no answer.
pub(crate) fn says_more(item: &ResponseItem) -> bool {
    item.fields
        .keys()
        .any(|field| !matches!(field.as_str(), "linkId" | "text" | "definition" | "item" | "answer"))
}
