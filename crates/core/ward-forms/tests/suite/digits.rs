//! Numbers keep the digits they were written with, through reading, answering and finishing.

use ward_forms::{
    AnswerValue, Answering, ItemPath, Questionnaire, QuestionnaireResponse, decode_answers, encode_answers,
};

const FORM: &str = r#"{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","x":1.50,"item":[
    {"linkId":"dose","type":"decimal","text":"Dose"},
    {"linkId":"size","type":"quantity","text":"Size"},
    {"linkId":"off","type":"decimal","text":"Off","enableWhen":[{"question":"dose","operator":">","answerDecimal":100.0}]},
    {"linkId":"more","type":"decimal","text":"More","repeats":true}]}"#;

const DRAFT: &str = r#"{"resourceType":"QuestionnaireResponse","questionnaire":"u|1","status":"in-progress","score":7.10,"item":[{"linkId":"dose","answer":[{"valueDecimal":1.50,"note":[{"precision":1e0},2.00]}]},{"linkId":"size","weight":3.0,"answer":[{"valueQuantity":{"value":12345678901234567890.10,"unit":"mm"}}]},{"linkId":"off","answer":[{"valueDecimal":9.90}]},{"linkId":"more","answer":[{"valueDecimal":1.10},{"valueDecimal":2.20},{"valueDecimal":3}]}]}"#;

fn form() -> Questionnaire {
    Questionnaire::parse(FORM.as_bytes()).unwrap()
}

fn draft() -> QuestionnaireResponse {
    QuestionnaireResponse::parse(DRAFT.as_bytes()).unwrap()
}

fn json(response: &QuestionnaireResponse) -> String {
    String::from_utf8(response.to_json()).unwrap()
}

#[test]
fn what_is_read_is_written_with_the_same_digits() {
    assert_eq!(json(&draft()), DRAFT);
    assert_eq!(form().as_json(), FORM.as_bytes());
}

#[test]
fn finishing_keeps_the_digits_of_what_stays() {
    let finished = Answering::resume(form(), draft()).finish(None).unwrap();
    let expected = DRAFT
        .replace("in-progress", "completed")
        .replace(r#"{"linkId":"off","answer":[{"valueDecimal":9.90}]},"#, "");
    assert_eq!(json(&finished), expected);
}

#[test]
fn a_changed_answer_does_not_take_the_digits_of_the_old_one() {
    let mut answering = Answering::resume(form(), draft());
    let decimal = |number: f64| AnswerValue::decimal(number).unwrap();
    answering.answer(&ItemPath::top("dose"), decimal(2.5)).unwrap();
    answering
        .answer_all(
            &ItemPath::top("more"),
            vec![decimal(1.1), decimal(7.0), AnswerValue::decimal(3.0).unwrap()],
        )
        .unwrap();
    let expected = DRAFT
        .replace(r#"{"valueDecimal":1.50,"note":[{"precision":1e0},2.00]}"#, r#"{"valueDecimal":2.5}"#)
        .replace(r#"{"valueDecimal":2.20}"#, r#"{"valueDecimal":7.0}"#)
        .replace(r#"{"valueDecimal":3}"#, r#"{"valueDecimal":3.0}"#);
    assert_eq!(json(&answering.draft()), expected);
}

#[test]
fn a_response_whose_digits_the_dense_form_would_lose_stays_json() {
    let response = |digits: &str| {
        let text = format!(
            r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"u|1","status":"completed","item":[{{"linkId":"dose","answer":[{{"valueDecimal":{digits}}}]}}]}}"#
        );
        QuestionnaireResponse::parse(text.as_bytes()).unwrap()
    };
    let kept = response("1.5");
    let dense = encode_answers(&form(), kept.status(), &kept).unwrap();
    assert_eq!(decode_answers(&form(), kept.status(), &dense).unwrap().to_json(), kept.to_json());
    assert_eq!(encode_answers(&form(), kept.status(), &response("1.50")), None);
}
