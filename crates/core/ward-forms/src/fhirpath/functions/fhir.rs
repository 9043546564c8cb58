//! What FHIR and its forms add: types, extensions, references and scores of answers.
//!
//! Source: FHIR R4 §2.9.1.5; SDC, `weight`.

use super::super::ast::{Member, TypeName};
use super::super::collection::Collection;
use super::super::evaluator::Evaluated;
use super::super::function_name::Function as F;
use super::super::node::Node;
use super::super::operators::one;
use super::super::type_test;
use super::super::types;
use super::super::value::Value;
use super::super::written::Written;
use super::super::{error::EvaluationError, navigate};
use super::Calling;
use rust_decimal::Decimal;
use serde_json::Value as Json;

const STRUCTURE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Where a score may stand on a coded answer.
const WEIGHT_EXTENSIONS: [&str; 3] = [
    "http://hl7.org/fhir/StructureDefinition/itemWeight",
    "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-ordinalValue",
];

pub(super) fn call<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    match (calling.call.function, &calling.call.type_name) {
        (F::Is, Some(type_name)) => Ok(type_test::is(&input, type_name)?.into()),
        (F::As, Some(type_name)) => type_test::as_type(input, type_name),
        (F::Type, _) => Ok(input
            .iter()
            .map(|value| Value::Type { namespace: value.type_namespace(), name: value.type_name() })
            .collect()),
        (F::ConformsTo, _) => conforms(calling, &input),
        (F::Trace, _) => Ok(input),
        (F::DefineVariable, _) => define(calling, input),
        (F::Extension, _) => extension(calling, &input),
        (F::HasValue, _) => Ok(match input.values() {
            [Value::Node(node)] => node.primitive().is_some(),
            [_] => true,
            _ => false,
        }
        .into()),
        (F::GetValue, _) => Ok(match input.values() {
            [Value::Node(node)] => node.primitive().into(),
            [_] => input,
            _ => Collection::empty(),
        }),
        (F::Resolve, _) => resolve(calling, &input),
        _ => weights(calling, &input),
    }
}

/// Only the types of FHIR itself are known, not profiles.
fn conforms<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let (Some(value), Some(url)) = (one(input, calling.place)?, calling.text_argument(0)?) else {
        return Ok(Collection::empty());
    };
    let name = url.strip_prefix(STRUCTURE).filter(|name| types::is_resource_name(name));
    let name = name.ok_or_else(|| calling.unknown(&url))?.to_owned();
    let type_name = TypeName { namespace: super::super::ast::Namespace::Fhir, name };
    Ok(type_test::is(&value.clone().into(), &type_name)?.into())
}

fn define<'d>(calling: &Calling<'_, '_, 'd>, input: Collection<'d>) -> Evaluated<'d> {
    let Some(name) = calling.text_argument(0)? else {
        return Err(EvaluationError::WrongType {
            place: calling.place,
            expected: "a name",
            found: "nothing".to_owned(),
        });
    };
    let value = match calling.expression(1) {
        // The value sees what the function is called on as $this.
        Some(expr) => {
            let scope = super::Scope { this: &input, ..calling.scope };
            calling.evaluator.evaluate(expr, scope)?
        }
        None => input.clone(),
    };
    calling.evaluator.define(name.into_owned(), value)?;
    Ok(input)
}

fn extension<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let Some(url) = calling.text_argument(0)? else { return Ok(Collection::empty()) };
    let member = Member { name: "extension".to_owned(), sibling: String::new() };
    let mut found = Collection::empty();
    for node in input.iter().filter_map(Value::node) {
        navigate::member(node, &member, false, &calling.evaluator.budget, &mut found)?;
    }
    Ok(found
        .into_iter()
        .filter(|value| value.node().and_then(|node| node.map()?.get("url")?.as_str()) == Some(&*url))
        .collect())
}

/// References into the resource's own `contained`; there is nothing else to look in.
fn resolve<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let root = calling.evaluator.environment.resource;
    let contained = root.and_then(|node| node.written()?.field("contained"));
    let Some(contained) = contained.filter(|list| list.json.is_array()) else {
        return Ok(Collection::empty());
    };
    let mut found = Collection::empty();
    for value in input {
        let text;
        let reference = match value.node().and_then(Node::map) {
            Some(map) => map.get("reference").and_then(Json::as_str),
            None => {
                text = value.text();
                text.as_deref()
            }
        };
        let Some(id) = reference.and_then(|reference| reference.strip_prefix('#')) else { continue };
        if let Some(found_there) = contained_with(calling, contained, id)? {
            found.push(Value::Node(Node::resource(found_there.json).with_digits(found_there.digits)));
        }
    }
    Ok(found)
}

fn contained_with<'d>(
    calling: &Calling<'_, '_, 'd>,
    contained: Written<'d>,
    id: &str,
) -> Result<Option<Written<'d>>, EvaluationError> {
    for resource in contained.elements() {
        let other = resource.json.get("id").and_then(Json::as_str).unwrap_or_default();
        // Texts of other lengths are told apart at once.
        calling.evaluator.budget.read(if other.len() == id.len() { id.len() } else { 0 })?;
        if other == id {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

/// The score of each answer. An answer to a scored question that has none is missing, not zero: it stands
/// there as a number without a value, so that a sum over it has none either.
fn weights<'d>(calling: &Calling<'_, '_, 'd>, input: &Collection<'d>) -> Evaluated<'d> {
    let mut found = Collection::empty();
    for node in input.iter().filter_map(Value::node) {
        let holders = [holder_of(node), coding_of(node)].into_iter().flatten();
        let extensions = holders.filter_map(|holder| holder.json.get("extension")?.as_array());
        let form = calling.evaluator.environment.weights;
        let options = form.map_or(0, |form| form.options_looked_through(node.link_id()));
        calling.evaluator.budget.take(extensions.map(Vec::len).sum())?;
        calling.evaluator.budget.take(options)?;
        match weight(calling, node) {
            Some(weight) => found.push(Value::Decimal(weight)),
            None if is_scored(calling, node) => found.push(Value::Node(Node::without_value(node))),
            None => {}
        }
    }
    Ok(found)
}

/// Whether an answer should have a score. The form says it of the question; without a form every coded
/// answer should.
fn is_scored(calling: &Calling<'_, '_, '_>, node: &Node<'_>) -> bool {
    match calling.evaluator.environment.weights {
        Some(form) => {
            let may_answer =
                matches!(node.type_name(), "QuestionnaireResponse.item.answer" | "Coding" | "string");
            (may_answer || node.json.is_none()) && form.is_scored(node.link_id())
        }
        None => {
            let holds_coding = node.map().is_some_and(|map| map.contains_key("valueCoding"));
            node.json.is_none() || node.type_name() == "Coding" || holds_coding
        }
    }
}

/// An answer or an option, or a coding itself.
fn holder_of<'d>(node: &Node<'d>) -> Option<Written<'d>> {
    node.written().filter(|holder| holder.json.is_object())
}

/// Of an answer or an option, the coding; or the coding itself.
fn coding_of<'d>(node: &Node<'d>) -> Option<Written<'d>> {
    let holder = holder_of(node)?;
    Some(holder.field("valueCoding").filter(|coding| coding.json.is_object()).unwrap_or(holder))
}

fn extensions_of<'d>(holder: Written<'d>) -> impl Iterator<Item = Written<'d>> {
    holder.field("extension").into_iter().flat_map(Written::elements)
}

fn weight(calling: &Calling<'_, '_, '_>, node: &Node<'_>) -> Option<Decimal> {
    let (holder, coding) = (holder_of(node)?, coding_of(node)?);
    let carried = [holder, coding].into_iter().find_map(|holder| {
        extensions_of(holder).find_map(|extension| {
            let url = extension.json.get("url")?.as_str()?;
            let value = extension.field("valueDecimal").or_else(|| extension.field("valueInteger"))?;
            if WEIGHT_EXTENSIONS.contains(&url) { value.number() } else { None }
        })
    });
    carried.or_else(|| {
        let text = |name: &str| coding.json.get(name).and_then(Json::as_str);
        let hook = calling.evaluator.environment.weights?;
        hook.weight(node.link_id(), text("system"), text("code")?)
    })
}
