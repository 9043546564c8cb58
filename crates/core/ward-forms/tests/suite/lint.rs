//! The check before a form is published: each finding from a form that is broken in just that way,
//! and the reports.

use serde_json::{Value, json};
use ward_forms::limits::MAX_CHECKED_PATTERNS;
use ward_forms::{CheckedFile, InstrumentCheck, check_instrument, json_report, sarif_report, text_report};

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

fn form(items: Value) -> Value {
    json!({"resourceType": "Questionnaire", "url": "https://example.org/f", "version": "1",
        "status": "active", "language": "en", "item": items})
}

fn check(form: &Value) -> InstrumentCheck {
    check_instrument(&serde_json::to_vec(form).unwrap())
}

/// Path, code and severity of what is found.
fn found(form: &Value) -> Vec<(String, &'static str, &'static str)> {
    let check = check(form);
    let severity = |finding: &ward_forms::Finding| if finding.is_error() { "error" } else { "warning" };
    check
        .findings
        .iter()
        .map(|found| (found.path.to_string(), found.code.as_str(), severity(found)))
        .collect()
}

fn found_in(items: Value) -> Vec<(String, &'static str, &'static str)> {
    found(&form(items))
}

fn one(path: &str, code: &'static str, severity: &'static str) -> Vec<(String, &'static str, &'static str)> {
    vec![(path.to_owned(), code, severity)]
}

fn with(mut item: Value, more: Value) -> Value {
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

fn question(link_id: &str, kind: &str, more: Value) -> Value {
    with(json!({"linkId": link_id, "type": kind, "text": "Question"}), more)
}

fn formula(url: &str, name: Option<&str>, text: &str) -> Value {
    let mut value = json!({"language": "text/fhirpath", "expression": text});
    if let Some(name) = name {
        value["name"] = json!(name);
    }
    json!({"url": url, "valueExpression": value})
}

fn calculated(link_id: &str, text: &str) -> Value {
    let extension = formula(&format!("{SDC}calculatedExpression"), None, text);
    question(link_id, "decimal", json!({"extension": [extension]}))
}

fn when(question: &str, operator: &str, answer: Value) -> Value {
    with(json!({"question": question, "operator": operator}), answer)
}

#[test]
fn a_sound_form_has_no_findings_and_can_be_published() {
    let sound = form(json!([
        question("a", "integer", json!({"required": true})),
        question("b", "boolean", json!({"enableWhen": [when("a", ">", json!({"answerInteger": 3}))]})),
        calculated("c", "%resource.item.where(linkId='a').answer.value + 1")
    ]));
    assert_eq!(found(&sound), []);
    assert!(check(&sound).can_be_published());
}

#[test]
fn expressions_that_do_not_parse() {
    assert_eq!(
        found_in(json!([calculated("score", "1 !! 2")])),
        one("score", "expression-does-not-parse", "error")
    );
    let variable = formula(&format!("{BASE}variable"), Some("v"), "!!");
    let below = json!([{"linkId": "g", "type": "group", "item": [
        question("q", "string", json!({"extension": [variable]}))]}]);
    assert_eq!(found_in(below), one("g/q", "expression-does-not-parse", "error"));
    let rule = json!({"url": format!("{BASE}questionnaire-constraint"), "extension": [
        {"url": "key", "valueId": "k"}, {"url": "severity", "valueCode": "error"},
        {"url": "expression", "valueString": "!!"}, {"url": "human", "valueString": "A rule."}]});
    let mut whole = form(json!([question("q", "string", json!({}))]));
    whole["extension"] = json!([rule]);
    assert_eq!(found(&whole), one("", "expression-does-not-parse", "error"));
    assert!(!check(&whole).can_be_published());
}

#[test]
fn expressions_in_other_languages_are_named() {
    let mut other = formula(&format!("{SDC}initialExpression"), None, "Patient?x=!!");
    other["valueExpression"]["language"] = json!("application/x-fhir-query");
    let items = json!([question("q", "string", json!({"extension": [other]}))]);
    assert_eq!(found_in(items), one("q", "expression-not-evaluated", "warning"));
}

#[test]
fn links_to_nowhere_in_conditions_and_expressions() {
    let items = json!([question(
        "q",
        "string",
        json!({"enableWhen": [when("gone", "exists", json!({"answerBoolean": true}))]})
    )]);
    assert_eq!(found_in(items), one("q", "link-to-nowhere", "error"));
    let items = json!([calculated(
        "score",
        "item.where(linkId = 'gone').answer.value + item.where('gone'=linkId).count()"
    )]);
    assert_eq!(found_in(items), one("score", "link-to-nowhere", "error"));
    assert_eq!(
        found_in(json!([calculated("score", "%gone + 1")])),
        one("score", "undefined-variable", "error")
    );
}

/// What an expression says of items that are not those of its own response is no link to nowhere.
#[test]
fn links_are_those_of_the_parsed_expression() {
    let priors = json!({"url": format!("{SDC}launchContext"), "extension": [
        {"url": "name", "valueCoding": {"code": "priorResponse"}}, {"url": "type", "valueCode": "QuestionnaireResponse"}]});
    let found_with = |text: &str| {
        let mut whole = form(json!([question("it's", "integer", json!({})), calculated("score", text)]));
        whole["extension"] = json!([priors]);
        found(&whole)
    };
    for sound in [
        "%priorResponse.item.where(linkId = 'other').answer.value",
        "%priorResponse.repeat(item).where(linkId in ('x' | 'y')).answer.value.first()",
        r"item.where(linkId = 'it\'s').answer.value",
        r"item.where(linkId = 'it\u0027s').answer.value",
        "'linkId = ' & 'x'",
        "item.where($this.linkId != 'gone').answer.value",
        "item.where(linkId ~ 'IT\\'S').answer.value",
        "item.where(linkId = 'it\\'s').answer.value // linkId = 'gone'",
    ] {
        assert_eq!(found_with(sound), [], "{sound}");
    }
    for broken in [
        "%resource.descendants().where(linkId in ('it\\'s' | 'gone')).answer.value.first()",
        "%context.item.where('gone' = linkId).answer.value",
        "item.where(answer.exists() and linkId = 'gone').answer.value",
        "item.where(item.linkId ~ 'gone').answer.value",
        "(item | item.item).where(('gone' | 'it\\'s') contains linkId).answer.value",
    ] {
        assert_eq!(found_with(broken), one("score", "link-to-nowhere", "error"), "{broken}");
    }
    assert_eq!(found_with("1.defineVariable('own', 2).select(%own + 1)"), []);
    assert_eq!(found_with("%own.defineVariable('own', 2)"), one("score", "undefined-variable", "error"));
}

#[test]
fn names_are_known_where_they_are_defined() {
    let variable = formula(&format!("{BASE}variable"), Some("v"), "1");
    let launch = json!({"url": format!("{SDC}launchContext"), "extension": [
        {"url": "name", "valueCoding": {"code": "patient"}}, {"url": "type", "valueCode": "Patient"}]});
    let mut whole = form(json!([
        {"linkId": "g", "type": "group", "extension": [variable], "item": [calculated("in", "%v + %patient.age")]},
        calculated("out", "%v")]));
    whole["extension"] = json!([launch]);
    assert_eq!(found(&whole), one("out", "undefined-variable", "error"));
}

#[test]
fn loops_are_named() {
    let holds = json!({"answerInteger": 1});
    let by_conditions = form(json!([{"linkId": "g", "type": "group", "item": [
        question("a", "integer", json!({"enableWhen": [when("b", "=", holds.clone())]})),
        question("b", "integer", json!({"enableWhen": [when("a", "=", holds.clone())]}))]}]));
    assert_eq!(found(&by_conditions), one("g/a", "loop", "error"));
    assert!(check(&by_conditions).findings[0].message.contains("a > b"), "{:?}", check(&by_conditions));

    let variable = formula(&format!("{BASE}variable"), Some("y"), "item.where(linkId='y').answer.value");
    let mut by_expressions = form(json!([
        calculated("x", "%y + 1"),
        calculated("y", "item.where(linkId='z').answer.value"),
        question("z", "integer", json!({"enableWhen": [when("x", ">", holds)]})),
        calculated("free", "1")
    ]));
    by_expressions["extension"] = json!([variable]);
    assert_eq!(found(&by_expressions), one("x", "loop", "error"));
    assert_eq!(check(&by_expressions).findings[0].message, "These wait for one another: x > %y > y > z.");
    let own = json!([calculated("x", "item.where(linkId='x').answer.value + 1")]);
    assert_eq!(found_in(own), one("x", "loop", "error"));
}

#[test]
fn items_that_can_never_be_reached() {
    let yes = json!({"answerBoolean": true});
    let no = json!({"answerBoolean": false});
    let both = json!({"enableBehavior": "all",
        "enableWhen": [when("a", "=", yes.clone()), when("a", "=", no.clone())]});
    let items = |required: bool| {
        json!([
            question("a", "boolean", json!({})),
            question("b", "boolean", with(both.clone(), json!({"required": required}))),
            question("c", "boolean", json!({"enableWhen": [when("b", "exists", yes.clone())]})),
            question("d", "boolean", json!({"enableWhen": [when("b", "exists", no.clone())]}))
        ])
    };
    assert_eq!(
        found_in(items(false)),
        [one("b", "unreachable", "warning"), one("c", "unreachable", "warning")].concat()
    );
    assert_eq!(
        found_in(items(true)),
        [one("b", "required-never-enabled", "error"), one("c", "unreachable", "warning")].concat()
    );
    let any = with(both, json!({"enableBehavior": "any"}));
    assert_eq!(found_in(json!([question("a", "boolean", json!({})), question("b", "boolean", any)])), []);
}

#[test]
fn conditions_that_exclude_each_other() {
    let pair = |repeats: bool, first: (&str, Value), second: (&str, Value)| {
        let conditions = [when("a", first.0, first.1), when("a", second.0, second.1)];
        let found = found_in(json!([
            question("a", "integer", json!({"repeats": repeats})),
            question("b", "string", json!({"enableBehavior": "all", "enableWhen": conditions}))
        ]));
        assert!(found.len() <= 1, "{found:?}");
        found.first().is_some_and(|(path, code, _)| path == "b" && *code == "unreachable")
    };
    let number = |number: i32| json!({"answerInteger": number});
    let exists = |exists: bool| json!({"answerBoolean": exists});
    assert!(pair(false, ("=", number(1)), ("=", number(2))));
    assert!(!pair(true, ("=", number(1)), ("=", number(2))));
    assert!(pair(true, ("=", number(1)), ("!=", number(1))));
    assert!(!pair(false, ("=", number(1)), ("!=", number(2))));
    assert!(pair(false, (">", number(3)), ("<", number(3))));
    assert!(pair(false, ("<=", number(2)), (">=", number(3))));
    assert!(!pair(false, (">=", number(3)), ("<=", number(3))));
    assert!(!pair(true, (">", number(3)), ("<", number(3))));
    assert!(pair(false, ("=", number(1)), (">", number(1))));
    assert!(!pair(false, ("=", number(2)), (">", number(1))));
    assert!(pair(false, ("exists", exists(false)), ("=", number(1))));
    assert!(!pair(false, ("exists", exists(false)), ("!=", number(1))));
}

#[test]
fn required_items_below_what_is_never_asked() {
    let items = json!([question("a", "choice", json!({"answerOption": [{"valueCoding": {"system": "s", "code": "1"}}]})),
        {"linkId": "g", "type": "group", "enableWhen": [when("a", "=", json!({"answerCoding": {"system": "other", "code": "1"}}))],
         "item": [question("q", "string", json!({"required": true})), question("r", "string", json!({}))]}]);
    assert_eq!(
        found_in(items),
        [one("g", "condition-never-holds", "error"), one("g/q", "required-never-enabled", "error")].concat()
    );
}

#[test]
fn scores_that_ignore_missing_answers() {
    let silent = one("score", "score-ignores-missing", "warning");
    let whole = |text: &str| found_in(json!([calculated("score", text)]));
    let itself = one("score", "loop", "warning");
    assert_eq!(
        whole("%resource.item.answer.value.ordinal().sum()"),
        [itself.clone(), silent.clone()].concat()
    );
    assert_eq!(whole("iif(%resource.item.exists(), 1, 0)"), [itself.clone(), silent.clone()].concat());
    let asks = "iif(%resource.item.answer.count() = 3, %resource.item.answer.value.sum(), {})";
    assert_eq!(whole(asks), itself);
    let three = |text: String| {
        let asked = ["a", "b", "c"].map(|link_id| question(link_id, "integer", json!({})));
        let score = calculated("score", &text);
        found_in(asked.into_iter().chain([score]).collect::<Vec<_>>().into())
    };
    let all = "%resource.item.where(linkId in ('a' | 'b' | 'c')).answer.value";
    let of = |link_id: &str| format!("%resource.item.where(linkId = '{link_id}').answer");
    let (a, b, c) = (of("a"), of("b"), of("c"));
    for asks in [
        format!("iif({all}.count() = 3, {all}.sum(), {{}})"),
        format!("iif(3 <= {all}.count(), {all}.avg(), {{}})"),
        format!("iif({all}.count() < 3, {{}}, {all}.sum())"),
        format!("iif({all}.count() = 3 and {a}.value > 1, {all}.sum() / {all}.count(), {{}})"),
        format!("iif({a}.exists() and {b}.exists() and {c}.exists(), {all}.sum(), {{}})"),
        format!("iif({a}.empty() or {b}.exists().not() or {c}.empty(), {{}}, {all}.sum())"),
        format!(
            "iif(%resource.item.where(linkId in ('a' | 'b' | 'c')).all(answer.exists()), {all}.sum(), {{}})"
        ),
    ] {
        assert_eq!(three(asks.clone()), [], "{asks}");
    }
    for silent_too in [
        // The mean of what is there, written out.
        format!("{all}.sum() / {all}.count()"),
        format!("iif({all}.exists(), {all}.sum(), {{}})"),
        format!("iif({all}.count() > 0, {all}.sum(), {{}})"),
        format!("iif({a}.exists() or {b}.exists() or {c}.exists(), {all}.sum(), {{}})"),
        format!("iif({a}.exists() and {b}.exists(), {all}.sum(), {{}})"),
        format!("iif({all}.count() = 3, {{}}, {all}.sum())"),
        format!("iif(%resource.item.where(linkId = 'a').answer.count() = 3, {all}.sum(), {{}})"),
        format!("{all}.isDistinct().select({all}.sum())"),
        format!("{a}.value.combine(0).first()"),
        format!("{a}.value.union(0).first()"),
        format!("(0 | {a}.value).last()"),
    ] {
        assert_eq!(three(silent_too.clone()), silent, "{silent_too}");
    }
}

#[test]
fn scores_in_which_equal_answers_count_once() {
    let items = |repeats: bool, text: &str| {
        json!([{"linkId": "g", "type": "group", "repeats": repeats, "item": [question("a", "integer", json!({}))]},
            question("b", "integer", json!({})), question("c", "integer", json!({"repeats": true})), calculated("score", text)])
    };
    let merges = one("score", "score-merges-equals", "warning");
    for values in [
        "iif(%resource.item.exists(linkId = 'b') and item.exists(linkId = 'c'), (item.where(linkId = 'b').answer.value | item.where(linkId = 'c').answer.value).sum(), {})",
        "(item.where(linkId = 'b').answer.value | item.where(linkId = 'c').answer.value).count()",
        "item.where(linkId = 'b').answer.value.union(item.where(linkId = 'c').answer.value).where($this > 1).count()",
        "item.where(linkId in ('b' | 'c')).answer.select(value | item.answer.value).count()",
        // Answers of different questions may be equal.
        "(item.where(linkId = 'b').answer | item.where(linkId = 'c').answer).value.count()",
        "item.where(linkId = 'b').answer.union(item.where(linkId = 'c').answer).select(value).count()",
        "defineVariable('x', item.where(linkId = 'b').answer.value | item.where(linkId = 'c').answer.value).select(%x.count())",
    ] {
        assert_eq!(found_in(items(false, values)), merges, "{values}");
    }
    // Items of different linkIds are never equal, but two instances of a group may be.
    for instances in [
        "iif(item.item.exists(linkId = 'a'), %resource.repeat(item).where(linkId = 'a').answer.value.sum(), {})",
        "(item | item.item).where(linkId = 'a').answer.value.count()",
    ] {
        assert_eq!(found_in(items(true, instances)), merges, "{instances}");
        assert_eq!(found_in(items(false, instances)), [], "{instances}");
    }
    for sound in [
        "item.where(linkId = 'b').answer.value.combine(item.where(linkId = 'c').answer.value).count()",
        "item.where(linkId in ('b' | 'c')).answer.value.count()",
        "item.where(linkId = 'c').answer.value.distinct().count()",
        "item.where(linkId = 'b').answer.value + item.where(linkId = 'c').answer.value.first()",
    ] {
        assert_eq!(found_in(items(true, sound)), [], "{sound}");
    }
}

/// What lies below one of several answers may be there twice.
#[test]
fn equal_items_below_the_answers_of_one_question() {
    let below = json!([question("d", "integer", json!({}))]);
    let items = |repeats: bool| {
        json!([
            question("a", "string", json!({"repeats": repeats, "item": below})),
            calculated(
                "score",
                "%resource.repeat(item | answer.item).where(linkId = 'd').answer.value.count()"
            )
        ])
    };
    assert_eq!(found_in(items(false)), []);
    assert_eq!(found_in(items(true)), one("score", "score-merges-equals", "warning"));
}

#[test]
fn expressions_that_read_the_group_they_stand_in() {
    let total = |text: &str| {
        json!([{"linkId": "g", "type": "group", "item": [question("a", "integer", json!({})), calculated("total", text)]},
            {"linkId": "h", "type": "group", "item": [question("b", "integer", json!({}))]}])
    };
    let a_loop = one("g/total", "loop", "error");
    for text in [
        "%resource.item.where(linkId = 'g').item.answer.value.first()",
        "%resource.item.where(linkId = 'g').descendants().where($this is Quantity).first()",
        "%resource.item.where(linkId in ('h' | 'g')).exists().toInteger()",
    ] {
        assert_eq!(found_in(total(text)), a_loop, "{text}");
    }
    for text in [
        "%resource.item.where(linkId = 'h').item.answer.value.first()",
        "%resource.item.where(linkId = 'g').item.where(linkId = 'a').answer.value",
    ] {
        assert_eq!(found_in(total(text)), [], "{text}");
    }
    let whole = form(total("%resource.item.where(linkId = 'g').item.answer.value.first()"));
    assert_eq!(check(&whole).findings[0].message, "These wait for one another: total > g.");
    // A text for reading holds no answer that the total could read.
    let note = |kind: &str| {
        let shown = json!({"enableWhen": [when("total", ">", json!({"answerDecimal": 1}))]});
        json!([{"linkId": "g", "type": "group", "item": [question("a", "integer", json!({})), question("note", kind, shown)]},
            calculated("total", "%resource.item.where(linkId = 'g').item.answer.value.first()")])
    };
    assert_eq!(found_in(note("display")), []);
    assert_eq!(found_in(note("string")), one("g/note", "loop", "error"));
    assert_eq!(found_in(total("%resource.item.answer.value.first()")), one("g/total", "loop", "warning"));
}

#[test]
fn patterns_that_can_never_be_read() {
    let items = |text: &str| json!([question("a", "string", json!({})), calculated("score", text)]);
    let a = "%resource.item.where(linkId = 'a').answer.value";
    for pattern in ["(", r"\p{L}+", "(?=a)", "a)|(?:b"] {
        let text = format!("iif({a}.matchesFull('{pattern}'), 1, 2)");
        assert_eq!(found_in(items(&text)), one("score", "expression-does-not-parse", "error"), "{text}");
    }
    assert_eq!(found_in(items(&format!("{a}.replaceMatches('[', 'x').length()"))).len(), 1);
    let many = |count: usize| {
        let all: Vec<_> = (0..count).map(|n| format!("{a}.matches('({n}')")).collect();
        found_in(items(&format!("iif({}, 1, 2)", all.join(" or ")))).len()
    };
    assert_eq!((many(MAX_CHECKED_PATTERNS), many(MAX_CHECKED_PATTERNS + 1)), (200, 200));
    assert_eq!(found_in(items(&format!("{a}.matches('^[a-z]+$').toInteger()"))), []);
}

#[test]
fn members_that_no_response_has() {
    let items = |text: &str| json!([question("a", "string", json!({})), calculated("score", text)]);
    let unknown = one("score", "unknown-member", "warning");
    for text in [
        "%resource.item.where(linkId = 'a').anwser.value",
        "%resource.items.where(linkId = 'a').answer.value",
        "item.where(linkId = 'a').value",
        "item.where(linkid = 'x').where(linkId = 'a').answer.value",
        "%resource.repeat(itm).where(linkId = 'a').answer.value",
        "item.where(linkId = 'a').select(answer.first().valu)",
    ] {
        assert_eq!(found_in(items(text)), unknown, "{text}");
    }
    for text in [
        "%resource.repeat(item | answer.item).where(linkId = 'a').answer.value.code",
        "item.where(linkId = 'a').answer.valueCoding.display",
        "item.where(linkId = 'a').answer.value.anything",
        "item.where(linkId = 'a').extension.value",
        "QuestionnaireResponse.item.where(linkId = 'a').answer.value",
        "item.where(linkId = 'a').select(defineVariable('v', answer).answer.value)",
        "children().where(linkId = 'a').answer.value",
    ] {
        assert_eq!(found_in(items(text)), [], "{text}");
    }
}

#[test]
fn what_stands_in_for_missing_answers() {
    let silent = one("score", "score-ignores-missing", "warning");
    let items = |text: &str| json!([question("a", "integer", json!({})), calculated("score", text)]);
    let a = "item.where(linkId = 'a').answer.value";
    for text in [
        format!("{a}.aggregate($this + $total, 0)"),
        format!("iif({a}.empty(), 0, {a})"),
        format!("iif({a} > 3, {a}, 0.0) + 1"),
        format!("({a} | 0).first()"),
        format!("{a}.avg()"),
        format!("1 + {a}.max()"),
    ] {
        assert_eq!(found_in(items(&text)), silent, "{text}");
    }
    for text in [
        format!("{a} + {a}"),
        format!("iif({a} > 3, 'sum(', 'low').length()"),
        format!("iif({a} in (1 | 0), 2, 1)"),
    ] {
        assert_eq!(found_in(items(&text)), [], "{text}");
    }
}

#[test]
fn link_ids_that_are_used_twice_are_all_named() {
    let twice = form(json!([question("a", "string", json!({})),
        {"linkId": "g", "type": "group", "item": [question("a", "string", json!({})), question("g", "string", json!({}))]}]));
    assert_eq!(
        found(&twice),
        [one("g/a", "duplicate-link-id", "error"), one("g/g", "duplicate-link-id", "error")].concat()
    );
}

#[test]
fn missing_translations() {
    let german = json!({"extension": [{"url": format!("{BASE}translation"), "extension": [
        {"url": "lang", "valueCode": "de"}, {"url": "content", "valueString": "Frage"}]}]});
    let option = |translated: bool| {
        let mut coding = json!({"system": "s", "code": "1", "display": "Yes"});
        if translated {
            coding["_display"] = german.clone();
        }
        json!([{"valueCoding": coding}, {"valueInteger": 3}])
    };
    let items = json!([
        question("done", "choice", json!({"_text": german.clone(), "answerOption": option(true)})),
        question("half", "choice", json!({"_text": german.clone(), "answerOption": option(false)})),
        question("none", "string", json!({})),
        {"linkId": "number", "type": "string", "text": "1."}]);
    assert_eq!(
        found_in(items),
        [one("half", "missing-translation", "warning"), one("none", "missing-translation", "warning")]
            .concat()
    );
}

#[test]
fn values_that_are_none_and_ranges_that_are_empty() {
    let bad = one("q", "bad-value", "error");
    assert_eq!(
        found_in(json!([question("q", "date", json!({"initial": [{"valueDate": "2026-02-30"}]}))])),
        bad
    );
    let bound = json!({"extension": [{"url": format!("{BASE}maxValue"), "valueDate": "2026-13-01"}]});
    assert_eq!(found_in(json!([question("q", "date", bound)])), bad);
    let offered = json!({"answerOption": [{"valueDate": "2025-02-29"}]});
    assert_eq!(found_in(json!([question("q", "choice", offered)])), bad);
    let least = json!({"url": format!("{BASE}minValue"), "valueInteger": 3});
    let most = json!({"url": format!("{BASE}maxValue"), "valueInteger": 2});
    let empty = one("q", "empty-range", "error");
    assert_eq!(found_in(json!([question("q", "integer", json!({"extension": [least, most]}))])), empty);
    let chars =
        json!({"maxLength": 2, "extension": [{"url": format!("{BASE}minLength"), "valueInteger": 3}]});
    assert_eq!(found_in(json!([question("q", "string", chars)])), empty);
}

#[test]
fn markup_in_texts() {
    let items = json!([{"linkId": "q", "type": "string", "text": "Pain <script>alert(1)</script>"},
        {"linkId": "fine", "type": "string", "text": "Is it < 3?"}]);
    assert_eq!(found_in(items), one("q", "markup", "warning"));
}

#[test]
fn two_ways_to_enable_an_item() {
    let items = json!([
        question("a", "boolean", json!({})),
        question(
            "b",
            "string",
            json!({
        "enableWhen": [when("a", "=", json!({"answerBoolean": true}))],
        "extension": [formula(&format!("{SDC}enableWhenExpression"), None, "true")]})
        )
    ]);
    assert_eq!(found_in(items), one("b", "two-enablements", "error"));
}

#[test]
fn an_item_that_an_expression_switches_off_is_no_fault() {
    let extension = formula(&format!("{SDC}enableWhenExpression"), None, "true");
    let switched = question("a", "string", json!({"required": true, "extension": [extension]}));
    assert_eq!(found_in(json!([switched])), []);
}

#[test]
fn an_owed_answer_that_only_a_calculation_would_give() {
    let extension = formula(&format!("{SDC}calculatedExpression"), None, "1");
    let fields = json!({"required": true, "readOnly": true, "extension": [extension]});
    assert_eq!(
        found_in(json!([question("a", "integer", fields)])),
        one("a", "owed-but-not-asked", "warning")
    );
}

#[test]
fn a_form_needs_an_address_and_a_version() {
    let mut nameless = form(json!([question("a", "boolean", json!({}))]));
    nameless.as_object_mut().unwrap().remove("version");
    assert_eq!(found(&nameless), one("", "no-identity", "error"));
    nameless.as_object_mut().unwrap().remove("url");
    assert_eq!(found(&nameless), one("", "no-identity", "error"));
    assert!(check(&nameless).form.is_some() && !check(&nameless).can_be_published());
}

#[test]
fn what_is_no_form_has_one_finding_at_its_place() {
    let broken = form(json!([{"linkId": "g", "type": "group", "item": [{"linkId": "q", "type": "poem"}]}]));
    assert_eq!(found(&broken), one("g/q", "not-a-form", "error"));
    assert!(check(&broken).form.is_none());
    let check = check_instrument(b"[1,");
    assert_eq!(check.findings.len(), 1);
    assert_eq!(check.findings[0].message, "Not valid JSON at line 1, column 3.");
}

fn reported() -> Vec<CheckedFile> {
    let broken = form(json!([calculated("score", "!!"), {"linkId": "q\u{1b}[2J", "type": "string"}]));
    vec![
        CheckedFile { name: "forms/a b.json".to_owned(), check: check(&broken) },
        CheckedFile {
            name: "fine.json".to_owned(),
            check: check(&form(json!([question("a", "boolean", json!({}))]))),
        },
    ]
}

#[test]
fn the_text_report_has_a_line_for_each_finding_and_nothing_a_terminal_obeys() {
    let expected = "forms/a b.json: q\u{fffd}[2J: warning no-text: People see this item, but it has no text.\n\
        forms/a b.json: score: error expression-does-not-parse: The calculatedExpression can't be read: at byte 0: expected an expression, found !.\n\
        forms/a b.json: 1 error, 1 warning; it can't be published.\n\
        fine.json: 0 errors, 0 warnings; it can be published.\n";
    assert_eq!(text_report(&reported()), expected);
}

#[test]
fn the_json_report_counts_and_names() {
    let report = json_report(&reported());
    assert_eq!(report["files"][0]["canBePublished"], json!(false));
    assert_eq!(report["files"][0]["errors"], json!(1));
    assert_eq!(
        report["files"][0]["findings"][1],
        json!({"path": "score", "code": "expression-does-not-parse", "severity": "error",
            "message": "The calculatedExpression can't be read: at byte 0: expected an expression, found !."})
    );
    assert_eq!(
        report["files"][1],
        json!({"file": "fine.json", "canonical": "https://example.org/f|1", "items": 1,
        "canBePublished": true, "errors": 0, "warnings": 0, "findings": []})
    );
}

/// The properties that SARIF 2.1.0 requires, and how they refer to one another.
#[test]
fn the_sarif_report_has_the_shape_of_the_standard() {
    let report = sarif_report(&reported(), "1.2.3");
    assert_eq!(report["version"], json!("2.1.0"));
    assert!(report["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let run = &report["runs"][0];
    assert_eq!(report["runs"].as_array().unwrap().len(), 1);
    let driver = &run["tool"]["driver"];
    assert_eq!((&driver["name"], &driver["version"]), (&json!("ward"), &json!("1.2.3")));
    let rules = driver["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let location = &result["locations"][0];
        assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], json!("forms/a%20b.json"));
        assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
    }
    assert_eq!(results[1]["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], json!("score"));
    assert_eq!(sarif_report(&[], "1")["runs"][0]["results"], json!([]));
}

#[test]
fn right_expressions_are_not_refused() {
    for right in [
        "%resource.item.where(linkId ~ 'OTHER').answer.value",
        "%resource.item.where(linkId != 'old').answer.value.first()",
        "%resource.item.where((linkId = 'old').not()).answer.value.first()",
        "%resource.item.where(linkId = 'other').answer.value.resolve().item.where(linkId = 'elsewhere').answer.value",
        "defineVariable('a' & 'b', 1).select(%ab)",
    ] {
        let found = found_in(json!([question("other", "decimal", json!({})), calculated("score", right)]));
        let refused: Vec<_> = found.iter().filter(|(_, _, severity)| *severity == "error").collect();
        assert!(refused.is_empty(), "{right}: {refused:?}");
    }
    for wrong in [
        "%resource.item.where(linkId = 'old').answer.value",
        "%resource.item.where((linkId = 'old')).answer.value.not()",
        "%resource.item.where(linkId = 'other' or linkId in ('old')).answer.value",
    ] {
        let found = found_in(json!([question("other", "decimal", json!({})), calculated("score", wrong)]));
        assert!(found.contains(&one("score", "link-to-nowhere", "error")[0]), "{wrong}: {found:?}");
    }
    let unknown = found_in(json!([calculated("score", "defineVariable('ab', 1).select(%ac)")]));
    assert_eq!(unknown, one("score", "undefined-variable", "error"));
}

#[test]
fn a_condition_that_reads_the_whole_response_reads_what_it_decides_about() {
    let gated = |text: &str| {
        let extension = formula(&format!("{SDC}enableWhenExpression"), None, text);
        found_in(json!([
            question("a", "integer", json!({})),
            question("b", "integer", json!({"extension": [extension]}))
        ]))
    };
    assert_eq!(gated("%resource.descendants().answer.value.count() > 2"), one("b", "loop", "warning"));
    assert_eq!(gated("%resource.descendants().where(linkId = 'a').answer.value > 2"), []);
}
