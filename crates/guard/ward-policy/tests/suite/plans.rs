//! Plans for tests, written as little JSON as they need.

use ward_policy::graph::Graph;
use ward_policy::{InputError, Verdict, builtin_rules, read_input, verdict_for};

/// A plan of these changes and this root module; `more` are further sections, each with a comma behind it.
pub fn plan(more: &str, changes: &str, root_module: &str) -> String {
    format!(
        r#"{{"format_version": "1.2", {more} "resource_changes": [{changes}],
            "configuration": {{"root_module": {root_module}}}}}"#
    )
}

/// A created resource of the root module, or of the module that its address begins with.
pub fn created(address: &str, after: &str, unknown: &str) -> String {
    let (module, rest) = match address.rfind(".aws_") {
        Some(at) => (&address[..at], &address[at + 1..]),
        None => ("", address),
    };
    let (block, index) = match rest.split_once('[') {
        Some((block, key)) => (block, format!(r#""index": {},"#, key.trim_end_matches(']'))),
        None => (rest, String::new()),
    };
    let (kind, name) = block.split_once('.').unwrap();
    let module = if module.is_empty() { String::new() } else { format!(r#""module_address": {module:?},"#) };
    format!(
        r#"{{"address": {address:?}, {module} {index} "mode": "managed", "type": "{kind}", "name": "{name}",
            "change": {{"actions": ["create"], "before": null, "after": {after}, "after_unknown": {unknown}}}}}"#
    )
}

/// A resource of the configuration.
pub fn declared(address: &str, expressions: &str) -> String {
    format!(r#"{{"address": {address:?}, "expressions": {expressions}}}"#)
}

pub fn read(text: &str) -> Result<Graph, InputError> {
    read_input(text.as_bytes())
}

/// The verdict of a rule about a resource of a plan.
pub fn verdict(text: &str, rule: &str, address: &str) -> Verdict {
    let rules = builtin_rules().unwrap();
    let graph = read(text).unwrap_or_else(|error| panic!("{error}"));
    let id = &rules.rule(rule).unwrap().id;
    verdict_for(&graph, &rules, id, address)
        .unwrap_or_else(|| panic!("{rule} does not know {address}"))
        .verdict
}
