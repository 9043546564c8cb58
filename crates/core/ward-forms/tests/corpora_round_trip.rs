//! Every outside file comes back as it was, numbers digit for digit. The files are read where
//! `WARD_CORPORA` points and never copied.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]

use std::path::PathBuf;
use ward_forms::{Questionnaire, QuestionnaireResponse};

/// Forms and responses in each folder.
const FILES: [(&str, usize, usize); 3] =
    [("fhir-validator", 36, 37), ("smart-forms", 13, 0), ("sdc-examples", 3, 1)];

/// The JSON without spaces, strings in one spelling, numbers as they stand: two texts are the same
/// JSON, digits included, if and only if this is the same.
fn plain(json: &str) -> String {
    let (mut out, mut rest) = (String::new(), json.trim_start());
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let text = stream.next().unwrap().unwrap();
            out.push_str(&serde_json::to_string(&text).unwrap());
            rest = &rest[stream.byte_offset()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
        rest = rest.trim_start();
    }
    out
}

#[test]
fn the_comparison_sees_every_digit() {
    assert_eq!(plain(r#" { "a\u0062" : [ 1.50 , -0 ] } "#), r#"{"ab":[1.50,-0]}"#);
    assert_ne!(plain("[1.50]"), plain("[1.5]"));
}

#[test]
fn corpora_files_come_back_as_they_were() {
    let Some(root) = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("forms")) else {
        println!("skipped: WARD_CORPORA is not set, so there are no outside files to read");
        return;
    };
    for (folder, forms, responses) in FILES {
        let (mut forms_read, mut responses_read) = (0, 0);
        let entries = std::fs::read_dir(root.join(folder))
            .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {folder} can't be read: {error}"));
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|end| end != "json") || path.ends_with("cases.json") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            if text.contains("\"QuestionnaireResponse\"") {
                let response = QuestionnaireResponse::parse(text.as_bytes()).unwrap();
                let written = String::from_utf8(response.to_json()).unwrap();
                assert_eq!(plain(&written), plain(&text), "{}", path.display());
                responses_read += 1;
            } else {
                let form = Questionnaire::parse(text.as_bytes())
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert_eq!(form.as_json(), text.as_bytes(), "{}", path.display());
                forms_read += 1;
            }
        }
        println!(
            "corpus {folder}, files that come back as they were: {}/{}",
            forms_read + responses_read,
            forms + responses
        );
        assert_eq!((forms_read, responses_read), (forms, responses), "{folder}");
    }
}
