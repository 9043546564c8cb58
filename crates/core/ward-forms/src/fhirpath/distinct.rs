//! A set of values by `=`, so that removing duplicates doesn't compare each with each.

use super::budget::Budget;
use super::equality::equal_values;
use super::error::EvaluationError;
use super::temporal::Temporal;
use super::value::Value;
use crate::limits::MAX_MARKED_BYTES;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Values seen so far, each once.
pub(super) struct Distinct<'d> {
    values: Vec<Value<'d>>,
    /// The value with a mark that was added last.
    last_of: BTreeMap<u64, usize>,
    /// For each value, the one with the same mark that was added before it.
    before: Vec<Option<usize>>,
}

impl<'d> Distinct<'d> {
    pub(super) fn new() -> Self {
        Self { values: Vec::new(), last_of: BTreeMap::new(), before: Vec::new() }
    }

    pub(super) fn of(values: &[Value<'d>], budget: &Budget) -> Result<Self, EvaluationError> {
        let mut set = Self::new();
        for value in values {
            set.insert(value, budget)?;
        }
        Ok(set)
    }

    pub(super) fn has(&self, value: &Value<'d>, budget: &Budget) -> Result<bool, EvaluationError> {
        self.has_marked(value, mark(value), budget)
    }

    fn has_marked(&self, value: &Value<'d>, mark: u64, budget: &Budget) -> Result<bool, EvaluationError> {
        budget.take(1)?;
        // A quantity may equal a number or a quantity of another unit.
        if mark == QUANTITY_MARK {
            return any_equal(&self.values, value, budget);
        }
        for mark in [mark, QUANTITY_MARK] {
            let last = self.last_of.get(&mark).copied();
            let known = std::iter::successors(last, |at| self.before.get(*at).copied().flatten());
            if any_equal(known.filter_map(|at| self.values.get(at)), value, budget)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Adds a value; says whether it was new.
    pub(super) fn insert(&mut self, value: &Value<'d>, budget: &Budget) -> Result<bool, EvaluationError> {
        let mark = mark(value);
        if self.has_marked(value, mark, budget)? {
            return Ok(false);
        }
        self.before.push(self.last_of.insert(mark, self.values.len()));
        self.values.push(value.clone());
        Ok(true)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn into_values(self) -> Vec<Value<'d>> {
        self.values
    }
}

fn any_equal<'v, 'd: 'v>(
    known: impl IntoIterator<Item = &'v Value<'d>>,
    value: &Value<'d>,
    budget: &Budget,
) -> Result<bool, EvaluationError> {
    for known in known {
        if equal_values(known, value, budget)? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

const TEMPORAL_MARK: u64 = 4;
const QUANTITY_MARK: u64 = 6;

/// Equal values have the same mark, quantities excepted. Where equality is not told by the text, all
/// share one.
fn mark(value: &Value<'_>) -> u64 {
    match value.plain() {
        Value::Boolean(value) => 1 + u64::from(value),
        Value::Integer(value) => hash(&value.to_string(), 3),
        // Equal to an integer perhaps.
        Value::Decimal(value) => hash(&value.normalize().to_string(), 3),
        // A text of no known type may equal a date.
        Value::String(text) if Temporal::date_time(&text).or_else(|| Temporal::time(&text)).is_some() => {
            TEMPORAL_MARK
        }
        Value::String(text) => hash(&text, 5),
        Value::Temporal(_) => TEMPORAL_MARK,
        Value::Quantity(_) => QUANTITY_MARK,
        Value::Type { name, .. } => hash(&name, 7),
        Value::Node(node) => node.json.map_or(8, json_mark),
    }
}

/// Objects that differ in one of the members that name things are different.
fn json_mark(json: &Json) -> u64 {
    let Some(map) = json.as_object() else { return 8 };
    // A Quantity may equal one made by an expression.
    if map.contains_key("value") && !map.contains_key("linkId") {
        return QUANTITY_MARK;
    }
    // Items are told apart by it, and there are many of them.
    if let Some(link_id) = map.get("linkId").and_then(Json::as_str) {
        return hash(link_id, 9 + map.len() as u64);
    }
    let names = ["id", "url", "code", "system", "reference", "family"];
    let texts = names.iter().filter_map(|name| map.get(*name).and_then(Json::as_str));
    texts.fold(9 + map.len() as u64, |mark, text| hash(text, mark))
}

/// FNV-1a of the beginning: what lies behind is compared, which counts.
fn hash(text: &str, seed: u64) -> u64 {
    text.bytes().take(MAX_MARKED_BYTES).fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
