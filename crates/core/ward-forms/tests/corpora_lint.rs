//! Every outside form is checked as before it is published. The files are read where
//! `WARD_CORPORA` points and never copied.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "the reason for a skip must be seen")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use ward_forms::fhirpath::Expression;
use ward_forms::{CheckedFile, check_instrument, json_report, sarif_report, text_report};

const FOLDERS: [&str; 3] = ["smart-forms", "sdc-examples", "fhir-validator"];
/// Forms in these folders.
const FORMS: usize = 52;
/// What is wrong with them, by code. Another number is looked at before it is written here.
const FOUND: [(&str, usize); 6] = [
    // Two of them are patterns that look ahead, which the engine's patterns can't.
    ("expression-does-not-parse", 10),
    ("link-to-nowhere", 3),
    ("condition-never-holds", 50),
    ("required-never-enabled", 2),
    ("score-ignores-missing", 16),
    ("no-identity", 49),
];

/// Different FHIRPath expressions in these forms, and what becomes of them. Those that are read may only
/// become more, and of these those that depend on the whole response only fewer.
const EXPRESSIONS: Expressions =
    Expressions { different: 341, read: 334, everything: 0, named: 69, variables_only: 265, timed: 3 };

/// Expressions that name items, each form's counted by itself, and the items that they reach.
const REACHED: (usize, usize) = (113, 121);

#[derive(Debug, Default, PartialEq, Eq)]
struct Expressions {
    different: usize,
    read: usize,
    /// Depend on the response as a whole.
    everything: usize,
    /// Name the items that they depend on.
    named: usize,
    /// Depend on nothing but variables.
    variables_only: usize,
    /// Ask for the time.
    timed: usize,
}

/// The FHIRPath expressions anywhere in a form.
fn collect_expressions(json: &Value, into: &mut BTreeSet<String>) {
    match json {
        Value::Object(map) => {
            if let (Some("text/fhirpath"), Some(text)) =
                (map.get("language").and_then(Value::as_str), map.get("expression").and_then(Value::as_str))
            {
                into.insert(text.to_owned());
            }
            map.values().for_each(|value| collect_expressions(value, into));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_expressions(value, into)),
        _ => {}
    }
}

/// Items with one of these linkIds, and those below them.
fn items_reached(item: &Value, link_ids: &BTreeSet<&str>, is_below: bool) -> usize {
    let is_below = is_below || item["linkId"].as_str().is_some_and(|link_id| link_ids.contains(link_id));
    let inside = item["item"].as_array().into_iter().flatten();
    usize::from(is_below) + inside.map(|item| items_reached(item, link_ids, is_below)).sum::<usize>()
}

/// After an answer, an expression is evaluated again if the answer's item is one of these: the fewer, the
/// quicker is a form. Of each form the items that its expressions reach, counted for each expression.
#[test]
fn corpora_expressions_reach_few_items() {
    let Some(forms) = forms() else { return };
    let (mut reached, mut expressions) = (0, 0);
    for (_, json) in &forms {
        let form: Value = serde_json::from_slice(json).unwrap();
        let mut sources = BTreeSet::new();
        collect_expressions(&form, &mut sources);
        for expression in sources.iter().filter_map(|source| Expression::parse(source).ok()) {
            let link_ids: BTreeSet<&str> = expression.dependencies().link_ids().collect();
            reached += items_reached(&form, &link_ids, false);
            expressions += usize::from(!link_ids.is_empty());
        }
    }
    assert_eq!((expressions, reached), REACHED);
}

/// The forms of the corpora by name; nothing when there are no corpora.
fn forms() -> Option<Vec<(PathBuf, Vec<u8>)>> {
    let Some(root) = std::env::var_os("WARD_CORPORA").map(|root| PathBuf::from(root).join("forms")) else {
        println!("skipped: WARD_CORPORA is not set, so there are no outside forms to check");
        return None;
    };
    let mut forms = Vec::new();
    for folder in FOLDERS {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
            .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {folder} can't be read: {error}"))
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| path.is_file()) {
            let json = std::fs::read(&path).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
            if value.get("resourceType").is_some_and(|kind| kind == "Questionnaire") {
                forms.push((path, json));
            }
        }
    }
    assert_eq!(forms.len(), FORMS);
    Some(forms)
}

#[test]
fn corpora_expressions_are_read_and_say_what_they_depend_on() {
    let Some(forms) = forms() else { return };
    let mut sources = BTreeSet::new();
    for (_, json) in &forms {
        collect_expressions(&serde_json::from_slice(json).unwrap(), &mut sources);
    }
    let mut found = Expressions { different: sources.len(), ..Expressions::default() };
    for source in &sources {
        let Ok(expression) = Expression::parse(source) else {
            println!("not read: {source}");
            continue;
        };
        let dependencies = expression.dependencies();
        let is_everything = dependencies.is_everything();
        let has_link_ids = dependencies.link_ids().next().is_some();
        found.read += 1;
        found.everything += usize::from(is_everything);
        found.named += usize::from(has_link_ids && !is_everything);
        found.variables_only += usize::from(!has_link_ids && !is_everything);
        found.timed += usize::from(dependencies.uses_time());
        if is_everything {
            println!("everything: {source}");
        }
    }
    assert_eq!(found, EXPRESSIONS);
}

#[test]
fn corpora_forms_are_checked() {
    let Some(forms) = forms() else { return };
    for folder in FOLDERS {
        let count =
            forms.iter().filter(|(path, _)| path.parent().is_some_and(|of| of.ends_with(folder))).count();
        println!("corpus {folder}, forms checked: {count}/{count}");
    }
    let mut files = Vec::new();
    for (path, json) in forms {
        let check = check_instrument(&json);
        assert!(check.form.is_some(), "{}", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.push(CheckedFile { name, check });
    }
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
}
