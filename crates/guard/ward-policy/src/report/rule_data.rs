//! A rule as data, for programs: what it asks of which resources, and by which law.

use super::data::{CitationReport, citations_of, consequences};
use crate::law::Edition;
use crate::rules::{Cell, Rule, RuleSet};
use serde::Serialize;

/// A rule.
#[derive(Debug, Serialize)]
pub struct RuleReport<'a> {
    /// Its id.
    pub rule: &'a str,
    /// What it asks for.
    pub title: &'a str,
    /// How much harm a violation does.
    pub severity: &'static str,
    /// The area it belongs to.
    pub area: &'a str,
    /// What must be known to read a finding rightly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// Its cells.
    pub cells: Vec<CellReport<'a>>,
    /// Where it has no cell.
    pub not_covered: Vec<NotCoveredReport<'a>>,
    /// Version of the rule.
    pub rule_hash: &'a str,
}

/// A rule for certain types of resources.
#[derive(Debug, Serialize)]
pub struct CellReport<'a> {
    /// The types.
    pub types: Vec<&'a str>,
    /// Which part of the rule it is, if the rule has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect: Option<&'a str>,
    /// What is expected.
    pub expected: &'a str,
    /// How to meet it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<&'a str>,
    /// What follows if it is not met.
    pub consequence: Vec<&'a str>,
    /// The paragraphs.
    pub citations: Vec<CitedParagraph<'a>>,
}

/// A paragraph, with its official words where an edition is at hand.
#[derive(Debug, Serialize)]
pub struct CitedParagraph<'a> {
    /// The citation.
    #[serde(flatten)]
    pub citation: CitationReport<'a>,
    /// The words of the law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub official: Option<&'a str>,
}

/// A place where a rule judges nothing.
#[derive(Debug, Serialize)]
pub struct NotCoveredReport<'a> {
    /// The place.
    pub place: &'a str,
    /// Why.
    pub because: &'a str,
}

impl<'a> RuleReport<'a> {
    /// A rule, with the words of an edition if there is one.
    #[must_use]
    pub fn new(rules: &'a RuleSet, rule: &'a Rule, edition: Option<&'a Edition>) -> Self {
        Self {
            rule: rule.id.as_str(),
            title: &rule.title,
            severity: rule.severity.word(),
            area: &rule.area,
            note: rule.note.as_deref(),
            cells: rule.cells.iter().map(|cell| CellReport::new(rules, rule, cell, edition)).collect(),
            not_covered: rule
                .not_covered
                .iter()
                .map(|one| NotCoveredReport { place: &one.place, because: &one.because })
                .collect(),
            rule_hash: &rule.hash,
        }
    }
}

impl<'a> CellReport<'a> {
    fn new(rules: &'a RuleSet, rule: &'a Rule, cell: &'a Cell, edition: Option<&'a Edition>) -> Self {
        let official = |key: &str| {
            let citation = rules.law().citation(key)?;
            edition?.paragraph(citation).map(|paragraph| &*paragraph.text)
        };
        let cited = citations_of(rule, cell, rules).into_iter();
        Self {
            types: cell.types.iter().map(|kind| &**kind).collect(),
            aspect: cell.aspect.as_deref(),
            expected: &cell.expected,
            fix: cell.fix.as_deref(),
            consequence: consequences(rule, cell, rules),
            citations: cited
                .map(|citation| CitedParagraph { official: official(citation.key), citation })
                .collect(),
        }
    }
}
