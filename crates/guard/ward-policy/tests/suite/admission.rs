//! Reviews as an API server sends them, and hostile ones.

use serde_json::{Value, json};
use ward_policy::admission::{OpenFindings, answer_review};
use ward_policy::builtin_rules;

/// What is answered to a request.
pub fn answered(request: &Value, open: OpenFindings) -> Value {
    answered_by(&builtin_rules().unwrap(), request, open)
}

/// What is answered to a request, by these rules.
pub fn answered_by(rules: &ward_policy::rules::RuleSet, request: &Value, open: OpenFindings) -> Value {
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
    let answer = answer_review(review.to_string().as_bytes(), rules, open).unwrap();
    serde_json::from_str::<Value>(&answer.to_json()).unwrap()["response"].take()
}

/// A request to make an object.
pub fn creation(object: &Value) -> Value {
    let (group, version) = match object["apiVersion"].as_str().unwrap().split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", object["apiVersion"].as_str().unwrap()),
    };
    json!({
        "uid": "u-1", "operation": "CREATE", "dryRun": false, "namespace": object["metadata"]["namespace"],
        "kind": {"group": group, "version": version, "kind": object["kind"]}, "object": object,
    })
}

/// A request to change an object.
pub fn update(object: &Value, before: &Value) -> Value {
    let mut request = creation(object);
    request["operation"] = json!("UPDATE");
    request["oldObject"] = before.clone();
    request
}

/// A pod that was there before anybody asked: privileged, and held by a controller.
fn old_pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "uid": "11111111-2222-4333-8444-555555555555",
            "resourceVersion": "7", "labels": {"app": "a"}, "finalizers": ["batch.kubernetes.io/job-tracking"]},
        "spec": {"nodeName": "m", "containers": [{"name": "c", "image": "i", "securityContext": {"privileged": true}}]},
        "status": {"phase": "Succeeded"},
    })
}

fn is_admitted(request: &Value) -> bool {
    let [refuse, warn] = [OpenFindings::Refuse, OpenFindings::Warn].map(|open| answered(request, open));
    assert_eq!(refuse["allowed"], warn["allowed"], "{refuse} {warn}");
    refuse["allowed"] == json!(true)
}

#[test]
fn what_was_not_sound_before_can_be_cleaned_up() {
    let before = old_pod();
    assert!(!is_admitted(&creation(&before)));
    let mut after = before.clone();
    after["metadata"]["finalizers"] = json!([]);
    after["metadata"]["resourceVersion"] = json!("8");
    after["metadata"]["labels"]["seen"] = json!("yes");
    after["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "j", "uid": "9"}]);
    after["status"]["phase"] = json!("Failed");
    let answer = answered(&update(&after, &before), OpenFindings::Refuse);
    assert_eq!(answer["allowed"], json!(true), "{answer}");
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("not sound as before") && warning.contains("W-068"), "{warning}");
    assert_eq!(answer["auditAnnotations"]["exit"], json!("violation"));
}

#[test]
fn the_old_set_of_a_deployment_can_be_taken_down() {
    let set = |replicas: u32, privileged: bool| {
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "s", "namespace": "n", "uid": "1"},
            "spec": {"replicas": replicas, "template": {"spec": {"containers":
                [{"name": "c", "image": "i", "securityContext": {"privileged": privileged}}]}}},
        })
    };
    assert!(is_admitted(&update(&set(0, true), &set(3, true))));
    assert!(!is_admitted(&update(&set(0, true), &set(3, false))), "its pods change");
}

#[test]
fn fails_closed_an_update_that_changes_what_is_judged_is_judged() {
    let before = old_pod();
    let mut more = before.clone();
    more["spec"]["hostNetwork"] = json!(true);
    assert!(!is_admitted(&update(&more, &before)));
    // Less is wrong than before, and still something.
    let mut better = before.clone();
    better["spec"]["containers"][0]["image"] = json!(format!("r.example.org/i@sha256:{}", "0".repeat(64)));
    assert!(!is_admitted(&update(&better, &before)));
    let mut debugged = before.clone();
    debugged["spec"]["ephemeralContainers"] = json!([{"name": "d", "image": "i"}]);
    let mut request = update(&debugged, &before);
    request["subResource"] = json!("ephemeralcontainers");
    assert!(!is_admitted(&request));
}

/// A service that only its annotation keeps inside.
#[test]
fn fails_closed_a_note_that_a_rule_reads_is_judged() {
    let service = |scheme: &str| {
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "n", "uid": "1",
                "annotations": {"service.beta.kubernetes.io/aws-load-balancer-scheme": scheme}},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 443}]},
        })
    };
    let (inside, outside) = (service("internal"), service("internet-facing"));
    assert!(is_admitted(&update(&inside, &outside)));
    assert!(!is_admitted(&update(&outside, &inside)), "a finding more");
    let mut kept = outside.clone();
    kept["metadata"]["finalizers"] = json!(["service.kubernetes.io/load-balancer-cleanup"]);
    assert!(is_admitted(&update(&outside, &kept)));
}

#[test]
fn fails_closed_an_old_object_that_is_not_this_one_excuses_nothing() {
    let before = old_pod();
    assert!(is_admitted(&update(&before, &before)));
    let mut cases = vec![creation(&before), update(&before, &Value::Null), update(&before, &json!([]))];
    for (path, value) in [
        // The name is used again by another object.
        ("/metadata/uid", json!("99999999-2222-4333-8444-555555555555")),
        ("/metadata/uid", Value::Null),
        ("/metadata/uid", json!(7)),
        ("/metadata/name", json!("q")),
        ("/metadata/namespace", json!("kube-system")),
        ("/kind", json!("PodTemplate")),
        ("/apiVersion", json!("example.org/v1")),
        ("/metadata", json!("p")),
        ("/spec", Value::Null),
    ] {
        let mut other = before.clone();
        *other.pointer_mut(path).unwrap() = value;
        cases.push(update(&before, &other));
    }
    let mut created = update(&before, &before);
    created["operation"] = json!("CREATE");
    cases.push(created);
    for request in &cases {
        assert!(!is_admitted(request), "{request}");
    }
    // An old object of the request's kind in name only: what is judged is what will be there.
    let mut service = update(&before, &before);
    service["kind"] = json!({"group": "", "version": "v1", "kind": "Service"});
    assert!(!is_admitted(&service));
}

/// Ward keeps nothing of a review: its uid may come again with something else.
#[test]
fn fails_closed_a_uid_that_is_used_again_is_answered_anew() {
    let before = old_pod();
    assert!(is_admitted(&update(&before, &before)));
    let again = creation(&before);
    assert_eq!(again["uid"], update(&before, &before)["uid"]);
    assert!(!is_admitted(&again));
}

#[test]
fn fails_closed_a_finding_that_is_added_is_not_hidden_among_many() {
    let settings = "version: 1\ntags: [a, b, c, d, e, f, g, h, i, j, k]\n";
    let settings = ward_policy::read_settings("s.yaml", settings).unwrap();
    let rules = builtin_rules().unwrap().with_settings(settings);
    let claim = |labels: Value| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "n",
            "uid": "1", "labels": labels}, "spec": {"storageClassName": "x"}})
    };
    let (some, fewer) = (claim(json!({"k": "1"})), claim(json!({})));
    let answer = answered_by(&rules, &update(&fewer, &some), OpenFindings::Warn);
    assert_eq!(answer["allowed"], json!(false), "{answer}");
    let answer = answered_by(&rules, &update(&fewer, &fewer), OpenFindings::Warn);
    assert_eq!(answer["allowed"], json!(true), "{answer}");
}

#[test]
fn what_other_objects_decide_is_not_known_of_one_alone() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
    let mut request = creation(&namespace);
    request["namespace"] = json!("n");
    let warned = answered(&request, OpenFindings::Warn);
    assert_eq!(warned["allowed"], json!(true), "{warned}");
    assert!(warned["warnings"][0].as_str().unwrap().contains("W-069"), "{warned}");
    let refused = answered(&request, OpenFindings::Refuse);
    assert_eq!(refused["allowed"], json!(false));
    assert!(
        refused["status"]["message"].as_str().unwrap().contains("other objects are not seen"),
        "{refused}"
    );
}

/// Whatever a review of a secret holds, its content is in no answer.
#[test]
fn no_content_of_a_secret_is_in_an_answer() {
    const CANARY: &str = "canary-7f3a";
    let secret = |data: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "s", "namespace": "n",
            "uid": "1", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": data.to_string()}},
            "stringData": data, "data": data})
    };
    let (now, then) = (secret(json!({"a": CANARY})), secret(json!({"a": "x", "b": {"c": [CANARY]}})));
    let mut map = now.clone();
    map["kind"] = json!("ConfigMap");
    map["data"] = json!({"password": CANARY, "conf": format!("password={CANARY}")});
    let mut twice = creation(&now);
    twice["kind"]["kind"] = json!("ConfigMap");
    for request in [creation(&now), update(&now, &then), update(&then, &now), creation(&map), twice] {
        for open in [OpenFindings::Refuse, OpenFindings::Warn] {
            let answer = answered(&request, open).to_string();
            assert!(!answer.contains(CANARY), "{answer}");
        }
    }
    assert!(!is_admitted(&creation(&map)), "a map is no place for a secret");
    assert!(is_admitted(&creation(&now)), "this is where a secret belongs");
    // What is cut off, or no review at all, is told without what it holds.
    let whole =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": creation(&now)});
    let whole = whole.to_string();
    for broken in
        [&whole[..whole.len() - 3], &whole.replace("\"uid\"", "\"diu\""), &whole.replace(":", " "), CANARY]
    {
        let error =
            answer_review(broken.as_bytes(), &builtin_rules().unwrap(), OpenFindings::Warn).unwrap_err();
        assert!(!error.to_string().contains(CANARY), "{error}");
    }
}
