//! The rule that compares a value with an earlier one.
//!
//! Each symptom, score or question of each questionnaire is a series of its own. What several places
//! of one version say (the instances of a repeating group, several answers) counts by the worst of
//! them. The start of a series is the first report that has a value; the previous report is the last
//! earlier one that has a value. Where that report has several versions, the new value is compared
//! with the one against which it is worse.

use super::alert::Compared;
use super::evaluate::{Judged, ROUNDING, Run, Verdict, value_words};
use super::history::Answered;
use super::reading::{Measured, Reading, readings};
use super::rule::{Since, Target};
use super::wording::number;
use crate::eortc_qlq_c30::Direction;
use std::collections::BTreeMap;

/// The best value that an earlier report has, with which others are compared.
#[derive(Debug, Clone)]
struct Reference {
    value: f64,
    occurrence: String,
    version: String,
}

/// The references of one series.
#[derive(Default)]
struct Series {
    start: Option<Reference>,
    previous: Option<Reference>,
}

/// How a rule compares.
type Comparison = (f64, Since, Direction);

pub(super) fn worsening(run: &mut Run<'_>, answered: &[Answered<'_>], of: &Target, comparison: Comparison) {
    let (_, since, worse) = comparison;
    let mut all: BTreeMap<(String, String), Series> = BTreeMap::new();
    for report in answered.iter().filter(|report| run.rule.is_about(&report.occasion.instrument)) {
        let mut about: BTreeMap<String, (Judged, Option<Reference>)> = BTreeMap::new();
        for (version, content) in run.readable(report) {
            for reading in worst_known(readings(of, content), worse) {
                run.was_asked = true;
                let key = (report.occasion.instrument.clone(), reading.about.clone());
                let series = all.entry(key).or_default();
                let reference = match since {
                    Since::Baseline => series.start.as_ref(),
                    Since::Previous => series.previous.as_ref(),
                };
                let verdict = verdict(&reading.measured, reference, comparison);
                let sentence = |value: f64, compared: &Compared| {
                    let value =
                        value_words(&reading, value, if is_up(worse) { "at least" } else { "at most" });
                    let from = from_words(compared, worse);
                    format!("{} got worse: {value}, {from}", reading.words)
                };
                let (judged, best) = about.entry(reading.about.clone()).or_default();
                judged.note(version, &reading, verdict, worse, sentence);
                if let Some(value) = reading.measured.exactly()
                    && best.as_ref().is_none_or(|best| is_better(value, best.value, worse))
                {
                    let occurrence = report.occasion.occurrence.clone();
                    *best = Some(Reference { value, occurrence, version: version.id.clone() });
                }
            }
        }
        for (about, (judged, best)) in about {
            judged.close(run, report, &about);
            let series = all.entry((report.occasion.instrument.clone(), about)).or_default();
            if let Some(best) = best {
                series.start.get_or_insert_with(|| best.clone());
                series.previous = Some(best);
            }
        }
    }
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
        let Reference { value, occurrence, version } = reference.clone();
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
