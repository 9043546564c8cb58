//! How a check ends.

use std::fmt;

/// How one rule judges one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The rule does not concern the resource. A cell that does not apply leaves the word to one that does.
    NotApplicable,
    /// The rule is met, and that is proven.
    Pass,
    /// The rule is not met, and a signed waiver covers exactly that.
    Waived,
    /// Nobody can say before the deployment: it blocks.
    Indeterminate,
    /// The rule could not be evaluated: it blocks.
    Error,
    /// The rule is not met: it blocks.
    Fail,
}

impl Verdict {
    /// Every verdict, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::NotApplicable, Self::Waived, Self::Indeterminate, Self::Error, Self::Fail];

    /// Whether the deployment must not go on.
    #[must_use]
    pub const fn blocks(self) -> bool {
        matches!(self, Self::Indeterminate | Self::Error | Self::Fail)
    }

    /// Its word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NotApplicable => "not-applicable",
            Self::Waived => "waived",
            Self::Indeterminate => "indeterminate",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a whole check ends, as the exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// Everything is proven.
    Pass,
    /// A rule is not met.
    Violation,
    /// Something could not be known or evaluated, or nothing was there to be checked.
    Indeterminate,
    /// An input was not read: nothing of it was checked.
    NotRead,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Violation => 1,
            Self::Indeterminate => 2,
            Self::NotRead => 3,
        }
    }

    /// Its word for logs and annotations.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Violation => "violation",
            Self::Indeterminate => "indeterminate",
            Self::NotRead => "not-read",
        }
    }

    /// The exit of a check with these verdicts. `recognised` counts resources that at least one
    /// rule knows: a check of nothing is no pass unless the caller allows it.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>, recognised: usize, allow_empty: bool) -> Self {
        let worst = verdicts.into_iter().max().unwrap_or(Verdict::Pass);
        match worst {
            Verdict::Fail => Self::Violation,
            Verdict::Indeterminate | Verdict::Error => Self::Indeterminate,
            _ if recognised == 0 && !allow_empty => Self::Indeterminate,
            _ => Self::Pass,
        }
    }

    /// The exit of several inputs together: what was not read weighs most, then a violation.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let weight = |exit: Self| match exit {
            Self::Pass => 0,
            Self::Indeterminate => 1,
            Self::Violation => 2,
            Self::NotRead => 3,
        };
        if weight(other) > weight(self) { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exits_of_verdicts() {
        use Verdict::{Error, Fail, Indeterminate, NotApplicable, Pass, Waived};
        for (verdicts, recognised, allow_empty, code) in [
            (vec![Pass, NotApplicable, Waived], 1, false, 0),
            (vec![Pass, Indeterminate, Fail], 1, false, 1),
            (vec![Pass, Indeterminate], 1, false, 2),
            (vec![Pass, Error], 1, false, 2),
            (vec![], 0, false, 2),
            (vec![], 0, true, 0),
            (vec![Error], 0, true, 2),
        ] {
            assert_eq!(Exit::of(verdicts.clone(), recognised, allow_empty).code(), code, "{verdicts:?}");
        }
    }

    #[test]
    fn only_what_is_proven_does_not_block() {
        let blocking: Vec<_> = Verdict::ALL.into_iter().filter(|verdict| verdict.blocks()).collect();
        assert_eq!(blocking, [Verdict::Indeterminate, Verdict::Error, Verdict::Fail]);
        assert_eq!(Exit::Indeterminate.and(Exit::Violation), Exit::Violation);
        assert_eq!(Exit::Violation.and(Exit::NotRead), Exit::NotRead);
        assert_eq!(Exit::Violation.and(Exit::Pass), Exit::Violation);
    }
}
