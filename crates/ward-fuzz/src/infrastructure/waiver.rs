//! Waivers, alone and applied to a check of a small plan. Behind a zero byte stand the choices of that check.

use super::judged::is_proven_or_blocks;
use crate::Target;
use crate::choices::{Choices, parts};
use crate::fixtures::UNSOUND_PLAN;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use ward_policy::graph::HIDDEN;
use ward_policy::limits::MAX_WAIVER_DAYS;
use ward_policy::rules::{RuleSet, Severity};
use ward_policy::waiver::{
    NamedWaiver, SignatureCheck, SignerRole, Waiver, WaiverCheck, WaiverSignature, apply_waivers,
    approved_for_any, binding_of, is_same_person, read_waiver, signed_well, write_waiver,
};
use ward_policy::{
    Assessment, Day, Finding, Observation, Settings, Verdict, assess, builtin_rules, read_settings,
    read_terraform, read_text,
};

pub(crate) const TARGET: Target = Target {
    name: "waiver",
    about: "a waiver, zero byte, choices: it is read again and signs the same; it counts only signed, in time, for what it names",
    words: &[
        "version: 1\n",
        "rule: W-003\n",
        "aspect: keys\n",
        "resource: aws_db_instance.d\n",
        "stage: test\n",
        "binds: \"",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "reason: r\n",
        "alternative: a\n",
        "ticket: t\n",
        "written: 2026-11-30\n",
        "expires: 2027-01-31\n",
        "observed:\n  - seen\n",
        "signatures:\n  - {role: author, name: ann, key: \"",
        "\n  - {role: approver, name: bo, key: \"",
        "role: approver",
        "signature: \"",
        "\\u00",
        "\0",
    ],
    run,
};

/// A stand-in for the check of signatures: all of them hold, or none.
struct Holds(bool);

impl SignatureCheck for Holds {
    fn holds(&self, _key: &[u8; 32], _digest: &[u8; 32], _signature: &[u8; 64]) -> bool {
        self.0
    }
}

fn run(input: &[u8]) {
    let [waiver, choices] = parts(input);
    let Ok(text) = read_text(waiver) else { return };
    let Ok(waiver) = read_waiver("input", &text) else { return };
    let written = write_waiver(&waiver);
    let again = read_waiver("written", &written);
    assert_eq!(again.as_ref(), Ok(&waiver), "what is written is read again: {written}");
    let key = [1; 32];
    let author = waiver.digest(SignerRole::Author, "n", &key);
    assert!(again.is_ok_and(|again| again.digest(SignerRole::Author, "n", &key) == author));
    assert_ne!(author, waiver.digest(SignerRole::Approver, "n", &key), "parts are signed apart");
    // Settings in which everybody who signed is named, and the stage is that of the waiver.
    let Some(settings) = settings(&waiver.stage, &waiver.signatures) else { return };
    for today in [waiver.written, waiver.expires, Day::from_number(0)] {
        assert!(
            signed_well(&waiver, &settings, today, &Holds(false)).is_err(),
            "no signature holds, and it counts"
        );
    }
    for outside in [waiver.written.plus(-1), waiver.expires.plus(1)] {
        let counts = signed_well(&waiver, &settings, outside, &Holds(true)).is_ok();
        assert!(!counts, "a waiver counts beyond its days");
    }
    applied(waiver, Choices::of(choices));
}

fn settings(stage: &str, signers: &[WaiverSignature]) -> Option<Settings> {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut settings = format!("version: 1\nstage: {}\n", quoted(stage));
    if !signers.is_empty() {
        settings += "waiver_signers:\n";
    }
    for one in signers {
        settings +=
            &format!("  - {{name: {}, key: \"{}\"}}\n", quoted(&one.name), ward_id::hex_encode(&one.key));
    }
    read_settings("settings", &settings).ok()
}

/// The waiver, as it is or with what a finding has, in a check where signatures hold. How many findings it waives.
fn applied(mut waiver: Waiver, mut choices: Choices<'_>) -> Option<usize> {
    static RULES: Mutex<Option<RuleSet>> = Mutex::new(None);
    let mut rules = RULES.lock().unwrap_or_else(PoisonError::into_inner);
    if rules.is_none() {
        *rules = builtin_rules().ok();
    }
    let rules = rules.as_mut()?;
    // What stays as the input has it: nothing, if nothing was chosen.
    let kept = choices.below(256);
    let is_kept = |bit: usize| kept >> bit & 1 == 1;
    let signers = waiver.signatures.len().saturating_sub(usize::from(is_kept(6)));
    let stage = if is_kept(7) { "another" } else { &waiver.stage };
    let settings = settings(stage, waiver.signatures.get(..signers).unwrap_or_default())?;
    rules.set_settings(settings);
    let rules = &*rules;
    let graph = read_terraform(UNSOUND_PLAN).ok()?;
    let mut assessment = assess(&graph, rules);
    if let Some(finding) = choices.one_of(&assessment.findings) {
        let observed = finding.observed.iter().map(|seen| seen.line().into()).collect();
        let fill: [&dyn Fn(&mut Waiver); 5] = [
            &|one| one.rule = finding.rule.id.clone(),
            &|one| one.aspect = finding.cell.aspect.clone(),
            &|one| one.resource = finding.resource.address.clone(),
            &|one| one.binds = binding_of(finding, &graph).unwrap_or(one.binds),
            &|one| one.observed = Vec::clone(&observed),
        ];
        fill.iter().enumerate().filter(|(bit, _)| !is_kept(*bit)).for_each(|(_, fill)| fill(&mut waiver));
    }
    let days = [0, waiver.expires.days_since(waiver.written), 1, -1].map(|days| waiver.written.plus(days));
    let days = [days, [waiver.expires.plus(1), waiver.expires.plus(-1), days[0], days[0]]].concat();
    let today = choices.one_of(&days).copied()?;
    let named = [NamedWaiver { file: "w.yaml".to_owned(), waiver }];
    let check = |holds| WaiverCheck { waivers: &named, today, signatures: holds };
    let [NamedWaiver { waiver, .. }] = &named;

    let mut unsigned = assess(&graph, rules);
    apply_waivers(&mut unsigned, rules, check(&Holds(false)));
    assert_eq!(unsigned.count(Verdict::Waived), 0, "no signature holds, and it waives");

    let before: Vec<Verdict> = assessment.findings.iter().map(|finding| finding.verdict).collect();
    apply_waivers(&mut assessment, rules, check(&Holds(true)));
    assert_eq!(before.len(), assessment.findings.len(), "waived or not, a finding is there");
    is_proven_or_blocks(&assessment);
    for (finding, before) in assessment.findings.iter().zip(&before) {
        if finding.verdict == Verdict::Waived {
            may_be_waived(waiver, finding, *before, rules, today);
        } else {
            assert_eq!(finding.verdict, *before, "a verdict that is not waived stays");
            let is_meant = waiver.rule == finding.rule.id && waiver.resource == finding.resource.address;
            assert!(is_meant || finding.waiver.is_none(), "a waiver is told of where it is not meant");
            let unwaived = Finding { waiver: None, ..finding.clone() };
            let is_bound = binding_of(&unwaived, &graph) == Some(waiver.binds);
            let is_signed = signed_well(waiver, rules.settings(), today, &Holds(true)).is_ok();
            let counts = is_bound && is_signed && approved_for_any(waiver, rules).is_ok();
            assert!(!(counts && names(waiver, finding)), "a waiver that has all it needs does not count");
        }
    }
    let waived = assessment.count(Verdict::Waived);
    if waived > 0 {
        nothing_else_is_waived(&waiver.resource, &mut choices, rules, check(&Holds(true)));
    }
    Some(waived)
}

/// Whether a waiver is about a finding and what was seen there.
fn names(waiver: &Waiver, finding: &Finding<'_>) -> bool {
    waiver.rule == finding.rule.id
        && waiver.aspect == finding.cell.aspect
        && waiver.resource == finding.resource.address
        && finding.observed.iter().map(Observation::line).eq(waiver.observed.iter().map(ToString::to_string))
}

/// What holds of a waiver that counts, said once more and in another way than where it is decided.
fn may_be_waived(waiver: &Waiver, finding: &Finding<'_>, before: Verdict, rules: &RuleSet, today: Day) {
    assert!(names(waiver, finding), "a waiver waives another rule, resource or value than it names");
    assert!(matches!(before, Verdict::Fail | Verdict::Indeterminate), "what was not evaluated is waived");
    assert!(finding.observed.iter().all(|seen| !seen.value.contains(HIDDEN)), "a hidden value is waived");
    assert!(waiver.written <= today && today <= waiver.expires, "a waiver counts beyond its days");
    assert!(waiver.expires.days_since(waiver.written) <= MAX_WAIVER_DAYS, "a waiver counts for too long");
    assert_eq!(rules.settings().stage(), Some(&*waiver.stage), "a waiver counts for another stage");
    assert_eq!(waiver.signed_as(SignerRole::Author).count(), 1, "a waiver has one author");
    let approvals = waiver.signed_as(SignerRole::Approver).count();
    let needed = if finding.rule.severity == Severity::Critical { 2 } else { 1 };
    assert!(approvals >= needed, "a waiver has too few approvals");
    for (place, one) in waiver.signatures.iter().enumerate() {
        let is_named = rules.settings().waiver_signers().iter().any(|known| known.key == one.key);
        assert!(is_named, "somebody signs whom the settings do not name");
        let mut others = waiver.signatures.iter().skip(place.saturating_add(1));
        let is_alone = others.all(|other| other.key != one.key && !is_same_person(&other.name, &one.name));
        assert!(is_alone, "somebody signs twice");
    }
}

/// The same waiver after one value of its resource was changed: nothing of that resource is waived.
fn nothing_else_is_waived(address: &str, choices: &mut Choices<'_>, rules: &RuleSet, check: WaiverCheck<'_>) {
    let Some(plan) = changed(address, choices) else { return };
    let Ok(graph) = read_terraform(&plan) else { return };
    let mut assessment: Assessment<'_> = assess(&graph, rules);
    apply_waivers(&mut assessment, rules, check);
    assert_eq!(
        assessment.count(Verdict::Waived),
        0,
        "a waiver counts after a value of its resource was changed"
    );
}

/// The plan with one more value, or another one, in a resource.
fn changed(address: &str, choices: &mut Choices<'_>) -> Option<String> {
    let mut plan: Value = serde_json::from_str(UNSOUND_PLAN).ok()?;
    let changes = plan.get_mut("resource_changes")?.as_array_mut()?;
    let change =
        changes.iter_mut().find(|change| change.get("address").and_then(Value::as_str) == Some(address))?;
    let change = change.get_mut("change")?;
    // A hash of a secret would help to guess it, so it is not bound.
    let is_secret = |change: &Value, name: &str| {
        change.get("after_sensitive").is_some_and(|marks| marks.get(name).is_some())
    };
    let after = change.get("after")?.as_object()?;
    let names: Vec<String> = after.keys().filter(|name| !is_secret(change, name)).cloned().collect();
    let name = choices.one_of(&names).cloned().unwrap_or_else(|| "more".to_owned());
    let value = change.get_mut("after")?.as_object_mut()?.entry(name).or_insert(Value::Null);
    *value = match value {
        Value::Bool(value) => Value::Bool(!*value),
        Value::String(text) => Value::String(format!("{text}x")),
        Value::Number(number) => Value::from(number.as_f64().unwrap_or_default() + 1.0),
        Value::Null | Value::Array(_) | Value::Object(_) => Value::String("x".to_owned()),
    };
    serde_json::to_string(&plan).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A waiver that two people approve, whatever it is about.
    const WAIVER: &str = include_str!("../../../../testdata/fuzz/waiver/two_approvals.input");

    #[test]
    fn every_finding_of_the_plan_that_can_be_waived_is_waived_by_choices() {
        run(WAIVER.as_bytes());
        let rules = builtin_rules().unwrap();
        let graph = read_terraform(UNSOUND_PLAN).unwrap();
        let assessment = assess(&graph, &rules);
        let waivable =
            assessment.findings.iter().filter(|finding| binding_of(finding, &graph).is_some()).count();
        assert!(waivable > 3, "{waivable} of {}", assessment.findings.len());
        let addresses: Vec<&str> =
            assessment.findings.iter().map(|finding| &*finding.resource.address).collect();
        let waiver = read_waiver("w", WAIVER).unwrap();
        let mut waived = 0;
        for (place, address) in addresses.iter().enumerate() {
            let choices = [0, u8::try_from(place).unwrap(), 0, 1];
            waived += applied(waiver.clone(), Choices::of(&choices)).unwrap();
            let plan = changed(address, &mut Choices::of(&[1])).unwrap();
            assert!(read_terraform(&plan).is_ok() && plan != UNSOUND_PLAN);
        }
        assert_eq!(waived, waivable);
    }
}
