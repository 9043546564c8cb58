//! `ward audit`: check that the trail is whole, prove one entry, pack a chart for an inspector.

use crate::cli::AuditCommand;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::Out;
use crate::server_folder::settings;
use crate::server_folder::verify::verify_server;
use serde_json::{Value, json};
use std::path::Path;
use ward_client::native::NativeClient;
use ward_id::{ChartId, EntryId};

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
    let report = client.sync().await.map_err(from_client)?;
    let status = client.status().map_err(from_client)?;
    let mut faults: Vec<String> = report.problems.iter().map(super::sync::plain).collect();
    faults.extend(status.stopped_by.iter().map(super::sync::plain));
    let (mut charts, mut entries) = (0, 0);
    for summary in client.charts() {
        charts += 1;
        let view = client.chart(summary.chart).map_err(from_client)?;
        entries += view.timeline().len();
        if !view.accounting().balances() {
            faults.push(format!("chart {}: not every entry is accounted for", summary.chart));
        }
        if summary.incomplete || view.parked().next().is_some() {
            faults.push(format!("chart {}: something that others have seen is missing here", summary.chart));
        }
    }
    out.line(format!(
        "{charts} charts, {entries} entries: signatures, chains, places in both logs and receipts checked."
    ));
    if let (Some(mlog), Some(olog)) = (&status.mlog, &status.olog) {
        out.line(format!(
            "Heads signed by {} of {} witnesses at least: membership {}, operations {}.",
            status.quorum,
            status.witnesses.len(),
            mlog.size,
            olog.size
        ));
    }
    verdict(&faults, json!({"charts": charts, "entries": entries, "faults": faults}), out)
}

fn verdict(faults: &[String], document: Value, out: &Out) -> Done {
    for fault in faults.iter().take(FAULTS_SHOWN) {
        out.line(format!("! {fault}"));
    }
    out.document(&document);
    match faults.first() {
        None => {
            out.line("The trail is whole.");
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
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(dir)?;
        files.iter().try_for_each(|(name, bytes)| std::fs::write(dir.join(name), bytes))
    };
    write().map_err(|error| {
        Failure::input(format!("{} cannot be written", dir.display()), error, "choose another folder")
    })?;
    out.both(
        format!("{} files in {}. index.html says how to check them. They are readable: keep them as carefully as the chart.", files.len(), dir.display()),
        &json!({"dir": dir, "files": files.iter().map(|(name, _)| name).collect::<Vec<_>>(), "chart": chart}),
    );
    Ok(())
}
