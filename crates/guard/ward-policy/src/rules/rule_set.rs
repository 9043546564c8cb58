//! Rules, defaults and law together, ready to judge.

use super::known_names::KnownNames;
use super::{Cell, Defaults, Rule, RuleError, RuleFile};
use crate::law::{Cited, Law, Requirement, Strength};
use crate::settings::Settings;
use std::collections::HashSet;

/// Why a rule is refused that rests on proposals.
const ONLY_PROPOSED: &str = "it rests on proposed law only; name a requirement that is in force beside it, \
    such as a standard of your own";

/// Everything that a check judges by.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    defaults: Defaults,
    law: Law,
    settings: Settings,
    by_type: KnownNames<Vec<(usize, usize)>>,
    /// Beginnings of types, for cells that judge every type that begins so.
    by_start: Vec<(Box<str>, usize, usize)>,
}

impl RuleSet {
    /// Takes rules, defaults and law together.
    ///
    /// # Errors
    /// [`RuleError`] when there is no rule, an id is there twice, a rule names a requirement that is
    /// not there, or a part of a rule rests on law that is only proposed: its findings would name no
    /// law while proposals do not count.
    pub fn new(files: Vec<RuleFile>, defaults: Defaults, law: Law) -> Result<Self, RuleError> {
        let mut set = Self {
            rules: Vec::new(),
            defaults,
            law,
            settings: Settings::default(),
            by_type: KnownNames::default(),
            by_start: Vec::new(),
        };
        let mut ids = HashSet::new();
        for rule in files.into_iter().flat_map(|file| file.rules) {
            let fault = |what: &str| RuleError::rule(&format!("{}: {}", rule.place, rule.id), what);
            if !ids.insert(rule.id.clone()) {
                return Err(fault("this rule is there twice"));
            }
            let of_cells = rule.cells.iter().flat_map(|cell| &cell.requirements);
            for name in rule.requirements.iter().chain(of_cells) {
                if set.law.requirement(name).is_none() {
                    return Err(fault(&format!("no requirement has the name {name}")));
                }
            }
            for (place, cell) in rule.cells.iter().enumerate() {
                if !set.is_in_force(&rule, cell) {
                    return Err(fault(ONLY_PROPOSED));
                }
                for kind in &cell.types {
                    match kind.strip_suffix('*') {
                        Some(start) => set.by_start.push((start.into(), set.rules.len(), place)),
                        None => set.by_type.entry(kind.clone()).or_default().push((set.rules.len(), place)),
                    }
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

    /// Whether a part of a rule names law that is more than proposed.
    fn is_in_force(&self, rule: &Rule, cell: &Cell) -> bool {
        let cited = self.requirements_of(rule, cell).flat_map(|requirement| &requirement.citations);
        cited
            .filter_map(|cited| self.law.citation(&cited.key))
            .any(|citation| citation.strength != Strength::Proposed)
    }

    /// The same rules with what an organisation decided.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Judges by other decisions of an organisation.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// What the organisation decided.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
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
    pub fn of_type<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = (&'s Rule, &'s Cell)> {
        let cells = self.by_type.get(kind).map(Vec::as_slice).unwrap_or_default();
        let by_start = self.by_start.iter().filter(move |(start, _, _)| kind.starts_with(&**start));
        let all = cells.iter().copied().chain(by_start.map(|(_, rule, cell)| (*rule, *cell)));
        all.filter_map(|(rule, cell)| {
            let rule = self.rules.get(rule)?;
            Some((rule, rule.cells.get(cell)?))
        })
    }

    /// The law that they name.
    #[must_use]
    pub const fn law(&self) -> &Law {
        &self.law
    }

    /// What providers take where nothing is written.
    #[must_use]
    pub const fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// The requirements that a part of a rule stands for.
    pub fn requirements_of<'s>(
        &'s self,
        rule: &'s Rule,
        cell: &'s Cell,
    ) -> impl Iterator<Item = &'s Requirement> {
        let names = if cell.requirements.is_empty() { &rule.requirements } else { &cell.requirements };
        names.iter().filter_map(|name| self.law.requirement(name))
    }

    /// The paragraphs of a part of a rule, each once, in the order of its requirements. What is only
    /// proposed is left out, unless the settings count it.
    #[must_use]
    pub fn citations_of<'s>(
        &'s self,
        rule: &'s Rule,
        cell: &'s Cell,
    ) -> Vec<(&'s Cited, &'s crate::law::Citation)> {
        let mut found: Vec<(&Cited, &crate::law::Citation)> = Vec::new();
        for cited in self.requirements_of(rule, cell).flat_map(|requirement| &requirement.citations) {
            if found.iter().all(|(known, _)| known.key != cited.key)
                && let Some(citation) = self.law.citation(&cited.key)
                && (citation.strength != Strength::Proposed || self.settings.counts_proposed())
            {
                found.push((cited, citation));
            }
        }
        found
    }
}
