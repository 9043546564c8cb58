//! PRO-CTCAE answers that carry no score: missing, not applicable, prefer not to answer. They are never
//! zero, and a grade that they make unknown stays unknown.

use serde_json::{Value, json};
use ward_forms::pro_ctcae::{Attribute, MissingReason, STRUCTURE_SYSTEM, library};
use ward_forms::{
    LeftOutReason, Questionnaire, QuestionnaireResponse, ScoreMissing, SymptomScore, score_symptoms,
};

/// Answers that a form offers beside the scored ones.
const NOT_APPLICABLE: &str = "not-applicable";
const PREFER_NOT: &str = "prefer-not-to-answer";

fn form(attributes: &[Attribute]) -> Questionnaire {
    let items: Vec<Value> = attributes
        .iter()
        .map(|attribute| {
            let mut options: Vec<Value> = (0..=attribute.max_score())
                .map(|score| {
                    json!({"valueCoding": {"system": "s", "code": format!("a{score}"), "display": "words"},
                        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": score}]})
                })
                .collect();
            options.extend([NOT_APPLICABLE, PREFER_NOT].map(|code| json!({"valueCoding": {"system": "s", "code": code}})));
            json!({"linkId": attribute.code(), "type": "choice", "text": "?", "answerOption": options,
                "code": [{"system": STRUCTURE_SYSTEM, "code": format!("symptom/{}", attribute.code())}]})
        })
        .collect();
    let form = json!({"resourceType": "Questionnaire", "status": "active", "item": items});
    Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// The score of a symptom for these answers, by code; `None` is no answer.
fn scored(attributes: &[Attribute], answers: &[Option<&str>]) -> SymptomScore {
    let items: Vec<Value> = attributes
        .iter()
        .zip(answers)
        .filter_map(|(attribute, code)| {
            Some(json!({"linkId": attribute.code(), "answer": [{"valueCoding": {"system": "s", "code": (*code)?}}]}))
        })
        .collect();
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
    let response = QuestionnaireResponse::parse(response.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{error}"));
    score_symptoms(&form(attributes), &response).remove(0)
}

#[test]
fn no_kind_of_missing_answer_counts_as_zero_in_any_symptom_of_the_library() {
    for symptom in library().filter(|symptom| symptom.shape().is_some()) {
        let attributes = symptom.attributes();
        for (absent, reason) in [
            (None, MissingReason::NotAnswered),
            (Some(NOT_APPLICABLE), MissingReason::NoScore),
            (Some(PREFER_NOT), MissingReason::NoScore),
        ] {
            for place in 0..attributes.len() {
                let answers: Vec<Option<&str>> =
                    (0..attributes.len()).map(|own| if own == place { absent } else { Some("a2") }).collect();
                let score = scored(attributes, &answers);
                assert_eq!(score.grade, None, "{} {answers:?}", symptom.name());
                assert_eq!(score.missing, Some(MissingReason::AttributeMissing));
                let own = score.attributes.iter().find(|one| one.attribute == attributes[place]);
                assert_eq!(own.and_then(|one| one.missing), Some(reason));
                assert_eq!(own.and_then(|one| one.score), None);
            }
        }
    }
}

#[test]
fn after_a_first_zero_nothing_else_is_needed() {
    let all = [Attribute::Frequency, Attribute::Severity, Attribute::Interference];
    for rest in [None, Some(NOT_APPLICABLE), Some(PREFER_NOT), Some("a4")] {
        assert_eq!(scored(&all, &[Some("a0"), rest, rest]).grade, Some(0), "{rest:?}");
    }
    assert_eq!(scored(&all, &[Some(PREFER_NOT), Some("a0"), Some("a0")]).grade, None);
}

#[test]
fn what_is_known_bounds_what_is_not() {
    let two = [Attribute::Severity, Attribute::Interference];
    assert_eq!(scored(&two, &[Some("a4"), Some(PREFER_NOT)]).grade_bounds(), Some((2, 3)));
    assert_eq!(scored(&two, &[Some("a1"), None]).grade_bounds(), Some((1, 2)));
    assert_eq!(scored(&two, &[None, None]).grade_bounds(), Some((0, 3)));
    assert_eq!(scored(&two, &[Some("a3"), Some("a1")]).grade_bounds(), Some((2, 2)));
    assert_eq!(scored(&[Attribute::Presence], &[Some("a1")]).grade_bounds(), None);
}

#[test]
fn a_score_says_what_it_used_and_what_it_lacks() {
    let two = [Attribute::Severity, Attribute::Interference];
    let score = scored(&two, &[Some("a3"), Some(PREFER_NOT)]).to_score();
    assert_eq!(score.value(), None);
    assert_eq!(score.missing(), Some(&ScoreMissing::PartMissing { parts: vec!["interference".to_owned()] }));
    assert_eq!(
        (score.left_out[0].question.as_str(), score.left_out[0].why),
        ("interference", LeftOutReason::NoScore)
    );
    assert_eq!(
        (score.used[0].path.to_string(), score.used[0].counted_as.as_u64()),
        ("severity".to_owned(), Some(3))
    );
    assert_eq!(score.used[0].answer["code"], json!("a3"));

    let whole = scored(&two, &[Some("a3"), Some("a1")]).to_score();
    assert_eq!((whole.value(), whole.used.len(), whole.left_out.len()), (Some(2.0), 2, 0));
    let presence = scored(&[Attribute::Presence], &[Some("a1")]).to_score();
    assert_eq!(presence.missing(), Some(&ScoreMissing::NotDefined));
}

#[test]
fn an_amount_is_scored_and_graded() {
    let graded = |code| scored(&[Attribute::Amount], &[Some(code)]).grade;
    assert_eq!(["a0", "a1", "a2", "a3", "a4"].map(graded), [Some(0), Some(1), Some(1), Some(2), Some(2)]);
}
