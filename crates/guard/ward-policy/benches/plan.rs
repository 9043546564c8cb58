//! How long a check of one plan takes: reading the rules, reading the plan, judging it, reporting.
//!
//! `cargo bench -p ward-policy --bench plan -- FILE` takes a plan of yours; without a file one of
//! 1,000 resources is made.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures")]

#[path = "../../../../bench/stopwatch.rs"]
mod stopwatch;

use std::fmt::Write as _;
use stopwatch::{Course, race};
use ward_policy::report::{CheckReport, Checked, Style, text};
use ward_policy::{assess, builtin_rules, read_input};

const MADE_RESOURCES: usize = 1_000;

fn main() {
    stopwatch::print_machine();
    let file = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let bytes = match &file {
        Some(name) => std::fs::read(name).unwrap(),
        None => made_plan().into_bytes(),
    };
    let rules = builtin_rules().unwrap();
    let graph = read_input(&bytes).unwrap();
    let checked = [Checked { name: "plan", result: Ok(assess(&graph, &rules)) }];
    let findings = checked.iter().filter_map(|one| one.result.as_ref().ok()).map(|one| one.findings.len());
    println!(
        "\n{} bytes, {} resources, {} findings, {} rules; CPU time of the thread, best of 10",
        bytes.len(),
        graph.len(),
        findings.sum::<usize>(),
        rules.rules().len()
    );
    race(vec![
        Course::each("the rules that come with Ward read", 1, || builtin_rules().unwrap()),
        Course::each("the plan read into a graph", 1, || read_input(&bytes).unwrap()),
        Course::each("the graph judged by every rule", 1, || assess(&graph, &rules).findings.len()),
        Course::each("the report as text", 1, || text(&checked, &rules, false, Style::plain())),
        Course::each("the report as JSON", 1, || {
            serde_json::to_string(&CheckReport::new(&checked, &rules, false)).unwrap()
        }),
    ])
    .print();
}

/// Databases and buckets, some of them as they should be.
fn made_plan() -> String {
    let mut changes = String::new();
    for at in 0..MADE_RESOURCES {
        let comma = if at == 0 { "" } else { "," };
        let (kind, after) = if at % 2 == 0 {
            ("aws_db_instance", format!(r#"{{"storage_encrypted": {}, "engine": "postgres"}}"#, at % 4 == 0))
        } else {
            ("aws_s3_bucket", format!(r#"{{"bucket": "bucket-{at}"}}"#))
        };
        write!(
            changes,
            r#"{comma}{{"address": "{kind}.r{at}", "mode": "managed", "type": "{kind}", "name": "r{at}",
            "change": {{"actions": ["create"], "before": null, "after": {after}, "after_unknown": {{"id": true}}}}}}"#
        )
        .unwrap();
    }
    format!(r#"{{"format_version": "1.2", "resource_changes": [{changes}]}}"#)
}
