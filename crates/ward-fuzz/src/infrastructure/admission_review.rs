//! Reviews of a cluster: whole ones, and those of an update that are made from an object and what changes.

use super::judged::rules;
use crate::Target;
use crate::choices::parts;
use crate::limits::PATCH_MAX_DEPTH;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use ward_policy::admission::{Answer, OpenFindings, answer_review, read_admission_review};
use ward_policy::limits::MAX_MESSAGE_BYTES;
use ward_policy::rules::RuleSet;

pub(crate) const TARGET: Target = Target {
    name: "admission_review",
    about: "a review, or an object, zero byte, changes: answers are bounded; an update excuses only what was as bad before",
    words: &[
        "{\"apiVersion\": \"admission.k8s.io/v1\", ",
        "\"kind\": \"AdmissionReview\", \"request\": {",
        "\"uid\": \"u\", ",
        "\"operation\": \"CREATE\", ",
        "\"operation\": \"UPDATE\", ",
        "\"operation\": \"DELETE\", ",
        "\"namespace\": \"n\", ",
        "\"subResource\": \"ephemeralcontainers\", ",
        "\"kind\": {\"group\": \"apps\", \"version\": \"v1\", ",
        "\"kind\": \"Deployment\"}, ",
        "\"object\": {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", ",
        "\"oldObject\": {",
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", ",
        "{\"apiVersion\": \"apps/v1\", \"kind\": \"ReplicaSet\", ",
        "{\"apiVersion\": \"apps/v1\", \"kind\": \"StatefulSet\", ",
        "\"metadata\": {\"name\": \"p\", ",
        "\"deletionTimestamp\": \"t\"",
        "\"finalizers\": [\"f\"]",
        "\"labels\": {",
        "\"annotations\": {",
        "\"ownerReferences\": [",
        "\"replicas\": 0",
        "\"status\": {",
        "\"spec\": {\"template\": {\"spec\": {",
        "\"volumeClaimTemplates\": [",
        "\"storageClassName\": \"c\"",
        "\"containers\": [{\"name\": \"c\", ",
        "\"initContainers\": [{",
        "\"ephemeralContainers\": [{",
        "\"securityContext\": {\"privileged\": true}",
        "\"hostNetwork\": true",
        "\"hostPath\": {\"path\": \"/\"}",
        "\"env\": [{\"name\": \"PASSWORD\", \"value\": \"",
        "\0{\"metadata\": {\"labels\": {",
        "\0{\"metadata\": {\"annotations\": {",
        "\0{\"spec\": {\"replicas\": 0}}",
        "\0{\"status\": {}}",
        ": null",
        "\"type\": \"LoadBalancer\", ",
        "\"service.beta.kubernetes.io/aws-load-balancer-internal\": ",
        "\"networking.gke.io/load-balancer-type\": \"Internal\"",
        "\"labels\": {\"data_class\": \"phi\", \"owner\": \"o\"}",
    ],
    run,
};

/// A zero byte decides: JSON can hold none.
fn run(input: &[u8]) {
    let Some(rules) = rules(input) else { return };
    if !input.contains(&0) {
        return answered(input, rules);
    }
    let [object, changes] = parts(input);
    let (Ok(before), Ok(changes)) =
        (serde_json::from_slice::<Value>(object), serde_json::from_slice::<Value>(changes))
    else {
        return;
    };
    let before = with_uid(before);
    let mut object = before.clone();
    merge(&mut object, &changes, PATCH_MAX_DEPTH);
    for open in [OpenFindings::Refuse, OpenFindings::Warn] {
        an_update_excuses_only_what_was_there(&before, &object, rules, open);
    }
    if let Some(review) = review("UPDATE", &object, Some(&before)) {
        answered(&review, rules);
    }
}

/// What holds of the answers to one review.
fn answered(input: &[u8], rules: &RuleSet) {
    let strict = answer_review(input, rules, OpenFindings::Refuse);
    let lenient = answer_review(input, rules, OpenFindings::Warn);
    assert_eq!(strict.is_ok(), lenient.is_ok(), "whether there is an answer does not depend on the mode");
    let (Ok(strict), Ok(lenient)) = (strict, lenient) else { return };
    assert!(lenient.admits() || !strict.admits(), "what is admitted strictly is admitted leniently");
    let uid = match read_admission_review(input) {
        Ok(review) => review.uid.to_string(),
        Err(error) => error.uid.map(|uid| uid.to_string()).unwrap_or_default(),
    };
    for answer in [strict, lenient] {
        let document = serde_json::from_str::<Value>(&answer.to_json());
        assert!(document.is_ok(), "an answer is JSON");
        let Ok(document) = document else { return };
        let at = |path: &str| document.pointer(path);
        assert_eq!(at("/response/uid").and_then(Value::as_str), Some(&*uid), "the answer is of this review");
        assert_eq!(at("/response/allowed").and_then(Value::as_bool), Some(answer.admits()));
        let message = at("/response/status/message").and_then(Value::as_str);
        assert_eq!(message.is_some(), !answer.admits(), "a refusal says why");
        assert!(message.is_none_or(|message| message.len() <= MAX_MESSAGE_BYTES), "messages are bounded");
    }
}

/// An object of a cluster has a uid: updates of one without are never excused, which would be all of them.
fn with_uid(mut object: Value) -> Value {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.entry("uid").or_insert_with(|| json!("1"));
    }
    object
}

/// A merge of JSON: null takes out, objects are merged, all else is put in. RFC 7396.
fn merge(into: &mut Value, changes: &Value, depth: usize) {
    let Value::Object(changes) = changes else {
        *into = changes.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Value::Object(into) = into else { return };
    for (name, change) in changes {
        match change {
            Value::Null => drop(into.remove(name)),
            change if depth > 0 => {
                merge(into.entry(name.clone()).or_insert(Value::Null), change, depth.saturating_sub(1));
            }
            change => drop(into.insert(name.clone(), change.clone())),
        }
    }
}

/// The review of an object. The request says of its kind what the object says. `None` if that is nothing.
fn review(operation: &str, object: &Value, before: Option<&Value>) -> Option<Vec<u8>> {
    let text = |of: &Value, path: &str| of.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let (version, kind) = (text(object, "/apiVersion")?, text(object, "/kind")?);
    let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
    let mut request = json!({
        "uid": "u", "operation": operation, "object": object,
        "kind": {"group": group, "version": version, "kind": kind},
        "namespace": text(object, "/metadata/namespace").unwrap_or_default(),
    });
    if let Some(before) = before {
        request.as_object_mut()?.insert("oldObject".to_owned(), before.clone());
    }
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    serde_json::to_vec(&review).ok()
}

/// What would be refused if it were made, and is admitted as an update, would have been refused before as well, by
/// at least the same rules. What leaves the cluster may be freed whatever it is.
fn an_update_excuses_only_what_was_there(
    before: &Value,
    object: &Value,
    rules: &RuleSet,
    open: OpenFindings,
) {
    let answer = |review: Option<Vec<u8>>| answer_review(&review?, rules, open).ok();
    let updated = answer(review("UPDATE", object, Some(before)));
    let (made, then) = (answer(review("CREATE", object, None)), answer(review("CREATE", before, None)));
    let (Some(updated), Some(made)) = (updated, made) else { return };
    let is_leaving =
        |object: &Value| object.pointer("/metadata/deletionTimestamp").is_some_and(Value::is_string);
    let both_leave = is_leaving(object) && is_leaving(before);
    if !updated.admits() || made.admits() || both_leave {
        return;
    }
    assert!(
        then.as_ref().is_some_and(|then| !then.admits()),
        "an update is excused by an object that was sound"
    );
    let (now, then) = (refused_by(&made), then.as_ref().map(refused_by).unwrap_or_default());
    assert!(now.is_subset(&then), "an update is excused from rules that were met before: {now:?}, {then:?}");
    assert_eq!(before.get("kind"), object.get("kind"), "an update is excused by an object of another kind");
}

/// The rules by which an answer refuses. Of those that its annotation has no room for the last is left out.
fn refused_by(answer: &Answer) -> BTreeSet<String> {
    let document = serde_json::from_str::<Value>(&answer.to_json()).unwrap_or_default();
    let rules = document.pointer("/response/auditAnnotations/rules").and_then(Value::as_str);
    rules
        .unwrap_or_default()
        .split(", ")
        .filter(|id| !id.is_empty() && !id.ends_with('…'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_merged() {
        let mut object = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut object, &json!({"a": {"b": null, "e": {"f": 3}}, "d": {"g": null}}), PATCH_MAX_DEPTH);
        assert_eq!(object, json!({"a": {"c": 2, "e": {"f": 3}}, "d": {}}));
    }

    #[test]
    fn an_unsound_object_may_be_kept_up_which_is_what_the_target_is_for() {
        let rules = rules(b"").unwrap();
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "1"},
            "spec": {"hostNetwork": true, "containers": [{"name": "c", "image": "i"}]}});
        let mut kept = pod.clone();
        merge(&mut kept, &json!({"metadata": {"annotations": {"a": "b"}}}), PATCH_MAX_DEPTH);
        let answer =
            |review: Option<Vec<u8>>| answer_review(&review.unwrap(), rules, OpenFindings::Warn).unwrap();
        assert!(!answer(review("CREATE", &kept, None)).admits());
        assert!(!refused_by(&answer(review("CREATE", &kept, None))).is_empty());
        assert!(answer(review("UPDATE", &kept, Some(&pod))).admits());
    }
}
