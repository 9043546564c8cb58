//! Plans that were made to take long: each of these would take minutes if the work grew with the square of what
//! stands in one block, or with the number of ways through modules.

use super::read_terraform;
use crate::graph::{Attribute, Graph, Reason, Referent};
use crate::input_error::InputError;

/// Names or references in one block.
const MANY: usize = 60_000;
/// Blocks of one name.
const BLOCKS: usize = 20_000;

fn joined(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(",")
}

/// A plan of one resource, with the fields of its change and the rest of its configuration.
fn plan(change: &str, declared: &str, module: &str) -> Result<Graph, InputError> {
    read_terraform(&format!(
        r#"{{"format_version": "1.2", "resource_changes": [{{"address": "a_b.c", "mode": "managed", "type": "a_b",
        "name": "c", "provider_name": "p", "change": {{"actions": ["create"], {change}}}}}],
        "configuration": {{"root_module": {{"resources": [{{"address": "a_b.c", {declared}}}] {module}}}}}}}"#
    ))
}

fn only(graph: &Graph) -> &crate::graph::Resource {
    graph.resources().next().unwrap().1
}

#[test]
fn many_names_in_marks_values_and_expressions() {
    let names = |value: &str| joined(MANY, |at| format!(r#""n{at}": {value}"#));
    let change = format!(
        r#""after": {{{}}}, "after_unknown": {{{}}}, "after_sensitive": {{{}, "known": true}}"#,
        joined(MANY / 2, |at| format!(r#""n{at}": "x""#)) + r#", "known": "x""#,
        names("true"),
        names("true"),
    );
    let expressions = names(r#"{"references": ["var.v"]}"#);
    let graph = plan(&change, &format!(r#""expressions": {{{expressions}}}"#), "").unwrap();
    let resource = only(&graph);
    assert_eq!(resource.attributes.len(), MANY + 1);
    assert_eq!(resource.expressions.len(), MANY);
    let last = resource.attributes.get(&format!("n{}", MANY - 1));
    assert!(matches!(last, Some(Attribute::Unknown(unknown)) if unknown.reason == Reason::Input), "{last:?}");
    assert!(matches!(resource.attributes.get("known"), Some(Attribute::Sensitive(_))));
}

#[test]
fn a_mark_given_twice_is_found_among_few_and_among_many() {
    for count in [1, MANY] {
        for again in [0, count - 1] {
            let names = joined(count, |at| format!(r#""n{at}": true"#));
            let marks = format!(r#""after_unknown": {{{names}, "n{again}": false}}"#);
            let Err(InputError::GivenTwice { name, .. }) = plan(&marks, r#""expressions": {}"#, "") else {
                panic!("{count}: was read");
            };
            assert_eq!(*name, *format!("n{again}"));
        }
    }
}

#[test]
fn many_blocks_of_one_name() {
    let values = joined(BLOCKS, |_| r#"{"cidr": "x", "id": "y", "port": null}"#.to_owned());
    let marks = joined(BLOCKS, |_| r#"{"port": true}"#.to_owned());
    let written =
        joined(BLOCKS, |at| format!(r#"{{"cidr": {{}}, "port": {{"references": ["a_b.d{at}.port"]}}}}"#));
    let change = format!(r#""after": {{"rule": [{values}]}}, "after_unknown": {{"rule": [{marks}]}}"#);
    let graph = plan(&change, &format!(r#""expressions": {{"rule": [{written}]}}"#), "").unwrap();
    let resource = only(&graph);
    let chosen: Vec<(&str, bool)> =
        resource.chosen.iter().map(|chosen| (&*chosen.path, chosen.is_sure)).collect();
    assert_eq!(chosen, [("rule.id", true)]);
    let Some(Attribute::List(items)) = resource.attributes.get("rule") else { panic!() };
    let Attribute::Block(last) = &items[BLOCKS - 1] else { panic!() };
    let Some(Attribute::Unknown(unknown)) = last.get("port") else { panic!() };
    assert_eq!((items.len(), unknown.references.len()), (BLOCKS, BLOCKS));
}

#[test]
fn many_references_in_one_expression() {
    let references = joined(BLOCKS, |at| format!(r#""a_b.d{at}.id", "a_b.d{at}", "each.key""#));
    let change = r#""after": {}, "after_unknown": {"n": true}"#;
    let declared =
        format!(r#""for_each_expression": {{}}, "expressions": {{"n": {{"references": [{references}]}}}}"#);
    let graph = plan(change, &declared, "").unwrap();
    let Some(Attribute::Unknown(unknown)) = only(&graph).attributes.get("n") else { panic!() };
    assert_eq!(unknown.references.len(), BLOCKS + 1);
    assert_eq!(unknown.expression().split(", ").count(), BLOCKS + 1);
}

#[test]
fn references_that_fork_in_every_module() {
    let both = r#"{"references": ["var.a", "var.b"]}"#;
    let call = |inner: &str| {
        format!(
            r#", "module_calls": {{"m": {{"expressions": {{"a": {both}, "b": {both}}}, "module": {inner}}}}}"#
        )
    };
    // The innermost output hands on what came in at the top, through every module twice.
    let mut module = format!(r#"{{"outputs": {{"o": {{"expression": {both}}}}}}}"#);
    for _ in 0..30 {
        let out = r#""outputs": {"o": {"expression": {"references": ["module.m.o"]}}}"#;
        module = format!("{{{out} {}}}", call(&module));
    }
    let declared = r#""expressions": {"n": {"references": ["module.m.o"]}}"#;
    let change = r#""after": {}, "after_unknown": {"n": true}"#;
    let graph = plan(change, declared, &call(&module)).unwrap();
    let Some(Attribute::Unknown(unknown)) = only(&graph).attributes.get("n") else { panic!() };
    assert!(unknown.references.iter().any(|reference| reference.to == Referent::Computed));
    assert!(unknown.references.len() <= crate::limits::MAX_PLAN_STEPS);
}

#[test]
fn many_faults_that_are_no_fault() {
    let blocks = joined(MANY, |_| r#"{"references": [1]}"#.to_owned());
    let graph = plan(r#""after": {}"#, &format!(r#""expressions": {{"n": [{blocks}]}}"#), "").unwrap();
    assert!(only(&graph).expressions.is_empty());
}

#[test]
fn many_changes_without_an_address() {
    let changes = "{},\n".repeat(MANY * 4);
    let text = format!(r#"{{"format_version": "1.2", "resource_changes": [{changes} {{}}]}}"#);
    assert!(matches!(read_terraform(&text), Err(InputError::Malformed { at, .. }) if at == "line 1"));
}
