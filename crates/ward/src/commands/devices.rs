//! `ward devices`: which devices a participant has, and the signature for a further one. The site
//! signs first; the device that the participant has compares the six words and signs too.

use crate::cli::{DevicesArgs, DevicesCommand};
use crate::commands::invite::ask_same;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, chart_or_only, from_act, from_client, from_sync_after};
use crate::print::{Out, instant};
use serde_json::{Value, json};
use ward_client::native::NativeClient;
use ward_client::{Comparison, DeviceAnswer, WaitingDevice};
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId};

/// Runs `ward devices` and its subcommand.
///
/// # Errors
/// When this device is no participant's and something is to be signed, or the server is not there.
pub async fn run(args: DevicesArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    match args.command {
        None => list(&mut client, args.chart, out).await,
        Some(DevicesCommand::Approve { device, same, different }) => {
            approve(&mut client, device, same, different, out).await
        }
    }
}

/// What stands in this device's copy of the log is shown without a network; what waits, with one.
async fn list(client: &mut NativeClient, named: Option<ChartId>, out: &Out) -> Done {
    let chart = chart_or_only(client, named)?;
    let me = client.me().map_err(from_client)?.clone();
    let own = me.role == Role::Patient && me.chart == Some(chart);
    let asked = if own { Some(client.waiting_devices().await) } else { None };
    let devices = known_devices(client, chart, me.device, out)?;
    let waiting = asked.as_ref().and_then(|asked| asked.as_ref().ok());
    for one in waiting.into_iter().flatten() {
        out.line(format!(
            "! Device {} waits for your signature, since {}. If you set it up: ward devices approve {}",
            one.device,
            instant(one.received_at),
            one.device
        ));
    }
    if asked.as_ref().is_some_and(Result::is_err) {
        out.line("Whether a device waits for your signature is not known: the server was not reached.");
    }
    out.document(&json!({"chart": chart, "devices": devices,
        "waiting": waiting.map(|all| all.iter().map(waiting_json).collect::<Vec<_>>())}));
    Ok(())
}

fn known_devices(
    client: &NativeClient,
    chart: ChartId,
    own: DeviceId,
    out: &Out,
) -> Result<Vec<Value>, Failure> {
    let membership = client.membership().map_err(from_client)?;
    let mut devices = Vec::new();
    for known in membership.participant_devices(chart) {
        let (device, since) = (known.device(), instant(known.cert().not_before));
        let state = if known.is_active() { "reads and writes" } else { "was taken out" };
        let this = if device == own { "  this device" } else { "" };
        out.line(format!("{device}  since {since}  {state}{this}"));
        devices.push(json!({"device": device, "since": since, "active": known.is_active(),
            "this_device": device == own}));
    }
    Ok(devices)
}

fn waiting_json(one: &WaitingDevice) -> Value {
    json!({"device": one.device, "entry": one.entry, "words": one.words, "issued_by": one.issued_by,
        "issuer_role": format!("{:?}", one.issuer_role), "received_at": instant(one.received_at)})
}

async fn approve(
    client: &mut NativeClient,
    device: DeviceId,
    same: bool,
    different: bool,
    out: &Out,
) -> Done {
    let waiting = client.waiting_devices().await.map_err(from_act)?;
    let Some(found) = waiting.into_iter().find(|one| one.device == device) else {
        return Err(Failure::new(
            Kind::NotNow,
            "This device does not wait for your signature",
            "the site did not sign it yet, it was signed or refused already, or others changed your devices since",
            "look at `ward devices`; the site signs again with `ward invite approve`",
        )
        .with_code("WARD-6017"));
    };
    out.line(format!(
        "The site signed for a further device of yours. Its six words must be:\n\n    {}\n",
        found.words.join("  ")
    ));
    let comparison = match (same, different) {
        (true, _) => Comparison::Same,
        (_, true) => Comparison::Different,
        _ if out.is_json() => {
            // Nobody can answer a program's question; it gets the words and comes again.
            out.document(&waiting_json(&found));
            return Err(Failure::new(
                Kind::Usage,
                "Nothing was signed",
                "with --json the comparison is given on the command line",
                "compare the words with your new device, then run it again with --same or --different",
            ));
        }
        _ => ask_same("Does your new device show the same six words?")?,
    };
    match client.answer_device(found.entry, comparison).await.map_err(from_act)? {
        DeviceAnswer::Certified(device) => {
            out.both(
                format!("Signed. Device {device} is yours, and reads your chart after its next sync."),
                &json!({"certified": device, "words": found.words}),
            );
            client.sync().await.map(|_| ()).map_err(from_sync_after)
        }
        DeviceAnswer::Declined(_) => Err(Failure::new(
            Kind::No,
            "The device was refused",
            "its words differ, or it is not yours, so somebody may be in between",
            "tell your site; it makes a new ticket",
        )),
    }
}
