//! Why an expression of a form gave nothing to use.

use crate::fhirpath::EvaluationError;
use crate::limits::MAX_STEPS_OF_A_CHANGE;

/// Why an expression has no result for these answers. Nothing is lost by it: an item that it would
/// switch off stays shown, and a calculated answer is left out. The item owes nothing where something was
/// not at hand; where an expression fails with these answers, it owes what it would owe.
///
/// The author of the form acts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionFailure {
    /// Another language than FHIRPath.
    #[error("it is written in a language that is not evaluated")]
    OtherLanguage,
    /// The text can't be read.
    #[error("it can't be read")]
    DoesNotParse,
    /// It waits for itself.
    #[error("it waits for its own result")]
    Loop,
    /// It needs more variables, and variables of variables, than accepted.
    #[error("it needs more than {limit} variables")]
    TooManyVariables {
        /// Variables accepted.
        limit: usize,
    },
    /// All expressions together needed more steps after one change than accepted.
    #[error("the form's expressions need more than {limit} steps together")]
    TooMuchWork {
        /// Steps accepted.
        limit: usize,
    },
    /// It could be read, but not evaluated.
    #[error("{}", plain(.0))]
    Evaluation(EvaluationError),
    /// The result is no answer of the question's type; a number is never rounded to make it fit.
    #[error("its result is not {expected}")]
    OtherType {
        /// What the question takes, in words.
        expected: &'static str,
    },
    /// More answers than the question takes.
    #[error("it gives {found} answers where at most {limit} are taken")]
    TooManyAnswers {
        /// Answers found.
        found: usize,
        /// Answers that are taken.
        limit: usize,
    },
    /// A longer text than is calculated, so that the response can be read again.
    #[error("its result has more than {limit_bytes} bytes")]
    TooLong {
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// The question does not take this answer: it is not among its options or out of its range.
    #[error("its result is an answer that the question does not take")]
    DoesNotFit,
}

impl ExpressionFailure {
    pub(crate) fn too_much_work() -> Self {
        Self::TooMuchWork { limit: MAX_STEPS_OF_A_CHANGE }
    }

    /// Whether somebody with more at hand might get a result: the time, or what the app did not supply. An
    /// expression that fails with everything at hand is broken; it excuses nobody from an answer.
    pub(crate) fn leaves_in_doubt(&self) -> bool {
        match self {
            Self::Evaluation(error) => {
                matches!(error, EvaluationError::UnknownVariable { .. } | EvaluationError::NoTime { .. })
            }
            _ => true,
        }
    }

    /// Whether it is about the evaluation of the whole form, not about the expression alone.
    pub(crate) fn is_unrest(&self) -> bool {
        matches!(self, Self::Loop | Self::TooMuchWork { .. })
    }
}

/// The error without anything that may have been an answer.
fn plain(error: &EvaluationError) -> String {
    match error {
        EvaluationError::UnknownArgument { place, .. } => format!("{place} does not know its argument"),
        other => other.to_string(),
    }
}

impl From<EvaluationError> for ExpressionFailure {
    fn from(error: EvaluationError) -> Self {
        Self::Evaluation(error)
    }
}
