//! What a source marks as sensitive is judged by every kind of condition, and shown by none.

use ward_policy::graph::{Attribute, Block, Format, Graph, Resource, Sensitive};
use ward_policy::law::{Law, read_instrument, read_requirements};
use ward_policy::report::{CheckReport, Checked, Style, text};
use ward_policy::rules::{Defaults, RuleSet, read_rules};
use ward_policy::{Verdict, assess};

const CANARY: &str = "canary-5f1c";

fn law() -> Law {
    let hash = "0".repeat(64);
    let instrument = format!(
        "version: 1\ninstrument: I\nname: N\ncitations:\n  - {{key: k, cite: C, title: T, strength: required, summary: S, \
         effective: 2013-03-26, source: x, text_sha256: '{hash}', verified: false}}\n"
    );
    let requirements = "version: 1\nrequirements:\n  - {name: r, title: t, consequence: c, citations: [{citation: k, relation: supports, rationale: w}]}\n";
    let citations = read_instrument("law", &instrument).unwrap();
    Law::new(citations, read_requirements("requirements", requirements).unwrap()).unwrap()
}

fn rules(check: &str) -> RuleSet {
    let file = format!(
        "version: 1\narea: a\ntitle: A\nrules:\n  - id: X-001\n    title: T\n    severity: high\n    requirements: [r]\n    \
         cells:\n      - types: [t]\n        expected: e\n        check: {check}\n"
    );
    RuleSet::new(vec![read_rules("rules", &file).unwrap()], Defaults::default(), law()).unwrap()
}

fn block(entries: Vec<(&str, Attribute)>) -> Attribute {
    Block::new(entries.into_iter().map(|(name, value)| (name.into(), value)).collect()).unwrap().into()
}

fn secret(value: Attribute) -> Attribute {
    Attribute::Sensitive(Sensitive::new(value))
}

fn resource() -> Resource {
    let document = format!(r#"{{"a": "{CANARY}", "list": ["{CANARY}"], "inner": {{"a": "{CANARY}"}}}}"#);
    let mut resource = Resource::new("t.x", "t", "x");
    let attributes = block(vec![
        ("plain", secret(CANARY.into())),
        ("list", secret(vec![Attribute::from(CANARY)].into())),
        ("item", vec![secret(CANARY.into()), "open".into()].into()),
        (
            "blocks",
            secret(vec![block(vec![("a", CANARY.into()), ("list", vec![CANARY.into()].into())])].into()),
        ),
        (
            "block",
            vec![secret(block(vec![("a", CANARY.into()), ("list", vec![CANARY.into()].into())]))].into(),
        ),
        ("scalars", secret(vec![Attribute::from(CANARY)].into())),
        ("json", secret(document.as_str().into())),
        ("inline", secret(block(vec![("a", CANARY.into()), ("list", vec![CANARY.into()].into())]))),
        ("policy", secret(format!(r#"{{"Statement": "{CANARY}"}}"#).as_str().into())),
    ]);
    if let Attribute::Block(attributes) = attributes {
        resource.attributes = attributes;
    }
    resource
}

#[test]
fn no_kind_of_condition_shows_a_secret() {
    let graph = Graph::new(Format::TerraformPlan, vec![resource()], vec![]).unwrap();
    assert!(!format!("{graph:?}").contains(CANARY));
    for check in [
        "{path: plain, equals: other}",
        "{path: plain.deeper, set: true}",
        "{path: plain, at_least: 7}",
        "{path: plain, set: false}",
        "{path: list, equals: other}",
        "{path: list, contains: other}",
        "{path: list, set: false}",
        "{path: item, equals: other}",
        "{path: item, contains: other}",
        "{path: blocks.a, equals: other}",
        "{path: blocks.list, equals: other}",
        "{blocks: blocks, where: {path: a, equals: other}}",
        "{blocks: blocks, where: {path: list, equals: other}}",
        "{blocks: blocks, over: none, where: {path: a, set: true}}",
        "{blocks: block, where: {path: a, equals: other}}",
        "{blocks: block, where: {path: list, equals: other}}",
        "{blocks: block, where: {path: a.deeper, equals: other}}",
        "{blocks: scalars, where: {path: a, equals: other}}",
        "{blocks: item, where: {path: a, equals: other}}",
        "{document: json, where: {path: a, equals: other}}",
        "{document: json, where: {path: list, equals: other}}",
        "{document: json, where: {blocks: inner, where: {path: a, equals: other}}}",
        "{document: plain, where: {path: a, equals: other}}",
        "{document: inline, where: {path: a, equals: other}}",
        "{document: inline, where: {path: list, equals: other}}",
        "{document: list, where: {path: a, equals: other}}",
        "{policy: policy, asks: tls-required}",
        "{policy: plain, asks: tls-required}",
        "{policy: list, asks: tls-required}",
        "{target: {path: plain, types: [u]}}",
        "{companion: {types: [u], by: x}}",
    ] {
        let rules = rules(check);
        let assessment = assess(&graph, &rules);
        assert_eq!(assessment.findings.len(), 1, "{check} did not judge");
        assert_ne!(assessment.findings[0].verdict, Verdict::Pass);
        let checked = [Checked { name: "plan", result: Ok(assessment) }];
        let page = text(&checked, &rules, false, Style::plain());
        let json = serde_json::to_string(&CheckReport::new(&checked, &rules, false)).unwrap();
        assert!(!page.contains(CANARY) && !json.contains(CANARY), "{check}\n{page}");
        assert!(page.contains("observed"), "{check}\n{page}");
    }
}
