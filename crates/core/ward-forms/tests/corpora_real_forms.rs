//! Real forms and responses of the corpora folder, which Ward did not write.
//! They are read where `WARD_CORPORA` points and never copied.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "agreement and skips must be seen")]

#[path = "suite/walk.rs"]
mod walk;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walk::{NOW, walk};
use ward_forms::{
    Answering, Questionnaire, QuestionnaireResponse, Surroundings, decode_answers, encode_answers, lint,
    validate,
};

const VALIDATOR_CASES: usize = 37;
/// Responses whose form is in the corpora, and how many of them have a dense form.
const RESPONSES: usize = 37;
const DENSE_RESPONSES: usize = 30;
/// Walks through each form, and steps of each; a longer run sets more walks.
const WALKS: u64 = 50;
const WALKS_VARIABLE: &str = "WARD_FORM_WALKS";
const STEPS: usize = 12;
/// Forms with which nobody can start: they can't be read.
const UNREADABLE: usize = 0;
const REAL_FORMS: [(&str, usize); 2] = [("smart-forms", 13), ("sdc-examples", 4)];

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("forms"));
    if root.is_none() {
        println!("skipped: WARD_CORPORA is not set, so there are no outside forms to read");
    }
    root
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path)
        .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {} can't be read: {error}", path.display()))
}

/// A form that is read comes back unchanged.
fn form(path: &Path) -> Option<Questionnaire> {
    let bytes = read(path);
    match Questionnaire::parse(&bytes) {
        Ok(form) => {
            assert_eq!(
                form.as_value(),
                &serde_json::from_slice::<Value>(&bytes).unwrap(),
                "{}",
                path.display()
            );
            Some(form)
        }
        Err(error) => {
            println!("{}: {error}", path.display());
            None
        }
    }
}

/// A response that is read comes back unchanged, in the order it had.
fn response(path: &Path) -> Option<QuestionnaireResponse> {
    let bytes = read(path);
    match QuestionnaireResponse::parse(&bytes) {
        Ok(response) => {
            let value: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(response.to_value().to_string(), value.to_string(), "{}", path.display());
            Some(response)
        }
        Err(error) => {
            println!("{}: {error}", path.display());
            None
        }
    }
}

#[test]
fn validator_cases_are_read_and_the_agreement_is_printed() {
    let Some(root) = corpora() else { return };
    let root = root.join("fhir-validator");
    let cases: Vec<Value> = serde_json::from_slice(&read(&root.join("cases.json"))).unwrap();
    assert_eq!(cases.len(), VALIDATOR_CASES);
    let mut agreed = 0;
    for case in &cases {
        let response = response(&root.join(case["response"].as_str().unwrap()));
        let forms: Vec<_> = case["questionnaires"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| form(&root.join(name.as_str().unwrap())))
            .collect();
        // A form that isn't there or can't be read can't be answered.
        let findings = match (&response, forms.first().and_then(Option::as_ref)) {
            (Some(response), Some(form)) => Some(validate(form, response)),
            _ => None,
        };
        let fails =
            findings.as_ref().is_none_or(|findings| findings.iter().any(ward_forms::Finding::is_error));
        if fails == case["must_fail"].as_bool().unwrap() {
            agreed += 1;
        } else {
            println!("disagrees on {}: found {findings:?}", case["name"]);
        }
    }
    println!("validator cases: verdict agrees on {agreed}/{VALIDATOR_CASES}");
}

#[test]
fn real_forms_are_read_and_answered() {
    let Some(root) = corpora() else { return };
    for (folder, count) in REAL_FORMS {
        let mut paths: Vec<_> =
            std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert_eq!(paths.len(), count, "{folder}");
        for path in paths {
            let kind: Value = serde_json::from_slice(&read(&path)).unwrap();
            if kind["resourceType"] == "QuestionnaireResponse" {
                drop(response(&path));
                continue;
            }
            let Some(form) = form(&path) else { continue };
            let items = form.items().len();
            let errors = lint(&form).into_iter().filter(ward_forms::Finding::is_error).count();
            let mut answering = Answering::new(form);
            let mut skipped = 0;
            while let Some(step) = answering.next_question().filter(|_| skipped < 50) {
                skipped += 1;
                if answering.skip(&step.path).is_err() {
                    break;
                }
            }
            let name = path.file_name().unwrap().to_string_lossy();
            println!(
                "{name}: {items} items, {errors} errors, {} questions asked",
                answering.progress().asked
            );
        }
    }
}

/// Every form of the corpora, answered at random: whatever order the answers come in, the state that is
/// kept up to date is the one that is evaluated from scratch.
#[test]
fn real_forms_are_walked_through_at_random() {
    let Some(root) = corpora() else { return };
    let walks = std::env::var(WALKS_VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(WALKS);
    let mut paths = Vec::new();
    for folder in ["smart-forms", "sdc-examples", "fhir-validator"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(entries.filter(|path| path.extension().is_some_and(|end| end == "json")));
    }
    paths.sort();
    let (mut forms, mut unreadable, mut taken, mut everything) = (0, 0, 0, 0);
    for path in paths {
        let json: Value = serde_json::from_slice(&read(&path)).unwrap();
        if json["resourceType"] != "Questionnaire" {
            continue;
        }
        let Some(form) = form(&path) else {
            unreadable += 1;
            continue;
        };
        let form = Arc::new(form);
        forms += 1;
        everything += form.compiled().reads_everything();
        let patient =
            serde_json::json!({"resourceType": "Patient", "birthDate": "1971-05-06", "gender": "female"});
        let surroundings = Surroundings::new().at(NOW).with_resource("patient", patient);
        let of_form: usize = (0..walks).map(|seed| walk(&form, &surroundings, seed, STEPS)).sum();
        taken += of_form;
        let name = path.file_name().unwrap().to_string_lossy();
        println!("{name}: {} items, {of_form} answers taken in {walks} walks", form.items().len());
    }
    println!("{forms} forms, {taken} answers, {everything} expressions that read everything");
    assert_eq!(unreadable, UNREADABLE);
    assert!(taken > forms * usize::try_from(walks).unwrap(), "hardly any answer was taken: {taken}");
}

/// Responses and their forms: the validator's cases, and one example of SDC.
fn answered_forms(root: &Path) -> Vec<(PathBuf, PathBuf)> {
    let validator = root.join("fhir-validator");
    let cases: Vec<Value> = serde_json::from_slice(&read(&validator.join("cases.json"))).unwrap();
    let pair = |case: &Value| {
        let form = case["questionnaires"].as_array().unwrap().first()?.as_str().unwrap();
        Some((validator.join(form), validator.join(case["response"].as_str().unwrap())))
    };
    let mut out: Vec<_> = cases.iter().filter_map(pair).collect();
    let sdc = root.join("sdc-examples");
    out.push((
        sdc.join("Questionnaire-CardiologyForm.json"),
        sdc.join("QuestionnaireResponse-Cardiology-MariaSantos.json"),
    ));
    out
}

#[test]
fn real_responses_are_dense_where_nothing_is_lost() {
    let Some(root) = corpora() else { return };
    let (mut responses, mut dense, mut json_bytes, mut dense_bytes) = (0, 0, 0, 0);
    let mut stays_json = Vec::new();
    for (form_path, response_path) in answered_forms(&root) {
        let (Some(form), Some(response)) = (form(&form_path), response(&response_path)) else { continue };
        responses += 1;
        let name = response_path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(bytes) = encode_answers(&form, response.status(), &response) else {
            println!("stays JSON: {name}");
            stays_json.push(name);
            continue;
        };
        let back = decode_answers(&form, response.status(), &bytes).unwrap();
        assert_eq!(back.to_json(), response.to_json(), "{name}");
        dense += 1;
        json_bytes += response.to_json().len();
        dense_bytes += bytes.len();
    }
    println!("{dense} of {responses} responses are dense: {dense_bytes} bytes for {json_bytes} of JSON");
    let kept = stays_json.join(", ");
    println!(
        "corpus fhir-validator and sdc-examples, responses with a dense form: {dense}/{responses} {kept}"
    );
    assert_eq!((responses, dense), (RESPONSES, DENSE_RESPONSES));
}
