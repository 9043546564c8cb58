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
        Self { truth: Truth::Yes, observed: Vec::new() }
    }

    /// A truth; the observation is made only if it is needed.
    pub(super) fn of(truth: Truth, observation: impl FnOnce() -> Observation) -> Self {
        let observed = if truth == Truth::Yes { Vec::new() } else { vec![observation()] };
        Self { truth, observed }
    }

    /// All of them: what is proven false decides, then what is broken, then what is not known. What did not
    /// decide is told after it: whoever answers for the one has to see the other.
    pub(super) fn every(outcomes: impl IntoIterator<Item = Self>) -> Self {
        Self::ranked(outcomes, [Truth::No, Truth::Broken, Truth::Maybe], Self::yes(), true)
    }

    /// At least one of them; `none` holds if there is none. What is proven decides, then what is
    /// broken, then what is not known.
    pub(super) fn some(outcomes: impl IntoIterator<Item = Self>, none: Self) -> Self {
        let mut all = Vec::new();
        for outcome in outcomes {
            if outcome.truth == Truth::Yes {
                return Self::yes();
            }
            all.push(outcome);
        }
        // Of what is not met, each part is worth telling; so the order is the same.
        Self::ranked(all, [Truth::Broken, Truth::Maybe, Truth::No], none, false)
    }

    /// Not a single one of them.
    pub(super) fn no_one(outcomes: impl IntoIterator<Item = Self>, met: impl Fn() -> Observation) -> Self {
        let turned = outcomes.into_iter().map(|outcome| match outcome.truth {
            Truth::Yes => Self { truth: Truth::No, observed: vec![met()] },
            Truth::No => Self::yes(),
            Truth::Maybe | Truth::Broken => outcome,
        });
        Self::every(turned)
    }

    /// By quantifier.
    pub(super) fn over(
        over: Over,
        outcomes: impl IntoIterator<Item = Self>,
        none: Self,
        met: impl Fn() -> Observation,
    ) -> Self {
        match over {
            Over::Every => Self::every(outcomes),
            Over::Some => Self::some(outcomes, none),
            Over::None => Self::no_one(outcomes, met),
        }
    }

    /// The first truth of the order that any of them has, with all they saw.
    fn ranked(
        outcomes: impl IntoIterator<Item = Self>,
        order: [Truth; 3],
        none: Self,
        tells_all: bool,
    ) -> Self {
        let mut found: [Option<Self>; 3] = [None, None, None];
        for outcome in outcomes {
            let slot = order.iter().position(|truth| *truth == outcome.truth);
            let Some(slot) = slot.and_then(|slot| found.get_mut(slot)) else { continue };
            match slot {
                Some(known) => take_in(&mut known.observed, outcome.observed),
                None => *slot = Some(outcome),
            }
        }
        let mut found = found.into_iter().flatten();
        let Some(mut decided) = found.next() else { return none };
        if tells_all {
            for other in found {
                if other.truth == Truth::Broken {
                    take_in(&mut decided.observed, vec![Observation::partial(NOT_EVALUATED)]);
                }
                take_in(&mut decided.observed, other.observed);
            }
        }
        decided
    }

    /// The same with what was seen put first.
    pub(super) fn seen_at(mut self, address: &str) -> Self {
        for observation in &mut self.observed {
            observation.address.get_or_insert_with(|| address.into());
        }
        self
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
            assert_eq!(Outcome::some(outcomes(), outcome(No)).truth, some, "some {parts:?}");
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
