//! Functions over numbers and plain values.

use super::super::expressions::as_bool;
use super::super::operators::as_number;
use super::super::value::{Data, Value};
use super::{Answer, is_open};
use crate::limits::MAX_INSTANCES;

/// Calls one of them.
pub(super) fn call(name: &str, values: &[Value]) -> Answer {
    let made: fn(&[Value]) -> Option<Value> = match name {
        "abs" => |values| one(values, f64::abs),
        "ceil" => |values| one(values, f64::ceil),
        "floor" => |values| one(values, f64::floor),
        "signum" => signum,
        "max" => |values| fold(values, f64::max),
        "min" => |values| fold(values, f64::min),
        "sum" => sum,
        "pow" => pow,
        "tonumber" => return convert(values, |value| as_number(value).map(Value::number)),
        "tobool" => return convert(values, |value| as_bool(value).map(Value::bool)),
        "parseint" | "range" if values.iter().any(|value| !value.is_wholly_known()) => {
            return Answer::NotKnown;
        }
        // What is beyond the bounds here, Terraform may accept.
        "parseint" => return parse_integer(values).map_or(Answer::NoSuch, Answer::Made),
        "range" => return range(values).map_or(Answer::NoSuch, Answer::Made),
        "sensitive" => return marked(values, true),
        "nonsensitive" => return marked(values, false),
        _ => return Answer::NoSuch,
    };
    if values.iter().any(|value| !value.is_wholly_known()) {
        Answer::NotKnown
    } else {
        Answer::of(made(values))
    }
}

fn one(values: &[Value], change: impl Fn(f64) -> f64) -> Option<Value> {
    let [number] = values else { return None };
    Some(Value::number(change(as_number(number)?)))
}

fn fold(values: &[Value], choose: fn(f64, f64) -> f64) -> Option<Value> {
    let numbers = values.iter().map(as_number).collect::<Option<Vec<_>>>()?;
    numbers.into_iter().reduce(choose).map(Value::number)
}

/// Of whole numbers only.
fn signum(values: &[Value]) -> Option<Value> {
    let [number] = values else { return None };
    let number = as_number(number).filter(|number| number.fract() == 0.0)?;
    Some(Value::number(f64::from(u8::from(number > 0.0)) - f64::from(u8::from(number < 0.0))))
}

fn sum(values: &[Value]) -> Option<Value> {
    let [list] = values else { return None };
    let numbers = list.items()?.iter().map(as_number).collect::<Option<Vec<_>>>()?;
    // Nothing has no sum.
    numbers.first()?;
    Some(Value::number(numbers.into_iter().sum()))
}

fn pow(values: &[Value]) -> Option<Value> {
    let [base, exponent] = values else { return None };
    Some(Value::number(as_number(base)?.powf(as_number(exponent)?)))
}

fn parse_integer(values: &[Value]) -> Option<Value> {
    let [text, base] = values else { return None };
    let base = as_number(base).filter(|base| base.fract() == 0.0 && (2.0..=36.0).contains(base))?;
    let base = (2_u32..=36).find(|known| f64::from(*known) == base)?;
    i64::from_str_radix(text.as_text()?, base).ok().map(|number| Value::number(number as f64))
}

fn range(values: &[Value]) -> Option<Value> {
    let numbers = values.iter().map(as_number).collect::<Option<Vec<_>>>()?;
    let (start, limit, step) = match *numbers.as_slice() {
        [limit] => (0.0, limit, if limit < 0.0 { -1.0 } else { 1.0 }),
        [start, limit] => (start, limit, if limit < start { -1.0 } else { 1.0 }),
        [start, limit, step] => (start, limit, step),
        _ => return None,
    };
    (step != 0.0).then_some(())?;
    let mut items = Vec::new();
    let mut next: f64 = start;
    while (step > 0.0 && next < limit) || (step < 0.0 && next > limit) {
        if items.len() >= MAX_INSTANCES {
            return None;
        }
        items.push(Value::number(next));
        next += step;
    }
    Some(Value::list(items))
}

fn convert(values: &[Value], change: impl Fn(&Value) -> Option<Value>) -> Answer {
    match values {
        [value] if is_open(value) || matches!(value.data, Data::Null) => Answer::Taken(value.clone()),
        [value] => Answer::of(change(value)),
        _ => Answer::Refused,
    }
}

/// A value that is secret from now on, or no longer.
fn marked(values: &[Value], is_secret: bool) -> Answer {
    match values {
        [value] => Answer::Made(Value { is_secret, ..value.clone() }),
        _ => Answer::Refused,
    }
}
