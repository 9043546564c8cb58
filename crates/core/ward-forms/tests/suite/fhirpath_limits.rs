//! Hostile expressions and hostile data: every limit at its value and one past, and no way around one.

use serde_json::{Value as Json, json};
use ward_forms::fhirpath::{Environment, EvaluationError, Expression, ExpressionProblem};
use ward_forms::limits::{
    MAX_BUILT_STRING_BYTES, MAX_BUILT_UNIT_BYTES, MAX_COLLECTION_VALUES, MAX_DEFINED_VALUES,
    MAX_EVALUATION_STEPS, MAX_EVALUATION_TEXT_BYTES, MAX_EXPRESSION_BYTES, MAX_EXPRESSION_DEPTH,
    MAX_EXPRESSION_NODES, MAX_HELD_VALUES, MAX_JSON_DEPTH, MAX_PATTERN_BYTES, MAX_TEMPORAL_BYTES,
    MAX_UNIT_BYTES,
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

/// How deep an expression that nests by the given pieces is read, and what evaluating the deepest gives.
fn deepest(open: &str, core: &str, close: &str) -> (usize, Result<usize, EvaluationError>) {
    deepest_on(open, core, close, &Json::Null)
}

fn deepest_on(open: &str, core: &str, close: &str, data: &Json) -> (usize, Result<usize, EvaluationError>) {
    let of = |depth: usize| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
    let depth = (1..200).take_while(|depth| problem(&of(*depth)).is_none()).count();
    let limit = MAX_EXPRESSION_DEPTH;
    assert_eq!(problem(&of(depth + 1)), Some(ExpressionProblem::TooDeep { limit }), "{open}");
    // What is read is evaluated, in the stack that a browser gives.
    let (source, data) = (of(depth), data.clone());
    let evaluated = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        let expression = Expression::parse(&source).unwrap_or_else(|error| panic!("{error}"));
        expression.evaluate(&Environment::of(&data)).map(|result| result.len())
    });
    let evaluated = evaluated.unwrap_or_else(|error| panic!("{error}")).join();
    (depth, evaluated.unwrap_or_else(|_| panic!("{open} exhausts the stack")))
}

#[test]
fn depth_bombs_of_every_kind_end_at_the_limit() {
    let limit = MAX_EVALUATION_STEPS;
    // Repetitions within repetitions double the work with each level.
    let too_many = || Err(EvaluationError::TooManySteps { limit });
    let bombs = [
        ("(", "1", ")", 63, Ok(1)),
        ("-", "1", "", 63, Ok(1)),
        ("+", "1", "", 63, Ok(1)),
        ("1[", "0", "]", 63, Ok(0)),
        ("iif(true, ", "1", ")", 63, Ok(1)),
        ("1.where(1 = ", "1", ")", 31, Ok(1)),
        ("1.select(", "1", ")", 63, Ok(1)),
        ("1.repeat(", "1", ")", 63, too_many()),
        ("1 + (", "1", ")", 31, Ok(1)),
        ("2 > 1 = (", "true", ")", 31, Ok(1)),
        ("true implies (true and (false or ", "true", "))", 15, Ok(1)),
    ];
    for (open, core, close, depth, gives) in bombs {
        assert_eq!(deepest(open, core, close), (depth, gives), "{open}");
    }
}

/// The deepest expressions end in a comparison of the deepest data.
#[test]
fn the_deepest_of_everything_fits_the_stack() {
    let mut deep = json!({"linkId": "x"});
    for _ in 0..MAX_JSON_DEPTH / 2 - 1 {
        deep = json!({"item": [deep]});
    }
    let data = json!({"resourceType": "QuestionnaireResponse", "item": [deep.clone(), deep]});
    let core = "(%resource.item[0] ~ %resource.item[1])";
    for (open, close, values) in [
        ("1.sort(", ")", 1),
        ("1.aggregate(", ")", 1),
        ("1.exists(", ")", 1),
        ("1.all(", ")", 1),
        ("1.where(", ")", 1),
        ("1.select(", ")", 1),
        ("1.union(", ")", 2),
        ("1.defineVariable('x', ", ")", 1),
        ("1.iif(", ", true)", 1),
    ] {
        let (depth, gives) = deepest_on(open, core, close, &data);
        assert!(depth > MAX_EXPRESSION_DEPTH - 6, "{open} {depth}");
        assert_eq!(gives, Ok(values), "{open}");
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
    let short = json!({"resourceType": "Basic", "x": "a".repeat(1_100), "w": "$1".repeat(1_000)});
    assert_eq!(result("x.replaceMatches('(a+)', w)", &short), too_long);
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

/// Work that once cost one step whatever its size.
#[test]
fn work_counts_by_its_size() {
    let limit = MAX_EVALUATION_STEPS;
    let too_many = Err(EvaluationError::TooManySteps { limit });
    let items = wide(5_000);
    let again = |piece: &str, count: usize| piece.repeat(count);
    assert_eq!(result(&format!("item{}", again(".tail()", 1_000)), &items), too_many);
    assert_eq!(result(&format!("item{}", again(".skip(1)", 1_000)), &items), too_many);
    assert_eq!(result(&format!("item{}", again(".take(4999)", 10)), &items), Ok(4_999));
    let first = again(" + %resource.item.first().count()", 1_000);
    assert_eq!(result(&format!("0{first}"), &items), too_many);
    let at = again(" + %resource.item[0].count()", 1_000);
    assert_eq!(result(&format!("0{at}"), &items), too_many);
    // Each round copies what the rounds before have gathered.
    assert_eq!(result("item.aggregate($total.combine($this), {}).count()", &items), too_many);
    let this = again("$this.count() + ", 1_000);
    assert_eq!(result(&format!("item.defineVariable('x', {this}0).count()"), &items), too_many);
    let sorted = json!({"resourceType": "Basic", "x": (0..4_000).collect::<Vec<_>>()});
    assert_eq!(result("x ~ x", &sorted), Ok(1));
    assert_eq!(result("x ~ x.sort(-$this)", &sorted), too_many);
    assert_eq!(result("item.sort(linkId).sort(-linkId).sort(linkId).count()", &wide(80_000)), too_many);
    // A list of texts is looked up, not searched.
    let texts = (0..4_000).map(|n| format!("'{n}'")).collect::<Vec<_>>().join("|");
    assert_eq!(result(&format!("item.select($this.where(linkId in ({texts}))).count()"), &items), Ok(1));
}

#[test]
fn texts_that_are_read_again_and_again_count_each_time() {
    let limit = MAX_EVALUATION_STEPS;
    let too_many = Err(EvaluationError::TooManySteps { limit });
    let long =
        json!({"resourceType": "Basic", "x": "a".repeat(100_000), "n": (0..1_000).collect::<Vec<_>>()});
    assert_eq!(result("n.select((%resource.x | %resource.x) = 'y')", &long), too_many);
    assert_eq!(result("n.where('y'.startsWith(%resource.x))", &long), too_many);
    assert_eq!(
        result("n.where(%resource.x = %resource.x & '')", &long),
        Err(EvaluationError::TooMuchText { limit_bytes: MAX_EVALUATION_TEXT_BYTES })
    );
}

/// Data in which one value is large are not read again and again for nothing.
#[test]
fn large_values_count_by_their_size() {
    let limit = MAX_EVALUATION_STEPS;
    let too_many = Err(EvaluationError::TooManySteps { limit });
    let members: serde_json::Map<_, _> = (0..2_000).map(|n| (format!("valueX{n}"), json!(n))).collect();
    let contained: Vec<_> =
        (0..2_000).map(|n| json!({"resourceType": "Basic", "id": n.to_string()})).collect();
    let long_date = format!("2026-01-01T00:00:00.{}Z", "0".repeat(100_000));
    let extensions: Vec<_> = (0..2_000).map(|n| json!({"url": "u", "valueInteger": n})).collect();
    let data = json!({"resourceType": "Basic", "n": (0..2_000).collect::<Vec<_>>(), "digits": "1".repeat(100_000),
        "contained": contained, "members": members, "date": long_date, "coded": {"code": "c", "extension": extensions}});
    assert_eq!(result("n.where('#x'.resolve().exists())", &data), too_many);
    assert_eq!(result("n.where(%resource.members.value.exists())", &data), too_many);
    assert_eq!(result("n.where(%resource.coded.weight().exists())", &data), too_many);
    assert_eq!(result("n.where(%resource.digits.toDecimal().exists())", &data), too_many);
    assert_eq!(result(&format!("n{}", ".ofType(integer)".repeat(2_000)), &data), too_many);
    let name = "k".repeat(30_000);
    let keys = json!({"resourceType": "Basic", "n": (0..3_000).collect::<Vec<_>>(), "a": {name.as_str(): 1},
        "b": {name.as_str(): 2}});
    assert_eq!(result(&format!("n.where(%resource.a.{name} = 2)"), &keys), too_many);
    assert_eq!(result("n.where(%resource.a = %resource.b)", &keys), too_many);
    assert_eq!(result("n.where(%resource.a.children() = 2)", &keys), too_many);
    assert_eq!(
        result("n.where(%resource.date < @2026)", &data),
        Err(EvaluationError::NotDefined {
            operator: "<",
            left: "string".to_owned(),
            right: "Date".to_owned()
        })
    );
    let fraction =
        |digits: usize| format!("@2026-01-01T00:00:00.{} = @2026-01-01T00:00:00", "0".repeat(digits));
    assert_eq!(result(&fraction(MAX_TEMPORAL_BYTES - 20), &Json::Null), Ok(1));
    assert!(matches!(
        problem(&fraction(MAX_TEMPORAL_BYTES - 19)),
        Some(ExpressionProblem::BadTemporal { .. })
    ));
}

#[test]
fn all_texts_together_have_a_limit() {
    let limit_bytes = MAX_EVALUATION_TEXT_BYTES;
    let too_much = Err(EvaluationError::TooMuchText { limit_bytes });
    let half = "a".repeat(MAX_BUILT_STRING_BYTES / 2);
    let data = json!({"resourceType": "Basic", "x": half, "n": (0..32).collect::<Vec<_>>(), "c": "a".repeat(190_000)});
    assert_eq!(result("n.select(%resource.x.upper())", &data), Ok(32));
    assert_eq!(result("n.select(%resource.x.upper()).count() + ('a' & 'b').length()", &data), too_much);
    assert_eq!(
        result("(1 | 2).select(%resource.c.toChars())", &data),
        Err(EvaluationError::TooManyValues { limit: MAX_COLLECTION_VALUES })
    );
    assert_eq!(result("(1 | 2).select(%resource.c.toChars().count())", &data), Ok(2));
    assert_eq!(result("(1 | 2 | 3).select(%resource.c.toChars().count())", &data), too_much);
    assert_eq!(result("(1 | 2 | 3).select(%resource.c.split('').count())", &data), too_much);
}

/// What is made for a name of an expression is a text that was built.
#[test]
fn addresses_that_names_stand_for_count_as_text() {
    let limit_bytes = MAX_EVALUATION_TEXT_BYTES;
    let name = "n".repeat(60_000);
    let data = wide(300);
    let named = |kind: &str| format!("item.select(%`{kind}-{name}`)");
    assert_eq!(result(&named("vs"), &data), Err(EvaluationError::TooMuchText { limit_bytes }));
    assert_eq!(result(&named("ext"), &data), Err(EvaluationError::TooMuchText { limit_bytes }));
    assert_eq!(result("item.select(%`vs-gender`)", &data), Ok(300));
}

#[test]
fn what_is_looked_through_counts_though_nothing_is_found() {
    let limit = MAX_EVALUATION_STEPS;
    let too_many = Err(EvaluationError::TooManySteps { limit });
    let empty: serde_json::Map<_, _> = (0..5_000).map(|n| (format!("a{n}"), json!([]))).collect();
    let scalars: serde_json::Map<_, _> = (0..100_000).map(|n| (format!("a{n}"), json!(n))).collect();
    let long_id = |end: &str| format!("{}{end}", "i".repeat(100_000));
    let data = json!({"resourceType": "Basic", "n": (0..2_000).collect::<Vec<_>>(), "empty": empty,
        "scalars": scalars, "contained": [{"resourceType": "Basic", "id": long_id("x")}],
        "reference": {"reference": format!("#{}", long_id("y"))}, "known": {"reference": format!("#{}", long_id("x"))}});
    assert_eq!(result("n.where(%resource.empty.children().exists())", &data), too_many);
    assert_eq!(result("n.where(%resource.empty.descendants().exists())", &data), too_many);
    assert_eq!(result("n.where(%resource.reference.resolve().exists())", &data), too_many);
    assert_eq!(result("known.resolve()", &data), Ok(1));
    // The values are counted while they are gathered.
    let values = Err(EvaluationError::TooManyValues { limit: MAX_COLLECTION_VALUES });
    assert_eq!(result("n.take(50).select(%resource.scalars).children()", &data), values);
}

#[test]
fn units_of_the_data_have_a_limit() {
    let quantity =
        |unit: String| json!({"value": 2, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit});
    let of =
        |bytes: usize| json!({"resourceType": "Observation", "valueQuantity": quantity("m".repeat(bytes))});
    assert_eq!(result("value = value and value + value > value", &of(MAX_BUILT_UNIT_BYTES)), Ok(1));
    // A longer one is no unit, so that the Quantity is only an object.
    let longer = of(MAX_BUILT_UNIT_BYTES + 1);
    assert_eq!(result("value = value", &longer), Ok(1));
    assert!(matches!(result("value + value", &longer), Err(EvaluationError::NotDefined { .. })));
    let long = "u".repeat(20_000);
    assert_eq!(result(&format!("1 '{long}' * 1 '{long}'"), &Json::Null), Ok(0));
    let limit = MAX_EVALUATION_STEPS;
    let compared = format!("item.where(1 '{long}' = 1 '{long}')");
    assert_eq!(result(&compared, &wide(5_000)), Err(EvaluationError::TooManySteps { limit }));
}

/// Scores that only the form knows are looked up among its options.
#[test]
fn options_that_are_looked_through_count() {
    let options: Vec<_> =
        (0..5_000).map(|n| json!({"valueCoding": {"system": "s", "code": n.to_string()}})).collect();
    let form = json!({"resourceType": "Questionnaire", "status": "active",
        "item": [{"linkId": "q", "type": "choice", "answerOption": options}]});
    let form = ward_forms::Questionnaire::parse(&serde_json::to_vec(&form).unwrap()).unwrap();
    let answered = |count: usize| {
        let answer = json!({"valueCoding": {"system": "s", "code": "4999"}});
        json!({"resourceType": "QuestionnaireResponse", "item": [{"linkId": "q", "answer": vec![answer; count]}]})
    };
    let weights = |data: &Json| {
        let expression = Expression::parse("item.answer.value.weight()").unwrap();
        expression.evaluate(&Environment::of(data).with_weights(&form)).map(|result| result.len())
    };
    assert_eq!(weights(&answered(700)), Ok(0));
    let limit = MAX_EVALUATION_STEPS;
    assert_eq!(weights(&answered(900)), Err(EvaluationError::TooManySteps { limit }));
}

#[test]
fn defined_variables_have_a_limit() {
    let limit = MAX_DEFINED_VALUES;
    let data = wide(1_000);
    let hundred_thousand = "item.take(100).select(%resource.item)";
    assert_eq!(
        result(&format!("{hundred_thousand}.defineVariable('a').defineVariable('b').count()"), &data),
        Ok(1)
    );
    assert_eq!(
        result(
            &format!("{hundred_thousand}.defineVariable('a').defineVariable('b').defineVariable('c', 1)"),
            &data
        ),
        Err(EvaluationError::TooManyDefined { limit })
    );
}

#[test]
fn searches_count_by_what_they_may_look_at() {
    let limit = MAX_EVALUATION_STEPS;
    let too_many = Err(EvaluationError::TooManySteps { limit });
    let data = json!({"resourceType": "Basic", "x": "a".repeat(20_000), "s": "a".repeat(500)});
    // Each match looks at all that is left, because a b may come.
    assert_eq!(result("x.replaceMatches('(a*b|a)', 'c')", &data), too_many);
    assert_eq!(result("s.replaceMatches('(a*b|a)', 'c')", &data), Ok(1));
    // Few bytes of a pattern make many states.
    assert_eq!(result("(1|2|3).where(%resource.x.matches('(a{1,15}){1,15}b'))", &data), too_many);
    assert_eq!(result("s.matches('(a{1,15}){1,15}b')", &data), Ok(1));
    let other_pattern = "item.where('a'.matches('(a{1,15}){1,15}' & linkId))";
    assert_eq!(result(other_pattern, &wide(200)), too_many);
    let groups = format!("x.replaceMatches('{}a', 'b')", "()".repeat(300));
    assert_eq!(result(&groups, &data), too_many);
}

#[test]
fn units_count_by_their_length() {
    let limit = MAX_EVALUATION_STEPS;
    let data = wide(300);
    let (mine, other) = ("m.".repeat(31) + "m", "s.".repeat(31) + "s");
    let compared = format!("item.where(%resource.item.where(1 '{mine}' = 1 '{other}').exists())");
    assert_eq!(result(&compared, &data), Err(EvaluationError::TooManySteps { limit }));
    // A product of products has no unit that could be written.
    let squared = |times: usize| format!("(1 'm'){}", ".select($this * $this)".repeat(times));
    assert_eq!(result(&squared(6), &Json::Null), Ok(1));
    assert_eq!(result(&squared(7), &Json::Null), Ok(0));
    assert_eq!(result(&format!("'1 \\'{}\\''.toQuantity()", "m".repeat(300)), &Json::Null), Ok(0));
    for (unit, same) in [("m9", true), ("m10", false), ("10*28", true), ("10*29", false), ("m-9", true)] {
        let power = format!("1 '{unit}' = 1000 'm{unit}'");
        let found = result(&format!("1 '{unit}/{unit}' = 1 '1'"), &Json::Null);
        assert_eq!(found, Ok(usize::from(same)), "{power}");
    }
}

#[test]
fn collections_that_are_in_use_together_are_counted() {
    let values: Vec<Json> = (0..MAX_COLLECTION_VALUES).map(|_| Json::Bool(true)).collect();
    let data = json!({"resourceType": "QuestionnaireResponse", "x": values});
    // Each level keeps what it goes through while the next one goes through as much.
    let nested = |levels: usize| {
        let opened = "%resource.x.select(".repeat(levels);
        format!("{opened}1{}", ".take(1))".repeat(levels))
    };
    let most = MAX_HELD_VALUES / MAX_COLLECTION_VALUES;
    assert!(!matches!(result(&nested(most - 1), &data), Err(EvaluationError::TooManyHeld { .. })));
    assert_eq!(
        result(&nested(most + 1), &data),
        Err(EvaluationError::TooManyHeld { limit: MAX_HELD_VALUES })
    );
    // What is done with goes.
    let one_after_another = vec!["%resource.x.count()"; most + 1].join(" + ");
    assert!(result(&one_after_another, &data).is_ok());
}
