//! Waivers and baselines: what they let pass, and everything that makes them void.

use crate::plans::{created, plan, read};
use std::collections::BTreeSet;
use ward_policy::graph::Graph;
use ward_policy::rules::RuleSet;
use ward_policy::waiver::{
    Demand, NamedWaiver, SignatureCheck, SignerRole, Waiver, WaiverCheck, WaiverSignature, apply_waivers,
    binding_of, demand_of,
};
use ward_policy::{
    Assessment, Baseline, Day, Exit, Verdict, apply_baseline, assess, builtin_rules, entries_of,
    read_settings,
};

/// A scheme of these tests: who signs gives the digest, with the key laid over it.
struct Mixed;

fn mixed(key: &[u8; 32], digest: &[u8; 32]) -> [u8; 64] {
    let mut signature = [0; 64];
    for (at, byte) in signature.iter_mut().enumerate() {
        *byte = digest[at % 32] ^ key[(at * 7) % 32] ^ u8::try_from(at).unwrap();
    }
    signature
}

impl SignatureCheck for Mixed {
    fn holds(&self, key: &[u8; 32], digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        mixed(key, digest) == *signature
    }
}

const PEOPLE: [(&str, [u8; 32]); 4] =
    [("Ann Meyer", [1; 32]), ("Bo Lind", [2; 32]), ("Cy Roth", [3; 32]), ("Di Voss", [4; 32])];

/// The rules with settings of a stage that name the first three as signers.
fn rules_of(stage: &str) -> RuleSet {
    let mut text = format!("version: 1\n{stage}waiver_signers:\n");
    for (name, key) in &PEOPLE[..3] {
        text.push_str(&format!("  - {{name: {name}, key: \"{}\"}}\n", ward_id::hex_encode(key)));
    }
    builtin_rules().unwrap().with_settings(read_settings("ward-policy.yaml", &text).unwrap())
}

fn rules() -> RuleSet {
    rules_of("stage: test\n")
}

fn sign(waiver: &mut Waiver, role: SignerRole, person: usize) {
    let (name, key) = PEOPLE[person];
    let signature = mixed(&key, &waiver.digest(role, name, &key));
    waiver.signatures.push(WaiverSignature { role, name: name.into(), key, signature });
}

fn today() -> Day {
    Day::parse("2026-11-30").unwrap()
}

/// A database without a key of its own, and a file system that is not encrypted.
fn infrastructure(engine: &str) -> Graph {
    let database = created(
        "aws_db_instance.d",
        &format!(
            r#"{{"engine": "{engine}", "storage_encrypted": true, "multi_az": false, "deletion_protection": true,
            "backup_retention_period": 35}}"#
        ),
        "{}",
    );
    let files = created("aws_efs_file_system.f", r#"{"encrypted": false, "tags": {"a": "b"}}"#, "{}");
    read(&plan("", &[database, files].join(", "), "{}")).unwrap()
}

fn finding_at<'f>(assessment: &'f Assessment<'_>, rule: &str) -> &'f ward_policy::Finding<'f> {
    assessment.findings.iter().find(|one| one.rule.id.as_str() == rule).unwrap()
}

/// A waiver of a finding, signed by its author and as many approvers as it needs.
fn waiver(graph: &Graph, rules: &RuleSet, rule: &str, change: impl Fn(&mut Waiver)) -> Waiver {
    let assessment = assess(graph, rules);
    let finding = finding_at(&assessment, rule);
    let mut waiver = Waiver {
        rule: finding.rule.id.clone(),
        aspect: finding.cell.aspect.clone(),
        resource: finding.resource.address.clone(),
        stage: "test".into(),
        binds: binding_of(finding, graph).unwrap(),
        observed: finding.observed.iter().map(|seen| seen.line().into()).collect(),
        reason: "It is moved next month.".into(),
        alternative: Some("Access is limited to two people.".into()),
        ticket: None,
        written: today(),
        expires: today().plus(90),
        signatures: Vec::new(),
    };
    change(&mut waiver);
    sign(&mut waiver, SignerRole::Author, 0);
    for person in 1..=demand_of(finding, rules).approvals {
        sign(&mut waiver, SignerRole::Approver, person);
    }
    waiver
}

/// The verdict of a rule once a waiver was looked at, with what is said of the waiver.
fn waived(graph: &Graph, rules: &RuleSet, rule: &str, waiver: Waiver, day: Day) -> (Verdict, String) {
    let mut assessment = assess(graph, rules);
    let waivers = [NamedWaiver { file: "w.yaml".to_owned(), waiver }];
    let check = WaiverCheck { waivers: &waivers, today: day, signatures: &Mixed };
    apply_waivers(&mut assessment, rules, check);
    let finding = finding_at(&assessment, rule);
    (finding.verdict, finding.waiver.clone().unwrap_or_default())
}

#[test]
fn a_signed_waiver_lets_one_finding_pass_and_no_other() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let before = assess(&graph, &rules);
    let one = waiver(&graph, &rules, "W-018", |_| {});
    let mut after = assess(&graph, &rules);
    let waivers = [NamedWaiver { file: "w.yaml".to_owned(), waiver: one }];
    let check = WaiverCheck { waivers: &waivers, today: today(), signatures: &Mixed };
    let used = apply_waivers(&mut after, &rules, check);
    assert_eq!(used, BTreeSet::from([0]));
    assert_eq!((before.count(Verdict::Waived), after.count(Verdict::Waived)), (0, 1));
    assert_eq!(before.count(Verdict::Fail), after.count(Verdict::Fail) + 1);
    let told = finding_at(&after, "W-018").waiver.clone().unwrap();
    assert!(
        told.contains("until 2027-02-28") && told.contains("By Ann Meyer, approved by Bo Lind"),
        "{told}"
    );
    assert_eq!(after.exit(false), Exit::Violation, "the others still block");
}

#[test]
fn fails_closed_a_waiver_ends_and_counts_for_ninety_days_at_most() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let one = || waiver(&graph, &rules, "W-018", |_| {});
    let on = |days: i64| waived(&graph, &rules, "W-018", one(), today().plus(days));
    assert_eq!(on(0).0, Verdict::Waived);
    assert_eq!(on(90).0, Verdict::Waived);
    assert_eq!(on(91), (Verdict::Fail, "w.yaml: it expired on 2027-02-28".to_owned()));
    assert_eq!(on(-1).0, Verdict::Fail, "before it was written");
    let long = waiver(&graph, &rules, "W-018", |one| one.expires = one.written.plus(91));
    let (verdict, told) = waived(&graph, &rules, "W-018", long, today());
    assert!(verdict == Verdict::Fail && told.contains("91 days"), "{told}");
}

#[test]
fn fails_closed_a_waiver_is_void_when_what_it_waives_changes() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let one = waiver(&graph, &rules, "W-010", |_| {});
    assert_eq!(waived(&graph, &rules, "W-010", one.clone(), today()).0, Verdict::Waived);
    // Another value of what was seen.
    let open = created("aws_db_instance.d", r#"{"engine": "postgres"}"#, r#"{"multi_az": true}"#);
    let changed = read(&plan("", &open, "{}")).unwrap();
    let (verdict, told) = waived(&changed, &rules, "W-010", one.clone(), today());
    assert!(verdict.blocks() && told.contains("another value"), "{verdict} {told}");
    let mut other = one;
    other.binds[0] ^= 1;
    other.signatures.clear();
    sign(&mut other, SignerRole::Author, 0);
    sign(&mut other, SignerRole::Approver, 1);
    sign(&mut other, SignerRole::Approver, 2);
    assert_eq!(waived(&graph, &rules, "W-010", other, today()).0, Verdict::Fail);
}

#[test]
fn fails_closed_a_waiver_counts_for_one_stage() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let one = || waiver(&graph, &rules, "W-018", |_| {});
    assert_eq!(waived(&graph, &rules, "W-018", one(), today()).0, Verdict::Waived);
    for other in ["stage: production\n", "stage: Test\n", ""] {
        let (verdict, told) = waived(&graph, &rules_of(other), "W-018", one(), today());
        assert!(verdict == Verdict::Fail && told.contains("stage test"), "{other} {told}");
    }
}

#[test]
fn fails_closed_what_approvers_read_is_what_was_seen() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    for change in [
        (|one| one.observed = vec!["encrypted = true".into()]) as fn(&mut Waiver),
        |one| one.observed.clear(),
        |one| one.observed.push("nothing else".into()),
    ] {
        let one = waiver(&graph, &rules, "W-018", change);
        let (verdict, told) = waived(&graph, &rules, "W-018", one, today());
        assert!(verdict == Verdict::Fail && told.contains("another value"), "{verdict} {told}");
    }
}

#[test]
fn fails_closed_who_signs_is_known_and_nobody_approves_what_they_wrote() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let good = waiver(&graph, &rules, "W-018", |_| {});
    assert_eq!(good.signatures.len(), 3, "critical: two approvals");
    let told = |change: &dyn Fn(&mut Waiver)| {
        let mut one = good.clone();
        change(&mut one);
        let (verdict, told) = waived(&graph, &rules, "W-018", one, today());
        assert_eq!(verdict, Verdict::Fail, "{told}");
        told
    };
    assert!(told(&|one| one.reason = "Another.".into()).contains("does not fit"));
    assert!(told(&|one| one.signatures.truncate(2)).contains("1 of 2 approvals"));
    assert!(told(&|one| one.signatures.truncate(1)).contains("0 of 2 approvals"));
    assert!(told(&|one| drop(one.signatures.remove(0))).contains("author"));
    assert!(told(&|one| one.signatures.swap_remove(0).role = SignerRole::Author).contains("author"));
    assert!(told(&|one| one.signatures[1].name = "Cy Roth".into()).contains("no signer"));
    assert!(told(&|one| one.signatures[1].role = SignerRole::Author).contains("author"));
    assert!(
        told(&|one| {
            one.signatures.truncate(1);
            sign(one, SignerRole::Approver, 0);
            sign(one, SignerRole::Approver, 1);
        })
        .contains("Ann Meyer can't approve")
    );
    assert!(
        told(&|one| {
            one.signatures.truncate(2);
            sign(one, SignerRole::Approver, 1);
        })
        .contains("Bo Lind can't approve")
    );
    assert!(
        told(&|one| {
            one.signatures.truncate(2);
            sign(one, SignerRole::Approver, 3);
        })
        .contains("no signer Di Voss")
    );
}

#[test]
fn fails_closed_an_addressable_specification_needs_what_stands_in_its_place() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let assessment = assess(&graph, &rules);
    assert_eq!(
        demand_of(finding_at(&assessment, "W-018"), &rules),
        Demand { approvals: 2, alternative: true }
    );
    let none = waiver(&graph, &rules, "W-018", |one| one.alternative = None);
    let (verdict, told) = waived(&graph, &rules, "W-018", none, today());
    assert!(verdict == Verdict::Fail && told.contains("addressable"), "{told}");
}

#[test]
fn fails_closed_what_is_secret_can_not_be_waived() {
    let rules = builtin_rules().unwrap();
    let database =
        created("aws_db_instance.d", r#"{"password": "p-canary-1234", "engine": "postgres"}"#, "{}");
    let declared = r#"{"resources": [{"address": "aws_db_instance.d", "expressions":
        {"password": {"constant_value": "p-canary-1234"}, "engine": {"constant_value": "postgres"}}}]}"#;
    let graph = read(&plan("", &database, declared)).unwrap();
    let assessment = assess(&graph, &rules);
    assert_eq!(binding_of(finding_at(&assessment, "W-059"), &graph), None);
    assert!(binding_of(finding_at(&assessment, "W-010"), &graph).is_some());
    let entries = entries_of("plan", &assessment);
    assert!(!entries.iter().any(|(_, entry)| entry.rule == "W-059"), "nor does a baseline hold it");
}

#[test]
fn a_baseline_lets_pass_what_was_there_and_only_that() {
    let (rules, graph) = (rules(), infrastructure("postgres"));
    let assessment = assess(&graph, &rules);
    let entries: BTreeSet<_> = entries_of("plan", &assessment).into_iter().map(|(_, entry)| entry).collect();
    let baseline = Baseline::of(entries.clone());
    let json = serde_json::to_string(&baseline).unwrap();
    assert_eq!(Baseline::read(json.as_bytes()).unwrap(), baseline);

    let mut same = assess(&graph, &rules);
    assert_eq!(apply_baseline("plan", &mut same, &baseline), entries);
    assert_eq!(same.exit(false), Exit::Pass);
    let mut elsewhere = assess(&graph, &rules);
    assert!(apply_baseline("other", &mut elsewhere, &baseline).is_empty());
    // A finding that changes is a new one.
    let open = created("aws_efs_file_system.f", "{}", r#"{"encrypted": true}"#);
    let changed = read(&plan("", &open, "{}")).unwrap();
    let mut after = assess(&changed, &rules);
    let met = apply_baseline("plan", &mut after, &baseline);
    assert!(!met.iter().any(|entry| entry.rule == "W-018"), "{met:?}");
    assert_ne!(after.exit(false), Exit::Pass);

    let smaller = Baseline::of(entries.iter().skip(1).cloned().collect());
    assert!(smaller.grown_since(&baseline).is_empty());
    assert_eq!(baseline.grown_since(&smaller).len(), 1);
    for broken in
        ["{}", "{\"format\": 2, \"findings\": []}", "{\"format\": 1, \"findings\": [], \"all\": true}"]
    {
        assert!(Baseline::read(broken.as_bytes()).is_err(), "{broken}");
    }
}
