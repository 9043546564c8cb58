//! The scripts of `docs/policy/ci.md`, taken out of the page and run on a sound and on a broken folder.
#![cfg(unix)]

use crate::scene::{said, text};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;
use ward_policy::yaml::{YamlNode, read_yaml};

const PAGE: &str = include_str!("../../../../docs/policy/ci.md");
const SOUND: &str = "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = true\n}\n";
const BROKEN: &str = "resource \"aws_efs_file_system\" \"f\" {\n  encrypted = false\n}\n";

/// The block of code under a heading of the page.
fn sample(heading: &str) -> &'static str {
    let (_, section) = PAGE.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{heading}"));
    let section = section.split("\n## ").next().unwrap();
    let (_, block) = section.split_once("\n```").unwrap();
    let (_, block) = block.split_once('\n').unwrap();
    let (block, rest) = block.split_once("\n```").unwrap();
    assert!(!rest.contains("\n```"), "{heading} has more than one block");
    block
}

fn yaml(heading: &str) -> YamlNode {
    read_yaml(sample(heading)).unwrap().remove(0)
}

/// A value within a document, by names and places.
fn at<'y>(node: &'y YamlNode, path: &str) -> &'y YamlNode {
    path.split('.').fold(node, |node, step| {
        let inner = match step.parse::<usize>() {
            Ok(place) => node.as_items().and_then(|items| items.get(place)),
            Err(_) => node.get(step),
        };
        inner.unwrap_or_else(|| panic!("{path}: no {step}"))
    })
}

/// A repository with infrastructure in it, and `ward` on the PATH.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new(source: &str) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["infra", "waivers", "bin"] {
            std::fs::create_dir(repository.at(name)).unwrap();
        }
        repository.write("infra/main.tf", source);
        repository.git(&["init", "--quiet"]);
        repository
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        std::fs::write(self.at(path), content).unwrap();
    }

    fn write_program(&self, path: &str, content: &str) {
        self.write(path, content);
        std::fs::set_permissions(self.at(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("WARD_") || name.starts_with("GIT_"))
        {
            command.env_remove(name);
        }
        let ward = Path::new(env!("CARGO_BIN_EXE_ward")).parent().unwrap().to_owned();
        let rest = std::env::var_os("PATH").unwrap();
        let path = [self.at("bin"), ward].into_iter().chain(std::env::split_paths(&rest));
        command.env("PATH", std::env::join_paths(path).unwrap()).env("TMPDIR", self.folder.path());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.current_dir(self.folder.path());
        command
    }

    fn git(&self, words: &[&str]) -> Output {
        let who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
        self.command("git").args(who).args(words).output().unwrap()
    }

    /// Stages a source and commits it; another one may lie in the folder meanwhile.
    fn commit(&self, staged: &str, in_the_folder: &str) -> Output {
        self.write("infra/main.tf", staged);
        assert!(self.git(&["add", "infra"]).status.success());
        self.write("infra/main.tf", in_the_folder);
        self.git(&["commit", "--quiet", "--message", "change"])
    }

    /// Runs a script as a shell that stops at the first command that fails.
    fn run(&self, shell: &str, script: &str) -> Output {
        self.command(shell).args(["-e", "-c", script]).output().unwrap()
    }
}

#[track_caller]
fn ends_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
}

#[test]
fn the_hook_judges_what_is_about_to_be_committed() {
    let repository = Repository::new(SOUND);
    repository.write_program(".git/hooks/pre-commit", sample("Before a commit"));
    ends_with(&repository.commit(SOUND, SOUND), 0);
    let refused = repository.commit(BROKEN, BROKEN);
    assert!(!refused.status.success() && said(&refused).contains("W-018"), "{}", said(&refused));
    // What lies in the folder and is not staged neither helps nor hinders.
    assert!(!repository.commit(BROKEN, SOUND).status.success());
    let whole = format!("{SOUND}# again\n");
    ends_with(&repository.commit(&whole, BROKEN), 0);
}

#[test]
fn the_entry_for_pre_commit_needs_no_names_of_files() {
    let config = yaml("With pre-commit");
    let hook = at(&config, "repos.0.hooks.0");
    assert_eq!(at(hook, "pass_filenames").as_text(), Some("false"));
    let entry = at(hook, "entry").as_text().unwrap();
    ends_with(&Repository::new(SOUND).run("sh", entry), 0);
    ends_with(&Repository::new(BROKEN).run("sh", entry), 1);
}

#[test]
fn the_step_for_github_leaves_a_report_and_fails_with_the_check() {
    let workflow = yaml("GitHub Actions");
    let step = at(&workflow, "jobs.policy.steps.1.run").as_text().unwrap();
    for (source, code) in [(SOUND, 0), (BROKEN, 1)] {
        let repository = Repository::new(source);
        ends_with(&repository.run("bash", step), code);
        let file = at(at(&workflow, "jobs.policy.steps.2"), "with.sarif_file").as_text().unwrap();
        let log = std::fs::read_to_string(repository.at(file)).unwrap();
        let log: serde_json::Value = serde_json::from_str(&log).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.is_empty(), code == 0, "{results:?}");
    }
}

#[test]
fn the_job_for_gitlab_leaves_a_page_and_fails_with_the_check() {
    let job = yaml("GitLab CI");
    let lines = at(&job, "policy.script").as_items().unwrap().iter().map(|line| line.as_text().unwrap());
    let script = lines.collect::<Vec<_>>().join("\n");
    for (source, code) in [(SOUND, 0), (BROKEN, 1)] {
        let repository = Repository::new(source);
        ends_with(&repository.run("sh", &script), code);
        let file = at(&job, "policy.artifacts.paths.0").as_text().unwrap();
        assert!(std::fs::read_to_string(repository.at(file)).unwrap().contains("</html>"));
    }
}

#[test]
fn a_baseline_takes_what_was_there_and_nothing_new() {
    let script = sample("A baseline for what was there before");
    let repository = Repository::new(BROKEN);
    let (first, _) = script.split_once('\n').unwrap();
    ends_with(&repository.run("sh", first), 0);
    assert!(repository.git(&["add", "baseline.json"]).status.success());
    ends_with(&repository.commit(BROKEN, BROKEN), 0);
    ends_with(&repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]), 0);
    ends_with(&repository.run("sh", script), 0);
    let more = BROKEN.replace("\"f\"", "\"g\"");
    repository.write("infra/more.tf", &more);
    ends_with(&repository.run("sh", script), 1);
    // Not even with a baseline that knows it.
    std::fs::remove_file(repository.at("baseline.json")).unwrap();
    ends_with(&repository.run("sh", script), 1);
}

#[test]
fn what_is_deployed_is_what_was_judged() {
    let script = sample("At the deployment");
    for (encrypted, code) in [(true, 0), (false, 1)] {
        let repository = Repository::new(SOUND);
        let plan = format!(
            r#"{{"format_version": "1.2", "resource_changes": [{{"address": "aws_efs_file_system.f", "mode": "managed",
                "type": "aws_efs_file_system", "name": "f", "change": {{"actions": ["create"], "before": null,
                "after": {{"encrypted": {encrypted}}}, "after_unknown": {{}}}}}}]}}"#
        );
        repository.write("planned", &plan);
        let stand_in = "#!/bin/sh\ncase $1 in\nplan) cp planned \"${2#-out=}\" ;;\nshow) cat \"$3\" ;;\napply) touch \
                        applied ;;\nesac\n";
        repository.write_program("bin/terraform", stand_in);
        ends_with(&repository.run("sh", script), code);
        assert_eq!(repository.at("applied").exists(), encrypted);
    }
}

#[test]
fn every_script_of_the_page_is_tried() {
    let blocks = PAGE.lines().filter(|line| line.starts_with("```") && *line != "```").count();
    assert_eq!(blocks, 6, "a test for each block of {}", text(Path::new("docs/policy/ci.md")));
}
