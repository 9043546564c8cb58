//! Rules of an organisation beside those of Ward: the same files, read with the same care.
//!
//! A file is one of four kinds, by the key it has: `rules`, `fixtures`, `requirements` or `citations`.

use crate::builtin::builtin_parts;
use crate::law::{Citation, Law, Requirement, instrument_of, requirements_of};
use crate::rules::{
    Fields, Fixture, Rule, RuleError, RuleFile, RuleId, RuleSet, read_document, read_fixtures, rules_of,
};

/// Ids that begin so are Ward's own.
const WARD_IDS: &str = "W-";

/// What an organisation wrote.
#[derive(Debug, Default)]
pub struct OwnRules {
    rules: Vec<RuleFile>,
    fixtures: Vec<Fixture>,
    citations: Vec<Citation>,
    requirements: Vec<Requirement>,
}

impl OwnRules {
    /// Adds a file.
    ///
    /// # Errors
    /// [`RuleError`] with the file and the line.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), RuleError> {
        let document = read_document(file, text)?;
        let fields = Fields::of(file, &document)?;
        if fields.has("rules") {
            let rules = rules_of(file, &document)?;
            rules.rules.iter().try_for_each(refuse_ward_ids)?;
            self.rules.push(rules);
        } else if fields.has("fixtures") {
            self.fixtures.extend(read_fixtures(file, text)?);
        } else if fields.has("requirements") {
            self.requirements.extend(requirements_of(file, &document)?);
        } else if fields.has("citations") {
            self.citations.extend(instrument_of(file, &document)?);
        } else {
            return Err(fields.fault("a file has rules, fixtures, requirements or citations"));
        }
        Ok(())
    }

    /// The ids of its rules.
    #[must_use]
    pub fn ids(&self) -> Vec<RuleId> {
        self.rules.iter().flat_map(|file| &file.rules).map(|rule| rule.id.clone()).collect()
    }

    /// Takes its fixtures out.
    pub fn take_fixtures(&mut self) -> Vec<Fixture> {
        std::mem::take(&mut self.fixtures)
    }

    /// These rules together with those that come with Ward.
    ///
    /// # Errors
    /// [`RuleError`] when they do not fit together: an id is there twice, or a requirement is not there.
    pub fn with_builtin(self) -> Result<RuleSet, RuleError> {
        let mut parts = builtin_parts()?;
        parts.citations.extend(self.citations);
        parts.requirements.extend(self.requirements);
        parts.rules.extend(self.rules);
        let law = Law::new(parts.citations, parts.requirements)?;
        RuleSet::new(parts.rules, parts.defaults, law)
    }
}

fn refuse_ward_ids(rule: &Rule) -> Result<(), RuleError> {
    if rule.id.as_str().starts_with(WARD_IDS) {
        let what = format!("ids that begin with {WARD_IDS} are Ward's own");
        return Err(RuleError::rule(&format!("{}: {}", rule.place, rule.id), &what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, requirement: &str) -> String {
        format!(
            "version: 1\narea: own\ntitle: Own\nrules:\n  - id: {id}\n    title: A queue has an owner\n    severity: low\n    \
             requirements: [{requirement}]\n    cells:\n      - types: [aws_sqs_queue]\n        expected: a tag owner\n        \
             check: {{path: tags.owner, set: true}}\n"
        )
    }

    fn error_of(files: &[(&str, &str)]) -> String {
        let mut own = OwnRules::default();
        let added = files.iter().try_for_each(|(file, text)| own.add(file, text));
        added.and_then(|()| own.with_builtin().map(|_| ())).unwrap_err().to_string()
    }

    #[test]
    fn rules_of_an_organisation_stand_beside_those_of_ward() {
        let mut own = OwnRules::default();
        own.add("own.yaml", &rule("ORG-001", "processors")).unwrap();
        let rules = own.with_builtin().unwrap();
        assert!(rules.rule("ORG-001").is_some() && rules.rule("W-001").is_some());
    }

    #[test]
    fn fails_closed_a_rule_does_not_rest_on_proposals_only() {
        let law = "version: 1\ninstrument: own\nname: Own\ncitations:\n  - key: own-1\n    cite: Own 1\n    title: One\n    \
             summary: s\n    strength: proposed\n    effective: 2026-01-01\n    source: https://example.org\n    \
             text_sha256: \"0000000000000000000000000000000000000000000000000000000000000000\"\n    verified: false\n";
        let requirement = "version: 1\nrequirements:\n  - name: own\n    title: Own\n    consequence: c\n    \
             citations: [{citation: own-1, relation: implements, rationale: r}]\n";
        let proposed = [("l.yaml", law), ("r.yaml", requirement), ("a.yaml", &rule("ORG-001", "own"))];
        assert_eq!(
            error_of(&proposed),
            "a.yaml:5: ORG-001: it rests on proposed law only; name a requirement that is in force beside it, such as \
             a standard of your own"
        );
        let in_force = law.replace("proposed", "standard");
        for files in [
            [("l.yaml", law), ("r.yaml", requirement), ("a.yaml", &rule("ORG-001", "own, processors"))],
            [("l.yaml", &in_force), ("r.yaml", requirement), ("a.yaml", &rule("ORG-001", "own"))],
        ] {
            let mut own = OwnRules::default();
            files.iter().try_for_each(|(file, text)| own.add(file, text)).unwrap();
            assert!(own.with_builtin().unwrap().rule("ORG-001").is_some());
        }
        let part =
            rule("ORG-001", "processors").replace("expected:", "requirements: [own]\n        expected:");
        assert!(
            error_of(&[("l.yaml", law), ("r.yaml", requirement), ("a.yaml", &part)])
                .contains("proposed law only")
        );
    }

    #[test]
    fn fails_closed_a_bad_rule_is_told_with_its_file_and_line() {
        let good = rule("ORG-001", "processors");
        assert_eq!(
            error_of(&[("a.yaml", &good), ("b.yaml", &good)]),
            "b.yaml:5: ORG-001: this rule is there twice"
        );
        assert_eq!(
            error_of(&[("a.yaml", &rule("W-900", "processors"))]),
            "a.yaml:5: W-900: ids that begin with W- are Ward's own"
        );
        assert_eq!(
            error_of(&[("a.yaml", &rule("ORG-001", "nothing"))]),
            "a.yaml:5: ORG-001: no requirement has the name nothing"
        );
        let misspelt = good.replace("check: {path", "check: {paht");
        assert!(
            error_of(&[("a.yaml", &misspelt)]).starts_with("a.yaml:12: "),
            "{}",
            error_of(&[("a.yaml", &misspelt)])
        );
        assert_eq!(
            error_of(&[("a.yaml", "version: 1\n")]),
            "a.yaml:1: a file has rules, fixtures, requirements or citations"
        );
    }
}
