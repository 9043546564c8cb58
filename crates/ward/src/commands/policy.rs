//! `ward policy`: infrastructure code, checked before it is deployed. Starts no runtime and opens no store.

use super::policy_files::{FoundFile, read_folder_files};
use super::policy_values::GivenValues;
use crate::cli::{PolicyCheckArgs, PolicyCommand, ReportFormat};
use crate::exit::Failure;
use crate::print::Out;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use ward_policy::folder::{
    Folder, FolderInput, is_configuration, read_folder_with, read_module_of_file_with,
};
use ward_policy::graph::Graph;
use ward_policy::limits::{MAX_INPUT_BYTES, MAX_SETTINGS_BYTES};
use ward_policy::report::{CheckReport, Checked, Style, exit_of, text};
use ward_policy::rules::RuleSet;
use ward_policy::terraform_source::SourceFile;
use ward_policy::{InputError, Settings, assess, builtin_rules, read_named_input, read_settings, read_text};

/// Characters in a line of the report.
const REPORT_WIDTH: usize = 110;

/// Names of files that were passed over shown in one line.
const PASSED_OVER_SHOWN: usize = 5;

/// Where settings are looked for if none are named.
const SETTINGS_FILE: &str = "ward-policy.yaml";

/// Runs one of the commands and gives the exit code of the process.
pub fn run(command: &PolicyCommand, out: &Out) -> ExitCode {
    let result = match command {
        PolicyCommand::Check(args) => check(args, out),
    };
    result.unwrap_or_else(|failure| failure.report(out))
}

fn check(args: &PolicyCheckArgs, out: &Out) -> Result<ExitCode, Failure> {
    let rules =
        builtin_rules().map_err(|error| Failure::fault("the rules of this Ward were not read", error))?;
    let rules = rules.with_settings(settings(args.settings.as_deref())?);
    // All inputs are read first, so that a report is of all of them.
    let values = GivenValues::read(&args.var_file, &args.var)?;
    let mut found = Folder::default();
    for path in &args.paths {
        read_path(path, &values, &mut found, out)?;
    }
    let checked: Vec<Checked<'_>> =
        found.inputs.iter().map(|input| judged(&input.name, &input.graph, &rules)).collect();
    if out.is_json() || args.format == ReportFormat::Json {
        let report = CheckReport::new(&checked, &rules, args.allow_empty);
        let report = report.with_passed_over(&found.passed_over);
        let json = serde_json::to_string(&report)
            .map_err(|error| Failure::fault("the report was not written", error))?;
        out.verbatim(&format!("{json}\n"));
    } else {
        // The report keeps out what would steer a terminal; its colours are its own.
        let report = text(&checked, &rules, args.allow_empty, style());
        // A closed pipe is not a failure, and the exit code stays.
        let _ = std::io::stdout().lock().write_all(report.as_bytes());
    }
    Ok(ExitCode::from(exit_of(&checked, args.allow_empty).code()))
}

/// Reads what a path leads to: a folder, a file of Terraform with the folder it belongs to, or one plan,
/// template or file of manifests.
fn read_path(path: &Path, values: &GivenValues, all: &mut Folder, out: &Out) -> Result<(), Failure> {
    let name = path.display().to_string();
    let is_standard_input = path.as_os_str() == "-";
    if !is_standard_input && path.is_dir() {
        let files = read_folder_files(path)?;
        let found = values.with_options(|options| read_folder_with(&name, &as_sources(&files), options));
        if found.inputs.is_empty() {
            return Err(Failure::input(
                format!("{name} holds no infrastructure code"),
                "no Terraform configuration, plan, template or manifest was found in it",
                "check the name of the folder",
            ));
        }
        if !found.passed_over.is_empty() {
            let count = found.passed_over.len();
            let first =
                found.passed_over.iter().take(PASSED_OVER_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = if count > PASSED_OVER_SHOWN { ", …" } else { "" };
            out.aside(&format!(
                "Not infrastructure code, and not checked: {count} in {name} ({first}{more})"
            ));
        }
        all.passed_over.extend(found.passed_over.iter().map(|below| path.join(below).display().to_string()));
        all.inputs.extend(found.inputs);
        return Ok(());
    }
    if !is_standard_input && is_configuration(&name) {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let files = read_folder_files(folder)?;
        let name = folder.display().to_string();
        let read =
            values.with_options(|options| read_module_of_file_with(&name, &as_sources(&files), options));
        all.inputs.push(read);
        return Ok(());
    }
    if values.are_given() {
        return Err(Failure::input(
            format!("{name} takes no values"),
            "a plan, a template and a manifest hold their own values, and those that were given would change nothing",
            "leave out --var and --var-file, or name the folder of the configuration",
        ));
    }
    let graph = read_named_input(&name, &read_bytes(path)?);
    all.inputs.push(FolderInput { name, graph });
    Ok(())
}

fn as_sources(files: &[FoundFile]) -> Vec<SourceFile<'_>> {
    files.iter().map(|file| SourceFile { path: &file.path, bytes: &file.bytes }).collect()
}

/// What the organisation decided: the file that was named, or the usual one if it is there.
fn settings(named: Option<&Path>) -> Result<Settings, Failure> {
    let usual = Path::new(SETTINGS_FILE);
    let path = match named {
        Some(path) => path,
        None if usual.exists() => usual,
        None => return Ok(Settings::default()),
    };
    let bytes = super::read_input_file(path, MAX_SETTINGS_BYTES as u64)?;
    let name = path.display().to_string();
    let unread = |error: &dyn std::fmt::Display| {
        Failure::input("the settings were not read", error.to_string(), "mend the file, or leave it out")
    };
    let text = read_text(&bytes).map_err(|error| unread(&error))?;
    read_settings(&name, &text).map_err(|error| unread(&error))
}

fn judged<'a>(name: &'a str, graph: &'a Result<Graph, InputError>, rules: &'a RuleSet) -> Checked<'a> {
    let result = match graph {
        Ok(graph) => Ok(assess(graph, rules)),
        Err(error) => Err(error.clone()),
    };
    Checked { name, result }
}

/// Colours for a person who watches and did not ask for none.
fn style() -> Style {
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if std::io::stdout().is_terminal() && !wants_none {
        Style::coloured(REPORT_WIDTH)
    } else {
        Style::plain()
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let max_bytes = MAX_INPUT_BYTES as u64;
    if path.as_os_str() != "-" {
        return super::read_input_file(path, max_bytes);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(max_bytes + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::input("standard input was not read", error, "give a file instead"))?;
    Ok(bytes)
}
