//! What a deployment changes: its action on a resource, and values that must not protect less.

use super::conditions::View;
use super::truth::{Outcome, Truth};
use super::value_test::number;
use crate::graph::{Attribute, AttributePath, Block, Reached, State, reach};
use crate::rules::{Change, DefaultValue, Defaults};

/// How much a value protects.
#[derive(Debug, Clone, PartialEq)]
enum Strength {
    /// Not at all: off, nothing, zero.
    Nothing,
    /// It is set, by a list or a block.
    Set,
    /// It is this text: another one may protect less.
    Text(Box<str>),
    /// It is on.
    On,
    /// For so long, or so many.
    Number(f64),
    /// Not known before the deployment.
    NotKnown,
}

/// Whether a condition over a change stands.
pub(super) fn stands(defaults: &Defaults, view: View<'_>, change: &Change) -> Outcome {
    match change {
        Change::Action(actions) => {
            let action = view.resource.action;
            view.outcome(actions.contains(&action).into(), || {
                view.told(
                    &AttributePath::default(),
                    &format!("the deployment would {} it", action.word()),
                    "",
                )
            })
        }
        Change::Kept { path, zero_is_for_ever } => kept(defaults, view, path, *zero_is_for_ever),
    }
}

fn kept(defaults: &Defaults, view: View<'_>, path: &AttributePath, zero_is_for_ever: bool) -> Outcome {
    let Some(before) = &view.resource.before else { return Outcome::yes() };
    let default = match defaults.of(&view.resource.kind, path.as_str()) {
        Some(default) => match &default.value {
            DefaultValue::Is(value) => of_value(value, zero_is_for_ever),
            DefaultValue::Depends => Strength::NotKnown,
        },
        None => Strength::Nothing,
    };
    let strengths = |block: &Block| -> Vec<(Strength, String)> {
        let reached = reach(block, path).unwrap_or_default();
        reached.iter().map(|one| (of_reached(one, &default, zero_is_for_ever), one.shown())).collect()
    };
    let (was, is) = (strengths(before), strengths(&view.resource.attributes));
    let pairs = was.iter().flat_map(|was| is.iter().map(move |is| (was, is)));
    Outcome::every(pairs.map(|((was, was_shown), (is, is_shown))| {
        view.outcome(is_kept(was, is), || view.told(path, is_shown, &format!("it was {was_shown}")))
    }))
}

fn of_reached(reached: &Reached<'_>, default: &Strength, zero_is_for_ever: bool) -> Strength {
    match reached.state {
        State::Null | State::Unset => default.clone(),
        State::Unknown(_) => Strength::NotKnown,
        State::Known(value) | State::OtherShape(value) => of_value(value, zero_is_for_ever),
    }
}

fn of_value(value: &Attribute, zero_is_for_ever: bool) -> Strength {
    match value {
        Attribute::Number(number) if *number == 0.0 && zero_is_for_ever => Strength::Number(f64::INFINITY),
        Attribute::Number(number) if *number == 0.0 => Strength::Nothing,
        Attribute::Number(number) => Strength::Number(*number),
        Attribute::Bool(true) => Strength::On,
        Attribute::Bool(false) | Attribute::Null => Strength::Nothing,
        Attribute::Text(text) if text.is_empty() => Strength::Nothing,
        Attribute::Text(text) => match (number(value), &**text) {
            (Some(number), _) => of_value(&Attribute::Number(number), zero_is_for_ever),
            (None, "true") => Strength::On,
            (None, "false") => Strength::Nothing,
            (None, _) => Strength::Text(text.clone()),
        },
        Attribute::List(_) | Attribute::Block(_) => Strength::Set,
        Attribute::Sensitive(secret) => of_value(secret.value(), zero_is_for_ever),
        Attribute::Unknown(_) => Strength::NotKnown,
    }
}

/// Modes of a lock, weakest first: rights lift the first one.
const LOCK_MODES: [&str; 2] = ["GOVERNANCE", "COMPLIANCE"];

fn is_kept(was: &Strength, is: &Strength) -> Truth {
    let mode = |text: &str| LOCK_MODES.iter().position(|mode| text.eq_ignore_ascii_case(mode));
    match (was, is) {
        (Strength::Nothing, _) => Truth::Yes,
        (_, Strength::NotKnown) | (Strength::NotKnown, _) => Truth::Maybe,
        (_, Strength::Nothing) => Truth::No,
        (Strength::Number(was), Strength::Number(is)) => (is >= was).into(),
        (Strength::Text(was), Strength::Text(is)) if was == is => Truth::Yes,
        (Strength::Text(was), Strength::Text(is)) => match (mode(was), mode(is)) {
            (Some(was), Some(is)) => (is >= was).into(),
            // Another key, another kind: what it protects is not written in it.
            _ => Truth::Maybe,
        },
        (Strength::On, Strength::On) | (Strength::Set, Strength::Set) => Truth::Yes,
        // What was of another shape can't be compared.
        _ => Truth::Maybe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_closed_what_protects_less() {
        let of = |value: Attribute| of_value(&value, false);
        for (was, is, truth) in [
            (of(true.into()), of(false.into()), Truth::No),
            (of(true.into()), of(true.into()), Truth::Yes),
            (of(false.into()), of(Attribute::Null), Truth::Yes),
            (of(Attribute::Number(35.0)), of(Attribute::Number(7.0)), Truth::No),
            (of(Attribute::Number(7.0)), of(Attribute::Number(35.0)), Truth::Yes),
            (of("key".into()), of(Attribute::Null), Truth::No),
            (of("key".into()), of("key".into()), Truth::Yes),
            (of("key".into()), of("other".into()), Truth::Maybe),
            (of("COMPLIANCE".into()), of("GOVERNANCE".into()), Truth::No),
            (of("GOVERNANCE".into()), of("COMPLIANCE".into()), Truth::Yes),
            (of("2592000s".into()), of("86400s".into()), Truth::No),
            (of("30d".into()), of("7d".into()), Truth::Maybe),
            (of("true".into()), of(false.into()), Truth::No),
            (Strength::On, Strength::NotKnown, Truth::Maybe),
            (of_value(&Attribute::Number(0.0), true), of(Attribute::Number(30.0)), Truth::No),
            (of(Attribute::Number(30.0)), of_value(&Attribute::Number(0.0), true), Truth::Yes),
        ] {
            assert_eq!(is_kept(&was, &is), truth, "{was:?} {is:?}");
        }
    }
}
