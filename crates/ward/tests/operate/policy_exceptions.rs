//! `ward policy waiver`, `baseline` and `fix`, from the command line.

use crate::scene::{run, said, text};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const SOURCE: &str = "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = false\n}\n";

/// A folder with infrastructure, keys of three people, and settings that name them.
struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(scene.at("infra")).unwrap();
        std::fs::create_dir(scene.at("waivers")).unwrap();
        std::fs::write(scene.at("infra/main.tf"), SOURCE).unwrap();
        let mut settings = "version: 1\nstage: test\nwaiver_signers:\n".to_owned();
        for name in ["ann", "bo", "cy"] {
            let made = run(&["policy", "waiver", "key", text(&scene.at(name))]);
            assert_eq!(made.status.code(), Some(0), "{}", said(&made));
            let key = String::from_utf8(made.stdout).unwrap().lines().next().unwrap().to_owned();
            settings.push_str(&format!("  - {{name: {name}, key: \"{key}\"}}\n"));
        }
        std::fs::write(scene.at("decided.yaml"), settings).unwrap();
        scene
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn code(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = run(args);
        (output.status.code(), said(&output))
    }

    fn check(&self, more: &[&str]) -> (Option<i32>, String) {
        let (infra, settings) = (self.at("infra"), self.at("decided.yaml"));
        let mut args = vec!["policy", "check", "--settings", text(&settings)];
        args.extend(more);
        args.push(text(&infra));
        self.code(&args)
    }

    fn write(&self, file: &Path, more: &[&str]) -> (Option<i32>, String) {
        let (infra, settings, key) = (self.at("infra"), self.at("decided.yaml"), self.at("ann"));
        let mut args = vec!["policy", "waiver", "write", "--settings", text(&settings), "--rule", "W-018"];
        args.extend(["--resource", "aws_efs_file_system.f", "--reason", "It moves.", "--name", "ann"]);
        args.extend(["--key", text(&key), "--out", text(file)]);
        args.extend(more);
        args.push(text(&infra));
        self.code(&args)
    }

    fn approve(&self, file: &Path, name: &str) -> (Option<i32>, String) {
        self.code(&["policy", "waiver", "approve", text(file), "--name", name, "--key", text(&self.at(name))])
    }
}

#[test]
fn a_waiver_is_written_approved_and_counts_until_the_value_changes() {
    let scene = Scene::new();
    let (file, waivers) = (scene.at("waivers/w.yaml"), scene.at("waivers"));
    let with = ["--waivers", text(&waivers)];
    assert_eq!(scene.check(&with).0, Some(1));
    let (code, told) = scene.write(&file, &[]);
    assert!(code == Some(3) && told.contains("--alternative"), "{told}");
    let (code, told) = scene.write(&file, &["--alternative", "Two people have access.", "--days", "90"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = scene.check(&with);
    assert!(code == Some(1) && told.contains("approvals"), "{told}");
    assert_eq!(scene.approve(&file, "ann").0, Some(1), "nobody approves what they wrote");
    let (code, told) = scene.approve(&file, "bo");
    assert!(code == Some(0) && told.contains("W-018 aws_efs_file_system.f in test from "), "{told}");
    assert!(
        told.contains("encrypted = false") && told.contains("It moves."),
        "what is signed is shown: {told}"
    );
    assert_eq!(scene.approve(&file, "bo").0, Some(1), "nobody approves twice");
    let settings = scene.at("decided.yaml");
    let single = ["policy", "waiver", "check", text(&file), "--settings", text(&settings)];
    let (code, told) = scene.code(&single);
    assert!(code == Some(1) && told.contains("1 of 2 approvals"), "{told}");
    let (code, told) = scene.check(&with);
    assert!(code == Some(1) && told.contains("1 of 2 approvals"), "{told}");
    assert_eq!(scene.approve(&file, "cy").0, Some(0));
    assert_eq!(scene.code(&single).0, Some(0));
    let production = scene.at("production.yaml");
    std::fs::write(
        &production,
        std::fs::read_to_string(&settings).unwrap().replace("stage: test", "stage: production"),
    )
    .unwrap();
    let other = ["policy", "waiver", "check", text(&file), "--settings", text(&production)];
    let (code, told) = scene.code(&other);
    assert!(code == Some(1) && told.contains("stage test"), "{told}");
    let (code, told) = scene.check(&with);
    assert!(code == Some(0) && told.contains("waived") && told.contains("approved by"), "{told}");

    // The report for tools holds it as accepted, the one for programs as waived.
    let (_, log) = scene.check(&["--waivers", text(&waivers), "--format", "sarif"]);
    assert!(log.contains("\"suppressions\"") && log.contains("\"accepted\""), "{log}");

    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written.replace("It moves.", "It stays.")).unwrap();
    let (code, told) = scene.check(&with);
    assert!(code == Some(1) && told.contains("does not fit"), "{told}");
    assert_eq!(scene.code(&single).0, Some(1));
    std::fs::write(&file, written).unwrap();
    std::fs::write(scene.at("infra/main.tf"), SOURCE.replace("encrypted = false", "")).unwrap();
    let (code, told) = scene.check(&with);
    assert!(code == Some(1) && told.contains("another value"), "{told}");
    std::fs::write(&file, "version: 1\n").unwrap();
    assert_eq!(scene.check(&with).0, Some(3));
}

#[test]
fn a_baseline_shrinks_and_never_grows() {
    let scene = Scene::new();
    let (file, infra) = (scene.at("baseline.json"), scene.at("infra"));
    let write = ["policy", "baseline", "write", text(&infra), "--out", text(&file)];
    assert_eq!(scene.code(&write).0, Some(0));
    let with = ["--baseline", text(&file)];
    assert_eq!(scene.check(&with).0, Some(0));
    let first = scene.at("first.json");
    std::fs::copy(&file, &first).unwrap();

    // A new finding blocks, and is not taken in.
    let more = format!("{SOURCE}resource \"aws_efs_file_system\" \"g\" {{\n  encrypted = false\n}}\n");
    std::fs::write(scene.at("infra/main.tf"), &more).unwrap();
    assert_eq!(scene.check(&with).0, Some(1));
    let (code, told) = scene.code(&write);
    assert!(code == Some(1) && told.contains("aws_efs_file_system.g"), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(&first).unwrap());

    // What is mended has to be taken out.
    std::fs::write(scene.at("infra/main.tf"), SOURCE.replace("false", "true")).unwrap();
    let (code, told) = scene.check(&with);
    assert!(code == Some(1) && told.contains("is gone or changed"), "{told}");
    // No report says that it passed, and each says why not.
    for format in ["text", "html", "json", "sarif"] {
        let output = run(&[&["policy", "check", text(&infra), "--format", format], &with[..]].concat());
        let page = String::from_utf8(output.stdout).unwrap();
        let word = if format == "json" { "\"baseline_has_to_shrink\":true" } else { "gone or changed" };
        assert!(page.contains(word), "{format}: {page}");
    }
    let (code, told) = scene.check(&["--baseline", text(&file), "--format", "json"]);
    assert!(code == Some(1) && told.contains("\"exit\":1") && !told.contains("\"exit\":0"), "{told}");
    let (code, told) = scene.check(&["--baseline", text(&file), "--format", "sarif"]);
    assert!(code == Some(1) && told.contains("\"executionSuccessful\":false"), "{told}");
    assert_eq!(scene.code(&write).0, Some(0));
    assert_eq!(scene.check(&with).0, Some(0));
    assert_eq!(scene.code(&["policy", "baseline", "compare", text(&first), text(&file)]).0, Some(0));
    assert_eq!(scene.code(&["policy", "baseline", "compare", text(&file), text(&first)]).0, Some(1));
}

#[test]
fn a_fix_is_shown_only_if_another_check_proves_it() {
    let scene = Scene::new();
    let source = format!(
        "{SOURCE}resource \"aws_db_instance\" \"d\" {{\n  engine            = \"postgres\"\n  storage_encrypted = var.on\n}}\n"
    );
    std::fs::write(scene.at("infra/main.tf"), &source).unwrap();
    std::fs::write(scene.at("infra/variables.tf"), "variable \"on\" {\n  type = bool\n}\n").unwrap();
    let infra = scene.at("infra");
    let output = run(&["policy", "fix", "--diff", text(&infra)]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let diff = String::from_utf8(output.stdout).unwrap();
    for line in [
        "-  encrypted = false\n",
        "+  encrypted = true\n",
        "+  deletion_protection = true\n",
        "+  multi_az = true\n",
    ] {
        assert!(diff.contains(line), "{line} is not in\n{diff}");
    }
    assert!(!diff.contains("+  storage_encrypted"), "what a variable says is not written over: {diff}");
    assert_eq!(std::fs::read_to_string(scene.at("infra/main.tf")).unwrap(), source, "nothing is written");
    // The diff is one that a patch applies.
    let patch = scene.at("fix.patch");
    std::fs::write(&patch, &diff).unwrap();
    match std::process::Command::new("patch").args(["-p1", "-d", "/", "-i", text(&patch)]).output() {
        Err(_) => println!("skipped: there is no patch program here to apply the diff with"),
        Ok(applied) => {
            assert!(applied.status.success(), "{}", said(&applied));
            let mended = std::fs::read_to_string(scene.at("infra/main.tf")).unwrap();
            assert!(
                mended.contains("  encrypted = true") && mended.contains("storage_encrypted = var.on"),
                "{mended}"
            );
            let again = run(&["policy", "fix", "--diff", text(&infra)]);
            assert!(again.stdout.is_empty(), "{}", said(&again));
        }
    }
    assert_eq!(run(&["policy", "fix", "--diff", text(&scene.at("infra/main.tf"))]).status.code(), Some(3));
}
