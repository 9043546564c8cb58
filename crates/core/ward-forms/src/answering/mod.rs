//! Answering a form one question at a time.

mod owed_instances;
mod refusal;
mod room;
mod second_asking;
mod step;

pub use refusal::AnswerError;
pub use room::AnswerRoom;
pub use step::{ItemState, Progress, QuestionStep};

use crate::answer_check::check_answers;
use crate::answer_value::AnswerValue;
use crate::completion::{finished, said_by_people};
use crate::finding::Finding;
use crate::item_path::ItemPath;
use crate::limits::{MAX_GROUP_INSTANCES, MAX_RESPONSE_ITEMS};
use crate::live::{LiveForm, Place, PlaceId, Surroundings};
use crate::questionnaire::{ItemType, Questionnaire};
use crate::response::{QuestionnaireResponse, ResponseStatus};
use crate::translation::LanguageChoice;
use crate::validate::validate_in;
use std::sync::Arc;
use step::View;

/// A form being answered.
///
/// After each answer only what depends on it is evaluated again. Answers of questions that are switched
/// off later stay in the draft, so that changing one's mind costs nothing; [`Answering::finish`] leaves
/// them out.
///
/// Calculated answers are written as answers. One that a person may change and has changed stands until
/// it is cleared; then the form calculates it again. Where an answer that a calculation needs is
/// missing, there is no answer: missing is not zero.
#[derive(Debug, Clone)]
pub struct Answering {
    live: LiveForm<'static>,
    /// Questions answered or skipped here, oldest first: the way back.
    history: Vec<PlaceId>,
    languages: LanguageChoice,
    room: room::Watch,
}

impl Answering {
    /// Starts a form, with its initial answers filled in. An initial answer that
    /// doesn't fit its own question is left out.
    #[must_use]
    pub fn new(questionnaire: impl Into<Arc<Questionnaire>>) -> Self {
        Self::new_in(questionnaire, Surroundings::new())
    }

    /// Starts a form whose expressions ask for the time or for what the app knows.
    #[must_use]
    pub fn new_in(questionnaire: impl Into<Arc<Questionnaire>>, surroundings: Surroundings) -> Self {
        let questionnaire = questionnaire.into();
        let response = QuestionnaireResponse::to(&questionnaire, ResponseStatus::Completed);
        Self::with(LiveForm::follow(questionnaire, response, surroundings))
    }

    /// Shows texts in the language of a person, where the form carries it.
    pub fn read_in(&mut self, languages: LanguageChoice) {
        self.languages = languages;
    }

    /// Goes on with a draft. What has an answer is not asked again, but for what the form filled in
    /// or calculated: a draft of [`Answering::draft`] says which of that a person has seen, any other
    /// does not.
    #[must_use]
    pub fn resume(questionnaire: impl Into<Arc<Questionnaire>>, draft: QuestionnaireResponse) -> Self {
        Self::resume_in(questionnaire, draft, Surroundings::new())
    }

    /// Goes on with a draft of a form whose expressions ask for the time or for what the app knows.
    #[must_use]
    pub fn resume_in(
        questionnaire: impl Into<Arc<Questionnaire>>,
        draft: QuestionnaireResponse,
        surroundings: Surroundings,
    ) -> Self {
        let mut answering = Self::over(questionnaire, draft, surroundings, ResponseStatus::Completed);
        answering.settle_answered();
        answering
    }

    /// Corrects a finished response; [`Answering::finish`] then gives an amended
    /// one. Every question is asked again and shows its answer so far. The caller keeps the old
    /// response and records the reason. A calculated answer stands until its formula has a result: an
    /// app that does not know what an earlier one knew takes nothing away.
    #[must_use]
    pub fn amend(questionnaire: impl Into<Arc<Questionnaire>>, finished: QuestionnaireResponse) -> Self {
        Self::amend_in(questionnaire, finished, Surroundings::new())
    }

    /// Corrects a finished response to a form whose expressions ask for the time or for what the app
    /// knows.
    #[must_use]
    pub fn amend_in(
        questionnaire: impl Into<Arc<Questionnaire>>,
        finished: QuestionnaireResponse,
        surroundings: Surroundings,
    ) -> Self {
        Self::over(questionnaire, finished, surroundings, ResponseStatus::Amended)
    }

    /// Goes on with the draft of a correction: what differs from the finished response is not asked
    /// again.
    #[must_use]
    pub fn resume_amendment(
        questionnaire: impl Into<Arc<Questionnaire>>,
        finished: &QuestionnaireResponse,
        draft: QuestionnaireResponse,
    ) -> Self {
        Self::resume_amendment_in(questionnaire, finished, draft, Surroundings::new())
    }

    /// Goes on with the draft of a correction of a form whose expressions ask for the time or for what
    /// the app knows.
    #[must_use]
    pub fn resume_amendment_in(
        questionnaire: impl Into<Arc<Questionnaire>>,
        finished: &QuestionnaireResponse,
        draft: QuestionnaireResponse,
        surroundings: Surroundings,
    ) -> Self {
        let questionnaire = questionnaire.into();
        let old = LiveForm::verify(&questionnaire, finished, &surroundings);
        let mut answering = Self::amend_in(Arc::clone(&questionnaire), draft, surroundings);
        answering.settle_answered();
        let live = &answering.live;
        let is_unchanged = |id: &PlaceId| {
            let before = old.find(&live.path(*id)).map(|id| old.values(id)).unwrap_or_default();
            before == live.values(*id)
        };
        let same: Vec<PlaceId> = answering.history.iter().copied().filter(is_unchanged).collect();
        for id in same {
            answering.unsettle(id);
        }
        answering
    }

    fn over(
        questionnaire: impl Into<Arc<Questionnaire>>,
        mut response: QuestionnaireResponse,
        surroundings: Surroundings,
        final_status: ResponseStatus,
    ) -> Self {
        // Expressions see the response as it will be; only the draft that is put away is one.
        response.set_status(final_status);
        Self::with(LiveForm::resume(questionnaire.into(), response, surroundings))
    }

    fn with(live: LiveForm<'static>) -> Self {
        let (languages, room) = (LanguageChoice::default(), room::Watch::default());
        let mut answering = Self { live, history: Vec::new(), languages, room };
        answering.add_owed_instances();
        answering
    }

    /// Tells the form the time, and what the app knows; what depends on it is evaluated again.
    pub fn set_surroundings(&mut self, surroundings: Surroundings) {
        self.live.set_surroundings(surroundings);
        self.forget_vanished();
    }

    /// The time and what the app knows, as the form was told.
    #[must_use]
    pub fn surroundings(&self) -> &Surroundings {
        self.live.surroundings()
    }

    /// Evaluates the draft from scratch and compares everything with the state that was kept up to date
    /// answer by answer. They never differ; tests ask after each step.
    ///
    /// # Errors
    /// The first place that differs, or the root path.
    pub fn compare_with_scratch(&self) -> Result<(), ItemPath> {
        self.live.compare_with_scratch()
    }

    /// Whether another response gives the same answers; status, time of writing and what the form
    /// calculates aside.
    #[must_use]
    pub fn says_the_same(&self, other: &QuestionnaireResponse) -> bool {
        let mut other = other.clone();
        other.set_status(self.live.response.status);
        let surroundings = self.live.surroundings().clone();
        said_by_people(&self.live)
            == said_by_people(&LiveForm::resume(self.live.shared_form(), other, surroundings))
    }

    /// The form.
    #[must_use]
    pub fn questionnaire(&self) -> &Questionnaire {
        &self.live.form
    }

    /// The response so far, as a draft to keep. Extensions of its answers say what the form calculated,
    /// and which of what it filled in a person has seen; [`Answering::resume`] takes them out again.
    #[must_use]
    pub fn draft(&self) -> QuestionnaireResponse {
        let mut draft = self.live.marked();
        draft.set_status(ResponseStatus::InProgress);
        draft
    }

    fn view(&self) -> View<'_> {
        View::of(&self.live, &self.languages)
    }

    /// The next question to show: the first in reading order that is switched on
    /// and was neither answered nor skipped here. `None` when all are done.
    #[must_use]
    pub fn next_question(&self) -> Option<QuestionStep> {
        let view = self.view();
        let is_settled = |id: PlaceId| self.live.places.get(id).is_some_and(|place| place.is_settled);
        let next = view.asked().find(|id| !is_settled(*id) || view.is_unpaid(*id));
        next.and_then(|id| view.step(id))
    }

    /// Every question that is switched on, in reading order.
    #[must_use]
    pub fn questions(&self) -> Vec<QuestionStep> {
        let view = self.view();
        view.asked().filter_map(|id| view.step(id)).collect()
    }

    /// What is read behind the last question, such as a score that the form calculates.
    #[must_use]
    pub fn closing_notes(&self) -> Vec<String> {
        self.view().notes_before(self.live.order.len())
    }

    /// Every item where it stands, asked or not, in reading order.
    #[must_use]
    pub fn items(&self) -> Vec<ItemState> {
        let view = self.view();
        self.live.order.iter().filter_map(|id| view.state(*id)).collect()
    }

    /// The item at a path, asked or not.
    #[must_use]
    pub fn item(&self, path: &ItemPath) -> Option<ItemState> {
        self.view().state(self.live.find(path)?)
    }

    /// What is to be said about the answers so far: rules that are broken, expressions that failed,
    /// answers that differ from what is calculated. Those of the form itself come first.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.live.of_form_rules();
        findings.extend(self.live.order.iter().flat_map(|id| self.live.findings(*id)));
        findings
    }

    /// The question at a path, if it is switched on.
    #[must_use]
    pub fn question(&self, path: &ItemPath) -> Option<QuestionStep> {
        self.question_at(self.live.find(path)?)
    }

    fn question_at(&self, id: PlaceId) -> Option<QuestionStep> {
        let view = self.view();
        Some(id).filter(|id| view.is_asked(*id)).and_then(|id| view.step(id))
    }

    /// The path of the first place where an item stands.
    #[must_use]
    pub fn path_of(&self, link_id: &str) -> Option<ItemPath> {
        let item = self.live.form.item(link_id)?.index.0;
        let places = self.live.places.of_item(item).iter().copied();
        let first = places.min_by_key(|id| self.live.places.get(*id).map_or(usize::MAX, |place| place.at));
        first.map(|id| self.live.path(id))
    }

    /// How far the person is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.view().progress()
    }

    /// Sets the answer of a question.
    ///
    /// # Errors
    /// [`AnswerError`] when there is no such question, it is switched off, the
    /// answer doesn't fit, or there is no room for it; the answer before stays.
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
        let id = self.answerable(path)?;
        self.check(id, path, &values)?;
        self.answer_in_room(id, path, values)
    }

    fn take(&mut self, id: PlaceId, values: Vec<AnswerValue>) {
        self.live.answer(id, values);
        self.forget_vanished();
        self.settle(id);
    }

    /// Takes the answers of a question away; it will be asked again. A calculated answer is calculated
    /// again.
    ///
    /// # Errors
    /// [`AnswerError::NoSuchQuestion`] or [`AnswerError::NotAnswerable`].
    pub fn clear(&mut self, path: &ItemPath) -> Result<(), AnswerError> {
        let id = self.answerable(path)?;
        self.live.answer(id, Vec::new());
        self.forget_vanished();
        self.unsettle(id);
        Ok(())
    }

    /// Goes past a question that isn't owed. Its answer, if any, stays.
    ///
    /// # Errors
    /// [`AnswerError::AnswerOwed`] when it must be answered,
    /// [`AnswerError::SwitchedOff`] or [`AnswerError::NoSuchQuestion`].
    pub fn skip(&mut self, path: &ItemPath) -> Result<(), AnswerError> {
        let id = self.answerable(path)?;
        if !self.is_on(id) {
            return Err(AnswerError::SwitchedOff { path: path.clone() });
        }
        if self.view().is_unpaid(id) {
            return Err(AnswerError::AnswerOwed { path: path.clone() });
        }
        self.settle(id);
        Ok(())
    }

    /// Goes back to the question answered or skipped last that is still asked. Its
    /// answer stays until it is changed.
    pub fn back(&mut self) -> Option<QuestionStep> {
        while let Some(id) = self.history.pop() {
            self.mark(id, false);
            if let Some(step) = self.question_at(id) {
                return Some(step);
            }
        }
        None
    }

    /// Goes back to one question that is asked; those answered after it stay as they are.
    pub fn back_to(&mut self, path: &ItemPath) -> Option<QuestionStep> {
        let id = self.live.find(path)?;
        let step = self.question_at(id)?;
        self.unsettle(id);
        Some(step)
    }

    /// Adds an instance of a repeating group and returns its path. `path` is that
    /// of any instance there is.
    ///
    /// # Errors
    /// [`AnswerError::NoMoreInstances`] when the group doesn't repeat or is full, or the response would have
    /// more items than can be read again, or than there is room for;
    /// [`AnswerError::NoSuchQuestion`] when there is no such group.
    pub fn add_instance(&mut self, path: &ItemPath) -> Result<ItemPath, AnswerError> {
        let missing = || AnswerError::NoSuchQuestion { path: path.clone() };
        let full = || AnswerError::NoMoreInstances { path: path.clone() };
        let group = path.link_id().and_then(|link_id| self.live.form.item(link_id)).ok_or_else(missing)?;
        if group.item_type != ItemType::Group || !group.repeats {
            return Err(full());
        }
        let most = group.rules.max_occurs.unwrap_or(MAX_GROUP_INSTANCES).min(MAX_GROUP_INSTANCES);
        let id = self.live.find(path).ok_or_else(missing)?;
        // All places of another instance might be filled in, and the draft has to be readable again.
        if self.live.order.len() + self.live.places.subtree(id).len() > MAX_RESPONSE_ITEMS {
            return Err(full());
        }
        self.add_in_room(id, most).ok_or_else(full)
    }

    /// Takes an instance of a repeating group away, with the answers in it. Those after it move up.
    ///
    /// # Errors
    /// [`AnswerError::NoSuchInstance`] when there is none at the path, or the group doesn't repeat.
    pub fn remove_instance(&mut self, path: &ItemPath) -> Result<(), AnswerError> {
        let missing = || AnswerError::NoSuchInstance { path: path.clone() };
        let group = path.link_id().and_then(|link_id| self.live.form.item(link_id)).ok_or_else(missing)?;
        if group.item_type != ItemType::Group || !group.repeats {
            return Err(missing());
        }
        let id = self.live.find(path).ok_or_else(missing)?;
        self.live.remove_instance(id).ok_or_else(missing)?;
        self.forget_vanished();
        Ok(())
    }

    /// The completed (or amended) response: answers of questions that are switched
    /// off are left out. `authored` is the time of writing as a FHIR dateTime, with the zone where the
    /// person is; if it says the second, it is the time that expressions see. The draft stays as it is.
    ///
    /// Where the time itself switches questions on, give the same time to
    /// [`Answering::set_surroundings`] before and look for the next question once more.
    ///
    /// # Errors
    /// The findings of severity error, in reading order, when something is owed or
    /// doesn't fit.
    pub fn finish(&self, authored: Option<&str>) -> Result<QuestionnaireResponse, Vec<Finding>> {
        let surroundings = self.live.surroundings().at_writing(authored);
        let response = finished(&self.live, authored);
        let findings = validate_in(&self.live.form, &response, &surroundings);
        let mut errors: Vec<Finding> = findings.into_iter().filter(Finding::is_error).collect();
        if errors.is_empty() {
            errors.extend(self.too_large(&response));
        }
        if errors.is_empty() { Ok(response) } else { Err(errors) }
    }

    fn settle_answered(&mut self) {
        // An answer that is just what the form fills in may never have been seen, unless the draft says
        // so; asking once more costs one key.
        for id in self.live.order.clone() {
            let Some(place) = self.live.places.get(id).filter(|place| place.has_value) else { continue };
            let is_followed = place.calculation.is_some() && !place.is_overridden();
            let is_prefilled = !place.is_seen && self.may_be_filled_in(id, place);
            if !is_followed && !is_prefilled {
                self.settle(id);
            }
        }
    }

    /// Whether the answer of a place may be just what the form fills in.
    fn may_be_filled_in(&self, id: PlaceId, place: &Place) -> bool {
        let has_formula = self.live.compiled.item(place.item).is_some_and(|item| item.initial.is_some());
        let initial = self.live.form.items().get(place.item).map(|item| &item.initial);
        has_formula || initial.is_some_and(|initial| !initial.is_empty() && *initial == self.live.values(id))
    }

    /// The place of a question that takes answers from people.
    fn answerable(&self, path: &ItemPath) -> Result<PlaceId, AnswerError> {
        let missing = || AnswerError::NoSuchQuestion { path: path.clone() };
        let id = self.live.find(path).ok_or_else(missing)?;
        let place = self.live.places.get(id).ok_or_else(missing)?;
        let item = self.live.form.items().get(place.item).ok_or_else(missing)?;
        let is_calculated_alone = place.calculation.is_some() && self.live.is_locked(id);
        if !item.item_type.takes_answers() || item.read_only || is_calculated_alone {
            return Err(AnswerError::NotAnswerable { path: path.clone() });
        }
        Ok(id)
    }

    fn is_on(&self, id: PlaceId) -> bool {
        self.live.places.get(id).is_some_and(|place| place.is_on)
    }

    fn check(&self, id: PlaceId, path: &ItemPath, values: &[AnswerValue]) -> Result<(), AnswerError> {
        let place = self.live.places.get(id).filter(|place| place.is_on);
        let item = place.and_then(|place| self.live.form.items().get(place.item));
        let item = item.ok_or_else(|| AnswerError::SwitchedOff { path: path.clone() })?;
        let answers: Vec<_> = values.iter().map(Some).collect();
        let findings: Vec<Finding> = check_answers(item, &answers)
            .into_iter()
            .filter(|issue| issue.is_error())
            .map(|issue| Finding::new(path.clone(), issue.code, issue.severity, issue.message))
            .collect();
        if findings.is_empty() { Ok(()) } else { Err(AnswerError::Refused { path: path.clone(), findings }) }
    }

    fn settle(&mut self, id: PlaceId) {
        // It may have gone with its own answer, when that changed what it is nested under.
        if self.live.places.get(id).is_none() {
            return;
        }
        self.unsettle(id);
        self.history.push(id);
        self.mark(id, true);
    }

    fn unsettle(&mut self, id: PlaceId) {
        self.mark(id, false);
        self.history.retain(|known| *known != id);
    }

    fn mark(&mut self, id: PlaceId, is_settled: bool) {
        if let Some(place) = self.live.places.get_mut(id) {
            place.is_settled = is_settled;
        }
    }

    /// Forgets the questions that went with a changed answer, and shows what is owed now.
    fn forget_vanished(&mut self) {
        let removed = self.live.take_removed();
        if !removed.is_empty() {
            self.history.retain(|known| !removed.contains(known));
        }
        self.add_owed_instances();
    }
}
