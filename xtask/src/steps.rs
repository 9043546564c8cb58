//! Steps of a long command: each says its name and its time, and counts against a budget.

use crate::limits::{BUDGET_COMPILE_MIN, BUDGET_REST_MIN, BUDGET_TESTS_MIN, BUDGET_TOOLS_MIN};
use crate::outcome::Counts;
use anyhow::Result;
use std::time::{Duration, Instant};

/// Which part of the time budget a step counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Getting tools onto the machine.
    Tools,
    /// Compiling.
    Compile,
    /// Running tests.
    Tests,
    /// Everything else.
    Rest,
}

const BUDGET: [(Share, &str, f64); 4] = [
    (Share::Tools, "tools", BUDGET_TOOLS_MIN),
    (Share::Compile, "compile", BUDGET_COMPILE_MIN),
    (Share::Tests, "tests", BUDGET_TESTS_MIN),
    (Share::Rest, "rest", BUDGET_REST_MIN),
];

/// How a step ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepResult {
    /// Nothing is wrong.
    pub ok: bool,
    /// Tests that the step ran.
    pub counts: Counts,
    /// A part of the step that was not done, and why.
    pub skipped: Option<&'static str>,
}

impl From<bool> for StepResult {
    fn from(ok: bool) -> Self {
        Self { ok, ..Self::default() }
    }
}

struct Record {
    share: Share,
    name: String,
    took: Duration,
    result: StepResult,
}

/// The steps so far.
#[derive(Default)]
pub struct Steps {
    records: Vec<Record>,
}

impl Steps {
    /// Runs one step. An error is printed and is a failure; the next steps still run.
    pub fn run<R: Into<StepResult>>(
        &mut self,
        share: Share,
        name: &str,
        work: impl FnOnce() -> Result<R>,
    ) -> bool {
        println!("\n==> {name}");
        let start = Instant::now();
        let result = match work() {
            Ok(result) => result.into(),
            Err(error) => {
                println!("error: {error:#}");
                false.into()
            }
        };
        let took = start.elapsed();
        let word = if result.ok { "ok" } else { "FAILED" };
        let skipped = result.skipped.map(|part| format!(" ({part})")).unwrap_or_default();
        println!("    {name}: {word}{skipped} in {}", seconds(took));
        self.records.push(Record { share, name: name.to_owned(), took, result });
        result.ok
    }

    /// Names of the steps that failed.
    pub fn failed(&self) -> Vec<&str> {
        self.records.iter().filter(|record| !record.result.ok).map(|record| record.name.as_str()).collect()
    }

    /// Parts of steps that were not done: a step that is ok says nothing about them.
    pub fn skipped(&self) -> Vec<String> {
        let skipped = |record: &Record| Some(format!("{}: {}", record.name, record.result.skipped?));
        self.records.iter().filter_map(skipped).collect()
    }

    /// All tests, and one failure for each step that failed for another reason than a test.
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for Record { result, .. } in &self.records {
            totals += result.counts;
            if !result.ok && result.counts.failed == 0 {
                totals.failed += 1;
            }
        }
        totals
    }

    /// The time that each part took, beside what was planned for it.
    pub fn budget(&self) -> Vec<String> {
        let mut lines = vec!["time budget (minutes)   planned    took".to_owned()];
        let mut sums = (0.0, 0.0);
        for (share, name, planned) in BUDGET {
            let took: Duration =
                self.records.iter().filter(|record| record.share == share).map(|record| record.took).sum();
            let minutes = took.as_secs_f64() / 60.0;
            sums = (sums.0 + planned, sums.1 + minutes);
            let note = if minutes > planned { "  over" } else { "" };
            lines.push(format!("  {name:<20} {planned:>8.0} {minutes:>8.1}{note}"));
        }
        lines.push(format!("  {:<20} {:>8.0} {:>8.1}", "all", sums.0, sums.1));
        lines
    }

    /// Each step with its time, in the order in which they ran.
    pub fn times(&self) -> Vec<String> {
        let line = |record: &Record| format!("  {:<44} {:>12}", record.name, seconds(record.took));
        self.records.iter().map(line).collect()
    }

    /// Prints what failed, then the totals as the last line. True if nothing failed.
    pub fn finish(&self) -> bool {
        let failed = self.failed();
        if !failed.is_empty() {
            println!("\nfailed: {}", failed.join(", "));
        }
        for line in self.skipped() {
            println!("{line}");
        }
        println!("{}", self.totals());
        failed.is_empty()
    }
}

/// A time for people.
pub fn seconds(took: Duration) -> String {
    if took.as_secs() >= 100 {
        format!("{} min {:02} s", took.as_secs() / 60, took.as_secs() % 60)
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_counted_and_the_rest_still_runs() {
        let mut steps = Steps::default();
        let counts = Counts { passed: 2, failed: 1, skipped: 4 };
        assert!(!steps.run(Share::Tests, "tests", || Ok(StepResult { ok: false, counts, skipped: None })));
        assert!(!steps.run(Share::Compile, "build", || -> Result<bool> { anyhow::bail!("no compiler") }));
        assert!(steps.run(Share::Rest, "format", || Ok(true)));
        let half = StepResult { skipped: Some("half of it"), ..StepResult::from(true) };
        assert!(steps.run(Share::Rest, "deny", || Ok(half)));
        assert_eq!(steps.skipped(), ["deny: half of it"]);
        assert!(steps.times().len() == 4 && steps.times()[3].contains("deny"), "{:?}", steps.times());
        assert_eq!(steps.failed(), ["tests", "build"]);
        assert_eq!(steps.totals(), Counts { passed: 2, failed: 2, skipped: 4 });
        assert!(!steps.finish());
    }

    #[test]
    fn the_budget_says_what_is_over() {
        let result = StepResult::from(true);
        let record =
            |share, took| Record { share, name: "x".into(), took: Duration::from_secs(took), result };
        let steps = Steps { records: vec![record(Share::Tools, 60), record(Share::Rest, 600)] };
        let lines = steps.budget();
        assert!(lines[1].contains("tools") && lines[1].ends_with("1.0"), "{lines:?}");
        assert!(lines[4].contains("rest") && lines[4].ends_with("over"), "{lines:?}");
        assert!(lines[5].ends_with("11.0"), "{lines:?}");
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(seconds(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(187)), "3 min 07 s");
    }
}
