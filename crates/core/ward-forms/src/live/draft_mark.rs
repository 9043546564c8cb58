//! What a draft says of an answer besides its value: that the form calculated it, that a person gave it
//! where the form calculates, or that a person has seen what the form filled in. Without a mark, an
//! answer other than the calculated one counts as a person's own, and what was filled in as not seen. A
//! finished response has no marks.

use super::place::PlaceId;
use super::{Calculation, FormRef, LiveForm, Surroundings};
use crate::questionnaire::Questionnaire;
use crate::response::{Answer, QuestionnaireResponse, ResponseItem};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// The extension of an answer that holds its mark.
const DRAFT_MARK_URL: &str = "urn:ward:draft-mark";
const CALCULATED: &str = "calculated";
const OWN: &str = "own";
const SEEN: &str = "seen";
/// Bytes of a mark in JSON, with the extension around it.
const MARK_BYTES: usize = 96;

impl LiveForm<'static> {
    /// Goes on with a stored response, marked or not. The answers that it holds are compared with what
    /// the form calculated when they were written, if it says when.
    pub(crate) fn resume(
        form: Arc<Questionnaire>,
        response: QuestionnaireResponse,
        surroundings: Surroundings,
    ) -> Self {
        let at_writing = surroundings.at_writing(response.authored());
        let (form, response) = (FormRef::Shared(form), Cow::Owned(response));
        let mut live = Self::over(form, response, at_writing, Calculation::Follow);
        live.begin_again();
        if *live.surroundings() != surroundings {
            live.set_surroundings(surroundings);
        }
        live
    }

    /// A marked response, evaluated at the time that the form is told.
    pub(crate) fn evaluated_anew(
        form: Arc<Questionnaire>,
        response: QuestionnaireResponse,
        surroundings: Surroundings,
    ) -> Self {
        let (form, response) = (FormRef::Shared(form), Cow::Owned(response));
        let mut live = Self::over(form, response, surroundings, Calculation::Follow);
        live.begin_again();
        live
    }

    fn begin_again(&mut self) {
        self.take_marks();
        self.is_filled_in();
        self.settle_all();
    }

    fn take_marks(&mut self) {
        self.put_in_order();
        for id in self.order.clone() {
            let Some(item) = self.source_mut(id) else { continue };
            let marks: Vec<String> = item.answers.iter_mut().flat_map(take_mark).collect();
            let is_locked = self.is_locked(id);
            let Some(place) = self.places.get_mut(id) else { continue };
            if let Some(calculation) = place.calculation.as_mut()
                && !is_locked
                && marks.iter().any(|mark| mark == OWN)
            {
                (calculation.is_fresh, calculation.is_overridden) = (false, true);
            }
            place.is_known_calculated = marks.iter().any(|mark| mark == CALCULATED);
            place.is_seen = marks.iter().any(|mark| mark == SEEN);
        }
    }

    /// The response so far with its marks.
    pub(crate) fn marked(&self) -> QuestionnaireResponse {
        let mut response = self.response.clone().into_owned();
        for id in &self.order {
            let Some(mark) = self.mark_of(*id) else { continue };
            if let Some(answer) =
                self.item_in(&mut response.items, *id).and_then(|item| item.answers.first_mut())
            {
                put_mark(answer, mark);
            }
        }
        response
    }

    fn mark_of(&self, id: PlaceId) -> Option<&'static str> {
        let place = self.places.get(id).filter(|place| place.has_value)?;
        if let Some(calculation) = &place.calculation {
            // Who gave a stored answer is not known before its formula has a result.
            let is_unknown = calculation.is_fresh && !place.is_known_calculated;
            let mark = if calculation.is_overridden { OWN } else { CALCULATED };
            return (!is_unknown).then_some(mark);
        }
        (place.is_settled && self.is_filled_in_by_form(place.item)).then_some(SEEN)
    }

    /// The bytes of the marks that answers which stand there may get without being changed.
    pub(crate) fn bytes_of_marks_to_come(&self) -> usize {
        let may_get_one = |id: &&PlaceId| {
            let place = self.places.get(**id).filter(|place| place.has_value);
            place.is_some_and(|place| place.calculation.is_some() || self.is_filled_in_by_form(place.item))
        };
        let unmarked = self.order.iter().filter(may_get_one).filter(|id| self.mark_of(**id).is_none());
        unmarked.count().saturating_mul(MARK_BYTES)
    }

    /// The item of a place in a copy of the response.
    fn item_in<'i>(&self, items: &'i mut Vec<ResponseItem>, id: PlaceId) -> Option<&'i mut ResponseItem> {
        let place = self.places.get(id)?;
        let list = match place.parent {
            None => items,
            Some(parent) => {
                let holder = self.item_in(items, parent)?;
                if self.is_group(parent) {
                    &mut holder.items
                } else {
                    &mut holder.answers.get_mut(place.under_answer)?.items
                }
            }
        };
        list.get_mut(place.position?)
    }
}

fn put_mark(answer: &mut Answer, mark: &str) {
    let extension = json!({"url": DRAFT_MARK_URL, "valueCode": mark});
    match answer.fields.get_mut("extension") {
        Some(Value::Array(list)) => list.push(extension),
        _ => drop(answer.fields.insert("extension".to_owned(), json!([extension]))),
    }
}

fn take_mark(answer: &mut Answer) -> Option<String> {
    let Some(Value::Array(list)) = answer.fields.get_mut("extension") else { return None };
    let at = list.iter().position(|one| one.get("url").and_then(Value::as_str) == Some(DRAFT_MARK_URL))?;
    let mark = list.remove(at).get("valueCode").and_then(Value::as_str).map(str::to_owned);
    if list.is_empty() {
        drop(answer.fields.shift_remove("extension"));
    }
    mark
}
