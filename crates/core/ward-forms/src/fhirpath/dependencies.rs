//! What the result of an expression may depend on, so that only that is evaluated again.
//!
//! A path that leads through `where(linkId = 'x')` depends on the items with that linkId and on what
//! lies below them; of a chain of such filters the last one counts, because the items before it are
//! only gone through. A path that uses anything of the response without such a filter depends on all of
//! it: in doubt an expression is evaluated too often, never too seldom. Left aside are the limits: an
//! answer elsewhere may cost the steps that an evaluation lacks.
//!
//! They are those of lenient evaluation: a member that a type doesn't have is nothing. In strict evaluation,
//! which is for checking a form, it is an error wherever there is such a type.
//!
//! It is taken for granted that each item has one linkId, a text, and that nothing else in a response
//! has a member of that name.

use super::ast::Expr;
use super::dependency_walk::DependencyWalk;
use std::collections::BTreeSet;

/// What an expression depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dependencies {
    pub(super) variables: BTreeSet<String>,
    pub(super) link_ids: BTreeSet<String>,
    pub(super) reads_response: bool,
    pub(super) reads_context: bool,
    pub(super) uses_time: bool,
    pub(super) compared_link_ids: BTreeSet<String>,
    pub(super) alike_link_ids: BTreeSet<String>,
    pub(super) defines_any_name: bool,
}

impl Dependencies {
    pub(super) fn of(tree: &Expr) -> Self {
        DependencyWalk::through(tree)
    }

    /// The variables that it needs from outside, without the `%`. What a variable holds depends on what
    /// its own expression depends on.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str)
    }

    /// The linkIds of the items that it uses. It depends on these items, on whether they are there, and
    /// on what lies below them.
    pub fn link_ids(&self) -> impl Iterator<Item = &str> {
        self.link_ids.iter().map(String::as_str)
    }

    /// Whether it reads the response in a way that the linkIds don't tell.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.reads_response || self.reads_context
    }

    /// Whether all that it reads in such a way lies in what it begins on (`%context`). Evaluated on an
    /// item, it then depends on that item and what lies below it, and on the linkIds.
    #[must_use]
    pub fn is_within_context(&self) -> bool {
        self.reads_context && !self.reads_response
    }

    /// Whether it asks for the time.
    #[must_use]
    pub fn uses_time(&self) -> bool {
        self.uses_time
    }

    /// Whether it defines variables whose names are not written in it.
    pub(crate) fn defines_any_name(&self) -> bool {
        self.defines_any_name
    }

    /// The linkIds that it compares with those of the response's items, used in the end or not. Items
    /// that a variable may have brought in are left aside: they may belong to another form.
    pub(crate) fn compared_link_ids(&self) -> impl Iterator<Item = &str> {
        self.compared_link_ids.iter().map(String::as_str)
    }

    /// The same of those that are only looked for by equivalence.
    pub(crate) fn alike_link_ids(&self) -> impl Iterator<Item = &str> {
        self.alike_link_ids.iter().map(String::as_str)
    }
}
