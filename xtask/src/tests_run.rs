//! `cargo xtask test`: every test there is, and a last line that says how many.

use crate::corpora::{self, Corpora};
use crate::outcome::{self, Counts};
use crate::project::Target;
use crate::steps::{Share, StepResult, Steps};
use crate::{process, project, setup, tidy};
use anyhow::{Result, bail};

/// Sets up, then runs all tests.
pub fn command() -> Result<bool> {
    if !setup::run()? {
        return Ok(false);
    }
    let mut steps = Steps::default();
    let corpora = run_all(&mut steps)?;
    println!();
    corpora.print();
    Ok(steps.finish())
}

/// Style, compilation, tests, examples in the documentation: each a step of its own.
pub fn run_all(steps: &mut Steps) -> Result<Corpora> {
    steps.run(Share::Rest, "tidy", tidy::step);
    let targets = project::targets()?;
    let corpora = Corpora::from_environment(&targets)?;
    let runner = Runner { nextest: setup::has_nextest(), targets: &targets, corpora: &corpora };
    if steps.run(Share::Compile, "compile the tests", || runner.compile()) {
        steps.run(Share::Tests, "tests", || runner.tests());
        steps.run(Share::Tests, "examples in the documentation", || runner.documentation());
    }
    Ok(corpora)
}

struct Runner<'a> {
    nextest: bool,
    targets: &'a [Target],
    corpora: &'a Corpora,
}

impl Runner<'_> {
    fn compile(&self) -> Result<bool> {
        let arguments: &[&str] = if self.nextest {
            &["nextest", "run", "--workspace", "--no-run"]
        } else {
            println!("cargo-nextest is not installed: cargo test runs the tests instead");
            &["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--no-run"]
        };
        process::run(&mut project::cargo(arguments)?)
    }

    fn tests(&self) -> Result<StepResult> {
        let mut command = if self.nextest {
            let mut command =
                project::cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass"])?;
            if !self.corpora.are_there() {
                command.args(["-E", self.corpora.exclusion()]);
            }
            command
        } else {
            project::cargo(&self.cargo_test_arguments())?
        };
        if let Some(folder) = self.corpora.folder() {
            command.env(corpora::VARIABLE, folder);
        }
        let transcript = process::transcript(&mut command)?;
        let mut counts = if self.nextest {
            outcome::of_nextest(&transcript.lines).unwrap_or_default()
        } else {
            outcome::of_cargo_test(&transcript.lines)
        };
        // No runner counts the programs that it was told not to start.
        counts.skipped += self.corpora.skipped_count();
        if counts.ran() == 0 {
            bail!("no test ran");
        }
        Ok(StepResult { ok: transcript.success && counts.failed == 0, counts, skipped: None })
    }

    /// `cargo test` cannot leave a program out, so the programs that are wanted are named.
    fn cargo_test_arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--examples"];
        let wanted = |target: &&Target| {
            target.kind == "test" && (self.corpora.are_there() || !target.name.starts_with(corpora::PREFIX))
        };
        for target in self.targets.iter().filter(wanted) {
            arguments.extend(["--test", target.name.as_str()]);
        }
        if !self.corpora.are_there() {
            arguments.extend(["--", "--skip", corpora::PREFIX]);
        }
        arguments
    }

    fn documentation(&self) -> Result<StepResult> {
        if !self.targets.iter().any(|target| target.kind == "lib") {
            return Ok(true.into());
        }
        let transcript =
            process::transcript(&mut project::cargo(&["test", "--workspace", "--doc", "--no-fail-fast"])?)?;
        let counts: Counts = outcome::of_cargo_test(&transcript.lines);
        Ok(StepResult { ok: transcript.success && counts.failed == 0, counts, skipped: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_without_their_files_are_left_out() {
        let target = |name: &str| Target { package: "a".into(), name: name.into(), kind: "test".into() };
        let targets = [target("corpora_audit"), target("chain")];
        let corpora = Corpora::new(&targets, None);
        let runner = Runner { nextest: false, targets: &targets, corpora: &corpora };
        let arguments = runner.cargo_test_arguments();
        assert!(arguments.contains(&"chain") && !arguments.contains(&"corpora_audit"), "{arguments:?}");
        assert!(arguments.ends_with(&["--", "--skip", "corpora_"]));

        let corpora = Corpora::new(&targets, Some("x".into()));
        let runner = Runner { nextest: false, targets: &targets, corpora: &corpora };
        assert!(runner.cargo_test_arguments().contains(&"corpora_audit"));
    }
}
