//! The `ward` command: parses, calls the crates below, prints. No rule that matters lives here.

#[cfg(ward_stand_in)]
compile_error!("the simulator's signatures protect nothing: build without its flag");

mod cli;
mod commands;
mod demo;
mod exit;
mod home;
mod limits;
mod planned_words;
mod print;
mod private_file;
mod server_folder;
mod shown_plan;
mod terminal_form;
mod ticket_page;

use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::read() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let out = print::Out::new(cli.json);
    // Checks of infrastructure code run before each commit: they start nothing that they do not need.
    if let cli::Command::Policy(command) = &cli.command {
        return commands::policy(command, &out);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::Failure::fault("the asynchronous runtime did not start", error).report(&out);
        }
    };
    let local = tokio::task::LocalSet::new();
    let result = local.block_on(&runtime, commands::run(cli, &out));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&out),
    }
}
