//! The functions that expressions may call, and how many arguments each takes.

use crate::limits::MAX_SORT_KEYS;

/// A function of FHIRPath, FHIR or SDC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    // Existence.
    Empty,
    Exists,
    All,
    AllTrue,
    AnyTrue,
    AllFalse,
    AnyFalse,
    SubsetOf,
    SupersetOf,
    Count,
    Distinct,
    IsDistinct,
    Not,
    // Filtering and projection.
    Where,
    Select,
    Repeat,
    OfType,
    Sort,
    // Parts of a collection.
    Single,
    First,
    Last,
    Tail,
    Skip,
    Take,
    Intersect,
    Exclude,
    Union,
    Combine,
    // Conversion.
    Iif,
    ToBoolean,
    ConvertsToBoolean,
    ToInteger,
    ConvertsToInteger,
    ToDecimal,
    ConvertsToDecimal,
    ToStringValue,
    ConvertsToString,
    ToDate,
    ConvertsToDate,
    ToDateTime,
    ConvertsToDateTime,
    ToTime,
    ConvertsToTime,
    ToQuantity,
    ConvertsToQuantity,
    // Strings.
    IndexOf,
    LastIndexOf,
    Substring,
    StartsWith,
    EndsWith,
    Contains,
    Upper,
    Lower,
    Replace,
    Matches,
    MatchesFull,
    ReplaceMatches,
    Length,
    ToChars,
    Encode,
    Decode,
    Escape,
    Unescape,
    Trim,
    Split,
    Join,
    // Numbers.
    Abs,
    Ceiling,
    Exp,
    Floor,
    Ln,
    Log,
    Power,
    Round,
    Sqrt,
    Truncate,
    Precision,
    LowBoundary,
    HighBoundary,
    Comparable,
    // Aggregates.
    Aggregate,
    Sum,
    Min,
    Max,
    Avg,
    // The tree.
    Children,
    Descendants,
    // Types.
    Is,
    As,
    Type,
    ConformsTo,
    // Environment.
    Trace,
    DefineVariable,
    Now,
    Today,
    TimeOfDay,
    // Dates.
    YearOf,
    MonthOf,
    DayOf,
    HourOf,
    MinuteOf,
    SecondOf,
    MillisecondOf,
    TimezoneOffsetOf,
    DateOf,
    TimeOf,
    // FHIR and SDC.
    Extension,
    HasValue,
    GetValue,
    Resolve,
    Weight,
    Ordinal,
}

/// Functions that are evaluated in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Existence,
    Filtering,
    Parts,
    Conversion,
    Patterns,
    Encoding,
    Strings,
    Numbers,
    Boundaries,
    Aggregates,
    Dates,
    Fhir,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arity {
    pub(super) least: usize,
    pub(super) most: usize,
}

const fn takes(least: usize, most: usize) -> Arity {
    Arity { least, most }
}

const NONE: Arity = takes(0, 0);
const ONE: Arity = takes(1, 1);
const MAYBE: Arity = takes(0, 1);
const TWO: Arity = takes(2, 2);

const FUNCTIONS: &[(&str, Function, Family, Arity)] = &[
    ("where", Function::Where, Family::Filtering, ONE),
    ("exists", Function::Exists, Family::Existence, MAYBE),
    ("empty", Function::Empty, Family::Existence, NONE),
    ("all", Function::All, Family::Existence, ONE),
    ("allTrue", Function::AllTrue, Family::Existence, NONE),
    ("anyTrue", Function::AnyTrue, Family::Existence, NONE),
    ("allFalse", Function::AllFalse, Family::Existence, NONE),
    ("anyFalse", Function::AnyFalse, Family::Existence, NONE),
    ("subsetOf", Function::SubsetOf, Family::Existence, ONE),
    ("supersetOf", Function::SupersetOf, Family::Existence, ONE),
    ("count", Function::Count, Family::Existence, NONE),
    ("distinct", Function::Distinct, Family::Existence, NONE),
    ("isDistinct", Function::IsDistinct, Family::Existence, NONE),
    ("not", Function::Not, Family::Existence, NONE),
    ("select", Function::Select, Family::Filtering, ONE),
    ("repeat", Function::Repeat, Family::Filtering, ONE),
    ("ofType", Function::OfType, Family::Filtering, ONE),
    ("sort", Function::Sort, Family::Filtering, takes(0, MAX_SORT_KEYS)),
    ("single", Function::Single, Family::Parts, NONE),
    ("first", Function::First, Family::Parts, NONE),
    ("last", Function::Last, Family::Parts, NONE),
    ("tail", Function::Tail, Family::Parts, NONE),
    ("skip", Function::Skip, Family::Parts, ONE),
    ("take", Function::Take, Family::Parts, ONE),
    ("intersect", Function::Intersect, Family::Parts, ONE),
    ("exclude", Function::Exclude, Family::Parts, ONE),
    ("union", Function::Union, Family::Parts, ONE),
    ("combine", Function::Combine, Family::Parts, ONE),
    ("iif", Function::Iif, Family::Filtering, takes(2, 3)),
    ("toBoolean", Function::ToBoolean, Family::Conversion, NONE),
    ("convertsToBoolean", Function::ConvertsToBoolean, Family::Conversion, NONE),
    ("toInteger", Function::ToInteger, Family::Conversion, NONE),
    ("convertsToInteger", Function::ConvertsToInteger, Family::Conversion, NONE),
    ("toDecimal", Function::ToDecimal, Family::Conversion, NONE),
    ("convertsToDecimal", Function::ConvertsToDecimal, Family::Conversion, NONE),
    ("toString", Function::ToStringValue, Family::Conversion, NONE),
    ("convertsToString", Function::ConvertsToString, Family::Conversion, NONE),
    ("toDate", Function::ToDate, Family::Conversion, NONE),
    ("convertsToDate", Function::ConvertsToDate, Family::Conversion, NONE),
    ("toDateTime", Function::ToDateTime, Family::Conversion, NONE),
    ("convertsToDateTime", Function::ConvertsToDateTime, Family::Conversion, NONE),
    ("toTime", Function::ToTime, Family::Conversion, NONE),
    ("convertsToTime", Function::ConvertsToTime, Family::Conversion, NONE),
    ("toQuantity", Function::ToQuantity, Family::Conversion, MAYBE),
    ("convertsToQuantity", Function::ConvertsToQuantity, Family::Conversion, MAYBE),
    ("indexOf", Function::IndexOf, Family::Strings, ONE),
    ("lastIndexOf", Function::LastIndexOf, Family::Strings, ONE),
    ("substring", Function::Substring, Family::Strings, takes(1, 2)),
    ("startsWith", Function::StartsWith, Family::Strings, ONE),
    ("endsWith", Function::EndsWith, Family::Strings, ONE),
    ("contains", Function::Contains, Family::Strings, ONE),
    ("upper", Function::Upper, Family::Strings, NONE),
    ("lower", Function::Lower, Family::Strings, NONE),
    ("replace", Function::Replace, Family::Strings, TWO),
    ("matches", Function::Matches, Family::Patterns, ONE),
    ("matchesFull", Function::MatchesFull, Family::Patterns, ONE),
    ("replaceMatches", Function::ReplaceMatches, Family::Patterns, TWO),
    ("length", Function::Length, Family::Strings, NONE),
    ("toChars", Function::ToChars, Family::Strings, NONE),
    ("encode", Function::Encode, Family::Encoding, ONE),
    ("decode", Function::Decode, Family::Encoding, ONE),
    ("escape", Function::Escape, Family::Encoding, ONE),
    ("unescape", Function::Unescape, Family::Encoding, ONE),
    ("trim", Function::Trim, Family::Strings, NONE),
    ("split", Function::Split, Family::Strings, ONE),
    ("join", Function::Join, Family::Strings, MAYBE),
    ("abs", Function::Abs, Family::Numbers, NONE),
    ("ceiling", Function::Ceiling, Family::Numbers, NONE),
    ("exp", Function::Exp, Family::Numbers, NONE),
    ("floor", Function::Floor, Family::Numbers, NONE),
    ("ln", Function::Ln, Family::Numbers, NONE),
    ("log", Function::Log, Family::Numbers, ONE),
    ("power", Function::Power, Family::Numbers, ONE),
    ("round", Function::Round, Family::Numbers, MAYBE),
    ("sqrt", Function::Sqrt, Family::Numbers, NONE),
    ("truncate", Function::Truncate, Family::Numbers, NONE),
    ("precision", Function::Precision, Family::Boundaries, NONE),
    ("lowBoundary", Function::LowBoundary, Family::Boundaries, MAYBE),
    ("highBoundary", Function::HighBoundary, Family::Boundaries, MAYBE),
    ("comparable", Function::Comparable, Family::Boundaries, ONE),
    ("aggregate", Function::Aggregate, Family::Aggregates, takes(1, 2)),
    ("sum", Function::Sum, Family::Aggregates, NONE),
    ("min", Function::Min, Family::Aggregates, NONE),
    ("max", Function::Max, Family::Aggregates, NONE),
    ("avg", Function::Avg, Family::Aggregates, NONE),
    ("children", Function::Children, Family::Parts, NONE),
    ("descendants", Function::Descendants, Family::Parts, NONE),
    ("is", Function::Is, Family::Fhir, ONE),
    ("as", Function::As, Family::Fhir, ONE),
    ("type", Function::Type, Family::Fhir, NONE),
    ("conformsTo", Function::ConformsTo, Family::Fhir, ONE),
    ("trace", Function::Trace, Family::Fhir, takes(1, 2)),
    ("defineVariable", Function::DefineVariable, Family::Fhir, takes(1, 2)),
    ("now", Function::Now, Family::Dates, NONE),
    ("today", Function::Today, Family::Dates, NONE),
    ("timeOfDay", Function::TimeOfDay, Family::Dates, NONE),
    ("yearOf", Function::YearOf, Family::Dates, NONE),
    ("monthOf", Function::MonthOf, Family::Dates, NONE),
    ("dayOf", Function::DayOf, Family::Dates, NONE),
    ("hourOf", Function::HourOf, Family::Dates, NONE),
    ("minuteOf", Function::MinuteOf, Family::Dates, NONE),
    ("secondOf", Function::SecondOf, Family::Dates, NONE),
    ("millisecondOf", Function::MillisecondOf, Family::Dates, NONE),
    ("timezoneOffsetOf", Function::TimezoneOffsetOf, Family::Dates, NONE),
    ("dateOf", Function::DateOf, Family::Dates, NONE),
    ("timeOf", Function::TimeOf, Family::Dates, NONE),
    ("extension", Function::Extension, Family::Fhir, ONE),
    ("hasValue", Function::HasValue, Family::Fhir, NONE),
    ("getValue", Function::GetValue, Family::Fhir, NONE),
    ("resolve", Function::Resolve, Family::Fhir, NONE),
    ("weight", Function::Weight, Family::Fhir, NONE),
    ("ordinal", Function::Ordinal, Family::Fhir, NONE),
];

/// What the table says of a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) family: Family,
    pub(super) arity: Arity,
}

impl Function {
    /// The function of that name.
    pub(super) fn named(name: &str) -> Option<Known> {
        let (name, function, family, arity) = *FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
        Some(Known { name, function, family, arity })
    }

    /// Whether its argument is the name of a type.
    pub(super) fn takes_type(self) -> bool {
        matches!(self, Self::Is | Self::As | Self::OfType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_one_name() {
        for (at, (name, function, ..)) in FUNCTIONS.iter().enumerate() {
            let others = FUNCTIONS.iter().skip(at + 1);
            assert!(!others.clone().any(|(other, ..)| other == name), "{name}");
            assert!(!others.clone().any(|(_, other, ..)| other == function), "{name}");
        }
    }
}
