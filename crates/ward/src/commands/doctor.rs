//! `ward doctor`: looks for what is wrong with a server's folder and says what to do.

use super::backup::leftovers;
use super::restore::standing_text;
use crate::cli::ServerFolder;
use crate::exit::{Done, Failure, Kind};
use crate::limits::{CLOCK_OFF_MAX_S, DISK_FREE_MIN_BYTES};
use crate::print::Out;
use crate::server_folder;
use crate::server_folder::disk::{folder_of, free_bytes};
use crate::server_folder::folder_lock::FolderLock;
use crate::server_folder::settings::Loaded;
use crate::server_folder::system_clock::SystemClock;
use crate::server_folder::tls_files::pin_of;
use crate::server_folder::witness_clock::{ClockView, ask_clock};
use crate::server_folder::witness_heads::{Comparison, Standing, compare};
use serde::Serialize;
use std::fmt::Display;
use std::path::Path;
use ward_id::hex_encode;
use ward_server::check_private;
use ward_store::Upkeep as _;
use ward_store_sqlite::SqliteStore;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    check: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

fn ok(check: &'static str, detail: impl Display) -> Check {
    Check { check, ok: true, detail: detail.to_string(), next: None }
}

fn problem(check: &'static str, detail: impl Display, next: impl Display) -> Check {
    Check { check, ok: false, detail: detail.to_string(), next: Some(next.to_string()) }
}

fn from_failure(check: &'static str, failure: &Failure) -> Check {
    problem(check, failure, failure.next())
}

/// Runs the command.
///
/// # Errors
/// [`Kind::No`] when anything is wrong.
pub async fn run(args: &ServerFolder, out: &Out) -> Done {
    let checks = match server_folder::open(&args.config) {
        Ok(loaded) => examine(&loaded, args, out).await,
        Err(failure) => vec![from_failure("configuration", &failure)],
    };
    let wrong = checks.iter().filter(|check| !check.ok).count();
    out.document(&serde_json::json!({ "ok": wrong == 0, "checks": checks }));
    for check in &checks {
        out.line(format!(
            "{:<8} {:<14} {}",
            if check.ok { "ok" } else { "PROBLEM" },
            check.check,
            check.detail
        ));
        if let Some(next) = &check.next {
            out.line(format!("{:<23} what to do: {next}", ""));
        }
    }
    match wrong {
        0 => Ok(()),
        _ => Err(Failure::new(
            Kind::No,
            format!("{wrong} of {} checks found a problem", checks.len()),
            "see the lines above",
            "put each right as its line says, and run `ward doctor` again",
        )),
    }
}

async fn examine(loaded: &Loaded, args: &ServerFolder, out: &Out) -> Vec<Check> {
    let progress = out.progress("looking", 3);
    let mut checks = vec![ok("configuration", args.config.display())];
    checks.push(running(loaded));
    checks.extend(addresses(loaded));
    checks.extend(keys(loaded));
    checks.extend(certificate(loaded));
    checks.push(disk(&loaded.settings.files.database));
    checks.extend(left_by_backups(loaded));
    progress.step();
    progress.now("reading the database");
    match loaded.store() {
        Ok(store) => {
            checks.extend(database(&store).await);
            progress.step();
            progress.now("asking the witnesses");
            checks.extend(site(loaded, &store).await);
            store.close().await;
        }
        Err(failure) => checks.push(from_failure("database", &failure)),
    }
    progress.done();
    checks
}

fn running(loaded: &Loaded) -> Check {
    match FolderLock::try_take(&loaded.dir) {
        Ok(Some(_)) => ok("server", "not running"),
        Ok(None) => ok("server", "running"),
        Err(failure) => from_failure("server", &failure),
    }
}

fn addresses(loaded: &Loaded) -> Vec<Check> {
    let server = &loaded.settings.server;
    let mut checks = Vec::new();
    if server.tls.is_none() && !server.listen.ip().is_loopback() {
        let next = "set `server.tls`, or listen on 127.0.0.1 behind a proxy";
        checks.push(problem(
            "address",
            format!("{} is reachable from other machines without TLS", server.listen),
            next,
        ));
    } else {
        checks.push(ok("address", server.listen));
    }
    let wrong = server.origins.iter().find(|origin| ward_server::Origin::parse(origin).is_err());
    checks.push(match (server.origins.first(), wrong) {
        (None, _) => {
            problem("origins", "none", "set `server.origins` to the addresses under which devices come")
        }
        (_, Some(origin)) => {
            problem("origins", format!("`{origin}` is no origin"), "write https://host or https://host:port")
        }
        (Some(_), None) => ok("origins", server.origins.join(", ")),
    });
    checks
}

fn keys(loaded: &Loaded) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut look = |check, path: &Path, read: Result<(), Failure>| {
        checks.push(match (check_private(path), read) {
            (Err(error), _) => problem(check, error, "make it readable by its owner only, or put it back"),
            (_, Err(failure)) => from_failure(check, &failure),
            (Ok(()), Ok(())) => ok(check, format!("{} is its owner's alone", path.display())),
        });
    };
    let files = &loaded.settings.files;
    look("log key", &files.log_key, loaded.log_key().map(drop));
    look("server key", &files.server_key, loaded.server_seed().map(drop));
    for folder in &files.witnesses {
        look("witness key", &folder.join("witness.key"), Ok(()));
    }
    checks
}

fn certificate(loaded: &Loaded) -> Option<Check> {
    let tls = loaded.settings.server.tls.as_ref()?;
    let pins = &loaded.settings.files.tls_pins;
    Some(match pin_of(&tls.cert_file, &tls.key_file) {
        Err(failure) => from_failure("certificate", &failure),
        Ok(pin) if pins.is_empty() => problem(
            "certificate",
            "nothing says which key devices accept",
            format!("add tls_pins = [\"{}\"] under [files], if tickets name this key", hex_encode(&pin)),
        ),
        Ok(pin) if pins.contains(&hex_encode(&pin)) => {
            ok("certificate", "key and certificate fit, and devices accept the key")
        }
        Ok(_) => problem(
            "certificate",
            "devices accept another key than this one",
            "put the key back that the tickets of this site named",
        ),
    })
}

fn disk(database: &Path) -> Check {
    let size = std::fs::metadata(database).map_or(0, |meta| meta.len());
    let wanted = size.saturating_mul(2).max(DISK_FREE_MIN_BYTES);
    match free_bytes(folder_of(database)) {
        Err(error) => problem("disk", error, "check that the database's folder is there"),
        Ok(free) => {
            let detail = format!("{} MiB free, database {} MiB", free / (1024 * 1024), size / (1024 * 1024));
            if free >= wanted {
                ok("disk", detail)
            } else {
                problem(
                    "disk",
                    detail,
                    format!("free at least {} MiB; a full disk stops all writing", wanted / (1024 * 1024)),
                )
            }
        }
    }
}

/// A backup that was killed leaves a whole database beside the first.
fn left_by_backups(loaded: &Loaded) -> Option<Check> {
    let found = leftovers(&loaded.settings.files.database);
    if found.is_empty() {
        return None;
    }
    let names = found.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    Some(match FolderLock::try_take_for_backup(&loaded.dir) {
        Ok(None) => ok("backup", "one is being made"),
        Ok(Some(_)) => {
            problem("backup", format!("a broken-off backup left {names}"), "run `ward backup`, or remove it")
        }
        Err(failure) => from_failure("backup", &failure),
    })
}

/// Opening has checked the schema already.
async fn database(store: &SqliteStore) -> Vec<Check> {
    let mut checks = vec![ok("schema", "this program's")];
    checks.push(match store.integrity_check().await {
        Err(error) => problem("database", error, "restore the newest backup if it stays"),
        Ok(report) if report.is_sound() => {
            let (operations, entries) = (report.operations, report.mlog_entries);
            ok(
                "database",
                format!("{operations} operations and {entries} membership entries are as they were stored"),
            )
        }
        Ok(report) => problem(
            "database",
            report.findings.join("; "),
            "stop the server, keep this file as evidence, and restore the newest backup",
        ),
    });
    checks
}

async fn site(loaded: &Loaded, store: &SqliteStore) -> Vec<Check> {
    let log_key = match loaded.log_key() {
        Ok(key) => key,
        // Its own check has said so.
        Err(_) => return Vec::new(),
    };
    let (folders, addresses) = (&loaded.settings.files.witnesses, &loaded.settings.server.witnesses);
    let compared = match compare(store, std::slice::from_ref(&log_key), folders, addresses).await {
        Ok(compared) => compared,
        Err(failure) => return vec![from_failure("site", &failure)],
    };
    let root = &compared.site.root;
    let word = if root.independent { "independent" } else { "NOT independent, as its tickets say" };
    let mut checks = vec![ok("site", format!("{} · {} · {word}", root.site, root.fingerprint()))];
    if compared.site.manifest.log_key != *log_key.public() {
        let next = "put the log key back that belongs to this site";
        checks.push(problem("log key", "it is not the key in the site manifest", next));
    }
    checks.extend(witnesses(&compared));
    let view = ask_clock(&compared.site.manifest, addresses, &SystemClock::new()).await;
    checks.push(match view {
        Ok(view) => clock(view),
        Err(failure) => from_failure("clock", &failure),
    });
    checks
}

fn witnesses(compared: &Comparison) -> Vec<Check> {
    let mut checks: Vec<Check> = compared
        .reports
        .iter()
        .map(|report| {
            let detail = format!(
                "{} and the {}: {}",
                report.witness,
                report.log.as_str(),
                standing_text(&report.standing)
            );
            match report.standing {
                Standing::Fits { .. } => ok("witness", detail),
                Standing::Missing { .. } => problem(
                    "witness",
                    detail,
                    "the database was set back: do not serve it; restore the newest backup",
                ),
                Standing::OtherHistory { .. } => problem(
                    "witness",
                    detail,
                    "somebody changed history: do not serve it, keep this file as evidence",
                ),
                Standing::NoAnswer { .. } => problem(
                    "witness",
                    detail,
                    "see that it runs, that its address is right, and that it follows the log",
                ),
            }
        })
        .collect();
    let heads = [compared.site.mlog, compared.site.olog];
    let [mlog, olog] = heads.map(|head| head.size);
    checks.push(ok("logs", format!("mlog {mlog} entries, olog {olog} entries")));
    checks
}

fn clock(view: ClockView) -> Check {
    match view {
        ClockView::SameMachine => ok("clock", "not compared: the witnesses run on this machine"),
        ClockView::Off { off_s } if off_s.abs() <= CLOCK_OFF_MAX_S => {
            ok("clock", format!("{off_s} s from the witnesses' time"))
        }
        ClockView::Off { off_s } => problem(
            "clock",
            format!("{off_s} s from the witnesses' time"),
            "set the clock, best by a time service",
        ),
        ClockView::NoQuorum => problem(
            "clock",
            "too few witnesses said the time",
            "see that the witnesses run and can be reached",
        ),
    }
}
