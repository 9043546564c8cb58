//! Builds a [`QuestionnaireResponse`] from JSON.

use crate::answer_value::AnswerValue;
use crate::error::FormError;
use crate::json_bounds::{read_bounded, read_stored};
use crate::json_fields::{choice_field, expect_resource, wrong};
use crate::limits::{
    MAX_ITEM_DEPTH, MAX_LINK_ID_BYTES, MAX_RESPONSE_ANSWERS, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS,
};
use crate::number_text::NumberTexts;
use crate::response::{Answer, QuestionnaireResponse, ResponseItem, ResponseStatus};
use crate::stored::Stored;
use serde_json::{Map, Value};

const ROOT: &str = "QuestionnaireResponse";

/// Reads a response; see [`QuestionnaireResponse::parse`].
pub(crate) fn read(json: &[u8]) -> Result<QuestionnaireResponse, FormError> {
    let (raw, numbers) = read_bounded(json, MAX_RESPONSE_BYTES)?;
    read_resource(raw, numbers)
}

/// Reads a stored response; see [`QuestionnaireResponse::parse_stored`].
pub(crate) fn read_again(json: &[u8]) -> Result<Stored<QuestionnaireResponse>, FormError> {
    let (raw, numbers, doubt) = read_stored(json, MAX_RESPONSE_BYTES)?;
    Ok(Stored { content: read_resource(raw, numbers)?, doubt })
}

fn read_resource(raw: Value, mut numbers: NumberTexts) -> Result<QuestionnaireResponse, FormError> {
    expect_resource(&raw, ROOT)?;
    let Value::Object(mut fields) = raw else {
        return Err(wrong(ROOT, ROOT, "an object"));
    };
    let status = fields
        .get("status")
        .ok_or_else(|| FormError::MissingField { at: ROOT.to_owned(), field: "status" })?
        .as_str()
        .and_then(ResponseStatus::from_code)
        .ok_or_else(|| {
            wrong(ROOT, "status", "one of in-progress, completed, amended, entered-in-error, stopped")
        })?;
    for field in ["questionnaire", "authored"] {
        if fields.get(field).is_some_and(|value| !value.is_string()) {
            return Err(wrong(ROOT, field, "a string"));
        }
    }
    let mut reader = Reader { items: 0, answers: 0 };
    let items = reader.take_items(&mut fields, &mut numbers, ROOT, 0)?;
    Ok(QuestionnaireResponse { fields, numbers, status, items })
}

struct Reader {
    items: usize,
    answers: usize,
}

impl Reader {
    fn take_items(
        &mut self,
        fields: &mut Map<String, Value>,
        numbers: &mut NumberTexts,
        at: &str,
        depth: usize,
    ) -> Result<Vec<ResponseItem>, FormError> {
        let list = take_array(fields, "item", at)?;
        if !list.is_empty() && depth >= MAX_ITEM_DEPTH {
            return Err(FormError::ItemsTooDeep { at: at.to_owned(), limit: MAX_ITEM_DEPTH });
        }
        let mut texts = numbers.take_field("item");
        list.into_iter()
            .enumerate()
            .map(|(place, value)| self.read_item(value, texts.take_element(place), at, depth))
            .collect()
    }

    fn read_item(
        &mut self,
        value: Value,
        mut numbers: NumberTexts,
        above: &str,
        depth: usize,
    ) -> Result<ResponseItem, FormError> {
        self.items += 1;
        if self.items > MAX_RESPONSE_ITEMS {
            return Err(FormError::TooMany { at: ROOT.to_owned(), what: "items", limit: MAX_RESPONSE_ITEMS });
        }
        let Value::Object(mut fields) = value else {
            return Err(wrong(above, "item", "an object"));
        };
        let link_id = match fields.get("linkId") {
            None => return Err(FormError::MissingField { at: above.to_owned(), field: "linkId" }),
            Some(Value::String(link_id)) if link_id.len() > MAX_LINK_ID_BYTES => {
                return Err(FormError::FieldTooLong {
                    at: above.to_owned(),
                    field: "linkId".to_owned(),
                    limit_bytes: MAX_LINK_ID_BYTES,
                });
            }
            Some(Value::String(link_id)) => link_id.clone(),
            Some(_) => return Err(wrong(above, "linkId", "a string")),
        };
        let at = if depth == 0 { link_id.clone() } else { format!("{above}/{link_id}") };
        let mut texts = numbers.take_field("answer");
        let answers = take_array(&mut fields, "answer", &at)?
            .into_iter()
            .enumerate()
            .map(|(place, value)| self.read_answer(value, texts.take_element(place), &at, depth))
            .collect::<Result<Vec<_>, _>>()?;
        let items = self.take_items(&mut fields, &mut numbers, &at, depth + 1)?;
        Ok(ResponseItem { link_id, fields, numbers, answers, items })
    }

    fn read_answer(
        &mut self,
        value: Value,
        mut numbers: NumberTexts,
        at: &str,
        depth: usize,
    ) -> Result<Answer, FormError> {
        self.answers += 1;
        if self.answers > MAX_RESPONSE_ANSWERS {
            return Err(FormError::TooMany {
                at: ROOT.to_owned(),
                what: "answers",
                limit: MAX_RESPONSE_ANSWERS,
            });
        }
        let Value::Object(mut fields) = value else {
            return Err(wrong(at, "answer", "an object"));
        };
        let value = choice_field(&fields, "value", at)?.map(|(field, content)| {
            AnswerValue::read(field, field.strip_prefix("value").unwrap_or(field), content)
        });
        let items = self.take_items(&mut fields, &mut numbers, at, depth + 1)?;
        Ok(Answer { fields, numbers, value, items })
    }
}

/// Takes an array out of the fields. Its place stays, so that the array is written back there: as
/// null for a filled one, an empty array as it was.
fn take_array(fields: &mut Map<String, Value>, field: &str, at: &str) -> Result<Vec<Value>, FormError> {
    match fields.get_mut(field) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) if list.is_empty() => Ok(Vec::new()),
        Some(slot @ Value::Array(_)) => match slot.take() {
            Value::Array(list) => Ok(list),
            _ => Ok(Vec::new()),
        },
        Some(_) => Err(wrong(at, field, "an array")),
    }
}
