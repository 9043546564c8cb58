//! Items that wait for one another, or seem to, and forms whose expressions cost more than is accepted.

use crate::evaluation::{asked, calculated, codes, enabled, form, give, integer, locked, of, shown, top};
use serde_json::{Value, json};
use ward_forms::{
    AnswerValue, Answering, CompiledForm, ExpressionFailure, Finding, ItemPath, Severity, validate,
};

/// Longer than any number of rounds that is fixed.
const LONG: usize = 60;

fn state(answering: &Answering, path: &ItemPath) -> Option<Result<Vec<AnswerValue>, ExpressionFailure>> {
    answering.item(path).unwrap().calculated
}

#[test]
fn a_long_chain_is_no_loop() {
    // Each score waits for the one behind it, and a sum that may read all of them makes one circle of all.
    let mut items: Vec<Value> = (1..LONG)
        .map(|number| locked(&format!("s{number}"), &format!("{} + 1", of(&format!("s{}", number + 1)))))
        .collect();
    items.push(locked(&format!("s{LONG}"), &format!("{} + {}", of("a"), of("total"))));
    items.push(locked("total", "%resource.descendants().where(linkId.startsWith('q')).answer.value.sum()"));
    items.extend([integer("a", vec![]), integer("q", vec![])]);
    let form = form(Value::Array(items));
    assert!(CompiledForm::compile(&form).is_ok());
    let mut answering = Answering::new(form.clone());
    give(&mut answering, "a", 1);
    give(&mut answering, "q", 2);
    assert_eq!((shown(&answering, "s60"), shown(&answering, "s1")), (vec![3], vec![62]));
    assert_eq!(answering.findings(), []);
    let done = answering.finish(None).unwrap();
    assert_eq!((done.items().len(), validate(&form, &done)), (LONG + 3, vec![]));
}

#[test]
fn what_a_loop_leaves_in_doubt_is_given_away() {
    let formula = format!("iif({a}.exists(), {a} + 1, iif({c}.exists(), 1, 1))", a = of("a"), c = of("c"));
    let all_of_g = format!("%resource.item.where(linkId='g').item.answer.value + {}", of("x"));
    let form = form(json!([
        integer("x", vec![]),
        {"linkId": "g", "type": "group", "item": [locked("b", &formula)]},
        locked("a", &all_of_g),
        {"linkId": "c", "type": "string", "text": "c", "extension": [enabled(&format!("{} > 100", of("a")))]}
    ]));
    let mut answering = Answering::new(form.clone());
    give(&mut answering, "x", 1);
    assert_eq!(state(&answering, &top("a")), Some(Err(ExpressionFailure::Loop)));
    assert_eq!(asked(&answering), ["x", "c"], "it could not be decided, so it is asked");
    answering.answer(&top("c"), AnswerValue::text("words")).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    let done = answering.finish(None).unwrap();
    let kept: Vec<&str> = done.items().iter().map(|item| item.link_id()).collect();
    assert_eq!(kept, ["x", "c"]);
    let found = validate(&form, &done);
    assert!(found.iter().all(|finding| finding.severity == Severity::Warning), "{found:?}");
    assert!(codes(&found).contains(&("c".to_owned(), "expression-failed", Severity::Warning)));
}

#[test]
fn conditions_hold_through_a_long_chain_where_expressions_come_to_no_rest() {
    // The sum counts itself, so it grows for ever once there is a number to begin with.
    let sum = format!("{} + %resource.descendants().answer.value.sum()", of("x"));
    let mut chain: Vec<Value> = (1..LONG)
        .map(|number| {
            let mut item = integer(&format!("t{number}"), vec![]);
            item["enableWhen"] =
                json!([{"question": format!("t{}", number + 1), "operator": "exists", "answerBoolean": true}]);
            item
        })
        .collect();
    chain.push(integer(&format!("t{LONG}"), vec![]));
    let held = enabled(&format!("{}.exists() or true", of("a")));
    let group = json!({"linkId": "h", "type": "group", "extension": [held], "item": chain});
    let mut answering = Answering::new(form(json!([integer("x", vec![]), group, locked("a", &sum)])));
    for number in (1..=LONG).rev() {
        answering.answer(&top("h").child(&format!("t{number}"), 0), AnswerValue::Integer(1)).unwrap();
    }
    give(&mut answering, "x", 1);
    assert_eq!(state(&answering, &top("a")), Some(Err(ExpressionFailure::Loop)));
    assert_eq!(asked(&answering).len(), LONG + 1);
    let done = answering.finish(None).unwrap();
    assert_eq!(done.items()[1].items().len(), LONG, "no answer is left out");
}

#[test]
fn a_form_that_costs_too_much_says_so_and_loses_nothing() {
    // Each takes all the steps that one expression may take, and fails.
    let bomb = format!("{}.matches('(a{{1,15}}){{1,15}}c')", of("text"));
    let mut items = vec![json!({"linkId": "text", "type": "text", "text": "text"})];
    items.extend((0..40).map(|number| integer(&format!("b{number}"), vec![enabled(&bomb)])));
    let mut last = integer("last", vec![enabled(&format!("{}.exists().not()", of("text")))]);
    last["required"] = json!(true);
    items.push(last);
    items.push(integer("score", vec![calculated(&format!("{}.count()", of("text")))]));
    let form = form(Value::Array(items));
    let mut answering = Answering::new(form);
    give(&mut answering, "last", 7);
    assert_eq!(shown(&answering, "score"), [0]);
    answering.answer(&top("text"), AnswerValue::text("ab".repeat(100_000))).unwrap();
    let failed = |answering: &Answering| {
        let of_work = |finding: &&Finding| finding.message.contains("steps together");
        answering
            .findings()
            .iter()
            .filter(of_work)
            .map(|finding| finding.path.to_string())
            .collect::<Vec<_>>()
    };
    let said = failed(&answering);
    assert!(said.contains(&"last".to_owned()) && said.contains(&"score".to_owned()), "{said:?}");
    assert!(!said.contains(&"b0".to_owned()), "it has failed by itself");
    assert!(asked(&answering).contains(&"last".to_owned()), "in doubt it is asked");
    assert!(shown(&answering, "score").is_empty(), "no score is better than an old one");

    // A later change begins with steps of its own.
    answering.answer(&top("text"), AnswerValue::text("ab")).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
    assert_eq!((failed(&answering), shown(&answering, "score")), (vec![], vec![1]));
    answering.clear(&top("text")).unwrap();
    assert_eq!(shown(&answering, "last"), [7]);
}
