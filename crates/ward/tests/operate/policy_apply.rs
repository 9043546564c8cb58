//! `ward policy apply`: what is applied is what was checked. A stand-in takes the place of Terraform.
#![cfg(unix)]

use crate::scene::{said, text, ward};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const OPEN: &str = r#"{"encrypted": false}"#;
const SOUND: &str = r#"{"encrypted": true}"#;

/// A folder with a stand-in that shows a plan as it is, and notes what it applies.
struct Scene {
    folder: TempDir,
}

impl Scene {
    /// What the stand-in does besides, while it shows the plan.
    fn new(meanwhile: &str) -> Self {
        Self::with(meanwhile, "")
    }

    /// And what it does once it has applied a plan.
    fn with(meanwhile: &str, afterwards: &str) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap() };
        let here = scene.folder.path().display();
        let program = format!(
            "#!/bin/sh\nif [ \"$1\" = show ]; then\n  cat \"$3\"\n  {meanwhile}\n  exit 0\nfi\necho \"$@\" > \
             '{here}/applied'\nfor last; do :; done\ncat \"$last\" > '{here}/content'\n{afterwards}\nexit 7\n"
        );
        std::fs::write(scene.at("terraform"), program).unwrap();
        std::fs::set_permissions(scene.at("terraform"), std::fs::Permissions::from_mode(0o755)).unwrap();
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn plan(&self, after: &str) {
        let plan = format!(
            r#"{{"format_version": "1.2", "resource_changes": [{{"address": "aws_efs_file_system.f", "mode": "managed",
                "type": "aws_efs_file_system", "name": "f", "change": {{"actions": ["create"], "before": null,
                "after": {after}, "after_unknown": {{}}}}}}]}}"#
        );
        std::fs::write(self.at("plan"), plan).unwrap();
    }

    fn apply(&self, args: &[&str]) -> Output {
        let mut command = ward();
        command.env("TMPDIR", self.folder.path()).current_dir(self.folder.path());
        command.args(["policy", "apply", "--"]).arg(self.at("terraform")).args(args).output().unwrap()
    }

    /// Starts it in a group of its own, where no terminal sends signals.
    fn start(&self, args: &[&str]) -> Child {
        let mut command = ward();
        command.env("TMPDIR", self.folder.path()).current_dir(self.folder.path()).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.args(["policy", "apply", "--"]).arg(self.at("terraform")).args(args).spawn().unwrap()
    }

    /// How many copies of plans there are.
    fn copies(&self) -> usize {
        let names = std::fs::read_dir(self.folder.path()).unwrap().map(|one| one.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("ward-plan-")).count()
    }

    fn applied(&self) -> Option<String> {
        std::fs::read_to_string(self.at("applied")).ok()
    }
}

#[test]
fn a_sound_plan_is_applied_as_it_was_judged_and_its_exit_code_is_given() {
    let scene = Scene::new("");
    scene.plan(SOUND);
    let plan = scene.at("plan");
    let applied = scene.apply(&["apply", "-no-color", text(&plan)]);
    assert_eq!(applied.status.code(), Some(7), "{}", said(&applied));
    let args = scene.applied().unwrap();
    assert!(
        args.starts_with("apply -no-color ") && !args.contains(&format!(" {}", text(&plan))),
        "a copy: {args}"
    );
    assert_eq!(std::fs::read(scene.at("content")).unwrap(), std::fs::read(&plan).unwrap());
    assert_eq!(scene.copies(), 0);
}

#[test]
fn fails_closed_a_plan_that_is_not_sound_is_not_applied() {
    let scene = Scene::new("");
    scene.plan(OPEN);
    let refused = scene.apply(&["apply", "plan"]);
    assert_eq!((refused.status.code(), scene.applied()), (Some(1), None), "{}", said(&refused));
    assert!(said(&refused).contains("W-018"));
    std::fs::write(scene.at("plan"), "{\"format_version\": \"1.2\", \"resource_changes\": []}").unwrap();
    assert_eq!(scene.apply(&["apply", "plan"]).status.code(), Some(2), "nothing was judged");
    std::fs::write(scene.at("plan"), "no plan").unwrap();
    assert_eq!(scene.apply(&["apply", "plan"]).status.code(), Some(3));
    assert_eq!(scene.applied(), None);
}

#[test]
fn fails_closed_a_plan_that_is_exchanged_meanwhile_is_not_applied() {
    // The file of the plan is exchanged: the copy that was judged is applied.
    let scene = Scene::new("echo other > plan");
    scene.plan(SOUND);
    let judged = std::fs::read(scene.at("plan")).unwrap();
    assert_eq!(scene.apply(&["apply", "plan"]).status.code(), Some(7));
    assert_eq!(std::fs::read(scene.at("content")).unwrap(), judged);
    // The copy itself is exchanged: nothing is applied.
    let scene = Scene::new("echo other > \"$3\"");
    scene.plan(SOUND);
    let refused = scene.apply(&["apply", "plan"]);
    assert_eq!((refused.status.code(), scene.applied()), (Some(3), None), "{}", said(&refused));
}

#[test]
fn fails_closed_a_command_that_does_more_than_apply_one_plan_is_refused() {
    let scene = Scene::new("");
    scene.plan(SOUND);
    for args in [
        &["apply"][..],
        &["apply", "-auto-approve"],
        &["apply", "-target=aws_efs_file_system.f", "plan"],
        &["apply", "-destroy", "plan"],
        &["apply", "-var", "a=b", "plan"],
        &["apply", "plan", "other"],
        &["destroy", "plan"],
        &["-chdir=x", "apply", "plan"],
        &["apply", "missing"],
    ] {
        let refused = scene.apply(args);
        assert_eq!((refused.status.code(), scene.applied()), (Some(3), None), "{args:?} {}", said(&refused));
    }
    let mut added = ward();
    added.env("TF_CLI_ARGS_apply", "-destroy").current_dir(scene.folder.path());
    let refused = added.args(["policy", "apply", "--", "./terraform", "apply", "plan"]).output().unwrap();
    assert_eq!((refused.status.code(), scene.applied()), (Some(3), None), "{}", said(&refused));
    let other = ward().args(["policy", "apply", "--", "sh", "apply", "plan"]).output().unwrap();
    assert_eq!(other.status.code(), Some(3));
}

/// Waits until something is so; a test that waits in vain fails.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whoever starts Ward by nohup closes the terminal, and the plan is applied.
#[test]
fn a_hangup_that_is_ignored_stops_nothing() {
    let scene = Scene::with("", "touch working; while [ ! -e done ]; do sleep 0.05; done");
    scene.plan(SOUND);
    let mut command = Command::new("nohup");
    command.arg(ward().get_program()).args(["policy", "apply", "--"]).arg(scene.at("terraform"));
    command.args(["apply", "plan"]).env("TMPDIR", scene.folder.path()).current_dir(scene.folder.path());
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    until("the stand-in applies", || scene.at("working").exists());
    send("-HUP", &format!("-{}", child.id()));
    std::fs::write(scene.at("done"), "").unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), scene.copies()), (Some(7), 0), "{}", said(&ended));
}

/// A signal to a process, or to a group of them.
fn send(signal: &str, to: &str) {
    assert!(Command::new("kill").args([signal, "--", to]).status().unwrap().success());
}

#[test]
fn the_copy_of_the_plan_goes_when_ward_is_told_to_stop() {
    // The stand-in notes each signal, and ends a while after the first one, as Terraform does.
    const TELLS: &str = "for one in INT TERM HUP QUIT; do trap \"echo $one >> signals\" $one; done; touch working; \
                         while [ ! -e signals ]; do sleep 0.05; done; sleep 0.5";
    for (signal, is_to_all) in [
        ("-INT", false),
        ("-TERM", false),
        ("-HUP", false),
        ("-QUIT", false),
        ("-INT", true),
        ("-QUIT", true),
    ] {
        let scene = Scene::with("", TELLS);
        scene.plan(SOUND);
        let child = scene.start(&["apply", "plan"]);
        until("the stand-in applies", || scene.at("working").exists());
        assert_eq!(scene.copies(), 1);
        let ward = child.id().to_string();
        send(signal, &if is_to_all { format!("-{ward}") } else { ward });
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(7), "{signal} {}", said(&ended));
        let noted = std::fs::read_to_string(scene.at("signals")).unwrap();
        assert_eq!(noted.lines().collect::<Vec<_>>(), [signal.trim_start_matches('-')], "once");
        assert_eq!(scene.copies(), 0, "{signal}");
    }
}

#[test]
fn fails_closed_nothing_is_applied_once_ward_was_told_to_stop() {
    for meanwhile in [
        // The program that shows the plan ends of the signal, or it doesn't care.
        "touch working; while :; do sleep 0.05; done",
        "trap 'touch told' TERM; touch working; while [ ! -e told ]; do sleep 0.05; done",
    ] {
        let scene = Scene::new(meanwhile);
        scene.plan(SOUND);
        let child = scene.start(&["apply", "plan"]);
        until("the stand-in shows the plan", || scene.at("working").exists());
        send("-TERM", &child.id().to_string());
        let ended = child.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), scene.applied()), (Some(3), None), "{}", said(&ended));
        assert!(said(&ended).contains("asked to stop"), "{}", said(&ended));
        assert_eq!(scene.copies(), 0);
    }
}
