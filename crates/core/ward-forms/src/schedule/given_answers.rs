//! The answers to each planned time, by the name that they give.

use super::due::Given;
use super::occurrence::OccurrenceName;
use std::collections::BTreeMap;

/// Answers by what they name: their places among those given, the first given first.
pub(super) struct GivenAnswers {
    by_name: BTreeMap<OccurrenceName, Vec<usize>>,
    /// Those whose name no schedule makes.
    odd: Vec<usize>,
}

impl GivenAnswers {
    pub(super) fn of(given: &[Given]) -> Self {
        let mut order: Vec<(usize, &Given)> = given.iter().enumerate().collect();
        order.sort_by_key(|(place, answer)| (answer.at, *place));
        let mut out = Self { by_name: BTreeMap::new(), odd: Vec::new() };
        for (place, answer) in order {
            match OccurrenceName::parse(&answer.occurrence) {
                Some(name) => out.by_name.entry(name).or_default().push(place),
                None => out.odd.push(place),
            }
        }
        out
    }

    /// The last day that an answer names.
    pub(super) fn last_day(&self) -> i64 {
        let days = self.by_name.keys().filter_map(|name| match name {
            OccurrenceName::Day { day, .. } => Some(*day),
            _ => None,
        });
        days.max().unwrap_or(i64::MIN)
    }

    pub(super) fn take(&mut self, name: &OccurrenceName) -> Vec<usize> {
        self.by_name.remove(name).unwrap_or_default()
    }

    /// Those that name nothing that is planned.
    pub(super) fn rest(self) -> Vec<usize> {
        let mut rest = self.odd;
        rest.extend(self.by_name.into_values().flatten());
        rest.sort_unstable();
        rest
    }
}
