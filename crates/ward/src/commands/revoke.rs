//! `ward revoke` and `ward recover`: a device that is lost, turned, or replaced.

use crate::cli::{RecoverArgs, RevokeArgs, RevokePolicy};
use crate::commands::invite::show_outcome;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_act, from_client, from_sync_after};
use crate::print::{Out, instant};
use serde_json::json;
use ward_client::native::NativeClient;
use ward_client::{Comparison, RecoverRequest};
use ward_id::{ChartId, DeviceId, TimestampMs};

/// Takes a device out of every chart.
///
/// # Errors
/// When this device may not, or the server is not there.
pub async fn revoke(args: RevokeArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let policy = match args.policy {
        RevokePolicy::Salvage => ward_sync::RevokePolicy::Salvage,
        RevokePolicy::Sever => ward_sync::RevokePolicy::Sever,
    };
    let outcome = client.revoke(args.device, policy, &args.reason).await.map_err(from_act)?;
    if args.wipe && outcome.is_done() {
        out.line("Revoked. The order to wipe it:");
        let order = client.order_wipe(args.device, &args.reason).await.map_err(from_act)?;
        show_outcome(order, out);
    } else {
        show_outcome(outcome, out);
    }
    client.sync().await.map(|_| ()).map_err(from_sync_after)?;
    if args.wipe && !outcome.is_done() {
        return Err(Failure::new(
            Kind::NotNow,
            "The order to wipe the device was not given",
            "the revocation waits for another signature, and only a revoked device is wiped",
            "when it is signed, run the same command again",
        ));
    }
    Ok(())
}

/// Begins a recovery: the first of two signatures.
///
/// # Errors
/// When the six words were not compared, it is not clear which devices are lost, or a rule is
/// broken.
pub async fn recover(args: RecoverArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    // Who is active now, not when this device last looked.
    client.sync().await.map_err(from_act)?;
    let pending = client.pending_enrolments().await.map_err(from_act)?;
    let words = pending.iter().find(|pending| pending.ticket == args.ticket).map(|found| found.words);
    if let Some(words) = &words {
        out.line(format!("The new phone's six words must be:\n\n    {}\n", words.join("  ")));
    }
    let active = active_devices(&client, args.chart)?;
    let lost = lost_devices(&active.iter().map(|known| known.device).collect::<Vec<_>>(), &args.lost)?;
    out.line("Devices of this participant:");
    for known in &active {
        let fate = if lost.contains(&known.device) { "LOST, is revoked" } else { "stays" };
        out.line(format!("  {}  since {}  {fate}", known.device, instant(known.since)));
    }
    if !args.same {
        out.document(&json!({"ticket": args.ticket, "words": words, "active": active.iter().map(|known| known.device).collect::<Vec<_>>(), "lost": lost}));
        return Err(Failure::new(
            Kind::Usage,
            "Nothing was signed",
            "the six words must be compared with the participant first",
            "if they are the same, and the list of devices is right, run it again with --same",
        ));
    }
    let request = RecoverRequest {
        ticket: args.ticket,
        chart: args.chart,
        lost,
        reason: args.reason,
        comparison: Comparison::Same,
    };
    let outcome = client.recover(request).await.map_err(from_act)?;
    show_outcome(outcome, out);
    client.sync().await.map(|_| ()).map_err(from_sync_after)
}

struct Active {
    device: DeviceId,
    since: TimestampMs,
}

fn active_devices(client: &NativeClient, chart: ChartId) -> Result<Vec<Active>, Failure> {
    let membership = client.membership().map_err(from_client)?;
    let active = membership.participant_devices(chart).filter(|known| known.is_active());
    Ok(active.map(|known| Active { device: known.device(), since: known.cert().not_before }).collect())
}

/// The devices to revoke. Only a participant with one device has it revoked without naming it.
fn lost_devices(active: &[DeviceId], named: &[DeviceId]) -> Result<Vec<DeviceId>, Failure> {
    if let Some(unknown) = named.iter().find(|device| !active.contains(device)) {
        return Err(Failure::input(
            format!("Device {unknown} is no active device of this participant"),
            "it is mistyped, was revoked already, or belongs to somebody else",
            "choose from the devices that `ward recover` lists",
        ));
    }
    if named.is_empty() && active.len() > 1 {
        let list: Vec<String> = active.iter().map(ToString::to_string).collect();
        return Err(Failure::new(
            Kind::Usage,
            "Which devices are lost?",
            format!("the participant has {} active devices: {}", active.len(), list.join(", ")),
            "name each lost one with --lost; what is not named stays",
        ));
    }
    Ok(if named.is_empty() { active.to_vec() } else { named.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_lost_is_not_revoked() {
        let [phone, tablet, other] = [1, 2, 3].map(|mark| DeviceId::from_bytes([mark; 16]));
        let asked = lost_devices(&[phone, tablet], &[]).unwrap_err();
        assert!(asked.to_string().contains(&tablet.to_string()), "both are named: {asked}");
        assert_eq!(lost_devices(&[phone, tablet], &[phone]).unwrap(), [phone]);
        assert_eq!(lost_devices(&[phone], &[]).unwrap(), [phone]);
        assert!(lost_devices(&[phone], &[other]).is_err());
        assert!(lost_devices(&[], &[]).unwrap().is_empty());
    }
}
