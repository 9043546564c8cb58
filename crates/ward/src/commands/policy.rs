//! `ward policy`: infrastructure code, checked before it is deployed. Opens no store; only the webhook starts a
//! runtime.

mod apply;
mod baselines;
mod explain;
mod fix;
mod folder_files;
mod given_values;
mod law;
mod own_rules;
mod rule_table;
mod rule_test;
mod source_texts;
mod waivers;
mod webhook;

use crate::cli::{PolicyCheckArgs, PolicyCommand, PolicyInputs, ReportFormat};
use crate::exit::Failure;
use crate::print::{Out, escaped};
use folder_files::{FoundFile, read_folder_files};
use given_values::GivenValues;
use own_rules::rules_with;
use source_texts::SourceTexts;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::mem::forget;
use std::path::Path;
use std::process::ExitCode;
use ward_policy::folder::{Folder, FolderInput, is_configuration, read_folder, read_module_of_file};
use ward_policy::graph::Graph;
use ward_policy::limits::{MAX_INPUT_BYTES, MAX_SETTINGS_BYTES};
use ward_policy::report::{CheckReport, Checked, Style, exit_of, html, sarif, text_with_source};
use ward_policy::rules::RuleSet;
use ward_policy::terraform_source::SourceFile;
use ward_policy::{InputError, Settings, assess, read_named_input, read_settings, read_text};

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
        PolicyCommand::Explain(args) => explain::run(args, out),
        PolicyCommand::Rules(args) => rule_table::run(args, out),
        PolicyCommand::Law(command) => law::run(command, out),
        PolicyCommand::Test(args) => rule_test::run(args, out),
        PolicyCommand::Waiver(command) => waivers::run(command, out),
        PolicyCommand::Baseline(command) => baselines::run(command, out),
        PolicyCommand::Fix(args) => fix::run(args, out),
        PolicyCommand::Apply(args) => apply::run(args, out),
        PolicyCommand::Webhook(args) => webhook::run(args, out),
    };
    result.unwrap_or_else(|failure| failure.report(out))
}

fn check(args: &PolicyCheckArgs, out: &Out) -> Result<ExitCode, Failure> {
    let inputs = &args.inputs;
    let rules = rules_of(inputs.rules.as_deref(), inputs.settings.as_deref())?;
    let (found, sources) = read_all(inputs, out)?;
    let mut checked = judge_all(&found, &rules);
    if let Some(dir) = &args.waivers {
        waivers::waive(&mut checked, &rules, dir, out)?;
    }
    if let Some(file) = &args.baseline {
        baselines::accept(&mut checked, file, out)?;
    }
    print_report((&checked, &found.passed_over), &rules, args, sources, out)?;
    let exit = ExitCode::from(exit_of(&checked, args.allow_empty).code());
    // The process ends: to take apart what it read would cost a tenth of its time.
    forget(checked);
    forget((found, rules));
    Ok(exit)
}

/// Reads all inputs first, so that a report is of all of them.
fn read_all(inputs: &PolicyInputs, out: &Out) -> Result<(Folder, SourceTexts), Failure> {
    let values = GivenValues::read(&inputs.var_file, &inputs.var)?;
    let mut found = Folder::default();
    let mut sources = SourceTexts::default();
    for path in &inputs.paths {
        let first = found.inputs.len();
        read_path(path, &values, &mut found, out)?;
        let read = found.inputs.iter().skip(first);
        sources.belong_to(path, read.map(|input: &FolderInput| input.name.as_str()));
    }
    Ok((found, sources))
}

fn print_report(
    (checked, passed_over): (&[Checked<'_>], &[String]),
    rules: &RuleSet,
    args: &PolicyCheckArgs,
    mut sources: SourceTexts,
    out: &Out,
) -> Result<(), Failure> {
    let format = if out.is_json() { ReportFormat::Json } else { args.format };
    if format != ReportFormat::Json {
        sources.load(checked);
    }
    match format {
        ReportFormat::Json => {
            let report = CheckReport::new(checked, rules, args.allow_empty);
            print_json(&report.with_passed_over(passed_over), out)?;
        }
        ReportFormat::Sarif => {
            let log = sarif(checked, rules, args.allow_empty, &sources, env!("CARGO_PKG_VERSION"));
            out.verbatim(&format!("{}\n", escaped(&log.to_string())));
        }
        ReportFormat::Html => out.verbatim(&html(checked, rules, args.allow_empty, &sources)),
        ReportFormat::Text => {
            // The report keeps out what would steer a terminal; its colours are its own.
            print_styled(&text_with_source(checked, rules, args.allow_empty, style(), &sources));
        }
    }
    Ok(())
}

/// Prints what has colours of its own.
fn print_styled(text: &str) {
    // A closed pipe is not a failure, and the exit code stays.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints a document for programs.
fn print_json(document: &impl serde::Serialize, out: &Out) -> Result<(), Failure> {
    out.streamed(document).map_err(|error| Failure::fault("the document was not written", error))
}

/// Reads what a path leads to: a folder, a file of Terraform with the folder it belongs to, or one plan,
/// template or file of manifests.
fn read_path(path: &Path, values: &GivenValues, all: &mut Folder, out: &Out) -> Result<(), Failure> {
    let name = path.display().to_string();
    let is_standard_input = path.as_os_str() == "-";
    if !is_standard_input && path.is_dir() {
        let files = read_folder_files(path)?;
        let found = values.with_options(|options| read_folder(&name, &as_sources(&files), options));
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
        let read = values.with_options(|options| read_module_of_file(&name, &as_sources(&files), options));
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

/// The rules of Ward and of the organisation, with what the organisation decided.
fn rules_of(own: Option<&Path>, named: Option<&Path>) -> Result<RuleSet, Failure> {
    Ok(rules_with(own)?.with_settings(settings(named)?))
}

fn judge_all<'a>(found: &'a Folder, rules: &'a RuleSet) -> Vec<Checked<'a>> {
    found.inputs.iter().map(|input| judged(&input.name, &input.graph, rules)).collect()
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
