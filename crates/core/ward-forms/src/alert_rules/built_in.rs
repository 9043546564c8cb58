//! The rules of a study that has published none.

use super::rule::{AlertRule, AlertRules, AlertSeverity, RuleKind, Since, SymptomName, Target, Threshold};
use crate::eortc_qlq_c30::Direction;
use crate::pro_ctcae::WORST_GRADE;
use std::collections::BTreeSet;

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

    /// The set with the built-in rule about a wish to be called, unless it has an urgent one of its own for
    /// that question in every questionnaire: no set silences a participant who asks for help, and none makes
    /// the wish wait. Where its own rule presses less, the answers that mean yes are those which that rule
    /// names.
    #[must_use]
    pub fn with_call_floor(mut self) -> Self {
        let Some(floor) = self.call_floor() else { return self };
        for mut rule in Self::built_in().rules.into_iter().filter(|rule| call_answers(rule).is_some()) {
            while self.rules.iter().any(|known| known.id == rule.id) {
                rule.id.insert_str(0, "built-in-");
            }
            let link_id = super::evaluate::CALL_ME_LINK_ID.to_owned();
            rule.kind = RuleKind::PatientUrgent { link_id, answers: floor.clone() };
            self.rules.push(rule);
        }
        self
    }

    /// The codes that mean yes for the rule that is to be added; `None` where the set's own urgent rules hear
    /// all that its other ones hear.
    fn call_floor(&self) -> Option<Vec<String>> {
        let own = self.rules.iter().filter_map(|rule| Some((rule.severity, call_answers(rule)?)));
        let (urgent, others): (Vec<_>, Vec<_>) = own.partition(|(at, _)| *at == AlertSeverity::Urgent);
        let codes = |rules: &[(AlertSeverity, &[String])]| -> BTreeSet<String> {
            rules.iter().flat_map(|(_, codes)| codes.iter().cloned()).collect()
        };
        let (heard, wanted) = (codes(&urgent), codes(&others));
        let is_heard = !urgent.is_empty() && wanted.is_subset(&heard);
        (!is_heard).then(|| wanted.into_iter().collect())
    }
}

/// The codes that mean yes, of a rule about the wish to be called in every questionnaire.
fn call_answers(rule: &AlertRule) -> Option<&[String]> {
    match &rule.kind {
        RuleKind::PatientUrgent { link_id, answers }
            if rule.instrument.is_none() && link_id == super::evaluate::CALL_ME_LINK_ID =>
        {
            Some(answers)
        }
        _ => None,
    }
}
