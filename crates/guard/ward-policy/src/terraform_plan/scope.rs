//! What references of the configuration lead to, seen from one instance of a resource: through
//! variables up into the calling module, through outputs down into the called one.

use super::beside::Beside;
use super::configuration::{Call, Module};
use crate::graph::{
    AddressPart, BlockReference, InstanceKey, ModulePath, ModuleStep, Reason, Reference, References,
    Referent, ReferredKey, split_address,
};
use crate::limits::{MAX_PLAN_STEPS, MAX_REFERENCE_STEPS};
use std::borrow::Cow;
use std::cell::Cell;

/// Data sources that read what another deployment left.
const ELSEWHERE: [&str; 2] = ["terraform_remote_state", "tfe_outputs"];

/// The configuration of a plan, and how many more steps its references may take.
pub(super) struct Configured<'c, 'a> {
    /// The root module, if the plan tells it.
    pub(super) root: Option<&'c Module<'a>>,
    /// Steps behind those that stand in the resources themselves. Each may lead to several more.
    steps_left: Cell<usize>,
}

impl<'c, 'a> Configured<'c, 'a> {
    pub(super) const fn new(root: Option<&'c Module<'a>>) -> Self {
        Self { root, steps_left: Cell::new(MAX_PLAN_STEPS) }
    }

    /// A place in it.
    pub(super) const fn scope<'s>(
        &'s self,
        root: &'s Module<'a>,
        module: &'s ModulePath,
        key: Option<&'s InstanceKey>,
        for_each: &'s [Cow<'a, str>],
    ) -> Scope<'s, 'a> {
        Scope { root, module, key, for_each, steps_left: &self.steps_left }
    }
}

/// A place in the configuration from which names are resolved.
#[derive(Clone, Copy)]
pub(super) struct Scope<'c, 'a> {
    root: &'c Module<'a>,
    module: &'c ModulePath,
    /// Key of the instance itself: what `each.key` and `count.index` stand for.
    key: Option<&'c InstanceKey>,
    /// What `for_each` of the block refers to.
    for_each: &'c [Cow<'a, str>],
    /// Steps that the whole plan has left.
    steps_left: &'c Cell<usize>,
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
        if depth > 0 && !self.takes(written.len()) {
            return found.push(Reference { written: Box::default(), to: Referent::Computed });
        }
        let beside = Beside::new(written);
        for (place, text) in written.iter().enumerate() {
            // `a.b.c` is followed by `a.b` and by copies of itself: they say nothing more.
            if beside.says(place, text) {
                continue;
            }
            let before = found.len();
            self.resolve_one(text, &beside, found, depth);
            // What stands in the resource is what a reader looks for.
            if depth == 0 {
                for reference in found.iter_mut().skip(before) {
                    reference.written = text.as_ref().into();
                }
            }
        }
    }

    /// Takes so many of the steps that are left. Where there are too few, none is left for others either.
    fn takes(&self, steps: usize) -> bool {
        let left = self.steps_left.get().checked_sub(steps);
        self.steps_left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn resolve_one(&self, text: &str, beside: &Beside<'_, 'a>, found: &mut Vec<Reference>, depth: usize) {
        let mut to = |to: Referent| found.push(Reference { written: Box::default(), to });
        let parts = split_address(text).unwrap_or_default();
        if depth >= MAX_REFERENCE_STEPS || (depth > 0 && self.steps_left.get() == 0) {
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
        // What is not followed is not gathered either.
        if self.steps_left.get() == 0 {
            return to(Referent::Computed);
        }
        let scope = Scope { module: &outer, key: step.key.as_ref(), for_each: &call.for_each, ..*self };
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
        let scope = Scope { module: &module, key: None, for_each: &[], ..*self };
        scope.resolve_all(references, found, depth + 1);
    }

    fn block(
        &self,
        is_data: bool,
        kind: &str,
        name: &AddressPart<'_>,
        rest: &[AddressPart<'_>],
        beside: &Beside<'_, 'a>,
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

    fn key_beside(&self, beside: &Beside<'_, 'a>) -> ReferredKey {
        match self.key {
            Some(key) if !beside.has_others() && beside.has_own_key() => ReferredKey::Given(key.clone()),
            _ if beside.has_others() || beside.has_own_key() => ReferredKey::Computed,
            _ => ReferredKey::NotGiven,
        }
    }
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
