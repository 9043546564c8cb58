//! `ward void`: a record or note that does not hold.

use crate::cli::VoidArgs;
use crate::exit::Done;
use crate::home::{Home, chart_or_only, from_client};
use crate::print::Out;
use serde_json::json;

/// Declares the version of a record that holds void. It stays in the trail.
///
/// # Errors
/// When the chart is unclear, or this device may not.
pub async fn run(args: VoidArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let chart = chart_or_only(&client, args.chart)?;
    let entry = client.void(chart, args.entry, args.reason).await.map_err(from_client)?;
    out.both(
        format!("Declared void, and saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry, "voids": args.entry}),
    );
    Ok(())
}
