//! Conditions of a template: they hold, they don't, or that depends on what is given.

use super::evaluator::Evaluator;
use crate::graph::Attribute;
use crate::limits::MAX_REFERENCE_STEPS;
use crate::yaml::YamlNode;
use std::collections::HashMap;

/// What is known about a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It holds in every deployment.
    Yes,
    /// It holds in none.
    No,
    /// It depends on what is given.
    Open,
}

impl Decision {
    const fn turned(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Open => Self::Open,
        }
    }

    fn every(mut decisions: Vec<Self>) -> Self {
        decisions.sort_by_key(|decision| match decision {
            Self::No => 0,
            Self::Open => 1,
            Self::Yes => 2,
        });
        // Nothing to ask is nothing that holds.
        decisions.first().copied().unwrap_or(Self::Open)
    }

    fn some(decisions: Vec<Self>) -> Self {
        Self::every(decisions.into_iter().map(Self::turned).collect()).turned()
    }
}

/// The conditions of a template with what was found out about them.
#[derive(Debug, Default)]
pub(super) struct Conditions<'t> {
    definitions: HashMap<&'t str, &'t YamlNode>,
    decided: HashMap<&'t str, Decision>,
    /// What holds where the evaluation stands, because the resource around it is made.
    assumed: HashMap<&'t str, Decision>,
    /// How many conditions led here, each named by the one before.
    depth: usize,
}

impl<'t> Conditions<'t> {
    pub(super) fn new(section: Option<&'t YamlNode>) -> Self {
        let entries = section.and_then(YamlNode::as_entries).unwrap_or_default();
        let definitions = entries.iter().filter_map(|(key, value)| Some((key.as_text()?, value))).collect();
        Self { definitions, ..Self::default() }
    }

    /// From here on a condition holds.
    pub(super) fn assume(&mut self, name: &str) {
        self.take_as(name, Decision::Yes, 0);
    }

    /// Nothing is assumed any more.
    pub(super) fn forget(&mut self) {
        self.assumed.clear();
    }

    fn take_as(&mut self, name: &str, decision: Decision, depth: usize) {
        // What is not assumed stays open.
        if depth >= MAX_REFERENCE_STEPS {
            return;
        }
        let Some((name, definition)) = self.definitions.get_key_value(name) else { return };
        // What was assumed already goes no further: conditions may name one another in a circle.
        if self.assumed.insert(name, decision).is_none() {
            self.parts_of(definition, decision, depth + 1);
        }
    }

    /// What follows for the parts: all parts of an `and` hold, no part of an `or` that does not hold.
    fn parts_of(&mut self, definition: &'t YamlNode, decision: Decision, depth: usize) {
        let Some([(key, argument)]) = definition.as_entries() else { return };
        let parts = argument.as_items().unwrap_or_default();
        match (key.as_text(), decision) {
            (Some("Condition"), _) => {
                if let Some(name) = argument.as_text() {
                    self.take_as(name, decision, depth);
                }
            }
            (Some("Fn::And"), Decision::Yes) | (Some("Fn::Or"), Decision::No) => {
                parts.iter().for_each(|part| self.parts_of(part, decision, depth));
            }
            (Some("Fn::Not"), _) => {
                parts.iter().for_each(|part| self.parts_of(part, decision.turned(), depth))
            }
            _ => {}
        }
    }
}

impl<'t> Evaluator<'t> {
    /// What is known about a condition.
    pub(super) fn decide(&mut self, name: &str) -> Decision {
        if let Some(assumed) = self.conditions.assumed.get(name) {
            return *assumed;
        }
        if let Some(decided) = self.conditions.decided.get(name) {
            return *decided;
        }
        let Some((name, definition)) = self.conditions.definitions.get_key_value(name) else {
            return Decision::Open;
        };
        let (name, definition) = (*name, *definition);
        if self.conditions.depth >= MAX_REFERENCE_STEPS {
            return Decision::Open;
        }
        self.conditions.depth += 1;
        // A condition that leads back to itself is met here again: it is open.
        self.conditions.decided.insert(name, Decision::Open);
        // What holds for one resource only must not be remembered for the next.
        let assumed = std::mem::take(&mut self.conditions.assumed);
        let decision = self.decide_definition(definition);
        self.conditions.assumed = assumed;
        self.conditions.depth -= 1;
        self.conditions.decided.insert(name, decision);
        decision
    }

    fn decide_definition(&mut self, definition: &'t YamlNode) -> Decision {
        let Some([(key, argument)]) = definition.as_entries() else { return Decision::Open };
        let parts = argument.as_items().unwrap_or_default();
        match (key.as_text(), parts) {
            (Some("Condition"), _) => argument.as_text().map_or(Decision::Open, |name| self.decide(name)),
            (Some("Fn::Equals"), [one, other]) => self.decide_equal(one, other),
            (Some("Fn::Not"), [part]) => self.decide_definition(part).turned(),
            (Some("Fn::And"), _) => Decision::every(self.decide_parts(parts)),
            (Some("Fn::Or"), _) => Decision::some(self.decide_parts(parts)),
            _ => Decision::Open,
        }
    }

    fn decide_parts(&mut self, parts: &'t [YamlNode]) -> Vec<Decision> {
        parts.iter().map(|part| self.decide_definition(part)).collect()
    }

    fn decide_equal(&mut self, one: &'t YamlNode, other: &'t YamlNode) -> Decision {
        let (one, other) = (self.value(one), self.value(other));
        let (Some(one), Some(other)) = (texts_of(one.attribute.as_ref()), texts_of(other.attribute.as_ref()))
        else {
            return Decision::Open;
        };
        match (&*one, &*other) {
            ([one], [other]) if one == other => Decision::Yes,
            (ones, others) if ones.iter().any(|one| others.contains(one)) => Decision::Open,
            _ => Decision::No,
        }
    }
}

/// Every text that a value may be; `None` if that is not known.
fn texts_of(attribute: Option<&Attribute>) -> Option<Vec<String>> {
    match attribute? {
        Attribute::Bool(value) => Some(vec![value.to_string()]),
        Attribute::Number(number) => Some(vec![number.to_string()]),
        // What only the account or the stack says is equal to nothing and different from nothing.
        Attribute::Text(text) if text.contains(super::functions::PSEUDO_MARK) => None,
        Attribute::Text(text) => Some(vec![text.to_string()]),
        Attribute::Unknown(unknown) if !unknown.branches.is_empty() => {
            let branches = unknown.branches.iter().map(|branch| texts_of(Some(branch)));
            branches.collect::<Option<Vec<_>>>().map(|texts| texts.concat())
        }
        _ => None,
    }
}
