//! The lines of source that a report shows beside a finding.
//!
//! A line is shown up to the first bracket only, and none is shown where a value is hidden: what a
//! source marks as secret stays out of reports, whatever stands around it.

use crate::finding::{Finding, Observation};
use crate::graph::{HIDDEN, Place};
use crate::limits::{MAX_BLOCK_LINES, MAX_SHOWN_CHARS};
use crate::waiver::asks_about_secrets;

/// What is known about the files of the inputs beside their graphs. Whoever read them gives it.
pub trait SourceFiles {
    /// The path of a file of an input, as it is found from where the check was started.
    fn path(&self, input: &str, file: &str) -> String;

    /// The text of a file of an input, if it is at hand.
    fn text(&self, input: &str, file: &str) -> Option<&str>;
}

/// No source at hand: paths stay as the graph has them, and no line is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSourceFiles;

impl SourceFiles for NoSourceFiles {
    fn path(&self, _input: &str, file: &str) -> String {
        file.to_owned()
    }

    fn text(&self, _input: &str, _file: &str) -> Option<&str> {
        None
    }
}

/// The lines of a source that belong to a finding. Of a finding about secrets it is the first one only.
pub(super) fn lines_of(text: &str, place: &Place, finding: &Finding<'_>) -> Vec<(u32, String)> {
    let observed =
        if asks_about_secrets(&finding.cell.check) { &[][..] } else { finding.observed.as_slice() };
    shown_lines(text, place, observed)
}

/// Lines of a source with their numbers: where the resource begins, and where the values stand that
/// decided.
fn shown_lines(text: &str, place: &Place, observed: &[Observation]) -> Vec<(u32, String)> {
    let Some(first) = usize::try_from(place.line).ok().and_then(|line| line.checked_sub(1)) else {
        return Vec::new();
    };
    let mut lines = text.lines().skip(first).zip(place.line..);
    let Some((head, number)) = lines.next() else { return Vec::new() };
    let is_block = head.trim_start().starts_with("resource ");
    let head_shown = if is_block { up_to_bracket(head) } else { up_to_value(head) };
    if head_shown.chars().count() < 3 {
        return Vec::new();
    }
    let mut shown = vec![(number, head_shown)];
    // Blocks of Terraform only: elsewhere an attribute of this name may be another resource's.
    if !is_block || observed.iter().any(|seen| seen.value.contains(HIDDEN)) {
        return shown;
    }
    let own: Vec<&Observation> = observed.iter().filter(|seen| seen.address.is_none()).collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let ends = |line: &str| indent(line) <= indent(head) && line.trim_start().starts_with(['}', 'r']);
    let block = lines.take(MAX_BLOCK_LINES).take_while(|(line, _)| !ends(line));
    shown.extend(block.filter_map(|(line, number)| Some((number, decisive(line, &own)?))));
    shown
}

/// The line, if it sets a value that decided. A text in quotes is shown only if the report shows it anyway.
fn decisive(line: &str, observed: &[&Observation]) -> Option<String> {
    let shown = up_to_bracket(line);
    let is_shown = |seen: &&Observation| {
        let name = seen.path.split(['.', '[']).next().filter(|name| !name.is_empty());
        let rest = name.and_then(|name| shown.trim_start().strip_prefix(name)).map(str::trim_start);
        match rest.and_then(|rest| rest.strip_prefix('=')) {
            Some(value) => !value.contains('"') || value.trim() == seen.value,
            None => rest.is_some_and(|rest| rest.starts_with('{')),
        }
    };
    observed.iter().any(is_shown).then_some(shown)
}

/// A line of YAML or JSON up to what its name stands for.
fn up_to_value(line: &str) -> String {
    let name = line.split_inclusive(':').next().unwrap_or_default();
    up_to_bracket(name)
}

/// A line without what stands behind its first bracket or in a comment, at most as long as a value.
fn up_to_bracket(line: &str) -> String {
    let end = line.find(['{', '[', '(', '#']).unwrap_or(line.len());
    let kept = line.get(..end).unwrap_or_default();
    let bracket = line.get(end..).and_then(|rest| rest.chars().next()).filter(|mark| *mark != '#');
    let mut shown: String = kept.chars().chain(bracket).take(MAX_SHOWN_CHARS).collect();
    if bracket.is_some_and(|_| line.len() > end + 1) {
        shown.push('…');
    }
    shown.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, value: &str) -> Observation {
        Observation { address: None, path: path.into(), value: value.to_owned(), origin: String::new() }
    }

    const SOURCE: &str = "# head\nresource \"aws_db_instance\" \"d\" {\n  storage_encrypted = false # why\n  \
                          tags = { password = \"p-canary\" }\n  nested {\n    a = 1\n  }\n}\nresource \"x\" \"y\" {\n  \
                          storage_encrypted = true\n}\n";

    fn lines(line: u32, observed: &[Observation]) -> Vec<(u32, String)> {
        shown_lines(SOURCE, &Place { file: "main.tf".into(), line }, observed)
    }

    #[test]
    fn the_head_and_the_values_that_decided_are_shown() {
        let shown = lines(2, &[seen("storage_encrypted", "false"), seen("tags.password", "x")]);
        assert_eq!(
            shown,
            [
                (2, "resource \"aws_db_instance\" \"d\" {".to_owned()),
                (3, "  storage_encrypted = false".to_owned()),
                (4, "  tags = {…".to_owned()),
            ]
        );
        assert_eq!(lines(9, &[seen("storage_encrypted", "true")]).len(), 2);
        assert!(lines(99, &[]).is_empty() && lines(0, &[]).is_empty());
    }

    #[test]
    fn nothing_is_shown_beside_a_hidden_value_but_the_head() {
        let shown = lines(2, &[seen("storage_encrypted", HIDDEN)]);
        assert_eq!(shown.len(), 1);
        let one_line = "db: {Type: x, MasterUserPassword: p-canary}\n";
        let place = Place { file: "t.yaml".into(), line: 1 };
        assert_eq!(shown_lines(one_line, &place, &[]), [(1, "db:".to_owned())]);
    }

    #[test]
    fn a_text_in_quotes_is_shown_only_if_the_report_shows_it_anyway() {
        let source = "resource \"x\" \"y\" {\n  password = \"p-canary\"\n  acl = \"public-read\"\n  key = var.key\n}\n";
        let place = Place { file: "main.tf".into(), line: 1 };
        let observed =
            [seen("password", "a secret"), seen("acl", "\"public-read\""), seen("key", "(unknown)")];
        let shown: Vec<u32> =
            shown_lines(source, &place, &observed).into_iter().map(|(line, _)| line).collect();
        assert_eq!(shown, [1, 3, 4]);
    }
}
