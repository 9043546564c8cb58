//! The rule that fires when a value has reached a limit.

use super::alert::Compared;
use super::evaluate::ROUNDING;
use super::history::Answered;
use super::reading::{Measured, readings};
use super::rule::{Target, Threshold};
use super::run::{Judged, Run, Verdict, value_words};
use crate::eortc_qlq_c30::Direction;
use std::collections::BTreeMap;

pub(super) fn threshold(run: &mut Run<'_>, answered: &[Answered<'_>], of: &Target, limit: Threshold) {
    for report in answered.iter().filter(|report| run.rule.is_about(&report.occasion.instrument)) {
        let mut about: BTreeMap<String, Judged> = BTreeMap::new();
        for (version, content) in run.readable(report) {
            for reading in readings(of, content, &run.units_elsewhere) {
                run.was_asked = true;
                let (end, worse) = match limit {
                    Threshold::AtLeast(_) => ("at least", Direction::HigherIsWorse),
                    Threshold::AtMost(_) => ("at most", Direction::LowerIsWorse),
                };
                let sentence = |value: f64, _: &Compared| {
                    format!("{}: {}", reading.words, value_words(&reading, value, end))
                };
                let verdict = reached(&reading.measured, limit);
                let judged = about.entry(reading.about.clone()).or_default();
                judged.note(version, &reading, verdict, worse, sentence);
            }
        }
        about.into_iter().for_each(|(about, judged)| judged.close(run, report, &about));
    }
}

fn reached(measured: &Measured, limit: Threshold) -> Verdict {
    let Some((low, high)) = measured.bounds() else { return Verdict::Open };
    match limit {
        Threshold::AtLeast(limit) if low >= limit - ROUNDING => {
            Verdict::Fires(low, Compared::AtLeast { limit })
        }
        Threshold::AtLeast(limit) if high < limit - ROUNDING => Verdict::Silent,
        Threshold::AtMost(limit) if high <= limit + ROUNDING => {
            Verdict::Fires(high, Compared::AtMost { limit })
        }
        Threshold::AtMost(limit) if low > limit + ROUNDING => Verdict::Silent,
        Threshold::AtLeast(_) | Threshold::AtMost(_) => Verdict::Open,
    }
}
