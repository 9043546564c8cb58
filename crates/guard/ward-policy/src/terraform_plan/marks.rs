//! A plan tells values in one tree and what is unknown or sensitive in others: here they become one.

use super::scope::{Scope, Written, reason};
use crate::graph::{Attribute, Block, Expression, Reason, References, Sensitive, Unknown};
use crate::input_error::InputError;
use crate::terraform_plan::configuration::Tree;

/// Puts what is not known, and what is written and in no plan, into the values of a resource.
pub(super) fn with_unknown(
    values: Block,
    marks: &Attribute,
    written: &Written<'_, '_>,
    scope: &Scope<'_, '_>,
) -> Result<Block, InputError> {
    let marks = match marks {
        Attribute::Block(block) => Some(block),
        _ => None,
    };
    merge_block(values, marks, written, scope)
}

fn merge_block(
    values: Block,
    marks: Option<&Block>,
    written: &Written<'_, '_>,
    scope: &Scope<'_, '_>,
) -> Result<Block, InputError> {
    let mut entries = values.into_entries();
    for (name, value) in &mut entries {
        if *value == Attribute::Null && is_write_only(name, &written.child(name)) {
            *value = unknown(Reason::WriteOnly, References::default());
        }
    }
    for (name, mark) in marks.into_iter().flat_map(Block::entries) {
        if is_empty_mark(mark) {
            continue;
        }
        let at = entries.iter().position(|(known, _)| &**known == name);
        let value = at.map(|at| entries.swap_remove(at).1);
        if let Some(value) = merge(value, mark, &written.child(name), scope)? {
            entries.push((name.into(), value));
        }
    }
    Block::new(entries).map_err(|name| InputError::GivenTwice { line: 0, name })
}

/// Names of write-only arguments end so by convention of the providers.
fn is_write_only(name: &str, written: &Written<'_, '_>) -> bool {
    let Written::As(trees) = written else { return false };
    name.ends_with("_wo") && trees.iter().all(|tree| matches!(tree, Tree::Leaf { is_null: false, .. }))
}

/// Most marks say that nothing is unknown.
fn is_empty_mark(mark: &Attribute) -> bool {
    match mark {
        Attribute::Bool(flag) => !flag,
        Attribute::Block(block) => block.entries().all(|(_, inner)| is_empty_mark(inner)),
        Attribute::List(items) => items.iter().all(is_empty_mark),
        _ => true,
    }
}

/// One value with its mark. `None`: it is not written, the provider chooses it.
fn merge(
    value: Option<Attribute>,
    mark: &Attribute,
    written: &Written<'_, '_>,
    scope: &Scope<'_, '_>,
) -> Result<Option<Attribute>, InputError> {
    match (value, mark) {
        (_, Attribute::Bool(true)) => Ok(not_known(written, scope)),
        (Some(Attribute::Block(values)), Attribute::Block(marks)) => {
            merge_block(values, Some(marks), written, scope).map(|block| Some(Attribute::Block(block)))
        }
        (None | Some(Attribute::Null), Attribute::Block(marks)) => {
            let merged = merge_block(Block::default(), Some(marks), written, scope)?;
            Ok((!merged.is_empty()).then_some(Attribute::Block(merged)))
        }
        (value, Attribute::List(marks)) => {
            let mut items = match value {
                Some(Attribute::List(items)) => items.into_vec(),
                _ => Vec::new(),
            };
            items.resize(items.len().max(marks.len()), Attribute::Null);
            for (item, mark) in items.iter_mut().zip(marks) {
                if !is_empty_mark(mark) {
                    let before = std::mem::replace(item, Attribute::Null);
                    // A place in a list stays a place, even if nobody wrote it.
                    let merged = merge(Some(before), mark, written, scope)?;
                    *item = merged.unwrap_or_else(|| unknown(Reason::AfterApply, References::default()));
                }
            }
            Ok(Some(Attribute::list(items)))
        }
        (value, _) => Ok(value),
    }
}

fn not_known(written: &Written<'_, '_>, scope: &Scope<'_, '_>) -> Option<Attribute> {
    match written {
        Written::Absent => None,
        Written::NotTold => Some(unknown(Reason::Expression, References::default())),
        Written::As(_) => {
            let references = scope.resolve(&written.references());
            Some(unknown(reason(&references), references))
        }
    }
}

fn unknown(reason: Reason, references: References) -> Attribute {
    Attribute::Unknown(Box::new(Unknown::new(reason, references)))
}

/// Hides what the plan marks as sensitive.
pub(super) fn with_sensitive(values: Block, marks: &Attribute) -> Result<Block, InputError> {
    let marks = match marks {
        Attribute::Block(marks) => marks,
        // The whole resource is sensitive.
        Attribute::Bool(true) => {
            let hidden = |(name, value)| (name, hide(value));
            let entries = values.into_entries().into_iter().map(hidden).collect();
            return Block::new(entries).map_err(|name| InputError::GivenTwice { line: 0, name });
        }
        _ => return Ok(values),
    };
    if marks.entries().all(|(_, mark)| is_empty_mark(mark)) {
        return Ok(values);
    }
    let mut entries = values.into_entries();
    for (name, value) in &mut entries {
        if let Some(mark) = marks.get(name).filter(|mark| !is_empty_mark(mark)) {
            let before = std::mem::replace(value, Attribute::Null);
            *value = hide_marked(before, mark)?;
        }
    }
    Block::new(entries).map_err(|name| InputError::GivenTwice { line: 0, name })
}

fn hide_marked(value: Attribute, mark: &Attribute) -> Result<Attribute, InputError> {
    Ok(match (value, mark) {
        (value, Attribute::Bool(true)) => hide(value),
        (Attribute::Block(block), Attribute::Block(_)) => Attribute::Block(with_sensitive(block, mark)?),
        (Attribute::List(items), Attribute::List(marks)) => {
            let mut items = items.into_vec();
            for (item, mark) in items.iter_mut().zip(marks) {
                let before = std::mem::replace(item, Attribute::Null);
                *item = hide_marked(before, mark)?;
            }
            Attribute::list(items)
        }
        // A set has one mark for all of it.
        (value, mark) if !is_empty_mark(mark) => hide(value),
        (value, _) => value,
    })
}

/// What is not there, or not known, has nothing to hide.
fn hide(value: Attribute) -> Attribute {
    match value {
        Attribute::Null | Attribute::Unknown(_) => value,
        other => Attribute::Sensitive(Sensitive::new(other)),
    }
}

/// What the expressions of a resource refer to, by the paths of their attributes.
pub(super) fn expressions(tree: &Tree<'_>, scope: &Scope<'_, '_>) -> Vec<Expression> {
    let mut found = Vec::new();
    collect(tree, &mut String::new(), scope, &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn collect(tree: &Tree<'_>, path: &mut String, scope: &Scope<'_, '_>, found: &mut Vec<Expression>) {
    match tree {
        Tree::Leaf { references, .. } => {
            if !references.is_empty() {
                found.push(Expression { path: path.as_str().into(), references: scope.resolve(references) });
            }
        }
        Tree::Blocks(blocks) => blocks.iter().for_each(|block| collect(block, path, scope, found)),
        Tree::Block(entries) => {
            for (name, inner) in entries {
                let before = path.len();
                if before > 0 {
                    path.push('.');
                }
                path.push_str(name);
                collect(inner, path, scope, found);
                path.truncate(before);
            }
        }
    }
}
