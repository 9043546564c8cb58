//! Dependencies point down, by table: `xtask/layers.toml` against every `Cargo.toml`.

use super::Finding;
use super::manifests::{Crate, crates, tables_of};
use crate::limits::TESTKIT_MIN_LAYER;
use crate::source_tree::SourceTree;
use std::collections::BTreeMap;
use toml::{Table, Value};

const TABLE: &str = "xtask/layers.toml";
const TESTKIT: &str = "ward-testkit";

/// One row of the table.
#[derive(Debug, Default)]
struct Row {
    layer: i64,
    deps: Vec<String>,
    dev: Vec<String>,
}

/// The table.
#[derive(Debug, Default)]
struct Layers {
    rows: BTreeMap<String, Row>,
    outside: Vec<String>,
}

/// Every crate has a row, every row a crate, every arrow points down, every used edge is listed.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let Some(file) = tree.file(TABLE) else {
        return vec![Finding::new(TABLE, 0, "is missing")];
    };
    let layers = match file.text.parse::<Table>() {
        Ok(table) => read(&table),
        Err(error) => return vec![Finding::new(TABLE, 0, format!("is not valid TOML: {error}"))],
    };
    let crates = crates(tree);
    let mut findings = check_arrows(&layers);
    for name in layers.rows.keys().filter(|name| !crates.iter().any(|krate| krate.name == **name)) {
        findings.push(Finding::new(
            TABLE,
            0,
            format!("has a row for {name}, which is no crate: remove the row"),
        ));
    }
    for krate in &crates {
        let text = tree.file(&krate.path).map(|file| file.text.as_str()).unwrap_or_default();
        findings.extend(check_crate(&layers, krate, &crates, text));
    }
    findings
}

fn read(table: &Table) -> Layers {
    let names = |value: Option<&Value>| -> Vec<String> {
        let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|name| name.as_str().map(Into::into)).collect()
    };
    let rows = table.get("crates").and_then(Value::as_table).cloned().unwrap_or_default();
    let row = |value: &Value| Row {
        layer: value.get("layer").and_then(Value::as_integer).unwrap_or(-1),
        deps: names(value.get("deps")),
        dev: names(value.get("dev")),
    };
    Layers {
        rows: rows.iter().map(|(name, value)| (name.clone(), row(value))).collect(),
        outside: names(table.get("outside")),
    }
}

/// The table by itself.
fn check_arrows(layers: &Layers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, row) in &layers.rows {
        let mut wrong = |message: String| findings.push(Finding::new(TABLE, 0, message));
        if row.layer < 0 {
            wrong(format!("{name} has no layer"));
        }
        for (other, is_dev) in
            row.deps.iter().map(|other| (other, false)).chain(row.dev.iter().map(|other| (other, true)))
        {
            let Some(target) = layers.rows.get(other) else {
                wrong(format!("{name} lists {other}, which has no row"));
                continue;
            };
            let may_test = is_dev && other == TESTKIT && row.layer >= TESTKIT_MIN_LAYER;
            if target.layer >= row.layer && !may_test {
                let (from, to) = (row.layer, target.layer);
                wrong(format!("{name} (layer {from}) lists {other} (layer {to}): arrows point down"));
            }
        }
    }
    findings
}

/// One crate's `Cargo.toml` against its row.
fn check_crate(layers: &Layers, krate: &Crate, crates: &[Crate], text: &str) -> Vec<Finding> {
    let name = &krate.name;
    let row = layers.rows.get(name);
    if row.is_none() && !layers.outside.contains(name) {
        let message = format!("add a row to {TABLE}: [crates.{name}] with layer and deps");
        return vec![Finding::new(&krate.path, 0, message)];
    }
    let mut findings = Vec::new();
    for (kind, list, is_dev) in [
        ("dependencies", "deps", false),
        ("build-dependencies", "deps", false),
        ("dev-dependencies", "dev", true),
    ] {
        for used in edges(&krate.manifest, kind, crates) {
            let listed =
                row.is_some_and(|row| row.deps.contains(&used) || (is_dev && row.dev.contains(&used)));
            if !listed {
                let line =
                    text.lines().position(|line| line.trim_start().starts_with(&used)).map_or(0, |at| at + 1);
                let message = match row {
                    Some(_) => format!(
                        "depends on {used}: if that arrow is right, add \"{used}\" to {list} of [crates.{name}] in {TABLE}"
                    ),
                    None => format!("depends on {used}, but {name} stands outside the layers"),
                };
                findings.push(Finding::new(&krate.path, line, message));
            }
        }
    }
    findings
}

/// Crates of the workspace that a manifest names in one kind of dependency.
fn edges(manifest: &Table, kind: &str, crates: &[Crate]) -> Vec<String> {
    let real_name = |(key, value): (&String, &Value)| {
        value.get("package").and_then(Value::as_str).unwrap_or(key).to_owned()
    };
    tables_of(manifest, kind)
        .flatten()
        .map(real_name)
        .filter(|name| crates.iter().any(|krate| krate.name == *name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::messages;

    fn tree(table: &str, b: &str) -> SourceTree {
        SourceTree::of(&[
            (TABLE, table),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
            ("crates/b/Cargo.toml", &format!("[package]\nname = \"b\"\n{b}")),
        ])
    }

    const ROWS: &str = "[crates.a]\nlayer = 0\ndeps = []\n[crates.b]\nlayer = 1\ndeps = []\n";

    #[test]
    fn a_new_edge_names_the_line_to_add() {
        let findings = messages(&check(&tree(ROWS, "[dependencies]\na.workspace = true\n")));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("crates/b/Cargo.toml:4:"), "{findings:?}");
        assert!(findings[0].contains("add \"a\" to deps of [crates.b]"), "{findings:?}");
    }

    #[test]
    fn a_listed_edge_is_accepted_and_a_dev_edge_has_its_own_list() {
        let listed = ROWS.replace("layer = 1\ndeps = []", "layer = 1\ndeps = [\"a\"]");
        assert!(check(&tree(&listed, "[dependencies]\na.workspace = true\n")).is_empty());
        assert!(check(&tree(&listed, "[dev-dependencies]\na.workspace = true\n")).is_empty());
        let dev = ROWS.replace("layer = 1\n", "layer = 1\ndev = [\"a\"]\n");
        assert!(check(&tree(&dev, "[dev-dependencies]\na.workspace = true\n")).is_empty());
        assert_eq!(check(&tree(&dev, "[dependencies]\na.workspace = true\n")).len(), 1);
        assert_eq!(check(&tree(&dev, "[target.'cfg(unix)'.dependencies]\na.workspace = true\n")).len(), 1);
        assert_eq!(check(&tree(&dev, "[dependencies]\nx = { package = \"a\", path = \"../a\" }\n")).len(), 1);
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let up = ROWS.replace("layer = 0\ndeps = []", "layer = 0\ndeps = [\"b\"]");
        assert!(messages(&check(&tree(&up, "")))[0].contains("arrows point down"));
    }

    #[test]
    fn rows_and_crates_match() {
        assert!(messages(&check(&tree("[crates.a]\nlayer = 0\n", "")))[0].contains("[crates.b]"));
        let stale = format!("{ROWS}[crates.c]\nlayer = 2\n");
        assert!(messages(&check(&tree(&stale, "")))[0].contains("c, which is no crate"));
        assert_eq!(check(&tree(&format!("outside = [\"b\"]\n{}", "[crates.a]\nlayer = 0\n"), "")).len(), 0);
        let outside = format!("outside = [\"b\"]\n{}", "[crates.a]\nlayer = 0\n");
        assert_eq!(check(&tree(&outside, "[dependencies]\na.workspace = true\n")).len(), 1);
    }

    #[test]
    fn only_upper_crates_test_with_the_test_kit() {
        let table = |layer: i64| {
            format!(
                "[crates.a]\nlayer = 0\n[crates.b]\nlayer = {layer}\ndev = [\"ward-testkit\"]\n[crates.ward-testkit]\nlayer = 8\n"
            )
        };
        let arrows = |layer| check_arrows(&read(&table(layer).parse().unwrap())).len();
        assert_eq!(arrows(TESTKIT_MIN_LAYER), 0);
        assert_eq!(arrows(TESTKIT_MIN_LAYER - 1), 1);
    }
}
