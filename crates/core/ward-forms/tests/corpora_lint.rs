//! Every outside form is checked as before it is published. The files are read where
//! `WARD_CORPORA` points and never copied.

use std::collections::BTreeMap;
use std::path::PathBuf;
use ward_forms::{CheckedFile, check_instrument, json_report, sarif_report, text_report};

const FOLDERS: [&str; 3] = ["smart-forms", "sdc-examples", "fhir-validator"];
/// Forms in these folders.
const FORMS: usize = 52;
/// What is wrong with them, by code. Another number is looked at before it is written here.
const FOUND: [(&str, usize); 6] = [
    ("expression-does-not-parse", 8),
    ("link-to-nowhere", 3),
    ("condition-never-holds", 50),
    ("required-never-enabled", 2),
    ("score-ignores-missing", 16),
    ("no-identity", 49),
];

#[test]
fn corpora_forms_are_checked() {
    let Some(root) = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("forms")) else {
        println!("skipped: WARD_CORPORA is not set, so there are no outside forms to check");
        return;
    };
    let (mut files, mut checked) = (Vec::new(), Vec::new());
    for folder in FOLDERS {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
            .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {folder} can't be read: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        let before = files.len();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let json = std::fs::read(&path).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
            if value.get("resourceType").is_some_and(|kind| kind == "Questionnaire") {
                let check = check_instrument(&json);
                assert!(check.form.is_some(), "{}", path.display());
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.push(CheckedFile { name, check });
            }
        }
        checked.push((folder, files.len() - before));
    }
    assert_eq!(files.len(), FORMS);
    let count = |code: &str| {
        let all = files.iter().flat_map(|file| &file.check.findings);
        all.filter(|finding| finding.code.as_str() == code).count()
    };
    for (code, found) in FOUND {
        assert_eq!(count(code), found, "{code}");
    }
    for file in &files {
        let mut by_code: BTreeMap<String, usize> = BTreeMap::new();
        for finding in &file.check.findings {
            *by_code.entry(format!("{:?} {}", finding.severity, finding.code)).or_default() += 1;
        }
        println!("{}: {by_code:?}", file.name);
    }
    let text = text_report(&files);
    let findings: usize = files.iter().map(|file| file.check.findings.len()).sum();
    assert_eq!(text.lines().count(), findings + files.len());
    assert_eq!(json_report(&files).pointer("/files").unwrap().as_array().unwrap().len(), files.len());
    let results = sarif_report(&files, "1").pointer("/runs/0/results").unwrap().as_array().unwrap().len();
    assert_eq!(results, findings);
    for (folder, count) in checked {
        println!("corpus {folder}, forms checked: {count}/{count}");
    }
}
