//! The rule about planned times that were missed in a row.
//!
//! A row is one alert, however long it gets: it is raised with the planned time that makes the row
//! long enough, and says how many were missed up to now. An answer ends the row.

use super::alert::{Compared, Trigger};
use super::evaluate::Run;
use super::history::{Answered, Occasion};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn missed(run: &mut Run<'_>, answered: &[Answered<'_>], in_a_row: u32) {
    let given: BTreeSet<(&str, &str)> = answered.iter().map(|report| name(report.occasion)).collect();
    let history = run.history;
    // What was answered after all is not missed; what is given twice was missed once.
    let mut missing: BTreeMap<(&str, &str), &Occasion> = BTreeMap::new();
    for occasion in history.missed.iter().filter(|occasion| !given.contains(&name(occasion))) {
        let kept = missing.entry(name(occasion)).or_insert(occasion);
        *kept = (*kept).min(occasion);
    }
    let reported = answered.iter().map(|report| (report.occasion, true));
    let mut by_instrument: BTreeMap<&str, Vec<(&Occasion, bool)>> = BTreeMap::new();
    for (occasion, is_answered) in reported.chain(missing.into_values().map(|occasion| (occasion, false))) {
        if run.rule.is_about(&occasion.instrument) {
            by_instrument.entry(&occasion.instrument).or_default().push((occasion, is_answered));
        }
    }
    for mut occasions in by_instrument.into_values() {
        run.was_asked = true;
        occasions.sort();
        for row in occasions.split(|(_, is_answered)| *is_answered) {
            raise_row(run, row, in_a_row);
        }
    }
}

fn name(occasion: &Occasion) -> (&str, &str) {
    (&occasion.instrument, &occasion.occurrence)
}

fn raise_row(run: &mut Run<'_>, row: &[(&Occasion, bool)], in_a_row: u32) {
    let long_enough = usize::try_from(in_a_row).ok().and_then(|limit| row.get(limit.saturating_sub(1)));
    let (Some((first, _)), Some((reached, _))) = (row.first(), long_enough) else { return };
    let missed = u32::try_from(row.len()).unwrap_or(u32::MAX);
    let sentence = match missed {
        1 => format!("“{}” missed once, on {}", first.title, first.occurrence),
        _ => format!("“{}” missed {missed} times in a row, since {}", first.title, first.occurrence),
    };
    let compared = Compared::InARow { limit: in_a_row, missed, since: first.occurrence.clone() };
    let trigger = Trigger { version: None, value: None, incomplete: None, used: Vec::new(), compared };
    run.raise_row(reached, trigger, sentence);
}
