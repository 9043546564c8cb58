//! Whether a key that is known is one's own: its name alone does not say who chose it.

use super::truth::Truth;
use super::value_test::is_key_of_aws;
use crate::graph::{Attribute, Format, Graph, Referent, Resource, Role, Texts};

/// Resources and data sources that are a key, or the name of one.
const KEYS: [&str; 5] = [
    "aws_kms_key",
    "aws_kms_alias",
    "aws_kms_replica_key",
    "aws_kms_external_key",
    "aws_kms_replica_external_key",
];
/// Attributes of them that name the key.
const KEY_NAMES: [&str; 6] = ["arn", "id", "key_id", "target_key_arn", "target_key_id", "name"];
/// Data sources that read what another deployment left.
const ELSEWHERE: [&str; 2] = ["terraform_remote_state", "tfe_outputs"];

/// The keys that a deployment tells of.
#[derive(Debug, Default)]
pub(super) struct ToldKeys {
    /// Those that it reads, and that AWS keeps for one of its services.
    of_aws: Texts,
    /// Those that it makes, or reads.
    of_ones_own: Texts,
}

impl ToldKeys {
    pub(super) fn of(graph: &Graph) -> Self {
        let read = || KEYS.into_iter().flat_map(|kind| graph.data_of_kind(kind));
        let made = KEYS.into_iter().flat_map(|kind| graph.of_kind(kind).map(|(_, key)| key));
        let elsewhere = ELSEWHERE.into_iter().flat_map(|kind| graph.data_of_kind(kind));
        let own = made.chain(read().filter(|source| !is_of_aws(source))).flat_map(names);
        let elsewhere = elsewhere.flat_map(|one| one.attributes.entries().map(|(_, value)| value));
        Self {
            of_aws: Texts::of(read().filter(|source| is_of_aws(source)).flat_map(names)),
            of_ones_own: Texts::of(own.chain(elsewhere)),
        }
    }
}

/// Whether a data source reads a key that AWS keeps for one of its services.
fn is_of_aws(source: &Resource) -> bool {
    let manager = source.attributes.get("key_manager");
    matches!(manager, Some(Attribute::Text(manager)) if &**manager == "AWS")
        || names(source).any(is_key_of_aws)
}

fn names(key: &Resource) -> impl Iterator<Item = &Attribute> {
    KEY_NAMES.into_iter().filter_map(|name| key.attributes.get(name))
}

/// What is known against a key that a resource has, if something is.
pub(super) fn doubt(
    graph: &Graph,
    told: &ToldKeys,
    resource: &Resource,
    path: &str,
    key: &Attribute,
) -> Option<(Truth, &'static str)> {
    let key = match key {
        Attribute::Sensitive(secret) => secret.value(),
        key => key,
    };
    let Attribute::Text(key) = key else { return None };
    if told.of_aws.hold(key) {
        return Some((Truth::No, "a data source says that AWS keeps this key"));
    }
    if graph.format() == Format::TerraformState || resource.role == Role::Existing {
        return Some((Truth::Maybe, "a state does not say who chose the key"));
    }
    if let Some(chosen) = resource.choice_at(path) {
        return Some(if chosen.is_sure {
            (Truth::No, "not set in the configuration: the provider chose it")
        } else {
            (Truth::Maybe, "the configuration of the plan does not say who chose it")
        });
    }
    // An input or a local may be null: then the provider chose it.
    let may_be_null = |to: &Referent| !matches!(to, Referent::Block(_) | Referent::OwnKey);
    let references = resource.references_of(path).flat_map(|references| references.iter());
    let is_doubtful = graph.format() == Format::TerraformPlan
        && references.into_iter().any(|reference| may_be_null(&reference.to))
        && !told.of_ones_own.hold(key)
        && !graph.inputs().all.hold(key);
    is_doubtful.then_some((Truth::Maybe, "what it refers to may be null, and then the provider chose it"))
}
