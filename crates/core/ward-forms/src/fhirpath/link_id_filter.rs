//! Criteria that only items with certain linkIds meet.

use super::ast::{Expr, Operation, Operator, Step};
use super::value::Value;

/// The linkIds that criteria ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LinkIdFilter<'x> {
    pub(super) link_ids: Vec<&'x str>,
    /// Whether more is asked of the items with these linkIds. It is asked of no other item, because the
    /// linkId is compared first.
    pub(super) has_more: bool,
}

impl<'x> LinkIdFilter<'x> {
    /// `linkId = 'a'`, `linkId in ('a' | 'b')`, several of them joined by `or`, and each of them with
    /// more conditions joined by `and` behind it.
    pub(super) fn of(criteria: &'x Expr) -> Option<Self> {
        let Expr::Chain { first, rest } = criteria else { return None };
        if let [Operation::Binary(operator, right)] = rest.as_slice()
            && let Some(link_ids) = equal_link_ids(*operator, first, right)
        {
            return Some(Self { link_ids, has_more: false });
        }
        let mut filter = Self::of(first)?;
        for operation in rest {
            match operation {
                Operation::Binary(Operator::And, _) => filter.has_more = true,
                Operation::Binary(Operator::Or, right) => {
                    let other = Self::of(right)?;
                    filter.link_ids.extend(other.link_ids);
                    filter.has_more |= other.has_more;
                }
                _ => return None,
            }
        }
        Some(filter)
    }
}

fn equal_link_ids<'x>(operator: Operator, left: &'x Expr, right: &'x Expr) -> Option<Vec<&'x str>> {
    match operator {
        Operator::Equal if is_link_id(left) => literal_texts(right),
        Operator::Equal | Operator::Contains if is_link_id(right) => literal_texts(left),
        Operator::In if is_link_id(left) => literal_texts(right),
        _ => None,
    }
}

/// The texts that a comparison looks for among linkIds, and the side where the linkId stands. One that leaves
/// items out may name what only an earlier form had.
pub(super) fn compared<'x>(
    operator: Operator,
    left: &'x Expr,
    right: &'x Expr,
) -> Option<(Vec<&'x str>, Side)> {
    match operator {
        Operator::Equal | Operator::Equivalent | Operator::In | Operator::Contains => {}
        _ => return None,
    }
    if ends_with_link_id(left) {
        return Some((literal_texts(right)?, Side::Left));
    }
    if ends_with_link_id(right) { Some((literal_texts(left)?, Side::Right)) } else { None }
}

/// A side of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

fn is_link_id(expr: &Expr) -> bool {
    match expr {
        Expr::Member(member) => member.name == "linkId",
        Expr::Path { base, steps } => {
            matches!(**base, Expr::This)
                && matches!(steps.as_slice(), [Step::Member(member)] if member.name == "linkId")
        }
        _ => false,
    }
}

fn ends_with_link_id(expr: &Expr) -> bool {
    match expr {
        Expr::Path { steps, .. } => {
            matches!(steps.last(), Some(Step::Member(member)) if member.name == "linkId")
        }
        other => is_link_id(other),
    }
}

/// The texts of a literal or of literals joined by `|`.
pub(super) fn literal_texts(expr: &Expr) -> Option<Vec<&str>> {
    match expr {
        Expr::Literal(Value::String(text)) => Some(vec![text.as_str()]),
        Expr::Chain { first, rest } => {
            let mut all = literal_texts(first)?;
            for operation in rest {
                match operation {
                    Operation::Binary(Operator::Union, right) => all.extend(literal_texts(right)?),
                    _ => return None,
                }
            }
            Some(all)
        }
        _ => None,
    }
}
