//! One expression of a form, read once, with what its names mean where it stands.

use super::failure::ExpressionFailure;
use super::reads::{self, Reads};
use super::variables::Variables;
use crate::fhirpath::Expression;
use crate::item_extensions::FHIRPATH;
use crate::limits::MAX_VARIABLES_OF_AN_EXPRESSION;
use crate::questionnaire::Questionnaire;
use serde_json::Value;

/// An expression ready for evaluation.
#[derive(Debug)]
pub(crate) struct Formula {
    pub(crate) expression: Result<Expression, ExpressionFailure>,
    /// Names after `%` and what they mean here; those that the engine knows itself are left out.
    pub(crate) names: Vec<(String, NameSource)>,
    /// All variables that it needs, each after those that it needs itself.
    pub(crate) needed: Vec<usize>,
    /// What it reads, its variables included.
    pub(crate) reads: Reads,
    pub(crate) uses_time: bool,
}

/// What a name after `%` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameSource {
    /// A variable of the form.
    Variable(usize),
    /// The form.
    Questionnaire,
    /// The item of the form at which the expression stands.
    FormItem,
    /// A resource that the form carries, by its place.
    Contained(usize),
    /// Something that the surroundings may supply.
    Outside,
}

/// Names that the engine gives a meaning.
const ENGINE_NAMES: [&str; 6] = ["resource", "rootResource", "context", "sct", "loinc", "ucum"];

impl Formula {
    /// Reads an expression that stands at an item, or at the form itself.
    pub(super) fn read(
        form: &Questionnaire,
        owner: Option<usize>,
        language: &str,
        text: &str,
        variables: &Variables,
    ) -> Self {
        let mut formula = Self::alone(form, owner, language, text);
        formula.resolve(form, owner, variables);
        let direct = formula.variables();
        match variables.closure(&direct) {
            None => formula.expression = Err(ExpressionFailure::Loop),
            Some(needed) if needed.len() > MAX_VARIABLES_OF_AN_EXPRESSION => {
                let limit = MAX_VARIABLES_OF_AN_EXPRESSION;
                formula.expression = Err(ExpressionFailure::TooManyVariables { limit });
            }
            Some(needed) => {
                for variable in needed.iter().filter_map(|place| variables.list.get(*place)) {
                    variables.reads_left.add(&mut formula.reads, &variable.formula.reads);
                    formula.uses_time |= variable.formula.uses_time;
                }
                formula.needed = needed;
            }
        }
        formula
    }

    /// Reads an expression without looking at its variables.
    pub(super) fn alone(form: &Questionnaire, owner: Option<usize>, language: &str, text: &str) -> Self {
        let expression = if language == FHIRPATH {
            Expression::parse(text).map_err(|_| ExpressionFailure::DoesNotParse)
        } else {
            Err(ExpressionFailure::OtherLanguage)
        };
        let reads = match &expression {
            Ok(expression) => reads::of(expression, form, owner),
            Err(_) => Reads::default(),
        };
        let uses_time = expression.as_ref().is_ok_and(|expression| expression.dependencies().uses_time());
        Self { expression, names: Vec::new(), needed: Vec::new(), reads, uses_time }
    }

    /// Finds out what its names mean.
    pub(super) fn resolve(&mut self, form: &Questionnaire, owner: Option<usize>, variables: &Variables) {
        let Ok(expression) = &self.expression else { return };
        let names = expression.dependencies().variables().filter(|name| !ENGINE_NAMES.contains(name));
        self.names = names.map(|name| (name.to_owned(), source(form, owner, name, variables))).collect();
    }

    /// The variables that it names itself.
    pub(super) fn variables(&self) -> Vec<usize> {
        let variable = |source: &NameSource| match source {
            NameSource::Variable(place) => Some(*place),
            _ => None,
        };
        self.names.iter().filter_map(|(_, source)| variable(source)).collect()
    }
}

fn source(form: &Questionnaire, owner: Option<usize>, name: &str, variables: &Variables) -> NameSource {
    if let Some(variable) = variables.meant(form, owner, name) {
        return NameSource::Variable(variable);
    }
    match name {
        "questionnaire" => NameSource::Questionnaire,
        "qitem" if owner.is_some() => NameSource::FormItem,
        _ => contained(form, name).map_or(NameSource::Outside, NameSource::Contained),
    }
}

fn contained(form: &Questionnaire, name: &str) -> Option<usize> {
    let list = form.as_value().get("contained")?.as_array()?;
    list.iter().position(|resource| resource.get("id").and_then(Value::as_str) == Some(name))
}
