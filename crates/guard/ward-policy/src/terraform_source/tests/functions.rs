//! The functions that Ward evaluates.

use super::{graph, shown, value};
use crate::graph::{Attribute, Reason};

#[test]
fn functions_over_known_values() {
    for (call, expected) in [
        ("merge({ a = 1 }, null, { a = 2, b = 3 })", "{a = 2, b = 3}"),
        ("lookup({ a = 1 }, \"a\", 2)", "1"),
        ("lookup({ a = 1 }, \"b\", 2)", "2"),
        ("try({ a = 1 }.b, [1][3], \"last\")", "\"last\""),
        ("can({ a = 1 }.b)", "false"),
        ("coalesce(null, \"\", \"x\")", "\"x\""),
        ("coalescelist([], [1])", "[1]"),
        ("concat([1], [2, 3])", "[1, 2, 3]"),
        ("toset([\"b\", \"a\", \"b\"])", "[\"a\", \"b\"]"),
        ("tolist([1])", "[1]"),
        ("tomap({ a = 1 })", "{a = 1}"),
        ("format(\"%s-%03d-%v%%\", \"a\", 7, true)", "\"a-007-true%\""),
        ("join(\",\", [\"a\", \"b\"])", "\"a,b\""),
        ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
        ("replace(\"a-b-c\", \"-\", \"_\")", "\"a_b_c\""),
        ("lower(upper(\"aB\"))", "\"ab\""),
        ("title(\"ab cd\")", "\"Ab Cd\""),
        ("trimspace(\" a \")", "\"a\""),
        ("trimprefix(\"abc\", \"a\")", "\"bc\""),
        ("trimsuffix(\"abc\", \"c\")", "\"ab\""),
        ("substr(\"abcdef\", -3, 2)", "\"de\""),
        ("startswith(\"abc\", \"ab\")", "true"),
        ("length({ a = 1, b = 2 })", "2"),
        ("length(\"äb\")", "2"),
        ("element([1, 2, 3], 4)", "2"),
        ("keys({ b = 1, a = 2 })", "[\"a\", \"b\"]"),
        ("values({ b = 1, a = 2 })", "[2, 1]"),
        ("contains([1, 2], 2)", "true"),
        ("flatten([[1, [2]], [], [3]])", "[1, 2, 3]"),
        ("distinct([1, 2, 1])", "[1, 2]"),
        ("compact([\"a\", \"\", null])", "[\"a\"]"),
        ("one([])", "null"),
        ("reverse([1, 2])", "[2, 1]"),
        ("slice([1, 2, 3], 1, 3)", "[2, 3]"),
        ("zipmap([\"a\"], [1])", "{a = 1}"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("sort([\"b\", \"a\"])", "[\"a\", \"b\"]"),
        ("alltrue([true, \"true\"])", "true"),
        ("anytrue([])", "false"),
        ("setsubtract([1, 2], [2])", "[1]"),
        ("max(1, 3, 2)", "3"),
        ("min([1, 3]...)", "1"),
        ("sum([1, 2])", "3"),
        ("range(3)", "[0, 1, 2]"),
        ("ceil(1.2) + floor(1.8)", "3"),
        ("parseint(\"ff\", 16)", "255"),
        ("tostring(5)", "\"5\""),
        ("tonumber(\"5\")", "5"),
        ("tobool(\"true\")", "true"),
        ("jsonencode({ a = [1, \"x\\\"<\", null, true] })", r#""{\"a\":[1,\"x\\\"\\u003c\",null,true]}""#),
        ("jsondecode(\"{\\\"a\\\": 1}\").a", "1"),
        ("yamldecode(\"a: [1]\")", "{a = [1]}"),
        ("base64encode(\"hello\")", "\"aGVsbG8=\""),
        ("base64decode(\"aGVsbG8=\")", "\"hello\""),
        ("base64decode(\"aGVs\\nbG8=\")", "\"hello\""),
        ("urlencode(\"a b/é\")", "\"a+b%2F%C3%A9\""),
        ("cidrsubnet(\"10.0.0.0/16\", 8, 2)", "\"10.0.2.0/24\""),
        ("cidrsubnet(\"fd00::/48\", 16, 255)", "\"fd00:0:0:ff::/64\""),
        ("cidrhost(\"10.0.0.0/24\", 5)", "\"10.0.0.5\""),
        ("cidrhost(\"10.0.0.0/24\", -1)", "\"10.0.0.255\""),
        ("cidrnetmask(\"10.0.0.0/20\")", "\"255.255.240.0\""),
        ("cidrsubnets(\"10.0.0.0/16\", 8, 4, 8)", "[\"10.0.0.0/24\", \"10.0.16.0/20\", \"10.0.32.0/24\"]"),
    ] {
        assert_eq!(shown(call), expected, "{call}");
    }
}

#[test]
fn what_is_not_evaluated_is_not_known() {
    for call in [
        "timestamp()",
        "uuid()",
        "regex(\"a\", \"b\")",
        "replace(\"a\", \"/b/\", \"c\")",
        "provider::aws::arn_parse(\"x\")",
        "file(\"not-given.txt\")",
        "format(\"%5.2f\", 1)",
        "element([], 0)",
        "lookup({ a = 1 }, \"b\")",
        "cidrsubnet(\"10.0.0.0/30\", 8, 0)",
        "tonumber(\"x\")",
        "1 / 0",
        "merge([1])",
        "{ a = 1 }.b",
        "null.a",
        "no.such",
        "each.key",
    ] {
        assert!(shown(call).starts_with('('), "{call}: {}", shown(call));
    }
}

#[test]
fn a_try_stops_at_what_is_not_known() {
    let text = |expression: &str| {
        format!(
            "variable \"m\" {{}}\nlocals {{\n  broken = {{ a = 1 }}.b\n}}\nresource \"t_r\" \"x\" {{\n  v = {expression}\n}}\n"
        )
    };
    for expression in
        ["try(var.m.encrypted, true)", "try(local.broken, true)", "try(lookup(var.m, \"a\"), true)"]
    {
        let Attribute::Unknown(_) = value(&text(expression)) else { panic!("{expression} is known") };
    }
}

#[test]
fn files_of_the_check_are_read() {
    let main = "resource \"t_r\" \"x\" {\n  v = file(\"${path.module}/p.json\")\n  w = templatefile(\"t.tpl\", { name = \"n\", items = [1, 2] })\n}\n";
    let template = "${name}%{ for i in items }-${i}%{ endfor }";
    let graph = graph(&[("main.tf", main), ("p.json", "{}"), ("t.tpl", template)]);
    let resource = super::at(&graph, "t_r.x");
    assert_eq!(resource.attributes.get("v"), Some(&"{}".into()));
    assert_eq!(resource.attributes.get("w"), Some(&"n-1-2".into()));
}

#[test]
fn an_argument_that_is_not_known_says_why() {
    let text = "variable \"v\" {}\nresource \"t_r\" \"x\" {\n  v = upper(var.v)\n}\n";
    let Attribute::Unknown(unknown) = value(text) else { panic!("known") };
    assert_eq!((unknown.reason, unknown.expression().as_str()), (Reason::Input, "upper(var.v)"));
}
