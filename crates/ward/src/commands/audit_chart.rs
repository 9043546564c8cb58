//! `ward audit chart`: the complete trail of a chart.

use crate::cli::AuditChartArgs;
use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::print::Out;
use crate::private_file;
use serde_json::json;
use std::path::Path;
use ward_client::export::{trail_json, trail_text};

/// Prints or writes the trail. Needs no network.
///
/// # Errors
/// When this device does not read the chart, or the file cannot be written.
pub async fn run(args: AuditChartArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    if let Some(file) = args.balp {
        let events = client.export_balp(args.chart).await.map_err(from_client)?;
        return written(&file, &events, &args.chart.to_string(), out);
    }
    if args.csv {
        let table = client.export_trail_csv(args.chart).await.map_err(from_client)?;
        if out.is_json() {
            out.document(&json!({"format": "csv", "chart": args.chart, "text": table}));
        } else {
            out.verbatim(&table);
        }
        return Ok(());
    }
    let trail = client.read_trail(args.chart).await.map_err(from_client)?;
    if out.is_json() {
        out.document(&trail_json(&trail));
    } else {
        out.verbatim(&trail_text(&trail));
    }
    Ok(())
}

fn written(file: &str, events: &str, chart: &str, out: &Out) -> Done {
    if file == "-" {
        if out.is_json() {
            out.document(&json!({"format": "ndjson", "chart": chart, "text": events}));
        } else {
            out.verbatim(events);
        }
        return Ok(());
    }
    private_file::write(Path::new(file), events.as_bytes())?;
    let count = events.lines().count();
    out.both(
        format!(
            "{count} audit events written to {file}. It is not encrypted: keep it as carefully as the chart."
        ),
        &json!({"file": file, "events": count, "chart": chart}),
    );
    Ok(())
}
