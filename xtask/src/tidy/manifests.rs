//! Each crate's `Cargo.toml` takes its lints and its package fields from the workspace.

use super::Finding;
use crate::source_tree::SourceTree;
use toml::{Table, Value};

/// A crate of the workspace.
pub struct Crate {
    /// Path of its `Cargo.toml`.
    pub path: String,
    /// Its name.
    pub name: String,
    /// What its `Cargo.toml` says.
    pub manifest: Table,
}

/// The crates of the workspace: those below `crates/`, and `xtask`.
pub fn crates(tree: &SourceTree) -> Vec<Crate> {
    let is_member = |path: &str| {
        (path.starts_with("crates/") && path.ends_with("/Cargo.toml")) || path == "xtask/Cargo.toml"
    };
    tree.files
        .iter()
        .filter(|file| is_member(&file.path))
        .filter_map(|file| {
            let manifest: Table = file.text.parse().ok()?;
            let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
            Some(Crate { path: file.path.clone(), name, manifest })
        })
        .collect()
}

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// Lints, package fields and dependency versions stand in one place.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in crates(tree) {
        let mut wrong = |message: String| findings.push(Finding::new(&krate.path, 0, message));
        if !inherits(krate.manifest.get("lints")) {
            wrong("has no `[lints]` with `workspace = true`".to_owned());
        }
        let package = krate.manifest.get("package");
        for field in INHERITED {
            if !inherits(package.and_then(|package| package.get(field))) {
                wrong(format!("write `{field}.workspace = true` in [package]"));
            }
        }
        for (name, _) in dependencies(&krate.manifest).filter(|(_, dependency)| !inherits(Some(dependency))) {
            wrong(format!("write `{name}.workspace = true`; versions stand in the root Cargo.toml"));
        }
    }
    findings
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// Every dependency of any kind and any target.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|kind| tables_of(manifest, kind))
        .flatten()
}

/// The tables of one kind of dependency: the plain one and those of single targets.
pub fn tables_of<'a>(manifest: &'a Table, kind: &'a str) -> impl Iterator<Item = &'a Table> {
    let plain = manifest.get(kind).and_then(Value::as_table);
    let targets = manifest.get("target").and_then(Value::as_table);
    let of_targets = targets
        .into_iter()
        .flat_map(|targets| targets.values())
        .filter_map(move |target| target.get(kind).and_then(Value::as_table));
    plain.into_iter().chain(of_targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n[dependencies]\nserde.workspace = true\nx = { workspace = true, features = [\"y\"] }\n[lints]\nworkspace = true\n";

    #[test]
    fn a_crate_that_inherits_everything_is_accepted() {
        assert!(check(&SourceTree::of(&[("crates/a/Cargo.toml", GOOD)])).is_empty());
    }

    #[test]
    fn own_lints_fields_and_versions_are_found() {
        let without_lints = GOOD.replace("[lints]\nworkspace = true\n", "");
        let own_edition = GOOD.replace("edition.workspace = true", "edition = \"2021\"");
        let own_version = GOOD.replace("serde.workspace = true", "serde = \"1\"");
        for bad in [without_lints, own_edition, own_version] {
            assert_eq!(check(&SourceTree::of(&[("crates/a/Cargo.toml", &bad)])).len(), 1, "{bad}");
        }
    }
}
