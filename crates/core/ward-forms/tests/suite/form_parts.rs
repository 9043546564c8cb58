//! Parts of forms for tests.

use serde_json::{Value, json};
use ward_forms::{Answering, ItemPath, Questionnaire, QuestionnaireResponse};

pub const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
pub const SDC: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-";

pub fn form(items: Value) -> Questionnaire {
    let value = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active", "item": items});
    Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap()
}

fn formula(name: &str, text: &str) -> Value {
    json!({"url": format!("{SDC}{name}"), "valueExpression": {"language": "text/fhirpath", "expression": text}})
}

pub fn calculated(text: &str) -> Value {
    formula("calculatedExpression", text)
}

pub fn enabled(text: &str) -> Value {
    formula("enableWhenExpression", text)
}

pub fn initial(text: &str) -> Value {
    formula("initialExpression", text)
}

pub fn item(link_id: &str, kind: &str, extension: Value) -> Value {
    json!({"linkId": link_id, "type": kind, "text": link_id, "extension": extension})
}

/// The item with one more field.
pub fn with(mut item: Value, field: &str, value: Value) -> Value {
    item[field] = value;
    item
}

pub fn required(item: Value) -> Value {
    with(item, "required", json!(true))
}

pub fn locked(item: Value) -> Value {
    with(item, "readOnly", json!(true))
}

pub fn min_occurs(count: u64) -> Value {
    json!({"url": format!("{BASE}questionnaire-minOccurs"), "valueInteger": count})
}

/// The answers to a question at the top.
pub fn of(link_id: &str) -> String {
    format!("%resource.item.where(linkId='{link_id}').answer.value")
}

pub fn top(link_id: &str) -> ItemPath {
    ItemPath::top(link_id)
}

/// A draft as it comes back from where it was put away.
pub fn put_away(answering: &Answering) -> QuestionnaireResponse {
    QuestionnaireResponse::parse(&answering.draft().to_json()).unwrap()
}
