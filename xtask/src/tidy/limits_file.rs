//! Every limit is a named constant in its crate's `limits.rs`.

use super::Finding;
use super::manifests::crates;
use crate::rust_view::is_word;
use crate::source_tree::{SourceTree, folder};

/// Library crates that have limits have a `limits.rs`, and their maxima stand in it.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for krate in crates(tree) {
        let source = format!("{}src/", folder(&krate.path));
        let limits = format!("{source}limits.rs");
        if tree.file(&format!("{source}lib.rs")).is_none() {
            continue;
        }
        let has_limits = tree.file(&limits).is_some();
        for (file, number, line) in tree.shipped_lines(&[&source]) {
            let Some(name) = constant_name(&line.code).filter(|_| file.path != limits) else { continue };
            if is_maximum(name) {
                findings.push(Finding::new(&file.path, number, format!("{name} belongs in {limits}")));
            } else if name.ends_with("_BYTES") && !has_limits {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    format!("{name} is a size: make {limits} for it"),
                ));
            }
        }
    }
    findings
}

/// The name of the constant that a line declares. `const N: usize` of generics has no value.
fn constant_name(code: &str) -> Option<&str> {
    let code = code.trim_start();
    let code =
        if code.starts_with("pub") { code.split_once("const ")?.1 } else { code.strip_prefix("const ")? };
    let name = code.split(|c| !is_word(c)).next()?;
    (code.contains(':') && name.chars().any(|c| c.is_ascii_uppercase())).then_some(name)
}

fn is_maximum(name: &str) -> bool {
    name.starts_with("MAX_") || name.contains("_MAX_") || name.ends_with("_MAX") || name.ends_with("_LIMIT")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(files: &[(&str, &str)]) -> usize {
        let mut all =
            vec![("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"), ("crates/a/src/lib.rs", "mod x;\n")];
        all.extend(files);
        check(&SourceTree::of(&all)).len()
    }

    #[test]
    fn a_limit_outside_its_file_is_found() {
        assert_eq!(count(&[("crates/a/src/x.rs", "const MAX_DEPTH: usize = 3;\n")]), 1);
        assert_eq!(count(&[("crates/a/src/x.rs", "pub(crate) const ROW_LIMIT: usize = 3;\n")]), 1);
        assert_eq!(count(&[("crates/a/src/x.rs", "pub const KEY_BYTES: usize = 32;\n")]), 1);
        assert_eq!(
            count(&[("crates/a/src/x.rs", "const MAX_A: u8 = 3;\n"), ("crates/a/src/limits.rs", "")]),
            1
        );
    }

    #[test]
    fn limits_in_their_file_and_sizes_of_formats_are_accepted() {
        assert_eq!(count(&[("crates/a/src/limits.rs", "pub const MAX_DEPTH: usize = 3;\n")]), 0);
        let sizes = ("crates/a/src/x.rs", "pub const KEY_BYTES: usize = 32;\n");
        assert_eq!(count(&[sizes, ("crates/a/src/limits.rs", "")]), 0);
        assert_eq!(count(&[("crates/a/src/x.rs", "#[cfg(test)]\nmod t { const MAX_X: u8 = 1; }\n")]), 0);
    }
}
