//! What the names of a module stand for: variables, locals, outputs, and calls of modules.

use super::conversion::{converted, read_by_type};
use super::evaluator::{Caller, Evaluator, Given, ModuleId, ModuleInstance, Name, Repetition, Scope};
use super::expansion::{Instances, instances};
use super::module_source::Declared;
use super::source_tree::{is_local, joined_path};
use super::syntax::{Block, Expression};
use super::value::{Data, Entries, Value, computed_reference};
use crate::graph::{InstanceKey, ModuleStep, Reason, Referent};
use crate::limits::{MAX_MODULE_DEPTH, MAX_MODULE_INSTANCES};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Arguments of a module call that are no inputs.
const CALL_ARGUMENTS: [&str; 6] = ["source", "version", "count", "for_each", "providers", "depends_on"];

impl<'s> Evaluator<'s> {
    /// The value of a local.
    pub(super) fn local(&mut self, module: ModuleId, name: &str) -> Value {
        let source = self.module(module).map(|instance| instance.source);
        let Some((name, argument)) = source.and_then(|source| source.locals.get_key_value(name)) else {
            return Value::leading(Reason::Undeclared, &format!("local.{name}"), Referent::Undeclared);
        };
        self.once(module, Name::Local(name), |evaluator| {
            evaluator.evaluate(&argument.value, &Scope::of(module))
        })
    }

    /// The value of a variable: given, or its default.
    pub(super) fn variable(&mut self, module: ModuleId, name: &str) -> Value {
        let source = self.module(module).map(|instance| instance.source);
        let Some((name, block)) = source.and_then(|source| source.variables.get_key_value(name)) else {
            return Value::leading(Reason::Undeclared, &format!("var.{name}"), Referent::Undeclared);
        };
        self.once(module, Name::Variable(name), |evaluator| {
            let value = evaluator.given_or_default(module, name, block);
            let is_flag = |flag: &str| {
                block
                    .body
                    .attribute(flag)
                    .is_some_and(|argument| argument.value.what != Expression::Bool(false))
            };
            value.secret_if(is_flag("sensitive"))
        })
    }

    fn given_or_default(&mut self, module: ModuleId, name: &str, block: &'s Block) -> Value {
        let kind = block.body.attribute("type").map(|argument| &argument.value);
        let default = block.body.attribute("default").map(|argument| &argument.value);
        let given = match self.module(module).and_then(|instance| instance.caller.clone()) {
            None => {
                let given = self.given;
                match given.get(name) {
                    Some(Given::Written(node)) => Some(self.evaluate(node, &Scope::of(module))),
                    Some(Given::Text(text)) => Some(match read_by_type(text, kind) {
                        Some(node) => self.evaluate(&node, &Scope::of(module)),
                        None => Value::text(text),
                    }),
                    None => None,
                }
            }
            Some(caller) => {
                caller.call.argument(name).filter(|_| !CALL_ARGUMENTS.contains(&name)).map(|node| {
                    let scope = Scope { module: caller.module, repetition: &caller.repetition, bound: None };
                    self.evaluate(node, &scope)
                })
            }
        };
        let nullable = block.body.attribute("nullable").map(|argument| &argument.value.what);
        let is_refused = |value: &Value| {
            matches!(value.data, Data::Null)
                && default.is_some()
                && nullable == Some(&Expression::Bool(false))
        };
        let value = match (given.filter(|value| !is_refused(value)), default) {
            (Some(value), _) => value,
            (None, Some(node)) => self.evaluate(node, &Scope::of(module)),
            (None, None) => return Value::leading(Reason::Input, &format!("var.{name}"), Referent::Input),
        };
        match kind {
            Some(kind) => converted(self, value, kind, module),
            None => value,
        }
    }

    /// The value of an output of a module.
    pub(super) fn output(&mut self, module: ModuleId, name: &str) -> Value {
        let source = self.module(module).map(|instance| instance.source);
        let Some((name, block)) = source.and_then(|source| source.outputs.get_key_value(name)) else {
            return Value::leading(Reason::Undeclared, &format!("output {name}"), Referent::Undeclared);
        };
        self.once(module, Name::Output(name), |evaluator| match block.body.attribute("value") {
            Some(argument) => {
                let is_secret = block.body.attribute("sensitive");
                let is_secret = is_secret.is_some_and(|flag| flag.value.what != Expression::Bool(false));
                evaluator.evaluate(&argument.value, &Scope::of(module)).secret_if(is_secret)
            }
            None => Value::fault(),
        })
    }

    /// What a module call gives: one module, a list or a map of them.
    pub(super) fn call(&mut self, module: ModuleId, name: &str) -> Value {
        let source = self.module(module).map(|instance| instance.source);
        let Some((name, call)) = source.and_then(|source| source.calls.get_key_value(name)) else {
            return Value::leading(Reason::Undeclared, &format!("module.{name}"), Referent::Undeclared);
        };
        self.once(module, Name::Call(name), |evaluator| evaluator.make_modules(module, name, call))
    }

    fn make_modules(&mut self, module: ModuleId, name: &'s str, call: &'s Declared) -> Value {
        let Some(folder) = self.folder_of(module, name, call) else {
            let text = format!("the module {name:?} is not at hand: nothing of it was checked");
            self.note(text, Some(call.place()));
            return missing(name);
        };
        match instances(self, module, &call.block.body) {
            Instances::Once => self.make_module(module, call, &folder, None, Repetition::Once, false),
            Instances::Count(count) => {
                let one = |place: usize| {
                    let index = u64::try_from(place).unwrap_or(u64::MAX);
                    let repetition = Repetition::Count(Value::number(place as f64));
                    self.make_module(
                        module,
                        call,
                        &folder,
                        Some(InstanceKey::Index(index)),
                        repetition,
                        false,
                    )
                };
                Value::list((0..count).map(one).collect())
            }
            Instances::Each(entries) => {
                let mut made = Entries::new();
                for (key, value) in entries {
                    let instance_key = Some(InstanceKey::Name((&*key).into()));
                    let repetition = Repetition::Each { key: Value::text(&key), value };
                    let one = self.make_module(module, call, &folder, instance_key, repetition, false);
                    made.insert(key, one);
                }
                Value::map(made)
            }
            Instances::NotKnown(repetition) => {
                // It is judged, and what comes out of it is not known.
                self.make_module(module, call, &folder, None, repetition, true);
                Value::unknown(Reason::Expression).computed(&format!("module.{name}"))
            }
        }
    }

    /// The folder of a called module, if it is at hand.
    fn folder_of(&self, module: ModuleId, name: &str, call: &Declared) -> Option<Rc<str>> {
        let instance = self.module(module)?;
        let source = call.argument("source")?.as_text()?;
        let folder = if is_local(source) {
            joined_path(&instance.folder, source)?
        } else {
            self.fetched.get(&*called(&instance.call_path, name))?.clone()
        };
        self.tree.has(&folder).then(|| folder.into())
    }

    fn make_module(
        &mut self,
        module: ModuleId,
        call: &'s Declared,
        folder: &Rc<str>,
        key: Option<InstanceKey>,
        repetition: Repetition,
        may_be_absent: bool,
    ) -> Value {
        let (_, name) = call.labels();
        if let Some(fault) = self.tree.fault(folder) {
            self.failure = Some(fault.clone());
        }
        let (Some(outer), Some(source)) = (self.module(module), self.tree.module(folder)) else {
            return missing(name);
        };
        if outer.path.steps().len() >= MAX_MODULE_DEPTH || self.modules.len() >= MAX_MODULE_INSTANCES {
            let text =
                format!("the module {name:?} is not checked: there are more modules than a check follows");
            self.note(text, Some(call.place()));
            return missing(name);
        }
        let instance = ModuleInstance {
            source,
            folder: folder.clone(),
            path: outer.path.join(ModuleStep { name: name.into(), key }),
            call_path: called(&outer.call_path, name),
            may_be_absent: may_be_absent || outer.may_be_absent,
            caller: Some(Caller { module, call, repetition: repetition.into() }),
            providers: call.argument("providers").map(|node| match &node.what {
                Expression::Object(items) => given_providers(items),
                _ => BTreeMap::new(),
            }),
        };
        self.modules.push(instance);
        Value::new(Data::Module(ModuleId(self.modules.len() - 1)))
    }
}

fn given_providers(items: &[(super::syntax::Node, super::syntax::Node)]) -> BTreeMap<Box<str>, Box<str>> {
    items
        .iter()
        .filter_map(|(own, given)| Some((own.as_dotted()?.into(), given.as_dotted()?.into())))
        .collect()
}

fn called(outer: &str, name: &str) -> Rc<str> {
    if outer.is_empty() { name.into() } else { format!("{outer}.{name}").into() }
}

fn missing(name: &str) -> Value {
    Value::unknown(Reason::Missing).and_from(&computed_reference(&format!("module.{name}")))
}
