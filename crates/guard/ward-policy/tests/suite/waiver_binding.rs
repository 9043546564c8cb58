//! What a waiver is bound to: who profits from it, how far it reaches and what is not known can't be exchanged.

use crate::plans::{created, plan, read};
use ward_policy::folder::read_module_of_file;
use ward_policy::graph::Graph;
use ward_policy::rules::RuleSet;
use ward_policy::terraform_source::{SourceFile, SourceOptions};
use ward_policy::waiver::binding_of;
use ward_policy::{OwnRules, Verdict, assess, builtin_rules, entries_of, read_named_input};

/// What the finding of a rule about the first resource is bound to, with its verdict.
fn bound(graph: &Graph, rules: &RuleSet, rule: &str) -> (Verdict, Option<[u8; 32]>) {
    let assessment = assess(graph, rules);
    let finding = assessment.findings.iter().find(|one| one.rule.id.as_str() == rule).unwrap();
    let entry = entries_of("plan", &assessment).into_iter().find(|(_, one)| one.rule == rule);
    let binding = binding_of(finding, graph);
    assert_eq!(entry.map(|(_, one)| one.binds), binding.map(|binds| ward_id::hex_encode(&binds)));
    (finding.verdict, binding)
}

/// What a resource of a plan is bound to.
fn of_plan(rule: &str, address: &str, after: &str, unknown: &str) -> (Verdict, Option<[u8; 32]>) {
    let graph = read(&plan("", &created(address, after, unknown), "{}")).unwrap();
    bound(&graph, &builtin_rules().unwrap(), rule)
}

/// The rules of Ward, and one of an organisation with this check.
fn rules_with_check(check: &str) -> RuleSet {
    let file = format!(
        "version: 1\narea: a\ntitle: A\nrules:\n  - id: X-001\n    title: T\n    severity: high\n    \
         requirements: [encryption-at-rest]\n    cells:\n      - types: [x_thing]\n        expected: e\n        check: {check}\n"
    );
    let mut own = OwnRules::default();
    own.add("own.yaml", &file).unwrap();
    own.with_builtin().unwrap()
}

#[test]
fn fails_closed_who_profits_from_a_waiver_is_bound() {
    let rules = builtin_rules().unwrap();
    let of = |subject: &str| {
        let text = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: ops}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}\n\
             subjects: [{{apiGroup: rbac.authorization.k8s.io, {subject}}}]\n"
        );
        bound(&read_named_input("m.yaml", text.as_bytes()).unwrap(), &rules, "W-071")
    };
    let ann = of("kind: User, name: ann");
    assert!(ann.0 == Verdict::Fail && ann.1.is_some());
    assert_eq!(ann, of("kind: User, name: ann"));
    assert_ne!(ann.1, of("kind: User, name: bo").1);

    let member = |who: &str| {
        let after = format!(r#"{{"project": "p", "role": "roles/owner", "member": "{who}"}}"#);
        let graph = read(&plan("", &created("google_project_iam_member.m", &after, "{}"), "{}")).unwrap();
        bound(&graph, &rules, "W-060")
    };
    assert!(member("user:ann@a.example").1.is_some());
    assert_ne!(member("user:ann@a.example").1, member("user:bo@a.example").1);
}

#[test]
fn fails_closed_how_far_a_rule_of_a_firewall_reaches_is_bound_and_shown() {
    let of = |to: &str, list: &str| {
        let after = format!(
            r#"{{"type": "ingress", "cidr_blocks": [{list}"0.0.0.0/0"], "ipv6_cidr_blocks": ["::/0"],
                "protocol": "tcp", "from_port": 22, "to_port": {to}, "security_group_id": "sg-1"}}"#
        );
        of_plan("W-048", "aws_security_group_rule.r", &after, "{}")
    };
    let narrow = of("22", "");
    assert!(narrow.0 == Verdict::Fail && narrow.1.is_some());
    assert_ne!(narrow.1, of("65535", "").1);
    // A list longer than a report shows.
    let ranges = |last: &str| (0..40).map(|at| format!("\"10.0.{at}.0/24\", ")).collect::<String>() + last;
    assert_ne!(of("22", &ranges("\"10.1.0.0/24\", ")).1, of("22", &ranges("\"10.2.0.0/24\", ")).1);

    let after = r#"{"type": "ingress", "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": ["::/0"],
        "protocol": "tcp", "from_port": 22, "to_port": 65535}"#;
    let graph = read(&plan("", &created("aws_security_group_rule.r", after, "{}"), "{}")).unwrap();
    let rules = builtin_rules().unwrap();
    let assessment = assess(&graph, &rules);
    let finding = assessment.findings.iter().find(|one| one.rule.id.as_str() == "W-048").unwrap();
    assert!(finding.observed.iter().any(|seen| seen.line().contains("65535")), "{:?}", finding.observed);
}

#[test]
fn fails_closed_statements_of_a_policy_that_stand_in_a_data_source_are_bound() {
    let of = |action: &str| {
        let source = format!(
            "data \"aws_iam_policy_document\" \"d\" {{\n  statement {{\n    actions = [\"{action}\"]\n    \
             resources = [\"*\"]\n    principals {{\n      type = \"AWS\"\n      identifiers = [\"*\"]\n    }}\n  }}\n}}\n\
             resource \"aws_s3_bucket_policy\" \"p\" {{\n  bucket = \"b\"\n  \
             policy = data.aws_iam_policy_document.d.json\n}}\n"
        );
        let file = SourceFile { path: "main.tf", bytes: source.as_bytes() };
        let graph = read_module_of_file("infra", &[file], &SourceOptions::default()).graph.unwrap();
        bound(&graph, &builtin_rules().unwrap(), "W-022")
    };
    assert!(of("s3:GetObject").1.is_some());
    assert_ne!(of("s3:GetObject").1, of("s3:*").1);
}

#[test]
fn fails_closed_what_was_left_out_of_a_finding_is_not_waived() {
    let rules = rules_with_check("{all: [{path: ranges, over: every, cidr: private}]}");
    let of = |count: usize| {
        let ranges: Vec<String> = (1..=count).map(|at| format!("\"203.0.113.{at}\"")).collect();
        let after = format!(r#"{{"ranges": [{}]}}"#, ranges.join(", "));
        let graph = read(&plan("", &created("x_thing.t", &after, "{}"), "{}")).unwrap();
        bound(&graph, &rules, "X-001").1
    };
    assert!(of(8).is_some());
    assert_eq!(of(9), None, "one of them is not shown");
}

#[test]
fn fails_closed_what_rests_on_a_hidden_value_is_not_waived() {
    let rules = rules_with_check("{none: [{path: mode, equals: open}, {path: other, equals: on}]}");
    let of = |sensitive: &str| {
        let change = created("x_thing.t", r#"{"mode": "open", "other": "off", "pin": "1"}"#, "{}")
            .replace("\"after_unknown\"", &format!("\"after_sensitive\": {sensitive}, \"after_unknown\""));
        bound(&read(&plan("", &change, "{}")).unwrap(), &rules, "X-001").1
    };
    assert!(of("{}").is_some());
    assert!(of(r#"{"pin": true}"#).is_some(), "what the rule does not ask about may be hidden");
    assert_eq!(of(r#"{"other": true}"#), None);
    assert_eq!(of(r#"{"mode": true}"#), None);
}

#[test]
fn fails_closed_a_part_that_is_not_known_or_not_evaluated_changes_the_finding() {
    let flags = |restrict: &str| {
        format!(
            r#"{{"bucket": "b", "block_public_acls": false, "block_public_policy": true,
                "ignore_public_acls": true{restrict}}}"#
        )
    };
    let of = |restrict: &str, unknown: &str| {
        of_plan("W-021", "aws_s3_bucket_public_access_block.a", &flags(restrict), unknown)
    };
    let known = of(r#", "restrict_public_buckets": true"#, "{}");
    assert!(known.0 == Verdict::Fail && known.1.is_some());
    let unknown = of("", r#"{"restrict_public_buckets": true}"#);
    assert_eq!(unknown.0, Verdict::Fail);
    assert_ne!(unknown.1, known.1);

    let rules = rules_with_check(
        "{all: [{path: mode, equals: closed}, {document: text, where: {path: a, equals: 1}}]}",
    );
    let of = |text: &str| {
        let after = format!(r#"{{"mode": "open", "text": "{text}"}}"#);
        let graph = read(&plan("", &created("x_thing.t", &after, "{}"), "{}")).unwrap();
        bound(&graph, &rules, "X-001")
    };
    assert!(of("{\\\"a\\\": 1}").1.is_some());
    assert_eq!(of("no JSON"), (Verdict::Fail, None), "a part that was not evaluated can't be waived");
}
