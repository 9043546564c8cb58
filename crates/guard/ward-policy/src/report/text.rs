//! The report for a person at a terminal: grouped by rule, worst first, the law once a rule.

use super::BASELINE_HAS_TO_SHRINK;
use super::data::consequences;
use super::source_files::{NoSourceFiles, SourceFiles, lines_of};
use super::terminal::{BOLD, FAINT, GREEN, LABEL_CHARS, Page, RED, Style, YELLOW};
use super::{Checked, exit_of};
use crate::evaluate::Assessment;
use crate::finding::{Finding, Observation};
use crate::graph::Role;
use crate::law::{Citation, Cited, ParagraphHash, Relation};
use crate::rules::{Cell, RuleSet, Severity};
use crate::shown_text::one_line;
use crate::verdict::{Exit, Verdict};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The report of these inputs.
#[must_use]
pub fn text(inputs: &[Checked<'_>], rules: &RuleSet, allow_empty: bool, style: Style) -> String {
    text_with_source(inputs, rules, allow_empty, style, &NoSourceFiles)
}

/// The report of these inputs, with the lines of source that decided.
#[must_use]
pub fn text_with_source(
    inputs: &[Checked<'_>],
    rules: &RuleSet,
    allow_empty: bool,
    style: Style,
    files: &dyn SourceFiles,
) -> String {
    let mut page = Page::new(style);
    for input in inputs {
        let shown = Shown { name: input.name, rules, files };
        match &input.result {
            Ok(assessment) => page.assessment(&shown, assessment, allow_empty),
            Err(error) => {
                page.line(&format!("{} {}", page.paint(RED, "NOT READ"), page.paint(BOLD, input.name)));
                page.labelled("why", &error.to_string());
                page.line("");
            }
        }
    }
    page.verdict(inputs, allow_empty);
    page.out
}

/// What a part of the page is made from, beside its findings.
struct Shown<'s> {
    /// The input.
    name: &'s str,
    rules: &'s RuleSet,
    files: &'s dyn SourceFiles,
}

impl Page {
    fn assessment(&mut self, shown: &Shown<'_>, assessment: &Assessment<'_>, allow_empty: bool) {
        let head = format!(
            "{}  {}, {} resources, {} judged",
            self.paint(BOLD, shown.name),
            assessment.graph.format().name(),
            assessment.graph.len(),
            assessment.recognised
        );
        self.line(&head);
        for note in assessment.graph.notes() {
            let mark = if note.blocks { self.paint(YELLOW, "blocks") } else { "note".to_owned() };
            let place = note.place.as_ref();
            let place = place.map(|place| format!("  {}:{}", one_line(&place.file), place.line));
            self.line(&format!("  {mark}: {}{}", one_line(&note.text), place.unwrap_or_default()));
        }
        if assessment.recognised == 0 && !allow_empty {
            let blocks = self.paint(YELLOW, "blocks");
            self.line(&format!(
                "  {blocks}: no rule knows any of its resources, so nothing was proven (--allow-empty)"
            ));
        }
        if assessment.baseline_has_to_shrink {
            let blocks = self.paint(YELLOW, "blocks");
            self.line(&format!("  {blocks}: {BASELINE_HAS_TO_SHRINK}"));
        }
        for group in grouped(&assessment.findings) {
            self.group(&group, shown);
        }
        self.waived(&assessment.findings);
        if !assessment.not_covered.is_empty() {
            let types: Vec<String> = assessment
                .not_covered
                .iter()
                .map(|(kind, count)| format!("{} ({count})", one_line(kind)))
                .collect();
            self.line("");
            self.line("  No rule knows these types:");
            self.labelled("", &types.join(", "));
        }
        self.line("");
    }

    fn waived(&mut self, findings: &[Finding<'_>]) {
        let waived: Vec<&Finding<'_>> =
            findings.iter().filter(|finding| finding.verdict == Verdict::Waived).collect();
        if waived.is_empty() {
            return;
        }
        self.line("");
        self.line("  Waived, and not met:");
        for finding in waived {
            let rule = finding.rule;
            self.line(&format!(
                "    {} {} {}",
                self.paint(YELLOW, "waived"),
                rule.id,
                one_line(&finding.resource.address)
            ));
            self.labelled("", finding.waiver.as_deref().unwrap_or_default());
        }
    }

    fn group(&mut self, group: &[&Finding<'_>], shown: &Shown<'_>) {
        let Some(first) = group.first() else { return };
        let rules = shown.rules;
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
            self.finding(finding, is_first_of_cell(group, place), shown);
        }
        let faint = format!("rule {} version {}", rule.id, rule.hash);
        let faint = self.paint(FAINT, &faint);
        self.line(&format!("    {faint}"));
    }

    fn citations(&mut self, citations: &[(&Cited, &Citation)]) {
        for (place, (cited, citation)) in citations.iter().enumerate() {
            let label = label_of(place, cited.relation);
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

    fn finding(&mut self, finding: &Finding<'_>, is_new: bool, shown: &Shown<'_>) {
        let (mark, colour) = match finding.verdict {
            Verdict::Fail => ("✗ fail", RED),
            Verdict::Error => ("! error", RED),
            Verdict::Indeterminate => ("? indeterminate", YELLOW),
            Verdict::Pass | Verdict::NotApplicable | Verdict::Waived => ("✓", GREEN),
        };
        let place = finding.resource.place.as_ref();
        let path = place.map(|place| {
            format!("  {}:{}", one_line(&shown.files.path(shown.name, &place.file)), place.line)
        });
        let path = path.unwrap_or_default();
        let drift =
            if finding.resource.role == Role::Drifted { "  as found outside of the code" } else { "" };
        self.out.push_str("    ");
        self.push_painted(colour, mark);
        self.out.push(' ');
        self.push_painted(BOLD, &finding.resource.address);
        self.out.extend([&*path, drift]);
        self.end_line();
        self.source(finding, shown);
        self.observed(&finding.observed);
        if let Some(waiver) = &finding.waiver {
            self.labelled("  no waiver", waiver);
        }
        if is_new {
            self.labelled("  expected", &finding.cell.expected);
            if let Some(fix) = &finding.cell.fix {
                for (place, line) in fix.lines().enumerate() {
                    let label = if place == 0 { "  fix" } else { "" };
                    let painted = self.paint(FAINT, &format!("{label:<LABEL_CHARS$}"));
                    let line = self.paint(GREEN, line);
                    self.line(&format!("    {painted}{line}"));
                }
            }
        }
    }

    fn observed(&mut self, observed: &[Observation]) {
        // Most findings have one, and one text takes the line of each.
        if let [only] = observed {
            let mut line = std::mem::take(&mut self.held);
            line.extend(only.line_parts());
            self.labelled("  observed", &line);
            line.clear();
            self.held = line;
            return;
        }
        let lines: Vec<String> = observed.iter().map(Observation::line).collect();
        for (place, line) in lines.iter().enumerate() {
            // Two parts of a condition may look at one value.
            if !lines.iter().take(place).any(|told| told == line) {
                self.labelled("  observed", line);
            }
        }
    }

    fn source(&mut self, finding: &Finding<'_>, shown: &Shown<'_>) {
        let Some(place) = &finding.resource.place else { return };
        let Some(text) = shown.files.text(shown.name, &place.file) else { return };
        for (number, line) in lines_of(text, place, finding) {
            let number = self.paint(FAINT, &format!("{number:>6} │"));
            self.line(&format!("    {number} {}", one_line(&line)));
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

/// What a refusal does to a paragraph: the first one says it, the others stand beside it.
pub(super) const fn label_of(place: usize, relation: Relation) -> &'static str {
    if place == 0 { relation.without_it() } else { "also" }
}

/// Whether a finding of a group is the first of its part of the rule: what is expected is said once.
pub(super) fn is_first_of_cell(group: &[&Finding<'_>], place: usize) -> bool {
    let before = place.checked_sub(1).and_then(|before| group.get(before));
    match (before, group.get(place)) {
        (Some(before), Some(finding)) => !std::ptr::eq(before.cell, finding.cell),
        _ => true,
    }
}

/// Findings that block, those of one rule together, worst severity first, then by rule, then by cell.
pub(super) fn grouped<'f, 'a>(findings: &'f [Finding<'a>]) -> Vec<Vec<&'f Finding<'a>>> {
    let mut sorted: Vec<&Finding<'a>> = findings.iter().filter(|finding| finding.verdict.blocks()).collect();
    // Cells are few and findings many: cells are put in order first.
    let mut ranks: HashMap<*const Cell, usize> = HashMap::new();
    let mut firsts: Vec<&Finding<'a>> = Vec::new();
    for finding in &sorted {
        ranks.entry(finding.cell).or_insert_with(|| {
            firsts.push(finding);
            0
        });
    }
    firsts.sort_by_cached_key(|Finding { rule, cell, .. }| {
        let place = rule.cells.iter().position(|known| std::ptr::eq(known, *cell));
        (Reverse(rule.severity), &rule.id, &cell.aspect, place)
    });
    ranks.extend(firsts.iter().zip(0..).map(|(first, rank)| (std::ptr::from_ref(first.cell), rank)));
    sorted.sort_by_cached_key(|finding| {
        (ranks.get(&std::ptr::from_ref(finding.cell)).copied(), Reverse(finding.verdict))
    });
    let groups = sorted.chunk_by(|one, other| {
        one.rule.id == other.rule.id
            && one.cell.aspect == other.cell.aspect
            && one.cell.requirements == other.cell.requirements
    });
    groups.map(<[&Finding<'a>]>::to_vec).collect()
}
