//! The report for a person at a terminal: grouped by rule, worst first, the law once a rule.

use super::data::consequences;
use super::{Checked, exit_of};
use crate::evaluate::Assessment;
use crate::finding::{Finding, Observation};
use crate::graph::Role;
use crate::law::{Citation, Cited, ParagraphHash, Relation};
use crate::rules::{RuleSet, Severity};
use crate::verdict::{Exit, Verdict};
use std::borrow::Cow;
use std::fmt::Write as _;

/// How a text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether it has colours.
    pub has_colour: bool,
    /// Characters in a line, about.
    pub width: usize,
}

impl Style {
    /// Without colours, for a file or another program.
    #[must_use]
    pub const fn plain() -> Self {
        Self { has_colour: false, width: 100 }
    }

    /// With colours, for a terminal.
    #[must_use]
    pub const fn coloured(width: usize) -> Self {
        Self { has_colour: true, width }
    }
}

const RED: &str = "31";
const YELLOW: &str = "33";
const GREEN: &str = "32";
const BOLD: &str = "1";
const FAINT: &str = "2";
/// Width of the words before the colon.
const LABEL_CHARS: usize = 15;
/// Least width of a text beside its label.
const LEAST_CHARS: usize = 30;

/// The report of these inputs.
#[must_use]
pub fn text(inputs: &[Checked<'_>], rules: &RuleSet, allow_empty: bool, style: Style) -> String {
    let mut page = Page { out: String::new(), style };
    for input in inputs {
        match &input.result {
            Ok(assessment) => page.assessment(input.name, assessment, rules, allow_empty),
            Err(error) => {
                page.line(&format!(
                    "{} {}",
                    page.paint(RED, "NOT READ"),
                    page.paint(BOLD, &clean(input.name))
                ));
                page.labelled("why", &error.to_string());
                page.line("");
            }
        }
    }
    page.verdict(inputs, allow_empty);
    page.out
}

/// Text from a source file may hold anything; it must not steer a terminal.
fn clean(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect())
}

struct Page {
    out: String,
    style: Style,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.style.has_colour { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A label and a text that wraps beside it.
    fn labelled(&mut self, label: &str, text: &str) {
        let room = self.style.width.saturating_sub(LABEL_CHARS + 4).max(LEAST_CHARS);
        let label = format!("{label:<LABEL_CHARS$}");
        let painted = self.paint(FAINT, &label);
        for (place, part) in wrap(&clean(text), room).into_iter().enumerate() {
            let before = if place == 0 { painted.clone() } else { " ".repeat(LABEL_CHARS) };
            self.line(&format!("    {before}{part}"));
        }
    }

    fn assessment(&mut self, name: &str, assessment: &Assessment<'_>, rules: &RuleSet, allow_empty: bool) {
        let head = format!(
            "{}  {}, {} resources, {} judged",
            self.paint(BOLD, &clean(name)),
            assessment.graph.format().name(),
            assessment.graph.len(),
            assessment.recognised
        );
        self.line(&head);
        for note in assessment.graph.notes() {
            let mark = if note.blocks { self.paint(YELLOW, "blocks") } else { "note".to_owned() };
            let place = note.place.as_ref();
            let place = place.map(|place| format!("  {}:{}", clean(&place.file), place.line));
            self.line(&format!("  {mark}: {}{}", clean(&note.text), place.unwrap_or_default()));
        }
        if assessment.recognised == 0 && !allow_empty {
            let blocks = self.paint(YELLOW, "blocks");
            self.line(&format!(
                "  {blocks}: no rule knows any of its resources, so nothing was proven (--allow-empty)"
            ));
        }
        for group in grouped(&assessment.findings) {
            self.group(&group, rules);
        }
        if !assessment.not_covered.is_empty() {
            let types: Vec<String> = assessment
                .not_covered
                .iter()
                .map(|(kind, count)| format!("{} ({count})", clean(kind)))
                .collect();
            self.line("");
            self.line("  No rule knows these types:");
            self.labelled("", &types.join(", "));
        }
        self.line("");
    }

    fn group(&mut self, group: &[&Finding<'_>], rules: &RuleSet) {
        let Some(first) = group.first() else { return };
        let rule = first.rule;
        let colour = if rule.severity >= Severity::High { RED } else { YELLOW };
        let mark = self.paint(colour, rule.severity.word());
        self.line("");
        let aspect = first.cell.aspect.as_deref().map(|aspect| format!(" ({aspect})")).unwrap_or_default();
        let title = self.paint(BOLD, &format!("{}{aspect}", rule.title));
        self.line(&format!("  {} {mark} {title}", self.paint(BOLD, rule.id.as_str())));
        self.citations(&rules.citations_of(rule, first.cell));
        for consequence in consequences(first.rule, first.cell, rules) {
            self.labelled("consequence", consequence);
        }
        if let Some(note) = &rule.note {
            self.labelled("note", note);
        }
        for (place, finding) in group.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|before| group.get(before));
            let is_new = before.is_none_or(|before| !std::ptr::eq(before.cell, finding.cell));
            self.finding(finding, is_new);
        }
        let faint = format!("rule {} version {}", rule.id, rule.hash);
        let faint = self.paint(FAINT, &faint);
        self.line(&format!("    {faint}"));
    }

    fn citations(&mut self, citations: &[(&Cited, &Citation)]) {
        for (place, (cited, citation)) in citations.iter().enumerate() {
            let label = match (place, cited.relation) {
                (0, Relation::Implements) => "would violate",
                (0, _) => "works against",
                _ => "also",
            };
            let checked = match &citation.paragraph {
                ParagraphHash::Sha256(_) => "",
                ParagraphHash::None(_) => "; paragraph not checked",
            };
            let head =
                format!("{} {} ({}{checked})", citation.cite, citation.title, citation.strength.word());
            let text = if place == 0 { format!("{head}: {}", citation.summary) } else { head };
            self.labelled(label, &text);
        }
    }

    fn finding(&mut self, finding: &Finding<'_>, is_new: bool) {
        let (mark, colour) = match finding.verdict {
            Verdict::Fail => ("✗ fail", RED),
            Verdict::Error => ("! error", RED),
            Verdict::Indeterminate => ("? indeterminate", YELLOW),
            Verdict::Pass | Verdict::NotApplicable | Verdict::Waived => ("✓", GREEN),
        };
        let place = finding.resource.place.as_ref();
        let place = place.map(|place| format!("  {}:{}", clean(&place.file), place.line)).unwrap_or_default();
        let drift =
            if finding.resource.role == Role::Drifted { "  as found outside of the code" } else { "" };
        let mark = self.paint(colour, mark);
        let address = self.paint(BOLD, &clean(&finding.resource.address));
        self.line(&format!("    {mark} {address}{place}{drift}"));
        let mut told: Vec<String> = Vec::new();
        for line in finding.observed.iter().map(Observation::line) {
            // Two parts of a condition may look at one value.
            if !told.contains(&line) {
                self.labelled("  observed", &line);
                told.push(line);
            }
        }
        if is_new {
            self.labelled("  expected", &finding.cell.expected);
            if let Some(fix) = &finding.cell.fix {
                for (place, line) in fix.lines().enumerate() {
                    let label = if place == 0 { "  fix" } else { "" };
                    let painted = self.paint(FAINT, &format!("{label:<LABEL_CHARS$}"));
                    let line = self.paint(GREEN, &clean(line));
                    self.line(&format!("    {painted}{line}"));
                }
            }
        }
    }

    fn verdict(&mut self, inputs: &[Checked<'_>], allow_empty: bool) {
        let count = |verdict: Verdict| -> usize {
            inputs.iter().filter_map(|input| input.result.as_ref().ok()).map(|one| one.count(verdict)).sum()
        };
        let counts: Vec<String> =
            Verdict::ALL.iter().map(|verdict| format!("{} {verdict}", count(*verdict))).collect();
        let exit = exit_of(inputs, allow_empty);
        let (word, colour) = match exit {
            Exit::Pass => ("PASS", GREEN),
            Exit::Violation => ("REFUSED: rules are not met", RED),
            Exit::Indeterminate => ("REFUSED: not proven", YELLOW),
            Exit::NotRead => ("REFUSED: an input was not read", RED),
        };
        let word = self.paint(colour, word);
        self.line(&format!("{word}  ({})", counts.join(", ")));
    }
}

/// Findings of one rule together, worst severity first, then by rule, then by cell.
fn grouped<'f, 'a>(findings: &'f [Finding<'a>]) -> Vec<Vec<&'f Finding<'a>>> {
    let cell_place =
        |finding: &Finding<'_>| finding.rule.cells.iter().position(|cell| std::ptr::eq(cell, finding.cell));
    let mut sorted: Vec<&Finding<'a>> = findings.iter().collect();
    sorted.sort_by(|one, other| {
        let severity = other.rule.severity.cmp(&one.rule.severity);
        severity
            .then_with(|| one.rule.id.cmp(&other.rule.id))
            .then_with(|| one.cell.aspect.cmp(&other.cell.aspect))
            .then_with(|| cell_place(one).cmp(&cell_place(other)))
            .then_with(|| other.verdict.cmp(&one.verdict))
    });
    let groups = sorted.chunk_by(|one, other| {
        one.rule.id == other.rule.id
            && one.cell.aspect == other.cell.aspect
            && one.cell.requirements == other.cell.requirements
    });
    groups.map(<[&Finding<'a>]>::to_vec).collect()
}

/// Breaks a text at spaces into lines of at most so many characters, if its words allow it.
fn wrap(text: &str, chars: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split_whitespace() {
        let word_chars = word.chars().count();
        if width > 0 && width + 1 + word_chars > chars {
            lines.push(String::new());
            width = 0;
        }
        if let Some(line) = lines.last_mut() {
            // Writing to a text does not fail.
            let _ = write!(line, "{}{word}", if width > 0 { " " } else { "" });
        }
        width += word_chars + usize::from(width > 0);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("wonderful", 4), ["wonderful"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn what_steers_a_terminal_is_not_printed() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
        assert_eq!(clean("größe 你好"), "größe 你好");
    }
}
