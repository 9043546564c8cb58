//! What references of the configuration lead to, seen from one instance of a resource: through
//! variables up into the calling module, through outputs down into the called one.

use super::configuration::{Call, Module, Tree};
use crate::graph::{
    AddressPart, BlockReference, InstanceKey, ModulePath, ModuleStep, Reason, Reference, References,
    Referent, ReferredKey, split_address,
};
use crate::limits::MAX_REFERENCE_STEPS;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Data sources that read what another deployment left.
const ELSEWHERE: [&str; 2] = ["terraform_remote_state", "tfe_outputs"];

/// A place in the configuration from which names are resolved.
#[derive(Clone, Copy)]
pub(super) struct Scope<'c, 'a> {
    pub(super) root: &'c Module<'a>,
    pub(super) module: &'c ModulePath,
    /// Key of the instance itself: what `each.key` and `count.index` stand for.
    pub(super) key: Option<&'c InstanceKey>,
    /// What `for_each` of the block refers to.
    pub(super) for_each: &'c [Cow<'a, str>],
}

impl<'a> Module<'a> {
    /// The module that a path of calls leads to.
    pub(super) fn at(&self, path: &ModulePath) -> Option<&Module<'a>> {
        path.steps().iter().try_fold(self, |module, step| Some(&module.calls.get(&*step.name)?.module))
    }

    fn call(&self, path: &ModulePath, name: &str) -> Option<&Call<'a>> {
        self.at(path)?.calls.get(name)
    }
}

impl<'a> Scope<'_, 'a> {
    /// What these references lead to.
    pub(super) fn resolve(&self, written: &[Cow<'a, str>]) -> References {
        let mut found = Vec::new();
        self.resolve_all(written, &mut found, 0);
        // Nothing needs no room.
        if found.is_empty() { References::default() } else { found.into() }
    }

    fn resolve_all(&self, written: &[Cow<'a, str>], found: &mut Vec<Reference>, depth: usize) {
        for (place, text) in written.iter().enumerate() {
            // `a.b.c` is followed by `a.b` and by copies of itself: they say nothing more.
            let is_said = written.iter().enumerate().any(|(other, longer)| {
                other != place && (extends(longer, text) || (longer == text && other < place))
            });
            if !is_said {
                let before = found.len();
                self.resolve_one(text, written, found, depth);
                // What stands in the source here is what a reader looks for.
                for reference in found.iter_mut().skip(before) {
                    reference.written = text.as_ref().into();
                }
            }
        }
    }

    fn resolve_one(&self, text: &str, beside: &[Cow<'a, str>], found: &mut Vec<Reference>, depth: usize) {
        let mut to = |to: Referent| found.push(Reference { written: Box::default(), to });
        let parts = split_address(text).unwrap_or_default();
        if depth >= MAX_REFERENCE_STEPS {
            return to(Referent::Computed);
        }
        match parts.as_slice() {
            [first, variable, ..] if first.name == "var" => self.variable(variable.name, found, depth),
            [first, value, rest @ ..] if first.name == "each" && value.name == "value" => {
                self.each_value(rest, found, depth);
            }
            [first, ..] if matches!(first.name, "each" | "count" | "path" | "terraform" | "self") => {
                to(Referent::OwnKey);
            }
            [first, call, output, ..] if first.name == "module" => {
                self.output(call, output.name, found, depth)
            }
            [first, kind, ..] if first.name == "data" && ELSEWHERE.contains(&kind.name) => {
                to(Referent::Elsewhere)
            }
            [first, kind, name, rest @ ..] if first.name == "data" => {
                to(self.block(true, kind.name, name, rest, beside));
            }
            [first, ..] if matches!(first.name, "local" | "module" | "var" | "data") => {
                to(Referent::Computed)
            }
            [kind, name, rest @ ..] => to(self.block(false, kind.name, name, rest, beside)),
            _ => to(Referent::Computed),
        }
    }

    /// A variable has the value that the call of the module gives it.
    fn variable(&self, name: &str, found: &mut Vec<Reference>, depth: usize) {
        let mut to = |to: Referent| found.push(Reference { written: Box::default(), to });
        let Some((outer, step)) = self.module.split_last() else {
            // Whether it was given or is the default, which stands in the code, no plan tells.
            return to(if self.root.with_default.contains(name) {
                Referent::Computed
            } else {
                Referent::Input
            });
        };
        let Some(call) = self.root.call(&outer, &step.name) else { return to(Referent::Undeclared) };
        // Not given: the module's own default, a constant.
        let Some(expression) = call.expressions.get(name) else { return };
        let scope =
            Scope { root: self.root, module: &outer, key: step.key.as_ref(), for_each: &call.for_each };
        scope.resolve_all(&expression.references(), found, depth + 1);
    }

    /// The value of an instance: of the same instance of what `for_each` goes over, if that is a resource.
    fn each_value(&self, rest: &[AddressPart<'_>], found: &mut Vec<Reference>, depth: usize) {
        let before = found.len();
        self.resolve_all(self.for_each, found, depth + 1);
        if found.len() == before {
            found.push(Reference { written: Box::default(), to: Referent::OwnKey });
        }
        for reference in found.iter_mut().skip(before) {
            if let Referent::Block(block) = &mut reference.to
                && block.key == ReferredKey::NotGiven
                && block.attribute.is_empty()
                && let Some(key) = self.key
            {
                block.key = ReferredKey::Given(key.clone());
                block.attribute = names(rest).into();
            } else if reference.to != Referent::OwnKey {
                reference.to = Referent::Computed;
            }
        }
    }

    fn output(&self, call: &AddressPart<'_>, name: &str, found: &mut Vec<Reference>, depth: usize) {
        let mut to = |to: Referent| found.push(Reference { written: Box::default(), to });
        let step = ModuleStep { name: call.name.into(), key: call.key.clone() };
        let module = self.module.join(step);
        let Some(called) = self.root.at(&module) else { return to(Referent::Undeclared) };
        let Some(references) = called.outputs.get(name) else { return to(Referent::Undeclared) };
        let scope = Scope { root: self.root, module: &module, key: None, for_each: &[] };
        scope.resolve_all(references, found, depth + 1);
    }

    fn block(
        &self,
        is_data: bool,
        kind: &str,
        name: &AddressPart<'_>,
        rest: &[AddressPart<'_>],
        beside: &[Cow<'a, str>],
    ) -> Referent {
        let address =
            if is_data { format!("data.{kind}.{}", name.name) } else { format!("{kind}.{}", name.name) };
        let module = self.root.at(self.module);
        let Some(declared) = module.and_then(|module| module.resources.get(&*address)) else {
            return Referent::Undeclared;
        };
        let key = match &name.key {
            Some(key) => ReferredKey::Given(key.clone()),
            // `b[each.key].id` is listed as `b` and `each.key`.
            None if declared.is_repeated && rest.is_empty() => self.key_beside(beside),
            None => ReferredKey::NotGiven,
        };
        Referent::Block(BlockReference {
            module: self.module.clone(),
            is_data,
            kind: kind.into(),
            name: name.name.into(),
            key,
            attribute: names(rest).into(),
        })
    }

    fn key_beside(&self, beside: &[Cow<'a, str>]) -> ReferredKey {
        let own = |text: &Cow<'a, str>| matches!(&**text, "each.key" | "count.index");
        let others = beside.iter().any(|text| {
            !own(text)
                && (text.starts_with("var.") || text.starts_with("local.") || text.starts_with("each."))
        });
        match self.key {
            Some(key) if !others && beside.iter().any(own) => ReferredKey::Given(key.clone()),
            _ if others || beside.iter().any(own) => ReferredKey::Computed,
            _ => ReferredKey::NotGiven,
        }
    }
}

/// Whether one reference is another with more behind it.
fn extends(longer: &str, text: &str) -> bool {
    longer.len() > text.len() && longer.strip_prefix(text).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn names(parts: &[AddressPart<'_>]) -> String {
    parts.iter().map(|part| part.name).collect::<Vec<_>>().join(".")
}

/// Why a value with these references is not known.
pub(super) fn reason(references: &[Reference]) -> Reason {
    let has = |is_it: fn(&Referent) -> bool| references.iter().any(|reference| is_it(&reference.to));
    if has(|to| matches!(to, Referent::Undeclared)) {
        Reason::Undeclared
    } else if has(|to| matches!(to, Referent::Elsewhere)) {
        Reason::Elsewhere
    } else if has(|to| matches!(to, Referent::Input)) {
        Reason::Input
    } else if has(|to| matches!(to, Referent::Block(block) if block.is_data)) {
        Reason::DataSource
    } else if has(|to| matches!(to, Referent::Block(_))) {
        Reason::AfterApply
    } else {
        Reason::Expression
    }
}

/// What is known of the configuration of one place in a resource.
#[derive(Debug, Clone)]
pub(super) enum Written<'c, 'a> {
    /// The plan tells nothing about it.
    NotTold,
    /// It stands in the source as one of these.
    As(TreeList<'c, 'a>),
    /// The block around it stands in the source, and this doesn't.
    Absent,
}

/// Trees that stand for one place; most often it is one, and it needs no list.
#[derive(Debug, Clone)]
pub(super) enum TreeList<'c, 'a> {
    One([&'c Tree<'a>; 1]),
    Some(Vec<&'c Tree<'a>>),
}

impl<'c, 'a> std::ops::Deref for TreeList<'c, 'a> {
    type Target = [&'c Tree<'a>];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::One(only) => only,
            Self::Some(several) => several,
        }
    }
}

impl<'c, 'a> Written<'c, 'a> {
    /// It stands in the source as this.
    pub(super) const fn as_one(tree: &'c Tree<'a>) -> Self {
        Self::As(TreeList::One([tree]))
    }

    /// The place of a name within this one.
    pub(super) fn child(&self, name: &str) -> Self {
        let Self::As(trees) = self else { return Self::NotTold };
        // The usual case: one block, which has the name or not.
        if let TreeList::One([block @ Tree::Block(_)]) = trees {
            return block.get(name).map_or(Self::Absent, Self::as_one);
        }
        // An expression covers all that lies in its value.
        if trees.iter().any(|tree| matches!(tree, Tree::Leaf { .. })) {
            return self.clone();
        }
        let blocks: Vec<&Tree<'a>> = trees.iter().flat_map(|tree| flat(tree)).collect();
        let found: Vec<&Tree<'a>> = blocks.iter().filter_map(|block| block.get(name)).collect();
        match found.len() {
            0 => Self::Absent,
            // Blocks of a set have no fixed order: what only some of them have may be of any.
            some if some < blocks.len() => Self::NotTold,
            _ => Self::As(TreeList::Some(found)),
        }
    }

    /// The names that stand in the block, each once.
    pub(super) fn names(&self) -> BTreeSet<&'c str> {
        let Self::As(trees) = self else { return BTreeSet::new() };
        let blocks = trees.iter().flat_map(|tree| flat(tree));
        blocks
            .filter_map(|block| match block {
                Tree::Block(entries) => Some(entries.iter().map(|(name, _)| &**name)),
                Tree::Leaf { .. } | Tree::Blocks(_) => None,
            })
            .flatten()
            .collect()
    }

    /// Everything that the expressions here refer to.
    pub(super) fn references(&self) -> Vec<Cow<'a, str>> {
        match self {
            Self::As(trees) => trees.iter().flat_map(|tree| tree.references()).collect(),
            Self::NotTold | Self::Absent => Vec::new(),
        }
    }
}

fn flat<'c, 'a>(tree: &'c Tree<'a>) -> Vec<&'c Tree<'a>> {
    match tree {
        Tree::Blocks(blocks) => blocks.iter().flat_map(flat).collect(),
        one => vec![one],
    }
}
