//! Servers in processes of their own: started, reached over TLS, looked at through /proc.

use crate::load::Connection;
use crate::support::clock::T0;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use ward_id::TimestampMs;

const ROLE: &str = "WARD_BENCH_ROLE";
const FOLDER: &str = "WARD_BENCH_FOLDER";
/// When the bench began, so that all processes have one time.
const BEGAN: &str = "WARD_BENCH_BEGAN_MS";
/// Clock ticks a second in /proc (fixed for user space).
const TICKS_PER_S: f64 = 100.0;

/// Which server a child is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ward,
    Bare,
}

/// What this process is, if it is a child.
pub fn role() -> Option<(Kind, PathBuf)> {
    let kind = match std::env::var(ROLE).ok()?.as_str() {
        "ward" => Kind::Ward,
        _ => Kind::Bare,
    };
    Some((kind, PathBuf::from(std::env::var_os(FOLDER)?)))
}

#[expect(clippy::disallowed_methods, reason = "a bench has the machine's clock")]
fn unix_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// When the bench began.
fn began_ms() -> i64 {
    static BEGAN_MS: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *BEGAN_MS.get_or_init(|| std::env::var(BEGAN).map_or_else(|_| unix_ms(), |text| text.parse().unwrap()))
}

/// The time of the bench, the same in all its processes: certificates of the test site hold then.
pub fn now() -> TimestampMs {
    T0.plus_ms(unix_ms() - began_ms())
}

/// The child says that it listens.
pub fn say_listening(address: std::net::SocketAddr) {
    println!("\nlistening {address}");
}

/// What a process used so far.
#[derive(Clone, Copy)]
pub struct Usage {
    pub cpu: Duration,
    pub resident_mb: f64,
    pub peak_mb: f64,
}

/// A running server.
pub struct Child {
    process: std::process::Child,
    pub address: String,
    connector: tokio_rustls::TlsConnector,
    pub tls: Arc<rustls::ClientConfig>,
}

impl Child {
    pub async fn start(kind: Kind, folder: &Path, roots: &rustls::RootCertStore) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, if kind == Kind::Ward { "ward" } else { "bare" })
            .env(FOLDER, folder)
            .env(BEGAN, began_ms().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = process.stdout.take().unwrap();
        let address = tokio::task::spawn_blocking(move || {
            let mut lines = BufReader::new(stdout).lines();
            lines.find_map(|line| line.ok()?.strip_prefix("listening ").map(str::to_owned))
        });
        let address = address.await.unwrap().expect("the server did not start");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let tls = Arc::new(tls);
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&tls));
        Self { process, address, connector, tls }
    }

    /// Connections with finished handshakes.
    pub async fn connect(&self, count: usize) -> Vec<Connection> {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(Connection::open(&self.connector, &self.address).await);
        }
        connections
    }

    pub fn usage(&self) -> Usage {
        let read = |name: &str| {
            std::fs::read_to_string(format!("/proc/{}/{name}", self.process.id())).expect("the server runs")
        };
        let status = read("status");
        let megabytes = |field: &str| {
            let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(f64::NAN)
                / 1024.0
        };
        let stat = read("stat");
        // The name in parentheses may hold spaces; user and system time are fields 14 and 15.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: f64 =
            after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
        Usage {
            cpu: Duration::from_secs_f64(ticks / TICKS_PER_S),
            resident_mb: megabytes("VmRSS:"),
            peak_mb: megabytes("VmHWM:"),
        }
    }

    pub fn stop(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Writes a certificate and its key for the servers of a folder.
pub fn write_certificate(folder: &Path) -> rustls::RootCertStore {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("tls.crt"), certified.cert.pem()).unwrap();
    let key = folder.join("tls.key");
    // Made private first, then filled.
    ward_server::write_key_file(&key, &[0; 32]).unwrap();
    std::fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    roots
}

/// The certificate of a folder.
pub fn identity(folder: &Path) -> ward_server::TlsIdentity {
    ward_server::TlsIdentity::from_files(&folder.join("tls.crt"), &folder.join("tls.key")).unwrap()
}
