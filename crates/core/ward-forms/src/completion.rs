//! Turns a draft into a completed response: answers of questions that are off go,
//! and so does what is left empty.

use crate::forest::Forest;
use crate::questionnaire::Questionnaire;
use crate::response::{Answer, QuestionnaireResponse, ResponseItem};
use crate::skip_logic::enabled_nodes;

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
) -> QuestionnaireResponse {
    let mut current = response.clone();
    loop {
        let forest = Forest::new(questionnaire, &current);
        let enabled = enabled_nodes(questionnaire, &forest);
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
fn says_more(item: &ResponseItem) -> bool {
    item.fields
        .keys()
        .any(|field| !matches!(field.as_str(), "linkId" | "text" | "definition" | "item" | "answer"))
}
