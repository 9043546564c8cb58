//! Reading a rule set: a new one strictly (every field is known, every value can happen), and one that was
//! published as far as it can be followed.

use super::rule::{AlertRule, AlertRules, AlertSeverity, RuleKind, Since, SymptomName, Target, Threshold};
use crate::eortc_qlq_c30::{ALGORITHM, Direction, SCALES, SUMMARY};
use crate::json_bounds::read_stored;
use crate::limits::{
    MAX_ALERT_RULES, MAX_ALERT_RULES_BYTES, MAX_LINK_ID_BYTES, MAX_MISSED_IN_A_ROW, MAX_RULE_NAME_BYTES,
    MAX_URGENT_ANSWERS, MAX_URL_BYTES,
};
use crate::pro_ctcae::{Attribute, WORST_GRADE};
use crate::strict_json::{self, Fields, StrictJsonError, name_in, wrong};
use serde_json::Value;
use std::collections::BTreeSet;

const FORMAT: &str = "ward/alert-rules";
const VERSION: u64 = 1;

/// The highest score of a scale.
const HIGHEST_SCALE: f64 = 100.0;

/// What every rule may have.
const COMMON: [&str; 4] = ["id", "kind", "severity", "instrument"];

impl AlertRules {
    /// Reads a rule set from JSON.
    ///
    /// # Errors
    /// [`StrictJsonError`] with the path of what the study has to correct. Nothing is half read: one
    /// wrong rule refuses the whole set.
    pub fn parse(json: &[u8]) -> Result<Self, StrictJsonError> {
        let value = strict_json::read(json, MAX_ALERT_RULES_BYTES)?;
        Ok(read_set(&value, Strictness::New)?.rules)
    }

    /// Reads a rule set that was published. What is refused of a new one only because it cannot mean what its
    /// author thought is followed as it stands; a rule that cannot be followed at all is named, and those
    /// beside it hold.
    ///
    /// # Errors
    /// [`StrictJsonError`] for what is no rule set of this version: then nothing of it can be followed.
    pub fn parse_stored(json: &[u8]) -> Result<StoredRules, StrictJsonError> {
        let (value, _, _) = read_stored(json, MAX_ALERT_RULES_BYTES)?;
        read_set(&value, Strictness::Stored)
    }
}

/// A published rule set, as far as it can be followed.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRules {
    /// The rules that can be followed.
    pub rules: AlertRules,
    /// The others. A newer app may have written them: alerts may be missing.
    pub refused: Vec<RefusedRule>,
}

/// A rule that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRule {
    /// Its name, or its place in the set where it has none.
    pub name: String,
    /// Why.
    pub why: StrictJsonError,
}

/// How much is asked of a rule set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// It is about to be published.
    New,
    /// It was published.
    Stored,
}

fn read_set(value: &Value, strictness: Strictness) -> Result<StoredRules, StrictJsonError> {
    let known = ["format", "version", "name", "revision", "rules"];
    let fields = match strictness {
        Strictness::New => Fields::of(value, "$", &known)?,
        Strictness::Stored => Fields::of_any(value, "$")?,
    };
    if fields.need("format")?.as_str() != Some(FORMAT) {
        return Err(wrong(&fields.path_of("format"), format!("\"{FORMAT}\"")));
    }
    if fields.need("version")?.as_u64() != Some(VERSION) {
        return Err(wrong(&fields.path_of("version"), VERSION.to_string()));
    }
    let name = fields.name("name", MAX_RULE_NAME_BYTES)?;
    let revision = fields.name("revision", MAX_RULE_NAME_BYTES)?;
    let (mut rules, mut refused): (Vec<AlertRule>, Vec<RefusedRule>) = (Vec::new(), Vec::new());
    for (place, value) in fields.list("rules", "rules", MAX_ALERT_RULES)?.iter().enumerate() {
        let path = format!("$.rules[{place}]");
        let mut rule = match read_rule(value, &path, strictness) {
            Ok(rule) => rule,
            Err(why) if strictness == Strictness::Stored => {
                let own =
                    value.get("id").and_then(Value::as_str).filter(|id| id.len() <= MAX_RULE_NAME_BYTES);
                let name = own.map_or_else(|| format!("number {}", place.saturating_add(1)), str::to_owned);
                refused.push(RefusedRule { name, why });
                continue;
            }
            Err(why) => return Err(why),
        };
        while rules.iter().any(|known| known.id == rule.id) {
            if strictness == Strictness::New {
                return Err(StrictJsonError::NameTwice { path: format!("{path}.id"), name: rule.id });
            }
            rule.id.push('+');
        }
        rules.push(rule);
    }
    Ok(StoredRules { rules: AlertRules { name, revision, rules }, refused })
}

fn read_rule(value: &Value, path: &str, strictness: Strictness) -> Result<AlertRule, StrictJsonError> {
    let kind = value.get("kind").and_then(Value::as_str);
    let own: &[&str] = match kind {
        Some("threshold") => &["of", "atLeast", "atMost"],
        Some("worsening") => &["of", "by", "since", "worse"],
        Some("missed") => &["inARow"],
        Some("patient-urgent") => &["item", "answers"],
        // What is no object at all is told by the next check.
        _ if value.is_object() => {
            let expected = "threshold, worsening, missed or patient-urgent";
            return Err(wrong(&format!("{path}.kind"), expected));
        }
        _ => &[],
    };
    let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
    let fields = Fields::of(value, path, &known)?;
    let kind = match kind {
        Some("threshold") => threshold(&fields, strictness)?,
        Some("worsening") => worsening(&fields, strictness)?,
        Some("missed") => RuleKind::Missed { in_a_row: fields.count("inARow", MAX_MISSED_IN_A_ROW)? },
        _ => patient_urgent(&fields, strictness)?,
    };
    Ok(AlertRule {
        id: fields.name("id", MAX_RULE_NAME_BYTES)?,
        severity: severity(&fields)?,
        instrument: instrument(&fields, strictness)?,
        kind,
    })
}

/// An address with a version is about no questionnaire: rules hold for every version of it.
fn instrument(fields: &Fields<'_>, strictness: Strictness) -> Result<Option<String>, StrictJsonError> {
    let address = fields.name_if_given("instrument", MAX_URL_BYTES)?;
    if strictness == Strictness::Stored {
        let whole =
            |address: String| address.split_once('|').map_or(address.clone(), |(url, _)| url.to_owned());
        return Ok(address.map(whole));
    }
    if address.as_ref().is_some_and(|address| address.contains('|')) {
        let expected = "an address without a version: a rule holds for every version, and never fires else";
        return Err(wrong(&fields.path_of("instrument"), expected));
    }
    Ok(address)
}

fn severity(fields: &Fields<'_>) -> Result<AlertSeverity, StrictJsonError> {
    let code = fields.need("severity")?.as_str();
    let found = AlertSeverity::ALL.iter().find(|(_, known)| code == Some(*known));
    let expected = || wrong(&fields.path_of("severity"), "notice, concern or urgent");
    found.map(|(severity, _)| *severity).ok_or_else(expected)
}

fn threshold(fields: &Fields<'_>, strictness: Strictness) -> Result<RuleKind, StrictJsonError> {
    let of = target(fields)?;
    let (field, limit) = match (fields.number_if_given("atLeast")?, fields.number_if_given("atMost")?) {
        (Some(least), None) => ("atLeast", Threshold::AtLeast(least)),
        (None, Some(most)) => ("atMost", Threshold::AtMost(most)),
        _ => return Err(wrong(fields.path(), "a threshold with either atLeast or atMost")),
    };
    let (Threshold::AtLeast(number) | Threshold::AtMost(number)) = limit;
    let highest = highest(&of).filter(|_| strictness == Strictness::New);
    if let Some(highest) = highest.filter(|highest| !(0.0..=*highest).contains(&number)) {
        let expected = format!("from 0 to {highest}, the values that there are; it would never fire");
        return Err(wrong(&fields.path_of(field), expected));
    }
    let fires_always = |highest: f64| match limit {
        Threshold::AtLeast(least) => least <= 0.0,
        Threshold::AtMost(most) => most >= highest,
    };
    if highest.is_some_and(fires_always) {
        return Err(wrong(
            &fields.path_of(field),
            "a limit that some answers do not reach; it would always fire",
        ));
    }
    Ok(RuleKind::Threshold { of, limit })
}

fn worsening(fields: &Fields<'_>, strictness: Strictness) -> Result<RuleKind, StrictJsonError> {
    let of = target(fields)?;
    fields.need("by")?;
    let by = fields.number_if_given("by")?.unwrap_or_default();
    let highest = highest(&of).unwrap_or(f64::MAX);
    if strictness == Strictness::New && (by <= 0.0 || by > highest) {
        return Err(wrong(&fields.path_of("by"), format!("more than 0 and at most {highest}")));
    }
    let since = match fields.need("since")?.as_str() {
        Some("baseline") => Since::Baseline,
        Some("previous") => Since::Previous,
        _ => return Err(wrong(&fields.path_of("since"), "baseline or previous")),
    };
    let natural = natural_direction(&of);
    let worse = match fields.get("worse").map(Value::as_str) {
        None => natural.unwrap_or(Direction::HigherIsWorse),
        Some(Some("higher")) => Direction::HigherIsWorse,
        Some(Some("lower")) => Direction::LowerIsWorse,
        Some(_) => return Err(wrong(&fields.path_of("worse"), "higher or lower")),
    };
    if strictness == Strictness::New && natural.is_some_and(|natural| natural != worse) {
        return Err(wrong(&fields.path_of("worse"), "the end that is worse for this value"));
    }
    Ok(RuleKind::Worsening { of, by, since, worse })
}

fn patient_urgent(fields: &Fields<'_>, strictness: Strictness) -> Result<RuleKind, StrictJsonError> {
    let link_id = fields.name("item", MAX_LINK_ID_BYTES)?;
    let mut answers = Vec::new();
    if fields.get("answers").is_some() {
        for (place, value) in fields.list("answers", "answers", MAX_URGENT_ANSWERS)?.iter().enumerate() {
            let path = format!("{}[{place}]", fields.path_of("answers"));
            answers.push(name_in(value, &path, MAX_RULE_NAME_BYTES)?);
        }
        let is_new = strictness == Strictness::New;
        if is_new && answers.is_empty() {
            return Err(wrong(&fields.path_of("answers"), "a list with at least one code"));
        }
        if is_new && answers.iter().collect::<BTreeSet<_>>().len() < answers.len() {
            return Err(wrong(&fields.path_of("answers"), "a list in which each code stands once"));
        }
    }
    Ok(RuleKind::PatientUrgent { link_id, answers })
}

fn target(fields: &Fields<'_>) -> Result<Target, StrictJsonError> {
    let path = fields.path_of("of");
    let value = fields.need("of")?;
    let has = |field: &str| value.get(field).is_some();
    match (has("symptom"), has("score"), has("item")) {
        (true, false, false) => symptom_target(&Fields::of(value, &path, &["symptom", "attribute"])?),
        (false, true, false) => score_target(&Fields::of(value, &path, &["score"])?),
        (false, false, true) => {
            let of = Fields::of(value, &path, &["item", "unit"])?;
            let link_id = of.name("item", MAX_LINK_ID_BYTES)?;
            Ok(Target::Item { link_id, unit: of.name_if_given("unit", MAX_RULE_NAME_BYTES)? })
        }
        _ => Err(wrong(&path, "an object with one of symptom, score and item")),
    }
}

fn symptom_target(of: &Fields<'_>) -> Result<Target, StrictJsonError> {
    let symptom = match of.name("symptom", MAX_RULE_NAME_BYTES)?.as_str() {
        "*" => SymptomName::Every,
        name if name.contains('/') => {
            let expected = "a symptom's name, which has no /; the attribute stands in a field of its own";
            return Err(wrong(&of.path_of("symptom"), expected));
        }
        name => SymptomName::Named(name.to_owned()),
    };
    let Some(code) = of.get("attribute") else { return Ok(Target::Grade { symptom }) };
    let attribute = match code.as_str() {
        Some("*") => None,
        Some(code) if Attribute::from_code(code).is_some() => Attribute::from_code(code),
        _ => {
            let codes: Vec<&str> = Attribute::ALL.iter().map(|(_, code)| *code).collect();
            return Err(wrong(&of.path_of("attribute"), format!("one of {}, or *", codes.join(", "))));
        }
    };
    Ok(Target::Attribute { symptom, attribute })
}

fn score_target(of: &Fields<'_>) -> Result<Target, StrictJsonError> {
    let full = of.name("score", MAX_RULE_NAME_BYTES)?;
    let expected =
        || wrong(&of.path_of("score"), format!("{}/ and a scale, such as {0}/PF2", ALGORITHM.name));
    let (algorithm, name) = full.split_once('/').ok_or_else(expected)?;
    let is_known =
        algorithm == ALGORITHM.name && (name == SUMMARY || SCALES.iter().any(|scale| scale.code == name));
    if !is_known {
        return Err(expected());
    }
    Ok(Target::Score { algorithm: algorithm.to_owned(), name: name.to_owned() })
}

/// The highest value that there is; `None` where the form decides.
fn highest(of: &Target) -> Option<f64> {
    match of {
        Target::Grade { .. } => Some(WORST_GRADE.into()),
        Target::Attribute { attribute, .. } => {
            Some(attribute.unwrap_or(Attribute::Severity).max_score().into())
        }
        Target::Score { .. } => Some(HIGHEST_SCALE),
        Target::Item { .. } => None,
    }
}

/// Which end is the worse one; `None` where only the study knows.
fn natural_direction(of: &Target) -> Option<Direction> {
    match of {
        Target::Grade { .. } | Target::Attribute { .. } => Some(Direction::HigherIsWorse),
        Target::Score { name, .. } => {
            let scale = SCALES.iter().find(|scale| scale.code == name);
            Some(scale.map_or(Direction::LowerIsWorse, |scale| scale.kind.direction()))
        }
        Target::Item { .. } => None,
    }
}
