//! Functions over texts.

use super::super::conversion::as_text;
use super::super::operators::as_number;
use super::super::value::{Data, Value};
use super::{Answer, is_open};
use crate::limits::MAX_TEXT_BYTES;

/// Calls one of them.
pub(super) fn call(name: &str, values: &[Value]) -> Answer {
    let made: fn(&[Value]) -> Option<Value> = match name {
        "upper" => |values| one(values, |text| text.to_uppercase()),
        "lower" => |values| one(values, |text| text.to_lowercase()),
        "title" => |values| one(values, title),
        "trimspace" => |values| one(values, |text| text.trim().to_owned()),
        "chomp" => |values| one(values, |text| text.trim_end_matches(['\n', '\r']).to_owned()),
        "strrev" => |values| one(values, |text| text.chars().rev().collect()),
        "trim" => {
            |values| two(values, |text, cut| text.trim_matches(|letter| cut.contains(letter)).to_owned())
        }
        "trimprefix" => |values| two(values, |text, cut| text.strip_prefix(cut).unwrap_or(text).to_owned()),
        "trimsuffix" => |values| two(values, |text, cut| text.strip_suffix(cut).unwrap_or(text).to_owned()),
        "startswith" => |values| test(values, |text, part| text.starts_with(part)),
        "endswith" => |values| test(values, |text, part| text.ends_with(part)),
        "strcontains" => |values| test(values, |text, part| text.contains(part)),
        "basename" => |values| one(values, |path| base_name(path).to_owned()),
        "dirname" => return folder_name(values),
        "split" => split,
        "substr" => substr,
        "replace" => return replace(values),
        "join" => return join(values),
        "format" => return format(values),
        "tostring" => return to_text(values),
        _ => return Answer::NoSuch,
    };
    if values.iter().any(is_open) { Answer::NotKnown } else { Answer::of(made(values)) }
}

fn one(values: &[Value], change: impl Fn(&str) -> String) -> Option<Value> {
    let [text] = values else { return None };
    Some(Value::text(&change(&as_text(text)?)))
}

fn two(values: &[Value], change: impl Fn(&str, &str) -> String) -> Option<Value> {
    let [text, other] = values else { return None };
    Some(Value::text(&change(&as_text(text)?, &as_text(other)?)))
}

fn test(values: &[Value], holds: impl Fn(&str, &str) -> bool) -> Option<Value> {
    let [text, other] = values else { return None };
    Some(Value::bool(holds(&as_text(text)?, &as_text(other)?)))
}

fn title(text: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut begins = true;
    let raise = |letter: char| {
        let raised = if begins { letter.to_uppercase().collect() } else { letter.to_string() };
        begins = if letter.is_ascii() { !is_word(letter) } else { letter.is_whitespace() };
        raised
    };
    text.chars().map(raise).collect()
}

fn base_name(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// The folder of a path; one that would have to be tidied first is not evaluated.
fn folder_name(values: &[Value]) -> Answer {
    match values {
        [path] if is_open(path) => Answer::NotKnown,
        [path] => match path.as_text() {
            Some(text) if text.split('/').skip(1).any(|part| matches!(part, "" | "." | "..")) => {
                Answer::NoSuch
            }
            Some(text) => Answer::Made(Value::text(match text.rsplit_once('/') {
                Some(("", _)) => "/",
                Some((folder, _)) => folder,
                None => ".",
            })),
            None => Answer::NoSuch,
        },
        _ => Answer::Refused,
    }
}

fn split(values: &[Value]) -> Option<Value> {
    let [separator, text] = values else { return None };
    let (separator, text) = (as_text(separator)?, as_text(text)?);
    if separator.is_empty() {
        return Some(Value::list(text.chars().map(|letter| Value::text(&letter.to_string())).collect()));
    }
    Some(Value::list(text.split(&separator).map(Value::text).collect()))
}

fn substr(values: &[Value]) -> Option<Value> {
    let [text, offset, length] = values else { return None };
    let letters: Vec<char> = as_text(text)?.chars().collect();
    let (offset, length) = (as_number(offset)?, as_number(length)?);
    let count = letters.len() as f64;
    let start = if offset < 0.0 { (count + offset).max(0.0) } else { offset.min(count) };
    let end = if length < 0.0 { count } else { (start + length).min(count) };
    let inside = letters.iter().enumerate().filter(|(at, _)| (start..end).contains(&(*at as f64)));
    Some(Value::text(&inside.map(|(_, letter)| *letter).collect::<String>()))
}

fn replace(values: &[Value]) -> Answer {
    let [text, part, with] = values else { return Answer::Refused };
    if values.iter().any(is_open) {
        return Answer::NotKnown;
    }
    let (Some(text), Some(part), Some(with)) = (as_text(text), as_text(part), as_text(with)) else {
        return Answer::Refused;
    };
    // A pattern in slashes is an expression that Ward does not evaluate.
    if part.len() > 1 && part.starts_with('/') && part.ends_with('/') {
        return Answer::NoSuch;
    }
    let found = text.matches(&part).count();
    if found.saturating_mul(with.len()).saturating_add(text.len()) > MAX_TEXT_BYTES {
        return Answer::NoSuch;
    }
    Answer::Made(Value::text(&text.replace(&part, &with)))
}

fn join(values: &[Value]) -> Answer {
    let Some((separator, lists)) = values.split_first() else { return Answer::Refused };
    let Some(separator) = separator.as_text() else { return Answer::NotKnown };
    let mut joined = String::new();
    let mut is_first = true;
    for list in lists {
        let Some(items) = list.items() else {
            return if is_open(list) { Answer::NotKnown } else { Answer::Refused };
        };
        for item in items {
            let Some(text) = as_text(item) else {
                return if is_open(item) { Answer::NotKnown } else { Answer::Refused };
            };
            if !is_first {
                joined.push_str(separator);
            }
            is_first = false;
            joined.push_str(&text);
            if joined.len() > MAX_TEXT_BYTES {
                return Answer::NoSuch;
            }
        }
    }
    Answer::Made(Value::text(&joined))
}

/// `%s`, `%d`, `%v`, `%q` and `%t`, with zeros and a width before `d`; anything else is not evaluated.
fn format(values: &[Value]) -> Answer {
    let Some((pattern, values)) = values.split_first() else { return Answer::Refused };
    let Some(pattern) = pattern.as_text() else { return Answer::NotKnown };
    if values.iter().any(|value| !value.is_wholly_known()) {
        return Answer::NotKnown;
    }
    let mut text = String::new();
    let mut values = values.iter();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let digits = after.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(after.len());
        let (width, after) = after.split_at_checked(digits).unwrap_or(("", after));
        let mut letters = after.chars();
        let (Some(verb), Some(value)) = (letters.next(), values.next()) else { return Answer::Refused };
        match verbed(verb, width, value) {
            Some(part) => text.push_str(&part),
            None => return Answer::NoSuch,
        }
        rest = letters.as_str();
        if text.len() > MAX_TEXT_BYTES {
            return Answer::NoSuch;
        }
    }
    text.push_str(rest);
    if values.next().is_some() { Answer::Refused } else { Answer::Made(Value::text(&text)) }
}

fn verbed(verb: char, width: &str, value: &Value) -> Option<String> {
    let text = match &value.data {
        Data::Text(_) | Data::Number(_) | Data::Bool(_) => as_text(value)?,
        _ => return None,
    };
    match (verb, width) {
        ('s' | 'v', "") => Some(text),
        ('t', "") if matches!(value.data, Data::Bool(_)) => Some(text),
        ('q', "") => Some(format!("{text:?}")),
        ('d', width) => {
            let number = as_number(value).filter(|number| number.fract() == 0.0 && number.abs() < 1e15)?;
            let columns = if width.is_empty() {
                0
            } else {
                width.parse::<usize>().ok().filter(|width| *width < 100)?
            };
            let is_filled = width.starts_with('0');
            Some(if is_filled { format!("{number:0columns$}") } else { format!("{number:columns$}") })
        }
        _ => None,
    }
}

fn to_text(values: &[Value]) -> Answer {
    match values {
        [value] if is_open(value) || matches!(value.data, Data::Null) => Answer::Taken(value.clone()),
        [value] => Answer::of(as_text(value).map(|text| Value::text(&text))),
        _ => Answer::Refused,
    }
}
