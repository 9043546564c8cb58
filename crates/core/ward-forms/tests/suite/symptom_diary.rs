//! The symptom diary for demonstrations: structure, branches, scores, and the
//! scoring rules on small forms.

use serde_json::{Value, json};
use ward_forms::pro_ctcae::{Attribute, MissingReason, RECALL_DAYS, STRUCTURE_SYSTEM};
use ward_forms::{
    AnswerValue, Answering, ItemType, Questionnaire, QuestionnaireResponse, SymptomScore, lint,
    score_symptoms, validate,
};

const DIARY: &[u8] = include_bytes!("../../../../../testdata/instruments/ward-symptom-diary.json");

fn diary() -> Questionnaire {
    Questionnaire::parse(DIARY).unwrap()
}

/// Answers every question that is asked: symptom questions by `score`, which
/// names the option's place, and the rest is skipped.
fn answered(score: impl Fn(&str) -> usize) -> (QuestionnaireResponse, Vec<String>) {
    let mut answering = Answering::new(diary());
    let mut asked = Vec::new();
    while let Some(step) = answering.next_question() {
        asked.push(step.link_id.clone());
        if step.item_type == ItemType::Choice {
            let value = step.options.get(score(&step.link_id)).unwrap().value.clone();
            answering.answer(&step.path, value).unwrap();
        } else {
            answering.skip(&step.path).unwrap();
        }
    }
    (answering.finish(Some("2026-03-01T09:30:00Z")).unwrap(), asked)
}

fn grade(scores: &[SymptomScore], symptom: &str) -> (Option<u8>, Option<MissingReason>) {
    let score = scores.iter().find(|score| score.symptom == symptom).unwrap();
    (score.grade, score.missing)
}

#[test]
fn the_diary_has_nothing_to_repair_and_the_promised_shape() {
    let diary = diary();
    assert_eq!(lint(&diary), []);
    let questions: Vec<_> = diary.items().iter().filter(|item| item.item_type.takes_answers()).collect();
    let symptoms = questions.iter().filter(|item| !item.codes.is_empty()).count();
    assert_eq!((symptoms, questions.len()), (20, 22));
    let call = diary.item("call-me").unwrap();
    assert_eq!((call.item_type, call.required), (ItemType::Boolean, false));
    let note = diary.item("note").unwrap();
    assert_eq!((note.item_type, note.required), (ItemType::Text, false));
    assert!(diary.items().iter().all(|item| item.text.is_some()));
    assert!(diary.item("welcome").unwrap().text.as_deref().unwrap().contains(&format!("{RECALL_DAYS} days")));
}

#[test]
fn nothing_to_report_takes_one_question_a_symptom() {
    let (response, asked) = answered(|_| 0);
    assert_eq!(asked.len(), 9 + 2);
    assert!(validate(&diary(), &response).is_empty());
    let scores = score_symptoms(&diary(), &response);
    assert_eq!(scores.len(), 9);
    assert!(scores.iter().all(|score| score.grade == Some(0) && score.missing.is_none()));
    let pain = scores.iter().find(|score| score.symptom == "pain").unwrap();
    assert_eq!(pain.label, "Pain");
    let missing: Vec<_> =
        pain.attributes.iter().map(|score| (score.attribute, score.score, score.missing)).collect();
    assert_eq!(
        missing,
        [
            (Attribute::Frequency, Some(0), None),
            (Attribute::Severity, None, Some(MissingReason::NotAsked)),
            (Attribute::Interference, None, Some(MissingReason::NotAsked)),
        ]
    );
}

#[test]
fn the_worst_of_all_takes_every_question_and_gives_grade_3() {
    let (response, asked) = answered(|_| 4);
    assert_eq!(asked.len(), 22);
    assert!(score_symptoms(&diary(), &response).iter().all(|score| score.grade == Some(3)));
}

#[test]
fn each_symptom_gets_the_published_grade() {
    // Frequency 3, severity 2, interference 1.
    let (response, _) = answered(|link_id| match link_id.rsplit_once('-').unwrap().1 {
        "frequency" => 3,
        "severity" => 2,
        _ => 1,
    });
    let grades: Vec<_> = score_symptoms(&diary(), &response)
        .into_iter()
        .map(|score| (score.symptom, score.grade.unwrap()))
        .collect();
    let expected = [
        ("nausea", 2),
        ("vomiting", 2),
        ("diarrhoea", 2),
        ("pain", 2),
        ("tiredness", 1),
        ("mouth-sores", 1),
        ("numbness", 1),
        ("low-mood", 2),
        ("worry", 2),
    ];
    assert_eq!(grades, expected.map(|(symptom, grade)| (symptom.to_owned(), grade)));
}

#[test]
fn rather_not_say_is_missing_and_not_zero() {
    let (response, asked) = answered(|link_id| match link_id {
        "pain-frequency" => 5,
        "low-mood-frequency" => 2,
        "low-mood-severity" => 5,
        "low-mood-interference" => 4,
        _ => 0,
    });
    assert!(!asked.contains(&"pain-severity".to_owned()));
    let scores = score_symptoms(&diary(), &response);
    assert_eq!(grade(&scores, "pain"), (None, Some(MissingReason::AttributeMissing)));
    assert_eq!(grade(&scores, "low-mood"), (None, Some(MissingReason::AttributeMissing)));
    assert_eq!(grade(&scores, "worry"), (Some(0), None));
    let pain = scores.iter().find(|score| score.symptom == "pain").unwrap();
    assert_eq!(pain.attributes.first().unwrap().missing, Some(MissingReason::NoScore));
}

#[test]
fn asking_for_a_call_shows_what_to_do_at_once() {
    let mut answering = Answering::new(diary());
    let path = answering.path_of("call-me").unwrap();
    answering.answer(&path, AnswerValue::Boolean(true)).unwrap();
    assert_eq!(answering.question(&path).unwrap().answers, [AnswerValue::Boolean(true)]);
}

fn small(items: Value) -> Questionnaire {
    let value = json!({"resourceType": "Questionnaire", "status": "active", "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

fn marked(link_id: &str, kind: &str, code: &str) -> Value {
    json!({"linkId": link_id, "type": kind, "text": "T", "code": [{"system": STRUCTURE_SYSTEM, "code": code}]})
}

fn scored(form: &Questionnaire, items: Value) -> Vec<SymptomScore> {
    let value = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
    let response = QuestionnaireResponse::parse(&serde_json::to_vec(&value).unwrap()).unwrap();
    score_symptoms(form, &response)
}

#[test]
fn presence_is_scored_and_has_no_grade() {
    let form = small(json!([marked("v", "boolean", "voice/presence")]));
    let scores = scored(&form, json!([{"linkId": "v", "answer": [{"valueBoolean": true}]}]));
    let voice = scores.first().unwrap();
    assert_eq!(voice.attributes.first().unwrap().score, Some(1));
    assert_eq!((voice.grade, voice.missing), (None, Some(MissingReason::NoGradeDefined)));
    assert_eq!(voice.label, "voice");
}

#[test]
fn numbers_and_digit_codes_are_scores_within_their_range() {
    let form = small(json!([
        marked("f", "integer", "itch/frequency"),
        {"linkId": "s", "type": "choice", "text": "T", "code": [{"system": STRUCTURE_SYSTEM, "code": "itch/severity"}],
         "answerOption": [{"valueCoding": {"code": "2"}}, {"valueCoding": {"code": "na"}}]}]));
    let of = |frequency: i32, severity: &str| {
        let scores = scored(
            &form,
            json!([
            {"linkId": "f", "answer": [{"valueInteger": frequency}]},
            {"linkId": "s", "answer": [{"valueCoding": {"code": severity}}]}]),
        );
        grade(&scores, "itch")
    };
    assert_eq!(of(3, "2"), (Some(2), None));
    assert_eq!(of(4, "na"), (None, Some(MissingReason::AttributeMissing)));
    for outside in [5, -1, 256] {
        assert_eq!(of(outside, "2"), (None, Some(MissingReason::AttributeMissing)));
    }
}

#[test]
fn an_answer_of_a_disabled_question_is_not_scored() {
    let form = small(json!([
        {"linkId": "a", "type": "boolean"},
        {"linkId": "s", "type": "integer", "text": "T", "code": [{"system": STRUCTURE_SYSTEM, "code": "itch/severity"}],
         "enableWhen": [{"question": "a", "operator": "=", "answerBoolean": true}]}]));
    let scores = scored(&form, json!([{"linkId": "s", "answer": [{"valueInteger": 4}]}]));
    assert_eq!(scores.first().unwrap().attributes.first().unwrap().missing, Some(MissingReason::NotAsked));
}

#[test]
fn attributes_stand_in_their_order_whatever_the_form_does() {
    let form =
        small(json!([marked("i", "integer", "itch/interference"), marked("f", "integer", "itch/frequency")]));
    let scores = scored(
        &form,
        json!([
        {"linkId": "i", "answer": [{"valueInteger": 4}]}, {"linkId": "f", "answer": [{"valueInteger": 0}]}]),
    );
    assert_eq!(grade(&scores, "itch"), (Some(0), None));
}
