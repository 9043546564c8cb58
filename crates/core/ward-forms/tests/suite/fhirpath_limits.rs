//! Hostile expressions and hostile data: every limit at its value and one past, and no way around one.
#![expect(clippy::panic, reason = "helper functions of tests")]

use serde_json::{Value as Json, json};
use ward_forms::fhirpath::{Environment, EvaluationError, Expression, ExpressionProblem};
use ward_forms::limits::{
    MAX_BUILT_STRING_BYTES, MAX_COLLECTION_VALUES, MAX_EVALUATION_STEPS, MAX_EXPRESSION_BYTES,
    MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_NODES, MAX_JSON_DEPTH, MAX_PATTERN_BYTES, MAX_UNIT_BYTES,
};

fn problem(source: &str) -> Option<ExpressionProblem> {
    Expression::parse(source).err().map(|error| error.problem().clone())
}

fn result(source: &str, data: &Json) -> Result<usize, EvaluationError> {
    let expression = Expression::parse(source).unwrap_or_else(|error| panic!("{error}"));
    expression.evaluate(&Environment::of(data)).map(|result| result.len())
}

#[test]
fn length_at_the_limit_and_one_past() {
    let of = |bytes: usize| format!("1{}", " ".repeat(bytes - 1));
    assert_eq!(problem(&of(MAX_EXPRESSION_BYTES)), None);
    let limit_bytes = MAX_EXPRESSION_BYTES;
    assert_eq!(problem(&of(MAX_EXPRESSION_BYTES + 1)), Some(ExpressionProblem::TooLong { limit_bytes }));
}

#[test]
fn parts_at_the_limit_and_one_past() {
    // Each name behind a point is a part, and so is the path itself.
    let of = |parts: usize| format!("a{}", ".a".repeat(parts - 2));
    assert_eq!(problem(&of(MAX_EXPRESSION_NODES)), None);
    let limit = MAX_EXPRESSION_NODES;
    assert_eq!(problem(&of(MAX_EXPRESSION_NODES + 1)), Some(ExpressionProblem::TooManyParts { limit }));
}

/// The deepest nesting that is read, of expressions that nest by the given pieces.
fn deepest(open: &str, core: &str, close: &str) -> usize {
    let of = |depth: usize| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
    let depth = (1..200).take_while(|depth| problem(&of(*depth)).is_none()).count();
    let limit = MAX_EXPRESSION_DEPTH;
    assert_eq!(problem(&of(depth + 1)), Some(ExpressionProblem::TooDeep { limit }), "{open}");
    // What is read is evaluated, in the stack that a browser gives.
    let source = of(depth);
    let evaluated = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        let expression = Expression::parse(&source).unwrap_or_else(|error| panic!("{error}"));
        expression.evaluate(&Environment::new()).map(|result| result.len())
    });
    let evaluated = evaluated.unwrap_or_else(|error| panic!("{error}")).join();
    // Repetitions within repetitions end by the budget.
    let ends = matches!(evaluated, Ok(Ok(_) | Err(EvaluationError::TooManySteps { .. })));
    assert!(ends, "{open}: {evaluated:?}");
    depth
}

#[test]
fn depth_bombs_of_every_kind_end_at_the_limit() {
    let bombs = [
        ("(", "1", ")"),
        ("-", "1", ""),
        ("+", "1", ""),
        ("1[", "0", "]"),
        ("iif(true, ", "1", ")"),
        ("1.where(1 = ", "1", ")"),
        ("1.select(", "1", ")"),
        ("1.repeat(", "1", ")"),
        ("1 + (", "1", ")"),
        ("2 > 1 = (", "true", ")"),
        ("true implies (true and (false or ", "true", "))"),
    ];
    for (open, core, close) in bombs {
        let depth = deepest(open, core, close);
        assert!((8..=MAX_EXPRESSION_DEPTH).contains(&depth), "{open}: {depth}");
    }
}

#[test]
fn bombs_of_a_whole_expression_are_refused() {
    let repeated = |piece: &str| piece.repeat(MAX_EXPRESSION_BYTES / piece.len());
    for piece in [
        "(", "-", "+", "a[", "iif(", "where(", "- -", "{", "not(", "1-", "1*(", "a.", "a.where(", "'", "`",
        "@", "%", "$", "/*", "\\", "is ",
    ] {
        assert!(Expression::parse(&repeated(piece)).is_err(), "{piece}");
    }
    assert!(Expression::parse(&format!("1{}", "9".repeat(MAX_EXPRESSION_BYTES - 1))).is_err());
    assert!(Expression::parse(&format!("0.{}", "9".repeat(MAX_EXPRESSION_BYTES - 2))).is_err());
    assert!(Expression::parse(&format!("1 'g{}'", "9".repeat(100))).is_ok());
}

#[test]
fn long_runs_of_one_operator_are_not_deep() {
    let sum = vec!["1"; 2_000].join(" + ");
    let expression = Expression::parse(&sum).unwrap();
    let total = expression.evaluate(&Environment::new()).unwrap();
    assert_eq!(total.single().and_then(|value| value.integer()), Some(2_000));
    let calls = format!("1{}", ".first()".repeat(2_000));
    assert_eq!(result(&calls, &Json::Null), Ok(1));
}

fn wide(count: usize) -> Json {
    let items: Vec<_> = (0..count).map(|n| json!({"linkId": n.to_string()})).collect();
    json!({"resourceType": "QuestionnaireResponse", "item": items})
}

#[test]
fn an_evaluation_ends_with_its_budget() {
    let limit = MAX_EVALUATION_STEPS;
    let too_many = Err(EvaluationError::TooManySteps { limit });
    let data = wide(2_000);
    assert_eq!(result("item.where(%resource.item.where(linkId = 'x').empty()).count()", &data), too_many);
    assert_eq!(result("item.select(%resource.descendants().count()).count()", &data), too_many);
    assert_eq!(result("item.all(%resource.item.exists(linkId = 'x').not())", &data), too_many);
    assert_eq!(result("item.take(200).aggregate($total + %resource.item.count(), 0)", &data), Ok(1));
}

#[test]
fn a_collection_has_a_limit() {
    let limit = MAX_COLLECTION_VALUES;
    let too_many = Err(EvaluationError::TooManyValues { limit });
    let data = wide(1_000);
    assert_eq!(result("item.select(%resource.item)", &data), too_many);
    assert_eq!(result("item.take(200).select(%resource.item).count()", &data), Ok(1));
    assert_eq!(result("item.take(200).select(%resource.item).combine(1)", &data), too_many);
    let doubling = format!("item{}", ".select($this.combine($this))".repeat(20));
    assert_eq!(result(&doubling, &data), too_many);
}

#[test]
fn repeat_ends() {
    let data = wide(10);
    assert_eq!(result("repeat($this)", &data), Ok(1));
    assert_eq!(result("repeat(%resource)", &data), Ok(1));
    assert_eq!(result("1.repeat('again')", &data), Ok(1));
    assert_eq!(result("item.repeat(%resource.item)", &data), Ok(10));
    let limit = MAX_EVALUATION_STEPS;
    let endless = result("0.repeat($this + 1)", &data);
    let values = MAX_COLLECTION_VALUES;
    assert!(
        endless == Err(EvaluationError::TooManySteps { limit })
            || endless == Err(EvaluationError::TooManyValues { limit: values }),
        "{endless:?}"
    );
}

#[test]
fn strings_have_a_limit() {
    let limit_bytes = MAX_BUILT_STRING_BYTES;
    let too_long = Err(EvaluationError::StringTooLong { limit_bytes });
    let long = "a".repeat(MAX_BUILT_STRING_BYTES);
    let data = json!({"resourceType": "Basic", "x": long, "y": "b"});
    assert_eq!(result("x.upper().length()", &data), Ok(1));
    assert_eq!(result("x + ''", &data), Ok(1));
    assert_eq!(result("x + y", &data), too_long);
    assert_eq!(result("x & y", &data), too_long);
    assert_eq!(result("x.replace('', x)", &data), too_long);
    assert_eq!(result("x.replace('a', 'bb')", &data), too_long);
    assert_eq!(result("(x | y).join('')", &data), too_long);
    assert_eq!(result("x.encode('hex')", &data), too_long);
    assert_eq!(
        result("x.toChars()", &data),
        Err(EvaluationError::TooManyValues { limit: MAX_COLLECTION_VALUES })
    );
    assert_eq!(
        result("x.split('')", &data),
        Err(EvaluationError::TooManyValues { limit: MAX_COLLECTION_VALUES })
    );
    assert_eq!(
        result("x.toDecimal() | x.toInteger() | x.toDate() | x.toQuantity() | x.toTime()", &data),
        Ok(0)
    );
    assert_eq!(result("x.replaceMatches('a', 'bb')", &data), too_long);
    assert_eq!(result("x ~ x", &data), Ok(1));
    let doubling = format!("'0123456789abcdef'{}", ".select($this + $this)".repeat(17));
    assert_eq!(result(&doubling, &data), too_long);
}

#[test]
fn patterns_have_a_limit_and_take_linear_time() {
    let bad = Err(EvaluationError::BadPattern { place: "matches" });
    let data = json!({"resourceType": "Basic", "x": "a".repeat(20_000), "p": "a".repeat(MAX_PATTERN_BYTES),
        "q": "a".repeat(MAX_PATTERN_BYTES + 1)});
    assert_eq!(result("'b'.matches(p)", &data), Ok(1));
    assert_eq!(result("'b'.matches(q)", &data), bad);
    assert_eq!(result("'b'.matches('(')", &data), bad);
    assert_eq!(result("'b'.matches('((a{1,1000}){1,1000}){1,1000}')", &data), bad);
    assert_eq!(result(&format!("'b'.matches('{}a{}')", "(".repeat(200), ")".repeat(200)), &data), bad);
    assert_eq!(result("x.matches('(a*)*b')", &data), Ok(1));
    assert_eq!(result("x.matches('(a|aa)+$')", &data), Ok(1));
    assert_eq!(result("x.matches(p)", &data), Ok(1));
    assert_eq!(
        result("(1|2|3|4|5).select(%resource.x.matches(%resource.p & 'b'))", &data),
        Err(EvaluationError::BadPattern { place: "matches" })
    );
}

#[test]
fn deep_data_are_refused_or_walked_without_recursion() {
    let mut deep = json!({"linkId": "x"});
    for _ in 0..(MAX_JSON_DEPTH + 10) {
        deep = json!({"item": [deep]});
    }
    let data = json!({"resourceType": "QuestionnaireResponse", "item": [deep.clone(), deep]});
    assert_eq!(result("descendants().where(linkId = 'x')", &data), Ok(2));
    assert_eq!(result("repeat(item).count()", &data), Ok(1));
    assert_eq!(result("item[0] = item[1]", &data), Ok(1));
    assert_eq!(
        result("item[0] ~ item[1]", &data),
        Err(EvaluationError::DataTooDeep { limit: MAX_JSON_DEPTH })
    );
}

#[test]
fn hostile_units_are_not_understood_rather_than_read() {
    let nested = format!("{}m{}", "(".repeat(20), ")".repeat(20));
    let units = [
        nested,
        "m".repeat(MAX_UNIT_BYTES + 1),
        "m999".into(),
        "km127.km127".into(),
        "10*30".into(),
        "0".into(),
        "m/".into(),
        "/".into(),
        "{".into(),
        "[".into(),
        "é".into(),
        "(m".into(),
    ];
    for unit in units {
        assert_eq!(result(&format!("1 '{unit}' = 1 '{unit}'"), &Json::Null), Ok(1), "{unit}");
        assert_eq!(result(&format!("1 '{unit}' = 1 'm'"), &Json::Null), Ok(0), "{unit}");
    }
}

#[test]
fn huge_numbers_overflow_to_nothing() {
    let data = json!({"resourceType": "Basic", "x": 1e300, "y": 1e28, "z": 9_007_199_254_740_993_i64});
    assert!(matches!(result("x + 1", &data), Err(EvaluationError::NotDefined { .. })));
    assert_eq!(result("y * y", &data), Ok(0));
    assert_eq!(result("z + 1", &data), Ok(1));
    assert_eq!(result("@2026-01-01 + 7922816251426433759354395033.5 years", &Json::Null), Ok(0));
    assert_eq!(result("@2026-01-01 + 7922816251426433759354395033.5 seconds", &Json::Null), Ok(0));
    assert_eq!(result("@2026-01-01 - 2147483647 weeks", &Json::Null), Ok(0));
    assert_eq!(result("1.0000000000000000000000000001.highBoundary(28)", &Json::Null), Ok(0));
    assert_eq!(result("1.lowBoundary(2147483647)", &Json::Null), Ok(0));
    assert_eq!(result("@2026.lowBoundary(2147483647)", &Json::Null), Ok(0));
    assert_eq!(result("7922816251426433759354395033.5.power(2147483647)", &Json::Null), Ok(0));
    assert_eq!(result("1.5.power(7922816251426433759354395033.5)", &Json::Null), Ok(0));
    assert_eq!(result("(-2147483647 - 1).abs()", &Json::Null), Ok(0));
    assert_eq!(result("-(-2147483647 - 1)", &Json::Null), Ok(0));
    assert_eq!(result("(-2147483647 - 1) div -1", &Json::Null), Ok(0));
}
