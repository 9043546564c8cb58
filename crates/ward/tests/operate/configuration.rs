//! `ward config explain`.

use crate::scene::{Site, run, run_json, said, text, ward};

fn value<'a>(report: &'a serde_json::Value, key: &str) -> &'a serde_json::Value {
    report["values"].as_array().unwrap().iter().find(|value| value["key"] == key).unwrap()
}

#[test]
fn every_value_has_a_source() {
    let site = Site::make();
    let config = site.config();
    let mut command = ward();
    command.env("WARD_SERVER__DRAIN_S", "7").args(["--json", "config", "explain", "--config", text(&config)]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value(&report, "server.drain_s")["value"], 7);
    assert_eq!(value(&report, "server.drain_s")["source"], "environment");
    assert_eq!(value(&report, "server.listen")["source"], "file");
    assert_eq!(value(&report, "server.metrics_listen")["source"], "default");
    assert_eq!(value(&report, "server.rates.device_per_min")["source"], "default");
    let secret = std::fs::read_to_string(site.dir.join("server/log.key")).unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).contains(secret.trim()));
}

#[test]
fn an_unknown_name_is_an_error_everywhere() {
    let site = Site::make();
    let config = site.config();
    let good = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, good.replace("listen =", "lisen =")).unwrap();
    for command in [vec!["config", "explain"], vec!["serve"]] {
        let output = run(&[command, vec!["--config", text(&config)]].concat());
        assert_eq!(output.status.code(), Some(3));
        assert!(said(&output).contains("lisen"), "{}", said(&output));
    }
    let (code, report) = run_json(&["doctor", "--config", text(&config)]);
    assert_eq!((code, report["ok"].as_bool()), (1, Some(false)));
    std::fs::write(&config, good).unwrap();
    let mut command = ward();
    command.env("WARD_SERVER__LISEN", "127.0.0.1:1").args(["config", "explain", "--config", text(&config)]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("WARD_SERVER__LISEN"), "{}", said(&output));
}

#[test]
fn a_missing_file_is_said_so() {
    let output = run(&["config", "explain", "--config", "there/is/no/ward.toml"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("there/is/no/ward.toml"));
}
