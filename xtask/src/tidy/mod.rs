//! `cargo xtask tidy`: style as a test. Each check is a function over the files in memory.

mod architecture;
mod citation_form;
mod core_purity;
mod error_codes;
mod layers;
mod limits_file;
mod manifests;
mod markers;
mod naming;
mod outside_names;
mod stand_in;
mod units;

use crate::outcome::Counts;
use crate::project;
use crate::source_tree::SourceTree;
use crate::steps::StepResult;
use anyhow::Result;

/// Something that a check does not accept, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 means the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// A finding in one line of a file.
    pub fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

type Check = fn(&SourceTree) -> Vec<Finding>;

const CHECKS: [(&str, Check); 12] = [
    ("architecture", architecture::check),
    ("layers", layers::check),
    ("manifests", manifests::check),
    ("core purity", core_purity::check),
    ("naming", naming::check),
    ("units", units::check),
    ("limits", limits_file::check),
    ("markers", markers::check),
    ("error codes", error_codes::check),
    ("citations", citation_form::check),
    ("outside names", outside_names::check),
    ("stand-in", stand_in::check),
];

/// Runs every check by itself; true if nothing was found.
pub fn run() -> Result<bool> {
    let result = step()?;
    println!("tidy: {}", result.counts);
    Ok(result.ok)
}

/// Runs every check as a step: each check counts as one test.
pub fn step() -> Result<StepResult> {
    let tree = project::source_tree()?;
    let mut counts = Counts::default();
    for (name, check) in CHECKS {
        let findings = check(&tree);
        for Finding { path, line, message } in &findings {
            println!("{path}:{line}: {name}: {message}");
        }
        if findings.is_empty() {
            counts.passed += 1;
        } else {
            counts.failed += 1;
        }
    }
    Ok(StepResult { ok: counts.failed == 0, counts, skipped: None })
}

#[cfg(test)]
fn messages(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.message)).collect()
}
