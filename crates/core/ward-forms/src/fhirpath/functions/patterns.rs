//! `matches`, `matchesFull` and `replaceMatches`.
//!
//! The matcher takes time that grows with the text times the pattern, whatever the pattern says; both
//! count towards the budget.
//!
//! Source: FHIRPath 2.0 §5.6.9 and §5.6.10.

use super::super::collection::Collection;
use super::super::error::EvaluationError;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::value::Value;
use super::Calling;
use crate::limits::{
    MAX_BUILT_STRING_BYTES, MAX_COMPILED_PATTERN_BYTES, MAX_PATTERN_BYTES, MAX_PATTERN_DEPTH,
};
use regex_lite::{Regex, RegexBuilder};
use std::borrow::Cow;

/// A pattern ready for use, with the text it was compiled from.
pub(in crate::fhirpath) struct CompiledPattern {
    source: String,
    regex: Regex,
}

/// Compiling costs as much as so many steps for each byte.
const STEPS_PER_COMPILED_BYTE: usize = 16;

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let (Some(text), Some(pattern)) = (calling.text(input)?, calling.text_argument(0)?) else {
        return Ok(Collection::empty());
    };
    let source = match calling.call.function {
        F::MatchesFull => Cow::Owned(format!("^(?:{pattern})$")),
        _ => pattern,
    };
    calling.evaluator.budget.read(text.len().saturating_mul(source.len() + 1))?;
    if calling.call.function != F::ReplaceMatches {
        return with_pattern(calling, &source, |regex| Ok(regex.is_match(&text).into()));
    }
    let Some(with) = calling.text_argument(1)? else { return Ok(Collection::empty()) };
    if source.is_empty() {
        return Ok(Value::String(text).into());
    }
    with_pattern(calling, &source, |regex| replace(calling, regex, &text, &with))
}

fn with_pattern<'d>(
    calling: &Calling<'_, '_, 'd>,
    source: &str,
    apply: impl FnOnce(&Regex) -> Evaluated<'d>,
) -> Evaluated<'d> {
    let mut held = calling.evaluator.pattern.borrow_mut();
    if held.as_ref().is_none_or(|pattern| pattern.source != source) {
        let bad = || EvaluationError::BadPattern { place: calling.place };
        if source.len() > MAX_PATTERN_BYTES {
            return Err(bad());
        }
        calling.evaluator.budget.take(source.len() * STEPS_PER_COMPILED_BYTE)?;
        let regex = RegexBuilder::new(source)
            .dot_matches_new_line(true)
            .size_limit(MAX_COMPILED_PATTERN_BYTES)
            .nest_limit(u32::try_from(MAX_PATTERN_DEPTH).unwrap_or(u32::MAX))
            .build()
            .map_err(|_| bad())?;
        *held = Some(CompiledPattern { source: source.to_owned(), regex });
    }
    match &*held {
        Some(pattern) => apply(&pattern.regex),
        None => Ok(Collection::empty()),
    }
}

/// Each match replaced, `$1` and `${name}` standing for its groups.
fn replace<'d>(calling: &Calling<'_, '_, 'd>, regex: &Regex, text: &str, with: &str) -> Evaluated<'d> {
    let mut built = String::new();
    let mut end = 0;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        built.push_str(text.get(end..whole.start()).unwrap_or(""));
        found.expand(with, &mut built);
        end = whole.end();
        calling.evaluator.budget.read(with.len())?;
        if built.len() > MAX_BUILT_STRING_BYTES {
            break;
        }
    }
    built.push_str(text.get(end..).unwrap_or(""));
    calling.built(built)
}
