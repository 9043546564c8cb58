//! The page of a rule and the table of rules and requirements, in Markdown, for `docs/policy`.

use super::data::consequences;
use crate::law::{Citation, Cited, ParagraphHash};
use crate::rules::{Cell, Rule, RuleSet};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The page of one rule: what it asks for, of which resources, by which law, and how to meet it.
#[must_use]
pub fn rule_page(rules: &RuleSet, rule: &Rule) -> String {
    let mut page = Page::default();
    page.line(&format!("# {}: {}", rule.id, rule.title));
    page.line("");
    page.line(&format!("Severity: {}. Area: {}.", rule.severity.word(), rule.area));
    if let Some(note) = &rule.note {
        page.paragraph(note);
    }
    for (aspect, cells) in parts(rule) {
        page.part(rules, rule, aspect, &cells);
    }
    if !rule.not_covered.is_empty() {
        page.heading("Not covered");
        for one in &rule.not_covered {
            page.line(&format!("- {}: {}", one.place, one.because));
        }
    }
    page.text
}

/// Every rule with the requirements it stands for, as a table.
#[must_use]
pub fn mapping_page(rules: &RuleSet) -> String {
    let mut page = Page::default();
    let names: BTreeSet<&str> = rules.rules().iter().flat_map(all_requirements).collect();
    page.line("# Rules and requirements");
    page.paragraph(
        "Each rule supports the requirements that are marked; a requirement stands for the paragraphs of \
         law on the page of the rule. A mark is a judgement about a safeguard, never a statement that a \
         law is complied with.",
    );
    page.line("");
    page.line(&format!("| rule | asks for | {} |", names.iter().copied().collect::<Vec<_>>().join(" | ")));
    page.line(&format!("|---|---|{}", "---|".repeat(names.len())));
    for rule in rules.rules() {
        let own: BTreeSet<&str> = all_requirements(rule).collect();
        let marks: Vec<&str> = names.iter().map(|name| if own.contains(name) { "x" } else { "" }).collect();
        page.line(&format!(
            "| [{0}](rules/{0}.md) | {1} | {2} |",
            rule.id,
            cell_text(&rule.title),
            marks.join(" | ")
        ));
    }
    page.text
}

/// The requirements of a rule and of its parts.
fn all_requirements(rule: &Rule) -> impl Iterator<Item = &str> {
    let of_cells = rule.cells.iter().flat_map(|cell| &cell.requirements);
    rule.requirements.iter().chain(of_cells).map(|name| &**name)
}

/// Which part of a rule a cell belongs to: its aspect, and the requirements it stands for.
type Part<'r> = (Option<&'r str>, &'r [Box<str>]);

/// The cells of each part, in the order of the rule.
pub(super) fn parts(rule: &Rule) -> Vec<(Option<&str>, Vec<&Cell>)> {
    let mut parts: Vec<(Part<'_>, Vec<&Cell>)> = Vec::new();
    for cell in &rule.cells {
        let part = (cell.aspect.as_deref(), &*cell.requirements);
        match parts.iter_mut().find(|(known, _)| *known == part) {
            Some((_, cells)) => cells.push(cell),
            None => parts.push((part, vec![cell])),
        }
    }
    parts.into_iter().map(|((aspect, _), cells)| (aspect, cells)).collect()
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn paragraph(&mut self, text: &str) {
        self.line("");
        self.line(text);
    }

    fn heading(&mut self, text: &str) {
        self.line("");
        self.line(&format!("## {text}"));
        self.line("");
    }

    fn part(&mut self, rules: &RuleSet, rule: &Rule, aspect: Option<&str>, cells: &[&Cell]) {
        let Some(first) = cells.first() else { return };
        self.heading(
            &aspect.map_or_else(
                || "What is expected".to_owned(),
                |aspect| format!("What is expected: {aspect}"),
            ),
        );
        for cell in cells {
            let types: Vec<String> = cell.types.iter().map(|kind| format!("`{kind}`")).collect();
            self.line(&format!("- {}: {}", types.join(", "), cell.expected));
            if let Some(fix) = &cell.fix {
                self.line("");
                self.line("  ```");
                for line in fix.lines() {
                    self.line(&format!("  {line}"));
                }
                self.line("  ```");
                self.line("");
            }
        }
        if self.text.ends_with("\n\n") {
            self.text.pop();
        }
        self.paragraph(&format!("Otherwise: {}", consequences(rule, first, rules).join(" ")));
        self.line("");
        self.line("| paragraph | strength | relation | why | what it asks for, in our words |");
        self.line("|---|---|---|---|---|");
        for (cited, citation) in rules.citations_of(rule, first) {
            self.citation(cited, citation);
        }
    }

    fn citation(&mut self, cited: &Cited, citation: &Citation) {
        let checked = match citation.paragraph {
            ParagraphHash::Sha256(_) => "",
            ParagraphHash::None(_) => ", paragraph not checked",
        };
        let row = format!(
            "| {} {} | {}{checked} | {} | {} | {} |",
            citation.cite,
            cell_text(&citation.title),
            citation.strength.word(),
            cited.relation.word(),
            cell_text(&cited.rationale),
            cell_text(&citation.summary),
        );
        self.line(&row);
    }
}

/// A text in one cell of a table.
fn cell_text(text: &str) -> String {
    text.replace('|', "\\|")
}
