//! Agreement with HL7's FHIRPath test suite for R4 in the corpora folder, which Ward did not write. It is
//! read where `WARD_CORPORA` points and never copied.
#![expect(clippy::panic, reason = "helper functions of tests")]

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use ward_forms::fhirpath::{Environment, Expression, Temporal, Value};

const SUITE: &str = "tests-fhir-r4.xml";
/// The file mentions 937; two of these stand in comments.
const TESTS: usize = 935;
const GROUPS: usize = 99;
/// Tests whose input exists only as XML.
const NOT_RUN: [&str; 14] = [
    "testRepeat1",
    "testTypeA1",
    "testTypeA2",
    "testTypeA3",
    "testTypeA4",
    "testTypeA",
    "testPeriodInvariantOld",
    "testPeriodInvariantNew",
    "testFHIRPathIsFunction6",
    "testFHIRPathIsFunction7",
    "testFHIRPathAsFunction14",
    "testFHIRPathAsFunction15",
    "testFHIRPathAsFunction19",
    "testFHIRPathAsFunction20",
];
/// Tests that don't agree, each with its reason. Another set is a failure.
const FAILED: [&str; 9] = [
    // Adds a tenth of a second, which the suite leaves out.
    "testPlusDate19",
    // Ask for one digit of a number that has four, and expect a bound that the number goes beyond.
    "LowBoundaryDecimal15",
    "HighBoundaryDecimal15",
    // The same, and a sign before a call belongs to what the call gives.
    "HighBoundaryDecimal16",
    // Expect the first minute of the hour as the last one.
    "HighBoundaryDateTimeMillisecond1",
    "HighBoundaryDateTimeMillisecond3",
    // The extension that they ask for is not in the JSON of their input.
    "testFHIRPathIsFunction8",
    "testFHIRPathIsFunction9",
    "testFHIRPathIsFunction10",
];
/// Tests that agree. It may only rise.
const PASSED: usize = TESTS - NOT_RUN.len() - FAILED.len();
/// The time that `now()` gives: after all dates of the suite.
const NOW: &str = "2026-03-01T09:30:00.000+01:00";

/// A file of the suite, or `None` when no corpora are given. Corpora that are given but lack the suite
/// are a failure, not a skip.
fn folder() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("WARD_CORPORA")?).join("forms/fhirpath"))
}

#[expect(clippy::print_stdout, reason = "the reason for a skip must be seen")]
fn skipped() {
    println!("skipped: WARD_CORPORA is not set, so there is no outside FHIRPath suite to agree with");
}

/// One element of the suite's file.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Reads as much of XML as the suite uses: elements, attributes, text, comments and five entities.
fn parse_xml(text: &str) -> Element {
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        open.last_mut().unwrap_or_else(|| panic!("an element is open")).text.push_str(&unescaped(before));
        let (closing, skip) = if from.starts_with("<!--") { ("-->", 4) } else { (">", 1) };
        let end = from.find(closing).unwrap_or_else(|| panic!("{closing} is missing"));
        let tag = &from[skip..end];
        rest = &from[end + closing.len()..];
        if from.starts_with("<!") || from.starts_with("<?") {
            continue;
        }
        if tag.starts_with('/') {
            close(&mut open);
            continue;
        }
        open.push(opened(tag.trim_end_matches('/')));
        if tag.ends_with('/') {
            close(&mut open);
        }
    }
    assert_eq!(open.len(), 1, "every element is closed");
    open.remove(0)
}

fn close(open: &mut Vec<Element>) {
    let done = open.pop().unwrap_or_else(|| panic!("an element is open"));
    open.last_mut().unwrap_or_else(|| panic!("{} is closed but not open", done.name)).children.push(done);
}

fn opened(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut element = Element { name: name.to_owned(), ..Element::default() };
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().unwrap_or_else(|| panic!("{tag}"));
        let (value, after) = after[1..].split_once(quote).unwrap_or_else(|| panic!("{tag}"));
        element.attributes.insert(key.trim().to_owned(), unescaped(value));
        rest = after;
    }
    element
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// How one test ended.
enum Outcome {
    Passed,
    NotRun,
    Failed(String),
}

fn run(test: &Element, inputs: &BTreeMap<String, Option<Json>>) -> Outcome {
    let expression = test.all("expression").next().unwrap_or_else(|| panic!("{test:?}"));
    let nothing = Json::Null;
    let input = match test.attribute("inputfile") {
        None => &nothing,
        Some(file) => match inputs.get(file) {
            Some(Some(json)) => json,
            _ => return Outcome::NotRun,
        },
    };
    let invalid = expression.attribute("invalid");
    let parsed = match Expression::parse(&expression.text) {
        Ok(parsed) => parsed,
        Err(_) if invalid.is_some() => return Outcome::Passed,
        Err(error) => return Outcome::Failed(format!("is not read: {error}")),
    };
    let now = Temporal::date_time(NOW).unwrap_or_else(|| panic!("{NOW}"));
    let mut environment = if input.is_null() { Environment::new() } else { Environment::of(input) }.at(now);
    // What is wrong by the types is found by the check of a form, which is strict.
    if test.attribute("mode") == Some("strict") || invalid == Some("semantic") {
        environment = environment.strict();
    }
    let result = match parsed.evaluate(&environment) {
        Ok(_) if invalid.is_some() => return Outcome::Failed("should have failed".to_owned()),
        Err(_) if invalid.is_some() => return Outcome::Passed,
        Ok(result) => result,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let mut found: Vec<_> = result.iter().map(shown).collect();
    if test.attribute("predicate") == Some("true") {
        found = vec![("boolean".to_owned(), (!result.is_empty()).to_string())];
    }
    let mut wanted: Vec<_> = test.all("output").map(output).collect();
    if test.attribute("ordered") == Some("false") {
        found.sort();
        wanted.sort();
    }
    let agrees = found.len() == wanted.len()
        && found.iter().zip(&wanted).all(|(found, (type_, text))| {
            type_.as_ref().is_none_or(|type_| *type_ == found.0) && *text == found.1
        });
    if agrees { Outcome::Passed } else { Outcome::Failed(format!("gives {found:?}, not {wanted:?}")) }
}

/// The type and the text of a value as the suite writes them.
fn shown(value: &Value<'_>) -> (String, String) {
    let name = value.type_name();
    let type_ = match name.as_ref() {
        "Boolean" | "String" | "Integer" | "Decimal" | "Date" | "DateTime" | "Time"
            if value.type_namespace() == "System" =>
        {
            let (first, rest) = name.split_at(1);
            first.to_lowercase() + rest
        }
        other => other.to_owned(),
    };
    let text = value.written().unwrap_or_default();
    let mark = match value.temporal().map(|value| value.kind()) {
        Some(ward_forms::fhirpath::TemporalKind::Time) => "@T",
        Some(_) => "@",
        None => "",
    };
    (type_, format!("{mark}{text}"))
}

fn output(element: &Element) -> (Option<String>, String) {
    (element.attribute("type").map(str::to_owned), element.text.clone())
}

/// The inputs as JSON, by the name that the suite uses; `None` where there is only XML.
fn inputs(folder: &std::path::Path, tests: &[(String, &Element)]) -> BTreeMap<String, Option<Json>> {
    let files = tests.iter().filter_map(|(_, test)| test.attribute("inputfile"));
    files
        .map(|file| {
            let path = folder.join(file).with_extension("json");
            let json = std::fs::read(&path).ok().map(|bytes| {
                serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"))
            });
            (file.to_owned(), json)
        })
        .collect()
}

#[test]
fn the_suite_of_hl7_agrees() {
    let Some(folder) = folder() else { return skipped() };
    let path = folder.join(SUITE);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("WARD_CORPORA is set, but {} can't be read: {error}", path.display()));
    let root = parse_xml(&text);
    let suite = root.all("tests").next().unwrap_or_else(|| panic!("{SUITE} has no tests"));
    let tests: Vec<(String, &Element)> = suite
        .all("group")
        .flat_map(|group| {
            let name = group.attribute("name").unwrap_or_default().to_owned();
            group.all("test").map(move |test| (name.clone(), test))
        })
        .collect();
    assert_eq!(tests.len(), TESTS);
    let inputs = inputs(&folder, &tests);
    let mut groups: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut not_run, mut failed) = (Vec::new(), Vec::new());
    for (group, test) in &tests {
        let name = test.attribute("name").unwrap_or_default();
        let (passed, total) = groups.entry(group).or_default();
        *total += 1;
        match run(test, &inputs) {
            Outcome::Passed => *passed += 1,
            Outcome::NotRun => not_run.push(name),
            Outcome::Failed(why) => {
                let expression = test.all("expression").next().map_or("", |element| element.text.trim());
                println!("failed {group}/{name}: {expression}\n    {why}");
                failed.push(name);
            }
        }
    }
    for (group, (passed, total)) in &groups {
        println!("{passed:>3}/{total:<3} {group}");
    }
    let passed: usize = groups.values().map(|(passed, _)| passed).sum();
    println!(
        "corpus fhirpath: {passed}/{TESTS} {}; not run, because their input is XML only: {}",
        failed.join(", "),
        not_run.join(", ")
    );
    assert_eq!(groups.len(), GROUPS);
    assert_eq!(not_run, NOT_RUN);
    failed.sort_unstable();
    let mut known = FAILED;
    known.sort_unstable();
    assert_eq!(failed, known);
    assert_eq!(passed, PASSED, "a rise is written into the constant; a fall is a fault");
}
