//! What a form costs while somebody answers it: everything that is evaluated after one answer, for
//! the largest form of the test data and for one made of 500 conditional questions; and expressions
//! over a response of 2,691 items.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints its figures"
)]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use std::process::ExitCode;
use std::sync::Arc;
use stopwatch::{Course, Gates, race};
use ward_forms::fhirpath::{Environment, Expression};
use ward_forms::*;

const MADE_QUESTIONS: usize = 500;
const LARGE_ITEMS: usize = 2_691;
const LARGE_GROUP: usize = 38;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../testdata/instruments");
    let forms = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let json = forms.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let largest = json.map(|path| std::fs::read(path).unwrap()).max_by_key(Vec::len).unwrap();
    measure("the largest form of the test data", &largest);
    measure("500 questions, each asked because of the one before", made().as_bytes());
    measure_expressions();
    Gates::default().exit()
}

fn measure(name: &str, json: &[u8]) {
    let form = Arc::new(Questionnaire::parse(json).unwrap());
    let mut answering = Answering::new(Arc::clone(&form));
    while let Some(step) = answering.next_question() {
        if !some_answer(&mut answering, &step) {
            answering.skip(&step.path).unwrap();
        }
    }
    let response = answering.finish(None).unwrap();
    let asked = answering.questions();
    let middle = asked[..=asked.len() / 2].iter().rev().find(|step| !step.answers.is_empty()).unwrap();
    let value = middle.answers[0].clone();
    println!(
        "\n{name}: {} bytes, {} questions asked; CPU time of the thread, best of 10",
        json.len(),
        asked.len()
    );
    race(vec![
        Course::each("after one answer: skip logic, next question, progress", 100, || {
            answering.answer(&middle.path, value.clone()).unwrap();
            (answering.next_question().is_none(), answering.progress())
        }),
        Course::each("a completed response validated", 100, || validate(&form, &response)),
        Course::each("a completed response scored", 100, || score_symptoms(&form, &response)),
        Course::each("the form parsed", 30, || Questionnaire::parse(json).unwrap()),
    ])
    .print();
}

/// Gives the first answer that the question takes.
fn some_answer(answering: &mut Answering, step: &QuestionStep) -> bool {
    // The last one offered is the worst: it switches the most questions on.
    let offered = step.options.iter().rev().map(|option| option.value.clone());
    let plain = [
        AnswerValue::Boolean(true),
        AnswerValue::Integer(1),
        AnswerValue::String("words".into()),
        AnswerValue::Date("2026-03-01".into()),
    ];
    offered.chain(plain).any(|value| answering.answer(&step.path, value).is_ok())
}

/// A response of 2,691 items in two levels, and expressions over it as a form evaluates them after each
/// answer.
fn measure_expressions() {
    let response = large_response();
    let items = response["item"].as_array().unwrap();
    let count =
        items.len() + items.iter().map(|group| group["item"].as_array().unwrap().len()).sum::<usize>();
    assert_eq!(count, LARGE_ITEMS);
    let environment = Environment::of(&response);
    let answer = |n: usize| format!("%resource.item.item.where(linkId='q{n}').answer.value");
    let score = (0..9).map(|n| answer(n * 290 + 1)).collect::<Vec<_>>().join(" + ");
    let one = Expression::parse(&answer(2000)).unwrap();
    let all = Expression::parse("%resource.descendants()").unwrap();
    let nine = Expression::parse(&score).unwrap();
    let together =
        Expression::parse("%resource.item.item.where(linkId in ('q1'|'q291'|'q581')).answer.value.sum()")
            .unwrap();
    assert_eq!(one.evaluate(&environment).unwrap().single().unwrap().integer(), Some(2000 % 5));
    assert_eq!(nine.evaluate(&environment).unwrap().single().unwrap().integer(), Some(9));
    println!("\nexpressions over a response of {count} items; CPU time of the thread, best of 10");
    race(vec![
        Course::each("one answer by its linkId", 50, || one.evaluate(&environment).unwrap()),
        Course::each("all descendants", 20, || all.evaluate(&environment).unwrap()),
        Course::each("a score: the sum of nine answers by their linkIds", 20, || {
            nine.evaluate(&environment).unwrap()
        }),
        Course::each("a sum of three answers in one pass", 20, || together.evaluate(&environment).unwrap()),
        Course::each("the score's expression parsed", 50, || Expression::parse(&score).unwrap()),
    ])
    .print();
}

fn large_response() -> serde_json::Value {
    let group = |g: usize| {
        let items = (0..LARGE_GROUP).map(|i| {
            let n = g * LARGE_GROUP + i;
            serde_json::json!({"linkId": format!("q{n}"), "text": "How was it?", "answer": [{"valueInteger": n % 5}]})
        });
        serde_json::json!({"linkId": format!("g{g}"), "item": items.collect::<Vec<_>>()})
    };
    let groups: Vec<_> = (0..LARGE_ITEMS / (LARGE_GROUP + 1)).map(group).collect();
    serde_json::json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": groups})
}

fn made() -> String {
    let question = |n: usize| {
        let when = match n {
            0 => String::new(),
            _ => {
                format!(r#","enableWhen":[{{"question":"q{}","operator":"=","answerBoolean":true}}]"#, n - 1)
            }
        };
        format!(r#"{{"linkId":"q{n}","type":"boolean","text":"Question {n}?","required":true{when}}}"#)
    };
    let items = (0..MADE_QUESTIONS).map(question).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"resourceType":"Questionnaire","url":"https://ward.example/made","version":"1","status":"active","item":[{items}]}}"#
    )
}
