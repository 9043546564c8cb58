//! Why an answer is not taken.

use crate::finding::Finding;
use crate::item_path::ItemPath;

/// Why an answer is not taken. The person or the app in front of the form acts.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// No item stands at this path; the app asks for the questions again.
    #[error("there is no question at {path}")]
    NoSuchQuestion {
        /// The path asked for.
        path: ItemPath,
    },
    /// The item takes no answers from people; the app shows it without input.
    #[error("{path} can't be answered here")]
    NotAnswerable {
        /// The path asked for.
        path: ItemPath,
    },
    /// Other answers have switched the question off; the app goes on.
    #[error("{path} is not asked, because of other answers")]
    SwitchedOff {
        /// The path asked for.
        path: ItemPath,
    },
    /// The question is owed and can't be skipped; the person answers it.
    #[error("{path} needs an answer")]
    AnswerOwed {
        /// The path asked for.
        path: ItemPath,
    },
    /// The answer doesn't fit the question; the person corrects it.
    #[error("the answer to {path} does not fit the question")]
    Refused {
        /// The path asked for.
        path: ItemPath,
        /// What doesn't fit.
        findings: Vec<Finding>,
    },
    /// There is no such instance that could be taken away; the app asks for the questions again.
    #[error("{path} can't be taken away")]
    NoSuchInstance {
        /// The path asked for.
        path: ItemPath,
    },
    /// The group doesn't repeat, or has as many instances as it may have; the
    /// person removes one first.
    #[error("{path} can't be repeated again")]
    NoMoreInstances {
        /// The path asked for.
        path: ItemPath,
    },
    /// With this answer the answers are longer than can be kept or sent in one piece; the person makes it, or
    /// another one, shorter.
    #[error("the answer to “{question}” is too long to be kept together with the others")]
    NoRoom {
        /// The path asked for.
        path: ItemPath,
        /// The words of the question.
        question: String,
    },
}
