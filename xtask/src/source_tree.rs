//! The files of the project as the checks see them: a list of paths and texts in memory.

use crate::rust_view::{RustLine, RustView};

/// One file.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path from the project's folder, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
    /// The file taken apart, if it is Rust.
    pub rust: Option<RustView>,
    /// Compiled for tests, benches or examples only.
    pub is_test: bool,
}

impl SourceFile {
    /// Whether the line with this index, from 0, is compiled for tests only.
    pub fn is_test_line(&self, index: usize) -> bool {
        let line = self.rust.as_ref().and_then(|rust| rust.lines.get(index));
        line.is_some_and(|line| self.is_test || line.is_test)
    }
}

/// All files.
#[derive(Debug, Default, Clone)]
pub struct SourceTree {
    /// The files, sorted by path.
    pub files: Vec<SourceFile>,
}

impl SourceTree {
    /// Builds the tree from paths and texts.
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<SourceFile> = files
            .into_iter()
            .map(|(path, text)| {
                let rust = path.ends_with(".rs").then(|| RustView::new(&text));
                let is_test = ["/tests/", "/benches/", "/examples/"].iter().any(|part| path.contains(part))
                    || path.ends_with("/tests.rs");
                SourceFile { path, text, rust, is_test }
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let test_files: Vec<String> = files.iter().flat_map(test_module_paths).collect();
        for file in &mut files {
            file.is_test |= test_files.contains(&file.path);
        }
        Self { files }
    }

    /// Builds a tree for a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }

    /// The file at this path.
    pub fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Lines of Rust files below any of these folders, with their numbers from 1; tests as well.
    pub fn rust_lines<'a>(
        &'a self,
        folders: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a SourceFile, usize, &'a RustLine)> {
        self.files
            .iter()
            .filter(move |file| folders.iter().any(|folder| file.path.starts_with(folder)))
            .filter_map(|file| file.rust.as_ref().map(|rust| (file, rust)))
            .flat_map(|(file, rust)| {
                rust.lines.iter().enumerate().map(move |(index, line)| (file, index + 1, line))
            })
    }

    /// The same without test code.
    pub fn shipped_lines<'a>(
        &'a self,
        folders: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a SourceFile, usize, &'a RustLine)> {
        self.rust_lines(folders).filter(|(file, _, line)| !file.is_test && !line.is_test)
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder that a path lies in, with a final `/`; empty at the top.
pub fn folder(path: &str) -> &str {
    path.strip_suffix(file_name(path)).unwrap_or("")
}

fn test_module_paths(file: &SourceFile) -> Vec<String> {
    let Some(rust) = &file.rust else { return Vec::new() };
    let stem = file_name(&file.path).trim_end_matches(".rs");
    let base = match stem {
        "lib" | "main" | "mod" => folder(&file.path).to_owned(),
        _ => format!("{}{stem}/", folder(&file.path)),
    };
    rust.test_modules()
        .flat_map(|name| [format!("{base}{name}.rs"), format!("{base}{name}/mod.rs")])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_for_tests_in_its_own_file_is_test_code() {
        let tree = SourceTree::of(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod probe;\n"),
            ("crates/a/src/probe.rs", "fn f() {}\n"),
            ("crates/a/src/real.rs", "fn f() {}\n"),
            ("crates/a/tests/all.rs", "fn f() {}\n"),
        ]);
        let tests: Vec<&str> =
            tree.files.iter().filter(|file| file.is_test).map(|file| file.path.as_str()).collect();
        assert_eq!(tests, ["crates/a/src/probe.rs", "crates/a/tests/all.rs"]);
    }

    #[test]
    fn paths_have_a_folder_and_a_name() {
        assert_eq!((folder("a/b/c.rs"), file_name("a/b/c.rs")), ("a/b/", "c.rs"));
        assert_eq!((folder("c.rs"), file_name("c.rs")), ("", "c.rs"));
    }
}
