//! Members that the types of a response never have: `anwser` for `answer` is empty whatever is answered.
//!
//! Only paths through the response are looked at. What a variable holds, and the value of an answer, may be
//! of any type.

use super::ast::{Call, Expr, Member, Operation, Operator, Step};
use super::function_name::Function as F;
use super::types::{self, FieldType, Form, Type};
use std::collections::BTreeSet;

/// The types that values may have; nothing where that is not known.
type Types = Option<Vec<&'static Type>>;

#[derive(Default)]
pub(super) struct MemberCheck<'x> {
    found: BTreeSet<(&'static str, &'x str)>,
}

impl<'x> MemberCheck<'x> {
    /// The unknown members of an expression that begins on a response or on one of its items.
    pub(super) fn of(tree: &'x Expr) -> BTreeSet<(&'static str, &'x str)> {
        let mut check = Self::default();
        let response = types::resource_type("QuestionnaireResponse");
        let begins_on: Vec<_> = response.into_iter().chain(named("QuestionnaireResponse.item")).collect();
        check.walk(tree, &Some(begins_on));
        check.found
    }

    fn walk(&mut self, expr: &'x Expr, this: &Types) -> Types {
        match expr {
            Expr::This => this.clone(),
            Expr::Variable(name) if matches!(name.as_str(), "resource" | "rootResource") => {
                types::resource_type("QuestionnaireResponse").map(|type_| vec![type_])
            }
            // The name of a type may stand for what an expression begins on.
            Expr::Member(member) if !member.name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                self.member(member, this)
            }
            Expr::Call(call) => self.call(call, this.clone(), this),
            Expr::Path { base, steps } => {
                let mut held = self.walk(base, this);
                for step in steps {
                    held = match step {
                        Step::Member(member) => self.member(member, &held),
                        Step::Call(call) => self.call(call, held, this),
                        Step::At(index) => {
                            self.walk(index, this);
                            held
                        }
                    };
                }
                held
            }
            Expr::Sign { operand, .. } => {
                self.walk(operand, this);
                None
            }
            Expr::Chain { first, rest } => self.chain(first, rest, this),
            _ => None,
        }
    }

    fn chain(&mut self, first: &'x Expr, rest: &'x [Operation], this: &Types) -> Types {
        let mut held = self.walk(first, this);
        for operation in rest {
            held = match operation {
                Operation::Binary(operator, right) => {
                    let other = self.walk(right, this);
                    if *operator == Operator::Union { joined(held, other) } else { None }
                }
                Operation::Is(_) | Operation::As(_) => None,
            };
        }
        held
    }

    fn member(&mut self, member: &'x Member, of: &Types) -> Types {
        let all = of.as_deref()?;
        if all.iter().any(|type_| type_.form != Form::Complex) {
            return None;
        }
        let name = member.name.as_str();
        let fields: Vec<_> = all.iter().filter_map(|type_| type_.field(name)).collect();
        if fields.is_empty() && !all.iter().any(|type_| type_.choice_of(name).is_some()) {
            self.found.extend(all.first().map(|type_| (type_.name, name)));
            return None;
        }
        let types = fields.iter().map(|field| match field.type_ {
            FieldType::Of(type_) => Some(type_),
            FieldType::Choice | FieldType::Resource => None,
        });
        types.collect::<Option<Vec<_>>>().filter(|types| !types.is_empty())
    }

    fn call(&mut self, call: &'x Call, input: Types, this: &Types) -> Types {
        let is_of_each = matches!(
            call.function,
            F::Where | F::Exists | F::All | F::Select | F::Sort | F::Aggregate | F::Iif | F::Repeat
        );
        // Of a repetition the later rounds begin on what was found, items and answers as a rule.
        let each = if call.function == F::Repeat { joined(input.clone(), parts()) } else { input.clone() };
        let mut arguments = call.arguments.iter();
        // The name of a variable, and a value that sees what the call is made on.
        let each = if call.function == F::DefineVariable { &input } else { &each };
        let first = arguments
            .next()
            .map(|argument| if is_of_each { self.walk(argument, each) } else { self.walk(argument, this) });
        let others: Vec<_> = arguments
            .map(|argument| {
                let is_of_each =
                    (is_of_each && call.function != F::Aggregate) || call.function == F::DefineVariable;
                self.walk(argument, if is_of_each { each } else { this })
            })
            .collect();
        match call.function {
            F::Where | F::First | F::Last | F::Tail | F::Skip | F::Take | F::Single | F::Distinct => input,
            F::Intersect | F::Exclude | F::Sort | F::Trace | F::DefineVariable => input,
            F::Select | F::Repeat => first.flatten(),
            F::Union | F::Combine => joined(input, first.flatten()),
            F::Iif => others.into_iter().reduce(joined).flatten(),
            _ => None,
        }
    }
}

fn named(name: &str) -> Option<&'static Type> {
    types::PARTS.iter().copied().find(|type_| type_.name == name)
}

/// The parts of a response.
fn parts() -> Types {
    ["QuestionnaireResponse.item", "QuestionnaireResponse.item.answer"].into_iter().map(named).collect()
}

fn joined(left: Types, right: Types) -> Types {
    let mut all = left?;
    for type_ in right? {
        if !all.contains(&type_) {
            all.push(type_);
        }
    }
    Some(all)
}
