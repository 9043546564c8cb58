//! Builds a response from dense bytes and its form.
//!
//! The form bounds the depth: a level within a level belongs to an item within an item. Counts are
//! never believed; every element takes at least one byte of a bounded input.

use super::DenseError;
use super::bare::{
    AUTHORED, BOOLEAN, CODING, INTEGER, LEVEL, NESTED, OPTION, QUANTITY, STATUS, UNNAMED, number, of_text,
    status_of, text_type,
};
use crate::answer_value::{AnswerValue, Coding, Quantity};
use crate::limits::{MAX_DENSE_ANSWERS, MAX_RESPONSE_BYTES, MAX_RESPONSE_ITEMS};
use crate::number_text::NumberTexts;
use crate::questionnaire::{Item, ItemIndex, ItemType, Questionnaire};
use crate::response::{Answer, QuestionnaireResponse, ResponseItem, ResponseStatus};
use minicbor::Decoder;
use minicbor::data::Type;
use serde_json::{Map, json};

impl From<minicbor::decode::Error> for DenseError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

/// Reads a response; see [`super::decode_answers`], which also compares the spelling.
pub(super) fn read(
    form: &Questionnaire,
    implied: ResponseStatus,
    bytes: &[u8],
) -> Result<QuestionnaireResponse, DenseError> {
    let mut reader = Reader { form, input: Decoder::new(bytes), items: 0, answers: 0, json_bytes: 0 };
    let (mut items, mut authored, mut status, mut named) = (None, None, implied, true);
    for _ in 0..reader.map()? {
        match reader.input.u8()? {
            LEVEL => items = Some(reader.level(form.top_items())?),
            AUTHORED => authored = Some(reader.text()?),
            STATUS => status = status_of(reader.input.u8()?).ok_or(DenseError::Malformed)?,
            UNNAMED => named = !reader.input.bool()?,
            _ => return Err(DenseError::Malformed),
        }
    }
    if reader.input.position() != bytes.len() {
        return Err(DenseError::Malformed);
    }
    let mut fields = Map::new();
    fields.insert("resourceType".to_owned(), json!("QuestionnaireResponse"));
    if let Some(canonical) = form.canonical().filter(|_| named) {
        fields.insert("questionnaire".to_owned(), json!(canonical));
    }
    fields.insert("status".to_owned(), json!(status.code()));
    if let Some(authored) = authored {
        fields.insert("authored".to_owned(), json!(authored));
    }
    Ok(QuestionnaireResponse {
        fields,
        numbers: NumberTexts::None,
        status,
        items: items.ok_or(DenseError::Malformed)?,
    })
}

struct Reader<'a> {
    form: &'a Questionnaire,
    input: Decoder<'a>,
    items: usize,
    answers: usize,
    /// The least size of what was read so far, as JSON.
    json_bytes: usize,
}

impl<'a> Reader<'a> {
    fn map(&mut self) -> Result<u64, DenseError> {
        self.input.map()?.ok_or(DenseError::Malformed)
    }

    fn array(&mut self) -> Result<u64, DenseError> {
        self.input.array()?.ok_or(DenseError::Malformed)
    }

    fn text(&mut self) -> Result<&'a str, DenseError> {
        Ok(self.input.str()?)
    }

    /// A few bytes may name a long text of the form, again and again: the sum is bounded.
    fn weigh(&mut self, bytes: usize) -> Result<(), DenseError> {
        self.json_bytes = self.json_bytes.saturating_add(bytes);
        if self.json_bytes > MAX_RESPONSE_BYTES { Err(DenseError::TooLarge) } else { Ok(()) }
    }

    fn level(&mut self, children: &[ItemIndex]) -> Result<Vec<ResponseItem>, DenseError> {
        let mut items = Vec::new();
        let (mut place, mut again) = (0_usize, false);
        for _ in 0..self.array()? {
            match self.input.datatype()? {
                Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int if !again => {
                    let gap = self.input.i64()?.unsigned_abs();
                    place = place.saturating_add(usize::try_from(gap).unwrap_or(usize::MAX));
                }
                Type::Null if !again && !items.is_empty() => {
                    self.input.null()?;
                    again = true;
                }
                _ => {
                    let at = if again { place.checked_sub(1) } else { Some(place) };
                    let index = at.and_then(|at| children.get(at)).ok_or(DenseError::NoSuchItem)?;
                    let item = self.form.get(*index).ok_or(DenseError::NoSuchItem)?;
                    items.push(self.content(item)?);
                    if !again {
                        place = place.saturating_add(1);
                    }
                    again = false;
                }
            }
        }
        if again || place > children.len() { Err(DenseError::NoSuchItem) } else { Ok(items) }
    }

    fn content(&mut self, item: &Item) -> Result<ResponseItem, DenseError> {
        self.items += 1;
        if self.items > MAX_RESPONSE_ITEMS {
            return Err(DenseError::TooManyItems);
        }
        self.weigh(item.link_id.len())?;
        let mut out = ResponseItem::new(&item.link_id);
        if item.item_type == ItemType::Group {
            out.items = self.level(&item.children)?;
        } else if self.input.datatype()? == Type::Array {
            for _ in 0..self.array()? {
                out.answers.push(self.answer(item)?);
            }
        } else {
            out.answers.push(self.answer(item)?);
        }
        Ok(out)
    }

    fn answer(&mut self, item: &Item) -> Result<Answer, DenseError> {
        self.answers += 1;
        if self.answers > MAX_DENSE_ANSWERS {
            return Err(DenseError::TooManyAnswers);
        }
        let value = match self.input.datatype()? {
            Type::U8 | Type::U16 | Type::U32 | Type::U64 => self.whole_number(item)?,
            Type::Bool if item.item_type == ItemType::Boolean => AnswerValue::Boolean(self.input.bool()?),
            Type::String => {
                let text = self.text()?;
                let kind = text_type(item.item_type).ok_or(DenseError::WrongType)?;
                of_text(kind, text).ok_or(DenseError::WrongType)?
            }
            Type::Map => return self.parts(item),
            _ => return Err(DenseError::WrongType),
        };
        Ok(Answer::new(value))
    }

    fn whole_number(&mut self, item: &Item) -> Result<AnswerValue, DenseError> {
        if !item.options.carried().is_empty() {
            return self.option(item);
        }
        let number = self.input.u64()?;
        if item.item_type != ItemType::Integer {
            return Err(DenseError::WrongType);
        }
        i32::try_from(number).map(AnswerValue::Integer).map_err(|_| DenseError::WrongType)
    }

    fn option(&mut self, item: &Item) -> Result<AnswerValue, DenseError> {
        let place = usize::try_from(self.input.u64()?).map_err(|_| DenseError::NoSuchOption)?;
        let option = item.options.carried().get(place).ok_or(DenseError::NoSuchOption)?;
        self.weigh(weight(&option.value))?;
        Ok(option.value.clone())
    }

    fn parts(&mut self, item: &Item) -> Result<Answer, DenseError> {
        let (mut nested, mut value) = (Vec::new(), None);
        for _ in 0..self.map()? {
            match self.input.u8()? {
                NESTED => nested = self.level(&item.children)?,
                kind => value = Some(self.typed(item, kind)?),
            }
        }
        let mut answer = match value {
            Some(value) => Answer::new(value),
            None => Answer { fields: Map::new(), numbers: NumberTexts::None, value: None, items: Vec::new() },
        };
        answer.items = nested;
        Ok(answer)
    }

    fn typed(&mut self, item: &Item, kind: u8) -> Result<AnswerValue, DenseError> {
        Ok(match kind {
            OPTION => self.option(item)?,
            BOOLEAN => AnswerValue::Boolean(self.input.bool()?),
            INTEGER => AnswerValue::Integer(self.input.i32().map_err(|_| DenseError::WrongType)?),
            CODING => {
                let [system, version, code, display] = self.texts()?;
                AnswerValue::Coding(Coding { system, version, code, display })
            }
            QUANTITY => {
                let [value, comparator, unit, system, code] = self.texts()?;
                let value = value.map(|text| number(&text).ok_or(DenseError::WrongType)).transpose()?;
                AnswerValue::Quantity(Quantity { value, comparator, unit, system, code })
            }
            kind => {
                let text = self.text()?;
                of_text(kind, text).ok_or(DenseError::WrongType)?
            }
        })
    }

    fn texts<const N: usize>(&mut self) -> Result<[Option<String>; N], DenseError> {
        let mut out = [const { None }; N];
        for _ in 0..self.map()? {
            let key = usize::from(self.input.u8()?);
            let slot = out.get_mut(key).ok_or(DenseError::Malformed)?;
            *slot = Some(self.input.str()?.to_owned());
        }
        Ok(out)
    }
}

/// About how many bytes an offered answer has as JSON: never less than its texts.
fn weight(value: &AnswerValue) -> usize {
    let sum =
        |parts: &[&Option<String>]| parts.iter().filter_map(|part| part.as_ref()).map(String::len).sum();
    match value {
        AnswerValue::Coding(coding) => sum(&[&coding.system, &coding.version, &coding.code, &coding.display]),
        AnswerValue::Quantity(quantity) => {
            sum(&[&quantity.comparator, &quantity.unit, &quantity.system, &quantity.code])
        }
        AnswerValue::Date(text)
        | AnswerValue::DateTime(text)
        | AnswerValue::Time(text)
        | AnswerValue::String(text)
        | AnswerValue::Uri(text) => text.len(),
        AnswerValue::Boolean(_) | AnswerValue::Decimal(_) | AnswerValue::Integer(_) => 0,
        other => other.write().1.to_string().len(),
    }
}
