//! `ward policy rules`: every rule, and where it judges nothing.

use super::own_rules::rules_with;
use super::print_json;
use crate::cli::{ListFormat, PolicyRulesArgs};
use crate::exit::Failure;
use crate::print::Out;
use std::collections::BTreeSet;
use std::process::ExitCode;
use ward_policy::report::RuleReport;
use ward_policy::rules::{Rule, RuleSet};

/// Runs the command.
///
/// # Errors
/// When rules are not read.
pub fn run(args: &PolicyRulesArgs, out: &Out) -> Result<ExitCode, Failure> {
    let rules = rules_with(args.rules.as_deref())?;
    if out.is_json() || args.format == ListFormat::Json {
        let all: Vec<RuleReport<'_>> =
            rules.rules().iter().map(|rule| RuleReport::new(&rules, rule, None)).collect();
        print_json(&serde_json::json!({"format": 1, "rules": all}), out)?;
    } else {
        print_table(&rules, out);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_table(rules: &RuleSet, out: &Out) {
    let row = |rule: &Rule| {
        vec![
            rule.id.to_string(),
            rule.severity.word().to_owned(),
            rule.area.to_string(),
            rule.cells.len().to_string(),
            types(rule).len().to_string(),
            rule.title.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = rules.rules().iter().map(row).collect();
    out.table(&["rule", "severity", "area", "cells", "types", "asks for"], &rows);
    let cells: usize = rules.rules().iter().map(|rule| rule.cells.len()).sum();
    let all: BTreeSet<&str> = rules.rules().iter().flat_map(types).collect();
    out.line(format!("\n{} rules, {cells} cells, {} types", rules.rules().len(), all.len()));
    out.heading("Not covered");
    let gaps = rules.rules().iter().flat_map(|rule| rule.not_covered.iter().map(move |gap| (rule, gap)));
    let rows: Vec<Vec<String>> = gaps
        .map(|(rule, gap)| vec![rule.id.to_string(), gap.place.to_string(), gap.because.to_string()])
        .collect();
    out.table(&["rule", "where", "because"], &rows);
}

fn types(rule: &Rule) -> BTreeSet<&str> {
    rule.cells.iter().flat_map(|cell| &cell.types).map(|kind| &**kind).collect()
}
