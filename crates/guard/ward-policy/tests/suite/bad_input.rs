//! Bytes that are no plan, nearly one, or one that somebody bent: an error or a graph, never a crash.

use crate::plans::{created, declared, plan};
use ward_policy::{assess, builtin_rules, read_input, yaml::read_yaml};

const ROUNDS: u64 = 4_000;

/// Numbers from a seed, the same each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

fn whole_plan() -> String {
    let changes = [
        created(
            "aws_s3_bucket.b",
            r#"{"bucket": "b", "acl": "private", "versioning": [{"enabled": true}], "tags": {"a": "b"}}"#,
            r#"{"id": true, "policy": true, "versioning": [{"mfa_delete": true}]}"#,
        ),
        created(
            "module.m[0].aws_s3_bucket_policy.p",
            r#"{"policy": "{\"Statement\": [{\"Effect\": \"Deny\", \"Principal\": \"*\"}]}"}"#,
            r#"{"bucket": true}"#,
        )
        .replace(r#""after_unknown""#, r#""after_sensitive": {"policy": true}, "after_unknown""#),
        created(
            "aws_db_instance.d",
            r#"{"engine": "postgres", "storage_encrypted": null}"#,
            r#"{"kms_key_id": true}"#,
        )
        .replace(r#"["create"]"#, r#"["delete", "create"]"#),
    ];
    let root = format!(
        r#"{{"resources": [{}, {}], "module_calls": {{"m": {{"count_expression": {{"constant_value": 1}},
            "expressions": {{"bucket": {{"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]}}}},
            "module": {{"resources": [{}]}}}}}}}}"#,
        declared("aws_s3_bucket.b", r#"{"versioning": [{"enabled": {"constant_value": true}}]}"#),
        declared("aws_db_instance.d", r#"{"kms_key_id": {"references": ["local.k", "each.key"]}}"#),
        declared("aws_s3_bucket_policy.p", r#"{"bucket": {"references": ["var.bucket"]}}"#),
    );
    let state = r#""prior_state": {"values": {"root_module": {"child_modules": [{"resources": []}]}}}, "resource_drift": [],"#;
    plan(state, &changes.join(", "), &root)
}

#[test]
fn no_bent_plan_crashes_the_check() {
    let rules = builtin_rules().unwrap();
    let whole = whole_plan().into_bytes();
    assert!(read_input(&whole).is_ok());
    let mut numbers = Numbers(20_261_130);
    let mut read = 0;
    for _ in 0..ROUNDS {
        let mut bytes = whole.clone();
        for _ in 0..=numbers.next(3) {
            let at = numbers.next(bytes.len());
            match numbers.next(5) {
                0 => bytes.truncate(at),
                1 => {
                    bytes.remove(at);
                }
                2 => bytes.insert(at, b"{}[]\",:0tn\\"[numbers.next(11)]),
                3 => bytes[at] = u8::try_from(numbers.next(256)).unwrap(),
                _ => {
                    let from = numbers.next(bytes.len());
                    let part = bytes[from..bytes.len().min(from + 60)].to_vec();
                    bytes.splice(at..at, part);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        if let Ok(graph) = read_input(&bytes) {
            read += 1;
            // A crash inside a rule becomes an error of that rule: it would be seen here.
            for finding in assess(&graph, &rules).findings {
                assert!(finding.observed.iter().all(|seen| !seen.value.starts_with("a fault in Ward")));
            }
        }
    }
    assert!(read > 50, "only {read} of {ROUNDS} were read: the plans are bent too much to say anything");
}

#[test]
fn no_bent_rules_crash_the_reader() {
    let whole = ward_policy::RULE_FILES[1].text.as_bytes();
    let mut numbers = Numbers(7);
    for _ in 0..ROUNDS / 10 {
        let mut bytes = whole.to_vec();
        for _ in 0..=numbers.next(3) {
            let at = numbers.next(bytes.len());
            bytes[at] = b" -:{}[]&*!|>'\"#%@,?\n\ta0"[numbers.next(23)];
        }
        let text = String::from_utf8_lossy(&bytes);
        if read_yaml(&text).is_ok() {
            let _ = ward_policy::rules::read_rules("bent", &text);
        }
    }
}

#[test]
fn depth_is_an_error_and_not_a_crash() {
    for text in [
        format!("{{\"format_version\": \"1.2\", \"resource_changes\": {}", "[".repeat(100_000)),
        format!("{{\"format_version\": \"1.2\", \"planned_values\": {}", "{\"a\":".repeat(100_000)),
        format!("{{\"format_version\": \"1.2\", \"configuration\": {}", "{\"root_module\":".repeat(100_000)),
    ] {
        assert!(read_input(text.as_bytes()).is_err());
    }
}
