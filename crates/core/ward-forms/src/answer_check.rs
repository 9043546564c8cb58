//! Checks the answers of one question against the question alone.
//!
//! The same rules serve the answering session (before an answer is taken) and the
//! validation of a whole response.

use crate::answer_options::{AnswerOption, AnswerOptions};
use crate::answer_value::{AnswerValue, Quantity};
use crate::finding::{FindingCode, Severity};
use crate::limits::MAX_PATTERN_TEXT_CHARS;
use crate::pattern::Pattern;
use crate::questionnaire::{Item, ItemType};
use std::cmp::Ordering;

/// A finding about the answers of one question, before it has a place.
pub(crate) struct AnswerIssue {
    /// Which answer; `None` when it concerns all of them together.
    pub(crate) answer: Option<usize>,
    pub(crate) code: FindingCode,
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

impl AnswerIssue {
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Checks `answers`, which a group or display must not have at all.
pub(crate) fn check_answers(item: &Item, answers: &[Option<&AnswerValue>]) -> Vec<AnswerIssue> {
    let mut issues = Issues { list: Vec::new() };
    if answers.is_empty() {
        return issues.list;
    }
    if !item.item_type.takes_answers() {
        issues.error(None, FindingCode::AnswerNotAllowed, "This part of the form does not take an answer.");
        return issues.list;
    }
    let allowed = if item.repeats { item.rules.max_occurs } else { Some(1) };
    if let Some(allowed) = allowed.filter(|allowed| answers.len() > *allowed) {
        let code = if item.repeats { FindingCode::TooMany } else { FindingCode::NotRepeatable };
        issues.error(None, code, format!("Give at most {}; there are {}.", counted(allowed), answers.len()));
    }
    if let Some(least) = item.rules.min_occurs.filter(|least| answers.len() < *least) {
        issues.error(
            None,
            FindingCode::TooFew,
            format!("Give at least {}; there are {}.", counted(least), answers.len()),
        );
    }
    for (place, value) in answers.iter().enumerate() {
        match value {
            None => issues.error(Some(place), FindingCode::EmptyAnswer, "This answer is empty."),
            Some(value) => check_value(item, place, value, &mut issues),
        }
    }
    check_exclusive(item, answers, &mut issues);
    issues.list
}

struct Issues {
    list: Vec<AnswerIssue>,
}

impl Issues {
    fn push(&mut self, answer: Option<usize>, code: FindingCode, severity: Severity, message: String) {
        self.list.push(AnswerIssue { answer, code, severity, message });
    }

    fn error(&mut self, answer: Option<usize>, code: FindingCode, message: impl Into<String>) {
        self.push(answer, code, Severity::Error, message.into());
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 answer".to_owned() } else { format!("{count} answers") }
}

fn check_value(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    if !fits_type(item, value) {
        let message = format!("This question asks for {}, and got {}.", asked_for(item), value.type_name());
        issues.error(Some(place), FindingCode::WrongType, message);
        return;
    }
    if matches!(value, AnswerValue::String(text) if text.trim().is_empty()) {
        issues.error(Some(place), FindingCode::EmptyAnswer, "This answer is empty.");
        return;
    }
    if !value.is_well_formed() {
        let message = format!("This answer can't be read as {}.", value.type_name());
        issues.error(Some(place), FindingCode::WrongType, message);
        return;
    }
    check_option(item, place, value, issues);
    check_length(item, place, value, issues);
    check_range(item, place, value, issues);
    check_unit(item, place, value, issues);
    check_file(item, place, value, issues);
    check_pattern(item, place, value, issues);
}

/// Whether a value is of the type its question asks for.
///
/// Source: FHIR R4 `QuestionnaireResponse.item.answer.value[x]` and
/// `Questionnaire.item.type`.
fn fits_type(item: &Item, value: &AnswerValue) -> bool {
    use AnswerValue as V;
    match item.item_type {
        ItemType::Boolean => matches!(value, V::Boolean(_)),
        ItemType::Decimal => matches!(value, V::Decimal(_)),
        ItemType::Integer => matches!(value, V::Integer(_)),
        ItemType::Date => matches!(value, V::Date(_)),
        ItemType::DateTime => matches!(value, V::DateTime(_)),
        ItemType::Time => matches!(value, V::Time(_)),
        ItemType::String | ItemType::Text => matches!(value, V::String(_)),
        ItemType::Url => matches!(value, V::Uri(_)),
        ItemType::Quantity => matches!(value, V::Quantity(_)),
        ItemType::Attachment => matches!(value, V::Attachment(_)),
        ItemType::Reference => matches!(value, V::Reference(_)),
        ItemType::Choice => fits_options(item, value),
        ItemType::OpenChoice => matches!(value, V::String(_)) || fits_options(item, value),
        ItemType::Group | ItemType::Display | ItemType::Question => false,
    }
}

/// A choice takes codes, or the type of its listed options.
fn fits_options(item: &Item, value: &AnswerValue) -> bool {
    let listed = item.options.listed();
    if listed.is_empty() {
        return matches!(value, AnswerValue::Coding(_));
    }
    listed.iter().any(|option| std::mem::discriminant(&option.value) == std::mem::discriminant(value))
}

/// What an answer to a question is, in words.
pub(crate) fn asked_for(item: &Item) -> &'static str {
    match item.item_type {
        ItemType::Boolean => "yes or no",
        ItemType::Decimal => "a number",
        ItemType::Integer => "a whole number",
        ItemType::Date => "a date",
        ItemType::DateTime => "a date and time",
        ItemType::Time => "a time",
        ItemType::String | ItemType::Text => "text",
        ItemType::Url => "a link",
        ItemType::Quantity => "an amount with a unit",
        ItemType::Attachment => "a file",
        ItemType::Reference => "a reference",
        ItemType::Choice => "one of the listed answers",
        ItemType::OpenChoice => "one of the listed answers or text",
        ItemType::Group | ItemType::Display | ItemType::Question => "nothing",
    }
}

fn check_option(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let own_words = item.item_type == ItemType::OpenChoice && matches!(value, AnswerValue::String(_));
    match &item.options {
        AnswerOptions::Listed(_) | AnswerOptions::Standard(_)
            if !own_words && item.options.find(value).is_none() =>
        {
            issues.error(Some(place), FindingCode::NotAnOption, "Choose one of the listed answers.");
        }
        AnswerOptions::Listed(options) | AnswerOptions::Standard(options)
            if !own_words && has_other_words(options, value) =>
        {
            let message = "The words of this answer are not those of its code; choose it again.";
            issues.error(Some(place), FindingCode::OtherWords, message);
        }
        AnswerOptions::Elsewhere(_) if !own_words => issues.push(
            Some(place),
            FindingCode::OptionsElsewhere,
            Severity::Information,
            "The list of answers is kept outside this form, so this answer was not checked against it."
                .to_owned(),
        ),
        _ => {}
    }
}

/// Whether the answer is offered, but under none of the words that come with it.
fn has_other_words(options: &[AnswerOption], value: &AnswerValue) -> bool {
    options.iter().filter(|option| option.value.is_same(value)).all(|option| option.has_other_words(value))
}

fn check_length(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let (AnswerValue::String(text) | AnswerValue::Uri(text)) = value else {
        return;
    };
    // FHIR counts characters, not bytes.
    let chars = text.chars().count();
    if let Some(most) = item.rules.max_chars.filter(|most| chars > *most) {
        let message = format!("Use at most {most} characters; this answer has {chars}.");
        issues.error(Some(place), FindingCode::TooLong, message);
    }
    if let Some(least) = item.rules.min_chars.filter(|least| chars < *least) {
        let message = format!("Use at least {least} characters; this answer has {chars}.");
        issues.error(Some(place), FindingCode::TooShort, message);
    }
}

fn check_range(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let sides = [
        (&item.rules.min_value, Ordering::Less, FindingCode::BelowMinimum, "lowest"),
        (&item.rules.max_value, Ordering::Greater, FindingCode::AboveMaximum, "highest"),
    ];
    for (bound, outside, code, word) in sides {
        let Some(bound) = bound else { continue };
        let comparable = comparable_bound(value, bound);
        match comparable {
            None => issues.error(
                Some(place),
                FindingCode::UnitMismatch,
                format!("This answer can't be compared with the {word} value allowed."),
            ),
            Some(order) if order == outside => {
                issues.error(Some(place), code, format!("The {word} value allowed is {}.", shown(bound)))
            }
            Some(_) => {}
        }
    }
    check_decimals(item, place, value, issues);
}

/// Compares a value with a bound. A partial date that the bound falls into is
/// inside: nothing shows that it is out of range.
fn comparable_bound(value: &AnswerValue, bound: &AnswerValue) -> Option<Ordering> {
    if let (AnswerValue::Quantity(amount), Some(number)) = (value, bound.number()) {
        return amount.value.as_ref()?.as_f64()?.partial_cmp(&number);
    }
    let is_moment = |value: &AnswerValue| {
        matches!(value, AnswerValue::Date(_) | AnswerValue::DateTime(_) | AnswerValue::Time(_))
    };
    match value.order(bound) {
        None if is_moment(value) && is_moment(bound) => Some(Ordering::Equal),
        order => order,
    }
}

fn shown(bound: &AnswerValue) -> String {
    match bound {
        AnswerValue::Quantity(Quantity { value: Some(number), unit, code, .. }) => {
            let unit = unit.as_deref().or(code.as_deref()).unwrap_or_default();
            format!("{number} {unit}").trim_end().to_owned()
        }
        other => match other.write().1 {
            serde_json::Value::String(text) => text,
            json => json.to_string(),
        },
    }
}

fn check_decimals(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let Some(most) = item.rules.max_decimal_places else {
        return;
    };
    let number = match value {
        AnswerValue::Decimal(number) => Some(number),
        AnswerValue::Quantity(quantity) => quantity.value.as_ref(),
        _ => None,
    };
    if number.is_some_and(|number| decimal_places(&number.to_string()) > most) {
        let message = if most == 1 {
            "Use at most 1 digit after the point.".to_owned()
        } else {
            format!("Use at most {most} digits after the point.")
        };
        issues.error(Some(place), FindingCode::TooManyDecimals, message);
    }
}

/// Digits after the point that carry value; `2.50` and `2.5` both have one.
fn decimal_places(number: &str) -> usize {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let fraction = mantissa.split_once('.').map_or("", |(_, fraction)| fraction).trim_end_matches('0');
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX).saturating_sub(exponent);
    usize::try_from(places).unwrap_or(0)
}

fn check_unit(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let AnswerValue::Quantity(quantity) = value else {
        return;
    };
    let units = &item.rules.units;
    let offered = units.iter().any(|unit| match (&quantity.code, &unit.code) {
        (Some(code), Some(offered)) => code == offered && quantity.system == unit.system,
        _ => quantity.unit.is_some() && (quantity.unit == unit.display || quantity.unit == unit.code),
    });
    if !units.is_empty() && !offered {
        issues.error(Some(place), FindingCode::NotAUnit, "Choose one of the offered units.");
    }
}

fn check_file(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let AnswerValue::Attachment(file) = value else {
        return;
    };
    let claimed = file.get("size").and_then(serde_json::Value::as_u64);
    let carried = file.get("data").and_then(serde_json::Value::as_str).map(base64_bytes);
    if let (Some(claimed), Some(carried)) = (claimed, carried)
        && claimed != carried
    {
        issues.error(Some(place), FindingCode::FileSize, "The size given for this file is not its size.");
    }
    #[expect(clippy::cast_precision_loss, reason = "file sizes are far below 2^53")]
    let size = carried.or(claimed).map(|bytes| bytes as f64);
    if let (Some(size), Some(most)) = (size, item.rules.max_file_bytes)
        && size > most
    {
        let message = format!("A file may have at most {most} bytes; this one has {size}.");
        issues.error(Some(place), FindingCode::FileTooLarge, message);
    }
}

/// The number of bytes that a base64 text stands for (RFC 4648 §4).
fn base64_bytes(text: &str) -> u64 {
    let digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').count();
    u64::try_from(digits).unwrap_or(u64::MAX).saturating_mul(3) / 4
}

fn check_pattern(item: &Item, place: usize, value: &AnswerValue, issues: &mut Issues) {
    let (Some(source), AnswerValue::String(text) | AnswerValue::Uri(text)) = (&item.rules.pattern, value)
    else {
        return;
    };
    let is_checkable = text.chars().count() <= MAX_PATTERN_TEXT_CHARS;
    match Pattern::compile(source) {
        Ok(pattern) if is_checkable => {
            if !pattern.matches(text) {
                let message = "This answer does not have the form that the question asks for.";
                issues.error(Some(place), FindingCode::Pattern, message);
            }
        }
        _ => issues.push(
            Some(place),
            FindingCode::PatternNotChecked,
            Severity::Information,
            "The form of this answer was not checked.".to_owned(),
        ),
    }
}

fn check_exclusive(item: &Item, answers: &[Option<&AnswerValue>], issues: &mut Issues) {
    if answers.len() < 2 {
        return;
    }
    for (place, value) in answers.iter().enumerate() {
        let option = value.and_then(|value| item.options.find(value));
        if option.is_some_and(|option| option.exclusive) {
            let message = "This answer stands alone; leave it out or leave the others out.";
            issues.error(Some(place), FindingCode::ExclusiveOption, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_lengths() {
        for (text, bytes) in [("", 0), ("YQ==", 1), ("YWI=", 2), ("YWJj", 3), ("YWJj\nYQ==", 4), ("YQ", 1)] {
            assert_eq!(base64_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn decimal_places_carry_value_only() {
        for (number, places) in [
            ("1", 0),
            ("1.5", 1),
            ("1.50", 1),
            ("0.001", 3),
            ("1e-7", 7),
            ("1.5e3", 0),
            ("1.25e1", 1),
            ("1.0", 0),
        ] {
            assert_eq!(decimal_places(number), places, "{number}");
        }
    }
}
