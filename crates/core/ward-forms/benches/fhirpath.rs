//! What an expression costs beside a loop over the JSON that is written for it by hand, over a response of
//! 2,691 items; and how long the costliest expressions take until their limit ends them.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use serde_json::{Value, json};
use std::process::ExitCode;
use stopwatch::{Course, Gates, race, thread_cpu};
use ward_forms::fhirpath::{Environment, Expression};

const ITEMS: usize = 2_691;
const GROUP: usize = 38;
/// The question that is looked for: one of the last, so that nearly all are passed.
const LINK_ID: &str = "q2600";
const WANTED: i64 = 2_600 % 5;

/// How many times the time of the loop a path may take.
const MOST_OVER_LOOP: f64 = 5.0;
/// CPU time that an expression may take until a limit ends it, on any machine that forms are filled in on.
const BOMB_TARGET_MS: f64 = 1_000.0;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let mut gates = Gates::default();
    paths(&mut gates);
    bombs(&gates);
    gates.exit()
}

fn paths(gates: &mut Gates) {
    let response = response();
    let environment = Environment::of(&response);
    let parse = |source: &str| Expression::parse(source).unwrap();
    let path = parse(&format!("%resource.item.item.where(linkId='{LINK_ID}').answer.value"));
    let anywhere = parse(&format!("%resource.descendants().where(linkId='{LINK_ID}').answer.value"));
    let repeated = parse(&format!("%resource.repeat(item).where(linkId='{LINK_ID}').answer.value"));
    let integer = |expression: &Expression| {
        expression.evaluate(&environment).unwrap().single().and_then(ward_forms::fhirpath::Value::integer)
    };
    for expression in [&path, &anywhere, &repeated] {
        assert_eq!(integer(expression).map(i64::from), Some(WANTED));
    }
    assert_eq!(by_hand(&response), Some(WANTED));
    println!("\none answer by its linkId among {ITEMS} items; CPU time of the thread, best of 10");
    let times = race(vec![
        Course::each("a loop over the JSON, written by hand", 200, || by_hand(&response)),
        Course::each("%resource.item.item.where(linkId='…').answer.value", 200, || integer(&path)),
        Course::each("%resource.descendants().where(linkId='…').answer.value", 20, || integer(&anywhere)),
        Course::each("%resource.repeat(item).where(linkId='…').answer.value", 20, || integer(&repeated)),
    ]);
    times.print();
    let over_loop = times.us("%resource.item.item.where(linkId='…').answer.value")
        / times.us("a loop over the JSON, written by hand");
    gates.at_most("the path over the loop", over_loop, MOST_OVER_LOOP);
}

/// What the path says, without an engine.
fn by_hand(response: &Value) -> Option<i64> {
    for group in response["item"].as_array()? {
        for item in group["item"].as_array()? {
            if item["linkId"] == LINK_ID {
                return item["answer"][0]["valueInteger"].as_i64();
            }
        }
    }
    None
}

fn response() -> Value {
    let group = |g: usize| {
        let items = (0..GROUP).map(|i| {
            let n = g * GROUP + i;
            json!({"linkId": format!("q{n}"), "text": "How was it?", "answer": [{"valueInteger": n % 5}]})
        });
        json!({"linkId": format!("g{g}"), "item": items.collect::<Vec<_>>()})
    };
    let groups: Vec<_> = (0..ITEMS / (GROUP + 1)).map(group).collect();
    json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": groups})
}

/// Each of these ends with an error that names a limit.
fn bombs(gates: &Gates) {
    let items: Vec<_> = (0..5_000).map(|n: usize| json!({"linkId": n.to_string()})).collect();
    let data = json!({"resourceType": "QuestionnaireResponse", "item": items, "x": "a".repeat(20_000),
        "long": "a".repeat(500_000)});
    let unit = |letter: &str| format!("{letter}.").repeat(31) + letter;
    let bombs = [
        ("items by items", "item.where(%resource.item.where(linkId = 'x').empty()).count()".to_owned()),
        ("repetitions in repetitions", format!("{}1{}", "1.repeat(".repeat(60), ")".repeat(60))),
        ("a total that grows", "item.aggregate($total.combine($this), {})".to_owned()),
        ("texts that are built", "item.select(%resource.long.upper())".to_owned()),
        ("texts that are compared", "item.where(%resource.long = 'a' & %resource.long)".to_owned()),
        ("a search behind each match", "x.replaceMatches('(a*b|a)', 'c')".to_owned()),
        ("a pattern of many states", "item.where(%resource.x.matches('(a{1,15}){1,15}b'))".to_owned()),
        ("patterns that differ", "item.where('a'.matches('(a{1,15}){1,15}' & linkId))".to_owned()),
        ("units that differ", format!("item.where(1 '{}' = 1 '{}')", unit("m"), unit("s"))),
        ("deep values", "item.where(%resource ~ %resource)".to_owned()),
        ("sorting", "item.select(%resource.item.sort(linkId).first())".to_owned()),
        ("distinct values", "item.select(%resource.item.distinct().count())".to_owned()),
        (
            "dates that equal no text",
            "item.select(%resource.item.select(@2026-01-01 + 1 day)).distinct()".to_owned(),
        ),
        ("square roots", "item.where(%resource.item.all(2.sqrt() > 1))".to_owned()),
        ("powers", "item.where(%resource.item.all(1.0001.power(2147483647) > 1 or true))".to_owned()),
        ("exponents", "item.where(%resource.item.all(1.5.power(1.5).ln().exp() > 0))".to_owned()),
    ];
    println!("\nexpressions until their limit ends them; CPU time of the thread, one run each");
    let mut longest: f64 = 0.0;
    for (name, source) in bombs {
        let expression = Expression::parse(&source).unwrap();
        let began = thread_cpu();
        let outcome = expression.evaluate(&Environment::of(&data));
        let ms = (thread_cpu() - began).as_secs_f64() * 1e3;
        longest = longest.max(ms);
        println!(
            "  {name:<30} {ms:>9.1} ms  {}",
            outcome.map_or_else(|error| error.to_string(), |_| "ENDED".to_owned())
        );
    }
    gates.target("the longest of these", longest, "ms", longest < BOMB_TARGET_MS, "below 1000 ms");
}
