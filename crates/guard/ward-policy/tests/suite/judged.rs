//! A rule of a test, and how it judges one resource.

use ward_policy::graph::Graph;
use ward_policy::law::{Law, read_instrument, read_requirements};
use ward_policy::rules::{RuleSet, read_defaults, read_rules};
use ward_policy::{Exit, LAW_FILES, REQUIREMENTS_FILE, Verdict, assess, read_input};

/// Rules of one cell each, and defaults in the form of `policies/defaults.yaml`.
pub fn rule_set(types: &str, check: &str, defaults: &str) -> RuleSet {
    let law = LAW_FILES.iter().flat_map(|file| read_instrument(file.name, file.text).unwrap()).collect();
    let requirements = read_requirements(REQUIREMENTS_FILE.name, REQUIREMENTS_FILE.text).unwrap();
    let rules = format!(
        "version: 1\narea: test\ntitle: Test\nrules:\n- id: T-001\n  title: A rule of a test\n  severity: high\n  \
         requirements: [{}]\n  cells:\n  - types: {types}\n    expected: what the test expects\n    check: {check}\n",
        &requirements.first().unwrap().name
    );
    let files = vec![read_rules("test.yaml", &rules).unwrap()];
    let defaults = if defaults.is_empty() {
        ward_policy::rules::Defaults::default()
    } else {
        read_defaults("defaults.yaml", &format!("version: 1\ndefaults: {defaults}\n")).unwrap()
    };
    RuleSet::new(files, defaults, Law::new(law, requirements).unwrap()).unwrap()
}

/// The graph of a text.
pub fn graph(text: &str) -> Graph {
    read_input(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// How a rule judges one resource of a text.
pub fn verdict(rules: &RuleSet, text: &str, address: &str) -> Verdict {
    let graph = graph(text);
    let (_, resource) = graph.at(address).unwrap_or_else(|| panic!("{address} is not there: {text}"));
    assert!(rules.of_type(&resource.kind).next().is_some(), "no rule knows {}", resource.kind);
    let assessment = assess(&graph, rules);
    let finding = assessment.findings.iter().find(|finding| &*finding.resource.address == address);
    finding.map_or(Verdict::Pass, |finding| finding.verdict)
}

/// How a check of a text ends.
pub fn exit(rules: &RuleSet, text: &str) -> Exit {
    assess(&graph(text), rules).exit(false)
}
