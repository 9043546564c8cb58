//! What a condition comes to: four values, and what was seen on the way.

use crate::finding::{LEFT_OUT, NOT_EVALUATED, Observation};
use crate::limits::MAX_OBSERVATIONS;
use crate::rules::Over;

/// What a condition comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Truth {
    /// It holds, proven.
    Yes,
    /// It does not hold, proven.
    No,
    /// Not known before the deployment.
    Maybe,
    /// It could not be evaluated.
    Broken,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// A truth with what decided it. What holds needs no explanation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) truth: Truth,
    pub(super) observed: Vec<Observation>,
}

impl Outcome {
    pub(super) const fn yes() -> Self {
        Self::untold(Truth::Yes)
    }

    /// A truth of which nobody is told.
    pub(super) const fn untold(truth: Truth) -> Self {
        Self { truth, observed: Vec::new() }
    }

    /// A truth; the observation is made only if it is needed.
    pub(super) fn of(truth: Truth, observation: impl FnOnce() -> Observation) -> Self {
        let observed = if truth == Truth::Yes { Vec::new() } else { vec![observation()] };
        Self { truth, observed }
    }

    /// All of them: what is proven false decides, then what is broken, then what is not known. What did not
    /// decide is told after it: whoever answers for the one has to see the other.
    pub(super) fn every(outcomes: impl IntoIterator<Item = Self>) -> Self {
        let unmet = outcomes.into_iter().filter(|outcome| outcome.truth != Truth::Yes);
        decided(unmet, [Truth::No, Truth::Broken, Truth::Maybe], true).unwrap_or_else(Self::yes)
    }

    /// At least one of them; `none` holds if there is none. What is proven decides, then what is
    /// broken, then what is not known.
    pub(super) fn some(outcomes: impl IntoIterator<Item = Self>, none: impl FnOnce() -> Self) -> Self {
        // Of what is not met, each part is worth telling; so the order is the same.
        let mut is_met = false;
        let unmet = outcomes.into_iter().map_while(|outcome| {
            is_met = outcome.truth == Truth::Yes;
            (!is_met).then_some(outcome)
        });
        let decided = decided(unmet, [Truth::Broken, Truth::Maybe, Truth::No], false);
        if is_met { Self::yes() } else { decided.unwrap_or_else(none) }
    }

    /// Not a single one of them; `met` is what holds of one that is.
    pub(super) fn no_one(outcomes: impl IntoIterator<Item = Self>, met: impl Fn() -> Self) -> Self {
        let turned = outcomes.into_iter().map(|outcome| match outcome.truth {
            Truth::Yes => met(),
            Truth::No => Self::yes(),
            Truth::Maybe | Truth::Broken => outcome,
        });
        Self::every(turned)
    }

    /// By quantifier.
    pub(super) fn over(
        over: Over,
        outcomes: impl IntoIterator<Item = Self>,
        none: impl FnOnce() -> Self,
        met: impl Fn() -> Self,
    ) -> Self {
        match over {
            Over::Every => Self::every(outcomes),
            Over::Some => Self::some(outcomes, none),
            Over::None => Self::no_one(outcomes, met),
        }
    }

    /// The same with what was seen put first.
    pub(super) fn seen_at(mut self, address: &str) -> Self {
        for observation in &mut self.observed {
            observation.address.get_or_insert_with(|| address.into());
        }
        self
    }
}

/// What decides among outcomes, by an order of their truths. One alone decides as it is.
fn decided(
    mut outcomes: impl Iterator<Item = Outcome>,
    order: [Truth; 3],
    tells_all: bool,
) -> Option<Outcome> {
    let first = outcomes.next()?;
    let Some(second) = outcomes.next() else { return Some(first) };
    let mut ranks = Ranks::new(order);
    [first, second].into_iter().chain(outcomes).for_each(|outcome| ranks.take(outcome));
    ranks.first(tells_all)
}

/// Outcomes by their truth, those of one truth together: the first truth of an order that is there decides.
struct Ranks {
    order: [Truth; 3],
    found: [Option<Outcome>; 3],
}

impl Ranks {
    const fn new(order: [Truth; 3]) -> Self {
        Self { order, found: [None, None, None] }
    }

    fn take(&mut self, outcome: Outcome) {
        let slot = self.order.iter().position(|truth| *truth == outcome.truth);
        match slot.and_then(|slot| self.found.get_mut(slot)) {
            Some(Some(known)) => take_in(&mut known.observed, outcome.observed),
            Some(empty) => *empty = Some(outcome),
            None => {}
        }
    }

    /// What decides, with all it saw; with what the others saw behind it, if all is told.
    fn first(self, tells_all: bool) -> Option<Outcome> {
        let mut found = self.found.into_iter().flatten();
        let mut decided = found.next()?;
        for other in found.filter(|_| tells_all) {
            if other.truth == Truth::Broken {
                take_in(&mut decided.observed, vec![Observation::partial(NOT_EVALUATED)]);
            }
            take_in(&mut decided.observed, other.observed);
        }
        Some(decided)
    }
}

/// Takes in what was seen while there is room; that something was left out is always told.
fn take_in(seen: &mut Vec<Observation>, more: Vec<Observation>) {
    for one in more {
        let is_told = one.is_partial() && seen.iter().any(|known| known.value == one.value);
        if is_told {
            continue;
        }
        if one.is_partial() || seen.iter().filter(|known| !known.is_partial()).count() < MAX_OBSERVATIONS {
            seen.push(one);
        } else if !seen.iter().any(|known| known.value == LEFT_OUT) {
            seen.push(Observation::partial(LEFT_OUT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(truth: Truth) -> Outcome {
        Outcome::of(truth, || Observation {
            address: None,
            path: "p".into(),
            value: "v".into(),
            origin: String::new(),
        })
    }

    #[test]
    fn how_truths_combine() {
        use Truth::{Broken, Maybe, No, Yes};
        for (parts, every, some) in [
            (vec![Yes, Yes], Yes, Yes),
            (vec![Yes, No], No, Yes),
            (vec![Yes, Maybe], Maybe, Yes),
            (vec![Yes, Broken], Broken, Yes),
            (vec![No, Maybe], No, Maybe),
            (vec![No, Broken], No, Broken),
            (vec![Maybe, Broken], Broken, Broken),
            (vec![No, No], No, No),
            (vec![], Yes, No),
        ] {
            let outcomes = || parts.iter().map(|truth| outcome(*truth)).collect::<Vec<_>>();
            assert_eq!(Outcome::every(outcomes()).truth, every, "every {parts:?}");
            assert_eq!(Outcome::some(outcomes(), || outcome(No)).truth, some, "some {parts:?}");
        }
    }

    #[test]
    fn observations_are_bounded() {
        let many = (0..MAX_OBSERVATIONS * 2).map(|_| outcome(Truth::No));
        let seen = Outcome::every(many).observed;
        assert_eq!(seen.len(), MAX_OBSERVATIONS + 1);
        assert_eq!(seen.iter().filter(|one| one.value == LEFT_OUT).count(), 1, "what was left out is told");
    }
}
