//! Manifests of Kubernetes: files with a zero byte between them, each with one document or several.

use super::judged::{holds, rules};
use crate::Target;
use ward_policy::graph::Graph;
use ward_policy::kubernetes::{ManifestFile, read_kubernetes};
use ward_policy::{Finding, assess, read_text};

pub(crate) const TARGET: Target = Target {
    name: "manifests",
    about: "files of manifests: judged the same twice and in whatever order they come, every report is inert",
    words: &[
        "apiVersion: v1\n",
        "apiVersion: apps/v1\n",
        "kind: Pod\n",
        "kind: Deployment\n",
        "kind: List\nitems:\n",
        "kind: NetworkPolicy\n",
        "kind: Service\n",
        "kind: Ingress\n",
        "kind: Secret\n",
        "kind: ConfigMap\n",
        "kind: StatefulSet\n",
        "kind: CronJob\n",
        "kind: StorageClass\n",
        "kind: PersistentVolumeClaim\n",
        "kind: RoleBinding\n",
        "metadata: {name: p, namespace: n}\n",
        "labels: {app: d}\n",
        "spec:\n  containers:\n    - name: c\n",
        "      image: i:latest\n",
        "      securityContext: {privileged: true}\n",
        "capabilities: {drop: [ALL]}",
        "runAsNonRoot: true",
        "hostPath: {path: /}",
        "  template:\n    spec:\n",
        "podSelector: {}",
        "matchLabels: {app: d}",
        "matchExpressions: [{key: app, operator: In, values: [d]}]",
        "valueFrom: {secretKeyRef: {name: s, key: k}}",
        "stringData: {password: ",
        "roleRef: {kind: ClusterRole, name: cluster-admin}",
        "subjects: [{kind: Group, name: system:masters}]",
        "---\n",
        "...\n",
        "&a ",
        "*a",
        "<<: *a",
        "{{ .Values.x }}",
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", ",
        "\"metadata\": {\"name\": \"p\"}, \"spec\": {",
        "\"containers\": [{\"name\": \"c\", ",
        "\0",
    ],
    run,
};

/// How the files of an input are called.
const FILES: [&str; 3] = ["a.yaml", "b.yaml", "c.json"];

fn run(input: &[u8]) {
    let parts = input.splitn(FILES.len(), |byte| *byte == 0).map(read_text);
    let Ok(texts) = parts.collect::<Result<Vec<_>, _>>() else { return };
    let mut files: Vec<ManifestFile<'_>> =
        FILES.iter().zip(&texts).map(|(file, text)| ManifestFile { file, text }).collect();
    holds(input, read_kubernetes(&files), read_kubernetes(&files));
    if files.len() < 2 {
        return;
    }
    let Ok(forward) = read_kubernetes(&files) else { return };
    files.reverse();
    let backward = read_kubernetes(&files);
    assert!(backward.is_ok(), "files are read in any order: {:?}", backward.err());
    let Ok(backward) = backward else { return };
    assert!(verdicts(input, &forward) == verdicts(input, &backward), "the order of files changes a verdict");
}

/// What blocks, in an order of its own. Objects of one name are numbered as they come, which is no verdict.
fn verdicts(input: &[u8], graph: &Graph) -> Vec<String> {
    let Some(rules) = rules(input) else { return Vec::new() };
    let assessment = assess(graph, rules);
    let line = |finding: &Finding<'_>| {
        let Finding { rule, cell, resource, verdict, .. } = finding;
        format!("{} {:?} {} {verdict}", rule.id, cell.aspect, without_number(&resource.address))
    };
    let mut lines: Vec<String> = assessment.findings.iter().map(line).collect();
    lines.push(format!("{:?} {}", assessment.tally, graph.notes().len()));
    lines.sort();
    lines
}

/// An address without the number that tells objects of one name apart, which may stand before a part of one.
fn without_number(address: &str) -> String {
    let mut parts = address.split(" #");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
