//! A site in a fresh folder, and the program around it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use tempfile::TempDir;
use ward_client::native::HttpsTransport;
use ward_client::{HttpMethod, HttpRequest, HttpResponse, ServerAddress, Transport as _};

/// The program, without this process's own WARD_ variables.
pub fn ward() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ward"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WARD_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Output {
    ward().args(args).output().unwrap()
}

/// Runs it with `--json` and reads what it printed.
pub fn run_json(args: &[&str]) -> (i32, serde_json::Value) {
    let output = ward().arg("--json").args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().next().unwrap_or("null");
    (output.status.code().unwrap(), serde_json::from_str(line).unwrap_or_else(|_| panic!("{text}")))
}

/// Both streams of an output as one text.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A port that nobody listens on, below the range from which the system picks ports of its own. The
/// process's number keeps tests that run at the same time apart.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 2_000).unwrap() * 8;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A program that runs until it is told to stop.
pub struct Running {
    child: Child,
    /// Its first line.
    pub first: String,
    out: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// Starts it and waits for its first line.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        if first.is_empty() {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("it did not start: {why}");
        }
        Self { child, first, out }
    }

    /// Tells it to stop; gives its exit code and everything it said afterwards.
    pub fn stop(mut self) -> (i32, String, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let (mut rest, mut log) = (String::new(), String::new());
        self.out.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code().unwrap(), rest, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only when a test failed before `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A site made with `ward init --one-machine`.
pub struct Site {
    pub folder: TempDir,
    pub dir: PathBuf,
    pub made: serde_json::Value,
}

impl Site {
    pub fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("site");
        let listen = format!("127.0.0.1:{}", free_port());
        let (code, made) = run_json(&["init", text(&dir), "--one-machine", "--listen", &listen]);
        assert_eq!(code, 0);
        Self { folder, dir, made }
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("server/ward.toml")
    }

    pub fn database(&self) -> PathBuf {
        self.dir.join("server/ward.db")
    }

    pub fn serve(&self) -> Running {
        serve(&self.config())
    }

    /// Where devices reach the server, with the pin that tickets carry.
    pub fn server(&self) -> ServerAddress {
        server_of(&self.made)
    }

    pub fn doctor(&self) -> (i32, serde_json::Value) {
        run_json(&["doctor", "--config", text(&self.config())])
    }
}

/// What `ward init --json` said about the server.
pub fn server_of(made: &serde_json::Value) -> ServerAddress {
    let pins = made["tls_pins"].as_array().unwrap().iter();
    let pin =
        |pin: &serde_json::Value| ward_id::hex_decode(pin.as_str().unwrap()).unwrap().try_into().unwrap();
    ServerAddress { origin: made["origin"].as_str().unwrap().to_owned(), spki_pins: pins.map(pin).collect() }
}

/// Starts a server.
pub fn serve(config: &Path) -> Running {
    Running::start(ward().args(["--json", "serve", "--config", text(config)]))
}

/// Asks a server for a path, over TLS with its pinned key.
pub fn get(server: &ServerAddress, path: &str) -> Result<HttpResponse, ward_client::TransportError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request =
        HttpRequest { method: HttpMethod::Get, path: path.to_owned(), headers: vec![], body: vec![] };
    runtime.block_on(async { HttpsTransport::new().send(server, request).await })
}

/// The checks of `ward doctor` that found a problem.
pub fn problems(report: &serde_json::Value) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap();
    checks
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["check"].as_str().unwrap().to_owned())
        .collect()
}
