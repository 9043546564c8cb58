//! What each command does.

mod adopt;
mod alert_publish;
mod alert_replay;
mod alerts;
mod amended_schedules;
mod answer;
mod answer_file;
mod asked_time;
pub mod assign;
mod attachment;
mod audit;
mod audit_chart;
mod backup;
mod chart;
mod config_explain;
mod devices;
mod doctor;
mod due;
mod enrol;
mod evidence;
mod export;
mod init;
mod instrument;
mod invite;
mod policy;
mod record;
mod reopen;
mod repair;
mod resolve;
mod restore;
mod revoke;
mod serve;
mod set;
mod status;
mod study;
mod sync;
mod team;
mod text;
mod time_standing;
mod unfinished;
mod unsent;
mod void;
mod watch;
mod wipe;
mod witness;
pub mod worklist;

pub use policy::run as policy;
pub use serve::stop_signal;

use crate::cli::{Cli, Command, ConfigCommand};
use crate::exit::{Done, Failure};
use crate::home::Home;
use crate::print::Out;
use std::io::Read as _;
use std::path::Path;

/// Runs the command that was asked for.
///
/// # Errors
/// What the command failed with.
pub async fn run(cli: Cli, out: &Out) -> Done {
    let home = Home::at(&cli.home);
    match cli.command {
        // ---- operate ----
        Command::Demo(args) => crate::demo::run(args, out).await,
        Command::Init(args) => init::run(&args, out).await,
        Command::Serve(args) => serve::run(&args, out).await,
        Command::Witness(args) => witness::run(&args, out).await,
        Command::Backup(args) => backup::run(&args, out).await,
        Command::Restore(args) => restore::run(&args, out).await,
        Command::Doctor(args) => doctor::run(&args, out).await,
        Command::Config(ConfigCommand::Explain(args)) => config_explain::run(&args, out),
        // ---- study ----
        Command::Invite(args) => invite::run(args, &home, out).await,
        Command::Team(command) => team::run(command, &home, out).await,
        Command::Assign(args) => assign::run(args, &home, out).await,
        Command::Instrument(command) => instrument::run(&command, out),
        Command::Study(command) => study::run(command, &home, out).await,
        Command::Alerts(command) => alerts::run(&command, &home, out).await,
        Command::Revoke(args) => revoke::revoke(args, &home, out).await,
        Command::Reopen(args) => reopen::run(args, &home, out).await,
        Command::Recover(args) => revoke::recover(args, &home, out).await,
        // ---- patient and clinic ----
        Command::Enrol(args) => enrol::run(args, &home, out).await,
        Command::Devices(args) => devices::run(args, &home, out).await,
        Command::Due(args) => due::run(&args, &home, out).await,
        Command::Answer(args) => answer::run(args, &home, out).await,
        Command::Record(command) => record::run(command, &home, out).await,
        Command::Text(command) => text::run(command, &home, out).await,
        Command::Attachment(command) => attachment::run(command, &home, out).await,
        Command::Set(command) => set::run(command, &home, out).await,
        Command::Sync(args) if args.watch => watch::run(&home, out).await,
        Command::Sync(_) => sync::run(&home, out).await,
        Command::Status => status::run(&home, out).await,
        Command::Evidence(command) => evidence::run(command, &home, out).await,
        Command::Adopt(args) => adopt::run(args, &home, out).await,
        Command::Decline(args) => adopt::decline(args, &home, out).await,
        Command::Wipe(args) => wipe::run(args, &home, out).await,
        Command::Resolve(args) => resolve::run(args, &home, out).await,
        Command::Void(args) => void::run(args, &home, out).await,
        Command::Chart(args) => chart::run(args, &home, out).await,
        Command::Worklist(args) => worklist::run(args, &home, out).await,
        Command::Export(args) => export::run(args, &home, out).await,
        Command::Import(args) => unsent::import(args, &home, out).await,
        // ---- assure ----
        Command::Repair => repair::run(&home, out).await,
        Command::Audit(command) => audit::run(command, &home, out).await,
        Command::Policy(_) => {
            Err(Failure::fault("a policy command came too late", "it is answered before the runtime starts"))
        }
    }
}

/// Reads a file named on the command line, up to a limit.
///
/// # Errors
/// When it cannot be read or is larger.
pub fn read_input_file(file: &Path, max_bytes: u64) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::input(format!("{} cannot be read", file.display()), error, "check the name of the file")
    };
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    // Room for all of it at once; a file that says it is larger than it may be gets no more.
    let size = opened.metadata().map_or(0, |about| about.len()).min(max_bytes);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    opened.take(max_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > max_bytes {
        return Err(Failure::input(
            format!("{} is too large", file.display()),
            format!("files given here have at most {max_bytes} bytes"),
            "give a smaller one",
        ));
    }
    Ok(bytes)
}
