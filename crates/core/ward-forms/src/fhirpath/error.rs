//! What can be wrong with an expression, and with its evaluation.

/// Why an expression can't be read. The author of the form repairs it at the named place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at byte {position}: {problem}")]
pub struct ExpressionError {
    position: usize,
    problem: ExpressionProblem,
}

impl ExpressionError {
    pub(super) fn new(position: usize, problem: ExpressionProblem) -> Self {
        Self { position, problem }
    }

    /// The byte of the expression where the problem was noticed, counted from 0.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// What is wrong there.
    #[must_use]
    pub fn problem(&self) -> &ExpressionProblem {
        &self.problem
    }
}

/// What is wrong with the text of an expression. Its author has to act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionProblem {
    /// Longer than accepted; the author splits it into variables.
    #[error("the expression has more than {limit_bytes} bytes")]
    TooLong {
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// More parts than accepted; the author splits it into variables.
    #[error("the expression has more than {limit} parts")]
    TooManyParts {
        /// Parts accepted.
        limit: usize,
    },
    /// Nested deeper than accepted; the author splits it into variables.
    #[error("the expression is nested deeper than {limit} levels")]
    TooDeep {
        /// Levels accepted.
        limit: usize,
    },
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
    },
    /// A string, a name in backticks or a comment is not closed.
    #[error("{what} is not closed")]
    NotClosed {
        /// What is open.
        what: &'static str,
    },
    /// A backslash with something FHIRPath doesn't know.
    #[error("this escape in a string is not known")]
    BadEscape,
    /// A number that FHIRPath can't hold: an integer beyond 32 bits, or more digits than a decimal has.
    #[error("the number {text} is out of range")]
    NumberOutOfRange {
        /// The number as written.
        text: String,
    },
    /// Not a date, time or date with time that exists.
    #[error("{text} is not a date or a time")]
    BadTemporal {
        /// The literal as written.
        text: String,
    },
    /// A function that doesn't exist.
    #[error("there is no function {name}")]
    UnknownFunction {
        /// The name as written.
        name: String,
    },
    /// A function with too few or too many arguments.
    #[error("the function {name} takes {expected} arguments, not {found}")]
    WrongArguments {
        /// The function.
        name: &'static str,
        /// How many it takes.
        expected: String,
        /// How many were given.
        found: usize,
    },
    /// A type that FHIR R4 and FHIRPath don't have.
    #[error("there is no type {name}")]
    UnknownType {
        /// The name as written.
        name: String,
    },
}

/// Why an expression that was read has no result for these data.
///
/// The author of the form acts, unless a variant says otherwise. An error is never an empty result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A variable that the caller didn't give and the expression didn't define.
    #[error("there is no variable %{name}")]
    UnknownVariable {
        /// The variable's name.
        name: String,
    },
    /// `defineVariable` with a name that is taken.
    #[error("the variable %{name} exists already")]
    VariableTaken {
        /// The variable's name.
        name: String,
    },
    /// `now`, `today` or `timeOfDay` where the caller gave no time; the caller gives it.
    #[error("{function}() needs the time, which was not given")]
    NoTime {
        /// The function.
        function: &'static str,
    },
    /// Several values where one is needed.
    #[error("{place} needs one value, not {found}")]
    NotSingle {
        /// The function or operator.
        place: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A value of a type that the function or operator can't use.
    #[error("{place} needs {expected}, not {found}")]
    WrongType {
        /// The function or operator.
        place: &'static str,
        /// What it takes.
        expected: &'static str,
        /// The type it was given.
        found: String,
    },
    /// Two values that the operator can't bring together.
    #[error("{left} {operator} {right} is not defined")]
    NotDefined {
        /// The operator.
        operator: &'static str,
        /// The type on the left.
        left: String,
        /// The type on the right.
        right: String,
    },
    /// An argument that the function doesn't know, such as an encoding.
    #[error("{place} does not know {argument}")]
    UnknownArgument {
        /// The function.
        place: &'static str,
        /// The argument.
        argument: String,
    },
    /// A pattern that can't be used.
    #[error("the pattern of {place} is not readable or too large")]
    BadPattern {
        /// The function.
        place: &'static str,
    },
    /// Strict evaluation only: the type has no such member.
    #[error("{type_name} has no member {member}")]
    UnknownMember {
        /// The type.
        type_name: String,
        /// The member asked for.
        member: String,
    },
    /// Strict evaluation only: the place in a collection whose order is not defined.
    #[error("{place} depends on an order that {source_function}() doesn't have")]
    NoOrder {
        /// The function that needs an order.
        place: &'static str,
        /// The function that gives none.
        source_function: &'static str,
    },
    /// More work than one evaluation may take.
    #[error("the evaluation takes more than {limit} steps")]
    TooManySteps {
        /// Steps accepted.
        limit: usize,
    },
    /// More values in one collection than accepted.
    #[error("a collection has more than {limit} values")]
    TooManyValues {
        /// Values accepted.
        limit: usize,
    },
    /// More values in all collections that are in use at once than accepted.
    #[error("the collections in use have more than {limit} values")]
    TooManyHeld {
        /// Values accepted.
        limit: usize,
    },
    /// A string that would be longer than accepted.
    #[error("a string would have more than {limit_bytes} bytes")]
    StringTooLong {
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// Strings that would together have more bytes than accepted.
    #[error("the strings that the evaluation builds have more than {limit_bytes} bytes")]
    TooMuchText {
        /// Bytes accepted.
        limit_bytes: usize,
    },
    /// Defined variables that hold more values than accepted.
    #[error("the variables of the expression hold more than {limit} values")]
    TooManyDefined {
        /// Values accepted.
        limit: usize,
    },
    /// Data nested deeper than a document may be.
    #[error("the data are nested deeper than {limit} levels")]
    DataTooDeep {
        /// Levels accepted.
        limit: usize,
    },
}
