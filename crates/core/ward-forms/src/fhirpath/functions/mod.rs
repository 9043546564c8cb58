//! The functions, by family. Each takes the values it is called on and gives a collection.

mod aggregates;
mod boundaries;
mod conversion;
mod dates;
mod encoding;
mod existence;
mod fhir;
mod filtering;
mod numbers;
mod parts;
mod patterns;
mod sorting;
mod strings;

pub(super) use conversion::decimal_of_text;
pub(super) use parts::at;
pub(super) use patterns::{CompiledPattern, is_readable as is_readable_pattern, written as written_pattern};

use super::ast::{Call, Expr};
use super::collection::Collection;
use super::error::EvaluationError;
use super::evaluator::{Evaluated, Evaluator, Scope};
use super::function_name::Family;
use super::operators::one;
use super::text::Text;
use super::value::Value;
use crate::limits::MAX_NAMED_CHARS;

/// One call under way: what it is called on, its arguments, and where they are evaluated.
struct Calling<'c, 'e, 'd> {
    evaluator: &'c Evaluator<'e, 'd>,
    call: &'d Call,
    scope: Scope<'c, 'd>,
    /// The function's name, for messages.
    place: &'static str,
}

/// Calls a function.
pub(super) fn call<'d>(
    evaluator: &Evaluator<'_, 'd>,
    call: &'d Call,
    input: Collection<'d>,
    scope: Scope<'_, 'd>,
) -> Evaluated<'d> {
    evaluator.budget.take(1 + input.len())?;
    let _in_use = evaluator.budget.keep(input.len())?;
    let calling = Calling { evaluator, call, scope, place: call.name };
    match call.family {
        Family::Existence => existence::call(&calling, input),
        Family::Filtering => filtering::call(&calling, input),
        Family::Parts => parts::call(&calling, input),
        Family::Conversion => conversion::call(&calling, &input),
        Family::Patterns => patterns::call(&calling, &input),
        Family::Encoding => encoding::call(&calling, &input),
        Family::Strings => strings::call(&calling, &input),
        Family::Numbers => numbers::call(&calling, &input),
        Family::Boundaries => boundaries::call(&calling, &input),
        Family::Aggregates => aggregates::call(&calling, &input),
        Family::Dates => dates::call(&calling, &input),
        Family::Fhir => fhir::call(&calling, input),
    }
}

impl<'d> Calling<'_, '_, 'd> {
    fn expression(&self, at: usize) -> Option<&'d Expr> {
        self.call.arguments.get(at)
    }

    /// The values of an argument; nothing if it was not given.
    fn argument(&self, at: usize) -> Evaluated<'d> {
        match self.expression(at) {
            Some(expr) => self.evaluator.evaluate(expr, self.scope),
            None => Ok(Collection::empty()),
        }
    }

    /// An argument that is evaluated for one of the values.
    fn for_value(&self, expr: &'d Expr, value: &Value<'d>, index: usize) -> Evaluated<'d> {
        let this = Collection::one(value.clone());
        self.evaluator.evaluate(expr, Scope { total: self.scope.total, ..Scope::of(&this, index) })
    }

    /// The text of an argument; nothing if it is empty.
    fn text_argument(&self, at: usize) -> Result<Option<Text<'d>>, EvaluationError> {
        let values = self.argument(at)?;
        let Some(value) = one(&values, self.place)? else { return Ok(None) };
        let text = value.text().ok_or_else(|| self.wrong_type("a string", value))?;
        self.evaluator.budget.read(text.len())?;
        Ok(Some(text))
    }

    /// The whole number of an argument; nothing if it is empty.
    fn integer_argument(&self, at: usize) -> Result<Option<i32>, EvaluationError> {
        let values = self.argument(at)?;
        let Some(value) = one(&values, self.place)? else { return Ok(None) };
        value.integer().map(Some).ok_or_else(|| self.wrong_type("an integer", value))
    }

    /// The only value's text; nothing of nothing.
    fn text(&self, input: &Collection<'d>) -> Result<Option<Text<'d>>, EvaluationError> {
        let Some(value) = one(input, self.place)? else { return Ok(None) };
        let text = value.text().ok_or_else(|| self.wrong_type("a string", value))?;
        self.evaluator.budget.read(text.len())?;
        Ok(Some(text))
    }

    fn wrong_type(&self, expected: &'static str, found: &Value<'_>) -> EvaluationError {
        EvaluationError::WrongType { place: self.place, expected, found: found.type_name().into_owned() }
    }

    fn unknown(&self, argument: &str) -> EvaluationError {
        let argument = argument.chars().take(MAX_NAMED_CHARS).collect();
        EvaluationError::UnknownArgument { place: self.place, argument }
    }

    /// A text that was built, if it may be so long.
    fn built(&self, text: String) -> Evaluated<'d> {
        self.evaluator.budget.build(text.len())?;
        Ok(Value::string(text).into())
    }
}
