//! Updates under rules of an organisation about what controllers may change: a violation more is no upkeep, however
//! much it is told in the words of the one that was there.

use crate::admission::{answered_by, update};
use crate::judged::rule_set;
use serde_json::{Value, json};
use ward_policy::admission::OpenFindings;
use ward_policy::rules::RuleSet;

/// A claim with this in its metadata.
fn claim(name: &str, value: Value) -> Value {
    let mut object = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": "x"},
        "metadata": {"name": "c", "namespace": "n", "uid": "1", "resourceVersion": "7"},
    });
    object["metadata"][name] = value;
    object
}

/// Whether an update is admitted, and the object before it would not be.
fn admits(rules: &RuleSet, now: &Value, before: &Value) -> bool {
    let mut created = update(before, before);
    created["operation"] = json!("CREATE");
    let refused = answered_by(rules, &created, OpenFindings::Warn);
    assert_eq!(refused["allowed"], json!(false), "{refused}");
    answered_by(rules, &update(now, before), OpenFindings::Warn)["allowed"] == json!(true)
}

const CLAIMS: &str = "[PersistentVolumeClaim]";

#[test]
fn fails_closed_a_violation_in_the_same_words_is_a_violation_more() {
    let long = "x".repeat(1000);
    for (check, name, before, now) in [
        (
            "{ secret: metadata.annotations, asks: none-in-names }",
            "annotations",
            json!({"a_password": "hunter2"}),
            json!({"a_password": "hunter2", "b_password": "hunter3"}),
        ),
        (
            "{ path: [metadata, annotations, a], not_has_part: evil }",
            "annotations",
            json!({"a": format!("{long}-evil")}),
            json!({"a": format!("{long}-evil-and-more-evil")}),
        ),
        (
            "{ blocks: metadata.ownerReferences, over: none, where: { path: kind, equals: Node } }",
            "ownerReferences",
            json!([{"apiVersion": long, "kind": "Node", "name": "m"}]),
            json!([{"apiVersion": long, "kind": "Node", "name": "m", "uid": "2"}]),
        ),
        // Of two parts of one name only one is found.
        (
            "{ path: spec.storageClassName, equals: y }\n  - types: [PersistentVolumeClaim]\n    expected: e\n    \
             check: { path: metadata.labels.open, set: false }",
            "labels",
            json!({}),
            json!({"open": "yes"}),
        ),
    ] {
        let rules = rule_set(CLAIMS, check, "");
        let (before, now) = (claim(name, before), claim(name, now));
        assert!(!admits(&rules, &now, &before), "{check}");
        let mut kept = before.clone();
        kept["metadata"]["resourceVersion"] = json!("8");
        kept["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
        kept["status"] = json!({"phase": "Bound"});
        assert!(admits(&rules, &kept, &before), "{check}");
    }
}

#[test]
fn labels_that_nobody_decided_about_may_change() {
    let settings = ward_policy::read_settings("s.yaml", "version: 1\ntags: [owner, purpose]\n").unwrap();
    let rules = rule_set(
        CLAIMS,
        "{ all: [{ tags: metadata.labels }, { any: [{ class: phi }, { class: records }] }] }",
        "",
    );
    let rules = rules.with_settings(settings);
    let of = |labels: Value| claim("labels", labels);
    let before = of(json!({"owner": "o", "data_class": "other"}));
    assert!(admits(&rules, &of(json!({"owner": "o", "data_class": "other", "seen": "1"})), &before));
    for changed in [
        json!({"owner": "p", "data_class": "other"}),
        json!({"data_class": "other"}),
        json!({"owner": "o", "data_class": "another"}),
        json!({"owner": "o", "Data-Class": "other"}),
    ] {
        assert!(!admits(&rules, &of(changed.clone()), &before), "{changed}");
    }
    assert!(admits(&rules, &of(json!({"seen": "1"})), &of(Value::Null)));
}
