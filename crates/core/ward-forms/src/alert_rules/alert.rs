//! What an evaluation says.

use super::rule::AlertSeverity;
use crate::score::UsedAnswer;
use serde::{Deserialize, Serialize};

/// The name of an alert: the same wherever and whenever it is worked out, so that an acknowledgement
/// can name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertKey {
    /// The participant.
    pub participant: String,
    /// The questionnaire.
    pub instrument: String,
    /// The planned time; of missed ones, the one with which the row became long enough.
    pub occurrence: String,
    /// The revision of the rule set: another one may mean something else by the same rule.
    pub revision: String,
    /// The rule.
    pub rule: String,
    /// What the rule looked at: a symptom, an attribute, a score or a question; empty for missed ones.
    pub about: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Alert {
    /// Its name.
    pub key: AlertKey,
    /// How much it presses.
    pub severity: AlertSeverity,
    /// When, as the occasion says it.
    pub at_ms: i64,
    /// Whether several versions of the answers hold at once; then each that fired is a trigger.
    pub unsettled: bool,
    /// What triggered it: one for each version of the answers and each place in them that fired; for
    /// missed ones a single one.
    pub triggers: Vec<Trigger>,
    /// What it says, without when: `nausea: grade 3`.
    pub what: String,
    /// A plain sentence.
    pub sentence: String,
}

/// What triggered an alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Trigger {
    /// The version of the answers; `None` for missed ones.
    pub version: Option<String>,
    /// What it says, without when. Where several versions fire, each says its own.
    pub what: String,
    /// The value; where a part is missing, the end of what is possible that makes the rule fire with
    /// certainty. `None` for a wish and for missed ones.
    pub value: Option<f64>,
    /// What is missing, where the value is the least that it can be and not the value itself.
    pub incomplete: Option<String>,
    /// The answers behind the value, with their paths.
    pub used: Vec<UsedAnswer>,
    /// With what it was compared.
    pub compared: Compared,
}

/// With what a value was compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "with", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Compared {
    /// A threshold: this value and above.
    AtLeast {
        /// The threshold.
        limit: f64,
    },
    /// A threshold: this value and below.
    AtMost {
        /// The threshold.
        limit: f64,
    },
    /// The value at the start.
    Baseline {
        /// The value.
        value: f64,
        /// The planned time.
        occurrence: String,
        /// The version of those answers.
        version: String,
    },
    /// The last earlier value.
    Previous {
        /// The value.
        value: f64,
        /// The planned time.
        occurrence: String,
        /// The version of those answers.
        version: String,
    },
    /// How many may be missed in a row.
    InARow {
        /// How many make an alert.
        limit: u32,
        /// How many were missed: up to now, or, where the row has doubled since, when this was raised.
        missed: u32,
        /// With how many it was raised: with so many as make an alert, and again with twice, four times as
        /// many and so on.
        raised_at: u32,
        /// The planned time with which the row began.
        since: String,
    },
    /// The answers that mean yes.
    Wish,
}

/// A rule that could not be judged on a report. Somebody should know: the alert may be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NotJudged {
    /// What could not be judged.
    pub key: AlertKey,
    /// When, as the occasion says it.
    pub at_ms: i64,
    /// Which versions of the answers it is about.
    pub versions: Vec<String>,
    /// Whether asking the participant settles it: a part is known, what was answered cannot be measured, or a
    /// symptom was asked about and all of it refused.
    pub is_to_ask: bool,
    /// What is missing, in plain words.
    pub why: String,
}

/// What the rules say of a history.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Evaluation {
    /// The alerts, by time, then by planned time, questionnaire, and the order of the rules; at most
    /// [`crate::limits::MAX_ALERTS`], wishes to be called first, then the most pressing and newest.
    pub alerts: Vec<Alert>,
    /// How many more there are than are named: rules that fire on nearly everything.
    pub alerts_unnamed: usize,
    /// What could not be judged, in the same order; at most [`crate::limits::MAX_NOT_JUDGED`], what is to be
    /// asked about first, then the newest.
    pub not_judged: Vec<NotJudged>,
    /// How many more could not be judged than are named.
    pub not_judged_unnamed: usize,
    /// Those of them that somebody has to ask about.
    pub to_ask_unnamed: usize,
    /// Rules that found nothing to look at in the whole history, in the order of the rules: nobody
    /// was asked for it, or its name is misspelt.
    pub never_asked: Vec<String>,
}
