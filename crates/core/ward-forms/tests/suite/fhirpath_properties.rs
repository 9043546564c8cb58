//! Random expressions over real shapes of data: nothing panics, everything ends, and the laws hold.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use ward_forms::fhirpath::{Environment, Expression, Temporal};

fn data() -> Json {
    json!({"resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2026-03",
        "contained": [{"resourceType": "Patient", "id": "p", "birthDate": "1960-05", "name": [{"given": [null, "A"],
            "_given": [{"extension": [{"url": "x", "valueString": "y"}]}]}]}],
        "item": [
            {"linkId": "a", "answer": [{"valueInteger": 2_147_483_647}, {"valueDecimal": -0.5}]},
            {"linkId": "b", "item": [
                {"linkId": "c", "answer": [{"valueQuantity": {"value": 3, "unit": "kg", "code": "kg",
                    "system": "http://unitsofmeasure.org"}}]},
                {"linkId": "d", "answer": [{"valueCoding": {"code": "x", "system": "s"}}, {"valueString": "ä\u{1f525}"}]}]},
            {"linkId": "e", "answer": [{"valueDateTime": "2026-03-29T02:30:00+14:00"}, {"valueTime": "23:59:60"},
                {"valueBoolean": false}, {"_valueDate": {"extension": []}}]}]})
}

fn atom() -> impl Strategy<Value = String> {
    let fixed = [
        "{}",
        "true",
        "false",
        "0",
        "1",
        "2147483647",
        "0.5",
        "7922816251426433759354395033.5",
        "''",
        "'a'",
        "'ä1'",
        "'2026-03-01'",
        "@2026",
        "@2026-02-28",
        "@9999-12-31T23:59:59.999-12:00",
        "@T23:59",
        "4 days",
        "1 'kg'",
        "0 'g/m2'",
        "3 months",
        "$this",
        "$index",
        "$total",
        "%resource",
        "%context",
        "%ucum",
        "%none",
        "item",
        "item.answer.value",
        "item.item.where(linkId = 'd').answer.value",
        "descendants()",
        "children()",
        "contained.name.given",
        "now()",
        "today()",
        "timeOfDay()",
    ];
    prop::sample::select(fixed.to_vec()).prop_map(str::to_owned)
}

const OPERATORS: [&str; 22] = [
    "+", "-", "*", "/", "div", "mod", "&", "|", "=", "!=", "~", "!~", "<", "<=", ">", ">=", "in", "contains",
    "and", "or", "xor", "implies",
];

const PLAIN_CALLS: [&str; 60] = [
    "empty",
    "exists",
    "count",
    "distinct",
    "isDistinct",
    "not",
    "allTrue",
    "anyFalse",
    "single",
    "first",
    "last",
    "tail",
    "toBoolean",
    "toInteger",
    "toDecimal",
    "toString",
    "toDate",
    "toDateTime",
    "toTime",
    "toQuantity",
    "convertsToQuantity",
    "convertsToDate",
    "upper",
    "lower",
    "trim",
    "length",
    "toChars",
    "abs",
    "ceiling",
    "exp",
    "floor",
    "ln",
    "sqrt",
    "round",
    "truncate",
    "precision",
    "lowBoundary",
    "highBoundary",
    "sum",
    "min",
    "max",
    "avg",
    "children",
    "descendants",
    "type",
    "hasValue",
    "getValue",
    "resolve",
    "weight",
    "ordinal",
    "sort",
    "join",
    "yearOf",
    "monthOf",
    "dayOf",
    "dateOf",
    "timeOf",
    "millisecondOf",
    "timezoneOffsetOf",
    "hourOf",
];

const CALLS_OF_ONE: [&str; 34] = [
    "where",
    "select",
    "repeat",
    "exists",
    "all",
    "sort",
    "aggregate",
    "subsetOf",
    "supersetOf",
    "skip",
    "take",
    "intersect",
    "exclude",
    "union",
    "combine",
    "indexOf",
    "lastIndexOf",
    "substring",
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "matchesFull",
    "split",
    "join",
    "log",
    "power",
    "round",
    "lowBoundary",
    "highBoundary",
    "comparable",
    "toQuantity",
    "extension",
    "trace",
];

fn expression() -> impl Strategy<Value = String> {
    atom().prop_recursive(5, 40, 3, |inner| {
        let pick = |from: &[&'static str]| prop::sample::select(from.to_vec());
        prop_oneof![
            (inner.clone(), pick(&OPERATORS), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), pick(&OPERATORS), inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), pick(&PLAIN_CALLS)).prop_map(|(a, call)| format!("({a}).{call}()")),
            (inner.clone(), pick(&CALLS_OF_ONE), inner.clone())
                .prop_map(|(a, call, b)| format!("({a}).{call}({b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("iif({a}, {b}, {c})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}).replace({b}, {c})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a}).replaceMatches({b}, {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("-({a})")),
            (
                inner.clone(),
                pick(&["is", "as"]),
                pick(&["Quantity", "string", "System.Date", "FHIR.integer"])
            )
                .prop_map(|(a, op, of)| format!("({a} {op} {of})")),
        ]
    })
}

fn now() -> Option<Temporal> {
    Temporal::date_time("2026-03-01T09:30:00.000+01:00")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the expression, there is a result or an error, and the same one each time.
    #[test]
    fn random_expressions_end_without_panic(source in expression()) {
        let data = data();
        let expression = Expression::parse(&source);
        prop_assert!(expression.is_ok(), "{source}: {expression:?}");
        if let (Ok(expression), Some(now)) = (&expression, now()) {
            let environment = Environment::of(&data).at(now);
            let strict = expression.evaluate(&environment.clone().strict());
            let first = expression.evaluate(&environment);
            let second = expression.evaluate(&environment);
            prop_assert_eq!(format!("{:?}", &first), format!("{:?}", second));
            // Strict evaluation refuses more, but gives nothing else.
            if let (Ok(strict), Ok(first)) = (strict, &first) {
                prop_assert_eq!(format!("{strict:?}"), format!("{first:?}"));
            }
            if let Ok(values) = first {
                let _written: Vec<_> = values.iter().map(|value| (value.written(), value.quantity())).collect();
            }
        }
    }

    /// Any text at all is read or refused, and the place of a fault lies in the text.
    #[test]
    fn random_text_is_read_or_refused(source in r#"[ -~äß\n'`%$@(){}\[\].0-9a-z]{0,80}"#) {
        if let Err(error) = Expression::parse(&source) {
            prop_assert!(error.position() <= source.len());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    /// Cutting an expression anywhere gives an expression or an error.
    #[test]
    fn cut_expressions_are_read_or_refused(source in expression(), cut in 0.0..1.0_f64) {
        let end = (source.chars().count() as f64 * cut) as usize;
        let cut: String = source.chars().take(end).collect();
        if let Err(error) = Expression::parse(&cut) {
            prop_assert!(error.position() <= cut.len());
        }
    }

    /// Sums and orders of numbers are those of whole numbers.
    #[test]
    fn numbers_behave(a in -30_000..30_000_i32, b in -30_000..30_000_i32) {
        let number = |source: String| -> Option<i32> {
            let expression = Expression::parse(&source).ok()?;
            let result = expression.evaluate(&Environment::new()).ok()?;
            result.single()?.integer()
        };
        prop_assert_eq!(number(format!("{a} + {b}")), Some(a + b));
        prop_assert_eq!(number(format!("{a} - {b}")), Some(a - b));
        prop_assert_eq!(number(format!("{a} * {b}")), a.checked_mul(b));
        prop_assert_eq!(number(format!("iif({a} < {b}, 1, 0)")), Some(i32::from(a < b)));
        prop_assert_eq!(number(format!("({a}).combine({b}).max()")), Some(a.max(b)));
        prop_assert_eq!(number(format!("iif({a} 'g' = {a}000 'mg', 1, 0)")), Some(1));
    }

    /// Numbers are sorted as numbers, and equal ones stay as many.
    #[test]
    fn sorting_is_that_of_numbers(numbers in prop::collection::vec(-9..10_i32, 1..40)) {
        let all = numbers.iter().map(|number| format!("combine({number})")).collect::<Vec<_>>().join(".");
        let sorted = |keys: &str| -> Option<Vec<i32>> {
            let expression = Expression::parse(&format!("{{}}.{all}.sort({keys})")).ok()?;
            let result = expression.evaluate(&Environment::new()).ok()?;
            result.iter().map(ward_forms::fhirpath::Value::integer).collect()
        };
        let mut wanted = numbers.clone();
        wanted.sort_unstable();
        prop_assert_eq!(sorted(""), Some(wanted.clone()));
        prop_assert_eq!(sorted("$this mod 1, $this"), Some(wanted.clone()));
        wanted.reverse();
        prop_assert_eq!(sorted("-$this"), Some(wanted));
    }

    /// What a date gains it loses again, and its text is read as the same date.
    #[test]
    fn dates_behave(days in 0..300_000_i32, more in -100_000..100_000_i32) {
        let holds = |source: String| -> Option<bool> {
            let expression = Expression::parse(&source).ok()?;
            let result = expression.evaluate(&Environment::new()).ok()?;
            result.single()?.boolean()
        };
        prop_assert_eq!(holds(format!("@1600-03-01 + {days} days + ({more}) * 1 day - ({more}) * 1 day = @1600-03-01 + {days} days")), Some(true));
        prop_assert_eq!(holds(format!("(@1600-03-01 + {days} days).toString().toDate() = @1600-03-01 + {days} days")), Some(true));
        prop_assert_eq!(holds(format!("(@1600-03-01T00:00:00Z + {days} hours) >= @1600-03-01T00:00:00Z")), Some(true));
    }
}
