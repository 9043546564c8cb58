//! Functions over lists, sets, maps and objects. What they take out of their arguments leads where it led.

use super::super::conversion::{as_text, set};
use super::super::expressions::{as_bool, as_index, as_key};
use super::super::operators::{as_number, as_place, equal, have_one_shape, unified};
use super::super::value::{Data, Entries, Value, joined};
use super::{Answer, is_open};
use crate::graph::References;
use crate::limits::{MAX_INSTANCES, MAX_VALUE_SIZE};

/// Calls one of them.
pub(super) fn call(name: &str, values: &[Value]) -> Answer {
    match (name, values) {
        ("merge", _) => merge(values),
        ("concat", _) => concat(values),
        ("coalesce", _) => coalesce(values),
        ("coalescelist", _) => coalesce_lists(values),
        ("list", _) => Answer::Taken(Value::list(values.to_vec())),
        ("lookup", [of, key]) => lookup(of, key, None),
        ("lookup", [of, key, default]) => lookup(of, key, Some(default)),
        ("toset", [list]) => list_of(list, |_| Answer::Taken(set(list.clone()))),
        ("tolist", [list]) => list_of(list, |items| in_one_kind(list, items)),
        ("tomap", [map]) => map_of(map, |entries| {
            let (keys, items): (Vec<_>, Vec<_>) =
                entries.iter().map(|(key, item)| (key.clone(), item.clone())).unzip();
            unified(&items).map_or(Answer::NoSuch, |items| {
                Answer::Taken(Value::map(keys.into_iter().zip(items).collect()).and_from(&map.from))
            })
        }),
        ("distinct", [list]) => list_of(list, |_| distinct(list)),
        ("flatten", [list]) => flatten(list),
        ("compact", [list]) => list_of(list, |items| compact(list, items)),
        ("element", [list, index]) => element(list, index),
        ("one", [list]) => list_of(list, |items| match items {
            [] => Answer::Made(Value::null()),
            [only] => Answer::Taken(only.clone().and_from(&list.from)),
            _ => Answer::Refused,
        }),
        ("reverse", [list]) => list_of(list, |items| rebuilt(list, items.iter().rev().cloned().collect())),
        ("slice", [list, from, to]) => list_of(list, |items| slice(list, items, from, to)),
        ("length", [of]) => length(of),
        ("keys", [map]) => map_of(map, |entries| {
            Answer::Made(Value::list(entries.keys().map(|key| Value::new(Data::Text(key.clone()))).collect()))
        }),
        ("values", [map]) => map_of(map, |entries| rebuilt(map, entries.values().cloned().collect())),
        ("zipmap", [keys, items]) => zipmap(keys, items),
        ("contains", [list, wanted]) => list_of(list, |items| contains(items, wanted)),
        ("index", [list, wanted]) => list_of(list, |items| index(items, wanted)),
        ("alltrue", [list]) => list_of(list, |items| truth(items, false)),
        ("anytrue", [list]) => list_of(list, |items| truth(items, true)),
        ("setunion", _) => match concat(values) {
            Answer::Taken(list) => Answer::Taken(set(list)),
            answer => answer,
        },
        ("setintersection", [one, other]) => by_membership(one, other, true),
        ("setsubtract", [one, other]) => by_membership(one, other, false),
        ("sort", [list]) => match in_order(list) {
            Some(texts) => Answer::Made(Value::list(texts)),
            None => Answer::NoSuch,
        },
        _ => Answer::NoSuch,
    }
}

fn list_of(list: &Value, make: impl FnOnce(&[Value]) -> Answer) -> Answer {
    match list.items() {
        Some(items) => make(items),
        None if is_open(list) => Answer::NotKnown,
        None => Answer::Refused,
    }
}

fn map_of(map: &Value, make: impl FnOnce(&Entries) -> Answer) -> Answer {
    match map.entries() {
        Some(entries) => make(entries),
        None if is_open(map) => Answer::NotKnown,
        None => Answer::Refused,
    }
}

fn in_one_kind(list: &Value, items: &[Value]) -> Answer {
    unified(items).map_or(Answer::NoSuch, |items| rebuilt(list, items))
}

fn rebuilt(of: &Value, items: Vec<Value>) -> Answer {
    Answer::Taken(Value::list(items).and_from(&of.from))
}

fn merge(values: &[Value]) -> Answer {
    let mut merged = Entries::new();
    let mut from = References::default();
    for value in values {
        if matches!(value.data, Data::Null) {
            continue;
        }
        let Some(entries) = value.entries() else {
            return if is_open(value) { Answer::NotKnown } else { Answer::Refused };
        };
        from = joined(&from, &value.from);
        merged.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Answer::Taken(Value::map(merged).and_from(&from))
}

fn concat(values: &[Value]) -> Answer {
    let mut all = Vec::new();
    let mut from = References::default();
    for value in values {
        let Some(items) = value.items() else {
            return if is_open(value) { Answer::NotKnown } else { Answer::Refused };
        };
        from = joined(&from, &value.from);
        all.extend_from_slice(items);
        if all.len() > MAX_VALUE_SIZE {
            return Answer::NoSuch;
        }
    }
    Answer::Taken(Value::list(all).and_from(&from))
}

/// The first that is there. One that is not known before it leaves open which.
fn coalesce(values: &[Value]) -> Answer {
    let is_there = |value: &Value| !matches!(value.data, Data::Null) && value.as_text() != Some("");
    let Some(values) = unified(values).filter(|values| have_one_shape(values)) else { return Answer::NoSuch };
    for value in values {
        if is_open(&value) {
            return Answer::NotKnown;
        }
        if is_there(&value) {
            return Answer::Taken(value);
        }
    }
    Answer::Refused
}

fn coalesce_lists(values: &[Value]) -> Answer {
    for value in values {
        match value.items() {
            Some([]) => {}
            Some(_) => return Answer::Taken(value.clone()),
            None if is_open(value) => return Answer::NotKnown,
            None => return Answer::Refused,
        }
    }
    Answer::Refused
}

fn lookup(of: &Value, key: &Value, default: Option<&Value>) -> Answer {
    map_of(of, |entries| match as_index(key) {
        None if is_open(key) => Answer::NotKnown,
        None => Answer::Refused,
        Some(key) => match (entries.get(&key), default) {
            (Some(value), _) => Answer::Taken(value.clone().and_from(&of.from)),
            (None, Some(default)) => Answer::Taken(default.clone()),
            (None, None) => Answer::Refused,
        },
    })
}

fn distinct(list: &Value) -> Answer {
    let Some(items) = list.items() else { return Answer::Refused };
    if !list.is_wholly_known() {
        return Answer::NotKnown;
    }
    // Each is compared with each.
    if items.len() > MAX_INSTANCES {
        return Answer::NoSuch;
    }
    let Some(items) = unified(items) else { return Answer::NoSuch };
    let mut kept: Vec<Value> = Vec::new();
    for item in &items {
        if !kept.iter().any(|known| equal(known, item) == Some(true)) {
            kept.push(item.clone());
        }
    }
    rebuilt(list, kept)
}

fn flatten(list: &Value) -> Answer {
    let mut flat = Vec::new();
    let mut from = References::default();
    match flatten_into(list, &mut flat, &mut from) {
        true => Answer::Taken(Value::list(flat).and_from(&from)),
        false => Answer::NotKnown,
    }
}

/// Adds the items of lists in lists; false if one is not known, for it may be a list itself.
fn flatten_into(list: &Value, flat: &mut Vec<Value>, from: &mut References) -> bool {
    let Some(items) = list.items() else { return false };
    *from = joined(from, &list.from);
    items.iter().all(|item| match &item.data {
        Data::List(_) => flatten_into(item, flat, from),
        Data::Unknown(_) => false,
        _ => {
            flat.push(item.clone());
            flat.len() <= MAX_VALUE_SIZE
        }
    })
}

fn compact(list: &Value, items: &[Value]) -> Answer {
    let Some(texts) = as_texts(items.iter().filter(|item| !matches!(item.data, Data::Null))) else {
        return Answer::NoSuch;
    };
    rebuilt(list, texts.into_iter().filter(|item| item.as_text() != Some("")).collect())
}

/// Plain values as texts.
fn as_texts<'v>(items: impl Iterator<Item = &'v Value>) -> Option<Vec<Value>> {
    items.map(|item| Some(Value { data: Value::text(&as_text(item)?).data, ..item.clone() })).collect()
}

fn element(list: &Value, index: &Value) -> Answer {
    list_of(list, |items| {
        let Some(place) = as_number(index).filter(|place| place.fract() == 0.0) else {
            return if is_open(index) { Answer::NotKnown } else { Answer::Refused };
        };
        if items.is_empty() {
            return Answer::Refused;
        }
        let place = place.rem_euclid(items.len() as f64);
        match as_place(place).and_then(|place| items.get(place)) {
            Some(item) => Answer::Taken(item.clone().and_from(&list.from)),
            None => Answer::Refused,
        }
    })
}

fn slice(list: &Value, items: &[Value], from: &Value, to: &Value) -> Answer {
    if is_open(from) || is_open(to) {
        return Answer::NotKnown;
    }
    let (Some(from), Some(to)) = (as_number(from), as_number(to)) else { return Answer::Refused };
    if from < 0.0 || to < from || to > items.len() as f64 {
        return Answer::Refused;
    }
    let inside = items.iter().enumerate().filter(|(at, _)| (from..to).contains(&(*at as f64)));
    rebuilt(list, inside.map(|(_, item)| item.clone()).collect())
}

fn length(of: &Value) -> Answer {
    match &of.data {
        Data::List(list) => Answer::Made(Value::number(list.inner.len() as f64)),
        Data::Map(map) => Answer::Made(Value::number(map.inner.len() as f64)),
        Data::Text(text) => Answer::Made(Value::number(text.chars().count() as f64)),
        _ if is_open(of) => Answer::NotKnown,
        _ => Answer::Refused,
    }
}

fn zipmap(keys: &Value, items: &Value) -> Answer {
    list_of(keys, |names| {
        list_of(items, |values| {
            if names.len() != values.len() {
                return Answer::Refused;
            }
            let mut entries = Entries::new();
            for (name, value) in names.iter().zip(values) {
                let Some(name) = as_key(name) else { return Answer::NotKnown };
                entries.insert(name, value.clone());
            }
            Answer::Taken(Value::map(entries).and_from(&items.from))
        })
    })
}

fn contains(items: &[Value], wanted: &Value) -> Answer {
    let mut is_known = true;
    for item in items {
        match equal(item, wanted) {
            Some(true) => return Answer::Made(Value::bool(true)),
            Some(false) => {}
            None => is_known = false,
        }
    }
    if is_known { Answer::Made(Value::bool(false)) } else { Answer::NotKnown }
}

fn index(items: &[Value], wanted: &Value) -> Answer {
    for (place, item) in items.iter().enumerate() {
        match equal(item, wanted) {
            Some(true) => return Answer::Made(Value::number(place as f64)),
            Some(false) => {}
            None => return Answer::NotKnown,
        }
    }
    Answer::Refused
}

/// Whether one of them is this, or if none is, the opposite.
fn truth(items: &[Value], deciding: bool) -> Answer {
    let is_true = |item: &Value| if matches!(item.data, Data::Null) { Some(false) } else { as_bool(item) };
    let truths: Vec<_> = items.iter().map(is_true).collect();
    if truths.iter().zip(items).any(|(truth, item)| truth.is_none() && !is_open(item)) {
        return Answer::Refused;
    }
    if truths.contains(&Some(deciding)) {
        Answer::Made(Value::bool(deciding))
    } else if truths.contains(&None) {
        Answer::NotKnown
    } else {
        Answer::Made(Value::bool(!deciding))
    }
}

fn by_membership(one: &Value, other: &Value, is_member: bool) -> Answer {
    if !one.is_wholly_known() || !other.is_wholly_known() {
        return Answer::NotKnown;
    }
    let (Some(items), Some(others)) = (one.items(), other.items()) else { return Answer::Refused };
    if items.len().saturating_mul(others.len()) > MAX_INSTANCES.saturating_mul(MAX_INSTANCES) {
        return Answer::NoSuch;
    }
    let is_in = |item: &&Value| others.iter().any(|other| equal(item, other) == Some(true)) == is_member;
    rebuilt(one, items.iter().filter(is_in).cloned().collect())
}

/// Texts in order, each as often as it is there.
fn in_order(list: &Value) -> Option<Vec<Value>> {
    let mut texts = as_texts(list.items()?.iter())?;
    texts.sort_by(|one, other| one.as_text().cmp(&other.as_text()));
    Some(texts)
}
