//! Makes the resources of the graph: each instance of each block of each module.

use super::evaluator::{Evaluator, ModuleId, ModuleInstance};
use super::module_source::{Declared, ModuleSource};
use super::providers::ProviderConfiguration;
use super::value::{BlockValue, Data, Value};
use crate::graph::{Action, Block, InstanceKey, ModulePath, Note, ReferredKey, Resource, Role};
use std::rc::Rc;

impl<'s> ModuleInstance<'s> {
    /// The root module.
    pub(super) fn root(source: &'s ModuleSource, folder: &str) -> Self {
        Self {
            source,
            folder: folder.into(),
            path: ModulePath::root(),
            call_path: "".into(),
            caller: None,
            may_be_absent: false,
            providers: None,
        }
    }
}

/// All resources, module by module, each in the order of its files.
pub(super) fn resources(evaluator: &mut Evaluator<'_>) -> Vec<Resource> {
    let mut made = Vec::new();
    let mut next = 0;
    // Modules that are called come behind their callers.
    while let Some(instance) = evaluator.modules.get(next) {
        let module = ModuleId(next);
        let source = instance.source;
        for (place, declared) in source.resources.iter().enumerate() {
            if evaluator.is_spent() {
                break;
            }
            let value = evaluator.expanded(module, place);
            let first = made.len();
            instances_of(evaluator, module, declared, &value, &mut made);
            let (kind, name) = declared.labels();
            if source.resources_of(declared.is_data(), kind, name).first() != Some(&place) {
                tell_apart(evaluator, declared, made.get_mut(first..).unwrap_or_default());
            }
        }
        for name in source.calls.keys() {
            evaluator.call(module, name);
        }
        next += 1;
        if evaluator.is_spent() {
            // It stands first: it is said even where many other things are.
            let text =
                "the source takes more steps to evaluate than a check accepts: not all of it was checked";
            evaluator.notes.insert(0, Note { blocks: true, text: text.to_owned(), place: None });
            break;
        }
    }
    made
}

/// Terraform refuses what is declared again under one name. Each is judged all the same, so that a
/// person sees what it says, and the check as a whole blocks.
fn tell_apart(evaluator: &mut Evaluator<'_>, declared: &Declared, again: &mut [Resource]) {
    let place = declared.place();
    for resource in again {
        resource.address = format!("{} (again, {}:{})", resource.address, place.file, place.line).into();
    }
    let (kind, name) = declared.labels();
    evaluator.note(format!("{kind}.{name} is declared again: Terraform refuses it"), Some(place));
}

fn instances_of(
    evaluator: &mut Evaluator<'_>,
    module: ModuleId,
    declared: &Declared,
    value: &Value,
    made: &mut Vec<Resource>,
) {
    match &value.data {
        Data::Block(block) => made.extend(resource(evaluator, module, declared, block, false)),
        Data::AnyBlock(block) => made.extend(resource(evaluator, module, declared, block, true)),
        Data::List(list) => {
            list.inner.iter().for_each(|item| instances_of(evaluator, module, declared, item, made));
        }
        Data::Map(map) => {
            map.inner.values().for_each(|item| instances_of(evaluator, module, declared, item, made));
        }
        _ => {
            let (kind, name) = declared.labels();
            let text =
                format!("{kind}.{name} is not checked: it takes more to evaluate than a check accepts");
            evaluator.note(text, Some(declared.place()));
        }
    }
}

/// One instance; none if the bound on work is met.
fn resource(
    evaluator: &mut Evaluator<'_>,
    module: ModuleId,
    declared: &Declared,
    block: &BlockValue,
    may_be_absent: bool,
) -> Option<Resource> {
    let provider = ProviderConfiguration::of(evaluator, module, declared);
    let tags = provider.all_tags(evaluator, block).map(|tags| (Rc::from("tags_all"), tags));
    let values = || block.attributes.iter().chain(tags.iter().map(|(name, tags)| (name, tags)));
    // A value of the graph weighs more than one that expressions share.
    let size = values().map(|(_, value)| value.size()).sum::<usize>().saturating_mul(2);
    let instance = evaluator.module(module)?;
    let (path, module_may_be_absent) = (instance.path.clone(), instance.may_be_absent);
    let (kind, name) = declared.labels();
    let within = if path.is_root() { String::new() } else { format!("{path}.") };
    let mut resource = Resource::new(&format!("{within}{}", block.written), kind, name);
    resource.provider = provider.shown(evaluator);
    resource.module = path;
    resource.key = instance_key(block);
    resource.role = if declared.is_data() { Role::Data } else { Role::Managed };
    resource.action = if declared.is_data() { Action::Read } else { Action::Create };
    resource.may_be_absent = may_be_absent || module_may_be_absent;
    resource.place = Some(declared.place());
    if !evaluator.spend(size) {
        let text =
            format!("{} is not checked: it takes more to evaluate than a check accepts", resource.address);
        evaluator.note(text, Some(declared.place()));
        return None;
    }
    let entries = values().map(|(name, value)| ((&**name).into(), value.clone().into_attribute()));
    // Names of a map are there once.
    resource.attributes = Block::new(entries.collect()).unwrap_or_default();
    resource.expressions = block.expressions.clone();
    Some(resource)
}

fn instance_key(block: &BlockValue) -> Option<InstanceKey> {
    match &block.reference.key {
        ReferredKey::Given(key) => Some(key.clone()),
        ReferredKey::NotGiven | ReferredKey::Computed => None,
    }
}
