//! `ward revoke` and `ward recover`: a device that is lost, turned, or replaced.

use crate::cli::{RecoverArgs, RevokeArgs, RevokePolicy};
use crate::commands::invite::show_outcome;
use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::Out;
use ward_client::{Comparison, RecoverRequest};

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
    let outcome = client.revoke(args.device, policy, &args.reason).await.map_err(from_client)?;
    client.sync().await.map_err(from_client)?;
    show_outcome(outcome, out);
    Ok(())
}

/// Begins a recovery: the first of two signatures.
///
/// # Errors
/// When the six words were not compared, or a rule is broken.
pub async fn recover(args: RecoverArgs, home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let pending = client.pending_enrolments().await.map_err(from_client)?;
    if let Some(found) = pending.iter().find(|pending| pending.ticket == args.ticket) {
        out.line(format!("The new phone's six words must be:\n\n    {}\n", found.words.join("  ")));
    }
    if !args.same {
        return Err(Failure::new(
            Kind::Usage,
            "Nothing was signed",
            "the six words must be compared with the participant first",
            "if they are the same, run it again with --same",
        ));
    }
    let request = RecoverRequest {
        ticket: args.ticket,
        chart: args.chart,
        lost: Vec::new(),
        reason: args.reason,
        comparison: Comparison::Same,
    };
    let outcome = client.recover(request).await.map_err(from_client)?;
    client.sync().await.map_err(from_client)?;
    show_outcome(outcome, out);
    Ok(())
}
