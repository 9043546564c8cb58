//! Locals, variables, templates, conditions, operators.

use super::{at, graph, read, shown, value};
use crate::graph::{Attribute, Reason, Role};
use crate::terraform_source::{SourceFile, SourceOptions};

#[test]
fn operators_templates_and_conditions_over_known_values() {
    for (expression, expected) in [
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("7 % 4", "3"),
        ("-(1 + 1)", "-2"),
        ("!(1 < 2) || 2 >= 2 && true", "true"),
        ("\"a\" == \"a\" ? \"yes\" : \"no\"", "\"yes\""),
        ("1 == \"1\"", "false"),
        ("[1, 2] == [1, 2]", "true"),
        ("{ a = 1 } != { a = 2 }", "true"),
        ("null == null", "true"),
        ("\"x${1 + 1}y${true}\"", "\"x2ytrue\""),
        ("\"${[1, 2]}\"", "[1, 2]"),
        ("\"%{ if false }a%{ else }b%{ endif }%{ for v in [1, 2] }<${v}>%{ endfor }\"", "\"b<1><2>\""),
        ("<<-EOT\n    a\n      b\n    EOT", "\"a\\n  b\\n\""),
        ("{ a = 1, \"b\" = { c = 2 }, (\"d${1}\") = null }", "{a = 1, b = {c = 2}, d1 = null}"),
        ("{ a = { b = [10, 20] } }.a.b[1]", "20"),
        ("[{ a = 1 }, { a = 2 }][*].a", "[1, 2]"),
        ("[{ a = [1] }, { a = [2] }].*.a[0]", "[1]"),
        ("[for i, v in [\"a\", \"b\"] : \"${i}${v}\" if v != \"a\"]", "[\"1b\"]"),
        ("{ for k, v in { a = 1, b = 2 } : v => k }", "{1 = \"a\", 2 = \"b\"}"),
        (
            "{ for v in [\"a\", \"b\", \"ab\"] : substr(v, 0, 1) => v... }",
            "{a = [\"a\", \"ab\"], b = [\"b\"]}",
        ),
    ] {
        assert_eq!(shown(expression), expected, "{expression}");
    }
}

#[test]
fn locals_and_defaults_of_variables_are_followed() {
    let text = r#"
        variable "a" { default = { size = 5 } }
        locals {
          name = "db-${local.size}"
          size = var.a.size + 1
        }
        resource "t_r" "x" { v = local.name }
    "#;
    assert_eq!(value(text), Attribute::text("db-6"));
}

#[test]
fn given_values_count_more_than_files_and_files_more_than_defaults() {
    let main =
        "variable \"v\" {\n  type = number\n  default = 1\n}\nresource \"t_r\" \"x\" {\n  v = var.v\n}\n";
    let get = |files: &[(&str, &str)], options: &SourceOptions<'_>| {
        let files: Vec<_> = std::iter::once(("main.tf", main)).chain(files.iter().copied()).collect();
        let graph = read(&files, options).unwrap();
        at(&graph, "t_r.x").attributes.get("v").cloned().unwrap().shown()
    };
    let plain = SourceOptions::default();
    assert_eq!(get(&[], &plain), "1");
    assert_eq!(get(&[("terraform.tfvars", "v = 2")], &plain), "2");
    assert_eq!(get(&[("terraform.tfvars", "v = 2"), ("a.auto.tfvars.json", "{\"v\": 3}")], &plain), "3");
    assert_eq!(get(&[("other.tfvars", "v = 4")], &plain), "1");
    let other = SourceFile { path: "other.tfvars", bytes: b"v = 4" };
    let named = SourceOptions { variable_files: &[other], ..plain };
    assert_eq!(get(&[("terraform.tfvars", "v = 2"), ("other.tfvars", "v = 4")], &named), "4");
    let given = SourceOptions { variables: &[("v", "5")], ..named };
    assert_eq!(get(&[("other.tfvars", "v = 4")], &given), "5");
    let broken = SourceFile { path: "broken.tfvars", bytes: b"v = [" };
    assert!(read(&[("main.tf", main)], &SourceOptions { variable_files: &[broken], ..plain }).is_err());
}

#[test]
fn types_convert_and_fill_what_is_optional() {
    let text = |kind: &str, default: &str| {
        format!(
            "variable \"v\" {{\n  type = {kind}\n  default = {default}\n}}\nresource \"t_r\" \"x\" {{\n  v = var.v\n}}\n"
        )
    };
    for (kind, default, expected) in [
        ("bool", "\"true\"", "true"),
        ("string", "5", "\"5\""),
        ("set(string)", "[\"b\", \"a\", \"b\"]", "[\"a\", \"b\"]"),
        ("list(number)", "[\"1\"]", "[1]"),
        (
            "map(object({ on = optional(bool, true), key = optional(string), n = number }))",
            "{ a = { n = 1 }, b = { n = 2, on = false, other = 3 } }",
            "{a = {key = null, n = 1, on = true}, b = {key = null, n = 2, on = false}}",
        ),
        ("any", "[1]", "[1]"),
        ("\"string\"", "\"x\"", "\"x\""),
    ] {
        assert_eq!(value(&text(kind, default)).shown(), expected, "{kind}");
    }
}

#[test]
fn secrets_stay_secret_through_expressions() {
    let text = r#"
        variable "password" {
          default   = "hunter2"
          sensitive = true
        }
        locals { url = "db://${upper(var.password)}" }
        resource "t_r" "x" { v = [local.url, sensitive("b"), nonsensitive(local.url)] }
    "#;
    let shown = value(text).shown();
    assert_eq!(shown, "[(sensitive value, not shown), (sensitive value, not shown), \"db://HUNTER2\"]");
}

#[test]
fn a_condition_that_nobody_knows_has_its_branches() {
    let text = "variable \"on\" {}\nresource \"t_r\" \"x\" {\n  v = var.on ? \"a\" : null\n}\n";
    let Attribute::Unknown(unknown) = value(text) else { panic!("known") };
    assert_eq!((unknown.reason, unknown.written.as_deref()), (Reason::Input, Some("var.on ? \"a\" : null")));
    assert_eq!(*unknown.branches, [Attribute::text("a"), Attribute::Null]);
    let same = "variable \"on\" {}\nresource \"t_r\" \"x\" {\n  v = var.on ? true : true\n}\n";
    assert_eq!(value(same), Attribute::Bool(true));
    let one_side = "variable \"on\" {}\nresource \"t_r\" \"x\" {\n  v = var.on || true\n}\n";
    assert_eq!(value(one_side), Attribute::Bool(true));
}

#[test]
fn blocks_are_lists_and_what_terraform_reads_itself_is_left_out() {
    let text = r#"
        resource "t_r" "x" {
          count      = 1
          provider   = aws.west
          depends_on = [t_r.y]
          lifecycle {
            ignore_changes = [v]
          }
          rule {
            a = 1
            inner {
              b = true
            }
          }
          rule {}
          timeouts {
            create = "1h"
          }
        }
    "#;
    let graph = graph(&[("main.tf", text)]);
    let resource = at(&graph, "t_r.x[0]");
    let names: Vec<_> = resource.attributes.entries().map(|(name, _)| name).collect();
    assert_eq!(names, ["rule", "timeouts"]);
    assert_eq!(resource.attributes.get("rule").unwrap().shown(), "[{a = 1, inner = [{b = true}]}, {}]");
    assert_eq!((&*resource.provider, resource.place.as_ref().unwrap().line), ("aws.west", 2));
}

#[test]
fn data_sources_are_there_to_be_judged() {
    let text = r#"
        data "aws_iam_policy_document" "d" {
          statement {
            effect    = "Allow"
            actions   = ["s3:*"]
            resources = ["*"]
          }
        }
        resource "t_r" "x" { v = data.aws_iam_policy_document.d.json }
    "#;
    let graph = graph(&[("main.tf", text)]);
    let document = at(&graph, "data.aws_iam_policy_document.d");
    assert_eq!(document.role, Role::Data);
    assert_eq!(
        document.attributes.get("statement").unwrap().shown(),
        "[{actions = [\"s3:*\"], effect = \"Allow\", resources = [\"*\"]}]"
    );
    let Some(Attribute::Unknown(unknown)) = at(&graph, "t_r.x").attributes.get("v") else { panic!("known") };
    assert_eq!(
        (unknown.reason, &*unknown.references[0].written),
        (Reason::DataSource, "data.aws_iam_policy_document.d.json")
    );
}

#[test]
fn policies_keep_their_shape_where_a_name_in_them_is_not_known() {
    for policy in [
        "jsonencode({ Statement = [{ Effect = \"Allow\", Principal = \"*\", Resource = t_b.b.arn }] })",
        "<<EOT\n{\"Statement\": [{\"Effect\": \"Allow\", \"Principal\": \"*\", \"Resource\": \"${t_b.b.arn}/*\"}]}\nEOT",
    ] {
        let text = format!("resource \"t_b\" \"b\" {{}}\nresource \"t_r\" \"x\" {{\n  v = {policy}\n}}\n");
        assert_eq!(
            value(&text).shown(),
            "{Statement = [{Effect = \"Allow\", Principal = \"*\", Resource = (known after apply)}]}"
        );
    }
}

#[test]
fn override_files_change_what_the_others_say() {
    let main = "resource \"t_r\" \"x\" {\n  v = 1\n  w = 2\n  rule {\n    a = 1\n  }\n  rule {\n    a = 2\n  }\n}\nlocals {\n  l = 1\n}\n";
    let change =
        "resource \"t_r\" \"x\" {\n  v = local.l\n  rule {\n    a = 3\n  }\n}\nlocals {\n  l = 7\n}\n";
    let graph = graph(&[("a_override.tf", change), ("main.tf", main)]);
    let resource = at(&graph, "t_r.x");
    let all: Vec<_> =
        resource.attributes.entries().map(|(name, value)| format!("{name} {}", value.shown())).collect();
    assert_eq!(all, ["rule [{a = 3}]", "v 7", "w 2"]);
}

#[test]
fn the_json_syntax_says_the_same() {
    let text = r#"{
        "variable": {"n": {"type": "number", "default": 2}},
        "resource": {"t_r": {"x": {"count": "${var.n}", "v": "a-${count.index}",
            "dynamic": {"rule": {"for_each": ["p", "q"], "content": {"k": "${rule.value}"}}}}}}
    }"#;
    let graph = graph(&[("main.tf.json", text)]);
    let second = at(&graph, "t_r.x[1]");
    assert_eq!(second.attributes.get("v"), Some(&"a-1".into()));
    assert_eq!(second.attributes.get("rule").unwrap().shown(), "[{k = \"p\"}, {k = \"q\"}]");
}

#[test]
fn marks_of_editors_and_wide_letters_are_read() {
    let text = "\u{feff}resource \"t_r\" \"x\" {\r\n  v = \"é\" # ü\r\n}\r\n";
    assert_eq!(value(text), Attribute::text("é"));
}
