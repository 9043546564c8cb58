//! `ward export`: FHIR NDJSON, a table, or a readable page for the participant.

use crate::cli::{ExportArgs, ExportFormat};
use crate::exit::{Done, Failure};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use serde_json::json;

/// Writes an export. An export by staff leaves a receipt in the chart.
///
/// # Errors
/// When the chart is unclear or the file cannot be written.
pub async fn run(args: ExportArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let charts = match args.chart {
        Some(chart) => vec![chart],
        None => client.charts().into_iter().map(|chart| chart.chart).collect(),
    };
    let text = if args.for_patient {
        let chart = chart_or_only(&client, args.chart)?;
        client.export_html(chart).await
    } else {
        match args.format {
            ExportFormat::Ndjson => client.export_fhir(&charts).await,
            ExportFormat::Csv => client.export_csv(&charts).await,
        }
    }
    .map_err(from_client)?;
    if args.output == "-" {
        out.verbatim(&text);
        return Ok(());
    }
    std::fs::write(&args.output, text.as_bytes()).map_err(|error| {
        Failure::input(format!("{} cannot be written", args.output), error, "choose another file")
    })?;
    out.both(
        format!("Written to {}. It is not encrypted: keep it as carefully as the chart.", args.output),
        &json!({"file": args.output, "bytes": text.len(), "charts": charts}),
    );
    Ok(())
}
