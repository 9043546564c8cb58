//! `ward status`: what is saved here, received by the server, opened at the site.

use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use serde_json::{Value, json};
use ward_client::export::{delivery_code, duration_words};
use ward_client::{ChartDelivery, Environment as _, HeadStatus, Losses, Status};
use ward_id::TimestampMs;

/// Shows where this device stands. Needs no network.
///
/// # Errors
/// When the device is not enrolled or cannot be unlocked.
pub async fn run(home: &Home, out: &Out) -> Done {
    let client = home.unlock().await?;
    let (status, me) = (client.status().map_err(from_client)?, client.me().map_err(from_client)?.clone());
    out.line(format!("Device {} · {:?} · site {}", me.device, me.role, me.site));
    out.line(format!("Saved on this device only   {}", status.saved_here));
    if status.handed_over > 0 {
        out.line(format!("Handed to the site          {}  not yet adopted", status.handed_over));
    }
    out.line(format!("Received by the server      {}", status.received));
    out.line(format!("Opened at the site          {}", status.opened_at_site));
    let now = client.environment().wall();
    for chart in &status.charts {
        chart_lines(chart, out);
    }
    sync_lines(&status, now, out);
    loss_lines(&status.losses, out);
    head(out, "Membership log", status.mlog.as_ref());
    head(out, "Operation log", status.olog.as_ref());
    let sending = if status.fresh {
        "yes"
    } else {
        "no: the newest confirmed membership is too old or the time is not known; sync first"
    };
    out.line(format!("May send now                {sending}"));
    for witness in &status.witnesses {
        let place = if witness.outside { "outside the operator" } else { "run by the operator" };
        let when = witness.cosigned_at.map_or_else(
            || "has not signed the newest head".to_owned(),
            |at| format!("signed {}", instant(at)),
        );
        out.line(format!("Witness {}  {place}, {when}", witness.name));
    }
    if !status.independent {
        out.line(
            "Root, admins and witnesses of this site were made on one machine: they are not independent.",
        );
    }
    taken_out_or_away(out, &status);
    for problem in &status.stopped_by {
        out.line(format!(
            "! {}. Sending is stopped until a person has looked at it: `ward evidence list`.",
            super::sync::plain(problem)
        ));
    }
    for (chart, devices) in &status.crowded_charts {
        out.line(format!(
            "! {devices} devices write into chart {chart}: revoke those that are gone, so that their chains are closed."
        ));
    }
    if status.mark_behind {
        out.line(
            "! The mark beside the store could not be written: a store that is set back might not be noticed. Check \
             that this folder can be written to; the next command tries again.",
        );
    }
    out.document(&json!({
        "device": me.device, "person": me.person, "role": format!("{:?}", me.role), "site": me.site, "chart": me.chart,
        "saved_here": status.saved_here, "handed_over": status.handed_over, "lease": format!("{:?}", status.lease),
        "order": status.order.as_ref().map(|order| json!({"severed": order.severed, "wipe": order.wipe, "reason": order.reason})),
        "received": status.received, "opened_at_site": status.opened_at_site,
        "fresh": status.fresh, "quorum": status.quorum, "independent": status.independent,
        "crowded_charts": status.crowded_charts.iter().map(|(chart, _)| chart).collect::<Vec<_>>(),
        "mark_behind": status.mark_behind, "quorum_needs_outside": status.quorum_needs_outside,
        "mlog": status.mlog.as_ref().map(head_json), "olog": status.olog.as_ref().map(head_json),
        "stopped_by": status.stopped_by.iter().map(|problem| problem.name()).collect::<Vec<_>>(),
        "last_full_sync": status.last_full_sync.map(instant), "last_sync_tried": status.last_sync_tried.map(instant),
        "next_attempt_at": status.next_attempt_at.map(instant), "needs_network": status.needs_network(),
        "stops": status.stops, "stop_sentences": status.stop_sentences(),
        "losses": losses_json(&status.losses),
        "charts": status.charts.iter().map(chart_json).collect::<Vec<_>>(),
    }));
    Ok(())
}

/// What stands against this device, and how far it opens after a time without its server.
fn taken_out_or_away(out: &Out, status: &Status) {
    if let Some(order) = &status.order {
        let what = match (order.severed, order.wipe) {
            (_, true) => "is to be wiped",
            (true, false) => "was taken out and is not trusted any more",
            (false, false) => "was taken out; your own data stays readable here",
        };
        out.line(format!(
            "! By a signed entry of the site this device {what}. The reason given: {}",
            order.reason
        ));
        out.line("  Call your site: it can invite this device again (`ward enrol TICKET`).");
    }
    match status.lease {
        ward_sync::Lease::Open => {}
        ward_sync::Lease::CaptureOnly => out.line(
            "! This device has not met its server for three days: entering works, your history waits for `ward sync`.",
        ),
        ward_sync::Lease::Locked => {
            out.line("! This device has not met its server for twelve hours and stays locked until `ward sync`.");
        }
    }
}

fn head(out: &Out, name: &str, head: Option<&HeadStatus>) {
    out.line(match head {
        Some(head) => format!("{name:27} {} entries, confirmed {}", head.size, instant(head.attested_at)),
        None => format!("{name:27} not fetched yet"),
    });
}

fn head_json(head: &HeadStatus) -> serde_json::Value {
    json!({"size": head.size, "attested_at": instant(head.attested_at), "age_ms": head.age_ms})
}

fn chart_lines(chart: &ChartDelivery, out: &Out) {
    out.heading(&format!("Chart {} ({})", chart.chart, chart.label));
    out.line(format!(
        "{} saved on this device, {} received by the server, {} opened at the site",
        chart.saved_here, chart.received, chart.opened_at_site
    ));
    if let Some(oldest) = chart.oldest_unsent {
        let waits = duration_words(u64::try_from(oldest.waits_ms).unwrap_or(0));
        out.line(format!(
            "The oldest that waits here was written {} ({waits} ago)",
            instant(oldest.captured_at)
        ));
    }
    if chart.needs_network() {
        out.line(
            "! Something has waited here for more than a day. It is safe on this device. When you can, please connect \
             to a network and run `ward sync`, so that your care team sees it.",
        );
    }
}

fn sync_lines(status: &Status, now: TimestampMs, out: &Out) {
    out.heading("Meeting the server");
    let ago = |at: TimestampMs| duration_words(u64::try_from(now.since_ms(at)).unwrap_or(0));
    out.line(match status.last_full_sync {
        Some(at) => format!("Everything was last sent and fetched {} ({} ago)", instant(at), ago(at)),
        None => "Everything was never sent and fetched yet".to_owned(),
    });
    if let Some(at) = status.last_sync_tried.filter(|at| Some(*at) != status.last_full_sync) {
        out.line(format!("Last tried                  {} ({} ago)", instant(at), ago(at)));
    }
    if let Some(at) = status.next_attempt_at {
        out.line(format!("Next try                    {}", instant(at)));
    }
    status.stop_sentences().into_iter().for_each(|sentence| out.line(format!("- {sentence}")));
}

fn loss_lines(losses: &Losses, out: &Out) {
    if losses.is_nothing() {
        return;
    }
    out.heading("What this device could not keep");
    out.line(format!(
        "Found {}. Nobody did anything wrong: a fault of the device's storage.",
        instant(losses.found_at)
    ));
    for lost in &losses.entries {
        out.line(format!(
            "! {} entries of chart {} that had not been sent yet. Please enter them again.",
            lost.count, lost.chart
        ));
    }
    for (count, what) in [
        (losses.drafts, "answers that were begun and not finished"),
        (losses.accesses, "notes of who read a chart on this device"),
        (losses.attachments, "attachments that had not been sent whole"),
        (losses.receipts, "receipts of the server; the server still has the entries"),
    ] {
        if count > 0 {
            out.line(format!("- {count} {what}"));
        }
    }
    if losses.heads {
        out.line("- how long the site's logs were when this device last looked; the next sync looks again");
    }
    out.line("When you have taken note of it: `ward evidence forget-losses`.");
}

fn losses_json(losses: &Losses) -> Value {
    json!({
        "found_at": (!losses.is_nothing()).then(|| instant(losses.found_at)),
        "entries": losses.entries.iter().map(|lost| json!({"chart": lost.chart, "count": lost.count})).collect::<Vec<_>>(),
        "drafts": losses.drafts, "accesses": losses.accesses, "receipts": losses.receipts, "heads": losses.heads,
        "attachments": losses.attachments,
    })
}

fn chart_json(chart: &ChartDelivery) -> Value {
    json!({
        "chart": chart.chart, "label": chart.label, "saved_here": chart.saved_here, "received": chart.received,
        "opened_at_site": chart.opened_at_site, "needs_network": chart.needs_network(),
        "oldest_unsent": chart.oldest_unsent.map(|oldest| json!({
            "entry": oldest.entry, "captured_at": instant(oldest.captured_at), "waits_ms": oldest.waits_ms,
        })),
        "entries": chart.entries.iter().map(|entry| json!({
            "entry": entry.entry, "kind": entry.kind.name(), "captured_at": instant(entry.captured_at),
            "state": delivery_code(entry.state),
        })).collect::<Vec<_>>(),
    })
}
