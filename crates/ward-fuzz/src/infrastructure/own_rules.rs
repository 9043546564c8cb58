//! Rules of an organisation, with their fixtures and law: files with a zero byte between them.

use super::judged::{decisions, holds_by, rules};
use crate::Target;
use crate::fixtures::{UNSOUND_MANIFESTS, UNSOUND_PLAN};
use ward_policy::graph::Graph;
use ward_policy::kubernetes::{ManifestFile, read_kubernetes};
use ward_policy::report::{CheckReport, Checked, Style, rule_page, rule_text};
use ward_policy::rules::RuleSet;
use ward_policy::shown_text::steers;
use ward_policy::{Exit, InputError, OwnRules, assess, read_terraform, read_text, run_fixtures};

pub(crate) const TARGET: Target = Target {
    name: "own_rules",
    about: "rules, fixtures, law: they judge a plan and manifests beside those of Ward, whose verdicts stay as they are",
    words: &[
        "version: 1\n",
        "area: own\n",
        "title: Own\n",
        "rules:\n  - id: ORG-001\n",
        "    severity: critical\n",
        "    requirements: [processors]\n",
        "    cells:\n      - types: [aws_sqs_queue]\n",
        "        types: [\"aws_*\"]\n",
        "        expected: e\n",
        "        aspect: a\n",
        "        removed: true\n",
        "        applies: {",
        "        check: {",
        "        fix: a = true\n",
        "    not_covered: [{where: w, because: b}]\n",
        "all: [",
        "any: [",
        "none: [",
        "path: tags.owner",
        "path: [a, \"b.c\"]",
        ", set: true}",
        ", own_key: true}",
        ", equals: ",
        ", not_in: [",
        ", at_least: 1}",
        ", contains: ",
        ", starts_with: ",
        ", not_has_part: ",
        ", refers_to: [aws_kms_key]}",
        ", cidr: not-everywhere}",
        ", over: some",
        ", over: none",
        "blocks: ingress, where: {",
        ", empty: true",
        "document: policy, where: {",
        "policy: policy, asks: no-public-principal}",
        "companion: {types: [aws_s3_bucket_policy], by: bucket, ",
        "own: [id, bucket]",
        "sure: true",
        "target: {path: bucket, types: [aws_s3_bucket]",
        "present: {types: [aws_kms_key], owed: true}",
        "ports: {from: from_port, to: to_port, ",
        "ports: {ranges: ports, unset: all, ",
        "of: admin-and-databases}",
        "addresses: {from: a, to: b, at_most: 256}",
        "secret: password, asks: not-literal}",
        "class: phi}",
        "setting: regions}",
        "in_setting: regions}",
        "kind: services}",
        "tags: tags}",
        "action: [delete, replace]}",
        "kept: backup_retention_period, zero: for-ever}",
        "fixtures:\n  - rule: ORG-001\n    cases:\n",
        "      - pass: {aws_sqs_queue.a: {",
        "        fail: {update aws_sqs_queue.b: {",
        "before: {",
        "        indeterminate: {aws_sqs_queue.c: {a: !unknown }}\n",
        "!ref aws_kms_key.k.arn",
        "!either [a, b]",
        "!sensitive v",
        "    without: {indeterminate: r}\n",
        "    settings: {regions: [eu-central-1]}\n",
        "requirements:\n  - name: own\n",
        "    consequence: c\n",
        "{citation: hipaa-312-b, relation: implements, rationale: r}",
        "instrument: own\nname: Own\ncitations:\n  - key: own-1\n",
        "    strength: proposed\n",
        "    text_sha256: none\n    not_checked_because: b\n",
        "    verified: false\n",
        "\0",
    ],
    run,
};

/// How the files of an input are called.
const FILES: [&str; 4] = ["a.yaml", "b.yaml", "c.yaml", "d.yaml"];
/// How the ids of the rules begin that come with Ward.
const WARD_IDS: &str = "W-";

fn run(input: &[u8]) {
    let mut own = OwnRules::default();
    for (file, part) in FILES.iter().zip(input.splitn(FILES.len(), |byte| *byte == 0)) {
        let Ok(text) = read_text(part) else { return };
        if own.add(file, &text).is_err() {
            return;
        }
    }
    let (ids, fixtures) = (own.ids(), own.take_fixtures());
    let Ok(mut all) = own.with_builtin() else { return };
    let Some(builtin) = rules(input) else { return };
    assert_eq!(all.rules().len(), builtin.rules().len() + ids.len(), "each rule is there once");
    let tried = run_fixtures(&mut all, &fixtures, &ids);
    let mut seen = tried.wrong.iter().flat_map(|wrong| &wrong.observed);
    assert!(!seen.any(|line| line.starts_with("a fault in Ward")), "a rule panics");
    all.set_settings(decisions(input).unwrap_or_default());
    for rule in ids.iter().filter_map(|id| all.rule(id.as_str())) {
        assert!(!rule.id.as_str().starts_with(WARD_IDS), "ids of Ward are its own");
        let _ = rule_page(&all, rule);
        let page = rule_text(&all, rule, None, Style::plain());
        assert!(!page.contains(|c| steers(c) && c != '\n' && c != '\t'), "nothing steers a terminal");
    }
    for graph in [plan, manifests] {
        holds_by(&all, input, graph(), graph());
        if let Ok(graph) = graph() {
            verdicts_of_ward_stay(&graph, &all, builtin);
        }
    }
}

fn plan() -> Result<Graph, InputError> {
    read_terraform(UNSOUND_PLAN)
}

fn manifests() -> Result<Graph, InputError> {
    read_kubernetes(&[ManifestFile { file: "m.yaml", text: UNSOUND_MANIFESTS }])
}

/// Whoever adds rules takes none away: what Ward finds it finds beside them, with the same law.
fn verdicts_of_ward_stay(graph: &Graph, all: &RuleSet, builtin: &RuleSet) {
    let of_ward = |rules: &RuleSet| {
        let checked = [Checked { name: "input", result: Ok(assess(graph, rules)) }];
        let report = CheckReport::new(&checked, rules, false);
        let findings = report.inputs.iter().flat_map(|input| input.findings.iter());
        let of_ward = findings.filter(|finding| finding.rule.starts_with(WARD_IDS));
        of_ward.map(|finding| serde_json::to_value(finding).unwrap_or_default()).collect::<Vec<_>>()
    };
    let found = of_ward(builtin);
    assert!(found == of_ward(all), "rules of one's own change what Ward's say");
    assert!(
        found.is_empty() || assess(graph, all).exit(true) != Exit::Pass,
        "rules of one's own let it pass"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_ward_find_something_in_both() {
        for graph in [plan, manifests] {
            let graph = graph().unwrap();
            assert!(assess(&graph, rules(b"").unwrap()).findings.len() > 5);
        }
    }
}
