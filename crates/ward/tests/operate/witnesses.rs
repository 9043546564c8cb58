//! `ward witness`, and a site whose witnesses run elsewhere.

use crate::scene::{Running, free_port, get, problems, run, run_json, said, serve, server_of, text, ward};
use std::path::{Path, PathBuf};

/// A witness on a port of its own.
pub struct Witness {
    name: String,
    /// Its folder.
    pub dir: PathBuf,
    port: u16,
    key: String,
}

impl Witness {
    /// Makes its folder and key.
    pub fn make(folder: &Path, name: &str) -> Self {
        let dir = folder.join(name);
        let (code, shown) =
            run_json(&["witness", text(&dir), "--name", name, "--host", "127.0.0.1", "--show-key"]);
        assert_eq!(code, 0, "{shown}");
        let key = shown["key"].as_str().unwrap().to_owned();
        Self { name: name.to_owned(), dir, port: free_port(), key }
    }

    /// Starts it. What it is told to follow it follows for good.
    pub fn start(&self, logs: &[String]) -> Running {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = ward();
        command.args(["--json", "witness", text(&self.dir), "--listen", &listen]);
        for log in logs {
            command.args(["--log", log]);
        }
        Running::start(&mut command)
    }
}

/// Makes a site whose witnesses run elsewhere; gives what `ward init` said.
pub fn site_with(dir: &Path, witnesses: &[Witness]) -> serde_json::Value {
    let listen = format!("127.0.0.1:{}", free_port());
    let mut args = vec!["init".to_owned(), text(dir).to_owned(), "--listen".to_owned(), listen];
    for witness in witnesses {
        let (name, port, key) = (&witness.name, witness.port, &witness.key);
        args.extend(["--witness".to_owned(), format!("{key}@https://127.0.0.1:{port}")]);
        args.extend(["--witness-ca".to_owned(), format!("{name}={}", text(&witness.dir.join("tls.crt")))]);
    }
    args.extend(["--outside".to_owned(), "w1".to_owned()]);
    let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, made) = run_json(&borrowed);
    assert_eq!(code, 0, "{made}");
    made
}

#[test]
fn a_witness_has_one_name_and_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("w");
    let nameless = run(&["witness", text(&dir), "--show-key"]);
    assert_eq!(nameless.status.code(), Some(2), "{}", said(&nameless));
    let (code, made) = run_json(&["witness", text(&dir), "--name", "w.example", "--show-key"]);
    assert_eq!((code, made["name"].as_str()), (0, Some("w.example")));
    assert_eq!(run_json(&["witness", text(&dir), "--show-key"]).1, made, "the same again");
    let listens = run(&["witness", text(&dir), "--listen", "0.0.0.0:0"]);
    assert_eq!(listens.status.code(), Some(1), "no plain text for other machines: {}", said(&listens));
    let wrong = run(&["witness", text(&dir), "--log", made["key"].as_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(3), "the key of a witness is no log: {}", said(&wrong));
}

#[test]
fn a_site_with_witnesses_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let witnesses = ["w1", "w2", "w3"].map(|name| Witness::make(folder.path(), name));
    let dir = folder.path().join("site");
    let made = site_with(&dir, &witnesses);
    assert_eq!(made["independent"], false, "root keys and admins are still of one machine");
    assert_eq!(made["quorum_needs_outside"], false, "w2 and w3 are the operator's");
    assert!(!dir.join("witness-1").exists());

    let logs: Vec<String> =
        made["logs"].as_array().unwrap().iter().map(|log| log.as_str().unwrap().to_owned()).collect();
    let running = witnesses.each_ref().map(|witness| witness.start(&logs));
    let config = dir.join("server/ward.toml");
    let server = serve(&config);
    assert_eq!(get(&server_of(&made), "/readyz").unwrap().status, 200);
    let (code, report) = run_json(&["doctor", "--config", text(&config)]);
    assert_eq!((code, problems(&report)), (0, vec![]), "{report}");
    let clock = report["checks"].as_array().unwrap().iter().find(|check| check["check"] == "clock").unwrap();
    assert!(clock["detail"].as_str().unwrap().contains("from the witnesses' time"), "{clock}");

    assert_eq!(server.stop().0, 0);
    for one in running {
        assert_eq!(one.stop().0, 0);
    }
    let (code, report) = run_json(&["doctor", "--config", text(&config)]);
    assert_eq!(code, 1);
    assert_eq!(problems(&report), [["witness"; 6].as_slice(), &["clock"]].concat(), "{report}");

    // Started again, they still follow the logs and still know the heads.
    let running = witnesses.each_ref().map(|witness| witness.start(&[]));
    let first: serde_json::Value = serde_json::from_str(&running[0].first).unwrap();
    assert_eq!(first["logs"].as_array().unwrap().len(), 2);
    let (code, report) = run_json(&["doctor", "--config", text(&config)]);
    assert_eq!(code, 0, "{report}");
    for one in running {
        assert_eq!(one.stop().0, 0);
    }
}

#[test]
fn witnesses_that_are_not_what_they_seem_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("site");
    let witness = Witness::make(folder.path(), "w1");
    let good = format!("{}@http://127.0.0.1:1", witness.key);
    let https = format!("{}@https://127.0.0.1:1", witness.key);
    for (args, what) in [
        (vec!["--witness", good.as_str()], "three"),
        (vec!["--witness", &witness.key, "--witness", &good, "--witness", &good], "no address"),
        (vec!["--witness", &https, "--witness", &good, "--witness", &good], "--witness-ca w1=FILE"),
        (vec!["--witness", &good, "--witness", &good, "--witness", &good, "--outside", "w9"], "w9"),
    ] {
        let output = run(&[vec!["init", text(&dir)], args].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(what), "{what}: {}", said(&output));
        assert!(!dir.exists());
    }
}
