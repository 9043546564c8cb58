//! Conditions over what a deployment changes.

use super::condition_reader::path;
use super::{Fields, RuleError};
use crate::graph::{Action, AttributePath};

/// A condition over a change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The deployment does one of these with the resource.
    Action(Vec<Action>),
    /// A value protects no less than it did: what was on is on, what was set is set, a number is not
    /// smaller.
    Kept {
        /// The value.
        path: AttributePath,
        /// Whether zero stands for "for ever", and so for the largest number.
        zero_is_for_ever: bool,
    },
}

/// Whether a mapping is such a condition.
pub(super) fn is_change(fields: &Fields<'_>) -> bool {
    fields.has("action") || fields.has("kept")
}

/// Reads one.
pub(super) fn read_change(fields: &mut Fields<'_>) -> Result<Change, RuleError> {
    if fields.has("action") {
        let words = fields.texts("action")?;
        let actions =
            words.iter().map(|word| Action::ALL.into_iter().find(|action| action.word() == &**word));
        let actions: Option<Vec<Action>> = actions.collect();
        let all: Vec<_> = Action::ALL.iter().map(|action| action.word()).collect();
        return match actions {
            Some(actions) => Ok(Change::Action(actions)),
            None => Err(fields.fault(&format!("action has to be some of: {}", all.join(", ")))),
        };
    }
    let path = path(fields, "kept")?;
    let zero = fields.optional_text("zero")?;
    match zero.as_deref() {
        None => Ok(Change::Kept { path, zero_is_for_ever: false }),
        Some("for-ever") => Ok(Change::Kept { path, zero_is_for_ever: true }),
        Some(_) => Err(fields.fault("zero may only be for-ever")),
    }
}
