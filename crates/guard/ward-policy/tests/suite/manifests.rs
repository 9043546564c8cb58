//! Rules on manifests of Kubernetes.

use crate::judged::{exit, rule_set, verdict};
use ward_policy::Exit;
use ward_policy::Verdict::{Fail, Indeterminate, Pass};

const WORKLOADS: &str = "[Pod, apps/Deployment, batch/CronJob]";
const PRIVILEGED: &str =
    "{blocks: pod.containers, over: none, where: {path: securityContext.privileged, equals: true}}";

/// A pod with these containers, in a namespace.
fn pod(containers: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: ns, labels: {{app: web}}}}, spec: {containers}}}\n"
    )
}

#[test]
fn fails_closed_no_container_hides_and_no_writing_of_true_does() {
    let rules = rule_set(WORKLOADS, PRIVILEGED, "");
    for (spec, wanted) in [
        ("{containers: [{name: a}, {name: b, securityContext: {privileged: false}}]}", Pass),
        ("{containers: [{name: a, securityContext: {privileged: true}}]}", Fail),
        ("{containers: [{name: a, securityContext: {privileged: yes}}]}", Fail),
        ("{containers: [{name: a, securityContext: {privileged: 'true'}}]}", Fail),
        ("{containers: [{name: a}], initContainers: [{name: b, securityContext: {privileged: true}}]}", Fail),
        (
            "{containers: [{name: a}], ephemeralContainers: [{name: b, securityContext: {privileged: on}}]}",
            Fail,
        ),
        ("{containers: [{name: a, securityContext: {privileged: '${PRIVILEGED}'}}]}", Indeterminate),
        ("{containers: [{name: a, securityContext: '{{inputs.context}}'}]}", Indeterminate),
        ("{containers: '${CONTAINERS}'}", Indeterminate),
        ("'{{inputs.spec}}'", Indeterminate),
    ] {
        assert_eq!(verdict(&rules, &pod(spec), "ns:Pod/p"), wanted, "{spec}");
    }
}

#[test]
fn fails_closed_a_pod_inside_a_kind_that_no_rule_knows() {
    let rules = rule_set(WORKLOADS, PRIVILEGED, "");
    let text = "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: r}, spec: {template: {spec: \
        {containers: [{name: a, securityContext: {privileged: true}}]}}}}";
    assert_eq!(verdict(&rules, text, "argoproj.io/Rollout/r/pod"), Fail);
    assert_eq!(exit(&rules, text), Exit::Violation);
}

#[test]
fn fails_closed_a_workload_whose_pod_can_not_be_read() {
    let rules = rule_set(WORKLOADS, PRIVILEGED, "");
    for spec in [
        "{template: '${TEMPLATE}'}",
        "{template: {spec: '${SPEC}'}}",
        "'${SPEC}'",
        "{}",
        "{template: {spec: 1}}",
    ] {
        let text = format!("{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d}}, spec: {spec}}}");
        assert_eq!(verdict(&rules, &text, "apps/Deployment/d"), Indeterminate, "{spec}");
    }
    assert_eq!(exit(&rules, "{apiVersion: v1, kind: Pod, metadata: {name: p}}"), Exit::Indeterminate);
}

#[test]
fn fails_closed_what_may_point_at_a_resource_is_not_forgotten() {
    let check = "{companion: {types: [Service], by: links.selects, own: [links.self], over: none, \
        where: {path: spec.type, equals: LoadBalancer}}}";
    let rules = rule_set(WORKLOADS, check, "");
    for (spec, wanted) in [
        ("{type: ClusterIP, selector: {app: web}}", Pass),
        ("{type: LoadBalancer, selector: {app: web}}", Fail),
        ("{type: LoadBalancer, selector: {app: db}}", Pass),
        ("{type: LoadBalancer, selector: '${S}'}", Indeterminate),
        ("{type: LoadBalancer, selector: {app: '${S}'}}", Indeterminate),
        ("{type: '${T}', selector: {app: web}}", Indeterminate),
        ("'${SPEC}'", Indeterminate),
    ] {
        let service =
            format!("{{apiVersion: v1, kind: Service, metadata: {{name: s, namespace: ns}}, spec: {spec}}}");
        let text = format!("{}---\n{service}\n", pod("{containers: [{name: a}]}"));
        assert_eq!(verdict(&rules, &text, "ns:Pod/p"), wanted, "{spec}");
    }
    let accounts = rule_set(
        "[ServiceAccount]",
        "{companion: {types: [rbac.authorization.k8s.io/RoleBinding], by: links.subjects, own: [links.self], over: none}}",
        "",
    );
    for (subjects, wanted) in [
        ("[{kind: ServiceAccount, name: a}]", Fail),
        ("[{kind: ServiceAccount, name: other}]", Pass),
        ("[{kind: ServiceAccount, name: '${A}'}]", Indeterminate),
        ("'${SUBJECTS}'", Indeterminate),
    ] {
        let text = format!(
            "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: a, namespace: ns}}}}\n---\n\
             {{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: b, namespace: ns}}, \
             roleRef: {{kind: Role, name: r}}, subjects: {subjects}}}\n"
        );
        assert_eq!(verdict(&accounts, &text, "ns:ServiceAccount/a"), wanted, "{subjects}");
    }
}

#[test]
fn what_the_pod_says_holds_for_containers_that_say_nothing() {
    let check =
        "{blocks: pod.containers, over: every, where: {path: securityContext.runAsNonRoot, equals: true}}";
    let rules = rule_set(WORKLOADS, check, "");
    for (spec, wanted) in [
        ("{securityContext: {runAsNonRoot: true}, containers: [{name: a}]}", Pass),
        ("{containers: [{name: a}]}", Fail),
        (
            "{securityContext: {runAsNonRoot: true}, containers: [{securityContext: {runAsNonRoot: false}}]}",
            Fail,
        ),
        (
            "{securityContext: {runAsNonRoot: false}, containers: [{securityContext: {runAsNonRoot: true}}]}",
            Pass,
        ),
    ] {
        assert_eq!(verdict(&rules, &pod(spec), "ns:Pod/p"), wanted, "{spec}");
    }
}

#[test]
fn fails_closed_a_network_policy_covers_what_it_selects() {
    let check = "{companion: {types: [networking.k8s.io/NetworkPolicy], by: links.selects, own: [links.self], \
        where: {path: spec.policyTypes, contains: Ingress}}}";
    let rules = rule_set(WORKLOADS, check, "");
    for (metadata, spec, wanted) in [
        ("{name: x, namespace: ns}", "{podSelector: {}, policyTypes: [Ingress]}", Pass),
        (
            "{name: x, namespace: ns}",
            "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}",
            Pass,
        ),
        ("{name: x, namespace: ns}", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}", Fail),
        ("{name: x, namespace: ns}", "{podSelector: {}, policyTypes: [Egress]}", Fail),
        ("{name: x, namespace: other}", "{podSelector: {}, policyTypes: [Ingress]}", Fail),
        ("{name: x}", "{podSelector: {}, policyTypes: [Ingress]}", Indeterminate),
        ("{name: x, namespace: ns}", "{podSelector: '${S}', policyTypes: [Ingress]}", Indeterminate),
    ] {
        let policy = format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {metadata}, spec: {spec}}}"
        );
        let text = format!("{}---\n{policy}\n", pod("{containers: [{name: a}]}"));
        assert_eq!(verdict(&rules, &text, "ns:Pod/p"), wanted, "{metadata} {spec}");
    }
}

#[test]
fn fails_closed_an_uncertain_link_among_certain_ones_stays_uncertain() {
    let check =
        "{companion: {types: [networking.k8s.io/NetworkPolicy], by: links.selects, own: [links.self]}}";
    let rules = rule_set(WORKLOADS, check, "");
    let text = format!(
        "{}---\n{{apiVersion: v1, kind: Pod, metadata: {{name: open}}}}\n---\n{{apiVersion: v1, kind: Pod, \
         metadata: {{name: apart, namespace: other}}}}\n---\n{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, \
         metadata: {{name: x, namespace: ns}}, spec: {{podSelector: {{}}}}}}\n",
        pod("{containers: []}")
    );
    assert_eq!(verdict(&rules, &text, "ns:Pod/p"), Pass);
    assert_eq!(verdict(&rules, &text, "Pod/open"), Indeterminate);
    assert_eq!(verdict(&rules, &text, "other:Pod/apart"), Fail);
}

#[test]
fn a_claim_is_judged_by_its_storage_class() {
    let check = "{target: {path: links.storage_classes, types: [storage.k8s.io/StorageClass], own: [links.self], \
        where: {path: parameters.encrypted, equals: true}}}";
    let rules = rule_set("[PersistentVolumeClaim]", check, "");
    let class = "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}, parameters: {encrypted: 'true'}}\n---\n\
        {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}}\n---\n";
    for (spec, wanted) in [
        ("{storageClassName: fast}", Pass),
        ("{storageClassName: slow}", Fail),
        // It is there already, or nowhere.
        ("{storageClassName: other}", Indeterminate),
        ("{storageClassName: '${CLASS}'}", Indeterminate),
        ("{}", Fail),
    ] {
        let text = format!(
            "{class}{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: c, namespace: ns}}, spec: {spec}}}"
        );
        assert_eq!(verdict(&rules, &text, "ns:PersistentVolumeClaim/c"), wanted, "{spec}");
    }
}

#[test]
fn fails_closed_a_binding_is_judged_by_the_role_it_surely_names() {
    let check = "{target: {path: links.role, types: [rbac.authorization.k8s.io/Role], own: [links.self], \
        where: {blocks: rules, over: none, where: {path: verbs, contains: '*'}}}}";
    let rules = rule_set("[rbac.authorization.k8s.io/RoleBinding]", check, "");
    for (role, wanted) in [
        ("{name: r, namespace: ns}, rules: [{verbs: [get]}]", Pass),
        ("{name: r, namespace: ns}, rules: [{verbs: ['*']}]", Fail),
        ("{name: r, namespace: other}, rules: [{verbs: [get]}]", Indeterminate),
        ("{name: r}, rules: [{verbs: [get]}]", Indeterminate),
    ] {
        let text = format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {role}}}\n---\n\
             {{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: b, namespace: ns}}, \
             roleRef: {{kind: Role, name: r}}}}\n"
        );
        assert_eq!(verdict(&rules, &text, "ns:rbac.authorization.k8s.io/RoleBinding/b"), wanted, "{role}");
    }
}

#[test]
fn fails_closed_what_is_no_object_or_stands_elsewhere_is_never_a_pass() {
    let rules = rule_set(WORKLOADS, PRIVILEGED, "");
    let plain = pod("{containers: [{name: a}]}");
    assert_eq!(exit(&rules, &plain), Exit::Pass);
    for more in [
        "a: 1\n",
        "{apiVersion: v1, kind: List, items: [{metadata: {name: x}, spec: 1}, 7]}\n",
        "{apiVersion: kustomize.config.k8s.io/v1beta1, kind: Kustomization}\n",
        "{apiVersion: argoproj.io/v1alpha1, kind: Application, metadata: {name: x}}\n",
    ] {
        assert_eq!(exit(&rules, &format!("{plain}---\n{more}")), Exit::Indeterminate, "{more}");
    }
    // Objects that no rule knows are nothing that passes.
    assert_eq!(exit(&rules, "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"), Exit::Indeterminate);
}
