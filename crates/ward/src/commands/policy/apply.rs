//! `ward policy apply -- terraform apply PLAN`: what is applied is what was checked.
//!
//! The plan is copied to a folder that only this user can open. The program shows this copy, Ward judges what
//! it shows, and the program applies this copy: whatever happens to the file meanwhile, nothing else is
//! deployed. Options that would make something else of it are refused, on the command line and in the
//! environment.

mod interrupts;

use super::{judged, print_json, print_styled, rules_of, style, waivers};
use crate::cli::PolicyApplyArgs;
use crate::exit::Failure;
use crate::print::Out;
use interrupts::{Ended, Interrupts};
use sha2::{Digest as _, Sha256};
use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use ward_policy::limits::MAX_INPUT_BYTES;
use ward_policy::report::{CheckReport, exit_of, text};
use ward_policy::{Exit, read_named_input};

/// Programs that apply plans.
const PROGRAMS: [&str; 2] = ["terraform", "tofu"];
/// Options that change nothing about what is applied.
const PLAIN_OPTIONS: [&str; 4] = ["-no-color", "-compact-warnings", "-json", "-input=false"];
/// Beginnings of such options with a value.
const VALUE_OPTIONS: [&str; 2] = ["-parallelism=", "-lock-timeout="];
/// Variables that add options to a command line begin so.
const ADDED_OPTIONS: &str = "TF_CLI_ARGS";
/// Random bytes in the name of the private folder.
const NAME_BYTES: usize = 16;

/// Runs the command.
///
/// # Errors
/// A command that does more than apply one plan, and what was not read.
pub fn run(args: &PolicyApplyArgs, out: &Out) -> Result<ExitCode, Failure> {
    let asked = Asked::read(&args.command)?;
    if let Some((name, _)) =
        std::env::vars_os().find(|(name, _)| name.to_string_lossy().starts_with(ADDED_OPTIONS))
    {
        return Err(refused(&format!("{} adds options to the command", name.to_string_lossy())));
    }
    let rules = rules_of(args.rules.as_deref(), args.settings.as_deref())?;
    // From here on a signal does not end Ward before the copy is gone.
    let interrupts = Interrupts::listen()?;
    let copy = PrivateCopy::of(asked.plan)?;
    let name = asked.plan.to_string_lossy();
    let shown = shown(&asked, &copy, &interrupts)?;
    let graph = read_named_input(&name, &shown);
    let mut checked = [judged(&name, &graph, &rules)];
    if let Some(dir) = &args.waivers {
        waivers::waive(&mut checked, &rules, dir, out)?;
    }
    if out.is_json() {
        print_json(&CheckReport::new(&checked, &rules, false), out)?;
    } else {
        print_styled(&text(&checked, &rules, false, style()));
    }
    let exit = exit_of(&checked, false);
    if exit != Exit::Pass {
        return Ok(ExitCode::from(exit.code()));
    }
    copy.is_what_was_read()?;
    stop_if_told(&interrupts)?;
    out.aside(&format!("Applying the plan with SHA-256 {}", ward_id::hex_encode(&copy.digest)));
    let mut command = Command::new(asked.program);
    command.arg("apply").args(&asked.options).arg(&copy.file);
    let Ended { status, .. } =
        interrupts.run(&mut command, |_| ()).map_err(|error| not_started(asked.program, error))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or_else(
        || Failure::fault("the program that applies ended without an exit code", status).report(out),
        ExitCode::from,
    ))
}

fn refused(why: &str) -> Failure {
    Failure::input(
        "nothing was applied",
        why,
        "give one plan: ward policy apply -- terraform apply PLAN, written by terraform plan -out=PLAN",
    )
}

/// Nothing is begun for somebody who wants it to stop.
fn stop_if_told(interrupts: &Interrupts) -> Result<(), Failure> {
    if interrupts.were_told() {
        Err(refused("Ward was asked to stop before the plan was applied"))
    } else {
        Ok(())
    }
}

fn not_started(program: &OsStr, error: std::io::Error) -> Failure {
    Failure::input(format!("{} was not started", program.to_string_lossy()), error, "check its name")
}

/// The command that was asked for, taken apart.
struct Asked<'a> {
    program: &'a OsStr,
    options: Vec<&'a OsStr>,
    plan: &'a Path,
}

impl<'a> Asked<'a> {
    /// Only a program that applies plans, with one plan and options that leave it as it is.
    fn read(command: &'a [OsString]) -> Result<Self, Failure> {
        let [program, verb, rest @ .., plan] = command else {
            return Err(refused("the command has no plan"));
        };
        let is_known =
            Path::new(program).file_stem().is_some_and(|stem| PROGRAMS.iter().any(|known| stem == *known));
        if !is_known || verb != "apply" {
            return Err(refused("the command is neither terraform apply nor tofu apply"));
        }
        for option in rest {
            let text = option.to_string_lossy();
            let is_plain =
                PLAIN_OPTIONS.contains(&&*text) || VALUE_OPTIONS.iter().any(|start| text.starts_with(start));
            if !is_plain {
                return Err(refused(&format!("{text} may apply something else than the plan")));
            }
        }
        if plan.to_string_lossy().starts_with('-') {
            return Err(refused("the command has no plan at its end"));
        }
        let options = rest.iter().map(OsString::as_os_str).collect();
        Ok(Self { program, options, plan: Path::new(plan) })
    }
}

/// A copy of the plan in a folder of its own. It goes with this value.
struct PrivateCopy {
    folder: PathBuf,
    file: PathBuf,
    digest: [u8; 32],
}

impl PrivateCopy {
    fn of(plan: &Path) -> Result<Self, Failure> {
        let bytes = crate::commands::read_input_file(plan, MAX_INPUT_BYTES as u64)?;
        let mut name = [0; NAME_BYTES];
        getrandom::fill(&mut name).map_err(|error| Failure::fault("there is no randomness", error))?;
        let folder = std::env::temp_dir().join(format!("ward-plan-{}", ward_id::hex_encode(&name)));
        let unwritten = |error| Failure::fault("the plan was not copied", error);
        make_private(&folder).map_err(unwritten)?;
        let copy = Self { file: folder.join("plan"), folder, digest: Sha256::digest(&bytes).into() };
        std::fs::write(&copy.file, &bytes).map_err(unwritten)?;
        Ok(copy)
    }

    /// Whether the copy still is what was shown and judged.
    fn is_what_was_read(&self) -> Result<(), Failure> {
        let bytes = crate::commands::read_input_file(&self.file, MAX_INPUT_BYTES as u64)?;
        if <[u8; 32]>::from(Sha256::digest(&bytes)) == self.digest {
            return Ok(());
        }
        Err(refused("the plan was changed while it was checked"))
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // What is left behind can be read by its owner alone.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Makes a folder that is not there yet, for its owner alone.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

/// What the program shows of the copy, as JSON.
fn shown(asked: &Asked<'_>, copy: &PrivateCopy, interrupts: &Interrupts) -> Result<Vec<u8>, Failure> {
    let mut command = Command::new(asked.program);
    command.args(["show", "-json"]).arg(&copy.file).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut json = Vec::new();
    let ended = interrupts.run(&mut command, |child| match child.stdout.take() {
        Some(stdout) => stdout.take(MAX_INPUT_BYTES as u64 + 1).read_to_end(&mut json).map(|_| ()),
        None => Ok(()),
    });
    let Ended { read, status } = ended.map_err(|error| not_started(asked.program, error))?;
    stop_if_told(interrupts)?;
    if read.is_ok() && status.success() {
        return Ok(json);
    }
    Err(refused("the program does not show the plan: it may be none, or of another version"))
}
