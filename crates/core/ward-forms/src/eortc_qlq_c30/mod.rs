//! EORTC QLQ-C30 version 3.0: which questions make up which scale, and how answers become scores.
//!
//! Sources: Aaronson et al., Journal of the National Cancer Institute 1993;85(5):365-376 (the
//! questionnaire); Fayers et al., EORTC QLQ-C30 Scoring Manual, 3rd edition, Brussels 2001 (scales,
//! half rule, transformations of version 3.0); Giesinger et al., Journal of Clinical Epidemiology
//! 2016;69:79-88 (summary score).
//!
//! The wording of the questions is licensed by the EORTC and is not part of Ward. A study that holds
//! a licence brings its own form and says in a [`ScoreMap`] which of its questions is which number.
//!
//! What Ward implements, precisely:
//! - Questions 1 to 28 are answered 1 to 4, questions 29 and 30 are answered 1 to 7.
//! - **Raw score**: the mean of the answered questions of a scale, if at least half of them are
//!   answered; else the scale is missing. A single-question scale needs its one answer.
//! - **Functional scales**: `(1 - (raw - 1) / 3) x 100`; high is good.
//! - **Symptom scales**: `(raw - 1) / 3 x 100`; high is bad.
//! - **Global health**: `(raw - 1) / 6 x 100`; high is good.
//! - **Summary**: the mean of 13 scales (without global health and financial difficulties; symptom
//!   scales as 100 minus their score), only if all 13 are present; high is good.
//! - A value is worked out in whole numbers and divided once, so it does not depend on the order of the
//!   answers and is the same on every machine.
//! - An answer that the question cannot have (0, 5, 8 of 7), an answer without a number, and a question
//!   answered more than once are left out like a missing answer, and the score says so.

mod scales;
mod score;
mod score_map;

pub use scales::{Direction, ITEMS, SCALES, Scale, ScaleKind, highest_answer};
pub(crate) use score::scores_of;
pub use score::{SUMMARY, score_items, score_qlq_c30};
pub use score_map::{ScoreMap, ScoreMapProblem};

use crate::score::Algorithm;

/// The rule behind these scores.
pub const ALGORITHM: Algorithm = Algorithm { name: "eortc-qlq-c30", version: "3.0" };
