//! `ward reopen`: an admin says that the operation log goes on after a restore that lost entries.

use crate::cli::ReopenArgs;
use crate::commands::invite::show_outcome;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_act, from_client, from_sync_after};
use crate::print::Out;
use serde_json::json;

/// Shows what the server waits for, and signs.
///
/// # Errors
/// When the server does not wait, this device may not sign, or witnesses know more than was shown.
pub async fn run(args: ReopenArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    // Gives the membership log back first, and brings what this device knows of the old log.
    let report = client.sync().await.map_err(from_client)?;
    super::sync::show(&report, out);
    let pending = client.pending_reopening().await.map_err(from_act)?;
    out.line(format!("The log {} ended at {} entries, as", pending.old_origin, pending.old_head.size));
    out.line(format!("witnesses confirmed and a device has shown. They know of {}.", pending.known_size));
    out.line(format!("It goes on as {}.", pending.new_origin));
    let kept_size = pending.kept.map_or(0, |kept| kept.head.size);
    out.line(format!(
        "The server holds {kept_size} entries that witnesses confirmed. What a revoked device wrote"
    ));
    out.line("later counts for nobody from now on: staff may adopt it, unless the device was severed.");
    if !pending.reaches_the_end() && !args.accept_gap {
        return Err(Failure::new(
            Kind::No,
            "Nothing was signed",
            format!(
                "witnesses know {} entries of the old log; no device has shown more than {}",
                pending.known_size, pending.old_head.size
            ),
            "let the devices that were used last run `ward sync`, then run this again; if none can, add --accept-gap",
        ));
    }
    let outcome = client.reopen_olog(&pending, &args.reason).await.map_err(from_act)?;
    out.document(&json!({
        "old_origin": pending.old_origin, "new_origin": pending.new_origin,
        "old_size": pending.old_head.size, "known_size": pending.known_size,
        "kept_size": kept_size,
    }));
    show_outcome(outcome, out);
    client.sync().await.map(|_| ()).map_err(from_sync_after)
}
