//! A form as large as wanted, with the skip logic, scores, variables and rules of real ones; shared by
//! the native bench and the one under WebAssembly.

use ward_forms::{AnswerValue, Answering, ItemType, QuestionStep, Questionnaire};

/// Items of the large form, and of the one that is as large as the largest published form at hand.
pub const LARGE: Shape = Shape { groups: 69, questions: 38 };
pub const PUBLISHED: Shape = Shape { groups: 5, questions: 138 };

/// How many groups a made form has, and how many questions each of them.
#[derive(Clone, Copy)]
pub struct Shape {
    pub groups: usize,
    pub questions: usize,
}

impl Shape {
    pub fn items(self) -> usize {
        self.groups * (self.questions + 1)
    }
}

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

fn formula(url: &str, name: &str, text: &str) -> String {
    format!(
        r#"{{"url":"{url}","valueExpression":{{"name":"{name}","language":"text/fhirpath","expression":"{text}"}}}}"#
    )
}

/// The form as JSON.
pub fn made(shape: Shape) -> String {
    let age = formula(
        &format!("{BASE}variable"),
        "age",
        "%resource.item.where(linkId='g0').item.where(linkId='g0q9').answer.value",
    );
    let groups = (0..shape.groups).map(|group| made_group(group, shape)).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"resourceType":"Questionnaire","url":"https://ward.example/made","version":"1","status":"active","extension":[{age}],"item":[{groups}]}}"#
    )
}

fn made_group(group: usize, shape: Shape) -> String {
    let variable = |name: &str, text: &str| formula(&format!("{BASE}variable"), name, text);
    let scored = (1..=5).map(|question| {
        let path = format!("item.where(linkId='g{group}q{question}').answer.value.ordinal()");
        variable(&format!("a{question}"), &path)
    });
    let score = variable("score", &format!("item.where(linkId='g{group}q6').answer.value"));
    let extensions = scored.chain([score]).collect::<Vec<_>>().join(",");
    let items = (0..shape.questions).map(|n| made_question(group, n, shape)).collect::<Vec<_>>().join(",");
    format!(
        r#"{{"linkId":"g{group}","type":"group","text":"Part {group}","extension":[{extensions}],"item":[{items}]}}"#
    )
}

fn made_question(group: usize, n: usize, shape: Shape) -> String {
    let enabled = |text: &str| formula(&format!("{SDC}enableWhenExpression"), "", text);
    let calculated = |text: &str| formula(&format!("{SDC}calculatedExpression"), "", text);
    let (kind, more) = match n {
        1..=5 => ("choice", format!(r#","required":true,"answerOption":[{}]"#, options())),
        6 => (
            "integer",
            format!(r#","readOnly":true,"extension":[{}]"#, calculated("%a1 + %a2 + %a3 + %a4 + %a5")),
        ),
        7 => ("string", format!(r#","extension":[{}]"#, enabled("%score > 7"))),
        8 => ("integer", format!(r#","extension":[{}]"#, enabled(&format!("%age > {}", group % 80)))),
        9 => ("integer", format!(r#","extension":[{}]"#, rule())),
        10 if group == 0 => {
            let scores = (0..shape.groups.min(9)).map(|g| {
                format!("%resource.item.where(linkId='g{g}').item.where(linkId='g{g}q6').answer.value")
            });
            let sum = scores.collect::<Vec<_>>().join(" + ");
            ("integer", format!(r#","readOnly":true,"extension":[{}]"#, calculated(&sum)))
        }
        _ if n.is_multiple_of(2) => ("boolean", String::new()),
        _ => {
            let before = n.saturating_sub(1);
            let when = format!(r#"{{"question":"g{group}q{before}","operator":"=","answerBoolean":true}}"#);
            ("integer", format!(r#","enableWhen":[{when}]"#))
        }
    };
    format!(r#"{{"linkId":"g{group}q{n}","type":"{kind}","text":"How was it, question {n}?"{more}}}"#)
}

fn options() -> String {
    let option = |n: usize| {
        format!(
            r#"{{"valueCoding":{{"system":"https://ward.example/degree","code":"{n}","display":"Degree {n}","extension":[{{"url":"{BASE}ordinalValue","valueDecimal":{n}}}]}}}}"#
        )
    };
    (0..4).map(option).collect::<Vec<_>>().join(",")
}

fn rule() -> String {
    let formula = formula("expression", "", "answer.value < 130");
    format!(
        r#"{{"url":"{BASE}targetConstraint","extension":[{{"url":"human","valueString":"At most 130."}},{formula}]}}"#
    )
}

/// A number from a seed (splitmix64).
pub fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// One of the answers that a question takes.
pub fn some_answer(step: &QuestionStep, seed: u64) -> AnswerValue {
    let number = i32::try_from(mixed(seed) % 100).unwrap_or(1);
    let count = step.options.len();
    if let Some(option) = step.options.get(usize::try_from(number).unwrap_or(0) % count.max(1)) {
        return option.value.clone();
    }
    match step.item_type {
        ItemType::Boolean => AnswerValue::Boolean(number % 3 != 0),
        ItemType::Integer => AnswerValue::Integer(number),
        ItemType::Decimal => AnswerValue::Decimal(number.into()),
        ItemType::Date => AnswerValue::Date(format!("19{:02}-05-06", number)),
        _ => AnswerValue::text("words"),
    }
}

/// Reads a form and begins to answer it, with an answer to every second question.
pub fn begun(json: &str) -> Option<Answering> {
    let mut answering = Answering::new(Questionnaire::parse(json.as_bytes()).ok()?);
    for (at, step) in answering.questions().iter().enumerate() {
        if at.is_multiple_of(2) {
            drop(answering.answer(&step.path, some_answer(step, u64::try_from(at).ok()?)));
        }
    }
    Some(answering)
}
