//! `ward adopt` and `ward decline`: what a device sent after it was revoked, or handed to the drop box
//! because it could not send it.

use crate::cli::{AdoptArgs, DeclineArgs};
use crate::exit::{Done, Failure};
use crate::home::{Home, from_client};
use crate::print::{Out, instant};
use serde_json::json;
use ward_client::native::NativeClient;
use ward_id::{ChartId, DeviceId, EntryId, TimestampMs};

/// One entry that waits.
struct Waiting {
    chart: ChartId,
    entry: EntryId,
    device: DeviceId,
    kind: &'static str,
    captured_at: TimestampMs,
    handed_over: bool,
    urgent: bool,
    /// Whether staff declined it: it can be adopted after all.
    declined: bool,
}

/// Adopts one entry or all of a device: they then count, with their own author, and this device's
/// signature beside them. Or lists what waits.
///
/// # Errors
/// When no such entry waits, or this role may not adopt.
pub async fn run(args: AdoptArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let waiting = all_waiting(&client);
    if args.list {
        return list(&waiting, out);
    }
    if let Some(device) = args.device {
        return adopt_all(&mut client, &waiting, device, out).await;
    }
    let Some(entry) = args.entry else { return list(&waiting, out) };
    let chart = chart_of(&waiting, entry)?;
    let carry = client.adopt(chart, entry).await.map_err(from_client)?;
    out.both(
        format!("Adopted, and saved on this device as {carry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": carry, "adopts": entry}),
    );
    Ok(())
}

/// Declines one entry: it stays out, and the chart says who declined it and why.
///
/// # Errors
/// When no such entry waits, or this role may not decline.
pub async fn decline(args: DeclineArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let mut waiting = all_waiting(&client);
    waiting.retain(|one| !one.declined);
    let chart = chart_of(&waiting, args.entry)?;
    let entry = client.decline(chart, args.entry, &args.reason).await.map_err(from_client)?;
    out.both(
        format!("Declined, and saved on this device as {entry}. `ward sync` sends it."),
        &json!({"saved": true, "chart": chart, "entry": entry, "declines": args.entry}),
    );
    Ok(())
}

async fn adopt_all(client: &mut NativeClient, waiting: &[Waiting], device: DeviceId, out: &Out) -> Done {
    let mut charts: Vec<ChartId> =
        waiting.iter().filter(|one| one.device == device && !one.declined).map(|one| one.chart).collect();
    charts.dedup();
    if charts.is_empty() {
        return Err(nothing_waits(&format!("Nothing of device {device} waits to be adopted")));
    }
    let mut carries = Vec::new();
    for chart in charts {
        carries.extend(client.adopt_all(chart, device).await.map_err(from_client)?);
    }
    out.both(
        format!(
            "Adopted {}, in the order in which they were written. `ward sync` sends them.",
            carries.len()
        ),
        &json!({"saved": true, "device": device, "entries": carries}),
    );
    Ok(())
}

fn list(waiting: &[Waiting], out: &Out) -> Done {
    if waiting.is_empty() {
        out.line("Nothing waits to be adopted.");
    }
    for one in waiting {
        let how = match (one.declined, one.handed_over) {
            (true, _) => "declined",
            (false, true) => "handed over",
            (false, false) => "sent after the revocation",
        };
        let urgent = if one.urgent { "URGENT  " } else { "" };
        out.line(format!("{urgent}{}  {}  {}", one.entry, one.kind, instant(one.captured_at)));
        out.line(format!("          chart {} · device {} · {how}", one.chart, one.device));
    }
    let rows = waiting.iter().map(|one| {
        json!({"chart": one.chart, "entry": one.entry, "device": one.device, "kind": one.kind,
               "captured_at": instant(one.captured_at), "handed_over": one.handed_over, "urgent": one.urgent,
               "declined": one.declined})
    });
    out.document(&json!(rows.collect::<Vec<_>>()));
    Ok(())
}

/// Everything that waits, chart by chart, in the order of its chains.
fn all_waiting(client: &NativeClient) -> Vec<Waiting> {
    let mut out = Vec::new();
    for chart in client.charts().into_iter().map(|chart| chart.chart) {
        let first = out.len();
        for drop in client.waiting_drops(chart).unwrap_or_default() {
            let (frame, body) = (drop.entry.frame(), drop.entry.body());
            out.push(Waiting {
                chart,
                entry: drop.entry.id(),
                device: frame.device,
                kind: body.kind.name(),
                captured_at: body.captured_at,
                handed_over: true,
                urgent: drop.urgent,
                declined: false,
            });
        }
        let Ok(view) = client.chart(chart) else { continue };
        let declined = view.declined();
        for item in view.to_adopt() {
            let (entry, body) = (item.entry.id(), item.entry.body());
            if out.iter().skip(first).any(|known: &Waiting| known.entry == entry) {
                continue;
            }
            out.push(Waiting {
                chart,
                entry,
                device: item.entry.frame().device,
                kind: body.kind.name(),
                captured_at: body.captured_at,
                handed_over: false,
                urgent: false,
                declined: declined.contains(&entry),
            });
        }
    }
    out
}

/// The chart in which the entry waits.
fn chart_of(waiting: &[Waiting], entry: EntryId) -> Result<ChartId, Failure> {
    let found = waiting.iter().find(|one| one.entry == entry);
    found.map(|one| one.chart).ok_or_else(|| nothing_waits(&format!("{entry} does not wait to be adopted")))
}

fn nothing_waits(what: &str) -> Failure {
    Failure::input(
        what,
        "it is mistyped, was decided already, or this device does not read its chart",
        "run `ward sync`, then look at `ward adopt --list`",
    )
}
