//! `ward sync`: meet the server, and say in plain words what came of it.

use crate::exit::{Done, Failure, Kind};
use crate::home::{Home, from_client};
use crate::print::Out;
use serde_json::json;
use ward_api::LogName;
use ward_client::{ClientError, NamedBy, SyncProblem, SyncReport};
use ward_sync::CheckpointFault;

/// Syncs the device once.
///
/// # Errors
/// When the server is not there, or something is wrong that a person must look at.
pub async fn run(home: &Home, out: &Out) -> Done {
    let mut client = home.unlock().await?;
    let report = client.sync().await.map_err(from_client)?;
    show(&report, out);
    verdict(&report)
}

/// Prints a report.
pub fn show(report: &SyncReport, out: &Out) {
    out.line(format!(
        "Sent {}, fetched {}, still here {}. Membership log: {} entries.",
        report.pushed, report.pulled, report.unsent, report.mlog_size
    ));
    if report.relayed > 0 {
        out.line(format!("Gave the server {} entries of others that it had lost.", report.relayed));
    }
    if report.handed_over > 0 {
        out.line(format!(
            "Handed {} to the site: they could not be sent, and count once somebody there adopts them.",
            report.handed_over
        ));
    }
    if report.drops_waiting > 0 {
        out.line(format!("{} handed over by others wait: `ward adopt --list`.", report.drops_waiting));
    }
    for (chart, epoch) in &report.rotated {
        out.line(format!("New key for chart {chart}: epoch {epoch}."));
    }
    for problem in &report.problems {
        out.line(format!("! {}", plain(problem)));
    }
    out.document(&json!({
        "pushed": report.pushed, "pulled": report.pulled, "relayed": report.relayed, "unsent": report.unsent,
        "mlog_size": report.mlog_size, "handed_over": report.handed_over, "drops_waiting": report.drops_waiting,
        "rotated": report.rotated.iter().map(|(chart, epoch)| json!({"chart": chart, "epoch": epoch})).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(|problem| json!({
            "problem": problem.name(), "text": plain(problem), "stops_sealing": problem.stops_sealing(),
        })).collect::<Vec<_>>(),
        "next_attempt_in_ms": report.next_attempt_in_ms,
    }));
}

/// The exit code that a report amounts to.
///
/// # Errors
/// The first problem that is not merely "later".
pub fn verdict(report: &SyncReport) -> Done {
    let Some(problem) =
        report.problems.iter().find(|problem| problem.stops_sealing()).or(report.problems.first())
    else {
        return Ok(());
    };
    let kind = match problem {
        SyncProblem::Failed { error: ClientError::Transport(_) | ClientError::BadAnswer { .. }, .. } => {
            Kind::Unreachable
        }
        SyncProblem::Revoked
        | SyncProblem::Wiped
        | SyncProblem::Suspended { .. }
        | SyncProblem::Stale { .. }
        | SyncProblem::CertificateExpired
        | SyncProblem::TimeUnknown
        | SyncProblem::Quota { .. }
        | SyncProblem::NeedsRotation(_) => Kind::NotNow,
        SyncProblem::LocalRollback => return Ok(()),
        _ => Kind::No,
    };
    let why = if report.unsent > 0 { "what waits stays saved on this device" } else { "nothing is lost" };
    let next = if matches!(problem, SyncProblem::Revoked | SyncProblem::CertificateExpired) {
        "call your site: it can invite this device again (`ward enrol TICKET`), and nothing you wrote is lost"
    } else if *problem == SyncProblem::Wiped {
        "call your site if you did not expect this"
    } else if problem.stops_sealing() {
        "keep this device as it is and call your site's security officer"
    } else {
        "sync again later; if it stays, tell your site"
    };
    Err(Failure::new(kind, plain(problem), why, next))
}

fn who(by: &NamedBy) -> String {
    match by {
        NamedBy::Author(device) => format!("Device {device}"),
        NamedBy::Revocation(device) => format!("The revocation of device {device}"),
    }
}

/// A problem in a sentence.
pub fn plain(problem: &SyncProblem) -> String {
    match problem {
        SyncProblem::Rollback(_) => {
            "The server showed a shorter history than before; the proof is kept here".into()
        }
        SyncProblem::Equivocation(_) => "The server showed two histories; the proof is kept here".into(),
        SyncProblem::Stale { .. } => "The newest confirmed membership is too old to send under".into(),
        SyncProblem::Revoked => "This device was revoked".into(),
        SyncProblem::RevocationNotProved { why } => format!(
            "The server says that this device was revoked, and cannot show it ({why}): nothing was locked or deleted"
        ),
        SyncProblem::Wiped => "By a signed order of the site this device destroyed what it held".into(),
        SyncProblem::BadDrop { chart, device, why } => {
            format!("Something that device {device} is said to have handed over for chart {chart}: {why}")
        }
        SyncProblem::Suspended { .. } => "This device is suspended for a time".into(),
        SyncProblem::LocalRollback => {
            "This device's store had been set back; it was brought up to date".into()
        }
        SyncProblem::EntriesLost { chart, count } => format!(
            "{count} entries of chart {chart} that were saved here had not been sent, and are gone. Please enter them \
             again; `ward status` keeps saying so until `ward evidence forget-losses`"
        ),
        SyncProblem::OwnFork { chart } => {
            format!("This device's store was copied (chart {chart}); both histories are kept")
        }
        SyncProblem::DeviceFork { chart, device } => {
            format!("Device {device} wrote two histories in chart {chart}; both are kept")
        }
        SyncProblem::BadEnvelope { index, why, .. } => {
            format!("The entry at place {index} does not verify ({why}); it is kept aside")
        }
        SyncProblem::BadPackage { chart, why } => {
            format!("A key package of chart {chart} was not accepted: {why}")
        }
        SyncProblem::Incomplete { chart, device, .. } => {
            format!("The server did not deliver all of chart {chart} (device {device})")
        }
        SyncProblem::BrokenPromise { entry, .. } => {
            format!("The server broke its promise about entry {entry}; the proof is kept here")
        }
        SyncProblem::OtherHistory { by, .. } => format!(
            "{} names an operation log that is not the one shown here: the server shows two, or that device is \
             wrong. Ask its owner",
            who(by)
        ),
        SyncProblem::HiddenTail { log, by, named, shown } => {
            let what = match log {
                LogName::Mlog => "membership entries",
                LogName::Olog => "operations",
            };
            format!("{} saw {named} {what}, the server shows {shown}: it holds something back", who(by))
        }
        SyncProblem::PlaceNotProved { entry, index, .. } => {
            format!("The server cannot prove that entry {entry} stands at place {index}")
        }
        SyncProblem::NeedsRotation(chart) => {
            format!("Chart {chart} needs a new key before anything is sent; a member's next sync makes it")
        }
        SyncProblem::CertificateExpired => "The certificate of this device has ended".into(),
        SyncProblem::TimeUnknown => "The site's witnesses could not be asked for the time".into(),
        SyncProblem::BadCheckpoint { chart, device, fault: fault @ CheckpointFault::Places, .. } => {
            format!(
                "A checkpoint of chart {chart} by device {device} is not used ({fault}); ask the operator of the \
                 server first"
            )
        }
        SyncProblem::BadCheckpoint { chart, device, fault, .. } => {
            format!(
                "Device {device} signed a checkpoint of chart {chart} that does not hold ({fault}); it is not used"
            )
        }
        SyncProblem::Quota { chart, used, limit, .. } => format!(
            "The server takes no more of chart {chart}: its room is used up ({used} of {limit}). What you write stays saved \
             here; tell the operator of the server"
        ),
        SyncProblem::Failed { what, error } => format!("{what}: {error}"),
    }
}
