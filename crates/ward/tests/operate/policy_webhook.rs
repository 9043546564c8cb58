//! `ward policy webhook`, over TLS as a cluster speaks to it.

use crate::cluster::{MadeCertificate, objects_below, request, review, write_private};
use crate::scene::{Running, free_port, get, run, said, text, ward};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use ward_client::native::HttpsTransport;
use ward_client::{ServerAddress, Transport as _};

/// A webhook that runs, and how it is reached.
pub struct Webhook {
    pub running: Running,
    server: ServerAddress,
    _folder: TempDir,
}

impl Webhook {
    fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = MadeCertificate::new();
        made.write_to(folder.path());
        let mut command = ward();
        command.args(["policy", "webhook"]).args(more);
        Self::of(command, folder, made.pin)
    }

    /// With the certificate and the key of a folder.
    pub fn of(mut command: Command, folder: TempDir, pin: [u8; 32]) -> Self {
        let (cert, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        let listen = format!("127.0.0.1:{}", free_port());
        command.args(["--cert", text(&cert), "--key", text(&key), "--listen", &listen]);
        let running = Running::start(&mut command);
        let server = ServerAddress { origin: format!("https://{listen}"), spki_pins: vec![pin] };
        Self { running, server, _folder: folder }
    }

    /// Whether it shows the key of a certificate, to whoever connects now.
    pub fn shows(&self, pin: [u8; 32]) -> bool {
        let server = ServerAddress { origin: self.server.origin.clone(), spki_pins: vec![pin] };
        get(&server, "/healthz").is_ok_and(|answer| answer.status == 200)
    }

    fn post(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let response = runtime
            .block_on(async { HttpsTransport::new().send(&self.server, request(path, body.to_vec())).await })
            .unwrap();
        (response.status, response.body)
    }

    fn ask(&self, review: &Value) -> Value {
        let (status, body) = self.post("/validate", review.to_string().as_bytes());
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice::<Value>(&body).unwrap()["response"].take()
    }
}

fn pod(is_privileged: bool) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": is_privileged}}]},
    })
}

#[test]
fn a_cluster_is_answered_over_tls_and_nothing_that_goes_wrong_admits() {
    let webhook = Webhook::start(&[]);
    let refused = webhook.ask(&review("u-1", &pod(true)));
    assert_eq!(
        (&refused["uid"], &refused["allowed"], &refused["status"]["code"]),
        (&json!("u-1"), &json!(false), &json!(403))
    );
    assert!(refused["status"]["message"].as_str().unwrap().contains("45 CFR 164."), "{refused}");
    let mut removed = review("u-2", &pod(true));
    removed["request"]["operation"] = json!("DELETE");
    assert_eq!(webhook.ask(&removed)["allowed"], json!(true));
    let mut other = review("u-3", &pod(false));
    other["apiVersion"] = json!("admission.k8s.io/v1beta1");
    assert_eq!(webhook.ask(&other)["allowed"], json!(false));
    for (path, body, status) in [("/validate", &b"{"[..], 400), ("/other", b"{}", 404)] {
        assert_eq!(webhook.post(path, body).0, status, "{path}");
    }
    let (code, _, log) = webhook.running.stop();
    assert_eq!(code, 0, "{log}");
}

#[test]
fn no_content_of_a_secret_is_in_a_log_or_an_answer() {
    const CANARY: &str = "canary-7f3a";
    let webhook = Webhook::start(&[]);
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"},
        "data": {"a": CANARY}, "stringData": {"b": CANARY}});
    let mut map = secret.clone();
    map["kind"] = json!("ConfigMap");
    map["data"] = json!({"password": CANARY});
    let whole = review("u-1", &secret).to_string();
    let cut = &whole[..whole.find(CANARY).unwrap() + CANARY.len()];
    let broken = whole.replace(&format!("\"{CANARY}\""), CANARY);
    let (map, twice) = (review("u-2", &map).to_string(), whole.replace("\"data\"", "\"stringData\""));
    for body in [&whole, cut, &broken, &map, &twice] {
        let (_, answer) = webhook.post("/validate", body.as_bytes());
        assert!(!String::from_utf8_lossy(&answer).contains(CANARY), "{body}");
    }
    let (_, said, log) = webhook.running.stop();
    assert!(log.contains("a review was answered") && log.contains("a request was no review"), "{log}");
    assert!(!said.contains(CANARY) && !log.contains(CANARY), "{log}");
}

#[test]
fn the_webhook_needs_a_certificate_and_a_key_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tls.pem");
    write_private(&file, "nothing");
    let refused = run(&["policy", "webhook", "--cert", text(&file), "--key", text(&file)]);
    assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
}

/// Objects of the deliberately open cluster, as the API server would send them.
#[test]
fn no_open_object_of_a_real_cluster_is_admitted() {
    let Some(corpora) = std::env::var_os("WARD_CORPORA").filter(|value| !value.is_empty()) else {
        println!("skipped: WARD_CORPORA is not set");
        return;
    };
    let goat = Path::new(&corpora).join("policy/kubernetes-goat");
    let objects = objects_below(&goat);
    let pods: Vec<&Value> =
        objects.iter().filter(|object| object.pointer("/spec/template/spec/containers").is_some()).collect();
    assert!(pods.len() >= 5, "{}", pods.len());
    for open in ["refuse", "warn"] {
        let webhook = Webhook::start(&["--open", open]);
        for object in &objects {
            let response = webhook.ask(&review("u", object));
            let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
            if object.pointer("/spec/template/spec/containers").is_some() {
                assert_eq!(response["allowed"], json!(false), "{kind} {name} is open");
            }
        }
        println!(
            "kubernetes-goat: {} objects asked about, {} with pods refused ({open})",
            objects.len(),
            pods.len()
        );
    }
}
