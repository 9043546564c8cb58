//! Functions on strings. Places and lengths count characters.
//!
//! Source: FHIRPath 2.0 §5.6; `trim`, `split`, `join`, `lastIndexOf`: FHIRPath STU.

use super::super::collection::Collection;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::text::Text;
use super::super::value::Value;
use super::Calling;
use crate::limits::MAX_BUILT_STRING_BYTES;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    if calling.call.function == F::Join {
        return join(calling, input);
    }
    let Some(text) = calling.text(input)? else { return Ok(Collection::empty()) };
    match calling.call.function {
        F::Upper => calling.built(text.to_uppercase()),
        F::Lower => calling.built(text.to_lowercase()),
        F::Trim => calling.built(text.trim().to_owned()),
        F::Length => Ok(Value::count(text.chars().count()).into()),
        F::ToChars => {
            calling.evaluator.budget.cut(text.chars().count(), text.len())?;
            Ok(text.chars().map(|c| Value::string(c.to_string())).collect())
        }
        F::Substring => substring(calling, &text),
        F::Replace => replace(calling, &text),
        _ => with_other(calling, &text),
    }
}

fn with_other<'d>(calling: &Calling<'_, '_, 'd>, text: &str) -> Evaluated<'d> {
    let Some(other) = calling.text_argument(0)? else { return Ok(Collection::empty()) };
    let other = other.as_ref();
    let place = |bytes: Option<usize>| match bytes.and_then(|bytes| text.get(..bytes)) {
        Some(before) => Value::count(before.chars().count()),
        None => Value::Integer(-1),
    };
    match calling.call.function {
        F::StartsWith => Ok(text.starts_with(other).into()),
        F::EndsWith => Ok(text.ends_with(other).into()),
        F::Contains => Ok(text.contains(other).into()),
        F::IndexOf => Ok(place(text.find(other)).into()),
        F::LastIndexOf => Ok(place(text.rfind(other)).into()),
        _ => split(calling, text, other),
    }
}

fn substring<'d>(calling: &Calling<'_, '_, 'd>, text: &str) -> Evaluated<'d> {
    let Some(start) = calling.integer_argument(0)? else { return Ok(Collection::empty()) };
    let length = match calling.expression(1) {
        None => usize::MAX,
        // A length that is empty is as if it were not given.
        Some(_) => match calling.integer_argument(1)? {
            Some(length) => usize::try_from(length).unwrap_or(0),
            None => usize::MAX,
        },
    };
    let Ok(start) = usize::try_from(start) else { return Ok(Collection::empty()) };
    let mut rest = text.chars().skip(start).peekable();
    if rest.peek().is_none() {
        return Ok(Collection::empty());
    }
    calling.built(rest.take(length).collect())
}

fn replace<'d>(calling: &Calling<'_, '_, 'd>, text: &str) -> Evaluated<'d> {
    let (Some(pattern), Some(with)) = (calling.text_argument(0)?, calling.text_argument(1)?) else {
        return Ok(Collection::empty());
    };
    // The length is known before anything is built.
    let found =
        if pattern.is_empty() { text.chars().count() + 1 } else { text.matches(pattern.as_ref()).count() };
    let most = found.saturating_mul(with.len()).saturating_add(text.len());
    calling.evaluator.budget.build(most.min(MAX_BUILT_STRING_BYTES + 1))?;
    Ok(Value::string(text.replace(pattern.as_ref(), &with)).into())
}

fn split<'d>(calling: &Calling<'_, '_, 'd>, text: &str, separator: &str) -> Evaluated<'d> {
    let count = if separator.is_empty() { text.chars().count() } else { text.matches(separator).count() + 1 };
    calling.evaluator.budget.cut(count, text.len())?;
    if separator.is_empty() {
        return Ok(text.chars().map(|c| Value::string(c.to_string())).collect());
    }
    Ok(text.split(separator).map(|part| Value::string(part.to_owned())).collect())
}

fn join<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let separator = calling.text_argument(0)?.unwrap_or(Text::borrowed(""));
    let mut joined = String::new();
    let mut is_first = true;
    for value in input {
        // A primitive without a value adds nothing.
        if value.node().is_some_and(|node| node.json.is_none()) {
            continue;
        }
        let text = value.text().ok_or_else(|| calling.wrong_type("strings", value))?;
        if !is_first {
            joined.push_str(&separator);
        }
        is_first = false;
        joined.push_str(&text);
        calling.evaluator.budget.read(text.len())?;
        if joined.len() > MAX_BUILT_STRING_BYTES {
            break;
        }
    }
    if is_first {
        return Ok(Collection::empty());
    }
    calling.built(joined)
}
