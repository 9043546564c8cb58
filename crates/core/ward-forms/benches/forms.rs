//! What a form costs while somebody answers it: everything that is evaluated after one answer, for
//! the largest form of the test data and for one made of 500 conditional questions.
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
use ward_forms::*;

const MADE_QUESTIONS: usize = 500;

fn main() -> ExitCode {
    stopwatch::print_machine();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../testdata/instruments");
    let forms = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let json = forms.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let largest = json.map(|path| std::fs::read(path).unwrap()).max_by_key(Vec::len).unwrap();
    measure("the largest form of the test data", &largest);
    measure("500 questions, each asked because of the one before", made().as_bytes());
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
