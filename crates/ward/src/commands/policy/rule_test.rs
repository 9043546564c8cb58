//! `ward policy test`: the fixtures of an organisation's own rules.

use super::own_rules::{read_own_rules, unread};
use super::print_json;
use crate::cli::{ListFormat, PolicyTestArgs};
use crate::exit::Failure;
use crate::print::Out;
use std::process::ExitCode;
use ward_policy::shown_text::one_line;
use ward_policy::{FixtureRun, Untried, Verdict, WrongVerdict, run_fixtures};

/// Runs the command.
///
/// # Errors
/// When a file has a fault.
pub fn run(args: &PolicyTestArgs, out: &Out) -> Result<ExitCode, Failure> {
    let mut own = read_own_rules(&args.dir)?;
    let (ids, fixtures) = (own.ids(), own.take_fixtures());
    let mut rules = own.with_builtin().map_err(|error| unread(&error))?;
    let run = run_fixtures(&mut rules, &fixtures, &ids);
    let is_json = out.is_json() || args.format == ListFormat::Json;
    if is_json {
        let wrong: Vec<serde_json::Value> = run.wrong.iter().map(wrong_for_programs).collect();
        let untried: Vec<String> = run.untried.iter().map(untried_line).collect();
        let report = serde_json::json!({
            "format": 1, "rules": ids.len(), "verdicts": run.verdicts, "wrong": wrong, "untried": untried,
        });
        print_json(&report, out)?;
    } else {
        print_run(&run, ids.len(), out);
    }
    let code = match (run.verdicts, run.wrong.is_empty() && run.untried.is_empty()) {
        (_, false) => 1,
        (0, true) => 2,
        (_, true) => 0,
    };
    Ok(ExitCode::from(code))
}

fn print_run(run: &FixtureRun, rules: usize, out: &Out) {
    for one in &run.wrong {
        out.line(one_line(&wrong_line(one)));
        for seen in &one.observed {
            out.line(one_line(&format!("    observed {seen}")));
        }
    }
    for one in &run.untried {
        out.line(one_line(&untried_line(one)));
    }
    out.line(format!(
        "{rules} rules, {} verdicts: {} wrong, {} not tried",
        run.verdicts,
        run.wrong.len(),
        run.untried.len()
    ));
    if run.verdicts == 0 {
        out.line("No fixture asks for a verdict: nothing was tried.");
    }
}

fn wrong_line(one: &WrongVerdict) -> String {
    let found = one.found.map_or("the rule does not judge it", Verdict::word);
    format!("{}: {} {}: expected {}, got {found}", one.place, one.rule, one.address, one.expected)
}

fn wrong_for_programs(one: &WrongVerdict) -> serde_json::Value {
    serde_json::json!({
        "place": one.place,
        "rule": one.rule.as_str(),
        "address": one.address,
        "expected": one.expected.word(),
        "found": one.found.map(Verdict::word),
        "observed": one.observed,
    })
}

fn untried_line(one: &Untried) -> String {
    let of = if one.types.is_empty() { String::new() } else { format!(" of {}", one.types.join(", ")) };
    format!("{}: no fixture{of} that is {}", one.rule, one.verdict)
}
