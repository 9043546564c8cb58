//! What objects point at: by label, by name, in their namespace.
//!
//! Each object gets a block `links`. `self` is its own address; the other names hold addresses of
//! what it points at, one text each. Where a namespace or a label is not known, the item is unknown
//! and names what it may be. `plain_hosts` are hosts for which an ingress has rules and no TLS.

use super::ingress::plain_hosts;
use super::objects::{Object, address, as_block, as_text, is_of_cluster};
use super::pods::Pod;
use super::selectors::{Match, has_all, means};
use crate::graph::{
    Attribute, Block, BlockReference, ModulePath, Reason, Reference, Referent, ReferredKey, Unknown,
};
use crate::limits::{MAX_LINK_STEPS, MAX_REFERENCE_STEPS, MAX_SELECTED};
use std::collections::HashMap;

const ROLE_BINDINGS: [&str; 2] =
    ["rbac.authorization.k8s.io/ClusterRoleBinding", "rbac.authorization.k8s.io/RoleBinding"];
const NETWORK_POLICY: &str = "networking.k8s.io/NetworkPolicy";
const SERVICE: &str = "Service";
/// Kinds that mean pods by their labels.
const SELECTING_KINDS: [&str; 3] = [NETWORK_POLICY, SERVICE, "policy/PodDisruptionBudget"];
const STORAGE_CLASS: &str = "storage.k8s.io/StorageClass";
const INGRESS: &str = "networking.k8s.io/Ingress";
const CLAIM: &str = "PersistentVolumeClaim";

/// All objects of a check, to find what one of them points at.
pub(super) struct Links<'o> {
    objects: &'o [Object],
    pods: &'o [Option<Pod>],
    by_name: HashMap<(&'o str, &'o str), Vec<&'o Object>>,
    /// How many links selectors may still make.
    left: usize,
    /// How many objects may still be looked at.
    steps_left: usize,
}

impl<'o> Links<'o> {
    pub(super) fn new(objects: &'o [Object], pods: &'o [Option<Pod>]) -> Self {
        let mut by_name: HashMap<_, Vec<&Object>> = HashMap::with_capacity(objects.len());
        for object in objects {
            by_name.entry((&*object.kind, &*object.name)).or_default().push(object);
        }
        Self { objects, pods, by_name, left: MAX_SELECTED, steps_left: MAX_LINK_STEPS }
    }

    /// The links of one object.
    pub(super) fn of(&mut self, object: &Object, pod: Option<&Pod>) -> Block {
        let mut links = vec![("self".into(), Attribute::Text(object.address()))];
        let mut link = |name: &str, to: Vec<Attribute>| {
            if !to.is_empty() {
                links.push((name.into(), Attribute::list(to)));
            }
        };
        if let Some(namespace) = &object.namespace {
            link("namespace", vec![Attribute::Text(address(None, "Namespace", namespace))]);
        }
        link("selects", self.selected_by(object));
        let spec = object.body.get("spec").and_then(as_block);
        if &*object.kind == INGRESS {
            let mut services = self.named_all(object, SERVICE, spec.map(services_of).unwrap_or_default());
            add_open(&mut services, object.body.get("spec"));
            link("services", services);
            link("plain_hosts", spec.map(plain_hosts).unwrap_or_default());
        }
        if ROLE_BINDINGS.contains(&&*object.kind) {
            link("role", self.role(object).into_iter().collect());
            let mut subjects = self.subjects(object);
            add_open(&mut subjects, object.body.get("subjects"));
            link("subjects", subjects);
        }
        let classes = spec.map(|spec| classes_of(&object.kind, spec)).unwrap_or_default();
        link("storage_classes", self.named_all(object, STORAGE_CLASS, classes));
        if let Some(spec) = pod.and_then(|pod| pod.get("spec")).and_then(as_block) {
            let account = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount"));
            let account =
                account.cloned().filter(|name| *name != Attribute::Null).unwrap_or("default".into());
            link("service_account", self.named_all(object, "ServiceAccount", vec![account]));
            let mut claims = self.named_all(object, CLAIM, claims_of(spec));
            add_open(&mut claims, spec.get("volumes"));
            link("claims", claims);
        }
        // The names are distinct.
        Block::new(links).unwrap_or_default()
    }

    /// Objects whose pods the selector of this one means.
    fn selected_by(&mut self, object: &Object) -> Vec<Attribute> {
        if !SELECTING_KINDS.contains(&&*object.kind) {
            return Vec::new();
        }
        let spec = match object.body.get("spec") {
            Some(Attribute::Block(spec)) => spec,
            None | Some(Attribute::Null) => return Vec::new(),
            Some(_) => return vec![open(&[])],
        };
        if !self.takes_steps(self.objects.len()) {
            return vec![open(&[])];
        }
        let mut found = Vec::new();
        for (other, pod) in self.objects.iter().zip(self.pods) {
            let Some(pod) = pod else { continue };
            let verdict = in_same_namespace(object, other).and(selects(&object.kind, spec, labels_of(pod)));
            if verdict == Match::No {
                continue;
            }
            if self.left == 0 {
                return vec![open(&[])];
            }
            self.left -= 1;
            found.push(if verdict == Match::Yes { Attribute::Text(other.address()) } else { open(&[other]) });
        }
        found
    }

    /// Takes so many steps, if there are so many left.
    fn takes_steps(&mut self, steps: usize) -> bool {
        match self.steps_left.checked_sub(steps) {
            Some(left) => self.steps_left = left,
            None => self.steps_left = 0,
        }
        self.steps_left > 0
    }

    fn named_all(&mut self, object: &Object, kind: &str, names: Vec<Attribute>) -> Vec<Attribute> {
        names.iter().map(|name| self.named(object.namespace.as_deref(), kind, name)).collect()
    }

    /// The object of a kind and a name, as seen from a namespace.
    fn named(&mut self, namespace: Option<&str>, kind: &str, name: &Attribute) -> Attribute {
        let Some(name) = as_text(name) else { return open(&[]) };
        if is_of_cluster(kind) {
            return Attribute::Text(address(None, kind, name));
        }
        let count = self.by_name.get(&(kind, name)).map_or(0, Vec::len);
        if !self.takes_steps(count) {
            return open(&[]);
        }
        let all = self.by_name.get(&(kind, name)).map(Vec::as_slice).unwrap_or_default();
        if all.iter().any(|one| one.namespace.as_deref() == namespace) {
            return Attribute::Text(address(namespace, kind, name));
        }
        // One side leaves its namespace open: it may be the same.
        let perhaps: Vec<&Object> =
            all.iter().copied().filter(|one| one.namespace.is_none() || namespace.is_none()).collect();
        if perhaps.is_empty() { Attribute::Text(address(namespace, kind, name)) } else { open(&perhaps) }
    }

    fn role(&mut self, object: &Object) -> Option<Attribute> {
        let role = match object.body.get("roleRef")? {
            Attribute::Block(role) => role,
            _ => return Some(open(&[])),
        };
        let Some(kind) = role.get("kind").and_then(as_text) else { return Some(open(&[])) };
        let kind = format!("rbac.authorization.k8s.io/{kind}");
        Some(self.named(object.namespace.as_deref(), &kind, role.get("name").unwrap_or(&Attribute::Null)))
    }

    fn subjects(&mut self, object: &Object) -> Vec<Attribute> {
        let Some(Attribute::List(subjects)) = object.body.get("subjects") else { return Vec::new() };
        let accounts = subjects
            .iter()
            .filter_map(as_block)
            .filter(|subject| subject.get("kind").and_then(as_text) == Some("ServiceAccount"));
        let named = accounts.map(|subject| {
            let namespace = subject.get("namespace").and_then(as_text).or(object.namespace.as_deref());
            self.named(namespace, "ServiceAccount", subject.get("name").unwrap_or(&Attribute::Null))
        });
        named.collect()
    }
}

/// Whether the selector in a specification means labels.
fn selects(kind: &str, spec: &Block, labels: Option<&Attribute>) -> Match {
    match (kind, spec.get("selector")) {
        (NETWORK_POLICY, _) => means(spec.get("podSelector"), labels),
        (SERVICE, Some(Attribute::Block(wanted))) if !wanted.is_empty() => has_all(wanted, labels),
        // A service without a selector means nothing.
        (SERVICE, None | Some(Attribute::Null | Attribute::Block(_))) => Match::No,
        (SERVICE, Some(_)) => Match::Maybe,
        (_, selector) => means(selector, labels),
    }
}

/// The labels of a pod; where they can't be read, what stands in their place.
fn labels_of(pod: &Pod) -> Option<&Attribute> {
    match (&pod.attribute, pod.get("metadata")) {
        (Attribute::Block(_), Some(Attribute::Block(metadata))) => metadata.get("labels"),
        (Attribute::Block(_), other) => other,
        (unreadable, _) => Some(unreadable),
    }
}

/// Something that is not known may be a further link.
fn add_open(links: &mut Vec<Attribute>, source: Option<&Attribute>) {
    if source.is_some_and(holds_unknown) {
        links.push(open(&[]));
    }
}

fn holds_unknown(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Unknown(_) => true,
        Attribute::List(items) => items.iter().any(holds_unknown),
        Attribute::Block(block) => block.entries().any(|(_, value)| holds_unknown(value)),
        _ => false,
    }
}

fn in_same_namespace(one: &Object, other: &Object) -> Match {
    match (&one.namespace, &other.namespace) {
        (None, None) => Match::Yes,
        (Some(one), Some(other)) => (one == other).into(),
        // Whoever applies it says which.
        _ => Match::Maybe,
    }
}

/// Something that may be one of these objects; any, if there is none.
fn open(objects: &[&Object]) -> Attribute {
    // Very many are as good as any.
    let objects = if objects.len() > MAX_REFERENCE_STEPS { &[] } else { objects };
    let references = objects.iter().map(|object| Reference {
        written: object.address(),
        to: Referent::Block(BlockReference {
            module: ModulePath::root(),
            is_data: false,
            kind: object.kind.clone(),
            name: name_within_kind(object),
            // Perhaps this one, perhaps one that is not in these manifests.
            key: ReferredKey::Computed,
            attribute: Box::default(),
        }),
    });
    Attribute::Unknown(Box::new(Unknown::new(Reason::Input, references.collect())))
}

/// The name of an object among those of its kind.
pub(super) fn name_within_kind(object: &Object) -> Box<str> {
    match &object.namespace {
        Some(namespace) => format!("{namespace}/{}", object.name).into(),
        None => object.name.clone(),
    }
}

/// Names of the services that an ingress leads to, in its present and its former form.
fn services_of(spec: &Block) -> Vec<Attribute> {
    let mut backends: Vec<&Attribute> =
        ["defaultBackend", "backend"].iter().filter_map(|name| spec.get(name)).collect();
    for rule in items(spec.get("rules")) {
        let http = as_block(rule).and_then(|rule| rule.get("http")).and_then(as_block);
        let paths = items(http.and_then(|http| http.get("paths")));
        backends.extend(paths.filter_map(|path| as_block(path)?.get("backend")));
    }
    let service = |backend: &Attribute| {
        let backend = as_block(backend)?;
        let present = backend.get("service").and_then(as_block).and_then(|service| service.get("name"));
        present.or_else(|| backend.get("serviceName")).cloned()
    };
    backends.into_iter().filter_map(service).collect()
}

/// Names of the storage classes that a claim, or the claims of a stateful set, ask for.
fn classes_of(kind: &str, spec: &Block) -> Vec<Attribute> {
    let class =
        |spec: &Block| spec.get("storageClassName").cloned().filter(|class| *class != Attribute::Null);
    match kind {
        CLAIM => class(spec).into_iter().collect(),
        "apps/StatefulSet" => items(spec.get("volumeClaimTemplates"))
            .filter_map(|claim| class(as_block(as_block(claim)?.get("spec")?)?))
            .collect(),
        _ => Vec::new(),
    }
}

/// Names of the claims that a pod mounts.
fn claims_of(spec: &Block) -> Vec<Attribute> {
    let claim = |volume: &Attribute| {
        as_block(as_block(volume)?.get("persistentVolumeClaim")?)?.get("claimName").cloned()
    };
    items(spec.get("volumes")).filter_map(claim).collect()
}

fn items(list: Option<&Attribute>) -> impl Iterator<Item = &Attribute> {
    match list {
        Some(Attribute::List(items)) => items.iter(),
        _ => [].iter(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Place;
    use crate::kubernetes::pods::pod_of;

    fn object(kind: &str, spec: Block) -> Object {
        let metadata = Block::new(vec![("name".into(), "x".into())]).unwrap();
        let body = Block::new(vec![
            ("apiVersion".into(), "v1".into()),
            ("kind".into(), kind.into()),
            ("metadata".into(), metadata.into()),
            ("spec".into(), spec.into()),
        ]);
        Object::of(body.unwrap(), Place { file: "f".into(), line: 1 }).unwrap()
    }

    #[test]
    fn steps_at_the_limit_and_one_past() {
        let objects = [object("NetworkPolicy", Block::default()), object("Pod", Block::default())];
        let pods: Vec<_> = objects.iter().map(pod_of).collect();
        let selected = |steps: usize| {
            let mut links = Links::new(&objects, &pods);
            links.steps_left = steps;
            links.selected_by(&objects[0])
        };
        assert_eq!(selected(objects.len() + 1), [Attribute::text("Pod/x")]);
        assert_eq!(selected(objects.len()), [open(&[])]);
    }

    #[test]
    fn candidates_at_the_limit_and_one_past() {
        let one = object("Pod", Block::default());
        let references = |count: usize| match open(&vec![&one; count]) {
            Attribute::Unknown(unknown) => unknown.references.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(references(MAX_REFERENCE_STEPS), MAX_REFERENCE_STEPS);
        assert_eq!(references(MAX_REFERENCE_STEPS + 1), 0);
    }
}
