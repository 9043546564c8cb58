//! The pod that an object makes, at one place whatever its kind.

use super::objects::{Object, as_block};
use crate::graph::{Attribute, Block, Name, Reason, Unknown};

/// Where kinds hold the pod they make; empty where the object is the pod itself.
const POD_PLACES: [(&str, &[&str]); 9] = [
    ("Pod", &[]),
    ("PodTemplate", &["template"]),
    ("ReplicationController", &["spec", "template"]),
    ("apps/DaemonSet", &["spec", "template"]),
    ("apps/Deployment", &["spec", "template"]),
    ("apps/ReplicaSet", &["spec", "template"]),
    ("apps/StatefulSet", &["spec", "template"]),
    ("batch/CronJob", &["spec", "jobTemplate", "spec", "template"]),
    ("batch/Job", &["spec", "template"]),
];

/// Where kinds that no cluster brings along may hold one.
const OTHER_PLACES: [&[&str]; 2] = [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"]];

/// The three lists of containers of a pod.
const CONTAINER_LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// What a container takes from its pod if it doesn't say itself.
const INHERITED: [&str; 7] = [
    "runAsNonRoot",
    "runAsUser",
    "runAsGroup",
    "seccompProfile",
    "seLinuxOptions",
    "appArmorProfile",
    "windowsOptions",
];

/// A pod that an object makes.
pub(super) struct Pod {
    /// A block of its `metadata`, `spec` and `containers`; unknown if it can't be read.
    pub(super) attribute: Attribute,
    /// Whether rules know the kind of the object as one that makes pods.
    pub(super) is_of_known_kind: bool,
}

impl Pod {
    /// A part of it, if it is known.
    pub(super) fn get(&self, name: &str) -> Option<&Attribute> {
        as_block(&self.attribute).and_then(|block| block.get(name))
    }
}

/// The pod that an object makes, if it makes one.
pub(super) fn pod_of(object: &Object) -> Option<Pod> {
    if let Some((_, place)) = POD_PLACES.iter().find(|(kind, _)| *kind == &*object.kind) {
        let pod = at(&object.body, place).and_then(pod_block);
        // It makes a pod: that nobody can see which must not look like a pod of nothing.
        return Some(Pod { attribute: pod.unwrap_or_else(unreadable), is_of_known_kind: true });
    }
    let mut places = OTHER_PLACES.iter().filter_map(|place| at(&object.body, place));
    let pod = places.find(|template| has_containers(template)).and_then(pod_block)?;
    Some(Pod { attribute: pod, is_of_known_kind: false })
}

fn pod_block(template: &Block) -> Option<Attribute> {
    let spec = template.get("spec").filter(|spec| matches!(spec, Attribute::Block(_)))?;
    let mut entries: Vec<(Name, Attribute)> =
        vec![("spec".into(), spec.clone()), ("containers".into(), containers(spec))];
    entries.extend(template.get("metadata").map(|metadata| ("metadata".into(), metadata.clone())));
    Block::new(entries).ok().map(Attribute::Block)
}

fn unreadable() -> Attribute {
    let mut unknown = Unknown::new(Reason::Expression, Vec::new().into());
    unknown.written = Some("no pod that Ward can read".into());
    Attribute::Unknown(Box::new(unknown))
}

fn at<'o>(body: &'o Block, place: &[&str]) -> Option<&'o Block> {
    place.iter().try_fold(body, |block, name| block.get(name).and_then(as_block))
}

fn has_containers(template: &Block) -> bool {
    let spec = template.get("spec").and_then(as_block);
    matches!(spec.and_then(|spec| spec.get("containers")), Some(Attribute::List(_)))
}

/// Every container of a pod, each with the security context that holds for it.
fn containers(spec: &Attribute) -> Attribute {
    let Attribute::Block(spec) = spec else { return spec.clone() };
    let shared = spec.get("securityContext").and_then(as_block);
    let mut all = Vec::new();
    for name in CONTAINER_LISTS {
        match spec.get(name) {
            Some(Attribute::List(items)) => all.extend(items.iter().map(|item| with_inherited(item, shared))),
            None | Some(Attribute::Null) => {}
            // Another shape, or not known: no rule may take it for an empty list.
            Some(other) => all.push(other.clone()),
        }
    }
    Attribute::list(all)
}

fn with_inherited(container: &Attribute, shared: Option<&Block>) -> Attribute {
    let (Attribute::Block(container), Some(shared)) = (container, shared) else { return container.clone() };
    let own = match container.get("securityContext") {
        None | Some(Attribute::Null) => Block::default(),
        Some(Attribute::Block(own)) => own.clone(),
        Some(_) => return Attribute::Block(container.clone()),
    };
    let mut context = own.into_entries();
    for name in INHERITED {
        let Some(value) = shared.get(name) else { continue };
        match context.iter_mut().find(|(own, _)| &**own == name) {
            Some((_, own)) if *own == Attribute::Null => *own = value.clone(),
            Some(_) => {}
            None => context.push((name.into(), value.clone())),
        }
    }
    let mut entries = container.clone().into_entries();
    entries.retain(|(name, _)| &**name != "securityContext");
    if !context.is_empty()
        && let Ok(context) = Block::new(context)
    {
        entries.push(("securityContext".into(), Attribute::Block(context)));
    }
    // Each name comes from one block, and from there once.
    Block::new(entries).map_or_else(|_| Attribute::Block(container.clone()), Attribute::Block)
}
