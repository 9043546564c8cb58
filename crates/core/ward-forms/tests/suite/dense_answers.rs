//! Dense answers: what goes in comes out byte for byte, and nothing that is foreign gets in.

use proptest::prelude::*;
use serde_json::{Value, json};
use ward_forms::limits::{MAX_DENSE_ANSWERS, MAX_DENSE_BYTES};
use ward_forms::{
    AnswerValue, DenseError, Questionnaire, QuestionnaireResponse, ResponseStatus, decode_answers,
    encode_answers,
};

const TYPES: [&str; 14] = [
    "group",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
    "quantity",
    "group",
];

fn form_of(items: &Value) -> Questionnaire {
    let form = json!({"resourceType": "Questionnaire", "url": "https://example.org/f", "version": "2",
        "status": "active", "item": items});
    Questionnaire::parse(&serde_json::to_vec(&form).unwrap()).unwrap()
}

fn response_of(items: &Value) -> QuestionnaireResponse {
    let mut response = json!({"resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/f|2", "status": "completed"});
    if items.as_array().is_some_and(|items| !items.is_empty()) {
        response["item"] = items.clone();
    }
    QuestionnaireResponse::parse(&serde_json::to_vec(&response).unwrap()).unwrap()
}

fn dense(form: &Questionnaire, response: &QuestionnaireResponse) -> Option<Vec<u8>> {
    let bytes = encode_answers(form, ResponseStatus::Completed, response)?;
    let back = decode_answers(form, ResponseStatus::Completed, &bytes).unwrap();
    assert_eq!(back.to_json(), response.to_json());
    Some(bytes)
}

fn read(form: &Questionnaire, bytes: &[u8]) -> Result<QuestionnaireResponse, DenseError> {
    decode_answers(form, ResponseStatus::Completed, bytes)
}

/// What a generated item is.
#[derive(Debug, Clone)]
struct Plan {
    kind: usize,
    /// How many levels to go up before hanging this item.
    up: u8,
    options: u8,
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let plan = (0..TYPES.len(), 0_u8..4, 0_u8..5).prop_map(|(kind, up, options)| Plan { kind, up, options });
    prop::collection::vec(plan, 1..20)
}

fn coding(place: u8) -> Value {
    json!({"system": "https://example.org/s", "code": place.to_string(), "display": format!("Answer {place}")})
}

fn options(kind: &str, count: u8) -> Vec<Value> {
    let one = |place: u8| match kind {
        "integer" => Some(json!({"valueInteger": place * 7})),
        "date" => Some(json!({"valueDate": format!("2026-01-0{}", place + 1)})),
        // Two of them are equal.
        "string" => Some(json!({"valueString": format!("words {}", place / 2)})),
        "choice" | "open-choice" => Some(json!({"valueCoding": coding(place)})),
        _ => None,
    };
    (0..count).filter_map(one).collect()
}

/// Items below items, in the order of the plans.
fn items(plans: &[Plan]) -> Vec<Value> {
    let mut parents: Vec<Option<usize>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        open.truncate(open.len().saturating_sub(usize::from(plan.up)));
        open.truncate(5);
        parents.push(open.last().copied());
        open.push(index);
    }
    fn level(plans: &[Plan], parents: &[Option<usize>], parent: Option<usize>) -> Vec<Value> {
        let below = (0..plans.len()).filter(|index| parents[*index] == parent);
        below
            .map(|index| {
                let kind = TYPES[plans[index].kind];
                let mut item = json!({"linkId": format!("i{index}"), "type": kind, "repeats": true});
                for (field, list) in [
                    ("answerOption", options(kind, plans[index].options)),
                    ("item", level(plans, parents, Some(index))),
                ] {
                    if !list.is_empty() {
                        item[field] = Value::Array(list);
                    }
                }
                item
            })
            .collect()
    }
    level(plans, &parents, None)
}

/// Choices, used up one by one and then begun again.
struct Choices<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Choices<'_> {
    fn next(&mut self, below: u8) -> u8 {
        self.0.next().unwrap() % below
    }
}

fn value(item: &Value, choices: &mut Choices<'_>) -> (String, Value) {
    let offered = item["answerOption"].as_array().cloned().unwrap_or_default();
    if !offered.is_empty() && choices.next(4) > 0 {
        let option = &offered[usize::from(choices.next(u8::try_from(offered.len()).unwrap()))];
        let (field, value) = option.as_object().unwrap().iter().next().unwrap();
        return (field.clone(), value.clone());
    }
    let number = choices.next(250);
    let fitting = match item["type"].as_str().unwrap() {
        "boolean" => 0,
        "decimal" => 1,
        "integer" => 2,
        "date" => 3,
        "dateTime" => 4,
        "time" => 5,
        "url" => 7,
        "quantity" => 9,
        _ => 6,
    };
    // Now and then a value of another type than the item's.
    let kind = if choices.next(6) == 0 { choices.next(10) } else { fitting };
    let (field, value) = match kind {
        0 => ("valueBoolean", json!(number > 100)),
        1 => (
            "valueDecimal",
            [json!(36.6), json!(-0.5), json!(7), json!(1e300)][usize::from(number % 4)].clone(),
        ),
        2 => ("valueInteger", json!(i64::from(number) - 20)),
        3 => ("valueDate", json!("2026-03")),
        4 => ("valueDateTime", json!("2026-03-01T08:00:00+01:00")),
        5 => ("valueTime", json!("08:00:00")),
        6 => ("valueString", json!(format!("wörter \"{number}\"\n"))),
        7 => ("valueUri", json!("urn:x")),
        8 => ("valueCoding", json!({"version": "1", "code": number.to_string()})),
        _ => ("valueQuantity", json!({"value": 1.5, "unit": "kg", "system": "u", "code": "kg"})),
    };
    (field.to_owned(), value)
}

fn answered(form: &[Value], choices: &mut Choices<'_>) -> Vec<Value> {
    let mut out = Vec::new();
    for item in form {
        let is_group = item["type"] == "group";
        let instances = match choices.next(6) {
            0 | 1 => 0,
            5 if is_group => 1 + choices.next(3),
            _ => 1,
        };
        for _ in 0..instances {
            let below = item["item"].as_array().cloned().unwrap_or_default();
            let mut one = json!({"linkId": item["linkId"]});
            let (field, list) = if is_group {
                ("item", answered(&below, choices))
            } else {
                let count = [1, 1, 1, 1, 0, 2, 3][usize::from(choices.next(7))];
                ("answer", (0..count).map(|_| answer(item, &below, choices)).collect())
            };
            if !list.is_empty() {
                one[field] = Value::Array(list);
            }
            out.push(one);
        }
    }
    out
}

fn answer(item: &Value, below: &[Value], choices: &mut Choices<'_>) -> Value {
    let mut out = json!({});
    if choices.next(12) > 0 {
        let (field, value) = value(item, choices);
        out[field] = value;
    }
    let nested = answered(below, choices);
    if !nested.is_empty() {
        out["item"] = Value::Array(nested);
    }
    out
}

fn generated(plans: &[Plan], choices: &[u8]) -> (Questionnaire, Value) {
    let items = items(plans);
    let answers = answered(&items, &mut Choices(choices.iter().cycle()));
    (form_of(&Value::Array(items)), Value::Array(answers))
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..200)
}

/// Changes a few bytes: sets, inserts, removes.
fn damaged(bytes: &[u8], damage: &[(u16, u8, u8)]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (at, kind, byte) in damage {
        let at = usize::from(*at) % out.len().max(1);
        match kind {
            0 if !out.is_empty() => drop(out.remove(at)),
            1 => out.insert(at, *byte),
            _ if !out.is_empty() => out[at] = *byte,
            _ => {}
        }
    }
    out
}

/// Whatever is accepted has one spelling and is a response that can be read as JSON.
fn check_accepted(form: &Questionnaire, bytes: &[u8]) -> bool {
    let Ok(response) = read(form, bytes) else { return false };
    assert_eq!(encode_answers(form, ResponseStatus::Completed, &response).as_deref(), Some(bytes));
    assert_eq!(QuestionnaireResponse::parse(&response.to_json()).unwrap(), response);
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Everything that a form asks for has a dense form, and comes back byte for byte.
    #[test]
    fn responses_come_back(plans in plans(), choices in choices(), head in 0_u8..8) {
        let (form, answers) = generated(&plans, &choices);
        let mut response = response_of(&answers);
        if head & 1 > 0 {
            response.set_authored("2026-03-01T09:30:00Z");
        }
        if head & 2 > 0 {
            response.set_status(ResponseStatus::Amended);
        }
        if head & 4 > 0 {
            let mut value = response.to_value();
            value.as_object_mut().unwrap().shift_remove("questionnaire");
            response = QuestionnaireResponse::parse(&serde_json::to_vec(&value).unwrap()).unwrap();
        }
        let bytes = dense(&form, &response);
        prop_assert!(bytes.is_some(), "{}", response.to_value());
        let bytes = bytes.unwrap();
        prop_assert!(bytes.len() < response.to_json().len());
        prop_assert!(check_accepted(&form, &bytes));
        // Every cut and every byte more is refused.
        for end in 0..bytes.len() {
            prop_assert!(read(&form, &bytes[..end]).is_err());
        }
        prop_assert!(read(&form, &[bytes.as_slice(), &[0xf6]].concat()).is_err());
    }

    /// A response that says anything else is dense only if it comes back all the same.
    #[test]
    fn odd_responses_come_back_or_are_not_dense(
        plans in plans(),
        choices in choices(),
        place in any::<u16>(),
        field in prop::sample::select(vec!["text", "extension", "definition", "answer", "item", "id"]),
    ) {
        let (form, mut answers) = generated(&plans, &choices);
        let list = answers.as_array_mut().unwrap();
        prop_assume!(!list.is_empty());
        let at = usize::from(place) % list.len();
        list[at][field] = if matches!(field, "answer" | "item" | "extension") { json!([]) } else { json!("x") };
        let half = list.len() / 2;
        list[half..].reverse();
        // The helper checks that it comes back.
        drop(dense(&form, &response_of(&answers)));
    }

    /// Any bytes are answered, and whatever is accepted has one spelling.
    #[test]
    fn any_bytes_are_answered(plans in plans(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let form = form_of(&Value::Array(items(&plans)));
        check_accepted(&form, &bytes);
        check_accepted(&form, &[&[0xa1, 0x00], bytes.as_slice()].concat());
    }

    /// The same for bytes that once were good, read with the right form and with another one.
    #[test]
    fn damaged_bytes_are_answered(
        plans in plans(),
        others in plans(),
        choices in choices(),
        damage in prop::collection::vec((any::<u16>(), 0_u8..4, any::<u8>()), 0..4),
    ) {
        let (form, answers) = generated(&plans, &choices);
        let bytes = dense(&form, &response_of(&answers)).unwrap();
        let bytes = damaged(&bytes, &damage);
        check_accepted(&form, &bytes);
        check_accepted(&form_of(&Value::Array(items(&others))), &bytes);
    }
}

fn small_form() -> Questionnaire {
    form_of(&json!([
        {"linkId": "a", "type": "integer"},
        {"linkId": "b", "type": "choice", "answerOption": [{"valueCoding": coding(0)}, {"valueCoding": coding(1)}]},
        {"linkId": "c", "type": "group", "repeats": true, "item": [{"linkId": "d", "type": "string"}]},
        {"linkId": "e", "type": "boolean"},
        {"linkId": "f", "type": "decimal"},
    ]))
}

#[test]
fn every_foreign_spelling_is_refused() {
    let form = small_form();
    assert!(read(&form, &[0xa1, 0x00, 0x85, 0x03, 0x01, 0x81, 0x61, 0x78, 0xf5, 0x61, 0x37]).is_ok());
    let cases: &[(&str, &[u8], DenseError)] = &[
        ("nothing", &[], DenseError::Malformed),
        ("no items", &[0xa0], DenseError::Malformed),
        ("an unknown field", &[0xa2, 0x00, 0x80, 0x04, 0xf5], DenseError::Malformed),
        ("a field twice", &[0xa2, 0x00, 0x80, 0x00, 0x80], DenseError::NotCanonical),
        ("fields out of order", &[0xa2, 0x01, 0x61, 0x78, 0x00, 0x80], DenseError::NotCanonical),
        ("a byte more", &[0xa1, 0x00, 0x80, 0x00], DenseError::Malformed),
        ("a long number", &[0xa1, 0x00, 0x81, 0x18, 0x03], DenseError::NotCanonical),
        ("an indefinite list", &[0xa1, 0x00, 0x9f, 0x03, 0xff], DenseError::Malformed),
        ("the implied status", &[0xa2, 0x00, 0x80, 0x02, 0x02], DenseError::NotCanonical),
        ("no such status", &[0xa2, 0x00, 0x80, 0x02, 0x06], DenseError::Malformed),
        ("named and said so", &[0xa2, 0x00, 0x80, 0x03, 0xf4], DenseError::NotCanonical),
        ("a sixth item", &[0xa1, 0x00, 0x82, 0x24, 0x03], DenseError::NoSuchItem),
        ("a gap to the end", &[0xa1, 0x00, 0x81, 0x24], DenseError::NotCanonical),
        (
            "a gap beyond the end",
            &[0xa1, 0x00, 0x81, 0x3b, 127, 255, 255, 255, 255, 255, 255, 255],
            DenseError::NoSuchItem,
        ),
        (
            "a gap of 65 bits",
            &[0xa1, 0x00, 0x81, 0x3b, 255, 255, 255, 255, 255, 255, 255, 255],
            DenseError::Malformed,
        ),
        ("two gaps", &[0xa1, 0x00, 0x83, 0x20, 0x21, 0xf5], DenseError::NotCanonical),
        ("again at the start", &[0xa1, 0x00, 0x82, 0xf6, 0x03], DenseError::WrongType),
        ("again and nothing", &[0xa1, 0x00, 0x82, 0x03, 0xf6], DenseError::NoSuchItem),
        ("again and a gap", &[0xa1, 0x00, 0x83, 0x03, 0xf6, 0x20], DenseError::WrongType),
        ("a third option of two", &[0xa1, 0x00, 0x82, 0x20, 0x02], DenseError::NoSuchOption),
        ("a list for a number", &[0xa1, 0x00, 0x81, 0x81, 0x03], DenseError::NotCanonical),
        (
            "a typed number that needs no type",
            &[0xa1, 0x00, 0x81, 0xa1, 0x03, 0x03],
            DenseError::NotCanonical,
        ),
        ("two values", &[0xa1, 0x00, 0x81, 0xa2, 0x03, 0x20, 0x08, 0x61, 0x78], DenseError::NotCanonical),
        ("a type that is none", &[0xa1, 0x00, 0x81, 0xa1, 0x0c, 0x61, 0x78], DenseError::WrongType),
        ("a number of 33 bits", &[0xa1, 0x00, 0x81, 0x1a, 0x80, 0, 0, 0], DenseError::WrongType),
        ("words for a number", &[0xa1, 0x00, 0x81, 0x61, 0x78], DenseError::WrongType),
        ("a number for yes or no", &[0xa1, 0x00, 0x82, 0x22, 0x01], DenseError::WrongType),
        ("yes for a group", &[0xa1, 0x00, 0x82, 0x21, 0xf5], DenseError::Malformed),
        ("words for a decimal", &[0xa1, 0x00, 0x82, 0x23, 0x61, 0x78], DenseError::WrongType),
        ("a decimal with a blank", &[0xa1, 0x00, 0x82, 0x23, 0x62, 0x20, 0x37], DenseError::NotCanonical),
        ("bytes that are no text", &[0xa1, 0x00, 0x82, 0x21, 0x81, 0x61, 0xff], DenseError::Malformed),
    ];
    for (what, bytes, error) in cases {
        assert_eq!(read(&form, bytes), Err(*error), "{what}");
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let form = form_of(
        &json!([{"linkId": "a", "type": "boolean", "repeats": true}, {"linkId": "t", "type": "text"}]),
    );
    let answers = |count: usize| {
        let answers: Vec<Value> = (0..count).map(|_| json!({"valueBoolean": true})).collect();
        response_of(&json!([{"linkId": "a", "answer": answers}]))
    };
    let bytes = dense(&form, &answers(MAX_DENSE_ANSWERS)).unwrap();
    assert_eq!(dense(&form, &answers(MAX_DENSE_ANSWERS + 1)), None);
    let at = u16::try_from(MAX_DENSE_ANSWERS).unwrap().to_be_bytes();
    let past = u16::try_from(MAX_DENSE_ANSWERS + 1).unwrap().to_be_bytes();
    assert_eq!(bytes[..6], [0xa1, 0x00, 0x81, 0x99, at[0], at[1]]);
    let one_more = [&[0xa1, 0x00, 0x81, 0x99, past[0], past[1]], &bytes[6..], &[0xf5]].concat();
    assert_eq!(read(&form, &one_more), Err(DenseError::TooManyAnswers));

    let words =
        |count: usize| response_of(&json!([{"linkId": "t", "answer": [{"valueString": "x".repeat(count)}]}]));
    let around = dense(&form, &words(70_000)).unwrap().len() - 70_000;
    assert_eq!(dense(&form, &words(MAX_DENSE_BYTES - around)).unwrap().len(), MAX_DENSE_BYTES);
    assert_eq!(dense(&form, &words(MAX_DENSE_BYTES - around + 1)), None);
    assert_eq!(read(&form, &vec![0; MAX_DENSE_BYTES + 1]), Err(DenseError::TooManyBytes));

    // An instance of an empty group takes two bytes.
    let groups = form_of(&json!([{"linkId": "g", "type": "group", "repeats": true}]));
    let instances = |count: u16| {
        let head = (2 * count - 1).to_be_bytes();
        let mut bytes = vec![0xa1, 0x00, 0x99, head[0], head[1], 0x80];
        (1..count).for_each(|_| bytes.extend([0xf6, 0x80]));
        bytes
    };
    assert_eq!(read(&groups, &instances(20_000)).unwrap().items().len(), 20_000);
    assert_eq!(read(&groups, &instances(20_001)), Err(DenseError::TooManyItems));
}

#[test]
fn a_few_bytes_do_not_become_gigabytes() {
    let long = "x".repeat(60_000);
    let form = form_of(&json!([{"linkId": "a", "type": "choice", "repeats": true,
        "answerOption": [{"valueCoding": {"code": "1", "display": long}}]}]));
    let mut bytes = vec![0xa1, 0x00, 0x81, 0x98, 40];
    bytes.extend([0; 40]);
    assert_eq!(read(&form, &bytes), Err(DenseError::TooLarge));
}

#[test]
fn what_the_form_cannot_tell_stays_json() {
    let form = small_form();
    let kept = |items: Value| dense(&form, &response_of(&items)).is_none();
    assert!(!kept(json!([{"linkId": "a", "answer": [{"valueInteger": 1}]}])));
    assert!(kept(json!([{"linkId": "a", "text": "How many?", "answer": [{"valueInteger": 1}]}])), "words");
    assert!(kept(json!([{"linkId": "z"}])), "an unknown item");
    assert!(kept(json!([{"linkId": "d"}])), "an item at another place");
    assert!(kept(json!([{"linkId": "b"}, {"linkId": "a"}])), "another order");
    assert!(kept(json!([{"linkId": "a", "answer": []}])), "an empty list");
    assert!(
        kept(json!([{"linkId": "a", "answer": [{"valueCode": "x"}]}])),
        "a type that answers do not have"
    );
    assert!(
        kept(json!([{"linkId": "a", "answer": [{"valueReference": {"reference": "x"}}]}])),
        "a reference"
    );
    assert!(
        kept(json!([{"linkId": "b", "answer": [{"valueCoding": {"code": "0", "extension": []}}]}])),
        "more"
    );
    let mut other = response_of(&json!([])).to_value();
    other["questionnaire"] = json!("https://example.org/f");
    let other = QuestionnaireResponse::parse(&serde_json::to_vec(&other).unwrap()).unwrap();
    assert_eq!(dense(&form, &other), None, "without the version");
}

#[test]
fn twenty_answers_fit_by_far() {
    let texts: Vec<Value> = (0..20)
        .map(|n| {
            let options: Vec<Value> = (0..5).map(|place| json!({"valueCoding": coding(place)})).collect();
            json!({"linkId": format!("symptom-{n}"), "type": "choice", "answerOption": options})
        })
        .collect();
    let form = form_of(&Value::Array(texts));
    let answers: Vec<Value> = (0_u8..20)
        .map(|n| json!({"linkId": format!("symptom-{n}"), "answer": [{"valueCoding": coding(n % 5)}]}))
        .collect();
    let mut response = response_of(&Value::Array(answers));
    response.set_authored("2026-03-01T09:30:00Z");
    let bytes = dense(&form, &response).unwrap();
    assert_eq!(bytes.len(), 45);
    assert_eq!(
        response.items()[4].answers()[0].value(),
        form.items()[4].options.listed().get(4).map(|o| &o.value)
    );
    assert!(matches!(response.items()[0].answers()[0].value(), Some(AnswerValue::Coding(_))));
}

/// A list that the form only names is not part of it: what is stored may not depend on whether this
/// version knows it.
#[test]
fn a_list_that_the_form_does_not_carry_changes_no_byte() {
    let gender =
        json!({"system": "http://hl7.org/fhir/administrative-gender", "code": "male", "display": "Male"});
    let items = json!([{"linkId": "gender", "answer": [{"valueCoding": gender}]}]);
    let bytes_with = |value_set: &str| {
        let form = form_of(
            &json!([{"linkId": "gender", "type": "choice", "text": "?", "answerValueSet": value_set}]),
        );
        dense(&form, &response_of(&items)).unwrap()
    };
    let known = bytes_with("http://hl7.org/fhir/ValueSet/administrative-gender");
    assert_eq!(known, bytes_with("https://example.org/ValueSet/unknown"));
}
