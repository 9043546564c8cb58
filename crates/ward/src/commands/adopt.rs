//! `ward adopt`: taking over what a lost device sent after it was revoked.

use crate::cli::AdoptArgs;
use crate::exit::{Done, Failure};
use crate::home::{Home, from_client};
use crate::print::Out;
use serde_json::json;
use ward_client::native::NativeClient;
use ward_id::{ChartId, EntryId};

/// Adopts one entry: it then counts, with its own author, and this device's signature beside it.
///
/// # Errors
/// When no such entry waits, or this role may not adopt.
pub async fn run(args: AdoptArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let chart = chart_of(&client, args.entry)?;
    let entry = client.adopt(chart, args.entry).await.map_err(from_client)?;
    out.both(
        format!("Adopted, and saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry, "adopts": args.entry}),
    );
    Ok(())
}

/// The chart in which the entry waits.
fn chart_of(client: &NativeClient, entry: EntryId) -> Result<ChartId, Failure> {
    let waits = |chart: &ChartId| {
        client.chart(*chart).is_ok_and(|view| view.to_adopt().any(|item| item.entry.id() == entry))
    };
    client.charts().into_iter().map(|chart| chart.chart).find(waits).ok_or_else(|| {
        Failure::input(
            format!("{entry} does not wait to be adopted"),
            "it is mistyped, counts already, or this device does not read its chart",
            "look at `ward worklist`: what waits is marked ADOPT",
        )
    })
}
