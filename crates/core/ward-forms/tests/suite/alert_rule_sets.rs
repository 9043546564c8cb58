//! Reading alert rules: whatever cannot mean what its author thought is refused, with its path.

use serde_json::{Value, json};
use ward_forms::alert_rules::{AlertRules, RuleKind, Since};
use ward_forms::eortc_qlq_c30::Direction;
use ward_forms::limits::{
    MAX_ALERT_RULES, MAX_ALERT_RULES_BYTES, MAX_MISSED_IN_A_ROW, MAX_RULE_NAME_BYTES, MAX_URGENT_ANSWERS,
    MAX_URL_BYTES,
};
use ward_forms::{FormError, StrictJsonError};

fn set(rules: Value) -> Value {
    json!({"format": "ward/alert-rules", "version": 1, "name": "study", "revision": "1", "rules": rules})
}

fn parse(value: &Value) -> Result<AlertRules, StrictJsonError> {
    AlertRules::parse(value.to_string().as_bytes())
}

fn threshold() -> Value {
    json!({"id": "r", "kind": "threshold", "severity": "notice", "of": {"symptom": "pain"}, "atLeast": 3})
}

/// The rule with some fields changed; null takes a field away.
fn changed(mut rule: Value, changes: &Value) -> Value {
    if let (Some(rule), Some(changes)) = (rule.as_object_mut(), changes.as_object()) {
        for (field, value) in changes {
            if value.is_null() {
                rule.remove(field);
            } else {
                rule.insert(field.clone(), value.clone());
            }
        }
    }
    rule
}

fn refusal(rule: &Value) -> String {
    parse(&set(json!([rule]))).err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn every_wrong_rule_is_refused_with_its_path() {
    for (changes, expected) in [
        (json!({"atleast": 3}), "$.rules[0]: the field atleast is not known"),
        (json!({"inARow": 3}), "$.rules[0]: the field inARow is not known"),
        (json!({"id": null}), "$.rules[0]: the field id is missing"),
        (json!({"id": ""}), "$.rules[0].id: must be a name"),
        (json!({"id": " r"}), "$.rules[0].id: must be a name"),
        (json!({"id": "a\nb"}), "$.rules[0].id: must be a name"),
        (json!({"id": 3}), "$.rules[0].id: must be a name"),
        (
            json!({"kind": "treshold"}),
            "$.rules[0].kind: must be threshold, worsening, missed or patient-urgent",
        ),
        (json!({"kind": null}), "$.rules[0].kind: must be"),
        (json!({"severity": "bad"}), "$.rules[0].severity: must be notice, concern or urgent"),
        (json!({"severity": null}), "$.rules[0]: the field severity is missing"),
        (json!({"of": null}), "$.rules[0]: the field of is missing"),
        (json!({"of": "pain"}), "$.rules[0].of: must be an object with one of"),
        (json!({"of": {}}), "$.rules[0].of: must be an object with one of"),
        (json!({"of": {"symptom": "pain", "item": "x"}}), "$.rules[0].of: must be an object with one of"),
        (json!({"of": {"symptom": "pain", "unit": "x"}}), "$.rules[0].of: the field unit is not known"),
        (json!({"of": {"symptom": "pain", "attribute": "often"}}), "$.rules[0].of.attribute: must be one of"),
        (json!({"of": {"score": "PF2"}}), "$.rules[0].of.score: must be eortc-qlq-c30/"),
        (json!({"of": {"score": "eortc-qlq-c30/PF"}}), "$.rules[0].of.score: must be eortc-qlq-c30/"),
        (json!({"atLeast": "3"}), "$.rules[0].atLeast: must be a number"),
        (json!({"atLeast": 4}), "$.rules[0].atLeast: must be from 0 to 3"),
        (json!({"atLeast": -1}), "$.rules[0].atLeast: must be from 0 to 3"),
        (json!({"atLeast": 0}), "$.rules[0].atLeast: must be a limit that some answers do not reach"),
        (json!({"atLeast": null, "atMost": 3}), "$.rules[0].atMost: must be a limit that some answers"),
        (json!({"atLeast": null}), "$.rules[0]: must be a threshold with either atLeast or atMost"),
        (json!({"atMost": 1}), "$.rules[0]: must be a threshold with either atLeast or atMost"),
        (json!({"instrument": ""}), "$.rules[0].instrument: must be a name"),
        (json!({"instrument": "u|2"}), "$.rules[0].instrument: must be an address without a version"),
        (
            json!({"of": {"symptom": "rash", "attribute": "presence"}}),
            "$.rules[0].atLeast: must be from 0 to 1",
        ),
        (
            json!({"of": {"symptom": "*", "attribute": "presence"}, "atLeast": 2}),
            "$.rules[0].atLeast: must be from 0 to 1",
        ),
        (json!({"of": {"symptom": "pain/severity"}}), "$.rules[0].of.symptom: must be a symptom's name"),
    ] {
        let error = refusal(&changed(threshold(), &changes));
        assert!(error.starts_with(expected), "{changes}: {error}");
    }
}

#[test]
fn every_wrong_worsening_missed_and_urgent_rule_is_refused_with_its_path() {
    let worsening = json!({"id": "r", "kind": "worsening", "severity": "notice", "of": {"symptom": "pain"}, "by": 1, "since": "baseline"});
    let missed = json!({"id": "r", "kind": "missed", "severity": "notice", "inARow": 2});
    let urgent = json!({"id": "r", "kind": "patient-urgent", "severity": "notice", "item": "help", "answers": ["now"]});
    for (rule, changes, expected) in [
        (&worsening, json!({"by": 0}), "$.rules[0].by: must be more than 0"),
        (&worsening, json!({"by": 4}), "$.rules[0].by: must be more than 0 and at most 3"),
        (
            &worsening,
            json!({"of": {"symptom": "rash", "attribute": "presence"}, "by": 2}),
            "$.rules[0].by: must be more than 0 and at most 1",
        ),
        (&worsening, json!({"by": null}), "$.rules[0]: the field by is missing"),
        (&worsening, json!({"since": "start"}), "$.rules[0].since: must be baseline or previous"),
        (&worsening, json!({"worse": "lower"}), "$.rules[0].worse: must be the end that is worse"),
        (&worsening, json!({"worse": 1}), "$.rules[0].worse: must be higher or lower"),
        (
            &worsening,
            json!({"of": {"score": "eortc-qlq-c30/QL2"}, "worse": "higher"}),
            "$.rules[0].worse: must be the end",
        ),
        (&missed, json!({"inARow": 0}), "$.rules[0].inARow: must be a whole number from 1"),
        (&missed, json!({"inARow": 1.5}), "$.rules[0].inARow: must be a whole number from 1"),
        (&missed, json!({"of": {}}), "$.rules[0]: the field of is not known"),
        (&urgent, json!({"answers": []}), "$.rules[0].answers: must be a list with at least one code"),
        (
            &urgent,
            json!({"answers": ["a", "a"]}),
            "$.rules[0].answers: must be a list in which each code stands once",
        ),
        (&urgent, json!({"answers": [1]}), "$.rules[0].answers[0]: must be a name"),
        (&urgent, json!({"item": null}), "$.rules[0]: the field item is missing"),
    ] {
        assert_eq!(refusal(rule), "", "{rule}");
        let error = refusal(&changed(rule.clone(), &changes));
        assert!(error.starts_with(expected), "{changes}: {error}");
    }
}

#[test]
fn the_set_itself_is_read_strictly() {
    for (changes, expected) in [
        (json!({"format": "x"}), "$.format: must be \"ward/alert-rules\""),
        (json!({"version": 2}), "$.version: must be 1"),
        (json!({"name": null}), "$: the field name is missing"),
        (json!({"revision": ""}), "$.revision: must be a name"),
        (json!({"rules": {}}), "$.rules: must be a list"),
        (json!({"rules": [3]}), "$.rules[0]: must be an object"),
        (json!({"rule": []}), "$: the field rule is not known"),
        (json!({"rules": [threshold(), threshold()]}), "$.rules[1].id: r is used twice"),
    ] {
        let error = parse(&changed(set(json!([])), &changes))
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.starts_with(expected), "{changes}: {error}");
    }
    assert!(AlertRules::parse(b"[").is_err());
    let twice = set(json!([threshold()])).to_string().replace("\"atLeast\":3", "\"atLeast\":3,\"atLeast\":1");
    assert!(matches!(
        AlertRules::parse(twice.as_bytes()),
        Err(StrictJsonError::Json(FormError::DuplicateField { .. }))
    ));
}

#[test]
fn a_published_set_is_followed_as_far_as_it_can_be() {
    // What only a new set is refused for is followed as it stands.
    let odd = set(json!([
        changed(threshold(), &json!({"id": "always", "atLeast": 0})),
        changed(threshold(), &json!({"id": "never", "atLeast": 9})),
        changed(threshold(), &json!({"id": "never", "instrument": "https://example.org/diary|2"})),
        {"id": "w", "kind": "worsening", "severity": "notice", "of": {"symptom": "pain"}, "by": 9,
            "since": "previous", "worse": "lower"}]));
    assert!(parse(&odd).is_err());
    let stored = AlertRules::parse_stored(odd.to_string().as_bytes()).unwrap();
    assert_eq!(stored.refused, []);
    let rules: Vec<_> = stored.rules.rules().iter().map(|rule| (rule.id(), rule.instrument())).collect();
    let url = Some("https://example.org/diary");
    assert_eq!(rules, [("always", None), ("never", None), ("never+", url), ("w", None)]);
    // A rule that nobody here can follow is named, and the others hold.
    let newer = changed(
        set(json!([
        threshold(),
        {"id": "trend", "kind": "trend", "severity": "urgent"},
        changed(threshold(), &json!({"id": "on", "weekdays": ["mon"]})),
        {"kind": "missed"}])),
        &json!({"language": "en"}),
    );
    let stored = AlertRules::parse_stored(newer.to_string().as_bytes()).unwrap();
    assert_eq!(stored.rules.rules().len(), 1);
    let refused: Vec<&str> = stored.refused.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(refused, ["trend", "on", "number 4"]);
    assert!(stored.refused[1].why.to_string().contains("weekdays"));
    // A new set is read the same both ways.
    let new = set(json!([threshold()])).to_string();
    assert_eq!(
        AlertRules::parse_stored(new.as_bytes()).unwrap().rules,
        AlertRules::parse(new.as_bytes()).unwrap()
    );
    for nothing in ["[]", "x", r#"{"format": "ward/alert-rules", "version": 2, "rules": []}"#] {
        assert!(AlertRules::parse_stored(nothing.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn what_is_left_out_has_one_meaning() {
    let worsening = |of: Value| {
        let rule = json!({"id": "r", "kind": "worsening", "severity": "notice", "of": of, "by": 1, "since": "previous"});
        let set = parse(&set(json!([rule]))).unwrap();
        match set.rules()[0].kind() {
            RuleKind::Worsening { since: Since::Previous, worse, .. } => *worse,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(worsening(json!({"symptom": "pain"})), Direction::HigherIsWorse);
    assert_eq!(worsening(json!({"item": "weight"})), Direction::HigherIsWorse);
    assert_eq!(worsening(json!({"score": "eortc-qlq-c30/FA"})), Direction::HigherIsWorse);
    for lower in ["PF2", "QL2", "summary"] {
        assert_eq!(
            worsening(json!({"score": format!("eortc-qlq-c30/{lower}")})),
            Direction::LowerIsWorse,
            "{lower}"
        );
    }
}

#[test]
fn sizes_and_counts_at_the_limit_and_one_past() {
    let text = set(json!([])).to_string();
    let padded = format!("{text}{}", " ".repeat(MAX_ALERT_RULES_BYTES - text.len()));
    assert!(AlertRules::parse(padded.as_bytes()).is_ok());
    assert!(AlertRules::parse(format!("{padded} ").as_bytes()).is_err());

    let many = |count: usize| {
        let rule = |id| changed(threshold(), &json!({"id": format!("r{id}")}));
        parse(&set(Value::Array((0..count).map(rule).collect())))
    };
    assert_eq!(many(MAX_ALERT_RULES).unwrap().rules().len(), MAX_ALERT_RULES);
    assert!(matches!(many(MAX_ALERT_RULES + 1), Err(StrictJsonError::TooMany { .. })));

    let id = |bytes: usize| refusal(&changed(threshold(), &json!({"id": "a".repeat(bytes)})));
    assert_eq!(id(MAX_RULE_NAME_BYTES), "");
    assert_ne!(id(MAX_RULE_NAME_BYTES + 1), "");
    let url = |bytes: usize| refusal(&changed(threshold(), &json!({"instrument": "a".repeat(bytes)})));
    assert_eq!(url(MAX_URL_BYTES), "");
    assert_ne!(url(MAX_URL_BYTES + 1), "");
    let row =
        |count: u32| refusal(&json!({"id": "r", "kind": "missed", "severity": "notice", "inARow": count}));
    assert_eq!(row(MAX_MISSED_IN_A_ROW), "");
    assert_ne!(row(MAX_MISSED_IN_A_ROW + 1), "");
    let answers = |count: usize| {
        let codes: Vec<String> = (0..count).map(|code| code.to_string()).collect();
        refusal(
            &json!({"id": "r", "kind": "patient-urgent", "severity": "notice", "item": "i", "answers": codes}),
        )
    };
    assert_eq!(answers(MAX_URGENT_ANSWERS), "");
    assert_ne!(answers(MAX_URGENT_ANSWERS + 1), "");
}
