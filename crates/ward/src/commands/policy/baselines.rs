//! `ward policy baseline`: what was there before checking began; and what a check takes from it.

use super::{judge_all, read_all, rules_of};
use crate::cli::{PolicyBaselineCommand, PolicyInputs};
use crate::exit::Failure;
use crate::print::Out;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use ward_policy::limits::MAX_BASELINE_BYTES;
use ward_policy::report::Checked;
use ward_policy::shown_text::one_line;
use ward_policy::{Baseline, BaselineEntry, apply_baseline, entries_of};

/// Runs one of the commands.
///
/// # Errors
/// What was not read or written.
pub fn run(command: &PolicyBaselineCommand, out: &Out) -> Result<ExitCode, Failure> {
    match command {
        PolicyBaselineCommand::Write { inputs, out: file } => write(inputs, file, out),
        PolicyBaselineCommand::Compare { earlier, later } => {
            let (earlier, later) = (read(earlier)?, read(later)?);
            let grown = later.grown_since(&earlier);
            tell("grew by", grown.iter().copied(), out);
            out.document(&serde_json::json!({"grown": grown.len()}));
            Ok(ExitCode::from(u8::from(!grown.is_empty())))
        }
    }
}

fn write(inputs: &PolicyInputs, file: &Path, out: &Out) -> Result<ExitCode, Failure> {
    let rules = rules_of(inputs.rules.as_deref(), inputs.settings.as_deref())?;
    let (found, _) = read_all(inputs, out)?;
    let checked = judge_all(&found, &rules);
    let mut there = BTreeSet::new();
    for input in &checked {
        let assessment = input.result.as_ref().map_err(|error| {
            Failure::input(
                format!("{} was not read", input.name),
                error,
                "mend it first: nothing was written",
            )
        })?;
        there.extend(entries_of(input.name, assessment).into_iter().map(|(_, entry)| entry));
    }
    let found = Baseline::of(there);
    let (kept, grown) = if file.exists() {
        let earlier = read(file)?;
        let kept = earlier.findings().intersection(found.findings()).cloned().collect();
        (Baseline::of(kept), found.grown_since(&earlier).into_iter().cloned().collect())
    } else {
        (found, Vec::new())
    };
    let json = serde_json::to_string_pretty(&kept)
        .map_err(|error| Failure::fault("the baseline was not written", error))?;
    std::fs::write(file, format!("{json}\n")).map_err(|error| {
        Failure::input(format!("{} was not written", file.display()), error, "choose another file")
    })?;
    out.line(one_line(&format!("{} has {} findings.", file.display(), kept.findings().len())));
    tell("does not have", grown.iter(), out);
    out.document(&serde_json::json!({"findings": kept.findings().len(), "not_added": grown.len()}));
    Ok(ExitCode::from(u8::from(!grown.is_empty())))
}

/// Lets pass what a baseline has. If it has findings that are gone, the check does not pass: they could come back
/// unseen.
///
/// # Errors
/// When the baseline is not read.
pub fn accept(checked: &mut [Checked<'_>], file: &Path, out: &Out) -> Result<(), Failure> {
    let baseline = read(file)?;
    let mut met = BTreeSet::new();
    for input in checked.iter_mut() {
        let name = input.name;
        if let Ok(assessment) = &mut input.result {
            met.extend(apply_baseline(name, assessment, &baseline));
        }
    }
    let gone: Vec<&BaselineEntry> = baseline.findings().difference(&met).collect();
    for one in &gone {
        out.aside(&format!(
            "The baseline has {} {} of {}, which is gone or changed: shrink it with ward policy baseline write",
            one.rule, one.address, one.input
        ));
    }
    for assessment in checked.iter_mut().filter_map(|input| input.result.as_mut().ok()) {
        assessment.baseline_has_to_shrink = !gone.is_empty();
    }
    Ok(())
}

fn tell<'e>(what: &str, entries: impl Iterator<Item = &'e BaselineEntry>, out: &Out) {
    for entry in entries {
        out.aside(&format!("The baseline {what}: {} {} of {}", entry.rule, entry.address, entry.input));
    }
}

fn read(file: &Path) -> Result<Baseline, Failure> {
    let bytes = crate::commands::read_input_file(file, MAX_BASELINE_BYTES as u64)?;
    Baseline::read(&bytes).map_err(|error| {
        Failure::input(
            format!("{} is no baseline", file.display()),
            error,
            "write one with: ward policy baseline write",
        )
    })
}
