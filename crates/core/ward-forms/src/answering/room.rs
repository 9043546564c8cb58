//! How much room answers have: what one entry holds, and what a device keeps of a draft.
//!
//! An answer that would make them longer is refused before it is taken, so that it stays with the person, and
//! the draft before it stays whole. Most answers are far from the limit: what they add at most is summed up,
//! and only where that sum comes near it is the draft written and measured.

use super::Answering;
use super::refusal::AnswerError;
use crate::answer_value::AnswerValue;
use crate::completion::finished;
use crate::dense_answers::encode_answers;
use crate::finding::{Finding, FindingCode};
use crate::item_path::ItemPath;
use crate::limits::{MAX_CALCULATED_ANSWERS, MAX_RESPONSE_BYTES};
use crate::live::{PlaceId, most_bytes, most_bytes_of_item};
use crate::questionnaire::{Item, ItemType, Questionnaire};
use crate::response::QuestionnaireResponse;
use std::sync::Arc;

/// What the time of writing adds to a finished response.
const AUTHORED_BYTES: usize = 64;

/// How many bytes answers may have. Without one, answers may be as long as a response that can be read, and
/// drafts as long as they get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerRoom {
    /// Of the finished response where it is sent, as JSON or in dense form.
    pub response_bytes: usize,
    /// Of a draft as JSON.
    pub draft_bytes: usize,
}

impl Default for AnswerRoom {
    fn default() -> Self {
        Self { response_bytes: MAX_RESPONSE_BYTES, draft_bytes: usize::MAX }
    }
}

/// What is known of the room that is left.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    room: AnswerRoom,
    /// The bytes of the draft when it was measured last.
    measured_bytes: Option<usize>,
    /// The bytes that the form itself may write at each place of an item, where they are bounded.
    by_form: Option<Arc<[(usize, usize)]>>,
}

impl Watch {
    const fn is_bounded(&self) -> bool {
        self.room.draft_bytes < usize::MAX
    }

    /// What may be sent before its time of writing stands in it.
    const fn sendable_bytes(&self) -> usize {
        self.room.response_bytes.saturating_sub(AUTHORED_BYTES)
    }
}

impl Answering {
    /// Holds the answers to what can be kept and sent: an answer for which there is no room is refused, and
    /// [`Answering::finish`] gives nothing that is larger.
    pub fn keep_within(&mut self, room: AnswerRoom) {
        let by_form = written_by_form(&self.live.form).map(Arc::from);
        self.room = Watch { room, measured_bytes: None, by_form };
    }

    /// What the answers are held to.
    #[must_use]
    pub const fn room(&self) -> AnswerRoom {
        self.room.room
    }

    /// Takes an answer if there is room for it and for what the form makes of it.
    pub(super) fn answer_in_room(
        &mut self,
        id: PlaceId,
        path: &ItemPath,
        values: Vec<AnswerValue>,
    ) -> Result<(), AnswerError> {
        if self.is_roomy(id, &values) {
            self.take(id, values);
            return Ok(());
        }
        let mut tried = self.clone();
        tried.take(id, values);
        if !tried.is_within(self) {
            let question = self.question(path).and_then(|step| step.text);
            let question = question.or_else(|| path.link_id().map(str::to_owned)).unwrap_or_default();
            return Err(AnswerError::NoRoom { path: path.clone(), question });
        }
        *self = tried;
        Ok(())
    }

    /// Adds an instance of a repeating group if there is room for it.
    pub(super) fn add_in_room(&mut self, id: PlaceId, most: usize) -> Option<ItemPath> {
        let before = self.room.is_bounded().then(|| self.clone());
        let new = self.live.add_instance(id, most)?;
        self.forget_vanished();
        if let Some(before) = before
            && !self.is_within(&before)
        {
            *self = before;
            return None;
        }
        Some(self.live.path(new))
    }

    /// Whether there is room for answers whatever the form makes of them; without writing anything.
    fn is_roomy(&mut self, id: PlaceId, values: &[AnswerValue]) -> bool {
        if !self.room.is_bounded() {
            return true;
        }
        let Some(by_form) = self.room.by_form.clone() else { return false };
        let before = match self.room.measured_bytes {
            Some(bytes) => bytes,
            None => self.measure(),
        };
        let items = self.live.places.chain(id).filter_map(|id| self.live.places.get(id));
        let links = items.filter_map(|place| self.live.form.items().get(place.item));
        let around: usize = links.map(|item| most_bytes_of_item(&item.link_id)).sum();
        let of_form = by_form.iter().fold(0_usize, |sum, (item, bytes)| {
            sum.saturating_add(bytes.saturating_mul(self.live.places.of_item(*item).len()))
        });
        let grown = [self.live.written_bytes, most_bytes(values), around, of_form];
        let most = grown.into_iter().fold(before, usize::saturating_add);
        most <= self.room.room.draft_bytes.min(self.room.sendable_bytes())
    }

    /// Whether the answers are no longer than they may be, or at least no longer than they were before.
    fn is_within(&mut self, before: &Self) -> bool {
        let (draft_bytes, sendable_bytes) = (self.room.room.draft_bytes, self.room.sendable_bytes());
        let bytes = self.measure();
        let can_be_sent = || self.fits(&finished(&self.live, None), sendable_bytes);
        (bytes <= draft_bytes && (bytes <= sendable_bytes || can_be_sent()))
            || bytes <= most_draft_bytes(before)
    }

    /// Measures the draft.
    fn measure(&mut self) -> usize {
        let bytes = most_draft_bytes(self);
        self.room.measured_bytes = Some(bytes);
        self.live.written_bytes = 0;
        bytes
    }

    fn fits(&self, response: &QuestionnaireResponse, most: usize) -> bool {
        let json = response.to_json().len();
        let dense = || encode_answers(&self.live.form, response.status(), response);
        json <= MAX_RESPONSE_BYTES && (json <= most || dense().is_some_and(|bytes| bytes.len() <= most))
    }

    /// Why a finished response cannot be sent, at the question with the longest answer.
    pub(super) fn too_large(&self, response: &QuestionnaireResponse) -> Option<Finding> {
        if self.fits(response, self.room.room.response_bytes) {
            return None;
        }
        let bytes_at = |id: &PlaceId| most_bytes(&self.live.values(*id));
        let asked = self.live.order.iter().copied().filter(|id| self.live.is_asked(*id));
        let longest = asked.max_by_key(bytes_at).and_then(|id| self.question_at(id));
        let path = longest.as_ref().map_or_else(ItemPath::root, |step| step.path.clone());
        let named = longest.map(|step| step.text.unwrap_or(step.link_id));
        let named = named.map(|text| format!(", first that to “{text}”")).unwrap_or_default();
        let message = format!(
            "The answers are longer than can be sent in one piece: make some of them shorter{named}."
        );
        Some(Finding::error(path, FindingCode::ResponseTooLarge, &message))
    }
}

/// The bytes of a draft, with the marks that it may get while its questions are looked at.
fn most_draft_bytes(answering: &Answering) -> usize {
    answering.draft().to_json().len().saturating_add(answering.live.bytes_of_marks_to_come())
}

/// What a form itself may write at each place of its items, in bytes; `None` where that has no bound that
/// is worth knowing: it calculates texts, fills in below answers, or adds repetitions of its own.
fn written_by_form(form: &Questionnaire) -> Option<Vec<(usize, usize)>> {
    let compiled = form.compiled();
    let mut out = Vec::new();
    for item in form.items() {
        if item.rules.min_occurs.is_some_and(|least| least > 1) && item.item_type == ItemType::Group {
            return None;
        }
        let has_formula = compiled
            .item(item.index.0)
            .is_some_and(|item| item.calculated.is_some() || item.initial.is_some());
        if !has_formula && item.initial.is_empty() {
            continue;
        }
        let is_below_answer = form.ancestors(item).any(|above| above.item_type != ItemType::Group);
        if is_below_answer || (has_formula && !is_short(item)) {
            return None;
        }
        let links = std::iter::once(item).chain(form.ancestors(item));
        let around: usize = links.map(|item| most_bytes_of_item(&item.link_id)).sum();
        let count = if item.repeats && has_formula { MAX_CALCULATED_ANSWERS } else { 1 };
        let short = most_bytes(&[AnswerValue::Boolean(true)]).saturating_mul(count);
        out.push((item.index.0, around.saturating_add(short).saturating_add(most_bytes(&item.initial))));
    }
    Some(out)
}

/// Whether what is calculated is a number, a day or the like.
fn is_short(item: &Item) -> bool {
    matches!(
        item.item_type,
        ItemType::Boolean
            | ItemType::Integer
            | ItemType::Decimal
            | ItemType::Date
            | ItemType::DateTime
            | ItemType::Time
    )
}
