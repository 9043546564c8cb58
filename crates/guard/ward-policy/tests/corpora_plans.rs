//! Real plans that Ward did not write: none crashes the check, and every resource of each is read.
//! They are read where `WARD_CORPORA` points and never copied.
#![expect(clippy::unwrap_used, reason = "helper functions of tests")]
#![expect(clippy::print_stdout, reason = "the reason for a skip must be seen")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use ward_policy::graph::{Graph, Role};
use ward_policy::report::{CheckReport, Checked, Style, text};
use ward_policy::{Verdict, assess, builtin_rules, read_input, read_text};

/// Plans in the corpus.
const PLANS: usize = 51;

fn plans(part: &str) -> Option<Vec<PathBuf>> {
    let Some(corpora) = std::env::var_os("WARD_CORPORA").filter(|value| !value.is_empty()) else {
        println!("skipped: WARD_CORPORA is not set");
        return None;
    };
    let folder = Path::new(&corpora).join("policy").join(part);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    Some(files)
}

/// Addresses of what a plan changes, read in another way than Ward reads them.
fn addresses(json: &Value) -> BTreeSet<String> {
    let changes = json.get("resource_changes").and_then(Value::as_array).into_iter().flatten();
    changes.map(|change| change["address"].as_str().unwrap().to_owned()).collect()
}

/// What is wrong with how a plan was read; empty if nothing is.
fn faults(graph: &Graph, json: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let known: BTreeSet<String> = graph
        .resources()
        .filter(|(_, resource)| matches!(resource.role, Role::Managed | Role::Data))
        .map(|(_, resource)| resource.address.to_string())
        .collect();
    faults.extend(addresses(json).difference(&known).map(|address| format!("{address} is not read")));
    for change in json.get("resource_changes").and_then(Value::as_array).into_iter().flatten() {
        let address = change["address"].as_str().unwrap();
        let Some((_, resource)) = graph.at(address) else { continue };
        let part = |pointer: &str| change.pointer(pointer).and_then(Value::as_object);
        for (name, value) in part("/change/after").into_iter().flatten() {
            let marks = part("/change/after_unknown");
            let is_marked = marks.and_then(|marks| marks.get(name)).is_some_and(|mark| *mark == true);
            if resource.attributes.get(name).is_none() && !is_marked {
                faults.push(format!("{address}: {name} = {value} is not read"));
            }
        }
    }
    faults
}

#[test]
fn corpora_plans_are_read_whole_and_judged() {
    let Some(files) = plans("plans") else { return };
    assert_eq!(files.len(), PLANS, "the corpus changed: look at the new files");
    let rules = builtin_rules().unwrap();
    let mut differ = Vec::new();
    let mut judged = [0_usize; Verdict::ALL.len()];
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(file).unwrap();
        let json: Value = serde_json::from_str(&read_text(&bytes).unwrap()).unwrap();
        let graph = match read_input(&bytes) {
            Ok(graph) => graph,
            Err(error) => {
                differ.push(format!("{name}: {error}"));
                continue;
            }
        };
        differ.extend(faults(&graph, &json).into_iter().map(|fault| format!("{name}: {fault}")));
        let assessment = assess(&graph, &rules);
        judged.iter_mut().zip(assessment.tally).for_each(|(sum, count)| *sum += count);
        differ.extend(assessment.findings.iter().filter(|finding| finding.verdict == Verdict::Error).map(
            |finding| {
                format!("{name}: {} {} {:?}", finding.rule.id, finding.resource.address, finding.observed)
            },
        ));
        let checked = [Checked { name: &name, result: Ok(assessment) }];
        assert!(!text(&checked, &rules, false, Style::coloured(80)).is_empty());
        serde_json::to_string(&CheckReport::new(&checked, &rules, false)).unwrap();
    }
    let counts: Vec<String> =
        Verdict::ALL.iter().zip(judged).map(|(verdict, count)| format!("{count} {verdict}")).collect();
    println!("verdicts over all plans: {}", counts.join(", "));
    println!("corpus plans: {}/{PLANS} {}", files.len() - differ.len().min(files.len()), differ.join("; "));
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn corpora_the_plan_for_speed_is_read_whole() {
    let Some(files) = plans("speed") else { return };
    let rules = builtin_rules().unwrap();
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let graph = read_input(&bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(faults(&graph, &json), Vec::<String>::new());
        let assessment = assess(&graph, &rules);
        assert_eq!(assessment.count(Verdict::Error), 0);
        println!(
            "{} resources, {} judged, {} findings",
            graph.len(),
            assessment.recognised,
            assessment.findings.len()
        );
    }
    println!("corpus speed: {0}/{0}", files.len());
}
