//! Alert rules as studies write them: `JSON`, a zero byte, and choices for a history that they run over.

use super::walk::walk;
use crate::Target;
use crate::choices::{Choices, parts};
use crate::fixtures::QUESTIONNAIRES;
use crate::limits::{ALERTS_PER_REPORT_MAX, REPORTS_MAX};
use std::collections::BTreeSet;
use ward_forms::Questionnaire;
use ward_forms::alert_rules::{AlertRules, History, Occasion, Report, ReportVersion, evaluate, simulate};

pub(crate) const TARGET: Target = Target {
    name: "alert_rules",
    about: "a rule set is read or refused with the path of the fault; its alerts name a rule, are bounded, and do not depend on the order of reports",
    words: &[
        r#""format":"ward/alert-rules""#,
        r#""version":1"#,
        r#""name":""#,
        r#""revision":""#,
        r#""rules":["#,
        r#""id":""#,
        r#""kind":"threshold""#,
        r#""kind":"worsening""#,
        r#""kind":"missed""#,
        r#""kind":"patient-urgent""#,
        r#""severity":"notice""#,
        r#""severity":"concern""#,
        r#""severity":"urgent""#,
        r#""instrument":""#,
        r#""of":{"#,
        r#""symptom":""#,
        r#""attribute":""#,
        r#""score":"eortc-qlq-c30/PF2""#,
        r#""item":""#,
        r#""unit":""#,
        r#""atLeast":"#,
        r#""atMost":"#,
        r#""by":"#,
        r#""since":"baseline""#,
        r#""since":"previous""#,
        r#""worse":"higher""#,
        r#""inARow":"#,
        r#""answers":["#,
        "call-me",
        "nausea",
        "pain",
        "frequency",
        "severity",
        "interference",
        "whole",
        "decimal",
        "amount",
        r#""*""#,
        "https://ward.example/fhir/Questionnaire/ward-symptom-diary",
    ],
    run,
};

fn run(input: &[u8]) {
    let [json, choices] = parts(input);
    let rules = AlertRules::parse(json);
    assert!(rules == AlertRules::parse(json), "a rule set is read the same twice");
    let stored = AlertRules::parse_stored(json);
    if let Ok(rules) = &rules {
        let is_same = stored.is_ok_and(|stored| stored.rules == *rules && stored.refused.is_empty());
        assert!(is_same, "what may be published is followed as it was meant");
    }
    let rules = match rules {
        Ok(rules) => rules,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal says why");
            return;
        }
    };
    let names: BTreeSet<&str> = rules.rules().iter().map(|rule| rule.id()).collect();
    assert_eq!(names.len(), rules.rules().len(), "each rule has a name of its own");
    let mut choices = Choices::of(choices);
    let history = history(&mut choices);
    let found = evaluate(&rules, &history);
    for alert in &found.alerts {
        let rule = rules.rules().iter().find(|rule| rule.id() == alert.key.rule);
        assert!(
            rule.is_some_and(|rule| rule.severity() == alert.severity),
            "an alert presses as its rule says"
        );
        assert!(!alert.sentence.is_empty(), "an alert says what it is about");
    }
    let occasions = history.reports.len().saturating_add(history.missed.len());
    let most = rules.rules().len().saturating_mul(occasions).saturating_mul(ALERTS_PER_REPORT_MAX);
    assert!(found.alerts.len() <= most, "{} alerts", found.alerts.len());
    let mut turned = history.clone();
    turned.reports.reverse();
    turned.missed.reverse();
    assert!(evaluate(&rules, &turned) == found, "the order in which reports come changes nothing");
    let simulation = simulate(&rules, &[history], &[]);
    assert_eq!(simulation.rules.len(), rules.rules().len(), "each rule is simulated");
    let raised: usize = simulation.rules.iter().map(|rule| rule.alerts).sum();
    assert_eq!(raised, found.alerts.len(), "the simulation raises what the evaluation does");
}

/// What a participant reported and missed, as the bytes decide.
fn history(choices: &mut Choices<'_>) -> History {
    let (mut reports, mut missed) = (Vec::new(), Vec::new());
    let count = choices.below(REPORTS_MAX);
    for place in 0..count {
        let Some(form) = choices.one_of(&QUESTIONNAIRES) else { continue };
        let occasion = occasion(form, place);
        match choices.below(4) {
            0 => missed.push(occasion),
            1 => {
                let unreadable = ReportVersion::unreadable("u", "nobody has its form");
                let versions = vec![unreadable, answered(form, choices, "v")];
                reports.push(Report { occasion, versions, ends_rows: true });
            }
            _ => {
                let versions = vec![answered(form, choices, "v")];
                reports.push(Report { occasion, versions, ends_rows: choices.below(2) == 0 });
            }
        }
    }
    History { participant: "p".to_owned(), reports, missed }
}

fn answered(form: &Questionnaire, choices: &mut Choices<'_>, id: &str) -> ReportVersion {
    ReportVersion::read(id, form, &walk(form, choices).draft(), None)
}

fn occasion(form: &Questionnaire, place: usize) -> Occasion {
    const DAY_MS: i64 = 86_400_000;
    let at_ms = i64::try_from(place).unwrap_or_default().saturating_mul(DAY_MS);
    Occasion {
        planned_at_ms: at_ms,
        at_ms,
        occurrence: format!("2026-03-{:02}", place.saturating_add(1)),
        instrument: form.url().unwrap_or_default().to_owned(),
        title: form.title().unwrap_or_default().to_owned(),
    }
}
