//! `ward worklist`: what needs somebody's attention, most urgent first.

use crate::cli::{WorklistArgs, WorklistCommand};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use serde_json::json;
use ward_client::Environment as _;
use ward_client::views::{RaisedAlert, Urgency, WorkItem};

/// Shows the worklist, or says what was done about an item.
///
/// # Errors
/// When the device cannot be unlocked, or there is no such item.
pub async fn run(args: WorklistArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    if let Some(WorklistCommand::Ack { item, action, no_action }) = args.command {
        let action = match no_action {
            Some(why) => ward_client::views::no_action(&why),
            None => action.unwrap_or_default(),
        };
        if action.trim().is_empty() {
            return Err(Failure::new(
                Kind::Usage,
                "An acknowledgement says what was done",
                "it is empty",
                "give --action, or --no-action with the reason",
            ));
        }
        let entry = client.acknowledge(&item, &action).await.map_err(from_client)?;
        out.both(
            "Noted. `ward sync` tells the rest of the team.",
            &json!({"item": item, "acknowledged": true, "entry": entry}),
        );
        return Ok(());
    }
    let now = client.environment().wall();
    let mut items = client.worklist(now).map_err(from_client)?;
    if !args.all {
        items.retain(|item| item.acknowledged.is_none());
    }
    let mut seen: Vec<_> = items.iter().map(|item| item.chart).collect();
    seen.sort_unstable();
    seen.dedup();
    for unreadable in client.alert_rules().unreadable() {
        out.line(format!(
            "! Revision {} of the alert rules cannot be read here ({}). Alerts may be missing: update this app.",
            unreadable.number, unreadable.why
        ));
    }
    if items.is_empty() {
        out.line("Nothing waits.");
    }
    for item in &items {
        out.line(line(item));
        for value in &item.values {
            out.line(format!("          · {value}"));
        }
        item.alerts.iter().for_each(|alert| out.line(format!("          · {}", alert_line(alert))));
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

/// One alert of an item: the rule, what it says, and the answers that it used.
fn alert_line(alert: &RaisedAlert) -> String {
    let from = alert.compared.as_deref().map(|from| format!(", against {from}")).unwrap_or_default();
    let used = if alert.used.is_empty() { String::new() } else { format!(" [{}]", alert.used.join(", ")) };
    let corrected = alert.corrected.as_deref().map(|what| format!(", {what} since")).unwrap_or_default();
    let set =
        if alert.revision == 0 { "built-in".to_owned() } else { format!("revision {}", alert.revision) };
    format!(
        "{} ({set}): {} on {}{from}{used}{corrected}, since {}",
        alert.rule,
        alert.what,
        alert.occurrence,
        instant(alert.since)
    )
}

/// How an urgency is written.
pub const fn word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::PatientUrgent => "CALL",
        Urgency::Urgent => "URGENT",
        Urgency::Conflict => "CONFLICT",
        Urgency::Concern => "CONCERN",
        Urgency::ToAsk => "ASK",
        Urgency::Notice => "NOTICE",
        Urgency::Duplicate => "TWICE",
        Urgency::ToAdopt => "ADOPT",
        Urgency::Unusable => "UNUSABLE",
    }
}
