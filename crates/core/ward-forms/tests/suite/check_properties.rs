//! Whatever stands in a form or a response: checks end with findings, and what was read is written
//! back with every digit.

use proptest::prelude::*;
use serde_json::json;
use ward_forms::fhirpath;
use ward_forms::{
    CheckedFile, QuestionnaireResponse, check_instrument, json_report, sarif_report, text_report,
};

/// A number as somebody may write it.
fn number() -> impl Strategy<Value = String> {
    ("-?(0|[1-9][0-9]{0,24})", "(\\.[0-9]{1,24})?", "([eE][+-]?[0-9]{1,2})?")
        .prop_map(|(whole, fraction, exponent)| format!("{whole}{fraction}{exponent}"))
}

/// JSON without spaces, with one field of each name in an object.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        number(),
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|list| format!("[{}]", list.join(","))),
            proptest::collection::btree_map(any::<String>(), inner, 0..5).prop_map(|fields| {
                let fields: Vec<String> = fields
                    .into_iter()
                    .map(|(field, value)| format!("{}:{value}", serde_json::to_string(&field).unwrap()))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// Pieces that expressions are made of, whole and broken.
fn expression() -> impl Strategy<Value = String> {
    let pieces = [
        "%v",
        "%",
        "%`",
        "linkId",
        "=",
        "'a'",
        "'",
        "\"",
        "(",
        ")",
        "in",
        "|",
        "sum",
        "iif",
        ",",
        "0",
        "//",
        "/*",
        "*/",
        "\n",
        "é",
        "\\",
        "{}",
        ".where(linkId='b')",
        "item",
        "`",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..24).prop_map(|list| list.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_read_is_written_back(extra in json_text(), nested in json_text(), digits in number()) {
        let text = format!(
            r#"{{"resourceType":"QuestionnaireResponse","status":"in-progress","x":{extra},"item":[{{"linkId":"a","y":{nested},"answer":[{{"valueDecimal":{digits},"item":[{{"linkId":"b","z":{extra}}}]}}]}}]}}"#
        );
        let response = QuestionnaireResponse::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(String::from_utf8(response.to_json()).unwrap(), text);
    }

    #[test]
    fn any_expression_is_checked_and_reported(first in expression(), second in expression(), third in any::<String>()) {
        let formula = |url: &str, text: &str| json!({"url": url,
            "valueExpression": {"name": "v", "language": "text/fhirpath", "expression": text}});
        let sdc = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";
        let form = json!({"resourceType": "Questionnaire", "status": "active", "item": [
            {"linkId": "a", "type": "decimal", "text": &third, "extension": [
                formula(&format!("{sdc}calculatedExpression"), &first),
                formula("http://hl7.org/fhir/StructureDefinition/variable", &second)]},
            {"linkId": "b", "type": "decimal", "text": "B", "extension": [
                formula(&format!("{sdc}enableWhenExpression"), &third)]}]});
        let check = check_instrument(form.to_string().as_bytes());
        prop_assert!(check.form.is_some() && !check.can_be_published());
        let broken = [&first, &second, &third].iter()
            .filter(|text| !text.is_empty() && fhirpath::Expression::parse(text).is_err()).count();
        let found = check.findings.iter().filter(|finding| finding.code.as_str() == "expression-does-not-parse");
        prop_assert_eq!(found.count(), broken);
        let count = check.findings.len();
        let files = [CheckedFile { name: third, check }];
        prop_assert_eq!(text_report(&files).lines().count(), count + 1);
        prop_assert!(text_report(&files).chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert_eq!(sarif_report(&files, "1")["runs"][0]["results"].as_array().unwrap().len(), count);
        prop_assert_eq!(json_report(&files)["files"][0]["findings"].as_array().unwrap().len(), count);
    }

    #[test]
    fn any_bytes_are_checked(bytes in proptest::collection::vec(any::<u8>(), 0..200), json in json_text()) {
        for input in [bytes, json.clone().into_bytes(),
            format!(r#"{{"resourceType":"Questionnaire","status":"active","item":[{json},{json}]}}"#).into_bytes()] {
            let check = check_instrument(&input);
            prop_assert!(!check.can_be_published() && !check.findings.is_empty());
        }
    }
}
