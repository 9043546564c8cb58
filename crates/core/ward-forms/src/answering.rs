//! Answering a form one question at a time.

use crate::answer_check::check_answers;
use crate::answer_options::AnswerOption;
use crate::answer_value::AnswerValue;
use crate::completion::without_disabled;
use crate::finding::Finding;
use crate::forest::{Forest, Node};
use crate::item_path::{ItemPath, PathStep};
use crate::limits::MAX_GROUP_INSTANCES;
use crate::questionnaire::{ItemIndex, ItemType, Questionnaire};
use crate::response::{Answer, QuestionnaireResponse, ResponseItem, ResponseStatus};
use crate::skip_logic::enabled_nodes;
use crate::translation::LanguageChoice;
use crate::validate::validate;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Why an answer is not taken. The person or the app in front of the form acts.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// No item stands at this path; the app asks for the questions again.
    #[error("there is no question at {path}")]
    NoSuchQuestion {
        /// The path asked for.
        path: ItemPath,
    },
    /// The item takes no answers from people; the app shows it without input.
    #[error("{path} can't be answered here")]
    NotAnswerable {
        /// The path asked for.
        path: ItemPath,
    },
    /// Other answers have switched the question off; the app goes on.
    #[error("{path} is not asked, because of other answers")]
    SwitchedOff {
        /// The path asked for.
        path: ItemPath,
    },
    /// The question is owed and can't be skipped; the person answers it.
    #[error("{path} needs an answer")]
    AnswerOwed {
        /// The path asked for.
        path: ItemPath,
    },
    /// The answer doesn't fit the question; the person corrects it.
    #[error("the answer to {path} does not fit the question")]
    Refused {
        /// The path asked for.
        path: ItemPath,
        /// What doesn't fit.
        findings: Vec<Finding>,
    },
    /// The group doesn't repeat, or has as many instances as it may have; the
    /// person removes one first.
    #[error("{path} can't be repeated again")]
    NoMoreInstances {
        /// The path asked for.
        path: ItemPath,
    },
}

/// One question, ready to be shown.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QuestionStep {
    /// Its place; give it back with the answer.
    pub path: ItemPath,
    /// Its linkId.
    pub link_id: String,
    /// The texts of the groups around it, outermost first.
    pub headings: Vec<String>,
    /// Texts for reading between the question before and this one.
    pub notes: Vec<String>,
    /// A number or letter to show before the text.
    pub prefix: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// The kind of answer.
    pub item_type: ItemType,
    /// Whether it must be answered before the form is complete.
    pub is_owed: bool,
    /// Whether several answers may be given.
    pub repeats: bool,
    /// Most characters of a text answer.
    pub max_chars: Option<usize>,
    /// The offered answers.
    pub options: Vec<AnswerOption>,
    /// The answers so far.
    pub answers: Vec<AnswerValue>,
}

/// How far a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Questions that are asked, given the answers so far, and have an answer.
    pub answered: usize,
    /// Questions that are asked, given the answers so far.
    pub asked: usize,
    /// Questions that still must be answered.
    pub owed: usize,
}

/// A form being answered.
///
/// Answers of questions that are switched off later stay in the draft, so that
/// changing one's mind costs nothing; [`Answering::finish`] leaves them out.
#[derive(Debug, Clone)]
pub struct Answering {
    questionnaire: Arc<Questionnaire>,
    response: QuestionnaireResponse,
    final_status: ResponseStatus,
    /// Questions answered or skipped here, oldest first: the way back.
    history: Vec<ItemPath>,
    settled: BTreeSet<ItemPath>,
    languages: LanguageChoice,
}

impl Answering {
    /// Starts a form, with its initial answers filled in. An initial answer that
    /// doesn't fit its own question is left out.
    #[must_use]
    pub fn new(questionnaire: impl Into<Arc<Questionnaire>>) -> Self {
        let questionnaire = questionnaire.into();
        let response = QuestionnaireResponse::to(&questionnaire, ResponseStatus::InProgress);
        let mut answering = Self::with(questionnaire, response, ResponseStatus::Completed);
        answering.fill_in_initial();
        answering
    }

    /// Shows texts in the language of a person, where the form carries it.
    pub fn read_in(&mut self, languages: LanguageChoice) {
        self.languages = languages;
    }

    /// Goes on with a draft. What has an answer is not asked again, but for questions that hold
    /// nothing else than what the form filled in: nobody has seen those yet.
    #[must_use]
    pub fn resume(questionnaire: impl Into<Arc<Questionnaire>>, draft: QuestionnaireResponse) -> Self {
        let mut answering = Self::with(questionnaire.into(), draft, ResponseStatus::Completed);
        answering.response.set_status(ResponseStatus::InProgress);
        answering.settle_answered();
        answering
    }

    /// Corrects a finished response; [`Answering::finish`] then gives an amended
    /// one. Every question is asked again and shows its answer so far. The caller keeps the old
    /// response and records the reason.
    #[must_use]
    pub fn amend(questionnaire: impl Into<Arc<Questionnaire>>, finished: QuestionnaireResponse) -> Self {
        let mut answering = Self::with(questionnaire.into(), finished, ResponseStatus::Amended);
        answering.response.set_status(ResponseStatus::InProgress);
        answering
    }

    /// Goes on with the draft of a correction: what differs from the finished response is not asked
    /// again.
    #[must_use]
    pub fn resume_amendment(
        questionnaire: impl Into<Arc<Questionnaire>>,
        finished: &QuestionnaireResponse,
        draft: QuestionnaireResponse,
    ) -> Self {
        let questionnaire = questionnaire.into();
        let old = Self::with(questionnaire.clone(), finished.clone(), ResponseStatus::Amended);
        let mut answering = Self::amend(questionnaire, draft);
        answering.settle_answered();
        let unchanged = |path: &ItemPath| old.values_at(path) == answering.values_at(path);
        let same: BTreeSet<ItemPath> =
            answering.settled.iter().filter(|path| unchanged(path)).cloned().collect();
        answering.settled.retain(|path| !same.contains(path));
        answering.history.retain(|path| !same.contains(path));
        answering
    }

    /// Whether another response gives the same answers; status and time of writing aside.
    #[must_use]
    pub fn says_the_same(&self, other: &QuestionnaireResponse) -> bool {
        without_disabled(&self.questionnaire, &self.response).items
            == without_disabled(&self.questionnaire, other).items
    }

    fn values_at(&self, path: &ItemPath) -> Vec<AnswerValue> {
        let forest = Forest::new(&self.questionnaire, &self.response);
        let node = forest.find(path).and_then(|id| forest.nodes.get(id));
        node.map(|node| node.values().cloned().collect()).unwrap_or_default()
    }

    fn with(
        questionnaire: Arc<Questionnaire>,
        response: QuestionnaireResponse,
        final_status: ResponseStatus,
    ) -> Self {
        Self {
            questionnaire,
            response,
            final_status,
            history: Vec::new(),
            settled: BTreeSet::new(),
            languages: LanguageChoice::default(),
        }
    }

    /// The form.
    #[must_use]
    pub fn questionnaire(&self) -> &Questionnaire {
        &self.questionnaire
    }

    /// The response so far, as a draft to keep.
    #[must_use]
    pub fn draft(&self) -> &QuestionnaireResponse {
        &self.response
    }

    /// The next question to show: the first in reading order that is switched on
    /// and was neither answered nor skipped here. `None` when all are done.
    #[must_use]
    pub fn next_question(&self) -> Option<QuestionStep> {
        let view = View::of(self);
        (0..view.forest.nodes.len())
            .filter(|id| view.is_asked(*id))
            .find(|id| !self.settled.contains(&view.forest.path(*id)) || view.is_unpaid(*id))
            .and_then(|id| view.step(id))
    }

    /// Every question that is switched on, in reading order.
    #[must_use]
    pub fn questions(&self) -> Vec<QuestionStep> {
        let view = View::of(self);
        (0..view.forest.nodes.len()).filter(|id| view.is_asked(*id)).filter_map(|id| view.step(id)).collect()
    }

    /// The question at a path, if it is switched on.
    #[must_use]
    pub fn question(&self, path: &ItemPath) -> Option<QuestionStep> {
        let view = View::of(self);
        view.forest.find(path).filter(|id| view.is_asked(*id)).and_then(|id| view.step(id))
    }

    /// What is read after the last question: texts, and questions of a kind that Ward can't ask.
    #[must_use]
    pub fn closing_notes(&self) -> Vec<String> {
        let view = View::of(self);
        view.notes_before(view.forest.nodes.len())
    }

    /// The path of the first place where an item stands.
    #[must_use]
    pub fn path_of(&self, link_id: &str) -> Option<ItemPath> {
        let item = self.questionnaire.item(link_id)?;
        let forest = Forest::new(&self.questionnaire, &self.response);
        forest.nodes_of(item.index).first().map(|id| forest.path(*id))
    }

    /// How far the person is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let view = View::of(self);
        let mut progress = Progress { answered: 0, asked: 0, owed: 0 };
        for id in (0..view.forest.nodes.len()).filter(|id| view.is_asked(*id)) {
            progress.asked += 1;
            progress.answered += usize::from(view.node(id).is_some_and(Node::has_value));
            progress.owed += usize::from(view.is_unpaid(id));
        }
        progress
    }

    /// Sets the answer of a question.
    ///
    /// # Errors
    /// [`AnswerError`] when there is no such question, it is switched off, or the
    /// answer doesn't fit; the answer before stays.
    pub fn answer(&mut self, path: &ItemPath, value: AnswerValue) -> Result<(), AnswerError> {
        self.answer_all(path, vec![value])
    }

    /// Sets all answers of a question that may have several. No answers at all
    /// means [`Answering::clear`].
    ///
    /// # Errors
    /// As for [`Answering::answer`].
    pub fn answer_all(&mut self, path: &ItemPath, values: Vec<AnswerValue>) -> Result<(), AnswerError> {
        if values.is_empty() {
            return self.clear(path);
        }
        self.check(path, &values)?;
        let missing = || AnswerError::NoSuchQuestion { path: path.clone() };
        let item = place(&self.questionnaire, &mut self.response.items, path.steps()).ok_or_else(missing)?;
        let mut before = std::mem::take(&mut item.answers).into_iter();
        for value in values {
            // What is nested under an answer belongs to that answer alone.
            let kept = before.next().filter(|answer| answer.value.as_ref() == Some(&value));
            item.answers.push(kept.unwrap_or_else(|| Answer::new(value)));
        }
        self.forget_vanished(path);
        self.settle(path);
        Ok(())
    }

    /// Takes the answers of a question away; it will be asked again.
    ///
    /// # Errors
    /// [`AnswerError::NoSuchQuestion`] or [`AnswerError::NotAnswerable`].
    pub fn clear(&mut self, path: &ItemPath) -> Result<(), AnswerError> {
        self.node_kind(path)?;
        if let Some(item) = place(&self.questionnaire, &mut self.response.items, path.steps()) {
            item.answers.clear();
        }
        self.forget_vanished(path);
        self.unsettle(path);
        Ok(())
    }

    /// Goes past a question that isn't owed. Its answer, if any, stays.
    ///
    /// # Errors
    /// [`AnswerError::AnswerOwed`] when it must be answered,
    /// [`AnswerError::SwitchedOff`] or [`AnswerError::NoSuchQuestion`].
    pub fn skip(&mut self, path: &ItemPath) -> Result<(), AnswerError> {
        self.node_kind(path)?;
        let view = View::of(self);
        let id = view.forest.find(path).filter(|id| view.is_on(*id));
        let id = id.ok_or_else(|| AnswerError::SwitchedOff { path: path.clone() })?;
        if view.is_unpaid(id) {
            return Err(AnswerError::AnswerOwed { path: path.clone() });
        }
        self.settle(path);
        Ok(())
    }

    /// Goes back to the question answered or skipped last that is still asked. Its
    /// answer stays until it is changed.
    pub fn back(&mut self) -> Option<QuestionStep> {
        while let Some(path) = self.history.pop() {
            self.settled.remove(&path);
            if let Some(step) = self.question(&path) {
                return Some(step);
            }
        }
        None
    }

    /// Adds an instance of a repeating group and returns its path. `path` is that
    /// of any instance there is.
    ///
    /// # Errors
    /// [`AnswerError::NoMoreInstances`] when the group doesn't repeat or is full;
    /// [`AnswerError::NoSuchQuestion`] when there is no such group.
    pub fn add_instance(&mut self, path: &ItemPath) -> Result<ItemPath, AnswerError> {
        let missing = || AnswerError::NoSuchQuestion { path: path.clone() };
        let full = || AnswerError::NoMoreInstances { path: path.clone() };
        let (last, head) = path.steps().split_last().ok_or_else(missing)?;
        let group = self.questionnaire.item(&last.link_id).ok_or_else(missing)?;
        if group.item_type != ItemType::Group || !group.repeats {
            return Err(full());
        }
        let most = group.rules.max_occurs.unwrap_or(MAX_GROUP_INSTANCES).min(MAX_GROUP_INSTANCES);
        let forest = Forest::new(&self.questionnaire, &self.response);
        forest.find(path).ok_or_else(missing)?;
        let present = (0..most).find(|index| {
            let sibling = sibling_path(head, last, *index);
            forest.find(&sibling).and_then(|id| forest.nodes.get(id)).is_none_or(|node| node.source.is_none())
        });
        let new = sibling_path(head, last, present.ok_or_else(full)?);
        place(&self.questionnaire, &mut self.response.items, new.steps()).ok_or_else(missing)?;
        Ok(new)
    }

    /// The completed (or amended) response: answers of questions that are switched
    /// off are left out. `authored` is the time of writing as a FHIR dateTime. The
    /// draft stays as it is.
    ///
    /// # Errors
    /// The findings of severity error, in reading order, when something is owed or
    /// doesn't fit.
    pub fn finish(&self, authored: Option<&str>) -> Result<QuestionnaireResponse, Vec<Finding>> {
        let mut response = without_disabled(&self.questionnaire, &self.response);
        response.set_status(self.final_status);
        if let Some(authored) = authored {
            response.set_authored(authored);
        }
        let errors: Vec<Finding> =
            validate(&self.questionnaire, &response).into_iter().filter(Finding::is_error).collect();
        if errors.is_empty() { Ok(response) } else { Err(errors) }
    }

    fn fill_in_initial(&mut self) {
        // Nested questions exist only once the answer above them is there, so the
        // levels are filled in one after the other, from the top.
        let mut filled = BTreeSet::new();
        loop {
            let todo: Vec<(ItemPath, Vec<AnswerValue>)> = {
                let forest = Forest::new(&self.questionnaire, &self.response);
                (0..forest.nodes.len())
                    .filter_map(|id| Some((id, forest.nodes.get(id)?)))
                    .filter(|(_, node)| !node.item.initial.is_empty() && !node.is_optional)
                    .map(|(id, node)| (forest.path(id), node.item.initial.clone()))
                    .filter(|(path, _)| !filled.contains(path))
                    .collect()
            };
            if todo.is_empty() {
                return;
            }
            for (path, values) in todo {
                let item = path.link_id().and_then(|link_id| self.questionnaire.item(link_id));
                let answers: Vec<_> = values.iter().map(Some).collect();
                let fits =
                    item.is_some_and(|item| !check_answers(item, &answers).iter().any(|i| i.is_error()));
                if fits && let Some(item) = place(&self.questionnaire, &mut self.response.items, path.steps())
                {
                    item.answers = values.into_iter().map(Answer::new).collect();
                }
                filled.insert(path);
            }
        }
    }

    fn settle_answered(&mut self) {
        let forest = Forest::new(&self.questionnaire, &self.response);
        // A draft does not say what was asked already. An answer that is just what the form fills in
        // may never have been seen; asking once more costs one key.
        let is_prefilled =
            |node: &Node<'_>| !node.item.initial.is_empty() && node.values().eq(node.item.initial.iter());
        let was_answered = |node: &Node<'_>| node.has_value() && !is_prefilled(node);
        let answered = (0..forest.nodes.len()).filter(|id| forest.nodes.get(*id).is_some_and(was_answered));
        let paths: Vec<ItemPath> = answered.map(|id| forest.path(id)).collect();
        self.history.clone_from(&paths);
        self.settled = paths.into_iter().collect();
    }

    /// Checks that a question stands at the path and takes answers from people.
    fn node_kind(&self, path: &ItemPath) -> Result<(), AnswerError> {
        let forest = Forest::new(&self.questionnaire, &self.response);
        let node = forest.find(path).and_then(|id| forest.nodes.get(id));
        let node = node.ok_or_else(|| AnswerError::NoSuchQuestion { path: path.clone() })?;
        if !node.item.item_type.takes_answers() || node.item.read_only {
            return Err(AnswerError::NotAnswerable { path: path.clone() });
        }
        Ok(())
    }

    fn check(&self, path: &ItemPath, values: &[AnswerValue]) -> Result<(), AnswerError> {
        self.node_kind(path)?;
        let view = View::of(self);
        let id = view.forest.find(path).filter(|id| view.is_on(*id));
        let node = id.and_then(|id| view.node(id));
        let node = node.ok_or_else(|| AnswerError::SwitchedOff { path: path.clone() })?;
        let answers: Vec<_> = values.iter().map(Some).collect();
        let findings: Vec<Finding> = check_answers(node.item, &answers)
            .into_iter()
            .filter(|issue| issue.is_error())
            .map(|issue| Finding::new(path.clone(), issue.code, issue.severity, issue.message))
            .collect();
        if findings.is_empty() { Ok(()) } else { Err(AnswerError::Refused { path: path.clone(), findings }) }
    }

    fn settle(&mut self, path: &ItemPath) {
        self.unsettle(path);
        self.history.push(path.clone());
        self.settled.insert(path.clone());
    }

    fn unsettle(&mut self, path: &ItemPath) {
        if self.settled.remove(path) {
            self.history.retain(|known| known != path);
        }
    }

    /// Forgets that questions below a changed answer were settled, where their
    /// answers went with it.
    fn forget_vanished(&mut self, path: &ItemPath) {
        if !self.settled.iter().any(|known| known.is_below(path)) {
            return;
        }
        let forest = Forest::new(&self.questionnaire, &self.response);
        let vanished: BTreeSet<ItemPath> = self
            .settled
            .iter()
            .filter(|known| known.is_below(path))
            .filter(|known| {
                !forest.find(known).and_then(|id| forest.nodes.get(id)).is_some_and(Node::has_value)
            })
            .cloned()
            .collect();
        self.settled.retain(|known| !vanished.contains(known));
        self.history.retain(|known| !vanished.contains(known));
    }
}

/// Said behind the text of a question that is kept, but can't be answered.
const UNSUPPORTED: &str = "this can't be answered here";

/// The form laid over the draft, with what is on.
struct View<'a> {
    questionnaire: &'a Questionnaire,
    languages: &'a LanguageChoice,
    forest: Forest<'a>,
    enabled: Vec<bool>,
    last_chances: BTreeSet<usize>,
}

impl<'a> View<'a> {
    fn of(answering: &'a Answering) -> Self {
        let forest = Forest::new(&answering.questionnaire, &answering.response);
        let enabled = enabled_nodes(&answering.questionnaire, &forest);
        let (questionnaire, languages) = (&*answering.questionnaire, &answering.languages);
        let mut view = Self { questionnaire, languages, forest, enabled, last_chances: BTreeSet::new() };
        view.last_chances = view.find_last_chances();
        view
    }

    fn node(&self, id: usize) -> Option<&Node<'a>> {
        self.forest.nodes.get(id)
    }

    fn is_on(&self, id: usize) -> bool {
        self.enabled.get(id).copied().unwrap_or(false)
    }

    /// Whether a person is asked this: on, visible, and of a kind Ward can ask.
    fn is_asked(&self, id: usize) -> bool {
        self.is_on(id)
            && self.node(id).is_some_and(|node| {
                node.item.item_type.takes_answers()
                    && node.item.item_type.is_supported()
                    && !node.item.read_only
            })
            && !self.is_hidden(id)
    }

    fn is_hidden(&self, id: usize) -> bool {
        self.forest.chain(id).filter_map(|above| self.node(above)).any(|node| node.item.hidden)
    }

    fn is_owed(&self, id: usize) -> bool {
        self.last_chances.contains(&id) || self.node(id).is_some_and(Node::owes_answer)
    }

    /// Owed and without an answer.
    fn is_unpaid(&self, id: usize) -> bool {
        self.is_owed(id) && !self.node(id).is_some_and(Node::has_value)
    }

    /// A group may owe an answer although none of its questions does. While it has
    /// none, the last question asked in it is owed.
    fn find_last_chances(&self) -> BTreeSet<usize> {
        let has_value = |id: usize| self.is_on(id) && self.node(id).is_some_and(Node::has_value);
        (0..self.forest.nodes.len())
            .filter_map(|id| Some((id, self.node(id)?)))
            .filter(|(id, node)| {
                node.item.item_type == ItemType::Group && self.is_on(*id) && node.owes_answer()
            })
            .filter(|(id, node)| !(*id..node.end).any(has_value))
            .filter_map(|(id, node)| (id..node.end).rev().find(|below| self.is_asked(*below)))
            .collect()
    }

    fn step(&self, id: usize) -> Option<QuestionStep> {
        let node = self.node(id)?;
        let mut headings: Vec<String> = self
            .forest
            .chain(id)
            .skip(1)
            .filter_map(|above| self.node(above))
            .filter(|above| above.item.item_type == ItemType::Group)
            .filter_map(|above| self.text(above))
            .collect();
        headings.reverse();
        Some(QuestionStep {
            path: self.forest.path(id),
            link_id: node.item.link_id.clone(),
            headings,
            notes: self.notes_before(id),
            prefix: self.questionnaire.prefix_of(node.item, self.languages).map(str::to_owned),
            text: self.text(node),
            item_type: node.item.item_type,
            is_owed: self.is_owed(id),
            repeats: node.item.repeats,
            max_chars: node.item.rules.max_chars,
            options: node.item.options.listed().iter().map(|option| self.option(option)).collect(),
            answers: node.values().cloned().collect(),
        })
    }

    fn text(&self, node: &Node<'a>) -> Option<String> {
        self.questionnaire.text_of(node.item, self.languages).map(str::to_owned)
    }

    fn option(&self, option: &AnswerOption) -> AnswerOption {
        let label = self.questionnaire.label_of(option, self.languages);
        let chosen_label = Some(label).filter(|label| *label != option.label());
        AnswerOption { chosen_label, ..option.clone() }
    }

    /// What is read but not answered before a question: texts, and questions of a kind that Ward
    /// can't ask, which must not vanish without a word.
    fn notes_before(&self, id: usize) -> Vec<String> {
        let mut notes: Vec<String> = (0..id)
            .rev()
            .take_while(|before| !self.is_asked(*before))
            .filter(|before| self.is_on(*before) && !self.is_hidden(*before))
            .filter_map(|before| self.node(before))
            .filter_map(|node| match node.item.item_type {
                ItemType::Display => self.text(node),
                kind if kind.is_supported() => None,
                _ => Some(format!("{} ({UNSUPPORTED})", self.text(node)?)),
            })
            .collect();
        notes.reverse();
        notes
    }
}

fn sibling_path(head: &[PathStep], last: &PathStep, index: usize) -> ItemPath {
    let mut steps = head.to_vec();
    steps.push(PathStep { link_id: last.link_id.clone(), index });
    ItemPath::from_steps(steps)
}

/// The item of the response at a path, made where it is missing, in the form's
/// order. `None` when the path skips a repetition or hangs under no answer.
fn place<'r>(
    questionnaire: &Questionnaire,
    items: &'r mut Vec<ResponseItem>,
    steps: &[PathStep],
) -> Option<&'r mut ResponseItem> {
    let (step, rest) = steps.split_first()?;
    let definition = questionnaire.item(&step.link_id)?;
    let is_group = definition.item_type == ItemType::Group;
    let instance = if is_group { step.index } else { 0 };
    let present: Vec<usize> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| item.link_id == step.link_id)
        .map(|(position, _)| position)
        .collect();
    let position = match present.get(instance) {
        Some(position) => *position,
        None if present.len() == instance => {
            let position = insertion_point(questionnaire, items, definition.index);
            items.insert(position, ResponseItem::new(&step.link_id));
            position
        }
        None => return None,
    };
    let item = items.get_mut(position)?;
    if rest.is_empty() {
        return Some(item);
    }
    if is_group {
        return place(questionnaire, &mut item.items, rest);
    }
    place(questionnaire, &mut item.answers.get_mut(step.index)?.items, rest)
}

/// Before the first sibling that comes later in the form.
fn insertion_point(questionnaire: &Questionnaire, items: &[ResponseItem], index: ItemIndex) -> usize {
    items
        .iter()
        .position(|sibling| questionnaire.item(&sibling.link_id).is_some_and(|later| later.index > index))
        .unwrap_or(items.len())
}
