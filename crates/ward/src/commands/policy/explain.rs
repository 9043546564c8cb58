//! `ward policy explain`: one rule, for a person who has to meet it.

use super::law::read_edition;
use super::own_rules::rules_with;
use super::{print_json, print_styled, style};
use crate::cli::PolicyExplainArgs;
use crate::exit::Failure;
use crate::print::Out;
use std::process::ExitCode;
use ward_policy::report::{RuleReport, rule_text};

/// Runs the command.
///
/// # Errors
/// When there is no such rule, or rules or law are not read.
pub fn run(args: &PolicyExplainArgs, out: &Out) -> Result<ExitCode, Failure> {
    let rules = rules_with(args.rules.as_deref())?;
    let edition = args.law.as_deref().map(read_edition).transpose()?;
    let rule = rules.rule(&args.rule).or_else(|| rules.rule(&args.rule.to_uppercase())).ok_or_else(|| {
        Failure::input(
            format!("there is no rule {}", args.rule),
            format!("{} rules are known", rules.rules().len()),
            "see them with: ward policy rules",
        )
    })?;
    if out.is_json() {
        print_json(&RuleReport::new(&rules, rule, edition.as_ref()), out)?;
    } else {
        print_styled(&rule_text(&rules, rule, edition.as_ref(), style()));
    }
    Ok(ExitCode::SUCCESS)
}
