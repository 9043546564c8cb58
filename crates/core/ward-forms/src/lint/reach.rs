//! Which items nobody can ever be asked.

use crate::answer_value::AnswerValue;
use crate::enable_when::{Condition, EnableBehavior, Operator};
use crate::finding::{Finding, FindingCode, Severity};
use crate::questionnaire::{Item, ItemIndex, Questionnaire};
use std::cmp::Ordering;

/// Says for each condition that can't work why; the caller has reported these itself.
pub(super) type DeadCondition<'l> = &'l dyn Fn(&Condition) -> bool;

pub(super) fn check(form: &Questionnaire, is_dead: DeadCondition<'_>, findings: &mut Vec<Finding>) {
    let mut reach = Reach { form, is_dead, reason: vec![None; form.items().len()] };
    for index in &form.order {
        if let Some(item) = form.get(*index) {
            let reason = reach.why_never(item);
            if let Some(slot) = reach.reason.get_mut(index.0) {
                *slot = reason;
            }
        }
    }
    for item in form.items() {
        let Some(reason) = reach.reason.get(item.index.0).and_then(Option::as_ref) else { continue };
        let path = form.path_of(item);
        if item.required {
            let message = format!("This item must be answered, but can never be asked: {reason}");
            findings.push(Finding::error(path, FindingCode::RequiredNeverEnabled, message));
        } else if !matches!(reason, Reason::DeadCondition | Reason::HolderNever) {
            let message = format!("This item can never be asked: {reason}");
            findings.push(Finding::new(path, FindingCode::Unreachable, Severity::Warning, message));
        }
    }
}

/// Why an item can't be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    /// What holds it can't be asked; that was reported there.
    HolderNever,
    /// One of its conditions can't work; that was reported.
    DeadCondition,
    /// It waits for an item that can't be asked.
    WaitsForNever(String),
    /// Two of its conditions exclude each other.
    Contradiction(String),
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::HolderNever => f.write_str("the item that holds it is never asked."),
            Self::DeadCondition => f.write_str("a condition on it can't work."),
            Self::WaitsForNever(link_id) => write!(f, "it waits for {link_id}, which is never asked."),
            Self::Contradiction(link_id) => {
                write!(f, "its conditions on {link_id} exclude each other.")
            }
        }
    }
}

struct Reach<'l> {
    form: &'l Questionnaire,
    is_dead: DeadCondition<'l>,
    reason: Vec<Option<Reason>>,
}

impl Reach<'_> {
    fn is_never(&self, index: ItemIndex) -> bool {
        self.reason.get(index.0).is_some_and(Option::is_some)
    }

    fn why_never(&self, item: &Item) -> Option<Reason> {
        if item.parent.is_some_and(|parent| self.is_never(parent)) {
            return Some(Reason::HolderNever);
        }
        if item.conditions.is_empty() {
            return None;
        }
        let mut reasons = item.conditions.iter().map(|condition| self.why_dead(condition));
        if item.enable_behavior == Some(EnableBehavior::Any) {
            let first = self.why_dead(item.conditions.first()?)?;
            return reasons.all(|reason| reason.is_some()).then_some(first);
        }
        reasons.flatten().next().or_else(|| self.contradiction(item))
    }

    fn why_dead(&self, condition: &Condition) -> Option<Reason> {
        if (self.is_dead)(condition) {
            return Some(Reason::DeadCondition);
        }
        let target = condition.target.filter(|target| self.is_never(*target))?;
        if holds_without_answer(condition) {
            return None;
        }
        Some(Reason::WaitsForNever(self.form.get(target)?.link_id.clone()))
    }

    fn contradiction(&self, item: &Item) -> Option<Reason> {
        for (place, first) in item.conditions.iter().enumerate() {
            for second in item.conditions.iter().skip(place + 1) {
                let target = first.target.filter(|target| second.target == Some(*target));
                let Some(target) = target.and_then(|target| self.form.get(target)) else { continue };
                if exclude(first, second, target.repeats) || exclude(second, first, target.repeats) {
                    return Some(Reason::Contradiction(target.link_id.clone()));
                }
            }
        }
        None
    }
}

fn holds_without_answer(condition: &Condition) -> bool {
    condition.operator == Operator::NotEqual || is_absence(condition)
}

fn is_absence(condition: &Condition) -> bool {
    condition.operator == Operator::Exists && condition.answer == AnswerValue::Boolean(false)
}

/// Whether no answers meet both conditions; asked in both directions.
fn exclude(first: &Condition, second: &Condition, repeats: bool) -> bool {
    if is_absence(first) && !holds_without_answer(second) {
        return true;
    }
    match (first.operator, second.operator) {
        // One answer being this and none being this.
        (Operator::Equal, Operator::NotEqual) => first.answer.is_same(&second.answer),
        _ if repeats => false,
        (Operator::Equal, Operator::Equal) => is_other(&first.answer, &second.answer),
        (Operator::Equal, other) => {
            let order = first.answer.order(&second.answer);
            order.is_some_and(|order| !meets(order, other))
        }
        (Operator::Greater | Operator::GreaterOrEqual, Operator::Less | Operator::LessOrEqual) => {
            let both_closed =
                first.operator == Operator::GreaterOrEqual && second.operator == Operator::LessOrEqual;
            match first.answer.order(&second.answer) {
                Some(Ordering::Greater) => true,
                Some(Ordering::Equal) => !both_closed,
                _ => false,
            }
        }
        _ => false,
    }
}

fn meets(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Greater => order.is_gt(),
        Operator::Less => order.is_lt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Exists | Operator::Equal | Operator::NotEqual => true,
    }
}

/// Whether one answer can't be both. Codes without a system, and dates of different precision, may
/// mean the same.
fn is_other(first: &AnswerValue, second: &AnswerValue) -> bool {
    match (first, second) {
        (AnswerValue::Coding(first), AnswerValue::Coding(second)) => {
            first.code.is_some() && second.code.is_some() && first.code != second.code
        }
        (AnswerValue::Boolean(first), AnswerValue::Boolean(second)) => first != second,
        (AnswerValue::String(first), AnswerValue::String(second)) => first != second,
        _ => first.order(second).is_some_and(Ordering::is_ne),
    }
}
