//! `ward audit`: check that the trail is whole, prove one entry, pack a chart for an inspector.

use crate::cli::AuditCommand;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::limits::{PACKAGE_FILE_MAX_BYTES, PACKAGE_FILES_MAX};
use crate::limits::{VERIFY_PAUSE_MS, VERIFY_ROUNDS_MAX};
use crate::print::Out;
use crate::server_folder::settings;
use crate::server_folder::verify::verify_server;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use ward_client::export::{PackageFiles, check_package};
use ward_client::native::NativeClient;
use ward_client::{Status, SyncProblem, Unchecked};
use ward_id::{ChartId, EntryId, RootFingerprint};

/// Faults that are printed at most; the count is always the whole one.
const FAULTS_SHOWN: usize = 20;

/// Runs one of the audit commands.
///
/// # Errors
/// When something does not verify, or cannot be looked at.
pub async fn run(command: AuditCommand, home: &Home, out: &Out) -> Done {
    match command {
        AuditCommand::Verify { server: Some(config) } => server(&config, out).await,
        AuditCommand::Verify { server: None } => device(home, out).await,
        AuditCommand::Check { dir, root } => check(&dir, root, out),
        AuditCommand::Prove { entry } => prove(home, entry, out).await,
        AuditCommand::Package { chart, dir } => package(home, chart, &dir, out).await,
    }
}

async fn server(config: &Path, out: &Out) -> Done {
    let loaded = settings::load(config, std::env::vars())?;
    let found = verify_server(&loaded).await?;
    out.line(format!(
        "{} membership entries, {} operations, {} signatures checked.",
        found.mlog_entries, found.operations, found.signatures
    ));
    verdict(&found.faults, json!(found), out)
}

async fn device(home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let mut report = client.sync().await.map_err(from_client)?;
    // Each sync proves a bounded part, and heads grow while witnesses sign.
    for _ in 0..VERIFY_ROUNDS_MAX {
        if client.unchecked().map_err(from_client)?.is_nothing() || !report.problems.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(VERIFY_PAUSE_MS)).await;
        report = client.sync().await.map_err(from_client)?;
    }
    let status = client.status().map_err(from_client)?;
    let unchecked = client.unchecked().map_err(from_client)?;
    let mut open = not_checked(&status, unchecked);
    // The server was not there, or had no time: nothing is wrong, and nothing was looked at.
    let (unreached, found): (Vec<_>, Vec<_>) = report
        .problems
        .iter()
        .partition(|problem| matches!(problem, SyncProblem::Failed { .. } | SyncProblem::TimeUnknown));
    open.extend(unreached.into_iter().map(super::sync::plain));
    let mut faults: Vec<String> = found.into_iter().map(super::sync::plain).collect();
    faults.extend(status.stopped_by.iter().map(super::sync::plain));
    let (mut charts, mut entries) = (0, 0);
    for summary in client.charts() {
        charts += 1;
        let view = client.chart(summary.chart).map_err(from_client)?;
        entries += view.timeline().len();
        if !view.accounting().balances() {
            faults.push(format!("chart {}: not every entry is accounted for", summary.chart));
        }
        if !client.missing(summary.chart).map_err(from_client)?.is_empty() || view.parked().next().is_some() {
            faults.push(format!("chart {}: something that others have seen is missing here", summary.chart));
        }
    }
    out.line(format!("Checked on this device, {charts} charts and {entries} entries:"));
    CHECKED.iter().for_each(|line| out.line(format!("  - {line}")));
    if let (Some(mlog), Some(olog)) = (&status.mlog, &status.olog) {
        out.line(format!(
            "  - heads that at least {} of {} witnesses signed: membership {} entries, operations {}",
            status.quorum,
            status.witnesses.len(),
            mlog.size,
            olog.size
        ));
    }
    out.line(
        "Not part of this: charts that this device does not read, and the server's own database (--server).",
    );
    for line in &open {
        out.line(format!("? not checked: {line}"));
    }
    verdict(
        &faults,
        json!({"charts": charts, "entries": entries, "faults": faults, "checked": CHECKED, "unchecked": open}),
        out,
    )?;
    match open.first() {
        None => Ok(()),
        Some(first) => Err(Failure::new(
            Kind::NotNow,
            "Nothing is wrong in what was checked, and not everything was checked",
            first,
            "run `ward audit verify` again later, with a network; if it stays, tell your site",
        )),
    }
}

/// What a device checks of what it holds, by its syncs until now. No more is claimed.
const CHECKED: [&str; 5] = [
    "the signature of every entry, its author's certificate, and the chain of each device without a gap",
    "the place in the operation log of the newest entry of each chain, and by the chain all before it",
    "every receipt of the server for entries of this device, against the operation log",
    "the heads that authors and revocations name, against the operation log shown here",
    "the membership log as far as it concerns this device, and that both logs only grew",
];

/// What keeps the answer open, in words.
fn not_checked(status: &Status, unchecked: Unchecked) -> Vec<String> {
    let mut out = Vec::new();
    let mut count = |number: u64, what: &str| {
        if number > 0 {
            out.push(format!("{number} {what}"));
        }
    };
    count(unchecked.unsent, "entries of this device that no server has yet");
    count(unchecked.places, "chains whose newest place in the operation log is not proved yet");
    count(unchecked.receipts, "receipts that no verified head has reached yet");
    count(unchecked.unopened, "envelopes that this device cannot open");
    if status.mlog.is_none() || status.olog.is_none() {
        out.push("the logs: no head was fetched yet".to_owned());
    } else if !status.fresh {
        out.push(
            "what happened lately: the newest confirmed head is too old or the time is not known".to_owned(),
        );
    }
    out
}

fn verdict(faults: &[String], document: Value, out: &Out) -> Done {
    for fault in faults.iter().take(FAULTS_SHOWN) {
        out.line(format!("! {fault}"));
    }
    let is_open = document.get("unchecked").and_then(Value::as_array).is_some_and(|open| !open.is_empty());
    out.document(&document);
    match faults.first() {
        None if is_open => Ok(()),
        None => {
            out.line("All of that holds.");
            Ok(())
        }
        Some(first) => Err(Failure::new(
            Kind::No,
            format!("{} things do not verify", faults.len()),
            first,
            "keep everything as it is and call the site's security officer",
        )),
    }
}

/// Checks a package with nothing but its files.
fn check(dir: &Path, root: Option<RootFingerprint>, out: &Out) -> Done {
    let files = read_package(dir).map_err(|error| {
        Failure::input(
            format!("{} cannot be read as a package", dir.display()),
            error,
            "name the folder that `ward audit package` made",
        )
    })?;
    let checked = check_package(&files, root.map(|root| *root.as_bytes()));
    out.line(format!("Root of the site: {}", checked.root_fingerprint));
    out.line(format!(
        "{} entries, {} envelopes, {} receipts, {} certificates hold.",
        checked.entries, checked.envelopes, checked.receipts, checked.certificates
    ));
    for one in &checked.not_shown {
        out.line(format!("- not shown by this package: {one}"));
    }
    verdict(&checked.faults, json!(checked), out)
}

fn read_package(dir: &Path) -> Result<PackageFiles, std::io::Error> {
    let mut files = PackageFiles::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let (name, size) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len());
        if size > PACKAGE_FILE_MAX_BYTES || files.len() >= PACKAGE_FILES_MAX {
            return Err(std::io::Error::other(format!("{name} is larger than a package can be")));
        }
        files.insert(name, std::fs::read(entry.path())?);
    }
    Ok(files)
}

async fn prove(home: &Home, entry: EntryId, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let chart = chart_of(&client, entry)?;
    let files = client.export_audit(chart).await.map_err(from_client)?;
    let bytes = |name: &str| files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.as_slice());
    let rows: Vec<Value> =
        bytes("envelopes.json").and_then(|json| serde_json::from_slice(json).ok()).unwrap_or_default();
    let row = rows.iter().find(|row| row.get("entry_id") == Some(&json!(entry)));
    let proof = row.and_then(|row| row.get("proof")).and_then(Value::as_str).and_then(bytes);
    let (Some(row), Some(proof)) = (row, proof) else {
        return Err(Failure::new(
            Kind::NotNow,
            "There is no proof for this entry yet",
            "the server has not taken it, or no witnessed head includes it",
            "run `ward sync` and try again",
        ));
    };
    let proof = String::from_utf8_lossy(proof).into_owned();
    if out.is_json() {
        out.document(&json!({
            "entry": entry, "chart": chart, "olog_index": row.get("olog_index"),
            "envelope_hash": row.get("envelope_hash"), "tlog_proof": proof,
        }));
    } else {
        out.verbatim(&proof);
    }
    Ok(())
}

fn chart_of(client: &NativeClient, entry: EntryId) -> Result<ChartId, Failure> {
    let holds = |chart: &ChartId| client.chart(*chart).is_ok_and(|view| view.place(entry).is_some());
    client.charts().into_iter().map(|chart| chart.chart).find(holds).ok_or_else(|| {
        Failure::input(
            format!("{entry} is not on this device"),
            "it is mistyped, or belongs to a chart that this device does not read",
            "look at `ward chart`",
        )
    })
}

async fn package(home: &Home, chart: ChartId, dir: &Path, out: &Out) -> Done {
    if dir.exists() {
        return Err(Failure::new(
            Kind::Usage,
            format!("{} exists already", dir.display()),
            "a package is never mixed with other files",
            "name a new folder",
        ));
    }
    let mut client = home.unlock().await?;
    let files = client.export_audit(chart).await.map_err(from_client)?;
    crate::private_file::write_folder(dir, &files)?;
    out.both(
        format!("{} files in {}. index.html says how to check them. They are readable: keep them as carefully as the chart.", files.len(), dir.display()),
        &json!({"dir": dir, "files": files.iter().map(|(name, _)| name).collect::<Vec<_>>(), "chart": chart}),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_checked_is_said_and_is_not_a_yes() {
        let status = Status {
            saved_here: 0,
            handed_over: 0,
            order: None,
            lease: ward_sync::Lease::Open,
            received: 0,
            opened_at_site: 0,
            entries: Vec::new(),
            mlog: None,
            olog: None,
            fresh: true,
            witnesses: Vec::new(),
            quorum: 2,
            independent: true,
            quorum_needs_outside: true,
            stopped_by: Vec::new(),
            mark_behind: false,
        };
        let unchecked = Unchecked { places: 1, receipts: 0, unopened: 0, unsent: 2 };
        let said = not_checked(&status, unchecked);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].starts_with("2 entries") && said[1].starts_with("1 chains"));
        assert!(!unchecked.is_nothing() && Unchecked::default().is_nothing());
    }
}
