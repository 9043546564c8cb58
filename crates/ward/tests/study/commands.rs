//! Runs the real program in a folder of its own.

use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const START_MAX: Duration = Duration::from_secs(30);

/// A site in a temporary folder, with its server.
pub struct Study {
    folder: tempfile::TempDir,
    server: Option<Child>,
}

impl Drop for Study {
    fn drop(&mut self) {
        self.stop_server();
    }
}

impl Study {
    /// A folder without a site.
    pub fn nowhere() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: None }
    }

    /// A new site on one machine, its server running.
    pub fn begin() -> Self {
        let mut study = Self::nowhere();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        study.run("none", &["init", "site", "--one-machine", "--listen", &port.to_string()]);
        study.start_server();
        study
    }

    /// A path in the folder.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, home: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
        command
            .current_dir(self.folder.path())
            .env_remove("WARD_HOME")
            .args(["--json", "--home", home])
            .args(args);
        command
    }

    fn output(&self, home: &str, args: &[&str]) -> Output {
        self.command(home, args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed; gives its document.
    pub fn run(&self, home: &str, args: &[&str]) -> Value {
        let output = self.output(home, args);
        let (text, error) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{home}: {args:?}\n{text}\n{error}");
        text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null)
    }

    /// Runs a sync (or the like) that must leave no problem.
    pub fn ok(&self, home: &str, args: &[&str]) {
        let document = self.run(home, args);
        assert_eq!(document["problems"], serde_json::json!([]), "{home}: {document}");
    }

    /// Runs a command, whatever comes of it.
    pub fn run_any(&self, home: &str, args: &[&str]) {
        self.output(home, args);
    }

    /// What a command prints, whatever comes of it.
    pub fn printed(&self, home: &str, args: &[&str]) -> String {
        String::from_utf8(self.output(home, args).stdout).unwrap()
    }

    /// What a command prints as text, whatever comes of it.
    pub fn printed_for_people(&self, home: &str, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
        command.current_dir(self.folder.path()).env_remove("WARD_HOME").args(["--home", home]).args(args);
        String::from_utf8(command.stdin(Stdio::null()).output().unwrap().stdout).unwrap()
    }

    /// The exit code of a command.
    pub fn exit_code(&self, home: &str, args: &[&str]) -> i32 {
        self.output(home, args).status.code().unwrap()
    }

    /// The error that a command ends with.
    pub fn failure(&self, home: &str, args: &[&str]) -> Value {
        let output = self.output(home, args);
        assert!(!output.status.success(), "{home}: {args:?}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(error["error"]["exit"].as_i64(), output.status.code().map(i64::from));
        error["error"].clone()
    }

    /// Who may do what with a file.
    pub fn mode(&self, name: &str) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        self.path(name).metadata().unwrap().permissions().mode() & 0o777
    }

    /// Works in a home as another command would, until it is dropped.
    pub fn hold(&self, home: &str) -> std::fs::File {
        let file = std::fs::File::create(self.path(home).join("lock")).unwrap();
        file.try_lock().unwrap();
        file
    }

    /// What a command that must succeed prints for people.
    pub fn text(&self, home: &str, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
        command.current_dir(self.folder.path()).env_remove("WARD_HOME").args(["--home", home]).args(args);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{home}: {args:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command while somebody types this; gives whether it succeeded, and all that is shown.
    pub fn typed(&self, home: &str, args: &[&str], lines: &str) -> (bool, String) {
        use std::io::Write as _;
        let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
        command.current_dir(self.folder.path()).env_remove("WARD_HOME").args(["--home", home]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = command.spawn().unwrap();
        // Who needs no more than it read goes on without the rest.
        drop(running.stdin.take().unwrap().write_all(lines.as_bytes()));
        let output = running.wait_with_output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    /// A page of help.
    pub fn help(&self, command: &str) -> String {
        let output = self.command("none", &[command, "--help"]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts the server and waits until devices can reach it.
    pub fn start_server(&mut self) {
        let mut command = self.command("none", &["serve", "--config", "site/server/ward.toml"]);
        self.server = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let until = Instant::now() + START_MAX;
        while self.exit_code("site/admin-1", &["sync"]) != 0 {
            assert!(Instant::now() < until, "the server did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops the server.
    pub fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    /// Enrols a member of staff: one admin compares the words, both sign. Gives the pseudonym.
    pub fn enrol_staff(&self, home: &str, role: &str) -> String {
        let invitation = self.run("site/admin-1", &["invite", "--role", role, "--print", "ticket.html"]);
        let page = std::fs::read_to_string(self.path("ticket.html")).unwrap();
        assert!(
            page.contains("<svg") && page.contains("not independent"),
            "the page shows the code and says what it is"
        );
        let waiting = self.enrol(home, &invitation);
        let ticket = invitation["ticket"].as_str().unwrap();
        let words = self.words("site/admin-1", ticket);
        let approved = self.approve("site/admin-1", ticket);
        let entry = approved["proposed"].as_str().unwrap();
        self.run("site/admin-2", &["invite", "cosign", entry]);
        let shown = finished(waiting);
        assert_eq!(shown[0]["words"], words, "the first document, before the wait");
        assert_eq!((shown.len(), &shown[1]["enrolled"]), (2, &Value::Bool(true)));
        invitation["person"].as_str().unwrap().to_owned()
    }

    /// Enrols a participant's phone.
    pub fn enrol_patient(&self, home: &str, invitation: &Value) {
        let waiting = self.enrol(home, invitation);
        let approved = self.approve("anna", invitation["ticket"].as_str().unwrap());
        assert!(approved["certified"].is_string(), "{approved}");
        finished(waiting);
    }

    /// Enrols a further device of a participant: the site signs, then a device that they have.
    pub fn enrol_next_of_patient(&self, home: &str, first: &str, invitation: &Value) -> Value {
        let waiting = self.enrol(home, invitation);
        let approved = self.approve("anna", invitation["ticket"].as_str().unwrap());
        assert_eq!(approved["signs_next"], "participant", "{approved}");
        let device = approved["device"].as_str().unwrap();
        let listed = self.run(first, &["devices"]);
        let words = listed["waiting"][0]["words"].clone();
        let asked = self.output(first, &["devices", "approve", device]);
        assert_eq!(asked.status.code(), Some(2), "nothing is signed without a word");
        let signed = self.run_documents(first, &["devices", "approve", device, "--same"]);
        assert_eq!(signed[0]["certified"], device);
        let shown = finished(waiting);
        assert_eq!((&shown[0]["words"], &shown[1]["enrolled"]), (&words, &Value::Bool(true)));
        approved
    }

    /// The site signs for a device that is not the participant's, whose own device refuses it.
    pub fn refuse_next_of_patient(&self, home: &str, first: &str, invitation: &Value) -> Value {
        let mut waiting = self.enrol(home, invitation);
        let approved = self.approve("anna", invitation["ticket"].as_str().unwrap());
        let device = approved["device"].as_str().unwrap();
        let refused = self.failure(first, &["devices", "approve", device, "--different"]);
        waiting.kill().unwrap();
        waiting.wait().unwrap();
        refused
    }

    fn run_documents(&self, home: &str, args: &[&str]) -> Vec<Value> {
        let output = self.output(home, args);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn enrol(&self, home: &str, invitation: &Value) -> Child {
        let ticket = invitation["text"].as_str().unwrap();
        self.command(home, &["enrol", ticket, "--wait-s", "60"]).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// The six words as a program gets them for comparison, before anything is signed.
    fn words(&self, home: &str, ticket: &str) -> Value {
        let until = Instant::now() + START_MAX;
        loop {
            let output = self.output(home, &["invite", "approve", ticket]);
            assert!(!output.status.success(), "nothing is signed without a word");
            if output.status.code() == Some(2) {
                return serde_json::from_slice::<Value>(&output.stdout).unwrap()["words"].clone();
            }
            assert!(Instant::now() < until, "{}", String::from_utf8_lossy(&output.stderr));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Approves as soon as the device has used its ticket.
    fn approve(&self, home: &str, ticket: &str) -> Value {
        let until = Instant::now() + START_MAX;
        loop {
            let output = self.output(home, &["invite", "approve", ticket, "--same"]);
            if output.status.success() {
                return serde_json::from_slice(&output.stdout).unwrap();
            }
            assert!(Instant::now() < until, "{}", String::from_utf8_lossy(&output.stderr));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The documents that a child printed, one a line.
fn finished(child: Child) -> Vec<Value> {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
