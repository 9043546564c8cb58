//! From `init` to a server that answers and stops.

use crate::scene::{Site, get, problems, run, run_json, said, serve, text};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_new_site_serves_over_tls_and_stops_when_told() {
    let site = Site::make();
    let (code, report) = site.doctor();
    assert_eq!((code, problems(&report)), (0, vec![]), "{report}");

    let server = site.serve();
    let first: serde_json::Value = serde_json::from_str(&server.first).unwrap();
    assert_eq!(first["fingerprint"], site.made["fingerprint"]);
    assert_eq!(first["independent"], false);
    let answer = get(&site.server(), "/healthz").unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(get(&site.server(), "/readyz").unwrap().status, 200);

    let (code, report) = site.doctor();
    assert_eq!((code, problems(&report)), (0, vec![]), "also while it runs: {report}");
    let running = report["checks"].as_array().unwrap().iter().any(|check| check["detail"] == "running");
    assert!(running, "{report}");
    let second = run(&["serve", "--config", text(&site.config())]);
    assert_eq!(second.status.code(), Some(1), "one server a folder: {}", said(&second));

    let (code, _, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("not a JSON line: {line}"));
    }
    assert!(get(&site.server(), "/healthz").is_err());
}

#[test]
fn another_tls_key_is_not_accepted_by_devices() {
    let site = Site::make();
    let server = site.serve();
    let mut wrong = site.server();
    wrong.spki_pins = vec![[7; 32]];
    assert_eq!(get(&wrong, "/healthz"), Err(ward_client::TransportError::WrongServer));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn every_secret_belongs_to_its_owner_alone() {
    let site = Site::make();
    let secret = [
        "server/log.key",
        "server/server.key",
        "server/tls.key",
        "server/ward.toml",
        "server/ward.db",
        "root/root-1.key",
        "root/root-2.key",
        "root/root-3.key",
        "root/next-tls.key",
        "witness-1/witness.key",
        "witness-2/witness.key",
        "witness-3/witness.key",
        "admin-1/device.key",
        "admin-2/device.key",
    ];
    for name in secret {
        let mode = std::fs::metadata(site.dir.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mode = std::fs::metadata(&site.dir).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn nothing_starts_with_a_key_that_others_can_read() {
    let site = Site::make();
    for name in ["log.key", "server.key", "tls.key"] {
        let path = site.dir.join("server").join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let output = run(&["serve", "--config", text(&site.config())]);
        assert_eq!(output.status.code(), Some(3), "{name}: {}", said(&output));
        assert!(said(&output).contains("chmod 600"), "{}", said(&output));
        let (code, report) = site.doctor();
        assert_eq!(code, 1);
        assert!(!problems(&report).is_empty());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(site.doctor().0, 0);
}

#[test]
fn nothing_starts_with_a_tls_key_that_devices_would_refuse() {
    let (site, other) = (Site::make(), Site::make());
    for name in ["tls.crt", "tls.key"] {
        std::fs::copy(other.dir.join("server").join(name), site.dir.join("server").join(name)).unwrap();
    }
    let output = run(&["serve", "--config", text(&site.config())]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert_eq!(problems(&site.doctor().1), ["certificate"]);
}

/// Devices were told of two keys; the second waits offline until the first is lost or stolen.
#[test]
fn the_second_tls_key_takes_the_place_of_the_first() {
    let site = Site::make();
    for ending in ["crt", "key"] {
        let (next, used) = (format!("root/next-tls.{ending}"), format!("server/tls.{ending}"));
        std::fs::rename(site.dir.join(next), site.dir.join(used)).unwrap();
    }
    assert_eq!(site.doctor().0, 0);
    let server = site.serve();
    assert_eq!(get(&site.server(), "/healthz").unwrap().status, 200);
    assert_eq!(server.stop().0, 0);
}

#[test]
fn plain_text_is_refused_on_an_address_that_others_reach() {
    let site = Site::make();
    let config = std::fs::read_to_string(site.config()).unwrap();
    let without_tls = config.split("[server.tls]").next().unwrap().replace("127.0.0.1", "0.0.0.0");
    std::fs::write(site.config(), without_tls).unwrap();
    let output = run(&["serve", "--config", text(&site.config())]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("tls"), "{}", said(&output));
    assert!(problems(&site.doctor().1).contains(&"address".to_owned()));
}

#[test]
fn a_site_is_made_in_a_new_folder_only_and_as_a_whole() {
    let site = Site::make();
    let again = run(&["init", text(&site.dir), "--one-machine"]);
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    let unfinished = site.folder.path().join("other.unfinished");
    std::fs::create_dir(&unfinished).unwrap();
    let other = site.folder.path().join("other");
    assert_eq!(run(&["init", text(&other), "--one-machine"]).status.code(), Some(1));
    assert!(unfinished.exists(), "what was there before is not touched");
    std::fs::remove_dir(unfinished).unwrap();
    let fresh = site.folder.path().join("fresh");
    for args in [
        vec![],
        vec!["--witness", "nonsense"],
        vec!["--one-machine", "--listen", "0.0.0.0:8443"],
        vec!["--one-machine", "--origin", "http://ward.example"],
        vec!["--one-machine", "--origin", "https://a b"],
    ] {
        let output = run(&[vec!["init", text(&fresh)], args.clone()].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", said(&output));
        assert!(!fresh.exists());
    }
    assert_eq!(std::fs::read_dir(site.folder.path()).unwrap().count(), 1, "nothing unfinished stays");
}

#[test]
fn one_machine_says_that_it_is_not_independent() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("site");
    let output = run(&["init", text(&dir), "--one-machine"]);
    let said = said(&output);
    assert!(
        said.contains("Not independent")
            && said.contains("root-2.key")
            && said.contains("ward serve --config"),
        "{said}"
    );
}

#[test]
fn each_command_has_a_page() {
    for command in [
        vec!["init"],
        vec!["serve"],
        vec!["witness"],
        vec!["backup"],
        vec!["restore"],
        vec!["doctor"],
        vec!["config", "explain"],
    ] {
        let output = run(&[command.clone(), vec!["--help"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text.contains("Usage:") && text.contains("Exit codes:"), "{command:?}: {text}");
    }
}

/// The server's folder can be moved: nothing in it names where it was.
#[test]
fn a_site_can_be_moved() {
    let site = Site::make();
    let moved = site.folder.path().join("elsewhere");
    std::fs::rename(&site.dir, &moved).unwrap();
    let config = moved.join("server/ward.toml");
    assert_eq!(run_json(&["doctor", "--config", text(&config)]).0, 0);
    assert_eq!(serve(&config).stop().0, 0);
}
