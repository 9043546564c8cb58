//! Questionnaires are checked before anybody is asked.

use crate::DIARY;
use crate::commands::Study;
use serde_json::{Value, json};

fn broken() -> String {
    json!({"resourceType": "Questionnaire", "url": "https://example.org/f", "version": "1", "status": "active",
        "item": [{"linkId": "g", "type": "group", "item": [
            {"linkId": "score", "type": "decimal", "text": "Score", "extension": [{
                "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression",
                "valueExpression": {"language": "text/fhirpath", "expression": "(1 + 2"}}]}]}]})
    .to_string()
}

#[test]
fn a_sound_questionnaire_passes() {
    let study = Study::nowhere();
    let report = study.run("none", &["instrument", "check", DIARY]);
    assert_eq!(report["files"][0]["canBePublished"], json!(true), "{report}");
    assert_eq!(report["files"][0]["errors"], json!(0));
}

#[test]
fn a_broken_one_is_refused_with_the_place_and_the_code() {
    let study = Study::nowhere();
    study.write("broken.json", &broken());
    study.write("none.json", "[1,");
    let args = ["instrument", "check", DIARY, "broken.json", "none.json"];
    let failure = study.failure("none", &args);
    assert_eq!(failure["exit"], json!(1));
    assert_eq!(failure["what"], json!("2 of 3 questionnaires cannot be published"));
    let report: Value = serde_json::from_str(&study.printed("none", &args)).unwrap();
    let finding = &report["files"][1]["findings"][0];
    assert_eq!(
        (&finding["path"], &finding["code"]),
        (&json!("g/score"), &json!("expression-does-not-parse"))
    );
    assert_eq!(report["files"][2]["findings"][0]["code"], json!("not-a-form"));
    assert_eq!(study.exit_code("none", &["instrument", "check", DIARY, "missing.json"]), 3);
    assert_eq!(study.exit_code("none", &["instrument", "check"]), 2);
}

#[test]
fn the_text_and_the_sarif_report_are_printed() {
    let study = Study::nowhere();
    study.write("broken.json", &broken());
    let text = study.printed_for_people("none", &["instrument", "check", "broken.json"]);
    assert!(text.starts_with("broken.json: g/score: error expression-does-not-parse: "), "{text}");
    assert!(text.ends_with("broken.json: 1 error, 0 warnings; it can't be published.\n"), "{text}");
    let sarif = study.printed_for_people("none", &["instrument", "check", "--sarif", "broken.json"]);
    assert_eq!(study.printed("none", &["instrument", "check", "--sarif", "broken.json"]), sarif);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["version"], json!("2.1.0"));
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], json!("expression-does-not-parse"));
}
