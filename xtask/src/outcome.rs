//! What test runners print at their end, read back into numbers.

use std::fmt;
use std::ops::AddAssign;

/// How many tests there were and how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Ran and passed.
    pub passed: u64,
    /// Ran and failed, ran out of time, or could not be started.
    pub failed: u64,
    /// Not run: ignored, or left out by name.
    pub skipped: u64,
}

impl Counts {
    /// Tests that ran.
    pub fn ran(self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// Reads the summary of `cargo nextest run`, which is one line:
/// `Summary [   1.234s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped`.
///
/// `None` if there is no such line: the run did not get that far.
pub fn of_nextest(lines: &[String]) -> Option<Counts> {
    let summary = lines.iter().rev().find(|line| line.trim_start().starts_with("Summary ["))?;
    let (head, tail) = summary.split_once(']')?.1.split_once("run:")?;
    let mut counts = Counts::default();
    for part in without_brackets(tail).split(',') {
        let mut words = part.split_whitespace();
        let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
        match words.next() {
            Some("passed") => counts.passed += number,
            Some("skipped") => counts.skipped += number,
            // Failed, timed out, exec failed: whatever else is said of a test is not a pass.
            Some(_) => counts.failed += number,
            None => {}
        }
    }
    // `3/10 tests run` is a run that stopped early: the rest did not pass.
    let planned = head.split_whitespace().next()?.rsplit('/').next()?.parse::<u64>().ok()?;
    counts.failed += planned.saturating_sub(counts.ran());
    Some(counts)
}

/// `6 passed (1 slow, 1 flaky)` counts six: what stands in brackets is said of some of them.
fn without_brackets(text: &str) -> String {
    let mut depth = 0u32;
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    plain
}

/// Adds up the results of `cargo test`, one line for each program that ran:
/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s`.
pub fn of_cargo_test(lines: &[String]) -> Counts {
    let mut counts = Counts::default();
    for line in lines.iter().filter_map(|line| line.trim_start().strip_prefix("test result:")) {
        let Some((_, results)) = line.split_once('.') else { continue };
        for part in results.split(';') {
            let mut words = part.split_whitespace();
            let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
            match words.next() {
                Some("passed") => counts.passed += number,
                Some("failed") => counts.failed += number,
                Some("ignored" | "filtered") => counts.skipped += number,
                _ => {}
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(Into::into).collect()
    }

    #[test]
    fn nextest_is_read() {
        let counts = of_nextest(&lines(
            "        PASS [   0.004s] x\n────────────\n     Summary [   0.012s] 9 tests run: 6 passed (1 slow, 1 flaky), 1 failed, 1 timed out, 1 exec failed, 3 skipped\n        FAIL [ 0.1s] y",
        ));
        assert_eq!(counts, Some(Counts { passed: 6, failed: 3, skipped: 3 }));
        let one = of_nextest(&lines("     Summary [   0.012s] 1 test run: 1 passed, 0 skipped"));
        assert_eq!(one, Some(Counts { passed: 1, failed: 0, skipped: 0 }));
    }

    #[test]
    fn a_run_that_stopped_early_has_failed() {
        let counts = of_nextest(&lines("  Summary [ 1.0s] 3/10 tests run: 2 passed, 1 failed, 0 skipped"));
        assert_eq!(counts, Some(Counts { passed: 2, failed: 8, skipped: 0 }));
    }

    #[test]
    fn no_summary_is_not_a_pass() {
        assert_eq!(of_nextest(&lines("error: could not compile")), None);
        assert_eq!(of_cargo_test(&lines("error: could not compile")), Counts::default());
    }

    #[test]
    fn cargo_test_is_added_up() {
        let counts = of_cargo_test(&lines(
            "running 4 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s",
        ));
        assert_eq!(counts, Counts { passed: 4, failed: 2, skipped: 5 });
        assert_eq!(counts.to_string(), "4 passed, 2 failed, 5 skipped");
    }
}
