//! How often a block is there: `count` and `for_each`.

use super::evaluator::{Evaluator, ModuleId, Repetition, Scope};
use super::operators::as_place;
use super::syntax::Body;
use super::value::{Data, Entries, Value};
use crate::limits::MAX_INSTANCES;

/// The instances of a block.
pub(super) enum Instances {
    Once,
    Count(usize),
    Each(Entries),
    /// Nobody knows before the deployment; what one of them would see.
    NotKnown(Repetition),
}

/// The instances of a resource, a data source or a module call.
pub(super) fn instances(evaluator: &mut Evaluator<'_>, module: ModuleId, body: &Body) -> Instances {
    let scope = Scope::of(module);
    if let Some(argument) = body.attribute("count") {
        let count = evaluator.evaluate(&argument.value, &scope);
        return match whole(&count) {
            Some(number) if number <= MAX_INSTANCES && !count.is_secret => Instances::Count(number),
            _ => {
                let index = not_known(&count, "count.index");
                Instances::NotKnown(Repetition::Count(index))
            }
        };
    }
    if let Some(argument) = body.attribute("for_each") {
        let over = evaluator.evaluate(&argument.value, &scope);
        return match each(&over) {
            Some(entries) if entries.len() <= MAX_INSTANCES => Instances::Each(entries),
            _ => {
                let (key, value) = (not_known(&over, "each.key"), not_known(&over, "each.value"));
                Instances::NotKnown(Repetition::Each { key, value })
            }
        };
    }
    Instances::Once
}

/// What `for_each` repeats over: keys with values. A set has its items as both.
pub(super) fn each(over: &Value) -> Option<Entries> {
    if over.is_secret {
        return None;
    }
    match &over.data {
        Data::Map(map) => Some(map.inner.clone()),
        Data::List(list) => {
            let entry = |item: &Value| Some((item.as_text()?.into(), item.clone()));
            list.inner.iter().map(entry).collect()
        }
        _ => None,
    }
}

fn whole(count: &Value) -> Option<usize> {
    let number = match &count.data {
        Data::Number(number) => *number,
        Data::Text(text) => text.parse::<f64>().ok()?,
        _ => return None,
    };
    as_place(number)
}

/// What `count.index` or `each.value` is when the instances are not known.
fn not_known(of: &Value, written: &str) -> Value {
    let reason = of.not_known().map_or(crate::graph::Reason::Expression, |not_known| not_known.reason);
    Value::unknown(reason).and_from(&of.all_from()).computed(written)
}
