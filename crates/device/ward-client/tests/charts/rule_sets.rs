//! Published rule sets, and the worklist by them.

use crate::builder::*;
use serde_json::{Value, json};
use ward_client::views::{NamedChart, RuleBook, WorkItem, worklist_by};
use ward_crypto::V1;
use ward_id::{StudyId, TimestampMs};
use ward_sync::{AlertRuleSet, PublishedAlertRules};

/// A published revision at a place of the membership log.
pub fn set(revision: u64, place: u64, rules: Value) -> PublishedAlertRules {
    let rules = json!({"format": "ward/alert-rules", "version": 1, "name": "study",
        "revision": revision.to_string(), "rules": rules});
    let study = StudyId::from_bytes([1; 16]);
    let set = AlertRuleSet { v: V1, study, revision, from: day(0), rules: rules.to_string().into_bytes() };
    PublishedAlertRules { set, place, by: None }
}

pub fn nausea_from(limit: u8, severity: &str) -> Value {
    json!([{"id": "sick", "kind": "threshold", "severity": severity, "of": {"symptom": "nausea"}, "atLeast": limit}])
}

pub fn items(chart: &TestChart, sets: &[PublishedAlertRules], now: TimestampMs) -> Vec<WorkItem> {
    let book = RuleBook::of(sets);
    chart.with_named(|named: &NamedChart<'_>| worklist_by(&book, std::slice::from_ref(named), now))
}

pub fn open(chart: &TestChart, sets: &[PublishedAlertRules]) -> Vec<WorkItem> {
    let mut items = items(chart, sets, day(0));
    items.retain(|item| item.acknowledged.is_none());
    items
}

pub fn reasons(items: &[WorkItem]) -> Vec<&str> {
    items.iter().map(|item| item.reason.as_str()).collect()
}
