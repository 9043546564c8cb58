//! Whole manifests, and what rules find in them.

use super::*;
use crate::graph::{AttributePath, reach};

fn read(text: &str) -> Graph {
    read_kubernetes(&[ManifestFile { file: "m.yaml", text }]).unwrap()
}

fn shown(graph: &Graph, address: &str, path: &str) -> Vec<String> {
    let (_, resource) = graph.at(address).unwrap_or_else(|| panic!("{address} is not there"));
    reach(&resource.attributes, &AttributePath::of(path)).unwrap().iter().map(|one| one.shown()).collect()
}

/// A workload whose pod stands at a place.
fn workload(version: &str, kind: &str, place: &[&str], spec: &str) -> String {
    let mut text = spec.to_owned();
    for name in place.iter().rev() {
        text = format!("{{{name}: {text}}}");
    }
    let inner = text.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
    format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: w}}, {inner}}}\n---\n")
}

#[test]
fn fails_closed_every_kind_has_its_pod_at_one_place() {
    let spec = "{hostNetwork: true, containers: [{name: a, securityContext: {privileged: true}}]}";
    for (version, kind, address, place) in [
        ("v1", "Pod", "Pod/w", &["spec"][..]),
        ("v1", "ReplicationController", "ReplicationController/w", &["spec", "template", "spec"]),
        ("v1", "PodTemplate", "PodTemplate/w", &["template", "spec"]),
        ("apps/v1", "Deployment", "apps/Deployment/w", &["spec", "template", "spec"]),
        ("extensions/v1beta1", "Deployment", "apps/Deployment/w", &["spec", "template", "spec"]),
        ("apps/v1", "StatefulSet", "apps/StatefulSet/w", &["spec", "template", "spec"]),
        ("apps/v1", "DaemonSet", "apps/DaemonSet/w", &["spec", "template", "spec"]),
        ("apps/v1", "ReplicaSet", "apps/ReplicaSet/w", &["spec", "template", "spec"]),
        ("batch/v1", "Job", "batch/Job/w", &["spec", "template", "spec"]),
        ("batch/v1", "CronJob", "batch/CronJob/w", &["spec", "jobTemplate", "spec", "template", "spec"]),
        // A kind that rules don't know makes a pod all the same.
        ("argoproj.io/v1", "Rollout", "argoproj.io/Rollout/w/pod", &["spec", "template", "spec"]),
    ] {
        let graph = read(&workload(version, kind, place, spec));
        assert_eq!(shown(&graph, address, "pod.spec.hostNetwork"), ["true"], "{kind}");
        assert_eq!(shown(&graph, address, "pod.containers.securityContext.privileged"), ["true"], "{kind}");
    }
    let rollout = read(&workload("argoproj.io/v1", "Rollout", &["spec", "template", "spec"], spec));
    assert_eq!(&*rollout.at("argoproj.io/Rollout/w/pod").unwrap().1.kind, "Pod");
}

#[test]
fn fails_closed_no_container_is_left_out() {
    let graph = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {
        containers: [{name: a}], initContainers: [{name: b}], ephemeralContainers: [{name: c}]}}",
    );
    assert_eq!(shown(&graph, "Pod/p", "pod.containers.name"), ["\"a\"", "\"b\"", "\"c\""]);
    let odd = read("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: '${ALL}'}}");
    assert!(shown(&odd, "Pod/p", "pod.containers.name")[0].starts_with("(an expression"));
}

#[test]
fn what_holds_for_the_pod_holds_for_containers_that_say_nothing() {
    let graph = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {
        securityContext: {runAsNonRoot: true, runAsUser: 7, fsGroup: 1},
        containers: [{name: a}, {name: b, securityContext: {runAsNonRoot: false, runAsUser: null}}]}}",
    );
    let of = |name: &str| shown(&graph, "Pod/p", &format!("pod.containers.securityContext.{name}"));
    assert_eq!(of("runAsNonRoot"), ["true", "false"]);
    assert_eq!(of("runAsUser"), ["7", "7"]);
    assert_eq!(of("fsGroup"), ["not set", "not set"]);
    assert_eq!(shown(&graph, "Pod/p", "spec.containers.securityContext.runAsUser"), ["not set", "null"]);
}

#[test]
fn fails_closed_yes_and_on_are_true() {
    let graph =
        read("{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostNetwork: yes, hostPID: on}}");
    assert_eq!(shown(&graph, "Pod/p", "pod.spec.hostNetwork"), ["true"]);
    assert_eq!(shown(&graph, "Pod/p", "pod.spec.hostPID"), ["true"]);
}

#[test]
fn selectors_name_what_they_mean() {
    let graph = read("
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: all, namespace: ns}, spec: {podSelector: {}}}
---
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: ns}, spec: {selector: {app: a}}}
---
{apiVersion: v1, kind: Service, metadata: {name: none, namespace: ns}, spec: {selector: {}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: ns}, spec: {template: {metadata: {labels: {app: a}}, spec: {}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: {}}
---
{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: other, labels: {app: a}}, spec: {}}
---
{apiVersion: v1, kind: Pod, metadata: {name: r, labels: {app: a}}, spec: {}}
");
    let policy = shown(&graph, "ns:networking.k8s.io/NetworkPolicy/all", "links.selects").concat();
    assert!(policy.starts_with("[\"ns:apps/Deployment/d\", \"ns:Pod/p\", (the value"), "{policy}");
    let service = shown(&graph, "ns:Service/s", "links.selects").concat();
    assert!(service.starts_with("[\"ns:apps/Deployment/d\", (the value"), "{service}");
    assert_eq!(shown(&graph, "ns:Service/none", "links.selects"), ["not set"]);
    assert_eq!(shown(&graph, "ns:Pod/p", "links.self"), ["\"ns:Pod/p\""]);
}

#[test]
fn names_lead_to_objects_of_the_namespace() {
    let graph = read("
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: ns},
 roleRef: {kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: a}, {kind: User, name: u},
 {kind: ServiceAccount, name: a, namespace: m}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: c},
 roleRef: {kind: ClusterRole, name: cluster-admin}, subjects: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: ns}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: a}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: v, namespace: ns}, spec: {storageClassName: fast}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: {
 volumes: [{persistentVolumeClaim: {claimName: v}}, {emptyDir: {}}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: ns}, spec: {
 defaultBackend: {service: {name: x}}, rules: [{http: {paths: [{backend: {serviceName: z}}]}}]}}
---
{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: t, namespace: ns}, spec: {
 volumeClaimTemplates: [{spec: {storageClassName: slow}}]}}
");
    let role = "rbac.authorization.k8s.io";
    assert_eq!(
        shown(&graph, &format!("ns:{role}/RoleBinding/b"), "links.role"),
        [format!("[\"ns:{role}/Role/r\"]")]
    );
    let cluster = shown(&graph, &format!("{role}/ClusterRoleBinding/c"), "links.role");
    assert_eq!(cluster, [format!("[\"{role}/ClusterRole/cluster-admin\"]")]);
    let (_, binding) = graph.at(&format!("ns:{role}/RoleBinding/b")).unwrap();
    let subjects = reach(&binding.attributes, &AttributePath::of("links.subjects")).unwrap();
    let crate::graph::State::Known(Attribute::List(subjects)) = subjects[0].state else { panic!() };
    // The account leaves its namespace open: each of the two may be it.
    assert!(
        subjects
            .iter()
            .all(|one| matches!(one, Attribute::Unknown(unknown) if unknown.references.len() == 1))
    );
    assert_eq!(subjects.len(), 2);
    assert_eq!(
        shown(&graph, "ns:PersistentVolumeClaim/v", "links.storage_classes"),
        ["[\"storage.k8s.io/StorageClass/fast\"]"]
    );
    assert_eq!(
        shown(&graph, "ns:apps/StatefulSet/t", "links.storage_classes"),
        ["[\"storage.k8s.io/StorageClass/slow\"]"]
    );
    assert_eq!(shown(&graph, "ns:Pod/p", "links.claims"), ["[\"ns:PersistentVolumeClaim/v\"]"]);
    assert_eq!(shown(&graph, "ns:Pod/p", "links.service_account"), ["[\"ns:ServiceAccount/default\"]"]);
    assert_eq!(
        shown(&graph, "ns:networking.k8s.io/Ingress/i", "links.services"),
        ["[\"ns:Service/x\", \"ns:Service/z\"]"]
    );
}

#[test]
fn files_that_are_applied_together_are_one_graph() {
    let policy =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x, namespace: ns}}";
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}}";
    let files = [ManifestFile { file: "a", text: policy }, ManifestFile { file: "b", text: pod }];
    let graph = read_kubernetes(&files).unwrap();
    // Without a spec it is nothing that a cluster takes, and selects nothing.
    assert_eq!(shown(&graph, "ns:networking.k8s.io/NetworkPolicy/x", "links.selects"), ["not set"]);
    assert_eq!(&*graph.at("ns:Pod/p").unwrap().1.place.as_ref().unwrap().file, "b");
}

#[test]
fn fails_closed_an_object_written_twice_is_judged_twice() {
    let graph = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}}\n---\n\
        {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {hostPID: true}}\n",
    );
    assert_eq!(graph.len(), 2);
    assert_eq!(shown(&graph, "Pod/p #2", "pod.spec.hostPID"), ["true"]);
    assert_eq!(shown(&graph, "Pod/p #2", "links.self"), ["\"Pod/p\""]);
}

#[test]
fn fails_closed_what_is_no_object_or_deploys_more_blocks() {
    for text in [
        "a: 1\n",
        "text\n",
        "{apiVersion: v1, kind: List, items: [1]}\n",
        "{apiVersion: kustomize.config.k8s.io/v1beta1, kind: Kustomization}\n",
        "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease}\n",
    ] {
        assert_eq!(read(text).notes().iter().filter(|note| note.blocks).count(), 1, "{text}");
    }
    assert!(read("# nothing\n---\n---\n").notes().is_empty());
}

#[test]
fn fails_closed_a_chart_that_was_not_rendered_is_refused_with_its_line() {
    for text in [
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Values.name }}\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n{{- if .Values.x }}\n  name: a\n{{- end }}\n",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: '{{ .Values.name }}'\n",
    ] {
        let error = read_kubernetes(&[ManifestFile { file: "t.yaml", text }]).unwrap_err().to_string();
        let good = ManifestFile { file: "a.yaml", text: "" };
        let both = read_kubernetes(&[good, ManifestFile { file: "t.yaml", text }]).unwrap_err().to_string();
        assert_eq!(both, format!("t.yaml: {error}"));
        assert!(error.starts_with("line 4: a template that was not rendered"), "{error}");
    }
}

#[test]
fn a_secret_is_not_shown() {
    let graph = read("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {password: hunter2}}");
    assert_eq!(shown(&graph, "Secret/s", "stringData.password"), ["(sensitive value, not shown)"]);
}

#[test]
fn a_password_in_the_environment_is_not_shown() {
    let graph = read(
        "{apiVersion: argoproj.io/v1, kind: Rollout, metadata: {name: r}, spec: {template: {spec: \
        {containers: [{env: [{name: DB_PASSWORD, value: hunter2}]}]}}}}",
    );
    assert_eq!(graph.len(), 2);
    for (_, resource) in graph.resources() {
        assert!(!format!("{resource:?}").contains("hunter2"), "{resource:?}");
    }
}

#[test]
fn fails_closed_names_that_ward_gives_are_not_taken_from_the_source() {
    let graph = read(
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, pod: {spec: {hostPID: false}}, \
        links: {self: x}, spec: {hostPID: true}}",
    );
    assert_eq!(shown(&graph, "Pod/p", "pod.spec.hostPID"), ["true"]);
    assert_eq!(shown(&graph, "Pod/p", "links.self"), ["\"Pod/p\""]);
}

#[test]
fn fails_closed_selectors_that_mean_too_much_may_mean_anything() {
    // Enough policies for all pods of a namespace to come to more links than are kept.
    let each = 500;
    let mut text = String::new();
    for at in 0..each {
        text.push_str(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p{at}, namespace: ns}}}}\n---\n"
        ));
        text.push_str(&format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: x{at}, namespace: ns}}, spec: {{}}}}\n---\n"
        ));
    }
    assert!(each * each > crate::limits::MAX_SELECTED);
    let graph = read(&text);
    let first = shown(&graph, "ns:networking.k8s.io/NetworkPolicy/x0", "links.selects").concat();
    assert!(first.contains("ns:Pod/p1\""), "{first}");
    let last = shown(&graph, "ns:networking.k8s.io/NetworkPolicy/x499", "links.selects").concat();
    assert_eq!(last, "[(the value of an input was not given)]");
}
