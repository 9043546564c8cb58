//! `ward repair`: puts this device's store in order after a fault of its disk.

use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::print::Out;
use serde_json::json;
use ward_client::DeviceState;

/// Repairs the store and says what came of it.
///
/// # Errors
/// When the device's keys themselves are damaged, or the disk cannot be read at all.
pub async fn run(home: &Home, out: &Out) -> Done {
    let (mut client, salvaged) = home.open_salvaging().await?;
    let report = client.repair().await.map_err(from_client)?;
    if let Some(salvaged) = &salvaged {
        out.line(format!(
            "The file itself was damaged: {} rows were read out of it. It is kept as {}.",
            salvaged.rows,
            salvaged.kept_as.display()
        ));
    }
    for (table, count) in &report.damaged {
        out.line(format!("{count} rows of {table} could not be read and were set aside."));
    }
    if report.own_entries > 0 {
        out.line(format!(
            "{} entries of this device cannot be read here any more. The next sync says which of them the server has.",
            report.own_entries
        ));
    }
    if report.is_nothing() && salvaged.is_none() && client.state() != DeviceState::SetBack {
        out.line("There is nothing to repair.");
    } else if client.state() == DeviceState::SetBack {
        out.line("Before you write again, this device must meet the server once: run `ward sync`.");
    } else {
        out.line("Run `ward sync` when you can: what the server has is fetched again.");
    }
    out.document(&json!({
        "salvaged_rows": salvaged.as_ref().map(|salvaged| salvaged.rows),
        "damaged": report.damaged, "own_entries": report.own_entries, "drafts": report.drafts,
        "accesses": report.accesses, "receipts": report.receipts, "heads": report.heads,
        "attachments": report.attachments,
        "must_sync_first": client.state() == DeviceState::SetBack,
    }));
    Ok(())
}
