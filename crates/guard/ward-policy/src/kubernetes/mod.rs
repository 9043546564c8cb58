//! Manifests of Kubernetes, in YAML or JSON, as they are applied.
//!
//! Objects keep the shape they are written in. Beside it each has two blocks that rules read:
//! `links`, with what it points at, and `pod`, with the pod it makes, at one place whatever the kind.

mod ingress;
mod links;
mod objects;
mod pods;
mod selectors;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use objects::{Object, group_and_kind};

use crate::graph::{Attribute, Block, Format, Graph, Name, Note, Place, Resource, Sensitive};
use crate::input_error::InputError;
use crate::limits::MAX_RESOURCES;
use crate::secret_names::with_hidden_secrets;
use crate::source_documents::read_documents;
use crate::yaml::{YamlNode, YamlValue};
use links::{Links, name_within_kind};
use objects::Read;
use pods::{Pod, pod_of};
use std::collections::HashMap;
use values::{Fault, chart_mark};

/// Names that Ward gives beside what an object holds; no object of a cluster has them.
const GIVEN_NAMES: [&str; 2] = ["links", "pod"];

/// Kinds that deploy what stands elsewhere.
const DEPLOYERS: [&str; 5] = [
    "argoproj.io/Application",
    "helm.cattle.io/HelmChart",
    "helm.toolkit.fluxcd.io/HelmRelease",
    "kustomize.config.k8s.io/Kustomization",
    "kustomize.toolkit.fluxcd.io/Kustomization",
];

/// One file of manifests.
#[derive(Debug, Clone, Copy)]
pub struct ManifestFile<'a> {
    /// What reports call it.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// Reads manifests that are applied together: objects of one file may point at those of another.
///
/// # Errors
/// [`InputError`] when a file is neither YAML nor JSON, or a chart that was not rendered.
pub fn read_kubernetes(files: &[ManifestFile<'_>]) -> Result<Graph, InputError> {
    let mut objects = Vec::new();
    let mut notes = Vec::new();
    for source in files {
        let read = read_file(*source, files.len() > 1)?;
        let note = |line: u32| Note {
            blocks: true,
            text: "this is no object of Kubernetes: it was not checked".to_owned(),
            place: Some(Place { file: source.file.into(), line }),
        };
        notes.extend(read.others.into_iter().map(note));
        objects.extend(read.objects);
    }
    graph_of(Format::Kubernetes, objects, notes)
}

/// The graph of objects that are there together.
pub(crate) fn graph_of(
    format: Format,
    objects: Vec<Object>,
    mut notes: Vec<Note>,
) -> Result<Graph, InputError> {
    // Said before links are made: they are many more.
    if objects.len() > MAX_RESOURCES {
        return Err(crate::graph::GraphError::TooManyResources.into());
    }
    notes.extend(objects.iter().filter_map(deployer_note));
    let pods: Vec<Option<Pod>> = objects.iter().map(pod_of).collect();
    let mut links = Links::new(&objects, &pods);
    let mut resources = Vec::with_capacity(objects.len());
    let mut count_of: HashMap<Box<str>, u32> = HashMap::new();
    for (object, pod) in objects.iter().zip(&pods) {
        let address = object.address();
        let count = count_of.entry(address.clone()).or_insert(0);
        *count += 1;
        // An object that is written twice is judged twice: which one holds depends on the order.
        let address = if *count == 1 { address } else { format!("{address} #{count}").into() };
        let links = links.of(object, pod.as_ref());
        resources.extend(resource(object, &address, &links, pod.as_ref()));
    }
    Ok(Graph::new(format, resources, notes)?)
}

fn read_file(source: ManifestFile<'_>, is_one_of_several: bool) -> Result<Read, InputError> {
    let unread = |error: InputError| match error {
        InputError::NotYaml { .. } | InputError::NotJson { .. } => match chart_mark(source.text) {
            Some(before) => unrendered(source, before.lines().count(), is_one_of_several),
            None if is_one_of_several => in_file(source, error),
            None => error,
        },
        other if is_one_of_several => in_file(source, other),
        other => other,
    };
    let mut read = Read::default();
    for document in read_documents(source.text).map_err(unread)? {
        if is_empty(&document) {
            continue;
        }
        // Several manifests of JSON may stand in one list.
        let nodes = document.as_items().unwrap_or(std::slice::from_ref(&document));
        for node in nodes {
            read.take(source.file, node, None).map_err(|fault| match fault {
                Fault::Template { line } => {
                    unrendered(source, crate::source_documents::line_number(line), is_one_of_several)
                }
                Fault::Input(error) => unread(error),
            })?;
        }
    }
    Ok(read)
}

fn is_empty(document: &YamlNode) -> bool {
    matches!(&document.value, YamlValue::Scalar { .. }) && document.scalar() == Some(Attribute::Null)
}

/// Whoever gave several files has to know which one it is.
fn in_file(source: ManifestFile<'_>, error: InputError) -> InputError {
    InputError::InFile { file: source.file.into(), error: Box::new(error) }
}

fn unrendered(source: ManifestFile<'_>, line: usize, is_one_of_several: bool) -> InputError {
    let file = if is_one_of_several { format!("{}: ", source.file) } else { String::new() };
    InputError::UnknownFormat {
        what: format!(
            "{file}line {line}: a template that was not rendered, or a key that is no text. Ward checks what \
             is applied: render it first, as with `helm template`, and check what comes out"
        ),
    }
}

fn deployer_note(object: &Object) -> Option<Note> {
    DEPLOYERS.contains(&&*object.kind).then(|| Note {
        blocks: true,
        text: format!(
            "{} deploys what stands elsewhere: render it first, and check what comes out",
            object.address()
        ),
        place: Some(object.place.clone()),
    })
}

/// The resources of an object: itself, and the pod that it makes if rules don't know its kind.
fn resource(object: &Object, address: &str, links: &Block, pod: Option<&Pod>) -> Vec<Resource> {
    let mut own = Resource::new(address, &object.kind, &name_within_kind(object));
    own.place = Some(object.place.clone());
    own.attributes = body(object, links, pod);
    let mut resources = vec![own];
    if let Some(pod) = pod.filter(|pod| !pod.is_of_known_kind) {
        let name = format!("{}/pod", name_within_kind(object));
        let mut made = Resource::new(&format!("{address}/pod"), "Pod", &name);
        made.place = Some(object.place.clone());
        let entries = vec![("pod".into(), pod.attribute.clone()), given("links", links.clone())];
        made.attributes = with_hidden_secrets(Block::new(entries).unwrap_or_default());
        resources.push(made);
    }
    resources
}

fn given(name: &str, block: Block) -> (Name, Attribute) {
    (name.into(), Attribute::Block(block))
}

/// What an object holds, and what Ward gives beside it.
fn body(object: &Object, links: &Block, pod: Option<&Pod>) -> Block {
    let mut entries = object.body.clone().into_entries();
    entries.retain(|(name, _)| !GIVEN_NAMES.contains(&&**name));
    if &*object.kind == "Secret" {
        for (name, value) in &mut entries {
            if matches!(&**name, "data" | "stringData") {
                *value = Attribute::Sensitive(Sensitive::new(value.clone()));
            }
        }
    }
    entries.push(given("links", links.clone()));
    entries.extend(pod.map(|pod| ("pod".into(), pod.attribute.clone())));
    // Names of the object are distinct, and those given were taken out of it.
    with_hidden_secrets(Block::new(entries).unwrap_or_default())
}
