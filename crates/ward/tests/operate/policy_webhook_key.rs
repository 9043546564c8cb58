//! The key of the webhook, as a cluster hands it to a pod that is not root, and renews it.
#![cfg(unix)]

use crate::cluster::MadeCertificate;
use crate::policy_webhook::Webhook;
use crate::scene::{said, text, ward};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// User and group of the pod in `deploy/kubernetes/webhook.yaml`.
const POD: u32 = 10_001;

/// Whether this test may give files to others, as the kubelet does.
fn is_root() -> bool {
    tempfile::tempdir().unwrap().path().metadata().unwrap().uid() == 0
}

/// A volume as the kubelet makes one: names that lead through `..data`, which is exchanged at once.
struct Volume {
    folder: PathBuf,
    versions: u32,
}

impl Volume {
    fn at(folder: &Path) -> Self {
        // The kubelet's own folder is open to all; what lies in it is not.
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o1777)).unwrap();
        for name in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{name}"), folder.join(name)).unwrap();
        }
        Self { folder: folder.to_owned(), versions: 0 }
    }

    /// Brings files with these rights, of root and this group if that can be.
    fn bring(&mut self, cert: &str, key: &str, mode: u32, group: u32) {
        self.versions += 1;
        let version = self.folder.join(format!("..version_{}", self.versions));
        std::fs::create_dir(&version).unwrap();
        std::fs::set_permissions(&version, std::fs::Permissions::from_mode(0o755)).unwrap();
        for (name, content) in [("tls.crt", cert), ("tls.key", key)] {
            let file = version.join(name);
            std::fs::write(&file, content).unwrap();
            if is_root() {
                chown(&file, Some(0), Some(group)).unwrap();
            }
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink(version.file_name().unwrap(), self.folder.join("..data_new")).unwrap();
        std::fs::rename(self.folder.join("..data_new"), self.folder.join("..data")).unwrap();
    }
}

/// The program as the user of the pod runs it: where its own user reaches it, and without groups but one.
fn as_pod(beside: &TempDir) -> Command {
    let mut command = ward();
    if is_root() {
        let program = beside.path().join("ward");
        if !program.exists() {
            std::fs::copy(command.get_program(), &program).unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            std::fs::set_permissions(beside.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        command = Command::new(program);
        command.env_clear().uid(POD).gid(POD);
    }
    command.current_dir("/").args(["policy", "webhook"]);
    command
}

/// Waits for what happens within the time that the files are looked at, with room for a busy machine.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_pod_that_is_not_root_takes_the_key_of_its_volume_and_a_renewed_one() {
    let (beside, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second, third) = (MadeCertificate::new(), MadeCertificate::new(), MadeCertificate::new());
    // Without the right to give files away, the owner's own key shows the rest.
    let mode = if is_root() { 0o440 } else { 0o400 };
    let mut volume = Volume::at(folder.path());
    volume.bring(&first.cert, &first.key, mode, POD);
    let webhook = Webhook::of(as_pod(&beside), folder, first.pin);
    assert!(webhook.shows(first.pin) && !webhook.shows(second.pin));
    volume.bring(&second.cert, &second.key, mode, POD);
    until("the renewed certificate is shown", || webhook.shows(second.pin));
    assert!(!webhook.shows(first.pin));
    // Half a pair, and a key that others read, are told in the log and not shown.
    volume.bring(&third.cert, &second.key, mode, POD);
    volume.bring(&third.cert, &third.key, 0o444, POD);
    volume.bring("nothing", "nothing", mode, POD);
    std::thread::sleep(Duration::from_secs(6));
    assert!(webhook.shows(second.pin) && !webhook.shows(third.pin));
    volume.bring(&third.cert, &third.key, mode, POD);
    until("it is renewed again", || webhook.shows(third.pin));
    let (code, _, log) = webhook.running.stop();
    assert_eq!(code, 0, "{log}");
    assert_eq!(log.matches("the certificate was renewed").count(), 2, "{log}");
    assert!(log.contains("the old one is served on"), "{log}");
    assert!(
        !log.contains("PRIVATE KEY") && !log.contains(third.key.lines().nth(1).unwrap()),
        "no key in a log"
    );
}

#[test]
fn fails_closed_a_pod_does_not_start_with_a_key_that_others_read() {
    let (beside, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made = MadeCertificate::new();
    let mut volume = Volume::at(folder.path());
    let mut refused = |mode: u32, group: u32, why: &str| {
        volume.bring(&made.cert, &made.key, mode, group);
        let files = [folder.path().join("tls.crt"), folder.path().join("tls.key")];
        let mut command = as_pod(&beside);
        command.args(["--cert", text(&files[0]), "--key", text(&files[1]), "--listen", "127.0.0.1:0"]);
        let ended = command.output().unwrap();
        assert_eq!(ended.status.code(), Some(3), "{mode:03o} {}", said(&ended));
        assert!(said(&ended).contains(why), "{mode:03o} {}", said(&ended));
    };
    for mode in [0o444, 0o460, 0o470] {
        refused(mode, POD, "is not private");
    }
    if is_root() {
        refused(0o444, 0, "is not private");
        refused(0o440, 0, "cannot be read");
        refused(0o400, POD, "cannot be read");
    } else {
        println!("skipped: keys of another group, this is not root");
    }
}
