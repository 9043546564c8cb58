//! For each item, what has to be evaluated again when its answers change.

use super::CompiledItem;
use super::formula::Formula;
use super::reads::{Read, Reads};
use crate::questionnaire::Questionnaire;

/// Something that is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) task: Task,
    /// See [`Read::within`].
    pub(crate) within: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Readers {
    pub(super) by_item: Vec<Vec<Reader>>,
    pub(super) of_everything: Vec<Task>,
}

impl Readers {
    pub(super) fn of(form: &Questionnaire, items: &[CompiledItem], rules: &[Formula]) -> Self {
        let mut readers = Self { by_item: vec![Vec::new(); items.len()], of_everything: Vec::new() };
        for (index, item) in items.iter().enumerate() {
            let of = |what| Task { item: Some(index), what };
            for condition in form.items().get(index).into_iter().flat_map(|item| &item.conditions) {
                if let Some(target) = condition.target {
                    let read = Read { item: target.0, within: condition.scope.map(|scope| scope.0) };
                    readers.add(of(What::Enable), read);
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
        readers
    }

    fn add_all(&mut self, task: Task, reads: &Reads) {
        if reads.is_everything {
            self.of_everything.push(task);
            return;
        }
        for read in &reads.items {
            self.add(task, *read);
        }
    }

    fn add(&mut self, task: Task, read: Read) {
        if let Some(list) = self.by_item.get_mut(read.item) {
            list.push(Reader { task, within: read.within });
        }
    }
}
