//! An expression, read once.

use super::ast::{Expr, Part};
use super::budget::Budget;
use super::collection::Collection;
use super::dependencies::Dependencies;
use super::doubts::{self, Doubt};
use super::environment::Environment;
use super::error::{EvaluationError, ExpressionError};
use super::evaluator::{Evaluator, Scope};
use super::functions;
use super::member_check::MemberCheck;
use super::parser;
use crate::limits::{MAX_CHECKED_PATTERNS, MAX_EVALUATION_STEPS};
use std::collections::BTreeSet;

/// A FHIRPath expression ready for use.
#[derive(Debug, Clone)]
pub struct Expression {
    source: String,
    tree: Expr,
    dependencies: Dependencies,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`ExpressionError`] with the place of what its author has to repair.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        let tree = parser::parse(source)?;
        let dependencies = Dependencies::of(&tree);
        Ok(Self { source: source.to_owned(), tree, dependencies })
    }

    /// The text it was read from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What its result may depend on.
    #[must_use]
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// What is doubtful about it as a score.
    pub(crate) fn doubts(&self) -> BTreeSet<Doubt> {
        doubts::of(&self.tree)
    }

    /// Patterns written in it that can't be read, so that every evaluation of them fails.
    pub(crate) fn unreadable_patterns(&self) -> BTreeSet<&str> {
        let mut patterns = BTreeSet::new();
        self.tree.visit(&mut |part| {
            if let Part::Call(call) = part {
                patterns.extend(functions::written_pattern(call));
            }
        });
        let checked = patterns.into_iter().take(MAX_CHECKED_PATTERNS);
        checked.filter(|pattern| !functions::is_readable_pattern(pattern)).collect()
    }

    /// Members that the response and its parts never have, each with the name of the type that is asked.
    pub(crate) fn unknown_members(&self) -> BTreeSet<(&'static str, &str)> {
        MemberCheck::of(&self.tree)
    }

    /// Evaluates it. The result borrows from the data and from the expression.
    ///
    /// # Errors
    /// [`EvaluationError`] when it has no result for these data. An error is not an empty result:
    /// whoever shows or stores the result has to say that there is none.
    pub fn evaluate<'d>(&'d self, environment: &Environment<'d>) -> Result<Collection<'d>, EvaluationError> {
        self.evaluate_in_steps(environment, MAX_EVALUATION_STEPS).0
    }

    /// The same with at most so many steps. Says how many it has taken.
    pub(crate) fn evaluate_in_steps<'d>(
        &'d self,
        environment: &Environment<'d>,
        most: usize,
    ) -> (Result<Collection<'d>, EvaluationError>, usize) {
        let budget = Budget::of_steps(most);
        let granted = budget.steps_left();
        let evaluator = Evaluator::new(environment, budget);
        let scope = Scope { this: &environment.context, index: None, total: None };
        let result = evaluator.evaluate(&self.tree, scope);
        (result, granted - evaluator.budget.steps_left())
    }
}
