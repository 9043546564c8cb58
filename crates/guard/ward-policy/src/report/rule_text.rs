//! A rule for a person at a terminal: what it asks for, why, by which law, and how to meet it.

use super::data::consequences;
use super::page::parts;
use super::terminal::{BOLD, FAINT, GREEN, LABEL_CHARS, Page, RED, Style, YELLOW};
use crate::law::{Citation, Cited, Edition, ParagraphHash, paragraph_sha256};
use crate::rules::{Cell, Rule, RuleSet, Severity};
use crate::shown_text::one_line;

/// The page of one rule. The words of the law stand in it where an edition has them.
#[must_use]
pub fn rule_text(rules: &RuleSet, rule: &Rule, edition: Option<&Edition>, style: Style) -> String {
    let mut page = Page::new(style);
    let colour = if rule.severity >= Severity::High { RED } else { YELLOW };
    let title = page.paint(BOLD, &rule.title);
    let id = page.paint(BOLD, rule.id.as_str());
    let severity = page.paint(colour, rule.severity.word());
    page.line(&format!("{id} {severity} {title}"));
    page.labelled("area", &rule.area);
    if let Some(note) = &rule.note {
        page.labelled("note", note);
    }
    for (aspect, cells) in parts(rule) {
        page.rule_part(rules, rule, aspect, &cells, edition);
    }
    if !rule.not_covered.is_empty() {
        page.line("");
        page.line("  Not covered");
        for one in &rule.not_covered {
            page.labelled("", &format!("{}: {}", one.place, one.because));
        }
    }
    let version = page.paint(FAINT, &format!("rule {} version {}", rule.id, rule.hash));
    page.line("");
    page.line(&format!("    {version}"));
    page.out
}

impl Page {
    fn rule_part(
        &mut self,
        rules: &RuleSet,
        rule: &Rule,
        aspect: Option<&str>,
        cells: &[&Cell],
        edition: Option<&Edition>,
    ) {
        let Some(first) = cells.first() else { return };
        self.line("");
        let aspect = aspect.map(|aspect| format!(": {aspect}")).unwrap_or_default();
        self.line(&format!("  What is expected{}", one_line(&aspect)));
        for cell in cells {
            self.labelled("of", &cell.types.join(", "));
            self.labelled("expected", &cell.expected);
            for (place, line) in cell.fix.iter().flat_map(|fix| fix.lines()).enumerate() {
                let label = if place == 0 { "fix" } else { "" };
                let painted = self.paint(FAINT, &format!("{label:<LABEL_CHARS$}"));
                let line = self.paint(GREEN, line);
                self.line(&format!("    {painted}{line}"));
            }
        }
        for consequence in consequences(rule, first, rules) {
            self.labelled("otherwise", consequence);
        }
        for (cited, citation) in rules.citations_of(rule, first) {
            self.paragraph(cited, citation, edition);
        }
    }

    fn paragraph(&mut self, cited: &Cited, citation: &Citation, edition: Option<&Edition>) {
        self.line("");
        let head = format!("{} {}", citation.cite, citation.title);
        let head = self.paint(BOLD, &head);
        self.line(&format!("    {head} ({})", citation.strength.word()));
        self.labelled(cited.relation.word(), &cited.rationale);
        self.labelled("in our words", &citation.summary);
        let compared = citation.verified.as_deref().map_or_else(
            || "nobody has compared these words with the official text yet".to_owned(),
            |day| format!("compared with the official text on {day}"),
        );
        self.labelled("", &compared);
        if let ParagraphHash::None(because) = &citation.paragraph {
            self.labelled("not checked", because);
        }
        let Some(edition) = edition else { return };
        match edition.paragraph(citation) {
            Some(official) => {
                self.labelled("official words", &official.text);
                if let Some(date) = &official.source_date {
                    self.labelled("edition", date);
                }
                let is_same = match &citation.paragraph {
                    ParagraphHash::Sha256(hash) => **hash == *paragraph_sha256(&official.text),
                    ParagraphHash::None(_) => true,
                };
                if !is_same {
                    let warning = self.paint(RED, "changed since the summary was written");
                    self.line(&format!("    {:<LABEL_CHARS$}{warning}", ""));
                }
            }
            None => self.labelled("official words", "not in this edition"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin_rules;

    #[test]
    fn a_rule_is_explained_with_and_without_the_words_of_the_law() {
        let rules = builtin_rules().unwrap();
        let rule = rules.rule("W-001").unwrap();
        let plain = rule_text(&rules, rule, None, Style::plain());
        for part in ["W-001 critical", "45 CFR 164.312(a)(2)(iv)", "in our words", "storage_encrypted = true"]
        {
            assert!(plain.contains(part), "{part} is not in\n{plain}");
        }
        assert!(!plain.contains("official words"));
        let mut edition = Edition::default();
        edition
            .add(br#"[{"cite": "45 CFR 164.312(a)(2)(iv)", "text": "words of a test\u001b[2J"}]"#)
            .unwrap();
        let told = rule_text(&rules, rule, Some(&edition), Style::plain());
        assert!(told.contains("words of a test") && told.contains("changed since"), "{told}");
        assert!(told.contains("not in this edition") && !told.contains('\u{1b}'), "{told}");
    }

    #[test]
    fn every_rule_is_explained() {
        let rules = builtin_rules().unwrap();
        for rule in rules.rules() {
            let text = rule_text(&rules, rule, None, Style::plain());
            assert!(rule.cells.iter().all(|cell| text.contains(&*cell.types[0])), "{}", rule.id);
        }
    }
}
