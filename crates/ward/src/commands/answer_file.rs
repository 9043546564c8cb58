//! Answers from a file: a FHIR response, or an object of linkId and value.

use crate::exit::Failure;
use crate::limits::INPUT_FILE_MAX_BYTES;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;
use ward_forms::{
    Answer, AnswerValue, Answering, ItemState, QuestionnaireResponse, ResponseItem, ResponseStatus,
};

/// Gives the answers of a file.
///
/// # Errors
/// When the file cannot be read, says that it is something else than these answers, or an answer is
/// not taken.
pub fn fill_from_file(answering: &mut Answering, amending: bool, file: &Path) -> Result<(), Failure> {
    let text = crate::commands::read_input_file(file, INPUT_FILE_MAX_BYTES)?;
    let value: Value = serde_json::from_slice(&text).map_err(|error| {
        Failure::input(format!("{} is not JSON", file.display()), error, "check the file")
    })?;
    if value.get("resourceType").is_some() {
        return fill_from_response(answering, amending, &text);
    }
    let Some(map) = value.as_object() else {
        return Err(Failure::input(
            format!("{} holds no answers", file.display()),
            "it is neither a FHIR response nor an object of linkId and value",
            "see `ward answer --help`",
        ));
    };
    fill_from_map(answering, map)
}

/// A FHIR response says itself how far it is. What it says is not overruled: answers that were given
/// up, or entered in error, would else be signed as finished ones.
fn fill_from_response(answering: &mut Answering, amending: bool, text: &[u8]) -> Result<(), Failure> {
    let given = QuestionnaireResponse::parse(text).map_err(|error| {
        Failure::input("The answers cannot be read", error, "check that it is a FHIR response")
    })?;
    let refused = match given.status() {
        ResponseStatus::Completed => None,
        ResponseStatus::Amended if amending => None,
        ResponseStatus::Amended => Some("to correct earlier answers, name their entry with --amend"),
        _ => Some("if they are finished all the same, write `completed` into the file"),
    };
    if let Some(next) = refused {
        let why = format!("the file says that its answers are `{}`", given.status().code());
        return Err(Failure::input("These answers are not taken as finished ones", why, next));
    }
    let form = answering.questionnaire().clone();
    let surroundings = answering.surroundings().clone();
    let room = answering.room();
    *answering = if amending {
        Answering::amend_in(form, given.clone(), surroundings)
    } else {
        Answering::resume_in(form, given.clone(), surroundings)
    };
    answering.keep_within(room);
    let mut link_ids = BTreeSet::new();
    given.items().iter().for_each(|item| answered(item, &mut link_ids));
    all_asked(answering, &link_ids)
}

/// The questions to which a file gives answers.
fn answered(item: &ResponseItem, link_ids: &mut BTreeSet<String>) {
    if !item.answers().is_empty() {
        link_ids.insert(item.link_id().to_owned());
    }
    let nested = item.answers().iter().flat_map(Answer::items);
    item.items().iter().chain(nested).for_each(|inner| answered(inner, link_ids));
}

/// Whether all that a file answers is asked, given all its answers. What is not asked is never given away,
/// and nobody sits here who could be told.
fn all_asked(answering: &Answering, link_ids: &BTreeSet<String>) -> Result<(), Failure> {
    let form = answering.questionnaire();
    let is_filled_in =
        |state: &ItemState| form.item(&state.link_id).is_some_and(|item| item.initial == state.answers);
    let off: Vec<String> = answering
        .items()
        .into_iter()
        .filter(|state| !state.is_on && !state.answers.is_empty() && link_ids.contains(&state.link_id))
        .filter(|state| !is_filled_in(state))
        .map(|state| state.path.to_string())
        .collect();
    if off.is_empty() {
        return Ok(());
    }
    Err(Failure::input(
        "Some of these answers would be lost",
        format!("given the other answers, these questions are not asked: {}", off.join(", ")),
        "take them out of the file, or correct the others; nothing was saved",
    ))
}

fn fill_from_map(answering: &mut Answering, map: &Map<String, Value>) -> Result<(), Failure> {
    // Answers switch questions on, so go on as long as something new could be answered.
    let mut left: Vec<(&String, &Value)> = map.iter().collect();
    while !left.is_empty() {
        let before = left.len();
        let mut refused = None;
        left.retain(|(link_id, value)| match answer_one(answering, link_id, value) {
            Ok(()) => false,
            Err(why) => {
                refused = Some(format!("{link_id}: {why}"));
                true
            }
        });
        if left.len() == before {
            return Err(Failure::input(
                "An answer was not taken",
                refused.unwrap_or_default(),
                "correct the file; nothing was saved",
            ));
        }
    }
    // An answer that came later may have switched one off that was taken.
    all_asked(answering, &map.keys().cloned().collect())
}

fn answer_one(answering: &mut Answering, link_id: &str, value: &Value) -> Result<(), String> {
    let path = answering.path_of(link_id).ok_or("there is no such question")?;
    let step = answering.question(&path).ok_or("it is not asked, given the other answers")?;
    let texts: Vec<String> = match value {
        Value::Array(values) => values.iter().map(as_text).collect(),
        one => vec![as_text(one)],
    };
    let values: Vec<AnswerValue> =
        texts.iter().map(|text| crate::terminal_form::read_word(&step, text)).collect::<Result<_, _>>()?;
    answering.answer_all(&path, values).map_err(|error| error.to_string())
}

fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use ward_forms::Questionnaire;

    fn form() -> Questionnaire {
        let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
            "item": [{"linkId": "a", "type": "boolean", "text": "A?", "required": true}]});
        Questionnaire::parse(form.to_string().as_bytes()).unwrap()
    }

    fn give(status: &str, amending: bool) -> Result<ResponseStatus, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("answers.json");
        let given = json!({"resourceType": "QuestionnaireResponse", "questionnaire": "u|1", "status": status,
            "item": [{"linkId": "a", "answer": [{"valueBoolean": true}]}]});
        std::fs::write(&file, given.to_string()).unwrap();
        let mut answering = if amending {
            Answering::amend(form(), QuestionnaireResponse::parse(given.to_string().as_bytes()).unwrap())
        } else {
            Answering::new(form())
        };
        fill_from_file(&mut answering, amending, &file).map_err(|failure| failure.to_string())?;
        Ok(answering.finish(None).unwrap().status())
    }

    #[test]
    fn answers_that_the_others_switch_off_are_not_lost_without_a_word() {
        let form = || {
            let off = json!([{"question": "b", "operator": "exists", "answerBoolean": false}]);
            let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
                "item": [{"linkId": "a", "type": "string", "text": "A?", "enableWhen": off},
                         {"linkId": "b", "type": "boolean", "text": "B?"}]});
            Questionnaire::parse(form.to_string().as_bytes()).unwrap()
        };
        let give = |file: serde_json::Value| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("answers.json");
            std::fs::write(&path, file.to_string()).unwrap();
            let mut answering = Answering::new(form());
            fill_from_file(&mut answering, false, &path).map_err(|failure| failure.to_string())?;
            Ok::<_, String>(answering.finish(None).unwrap().items().len())
        };
        let a = json!({"linkId": "a", "answer": [{"valueString": "pain in the left arm"}]});
        let b = json!({"linkId": "b", "answer": [{"valueBoolean": true}]});
        let response = |items: &[&serde_json::Value]| {
            json!({"resourceType": "QuestionnaireResponse", "questionnaire": "u|1", "status": "completed",
                "item": items})
        };
        for file in [json!({"a": "pain in the left arm", "b": "yes"}), response(&[&a, &b])] {
            let why = give(file).unwrap_err();
            assert!(why.contains("these questions are not asked: a"), "{why}");
        }
        assert_eq!(give(response(&[&a])), Ok(1));
        assert_eq!(give(json!({"b": "yes"})), Ok(1));
    }

    #[test]
    fn the_status_inside_a_file_is_not_overruled() {
        assert_eq!(give("completed", false), Ok(ResponseStatus::Completed));
        assert_eq!(give("completed", true), Ok(ResponseStatus::Amended), "a correction stays one");
        assert_eq!(give("amended", true), Ok(ResponseStatus::Amended));
        for (status, amending) in
            [("amended", false), ("entered-in-error", false), ("stopped", true), ("in-progress", false)]
        {
            let why = give(status, amending).unwrap_err();
            assert!(why.contains(status), "{status}: {why}");
        }
    }
}
