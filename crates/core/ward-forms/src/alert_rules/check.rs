//! What does not fit between a rule set and a form: rules that look as if they watched over something
//! and never will.

use super::amount::converted;
use super::evaluate::units_elsewhere;
use super::rule::{AlertRule, AlertRules, RuleKind, SymptomName, Target, Threshold};
use crate::answer_options::AnswerOptions;
use crate::answer_value::Coding;
use crate::item_score::whole_number;
use crate::pro_ctcae::{Attribute, AttributeCode, CompositeShape};
use crate::questionnaire::{Item, ItemType, Questionnaire};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Why a rule can't do its work on a form. The study's author has to act.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AlertRuleProblem {
    /// The form has nothing of what the rule looks at.
    NotInForm {
        /// The rule.
        rule: String,
        /// What it looks at.
        about: String,
    },
    /// No grade is defined for what the form asks about the symptom.
    NoGrade {
        /// The rule.
        rule: String,
        /// The symptom.
        symptom: String,
    },
    /// The question takes no number, so nothing can be compared.
    NoNumber {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
    },
    /// The answers have a unit and the rule has none, or one into which an offered one is not converted.
    OtherUnit {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
    },
    /// No offered answer reaches the threshold.
    NeverReached {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
    },
    /// Every offered answer reaches the threshold: the rule would fire whatever is answered.
    AlwaysReached {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
    },
    /// The question is a choice, and the rule does not say which answers mean yes.
    NoYes {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
    },
    /// An answer that means yes is not offered.
    NotOffered {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
        /// The code of the answer.
        code: String,
    },
    /// The question is neither one for yes or no nor a choice.
    NoWish {
        /// The rule.
        rule: String,
        /// The question.
        link_id: String,
    },
}

impl fmt::Display for AlertRuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInForm { rule, about } => write!(f, "{rule}: the form does not ask for {about}"),
            Self::NoGrade { rule, symptom } => {
                write!(
                    f,
                    "{rule}: no grade is defined for what the form asks about {symptom}; name an attribute"
                )
            }
            Self::NoNumber { rule, link_id } => write!(f, "{rule}: the answers to {link_id} are no numbers"),
            Self::OtherUnit { rule, link_id } => {
                write!(f, "{rule}: the answers to {link_id} have another unit than the rule")
            }
            Self::NeverReached { rule, link_id } => {
                write!(f, "{rule}: no answer to {link_id} reaches the threshold")
            }
            Self::AlwaysReached { rule, link_id } => {
                write!(f, "{rule}: every answer to {link_id} reaches the threshold")
            }
            Self::NoYes { rule, link_id } => {
                write!(f, "{rule}: {link_id} is a choice; say in “answers” which codes mean yes")
            }
            Self::NotOffered { rule, link_id, code } => {
                write!(f, "{rule}: {link_id} does not offer the answer {code}")
            }
            Self::NoWish { rule, link_id } => {
                write!(f, "{rule}: {link_id} is neither a question for yes or no nor a choice")
            }
        }
    }
}

impl AlertRules {
    /// What keeps rules from doing their work on a form. A rule that names no questionnaire and looks at
    /// something that the form does not have is no problem here, for another form may have it:
    /// [`AlertRules::never_asked`] tells of those.
    #[must_use]
    pub fn check(&self, form: &Questionnaire) -> Vec<AlertRuleProblem> {
        let asked = Asked::of(form);
        let about = self.rules.iter().filter(|rule| rule.is_about(form.url().unwrap_or_default()));
        about.flat_map(|rule| problems(self, rule, form, &asked)).collect()
    }

    /// The rules that none of these forms asks for, such as one with a misspelt name. Rules about missed
    /// times need only a form of their own.
    #[must_use]
    pub fn never_asked(&self, forms: &[&Questionnaire]) -> Vec<&str> {
        let asks = |rule: &AlertRule| {
            let mut own = forms.iter().filter(|form| rule.is_about(form.url().unwrap_or_default()));
            own.any(|form| Asked::of(form).has(rule, form))
        };
        self.rules.iter().filter(|rule| !asks(rule)).map(AlertRule::id).collect()
    }
}

/// What a form asks about symptoms.
struct Asked {
    symptoms: BTreeMap<String, BTreeSet<Attribute>>,
}

impl Asked {
    fn of(form: &Questionnaire) -> Self {
        let mut symptoms: BTreeMap<String, BTreeSet<Attribute>> = BTreeMap::new();
        for code in form.items().iter().flat_map(AttributeCode::of).flatten() {
            symptoms.entry(code.symptom().to_owned()).or_default().insert(code.attribute());
        }
        Self { symptoms }
    }

    /// Whether the form asks for anything that the rule looks at.
    fn has(&self, rule: &AlertRule, form: &Questionnaire) -> bool {
        match rule.kind() {
            RuleKind::Missed { .. } => true,
            RuleKind::PatientUrgent { link_id, .. } => form.item(link_id).is_some(),
            RuleKind::Threshold { of, .. } | RuleKind::Worsening { of, .. } => match of {
                Target::Grade { symptom: SymptomName::Every } => !self.symptoms.is_empty(),
                Target::Grade { symptom: SymptomName::Named(name) } => self.symptoms.contains_key(name),
                Target::Attribute { symptom, attribute } => {
                    let fits = |name: &String| match symptom {
                        SymptomName::Every => true,
                        SymptomName::Named(named) => named == name,
                    };
                    let mut own = self.symptoms.iter().filter(|(name, _)| fits(name));
                    own.any(|(_, attributes)| attribute.is_none_or(|one| attributes.contains(&one)))
                }
                // Which questions make up a score stands in the study's score map.
                Target::Score { .. } => true,
                Target::Item { link_id, .. } => form.item(link_id).is_some(),
            },
        }
    }
}

fn problems(
    set: &AlertRules,
    rule: &AlertRule,
    form: &Questionnaire,
    asked: &Asked,
) -> Vec<AlertRuleProblem> {
    let id = || rule.id().to_owned();
    if !asked.has(rule, form) {
        let own_form = rule.instrument().is_some();
        return own_form
            .then(|| AlertRuleProblem::NotInForm { rule: id(), about: about(rule) })
            .into_iter()
            .collect();
    }
    match rule.kind() {
        RuleKind::Missed { .. } => Vec::new(),
        RuleKind::PatientUrgent { link_id, answers } => {
            form.item(link_id).map(|item| wish_problems(rule, item, answers)).unwrap_or_default()
        }
        RuleKind::Threshold { of, limit } => target_problems((set, rule), form, asked, of, Some(*limit)),
        RuleKind::Worsening { of, .. } => target_problems((set, rule), form, asked, of, None),
    }
}

/// What a rule looks at, in the words of its document.
fn about(rule: &AlertRule) -> String {
    match rule.kind() {
        RuleKind::Missed { .. } => String::new(),
        RuleKind::PatientUrgent { link_id, .. } => link_id.clone(),
        RuleKind::Threshold { of, .. } | RuleKind::Worsening { of, .. } => match of {
            Target::Grade { symptom } => name(symptom).to_owned(),
            Target::Attribute { symptom, attribute } => {
                format!("{}/{}", name(symptom), attribute.map_or("*", Attribute::code))
            }
            Target::Score { algorithm, name } => format!("{algorithm}/{name}"),
            Target::Item { link_id, .. } => link_id.clone(),
        },
    }
}

fn name(symptom: &SymptomName) -> &str {
    match symptom {
        SymptomName::Every => "any symptom",
        SymptomName::Named(name) => name,
    }
}

fn target_problems(
    (set, rule): (&AlertRules, &AlertRule),
    form: &Questionnaire,
    asked: &Asked,
    of: &Target,
    limit: Option<Threshold>,
) -> Vec<AlertRuleProblem> {
    match of {
        Target::Grade { symptom: SymptomName::Named(symptom) } => {
            let attributes: Vec<Attribute> =
                asked.symptoms.get(symptom).into_iter().flatten().copied().collect();
            let has_grade = CompositeShape::of(&attributes).is_some();
            let problem =
                || AlertRuleProblem::NoGrade { rule: rule.id().to_owned(), symptom: symptom.clone() };
            (!has_grade).then(problem).into_iter().collect()
        }
        Target::Item { link_id, unit } => {
            let item = form.item(link_id);
            let units = (unit.as_deref(), units_elsewhere(set, rule));
            item.and_then(|item| number_problem(rule, item, &units, limit)).into_iter().collect()
        }
        Target::Grade { .. } | Target::Attribute { .. } | Target::Score { .. } => Vec::new(),
    }
}

/// Why the answers to a question are no numbers that the rule could fire on.
fn number_problem(
    rule: &AlertRule,
    item: &Item,
    (unit, elsewhere): &(Option<&str>, BTreeSet<Option<&str>>),
    limit: Option<Threshold>,
) -> Option<AlertRuleProblem> {
    let (rule, link_id) = (rule.id().to_owned(), item.link_id.clone());
    match item.item_type {
        ItemType::Quantity => {
            let offered = &item.rules.units;
            let takes = |unit: &str, one: &Coding| {
                let own = [one.code.as_deref(), one.display.as_deref()];
                let is_converted = |code: &str| converted(1.0, code, unit).is_some();
                own.contains(&Some(unit)) || one.code.as_deref().is_some_and(is_converted)
            };
            let fits = |unit: &str| offered.is_empty() || offered.iter().any(|one| takes(unit, one));
            // Each offered unit needs a rule that judges it.
            let is_watched =
                |one: &Coding| unit.iter().chain(elsewhere.iter().flatten()).any(|unit| takes(unit, one));
            (!unit.is_some_and(fits) || !offered.iter().all(is_watched))
                .then_some(AlertRuleProblem::OtherUnit { rule, link_id })
        }
        _ if unit.is_some() => Some(AlertRuleProblem::OtherUnit { rule, link_id }),
        ItemType::Integer | ItemType::Decimal | ItemType::Choice | ItemType::OpenChoice => {
            let numbers: Vec<i32> = match &item.options {
                AnswerOptions::Listed(options) | AnswerOptions::Standard(options) => {
                    options.iter().filter_map(|option| whole_number(item, &option.value)).collect()
                }
                // Any number may be answered, or nobody here knows which are offered.
                AnswerOptions::None | AnswerOptions::Elsewhere(_) => {
                    let takes_numbers = matches!(item.item_type, ItemType::Integer | ItemType::Decimal);
                    let is_known = !matches!(item.options, AnswerOptions::Elsewhere(_));
                    let never = !takes_numbers && is_known;
                    return never.then_some(AlertRuleProblem::NoNumber { rule, link_id });
                }
            };
            if numbers.is_empty() {
                return Some(AlertRuleProblem::NoNumber { rule, link_id });
            }
            let reaches = |number: &i32| match limit {
                Some(Threshold::AtLeast(limit)) => f64::from(*number) >= limit,
                Some(Threshold::AtMost(limit)) => f64::from(*number) <= limit,
                None => true,
            };
            if !numbers.iter().any(reaches) {
                return Some(AlertRuleProblem::NeverReached { rule, link_id });
            }
            let always = limit.is_some() && numbers.len() > 1 && numbers.iter().all(reaches);
            always.then_some(AlertRuleProblem::AlwaysReached { rule, link_id })
        }
        _ => Some(AlertRuleProblem::NoNumber { rule, link_id }),
    }
}

fn wish_problems(rule: &AlertRule, item: &Item, answers: &[String]) -> Vec<AlertRuleProblem> {
    let (rule, link_id) = (rule.id().to_owned(), item.link_id.clone());
    match item.item_type {
        ItemType::Boolean => Vec::new(),
        ItemType::Choice | ItemType::OpenChoice if answers.is_empty() => {
            vec![AlertRuleProblem::NoYes { rule, link_id }]
        }
        ItemType::Choice | ItemType::OpenChoice => {
            let (AnswerOptions::Listed(options) | AnswerOptions::Standard(options)) = &item.options else {
                return Vec::new();
            };
            let is_offered = |code: &&String| {
                options.iter().any(|option| match &option.value {
                    crate::AnswerValue::Coding(coding) => coding.code.as_ref() == Some(*code),
                    _ => false,
                })
            };
            let missing = answers.iter().filter(|code| !is_offered(code));
            let problem = |code: &String| AlertRuleProblem::NotOffered {
                rule: rule.clone(),
                link_id: link_id.clone(),
                code: code.clone(),
            };
            missing.map(problem).collect()
        }
        _ => vec![AlertRuleProblem::NoWish { rule, link_id }],
    }
}
