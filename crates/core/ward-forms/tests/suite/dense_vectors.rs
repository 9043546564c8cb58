//! Dense answers that change only on purpose. `WARD_WRITE_VECTORS=1` writes them anew.

use serde_json::{Value, json};
use std::fmt::Write as _;
use ward_forms::{
    AnswerValue, Answering, ItemType, Questionnaire, QuestionnaireResponse, ResponseStatus, decode_answers,
    encode_answers,
};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/dense_answers.json");
const DIARY: &str = include_str!("../../../../../testdata/instruments/ward-symptom-diary.json");
/// How the vectors name the diary, which they do not repeat.
const DIARY_FILE: &str = "testdata/instruments/ward-symptom-diary.json";
const AUTHORED: &str = "2026-03-01T09:30:00Z";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

fn form(value: &Value) -> Questionnaire {
    Questionnaire::parse(&serde_json::to_vec(value).unwrap()).unwrap()
}

fn score(place: usize) -> Value {
    let words = ["None", "Mild", "Moderate", "Severe", "Very severe"][place];
    json!({"system": "https://ward.example/fhir/CodeSystem/scores", "code": place.to_string(), "display": words})
}

/// Twenty questions with five offered answers each, as symptom forms have them.
fn twenty() -> (Value, Value) {
    let offered: Vec<Value> = (0..5).map(|place| json!({"valueCoding": score(place)})).collect();
    let question = |n: usize| {
        json!({"linkId": format!("symptom-{n:02}"), "type": "choice", "required": true,
            "text": format!("How bad was symptom {n} at its worst?"), "answerOption": offered})
    };
    let answer =
        |n: usize| json!({"linkId": format!("symptom-{n:02}"), "answer": [{"valueCoding": score(n % 5)}]});
    let url = "https://ward.example/fhir/Questionnaire/twenty";
    let form = json!({"resourceType": "Questionnaire", "url": url, "version": "1.0.0", "status": "active",
        "item": (1..=20).map(question).collect::<Vec<_>>()});
    let response = json!({"resourceType": "QuestionnaireResponse", "questionnaire": format!("{url}|1.0.0"),
        "status": "completed", "authored": AUTHORED, "item": (1..=20).map(answer).collect::<Vec<_>>()});
    (form, response)
}

fn diary_form() -> Value {
    serde_json::from_str(DIARY).unwrap()
}

/// The symptom diary of this repository on a day on which half of it is asked.
fn diary() -> (Value, Value) {
    let form_value = diary_form();
    let mut answering = Answering::new(form(&form_value));
    for n in 0.. {
        let Some(step) = answering.next_question() else { break };
        let value = match step.item_type {
            ItemType::Choice => Some(step.options[n % 3].value.clone()),
            ItemType::Boolean => Some(AnswerValue::Boolean(true)),
            _ => Some(AnswerValue::text("Better than yesterday.")),
        };
        match value {
            Some(value) => answering.answer(&step.path, value).unwrap(),
            None => answering.skip(&step.path).unwrap(),
        }
    }
    (form_value, answering.finish(Some(AUTHORED)).unwrap().to_value())
}

/// Every element of the format at least once.
fn everything() -> (Value, Value) {
    let mild_or_none = json!([{"valueCoding": score(0)}, {"valueCoding": score(1)}]);
    let form = json!({"resourceType": "Questionnaire", "url": "https://ward.example/fhir/Questionnaire/all",
    "status": "active", "item": [
        {"linkId": "whole", "type": "integer"},
        {"linkId": "below-zero", "type": "integer"},
        {"linkId": "yes", "type": "boolean"},
        {"linkId": "not-asked-1", "type": "string"},
        {"linkId": "not-asked-2", "type": "string"},
        {"linkId": "weight", "type": "decimal"},
        {"linkId": "day", "type": "date"},
        {"linkId": "when", "type": "dateTime"},
        {"linkId": "at", "type": "time"},
        {"linkId": "link", "type": "url"},
        {"linkId": "words", "type": "text"},
        {"linkId": "one", "type": "choice", "answerOption": mild_or_none},
        {"linkId": "own-words", "type": "open-choice", "answerOption": mild_or_none},
        {"linkId": "elsewhere", "type": "choice", "answerValueSet": "https://example.org/vs"},
        {"linkId": "several", "type": "choice", "repeats": true, "answerOption": mild_or_none,
            "item": [{"linkId": "since", "type": "date"}]},
        {"linkId": "amount", "type": "quantity"},
        {"linkId": "nothing", "type": "string"},
        {"linkId": "episode", "type": "group", "repeats": true, "item": [
            {"linkId": "what", "type": "string"}, {"linkId": "how-long", "type": "integer"}]},
    ]});
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": [
        {"linkId": "whole", "answer": [{"valueInteger": 7}]},
        {"linkId": "below-zero", "answer": [{"valueInteger": -7}]},
        {"linkId": "yes", "answer": [{"valueBoolean": true}]},
        {"linkId": "weight", "answer": [{"valueDecimal": 71.5}]},
        {"linkId": "day", "answer": [{"valueDate": "2026-03"}]},
        {"linkId": "when", "answer": [{"valueDateTime": AUTHORED}]},
        {"linkId": "at", "answer": [{"valueTime": "08:00:00"}]},
        {"linkId": "link", "answer": [{"valueUri": "urn:x"}]},
        {"linkId": "words", "answer": [{"valueString": "as usual"}]},
        {"linkId": "one", "answer": [{"valueCoding": score(1)}]},
        {"linkId": "own-words", "answer": [{"valueString": "in between"}]},
        {"linkId": "elsewhere", "answer": [{"valueCoding": {"system": "s", "code": "c"}}]},
        {"linkId": "several", "answer": [
            {"valueCoding": score(0)},
            {"valueCoding": score(1), "item": [{"linkId": "since", "answer": [{"valueDate": "2026-02-27"}]}]}]},
        {"linkId": "amount", "answer": [{"valueQuantity": {"value": 2, "unit": "tablets"}}]},
        {"linkId": "nothing"},
        {"linkId": "episode", "item": [{"linkId": "what", "answer": [{"valueString": "dizzy"}]}]},
        {"linkId": "episode", "item": [{"linkId": "how-long", "answer": [{"valueInteger": 3}]}]},
    ]});
    (form, response)
}

fn vectors() -> Value {
    let cases = [("twenty answers", twenty()), ("symptom diary", diary()), ("everything", everything())];
    let vector = |(name, (form_value, response_value)): (&str, (Value, Value))| {
        let response = QuestionnaireResponse::parse(&serde_json::to_vec(&response_value).unwrap()).unwrap();
        let dense = encode_answers(&form(&form_value), ResponseStatus::Completed, &response).unwrap();
        let is_diary = form_value["name"] == diary_form()["name"];
        let questionnaire = if is_diary { json!(DIARY_FILE) } else { form_value };
        json!({"name": name, "implied_status": "completed", "questionnaire": questionnaire,
            "response": response_value, "dense": hex(&dense)})
    };
    json!({
        "about": "Dense answers (questionnaire-response, version 2): the compact JSON of response and the bytes of \
                  dense stand for each other, given questionnaire and the status that the payload implies.",
        "vectors": cases.into_iter().map(vector).collect::<Vec<_>>(),
    })
}

#[test]
fn committed_vectors_hold() {
    let current = format!("{}\n", serde_json::to_string_pretty(&vectors()).unwrap());
    if std::env::var_os("WARD_WRITE_VECTORS").is_some() {
        std::fs::write(VECTORS, &current).unwrap();
    }
    let committed = std::fs::read_to_string(VECTORS).unwrap();
    assert_eq!(committed, current, "the dense form changed");
    let committed: Value = serde_json::from_str(&committed).unwrap();
    for vector in committed["vectors"].as_array().unwrap() {
        let dense = unhex(vector["dense"].as_str().unwrap());
        let questionnaire = match vector["questionnaire"].as_str() {
            Some(file) => {
                assert_eq!(file, DIARY_FILE);
                diary_form()
            }
            None => vector["questionnaire"].clone(),
        };
        let response = decode_answers(&form(&questionnaire), ResponseStatus::Completed, &dense).unwrap();
        assert_eq!(
            response.to_json(),
            serde_json::to_vec(&vector["response"]).unwrap(),
            "{}",
            vector["name"]
        );
        println!("{}: {} bytes for {} of JSON", vector["name"], dense.len(), response.to_json().len());
    }
}
