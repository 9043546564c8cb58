//! The manifest of the webhook: it asks about every kind that a rule judges, and locks nobody out.

use crate::admission::{answered, creation};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use ward_policy::admission::OpenFindings;
use ward_policy::builtin_rules;
use ward_policy::graph::{Attribute, Block};
use ward_policy::rules::RuleSet;
use ward_policy::yaml::read_yaml;

/// Kinds that rules judge in manifests, and that a cluster is not asked about.
const NOT_ASKED: [(&str, &str); 2] = [
    (
        "Secret",
        "a rule asks whether a manifest holds one; in a cluster it is in its place, and its content goes nowhere",
    ),
    ("extensions/Ingress", "no cluster serves this group any more"),
];

/// Parts of objects that bring pods with them, and are asked about as well.
const PARTS: [&str; 1] = ["pods/ephemeralcontainers"];

fn manifest(name: &str) -> Vec<Block> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/kubernetes").join(name);
    let documents = read_yaml(&std::fs::read_to_string(file).unwrap()).unwrap();
    let block = |attribute| match attribute {
        Attribute::Block(block) => block,
        other => panic!("{other:?}"),
    };
    documents.iter().map(|document| block(document.to_attribute().unwrap())).collect()
}

fn json_of(attribute: &Attribute) -> Value {
    match attribute {
        Attribute::Null => Value::Null,
        Attribute::Bool(flag) => json!(flag),
        Attribute::Number(number) if number.fract() == 0.0 => json!(*number as i64),
        Attribute::Number(number) => json!(number),
        Attribute::Text(text) => json!(text),
        Attribute::List(items) => items.iter().map(json_of).collect(),
        Attribute::Block(block) => {
            block.entries().map(|(name, one)| (name.to_owned(), json_of(one))).collect()
        }
        Attribute::Unknown(_) | Attribute::Sensitive(_) => panic!("{attribute:?}"),
    }
}

fn objects(name: &str) -> Vec<Value> {
    manifest(name).into_iter().map(|block| json_of(&Attribute::Block(block))).collect()
}

fn configuration() -> Value {
    let is_it = |object: &Value| object["kind"] == "ValidatingWebhookConfiguration";
    objects("webhook.yaml").into_iter().find(is_it).unwrap()
}

/// Kinds of a cluster that rules judge: those of Terraform and CloudFormation are written otherwise.
fn judged_kinds(rules: &RuleSet) -> BTreeSet<String> {
    let types = rules.rules().iter().flat_map(|rule| &rule.cells).flat_map(|cell| &cell.types);
    let is_kind = |kind: &&str| {
        let name = kind.rsplit('/').next().unwrap_or_default();
        !kind.contains(':') && name.starts_with(|c: char| c.is_ascii_uppercase())
    };
    types.map(|kind| &**kind).filter(is_kind).map(str::to_owned).collect()
}

/// Group and resource of a kind, as paths of the API server name them.
fn resource_of(kind: &str) -> (String, String) {
    let (group, name) = kind.rsplit_once('/').unwrap_or(("", kind));
    let name = name.to_ascii_lowercase();
    let several = match name.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if name.ends_with('s') => format!("{name}es"),
        None => format!("{name}s"),
    };
    (group.to_owned(), several)
}

#[test]
fn the_manifest_asks_about_every_kind_that_a_rule_judges_and_no_other() {
    let mut kinds = judged_kinds(&builtin_rules().unwrap());
    assert!(kinds.len() > 15, "{kinds:?}");
    for (kind, because) in NOT_ASKED {
        assert!(kinds.remove(kind), "no rule judges {kind} any more: {because}");
    }
    let mut judged: BTreeSet<(String, String)> = kinds.iter().map(|kind| resource_of(kind)).collect();
    judged.extend(PARTS.map(|part| (String::new(), part.to_owned())));
    let configuration = configuration();
    let mut asked = BTreeSet::new();
    for rule in configuration["webhooks"][0]["rules"].as_array().unwrap() {
        assert_eq!(
            (&rule["operations"], &rule["apiVersions"]),
            (&json!(["CREATE", "UPDATE"]), &json!(["*"]))
        );
        for group in rule["apiGroups"].as_array().unwrap() {
            for resource in rule["resources"].as_array().unwrap() {
                let pair = (group.as_str().unwrap().to_owned(), resource.as_str().unwrap().to_owned());
                assert!(asked.insert(pair.clone()), "{pair:?} is there twice");
            }
        }
    }
    assert_eq!(asked, judged);
}

#[test]
fn the_manifest_leaves_a_cluster_a_way_back() {
    let webhook = configuration()["webhooks"][0].take();
    assert_eq!((&webhook["failurePolicy"], &webhook["matchPolicy"]), (&json!("Fail"), &json!("Equivalent")));
    let selector = &webhook["namespaceSelector"]["matchExpressions"][0];
    assert_eq!(selector["operator"], "NotIn");
    assert_eq!(selector["values"], json!(["kube-system", "ward-policy"]));
    // The API server itself mends its roles when it starts, and does not start if it can't.
    let conditions = webhook["matchConditions"].as_array().unwrap();
    let itself =
        "request.userInfo.username == 'system:apiserver' && 'system:masters' in request.userInfo.groups";
    assert_eq!(conditions[0]["expression"], format!("!({itself})"), "the name alone can be put on");
    for rule in webhook["rules"].as_array().unwrap() {
        let resources = rule["resources"].as_array().unwrap();
        for never in ["*", "*/*", "secrets", "leases", "events", "nodes", "validatingwebhookconfigurations"] {
            assert!(!resources.contains(&json!(never)), "{never}");
        }
    }
}

/// In the mode of the manifest, everything in `deploy/kubernetes` is admitted one by one.
#[test]
fn what_is_deployed_here_is_admitted() {
    let deployment = objects("webhook.yaml").into_iter().find(|one| one["kind"] == "Deployment").unwrap();
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    let args: Vec<&str> = container["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(args.windows(2).any(|pair| pair == ["--open", "warn"]), "{args:?}");
    for object in objects("webhook.yaml").iter().chain(&objects("server.yaml")) {
        let answer = answered(&creation(object), OpenFindings::Warn);
        assert_eq!(
            answer["allowed"],
            json!(true),
            "{} {}: {answer}",
            object["kind"],
            object["metadata"]["name"]
        );
    }
}

/// What the cluster itself puts into every namespace.
#[test]
fn what_a_cluster_makes_for_itself_is_admitted() {
    let certificate =
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", "MIIC".repeat(200));
    let object = |kind: &str, name: &str, more: Value| {
        let mut object =
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "n"}});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    for object in [
        object("ConfigMap", "kube-root-ca.crt", json!({"data": {"ca.crt": certificate}})),
        object(
            "ConfigMap",
            "leader",
            json!({"metadata": {"name": "leader", "namespace": "n", "annotations":
            {"control-plane.alpha.kubernetes.io/leader": "{\"holderIdentity\":\"a_1\",\"leaseDurationSeconds\":15}"}}}),
        ),
        object("Service", "kubernetes", json!({"spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1"}})),
        object("Namespace", "n", json!({"metadata": {"name": "n"}})),
    ] {
        let answer = answered(&creation(&object), OpenFindings::Warn);
        assert_eq!(answer["allowed"], json!(true), "{object}: {answer}");
    }
}

/// The key of the webhook's pod is readable for its own user and no other one.
#[test]
fn the_pod_of_the_manifest_can_read_its_key() {
    let deployment = objects("webhook.yaml").into_iter().find(|one| one["kind"] == "Deployment").unwrap();
    let spec = &deployment["spec"]["template"]["spec"];
    let security = &spec["securityContext"];
    assert_eq!((&security["runAsNonRoot"], &security["fsGroup"]), (&json!(true), &security["runAsGroup"]));
    let secret = &spec["volumes"][0]["secret"];
    // Written 0440, which is octal for Kubernetes; the reader of Ward has it as digits.
    assert_eq!((&secret["secretName"], &secret["defaultMode"]), (&json!("ward-policy-tls"), &json!(440)));
}
