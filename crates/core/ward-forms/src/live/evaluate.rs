//! Evaluates one formula where it stands.

use super::LiveForm;
use super::place::PlaceId;
use crate::compiled::{ExpressionFailure, Formula, NameSource};
use crate::fhirpath::{Collection, Environment, EvaluationError, Expression, Node, OptionWeights, Value};
use crate::number_text::NumberTexts;
use crate::questionnaire::Questionnaire;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::collections::BTreeMap;

const RESPONSE_ITEM: &str = "QuestionnaireResponse.item";
const FORM_ITEM: &str = "Questionnaire.item";

impl LiveForm<'_> {
    /// Evaluates a formula at a place, or at the form itself, and hands the result on.
    pub(super) fn evaluate<R>(
        &self,
        formula: &Formula,
        id: Option<PlaceId>,
        take: impl FnOnce(&Collection<'_>) -> Result<R, ExpressionFailure>,
    ) -> Result<R, ExpressionFailure> {
        let expression = formula.expression.as_ref().map_err(Clone::clone)?;
        let Some(mirror) = &self.mirror else { return Err(ExpressionFailure::DoesNotParse) };
        // Contexts live as long as the evaluation, because results borrow from them.
        let own = self.context(id);
        let contexts: Vec<Option<Context<'_>>> = formula
            .needed
            .iter()
            .map(|variable| {
                let holder = self.compiled.variables.get(*variable).and_then(|variable| variable.holder);
                self.context(holder.and_then(|holder| self.places.ancestor(id?, holder)))
            })
            .collect();
        let form: &Questionnaire = &self.form;
        let weights: &dyn OptionWeights = form;
        let mut base = Environment::of(mirror).with_digits(&self.mirror_digits).with_weights(weights);
        if let Some(now) = self.surroundings.now() {
            base = base.at(now);
        }
        let mut results: BTreeMap<usize, Result<Collection<'_>, ExpressionFailure>> = BTreeMap::new();
        for (place, context) in formula.needed.iter().zip(&contexts) {
            let Some(variable) = self.compiled.variables.get(*place) else { continue };
            let result = match &variable.formula.expression {
                Err(failure) => Err(failure.clone()),
                Ok(expression) => {
                    let environment = in_context(base.clone(), context.as_ref());
                    let environment = self.with_names(environment, &variable.formula, id, &results);
                    self.evaluate_counted(expression, &environment, |error| {
                        root_cause(error, &variable.formula, &results)
                    })
                }
            };
            results.insert(*place, result);
        }
        let environment = self.with_names(in_context(base, own.as_ref()), formula, id, &results);
        let cause = |error| root_cause(error, formula, &results);
        take(&self.evaluate_counted(expression, &environment, cause)?)
    }

    /// Evaluates with the steps that are left of this change.
    fn evaluate_counted<'d>(
        &self,
        expression: &'d Expression,
        environment: &Environment<'d>,
        cause: impl FnOnce(EvaluationError) -> ExpressionFailure,
    ) -> Result<Collection<'d>, ExpressionFailure> {
        let (result, taken) = expression.evaluate_in_steps(environment, self.steps.left());
        self.steps.leave(self.steps.left().saturating_sub(taken));
        result.map_err(|error| match error {
            EvaluationError::TooManySteps { .. } if self.steps.left() == 0 => {
                ExpressionFailure::too_much_work()
            }
            error => cause(error),
        })
    }

    /// The item of the response that an expression begins on; one without answers where the item holds
    /// nothing. `None` stands for the whole response.
    fn context(&self, id: Option<PlaceId>) -> Option<Context<'_>> {
        let id = id?;
        if let Some((seen, digits)) = self.seen(id) {
            return Some(Context { json: Cow::Borrowed(seen), digits });
        }
        let item = self.places.get(id).and_then(|place| self.form.items().get(place.item))?;
        Some(Context { json: Cow::Owned(json!({ "linkId": item.link_id })), digits: None })
    }

    fn with_names<'d>(
        &'d self,
        mut environment: Environment<'d>,
        formula: &Formula,
        id: Option<PlaceId>,
        results: &BTreeMap<usize, Result<Collection<'d>, ExpressionFailure>>,
    ) -> Environment<'d> {
        for (name, source) in &formula.names {
            let value: Option<Collection<'d>> = match source {
                // One that failed stays undefined, which is an error where it is used.
                NameSource::Variable(place) => results.get(place).and_then(|result| result.clone().ok()),
                NameSource::Questionnaire => {
                    let node = Node::resource(self.form.as_value()).with_digits(Some(self.form.digits()));
                    Some(Value::Node(node).into())
                }
                NameSource::FormItem => self.form_item(id).map(|node| Value::Node(node).into()),
                NameSource::Contained(place) => {
                    let contained = self.form.as_value().get("contained");
                    let digits = self.form.digits().field("contained");
                    let digits = digits.and_then(|list| list.element(*place));
                    contained
                        .and_then(|list| list.get(*place))
                        .map(|json| Value::Node(Node::resource(json).with_digits(digits)).into())
                }
                NameSource::Outside => {
                    self.surroundings.resource(name).map(|json| Value::Node(Node::resource(json)).into())
                }
            };
            if let Some(value) = value {
                environment = environment.with_variable(name.as_str(), value);
            }
        }
        environment
    }

    /// The item of the form, as JSON.
    fn form_item(&self, id: Option<PlaceId>) -> Option<Node<'_>> {
        let item = self.places.get(id?)?.item;
        let mut way: Vec<usize> = self
            .compiled
            .chain(item)
            .filter_map(|index| {
                let above = self.compiled.item(index)?.parent;
                let siblings = match above {
                    Some(above) => &self.form.items().get(above)?.children,
                    None => self.form.top_items(),
                };
                siblings.iter().position(|sibling| sibling.0 == index)
            })
            .collect();
        way.reverse();
        let (mut json, mut digits) = (self.form.as_value(), Some(self.form.digits()));
        for place in way {
            json = json.get("item")?.get(place)?;
            digits = digits.and_then(|texts| texts.field("item")?.element(place));
        }
        Some(Node::typed(json, FORM_ITEM)?.with_digits(digits))
    }
}

/// What an expression begins on.
struct Context<'d> {
    json: Cow<'d, Json>,
    digits: Option<&'d NumberTexts>,
}

fn in_context<'d>(environment: Environment<'d>, context: Option<&'d Context<'d>>) -> Environment<'d> {
    let node = context
        .and_then(|context| Some(Node::typed(&context.json, RESPONSE_ITEM)?.with_digits(context.digits)));
    match node {
        Some(node) => environment.with_context(Value::Node(node)),
        None => environment,
    }
}

/// A variable that is unknown because it failed itself: what failed there is the reason.
fn root_cause(
    error: EvaluationError,
    formula: &Formula,
    results: &BTreeMap<usize, Result<Collection<'_>, ExpressionFailure>>,
) -> ExpressionFailure {
    if let EvaluationError::UnknownVariable { name } = &error {
        let source = formula.names.iter().find(|(known, _)| known == name).map(|(_, source)| source);
        if let Some(NameSource::Variable(place)) = source
            && let Some(Err(failure)) = results.get(place)
        {
            return failure.clone();
        }
    }
    error.into()
}
