//! Rules: what they ask of which resources, read from YAML and kept as native conditions.
//!
//! A [`Rule`] is one obligation. It has a [`Cell`] for each way in which infrastructure can meet it:
//! the types of resources it judges, and a [`Condition`] over the states of their values.

mod addresses;
mod change;
mod condition;
mod condition_reader;
mod decided;
mod defaults;
mod error;
mod fields;
mod fixture;
mod known_names;
mod ports;
mod reader;
mod rule_set;
mod secret;

pub use addresses::Addresses;
pub use change::Change;
pub use condition::{CidrTest, Companion, Condition, Over, PolicyQuestion, Present, Target, Test};
pub use decided::{DataClass, Decided, SettingName};
pub(crate) use defaults::defaults_of;
pub use defaults::{Default, DefaultValue, Defaults, read_defaults};
pub use error::RuleError;
pub use fields::{Fields, read_document};
pub use fixture::{Fixture, FixtureCase, read_fixtures};
pub use ports::{PortList, Ports, WrittenPorts};
pub(crate) use reader::rules_of;
pub use reader::{RuleFile, read_rules};
pub use rule_set::RuleSet;
pub use secret::{Secret, SecretQuestion};

use std::fmt;

/// Id of a rule: letters, a dash, three digits or more. `W-001` is one of Ward's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Box<str>);

impl RuleId {
    /// Reads an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (letters, digits) = text.split_once('-')?;
        let is_id = (1..=16).contains(&letters.len())
            && letters.bytes().all(|byte| byte.is_ascii_uppercase())
            && (3..=6).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| Self(text.into()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much harm a violation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A weakness among others.
    Low,
    /// A safeguard is missing.
    Medium,
    /// Data can be read, changed or lost once one more thing goes wrong.
    High,
    /// Data of patients lies open, or unencrypted.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its word in data and reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One obligation.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// The area it belongs to: the name of its file.
    pub area: Box<str>,
    /// What it asks for, as a statement.
    pub title: Box<str>,
    /// How much harm a violation does.
    pub severity: Severity,
    /// Names of the requirements it stands for.
    pub requirements: Vec<Box<str>>,
    /// What follows when it is not met, beyond what its requirements say.
    pub consequence: Option<Box<str>>,
    /// What must be known to read a finding rightly.
    pub note: Option<Box<str>>,
    /// How infrastructure can meet it.
    pub cells: Vec<Cell>,
    /// Where it has no cell, and why.
    pub not_covered: Vec<NotCovered>,
    /// File and line where it is written.
    pub place: Box<str>,
    /// First digits of the SHA-256 of the rule as read: it changes when what the rule asks changes.
    pub hash: Box<str>,
    /// The whole SHA-256 of the rule as read.
    pub digest: [u8; 32],
}

/// A place where a rule judges nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCovered {
    /// The place.
    pub place: Box<str>,
    /// Why.
    pub because: Box<str>,
}

/// One rule for certain types of resources.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Types that it judges; `aws_*` is every type that begins so.
    pub types: Vec<Box<str>>,
    /// Which part of the rule it is, if the rule has several that are found apart.
    pub aspect: Option<Box<str>>,
    /// Names of the requirements that this part stands for; those of the rule if there is none.
    pub requirements: Vec<Box<str>>,
    /// Whether it judges what the deployment removes, too.
    pub judges_removed: bool,
    /// What is expected, in words.
    pub expected: Box<str>,
    /// Which of these resources it concerns; all if there is none.
    pub applies: Option<Condition>,
    /// What must hold.
    pub check: Condition,
    /// How to meet it, as lines for the source.
    pub fix: Option<Box<str>>,
}
