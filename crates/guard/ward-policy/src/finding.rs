//! What a check found.

use crate::graph::Resource;
use crate::rules::{Cell, Rule};
use crate::verdict::Verdict;

/// One rule's verdict about one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The part of the rule that decided.
    pub cell: &'a Cell,
    /// The resource.
    pub resource: &'a Resource,
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen, and where it comes from.
    pub observed: Vec<Observation>,
    /// By what it is waived, or why a waiver that names it does not count.
    pub waiver: Option<String>,
}

/// A value that decided a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The resource it stands in, if it is another than the one that is judged.
    pub address: Option<Box<str>>,
    /// Its path in the resource.
    pub path: Box<str>,
    /// The value as it may be shown.
    pub value: String,
    /// Where it comes from, or why it is what it is; empty if it is written just so.
    pub origin: String,
}

impl Observation {
    /// Says that a finding is not all there is to say.
    pub(crate) fn partial(why: &str) -> Self {
        Self { address: None, path: Box::default(), value: why.to_owned(), origin: String::new() }
    }

    /// Whether it says so.
    pub(crate) fn is_partial(&self) -> bool {
        [LEFT_OUT, NOT_EVALUATED].contains(&&*self.value)
    }

    /// In one line: `storage_encrypted = false (default of the provider)`.
    #[must_use]
    pub fn line(&self) -> String {
        self.line_parts().concat()
    }

    /// The parts of the line, in their order.
    pub(crate) fn line_parts(&self) -> [&str; 8] {
        let [address, colon] = self.address.as_deref().map(|address| [address, ": "]).unwrap_or_default();
        let between = match (&*self.path, &*self.value) {
            ("", _) => "",
            (_, NOT_SET) => " is ",
            _ => " = ",
        };
        let [open, origin, close] = if self.origin.is_empty() { [""; 3] } else { [" (", &self.origin, ")"] };
        [address, colon, &self.path, between, &self.value, open, origin, close]
    }
}

/// How a value that is not written is shown.
pub(crate) const NOT_SET: &str = "not set";

/// Said where more was seen than a finding keeps.
pub(crate) const LEFT_OUT: &str = "more was seen than is shown here";

/// Said where a part of a check was not evaluated, and another part decided.
pub(crate) const NOT_EVALUATED: &str = "another part could not be evaluated";
