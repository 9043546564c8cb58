//! A form with the answers so far, kept up to date: after a change only what depends on it is
//! evaluated again, in the order of dependence.
//!
//! The response as people have filled it in is kept whole: answers of items that are off stay in it,
//! and come back when the item is on again. Beside it stands a mirror of what would be given away
//! now, which expressions read.

mod conditions;
mod consistency;
mod debts;
mod draft_mark;
mod edit;
mod evaluate;
mod findings;
mod grow;
mod head;
mod initial;
mod mirror;
mod mirror_digits;
mod pairing;
mod parked;
mod place;
mod result_answers;
mod settle;
mod steps;
mod surroundings;
mod together;
mod written_bytes;

pub(crate) use place::{Place, PlaceId, Places, RuleState};
pub(crate) use result_answers::are_same;
pub use surroundings::Surroundings;
pub(crate) use written_bytes::{most_bytes, most_bytes_of_item};

use crate::answer_value::AnswerValue;
use crate::compiled::CompiledForm;
use crate::item_path::ItemPath;
use crate::number_text::NumberTexts;
use crate::questionnaire::Questionnaire;
use crate::response::{QuestionnaireResponse, ResponseItem};
use grow::{Branch, Growth};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

/// A form that is shared, or only looked at.
#[derive(Debug, Clone)]
pub(crate) enum FormRef<'r> {
    Shared(Arc<Questionnaire>),
    Borrowed(&'r Questionnaire),
}

impl Deref for FormRef<'_> {
    type Target = Questionnaire;

    fn deref(&self) -> &Questionnaire {
        match self {
            Self::Shared(form) => form,
            Self::Borrowed(form) => form,
        }
    }
}

/// What happens to calculated answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calculation {
    /// They are written, but where a person gave another answer.
    Follow,
    /// They are compared with the answers that are there.
    Verify,
}

/// A form over a response, evaluated.
#[derive(Debug, Clone)]
pub(crate) struct LiveForm<'r> {
    pub(crate) form: FormRef<'r>,
    pub(crate) compiled: Arc<CompiledForm>,
    pub(crate) response: Cow<'r, QuestionnaireResponse>,
    pub(crate) places: Places,
    /// The places in reading order.
    pub(crate) order: Vec<PlaceId>,
    /// Whether the rules of the form itself hold.
    pub(crate) rules: Vec<RuleState>,
    surroundings: Surroundings,
    calculation: Calculation,
    /// Whether its time of writing is that of the response.
    is_written: bool,
    /// What expressions see; `None` for a form without any.
    mirror: Option<Value>,
    /// How the numbers in it were written.
    mirror_digits: NumberTexts,
    waiting: BTreeSet<settle::Waiting>,
    is_order_old: bool,
    /// New places, whose initial answers are not filled in.
    unprepared: Vec<PlaceId>,
    /// Places that are on for the first time, as far as is known.
    beginning: BTreeSet<PlaceId>,
    /// The numbers of places that are gone, until somebody has looked.
    removed: Vec<PlaceId>,
    /// By how many bytes the response got longer, at most, since somebody set this to 0.
    pub(crate) written_bytes: usize,
    /// What expressions may still cost until the next change.
    steps: steps::Steps,
    /// The same response with its answers calculated, while it is only looked at and some of them may
    /// wait for one another.
    followed: Option<Box<LiveForm<'r>>>,
}

impl<'r> LiveForm<'r> {
    /// A new response that is answered.
    pub(crate) fn follow(
        form: Arc<Questionnaire>,
        response: QuestionnaireResponse,
        surroundings: Surroundings,
    ) -> Self {
        let mut live =
            Self::over(FormRef::Shared(form), Cow::Owned(response), surroundings, Calculation::Follow);
        live.settle_all();
        live
    }

    fn follow_stored(
        form: FormRef<'r>,
        response: Cow<'r, QuestionnaireResponse>,
        surroundings: Surroundings,
    ) -> Self {
        let mut live = Self::over(form, response, surroundings, Calculation::Follow);
        // It was given away: its head says when.
        live.is_written = true;
        live.write_head();
        live.is_filled_in();
        live.settle_all();
        live
    }

    /// A response that is only looked at.
    pub(crate) fn verify(
        form: &'r Questionnaire,
        response: &'r QuestionnaireResponse,
        surroundings: &Surroundings,
    ) -> Self {
        let (form, response) = (FormRef::Borrowed(form), Cow::Borrowed(response));
        let followed = form
            .compiled()
            .has_calculated_circle()
            .then(|| Box::new(Self::follow_stored(form.clone(), response.clone(), surroundings.clone())));
        let mut live = Self::over(form, response, surroundings.clone(), Calculation::Verify);
        live.followed = followed;
        live.settle_all();
        live.take_over_failures();
        live
    }

    fn over(
        form: FormRef<'r>,
        response: Cow<'r, QuestionnaireResponse>,
        surroundings: Surroundings,
        calculation: Calculation,
    ) -> Self {
        let compiled = Arc::clone(form.compiled());
        let mirror = compiled.has_expressions().then(|| mirror::empty(&response));
        let mirror_digits = response.numbers.clone();
        let mut places = Places::with_items(form.items().len());
        let is_stored = true;
        let mut growth =
            Growth { form: &form, compiled: &compiled, places: &mut places, is_stored, made: Vec::new() };
        let top = Branch { parent: None, under_answer: 0, is_optional: false };
        growth.level(top, form.top_items(), &response.items);
        let made = growth.made;
        let mut live = Self {
            rules: vec![None; compiled.rules.len()],
            form,
            compiled,
            response,
            places,
            order: Vec::new(),
            surroundings,
            calculation,
            is_written: false,
            mirror,
            mirror_digits,
            waiting: BTreeSet::new(),
            is_order_old: true,
            unprepared: Vec::new(),
            beginning: BTreeSet::new(),
            removed: Vec::new(),
            written_bytes: 0,
            steps: steps::Steps::default(),
            followed: None,
        };
        live.write_head();
        live.take_up(&made);
        live.wait_for_form();
        live
    }

    /// Evaluates all that waits and fills in what the form gives.
    pub(crate) fn settle_all(&mut self) {
        self.settle();
        if self.calculation == Calculation::Follow {
            self.fill_in();
        }
        if self.is_order_old {
            self.put_in_order();
        }
        self.steps.renew();
    }

    /// Gives a place these answers, as a person does.
    pub(crate) fn answer(&mut self, id: PlaceId, values: Vec<AnswerValue>) {
        if let Some(calculation) = self.places.get_mut(id).and_then(|place| place.calculation.as_mut()) {
            let follows = matches!(&calculation.result, Some(Ok(result)) if are_same(result, &values));
            // An answer that is taken away is calculated again.
            calculation.is_overridden = !values.is_empty() && !follows;
            calculation.is_fresh = false;
            self.wait(crate::compiled::What::Calculate, id);
        }
        self.set_values(id, values);
        self.settle_all();
    }

    /// Evaluates again what changes with the time or with what the app knows.
    pub(crate) fn set_surroundings(&mut self, surroundings: Surroundings) {
        self.surroundings = surroundings;
        self.wait_for_all();
        self.settle_all();
    }

    fn wait_for_all(&mut self) {
        self.write_head();
        for id in self.order.clone() {
            self.wait(crate::compiled::What::Enable, id);
            self.wait_for_own(id);
        }
        self.wait_for_form();
    }

    /// The form, to be shared with another evaluation.
    pub(crate) fn shared_form(&self) -> Arc<Questionnaire> {
        match &self.form {
            FormRef::Shared(form) => Arc::clone(form),
            FormRef::Borrowed(form) => Arc::new((*form).clone()),
        }
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The numbers of places that are gone; they may be given to others from now on.
    pub(crate) fn take_removed(&mut self) -> Vec<PlaceId> {
        let removed = std::mem::take(&mut self.removed);
        self.beginning.retain(|id| !removed.contains(id));
        self.places.reuse(removed.iter().copied());
        removed
    }

    fn put_in_order(&mut self) {
        if !std::mem::take(&mut self.is_order_old) {
            return;
        }
        let tops: Vec<PlaceId> = self.places.branch(None, 0).to_vec();
        self.order.clear();
        for top in tops {
            self.order.extend(self.places.subtree(top));
        }
        let count = self.order.len();
        for at in 0..count {
            if let Some(place) = self.order.get(at).and_then(|id| self.places.get_mut(*id)) {
                place.at = at;
                place.end = at + 1;
            }
        }
        // From the end, each place hands its own end on to the one that holds it.
        for at in (0..count).rev() {
            let Some(place) = self.order.get(at).and_then(|id| self.places.get(*id)) else { continue };
            let (end, parent) = (place.end, place.parent);
            if let Some(parent) = parent.and_then(|parent| self.places.get_mut(parent)) {
                parent.end = parent.end.max(end);
            }
        }
    }

    /// The item of the response at a place, if it has one.
    pub(crate) fn source(&self, id: PlaceId) -> Option<&ResponseItem> {
        let place = self.places.get(id)?;
        let position = place.position?;
        let items = match place.parent {
            None => &self.response.items,
            Some(parent) => {
                let holder = self.source(parent)?;
                if self.is_group(parent) {
                    &holder.items
                } else {
                    &holder.answers.get(place.under_answer)?.items
                }
            }
        };
        items.get(position)
    }

    fn source_mut(&mut self, id: PlaceId) -> Option<&mut ResponseItem> {
        let place = self.places.get(id)?;
        let (parent, under_answer, position) = (place.parent, place.under_answer, place.position?);
        self.items_mut(parent, under_answer)?.get_mut(position)
    }

    /// The list that holds the items of a branch.
    fn items_mut(&mut self, parent: Option<PlaceId>, under_answer: usize) -> Option<&mut Vec<ResponseItem>> {
        let Some(parent) = parent else { return Some(&mut self.response.to_mut().items) };
        let is_group = self.is_group(parent);
        let holder = self.source_mut(parent)?;
        if is_group {
            Some(&mut holder.items)
        } else {
            Some(&mut holder.answers.get_mut(under_answer)?.items)
        }
    }

    fn is_group(&self, id: PlaceId) -> bool {
        self.places.get(id).and_then(|place| self.compiled.item(place.item)).is_some_and(|item| item.is_group)
    }

    /// Whether nobody may change the answer of a place.
    pub(crate) fn is_locked(&self, id: PlaceId) -> bool {
        let Some(place) = self.places.get(id) else { return true };
        let is_hidden = self.compiled.item(place.item).is_some_and(|item| item.is_hidden);
        is_hidden || self.form.items().get(place.item).is_some_and(|item| item.read_only)
    }

    /// Whether somebody has entered something below a place.
    pub(crate) fn has_nested_answers(&self, id: PlaceId) -> bool {
        self.places.subtree(id).iter().skip(1).any(|below| self.is_given(*below))
    }

    pub(crate) fn values(&self, id: PlaceId) -> Vec<AnswerValue> {
        let answers = self.source(id).map_or(&[][..], ResponseItem::answers);
        answers.iter().filter_map(|answer| answer.value.clone()).collect()
    }

    pub(crate) fn path(&self, id: PlaceId) -> ItemPath {
        self.places.path(&self.form, id)
    }

    pub(crate) fn find(&self, path: &ItemPath) -> Option<PlaceId> {
        self.places.find(&self.form, path)
    }
}
