//! What a check found: a place, a stable code, how bad it is, and a sentence.

use crate::item_path::ItemPath;
use serde::Serialize;
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; nothing has to change.
    Information,
    /// Should be looked at, but doesn't stop anything.
    Warning,
    /// The response can't be completed, or the form can't be published.
    Error,
}

/// The stable code of a finding. The written form ([`FindingCode::as_str`]) never
/// changes once released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingCode {
    /// A question that is owed has no answer.
    Required,
    /// The answer is of another type than the question, or not readable as it.
    WrongType,
    /// The answer is not one of the listed options.
    NotAnOption,
    /// The words of the answer are not those of its code.
    OtherWords,
    /// The list of options is kept elsewhere, so membership can't be checked.
    OptionsElsewhere,
    /// An answer that must stand alone was given with others.
    ExclusiveOption,
    /// The text has more characters than allowed.
    TooLong,
    /// The text has fewer characters than asked for.
    TooShort,
    /// The value is below the minimum.
    BelowMinimum,
    /// The value is above the maximum.
    AboveMaximum,
    /// The value can't be compared with the minimum or maximum (other unit).
    UnitMismatch,
    /// The unit is not one of those offered.
    NotAUnit,
    /// More decimal places than allowed.
    TooManyDecimals,
    /// The file is larger than allowed.
    FileTooLarge,
    /// The size a file claims is not the size it has.
    FileSize,
    /// The text does not have the asked-for form.
    Pattern,
    /// The form's pattern can't be read by this engine, so it was not applied.
    PatternNotChecked,
    /// More than one answer or instance where one is allowed.
    NotRepeatable,
    /// Fewer answers or instances than asked for.
    TooFew,
    /// More answers or instances than allowed.
    TooMany,
    /// The response names a linkId that the form doesn't have.
    UnknownLinkId,
    /// The linkId exists, but at another place of the form.
    WrongPlace,
    /// The same question appears twice at one place.
    DuplicateItem,
    /// A group or a text for reading carries an answer.
    AnswerNotAllowed,
    /// An answer element without a value.
    EmptyAnswer,
    /// An answer to a question that the skip logic has switched off.
    DisabledAnswer,
    /// A status that Ward doesn't accept here.
    StatusNotAccepted,
    /// The response answers another form, or another version of it.
    WrongInstrument,
    /// The response doesn't say which form it answers.
    NoInstrument,
    /// The form that the response answers is not at hand.
    InstrumentNotHeld,
    /// The time of writing is not a FHIR dateTime.
    BadAuthored,
    /// The time of writing is outside the form's period of use.
    OutsidePeriod,
    /// The answers break a rule of the form.
    ConstraintBroken,
    /// A rule of the form could not be evaluated.
    ConstraintNotChecked,
    /// A check of the response was not made, because an expression that it needs gave nothing to use.
    NotChecked,
    /// The response is larger than any device reads.
    ResponseTooLarge,
    /// An expression gave nothing to use: it can't be read, a name in it is not known, or it fails with
    /// these answers.
    ExpressionFailed,
    /// An answer is not what the form calculates.
    CalculatedDiffers,
    /// A condition refers to an item that doesn't exist.
    LinkToNowhere,
    /// A condition that no answer can fulfil, or whose target can't be answered.
    ConditionNeverHolds,
    /// Several conditions, and not said whether all or any must hold.
    NoEnableBehavior,
    /// An item that people see has no text.
    NoText,
    /// A choice without options.
    NoOptions,
    /// An item type that Ward keeps and shows as unsupported.
    UnsupportedItem,
    /// An expression that can't be read.
    ExpressionDoesNotParse,
    /// An expression in a language that is not evaluated.
    ExpressionNotEvaluated,
    /// An expression uses a name that nothing defines.
    UndefinedVariable,
    /// An expression asks for a member that the type never has.
    UnknownMember,
    /// A score that goes on without answers that are missing.
    ScoreIgnoresMissing,
    /// A score in which equal answers count once.
    ScoreMergesEquals,
    /// Conditions and an expression both say when an item is asked.
    TwoEnablements,
    /// Items that wait for one another.
    Loop,
    /// Two items share a linkId.
    DuplicateLinkId,
    /// The document is no form.
    NotAForm,
    /// The form has no address or no version that a response could name.
    NoIdentity,
    /// An item that nobody can ever be asked.
    Unreachable,
    /// An answer that is owed, by a question that nobody can ever be asked.
    RequiredNeverEnabled,
    /// A text without a translation that other texts have.
    MissingTranslation,
    /// A text that holds HTML.
    Markup,
    /// A value that is none, such as a date that does not exist.
    BadValue,
    /// A least that is more than the most.
    EmptyRange,
    /// An answer that is owed, by a question that nobody is shown or may change.
    OwedButNotAsked,
    /// Two items claim the same symptom and attribute.
    DuplicateAttribute,
    /// A symptom marking that can't be read.
    BadAttributeCode,
    /// Attributes of a symptom for which there is no composite grade.
    NoGradeDefined,
}

impl FindingCode {
    /// The code as written in files, logs and screens.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::WrongType => "wrong-type",
            Self::NotAnOption => "not-an-option",
            Self::OtherWords => "other-words",
            Self::OptionsElsewhere => "options-elsewhere",
            Self::ExclusiveOption => "exclusive-option",
            Self::TooLong => "too-long",
            Self::TooShort => "too-short",
            Self::BelowMinimum => "below-minimum",
            Self::AboveMaximum => "above-maximum",
            Self::UnitMismatch => "unit-mismatch",
            Self::NotAUnit => "not-a-unit",
            Self::TooManyDecimals => "too-many-decimals",
            Self::FileTooLarge => "file-too-large",
            Self::FileSize => "file-size",
            Self::Pattern => "pattern",
            Self::PatternNotChecked => "pattern-not-checked",
            Self::NotRepeatable => "not-repeatable",
            Self::TooFew => "too-few",
            Self::TooMany => "too-many",
            Self::UnknownLinkId => "unknown-link-id",
            Self::WrongPlace => "wrong-place",
            Self::DuplicateItem => "duplicate-item",
            Self::AnswerNotAllowed => "answer-not-allowed",
            Self::EmptyAnswer => "empty-answer",
            Self::DisabledAnswer => "disabled-answer",
            Self::StatusNotAccepted => "status-not-accepted",
            Self::WrongInstrument => "wrong-instrument",
            Self::NoInstrument => "no-instrument",
            Self::InstrumentNotHeld => "instrument-not-held",
            Self::BadAuthored => "bad-authored",
            Self::OutsidePeriod => "outside-period",
            Self::ConstraintBroken => "constraint-broken",
            Self::ConstraintNotChecked => "constraint-not-checked",
            Self::NotChecked => "not-checked",
            Self::ResponseTooLarge => "response-too-large",
            Self::ExpressionFailed => "expression-failed",
            Self::CalculatedDiffers => "calculated-differs",
            Self::LinkToNowhere => "link-to-nowhere",
            Self::ConditionNeverHolds => "condition-never-holds",
            Self::NoEnableBehavior => "no-enable-behavior",
            Self::NoText => "no-text",
            Self::NoOptions => "no-options",
            Self::UnsupportedItem => "unsupported-item",
            Self::ExpressionDoesNotParse => "expression-does-not-parse",
            Self::ExpressionNotEvaluated => "expression-not-evaluated",
            Self::UndefinedVariable => "undefined-variable",
            Self::ScoreIgnoresMissing => "score-ignores-missing",
            Self::UnknownMember => "unknown-member",
            Self::ScoreMergesEquals => "score-merges-equals",
            Self::TwoEnablements => "two-enablements",
            Self::Loop => "loop",
            Self::DuplicateLinkId => "duplicate-link-id",
            Self::NotAForm => "not-a-form",
            Self::NoIdentity => "no-identity",
            Self::Unreachable => "unreachable",
            Self::RequiredNeverEnabled => "required-never-enabled",
            Self::MissingTranslation => "missing-translation",
            Self::Markup => "markup",
            Self::BadValue => "bad-value",
            Self::EmptyRange => "empty-range",
            Self::OwedButNotAsked => "owed-but-not-asked",
            Self::DuplicateAttribute => "duplicate-attribute",
            Self::BadAttributeCode => "bad-attribute-code",
            Self::NoGradeDefined => "no-grade-defined",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// The item, by linkIds; the root path when it concerns the whole document.
    pub path: ItemPath,
    /// The element in the response as a FHIRPath location, when it has one, such
    /// as `QuestionnaireResponse.item[0].answer[1]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The stable code.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
    /// A plain sentence for the person who can act. It never repeats the answer.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(
        path: ItemPath,
        code: FindingCode,
        severity: Severity,
        message: impl Into<String>,
    ) -> Self {
        Self { path, location: None, code, severity, message: message.into() }
    }

    pub(crate) fn error(path: ItemPath, code: FindingCode, message: impl Into<String>) -> Self {
        Self::new(path, code, Severity::Error, message)
    }

    pub(crate) fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// Whether the finding stops a response from being completed, or a form from
    /// being published.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
