//! A plan tells values in one tree and what is unknown or sensitive in others: here they become one.

use super::scope::{Scope, reason};
use super::written::Written;
use crate::graph::{Attribute, Block, Expression, FEW_NAMES, Name, Reason, References, Sensitive, Unknown};
use crate::input_error::InputError;
use crate::json::{Kind, Scanner};
use crate::terraform_plan::configuration::Tree;
use std::borrow::Cow;
use std::collections::HashSet;

/// A tree that says of each place whether it is marked. What marks nothing is `No` as a whole. Names of a block
/// with more than a few are sorted.
#[derive(Debug, Default)]
pub(super) enum Marks<'a> {
    #[default]
    No,
    Yes,
    Block(Box<[(Cow<'a, str>, Marks<'a>)]>),
    List(Box<[Marks<'a>]>),
}

impl Marks<'_> {
    const fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }

    fn get(&self, name: &str) -> Option<&Self> {
        let Self::Block(entries) = self else { return None };
        let place = if entries.len() <= FEW_NAMES {
            entries.iter().position(|(known, _)| known == name)
        } else {
            entries.binary_search_by(|(known, _)| (**known).cmp(name)).ok()
        };
        entries.get(place?).map(|(_, mark)| mark)
    }
}

/// Reads marks, one resource after another. Parts wait here until all of their block or list are there: it takes
/// exactly the room that it needs.
#[derive(Debug, Default)]
pub(super) struct MarkReader<'a> {
    entries: Vec<(Cow<'a, str>, Marks<'a>)>,
    items: Vec<Marks<'a>>,
}

impl<'a> MarkReader<'a> {
    /// Reads the marks of a resource.
    pub(super) fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<Marks<'a>, InputError> {
        Ok(match scanner.peek()? {
            Kind::Bool => {
                if scanner.bool()? {
                    Marks::Yes
                } else {
                    Marks::No
                }
            }
            Kind::Object => self.block(scanner)?,
            Kind::Array => {
                let first = self.items.len();
                scanner.array(|scanner| {
                    let item = self.read(scanner)?;
                    self.items.push(item);
                    Ok(())
                })?;
                let items: Box<[_]> = self.items.drain(first..).collect();
                if items.iter().all(Marks::is_no) { Marks::No } else { Marks::List(items) }
            }
            Kind::Null | Kind::Number | Kind::Text => {
                scanner.skip()?;
                Marks::No
            }
        })
    }

    fn block(&mut self, scanner: &mut Scanner<'a>) -> Result<Marks<'a>, InputError> {
        let first = self.entries.len();
        // The names so far, once they are more than a few.
        let mut names: Option<HashSet<Cow<'a, str>>> = None;
        scanner.object(|name, scanner| {
            let mark = self.read(scanner)?;
            let known = self.entries.get(first..).unwrap_or_default();
            if names.is_none() && known.len() > FEW_NAMES {
                names = Some(known.iter().map(|(known, _)| known.clone()).collect());
            }
            let is_known = match &names {
                Some(names) => names.contains(&name),
                None => known.iter().any(|(known, _)| *known == name),
            };
            if is_known {
                return Err(InputError::GivenTwice { line: scanner.line(), name: name.into() });
            }
            if !mark.is_no() {
                if let Some(names) = &mut names {
                    names.insert(name.clone());
                }
                self.entries.push((name, mark));
            }
            Ok(())
        })?;
        let mut entries: Box<[_]> = self.entries.drain(first..).collect();
        if entries.len() > FEW_NAMES {
            entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        }
        Ok(if entries.is_empty() { Marks::No } else { Marks::Block(entries) })
    }
}

/// Puts what is not known, and what is written and in no plan, into the values of a resource.
pub(super) fn with_unknown<'a>(
    mut values: Block,
    marks: &Marks<'_>,
    written: &Written<'_, 'a>,
    scope: &Scope<'_, 'a>,
) -> Result<Block, InputError> {
    let marks = match marks {
        Marks::Block(entries) => &**entries,
        Marks::No | Marks::List(_) => &[],
        Marks::Yes => return all_unknown(written, scope),
    };
    for (name, value) in values.values_mut() {
        if matches!(value, Attribute::Null) && name.ends_with(WRITE_ONLY) && written.child(name).is_written()
        {
            *value = unknown(Reason::WriteOnly, References::default());
        }
    }
    // What is added or taken away waits until all are looked up.
    let mut added: Vec<(Name, Attribute)> = Vec::new();
    let mut removed: Vec<&str> = Vec::new();
    for (name, mark) in marks {
        let written = written.child(name);
        match values.get_mut(name) {
            Some(value) => {
                let before = std::mem::replace(value, Attribute::Null);
                match merge(Some(before), mark, &written, scope)? {
                    Some(merged) => *value = merged,
                    None => removed.push(name),
                }
            }
            None => {
                added.extend(merge(None, mark, &written, scope)?.map(|value| (name.as_ref().into(), value)))
            }
        }
    }
    if added.is_empty() && removed.is_empty() {
        return Ok(values);
    }
    let mut entries = values.into_entries();
    removed.sort_unstable();
    entries.retain(|(name, _)| removed.binary_search(&&**name).is_err());
    entries.reserve_exact(added.len());
    entries.extend(added);
    block_of(entries)
}

/// Of a resource nothing of which is known, everything that is written is unknown.
fn all_unknown<'a>(written: &Written<'_, 'a>, scope: &Scope<'_, 'a>) -> Result<Block, InputError> {
    let entry = |name: &str| Some((name.into(), not_known(&written.child(name), scope)?));
    block_of(written.names().into_iter().filter_map(entry).collect())
}

/// Each name is there once: values and marks were read so.
fn block_of(entries: Vec<(Name, Attribute)>) -> Result<Block, InputError> {
    Block::new(entries).map_err(|name| InputError::GivenTwice { line: 0, name })
}

/// Names of write-only arguments end so by convention of the providers.
const WRITE_ONLY: &str = "_wo";

/// One value with its mark. `None`: it is not written, the provider chooses it.
fn merge<'a>(
    value: Option<Attribute>,
    mark: &Marks<'_>,
    written: &Written<'_, 'a>,
    scope: &Scope<'_, 'a>,
) -> Result<Option<Attribute>, InputError> {
    match (value, mark) {
        (value, Marks::No) => Ok(value),
        (_, Marks::Yes) => Ok(not_known(written, scope)),
        (Some(Attribute::Block(values)), Marks::Block(_)) => {
            with_unknown(values, mark, written, scope).map(|block| Some(Attribute::Block(block)))
        }
        (None | Some(Attribute::Null), Marks::Block(_)) => {
            let merged = with_unknown(Block::default(), mark, written, scope)?;
            Ok((!merged.is_empty()).then_some(Attribute::Block(merged)))
        }
        (value, Marks::Block(_)) => Ok(value),
        (value, Marks::List(marks)) => {
            let mut items = match value {
                Some(Attribute::List(items)) => items.into_vec(),
                _ => Vec::new(),
            };
            items.resize(items.len().max(marks.len()), Attribute::Null);
            for (item, mark) in items.iter_mut().zip(marks).filter(|(_, mark)| !mark.is_no()) {
                let before = std::mem::replace(item, Attribute::Null);
                // A place in a list stays a place, even if nobody wrote it.
                let merged = merge(Some(before), mark, written, scope)?;
                *item = merged.unwrap_or_else(|| unknown(Reason::AfterApply, References::default()));
            }
            Ok(Some(Attribute::list(items)))
        }
    }
}

fn not_known<'a>(written: &Written<'_, 'a>, scope: &Scope<'_, 'a>) -> Option<Attribute> {
    match written {
        Written::Absent => None,
        Written::NotTold => Some(unknown(Reason::Expression, References::default())),
        Written::As(_) => {
            let references = written.references(scope);
            Some(unknown(reason(&references), references))
        }
    }
}

fn unknown(reason: Reason, references: References) -> Attribute {
    Attribute::Unknown(Box::new(Unknown::new(reason, references)))
}

/// Hides what the plan marks as sensitive.
pub(super) fn with_sensitive(mut values: Block, marks: &Marks<'_>) -> Result<Block, InputError> {
    let mark_of = |name: &str| match marks {
        // The whole resource is sensitive.
        Marks::Yes => Some(&Marks::Yes),
        marks => marks.get(name),
    };
    if matches!(marks, Marks::No | Marks::List(_)) {
        return Ok(values);
    }
    for (name, value) in values.values_mut() {
        if let Some(mark) = mark_of(name) {
            let before = std::mem::replace(value, Attribute::Null);
            *value = hide_marked(before, mark)?;
        }
    }
    Ok(values)
}

fn hide_marked(value: Attribute, mark: &Marks<'_>) -> Result<Attribute, InputError> {
    Ok(match (value, mark) {
        (value, Marks::No) => value,
        (Attribute::Block(block), Marks::Block(_)) => Attribute::Block(with_sensitive(block, mark)?),
        // A set has one mark for all of it; a list has one for each item, and no fewer.
        (Attribute::List(items), Marks::List(marks)) if items.len() == marks.len() => {
            let mut items = items.into_vec();
            for (item, mark) in items.iter_mut().zip(marks) {
                let before = std::mem::replace(item, Attribute::Null);
                *item = hide_marked(before, mark)?;
            }
            Attribute::list(items)
        }
        (value, _) => hide(value),
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
        Tree::Block(_) | Tree::Large(_) => {
            for (name, inner) in tree.entries() {
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
