//! A small symptom diary in the PRO-CTCAE structure, in words of its own.

use serde_json::{Value, json};
use ward_forms::pro_ctcae::STRUCTURE_SYSTEM;
use ward_sync::{
    AnsweredBy, Instrument, InstrumentSchedule, Occurrence, QuestionnaireResponse, ResponseStatus,
};

/// The diary's address.
pub const DIARY_URL: &str = "https://ward.example/Questionnaire/test-diary";
/// Its version.
pub const DIARY_VERSION: &str = "1";

fn question(link_id: &str, text: &str, code: &str, label: &str) -> Value {
    json!({
        "linkId": link_id, "type": "integer", "text": text, "required": true,
        "code": [{"system": STRUCTURE_SYSTEM, "code": code, "display": label}],
    })
}

/// The diary with a daily schedule from this day on.
pub fn diary_instrument(first_day: i64, days: u16) -> Instrument {
    let questionnaire = json!({
        "resourceType": "Questionnaire", "url": DIARY_URL, "version": DIARY_VERSION, "status": "active",
        "title": "Daily diary",
        "item": [
            question("nausea-f", "How often did you feel sick?", "nausea/frequency", "Nausea"),
            question("nausea-s", "How bad was it at its worst?", "nausea/severity", "Nausea"),
            question("pain-s", "How bad was your pain at its worst?", "pain/severity", "Pain"),
            {"linkId": "call-me", "type": "boolean", "text": "Shall somebody call you today?"},
            {"linkId": "words", "type": "text", "text": "Anything else?"},
        ],
    });
    Instrument {
        url: DIARY_URL.to_owned(),
        version: DIARY_VERSION.to_owned(),
        questionnaire: questionnaire.to_string().into_bytes(),
        schedule: InstrumentSchedule::EveryDays { first_day, every_days: 1, days },
    }
}

/// Answers as FHIR JSON: how often and how bad nausea was, how bad the pain, and words.
pub fn diary_answers(nausea: (u8, u8), pain: u8, call_me: bool, words: &str) -> Value {
    json!({
        "resourceType": "QuestionnaireResponse",
        "questionnaire": format!("{DIARY_URL}|{DIARY_VERSION}"), "status": "completed",
        "item": [
            {"linkId": "nausea-f", "answer": [{"valueInteger": nausea.0}]},
            {"linkId": "nausea-s", "answer": [{"valueInteger": nausea.1}]},
            {"linkId": "pain-s", "answer": [{"valueInteger": pain}]},
            {"linkId": "call-me", "answer": [{"valueBoolean": call_me}]},
            {"linkId": "words", "answer": [{"valueString": words}]},
        ],
    })
}

/// A completed response for a planned day.
pub fn diary_response(day: i64, answers: &Value) -> QuestionnaireResponse {
    let occurrence: Occurrence = ward_client::views::occurrence_of(day);
    QuestionnaireResponse {
        instrument_url: DIARY_URL.to_owned(),
        instrument_version: DIARY_VERSION.to_owned(),
        occurrence,
        status: ResponseStatus::Completed,
        answered_by: AnsweredBy::Self_,
        response: answers.to_string().into_bytes(),
    }
}
