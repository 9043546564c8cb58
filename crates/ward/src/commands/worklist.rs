//! `ward worklist`: what needs somebody's attention, most urgent first.

use crate::cli::{WorklistArgs, WorklistCommand};
use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use serde_json::json;
use ward_client::Environment as _;
use ward_client::views::{Urgency, WorkItem};

/// Shows the worklist, or says what was done about an item.
///
/// # Errors
/// When the device cannot be unlocked, or there is no such item.
pub async fn run(args: WorklistArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    if let Some(WorklistCommand::Ack { item, action }) = args.command {
        let entry = client.acknowledge(&item, &action).await.map_err(from_client)?;
        out.both(
            "Noted. `ward sync` tells the rest of the team.",
            &json!({"item": item, "acknowledged": true, "entry": entry}),
        );
        return Ok(());
    }
    let now = client.environment().wall();
    let mut items = client.worklist(now);
    if !args.all {
        items.retain(|item| item.acknowledged.is_none());
    }
    let mut seen: Vec<_> = items.iter().map(|item| item.chart).collect();
    seen.sort_unstable();
    seen.dedup();
    if items.is_empty() {
        out.line("Nothing waits.");
    }
    for item in &items {
        out.line(line(item));
        for value in &item.values {
            out.line(format!("          · {value}"));
        }
        out.line(format!("          since {} · item {}", instant(item.since), item.id));
    }
    out.document(&json!(items));
    // Reading a participant's answers is itself on record.
    for chart in seen {
        client.note_access(chart, ward_sync::AccessPurpose::Care).await.map_err(from_client)?;
    }
    Ok(())
}

/// One item as a line.
pub fn line(item: &WorkItem) -> String {
    let done = item
        .acknowledged
        .as_ref()
        .map(|done| format!("  [{} · {}]", done.action, instant(done.at)))
        .unwrap_or_default();
    format!("{:8}  {}: {}{done}", word(item.urgency), item.participant, item.reason)
}

/// How an urgency is written.
pub const fn word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::PatientUrgent => "CALL",
        Urgency::Severe => "SEVERE",
        Urgency::Conflict => "CONFLICT",
        Urgency::Worsening => "WORSE",
        Urgency::ToAsk => "ASK",
        Urgency::Missed => "MISSED",
        Urgency::Duplicate => "TWICE",
        Urgency::ToAdopt => "ADOPT",
        Urgency::Unusable => "UNUSABLE",
    }
}
