//! What evaluating a configuration needs: its modules, the values found so far, and a bound on work.

use super::module_source::{Declared, ModuleSource};
use super::source_tree::SourceTree;
use super::syntax::Node;
use super::value::Value;
use crate::graph::{ModulePath, Note, Place, Reason};
use crate::input_error::InputError;
use crate::limits::{MAX_EVALUATION_DEPTH, MAX_EVALUATION_STEPS, MAX_NOTES};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// One instance of a module, in the order in which they were met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ModuleId(pub(super) usize);

/// The values of a whole configuration.
pub(super) struct Evaluator<'s> {
    pub(super) tree: &'s SourceTree<'s>,
    /// Where fetched modules lie, by the calls that lead to them.
    pub(super) fetched: &'s BTreeMap<String, String>,
    /// Values of the root's variables.
    pub(super) given: &'s BTreeMap<Box<str>, Given>,
    pub(super) modules: Vec<ModuleInstance<'s>>,
    /// Resources and data sources by their module and their place in it.
    pub(super) blocks: HashMap<(ModuleId, usize), Expanded>,
    known: HashMap<(ModuleId, Name<'s>), Option<Value>>,
    pub(super) notes: Vec<Note>,
    /// Why a module that is called was not read.
    pub(super) failure: Option<InputError>,
    steps: usize,
    depth: usize,
}

/// A value that is given to a variable of the root.
#[derive(Debug, Clone)]
pub(super) enum Given {
    /// An expression of a file of variables.
    Written(Node),
    /// A text, read by the type of the variable.
    Text(Box<str>),
}

/// One instance of a module.
pub(super) struct ModuleInstance<'s> {
    pub(super) source: &'s ModuleSource,
    pub(super) folder: Rc<str>,
    pub(super) path: ModulePath,
    /// The names of the calls that lead here, dots between them.
    pub(super) call_path: Rc<str>,
    /// The call that made it; none for the root.
    pub(super) caller: Option<Caller<'s>>,
    /// Whether it is not sure that the module has this instance.
    pub(super) may_be_absent: bool,
    /// What the caller names the configurations of providers that it gives, by their names here.
    pub(super) providers: Option<BTreeMap<Box<str>, Box<str>>>,
}

/// The call that made an instance of a module.
#[derive(Clone)]
pub(super) struct Caller<'s> {
    pub(super) module: ModuleId,
    pub(super) call: &'s Declared,
    pub(super) repetition: Rc<Repetition>,
}

/// What `count` and `for_each` say within one instance.
#[derive(Debug, Clone)]
pub(super) enum Repetition {
    Once,
    Count(Value),
    Each { key: Value, value: Value },
}

/// What a name in a module stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Name<'s> {
    Variable(&'s str),
    Local(&'s str),
    Output(&'s str),
    Call(&'s str),
}

/// How far the instances of a block are known.
#[derive(Debug, Clone)]
pub(super) enum Expanded {
    /// They are being found: whoever asks now asks in a circle.
    Busy,
    /// As expressions see them.
    Done(Value),
}

/// What names mean at one place.
#[derive(Clone, Copy)]
pub(super) struct Scope<'x> {
    pub(super) module: ModuleId,
    pub(super) repetition: &'x Repetition,
    pub(super) bound: Option<&'x Bound<'x>>,
}

/// A name that a loop or a dynamic block gives a value, and those around it.
pub(super) struct Bound<'x> {
    pub(super) name: &'x str,
    pub(super) value: Value,
    pub(super) outer: Option<&'x Bound<'x>>,
}

impl<'x> Scope<'x> {
    /// The scope of a module, outside of what is repeated.
    pub(super) const fn of(module: ModuleId) -> Self {
        Self { module, repetition: &Repetition::Once, bound: None }
    }

    /// The value that a loop around gives a name.
    pub(super) fn bound(&self, name: &str) -> Option<&'x Value> {
        let mut next = self.bound;
        while let Some(bound) = next {
            if bound.name == name {
                return Some(&bound.value);
            }
            next = bound.outer;
        }
        None
    }
}

impl<'s> Evaluator<'s> {
    pub(super) fn new(
        tree: &'s SourceTree<'s>,
        fetched: &'s BTreeMap<String, String>,
        given: &'s BTreeMap<Box<str>, Given>,
    ) -> Self {
        Self {
            tree,
            fetched,
            given,
            modules: Vec::new(),
            blocks: HashMap::new(),
            known: HashMap::new(),
            notes: Vec::new(),
            failure: None,
            steps: 0,
            depth: 0,
        }
    }

    pub(super) fn module(&self, id: ModuleId) -> Option<&ModuleInstance<'s>> {
        self.modules.get(id.0)
    }

    /// Counts work; says whether there is any left.
    pub(super) const fn spend(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_add(steps);
        self.steps <= MAX_EVALUATION_STEPS
    }

    /// Whether the bound on work was met: then much is not known that could be.
    pub(super) const fn is_spent(&self) -> bool {
        self.steps > MAX_EVALUATION_STEPS
    }

    /// Evaluates one level deeper, if that is not too deep.
    pub(super) fn deeper(&mut self, evaluate: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.enter() {
            return too_much();
        }
        let value = evaluate(self);
        self.leave();
        if self.spend(value.size()) { value } else { too_much() }
    }

    /// Goes one level deeper, if that is not too deep; [`Self::leave`] comes back.
    pub(super) const fn enter(&mut self) -> bool {
        let goes = self.depth < MAX_EVALUATION_DEPTH && self.spend(1);
        if goes {
            self.depth += 1;
        }
        goes
    }

    pub(super) const fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The value of a name, found once. What asks for itself is not known.
    pub(super) fn once(
        &mut self,
        module: ModuleId,
        name: Name<'s>,
        find: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        match self.known.get(&(module, name)) {
            Some(Some(value)) => return value.clone(),
            Some(None) => return Value::unknown(Reason::Expression).computed("a name that asks for itself"),
            None => {}
        }
        self.known.insert((module, name), None);
        let value = find(self).without_fault();
        self.known.insert((module, name), Some(value.clone()));
        value
    }

    /// Says something about the whole check, once.
    pub(super) fn note(&mut self, text: String, place: Option<Place>) {
        let note = Note { blocks: true, text, place };
        // Each of them blocks the check, so that more say nothing new.
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// What is deeper, or takes more work, than a check accepts.
pub(super) fn too_much() -> Value {
    Value::unknown(Reason::Expression).computed("more than a check evaluates")
}
