//! What an expression may ask for from outside.

use super::collection::Collection;
use super::node::Node;
use super::temporal::{Precision, Temporal};
use super::value::Value;
use crate::number_text::NumberTexts;
use rust_decimal::Decimal;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Scores of answers that the form knows, for `weight()` and `ordinal()`.
pub trait OptionWeights {
    /// Whether answers to the question with this linkId have scores. One that has none is then missing
    /// from a sum, which makes the sum missing; answers to other questions are no part of it.
    fn is_scored(&self, link_id: Option<&str>) -> bool;

    /// The score of a coded answer to the question with this linkId.
    fn weight(&self, link_id: Option<&str>, system: Option<&str>, code: &str) -> Option<Decimal>;

    /// How many options a look-up for that question goes through at most: each takes a step.
    fn options_looked_through(&self, link_id: Option<&str>) -> usize;
}

/// What one evaluation sees besides the expression: data, variables and the time. It has no clock.
#[derive(Clone, Default)]
pub struct Environment<'d> {
    pub(super) context: Collection<'d>,
    pub(super) resource: Option<Node<'d>>,
    pub(super) variables: BTreeMap<String, Collection<'d>>,
    pub(super) now: Option<Temporal>,
    pub(super) is_strict: bool,
    pub(super) weights: Option<&'d dyn OptionWeights>,
}

impl<'d> Environment<'d> {
    /// Nothing but the fixed names of code systems.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A resource, which is `%resource` and, until [`Self::with_context`] says otherwise, `%context`.
    #[must_use]
    pub fn of(resource: &'d Json) -> Self {
        let node = Node::resource(resource);
        Self { context: Value::Node(node).into(), resource: Some(node), ..Self::default() }
    }

    /// How the numbers of the resource were written, so that `1.50` is not read as `1.5`.
    #[must_use]
    pub(crate) fn with_digits(mut self, digits: &'d NumberTexts) -> Self {
        if let Some(node) = self.resource.map(|node| node.with_digits(Some(digits))) {
            self.context = Value::Node(node).into();
            self.resource = Some(node);
        }
        self
    }

    /// What the expression begins on: `%context` and the first `$this`.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<Collection<'d>>) -> Self {
        self.context = context.into();
        self
    }

    /// The form, as `%questionnaire`.
    #[must_use]
    pub fn with_questionnaire(self, questionnaire: &'d Json) -> Self {
        self.with_variable("questionnaire", Value::Node(Node::resource(questionnaire)))
    }

    /// A variable of that name, given without the `%`.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: impl Into<Collection<'d>>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The time that `now()`, `today()` and `timeOfDay()` give: a full date with time and zone.
    /// Anything less is not taken, so that these functions say that they have no time.
    #[must_use]
    pub fn at(mut self, now: Temporal) -> Self {
        let is_whole = now.precision() == Precision::Second && now.offset_min.is_some();
        self.now = is_whole.then_some(now).and_then(Temporal::to_date_time);
        self
    }

    /// Members that a known type doesn't have are errors instead of empty: for checking a form.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// Where scores of answers are looked up that don't carry their own.
    #[must_use]
    pub fn with_weights(mut self, weights: &'d dyn OptionWeights) -> Self {
        self.weights = Some(weights);
        self
    }

    pub(super) fn has_variable(&self, name: &str) -> bool {
        let is_fixed = || {
            matches!(name, "context" | "resource" | "rootResource" | "sct" | "loinc" | "ucum" | "us-zip")
                || address(name).is_some()
        };
        self.variables.contains_key(name) || is_fixed()
    }

    /// Bytes of the text that the value of `%name` is built as.
    pub(super) fn built_bytes(&self, name: &str) -> usize {
        match address(name) {
            Some((beginning, end)) if !self.variables.contains_key(name) => beginning.len() + end.len(),
            _ => 0,
        }
    }

    /// The value of `%name`.
    pub(super) fn variable(&self, name: &str) -> Option<Collection<'d>> {
        if let Some(value) = self.variables.get(name) {
            return Some(value.clone());
        }
        self.fixed_variable(name)
    }

    /// What every expression may name.
    fn fixed_variable(&self, name: &str) -> Option<Collection<'d>> {
        let text = |text: &'static str| Some(Value::string(text).into());
        match name {
            "context" => Some(self.context.clone()),
            "resource" | "rootResource" => Some(self.resource.map(Value::Node).into()),
            "sct" => text("http://snomed.info/sct"),
            "loinc" => text("http://loinc.org"),
            "ucum" => text("http://unitsofmeasure.org"),
            "us-zip" => text("[0-9]{5}(-[0-9]{4}){0,1}"),
            _ => {
                let (beginning, end) = address(name)?;
                Some(Value::string(format!("{beginning}{end}")).into())
            }
        }
    }
}

/// The two parts of the address that `%vs-name` and `%ext-name` stand for.
fn address(name: &str) -> Option<(&'static str, &str)> {
    let value_set = name.strip_prefix("vs-").map(|of| ("http://hl7.org/fhir/ValueSet/", of));
    value_set.or_else(|| name.strip_prefix("ext-").map(|of| ("http://hl7.org/fhir/StructureDefinition/", of)))
}
