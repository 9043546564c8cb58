//! The rules of a study that has published none.

use super::rule::{AlertRule, AlertRules, AlertSeverity, RuleKind, Since, SymptomName, Target, Threshold};
use crate::eortc_qlq_c30::Direction;
use crate::pro_ctcae::WORST_GRADE;

/// The score of one attribute (0 to 4) from which a symptom is severe, whatever its grade is: whoever
/// refuses one question of three and gives the worst answer to another must not fall through.
const SEVERE_SCORE: f64 = 3.0;
/// Grades above the start from which a symptom counts as clearly worse.
const WORSE_GRADES: f64 = 2.0;
/// Questionnaires missed in a row.
const MISSED_IN_A_ROW: u32 = 2;

/// The revision of the built-in rules; published ones count from 1.
const REVISION: &str = "0";

impl AlertRules {
    /// The rules that hold where a study has published none: a wish to be called, a severe symptom or
    /// attribute, a symptom that got worse by two grades since the start, and two questionnaires missed
    /// in a row.
    #[must_use]
    pub fn built_in() -> Self {
        let rule =
            |id: &str, severity, kind| AlertRule { id: id.to_owned(), severity, instrument: None, kind };
        let every_grade = || Target::Grade { symptom: SymptomName::Every };
        let every_attribute = Target::Attribute { symptom: SymptomName::Every, attribute: None };
        let call = RuleKind::PatientUrgent {
            link_id: super::evaluate::CALL_ME_LINK_ID.to_owned(),
            answers: Vec::new(),
        };
        let severe = RuleKind::Threshold { of: every_grade(), limit: Threshold::AtLeast(WORST_GRADE.into()) };
        let severe_attribute =
            RuleKind::Threshold { of: every_attribute, limit: Threshold::AtLeast(SEVERE_SCORE) };
        let worse = RuleKind::Worsening {
            of: every_grade(),
            by: WORSE_GRADES,
            since: Since::Baseline,
            worse: Direction::HigherIsWorse,
        };
        let rules = vec![
            rule("call", AlertSeverity::Urgent, call),
            rule("severe", AlertSeverity::Urgent, severe),
            rule("severe-attribute", AlertSeverity::Urgent, severe_attribute),
            rule("worse", AlertSeverity::Concern, worse),
            rule("missed", AlertSeverity::Notice, RuleKind::Missed { in_a_row: MISSED_IN_A_ROW }),
        ];
        Self { name: "built-in rules".to_owned(), revision: REVISION.to_owned(), rules }
    }

    /// The rules that schedules themselves state: the site is told once so many planned times of this
    /// questionnaire were missed in a row.
    #[must_use]
    pub fn of_schedules<'u>(limits: impl IntoIterator<Item = (&'u str, u32)>) -> Self {
        let rule = |(number, (instrument, in_a_row)): (usize, (&str, u32))| AlertRule {
            id: format!("schedule-{number}"),
            severity: AlertSeverity::Notice,
            instrument: Some(instrument.to_owned()),
            kind: RuleKind::Missed { in_a_row },
        };
        let rules = (1..).zip(limits).map(rule).collect();
        Self { name: "schedules".to_owned(), revision: REVISION.to_owned(), rules }
    }

    /// The set with the built-in rule about a wish to be called, unless it has one of its own for that
    /// question in every questionnaire: no set silences a participant who asks for help.
    #[must_use]
    pub fn with_call_floor(mut self) -> Self {
        let is_call = |rule: &AlertRule| {
            let link_id = match &rule.kind {
                RuleKind::PatientUrgent { link_id, .. } => link_id.as_str(),
                _ => return false,
            };
            rule.instrument.is_none() && link_id == super::evaluate::CALL_ME_LINK_ID
        };
        if !self.rules.iter().any(is_call) {
            for mut rule in Self::built_in().rules.into_iter().filter(is_call) {
                while self.rules.iter().any(|known| known.id == rule.id) {
                    rule.id.insert_str(0, "built-in-");
                }
                self.rules.push(rule);
            }
        }
        self
    }
}
