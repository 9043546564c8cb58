//! `ward status`: what is saved here, received by the server, opened at the site.

use crate::exit::Done;
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use serde_json::json;
use ward_client::{HeadStatus, Status};

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
        "mark_behind": status.mark_behind, "quorum_needs_outside": status.quorum_needs_outside,
        "mlog": status.mlog.as_ref().map(head_json), "olog": status.olog.as_ref().map(head_json),
        "stopped_by": status.stopped_by.iter().map(|problem| problem.name()).collect::<Vec<_>>(),
        "entries": status.entries.iter().map(|entry| json!({
            "chart": entry.chart, "entry": entry.entry, "captured_at": instant(entry.captured_at),
            "progress": format!("{:?}", entry.progress),
        })).collect::<Vec<_>>(),
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
