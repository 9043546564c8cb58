//! Nothing is left unfinished, and no lint is silenced without a reason.

use super::Finding;
use crate::rust_view::has_word;
use crate::source_tree::SourceTree;

const FOLDERS: [&str; 2] = ["crates/", "xtask/"];
const UNFINISHED_MACROS: [&str; 2] = ["todo!", "unimplemented!"];
const UNFINISHED_WORDS: [&str; 4] = ["FIXME", "XXX", "TODO", "HACK"];

/// Stubs, notes to oneself, and `allow` or `expect` without a reason.
pub fn check(tree: &SourceTree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, number, line) in tree.rust_lines(&FOLDERS) {
        for name in UNFINISHED_MACROS.iter().filter(|name| has_macro(&line.code, name)) {
            findings.push(Finding::new(
                &file.path,
                number,
                format!("{name} is a stub: write it or leave it out"),
            ));
        }
        for word in UNFINISHED_WORDS.iter().filter(|word| has_word(&line.comment, word)) {
            findings.push(Finding::new(&file.path, number, format!("{word}: do it, or write an issue")));
        }
    }
    for file in tree.files.iter().filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder))) {
        let Some(rust) = &file.rust else { continue };
        let code: Vec<&str> = rust.lines.iter().map(|line| line.code.as_str()).collect();
        findings.extend(bare_attributes(&code).into_iter().map(|(line, name)| {
            let message = format!("#[{name}(...)] has no reason: write `#[expect(lint, reason = \"...\")]`");
            Finding::new(&file.path, line, message)
        }));
    }
    findings
}

fn has_macro(code: &str, name: &str) -> bool {
    has_word(code, name.trim_end_matches('!')) && code.contains(name)
}

/// `allow` and `expect` attributes without `reason`, with the line they begin in.
fn bare_attributes(lines: &[&str]) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for name in ["allow", "expect"] {
            for open in [format!("#[{name}("), format!("#![{name}(")] {
                let Some((_, start)) = line.split_once(&open) else { continue };
                let rest = lines.get(index + 1..).unwrap_or_default().iter().copied();
                let attribute: String =
                    std::iter::once(start).chain(rest).take_while_inclusive_of(")]").collect();
                let attribute = attribute.split(")]").next().unwrap_or_default();
                if !has_word(attribute, "reason") {
                    found.push((index + 1, name));
                }
            }
        }
    }
    found
}

/// Takes lines up to and including the one that contains `end`.
trait TakeWhileInclusiveOf<'a>: Iterator<Item = &'a str> + Sized {
    fn take_while_inclusive_of(self, end: &'a str) -> impl Iterator<Item = &'a str> {
        self.scan(false, move |done, line| {
            let before = *done;
            *done |= line.contains(end);
            (!before).then_some(line)
        })
    }
}

impl<'a, I: Iterator<Item = &'a str>> TakeWhileInclusiveOf<'a> for I {}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&SourceTree::of(&[("crates/a/src/x.rs", text)])).len()
    }

    #[test]
    fn stubs_and_notes_are_found() {
        for macro_name in UNFINISHED_MACROS {
            assert_eq!(count(&format!("fn f() {{ {macro_name}() }}\n")), 1);
        }
        for word in UNFINISHED_WORDS {
            assert_eq!(count(&format!("// {word}: later\n")), 1);
        }
        assert_eq!(count("let a = \"TODO\"; // XXXXXX and my_todo!()\n"), 0);
    }

    #[test]
    fn lints_are_silenced_with_a_reason_only() {
        assert_eq!(count("#[allow(dead_code)]\nfn f() {}\n"), 1);
        assert_eq!(count("#![allow(dead_code)]\n"), 1);
        assert_eq!(count("#[expect(\n    dead_code,\n)]\nfn f() {}\nlet reason = 1;\n"), 1);
        assert_eq!(count("#[expect(dead_code, reason = \"kept for vectors\")]\nfn f() {}\n"), 0);
        assert_eq!(count("#[expect(\n    dead_code,\n    reason = \"kept\"\n)]\nfn f() {}\n"), 0);
    }
}
