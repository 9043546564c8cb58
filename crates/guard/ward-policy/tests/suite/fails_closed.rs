//! Ways in which a check of plans could pass by accident, one test each: Ward blocks in every one, and
//! does not refuse what is right.

use crate::plans::{created, declared, plan, read, verdict};
use ward_policy::report::{Checked, Style, exit_of, text};
use ward_policy::{Exit, Verdict, assess, builtin_rules};

const PAB_ON: &str = r#"{"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true}"#;

fn exit(text: &str, allow_empty: bool) -> Exit {
    let rules = builtin_rules().unwrap();
    assess(&read(text).unwrap(), &rules).exit(allow_empty)
}

#[test]
fn fails_closed_known_after_apply_without_a_reason_to_believe_it() {
    let unknown = created("aws_db_instance.d", "{}", r#"{"kms_key_id": true, "id": true}"#);
    let of = |expressions: &str, more: &str| {
        let root = format!(r#"{{"resources": [{}{more}]}}"#, declared("aws_db_instance.d", expressions));
        root
    };
    // A key of the same plan is a key; a local or a data source may be anything.
    let key = created("aws_kms_key.k", "{}", r#"{"arn": true}"#);
    let to_key = of(
        r#"{"kms_key_id": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}}"#,
        &format!(", {}", declared("aws_kms_key.k", "{}")),
    );
    let with_key = plan("", &format!("{unknown}, {key}"), &to_key);
    assert_eq!(verdict(&with_key, "W-003", "aws_db_instance.d"), Verdict::Pass);
    for references in
        [r#"["local.key"]"#, r#"["var.key"]"#, r#"["data.aws_kms_key.k.arn", "data.aws_kms_key.k"]"#]
    {
        let root = of(&format!(r#"{{"kms_key_id": {{"references": {references}}}}}"#), "");
        assert_eq!(verdict(&plan("", &unknown, &root), "W-003", "aws_db_instance.d"), Verdict::Indeterminate);
    }
    // Nobody wrote it: the provider chooses, and it is not a key of one's own.
    assert_eq!(verdict(&plan("", &unknown, &of("{}", "")), "W-003", "aws_db_instance.d"), Verdict::Fail);
    // Without a configuration nobody can tell which of the two it is.
    let alone = format!(r#"{{"format_version": "1.2", "resource_changes": [{unknown}]}}"#);
    assert_eq!(verdict(&alone, "W-003", "aws_db_instance.d"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_null_is_not_set() {
    for after in [r#"{"storage_encrypted": null}"#, "{}", r#"{"storage_encrypted": false}"#] {
        let text = plan("", &created("aws_db_instance.d", after, "{}"), "{}");
        assert_eq!(verdict(&text, "W-001", "aws_db_instance.d"), Verdict::Fail, "{after}");
        let null_key = after.replace("storage_encrypted", "kms_key_id").replace("false", "null");
        let text = plan("", &created("aws_db_instance.d", &null_key, "{}"), "{}");
        assert_eq!(verdict(&text, "W-003", "aws_db_instance.d"), Verdict::Fail, "{after}");
    }
}

#[test]
fn fails_closed_companion_of_another_bucket_or_of_an_unknown_one() {
    let bucket = created("aws_s3_bucket.b", r#"{"bucket": "b"}"#, r#"{"id": true}"#);
    let other = created("aws_s3_bucket.other", r#"{"bucket": "other"}"#, r#"{"id": true}"#);
    let block = created("aws_s3_bucket_public_access_block.p", PAB_ON, r#"{"bucket": true, "id": true}"#);
    let with = |references: &str| {
        let root = format!(
            r#"{{"resources": [{}, {}, {}]}}"#,
            declared("aws_s3_bucket.b", "{}"),
            declared("aws_s3_bucket.other", "{}"),
            declared(
                "aws_s3_bucket_public_access_block.p",
                &format!(r#"{{"bucket": {{"references": {references}}}}}"#)
            ),
        );
        verdict(&plan("", &format!("{bucket}, {other}, {block}"), &root), "W-021", "aws_s3_bucket.b")
    };
    assert_eq!(with(r#"["aws_s3_bucket.b.id", "aws_s3_bucket.b"]"#), Verdict::Pass);
    assert_eq!(with(r#"["aws_s3_bucket.other.id", "aws_s3_bucket.other"]"#), Verdict::Fail);
    assert_eq!(with(r#"["local.bucket"]"#), Verdict::Indeterminate);
    assert_eq!(
        with(r#"["data.terraform_remote_state.s.outputs.bucket", "data.terraform_remote_state.s"]"#),
        Verdict::Indeterminate
    );
    // One of two, and the plan does not say which.
    let either = r#"["var.first", "aws_s3_bucket.b.id", "aws_s3_bucket.b", "aws_s3_bucket.other.id", "aws_s3_bucket.other"]"#;
    assert_eq!(with(either), Verdict::Indeterminate);
}

#[test]
fn fails_closed_not_when_a_module_gets_the_bucket_through_a_variable() {
    let bucket = created("aws_s3_bucket.b", r#"{"bucket": "b"}"#, r#"{"id": true}"#);
    let block = created("module.safe.aws_s3_bucket_public_access_block.p", PAB_ON, r#"{"bucket": true}"#);
    let root = |references: &str| {
        format!(
            r#"{{"resources": [{}], "module_calls": {{"safe": {{
                "expressions": {{"bucket_id": {{"references": {references}}}}},
                "module": {{"resources": [{}], "variables": {{"bucket_id": {{}}}}}}}}}}}}"#,
            declared("aws_s3_bucket.b", "{}"),
            declared(
                "aws_s3_bucket_public_access_block.p",
                r#"{"bucket": {"references": ["var.bucket_id"]}}"#
            ),
        )
    };
    let text = |references| plan("", &format!("{bucket}, {block}"), &root(references));
    let of = |references| verdict(&text(references), "W-021", "aws_s3_bucket.b");
    assert_eq!(of(r#"["aws_s3_bucket.b.id", "aws_s3_bucket.b"]"#), Verdict::Pass);
    assert_eq!(
        of(r#"["data.aws_s3_bucket.elsewhere.id", "data.aws_s3_bucket.elsewhere"]"#),
        Verdict::Indeterminate
    );
}

#[test]
fn fails_closed_not_when_a_module_hands_out_its_bucket() {
    let bucket = created("module.store.aws_s3_bucket.b", r#"{"bucket": "b"}"#, r#"{"id": true}"#);
    let block = created("aws_s3_bucket_public_access_block.p", PAB_ON, r#"{"bucket": true}"#);
    let root = format!(
        r#"{{"resources": [{}], "module_calls": {{"store": {{"module": {{
            "outputs": {{"bucket_id": {{"expression": {{"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]}}}}}},
            "resources": [{}]}}}}}}}}"#,
        declared(
            "aws_s3_bucket_public_access_block.p",
            r#"{"bucket": {"references": ["module.store.bucket_id", "module.store"]}}"#
        ),
        declared("aws_s3_bucket.b", "{}"),
    );
    let text = plan("", &format!("{bucket}, {block}"), &root);
    assert_eq!(verdict(&text, "W-021", "module.store.aws_s3_bucket.b"), Verdict::Pass);
}

#[test]
fn fails_closed_each_instance_needs_its_own_companion() {
    let bucket =
        |key: &str| created(&format!("aws_s3_bucket.b[{key}]"), "{}", r#"{"id": true, "bucket": true}"#);
    let block = |key: &str| {
        created(&format!("aws_s3_bucket_public_access_block.p[{key}]"), PAB_ON, r#"{"bucket": true}"#)
    };
    let root = |references: &str| {
        format!(
            r#"{{"resources": [
                {{"address": "aws_s3_bucket.b", "expressions": {{}}, "for_each_expression": {{"references": ["var.names"]}}}},
                {{"address": "aws_s3_bucket_public_access_block.p", "for_each_expression": {{"references": ["var.safe"]}},
                  "expressions": {{"bucket": {{"references": {references}}}}}}}]}}"#
        )
    };
    let changes = [bucket(r#""x""#), bucket(r#""y""#), block(r#""x""#)].join(", ");
    let own = plan("", &changes, &root(r#"["aws_s3_bucket.b", "each.key"]"#));
    assert_eq!(verdict(&own, "W-021", r#"aws_s3_bucket.b["x"]"#), Verdict::Pass);
    assert_eq!(verdict(&own, "W-021", r#"aws_s3_bucket.b["y"]"#), Verdict::Fail);
    // A key that is computed may be any.
    let computed = plan("", &changes, &root(r#"["aws_s3_bucket.b", "var.which", "each.key"]"#));
    assert_eq!(verdict(&computed, "W-021", r#"aws_s3_bucket.b["x"]"#), Verdict::Indeterminate);
    assert_eq!(verdict(&computed, "W-021", r#"aws_s3_bucket.b["y"]"#), Verdict::Indeterminate);
    // A key that is written out.
    let given = plan(
        "",
        &changes,
        &root(r#"["aws_s3_bucket.b[\"y\"].id", "aws_s3_bucket.b[\"y\"]", "aws_s3_bucket.b"]"#),
    );
    assert_eq!(verdict(&given, "W-021", r#"aws_s3_bucket.b["x"]"#), Verdict::Fail);
    assert_eq!(verdict(&given, "W-021", r#"aws_s3_bucket.b["y"]"#), Verdict::Pass);
    // `for_each` over the buckets themselves.
    let chained = root(r#"["each.value.id", "each.value"]"#).replace("var.safe", "aws_s3_bucket.b");
    let chained = plan("", &changes, &chained);
    assert_eq!(verdict(&chained, "W-021", r#"aws_s3_bucket.b["x"]"#), Verdict::Pass);
    assert_eq!(verdict(&chained, "W-021", r#"aws_s3_bucket.b["y"]"#), Verdict::Fail);
}

#[test]
fn fails_closed_a_companion_with_count_zero_is_not_there() {
    let bucket = created("aws_s3_bucket.b", r#"{"bucket": "b"}"#, r#"{"id": true}"#);
    let root = format!(
        r#"{{"resources": [{}, {{"address": "aws_s3_bucket_public_access_block.p", "count_expression": {{"references": ["var.safe"]}},
            "expressions": {{"bucket": {{"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]}}}}}}]}}"#,
        declared("aws_s3_bucket.b", "{}")
    );
    assert_eq!(verdict(&plan("", &bucket, &root), "W-021", "aws_s3_bucket.b"), Verdict::Fail);
}

#[test]
fn fails_closed_a_companion_that_is_removed_covers_nothing() {
    let bucket = created("aws_s3_bucket.b", r#"{"bucket": "b"}"#, "{}");
    let after = PAB_ON.replace('{', r#"{"bucket": "b", "#);
    let block = created("aws_s3_bucket_public_access_block.p", &after, "{}");
    let keeps = plan("", &format!("{bucket}, {block}"), "{}");
    assert_eq!(verdict(&keeps, "W-021", "aws_s3_bucket.b"), Verdict::Pass);
    for actions in [r#"["delete"]"#, r#"["forget"]"#] {
        let removed = block.replace(r#"["create"]"#, actions);
        let text = plan("", &format!("{bucket}, {removed}"), "{}");
        assert_eq!(verdict(&text, "W-021", "aws_s3_bucket.b"), Verdict::Fail, "{actions}");
        assert_eq!(verdict(&text, "W-021", "aws_s3_bucket_public_access_block.p"), Verdict::NotApplicable);
    }
    // Replaced is there again.
    let replaced = block.replace(r#"["create"]"#, r#"["delete", "create"]"#);
    let text = plan("", &format!("{bucket}, {replaced}"), "{}");
    assert_eq!(verdict(&text, "W-021", "aws_s3_bucket.b"), Verdict::Pass);
}

#[test]
fn fails_closed_a_policy_of_unknown_statements() {
    let policy = created("aws_s3_bucket_policy.p", r#"{"bucket": "b"}"#, r#"{"policy": true}"#);
    let data = |statement: &str, unknown: &str| {
        format!(
            r#"{{"address": "data.aws_iam_policy_document.d", "mode": "data", "type": "aws_iam_policy_document", "name": "d",
                "change": {{"actions": ["read"], "before": null, "after": {{"statement": [{statement}]}},
                            "after_unknown": {{"json": true, "statement": [{unknown}]}}}}}}"#
        )
    };
    let root = format!(
        r#"{{"resources": [{}, {}]}}"#,
        declared(
            "aws_s3_bucket_policy.p",
            r#"{"policy": {"references": ["data.aws_iam_policy_document.d.json", "data.aws_iam_policy_document.d"]}}"#
        ),
        declared(
            "data.aws_iam_policy_document.d",
            r#"{"statement": [{"actions": {"constant_value": ["s3:GetObject"]}, "principals": [{"identifiers": {"references": ["local.who"]}}],
                "resources": {"references": ["aws_s3_bucket.b.arn", "aws_s3_bucket.b"]}}]}"#
        ),
    );
    let of = |statement: &str, unknown: &str| {
        let text = plan("", &format!("{policy}, {}", data(statement, unknown)), &root);
        verdict(&text, "W-022", "aws_s3_bucket_policy.p")
    };
    let public = r#"{"actions": ["s3:GetObject"], "effect": "Allow", "principals": [{"type": "*", "identifiers": ["*"]}], "resources": [null]}"#;
    assert_eq!(of(public, r#"{"resources": [true]}"#), Verdict::Fail);
    let named = public.replace(r#"["*"]"#, r#"["arn:aws:iam::111122223333:root"]"#);
    assert_eq!(of(&named, r#"{"resources": [true]}"#), Verdict::Pass);
    let unknown = public.replace(r#"["*"]"#, "[null]");
    assert_eq!(of(&unknown, r#"{"principals": [{"identifiers": [true]}]}"#), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_dynamic_block_is_not_an_absent_one() {
    // Dynamic blocks do not stand in the configuration: what is unknown in one may be anything.
    let after =
        r#"{"storage_encrypted": true, "volume": [{"name": "data", "efs_volume_configuration": [{}]}]}"#;
    let unknown = r#"{"volume": [{"efs_volume_configuration": [{"transit_encryption": true}]}]}"#;
    let task = created("aws_ecs_task_definition.t", after, unknown);
    let root = format!(r#"{{"resources": [{}]}}"#, declared("aws_ecs_task_definition.t", "{}"));
    assert_eq!(
        verdict(&plan("", &task, &root), "W-019", "aws_ecs_task_definition.t"),
        Verdict::Indeterminate
    );
}

#[test]
fn fails_closed_plans_that_are_not_whole() {
    let fine = created("aws_efs_file_system.f", r#"{"encrypted": true}"#, "{}");
    assert_eq!(exit(&plan("", &fine, "{}"), false), Exit::Pass);
    for section in [
        r#""errored": true,"#,
        r#""complete": false,"#,
        r#""applyable": false,"#,
        r#""deferred_changes": [{"reason": "unknown"}],"#,
    ] {
        assert_eq!(exit(&plan(section, &fine, "{}"), false), Exit::Indeterminate, "{section}");
    }
    for section in
        [r#""errored": false,"#, r#""complete": true, "applyable": true,"#, r#""deferred_changes": [],"#]
    {
        assert_eq!(exit(&plan(section, &fine, "{}"), false), Exit::Pass, "{section}");
    }
    // Nothing to apply is nothing to apply.
    let kept = fine.replace(r#"["create"]"#, r#"["no-op"]"#);
    assert_eq!(exit(&plan(r#""applyable": false,"#, &kept, "{}"), false), Exit::Pass);
}

#[test]
fn fails_closed_what_cannot_be_read_is_no_pass() {
    let fine = plan("", &created("aws_efs_file_system.f", r#"{"encrypted": true}"#, "{}"), "{}");
    for broken in [
        fine.replace("\"1.2\"", "\"2.0\""),
        fine.replace("\"1.2\"", "\"0.3\""),
        fine.replace("\"1.2\"", "1.2"),
        fine.replace("\"create\"", "\"destroy-later\""),
        fine.replace("\"managed\"", "\"imagined\""),
        fine.replace("resource_changes", "resource_change").replace(
            "\"configuration\": {\"root_module\": {",
            "\"planned_values\": {\"root_module\": {\"resources\": [{\"address\": \"a\"}]",
        ),
        fine.replace("{\"encrypted\": true}", "{\"encrypted\": true, \"encrypted\": false}"),
        fine[..fine.len() / 2].to_owned(),
        format!("{fine} {fine}"),
        String::new(),
    ] {
        assert!(read(&broken).is_err(), "{broken}");
        let checked = [Checked { name: "plan", result: Err(read(&broken).unwrap_err()) }];
        assert_eq!(exit_of(&checked, true), Exit::NotRead);
    }
}

#[test]
fn fails_closed_one_resource_twice() {
    let one = created("aws_efs_file_system.f", r#"{"encrypted": true}"#, "{}");
    assert!(read(&plan("", &format!("{one}, {one}"), "{}")).is_err());
}

#[test]
fn fails_closed_nothing_recognised_is_not_all_passed() {
    let empty = plan("", "", "{}");
    let unknown = plan("", &created("aws_route53_zone.z", "{}", "{}"), "{}");
    for text in [&empty, &unknown] {
        assert_eq!(exit(text, false), Exit::Indeterminate);
        assert_eq!(exit(text, true), Exit::Pass);
    }
    assert_eq!(exit_of(&[], true), Exit::Indeterminate);
}

#[test]
fn fails_closed_what_was_changed_beside_the_code() {
    let drifted = created("aws_efs_file_system.f", r#"{"encrypted": false}"#, "{}")
        .replace("[\"create\"]", "[\"update\"]");
    let planned = created("aws_efs_file_system.g", r#"{"encrypted": true}"#, "{}");
    let drift = format!(r#""resource_drift": [{drifted}],"#);
    let graph = read(&plan(&drift, &planned, "{}")).unwrap();
    let rules = builtin_rules().unwrap();
    let assessment = assess(&graph, &rules);
    assert_eq!(assessment.exit(false), Exit::Violation);
    let page = text(&[Checked { name: "plan", result: Ok(assessment) }], &rules, false, Style::plain());
    assert!(page.contains("as found outside of the code"), "{page}");
}

#[test]
fn fails_closed_a_secret_is_judged_and_never_shown() {
    let canary = "canary-5f1c";
    let after = format!(r#"{{"acl": "{canary}", "policy": "{{\"Statement\": \"{canary}\"}}"}}"#);
    let bucket = created("aws_s3_bucket.b", &after, "{}").replace(
        r#""after_unknown""#,
        r#""after_sensitive": {"acl": true, "policy": true}, "after_unknown""#,
    );
    let graph = read(&plan("", &bucket, "{}")).unwrap();
    let rules = builtin_rules().unwrap();
    assert!(!format!("{graph:?}").contains(canary));
    let checked = [Checked { name: "plan", result: Ok(assess(&graph, &rules)) }];
    let page = text(&checked, &rules, false, Style::plain());
    let json =
        serde_json::to_string(&ward_policy::report::CheckReport::new(&checked, &rules, false)).unwrap();
    assert!(!page.contains(canary) && !json.contains(canary), "{page}{json}");
    // It was judged: a policy that is no policy is an error.
    assert_eq!(verdict(&plan("", &bucket, "{}"), "W-022", "aws_s3_bucket.b"), Verdict::Error);
}

#[test]
fn fails_closed_what_is_there_already_may_be_a_companion_and_is_not_judged() {
    let bucket = created("aws_s3_bucket.b", r#"{"bucket": "b"}"#, "{}");
    let values = PAB_ON.replace('{', r#"{"bucket": "b", "#);
    let prior = format!(
        r#""prior_state": {{"format_version": "1.0", "values": {{"root_module": {{"resources": [
            {{"address": "aws_s3_bucket_public_access_block.p", "mode": "managed", "type": "aws_s3_bucket_public_access_block", "name": "p", "values": {values}}},
            {{"address": "aws_efs_file_system.old", "mode": "managed", "type": "aws_efs_file_system", "name": "old", "values": {{"encrypted": false}}}}]}}}}}},"#
    );
    let text = plan(&prior, &bucket, "{}");
    assert_eq!(verdict(&text, "W-021", "aws_s3_bucket.b"), Verdict::Pass);
    let graph = read(&text).unwrap();
    let rules = builtin_rules().unwrap();
    let assessment = assess(&graph, &rules);
    assert!(
        assessment.findings.iter().all(|finding| &*finding.resource.address != "aws_efs_file_system.old")
    );
}

#[test]
fn fails_closed_not_on_write_only_arguments_and_states_are_judged() {
    let secret = created("aws_db_instance.d", r#"{"password_wo": null}"#, "{}");
    let root = format!(
        r#"{{"resources": [{}]}}"#,
        declared("aws_db_instance.d", r#"{"password_wo": {"references": ["var.password"]}}"#)
    );
    let graph = read(&plan("", &secret, &root)).unwrap();
    let value = graph.at("aws_db_instance.d").unwrap().1.attributes.get("password_wo").unwrap().shown();
    assert_eq!(value, "(write-only: no plan holds it)");
    let state = r#"{"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {"child_modules": [
        {"address": "module.m[0]", "resources": [{"address": "module.m[0].aws_efs_file_system.f[\"a\"]", "mode": "managed",
         "type": "aws_efs_file_system", "name": "f", "index": "a", "values": {"encrypted": false}}]}]}}}"#;
    assert_eq!(verdict(state, "W-018", r#"module.m[0].aws_efs_file_system.f["a"]"#), Verdict::Fail);
}

#[test]
fn fails_closed_sibling_modules_do_not_share_what_they_were_given() {
    let bucket =
        |name: &str| created(&format!("aws_s3_bucket.{name}"), "{}", r#"{"id": true, "bucket": true}"#);
    let block = |module: &str| {
        created(
            &format!("module.{module}.aws_s3_bucket_public_access_block.p"),
            PAB_ON,
            r#"{"bucket": true}"#,
        )
    };
    let inner = format!(
        r#"{{"resources": [{}], "variables": {{"bucket": {{"default": "unused"}}}}}}"#,
        declared("aws_s3_bucket_public_access_block.p", r#"{"bucket": {"references": ["var.bucket"]}}"#)
    );
    let call = |expressions: &str| format!(r#"{{"expressions": {expressions}, "module": {inner}}}"#);
    let root = |second: &str| {
        format!(
            r#"{{"resources": [{}, {}], "module_calls": {{"first": {}, "second": {}}}}}"#,
            declared("aws_s3_bucket.a", "{}"),
            declared("aws_s3_bucket.b", "{}"),
            call(r#"{"bucket": {"references": ["aws_s3_bucket.a.id", "aws_s3_bucket.a"]}}"#),
            call(second),
        )
    };
    let changes = [bucket("a"), bucket("b"), block("first"), block("second")].join(", ");
    let text = |second: &str| plan("", &changes, &root(second));
    let both = text(r#"{"bucket": {"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]}}"#);
    assert_eq!(verdict(&both, "W-021", "aws_s3_bucket.a"), Verdict::Pass);
    assert_eq!(verdict(&both, "W-021", "aws_s3_bucket.b"), Verdict::Pass);
    // The second covers the first bucket again: the other stays open.
    let same = text(r#"{"bucket": {"references": ["aws_s3_bucket.a.id", "aws_s3_bucket.a"]}}"#);
    assert_eq!(verdict(&same, "W-021", "aws_s3_bucket.a"), Verdict::Pass);
    assert_eq!(verdict(&same, "W-021", "aws_s3_bucket.b"), Verdict::Fail);
    let computed = text(r#"{"bucket": {"references": ["local.which"]}}"#);
    assert_eq!(verdict(&computed, "W-021", "aws_s3_bucket.b"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_what_is_left_of_a_replacement_is_not_the_new_one() {
    let new = created("aws_efs_file_system.f", r#"{"encrypted": false}"#, "{}")
        .replace(r#"["create"]"#, r#"["create", "delete"]"#);
    let old = created("aws_efs_file_system.f", "null", "{}")
        .replace(r#"["create"]"#, r#"["delete"]"#)
        .replace(r#""mode""#, r#""deposed": "5a1c", "mode""#);
    let text = plan("", &format!("{new}, {old}"), "{}");
    assert_eq!(verdict(&text, "W-018", "aws_efs_file_system.f"), Verdict::Fail);
    assert_eq!(verdict(&text, "W-018", "aws_efs_file_system.f (deposed 5a1c)"), Verdict::NotApplicable);
}

#[test]
fn fails_closed_encryption_that_depends_on_a_condition() {
    let bucket = created("aws_s3_bucket.b", r#"{"bucket": "b"}"#, r#"{"id": true}"#);
    let rule = r#"{"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": null}]}]}"#;
    let unknown = r#"{"bucket": true, "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": true}]}]}"#;
    let config = created("aws_s3_bucket_server_side_encryption_configuration.c", rule, unknown);
    let root = format!(
        r#"{{"resources": [{}, {}]}}"#,
        declared("aws_s3_bucket.b", "{}"),
        declared(
            "aws_s3_bucket_server_side_encryption_configuration.c",
            r#"{"bucket": {"references": ["aws_s3_bucket.b.id", "aws_s3_bucket.b"]},
                "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": {"references": ["var.kms", "aws_kms_key.k.arn", "aws_kms_key.k"]}}]}]}"#
        ),
    );
    let text = plan("", &format!("{bucket}, {config}"), &root);
    assert_eq!(verdict(&text, "W-020", "aws_s3_bucket.b"), Verdict::Indeterminate);
    let known = text
        .replace(r#""kms_master_key_id": null"#, r#""sse_algorithm": "aws:kms""#)
        .replace(r#", "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": true}]}]"#, "");
    assert_eq!(verdict(&known, "W-020", "aws_s3_bucket.b"), Verdict::Pass);
}

#[test]
fn fails_closed_a_resource_of_which_nothing_is_known() {
    let bucket = created("aws_s3_bucket.b", "null", "true");
    let root = format!(
        r#"{{"resources": [{}]}}"#,
        declared("aws_s3_bucket.b", r#"{"acl": {"references": ["local.acl"]}}"#)
    );
    assert_eq!(verdict(&plan("", &bucket, &root), "W-022", "aws_s3_bucket.b"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_name_that_two_resources_have() {
    let bucket = |name: &str, own: &str| {
        created(&format!("aws_s3_bucket.{name}"), &format!(r#"{{"bucket": "{own}"}}"#), r#"{"id": true}"#)
    };
    let block =
        created("aws_s3_bucket_public_access_block.p", &PAB_ON.replace('{', r#"{"bucket": "x", "#), "{}");
    let of = |second: &str| {
        let text = plan("", &[bucket("a", "x"), bucket("b", second), block.clone()].join(", "), "{}");
        verdict(&text, "W-021", "aws_s3_bucket.a")
    };
    assert_eq!(of("y"), Verdict::Pass);
    assert_eq!(of("x"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_setting_of_another_account_or_region() {
    let disk = created("aws_ebs_volume.v", "{}", r#"{"encrypted": true}"#);
    let setting = created("aws_ebs_encryption_by_default.d", r#"{"enabled": true}"#, "{}");
    let of = |provider: &str| {
        let root = format!(
            r#"{{"resources": [
                {{"address": "aws_ebs_volume.v", "provider_config_key": "{provider}", "expressions": {{}}}},
                {{"address": "aws_ebs_encryption_by_default.d", "provider_config_key": "aws", "expressions": {{}}}}]}}"#
        );
        verdict(&plan("", &format!("{disk}, {setting}"), &root), "W-015", "aws_ebs_volume.v")
    };
    assert_eq!(of("aws"), Verdict::Pass);
    assert_eq!(of("aws.west"), Verdict::Fail);
    // A module may have been given this configuration under that name, or another.
    assert_eq!(of("module.m:aws"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_secret_behind_a_local_or_in_the_default_of_a_variable() {
    let database = |references: &str, password: &str, variables: &str| {
        let change = format!(
            r#"{{"address": "aws_db_instance.d", "mode": "managed", "type": "aws_db_instance", "name": "d",
            "change": {{"actions": ["create"], "before": null, "after": {{"password": "{password}"}},
            "after_unknown": {{}}, "after_sensitive": {{"password": true}}}}}}"#
        );
        let declared =
            declared("aws_db_instance.d", &format!(r#"{{"password": {{"references": [{references}]}}}}"#));
        let root = format!(r#"{{"resources": [{declared}], "variables": {{{variables}}}}}"#);
        let given = r#""variables": {"pw": {"value": "hunter2"}, "env": {"value": "prod"}},"#;
        verdict(&plan(given, &change, &root), "W-059", "aws_db_instance.d")
    };
    // A literal beside an input, or one in the place of the input.
    assert_eq!(database(r#""var.env""#, "hunter2-prod", r#""env": {}"#), Verdict::Indeterminate);
    assert_eq!(database(r#""var.env""#, "hunter3", r#""env": {}"#), Verdict::Indeterminate);
    assert_eq!(database(r#""var.pw""#, "hunter2", r#""pw": {"sensitive": true}"#), Verdict::Pass);
    assert_eq!(database(r#""var.pw""#, "hunter2", r#""pw": {"default": null}"#), Verdict::Pass);
    assert_eq!(
        database(r#""var.pw""#, "hunter2", r#""pw": {"default": "hunter2", "sensitive": true}"#),
        Verdict::Indeterminate
    );
    assert_eq!(database(r#""local.pw""#, "hunter2", ""), Verdict::Indeterminate);
    assert_eq!(database(r#""var.pw", "local.more""#, "hunter2", r#""pw": {}"#), Verdict::Indeterminate);
    assert_eq!(database("", "hunter2", ""), Verdict::Fail);
}

#[test]
fn fails_closed_a_secret_beside_an_input_in_a_map() {
    let of = |references: &str, data: &str, unknown: &str| {
        let change = format!(
            r#"{{"address": "kubernetes_secret.s", "mode": "managed", "type": "kubernetes_secret", "name": "s",
            "change": {{"actions": ["create"], "before": null, "after": {{"data": {data}}},
            "after_unknown": {{"data": {unknown}}}, "after_sensitive": {{"data": true}}}}}}"#
        );
        let references = format!(r#"{{"data": {{"references": [{references}]}}}}"#);
        let root = format!(
            r#"{{"resources": [{}, {}], "variables": {{"user": {{}}, "pw": {{}}}}}}"#,
            declared("kubernetes_secret.s", &references),
            declared("random_password.p", "{}")
        );
        let given = r#""variables": {"user": {"value": "ann"}, "pw": {"value": "given"}},"#;
        let random = created("random_password.p", r#"{"length": 32}"#, r#"{"result": true}"#);
        verdict(&plan(given, &format!("{change}, {random}"), &root), "W-059", "kubernetes_secret.s")
    };
    let (user, all) =
        (r#""var.user""#, r#""var.user", "var.pw", "random_password.p.result", "random_password.p""#);
    assert_eq!(of(user, r#"{"user": "ann", "password": "hunter2"}"#, "{}"), Verdict::Indeterminate);
    assert_eq!(of(all, r#"{"user": "ann", "password": "hunter2"}"#, "{}"), Verdict::Indeterminate);
    assert_eq!(of(all, r#"{"user": "ann", "password": "given"}"#, "{}"), Verdict::Pass);
    assert_eq!(of(all, r#"{"user": "ann"}"#, r#"{"password": true}"#), Verdict::Pass);
}

#[test]
fn fails_closed_a_key_that_the_provider_chose_is_none_of_ones_own() {
    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/6f1a3ac6";
    let database = |more: &str, expressions: &str| {
        let change = created("aws_db_instance.d", &format!(r#"{{"kms_key_id": "{KEY}"}}"#), "{}");
        let root = format!(r#"{{"resources": [{}]}}"#, declared("aws_db_instance.d", expressions));
        verdict(&plan(more, &change, &root), "W-003", "aws_db_instance.d")
    };
    let constant = r#"{"kms_key_id": {"constant_value": "x"}}"#;
    let by_data = r#"{"kms_key_id": {"references": ["data.aws_kms_key.rds.arn", "data.aws_kms_key.rds"]}}"#;
    let by_local = r#"{"kms_key_id": {"references": ["local.key"]}}"#;
    assert_eq!(database("", constant), Verdict::Pass);
    // Nobody wrote it, or wrote null: the second plan says the same as the first.
    assert_eq!(database("", "{}"), Verdict::Fail);
    assert_eq!(database("", r#"{"kms_key_id": {"constant_value": null}}"#), Verdict::Fail);
    // An input may be null, and a local.
    let by_input = r#"{"kms_key_id": {"references": ["var.key"]}}"#;
    let given = |value: &str| format!(r#""variables": {{"key": {{"value": {value}}}}},"#);
    assert_eq!(database(&given(&format!("{KEY:?}")), by_input), Verdict::Pass);
    assert_eq!(database(&given("null"), by_input), Verdict::Indeterminate);
    assert_eq!(database("", by_local), Verdict::Indeterminate);
    let state = |kind: &str, values: &str| {
        format!(
            r#""prior_state": {{"values": {{"root_module": {{"resources": [{{"address": "data.{kind}.rds", "mode": "data",
            "type": "{kind}", "name": "rds", "values": {values}}}]}}}}}},"#
        )
    };
    for (values, wanted) in [
        (format!(r#"{{"key_id": "alias/aws/rds", "arn": "{KEY}"}}"#), Verdict::Fail),
        (format!(r#"{{"key_id": "6f1a3ac6", "key_manager": "AWS", "arn": "{KEY}"}}"#), Verdict::Fail),
        (
            format!(r#"{{"key_id": "alias/records", "key_manager": "CUSTOMER", "arn": "{KEY}"}}"#),
            Verdict::Pass,
        ),
    ] {
        for expressions in [by_data, by_local] {
            assert_eq!(database(&state("aws_kms_key", &values), expressions), wanted, "{values}");
        }
    }
    let alias = format!(r#"{{"name": "alias/aws/rds", "target_key_arn": "{KEY}"}}"#);
    assert_eq!(database(&state("aws_kms_alias", &alias), by_local), Verdict::Fail);
    // A state holds whatever was chosen, by whomever.
    let of_state = format!(
        r#"{{"format_version": "1.0", "values": {{"root_module": {{"resources": [{{"address": "aws_db_instance.d",
        "mode": "managed", "type": "aws_db_instance", "name": "d", "values": {{"kms_key_id": "{KEY}"}}}}]}}}}}}"#
    );
    assert_eq!(verdict(&of_state, "W-003", "aws_db_instance.d"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_secret_that_is_put_together_of_a_name() {
    let random = created("random_pet.p", r#"{"id": "brave-cat"}"#, "{}");
    let of = |password: &str| {
        let database = created("aws_db_instance.d", &format!(r#"{{"password": "{password}"}}"#), "{}");
        let references = r#"{"password": {"references": ["random_pet.p.id", "random_pet.p"]}}"#;
        let declared =
            format!("{}, {}", declared("random_pet.p", "{}"), declared("aws_db_instance.d", references));
        let text = plan("", &format!("{random}, {database}"), &format!(r#"{{"resources": [{declared}]}}"#));
        verdict(&text, "W-059", "aws_db_instance.d")
    };
    assert_eq!(of("brave-cat"), Verdict::Pass);
    assert_eq!(of("hunter2-brave-cat"), Verdict::Indeterminate);
}

#[test]
fn fails_closed_a_companion_of_a_name_that_is_made_of_another() {
    let with = |name: &str, reference: &str| {
        let bucket = created("aws_s3_bucket.main", r#"{"bucket": "main", "tags": {"target": "logs"}}"#, "{}");
        let after = PAB_ON.replacen('{', &format!(r#"{{"bucket": "{name}", "#), 1);
        let block = created("aws_s3_bucket_public_access_block.p", &after, "{}");
        let references = format!(r#"{{"bucket": {{"references": ["{reference}", "aws_s3_bucket.main"]}}}}"#);
        let root = format!(
            r#"{{"resources": [{}, {}]}}"#,
            declared("aws_s3_bucket.main", "{}"),
            declared("aws_s3_bucket_public_access_block.p", &references)
        );
        verdict(&plan("", &format!("{bucket}, {block}"), &root), "W-021", "aws_s3_bucket.main")
    };
    assert_eq!(with("main", "aws_s3_bucket.main.bucket"), Verdict::Pass);
    assert_eq!(with("main-logs", "aws_s3_bucket.main.bucket"), Verdict::Fail);
    assert_eq!(with("logs", "aws_s3_bucket.main.tags.target"), Verdict::Fail);
}
