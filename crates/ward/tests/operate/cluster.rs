//! What a cluster has and sends, for tests of the webhook and for its bench: a certificate, objects, reviews of them.

use serde_json::{Value, json};
use std::path::Path;
use ward_client::{HttpMethod, HttpRequest};
use ward_policy::graph::Attribute;

/// A certificate for this machine and its key, as PEM, and the hash by which it is known.
pub struct MadeCertificate {
    pub cert: String,
    pub key: String,
    pub pin: [u8; 32],
}

impl MadeCertificate {
    pub fn new() -> Self {
        let pair = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let cert = rcgen::CertificateParams::new(names).unwrap().self_signed(&pair).unwrap().pem();
        let key = pair.serialize_pem();
        let named = |text| ward_server::PemText { path: Path::new("made"), bytes: str::as_bytes(text) };
        let identity = ward_server::TlsIdentity::from_pem(named(&cert), named(&key)).unwrap();
        Self { pin: identity.spki_pin().unwrap(), cert, key }
    }

    /// As files of a folder, the key private.
    pub fn write_to(&self, folder: &Path) {
        std::fs::write(folder.join("tls.crt"), &self.cert).unwrap();
        write_private(&folder.join("tls.key"), &self.key);
    }
}

pub fn write_private(file: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A request with JSON, as an API server makes it.
pub fn request(path: &str, body: Vec<u8>) -> HttpRequest {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    HttpRequest { method: HttpMethod::Post, path: path.to_owned(), headers, body }
}

/// The review of an object that is made.
pub fn review(uid: &str, object: &Value) -> Value {
    let version = object["apiVersion"].as_str().unwrap();
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind = json!({"group": group, "version": version, "kind": object["kind"]});
    let request = json!({
        "uid": uid, "kind": kind, "requestKind": kind, "operation": "CREATE", "dryRun": false,
        "name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"],
        "userInfo": {"username": "admin", "uid": "014fbff9a07c", "groups": ["system:authenticated", "admins"]},
        "object": object, "oldObject": null, "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
    });
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
}

/// The objects of every manifest below a folder that is written in plain YAML.
pub fn objects_below(folder: &Path) -> Vec<Value> {
    let mut objects = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            objects.extend(objects_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let documents = ward_policy::yaml::read_yaml(&text).unwrap_or_default();
            let read = documents.iter().filter_map(|document| as_json(&document.to_attribute().ok()?));
            objects.extend(read.filter(|one| one["apiVersion"].is_string() && one["kind"].is_string()));
        }
    }
    objects
}

fn as_json(attribute: &Attribute) -> Option<Value> {
    Some(match attribute {
        Attribute::Null => Value::Null,
        Attribute::Bool(flag) => json!(flag),
        Attribute::Number(number) if number.fract() == 0.0 => json!(*number as i64),
        Attribute::Number(number) => json!(number),
        Attribute::Text(text) => json!(text),
        Attribute::List(items) => Value::Array(items.iter().map(as_json).collect::<Option<_>>()?),
        Attribute::Block(block) => {
            let entries = block.entries().map(|(name, one)| Some((name.to_owned(), as_json(one)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
        Attribute::Unknown(_) | Attribute::Sensitive(_) => return None,
    })
}
