//! The project's files do not name one machine's folders or a package registry's hosts.

use super::Finding;
use crate::source_tree::SourceTree;

/// Written in parts, so that this file does not contain what it looks for.
const FOLDERS: [&str; 3] = [concat!("/", "work"), concat!("/", "farm"), concat!("/", "root")];
const HOSTS: [&str; 7] = [
    concat!("crates", ".io"),
    concat!("registry.", "npmjs.org"),
    concat!("pypi", ".org"),
    concat!("files.python", "hosted.org"),
    concat!("proxy.", "golang.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("deb.", "debian.org"),
];
/// Lock files name where a package comes from; that is what they are for.
const LOCK_FILES: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// Machine paths and registry hosts, in any file.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let is_lock_file = LOCK_FILES.iter().any(|name| file.path.ends_with(name));
        for (index, line) in file.text.lines().enumerate() {
            if let Some(folder) = FOLDERS.iter().find(|folder| names_folder(line, folder)) {
                let message =
                    format!("{folder} is a folder of one machine: use a path relative to the project");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
            if let Some(host) = HOSTS.iter().find(|host| !is_lock_file && names_host(line, host)) {
                let message =
                    format!("{host} is a package registry: which one is used is the machine's setting");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

/// An absolute path: nothing that belongs to a longer path before it, the name's end after it.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + folder.len()..).and_then(|text| text.chars().next());
        let in_path =
            |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '}' | ')' | '>' | '*');
        let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '{');
        !before.is_some_and(in_path) && !after.is_some_and(in_name)
    })
}

/// The host by itself: the index's address, which configuration needs, continues with `-`.
fn names_host(line: &str, host: &str) -> bool {
    line.match_indices(host).any(|(at, _)| {
        let after = line.get(at + host.len()..).and_then(|text| text.chars().next());
        !after.is_some_and(|c| c.is_alphanumeric() || c == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&SourceTree::of(&[(path, text)])).len()
    }

    #[test]
    fn machine_paths_are_found() {
        for folder in FOLDERS {
            assert_eq!(count("README.md", &format!("cd {folder}/main\n")), 1, "{folder}");
            assert_eq!(count("a.rs", &format!("let p = \"{folder}\";\n")), 1, "{folder}");
            assert_eq!(
                count("a.md", &format!("frame{folder}, a{folder}/x, {folder}list, {folder}-flow\n")),
                0
            );
        }
    }

    #[test]
    fn registry_hosts_are_found_outside_lock_files() {
        for host in HOSTS {
            let line = format!("see https://{host}/x\n");
            assert_eq!(count("docs/a.md", &line), 1, "{host}");
            assert_eq!(count("Cargo.lock", &line), 0, "{host}");
        }
        let index = format!("allow = [\"https://github.com/rust-lang/{}-index\"]\n", HOSTS[0]);
        assert_eq!(count("deny.toml", &index), 0);
    }
}
