//! Updates that leave what rules judge as it was: without them a cluster could not clean up after objects that
//! are older than its rules.

use crate::graph::{Attribute, Block};

/// What controllers look after in `metadata`. Labels and annotations are among them: whether a rule reads one of
/// them, its finding says.
const KEPT_UP: [&str; 9] = [
    "annotations",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "labels",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
];

/// Kinds of the cluster itself that say how often a pod is made. A controller takes the old set of a deployment
/// down to none, and the pods that it makes are asked about one by one.
const SCALED_KINDS: [&str; 4] =
    ["ReplicationController", "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet"];

/// Whether two objects of a kind are one, and differ in nothing but its status, its notes and how often it is
/// repeated.
pub(super) fn is_upkeep(kind: &str, object: &Block, before: &Block) -> bool {
    let is_scaled = SCALED_KINDS.contains(&kind);
    let is_same_spec = match (object.get("spec"), before.get("spec")) {
        (Some(Attribute::Block(now)), Some(Attribute::Block(then))) if is_scaled => {
            is_same_without(now, then, &["replicas"])
        }
        (now, then) => now == then,
    };
    is_same_spec
        && is_same_without(object, before, &["metadata", "spec", "status"])
        && match (metadata(object), metadata(before)) {
            (Some(now), Some(then)) => is_one(now, then) && is_same_without(now, then, &KEPT_UP),
            _ => false,
        }
}

/// Whether an object waits for its finalizers to go.
pub(super) fn is_leaving(object: &Block) -> bool {
    metadata(object)
        .is_some_and(|metadata| matches!(metadata.get("deletionTimestamp"), Some(Attribute::Text(_))))
}

fn metadata(object: &Block) -> Option<&Block> {
    match object.get("metadata") {
        Some(Attribute::Block(metadata)) => Some(metadata),
        _ => None,
    }
}

/// A name may be used again by another object; its uid is not.
fn is_one(now: &Block, then: &Block) -> bool {
    matches!(
        (now.get("uid"), then.get("uid")),
        (Some(Attribute::Text(now)), Some(Attribute::Text(then))) if now == then && !now.is_empty()
    )
}

fn is_same_without(one: &Block, other: &Block, names: &[&str]) -> bool {
    let kept = |(name, _): &(&str, &Attribute)| !names.contains(name);
    one.entries().filter(kept).eq(other.entries().filter(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read_json;

    const SET: &str = r#"{"apiVersion": "apps/v1", "kind": "ReplicaSet", "status": {"replicas": 2},
        "metadata": {"name": "s", "uid": "1", "finalizers": ["f"], "labels": {"a": "b"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": []}}}}"#;

    fn block(text: &str) -> Block {
        let Attribute::Block(block) = read_json(text).unwrap() else { panic!("{text}") };
        block
    }

    #[test]
    fn what_controllers_look_after_is_upkeep() {
        for (now, then) in [
            ("", ""),
            (r#""finalizers": ["f"]"#, r#""finalizers": []"#),
            (r#""labels": {"a": "b"}"#, r#""ownerReferences": [{"uid": "2"}]"#),
            (r#""status": {"replicas": 2}"#, r#""status": {}"#),
            (r#""spec": {"replicas": 2, "#, r#""spec": {"replicas": 0, "#),
            (r#""spec": {"replicas": 2, "#, r#""spec": {"#),
        ] {
            assert!(
                is_upkeep("apps/ReplicaSet", &block(&SET.replace(now, then)), &block(SET)),
                "{now} {then}"
            );
        }
    }

    #[test]
    fn fails_closed_anything_else_is_no_upkeep() {
        for (now, then) in [
            (r#""uid": "1""#, r#""uid": "2""#),
            (r#""uid": "1", "#, ""),
            (r#""name": "s""#, r#""name": "t""#),
            (r#""name": "s""#, r#""namespace": "n", "name": "s""#),
            (r#""kind": "ReplicaSet""#, r#""kind": "Deployment""#),
            (r#""containers": []"#, r#""containers": [{}]"#),
            (r#""containers": []"#, r#""containers": [], "replicas": 1"#),
            (r#""spec": {"replicas""#, r#""data": {}, "spec": {"replicas""#),
            (r#""spec""#, r#""other""#),
            (r#""metadata""#, r#""other""#),
        ] {
            let (changed, set) = (block(&SET.replacen(now, then, 1)), block(SET));
            assert_ne!(changed, set, "{now} {then}");
            assert!(!is_upkeep("apps/ReplicaSet", &changed, &set), "{now} {then}");
            assert!(!is_upkeep("apps/ReplicaSet", &set, &changed), "{now} {then}");
        }
        let scaled = block(&SET.replace(r#""replicas": 2, "#, r#""replicas": 3, "#));
        assert!(!is_upkeep("example.org/Set", &scaled, &block(SET)), "what it means there nobody knows");
        let nameless = block(&SET.replace(r#""uid": "1""#, r#""uid": """#));
        assert!(!is_upkeep("apps/ReplicaSet", &nameless, &nameless));
    }
}
