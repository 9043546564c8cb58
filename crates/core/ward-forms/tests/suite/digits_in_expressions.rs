//! Expressions see the digits that numbers were written with, wherever they stand and move to.

use crate::form_parts::{calculated, form, item, locked, of, top};
use serde_json::json;
use std::sync::Arc;
use ward_forms::{
    AnswerValue, Answering, Finding, FindingCode, ItemPath, Questionnaire, QuestionnaireResponse,
    Surroundings, validate_in,
};

/// A form that says in words what expressions see of the numbers.
fn telling(expressions: &[&str]) -> Questionnaire {
    let mut items = vec![
        json!({"linkId": "dose", "type": "decimal", "text": "T"}),
        json!({"linkId": "size", "type": "quantity", "text": "T"}),
        json!({"linkId": "g", "type": "group", "text": "T", "repeats": true, "item": [
            {"linkId": "part", "type": "decimal", "text": "T"}, {"linkId": "why", "type": "string", "text": "T", "item": [
                {"linkId": "below", "type": "decimal", "text": "T"}]}]}),
    ];
    for (at, text) in expressions.iter().enumerate() {
        items.push(locked(item(&format!("t{at}"), "string", json!([calculated(text)]))));
    }
    form(json!(items))
}

fn response(status: &str, items: &str) -> QuestionnaireResponse {
    let text = format!(
        r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"u|1","status":"{status}","item":[{items}]}}"#
    );
    QuestionnaireResponse::parse(text.as_bytes()).unwrap()
}

fn told(answering: &Answering, link_id: &str) -> Option<String> {
    let items = answering.draft();
    let found =
        items.items().iter().find(|item| item.link_id() == link_id)?.answers().first()?.value().cloned();
    match found {
        Some(AnswerValue::String(text)) => Some(text),
        _ => None,
    }
}

#[test]
fn the_precision_of_an_answer_is_that_of_what_was_written() {
    let dose = of("dose");
    let size = of("size");
    let form = telling(&[
        &format!("{dose}.precision().toString()"),
        &format!("{dose}.lowBoundary().toString()"),
        &format!("{dose}.toString()"),
        &format!("({dose} = 1.5).toString()"),
        &format!("({size}.value + 0.01).toString()"),
        &format!("{size}.toString()"),
    ]);
    let draft = response(
        "in-progress",
        r#"{"linkId":"dose","answer":[{"valueDecimal":1.50}]},{"linkId":"size","answer":[{"valueQuantity":{"value":12345678901234567890.10,"system":"http://unitsofmeasure.org","code":"mm"}}]}"#,
    );
    let answering = Answering::resume(form, draft);
    let expected =
        ["2", "1.49500000", "1.50", "true", "12345678901234567890.11", "12345678901234567890.10 'mm'"];
    for (at, expected) in expected.iter().enumerate() {
        assert_eq!(told(&answering, &format!("t{at}")).as_deref(), Some(*expected), "t{at}");
    }
}

#[test]
fn more_digits_than_a_double_holds_are_not_rounded_away() {
    let parts = "%resource.item.where(linkId='g').item.where(linkId='part').answer";
    let form = telling(&[
        &format!("{parts}.value.sum().toString()"),
        &format!("{parts}.value.distinct().count().toString()"),
        &format!("({parts} | {{}}).count().toString()"),
    ]);
    let draft = response(
        "in-progress",
        r#"{"linkId":"g","item":[{"linkId":"part","answer":[{"valueDecimal":0.1000000000000000000001}]}]},{"linkId":"g","item":[{"linkId":"part","answer":[{"valueDecimal":0.1000000000000000000002}]}]},{"linkId":"g","item":[{"linkId":"part","answer":[{"valueDecimal":0.10000000000000000000020}]}]}"#,
    );
    let answering = Answering::resume(form, draft);
    assert_eq!(told(&answering, "t0").as_deref(), Some("0.30000000000000000000050"));
    assert_eq!(told(&answering, "t1").as_deref(), Some("2"), "0.…20 and 0.…2 are one number");
    assert_eq!(told(&answering, "t2").as_deref(), Some("2"), "so are the answers that hold them");
}

#[test]
fn a_number_with_more_digits_than_fit_makes_no_score() {
    let form = Arc::new(telling(&[&format!("({} + 1).toString()", of("dose"))]));
    let items = r#"{"linkId":"dose","answer":[{"valueDecimal":0.12345678901234567890123456789}]}"#;
    let findings = validate_in(&form, &response("completed", items), &Surroundings::new());
    let failed = |finding: &Finding| finding.code == FindingCode::ExpressionFailed;
    assert!(findings.iter().any(failed), "{findings:?}");
    assert!(!findings.iter().any(Finding::is_error), "{findings:?}");
    let answering =
        Answering::resume_in(Arc::clone(&form), response("in-progress", items), Surroundings::new());
    assert_eq!(told(&answering, "t0"), None);
}

#[test]
fn digits_move_with_the_repetition_that_they_stand_in() {
    let all = "%resource.item.where(linkId='g').item.where(linkId='part').answer.value.toString()";
    let all = all.replace(".toString()", ".select(toString()).join(' ')");
    let below =
        "%resource.descendants().where(linkId='below').answer.value.select(toString()).join(' ')".to_owned();
    let form = telling(&[&all, &below]);
    let instance = |part: &str, below: &str| {
        format!(
            r#"{{"linkId":"g","item":[{{"linkId":"part","answer":[{{"valueDecimal":{part}}}]}},{{"linkId":"why","answer":[{{"valueString":"w","item":[{{"linkId":"below","answer":[{{"valueDecimal":{below}}}]}}]}}]}}]}}"#
        )
    };
    let items = [instance("1.10", "5.00"), instance("2", "6.0"), instance("3.30", "7")].join(",");
    let mut answering = Answering::resume(form, response("in-progress", &items));
    let says = |answering: &Answering| {
        (told(answering, "t0").unwrap_or_default(), told(answering, "t1").unwrap_or_default())
    };
    assert_eq!(says(&answering), ("1.10 2 3.30".to_owned(), "5.00 6.0 7".to_owned()));
    let group = |at: usize| ItemPath::root().child("g", at);
    answering.remove_instance(&group(1)).unwrap();
    assert_eq!(says(&answering), ("1.10 3.30".to_owned(), "5.00 7".to_owned()));
    let part = |at: usize| group(at).child("part", 0);
    answering.answer(&part(0), AnswerValue::decimal(1.2).unwrap()).unwrap();
    answering.clear(&group(1).child("why", 0)).unwrap();
    assert_eq!(says(&answering), ("1.2 3.30".to_owned(), "5.00".to_owned()));
    answering.remove_instance(&group(0)).unwrap();
    assert_eq!(says(&answering), ("3.30".to_owned(), String::new()));
    answering.answer(&top("dose"), AnswerValue::decimal(2.0).unwrap()).unwrap();
    assert_eq!(answering.compare_with_scratch(), Ok(()));
}

#[test]
fn a_stored_score_of_exact_digits_is_what_the_form_calculates() {
    let form = Arc::new(telling(&[&format!("{}.toString()", of("dose"))]));
    let items = |told: &str| {
        format!(
            r#"{{"linkId":"dose","answer":[{{"valueDecimal":1.50}}]}},{{"linkId":"t0","answer":[{{"valueString":"{told}"}}]}}"#
        )
    };
    let differs = |told: &str| {
        let findings = validate_in(&form, &response("completed", &items(told)), &Surroundings::new());
        findings.iter().any(|finding| finding.code == FindingCode::CalculatedDiffers)
    };
    assert!(!differs("1.50"));
    assert!(differs("1.5"));
}

#[test]
fn the_digits_of_the_form_are_seen_too() {
    let base = r#"{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","contained":[{"resourceType":"Basic","id":"b","extension":[{"url":"x","valueDecimal":4.40}]}],"item":[{"linkId":"t0","type":"string","text":"T","readOnly":true,"extension":[{"url":"y","valueDecimal":2.20},{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression","valueExpression":{"language":"text/fhirpath","expression":"%qitem.extension('y').value.toString() & ' ' & %b.extension('x').value.toString() & ' ' & %questionnaire.item.extension('y').value.toString()"}}]}]}"#;
    let form = Questionnaire::parse(base.as_bytes()).unwrap();
    let answering = Answering::new(form);
    assert_eq!(told(&answering, "t0").as_deref(), Some("2.20 4.40 2.20"));
}
