//! `ward policy`: its exit codes and reports.

use crate::scene::{run, run_json, said, text, ward};
use std::io::Write as _;
use std::process::Stdio;

fn plan(after: &str) -> String {
    format!(
        r#"{{"format_version": "1.2", "resource_changes": [{{"address": "aws_efs_file_system.f", "mode": "managed",
            "type": "aws_efs_file_system", "name": "f", "change": {{"actions": ["create"], "before": null,
            "after": {after}, "after_unknown": {{}}}}}}]}}"#
    )
}

#[test]
fn a_plan_is_refused_with_the_law_and_passes_once_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    std::fs::write(&file, plan(r#"{"encrypted": false}"#)).unwrap();
    let refused = run(&["policy", "check", text(&file)]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let page = String::from_utf8(refused.stdout).unwrap();
    for part in [
        "W-018",
        "aws_efs_file_system.f",
        "encrypted = false",
        "45 CFR 164.312(a)(2)(iv)",
        "encrypted = true",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    std::fs::write(&file, plan(r#"{"encrypted": true}"#)).unwrap();
    let passed = run(&["policy", "check", text(&file)]);
    assert_eq!(passed.status.code(), Some(0), "{}", said(&passed));
    // Another file that is not readable weighs more than one that passes.
    let gone = folder.path().join("gone.json");
    std::fs::write(&gone, "{").unwrap();
    let both = run(&["policy", "check", text(&file), text(&gone)]);
    assert_eq!(both.status.code(), Some(3), "{}", said(&both));
    std::fs::remove_file(&gone).unwrap();
    assert_eq!(run(&["policy", "check", text(&gone)]).status.code(), Some(3));
}

#[test]
fn standard_input_json_and_nothing_to_judge() {
    let mut command = ward();
    command.args(["policy", "check", "--format", "json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(plan("{}").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &report["inputs"][0]["findings"][0];
    assert_eq!((finding["rule"].as_str(), report["exit"].as_u64()), (Some("W-018"), Some(1)));
    assert_eq!(finding["observed"][0]["origin"], "default of the provider; not set");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    std::fs::write(&file, r#"{"format_version": "1.2", "resource_changes": []}"#).unwrap();
    assert_eq!(run(&["policy", "check", text(&file)]).status.code(), Some(2));
    assert_eq!(run(&["policy", "check", "--allow-empty", text(&file)]).status.code(), Some(0));
}

#[test]
fn what_the_organisation_decided_is_judged_and_bad_settings_stop_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let table = r#"{"format_version": "1.2", "resource_changes": [{"address": "azurerm_resource_group.g", "mode": "managed",
        "type": "azurerm_resource_group", "name": "g", "change": {"actions": ["create"], "before": null,
        "after": {"location": "eastus", "tags": {"owner": "ann"}}, "after_unknown": {}}}]}"#;
    std::fs::write(&file, table).unwrap();
    assert_eq!(run(&["policy", "check", text(&file)]).status.code(), Some(0));
    let settings = folder.path().join("decided.yaml");
    std::fs::write(&settings, "version: 1\nregions: [westeurope]\ntags: [owner]\n").unwrap();
    let refused = run(&["policy", "check", "--settings", text(&settings), text(&file)]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let page = String::from_utf8(refused.stdout).unwrap();
    assert!(page.contains("W-072") && page.contains("eastus") && !page.contains("W-073"), "{page}");
    std::fs::write(&settings, "version: 1\nregion: [westeurope]\n").unwrap();
    let unread = run(&["policy", "check", "--settings", text(&settings), text(&file)]);
    assert_eq!(unread.status.code(), Some(3), "{}", said(&unread));
    assert!(said(&unread).contains("region is not a key here"), "{}", said(&unread));
}

#[test]
fn a_folder_is_looked_through_and_a_file_of_terraform_stands_for_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &str| {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
        file
    };
    write("infra/variables.tf", "variable \"on\" {\n  default = true\n}\n");
    let main = write("infra/main.tf", "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = var.on\n}\n");
    write("infra/.terraform/providers/p.yaml", "apiVersion: [\n");
    write("package.json", "{\"name\": \"x\"}");
    let whole = run(&["policy", "check", text(folder.path())]);
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    let aside = String::from_utf8(whole.stderr).unwrap();
    assert!(aside.contains("package.json"), "what was passed over is named: {aside}");
    assert_eq!(run(&["policy", "check", text(&main)]).status.code(), Some(0));

    write(
        "k/pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostNetwork: true\n  containers: []\n",
    );
    let refused = run(&["policy", "check", text(folder.path())]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(String::from_utf8(refused.stdout).unwrap().contains("W-068"));

    // What cannot be read blocks, and so does a folder that holds nothing.
    write("half.yaml", "a: [\n");
    assert_eq!(run(&["policy", "check", text(folder.path())]).status.code(), Some(3));
    let empty = tempfile::tempdir().unwrap();
    let nothing = run(&["policy", "check", text(empty.path())]);
    assert_eq!(nothing.status.code(), Some(3), "{}", said(&nothing));
}

#[test]
fn fails_closed_values_that_are_given_are_judged_and_values_that_are_not_read_block() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, content: &str| {
        let file = folder.path().join(path);
        std::fs::write(&file, content).unwrap();
        file
    };
    write("variables.tf", "variable \"on\" {\n  default = true\n}\n");
    write("main.tf", "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = var.on\n}\n");
    let check = |more: &[&str]| run(&[&["policy", "check", text(folder.path())], more].concat());
    assert_eq!(check(&[]).status.code(), Some(0));
    assert_eq!(check(&["--var", "on=false"]).status.code(), Some(1));
    // A name that nobody declares, and a file that is not there.
    assert_eq!(check(&["--var", "off=true"]).status.code(), Some(3));
    assert_eq!(check(&["--var-file", "gone.tfvars"]).status.code(), Some(3));

    let prod = write("prod.tfvars", "on = false\n");
    let open = check(&[]);
    assert_eq!(open.status.code(), Some(2), "{}", said(&open));
    assert!(said(&open).contains("prod.tfvars"), "{}", said(&open));
    assert_eq!(check(&["--var-file", text(&prod)]).status.code(), Some(1));
    std::fs::write(&prod, "on = true\n").unwrap();
    assert_eq!(check(&["--var-file", text(&prod)]).status.code(), Some(0));

    // A file of which nobody declares anything, and an input that takes no values.
    let other = write("other.tfvars", "size = 5\n");
    assert_eq!(check(&["--var-file", text(&other)]).status.code(), Some(3));
    std::fs::remove_file(&other).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let stack = elsewhere.path().join("stack.json");
    std::fs::write(&stack, "{\"Resources\": {\"K\": {\"Type\": \"AWS::SQS::Queue\", \"Properties\": {\"KmsMasterKeyId\": \"k\"}}}}")
        .unwrap();
    let plain = run(&["policy", "check", text(&stack)]).status.code();
    assert_ne!(plain, Some(3));
    for more in [["--var", "on=true"], ["--var-file", text(&prod)]] {
        let refused = run(&[&["policy", "check", text(&stack)][..], &more].concat());
        assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
        assert_eq!(
            run(&[&["policy", "check", text(elsewhere.path())][..], &more].concat()).status.code(),
            Some(3)
        );
    }

    // What was not looked at is part of the report.
    write("package.json", "{\"name\": \"x\"}");
    let output = check(&["--var-file", text(&prod), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let passed_over = report["passed_over"][0].as_str().unwrap();
    assert!(passed_over.ends_with("package.json"), "{passed_over}");
}

#[test]
fn reports_for_other_tools_and_a_browser_have_the_same_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let source = "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = false\n}\n";
    std::fs::write(folder.path().join("main.tf"), source).unwrap();
    let page = run(&["policy", "check", "--format", "html", text(folder.path())]);
    assert_eq!(page.status.code(), Some(1), "{}", said(&page));
    let html = String::from_utf8(page.stdout).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("encrypted = false"), "{html}");
    let log = run(&["policy", "check", "--format", "sarif", text(folder.path())]);
    assert_eq!(log.status.code(), Some(1), "{}", said(&log));
    let log: serde_json::Value = serde_json::from_slice(&log.stdout).unwrap();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("/main.tf"), "{place}");
    assert_eq!(place["region"]["startLine"], 1);
    let plain = run(&["policy", "check", text(folder.path())]);
    let plain = String::from_utf8(plain.stdout).unwrap();
    assert!(plain.contains("2 │   encrypted = false") && !plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn a_rule_is_explained_and_every_rule_is_listed() {
    let told = run(&["policy", "explain", "w-018"]);
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains("W-018") && told.contains("aws_efs_file_system") && told.contains("in our words"),
        "{told}"
    );
    assert_eq!(run(&["policy", "explain", "W-999"]).status.code(), Some(3));

    let (code, listed) = run_json(&["policy", "rules"]);
    assert_eq!((code, listed["rules"].as_array().unwrap().len()), (0, 74));
    let table = run(&["policy", "rules"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("74 rules") && table.contains("Not covered"), "{table}");
}

#[test]
fn the_law_is_compared_with_an_edition() {
    let folder = tempfile::tempdir().unwrap();
    let law = text(folder.path());
    assert_eq!(run(&["policy", "law", "verify", "--law", law]).status.code(), Some(3), "no edition");
    let cite = "45 CFR 164.312(a)(2)(iv)";
    let words = serde_json::json!([{"cite": cite, "text": "Other words than those."}]);
    std::fs::write(folder.path().join("law.json"), words.to_string()).unwrap();
    let changed = run(&["policy", "law", "verify", "--law", law]);
    assert_eq!(changed.status.code(), Some(1), "{}", said(&changed));
    let page = String::from_utf8(changed.stdout).unwrap();
    assert!(page.contains("1 changed") && page.contains("never"), "{page}");
    let told = run(&["policy", "explain", "W-018", "--law", law]);
    assert!(String::from_utf8(told.stdout).unwrap().contains("Other words than those."));
    std::fs::write(folder.path().join("law.json"), "[{\"cite\": \"x\", \"text\": \"y\"}]").unwrap();
    assert_eq!(run(&["policy", "law", "verify", "--law", law]).status.code(), Some(2), "all is missing");
    std::fs::write(folder.path().join("law.json"), "{").unwrap();
    assert_eq!(run(&["policy", "law", "verify", "--law", law]).status.code(), Some(3));
}

const OWN_RULE: &str = "version: 1\narea: own\ntitle: Own\nrules:\n  - id: ORG-001\n    title: A queue has an owner\n    \
    severity: low\n    requirements: [processors]\n    cells:\n      - types: [aws_sqs_queue]\n        expected: a tag owner\n        \
    check: {path: tags.owner, set: true}\n";

#[test]
fn rules_of_an_organisation_judge_and_are_tried() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::fs::write(rules.join("own.yaml"), OWN_RULE).unwrap();
    let infra = folder.path().join("infra");
    std::fs::create_dir(&infra).unwrap();
    std::fs::write(infra.join("main.tf"), "resource \"aws_sqs_queue\" \"q\" {\n}\n").unwrap();
    let refused = run(&["policy", "check", "--rules", text(&rules), text(&infra)]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(said(&refused).contains("ORG-001"));

    let untried = run(&["policy", "test", text(&rules)]);
    assert_eq!(untried.status.code(), Some(1), "{}", said(&untried));
    assert!(
        said(&untried).contains("ORG-001: no fixture of aws_sqs_queue that is fail"),
        "{}",
        said(&untried)
    );
    let fixtures = "version: 1\narea: own\nfixtures:\n  - rule: ORG-001\n    cases:\n      - pass: {aws_sqs_queue.a: {tags: {owner: x}}}\n        \
                    fail: {aws_sqs_queue.b: {}}\n        indeterminate: {aws_sqs_queue.c: {tags: !unknown }}\n";
    std::fs::write(rules.join("fixtures.yaml"), fixtures).unwrap();
    let tried = run(&["policy", "test", text(&rules)]);
    assert_eq!(tried.status.code(), Some(0), "{}", said(&tried));
    std::fs::write(rules.join("fixtures.yaml"), fixtures.replace("pass:", "not-applicable:")).unwrap();
    let wrong = run(&["policy", "test", text(&rules)]);
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    assert!(said(&wrong).contains("expected not-applicable, got pass"), "{}", said(&wrong));

    std::fs::write(rules.join("own.yaml"), OWN_RULE.replace("set: true", "set: maybe")).unwrap();
    let bad = run(&["policy", "check", "--rules", text(&rules), text(&infra)]);
    assert_eq!(bad.status.code(), Some(3), "{}", said(&bad));
    assert!(said(&bad).contains("own.yaml:12: "), "{}", said(&bad));
}
