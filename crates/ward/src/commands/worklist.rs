//! `ward worklist`: what needs somebody's attention, most urgent first.

use crate::cli::{WorklistArgs, WorklistCommand};
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use serde_json::json;
use ward_client::Environment as _;
use ward_client::views::{RaisedAlert, Urgency, WorkItem, plain_line};

/// Shows the worklist, or says what was done about an item.
///
/// # Errors
/// When the device cannot be unlocked, or there is no such item.
pub async fn run(args: WorklistArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    if let Some(WorklistCommand::Ack { item, action, no_action }) = args.command {
        let action = action_of(action, no_action)?;
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
    if items.is_empty() {
        out.line("Nothing waits.");
    }
    for item in &items {
        out.line(line(item));
        for value in &item.values {
            out.line(format!("          · {value}"));
        }
        item.alerts.iter().for_each(|alert| out.line(format!("          · {}", alert_line(alert))));
        // What nobody can close has no name that `ack` takes.
        let name = if item.closable { format!(" · item {}", item.id) } else { String::new() };
        out.line(format!("          since {}{name}", instant(item.since)));
    }
    out.document(&json!(items));
    // Reading a participant's answers is itself on record.
    for chart in seen {
        client.note_access(chart, ward_sync::AccessPurpose::Care).await.map_err(from_client)?;
    }
    Ok(())
}

/// What an acknowledgement says.
fn action_of(action: Option<String>, no_action: Option<String>) -> Result<String, Failure> {
    let refused = |why: &str| {
        let what = "An acknowledgement says what was done";
        Failure::new(Kind::Usage, what, why, "give --action, or --no-action with the reason")
    };
    if let Some(why) = no_action {
        let is_empty = why.trim().is_empty();
        return if is_empty { Err(refused("it is empty")) } else { Ok(ward_client::views::no_action(&why)) };
    }
    let action = action.unwrap_or_default();
    match action.trim() {
        "" => Err(refused("it is empty")),
        // The report would count it as nothing done.
        said if said.to_lowercase().starts_with("no action") => Err(refused("it says that nothing was done")),
        _ => Ok(action),
    }
}

/// One item as a line.
pub fn line(item: &WorkItem) -> String {
    let done = item
        .acknowledged
        .as_ref()
        .map(|done| format!("  [{} · {}]", plain_line(&done.action), instant(done.at)))
        .unwrap_or_default();
    format!("{:8}  {}: {}{done}", word(item.urgency), item.participant, item.reason)
}

/// One alert of an item: the rule, what it says, and the answers that it used.
fn alert_line(alert: &RaisedAlert) -> String {
    let from = alert.compared.as_deref().map(|from| format!(", against {from}")).unwrap_or_default();
    let used = if alert.used.is_empty() { String::new() } else { format!(" [{}]", alert.used.join(", ")) };
    let corrected = alert.corrected.as_deref().map(|what| format!(", later {what}")).unwrap_or_default();
    let unsettled = if alert.unsettled { ", one of several versions that hold" } else { "" };
    let outdated = alert.outdated.map(|why| format!(", {why}")).unwrap_or_default();
    let set =
        if alert.revision == 0 { "built-in".to_owned() } else { format!("revision {}", alert.revision) };
    format!(
        "{} ({set}): {} on {}{from}{used}{corrected}{unsettled}{outdated}, known since {}",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_says_what_was_done_or_why_nothing_was() {
        let given = |text: &str| Some(text.to_owned());
        assert_eq!(action_of(given("called"), None).ok(), given("called"));
        assert_eq!(
            action_of(None, given(" known since the visit ")).ok(),
            given("no action: known since the visit")
        );
        for (action, no_action) in
            [(None, None), (given(" "), None), (None, given(" ")), (given("No action: known"), None)]
        {
            assert!(action_of(action, no_action).is_err());
        }
    }
}
