//! Where the project is, which files it has, which crates and targets.

use crate::limits::READ_MAX_BYTES;
use crate::process;
use crate::source_tree::SourceTree;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's folder.
pub fn root() -> Result<PathBuf> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .context("run this as `cargo xtask`, which says where the project is")?;
    Ok(manifest.parent().unwrap_or(Path::new(".")).to_path_buf())
}

/// `cargo` as the caller runs it, in the project's folder.
pub fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo tells a program that it runs must not leak into the cargo that the program runs.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(variable);
    }
    command.current_dir(root()?).args(arguments);
    Ok(command)
}

/// Paths of all files that git tracks or would track.
pub fn paths() -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.current_dir(root()?).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listing = process::output(&mut git).context("listing the project's files with git")?;
    let mut paths: Vec<String> =
        listing.split('\0').filter(|path| !path.is_empty()).map(Into::into).collect();
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// All text files. Files that were deleted, are too large or are not text are left out.
pub fn source_tree() -> Result<SourceTree> {
    let root = root()?;
    let files = paths()?.into_iter().filter_map(|path| {
        let full = root.join(&path);
        let size_bytes = full.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
        if size_bytes > READ_MAX_BYTES {
            return None;
        }
        Some((path, std::fs::read_to_string(full).ok()?))
    });
    Ok(SourceTree::new(files))
}

/// One target of one crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The crate.
    pub package: String,
    /// The target's name.
    pub name: String,
    /// `lib`, `bin`, `test`, `bench`, `example`, ...
    pub kind: String,
}

/// Every target of every crate of the workspace.
pub fn targets() -> Result<Vec<Target>> {
    let text = process::output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"])?)
        .context("asking cargo for the crates of the workspace")?;
    let json: serde_json::Value = serde_json::from_str(&text).context("reading cargo's answer")?;
    Ok(targets_of(&json))
}

fn targets_of(json: &serde_json::Value) -> Vec<Target> {
    let list = |value: &serde_json::Value, key: &str| {
        value.get(key).and_then(|list| list.as_array()).cloned().unwrap_or_default()
    };
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut targets = Vec::new();
    for package in list(json, "packages") {
        for target in list(&package, "targets") {
            targets.push(Target {
                package: package.get("name").map(text).unwrap_or_default(),
                name: target.get("name").map(text).unwrap_or_default(),
                kind: list(&target, "kind").first().map(text).unwrap_or_default(),
            });
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_from_cargo() {
        let json = serde_json::json!({"packages": [{"name": "a", "targets": [
            {"name": "a", "kind": ["lib"]}, {"name": "corpora_audit", "kind": ["test"]}]}]});
        let targets = targets_of(&json);
        assert_eq!(targets.len(), 2);
        assert_eq!(targets[1].name, "corpora_audit");
        assert_eq!(targets[1].kind, "test");
        assert_eq!(targets[1].package, "a");
    }
}
