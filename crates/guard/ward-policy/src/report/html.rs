//! The report as one page of HTML that needs nothing else: no script, no font, no file beside it.
//!
//! Every text is escaped; the page forbids itself everything but its own style. Verdicts and severities
//! are words, never colours alone (WCAG 2.2, 1.4.1), and nothing needs more than 320 pixels of width
//! (1.4.10).

use super::BASELINE_HAS_TO_SHRINK;
use super::data::consequences;
use super::source_files::{SourceFiles, lines_of};
use super::text::{grouped, is_first_of_cell, label_of};
use super::{Checked, exit_of};
use crate::evaluate::Assessment;
use crate::finding::{Finding, Observation};
use crate::graph::Role;
use crate::law::{Citation, Cited, ParagraphHash};
use crate::rules::RuleSet;
use crate::shown_text::steers;
use crate::verdict::{Exit, Verdict};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

/// From so many rules that are not met on, links to them stand before them.
const LEAST_GROUPS_WITH_CONTENTS: usize = 3;

/// The report of these inputs.
#[must_use]
pub fn html(inputs: &[Checked<'_>], rules: &RuleSet, allow_empty: bool, files: &dyn SourceFiles) -> String {
    let mut page = HtmlPage { out: String::new(), rules, files, headings: 0 };
    let exit = exit_of(inputs, allow_empty);
    page.head(exit, inputs);
    for input in inputs {
        match &input.result {
            Ok(assessment) => page.input(input.name, assessment, allow_empty),
            Err(error) => {
                page.open_section("input", input.name, 2);
                page.put(&format!(
                    "<p><strong class=\"mark fail\">not read</strong> {}</p>\n",
                    escaped(&error.to_string())
                ));
                page.close_section();
            }
        }
    }
    page.put("</main>\n</body>\n</html>\n");
    page.out
}

/// A text in which nothing means anything to a browser, and nothing turns the line around.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if steers(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The rule of a finding, and its part.
fn heading_of(finding: &Finding<'_>) -> String {
    let aspect = finding.cell.aspect.as_deref().map(|aspect| format!(" ({aspect})")).unwrap_or_default();
    format!("{} {}{aspect}", finding.rule.id, finding.rule.title)
}

fn resources_of(group: &[&Finding<'_>]) -> String {
    if group.len() == 1 { "1 resource".to_owned() } else { format!("{} resources", group.len()) }
}

struct HtmlPage<'p> {
    out: String,
    rules: &'p RuleSet,
    files: &'p dyn SourceFiles,
    /// How many headings there are: each section names its own.
    headings: usize,
}

impl HtmlPage<'_> {
    fn put(&mut self, html: &str) {
        self.out.push_str(html);
    }

    fn head(&mut self, exit: Exit, inputs: &[Checked<'_>]) {
        let (word, class) = match exit {
            Exit::Pass => ("Pass", "pass"),
            Exit::Violation => ("Refused: rules are not met", "fail"),
            Exit::Indeterminate => ("Refused: not proven", "open"),
            Exit::NotRead => ("Refused: an input was not read", "fail"),
        };
        let count = |verdict: Verdict| -> usize {
            inputs.iter().filter_map(|input| input.result.as_ref().ok()).map(|one| one.count(verdict)).sum()
        };
        self.put(&format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{word} · policy \
             check by Ward</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
             'unsafe-inline'\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Policy check</h1>\n\
             <p class=\"verdict {class}\">{word}</p>\n<dl class=\"counts\">\n"
        ));
        for verdict in Verdict::ALL {
            let row = format!("<div><dt>{verdict}</dt><dd>{}</dd></div>\n", count(verdict));
            self.put(&row);
        }
        self.put(
            "</dl>\n<p>A finding names the paragraphs that it would violate or work against. It is a \
                  judgement about a safeguard, never a statement that a law is complied with.</p>\n",
        );
    }

    /// Opens a section with its heading.
    fn open_section(&mut self, class: &str, heading: &str, level: usize) {
        self.headings += 1;
        let number = self.headings;
        self.put(&format!(
            "<section class=\"{class}\" aria-labelledby=\"h{number}\">\n<h{level} id=\"h{number}\">{}</h{level}>\n",
            escaped(heading)
        ));
    }

    fn close_section(&mut self) {
        self.put("</section>\n");
    }

    fn input(&mut self, name: &str, assessment: &Assessment<'_>, allow_empty: bool) {
        self.open_section("input", name, 2);
        self.put(&format!(
            "<p>{}, {} resources, {} judged.</p>\n",
            assessment.graph.format().name(),
            assessment.graph.len(),
            assessment.recognised
        ));
        self.notes(name, assessment, allow_empty);
        let groups = grouped(&assessment.findings);
        self.contents(&groups);
        for group in groups {
            self.group(name, &group);
        }
        self.waived(assessment);
        if !assessment.not_covered.is_empty() {
            let types: Vec<String> = assessment
                .not_covered
                .iter()
                .map(|(kind, count)| format!("<code>{}</code> ({count})", escaped(kind)))
                .collect();
            self.put(&format!("<p>No rule knows these types: {}.</p>\n", types.join(", ")));
        }
        self.close_section();
    }

    fn notes(&mut self, name: &str, assessment: &Assessment<'_>, allow_empty: bool) {
        let mut items = Vec::new();
        for note in assessment.graph.notes() {
            let mark =
                if note.blocks { "<strong class=\"mark open\">blocks</strong>" } else { "<span>note</span>" };
            let place = note.place.as_ref();
            let place = place.map(|place| format!(" {}:{}", self.files.path(name, &place.file), place.line));
            items.push(format!(
                "<li>{mark} {}{}</li>\n",
                escaped(&note.text),
                escaped(&place.unwrap_or_default())
            ));
        }
        if assessment.recognised == 0 && !allow_empty {
            items.push(
                "<li><strong class=\"mark open\">blocks</strong> no rule knows any of its resources, so \
                 nothing was proven</li>\n"
                    .to_owned(),
            );
        }
        if assessment.baseline_has_to_shrink {
            items.push(format!(
                "<li><strong class=\"mark open\">blocks</strong> {BASELINE_HAS_TO_SHRINK}</li>\n"
            ));
        }
        if !items.is_empty() {
            self.put(&format!("<ul class=\"notes\">\n{}</ul>\n", items.concat()));
        }
    }

    /// Links to the rules that are not met, worst first: a long page is walked through by them.
    fn contents(&mut self, groups: &[Vec<&Finding<'_>>]) {
        if groups.len() < LEAST_GROUPS_WITH_CONTENTS {
            return;
        }
        self.put("<nav aria-label=\"Rules that are not met\">\n<ol class=\"contents\">\n");
        let next = self.headings + 1;
        for (place, group) in groups.iter().enumerate() {
            let Some(first) = group.first() else { continue };
            let item = format!(
                "<li><a href=\"#h{}\">{}</a>: {}, {}</li>\n",
                next + place,
                escaped(&heading_of(first)),
                first.rule.severity.word(),
                resources_of(group)
            );
            self.put(&item);
        }
        self.put("</ol>\n</nav>\n");
    }

    fn group(&mut self, name: &str, group: &[&Finding<'_>]) {
        let Some(first) = group.first() else { return };
        let rule = first.rule;
        self.open_section("rule", &heading_of(first), 3);
        self.put(&format!(
            "<p><strong class=\"mark\">{}</strong>, {}</p>\n",
            rule.severity.word(),
            resources_of(group)
        ));
        self.law(&self.rules.citations_of(rule, first.cell));
        for consequence in consequences(rule, first.cell, self.rules) {
            self.put(&format!("<p>{}</p>\n", escaped(consequence)));
        }
        if let Some(note) = &rule.note {
            self.put(&format!("<p>{}</p>\n", escaped(note)));
        }
        for (place, finding) in group.iter().enumerate() {
            self.finding(name, finding, is_first_of_cell(group, place));
        }
        self.put(&format!("<p class=\"version\">rule {} version {}</p>\n", rule.id, escaped(&rule.hash)));
        self.close_section();
    }

    fn law(&mut self, citations: &[(&Cited, &Citation)]) {
        self.put("<ul class=\"law\">\n");
        for (place, (cited, citation)) in citations.iter().enumerate() {
            let checked = match citation.paragraph {
                ParagraphHash::Sha256(_) => "",
                ParagraphHash::None(_) => "; paragraph not checked",
            };
            let summary = if place == 0 { format!(": {}", citation.summary) } else { String::new() };
            self.put(&format!(
                "<li>{} <strong>{}</strong> {} ({}{checked}){}</li>\n",
                label_of(place, cited.relation),
                escaped(&citation.cite),
                escaped(&citation.title),
                citation.strength.word(),
                escaped(&summary)
            ));
        }
        self.put("</ul>\n");
    }

    fn finding(&mut self, name: &str, finding: &Finding<'_>, is_new: bool) {
        let class = if finding.verdict == Verdict::Indeterminate { "open" } else { "fail" };
        let resource = finding.resource;
        self.put(&format!(
            "<article>\n<h4><span class=\"mark {class}\">{}</span> <code>{}</code></h4>\n",
            finding.verdict,
            escaped(&resource.address)
        ));
        if let Some(place) = &resource.place {
            let path = format!("{}:{}", self.files.path(name, &place.file), place.line);
            self.put(&format!("<p class=\"place\">{}</p>\n", escaped(&path)));
            self.source(name, finding);
        }
        if resource.role == Role::Drifted {
            self.put("<p>As found outside of the code.</p>\n");
        }
        let mut told: Vec<String> = Vec::new();
        for line in finding.observed.iter().map(Observation::line) {
            if !told.contains(&line) {
                told.push(line);
            }
        }
        self.put("<dl class=\"facts\">\n");
        self.row("observed", &told);
        if is_new {
            self.row("expected", std::slice::from_ref(&finding.cell.expected));
        }
        if let Some(waiver) = &finding.waiver {
            self.row("no waiver", std::slice::from_ref(waiver));
        }
        let fix = finding.cell.fix.as_deref().filter(|_| is_new);
        if let Some(fix) = fix {
            self.put(&format!("<dt>fix</dt>\n<dd><pre>{}</pre></dd>\n", escaped(fix)));
        }
        self.put("</dl>\n</article>\n");
    }

    /// A label with what belongs to it.
    fn row(&mut self, label: &str, texts: &[impl AsRef<str>]) {
        if texts.is_empty() {
            return;
        }
        let values: String =
            texts.iter().map(|text| format!("<dd>{}</dd>\n", escaped(text.as_ref()))).collect();
        self.put(&format!("<dt>{label}</dt>\n{values}"));
    }

    fn source(&mut self, name: &str, finding: &Finding<'_>) {
        let Some(place) = &finding.resource.place else { return };
        let Some(text) = self.files.text(name, &place.file) else { return };
        let mut lines = String::new();
        for (number, line) in lines_of(text, place, finding) {
            // Writing to a text does not fail.
            let _ = writeln!(lines, "{number:>5}  {}", escaped(&line));
        }
        if !lines.is_empty() {
            self.put(&format!("<pre>{lines}</pre>\n"));
        }
    }

    fn waived(&mut self, assessment: &Assessment<'_>) {
        let waived = assessment.findings.iter().filter(|finding| finding.verdict == Verdict::Waived);
        let items: Vec<String> = waived
            .map(|finding| {
                format!(
                    "<li><strong class=\"mark open\">waived</strong> {} <code>{}</code> {}</li>\n",
                    finding.rule.id,
                    escaped(&finding.resource.address),
                    escaped(finding.waiver.as_deref().unwrap_or_default())
                )
            })
            .collect();
        if !items.is_empty() {
            self.open_section("rule", "Waived, and not met", 3);
            self.put(&format!("<ul>\n{}</ul>\n", items.concat()));
            self.close_section();
        }
    }
}
