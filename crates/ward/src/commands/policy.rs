//! `ward policy`: infrastructure code, checked before it is deployed. Starts no runtime and opens no store.

use crate::cli::{PolicyCheckArgs, PolicyCommand, ReportFormat};
use crate::exit::Failure;
use crate::print::Out;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use ward_policy::graph::Graph;
use ward_policy::limits::MAX_INPUT_BYTES;
use ward_policy::report::{CheckReport, Checked, Style, exit_of, text};
use ward_policy::rules::RuleSet;
use ward_policy::{InputError, assess, builtin_rules, read_named_input};

/// Characters in a line of the report.
const REPORT_WIDTH: usize = 110;

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
    // All inputs are read first, so that a report is of all of them.
    let mut inputs = Vec::with_capacity(args.paths.len());
    for path in &args.paths {
        inputs.push((
            path.display().to_string(),
            read_named_input(&path.display().to_string(), &read_bytes(path)?),
        ));
    }
    let checked: Vec<Checked<'_>> = inputs.iter().map(|(name, graph)| judged(name, graph, &rules)).collect();
    if out.is_json() || args.format == ReportFormat::Json {
        let report = CheckReport::new(&checked, &rules, args.allow_empty);
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
