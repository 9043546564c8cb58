//! `matches`, `matchesFull` and `replaceMatches`.
//!
//! The matcher takes time that grows with the text times the pattern, whatever the pattern says; both
//! count towards the budget.
//!
//! Source: FHIRPath 2.0 §5.6.9 and §5.6.10.

use super::super::ast::{Call, Expr};
use super::super::collection::Collection;
use super::super::error::EvaluationError;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::value::Value;
use super::Calling;
use crate::limits::{
    GROUPS_PER_STATE, MAX_BUILT_STRING_BYTES, MAX_COMPILED_PATTERN_BYTES, MAX_COMPILED_PATTERN_STATES,
    MAX_PATTERN_BYTES, MAX_PATTERN_DEPTH, STEPS_PER_PATTERN_STATE,
};
use regex_lite::{Regex, RegexBuilder};

/// A pattern ready for use, with the text it was compiled from.
pub(in crate::fhirpath) struct CompiledPattern {
    source: String,
    /// Whether it has to match from end to end.
    is_whole: bool,
    regex: Regex,
    states: usize,
    groups: usize,
}

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let (Some(text), Some(pattern)) = (calling.text(input)?, calling.text_argument(0)?) else {
        return Ok(Collection::empty());
    };
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(EvaluationError::BadPattern { place: calling.place });
    }
    if calling.call.function != F::ReplaceMatches {
        return with_pattern(calling, &pattern, |pattern| {
            calling.evaluator.budget.read(text.len().saturating_mul(pattern.states))?;
            Ok(pattern.regex.is_match(&text).into())
        });
    }
    let Some(with) = calling.text_argument(1)? else { return Ok(Collection::empty()) };
    if pattern.is_empty() {
        return Ok(Value::String(text).into());
    }
    with_pattern(calling, &pattern, |pattern| replace(calling, pattern, &text, &with))
}

/// Takes the steps of one search for groups: each character that is left may meet each state, and each
/// state remembers where its groups lie.
fn search_from(
    calling: &Calling<'_, '_, '_>,
    pattern: &CompiledPattern,
    text: &str,
    start: usize,
) -> Result<(), EvaluationError> {
    let cost = pattern.states.saturating_mul(1 + pattern.groups / GROUPS_PER_STATE);
    calling.evaluator.budget.read(text.len().saturating_sub(start).saturating_mul(cost))
}

fn with_pattern<'d>(
    calling: &Calling<'_, '_, 'd>,
    source: &str,
    apply: impl FnOnce(&CompiledPattern) -> Evaluated<'d>,
) -> Evaluated<'d> {
    let mut held = calling.evaluator.pattern.borrow_mut();
    let is_whole = calling.call.function == F::MatchesFull;
    if held.as_ref().is_none_or(|pattern| pattern.source != source || pattern.is_whole != is_whole) {
        let states = states_at_most(source);
        calling.evaluator.budget.take(states.saturating_mul(STEPS_PER_PATTERN_STATE))?;
        let alone = compiled(source);
        // What only becomes a pattern within the brackets is none.
        let regex = match alone {
            Some(_) if is_whole => compiled(&format!("^(?:{source})$")),
            alone => alone,
        };
        let regex = regex.ok_or(EvaluationError::BadPattern { place: calling.place })?;
        let groups = source.matches('(').count();
        *held = Some(CompiledPattern { source: source.to_owned(), is_whole, regex, states, groups });
    }
    match &*held {
        Some(pattern) => apply(pattern),
        None => Ok(Collection::empty()),
    }
}

fn compiled(source: &str) -> Option<Regex> {
    RegexBuilder::new(source)
        .dot_matches_new_line(true)
        .size_limit(MAX_COMPILED_PATTERN_BYTES)
        .nest_limit(u32::try_from(MAX_PATTERN_DEPTH).unwrap_or(u32::MAX))
        .build()
        .ok()
}

/// The pattern that a call is written with.
pub(in crate::fhirpath) fn written(call: &Call) -> Option<&str> {
    match (call.function, call.arguments.first()) {
        (F::Matches | F::MatchesFull | F::ReplaceMatches, Some(Expr::Literal(Value::String(pattern)))) => {
            Some(pattern.as_str())
        }
        _ => None,
    }
}

pub(in crate::fhirpath) fn is_readable(pattern: &str) -> bool {
    pattern.len() <= MAX_PATTERN_BYTES && compiled(pattern).is_some()
}

/// How many states a pattern may have: about one for each of its characters, times what it repeats.
fn states_at_most(source: &str) -> usize {
    let mut states = source.len() + 1;
    for counted in source.split('{').skip(1) {
        let counts = counted.split('}').next().unwrap_or("").split(',');
        let most = counts.filter_map(|count| count.trim().parse::<usize>().ok()).max().unwrap_or(1);
        states = states.saturating_mul(most.max(1));
    }
    states.min(MAX_COMPILED_PATTERN_STATES)
}

/// Each match replaced, `$1` and `${name}` standing for its groups.
fn replace<'d>(
    calling: &Calling<'_, '_, 'd>,
    pattern: &CompiledPattern,
    text: &str,
    with: &str,
) -> Evaluated<'d> {
    let mut built = String::new();
    let mut end = 0;
    let most_groups = with.matches('$').count();
    search_from(calling, pattern, text, 0)?;
    for found in pattern.regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        built.push_str(text.get(end..whole.start()).unwrap_or(""));
        // No group is longer than the match; the length is known before anything is built.
        let most = most_groups.saturating_mul(whole.len()).saturating_add(with.len() + built.len());
        if most > MAX_BUILT_STRING_BYTES {
            return Err(EvaluationError::StringTooLong { limit_bytes: MAX_BUILT_STRING_BYTES });
        }
        calling.evaluator.budget.read(most - built.len())?;
        found.expand(with, &mut built);
        end = whole.end();
        // The next search may look at all that is left.
        search_from(calling, pattern, text, end)?;
    }
    built.push_str(text.get(end..).unwrap_or(""));
    calling.built(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parts_count_as_often_as_they_are_repeated() {
        assert_eq!(states_at_most("abc"), 4);
        assert_eq!(states_at_most("a{3}"), 15);
        assert_eq!(states_at_most("(a{2}){2,4}"), 12 * 8);
        assert_eq!(states_at_most("a{3,}{"), 7 * 3);
        assert_eq!(states_at_most("a{1,1000}"), MAX_COMPILED_PATTERN_STATES);
    }
}
