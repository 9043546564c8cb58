//! Objects of manifests: what each document says it is.

use super::values::{Fault, is_filled_in_later, to_attribute};
use crate::graph::{Attribute, Block, Place};
use crate::yaml::YamlNode;

/// Kinds that stand in no namespace.
const CLUSTER_KINDS: [&str; 24] = [
    "Namespace",
    "Node",
    "PersistentVolume",
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicy",
    "admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "apiextensions.k8s.io/CustomResourceDefinition",
    "apiregistration.k8s.io/APIService",
    "certificates.k8s.io/CertificateSigningRequest",
    "flowcontrol.apiserver.k8s.io/FlowSchema",
    "flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration",
    "kyverno.io/ClusterPolicy",
    "networking.k8s.io/IngressClass",
    "node.k8s.io/RuntimeClass",
    "policy/PodSecurityPolicy",
    "rbac.authorization.k8s.io/ClusterRole",
    "rbac.authorization.k8s.io/ClusterRoleBinding",
    "scheduling.k8s.io/PriorityClass",
    "snapshot.storage.k8s.io/VolumeSnapshotClass",
    "storage.k8s.io/CSIDriver",
    "storage.k8s.io/CSINode",
    "storage.k8s.io/StorageClass",
    "storage.k8s.io/VolumeAttachment",
];

/// Kinds that an older group served: rules know them by their present one.
const FORMER_GROUPS: [(&str, &str); 6] = [
    ("extensions/Deployment", "apps/Deployment"),
    ("extensions/DaemonSet", "apps/DaemonSet"),
    ("extensions/ReplicaSet", "apps/ReplicaSet"),
    ("extensions/Ingress", "networking.k8s.io/Ingress"),
    ("extensions/NetworkPolicy", "networking.k8s.io/NetworkPolicy"),
    ("extensions/PodSecurityPolicy", "policy/PodSecurityPolicy"),
];

/// Kinds of groups that manifests sometimes leave out: no core kind has these names.
const LEFT_OUT_GROUPS: [(&str, &[&str]); 5] = [
    ("apps", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("batch", &["CronJob", "Job"]),
    ("networking.k8s.io", &["Ingress", "NetworkPolicy"]),
    ("rbac.authorization.k8s.io", &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]),
    ("storage.k8s.io", &["StorageClass"]),
];

/// One object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// Group and kind: `apps/Deployment`; only the kind in the core group.
    pub(crate) kind: Box<str>,
    /// Its namespace. `None` if the manifest leaves it to whoever applies it, or it has none.
    pub(crate) namespace: Option<Box<str>>,
    /// Its name; the beginning and a star if the cluster makes it.
    pub(crate) name: Box<str>,
    /// Where it is written.
    pub(crate) place: Place,
    /// Everything it holds.
    pub(crate) body: Block,
}

impl Object {
    /// The object of a body; `None` if the body doesn't say what it is.
    pub(crate) fn of(body: Block, place: Place) -> Option<Self> {
        let (Some(Attribute::Text(version)), Some(Attribute::Text(kind))) =
            (body.get("apiVersion"), body.get("kind"))
        else {
            return None;
        };
        let kind = group_and_kind(version, kind);
        let metadata = body.get("metadata").and_then(as_block);
        let text = |name: &str| metadata?.get(name).and_then(as_text).filter(|text| !text.is_empty());
        let name: Box<str> = match (text("name"), text("generateName")) {
            (Some(name), _) => name.into(),
            (None, Some(start)) => format!("{start}*").into(),
            (None, None) => "(no name)".into(),
        };
        let namespace = text("namespace").filter(|_| !is_of_cluster(&kind)).map(Into::into);
        Some(Self { kind, namespace, name, place, body })
    }

    /// What others call it: namespace, kind and name.
    pub(crate) fn address(&self) -> Box<str> {
        address(self.namespace.as_deref(), &self.kind, &self.name)
    }
}

/// The address of an object.
pub(super) fn address(namespace: Option<&str>, kind: &str, name: &str) -> Box<str> {
    match namespace {
        Some(namespace) => format!("{namespace}:{kind}/{name}").into(),
        None => format!("{kind}/{name}").into(),
    }
}

/// Whether objects of a kind stand in no namespace.
pub(super) fn is_of_cluster(kind: &str) -> bool {
    CLUSTER_KINDS.contains(&kind)
}

/// Group and kind without the version, the group as it is named today.
pub(crate) fn group_and_kind(version: &str, kind: &str) -> Box<str> {
    let left_out =
        || LEFT_OUT_GROUPS.iter().find(|(_, kinds)| kinds.contains(&kind)).map(|(group, _)| *group);
    let group = version.rsplit_once('/').map(|(group, _)| group).or_else(left_out);
    let full = group.map_or_else(|| kind.to_owned(), |group| format!("{group}/{kind}"));
    let present = FORMER_GROUPS.iter().find(|(former, _)| *former == full);
    present.map_or_else(|| full.as_str().into(), |(_, present)| (*present).into())
}

pub(super) fn as_block(attribute: &Attribute) -> Option<&Block> {
    match attribute {
        Attribute::Block(block) => Some(block),
        _ => None,
    }
}

pub(super) fn as_text(attribute: &Attribute) -> Option<&str> {
    match attribute {
        Attribute::Text(text) => Some(text),
        _ => None,
    }
}

/// What one document holds.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) objects: Vec<Object>,
    /// Lines of what is no object.
    pub(super) others: Vec<u32>,
}

impl Read {
    /// Takes a document, or an item of a list. `item_of` is the version and kind that items of the
    /// list around it have if they don't say.
    pub(super) fn take(
        &mut self,
        file: &str,
        node: &YamlNode,
        item_of: Option<(&str, &str)>,
    ) -> Result<(), Fault> {
        let text = |name: &str| node.get(name).and_then(YamlNode::as_text);
        let (version, kind) = match (text("apiVersion"), text("kind"), item_of) {
            (Some(version), Some(kind), _) => (version, kind),
            (None, None, Some(item_of)) if node.as_entries().is_some() => item_of,
            _ => {
                self.others.push(node.line);
                return Ok(());
            }
        };
        if is_filled_in_later(version) || is_filled_in_later(kind) {
            self.others.push(node.line);
            return Ok(());
        }
        if let (Some(list), Some(single)) = (node.get("items"), kind.strip_suffix("List")) {
            let item_of = (!single.is_empty()).then_some((version, single));
            let Some(items) = list.as_items() else {
                self.others.push(list.line);
                return Ok(());
            };
            return items.iter().try_for_each(|item| self.take(file, item, item_of));
        }
        let attribute = to_attribute(node, matches!(kind, "ConfigMap" | "Secret"))?;
        let Attribute::Block(body) = attribute else { return Ok(()) };
        let mut entries = body.into_entries();
        if text("kind").is_none() {
            entries.push(("apiVersion".into(), version.into()));
            entries.push(("kind".into(), kind.into()));
        }
        let place = Place { file: file.into(), line: node.line };
        match Block::new(entries).ok().and_then(|body| Object::of(body, place)) {
            Some(object) => self.objects.push(object),
            None => self.others.push(node.line),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::read_yaml;

    fn read(text: &str) -> Read {
        let mut read = Read::default();
        for node in &read_yaml(text).unwrap() {
            read.take("f", node, None).unwrap();
        }
        read
    }

    fn addresses(text: &str) -> Vec<String> {
        read(text).objects.iter().map(|object| object.address().to_string()).collect()
    }

    #[test]
    fn objects_are_named_by_namespace_group_kind_and_name() {
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: prod}\n\
                    ---\napiVersion: v1\nkind: Pod\nmetadata: {generateName: job-}\n\
                    ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
                    metadata: {name: all, namespace: ignored}\n\
                    ---\napiVersion: extensions/v1beta1\nkind: Ingress\n\
                    ---\napiVersion: v1\nkind: NetworkPolicy\n";
        assert_eq!(
            addresses(text),
            [
                "prod:apps/Deployment/web",
                "Pod/job-*",
                "rbac.authorization.k8s.io/ClusterRole/all",
                "networking.k8s.io/Ingress/(no name)",
                "networking.k8s.io/NetworkPolicy/(no name)",
            ]
        );
    }

    #[test]
    fn fails_closed_lists_hide_nothing() {
        let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  \
                    - {apiVersion: v1, kind: Pod, metadata: {name: a}}\n\
                    - {kind: Pod}\n---\napiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: b}\n- 1\n\
                    ---\napiVersion: v1\nkind: List\nitems: ${ITEMS}\n\
                    ---\napiVersion: v1\nkind: ${KIND}\n";
        let read = read(text);
        let names: Vec<_> = read.objects.iter().map(|object| &*object.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(read.others.len(), 4);
    }
}
