//! From source to verdict, by the rules that come with Ward.

use super::graph;
use crate::builtin::builtin_rules;
use crate::evaluate::assess;
use crate::verdict::{Exit, Verdict};

/// The verdict of a rule about a resource, and how the whole check ends. What is not told passes.
fn verdict(files: &[(&str, &str)], rule: &str, address: &str) -> (Verdict, Exit) {
    let graph = graph(files);
    super::at(&graph, address);
    let rules = builtin_rules().unwrap();
    let assessment = assess(&graph, &rules);
    let is_meant = |finding: &&crate::finding::Finding<'_>| {
        finding.rule.id.as_str() == rule && &*finding.resource.address == address
    };
    let verdict = assessment.findings.iter().find(is_meant).map_or(Verdict::Pass, |finding| finding.verdict);
    (verdict, assessment.exit(false))
}

const BLOCK: &str = "block_public_acls = true\n block_public_policy = true\n ignore_public_acls = true\n restrict_public_buckets = true\n";

fn bucket_and_block(head: &str, arguments: &str) -> String {
    format!(
        "{head}\nresource \"aws_s3_bucket\" \"b\" {{}}\nresource \"aws_s3_bucket_public_access_block\" \"p\" {{\n {arguments}\n {BLOCK}}}\n"
    )
}

#[test]
fn a_companion_is_found_by_its_reference() {
    let text = bucket_and_block("", "bucket = aws_s3_bucket.b.id");
    assert_eq!(verdict(&[("main.tf", &text)], "W-021", "aws_s3_bucket.b").0, Verdict::Pass);
}

#[test]
fn a_companion_inside_a_module_is_found_through_its_input() {
    let root = "resource \"aws_s3_bucket\" \"b\" {}\nmodule \"guard\" {\n  source = \"./guard\"\n  bucket_id = aws_s3_bucket.b.id\n}\n";
    let guard = format!(
        "variable \"bucket_id\" {{}}\nlocals {{\n  id = var.bucket_id\n}}\nresource \"aws_s3_bucket_public_access_block\" \"p\" {{\n  bucket = local.id\n {BLOCK}}}\n"
    );
    assert_eq!(
        verdict(&[("main.tf", root), ("guard/main.tf", &guard)], "W-021", "aws_s3_bucket.b").0,
        Verdict::Pass
    );
}

#[test]
fn fails_closed_a_companion_of_another_bucket_does_not_count() {
    let text = bucket_and_block("resource \"aws_s3_bucket\" \"other\" {}", "bucket = aws_s3_bucket.b.id");
    assert_eq!(verdict(&[("main.tf", &text)], "W-021", "aws_s3_bucket.other").0, Verdict::Fail);
}

#[test]
fn fails_closed_a_companion_that_may_be_absent_proves_nothing() {
    let text = bucket_and_block("variable \"on\" {}", "count = var.on ? 1 : 0\n bucket = aws_s3_bucket.b.id");
    let (verdict, exit) = verdict(&[("main.tf", &text)], "W-021", "aws_s3_bucket.b");
    assert!(verdict.blocks() && exit != Exit::Pass, "{verdict}");
}

#[test]
fn fails_closed_an_account_default_that_may_be_absent_proves_nothing() {
    let of = |count: &str| {
        format!(
            "variable \"on\" {{}}\nresource \"aws_s3_bucket\" \"b\" {{}}\nresource \"aws_s3_account_public_access_block\" \"p\" {{\n {count}\n {BLOCK}}}\n"
        )
    };
    assert_eq!(verdict(&[("main.tf", &of(""))], "W-021", "aws_s3_bucket.b").0, Verdict::Pass);
    let open = of("count = var.on ? 1 : 0");
    assert!(verdict(&[("main.tf", &open)], "W-021", "aws_s3_bucket.b").0.blocks());
}

#[test]
fn fails_closed_a_companion_with_count_zero_is_a_violation() {
    let text = bucket_and_block(
        "variable \"on\" {\n  default = false\n}",
        "count = var.on ? 1 : 0\n bucket = aws_s3_bucket.b.id",
    );
    assert_eq!(verdict(&[("main.tf", &text)], "W-021", "aws_s3_bucket.b").0, Verdict::Fail);
}

#[test]
fn fails_closed_a_companion_whose_name_is_made_of_another_does_not_count() {
    for name in
        ["\"${aws_s3_bucket.b.id}-logs\"", "\"${aws_s3_bucket.b.id}/x\"", "\"${aws_s3_bucket.b.arn}s\""]
    {
        let text = bucket_and_block("", &format!("bucket = {name}"));
        assert!(verdict(&[("main.tf", &text)], "W-021", "aws_s3_bucket.b").0.blocks(), "{name}");
    }
    let text = bucket_and_block("", "bucket = aws_s3_bucket.b.tags_all[\"target\"]");
    assert!(verdict(&[("main.tf", &text)], "W-021", "aws_s3_bucket.b").0.blocks());
}

#[test]
fn fails_closed_a_part_of_a_bucket_is_not_the_bucket() {
    let policies = [
        "jsonencode({ Statement = [{ Effect = \"Deny\", Principal = \"*\", Action = \"s3:*\", Resource = [RESOURCES], Condition = { Bool = { \"aws:SecureTransport\" = \"false\" } } }] })",
        "<<EOF\n{\"Statement\": [{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:*\", \"Resource\": [RESOURCES], \"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"false\"}}}]}\nEOF\n",
    ];
    let of = |policy: &str, resources: &str| {
        let policy = policy.replace("RESOURCES", resources);
        let text = format!(
            "variable \"x\" {{}}\nvariable \"prefix\" {{}}\nlocals {{\n objects = \"${{aws_s3_bucket.b.arn}}/*\"\n part = \"${{aws_s3_bucket.b.id}}/public\"\n}}\ndata \"aws_partition\" \"p\" {{}}\nresource \"aws_ssm_parameter\" \"x\" {{}}\nresource \"aws_s3_bucket\" \"o\" {{}}\nresource \"aws_s3_bucket\" \"b\" {{}}\nresource \"aws_s3_bucket_policy\" \"p\" {{\n bucket = aws_s3_bucket.b.id\n policy = {policy}\n}}\n"
        );
        verdict(&[("main.tf", &text)], "W-023", "aws_s3_bucket.b").0
    };
    for policy in policies {
        let whole = "\"${aws_s3_bucket.b.arn}\", \"${aws_s3_bucket.b.arn}/*\"";
        assert_eq!(of(policy, whole), Verdict::Pass, "{policy}");
        let by_name = "\"arn:aws:s3:::${aws_s3_bucket.b.id}\", \"arn:aws:s3:::${aws_s3_bucket.b.id}/*\"";
        assert_eq!(of(policy, by_name), Verdict::Pass, "{policy}");
        let by_partition = by_name.replace("arn:aws:", "arn:${data.aws_partition.p.partition}:");
        assert_eq!(of(policy, &by_partition), Verdict::Pass, "{policy}");
        for parts in [
            ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}/public/*"],
            ["arn:aws:s3:::${aws_s3_bucket.b.id}", "arn:aws:s3:::${aws_s3_bucket.b.id}/public/*"],
            ["arn:aws:s3:::${aws_s3_bucket.b.id}/a/*", "arn:aws:s3:::${aws_s3_bucket.b.id}/b/*"],
            ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}/${var.prefix}/*"],
            ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}/${aws_s3_bucket.o.id}/*"],
            ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.o.arn}/*"],
            ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}"],
            ["${aws_s3_bucket.b.arn}/*", "${aws_s3_bucket.b.arn}/*"],
            ["${aws_s3_bucket.b.arn}", "${aws_s3_bucket.b.arn}-logs/*"],
            ["${aws_s3_bucket.b.arn}", "arn:aws:s3:::x-${aws_s3_bucket.b.id}/*"],
            ["${aws_s3_bucket.b.arn}", "${aws_ssm_parameter.x.arn}/*"],
            ["${var.x ? aws_s3_bucket.b.arn : local.objects}", "${aws_s3_bucket.b.arn}/*"],
            ["arn:aws:s3:::${local.part}", "arn:aws:s3:::${local.part}/*"],
        ] {
            let [one, other] = parts;
            let part = format!("\"{one}\", \"{other}\"");
            assert!(of(policy, &part).blocks(), "{policy} {part}");
        }
    }
}

#[test]
fn fails_closed_a_literal_beside_an_input_is_a_secret_that_may_be_written() {
    let of = |kind: &str, argument: &str| {
        let text = format!(
            "variable \"x\" {{}}\nvariable \"pw\" {{\n sensitive = true\n}}\nresource \"random_password\" \"p\" {{\n length = 32\n}}\nresource \"{kind}\" \"s\" {{\n {argument}\n}}\n"
        );
        verdict(&[("main.tf", &text)], "W-059", &format!("{kind}.s")).0
    };
    for password in [
        "\"hunter2-${var.x}\"",
        "\"${var.x}-hunter2\"",
        "format(\"hunter2-%s\", var.x)",
        "join(\"-\", [\"hunter2\", var.x])",
        "coalesce(var.pw, \"hunter2\")",
        "try(var.pw.inner, \"hunter2\")",
        "base64encode(\"hunter2-${var.pw}\")",
        "var.x ? \"hunter2\" : var.pw",
    ] {
        assert!(of("aws_db_instance", &format!("password = {password}")).blocks(), "{password}");
    }
    for password in
        ["var.pw", "random_password.p.result", "\"${var.pw}\"", "sensitive(var.pw)", "var.x ? var.pw : null"]
    {
        let verdict = of("aws_db_instance", &format!("password = {password}"));
        assert_eq!(verdict, Verdict::Pass, "{password}");
    }
    for data in [
        "var.x ? { token = \"a\" } : { token = \"b\" }",
        "sensitive(var.x ? { token = \"a\" } : { token = \"b\" })",
        "{ user = var.x, password = \"hunter2\" }",
        "{ password = \"hunter2-${random_password.p.result}\" }",
    ] {
        assert!(of("kubernetes_secret", &format!("data = {data}")).blocks(), "{data}");
    }
    let environment =
        |value: &str| of("aws_lambda_function", &format!("environment {{\n variables = {{ {value} }}\n }}"));
    for value in ["DB_PASSWORD = \"hunter2-${var.x}\"", "DB_PASSWORD = var.x ? \"hunter2\" : \"hunter3\""] {
        assert!(environment(value).blocks(), "{value}");
    }
    for value in ["DB_PASSWORD = var.pw", "DB_URL = \"https://${var.x}\"", "PASSWORD_LENGTH = var.x ? 8 : 12"]
    {
        assert_eq!(environment(value), Verdict::Pass, "{value}");
    }
    for data in ["{ password = random_password.p.result }", "{ user = var.x, password = var.pw }"] {
        assert_eq!(of("kubernetes_secret", &format!("data = {data}")), Verdict::Pass, "{data}");
    }
}

#[test]
fn known_after_apply_is_no_false_alarm() {
    let text = "resource \"aws_kms_key\" \"k\" {}\nresource \"aws_db_instance\" \"d\" {\n  storage_encrypted = true\n  kms_key_id = aws_kms_key.k.arn\n}\n";
    assert_eq!(verdict(&[("main.tf", text)], "W-003", "aws_db_instance.d").0, Verdict::Pass);
    assert_eq!(verdict(&[("main.tf", text)], "W-001", "aws_db_instance.d").0, Verdict::Pass);
}

#[test]
fn fails_closed_null_and_what_may_be_null_are_not_set() {
    let of = |head: &str, key: &str| {
        format!(
            "{head}\nresource \"aws_db_instance\" \"d\" {{\n  storage_encrypted = true\n  kms_key_id = {key}\n}}\n"
        )
    };
    let check =
        |head: &str, key: &str| verdict(&[("main.tf", &of(head, key))], "W-003", "aws_db_instance.d").0;
    assert_eq!(check("", "null"), Verdict::Fail);
    assert_eq!(check("variable \"k\" {\n  default = null\n}", "var.k"), Verdict::Fail);
    let other = "resource \"aws_db_instance\" \"o\" {\n  kms_key_id = null\n}";
    assert_eq!(check(other, "aws_db_instance.o.kms_key_id"), Verdict::Indeterminate);
    assert_eq!(check("variable \"k\" {}", "var.k"), Verdict::Indeterminate);
    let choice = "variable \"on\" {}\nresource \"aws_kms_key\" \"k\" {}";
    assert_eq!(check(choice, "var.on ? aws_kms_key.k.arn : null"), Verdict::Indeterminate);
    let either = format!("{choice}\nresource \"aws_kms_key\" \"l\" {{}}");
    assert_eq!(check(&either, "var.on ? aws_kms_key.k.arn : aws_kms_key.l.arn"), Verdict::Pass);
}

#[test]
fn fails_closed_every_branch_of_a_condition_counts() {
    let of = |value: &str| {
        format!(
            "variable \"on\" {{}}\nresource \"aws_db_instance\" \"d\" {{\n  storage_encrypted = {value}\n}}\n"
        )
    };
    let check = |value: &str| verdict(&[("main.tf", &of(value))], "W-001", "aws_db_instance.d").0;
    assert_eq!(check("var.on ? true : \"true\""), Verdict::Pass);
    assert_eq!(check("var.on ? true : false"), Verdict::Indeterminate);
    assert_eq!(check("var.on ? false : null"), Verdict::Fail);
    assert_eq!(check("lookup(var.on, \"encrypted\", true)"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_public_resource_with_an_unknown_name_is_still_judged() {
    let text = "variable \"b\" {}\nresource \"aws_s3_bucket_acl\" \"a\" {\n  bucket = var.b\n  acl = \"public-read\"\n}\n";
    assert_eq!(
        verdict(&[("main.tf", text)], "W-022", "aws_s3_bucket_acl.a"),
        (Verdict::Fail, Exit::Violation)
    );
}

#[test]
fn policies_are_judged_however_they_are_written() {
    let of = |head: &str, policy: &str| {
        format!(
            "{head}\nresource \"aws_s3_bucket\" \"b\" {{}}\nresource \"aws_s3_bucket_policy\" \"p\" {{\n  bucket = aws_s3_bucket.b.id\n  policy = {policy}\n}}\n"
        )
    };
    let open = |principal: &str| {
        [
            of(
                "",
                &format!(
                    "jsonencode({{ Statement = [{{ Effect = \"Allow\", Principal = \"{principal}\", Action = \"s3:GetObject\", Resource = \"${{aws_s3_bucket.b.arn}}/*\" }}] }})"
                ),
            ),
            of(
                "",
                &format!(
                    "<<EOT\n{{\"Statement\": [{{\"Effect\": \"Allow\", \"Principal\": \"{principal}\", \"Action\": \"s3:GetObject\", \"Resource\": \"${{aws_s3_bucket.b.arn}}/*\"}}]}}\nEOT"
                ),
            ),
            of(
                &format!(
                    "data \"aws_iam_policy_document\" \"d\" {{\n  statement {{\n    actions = [\"s3:GetObject\"]\n    resources = [\"*\"]\n    principals {{\n      type = \"AWS\"\n      identifiers = [\"{principal}\"]\n    }}\n  }}\n}}"
                ),
                "data.aws_iam_policy_document.d.json",
            ),
        ]
    };
    for text in open("*") {
        assert_eq!(
            verdict(&[("main.tf", &text)], "W-022", "aws_s3_bucket_policy.p").0,
            Verdict::Fail,
            "{text}"
        );
    }
    for text in open("arn:aws:iam::111122223333:root") {
        assert_eq!(
            verdict(&[("main.tf", &text)], "W-022", "aws_s3_bucket_policy.p").0,
            Verdict::Pass,
            "{text}"
        );
    }
    let unknown = of("variable \"p\" {}", "var.p");
    assert_eq!(
        verdict(&[("main.tf", &unknown)], "W-022", "aws_s3_bucket_policy.p").0,
        Verdict::Indeterminate
    );
}

#[test]
fn fails_closed_nothing_to_check_is_no_pass() {
    let graph = graph(&[("main.tf", "locals {\n  a = 1\n}\n")]);
    let rules = builtin_rules().unwrap();
    assert_eq!(assess(&graph, &rules).exit(false), Exit::Indeterminate);
}
