//! Whether a key that is known is one's own: its name alone does not say who chose it.

use super::truth::Truth;
use super::value_test::is_key_of_aws;
use crate::graph::{Attribute, Format, Graph, Resource, Role};
use std::collections::HashSet;

/// Data sources that read a key of AWS, or the name of one.
const KEY_SOURCES: [&str; 2] = ["aws_kms_key", "aws_kms_alias"];
/// Attributes of them that name the key.
const KEY_NAMES: [&str; 6] = ["arn", "id", "key_id", "target_key_arn", "target_key_id", "name"];

/// Keys that the deployment reads and that AWS keeps for one of its services.
pub(super) fn keys_of_aws(graph: &Graph) -> HashSet<Box<str>> {
    let sources = KEY_SOURCES.into_iter().flat_map(|kind| graph.data_of_kind(kind));
    let of_aws = sources.filter(|source| {
        let manager = source.attributes.get("key_manager");
        let is_of_aws = matches!(manager, Some(Attribute::Text(manager)) if &**manager == "AWS");
        is_of_aws || KEY_NAMES.iter().any(|name| source.attributes.get(name).is_some_and(is_key_of_aws))
    });
    let names = of_aws.flat_map(|source| KEY_NAMES.into_iter().filter_map(|name| source.attributes.get(name)));
    names
        .filter_map(|name| match name {
            Attribute::Text(text) => Some(text.clone()),
            _ => None,
        })
        .collect()
}

/// What is known against a key that a resource has, if something is.
pub(super) fn doubt(
    graph: &Graph,
    keys_of_aws: &HashSet<Box<str>>,
    resource: &Resource,
    path: &str,
    key: &Attribute,
) -> Option<(Truth, &'static str)> {
    let key = match key {
        Attribute::Sensitive(secret) => secret.value(),
        key => key,
    };
    if matches!(key, Attribute::Text(text) if keys_of_aws.contains(text)) {
        return Some((Truth::No, "a data source says that AWS keeps this key"));
    }
    if graph.format() == Format::TerraformState || resource.role == Role::Existing {
        return Some((Truth::Maybe, "a state does not say who chose the key"));
    }
    let mut chosen = resource.chosen.iter().filter(|chosen| &*chosen.path == path);
    let first = chosen.next()?;
    if first.is_sure {
        Some((Truth::No, "not set in the configuration: the provider chose it"))
    } else {
        Some((Truth::Maybe, "the configuration of the plan does not say who chose it"))
    }
}
