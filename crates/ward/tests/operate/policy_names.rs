//! Names that others chose, and how commands of `ward policy` show them and end.

use crate::scene::{run, said, text};
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Colours, a line of its own, a line turned around.
const HOSTILE: &str = "x\u{1b}[31m\nPASS  (all)\u{202e}";

const OPEN: &str = "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = false\n}\n";

/// A folder with a file of Terraform.
fn folder(name: &str, source: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, source).unwrap();
    (folder, file)
}

/// Nothing steers, and no line begins as a line of Ward's own does.
fn assert_inert(output: &Output) {
    let said = said(output);
    assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    assert!(!said.lines().any(|line| line.starts_with("PASS")), "{said:?}");
}

#[test]
fn no_command_obeys_the_name_of_a_file() {
    let (infra, _) = folder(&format!("{HOSTILE}.tf"), OPEN);
    std::fs::write(infra.path().join(format!("{HOSTILE}.md")), "no code").unwrap();
    std::fs::write(infra.path().join(format!("{HOSTILE}.yaml")), "a: b").unwrap();
    let path = text(infra.path());
    for args in [
        &["policy", "check", path][..],
        &["policy", "fix", "--diff", path],
        &["policy", "check", "--format", "sarif", path],
        &["--json", "policy", "check", path],
        &["--json", "policy", "fix", "--diff", path],
        &["policy", "check", HOSTILE],
        &["policy", "fix", "--diff", HOSTILE],
        &["policy", "explain", HOSTILE],
        &["policy", "rules", "--rules", HOSTILE],
        &["policy", "apply", "--", "terraform", "apply", HOSTILE],
        &["policy", "apply", "--", HOSTILE, "apply", "plan"],
    ] {
        let output = run(args);
        assert_ne!(output.status.code(), Some(0), "{args:?}");
        assert_inert(&output);
    }
    let page = said(&run(&["policy", "check", "--format", "html", path]));
    assert!(page.contains("[31m") && !page.contains(['\u{1b}', '\u{202e}']), "{page:?}");
}

#[test]
fn no_command_obeys_the_title_of_a_rule() {
    let (rules, _) = folder("own.yaml", "");
    let title = "\"x\\e[31m\\nPASS  (all)\\u202e\"";
    let own = format!(
        "version: 1\narea: {title}\ntitle: {title}\nrules:\n- id: X-001\n  title: {title}\n  severity: critical\n  \
         requirements: [encryption-at-rest]\n  not_covered: [{{where: {title}, because: {title}}}]\n  cells:\n  \
         - types: [aws_efs_file_system]\n    aspect: {title}\n    expected: {title}\n    check: {{path: a, equals: true}}\n"
    );
    std::fs::write(rules.path().join("own.yaml"), own).unwrap();
    let (infra, _) = folder("main.tf", OPEN);
    let (rules, infra) = (text(rules.path()), text(infra.path()));
    for (args, code) in [
        (&["policy", "rules", "--rules", rules][..], 0),
        (&["policy", "explain", "X-001", "--rules", rules], 0),
        (&["policy", "check", infra, "--rules", rules], 1),
        (&["policy", "test", rules], 1),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?} {}", said(&output));
        assert!(said(&output).contains("X-001"), "{}", said(&output));
        assert_inert(&output);
    }
}

#[test]
fn fix_ends_as_the_check_of_what_is_there() {
    let code = |source: &str| {
        let (infra, _) = folder("main.tf", source);
        let codes = ["check", "fix"].map(|verb| {
            let diff = if verb == "fix" { &["--diff"][..] } else { &[] };
            run(&[&["policy", verb, text(infra.path())], diff].concat()).status.code()
        });
        assert_eq!(codes[0], codes[1], "{source}");
        codes[1]
    };
    assert_eq!(code(OPEN), Some(1));
    assert_eq!(code("resource \"odd_thing\" \"o\" {\n}\n"), Some(2), "nothing is recognised");
    assert_eq!(code("locals {\n}\n"), Some(2), "nothing is there");
    assert_eq!(code("resource \"aws_efs_file_system\" \"f\" {\n  encrypted = data.x.y.on\n}\n"), Some(2));
    assert_eq!(code("resource {\n"), Some(3));
}

/// Git takes the diff of a file whatever it is called.
#[test]
fn a_diff_of_a_file_with_an_odd_name_can_be_applied() {
    if Command::new("git").arg("--version").output().is_err() {
        println!("skipped: git is not there");
        return;
    }
    let (infra, file) = folder("a \"b\\c\u{1b}\n+++ d.tf", OPEN);
    let diff = Command::new(env!("CARGO_BIN_EXE_ward"))
        .args(["policy", "fix", "--diff", "."])
        .current_dir(infra.path())
        .output()
        .unwrap();
    assert_eq!(diff.status.code(), Some(1), "{}", said(&diff));
    std::fs::write(infra.path().join("fix.diff"), &diff.stdout).unwrap();
    let applied = Command::new("git").args(["apply", "fix.diff"]).current_dir(infra.path()).output().unwrap();
    assert!(applied.status.success(), "{} {}", said(&applied), said(&diff));
    assert_eq!(std::fs::read_to_string(file).unwrap(), OPEN.replace("false", "true"));
}
