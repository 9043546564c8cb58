//! What is known about a value that nobody knows before the deployment.

use super::{Attribute, FEW_NAMES, InstanceKey, ModulePath};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// References of one expression; several attributes may share them.
pub type References = Arc<[Reference]>;

/// A value that stands only after the deployment, or that Ward cannot compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// Why it is not known.
    pub reason: Reason,
    /// What the expression refers to.
    pub references: References,
    /// The expression as the source writes it, if the format tells.
    pub written: Option<Box<str>>,
    /// Every value the expression can take, if that is known: the branches of a condition, the
    /// allowed values of a parameter. Empty if it can take any.
    pub branches: Box<[Attribute]>,
}

impl Unknown {
    /// Not known for this reason, with these references.
    #[must_use]
    pub fn new(reason: Reason, references: References) -> Self {
        Self { reason, references, written: None, branches: Box::default() }
    }

    /// A value that is one of these; which one is not known.
    #[must_use]
    pub fn one_of(reason: Reason, branches: Vec<Attribute>) -> Self {
        Self { reason, references: References::default(), written: None, branches: branches.into() }
    }

    /// The expression in words: as written, or what it refers to.
    #[must_use]
    pub fn expression(&self) -> String {
        if let Some(written) = &self.written {
            return written.to_string();
        }
        let mut names: Vec<&str> = Vec::new();
        // The same names sorted, once they are more than a few.
        let mut sorted: BTreeSet<&str> = BTreeSet::new();
        for reference in self.references.iter() {
            // Terraform lists `a.b.c` and then `a.b`: the longest says it all.
            let written = &*reference.written;
            if names.len() <= FEW_NAMES {
                if names.iter().any(|name| is_within(name, written)) {
                    continue;
                }
            } else {
                if sorted.is_empty() {
                    sorted.extend(&names);
                }
                if is_within_one(&sorted, written) {
                    continue;
                }
                sorted.insert(written);
            }
            names.push(written);
        }
        names.join(", ")
    }
}

fn is_within(long: &str, short: &str) -> bool {
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Whether it is within one of these: what goes on behind it follows it in their order.
fn is_within_one(sorted: &BTreeSet<&str>, short: &str) -> bool {
    let follows = |start: &str| sorted.range(start..).next().is_some_and(|long| is_within(long, short));
    follows(short) || ['.', '['].iter().any(|mark| follows(&format!("{short}{mark}")))
}

/// Why a value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The provider says it once the resource is made.
    AfterApply,
    /// A variable or parameter whose value was not given.
    Input,
    /// A data source that is read during the deployment.
    DataSource,
    /// Something that another deployment holds: remote state, an exported value.
    Elsewhere,
    /// The expression uses something that Ward does not evaluate.
    Expression,
    /// The expression names something that the source does not declare.
    Undeclared,
    /// A macro or a module that was not at hand.
    Missing,
    /// Written, and by its nature in no plan and no state.
    WriteOnly,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AfterApply => "known after apply",
            Self::Input => "the value of an input was not given",
            Self::DataSource => "read from a data source during the deployment",
            Self::Elsewhere => "held by another deployment",
            Self::Expression => "an expression that Ward does not evaluate",
            Self::Undeclared => "refers to something that is not declared",
            Self::Missing => "a macro or module that was not at hand",
            Self::WriteOnly => "write-only: no plan holds it",
        })
    }
}

/// One thing that an expression refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// As the source writes it.
    pub written: Box<str>,
    /// What it leads to.
    pub to: Referent,
}

/// What a reference leads to, once variables and outputs were followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Referent {
    /// A resource or a data source.
    Block(BlockReference),
    /// The key or the value of the instance itself: it leads nowhere else.
    OwnKey,
    /// An input whose value was not given.
    Input,
    /// A value that is computed between: a local, a function, a condition.
    Computed,
    /// Something that another deployment holds.
    Elsewhere,
    /// Something that the source does not declare.
    Undeclared,
}

/// A reference to a resource or a data source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockReference {
    /// The module that holds it. A step without key stands for each instance of its call.
    pub module: ModulePath,
    /// Whether it is a data source.
    pub is_data: bool,
    /// Type of the resource.
    pub kind: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Which instance.
    pub key: ReferredKey,
    /// Attribute behind the resource, dots between names; empty for the whole resource.
    pub attribute: Box<str>,
}

/// Which instances of a block a reference means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferredKey {
    /// The writer gave no key: the only instance, or all.
    NotGiven,
    /// This instance.
    Given(InstanceKey),
    /// A key that is computed: it may be any.
    Computed,
}
