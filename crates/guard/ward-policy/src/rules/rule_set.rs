//! Rules, defaults and law together, ready to judge.

use super::{Cell, Defaults, Rule, RuleError, RuleFile};
use crate::law::{Cited, Law, Requirement, Strength};
use std::collections::{HashMap, HashSet};

/// Everything that a check judges by.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    defaults: Defaults,
    law: Law,
    by_type: HashMap<Box<str>, Vec<(usize, usize)>>,
}

impl RuleSet {
    /// Takes rules, defaults and law together.
    ///
    /// # Errors
    /// [`RuleError`] when there is no rule, an id is there twice, or a rule names a requirement that
    /// is not there.
    pub fn new(files: Vec<RuleFile>, defaults: Defaults, law: Law) -> Result<Self, RuleError> {
        let mut set = Self { rules: Vec::new(), defaults, law, by_type: HashMap::new() };
        let mut ids = HashSet::new();
        for rule in files.into_iter().flat_map(|file| file.rules) {
            if !ids.insert(rule.id.clone()) {
                return Err(RuleError::rule(rule.id.as_str(), "this rule is there twice"));
            }
            for name in &rule.requirements {
                if set.law.requirement(name).is_none() {
                    let what = format!("no requirement has the name {name}");
                    return Err(RuleError::rule(rule.id.as_str(), &what));
                }
            }
            for (place, cell) in rule.cells.iter().enumerate() {
                for kind in &cell.types {
                    set.by_type.entry(kind.clone()).or_default().push((set.rules.len(), place));
                }
            }
            set.rules.push(rule);
        }
        if set.rules.is_empty() {
            return Err(RuleError::rule("rules", "there is no rule: nothing would ever fail"));
        }
        set.rules.shrink_to_fit();
        Ok(set)
    }

    /// Every rule, in the order of the files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule by its id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id.as_str() == id)
    }

    /// The rules that judge a type, each with the cell that does.
    pub fn of_type(&self, kind: &str) -> impl Iterator<Item = (&Rule, &Cell)> {
        let cells = self.by_type.get(kind).map(Vec::as_slice).unwrap_or_default();
        cells.iter().filter_map(|(rule, cell)| {
            let rule = self.rules.get(*rule)?;
            Some((rule, rule.cells.get(*cell)?))
        })
    }

    /// What providers take where nothing is written.
    #[must_use]
    pub const fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// The law that rules name.
    #[must_use]
    pub const fn law(&self) -> &Law {
        &self.law
    }

    /// The requirements of a rule.
    pub fn requirements_of(&self, rule: &Rule) -> impl Iterator<Item = &Requirement> {
        rule.requirements.iter().filter_map(|name| self.law.requirement(name))
    }

    /// The paragraphs of a rule, each once, in the order of its requirements. What is only proposed is
    /// left out.
    #[must_use]
    pub fn citations_of(&self, rule: &Rule) -> Vec<(&Cited, &crate::law::Citation)> {
        let mut found: Vec<(&Cited, &crate::law::Citation)> = Vec::new();
        for cited in self.requirements_of(rule).flat_map(|requirement| &requirement.citations) {
            if found.iter().all(|(known, _)| known.key != cited.key)
                && let Some(citation) = self.law.citation(&cited.key)
                && citation.strength != Strength::Proposed
            {
                found.push((cited, citation));
            }
        }
        found
    }
}
