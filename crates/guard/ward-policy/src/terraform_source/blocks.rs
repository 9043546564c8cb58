//! Resources and data sources: their instances, and the values of their bodies.

use super::evaluator::{Bound, Evaluator, Expanded, ModuleId, Repetition, Scope, too_much};
use super::expansion::{Instances, each, instances};
use super::expressions::reason_of;
use super::module_source::{Declared, dynamic_kind};
use super::syntax::{Argument, Block, Body};
use super::value::{BlockValue, Data, Entries, Value};
use crate::graph::{BlockReference, Expression, InstanceKey, Reason, Referent, ReferredKey};
use crate::limits::MAX_INSTANCES;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Arguments and blocks of a resource that say something to Terraform, not to the provider.
const META: [&str; 8] =
    ["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection", "dynamic"];

/// The values of a body while they are found.
#[derive(Default)]
struct BodyValues {
    attributes: Entries,
    /// Blocks by their kind, in order; items that are not known stand for any number of them.
    blocks: BTreeMap<Rc<str>, Vec<Value>>,
    expressions: Vec<Expression>,
}

impl Evaluator<'_> {
    /// A resource or a data source as an expression sees it.
    pub(super) fn block(&mut self, module: ModuleId, is_data: bool, kind: &str, name: &str) -> Value {
        let source = self.module(module).map(|instance| instance.source);
        let data = if is_data { "data." } else { "" };
        let places = source.map(|source| source.resources_of(is_data, kind, name));
        match places.as_deref() {
            None | Some([]) => {
                Value::leading(Reason::Undeclared, &format!("{data}{kind}.{name}"), Referent::Undeclared)
            }
            Some([only]) => self.expanded(module, *only),
            // Declared twice: which is meant is nobody's guess.
            Some(_) => Value::unknown(Reason::Expression).computed(&format!("{data}{kind}.{name}")),
        }
    }

    /// All instances of the block at a place in a module, found once.
    pub(super) fn expanded(&mut self, module: ModuleId, place: usize) -> Value {
        match self.blocks.get(&(module, place)) {
            Some(Expanded::Done(value)) => return value.clone(),
            Some(Expanded::Busy) => {
                return Value::unknown(Reason::Expression).computed("a resource that asks for itself");
            }
            None => {}
        }
        let source = self.module(module).map(|instance| instance.source);
        let Some(declared) = source.and_then(|source| source.resources.get(place)) else {
            return Value::unknown(Reason::Undeclared);
        };
        // What is too deep from here is found later, from nearer by.
        if !self.enter() {
            return too_much();
        }
        self.blocks.insert((module, place), Expanded::Busy);
        let value = self.expand(module, declared);
        self.leave();
        self.blocks.insert((module, place), Expanded::Done(value.clone()));
        value
    }

    fn expand(&mut self, module: ModuleId, declared: &Declared) -> Value {
        match instances(self, module, &declared.block.body) {
            Instances::Once => {
                let value = self.instance(module, declared, ReferredKey::NotGiven, &Repetition::Once);
                Value::new(Data::Block(Rc::new(value)))
            }
            Instances::Count(count) => {
                let one = |place: usize| {
                    let key = InstanceKey::Index(u64::try_from(place).unwrap_or(u64::MAX));
                    let repetition = Repetition::Count(Value::number(place as f64));
                    let value = self.instance(module, declared, ReferredKey::Given(key), &repetition);
                    Value::new(Data::Block(Rc::new(value)))
                };
                Value::list((0..count).map(one).collect())
            }
            Instances::Each(entries) => {
                let mut made = Entries::new();
                for (key, value) in entries {
                    let referred = ReferredKey::Given(InstanceKey::Name((&*key).into()));
                    let repetition = Repetition::Each { key: Value::text(&key), value };
                    let value = self.instance(module, declared, referred, &repetition);
                    made.insert(key, Value::new(Data::Block(Rc::new(value))));
                }
                Value::map(made)
            }
            Instances::NotKnown(repetition) => {
                let value = self.instance(module, declared, ReferredKey::NotGiven, &repetition);
                Value::new(Data::AnyBlock(Rc::new(value)))
            }
        }
    }

    fn instance(
        &mut self,
        module: ModuleId,
        declared: &Declared,
        key: ReferredKey,
        repetition: &Repetition,
    ) -> BlockValue {
        let (kind, name) = declared.labels();
        let is_data = declared.is_data();
        let scope = Scope { module, repetition, bound: None };
        let mut values = BodyValues::default();
        self.body(&declared.block.body, &scope, "", &mut values);
        let data = if is_data { "data." } else { "" };
        let own = match &key {
            ReferredKey::Given(key) => key.to_string(),
            ReferredKey::NotGiven | ReferredKey::Computed => String::new(),
        };
        let module = self.module(module).map(|instance| instance.path.clone()).unwrap_or_default();
        BlockValue {
            written: format!("{data}{kind}.{name}{own}").into(),
            reference: BlockReference {
                module,
                is_data,
                kind: kind.into(),
                name: name.into(),
                key,
                attribute: Box::default(),
            },
            expressions: std::mem::take(&mut values.expressions),
            attributes: values.into_entries(),
        }
    }

    fn body(&mut self, body: &Body, scope: &Scope<'_>, path: &str, values: &mut BodyValues) {
        let is_top = path.is_empty();
        for argument in &body.attributes {
            if is_top && META.contains(&&*argument.name) {
                continue;
            }
            let value = self.argument(argument, scope);
            values.refer(&joined_name(path, &argument.name), &value);
            values.attributes.insert((&*argument.name).into(), value);
        }
        for block in &body.blocks {
            match dynamic_kind(block) {
                Some(kind) => self.dynamic(kind, block, scope, path, values),
                None if is_top && META.contains(&&*block.kind) => {}
                None => self.nested(&block.kind, &block.body, scope, path, values),
            }
        }
    }

    fn argument(&mut self, argument: &Argument, scope: &Scope<'_>) -> Value {
        let value = self.evaluate(&argument.value, scope).sealed().without_fault();
        if !self.spend(value.size()) {
            return too_much();
        }
        value.written_as(argument.written.as_deref())
    }

    /// One block inside another.
    fn nested(&mut self, kind: &str, body: &Body, scope: &Scope<'_>, path: &str, values: &mut BodyValues) {
        let mut inner = BodyValues::default();
        let value = self.deeper(|evaluator| {
            evaluator.body(body, scope, &joined_name(path, kind), &mut inner);
            values.expressions.append(&mut inner.expressions);
            Value::map(inner.into_entries())
        });
        values.blocks.entry(kind.into()).or_default().push(value);
    }

    /// A block that is there once for each of some values.
    fn dynamic(&mut self, kind: &str, block: &Block, scope: &Scope<'_>, path: &str, values: &mut BodyValues) {
        let own_path = joined_name(path, kind);
        let content = block.body.blocks_of("content").next();
        let (Some(over), Some(content)) = (block.body.attribute("for_each"), content) else {
            let unknown = Value::unknown(Reason::Expression).computed("dynamic");
            values.refer(&own_path, &unknown);
            values.blocks.entry(kind.into()).or_default().push(unknown);
            return;
        };
        let iterator = block.body.attribute("iterator").and_then(|argument| argument.value.as_dotted());
        let iterator = iterator.as_deref().unwrap_or(kind);
        let repeated = self.evaluate(&over.value, scope);
        match dynamic_entries(&repeated).filter(|entries| entries.len() <= MAX_INSTANCES) {
            Some(entries) => {
                // No item: the blocks are there, and empty in number. Nothing is set.
                for (key, value) in entries {
                    let own = Entries::from([("key".into(), key), ("value".into(), value)]);
                    let bound = Bound { name: iterator, value: Value::map(own), outer: scope.bound };
                    let inner = Scope { bound: Some(&bound), ..*scope };
                    self.nested(kind, &content.body, &inner, path, values);
                }
            }
            None => {
                let unknown = Value::unknown(reason_of(&repeated))
                    .and_from(&repeated.all_from())
                    .computed("dynamic")
                    .secret_if(repeated.is_secret)
                    .written_as(over.written.as_deref());
                values.refer(&own_path, &unknown);
                values.blocks.entry(kind.into()).or_default().push(unknown);
            }
        }
    }
}

/// What a dynamic block repeats over: unlike resources, also lists, with their places as keys.
fn dynamic_entries(over: &Value) -> Option<Vec<(Value, Value)>> {
    match &over.data {
        Data::List(list) => {
            let entry = |(place, item): (usize, &Value)| (Value::number(place as f64), item.clone());
            Some(list.inner.iter().enumerate().map(entry).collect())
        }
        _ => each(over).map(|entries| {
            entries.into_iter().map(|(key, value)| (Value::new(Data::Text(key)), value)).collect()
        }),
    }
}

impl BodyValues {
    /// Keeps what the expression of an attribute refers to.
    fn refer(&mut self, path: &str, value: &Value) {
        let references = value.all_from();
        if !references.is_empty() {
            self.expressions.push(Expression { path: path.into(), references });
        }
    }

    /// Attributes and blocks together. Blocks of one kind are a list; if it is not known whether
    /// there is any, they are not known as a whole.
    fn into_entries(self) -> Entries {
        let mut entries = self.attributes;
        for (kind, blocks) in self.blocks {
            let value = match blocks.as_slice() {
                // An attribute and blocks of one name: which one counts is nobody's guess.
                _ if entries.contains_key(&kind) => {
                    Value::unknown(Reason::Expression).computed("given twice")
                }
                [only] if only.not_known().is_some() => only.clone(),
                _ => Value::list(blocks),
            };
            entries.insert(kind, value);
        }
        entries
    }
}

fn joined_name(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
