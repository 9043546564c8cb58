//! `ward export`: FHIR NDJSON, a table, or a readable page for the participant.

use crate::cli::{ExportArgs, ExportFormat};
use crate::exit::{Done, Failure};
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use crate::private_file;
use serde_json::{Value, json};
use std::path::Path;
use ward_id::ChartId;

/// Writes an export. An export by staff leaves a receipt in the chart.
///
/// # Errors
/// When the chart is unclear or the file cannot be written.
pub async fn run(args: ExportArgs, home: &Home, out: &Out) -> Done {
    if let Some(file) = &args.unsent {
        return super::unsent::export(file, args.words, home, out).await;
    }
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
        if out.is_json() {
            out.document(&document(&args, &text, &charts)?);
        } else {
            out.verbatim(&text);
        }
        return Ok(());
    }
    private_file::write(Path::new(&args.output), text.as_bytes())?;
    out.both(
        format!("Written to {}. It is not encrypted: keep it as carefully as the chart.", args.output),
        &json!({"file": args.output, "bytes": text.len(), "charts": charts}),
    );
    Ok(())
}

/// The export as one document, for `--json` on standard output.
fn document(args: &ExportArgs, text: &str, charts: &[ChartId]) -> Result<Value, Failure> {
    if args.for_patient {
        return Ok(json!({"format": "html", "charts": charts, "text": text}));
    }
    Ok(match args.format {
        ExportFormat::Csv => json!({"format": "csv", "charts": charts, "text": text}),
        ExportFormat::Ndjson => {
            let resources: Vec<Value> = text
                .lines()
                .map(serde_json::from_str)
                .collect::<Result<_, _>>()
                .map_err(|error| Failure::fault("The export cannot be read back", error))?;
            json!({"format": "ndjson", "charts": charts, "resources": resources})
        }
    })
}
