//! A filled-in form: a tree of items and answers, with everything the sender
//! wrote kept.

use crate::answer_value::AnswerValue;
use crate::error::FormError;
use crate::number_text::NumberTexts;
use crate::questionnaire::Questionnaire;
use crate::response_reader;
use crate::stored::Stored;
use serde_json::{Map, Value, json};

/// How far a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// A draft.
    InProgress,
    /// Finished.
    Completed,
    /// A corrected version of a finished one.
    Amended,
    /// Withdrawn as a mistake. Ward keeps it but doesn't accept it as an answer.
    EnteredInError,
    /// Given up. Ward keeps it but doesn't accept it as an answer.
    Stopped,
}

impl ResponseStatus {
    const ALL: [(Self, &'static str); 5] = [
        (Self::InProgress, "in-progress"),
        (Self::Completed, "completed"),
        (Self::Amended, "amended"),
        (Self::EnteredInError, "entered-in-error"),
        (Self::Stopped, "stopped"),
    ];

    /// The FHIR code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, code)| *code)
    }

    /// The status with this FHIR code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(status, _)| *status)
    }

    /// Whether every owed answer must be there.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Amended)
    }
}

/// One answer, with the items nested under it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The JSON fields in their order; nested items keep their place as null.
    pub(crate) fields: Map<String, Value>,
    /// The texts of numbers among the fields.
    pub(crate) numbers: NumberTexts,
    pub(crate) value: Option<AnswerValue>,
    pub(crate) items: Vec<ResponseItem>,
}

impl Answer {
    /// An answer with this value.
    #[must_use]
    pub fn new(value: AnswerValue) -> Self {
        let mut fields = Map::new();
        let (field, json) = value.write();
        fields.insert(field, json);
        Self { fields, numbers: NumberTexts::None, value: Some(value), items: Vec::new() }
    }

    /// No answer, but the items that were nested under one.
    pub(crate) fn parked(items: Vec<ResponseItem>) -> Self {
        Self { fields: Map::new(), numbers: NumberTexts::None, value: None, items }
    }

    /// The value; `None` for an answer element without one.
    #[must_use]
    pub fn value(&self) -> Option<&AnswerValue> {
        self.value.as_ref()
    }

    /// How the number of a decimal or of an amount was written, where that is not how it would be written
    /// anyway: `1.50`.
    #[must_use]
    pub fn number_text(&self) -> Option<&str> {
        match self.value.as_ref()? {
            AnswerValue::Decimal(number) => self.numbers.field("valueDecimal")?.text_of(number),
            AnswerValue::Quantity(amount) => {
                self.numbers.field("valueQuantity")?.field("value")?.text_of(amount.value.as_ref()?)
            }
            _ => None,
        }
    }

    /// The items nested under this answer.
    #[must_use]
    pub fn items(&self) -> &[ResponseItem] {
        &self.items
    }

    /// Adds a nested item.
    pub fn push_item(&mut self, item: ResponseItem) {
        self.items.push(item);
    }

    fn to_value(&self) -> Value {
        with_children(&self.fields, [("item", items_to_values(&self.items))])
    }

    fn number_texts(&self) -> NumberTexts {
        self.numbers.clone().with_list("item", self.items.iter().map(ResponseItem::number_texts))
    }
}

/// One item of a response: a group with items, or a question with answers.
#[derive(Debug, Clone)]
pub struct ResponseItem {
    pub(crate) link_id: String,
    /// The JSON fields in their order; items and answers keep their places as null.
    pub(crate) fields: Map<String, Value>,
    /// The texts of numbers among the fields.
    pub(crate) numbers: NumberTexts,
    pub(crate) answers: Vec<Answer>,
    pub(crate) items: Vec<ResponseItem>,
}

impl ResponseItem {
    /// An item without content.
    #[must_use]
    pub fn new(link_id: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("linkId".to_owned(), json!(link_id));
        Self {
            link_id: link_id.to_owned(),
            fields,
            numbers: NumberTexts::None,
            answers: Vec::new(),
            items: Vec::new(),
        }
    }

    /// A question with these answers.
    #[must_use]
    pub fn answered(link_id: &str, values: impl IntoIterator<Item = AnswerValue>) -> Self {
        let mut item = Self::new(link_id);
        item.answers = values.into_iter().map(Answer::new).collect();
        item
    }

    /// A group with these items.
    #[must_use]
    pub fn group(link_id: &str, items: impl IntoIterator<Item = ResponseItem>) -> Self {
        let mut item = Self::new(link_id);
        item.items = items.into_iter().collect();
        item
    }

    /// The linkId.
    #[must_use]
    pub fn link_id(&self) -> &str {
        &self.link_id
    }

    /// The question's text as the sender showed it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.fields.get("text").and_then(Value::as_str)
    }

    /// The answers.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The items of a group.
    #[must_use]
    pub fn items(&self) -> &[ResponseItem] {
        &self.items
    }

    fn to_value(&self) -> Value {
        let answers = self.answers.iter().map(Answer::to_value).collect();
        with_children(&self.fields, [("answer", answers), ("item", items_to_values(&self.items))])
    }

    fn number_texts(&self) -> NumberTexts {
        self.numbers
            .clone()
            .with_list("answer", self.answers.iter().map(Answer::number_texts))
            .with_list("item", self.items.iter().map(Self::number_texts))
    }
}

/// A FHIR R4 `QuestionnaireResponse`.
///
/// A response that was read and not changed is written back with the same
/// content, unknown fields included.
#[derive(Debug, Clone)]
pub struct QuestionnaireResponse {
    pub(crate) fields: Map<String, Value>,
    /// The texts of numbers among the fields.
    pub(crate) numbers: NumberTexts,
    pub(crate) status: ResponseStatus,
    pub(crate) items: Vec<ResponseItem>,
}

impl QuestionnaireResponse {
    /// Reads a response from JSON.
    ///
    /// # Errors
    /// [`FormError`] when the JSON is too large, not a `QuestionnaireResponse`, or
    /// broken in structure. Wrong answers are no error here; [`crate::validate`]
    /// finds them.
    pub fn parse(json: &[u8]) -> Result<Self, FormError> {
        response_reader::read(json)
    }

    /// Reads a response that was signed and stored: whatever was accepted once can be read.
    ///
    /// # Errors
    /// As [`QuestionnaireResponse::parse`], but for a field that is given twice.
    pub fn parse_stored(json: &[u8]) -> Result<Stored<Self>, FormError> {
        response_reader::read_again(json)
    }

    /// An empty response to this form.
    #[must_use]
    pub fn to(questionnaire: &Questionnaire, status: ResponseStatus) -> Self {
        let mut fields = Map::new();
        fields.insert("resourceType".to_owned(), json!("QuestionnaireResponse"));
        if let Some(canonical) = questionnaire.canonical() {
            fields.insert("questionnaire".to_owned(), json!(canonical));
        }
        fields.insert("status".to_owned(), json!(status.code()));
        Self { fields, numbers: NumberTexts::None, status, items: Vec::new() }
    }

    /// The address of the form it answers, as written (`url|version`).
    #[must_use]
    pub fn questionnaire(&self) -> Option<&str> {
        self.fields.get("questionnaire").and_then(Value::as_str)
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> ResponseStatus {
        self.status
    }

    /// Changes the status.
    pub fn set_status(&mut self, status: ResponseStatus) {
        self.status = status;
        self.fields.insert("status".to_owned(), json!(status.code()));
    }

    /// When it was written, as a FHIR dateTime.
    #[must_use]
    pub fn authored(&self) -> Option<&str> {
        self.fields.get("authored").and_then(Value::as_str)
    }

    /// Sets when it was written, as a FHIR dateTime. It stands before the items, also in a response
    /// that was read from a draft without it, so that one content has one spelling.
    pub fn set_authored(&mut self, authored: &str) {
        let items_at = self.fields.keys().position(|field| field == "item");
        match items_at.filter(|_| !self.fields.contains_key("authored")) {
            Some(place) => drop(self.fields.shift_insert(place, "authored".to_owned(), json!(authored))),
            None => drop(self.fields.insert("authored".to_owned(), json!(authored))),
        }
    }

    /// The top-level items.
    #[must_use]
    pub fn items(&self) -> &[ResponseItem] {
        &self.items
    }

    /// Adds a top-level item.
    pub fn push_item(&mut self, item: ResponseItem) {
        self.items.push(item);
    }

    /// The response as JSON values, in which `1.50` and `1.5` are the same number;
    /// [`QuestionnaireResponse::to_json`] keeps the digits.
    #[must_use]
    pub fn to_value(&self) -> Value {
        with_children(&self.fields, [("item", items_to_values(&self.items))])
    }

    /// The response as JSON bytes, without spaces. Numbers that were read are written with the
    /// digits they had.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        self.write_with_digits(&self.to_value()).into_bytes()
    }

    /// Writes a resource that was made of this response, without spaces: each number at a place where
    /// the response has the same one is written with the digits that it had there.
    #[must_use]
    pub fn write_with_digits(&self, resource: &Value) -> String {
        let texts = self.numbers.clone().with_list("item", self.items.iter().map(ResponseItem::number_texts));
        let mut out = String::new();
        texts.write(resource, &mut out);
        out
    }
}

/// Two responses are the same when they say the same in JSON.
impl PartialEq for QuestionnaireResponse {
    fn eq(&self, other: &Self) -> bool {
        self.to_value() == other.to_value()
    }
}

/// Two items are the same when they say the same in JSON.
impl PartialEq for ResponseItem {
    fn eq(&self, other: &Self) -> bool {
        self.to_value() == other.to_value()
    }
}

/// Two answers are the same when they say the same in JSON.
impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        self.to_value() == other.to_value()
    }
}

fn items_to_values(items: &[ResponseItem]) -> Vec<Value> {
    items.iter().map(ResponseItem::to_value).collect()
}

/// The fields with lists of children at their places, or behind them where they had none. A
/// sender's empty list is kept as it was; otherwise no children means no field.
fn with_children<const N: usize>(fields: &Map<String, Value>, lists: [(&str, Vec<Value>); N]) -> Value {
    let mut map = fields.clone();
    for (field, children) in lists {
        if !children.is_empty() {
            map.insert(field.to_owned(), Value::Array(children));
        } else if fields.get(field).is_some_and(|kept| !kept.is_array()) {
            map.shift_remove(field);
        }
    }
    Value::Object(map)
}
