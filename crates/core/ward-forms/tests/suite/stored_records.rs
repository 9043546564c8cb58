//! What was signed and stored is read again, whatever rule came later; what is new is read strictly.

use serde_json::{Value, json};
use ward_forms::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSIONS_PER_ITEM, MAX_RESPONSE_BYTES};
use ward_forms::{Answer, AnswerValue, Answering, FormError, Questionnaire, QuestionnaireResponse};

#[test]
fn a_stored_response_with_a_field_given_twice_is_read_and_says_so() {
    let text = br#"{"resourceType": "QuestionnaireResponse", "status": "completed",
        "item": [{"linkId": "dose", "answer": [{"valueDecimal": 1.50, "valueDecimal": 15.0}]}]}"#;
    assert!(matches!(
        QuestionnaireResponse::parse(text),
        Err(FormError::DuplicateField { field }) if field == "valueDecimal"
    ));
    let stored = QuestionnaireResponse::parse_stored(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(stored.doubt, Some(FormError::DuplicateField { field: "valueDecimal".to_owned() }));
    let value = stored.content.items()[0].answers().first().and_then(Answer::value);
    assert!(
        matches!(value, Some(AnswerValue::Decimal(number)) if number.as_f64() == Some(15.0)),
        "{value:?}"
    );
    let written = String::from_utf8(stored.content.to_json()).unwrap_or_default();
    assert!(
        written.contains("15.0") && !written.contains("1.50"),
        "the digits are those of the value: {written}"
    );
}

#[test]
fn a_stored_form_is_read_however_long_its_expressions_are() {
    let variable = |text: String| {
        json!({"url": "http://hl7.org/fhir/StructureDefinition/variable",
            "valueExpression": {"name": "v", "language": "text/fhirpath", "expression": text}})
    };
    let form = |extensions: Vec<Value>| {
        json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
            "item": [{"linkId": "a", "type": "integer", "text": "?", "extension": extensions}]})
        .to_string()
        .into_bytes()
    };
    let long = form(vec![variable("1".repeat(MAX_EXPRESSION_BYTES + 1))]);
    let many = form((0..=MAX_EXPRESSIONS_PER_ITEM).map(|_| variable("1".to_owned())).collect());
    for bytes in [long, many] {
        let refused = Questionnaire::parse(&bytes).err();
        assert!(
            matches!(refused, Some(FormError::FieldTooLong { .. } | FormError::TooMany { .. })),
            "{refused:?}"
        );
        let stored = Questionnaire::parse_stored(&bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((stored.doubt, stored.content.items().len()), (None, 1));
    }
}

#[test]
fn what_is_good_is_read_alike_and_a_bomb_is_refused_alike() {
    let text = br#"{"resourceType": "QuestionnaireResponse", "status": "completed", "item": []}"#;
    let stored = QuestionnaireResponse::parse_stored(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(stored.doubt, None);
    assert_eq!(Ok(stored.content), QuestionnaireResponse::parse(text));
    let deep = "[".repeat(1_000_000);
    assert!(matches!(
        QuestionnaireResponse::parse_stored(deep.as_bytes()),
        Err(FormError::JsonTooDeep { .. })
    ));
    let large = " ".repeat(MAX_RESPONSE_BYTES + 1);
    assert!(matches!(
        QuestionnaireResponse::parse_stored(large.as_bytes()),
        Err(FormError::TooManyBytes { .. })
    ));
}

#[test]
fn what_cannot_be_asked_after_the_last_question_is_shown() {
    let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active", "item": [
        {"linkId": "a", "type": "integer", "text": "Steps"},
        {"linkId": "photo", "type": "attachment", "text": "A photo of the wound"},
        {"linkId": "thanks", "type": "display", "text": "Thank you"}]});
    let form = Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let notes = Answering::new(form).closing_notes();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("A photo of the wound (") && notes[1] == "Thank you", "{notes:?}");
}
