//! The rule about planned times that were missed in a row.
//!
//! An alert is raised with the planned time that makes the row long enough, and again each time that the row
//! has doubled: who looked after two missed ones has not looked after thirty. The newest of them says how
//! many were missed up to now. An answer in its time ends the row.

use super::alert::{Compared, Trigger};
use super::history::Occasion;
use super::run::Run;
use std::collections::BTreeMap;

pub(super) fn missed(run: &mut Run<'_>, in_a_row: u32) {
    let history = run.history;
    // What is given twice was missed once.
    let mut missing: BTreeMap<(&str, &str), &Occasion> = BTreeMap::new();
    for occasion in &history.missed {
        let kept = missing.entry(name(occasion)).or_insert(occasion);
        *kept = (*kept).min(occasion);
    }
    // Who planned the times knows which were answered: a report that only bears the name of a missed one,
    // such as one that came days before it, ends no row.
    let answers = history.reports.iter().filter(|report| report.ends_rows).map(|report| &report.occasion);
    let reported: Vec<(&Occasion, bool)> = answers
        .filter(|occasion| !missing.contains_key(&name(occasion)))
        .map(|occasion| (occasion, true))
        .collect();
    let mut by_instrument: BTreeMap<&str, Vec<(&Occasion, bool)>> = BTreeMap::new();
    for (occasion, is_answered) in
        reported.into_iter().chain(missing.into_values().map(|occasion| (occasion, false)))
    {
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
    let long = u32::try_from(row.len()).unwrap_or(u32::MAX);
    let mut raised_at = in_a_row.max(1);
    while raised_at <= long {
        let next = raised_at.saturating_mul(2);
        let missed = if next > long || next == raised_at { long } else { raised_at };
        let reached = usize::try_from(raised_at).ok().and_then(|count| row.get(count.saturating_sub(1)));
        let (Some((first, _)), Some((reached, _))) = (row.first(), reached) else { return };
        let what = match missed {
            1 => format!("“{}” missed once, on {}", first.title, first.occurrence),
            _ => format!("“{}” missed {missed} times in a row, since {}", first.title, first.occurrence),
        };
        let since = first.occurrence.clone();
        let trigger = Trigger {
            version: None,
            what: what.clone(),
            value: None,
            incomplete: None,
            used: Vec::new(),
            compared: Compared::InARow { limit: in_a_row, missed, raised_at, since },
        };
        run.raise_row(reached, trigger, what);
        if next == raised_at {
            return;
        }
        raised_at = next;
    }
}
