//! What a person reads about a refusal, word for word. `WARD_WRITE_VECTORS=1` writes it anew: every
//! difference is read before it is kept.

use crate::plans::{created, declared, plan, read};
use std::path::PathBuf;
use ward_policy::report::{CheckReport, Checked, Style, text};
use ward_policy::{assess, builtin_rules, read_input};

fn golden(name: &str, found: &str) {
    let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).join(name);
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&file).unwrap(), "{name}");
}

fn refused_plan() -> String {
    let database = created(
        "module.trial[0].aws_db_instance.answers",
        r#"{"engine": "postgres", "storage_encrypted": false, "multi_az": true, "deletion_protection": true,
            "backup_retention_period": 35, "iam_database_authentication_enabled": true, "parameter_group_name": "tls"}"#,
        r#"{"kms_key_id": true, "enabled_cloudwatch_logs_exports": true}"#,
    );
    let group = created(
        "aws_db_parameter_group.tls",
        r#"{"name": "tls", "family": "postgres16", "parameter": [{"name": "rds.force_ssl", "value": "1"}]}"#,
        "{}",
    );
    let disk = created("aws_ebs_volume.spool", "{}", r#"{"encrypted": true}"#);
    let zone = created("aws_route53_zone.z", "{}", "{}");
    let root = format!(
        r#"{{"resources": [{}, {}], "module_calls": {{"trial": {{"module": {{"resources": [{}]}}}}}}}}"#,
        declared("aws_ebs_volume.spool", "{}"),
        declared("aws_db_parameter_group.tls", "{}"),
        declared(
            "aws_db_instance.answers",
            r#"{"kms_key_id": {"references": ["local.key"]}, "enabled_cloudwatch_logs_exports": {"references": ["local.logs"]}}"#
        ),
    );
    plan(r#""complete": false,"#, &[database, group, disk, zone].join(", "), &root)
}

#[test]
fn a_refusal_says_what_where_why_and_how_to_mend_it() {
    let rules = builtin_rules().unwrap();
    let graph = read(&refused_plan()).unwrap();
    let broken = read_input(b"{\"format_version\": \"9.0\"}");
    let checked = [
        Checked { name: "plan.json", result: Ok(assess(&graph, &rules)) },
        Checked { name: "other.json", result: Err(broken.unwrap_err()) },
    ];
    golden("refusal.txt", &text(&checked, &rules, false, Style::plain()));
    let report = CheckReport::new(&checked, &rules, false);
    golden("refusal.json", &format!("{}\n", serde_json::to_string_pretty(&report).unwrap()));
}

#[test]
fn colours_change_nothing_but_colours() {
    let rules = builtin_rules().unwrap();
    let graph = read(&refused_plan()).unwrap();
    let checked = [Checked { name: "plan.json", result: Ok(assess(&graph, &rules)) }];
    let coloured = text(&checked, &rules, false, Style::coloured(Style::plain().width));
    let mut bare = String::new();
    for (place, part) in coloured.split('\u{1b}').enumerate() {
        bare.push_str(if place == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    let trimmed: Vec<&str> = bare.lines().map(str::trim_end).collect();
    let plain = text(&checked, &rules, false, Style::plain());
    assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
}

#[test]
fn nothing_in_a_plan_steers_the_terminal() {
    let rules = builtin_rules().unwrap();
    let bucket = created("aws_s3_bucket.b", r#"{"acl": "public-read\u001b[2J\u202e"}"#, "{}")
        .replace("\"address\": \"aws_s3_bucket.b\"", "\"address\": \"aws_s3_bucket.b\\u001b[31m\\u202e\"");
    let graph = read(&plan("", &bucket, "{}")).unwrap();
    let checked = [Checked { name: "pl\u{1b}an", result: Ok(assess(&graph, &rules)) }];
    let page = text(&checked, &rules, false, Style::plain());
    assert!(!page.contains(['\u{1b}', '\u{202e}']), "{page:?}");
}
