//! Properties over generated forms, answers and bytes.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ward_forms::{
    AnswerValue, Answering, FindingCode, ItemType, QuestionStep, Questionnaire, QuestionnaireResponse, lint,
    score_symptoms, validate,
};

const DIARY: &[u8] = include_bytes!("../../../../../testdata/instruments/ward-symptom-diary.json");

/// What a generated item is and on what it depends.
#[derive(Debug, Clone)]
struct Plan {
    kind: u8,
    /// How many levels to go up before hanging this item.
    up: u8,
    required: bool,
    repeats: bool,
    any: bool,
    conditions: Vec<(u16, u8, u8)>,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan = (
        0_u8..6,
        0_u8..4,
        any::<bool>(),
        prop::bool::weighted(0.3),
        any::<bool>(),
        prop::collection::vec((any::<u16>(), 0_u8..7, 0_u8..3), 0..3),
    )
        .prop_map(|(kind, up, required, repeats, any, conditions)| Plan {
            kind,
            up,
            required,
            repeats,
            any,
            conditions,
        });
    prop::collection::vec(plan, 1..16)
}

const KINDS: [&str; 6] = ["group", "boolean", "integer", "string", "choice", "group"];
const OPERATORS: [&str; 7] = ["exists", "=", "!=", ">", "<", ">=", "<="];

/// A form in which conditions look at earlier items only, so that it has no loops.
fn build_form(plans: &[Plan], may_repeat: bool) -> Value {
    let mut parents: Vec<Option<usize>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        for _ in 0..plan.up {
            open.pop();
        }
        open.truncate(5);
        parents.push(open.last().copied());
        open.push(index);
    }
    let nodes: Vec<Value> = plans
        .iter()
        .enumerate()
        .map(|(index, plan)| {
            let kind = KINDS[usize::from(plan.kind)];
            let conditions: Vec<Value> = plan
                .conditions
                .iter()
                .filter(|_| index > 0)
                .map(|(target, operator, value)| condition(plans, usize::from(*target) % index, *operator, *value))
                .collect();
            let mut item = json!({"linkId": format!("i{index}"), "type": kind, "text": "T",
                "required": plan.required, "repeats": plan.repeats && may_repeat});
            if kind == "choice" {
                item["answerOption"] =
                    json!([{"valueCoding": {"code": "0"}}, {"valueCoding": {"code": "1"}}, {"valueCoding": {"code": "2"}}]);
            }
            if !conditions.is_empty() {
                item["enableWhen"] = Value::Array(conditions);
                item["enableBehavior"] = json!(if plan.any { "any" } else { "all" });
            }
            item
        })
        .collect();
    json!({"resourceType": "Questionnaire", "url": "u", "status": "active", "item": level(&nodes, &parents, None)})
}

fn level(nodes: &[Value], parents: &[Option<usize>], parent: Option<usize>) -> Vec<Value> {
    (0..nodes.len())
        .filter(|index| parents[*index] == parent)
        .map(|index| {
            let mut item = nodes[index].clone();
            let below = level(nodes, parents, Some(index));
            if !below.is_empty() {
                item["item"] = Value::Array(below);
            }
            item
        })
        .collect()
}

fn condition(plans: &[Plan], target: usize, operator: u8, value: u8) -> Value {
    let operator = OPERATORS[usize::from(operator)];
    let mut condition = json!({"question": format!("i{target}"), "operator": operator});
    let (field, answer) = match (operator, KINDS[usize::from(plans[target].kind)]) {
        ("exists", _) => ("answerBoolean", json!(value > 0)),
        (_, "integer") => ("answerInteger", json!(value)),
        (_, "string") => ("answerString", json!(value.to_string())),
        (_, "choice") => ("answerCoding", json!({"code": value.to_string()})),
        _ => ("answerBoolean", json!(value > 0)),
    };
    condition[field] = answer;
    condition
}

fn value_for(step: &QuestionStep, choice: u8) -> AnswerValue {
    match step.item_type {
        ItemType::Boolean => AnswerValue::Boolean(choice.is_multiple_of(2)),
        ItemType::Integer => AnswerValue::Integer(i32::from(choice % 4)),
        ItemType::Choice => step.options[usize::from(choice) % step.options.len()].value.clone(),
        _ => AnswerValue::text((choice % 3).to_string()),
    }
}

/// Does random things to a session, then answers what is still owed.
fn act(answering: &mut Answering, actions: &[(u8, u16, u8)]) {
    for (action, place, choice) in actions {
        let questions = answering.questions();
        let Some(step) = questions.get(usize::from(*place) % questions.len().max(1)) else {
            return;
        };
        match action {
            0 => drop(answering.back()),
            1 => drop(answering.clear(&step.path)),
            2 => drop(answering.skip(&step.path)),
            3 => {
                let group = step.path.steps().split_last().map(|(_, head)| head.to_vec());
                let group = ward_forms::ItemPath::from_steps(group.unwrap());
                drop(answering.add_instance(&group));
            }
            4 if step.repeats => {
                let values = vec![value_for(step, *choice), value_for(step, choice.wrapping_add(1))];
                answering.answer_all(&step.path, values).unwrap();
            }
            _ => answering.answer(&step.path, value_for(step, *choice)).unwrap(),
        }
    }
    // Each round settles one question; answers may open more, but never endlessly.
    for round in 0..10_000_u32 {
        let Some(step) = answering.next_question() else {
            return;
        };
        answering.answer(&step.path, value_for(&step, u8::try_from(round % 251).unwrap())).unwrap();
    }
    panic!("the form never ends");
}

fn actions() -> impl Strategy<Value = Vec<(u8, u16, u8)>> {
    prop::collection::vec((0_u8..10, any::<u16>(), any::<u8>()), 0..30)
}

/// A second, plain reading of the skip logic for forms without repetition: walks
/// the JSON again and again until nothing changes.
fn plainly_enabled(form: &Value, answers: &BTreeMap<String, Value>) -> BTreeMap<String, bool> {
    let mut flat: Vec<(String, Value, Option<String>)> = Vec::new();
    flatten(form, None, &mut flat);
    let mut on: BTreeMap<String, bool> = flat.iter().map(|(id, _, _)| (id.clone(), true)).collect();
    loop {
        let next: BTreeMap<String, bool> = flat
            .iter()
            .map(|(id, item, parent)| {
                let above = parent.as_ref().is_none_or(|parent| on[parent]);
                let list = item["enableWhen"].as_array().cloned().unwrap_or_default();
                let mut holds = list.iter().map(|when| {
                    let question = when["question"].as_str().unwrap();
                    plainly_holds(when, answers.get(question).filter(|_| on[question]))
                });
                let own = if list.is_empty() {
                    true
                } else if item["enableBehavior"] == "any" {
                    holds.any(|holds| holds)
                } else {
                    holds.all(|holds| holds)
                };
                (id.clone(), above && own)
            })
            .collect();
        if next == on {
            return on;
        }
        on = next;
    }
}

fn flatten(holder: &Value, parent: Option<&str>, flat: &mut Vec<(String, Value, Option<String>)>) {
    for item in holder["item"].as_array().into_iter().flatten() {
        let id = item["linkId"].as_str().unwrap();
        flat.push((id.to_owned(), item.clone(), parent.map(str::to_owned)));
        flatten(item, Some(id), flat);
    }
}

fn plainly_holds(when: &Value, answer: Option<&Value>) -> bool {
    let operator = when["operator"].as_str().unwrap();
    let (_, asked) = when.as_object().unwrap().iter().find(|(key, _)| key.starts_with("answer")).unwrap();
    let key = |value: &Value| match value {
        Value::Object(map) => map.get("code").map(Value::to_string).unwrap_or_default(),
        other => other.to_string(),
    };
    match (operator, answer) {
        ("exists", answer) => asked == &json!(answer.is_some()),
        ("!=", None) => true,
        (_, None) => false,
        ("=", Some(answer)) => key(answer) == key(asked),
        ("!=", Some(answer)) => key(answer) != key(asked),
        (_, Some(answer)) => {
            let order = match (answer, asked) {
                (Value::Number(left), Value::Number(right)) => left.as_i64().cmp(&right.as_i64()),
                (Value::String(left), Value::String(right)) => left.cmp(right),
                _ => return false,
            };
            match operator {
                ">" => order.is_gt(),
                "<" => order.is_lt(),
                ">=" => order.is_ge(),
                _ => order.is_le(),
            }
        }
    }
}

fn collect_answers(holder: &Value, found: &mut BTreeMap<String, Value>) {
    for item in holder["item"].as_array().into_iter().flatten() {
        collect_answers(item, found);
        for answer in item["answer"].as_array().into_iter().flatten() {
            collect_answers(answer, found);
            let value = answer.as_object().unwrap().iter().find(|(key, _)| key.starts_with("value"));
            found.insert(item["linkId"].as_str().unwrap().to_owned(), value.unwrap().1.clone());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a person does, a finished response has no finding, and a draft
    /// that went to disk and back finishes the same.
    #[test]
    fn random_answers_never_give_an_inconsistent_response(plans in plans(), actions in actions()) {
        let json = serde_json::to_vec(&build_form(&plans, true)).unwrap();
        let form = Questionnaire::parse(&json).unwrap();
        let mut answering = Answering::new(form.clone());
        act(&mut answering, &actions);
        let finished = answering.finish(Some("2026-03-01"));
        // Questions in an instance that vanished because it was empty may come to
        // be owed; then finishing says so and nothing else.
        let done = match finished {
            Ok(done) => done,
            Err(findings) => {
                prop_assert!(findings.iter().all(|f| f.code == FindingCode::Required), "{findings:?}");
                return Ok(());
            }
        };
        prop_assert_eq!(validate(&form, &done), []);
        let again = QuestionnaireResponse::parse(&done.to_json()).unwrap();
        prop_assert_eq!(&again, &done);
        let draft = QuestionnaireResponse::parse(&answering.draft().to_json()).unwrap();
        let resumed = Answering::resume(form, draft).finish(Some("2026-03-01")).unwrap();
        prop_assert_eq!(resumed.to_value(), done.to_value());
    }

    /// Without repetition a second, plain reading of the skip logic agrees on
    /// every item.
    #[test]
    fn a_plain_reading_of_the_skip_logic_agrees(plans in plans(), actions in actions()) {
        let value = build_form(&plans, false);
        let form = Questionnaire::parse(&serde_json::to_vec(&value).unwrap()).unwrap();
        let mut answering = Answering::new(form.clone());
        act(&mut answering, &actions);
        let mut draft = BTreeMap::new();
        collect_answers(&answering.draft().to_value(), &mut draft);
        let on = plainly_enabled(&value, &draft);
        for step in answering.questions() {
            prop_assert!(on[&step.link_id], "{} is asked but should be off", step.link_id);
        }
        let done = answering.finish(None);
        let done = done.map_err(|findings| TestCaseError::fail(format!("{findings:?}")))?;
        let mut kept = BTreeMap::new();
        collect_answers(&done.to_value(), &mut kept);
        let expected: BTreeMap<_, _> = draft.into_iter().filter(|(id, _)| on[id]).collect();
        prop_assert_eq!(kept, expected);
    }

    /// The diary, answered at random, always finishes and always scores.
    #[test]
    fn the_diary_always_finishes(actions in actions()) {
        let form = Questionnaire::parse(DIARY).unwrap();
        let mut answering = Answering::new(form.clone());
        act(&mut answering, &actions);
        let done = answering.finish(None).map_err(|f| TestCaseError::fail(format!("{f:?}")))?;
        prop_assert_eq!(validate(&form, &done), []);
        prop_assert_eq!(score_symptoms(&form, &done).len(), 9);
    }

    /// No bytes make it panic.
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Questionnaire::parse(&bytes));
        drop(QuestionnaireResponse::parse(&bytes));
    }

    /// Damaged forms and responses are read or refused; whatever is read can be
    /// linted, validated, answered and scored.
    #[test]
    fn damaged_documents_are_answered(
        plans in plans(),
        actions in actions(),
        damage in prop::collection::vec((any::<u16>(), 0_u8..9), 1..6),
    ) {
        let form_value = build_form(&plans, true);
        let form = Questionnaire::parse(&serde_json::to_vec(&form_value).unwrap()).unwrap();
        let mut answering = Answering::new(form.clone());
        act(&mut answering, &actions);
        let response_value = answering.draft().to_value();
        let damaged_form = Questionnaire::parse(&serde_json::to_vec(&damaged(form_value, &damage)).unwrap());
        let damaged_response =
            QuestionnaireResponse::parse(&serde_json::to_vec(&damaged(response_value, &damage)).unwrap());
        let forms = [Some(form), damaged_form.ok()];
        for form in forms.into_iter().flatten() {
            drop(lint(&form));
            if let Ok(response) = &damaged_response {
                drop(validate(&form, response));
                drop(score_symptoms(&form, response));
                let answering = Answering::resume(form.clone(), response.clone());
                drop(answering.next_question());
                if let Ok(done) = answering.finish(None) {
                    prop_assert!(validate(&form, &done).iter().all(|finding| !finding.is_error()));
                }
            }
        }
    }
}

/// Replaces some parts of a document by other kinds of value.
fn damaged(mut value: Value, damage: &[(u16, u8)]) -> Value {
    let other = [
        json!(null),
        json!(-1),
        json!("i0"),
        json!([]),
        json!({}),
        json!(true),
        json!(1e300),
        json!([{}]),
        json!([{"linkId": "i0", "answer": [{"valueCode": "x"}]}]),
    ];
    for (place, kind) in damage {
        let mut count = usize::from(*place) % 97;
        replace(&mut value, &mut count, &other[usize::from(*kind)]);
    }
    value
}

fn replace(value: &mut Value, count: &mut usize, other: &Value) -> bool {
    if *count == 0 {
        *value = other.clone();
        return true;
    }
    *count -= 1;
    match value {
        Value::Array(list) => list.iter_mut().any(|value| replace(value, count, other)),
        Value::Object(map) => map.values_mut().any(|value| replace(value, count, other)),
        _ => false,
    }
}
