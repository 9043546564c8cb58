//! The answers of a response as plain rows, with the question's words and the answer's.

use ward_forms::{AnswerValue, Item, Questionnaire, QuestionnaireResponse, ResponseItem};

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// The linkId of the question.
    pub link_id: String,
    /// The question, as the questionnaire words it, else as the response does, else its linkId.
    pub question: String,
    /// The code of a listed answer; `true` or `false` for yes or no.
    pub code: Option<String>,
    /// The answer in words.
    pub answer: String,
    /// Whether the answer is a number and nothing else.
    pub is_number: bool,
}

/// All answers in reading order. Without the questionnaire the response's own words are used.
pub fn answer_rows(form: Option<&Questionnaire>, response: &QuestionnaireResponse) -> Vec<AnswerRow> {
    let mut rows = Vec::new();
    response.items().iter().for_each(|item| gather(form, item, &mut rows));
    rows
}

fn gather(form: Option<&Questionnaire>, item: &ResponseItem, rows: &mut Vec<AnswerRow>) {
    let asked = form.and_then(|form| form.item(item.link_id()));
    let question = asked.and_then(|asked| asked.text.as_deref()).or(item.text()).unwrap_or(item.link_id());
    for answer in item.answers() {
        if let Some(value) = answer.value() {
            rows.push(AnswerRow {
                link_id: item.link_id().to_owned(),
                question: question.to_owned(),
                code: code_of(value),
                answer: in_words(asked, value, answer.number_text()),
                is_number: matches!(value, AnswerValue::Integer(_) | AnswerValue::Decimal(_)),
            });
        }
        answer.items().iter().for_each(|nested| gather(form, nested, rows));
    }
    item.items().iter().for_each(|nested| gather(form, nested, rows));
}

fn code_of(value: &AnswerValue) -> Option<String> {
    match value {
        AnswerValue::Coding(coding) => coding.code.clone(),
        AnswerValue::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// `digits` says how the number of the answer was written, if it would be written in another way.
fn in_words(asked: Option<&Item>, value: &AnswerValue, digits: Option<&str>) -> String {
    match value {
        AnswerValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        AnswerValue::Decimal(number) => digits.map_or_else(|| number.to_string(), str::to_owned),
        AnswerValue::Integer(number) => number.to_string(),
        AnswerValue::Date(text)
        | AnswerValue::DateTime(text)
        | AnswerValue::Time(text)
        | AnswerValue::String(text)
        | AnswerValue::Uri(text) => text.clone(),
        AnswerValue::Coding(coding) => coding
            .display
            .clone()
            .or_else(|| asked?.options.find(value).map(ward_forms::AnswerOption::label))
            .or_else(|| coding.code.clone())
            .unwrap_or_default(),
        AnswerValue::Quantity(quantity) => {
            let number = digits.map(str::to_owned).or_else(|| Some(quantity.value.as_ref()?.to_string()));
            let unit = quantity.unit.clone().or_else(|| quantity.code.clone());
            let parts = [quantity.comparator.clone(), number, unit];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        AnswerValue::Attachment(value) | AnswerValue::Reference(value) => value.to_string(),
        AnswerValue::Unreadable { field, value } => format!("{field}: {value}"),
        other => format!("({})", other.type_name()),
    }
}
