//! Expressions as forms carry them: the text, a zero byte, and perhaps data of its own as JSON.

use crate::Target;
use crate::choices::parts;
use crate::fixtures::DATA;
use crate::limits::COMPARED_VALUES_MAX;
use serde_json::Value as Json;
use ward_forms::fhirpath::{
    Collection, Environment, EvaluationError, Expression, ExpressionProblem, Temporal,
};
use ward_forms::limits::{MAX_BUILT_STRING_BYTES, MAX_COLLECTION_VALUES, MAX_EXPRESSION_BYTES};

pub(crate) const TARGET: Target = Target {
    name: "expression",
    about: "an expression is read or refused at a place within it; blanks, comments and brackets around it change nothing; evaluation ends within its limits, the same each time",
    words: &[
        "%resource",
        "%context",
        "%questionnaire",
        "%ucum",
        "$this",
        "$index",
        "$total",
        "item",
        "linkId",
        "answer.value",
        "descendants()",
        "children()",
        ".where(",
        ".select(",
        ".repeat(",
        ".all(",
        ".exists()",
        ".aggregate(",
        ".iif(",
        ".replace(",
        ".replaceMatches(",
        ".matches(",
        ".substring(",
        ".indexOf(",
        ".split(",
        ".join(",
        ".toInteger()",
        ".toDecimal()",
        ".toDate()",
        ".toDateTime()",
        ".toTime()",
        ".toQuantity(",
        ".convertsToQuantity()",
        ".power(",
        ".log(",
        ".sqrt()",
        ".round(",
        ".truncate()",
        ".lowBoundary(",
        ".highBoundary(",
        ".precision()",
        ".sum()",
        ".avg()",
        ".min()",
        ".max()",
        ".sort(",
        ".distinct()",
        ".intersect(",
        ".exclude(",
        ".union(",
        ".combine(",
        ".skip(",
        ".take(",
        ".tail()",
        ".first()",
        ".last()",
        ".single()",
        ".ofType(",
        ".type()",
        ".weight()",
        ".ordinal()",
        ".extension(",
        ".defineVariable(",
        ".encode(",
        ".decode(",
        ".escape(",
        ".unescape(",
        ".trace(",
        ".resolve()",
        ".abs()",
        ".memberOf(",
        ".comparable(",
        " div ",
        " mod ",
        " and ",
        " or ",
        " xor ",
        " implies ",
        " in ",
        " contains ",
        " is ",
        " as ",
        "@2026-02-30",
        "@T24:00",
        "@2026-03-29T02:30:00.000+14:00",
        "now()",
        "today()",
        "4 'kg'",
        "3 months",
        "1 'g/m2'",
        "'\\u00e4'",
        "`a b`",
        "/*",
        "*/",
        "//",
        "{}",
        "<=",
        "!~",
        "2147483647",
        "79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "'hex'",
        "'base64'",
    ],
    run,
};

fn run(input: &[u8]) {
    let [source, data] = parts(input);
    let Ok(source) = std::str::from_utf8(source) else { return };
    let own = serde_json::from_slice::<Json>(data).ok().filter(Json::is_object);
    match Expression::parse(source) {
        Ok(expression) => read(source, &expression, own.as_ref().unwrap_or(&DATA)),
        Err(error) => {
            let place = error.position();
            assert!(source.is_char_boundary(place), "a fault lies within the text, at a character: {place}");
            assert!(!error.to_string().is_empty(), "a refusal says why");
            assert_eq!(Expression::parse(source).err(), Some(error), "a refusal is the same twice");
        }
    }
}

fn read(source: &str, expression: &Expression, data: &Json) {
    assert_eq!(expression.source(), source, "an expression keeps its text");
    let environment = Environment::of(data).with_questionnaire(data);
    let environment = match Temporal::date_time("2026-03-01T09:30:00.000+01:00") {
        Some(now) => environment.at(now),
        None => environment,
    };
    let first = expression.evaluate(&environment);
    if let Ok(values) = &first {
        within_limits(values);
    }
    same(&first, &expression.evaluate(&environment), "evaluation gives the same twice");
    // What strict evaluation accepts, any evaluation gives.
    let strict = expression.evaluate(&environment.clone().strict());
    if strict.is_ok() {
        same(&first, &strict, "strict evaluation refuses more, and gives nothing else");
    }
    for (before, after) in [(" \n/* a */ ", " // b\n"), ("(", "\n)"), ("((\t", "// c\n))")] {
        let wrapped = format!("{before}{source}{after}");
        match Expression::parse(&wrapped) {
            Ok(wrapped) => {
                let found: Vec<&str> = wrapped.dependencies().link_ids().collect();
                let expected: Vec<&str> = expression.dependencies().link_ids().collect();
                assert_eq!(found, expected, "brackets change no dependency");
                // Brackets take steps too, so that what just fits may not fit any more.
                let again = wrapped.evaluate(&environment);
                if !is_limit(&first) && !is_limit(&again) {
                    same(&first, &again, "blanks, comments and brackets around it change nothing");
                }
            }
            Err(error) => {
                let is_full = matches!(
                    error.problem(),
                    ExpressionProblem::TooDeep { .. } | ExpressionProblem::TooManyParts { .. }
                );
                assert!(
                    is_full || wrapped.len() > MAX_EXPRESSION_BYTES,
                    "a wrapped expression is read: {error}"
                );
            }
        }
    }
}

fn within_limits(values: &Collection<'_>) {
    assert!(values.len() <= MAX_COLLECTION_VALUES, "a collection of {} values", values.len());
    for value in values.iter() {
        let bytes = value.text().map_or(0, |text| text.len());
        let is_built = value.node().is_none();
        assert!(!is_built || bytes <= MAX_BUILT_STRING_BYTES, "a built text of {bytes} bytes");
    }
}

fn is_limit(result: &Result<Collection<'_>, EvaluationError>) -> bool {
    matches!(
        result,
        Err(EvaluationError::TooManySteps { .. }
            | EvaluationError::TooManyValues { .. }
            | EvaluationError::TooManyHeld { .. }
            | EvaluationError::StringTooLong { .. })
    )
}

/// The same number of values, of the same types, written alike.
fn same(
    one: &Result<Collection<'_>, EvaluationError>,
    other: &Result<Collection<'_>, EvaluationError>,
    why: &str,
) {
    match (one, other) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one.len(), other.len(), "{why}");
            for (one, other) in one.iter().zip(other.iter()).take(COMPARED_VALUES_MAX) {
                assert_eq!(one.type_name(), other.type_name(), "{why}");
                assert_eq!(one.written(), other.written(), "{why}");
            }
        }
        (Err(one), Err(other)) => assert_eq!(one, other, "{why}"),
        _ => assert_eq!(one.is_ok(), other.is_ok(), "{why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(one: &str, other: &str) {
        let (one, other) = (Expression::parse(one).unwrap(), Expression::parse(other).unwrap());
        let environment = Environment::of(&DATA);
        same(&one.evaluate(&environment), &other.evaluate(&environment), "told apart");
    }

    #[test]
    fn the_same_is_the_same() {
        compared("1 + 1", "2");
        compared("%none", "(%none)");
    }

    #[test]
    #[should_panic(expected = "told apart")]
    fn another_value_is_told_apart() {
        compared("1 + 1", "3");
    }

    #[test]
    #[should_panic(expected = "told apart")]
    fn another_type_is_told_apart() {
        compared("'1'", "1");
    }

    #[test]
    #[should_panic(expected = "told apart")]
    fn an_error_is_no_empty_result() {
        compared("%none", "{}");
    }
}
