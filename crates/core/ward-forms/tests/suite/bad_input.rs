//! Input that nobody should send: each gets a clear error or finding, in bounded time and memory.

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use ward_forms::limits::{MAX_ITEMS, MAX_QUESTIONNAIRE_BYTES, MAX_RESPONSE_ITEMS, MAX_STRING_BYTES};
use ward_forms::{FormError, Questionnaire, QuestionnaireResponse, check_instrument, text_report, validate};

/// Seconds of processor time that one check may take in a build without optimisation, on a machine
/// that does other things too. What grows with the square of the input takes far longer.
const MOST_SECONDS: i64 = 20;

fn processor_seconds() -> i64 {
    clock_gettime(ClockId::ThreadCPUTime).tv_sec
}

/// The code and message of the first finding, after a check that ended in time.
fn first(json: &[u8]) -> (String, String) {
    let before = processor_seconds();
    let check = check_instrument(json);
    assert!(processor_seconds() - before < MOST_SECONDS);
    assert!(!check.can_be_published());
    let finding = check.findings.first().unwrap();
    (finding.code.to_string(), finding.message.clone())
}

fn form_with(items: &str) -> Vec<u8> {
    format!(r#"{{"resourceType":"Questionnaire","url":"u","version":"1","status":"active","item":{items}}}"#)
        .into_bytes()
}

fn refused(json: &[u8]) -> String {
    let (code, message) = first(json);
    assert_eq!(code, "not-a-form");
    message
}

#[test]
fn depth_bombs() {
    let brackets = form_with(&"[".repeat(1_000_000));
    assert!(refused(&brackets).contains("nested deeper than"));
    let items = r#"[{"linkId":"a","type":"group","item":"#.repeat(30_000);
    assert!(refused(&form_with(&items)).contains("nested deeper than"));
    let mut nested = json!([{"linkId": "0", "type": "group"}]);
    for level in 1..30 {
        nested = json!([{"linkId": level.to_string(), "type": "group", "item": nested}]);
    }
    assert!(refused(&form_with(&nested.to_string())).contains("items are nested deeper than"));
    let parentheses = "(".repeat(60_000);
    let deep = json!([{"linkId": "a", "type": "decimal", "text": "A", "extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/variable",
        "valueExpression": {"name": "v", "language": "text/fhirpath", "expression": format!("{parentheses}%x")}}]}]);
    assert_eq!(first(&form_with(&deep.to_string())).0, "expression-does-not-parse");
}

#[test]
fn a_million_items() {
    let list = vec!["{}"; 1_000_000].join(",");
    assert!(refused(&form_with(&format!("[{list}]"))).contains("linkId is missing"));
    let long = vec![r#"{"linkId":"a","type":"string"}"#; 1_000_000].join(",");
    let message = refused(&form_with(&format!("[{long}]")));
    assert!(message.contains(&MAX_QUESTIONNAIRE_BYTES.to_string()), "{message}");
    let numbered: Vec<String> =
        (0..=MAX_ITEMS).map(|n| format!(r#"{{"linkId":"{n}","type":"string"}}"#)).collect();
    assert!(refused(&form_with(&format!("[{}]", numbered.join(",")))).contains("more than 10000 items"));
    let answers = vec![r#"{"linkId":"a"}"#; MAX_RESPONSE_ITEMS + 1].join(",");
    let response =
        format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{answers}]}}"#);
    assert!(matches!(QuestionnaireResponse::parse(response.as_bytes()), Err(FormError::TooMany { .. })));
}

#[test]
fn as_many_duplicates_as_items() {
    let same = vec![r#"{"linkId":"a","type":"string"}"#; 9_000].join(",");
    let json = form_with(&format!("[{same}]"));
    let check = check_instrument(&json);
    assert_eq!(check.findings.len(), ward_forms::limits::MAX_NAMED_DUPLICATES);
    assert!(check.findings.iter().all(|finding| finding.code.as_str() == "duplicate-link-id"));
}

#[test]
fn a_cycle_through_every_item() {
    let count = 5_000;
    let items: Vec<Value> = (0..count)
        .map(|n| {
            json!({"linkId": n.to_string(), "type": "boolean", "text": "Q", "enableWhen": [
                {"question": ((n + 1) % count).to_string(), "operator": "=", "answerBoolean": true}]})
        })
        .collect();
    let (code, message) = first(&form_with(&Value::from(items).to_string()));
    assert_eq!(code, "loop");
    let named: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    assert_eq!(message, format!("These items wait for one another: {} > and 4980 more.", named.join(" > ")));
}

#[test]
fn long_strings() {
    let fits = "x".repeat(MAX_STRING_BYTES);
    let over = "x".repeat(MAX_STRING_BYTES + 1);
    let text = |text: &str| form_with(&format!(r#"[{{"linkId":"a","type":"string","text":"{text}"}}]"#));
    assert!(refused(&text(&fits)).contains("the field text has more than"));
    assert!(
        refused(&text(&over)).contains("a string in the JSON is longer than")
            || refused(&text(&over)).contains("A string")
    );
    let link = form_with(&format!(r#"[{{"linkId":"{fits}","type":"string"}}]"#));
    assert!(refused(&link).contains("linkId"));
    let formula = format!(
        r#"[{{"linkId":"a","type":"string","extension":[{{"url":"http://hl7.org/fhir/StructureDefinition/variable",
        "valueExpression":{{"language":"text/fhirpath","expression":"{fits}"}}}}]}}]"#
    );
    assert!(refused(&form_with(&formula)).contains("the field variable has more than"));
}

#[test]
fn bytes_that_are_no_text() {
    let mut json = form_with(r#"[{"linkId":"a","type":"string","text":"?"}]"#);
    let place = json.iter().position(|byte| *byte == b'?').unwrap();
    json[place] = 0xff;
    assert_eq!(refused(&json), format!("Byte {place} is not part of UTF-8 text."));
    let surrogate = form_with(r#"[{"linkId":"a","type":"string","text":"\ud800"}]"#);
    assert!(refused(&surrogate).starts_with("Not valid JSON at line 1"));
    assert!(refused(b"").starts_with("Not valid JSON"));
    assert!(refused(b"\xef\xbb\xbf{}").starts_with("Not valid JSON"));
}

#[test]
fn numbers_beyond_the_range() {
    let bound = |number: &str| {
        form_with(&format!(r#"[{{"linkId":"a","type":"decimal","text":"A","maxLength":{number}}}]"#))
    };
    assert!(refused(&bound("1e999")).contains("is too large"));
    assert!(refused(&bound(&"9".repeat(500))).contains("is too large"));
    assert!(refused(&bound("99999999999999999999")).contains("a whole number of 0 or more"));
    assert!(refused(&bound("-1")).contains("a whole number of 0 or more"));
}

fn response(answer: &str) -> String {
    format!(
        r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"u|1","status":"completed","item":[{{"linkId":"a","answer":[{{{answer}}}]}}]}}"#
    )
}

fn codes(kind: &str, answer: &str) -> Vec<String> {
    let items = format!(r#"[{{"linkId":"a","type":"{kind}","text":"A"}}]"#);
    let form = Questionnaire::parse(&form_with(&items)).unwrap();
    let response = QuestionnaireResponse::parse(response(answer).as_bytes()).unwrap();
    validate(&form, &response).iter().map(|finding| finding.code.to_string()).collect()
}

#[test]
fn answers_that_are_none() {
    for answer in ["2026-02-30", "2025-02-29", "2026-13-01", "2026-00-01", "2026-04-31", "30.2.2026", ""] {
        assert_eq!(codes("date", &format!(r#""valueDate":"{answer}""#)), ["wrong-type"], "{answer}");
    }
    assert_eq!(codes("date", r#""valueDate":"2024-02-29""#), [""; 0]);
    assert_eq!(codes("dateTime", r#""valueDateTime":"2026-02-30T10:00:00Z""#), ["wrong-type"]);
    assert_eq!(codes("time", r#""valueTime":"25:00:00""#), ["wrong-type"]);
    assert_eq!(codes("integer", r#""valueInteger":2147483648"#), ["wrong-type"]);
    assert_eq!(codes("integer", r#""valueInteger":1.0"#), ["wrong-type"]);
    let huge = QuestionnaireResponse::parse(response(r#""valueDecimal":1e400"#).as_bytes());
    assert!(matches!(huge, Err(FormError::NumberTooLarge { .. })));
    let twice = QuestionnaireResponse::parse(response(r#""valueInteger":1,"valueInteger":2"#).as_bytes());
    assert_eq!(twice.unwrap_err(), FormError::DuplicateField { field: "valueInteger".to_owned() });
}

#[test]
fn html_is_text() {
    let html = "<img src=x onerror=alert(1)>";
    assert_eq!(codes("string", &format!(r#""valueString":"{html}""#)), [""; 0]);
    let kept =
        QuestionnaireResponse::parse(response(&format!(r#""valueString":"{html}""#)).as_bytes()).unwrap();
    assert!(String::from_utf8(kept.to_json()).unwrap().contains(html));
    let named = form_with(&format!(r#"[{{"linkId":"{html}","type":"string","text":"{html}"}}]"#));
    let check = check_instrument(&named);
    assert_eq!(check.findings.iter().map(|finding| finding.code.as_str()).collect::<Vec<_>>(), ["markup"]);
}

#[test]
fn terminals_obey_nothing_in_a_report() {
    let named = form_with(r#"[{"linkId":"a\u001b]0;x\u0007\u202e","type":"string"}]"#);
    let check = check_instrument(&named);
    let text = text_report(&[ward_forms::CheckedFile { name: "f\n\u{9b}".to_owned(), check }]);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    assert!(!text.contains('\u{202e}'));
    assert_eq!(text.lines().count(), 2);
}

/// As many conditions, options and expressions as a form may have.
#[test]
fn the_largest_form_is_checked_in_time() {
    let items: Vec<Value> = (0..9_000)
        .map(|n| {
            let mut item = json!({"linkId": n.to_string(), "type": "decimal", "text": "Question", "extension": [{
                "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
                "valueExpression": {"language": "text/fhirpath",
                    "expression": format!("item.where(linkId='{}').answer.value + %x{}", n + 1, n % 7)}}]});
            if n > 0 {
                item["enableWhen"] = json!([{"question": (n - 1).to_string(), "operator": ">", "answerDecimal": 1}]);
            }
            item
        })
        .collect();
    let json = form_with(&Value::from(items).to_string());
    assert!(json.len() < MAX_QUESTIONNAIRE_BYTES);
    let before = processor_seconds();
    let check = check_instrument(&json);
    assert!(processor_seconds() - before < MOST_SECONDS);
    // Each item waits for the one before to be asked, and for the one after to be calculated.
    assert!(check.findings.iter().any(|finding| finding.code.as_str() == "loop"));
    assert!(check.findings.iter().any(|finding| finding.message.contains("refers to 9000")));
}

/// One long variable that every item uses is looked at once, and so is a text in many languages.
#[test]
fn what_is_long_and_used_everywhere_is_read_once() {
    // As many parts and bytes as an expression may have.
    let long = "%a          +  ".repeat(4_050) + "item.where(linkId='0').answer.value";
    let used: Vec<Value> = (0..4_000)
        .map(|n| {
            json!({"linkId": n.to_string(), "type": "decimal", "text": "Q", "extension": [{
                "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
                "valueExpression": {"language": "text/fhirpath", "expression": "%v"}}]})
        })
        .collect();
    let variable = |name: &str, text: &str| {
        json!({"url": "http://hl7.org/fhir/StructureDefinition/variable",
            "valueExpression": {"name": name, "language": "text/fhirpath", "expression": text}})
    };
    let languages: Vec<Value> = (0..5_000)
        .map(|n| {
            json!({"url": "http://hl7.org/fhir/StructureDefinition/translation", "extension": [
                {"url": "lang", "valueCode": format!("x{n}")}, {"url": "content", "valueString": "?"}]})
        })
        .collect();
    let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active",
        "title": "T", "_title": {"extension": languages},
        "extension": [variable("a", "1"), variable("v", &long)], "item": used});
    let before = processor_seconds();
    let check = check_instrument(form.to_string().as_bytes());
    assert!(processor_seconds() - before < MOST_SECONDS);
    let message = "These wait for one another: 0 > %v.";
    assert!(check.findings.iter().any(|finding| finding.message == message), "{:?}", check.findings.first());
    let bytes: usize = check.findings.iter().map(|finding| finding.message.len()).sum();
    assert!(bytes < 4_000_000, "{bytes}");
}
