//! Scores of the EORTC QLQ-C30: examples worked out by hand, the half rule, missing answers, and that
//! neither the order of the questions nor the way of answering changes a score.

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ward_forms::eortc_qlq_c30::{
    ITEMS, SCALES, SUMMARY, ScaleKind, ScoreMap, highest_answer, score_items, score_qlq_c30,
};
use ward_forms::{LeftOutReason, Questionnaire, QuestionnaireResponse, Score, ScoreMissing};

fn of<'s>(scores: &'s [Score], name: &str) -> &'s Score {
    scores.iter().find(|score| score.name == name).unwrap_or_else(|| panic!("{name} is scored"))
}

fn answers(list: &[(u8, i32)]) -> BTreeMap<u8, i32> {
    list.iter().copied().collect()
}

/// Thirty answers, one for each question.
const WORKED: [i32; 30] =
    [1, 2, 1, 1, 1, 2, 2, 1, 4, 2, 2, 3, 3, 1, 2, 1, 1, 4, 4, 1, 1, 2, 3, 2, 1, 4, 3, 2, 5, 6];

fn worked() -> BTreeMap<u8, i32> {
    (1..).zip(WORKED).collect()
}

#[test]
fn the_worked_example_agrees_with_the_hand() {
    let scores = score_items(&worked());
    let by_hand = [
        // Raw score 5.5: (5.5 - 1) / 6.
        ("QL2", 75.0),
        // Raw score 6 / 5 = 1.2: 1 - 0.2 / 3.
        ("PF2", 93.0 + 1.0 / 3.0),
        // Raw score 2: 1 - 1 / 3.
        ("RF2", 66.0 + 2.0 / 3.0),
        // Raw score 8 / 4 = 2.
        ("EF", 66.0 + 2.0 / 3.0),
        // Raw score 1: nothing is limited.
        ("CF", 100.0),
        // Raw score 3.5: 1 - 2.5 / 3.
        ("SF", 16.0 + 2.0 / 3.0),
        // Raw score 9 / 3 = 3: 2 / 3.
        ("FA", 66.0 + 2.0 / 3.0),
        // Raw score 1.5: 0.5 / 3.
        ("NV", 16.0 + 2.0 / 3.0),
        // Raw score 4: the worst there is.
        ("PA", 100.0),
        ("DY", 0.0),
        ("SL", 33.0 + 1.0 / 3.0),
        ("AP", 66.0 + 2.0 / 3.0),
        ("CO", 0.0),
        ("DI", 0.0),
        ("FI", 33.0 + 1.0 / 3.0),
        // Five functional scales 343 1/3, eight symptom scales turned round 516 2/3: 860 / 13.
        (SUMMARY, 66.0 + 2.0 / 13.0),
    ];
    assert_eq!(scores.len(), by_hand.len());
    for (name, expected) in by_hand {
        let value = of(&scores, name).value().unwrap_or_else(|| panic!("{name} has a value"));
        assert!((value - expected).abs() < 1e-9, "{name}: {value} is not {expected}");
    }
    assert_eq!(of(&scores, "PF2").used.len(), 5);
    assert_eq!(of(&scores, SUMMARY).used.len(), 27, "all questions but 28, 29 and 30");
}

#[test]
fn the_best_and_the_worst_answers_are_the_ends_of_the_scales() {
    let same = |answer: fn(u8) -> i32| score_items(&(1..=ITEMS).map(|item| (item, answer(item))).collect());
    let least = same(|_| 1);
    let most = same(|item| highest_answer(item).map_or(0, i32::from));
    for scale in SCALES {
        let (low, high) = if scale.kind == ScaleKind::Functional { (100.0, 0.0) } else { (0.0, 100.0) };
        assert_eq!(of(&least, scale.code).value(), Some(low), "{}", scale.code);
        assert_eq!(of(&most, scale.code).value(), Some(high), "{}", scale.code);
    }
    assert_eq!((of(&least, SUMMARY).value(), of(&most, SUMMARY).value()), (Some(100.0), Some(0.0)));
}

#[test]
fn half_of_the_questions_are_enough_and_one_less_is_not() {
    // Three of five: raw score 7 / 3, so 1 - (4 / 3) / 3 = 5 / 9.
    let three = score_items(&answers(&[(1, 2), (3, 2), (5, 3)]));
    let value = of(&three, "PF2").value().unwrap_or_else(|| panic!("three of five are enough"));
    assert!((value - 500.0 / 9.0).abs() < 1e-9);
    assert_eq!(of(&three, "PF2").left_out.len(), 2);
    let two = score_items(&answers(&[(1, 2), (3, 2)]));
    let too_few = ScoreMissing::TooFewAnswers { answered: 2, needed: 3, of: 5 };
    assert_eq!(of(&two, "PF2").missing(), Some(&too_few));
    assert_eq!(too_few.to_string(), "2 of 5 questions have a usable answer; 3 are needed");
    // Two of four, one of two, two of three are at least half; one of three is not.
    let half = score_items(&answers(&[(21, 4), (22, 4), (6, 1), (10, 1), (12, 4)]));
    assert_eq!(of(&half, "EF").value(), Some(0.0));
    assert_eq!(of(&half, "RF2").value(), Some(100.0));
    assert_eq!(of(&half, "FA").value(), Some(50.0));
    assert!(of(&score_items(&answers(&[(10, 1)])), "FA").missing().is_some());
    assert!(of(&score_items(&answers(&[])), "DY").missing().is_some());
}

#[test]
fn the_summary_needs_all_thirteen_scales_and_not_the_other_two() {
    let mut without = worked();
    without.retain(|item, _| *item < 28);
    assert_eq!(of(&score_items(&without), SUMMARY).value(), of(&score_items(&worked()), SUMMARY).value());
    for scale in SCALES.iter().filter(|scale| scale.in_summary) {
        let mut less = worked();
        less.retain(|item, _| !scale.items.contains(item));
        let scores = score_items(&less);
        let missing = ScoreMissing::PartMissing { parts: vec![scale.code.to_owned()] };
        assert_eq!(of(&scores, SUMMARY).missing(), Some(&missing), "{}", scale.code);
    }
}

#[test]
fn an_answer_that_the_question_does_not_have_is_left_out_and_named() {
    for (item, wrong) in [(9, 0), (9, 5), (9, -1), (9, 7), (9, i32::MAX), (29, 0), (29, 8)] {
        let mut all = worked();
        all.insert(item, wrong);
        let scores = score_items(&all);
        let scale = SCALES.iter().find(|scale| scale.items.contains(&item)).map_or("", |scale| scale.code);
        let left_out = &of(&scores, scale).left_out;
        assert_eq!(left_out.len(), 1, "{item} {wrong}");
        assert_eq!(
            (left_out[0].question.as_str(), left_out[0].why),
            (item.to_string().as_str(), LeftOutReason::OutOfRange)
        );
        assert_eq!(of(&scores, scale).used.len(), 1);
    }
    assert_eq!(of(&score_items(&answers(&[(29, 7)])), "QL2").value(), Some(100.0));
}

fn question(link_id: &str, item: u8) -> Value {
    let highest = highest_answer(item).map_or(0, i32::from);
    let mut options: Vec<Value> =
        (1..=highest).map(|code| json!({"valueCoding": {"system": "s", "code": code.to_string()}})).collect();
    options.push(json!({"valueCoding": {"system": "s", "code": "refused", "display": "I'd rather not say"}}));
    json!({"linkId": link_id, "type": "choice", "text": "?", "answerOption": options})
}

fn form(order: &[u8]) -> Questionnaire {
    let items: Vec<Value> = order.iter().map(|item| question(&format!("q{item}"), *item)).collect();
    let form = json!({"resourceType": "Questionnaire", "url": "u", "version": "1", "status": "active", "item": items});
    Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn response(answers: &[(u8, Vec<String>)]) -> QuestionnaireResponse {
    let item = |(item, codes): &(u8, Vec<String>)| {
        let answers: Vec<Value> =
            codes.iter().map(|code| json!({"valueCoding": {"system": "s", "code": code}})).collect();
        json!({"linkId": format!("q{item}"), "answer": answers})
    };
    let items: Vec<Value> = answers.iter().map(item).collect();
    let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "item": items});
    QuestionnaireResponse::parse(response.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn map() -> ScoreMap {
    let items: BTreeMap<String, u8> = (1..=ITEMS).map(|item| (format!("q{item}"), item)).collect();
    let map = json!({"format": "ward/score-map", "version": 1, "instrument": "eortc-qlq-c30/3.0", "questionnaire": "u", "items": items});
    ScoreMap::parse(map.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn coded(answers: &BTreeMap<u8, i32>) -> Vec<(u8, Vec<String>)> {
    answers.iter().map(|(item, answer)| (*item, vec![answer.to_string()])).collect()
}

fn values(scores: &[Score]) -> Vec<(String, Option<u64>)> {
    scores.iter().map(|score| (score.name.clone(), score.value().map(f64::to_bits))).collect()
}

#[test]
fn a_form_gives_the_same_scores_and_says_which_answers_it_used() {
    let form = form(&(1..=ITEMS).collect::<Vec<_>>());
    let scores = score_qlq_c30(&map(), &form, &response(&coded(&worked())));
    assert_eq!(values(&scores), values(&score_items(&worked())));
    let pain = of(&scores, "PA");
    let used: Vec<_> =
        pain.used.iter().map(|one| (one.path.to_string(), one.counted_as.to_string())).collect();
    assert_eq!(used, [("q9".to_owned(), "4".to_owned()), ("q19".to_owned(), "4".to_owned())]);
    assert_eq!((pain.algorithm.name, pain.algorithm.version), ("eortc-qlq-c30", "3.0"));
    let written = serde_json::to_value(pain).unwrap_or_default();
    assert_eq!(written["value"], json!(100.0));
    assert_eq!(written["used"][0]["answer"]["code"], json!("4"));
}

#[test]
fn each_missing_answer_says_why() {
    let mut items: Vec<Value> =
        (1..=ITEMS).filter(|item| *item != 8).map(|item| question(&format!("q{item}"), item)).collect();
    items[0]["repeats"] = json!(true);
    // Question 11 is asked only after an answer that nobody gives.
    let asked = items.iter_mut().find(|item| item["linkId"] == "q11").unwrap_or_else(|| panic!("q11"));
    asked["enableWhen"] =
        json!([{"question": "q10", "operator": "=", "answerCoding": {"system": "s", "code": "4"}}]);
    let form = json!({"resourceType": "Questionnaire", "url": "u", "status": "active", "item": items});
    let form = Questionnaire::parse(form.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let mut given = coded(&worked());
    given[0].1 = vec!["1".to_owned(), "2".to_owned()];
    given[8].1 = vec!["refused".to_owned()];
    given.retain(|(item, _)| ![8, 13].contains(item));
    let scores = score_qlq_c30(&map(), &form, &response(&given));
    for (scale, item, why) in [
        ("PF2", "1", LeftOutReason::AnsweredTwice),
        ("DY", "8", LeftOutReason::NotInForm),
        ("PA", "9", LeftOutReason::NoScore),
        ("SL", "11", LeftOutReason::NotAsked),
        ("AP", "13", LeftOutReason::NotAnswered),
    ] {
        let left_out: Vec<_> =
            of(&scores, scale).left_out.iter().map(|one| (one.question.as_str(), one.why)).collect();
        assert_eq!(left_out, [(item, why)], "{scale}");
    }
    assert_eq!(of(&scores, "DY").missing(), Some(&ScoreMissing::NotInForm));
    let parts = ["DY", "SL", "AP"].map(str::to_owned).to_vec();
    assert_eq!(of(&scores, SUMMARY).missing(), Some(&ScoreMissing::PartMissing { parts }));
    assert_eq!(of(&scores, "PA").value(), Some(100.0), "one of two is half");
}

#[test]
fn a_map_says_nothing_of_another_form() {
    let mut other = form(&(1..=ITEMS).collect::<Vec<_>>()).as_value().clone();
    other["url"] = json!("other");
    let other = Questionnaire::parse(other.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(map().check(&other).len(), 1);
    let scores = score_qlq_c30(&map(), &other, &response(&coded(&worked())));
    assert!(scores.iter().take(15).all(|score| score.missing() == Some(&ScoreMissing::NotInForm)));
    assert!(of(&scores, SUMMARY).missing().is_some());
}

/// The rules once more, written as the manual writes them.
fn by_the_manual(kind: ScaleKind, items: &[u8], answers: &BTreeMap<u8, i32>) -> Option<f64> {
    let given: Vec<f64> =
        items.iter().filter_map(|item| answers.get(item)).map(|one| f64::from(*one)).collect();
    let count = f64::from(u32::try_from(given.len()).ok()?);
    if given.is_empty() || given.len() * 2 < items.len() {
        return None;
    }
    let raw = given.iter().sum::<f64>() / count;
    Some(match kind {
        ScaleKind::Functional => (1.0 - (raw - 1.0) / 3.0) * 100.0,
        ScaleKind::Symptom => (raw - 1.0) / 3.0 * 100.0,
        ScaleKind::Global => (raw - 1.0) / 6.0 * 100.0,
    })
}

fn any_answers() -> impl Strategy<Value = BTreeMap<u8, i32>> {
    let one = (1..=ITEMS).map(|item| {
        let highest = highest_answer(item).map_or(0, i32::from);
        prop::option::weighted(0.7, 1..=highest)
    });
    one.collect::<Vec<_>>()
        .prop_map(|all| (1..).zip(all).filter_map(|(item, one)| Some((item, one?))).collect())
}

proptest! {
    #[test]
    fn every_score_is_what_the_manual_says_and_between_0_and_100(answers in any_answers()) {
        let scores = score_items(&answers);
        for scale in SCALES {
            let (value, expected) = (of(&scores, scale.code).value(), by_the_manual(scale.kind, scale.items, &answers));
            prop_assert_eq!(value.is_some(), expected.is_some(), "{}", scale.code);
            if let (Some(value), Some(expected)) = (value, expected) {
                prop_assert!((0.0..=100.0).contains(&value));
                prop_assert!((value - expected).abs() < 1e-9, "{}", scale.code);
            }
        }
        let summed: Option<f64> = SCALES.iter().filter(|scale| scale.in_summary).map(|scale| {
            let value = of(&scores, scale.code).value()?;
            Some(if scale.kind == ScaleKind::Symptom { 100.0 - value } else { value })
        }).sum();
        let summary = of(&scores, SUMMARY).value();
        prop_assert_eq!(summary.is_some(), summed.is_some());
        if let (Some(summary), Some(summed)) = (summary, summed) {
            prop_assert!((0.0..=100.0).contains(&summary));
            prop_assert!((summary - summed / 13.0).abs() < 1e-9);
        }
    }

    #[test]
    fn neither_the_forms_order_nor_the_answers_order_changes_a_bit(
        answers in any_answers(),
        order in Just((1..=ITEMS).collect::<Vec<_>>()).prop_shuffle(),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let mut given = coded(&answers);
        if !given.is_empty() {
            let turn = shuffle.index(given.len());
            given.rotate_left(turn);
        }
        let scores = score_qlq_c30(&map(), &form(&order), &response(&given));
        prop_assert_eq!(values(&scores), values(&score_items(&answers)));
    }

    #[test]
    fn a_worse_answer_never_makes_a_score_better(answers in any_answers(), item in 1..=ITEMS) {
        if let Some(answer) = answers.get(&item).copied().filter(|one| *one < highest_answer(item).map_or(0, i32::from)) {
            let mut worse = answers.clone();
            worse.insert(item, answer + 1);
            let (before, after) = (score_items(&answers), score_items(&worse));
            for scale in SCALES.iter().filter(|scale| scale.items.contains(&item)) {
                if let (Some(before), Some(after)) = (of(&before, scale.code).value(), of(&after, scale.code).value()) {
                    let is_worse = if scale.kind == ScaleKind::Functional { after < before } else { after > before };
                    prop_assert!(is_worse);
                }
            }
        }
    }
}
