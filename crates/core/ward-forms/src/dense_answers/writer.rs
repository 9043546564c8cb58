//! Writes a response by its form. What the writer does not look at is caught by reading the bytes
//! back, so it never has to know every way in which a response can say more.

use super::bare::{
    AUTHORED, BOOLEAN, CODING, INTEGER, LEVEL, NESTED, OPTION, QUANTITY, STATUS, UNNAMED, as_text,
    status_number, text_type,
};
use crate::answer_value::{AnswerValue, Coding, Quantity};
use crate::limits::{MAX_DENSE_ANSWERS, MAX_DENSE_BYTES};
use crate::questionnaire::{Item, ItemIndex, ItemType, Questionnaire};
use crate::response::{Answer, QuestionnaireResponse, ResponseItem, ResponseStatus};
use minicbor::Encoder;

type Out = Encoder<Vec<u8>>;

/// The bytes, or `None` for a response with an item that stands elsewhere than in the form or a
/// value that has no dense form.
pub(super) fn write(
    form: &Questionnaire,
    implied: ResponseStatus,
    response: &QuestionnaireResponse,
) -> Option<Vec<u8>> {
    let named = match (form.canonical(), response.questionnaire()) {
        (Some(of_form), Some(said)) if of_form == said => true,
        (None, None) => true,
        (Some(_), None) => false,
        (_, Some(_)) => return None,
    };
    let status = (response.status() != implied).then_some(response.status());
    let authored = response.authored();
    let fields = 1 + u64::from(authored.is_some()) + u64::from(status.is_some()) + u64::from(!named);
    let mut writer = Writer { form, answers: 0 };
    let level = writer.level(form.top_items(), response.items())?;
    let mut out = Encoder::new(Vec::new());
    out.map(fields).ok()?.u8(LEVEL).ok()?;
    out.writer_mut().extend_from_slice(&level);
    if let Some(authored) = authored {
        out.u8(AUTHORED).ok()?.str(authored).ok()?;
    }
    if let Some(status) = status {
        out.u8(STATUS).ok()?.u8(status_number(status)?).ok()?;
    }
    if !named {
        out.u8(UNNAMED).ok()?.bool(true).ok()?;
    }
    let bytes = out.into_writer();
    (bytes.len() <= MAX_DENSE_BYTES).then_some(bytes)
}

struct Writer<'a> {
    form: &'a Questionnaire,
    answers: usize,
}

impl Writer<'_> {
    fn level(&mut self, children: &[ItemIndex], items: &[ResponseItem]) -> Option<Vec<u8>> {
        let mut elements = 0_u64;
        let mut body = Encoder::new(Vec::new());
        let mut left = children.iter();
        let mut last: Option<&Item> = None;
        for source in items {
            let item = match last.filter(|item| item.link_id == source.link_id) {
                Some(again) => {
                    body.null().ok()?;
                    elements += 1;
                    again
                }
                None => {
                    let passed = left.as_slice().len();
                    let found = left
                        .by_ref()
                        .filter_map(|index| self.form.get(*index))
                        .find(|item| item.link_id == source.link_id)?;
                    let gap = passed - left.as_slice().len() - 1;
                    if gap > 0 {
                        body.i64(-i64::try_from(gap).ok()?).ok()?;
                        elements += 1;
                    }
                    found
                }
            };
            self.content(item, source, &mut body)?;
            elements += 1;
            last = Some(item);
        }
        let mut out = Encoder::new(Vec::new());
        out.array(elements).ok()?;
        out.writer_mut().extend_from_slice(body.writer());
        Some(out.into_writer())
    }

    fn content(&mut self, item: &Item, source: &ResponseItem, out: &mut Out) -> Option<()> {
        if item.item_type == ItemType::Group {
            if !source.answers.is_empty() {
                return None;
            }
            let level = self.level(&item.children, &source.items)?;
            out.writer_mut().extend_from_slice(&level);
            return Some(());
        }
        if !source.items.is_empty() {
            return None;
        }
        if source.answers.len() != 1 {
            out.array(u64::try_from(source.answers.len()).ok()?).ok()?;
        }
        source.answers.iter().try_for_each(|answer| self.answer(item, answer, out))
    }

    fn answer(&mut self, item: &Item, answer: &Answer, out: &mut Out) -> Option<()> {
        self.answers += 1;
        if self.answers > MAX_DENSE_ANSWERS {
            return None;
        }
        let value = answer.value.as_ref();
        if answer.items.is_empty()
            && let Some(value) = value
            && bare(item, value, out)?
        {
            return Some(());
        }
        let parts = u64::from(!answer.items.is_empty()) + u64::from(value.is_some());
        out.map(parts).ok()?;
        if !answer.items.is_empty() {
            let level = self.level(&item.children, &answer.items)?;
            out.u8(NESTED).ok()?;
            out.writer_mut().extend_from_slice(&level);
        }
        value.map_or(Some(()), |value| typed(item, value, out))
    }
}

fn offered(item: &Item, value: &AnswerValue) -> Option<u64> {
    let place = item.options.carried().iter().position(|option| option.value == *value)?;
    u64::try_from(place).ok()
}

/// Writes a value without its type, and says whether that was possible.
fn bare(item: &Item, value: &AnswerValue, out: &mut Out) -> Option<bool> {
    if let Some(place) = offered(item, value) {
        out.u64(place).ok()?;
        return Some(true);
    }
    match value {
        AnswerValue::Boolean(yes) if item.item_type == ItemType::Boolean => drop(out.bool(*yes).ok()?),
        AnswerValue::Integer(number) if item.item_type == ItemType::Integer => {
            // An index means an offered answer; below zero means a gap.
            match u32::try_from(*number) {
                Ok(number) if item.options.carried().is_empty() => drop(out.u32(number).ok()?),
                _ => return Some(false),
            }
        }
        value => match as_text(value) {
            Some((kind, text)) if text_type(item.item_type) == Some(kind) => drop(out.str(&text).ok()?),
            _ => return Some(false),
        },
    }
    Some(true)
}

/// Writes a value after its type.
fn typed(item: &Item, value: &AnswerValue, out: &mut Out) -> Option<()> {
    if let Some(place) = offered(item, value) {
        out.u8(OPTION).ok()?.u64(place).ok()?;
        return Some(());
    }
    match value {
        AnswerValue::Boolean(yes) => drop(out.u8(BOOLEAN).ok()?.bool(*yes).ok()?),
        AnswerValue::Integer(number) => drop(out.u8(INTEGER).ok()?.i32(*number).ok()?),
        AnswerValue::Coding(Coding { system, version, code, display }) => {
            out.u8(CODING).ok()?;
            texts(&[system, version, code, display].map(Option::as_deref), out)?;
        }
        AnswerValue::Quantity(Quantity { value, comparator, unit, system, code }) => {
            let value = value.as_ref().map(ToString::to_string);
            out.u8(QUANTITY).ok()?;
            texts(&[&value, comparator, unit, system, code].map(Option::as_deref), out)?;
        }
        other => {
            let (kind, text) = as_text(other)?;
            out.u8(kind).ok()?.str(&text).ok()?;
        }
    }
    Some(())
}

/// A map of the texts that are there, by their place.
fn texts(parts: &[Option<&str>], out: &mut Out) -> Option<()> {
    out.map(u64::try_from(parts.iter().flatten().count()).ok()?).ok()?;
    for (key, text) in (0_u8..).zip(parts) {
        if let Some(text) = text {
            out.u8(key).ok()?.str(text).ok()?;
        }
    }
    Some(())
}
