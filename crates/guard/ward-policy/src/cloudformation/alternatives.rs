//! Several values, one of which holds: which one is not known before the deployment.
//!
//! Alternatives are pushed down to the leaves of blocks and lists, so that a path of a rule reaches
//! them. Leaves then vary on their own; that is more than can happen, never less.

use crate::graph::{Attribute, Block, Name, Reason, Reference, Referent, Unknown};
use crate::limits::{MAX_BRANCHES, MAX_REFERENCE_STEPS};
use std::collections::BTreeMap;

/// A value of a template, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    /// `None` if it is unset: `AWS::NoValue`.
    pub(super) attribute: Option<Attribute>,
    /// Whether it is unset under some condition.
    pub(super) may_be_unset: bool,
}

impl Value {
    pub(super) const UNSET: Self = Self { attribute: None, may_be_unset: true };

    pub(super) const fn of(attribute: Attribute) -> Self {
        Self { attribute: Some(attribute), may_be_unset: false }
    }

    /// Not known, and it may be anything.
    pub(super) fn unknown(reason: Reason, references: Vec<Reference>, written: &str) -> Self {
        Self::of(unknown(reason, references, written))
    }
}

/// An unknown value with its expression.
pub(super) fn unknown(reason: Reason, references: Vec<Reference>, written: &str) -> Attribute {
    let mut unknown = Unknown::new(reason, references.into());
    unknown.written = (!written.is_empty()).then(|| written.into());
    Attribute::Unknown(Box::new(unknown))
}

/// A reference to something that is computed between.
pub(super) fn computed(written: &str) -> Reference {
    Reference { written: written.into(), to: Referent::Computed }
}

/// Every reference inside a value, each once. If there are very many, what they lead to is open.
pub(super) fn references_in<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> Vec<Reference> {
    let mut found = Vec::new();
    attributes.into_iter().for_each(|attribute| collect(attribute, &mut found));
    found
}

fn collect(attribute: &Attribute, found: &mut Vec<Reference>) {
    match attribute {
        Attribute::Unknown(unknown) => {
            unknown.references.iter().for_each(|reference| add(found, reference));
            unknown.branches.iter().for_each(|branch| collect(branch, found));
        }
        Attribute::List(items) => items.iter().for_each(|item| collect(item, found)),
        Attribute::Block(block) => block.entries().for_each(|(_, value)| collect(value, found)),
        Attribute::Null
        | Attribute::Bool(_)
        | Attribute::Number(_)
        | Attribute::Text(_)
        | Attribute::Sensitive(_) => {}
    }
}

fn add(found: &mut Vec<Reference>, reference: &Reference) {
    if found.contains(reference) {
        return;
    }
    match found.len() {
        MAX_REFERENCE_STEPS.. => {}
        // The last one makes the rest uncertain.
        len if len + 1 == MAX_REFERENCE_STEPS => found.push(computed("more than are listed")),
        _ => found.push(reference.clone()),
    }
}

/// One of these values.
pub(super) fn one_of(values: Vec<Value>, written: &str) -> Value {
    let may_be_unset = values.iter().any(|value| value.may_be_unset);
    let mut distinct: Vec<Option<Attribute>> = Vec::new();
    let mut references = Vec::new();
    for value in values {
        for branch in branches_of(value, &mut references) {
            // Far more than are kept need not be compared with one another.
            if distinct.len() <= MAX_BRANCHES && !distinct.contains(&branch) {
                distinct.push(branch);
            }
        }
    }
    if distinct.len() == 1 {
        return Value { attribute: distinct.pop().flatten(), may_be_unset };
    }
    let attribute = merged(distinct, references, written);
    Value { attribute: Some(attribute), may_be_unset }
}

/// The values that a value stands for, and what led to them.
fn branches_of(value: Value, references: &mut Vec<Reference>) -> Vec<Option<Attribute>> {
    match value.attribute {
        Some(Attribute::Unknown(unknown)) if !unknown.branches.is_empty() => {
            unknown.references.iter().for_each(|reference| add(references, reference));
            let unset = |branch| if branch == Attribute::Null { None } else { Some(branch) };
            unknown.branches.into_iter().map(unset).collect()
        }
        other => vec![other],
    }
}

fn merged(distinct: Vec<Option<Attribute>>, references: Vec<Reference>, written: &str) -> Attribute {
    let all = |is_one: fn(&Attribute) -> bool| distinct.iter().all(|one| one.as_ref().is_some_and(is_one));
    if distinct.len() > MAX_BRANCHES {
        return mixed(&distinct, references, written);
    }
    if all(|one| matches!(one, Attribute::Block(_))) {
        return merged_blocks(distinct, written);
    }
    if all(|one| matches!(one, Attribute::List(_))) {
        return merged_lists(distinct, written);
    }
    if all(|one| matches!(one, Attribute::Unknown(_))) {
        return merged_unknowns(&distinct, references, written);
    }
    if distinct.iter().flatten().any(|one| matches!(one, Attribute::Block(_) | Attribute::List(_))) {
        return mixed(&distinct, references, written);
    }
    let mut references = joined(&distinct, references);
    references.push(computed(written));
    let branches = distinct.into_iter().map(|one| one.unwrap_or(Attribute::Null)).collect();
    let mut unknown = Unknown::one_of(Reason::Input, branches);
    unknown.references = references.into();
    unknown.written = (!written.is_empty()).then(|| written.into());
    Attribute::Unknown(Box::new(unknown))
}

fn joined(values: &[Option<Attribute>], mut references: Vec<Reference>) -> Vec<Reference> {
    references_in(values.iter().flatten()).iter().for_each(|reference| add(&mut references, reference));
    references
}

/// Values of several shapes: a path can't go on in all of them, so it may be anything.
fn mixed(distinct: &[Option<Attribute>], references: Vec<Reference>, written: &str) -> Attribute {
    let mut references = joined(distinct, references);
    references.push(computed(written));
    unknown(Reason::Input, references, written)
}

/// Each leads somewhere: which way is not known, but it is one of them.
fn merged_unknowns(distinct: &[Option<Attribute>], references: Vec<Reference>, written: &str) -> Attribute {
    let reasons = distinct.iter().flatten().filter_map(|one| match one {
        Attribute::Unknown(unknown) => Some(unknown.reason),
        _ => None,
    });
    // What the provider will say is the mildest reason: another one has to be told.
    let worst = reasons.max_by_key(|reason| *reason != Reason::AfterApply).unwrap_or(Reason::Input);
    let says_nothing = |one: &Attribute| match one {
        Attribute::Unknown(unknown) => unknown.references.is_empty(),
        _ => false,
    };
    let mut references = joined(distinct, references);
    if distinct.iter().flatten().any(says_nothing) {
        // Nobody knows where that one leads, so the others do not speak for it.
        references.push(computed(written));
    }
    unknown(worst, references, written)
}

fn merged_blocks(distinct: Vec<Option<Attribute>>, written: &str) -> Attribute {
    let count = distinct.len();
    let mut by_name: BTreeMap<Name, Vec<Value>> = BTreeMap::new();
    for (place, block) in distinct.into_iter().flatten().enumerate() {
        let Attribute::Block(block) = block else { continue };
        for (name, value) in block.into_entries() {
            let column = by_name.entry(name).or_default();
            column.resize(place, Value::UNSET);
            column.push(Value::of(value));
        }
    }
    let entries = by_name.into_iter().filter_map(|(name, mut column)| {
        column.resize(count, Value::UNSET);
        Some((name, one_of(column, written).attribute?))
    });
    // Names of a map are distinct.
    Block::new(entries.collect()).map_or(Attribute::Null, Attribute::Block)
}

fn merged_lists(distinct: Vec<Option<Attribute>>, written: &str) -> Attribute {
    let lists: Vec<Box<[Attribute]>> = distinct
        .into_iter()
        .flatten()
        .filter_map(|one| match one {
            Attribute::List(items) => Some(items),
            _ => None,
        })
        .collect();
    let shortest = lists.iter().map(|items| items.len()).min().unwrap_or(0);
    let longest = lists.iter().map(|items| items.len()).max().unwrap_or(0);
    if shortest == 0 && longest > 0 {
        // It may be empty, so that nothing of it is certain.
        let mut references = references_in(lists.iter().flat_map(|items| items.iter()));
        references.push(computed(written));
        return unknown(Reason::Input, references, written);
    }
    let mut columns: Vec<Vec<Value>> = (0..longest).map(|_| Vec::new()).collect();
    for items in lists {
        columns.iter_mut().zip(items).for_each(|(column, item)| column.push(Value::of(item)));
    }
    let items = columns.into_iter().enumerate().filter_map(|(place, column)| {
        if place < shortest {
            return one_of(column, written).attribute;
        }
        let mut references = references_in(column.iter().filter_map(|value| value.attribute.as_ref()));
        references.push(computed(written));
        Some(unknown(Reason::Input, references, written))
    });
    Attribute::list(items.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(entries: Vec<(&str, Attribute)>) -> Value {
        let entries = entries.into_iter().map(|(name, value)| (name.into(), value)).collect();
        Value::of(Attribute::Block(Block::new(entries).unwrap()))
    }

    fn either(values: Vec<Value>) -> Attribute {
        one_of(values, "!If C").attribute.unwrap()
    }

    fn branches(attribute: &Attribute) -> &[Attribute] {
        let Attribute::Unknown(unknown) = attribute else { panic!("{attribute:?}") };
        &unknown.branches
    }

    #[test]
    fn equal_values_are_known_and_others_are_branches() {
        assert_eq!(either(vec![Value::of(true.into()), Value::of(true.into())]), Attribute::Bool(true));
        let two = either(vec![Value::of(true.into()), Value::of(false.into())]);
        assert_eq!(branches(&two), [Attribute::Bool(true), Attribute::Bool(false)]);
        let maybe = one_of(vec![Value::of(true.into()), Value::UNSET], "");
        assert!(maybe.may_be_unset);
        assert_eq!(branches(maybe.attribute.as_ref().unwrap()), [Attribute::Bool(true), Attribute::Null]);
        assert_eq!(one_of(vec![Value::UNSET, Value::UNSET], "").attribute, None);
    }

    #[test]
    fn blocks_vary_at_their_leaves() {
        let merged = either(vec![
            block(vec![("a", true.into()), ("b", "x".into())]),
            block(vec![("a", true.into()), ("c", "y".into())]),
        ]);
        let Attribute::Block(merged) = merged else { panic!("{merged:?}") };
        assert_eq!(merged.get("a"), Some(&Attribute::Bool(true)));
        assert_eq!(branches(merged.get("b").unwrap()), ["x".into(), Attribute::Null]);
        assert_eq!(branches(merged.get("c").unwrap()), [Attribute::Null, "y".into()]);
    }

    #[test]
    fn fails_closed_a_block_or_nothing_is_not_a_block() {
        let maybe = either(vec![block(vec![("a", true.into())]), Value::UNSET]);
        assert!(branches(&maybe).is_empty());
    }

    #[test]
    fn fails_closed_a_list_that_may_be_empty_is_not_a_list() {
        let some = || Value::of(Attribute::list(vec![true.into()]));
        let none = Value::of(Attribute::list(vec![]));
        assert!(branches(&either(vec![some(), none])).is_empty());
        let longer = Value::of(Attribute::list(vec![true.into(), "b".into()]));
        let Attribute::List(items) = either(vec![some(), longer]) else { panic!("no list") };
        assert_eq!(items[0], Attribute::Bool(true));
        assert!(branches(&items[1]).is_empty());
    }

    #[test]
    fn branches_at_the_limit_and_one_past() {
        let many =
            |count: usize| either((0..count).map(|at| Value::of(Attribute::text(&at.to_string()))).collect());
        assert_eq!(branches(&many(MAX_BRANCHES)).len(), MAX_BRANCHES);
        assert!(branches(&many(MAX_BRANCHES + 1)).is_empty());
    }

    #[test]
    fn references_beyond_the_limit_are_open() {
        let many = (0..MAX_REFERENCE_STEPS * 2).map(|at| {
            unknown(
                Reason::AfterApply,
                vec![Reference { written: at.to_string().into(), to: Referent::Input }],
                "",
            )
        });
        let found = references_in(&many.collect::<Vec<_>>());
        assert_eq!(found.len(), MAX_REFERENCE_STEPS);
        assert_eq!(found.last().unwrap().to, Referent::Computed);
    }
}
