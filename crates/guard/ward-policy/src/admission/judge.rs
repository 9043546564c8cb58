//! From a review to its answer.

use super::{Answer, ReviewError, ToJudge, read_admission_review};
use crate::evaluate::{Assessment, assess, read_the_same};
use crate::finding::{Finding, Observation};
use crate::graph::Graph;
use crate::rules::RuleSet;
use crate::verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of an object of which not everything is known: one object at a time shows no other ones of
/// the cluster, so what leans on them stays open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OpenFindings {
    /// It is refused, like a violation.
    Refuse,
    /// It is admitted with a warning that its author sees.
    Warn,
}

/// The answer to a review. What was not read is refused by its name.
///
/// # Errors
/// [`ReviewError`] when not even a name was read: there is no answer that the cluster would take for one.
pub fn answer_review(bytes: &[u8], rules: &RuleSet, open: OpenFindings) -> Result<Answer, ReviewError> {
    let review = match read_admission_review(bytes) {
        Ok(review) => review,
        Err(ReviewError { uid: Some(uid), error }) => {
            return Ok(Answer::refuse(&uid, &format!("Ward did not judge it: {error}")));
        }
        Err(nameless) => return Err(nameless),
    };
    Ok(match &review.judge {
        ToJudge::Nothing => Answer::admit(&review.uid),
        ToJudge::Object(graph) => answer_about(&review.uid, (graph, review.before.as_deref()), rules, open),
    })
}

/// About an object, and what it was if the update leaves what rules judge as it was.
fn answer_about(
    uid: &str,
    (graph, before): (&Graph, Option<&Graph>),
    rules: &RuleSet,
    open: OpenFindings,
) -> Answer {
    let assessment = assess(graph, rules);
    let refuses = |finding: &&Finding<'_>| match finding.verdict {
        Verdict::Indeterminate => open == OpenFindings::Refuse,
        verdict => verdict.blocks(),
    };
    let mut refused: Vec<&Finding<'_>> = assessment.findings.iter().filter(refuses).collect();
    refused.sort_by(|one, other| {
        let severity = other.rule.severity.cmp(&one.rule.severity);
        severity.then_with(|| other.verdict.cmp(&one.verdict)).then_with(|| one.rule.id.cmp(&other.rule.id))
    });
    let blocking = graph.notes().iter().find(|note| note.blocks);
    let answer = match (refused.first(), blocking) {
        (None, None) => Answer::admit(uid),
        _ if before.is_some_and(|before| was_as_bad(graph, &refused, before, rules)) => {
            let still = if refused.is_empty() { String::new() } else { format!(": {}", ids(&refused)) };
            let warning =
                format!("admitted because nothing that is judged changes, and not sound as before{still}");
            Answer::admit(uid).with_warning(&warning)
        }
        (Some(first), _) => Answer::refuse(uid, &message(first, &refused, rules)),
        (None, Some(note)) => Answer::refuse(uid, &format!("Ward did not judge all of it: {}", note.text)),
    };
    with_the_open_ones(answer, &assessment, open)
        .with_audit_annotation("exit", assessment.exit(true).word())
        .with_audit_annotation("rules", &ids(&refused))
}

/// Whether everything that speaks against an object spoke against it before the update as well, and nothing
/// changed that the rules behind it read: one violation more may be told in the words of another.
fn was_as_bad(graph: &Graph, refused: &[&Finding<'_>], before: &Graph, rules: &RuleSet) -> bool {
    let earlier = assess(before, rules);
    let was_there = |now: &&Finding<'_>| {
        earlier.findings.iter().any(|then| {
            std::ptr::eq(then.cell, now.cell)
                && then.verdict == now.verdict
                && then.observed == now.observed
                && then.resource.address == now.resource.address
        })
    };
    // A finding of one part of a rule hides those of others with the same name.
    let cells = refused.iter().flat_map(|now| {
        let of_type = rules.of_type(&now.resource.kind);
        of_type.filter(|(rule, _)| rule.id == now.rule.id).map(|(_, cell)| cell)
    });
    let mut notes = graph.notes().iter().filter(|note| note.blocks);
    refused.iter().all(was_there)
        && read_the_same(cells, graph, before, rules)
        && notes.all(|note| before.notes().contains(note))
}

fn with_the_open_ones(answer: Answer, assessment: &Assessment<'_>, open: OpenFindings) -> Answer {
    if open == OpenFindings::Refuse {
        return answer;
    }
    let open = assessment.findings.iter().filter(|one| one.verdict == Verdict::Indeterminate);
    // A rule with several open parts is told once.
    let rules: BTreeMap<_, _> = open.map(|one| (&one.rule.id, &one.rule.title)).collect();
    rules
        .into_iter()
        .fold(answer, |answer, (id, title)| answer.with_warning(&format!("{id} is not known: {title}")))
}

/// What its author reads: the worst first and whole, the others by their ids.
fn message(first: &Finding<'_>, refused: &[&Finding<'_>], rules: &RuleSet) -> String {
    let observed: Vec<String> = first.observed.iter().map(Observation::line).collect();
    let law = rules.citations_of(first.rule, first.cell).into_iter().next();
    let law = law.map(|(cited, citation)| {
        format!(" It {} {} {}.", cited.relation.without_it(), citation.cite, citation.title)
    });
    let word = if first.verdict == Verdict::Fail { "is not met" } else { "is not proven" };
    let others = if refused.len() > 1 { format!(" All rules: {}.", ids(refused)) } else { String::new() };
    format!(
        "{} {}: {word} by {}.{} Observed: {}. Expected: {}.{others}",
        first.rule.id,
        first.rule.title,
        first.resource.address,
        law.unwrap_or_default(),
        observed.join("; "),
        first.cell.expected,
    )
}

fn ids(findings: &[&Finding<'_>]) -> String {
    let mut ids: Vec<&str> = findings.iter().map(|finding| finding.rule.id.as_str()).collect();
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin_rules;
    use serde_json::{Value, json};

    fn review(operation: &str, spec: &Value) -> Vec<u8> {
        json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "u-7", "operation": operation, "namespace": "n",
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": spec},
            },
        })
        .to_string()
        .into_bytes()
    }

    fn answered(bytes: &[u8], open: OpenFindings) -> Value {
        let answer = answer_review(bytes, &builtin_rules().unwrap(), open).unwrap();
        serde_json::from_str::<Value>(&answer.to_json()).unwrap()["response"].take()
    }

    #[test]
    fn a_privileged_pod_is_refused_with_the_law_and_short_enough() {
        let open = json!({"hostNetwork": true, "containers": [{"name": "c", "image": "i", "securityContext": {"privileged": true}}]});
        for mode in [OpenFindings::Refuse, OpenFindings::Warn] {
            let response = answered(&review("CREATE", &open), mode);
            assert_eq!((&response["uid"], &response["allowed"]), (&json!("u-7"), &json!(false)));
            let message = response["status"]["message"].as_str().unwrap();
            assert!(message.contains("W-068") && message.contains("45 CFR 164."), "{message}");
            assert!(message.len() <= crate::limits::MAX_MESSAGE_BYTES);
        }
        let removed = answered(&review("DELETE", &open), OpenFindings::Refuse);
        assert_eq!(removed["allowed"], json!(true));
    }

    /// A sound set of pods whose claim names a class that another object of the cluster declares.
    fn set_with_a_class() -> Vec<u8> {
        let security = json!({"allowPrivilegeEscalation": false, "privileged": false, "runAsNonRoot": true,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
        let image = format!("r.example.org/i@sha256:{}", "0".repeat(64));
        let pod = json!({"automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "c", "image": image, "securityContext": security}]});
        let claim = json!({"metadata": {"name": "data"}, "spec": {"storageClassName": "encrypted"}});
        let object = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s", "namespace": "n"},
            "spec": {"template": {"spec": pod}, "volumeClaimTemplates": [claim]}});
        json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {"uid": "u-8", "operation": "CREATE", "namespace": "n", "object": object,
                "kind": {"group": "apps", "version": "v1", "kind": "StatefulSet"}},
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn fails_closed_what_is_not_known_is_refused_or_warned_of() {
        let refused = answered(&set_with_a_class(), OpenFindings::Refuse);
        assert_eq!(refused["allowed"], json!(false));
        assert!(refused["status"]["message"].as_str().unwrap().contains("W-070"), "{refused}");
        let warned = answered(&set_with_a_class(), OpenFindings::Warn);
        assert_eq!(warned["allowed"], json!(true), "{warned}");
        assert!(warned["warnings"][0].as_str().unwrap().starts_with("W-070 is not known"), "{warned}");
    }

    #[test]
    fn fails_closed_what_is_no_review_is_refused_by_its_name_or_not_answered() {
        let rules = builtin_rules().unwrap();
        assert!(answer_review(b"{", &rules, OpenFindings::Warn).is_err());
        let other = json!({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {"uid": "u"}});
        let answer = answer_review(other.to_string().as_bytes(), &rules, OpenFindings::Warn).unwrap();
        assert!(!answer.admits());
    }
}
