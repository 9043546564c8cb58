//! The rule that compares a value with an earlier one.
//!
//! Each symptom, score or question of each questionnaire is a series of its own. What several places
//! of one version say (the instances of a repeating group, several answers) counts by the worst of
//! them. The start of a series is the first report that has a value; the previous report is the last
//! earlier one that has a value. Where that report has several versions, the new value is compared
//! with the one against which it is worse.
//!
//! A report that comes late, and is about an earlier day, moves the start. What people were shown before it
//! came stays: a value is compared with the report that was the first, or the one before, at any time since
//! it became known itself.

use super::alert::Compared;
use super::evaluate::ROUNDING;
use super::history::Answered;
use super::reading::{Measured, Reading, readings};
use super::rule::{Since, Target};
use super::run::{Judged, Run, Verdict, value_words};
use super::wording::number;
use crate::eortc_qlq_c30::Direction;
use std::collections::BTreeMap;

/// A value with which later ones are compared.
#[derive(Debug, Clone)]
struct Reference {
    value: f64,
    /// The place of its planned time among those that were answered.
    place: usize,
    order: u64,
    occurrence: String,
    version: String,
}

/// The values of one series, by planned time.
type Series = Vec<Reference>;

/// How a rule compares.
type Comparison = (f64, Since, Direction);

pub(super) fn worsening(run: &mut Run<'_>, answered: &[Answered<'_>], of: &Target, comparison: Comparison) {
    let (_, since, worse) = comparison;
    let mut all: BTreeMap<(&str, String), Series> = BTreeMap::new();
    let own = answered.iter().enumerate();
    for (place, report) in own.filter(|(_, report)| run.rule.is_about(&report.occasion.instrument)) {
        let mut about: BTreeMap<String, (Judged, Series)> = BTreeMap::new();
        for (version, content) in run.readable(report) {
            for reading in worst_known(readings(of, content, &run.units_elsewhere), worse) {
                run.was_asked = true;
                let key = (report.occasion.instrument.as_str(), reading.about.clone());
                let series = all.entry(key).or_default();
                let reference = best_reference(series, version.order, since, worse);
                let verdict = verdict(&reading.measured, reference, comparison);
                let sentence = |value: f64, compared: &Compared| {
                    let value =
                        value_words(&reading, value, if is_up(worse) { "at least" } else { "at most" });
                    let from = from_words(compared, worse);
                    format!("{} got worse: {value}, {from}", reading.words)
                };
                let (judged, values) = about.entry(reading.about.clone()).or_default();
                judged.note(version, &reading, verdict, worse, sentence);
                values.extend(reading.measured.exactly().map(|value| Reference {
                    value,
                    place,
                    order: version.order,
                    occurrence: report.occasion.occurrence.clone(),
                    version: version.id.clone(),
                }));
            }
        }
        for (about, (judged, values)) in about {
            judged.close(run, report, &about);
            all.entry((report.occasion.instrument.as_str(), about)).or_default().extend(values);
        }
    }
}

/// With what a value is compared that became known at `order`: of all reports that were the first one, or the
/// one before, at that time or at any time since, the one against which it is worst.
fn best_reference(series: &[Reference], order: u64, since: Since, worse: Direction) -> Option<&Reference> {
    // Those that stand nearer to the beginning (or to the value) than all that were known by then.
    let mut best: Option<&Reference> = None;
    let mut known_first: Option<u64> = None;
    let groups = series.chunk_by(|left, right| left.place == right.place);
    let by_place: Box<dyn Iterator<Item = &[Reference]>> = match since {
        Since::Baseline => Box::new(groups),
        Since::Previous => Box::new(groups.rev()),
    };
    for group in by_place {
        // From here on another one was always there before.
        if known_first.is_some_and(|known| known <= order) {
            break;
        }
        let stood = |one: &&Reference| known_first.is_none_or(|known| known > one.order.max(order));
        for one in group.iter().filter(stood) {
            if best.is_none_or(|best| is_better(one.value, best.value, worse)) {
                best = Some(one);
            }
        }
        known_first = known_first.into_iter().chain(group.iter().map(|one| one.order)).min();
    }
    best
}

fn is_up(worse: Direction) -> bool {
    worse == Direction::HigherIsWorse
}

fn is_better(value: f64, than: f64, worse: Direction) -> bool {
    if is_up(worse) { value < than } else { value > than }
}

/// Of each thing the worst reading that is known, and beside it every one that is not: a place of which
/// a part is missing may be the worst one, and may be worse by enough for certain.
fn worst_known(readings: Vec<Reading>, worse: Direction) -> Vec<Reading> {
    let mut each: Vec<Reading> = Vec::new();
    for reading in readings {
        let known =
            each.iter_mut().find(|known| known.about == reading.about && known.measured.exactly().is_some());
        match (known, reading.measured.exactly()) {
            (Some(known), Some(value)) => {
                if known.measured.exactly().is_some_and(|before| is_better(before, value, worse)) {
                    *known = reading;
                }
            }
            _ => each.push(reading),
        }
    }
    each
}

fn verdict(measured: &Measured, reference: Option<&Reference>, (by, since, worse): Comparison) -> Verdict {
    let Some((low, high)) = measured.bounds() else { return Verdict::Open };
    let Some(reference) = reference else {
        // A first value is the start itself; a first range is nothing to compare with later.
        return if high <= low { Verdict::Silent } else { Verdict::Open };
    };
    let (least, most) = if is_up(worse) {
        (low - reference.value, high - reference.value)
    } else {
        (reference.value - high, reference.value - low)
    };
    if least >= by - ROUNDING {
        let Reference { value, occurrence, version, .. } = reference.clone();
        let compared = match since {
            Since::Baseline => Compared::Baseline { value, occurrence, version },
            Since::Previous => Compared::Previous { value, occurrence, version },
        };
        return Verdict::Fires(if is_up(worse) { low } else { high }, compared);
    }
    if most < by - ROUNDING { Verdict::Silent } else { Verdict::Open }
}

/// `up from 1 at the start (2026-03-01)`.
fn from_words(compared: &Compared, worse: Direction) -> String {
    let way = if is_up(worse) { "up" } else { "down" };
    match compared {
        Compared::Baseline { value, occurrence, .. } => {
            format!("{way} from {} at the start ({occurrence})", number(*value))
        }
        Compared::Previous { value, occurrence, .. } => {
            format!("{way} from {} before ({occurrence})", number(*value))
        }
        Compared::AtLeast { .. } | Compared::AtMost { .. } | Compared::InARow { .. } | Compared::Wish => {
            String::new()
        }
    }
}
