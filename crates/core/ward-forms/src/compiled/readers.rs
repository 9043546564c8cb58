//! For each item, what has to be evaluated again when its answers change.

use super::CompiledItem;
use super::formula::Formula;
use super::reads::{Read, Reads};
use crate::questionnaire::Questionnaire;

/// Something that is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Task {
    /// The item; `None` for the form itself.
    pub(crate) item: Option<usize>,
    pub(crate) what: What,
}

/// What is evaluated of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Whether it is on.
    Enable,
    /// Its calculated answer.
    Calculate,
    /// What is filled in when it is first asked.
    Initial,
    /// Whether the rule at this place of its list holds.
    Rule(usize),
}

/// A task that reads an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reader {
    pub(crate) task: Task,
    /// See [`Read::within`].
    pub(crate) within: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Readers {
    /// Conditions, by the question that they look at: whether a place of it stands there matters to them
    /// even where it is off.
    pub(super) of_question: Vec<Vec<Reader>>,
    /// Expressions, by the items that they read.
    pub(super) of_item: Vec<Vec<Reader>>,
    pub(super) of_everything: Vec<Task>,
}

impl Readers {
    pub(super) fn of(form: &Questionnaire, items: &[CompiledItem], rules: &[Formula]) -> Self {
        let none = || vec![Vec::new(); items.len()];
        let mut readers = Self { of_question: none(), of_item: none(), of_everything: Vec::new() };
        for (index, item) in items.iter().enumerate() {
            let of = |what| Task { item: Some(index), what };
            for condition in form.items().get(index).into_iter().flat_map(|item| &item.conditions) {
                if let Some(target) = condition.target {
                    let read = Read { item: target.0, within: condition.scope.map(|scope| scope.0) };
                    add(&mut readers.of_question, of(What::Enable), read);
                }
            }
            let single = [(What::Enable, &item.enable), (What::Calculate, &item.calculated)];
            let single = single.into_iter().filter_map(|(what, formula)| Some((what, formula.as_ref()?)));
            let rules = item.rules.iter().enumerate().map(|(place, rule)| (What::Rule(place), rule));
            for (what, formula) in single.chain(rules) {
                readers.add_all(of(what), &formula.reads);
            }
        }
        for (place, rule) in rules.iter().enumerate() {
            readers.add_all(Task { item: None, what: What::Rule(place) }, &rule.reads);
        }
        for list in readers.of_question.iter_mut().chain(&mut readers.of_item) {
            list.sort_unstable();
            list.dedup();
        }
        readers
    }

    fn add_all(&mut self, task: Task, reads: &Reads) {
        if reads.is_everything {
            self.of_everything.push(task);
            return;
        }
        for read in &reads.items {
            add(&mut self.of_item, task, *read);
        }
    }
}

fn add(lists: &mut [Vec<Reader>], task: Task, read: Read) {
    if let Some(list) = lists.get_mut(read.item) {
        list.push(Reader { task, within: read.within });
    }
}
