//! Walks the tree of an expression over the data.

use super::ast::{Call, Expr, Member, Operation, Step, TypeName};
use super::budget::Budget;
use super::collection::Collection;
use super::environment::Environment;
use super::error::EvaluationError;
use super::function_name::Function;
use super::type_test;
use super::value::Value;
use super::{functions, navigate, operators};
use crate::limits::{BYTES_PER_STEP, MAX_DEFINED_VALUES};
use std::cell::RefCell;

pub(super) type Evaluated<'d> = Result<Collection<'d>, EvaluationError>;

/// One evaluation.
pub(super) struct Evaluator<'e, 'd> {
    pub(super) environment: &'e Environment<'d>,
    pub(super) budget: Budget,
    /// What `defineVariable` has defined, innermost last.
    defined: RefCell<Vec<(String, Collection<'d>)>>,
    /// The pattern compiled last: a filter uses the same one for every value.
    pub(super) pattern: RefCell<Option<functions::CompiledPattern>>,
}

/// What `$this`, `$index` and `$total` are.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'd> {
    pub(super) this: &'s Collection<'d>,
    pub(super) index: Option<usize>,
    pub(super) total: Option<&'s Collection<'d>>,
}

impl<'s, 'd> Scope<'s, 'd> {
    /// The scope of an argument that is evaluated for one value.
    pub(super) fn of(this: &'s Collection<'d>, index: usize) -> Self {
        Self { this, index: Some(index), total: None }
    }
}

impl<'e, 'd> Evaluator<'e, 'd> {
    pub(super) fn new(environment: &'e Environment<'d>, budget: Budget) -> Self {
        Self { environment, budget, defined: RefCell::default(), pattern: RefCell::default() }
    }

    pub(super) fn evaluate(&self, expr: &'d Expr, scope: Scope<'_, 'd>) -> Evaluated<'d> {
        self.budget.take(1)?;
        match expr {
            Expr::Empty => Ok(Collection::empty()),
            Expr::Literal(value) => Ok(value.borrowed().into()),
            Expr::This => self.copy(scope.this),
            Expr::Index => Ok(scope.index.map(Value::count).into()),
            Expr::Total => scope.total.map_or(Ok(Collection::empty()), |total| self.copy(total)),
            Expr::Variable(name) => self.variable(name),
            Expr::Member(member) => self.first_member(member, scope),
            Expr::Call(call) => {
                let defined_before = self.defined.borrow().len();
                let result = functions::call(self, call, self.copy(scope.this)?, scope);
                // There is no later step that could know what it defines.
                self.defined.borrow_mut().truncate(defined_before);
                result
            }
            Expr::Path { base, steps } => self.path(base, steps, scope),
            Expr::Sign { is_minus, operand } => {
                let value = self.evaluate(operand, scope)?;
                operators::signed(value, *is_minus)
            }
            Expr::Chain { first, rest } => self.chain(first, rest, scope),
        }
    }

    /// The same values again.
    fn copy(&self, values: &Collection<'d>) -> Evaluated<'d> {
        self.budget.take(values.len())?;
        Ok(values.clone())
    }

    fn variable(&self, name: &str) -> Evaluated<'d> {
        let defined = self.defined.borrow();
        self.budget.take(defined.len() + name.len() / BYTES_PER_STEP)?;
        if let Some((_, value)) = defined.iter().rev().find(|(known, _)| known == name) {
            return self.copy(value);
        }
        let built_bytes = self.environment.built_bytes(name);
        if built_bytes > 0 {
            self.budget.build(built_bytes)?;
        }
        let value = self.environment.variable(name);
        let value = value.ok_or_else(|| EvaluationError::UnknownVariable { name: name.to_owned() })?;
        self.budget.take(value.len())?;
        Ok(value)
    }

    /// A name at the beginning may be the type of what the expression is evaluated on.
    fn first_member(&self, member: &'d Member, scope: Scope<'_, 'd>) -> Evaluated<'d> {
        if member.name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let of_type: Collection<'d> = scope
                .this
                .iter()
                .filter(|value| value.node().is_some_and(|node| node.is_or_derives_from(&member.name)))
                .cloned()
                .collect();
            if !of_type.is_empty() {
                return Ok(of_type);
            }
        }
        self.member(member, scope.this)
    }

    fn member(&self, member: &'d Member, of: &Collection<'d>) -> Evaluated<'d> {
        let mut found = Collection::empty();
        let steps = 1 + member.name.len() / BYTES_PER_STEP;
        for value in of {
            self.budget.take(steps)?;
            match value {
                Value::Node(node) => {
                    navigate::member(node, member, self.environment.is_strict, &self.budget, &mut found)?;
                }
                Value::Type { namespace, name } => match member.name.as_str() {
                    "namespace" => found.push(Value::string(*namespace)),
                    "name" => found.push(Value::string(name.clone())),
                    _ => {}
                },
                _ => {}
            }
        }
        Ok(found)
    }

    fn path(&self, base: &'d Expr, steps: &'d [Step], scope: Scope<'_, 'd>) -> Evaluated<'d> {
        let defined_before = self.defined.borrow().len();
        let result = self.steps(base, steps, scope);
        // What a path defines is known to its later steps only.
        self.defined.borrow_mut().truncate(defined_before);
        result
    }

    fn steps(&self, base: &'d Expr, steps: &'d [Step], scope: Scope<'_, 'd>) -> Evaluated<'d> {
        let mut value = match base {
            // What it defines is known to the steps.
            Expr::Call(call) => {
                self.budget.take(1)?;
                functions::call(self, call, self.copy(scope.this)?, scope)?
            }
            other => self.evaluate(other, scope)?,
        };
        let mut before = Before::Base(base);
        for step in steps {
            self.budget.take(1)?;
            if self.environment.is_strict {
                before.check(step)?;
            }
            value = match step {
                Step::Member(member) => self.member(member, &value)?,
                Step::Call(call) => functions::call(self, call, value, scope)?,
                Step::At(index) => {
                    let index = self.evaluate(index, scope)?;
                    functions::at(&value, &index, &self.budget)?
                }
            };
            before = Before::Step(step);
        }
        Ok(value)
    }

    fn chain(&self, first: &'d Expr, rest: &'d [Operation], scope: Scope<'_, 'd>) -> Evaluated<'d> {
        let mut left = self.evaluate(first, scope)?;
        for operation in rest {
            self.budget.take(1)?;
            left = match operation {
                Operation::Is(type_name) => type_test::is(&left, type_name)?.into(),
                Operation::As(type_name) => type_test::as_type(left, type_name)?,
                Operation::Binary(operator, right) => {
                    let _in_use = self.budget.keep(left.len())?;
                    operators::binary(self, *operator, left, || self.evaluate(right, scope))?
                }
            };
        }
        Ok(left)
    }

    /// Defines a variable for the rest of the path.
    pub(super) fn define(&self, name: String, value: Collection<'d>) -> Result<(), EvaluationError> {
        let mut defined = self.defined.borrow_mut();
        self.budget.take(defined.len() + value.len())?;
        if defined.iter().any(|(known, _)| *known == name) || self.environment.has_variable(&name) {
            return Err(EvaluationError::VariableTaken { name });
        }
        let held: usize = defined.iter().map(|(_, value)| value.len()).sum();
        if held + value.len() > MAX_DEFINED_VALUES {
            return Err(EvaluationError::TooManyDefined { limit: MAX_DEFINED_VALUES });
        }
        defined.push((name, value));
        Ok(())
    }
}

/// What stands before a step, for the checks of strict evaluation.
#[derive(Clone, Copy)]
enum Before<'x> {
    Base(&'x Expr),
    Step(&'x Step),
}

impl Before<'_> {
    fn call(&self) -> Option<&Call> {
        match self {
            Self::Base(Expr::Call(call)) | Self::Step(Step::Call(call)) => Some(call),
            _ => None,
        }
    }

    /// The type that the part before was cast to.
    fn cast(&self) -> Option<&TypeName> {
        match self {
            Self::Base(Expr::Chain { rest, .. }) => match rest.last() {
                Some(Operation::As(type_name)) => Some(type_name),
                _ => None,
            },
            _ => self.call().filter(|call| call.function != Function::Is)?.type_name.as_ref(),
        }
    }

    fn check(&self, step: &Step) -> Result<(), EvaluationError> {
        match step {
            Step::Member(member) => match self.cast() {
                Some(type_name) => type_test::must_have(type_name, &member.name),
                None => Ok(()),
            },
            Step::Call(call) => self.must_be_ordered(match call.function {
                Function::Skip | Function::Take | Function::First | Function::Last | Function::Tail => {
                    call.name
                }
                _ => return Ok(()),
            }),
            Step::At(_) => self.must_be_ordered("[]"),
        }
    }

    fn must_be_ordered(&self, place: &'static str) -> Result<(), EvaluationError> {
        match self.call() {
            Some(call) if matches!(call.function, Function::Children | Function::Descendants) => {
                Err(EvaluationError::NoOrder { place, source_function: call.name })
            }
            _ => Ok(()),
        }
    }
}
