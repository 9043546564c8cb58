//! Ward's side of the table in `docs/policy/comparison.md`: what it says of the plans that were given to other
//! programs.

use crate::plans::{created, declared, plan, read, verdict};
use ward_policy::terraform_source::{SourceFile, SourceOptions, read_terraform_source};
use ward_policy::{Exit, Verdict, assess, builtin_rules};

const SOUND_DISK: &str =
    r#"{"encrypted": true, "kms_key_id": "arn:aws:kms:eu-central-1:111122223333:key/1"}"#;

fn exit(text: &str) -> Exit {
    assess(&read(text).unwrap(), &builtin_rules().unwrap()).exit(false)
}

fn root(resources: &[String]) -> String {
    format!(r#"{{"resources": [{}]}}"#, resources.join(", "))
}

#[test]
fn fails_closed_a_public_list_of_a_bucket_that_nobody_knows() {
    let list = created("aws_s3_bucket_acl.a", r#"{"acl": "public-read"}"#, r#"{"bucket": true, "id": true}"#);
    let data = r#"{"bucket": {"references": ["data.aws_s3_bucket.b.id", "data.aws_s3_bucket.b"]}}"#;
    for expressions in ["{}", data] {
        let text = plan("", &list, &root(&[declared("aws_s3_bucket_acl.a", expressions)]));
        assert_eq!(verdict(&text, "W-022", "aws_s3_bucket_acl.a"), Verdict::Fail, "{expressions}");
        assert_eq!(exit(&text), Exit::Violation);
    }
}

#[test]
fn fails_closed_a_disk_whose_encryption_is_null_or_comes_from_outside() {
    let null = created("aws_ebs_volume.v", r#"{"encrypted": null, "kms_key_id": null}"#, r#"{"id": true}"#);
    let written = root(&[declared("aws_ebs_volume.v", "{}")]);
    for rule in ["W-015", "W-017"] {
        assert_eq!(verdict(&plan("", &null, &written), rule, "aws_ebs_volume.v"), Verdict::Fail, "{rule}");
    }
    let later = created("aws_ebs_volume.v", "{}", r#"{"encrypted": true, "id": true}"#);
    let outside = r#"{"encrypted": {"references": ["data.external.x.result", "data.external.x"]}}"#;
    let text = plan("", &later, &root(&[declared("aws_ebs_volume.v", outside)]));
    assert_eq!(verdict(&text, "W-015", "aws_ebs_volume.v"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_plan_that_failed_that_is_half_or_that_holds_nothing() {
    let disk = created("aws_ebs_volume.v", SOUND_DISK, "{}");
    let key = r#"{"kms_key_id": {"constant_value": "arn:aws:kms:eu-central-1:111122223333:key/1"}}"#;
    let written = root(&[declared("aws_ebs_volume.v", key)]);
    assert_eq!(exit(&plan("", &disk, &written)), Exit::Pass);
    assert_eq!(exit(&plan(r#""errored": true, "complete": false,"#, &disk, &written)), Exit::Indeterminate);
    assert!(read(r#"{"format_version": "1.2", "resource_changes": ["#).is_err());
    assert_eq!(exit(&plan("", "", "{}")), Exit::Indeterminate);
}

#[test]
fn fails_closed_a_comment_switches_nothing_off() {
    let source =
        "resource \"aws_ebs_volume\" \"v\" {\n  # checkov:skip=CKV_AWS_3: later\n  encrypted = false\n}\n";
    let file = SourceFile { path: "main.tf", bytes: source.as_bytes() };
    let graph = read_terraform_source(&[file], &SourceOptions::default()).unwrap();
    assert_eq!(assess(&graph, &builtin_rules().unwrap()).exit(false), Exit::Violation);
}

#[test]
fn a_key_of_the_same_plan_and_companions_in_a_module_count() {
    let group = created("aws_cloudwatch_log_group.l", "{}", r#"{"kms_key_id": true}"#);
    let key = created("aws_kms_key.k", "{}", r#"{"arn": true}"#);
    let refers = r#"{"kms_key_id": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}}"#;
    let written = root(&[declared("aws_cloudwatch_log_group.l", refers), declared("aws_kms_key.k", "{}")]);
    let text = plan("", &[group, key].join(", "), &written);
    assert_eq!(verdict(&text, "W-042", "aws_cloudwatch_log_group.l"), Verdict::Pass);

    let bucket = created("aws_s3_bucket.b", r#"{"bucket_prefix": "x"}"#, r#"{"id": true, "bucket": true}"#);
    let versions = created(
        "module.guard.aws_s3_bucket_versioning.v",
        r#"{"versioning_configuration": [{"status": "Enabled"}]}"#,
        r#"{"bucket": true}"#,
    );
    let block = created(
        "module.guard.aws_s3_bucket_public_access_block.p",
        r#"{"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true}"#,
        r#"{"bucket": true}"#,
    );
    let given = r#"{"bucket": {"references": ["var.bucket_id"]}}"#;
    let inside = root(&[
        declared("aws_s3_bucket_versioning.v", given),
        declared("aws_s3_bucket_public_access_block.p", given),
    ]);
    let inside = inside.replacen('{', r#"{"variables": {"bucket_id": {}}, "#, 1);
    let written = format!(
        r#"{{"resources": [{}], "module_calls": {{"guard": {{"expressions": {{"bucket_id": {{"references":
            ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]}}}}, "module": {inside}}}}}}}"#,
        declared("aws_s3_bucket.b", "{}")
    );
    let text = plan("", &[bucket, versions, block].join(", "), &written);
    for rule in ["W-021", "W-024"] {
        assert_eq!(verdict(&text, rule, "aws_s3_bucket.b"), Verdict::Pass, "{rule}");
    }
}
