//! What the configuration says of the places of a resource.

use super::configuration::Tree;
use super::scope::Scope;
use crate::graph::{FEW_NAMES, References};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What is known of the configuration of one place in a resource.
#[derive(Debug, Clone)]
pub(super) enum Written<'c, 'a> {
    /// The plan tells nothing about it.
    NotTold,
    /// It stands in the source as this.
    As(Trees<'c, 'a>),
    /// The block around it stands in the source, and this doesn't.
    Absent,
}

/// Trees that stand for one place; most often it is one, and nothing about it needs to be kept.
#[derive(Debug, Clone)]
pub(super) enum Trees<'c, 'a> {
    One([&'c Tree<'a>; 1]),
    Some(Rc<Several<'c, 'a>>),
}

/// Trees that stand for one place together. The items of a list share them: what they say of a name is worked out
/// once for all items.
#[derive(Debug)]
pub(super) struct Several<'c, 'a> {
    trees: Vec<&'c Tree<'a>>,
    has_leaf: bool,
    nulls: Nulls,
    children: OnceCell<BTreeMap<&'c str, Written<'c, 'a>>>,
    references: OnceCell<References>,
}

/// How many of the trees of a place are the constant null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    No,
    Some,
    All,
}

impl<'c, 'a> Several<'c, 'a> {
    fn new(trees: Vec<&'c Tree<'a>>) -> Self {
        Self {
            has_leaf: trees.iter().any(|tree| matches!(tree, Tree::Leaf { .. })),
            nulls: nulls(&trees),
            children: OnceCell::new(),
            references: OnceCell::new(),
            trees,
        }
    }

    /// By name, what stands in all blocks or in some.
    fn children(&self) -> BTreeMap<&'c str, Written<'c, 'a>> {
        let blocks: Vec<&Tree<'a>> = self.trees.iter().flat_map(|tree| flat(tree)).collect();
        // With each name the last block that had it: of two in one block, the first counts.
        let mut found: BTreeMap<&'c str, (usize, Vec<&'c Tree<'a>>)> = BTreeMap::new();
        for (place, block) in blocks.iter().enumerate() {
            for (name, inner) in block.entries() {
                let (last, trees) = found.entry(name).or_default();
                if trees.is_empty() || *last != place {
                    *last = place;
                    trees.push(inner);
                }
            }
        }
        let written = |trees: Vec<&'c Tree<'a>>| {
            // Blocks of a set have no fixed order: what only some of them have may be of any.
            if trees.len() < blocks.len() {
                Written::NotTold
            } else {
                Written::As(Trees::Some(Rc::new(Self::new(trees))))
            }
        };
        found.into_iter().map(|(name, (_, trees))| (name, written(trees))).collect()
    }
}

impl<'c, 'a> std::ops::Deref for Trees<'c, 'a> {
    type Target = [&'c Tree<'a>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(only) => only,
            Self::Some(several) => &several.trees,
        }
    }
}

impl<'c, 'a> Written<'c, 'a> {
    /// It stands in the source as this.
    pub(super) fn as_one(tree: &'c Tree<'a>) -> Self {
        Self::As(match tree {
            // One block of a name is a block.
            Tree::Blocks(blocks) => match &**blocks {
                [only @ (Tree::Block(_) | Tree::Large(_))] => Trees::One([only]),
                _ => Trees::Some(Rc::new(Several::new(vec![tree]))),
            },
            Tree::Leaf { references, .. } if references.len() > FEW_NAMES => {
                Trees::Some(Rc::new(Several::new(vec![tree])))
            }
            one => Trees::One([one]),
        })
    }

    /// The place of a name within this one.
    pub(super) fn child(&self, name: &str) -> Self {
        let Self::As(trees) = self else { return Self::NotTold };
        match trees {
            // An expression covers all that lies in its value.
            Trees::One([Tree::Leaf { .. }]) => self.clone(),
            Trees::One([block]) => block.get(name).map_or(Self::Absent, Self::as_one),
            Trees::Some(several) if several.has_leaf => self.clone(),
            Trees::Some(several) => {
                let children = several.children.get_or_init(|| several.children());
                children.get(name).map_or(Self::Absent, Self::clone)
            }
        }
    }

    /// The names that stand in the block, each once.
    pub(super) fn names(&self) -> BTreeSet<&'c str> {
        let Self::As(trees) = self else { return BTreeSet::new() };
        let blocks = trees.iter().flat_map(|tree| flat(tree));
        blocks.flat_map(|block| block.entries().iter().map(|(name, _)| &**name)).collect()
    }

    /// Whether each expression of it is there and is not null.
    pub(super) fn is_written(&self) -> bool {
        let Self::As(trees) = self else { return false };
        trees.iter().all(|tree| matches!(tree, Tree::Leaf { is_null: false, .. }))
    }

    /// Whether expressions of it are the constant null.
    pub(super) fn nulls(&self) -> Nulls {
        match self {
            Self::As(Trees::One(only)) => nulls(only),
            Self::As(Trees::Some(several)) => several.nulls,
            Self::NotTold | Self::Absent => Nulls::No,
        }
    }

    /// What the expressions here lead to, seen from the resource they stand in.
    pub(super) fn references(&self, scope: &Scope<'_, 'a>) -> References {
        match self {
            Self::As(Trees::One([tree])) => scope.resolve(&tree.references()),
            Self::As(Trees::Some(several)) => {
                let resolved = || {
                    let all: Vec<Cow<'a, str>> =
                        several.trees.iter().flat_map(|tree| tree.references()).collect();
                    scope.resolve(&all)
                };
                References::clone(several.references.get_or_init(resolved))
            }
            Self::NotTold | Self::Absent => References::default(),
        }
    }
}

fn nulls(trees: &[&Tree<'_>]) -> Nulls {
    let is_null = |tree: &&Tree<'_>| matches!(tree, Tree::Leaf { is_null: true, .. });
    match trees {
        trees if !trees.iter().any(is_null) => Nulls::No,
        trees if trees.iter().all(is_null) => Nulls::All,
        _ => Nulls::Some,
    }
}

fn flat<'c, 'a>(tree: &'c Tree<'a>) -> Vec<&'c Tree<'a>> {
    match tree {
        Tree::Blocks(blocks) => blocks.iter().flat_map(flat).collect(),
        one => vec![one],
    }
}
