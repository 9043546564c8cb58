//! The resource graph: what every input format becomes, and what every rule looks at.
//!
//! A format reader makes [`Resource`]s and [`Note`]s and gives them to [`Graph::new`]. It never
//! guesses: what it cannot evaluate is [`Attribute::Unknown`] with a [`Reason`] and its references,
//! what is not written is left out of the tree, what is secret is [`Sensitive`].

mod address;
mod attribute;
mod inputs;
mod lookup;
mod resource;
mod sensitive;
mod unknown;

pub use address::{AddressPart, InstanceKey, ModulePath, ModuleStep, split_address};
pub(crate) use attribute::FEW_NAMES;
pub use attribute::{Attribute, Block, Name};
pub use inputs::{Inputs, Texts};
pub use lookup::{AttributePath, Reached, State, reach, reach_from};
pub(crate) use lookup::{Places, places, reach_untold};
pub use resource::{Action, Chosen, Expression, Place, Resource, Role};
pub use sensitive::{HIDDEN, Sensitive};
pub use unknown::{BlockReference, Reason, Reference, References, Referent, ReferredKey, Unknown};

use crate::limits::MAX_RESOURCES;
use std::collections::HashMap;
use std::sync::OnceLock;

/// What stands behind the id of a storage account of Azure where its blobs are meant: Azure takes a setting
/// about the log of reads and writes only there.
pub(crate) const BLOBS_OF_ACCOUNT: &str = "/blobServices/default";

/// What comes before the name of a storage account in its id. Azure reads ids in any case.
const STORAGE_ACCOUNT: [&str; 2] = ["storageAccounts", "Microsoft.Storage"];

/// The id of the storage account whose blobs a text means; any other text as it is.
pub(crate) fn account_of_blobs(text: &str) -> &str {
    let Some(account) = text.strip_suffix(BLOBS_OF_ACCOUNT) else { return text };
    let mut parts = account.rsplit('/');
    let is_named = parts.next().is_some_and(|name| !name.is_empty());
    let is_account =
        STORAGE_ACCOUNT.iter().all(|kind| parts.next().is_some_and(|part| part.eq_ignore_ascii_case(kind)));
    if is_named && is_account { account } else { text }
}

/// The format that an input was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A Terraform plan as JSON.
    TerraformPlan,
    /// A Terraform state as JSON.
    TerraformState,
    /// Terraform source files without a plan.
    TerraformSource,
    /// A CloudFormation template.
    CloudFormation,
    /// Kubernetes manifests.
    Kubernetes,
    /// One object of a running cluster, without the others around it.
    ClusterObject,
}

impl Format {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TerraformPlan => "Terraform plan",
            Self::TerraformState => "Terraform state",
            Self::TerraformSource => "Terraform source",
            Self::CloudFormation => "CloudFormation template",
            Self::Kubernetes => "Kubernetes manifests",
            Self::ClusterObject => "object of a cluster",
        }
    }
}

/// Something about the whole input that a person must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether the check as a whole can't be more than indeterminate because of it.
    pub blocks: bool,
    /// In a sentence.
    pub text: String,
    /// Where, if it has a place.
    pub place: Option<Place>,
}

/// A resource of one graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(u32);

/// What a reference leads to in a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// Exactly this resource.
    One(ResourceId),
    /// One of these, or all; which is not known before the deployment.
    Several(Vec<ResourceId>),
    /// Nothing of this graph.
    Nothing,
}

/// Why a graph was not built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// More resources than a check accepts. The caller splits the input.
    #[error("the input has more than {MAX_RESOURCES} resources")]
    TooManyResources,
    /// Two resources have one address. The input is not what its tool writes.
    #[error("the resource {address} is there twice")]
    Twice {
        /// The address.
        address: Box<str>,
    },
}

/// All resources of one input, with the ways between them.
#[derive(Debug)]
pub struct Graph {
    format: Format,
    resources: Vec<Resource>,
    notes: Vec<Note>,
    by_kind: HashMap<Box<str>, Vec<ResourceId>>,
    /// Made when somebody asks for it: many inputs refer to nothing.
    by_block: OnceLock<HashMap<Box<str>, Vec<ResourceId>>>,
    by_address: HashMap<Box<str>, ResourceId>,
    inputs: Inputs,
}

impl Graph {
    /// A graph of these resources.
    ///
    /// # Errors
    /// [`GraphError`] when there are too many, or an address is there twice. A drifted resource
    /// shares the address of the planned one.
    pub fn new(format: Format, resources: Vec<Resource>, notes: Vec<Note>) -> Result<Self, GraphError> {
        if resources.len() > MAX_RESOURCES {
            return Err(GraphError::TooManyResources);
        }
        let mut graph = Self {
            format,
            notes,
            by_kind: HashMap::new(),
            by_block: OnceLock::new(),
            by_address: HashMap::with_capacity(resources.len()),
            inputs: Inputs::default(),
            resources,
        };
        for (resource, number) in graph.resources.iter().zip(0..) {
            let id = ResourceId(number);
            // What was found beside the code is judged, and is nobody's companion.
            if resource.role == Role::Drifted {
                continue;
            }
            if graph.by_address.insert(resource.address.clone(), id).is_some() {
                return Err(GraphError::Twice { address: resource.address.clone() });
            }
            if !graph.by_kind.contains_key(&resource.kind) {
                graph.by_kind.insert(resource.kind.clone(), Vec::new());
            }
            graph.by_kind.get_mut(&resource.kind).into_iter().for_each(|ids| ids.push(id));
        }
        Ok(graph)
    }

    /// The resources by their blocks in the source.
    fn by_block(&self) -> &HashMap<Box<str>, Vec<ResourceId>> {
        self.by_block.get_or_init(|| {
            let mut by_block: HashMap<Box<str>, Vec<ResourceId>> = HashMap::with_capacity(self.len());
            for (id, resource) in self.resources().filter(|(_, resource)| resource.role != Role::Drifted) {
                let is_data = resource.role == Role::Data;
                let block = block_key(&resource.module, is_data, &resource.kind, &resource.name);
                by_block.entry(block).or_default().push(id);
            }
            by_block
        })
    }

    /// The same graph, with what was given to its inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: Inputs) -> Self {
        Self { inputs, ..self }
    }

    /// What was given to its inputs, as far as the format tells.
    #[must_use]
    pub const fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The format of the input.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// What must be known about the whole input.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Every resource, in the order of the input.
    pub fn resources(&self) -> impl Iterator<Item = (ResourceId, &Resource)> {
        self.resources.iter().zip(0..).map(|(resource, number)| (ResourceId(number), resource))
    }

    /// How many resources there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// One resource. An id of another graph may find nothing.
    #[must_use]
    pub fn get(&self, id: ResourceId) -> Option<&Resource> {
        self.resources.get(usize::try_from(id.0).ok()?)
    }

    /// The resource of an address.
    #[must_use]
    pub fn at(&self, address: &str) -> Option<(ResourceId, &Resource)> {
        let id = *self.by_address.get(address)?;
        Some((id, self.get(id)?))
    }

    /// The resources of a type that are there once the deployment is done. Data sources and drifted
    /// ones are left out.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = (ResourceId, &Resource)> {
        let ids = self.by_kind.get(kind).map(Vec::as_slice).unwrap_or_default();
        ids.iter()
            .filter_map(|id| Some((*id, self.get(*id)?)))
            .filter(|(_, resource)| resource.action.leaves_it() && resource.role != Role::Data)
    }

    /// The data sources of a type.
    pub fn data_of_kind(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        let ids = self.by_kind.get(kind).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.get(*id)).filter(|resource| resource.role == Role::Data)
    }

    /// What a reference leads to.
    #[must_use]
    pub fn resolve(&self, reference: &BlockReference) -> Resolved {
        let block = block_key(&reference.module, reference.is_data, &reference.kind, &reference.name);
        let ids = self.by_block().get(&block).map(Vec::as_slice).unwrap_or_default();
        let is_meant = |id: &&ResourceId| {
            self.get(**id).is_some_and(|resource| {
                resource.action.leaves_it()
                    && has_keys(&resource.module, &reference.module)
                    && match &reference.key {
                        ReferredKey::Given(key) => resource.key.as_ref() == Some(key),
                        ReferredKey::NotGiven | ReferredKey::Computed => true,
                    }
            })
        };
        let mut meant: Vec<ResourceId> = ids.iter().filter(is_meant).copied().collect();
        match (meant.pop(), meant.is_empty()) {
            (None, _) => Resolved::Nothing,
            // A computed key may also name an instance that is not there.
            (Some(only), true) if reference.key != ReferredKey::Computed => Resolved::One(only),
            (Some(last), _) => {
                meant.push(last);
                Resolved::Several(meant)
            }
        }
    }
}

/// Whether a module has the keys that a reference gives; a step without key means any instance.
fn has_keys(module: &ModulePath, meant: &ModulePath) -> bool {
    let steps = module.steps().iter().zip(meant.steps());
    module.steps().len() == meant.steps().len()
        && steps.into_iter().all(|(own, meant)| meant.key.is_none() || own.key == meant.key)
}

/// How a block stands in the source, without the keys of instances.
fn block_key(module: &ModulePath, is_data: bool, kind: &str, name: &str) -> Box<str> {
    let data = if is_data { "data." } else { "" };
    let block = [data, kind, ".", name].concat();
    if module.is_root() { block.into() } else { format!("{}.{block}", module.without_keys()).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(module: &str, key: Option<u64>) -> Resource {
        let module = ModulePath::parse(module).unwrap();
        let mut bucket = Resource::new(&format!("{module}.aws_s3_bucket.b{key:?}"), "aws_s3_bucket", "b");
        bucket.module = module;
        bucket.key = key.map(InstanceKey::Index);
        bucket
    }

    fn to(module: &str, key: ReferredKey) -> BlockReference {
        BlockReference {
            module: ModulePath::parse(module).unwrap(),
            is_data: false,
            kind: "aws_s3_bucket".into(),
            name: "b".into(),
            key,
            attribute: "id".into(),
        }
    }

    #[test]
    fn references_find_one_instance_several_or_none() {
        let resources = vec![
            bucket("", Some(0)),
            bucket("", Some(1)),
            bucket("module.m[0]", None),
            bucket("module.m[1]", None),
            bucket("module.n", None),
        ];
        let graph = Graph::new(Format::TerraformPlan, resources, vec![]).unwrap();
        let given = |index| ReferredKey::Given(InstanceKey::Index(index));
        assert_eq!(graph.resolve(&to("", given(1))), Resolved::One(ResourceId(1)));
        assert_eq!(graph.resolve(&to("", given(2))), Resolved::Nothing);
        assert!(
            matches!(graph.resolve(&to("", ReferredKey::NotGiven)), Resolved::Several(both) if both.len() == 2)
        );
        assert_eq!(graph.resolve(&to("module.m[1]", ReferredKey::NotGiven)), Resolved::One(ResourceId(3)));
        assert!(matches!(graph.resolve(&to("module.m", ReferredKey::NotGiven)), Resolved::Several(_)));
        assert_eq!(graph.resolve(&to("module.n", ReferredKey::NotGiven)), Resolved::One(ResourceId(4)));
        assert!(matches!(graph.resolve(&to("module.n", ReferredKey::Computed)), Resolved::Several(_)));
        assert_eq!(graph.resolve(&to("module.o", ReferredKey::NotGiven)), Resolved::Nothing);
    }

    #[test]
    fn fails_closed_only_the_blobs_of_a_storage_account_are_the_account() {
        let account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a";
        assert_eq!(account_of_blobs(&format!("{account}{BLOBS_OF_ACCOUNT}")), account);
        let other_case = account.to_lowercase();
        assert_eq!(account_of_blobs(&format!("{other_case}{BLOBS_OF_ACCOUNT}")), other_case);
        for other in [
            account.to_owned(),
            format!("a{BLOBS_OF_ACCOUNT}"),
            BLOBS_OF_ACCOUNT.to_owned(),
            format!("{account}/{BLOBS_OF_ACCOUNT}"),
            format!("{account}/b{BLOBS_OF_ACCOUNT}"),
            format!("{}{BLOBS_OF_ACCOUNT}", account.replace("Microsoft.Storage", "Microsoft.Other")),
            format!("{}{BLOBS_OF_ACCOUNT}", account.replace("storageAccounts", "vaults")),
            format!("{account}/queueServices/default"),
        ] {
            assert_eq!(account_of_blobs(&other), other);
        }
    }

    #[test]
    fn what_is_removed_is_nobodys_companion() {
        let mut gone = bucket("", None);
        gone.action = Action::Delete;
        let graph = Graph::new(Format::TerraformPlan, vec![gone], vec![]).unwrap();
        assert_eq!(graph.of_kind("aws_s3_bucket").count(), 0);
        assert_eq!(graph.resolve(&to("", ReferredKey::NotGiven)), Resolved::Nothing);
    }

    #[test]
    fn an_address_twice_is_refused_and_a_drifted_one_is_not() {
        let mut drifted = bucket("", None);
        drifted.role = Role::Drifted;
        let twice = vec![bucket("", None), bucket("", None)];
        assert!(matches!(Graph::new(Format::TerraformPlan, twice, vec![]), Err(GraphError::Twice { .. })));
        let graph = Graph::new(Format::TerraformPlan, vec![bucket("", None), drifted], vec![]).unwrap();
        assert_eq!((graph.len(), graph.of_kind("aws_s3_bucket").count()), (2, 1));
    }

    #[test]
    fn resources_at_the_limit_and_one_past() {
        let some = |count: usize| {
            (0..count).map(|at| Resource::new(&at.to_string(), "k", &at.to_string())).collect::<Vec<_>>()
        };
        assert!(Graph::new(Format::Kubernetes, some(MAX_RESOURCES), vec![]).is_ok());
        let over = Graph::new(Format::Kubernetes, some(MAX_RESOURCES + 1), vec![]);
        assert!(matches!(over, Err(GraphError::TooManyResources)));
    }
}
