//! Why rules or law were not read.

use crate::input_error::InputError;

/// Why a file of rules or law was not read. Its author has to mend it; no rule of it is in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The file is not YAML.
    #[error("{file}: {error}")]
    NotRead {
        /// The file.
        file: Box<str>,
        /// Why.
        error: InputError,
    },
    /// The file says something that has no meaning.
    #[error("{file}:{line}: {what}")]
    Wrong {
        /// The file.
        file: Box<str>,
        /// Line, from 1.
        line: u32,
        /// What is wrong.
        what: Box<str>,
    },
    /// Law that does not fit together.
    #[error("{name}: {what}")]
    Law {
        /// The citation or requirement.
        name: Box<str>,
        /// What is wrong.
        what: Box<str>,
    },
    /// Rules that do not fit together.
    #[error("{rule}: {what}")]
    Rule {
        /// The rule.
        rule: Box<str>,
        /// What is wrong.
        what: Box<str>,
    },
}

impl RuleError {
    pub(crate) fn law(name: &str, what: &str) -> Self {
        Self::Law { name: name.into(), what: what.into() }
    }

    pub(crate) fn rule(rule: &str, what: &str) -> Self {
        Self::Rule { rule: rule.into(), what: what.into() }
    }
}
