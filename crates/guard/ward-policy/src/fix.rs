//! Mending a violation in the text of a Terraform source: one attribute of one block, set to a literal.
//!
//! Nothing here says that a fix is right. Whoever asks for one checks the mended source again, and keeps it
//! only if the violation is gone and nothing new is found.

use crate::finding::Finding;
use crate::graph::Role;
use crate::limits::MAX_BLOCK_LINES;
use crate::shown_text::diff_path;
use crate::terraform_source::is_fetched;
use crate::verdict::Verdict;
use std::fmt::Write as _;

/// Lines around a change that a diff shows.
const CONTEXT_LINES: usize = 3;

/// An attribute that has to be set, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFix {
    /// The file.
    pub file: Box<str>,
    /// The line on which the block begins, from 1.
    pub line: u32,
    /// The attribute.
    pub name: Box<str>,
    /// The literal it is set to.
    pub value: Box<str>,
}

/// How a violation is mended in the text, if its rule says so in one line with a literal.
#[must_use]
pub fn text_fix_of(finding: &Finding<'_>) -> Option<TextFix> {
    let place = finding.resource.place.as_ref()?;
    // What was fetched belongs to somebody else.
    let is_fetched = is_fetched(&place.file);
    let is_source = finding.resource.role == Role::Managed && place.file.ends_with(".tf") && !is_fetched;
    if finding.verdict != Verdict::Fail || !is_source {
        return None;
    }
    let fix = finding.cell.fix.as_deref()?.trim();
    let (name, value) = fix.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_one_line = !fix.contains('\n') && is_name(name) && is_literal(value);
    is_one_line.then(|| TextFix {
        file: place.file.clone(),
        line: place.line,
        name: name.into(),
        value: value.into(),
    })
}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_literal(text: &str) -> bool {
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    matches!(text, "true" | "false")
        || (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        || inner.is_some_and(|inner| !inner.contains(['"', '\\', '$', '%']))
}

/// A line of a file that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MendedLine {
    /// As it was; `None` if it is new.
    before: Option<String>,
    /// As it is.
    now: String,
}

/// A file with what was mended in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MendedFile {
    lines: Vec<MendedLine>,
}

impl MendedFile {
    /// A file in which nothing was mended yet.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let line = |line: &str| MendedLine { before: Some(line.to_owned()), now: line.to_owned() };
        Self { lines: text.split_inclusive('\n').map(line).collect() }
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.now.as_str()).collect()
    }

    /// The file with one more attribute set. `None` if the block does not look as it has to.
    #[must_use]
    pub fn mended(&self, fix: &TextFix) -> Option<Self> {
        let head_at = usize::try_from(fix.line).ok()?.checked_sub(1)?;
        let head = &self.lines.get(head_at)?.now;
        let is_head = head.trim_start().starts_with("resource ") && head.trim_end().ends_with('{');
        if !is_head {
            return None;
        }
        let mut mended = self.clone();
        match self.attribute_of(head_at, &fix.name) {
            Some(at) => {
                let line = mended.lines.get_mut(at)?;
                line.now = with_value(&line.now, &fix.value)?;
            }
            None => {
                let indent: String = head.chars().take_while(|letter| letter.is_whitespace()).collect();
                let end = if head.ends_with("\r\n") { "\r\n" } else { "\n" };
                let now = format!("{indent}  {} = {}{end}", fix.name, fix.value);
                mended.lines.insert(head_at + 1, MendedLine { before: None, now });
            }
        }
        Some(mended)
    }

    /// The line of the block itself, not of one within it, that sets an attribute.
    fn attribute_of(&self, head_at: usize, name: &str) -> Option<usize> {
        let mut depth = 1_i64;
        for (at, line) in self.lines.iter().enumerate().skip(head_at + 1).take(MAX_BLOCK_LINES) {
            let rest = line.now.trim_start().strip_prefix(name).map(str::trim_start);
            if depth == 1 && rest.is_some_and(|rest| rest.starts_with('=') && !rest.starts_with("==")) {
                return Some(at);
            }
            depth += depth_of(&line.now);
            if depth <= 0 {
                return None;
            }
        }
        None
    }

    /// A unified diff; empty if nothing was mended.
    #[must_use]
    pub fn diff(&self, path: &str) -> String {
        let is_changed = |line: &MendedLine| line.before.as_deref() != Some(line.now.as_str());
        let mut kept = vec![false; self.lines.len()];
        for (at, _) in self.lines.iter().enumerate().filter(|(_, line)| is_changed(line)) {
            let around = at.saturating_sub(CONTEXT_LINES)..(at + CONTEXT_LINES + 1).min(kept.len());
            kept.get_mut(around).into_iter().flatten().for_each(|one| *one = true);
        }
        let mut out = String::new();
        let (mut old, mut new) = (1, 1);
        let numbered = self.lines.iter().zip(&kept).map(|(line, kept)| {
            let at = (old, new);
            old += usize::from(line.before.is_some());
            new += 1;
            (line, *kept, at)
        });
        let numbered: Vec<_> = numbered.collect();
        for hunk in numbered.split(|(_, kept, _)| !kept).filter(|hunk| !hunk.is_empty()) {
            write_hunk(hunk, &mut out);
        }
        let head = |side: &str| diff_path(&format!("{side}/{path}")).into_owned();
        if out.is_empty() { out } else { format!("--- {}\n+++ {}\n{out}", head("a"), head("b")) }
    }
}

fn write_hunk(hunk: &[(&MendedLine, bool, (usize, usize))], out: &mut String) {
    let Some((_, _, (old, new))) = hunk.first() else { return };
    let old_lines = hunk.iter().filter(|(line, _, _)| line.before.is_some()).count();
    // Writing to a text does not fail.
    let _ = writeln!(out, "@@ -{old},{old_lines} +{new},{} @@", hunk.len());
    let mut put = |mark: char, line: &str| {
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    };
    for (line, _, _) in hunk {
        match &line.before {
            Some(before) if *before == line.now => put(' ', before),
            Some(before) => {
                put('-', before);
                put('+', &line.now);
            }
            None => put('+', &line.now),
        }
    }
}

/// How much deeper the next line stands. Brackets in texts and comments do not count.
fn depth_of(line: &str) -> i64 {
    let (mut depth, mut is_text, mut is_escaped) = (0, false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            _ if is_text => {}
            '#' => break,
            '/' if line.get(at..).is_some_and(|rest| rest.starts_with("//")) => break,
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// A line that sets a literal, with another one. What stands behind it stays.
fn with_value(line: &str, value: &str) -> Option<String> {
    let (before, rest) = line.split_once('=')?;
    let written = rest.trim_start();
    let space = rest.get(..rest.len() - written.len())?;
    let end = match written.strip_prefix('"') {
        Some(inner) => inner.find('"')? + 2,
        None => written.find(|letter: char| letter.is_whitespace() || letter == '#').unwrap_or(written.len()),
    };
    let (literal, behind) = written.split_at_checked(end)?;
    let is_end = behind.trim().is_empty() || behind.trim_start().starts_with(['#', '/']);
    (is_literal(literal) && is_end).then(|| format!("{before}={space}{value}{behind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "resource \"a\" \"b\" {\n  encrypted = false # why\n  inner {\n    other = false\n  }\n}\n";

    fn fix(name: &str, value: &str) -> TextFix {
        TextFix { file: "main.tf".into(), line: 1, name: name.into(), value: value.into() }
    }

    #[test]
    fn an_attribute_is_changed_or_put_in() {
        let file = MendedFile::new(SOURCE);
        let changed = file.mended(&fix("encrypted", "true")).unwrap();
        assert_eq!(changed.text(), SOURCE.replace("encrypted = false", "encrypted = true"));
        let added = changed.mended(&fix("other", "7")).unwrap();
        assert!(added.text().starts_with("resource \"a\" \"b\" {\n  other = 7\n  encrypted = true # why\n"));
        assert_eq!(
            added.diff("main.tf"),
            "--- a/main.tf\n+++ b/main.tf\n@@ -1,5 +1,6 @@\n resource \"a\" \"b\" {\n+  other = 7\n-  encrypted = false # \
             why\n+  encrypted = true # why\n   inner {\n     other = false\n   }\n"
        );
        assert_eq!(file.diff("main.tf"), "");
    }

    #[test]
    fn what_is_no_literal_is_not_touched() {
        for source in [
            "resource \"a\" \"b\" {\n  encrypted = var.on\n}\n",
            "resource \"a\" \"b\" {\n  encrypted = \"${var.on}\"\n}\n",
            "resource \"a\" \"b\" {\n  encrypted = false || true\n}\n",
            "resource \"a\" \"b\" { encrypted = false }\n",
            "module \"b\" {\n}\n",
            "",
        ] {
            assert_eq!(MendedFile::new(source).mended(&fix("encrypted", "true")), None, "{source}");
        }
    }
}
