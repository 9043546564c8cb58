//! What a rule set says.

use crate::eortc_qlq_c30::Direction;
use crate::pro_ctcae::Attribute;
use serde::Serialize;

/// How much an alert presses. Later ones press more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertSeverity {
    /// Worth knowing.
    Notice,
    /// Somebody should look soon.
    Concern,
    /// Somebody should look now.
    Urgent,
}

impl AlertSeverity {
    /// Every severity with its code.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Notice, "notice"), (Self::Concern, "concern"), (Self::Urgent, "urgent")];

    /// The code.
    #[must_use]
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(severity, _)| *severity == self).map_or("", |(_, code)| *code)
    }
}

/// Of which symptoms a rule speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SymptomName {
    /// Of every symptom that the form asks about, each by itself (`"*"`).
    Every,
    /// Of the one with this name in the form.
    Named(String),
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The composite grade of a symptom: `{"symptom": "nausea"}`.
    Grade {
        /// Which symptom.
        symptom: SymptomName,
    },
    /// One attribute of a symptom: `{"symptom": "nausea", "attribute": "severity"}`; every attribute,
    /// each by itself, with `"*"`.
    Attribute {
        /// Which symptom.
        symptom: SymptomName,
        /// Which attribute; `None` for every one.
        attribute: Option<Attribute>,
    },
    /// A score: `{"score": "eortc-qlq-c30/PF2"}`.
    Score {
        /// The name of its algorithm.
        algorithm: String,
        /// The name of the scale.
        name: String,
    },
    /// The number answered to a question: `{"item": "temperature", "unit": "Cel"}`.
    Item {
        /// The question.
        link_id: String,
        /// The unit that the answer must have; without one, only answers without a unit are judged.
        unit: Option<String>,
    },
}

/// From where a value counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// This value and all above it.
    AtLeast(f64),
    /// This value and all below it.
    AtMost(f64),
}

/// With what a worsening compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// The first report that has a value.
    Baseline,
    /// The last earlier report that has a value.
    Previous,
}

/// When a rule fires.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// A value has reached a threshold.
    Threshold {
        /// What is looked at.
        of: Target,
        /// From where it counts.
        limit: Threshold,
    },
    /// A value got worse.
    Worsening {
        /// What is looked at.
        of: Target,
        /// By how much at least.
        by: f64,
        /// Since when.
        since: Since,
        /// Which end is the worse one.
        worse: Direction,
    },
    /// Planned times of one questionnaire were missed in a row.
    Missed {
        /// How many.
        in_a_row: u32,
    },
    /// The participant's own wish to be called.
    PatientUrgent {
        /// The question.
        link_id: String,
        /// The codes that mean yes; a question for yes or no needs none.
        answers: Vec<String>,
    },
}

impl RuleKind {
    /// The code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Threshold { .. } => "threshold",
            Self::Worsening { .. } => "worsening",
            Self::Missed { .. } => "missed",
            Self::PatientUrgent { .. } => "patient-urgent",
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    pub(super) id: String,
    pub(super) severity: AlertSeverity,
    pub(super) instrument: Option<String>,
    pub(super) kind: RuleKind,
}

impl AlertRule {
    /// Its name, unique in the set.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How much its alerts press.
    #[must_use]
    pub fn severity(&self) -> AlertSeverity {
        self.severity
    }

    /// The address of the questionnaire that it is about, without version; `None` for every one, each
    /// by itself.
    #[must_use]
    pub fn instrument(&self) -> Option<&str> {
        self.instrument.as_deref()
    }

    /// When it fires.
    #[must_use]
    pub fn kind(&self) -> &RuleKind {
        &self.kind
    }

    /// Whether it fires exactly where another one fires, and presses as much, whatever their names are.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        (self.severity, &self.instrument, &self.kind) == (other.severity, &other.instrument, &other.kind)
    }

    /// Whether it is about this questionnaire.
    pub(super) fn is_about(&self, instrument: &str) -> bool {
        self.instrument.as_deref().is_none_or(|own| own == instrument)
    }
}

/// The alert rules of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRules {
    pub(super) name: String,
    pub(super) revision: String,
    pub(super) rules: Vec<AlertRule>,
}

impl AlertRules {
    /// The name of the set.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The study's own version of it. A changed set gets another one.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The set with some of its rules alone.
    #[must_use]
    pub fn keeping(&self, wanted: impl Fn(&AlertRule) -> bool) -> Self {
        let rules = self.rules.iter().filter(|rule| wanted(rule)).cloned().collect();
        Self { rules, name: self.name.clone(), revision: self.revision.clone() }
    }

    /// The rules, in the order of the document.
    #[must_use]
    pub fn rules(&self) -> &[AlertRule] {
        &self.rules
    }
}
