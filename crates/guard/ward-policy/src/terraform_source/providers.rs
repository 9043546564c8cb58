//! Configurations of providers: which one a resource uses, and what it adds to the resource.

use super::evaluator::{Evaluator, ModuleId, Scope};
use super::module_source::{Declared, dynamic_kind};
use super::value::{BlockValue, Data, Value, joined};
use crate::graph::Reason;

/// A configuration of a provider, where it is declared.
pub(super) struct ProviderConfiguration {
    module: ModuleId,
    name: Box<str>,
}

impl ProviderConfiguration {
    /// The one that a resource uses: named by the resource or by its type, and handed down by calls.
    pub(super) fn of(evaluator: &Evaluator<'_>, module: ModuleId, declared: &Declared) -> Self {
        let (kind, _) = declared.labels();
        let by_kind = kind.split('_').next().unwrap_or(kind);
        let mut name: Box<str> = match declared.argument("provider") {
            None => by_kind.into(),
            Some(node) => node.as_dotted().map_or_else(|| format!("{by_kind}.(computed)").into(), Into::into),
        };
        let mut module = module;
        while let Some(instance) = evaluator.module(module) {
            let Some(caller) = &instance.caller else { break };
            let given = instance.providers.as_ref().and_then(|given| given.get(&name));
            match given {
                Some(given) => name = given.clone(),
                None if instance.source.providers.contains_key(&name) || name.contains('.') => break,
                // The configuration without an alias is handed down.
                None => {}
            }
            module = caller.module;
        }
        Self { module, name }
    }

    /// Its name, with the module that declares it if that is not the root.
    pub(super) fn shown(&self, evaluator: &Evaluator<'_>) -> Box<str> {
        match evaluator.module(self.module) {
            Some(instance) if !instance.path.is_root() => {
                format!("{}:{}", instance.path.without_keys(), self.name).into()
            }
            _ => self.name.clone(),
        }
    }

    /// The tags that the provider of AWS gives a resource: its own, and the defaults of the provider.
    /// None if there is neither.
    pub(super) fn all_tags(&self, evaluator: &mut Evaluator<'_>, block: &BlockValue) -> Option<Value> {
        let is_managed = block.reference.kind.starts_with("aws_") && !block.reference.is_data;
        if !is_managed || block.attributes.contains_key("tags_all") {
            return None;
        }
        let is_given = |value: &Value| !matches!(value.data, Data::Null);
        let own = block.attributes.get("tags").cloned().filter(is_given);
        let default = self.default_tags(evaluator).filter(is_given);
        let (own, default) = match (own, default) {
            (Some(own), Some(default)) => (own, default),
            (one, other) => return one.or(other),
        };
        let from = joined(&own.all_from(), &default.all_from());
        let is_secret = own.holds_secret() || default.holds_secret();
        let all = match (default.entries(), own.entries()) {
            (Some(default), Some(own)) => {
                let both = default.iter().chain(own);
                Value::map(both.map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            _ => Value::unknown(Reason::Expression).computed("default_tags"),
        };
        Some(all.and_from(&from).secret_if(is_secret))
    }

    fn default_tags(&self, evaluator: &mut Evaluator<'_>) -> Option<Value> {
        let source = evaluator.module(self.module)?.source;
        let body = &source.providers.get(&self.name)?.body;
        if body.blocks.iter().any(|block| dynamic_kind(block) == Some("default_tags")) {
            return Some(Value::unknown(Reason::Expression).computed("default_tags"));
        }
        let tags = body.blocks_of("default_tags").next()?.body.attribute("tags")?;
        Some(evaluator.evaluate(&tags.value, &Scope::of(self.module)).sealed().without_fault())
    }
}
