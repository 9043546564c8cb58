//! Checks a form before it is published.

mod expressions;
mod reach;
mod texts;
mod waiting;

use crate::answer_options::AnswerOptions;
use crate::answer_value::AnswerValue;
use crate::enable_when::{Condition, EnableBehavior, Operator};
use crate::finding::{Finding, FindingCode, Severity};
use crate::pattern::Pattern;
use crate::pro_ctcae::{Attribute, AttributeCode, CompositeShape};
use crate::questionnaire::{Item, ItemType, Questionnaire};
use std::collections::{BTreeMap, BTreeSet};

/// Checks a form for what its author should repair.
///
/// A form with a finding of severity [`Severity::Error`] must not be published.
/// Duplicate linkIds and items that wait for one another don't get this far:
/// [`Questionnaire::parse`] refuses them.
#[must_use]
pub fn lint(questionnaire: &Questionnaire) -> Vec<Finding> {
    let mut lint = Lint { questionnaire, findings: Vec::new() };
    for item in questionnaire.items() {
        lint.conditions(item);
        lint.content(item);
    }
    lint.attributes();
    let Lint { mut findings, .. } = lint;
    reach::check(questionnaire, &|condition| why_dead(questionnaire, condition).is_some(), &mut findings);
    expressions::check(questionnaire, &mut findings);
    texts::check(questionnaire, &mut findings);
    findings
}

/// Why no answer can ever fulfil a condition.
fn why_dead(questionnaire: &Questionnaire, condition: &Condition) -> Option<&'static str> {
    let Some(target) = condition.target.and_then(|target| questionnaire.get(target)) else {
        return Some("that item does not exist");
    };
    if !target.item_type.takes_answers() {
        Some("that item takes no answer")
    } else if condition.operator.needs_order() && !has_order(&condition.answer) {
        Some("its value has no order")
    } else if condition.operator != Operator::Exists && !can_compare(target, &condition.answer) {
        Some("its value is of another type than the answer")
    } else if condition.operator == Operator::Equal && !is_offered(target, &condition.answer) {
        Some("that answer is not offered")
    } else {
        None
    }
}

struct Lint<'q> {
    questionnaire: &'q Questionnaire,
    findings: Vec<Finding>,
}

impl Lint<'_> {
    fn conditions(&mut self, item: &Item) {
        for condition in &item.conditions {
            self.condition(item, condition);
        }
        if item.conditions.len() > 1 && item.enable_behavior.is_none() {
            self.add(
                item,
                FindingCode::NoEnableBehavior,
                Severity::Warning,
                "The form does not say whether all or any of the conditions must hold; all is assumed.",
            );
        }
    }

    fn condition(&mut self, item: &Item, condition: &Condition) {
        let Some(target) = condition.target.and_then(|target| self.questionnaire.get(target)) else {
            let message =
                format!("A condition refers to {}, which this form does not have.", condition.question);
            self.add(item, FindingCode::LinkToNowhere, Severity::Error, &message);
            return;
        };
        if let Some(reason) = why_dead(self.questionnaire, condition) {
            let message = format!("A condition on {} can't work: {reason}.", target.link_id);
            // Next to other conditions of which one is enough, a dead one hides nothing.
            let has_way_round =
                item.enable_behavior == Some(EnableBehavior::Any) && item.conditions.len() > 1;
            let severity = if has_way_round { Severity::Warning } else { Severity::Error };
            self.add(item, FindingCode::ConditionNeverHolds, severity, &message);
        }
    }

    fn content(&mut self, item: &Item) {
        if item.text.as_deref().unwrap_or_default().trim().is_empty()
            && item.item_type != ItemType::Group
            && !item.hidden
        {
            self.add(
                item,
                FindingCode::NoText,
                Severity::Warning,
                "People see this item, but it has no text.",
            );
        }
        if !item.item_type.is_supported() {
            let message =
                format!("Items of the type {} are kept, but can't be answered.", item.item_type.code());
            // Owing what can't be given would keep the form open for ever.
            let severity = if is_owed(item) { Severity::Error } else { Severity::Warning };
            self.add(item, FindingCode::UnsupportedItem, severity, &message);
        }
        self.owed_but_not_asked(item);
        match &item.options {
            AnswerOptions::None if item.item_type == ItemType::Choice => {
                self.add(item, FindingCode::NoOptions, Severity::Error, "This choice offers no answers.");
            }
            AnswerOptions::Listed(options) if options.is_empty() && item.item_type == ItemType::Choice => {
                self.add(item, FindingCode::NoOptions, Severity::Error, "This choice offers no answers.");
            }
            AnswerOptions::Elsewhere(_) => self.add(
                item,
                FindingCode::OptionsElsewhere,
                // Nobody can choose from a list that is not there.
                if is_owed(item) && item.item_type == ItemType::Choice {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                "The list of answers is kept outside this form, so it can't be shown or checked.",
            ),
            _ => {}
        }
        if let Some(error) = item.rules.pattern.as_deref().and_then(|source| Pattern::compile(source).err()) {
            let message = format!("The form of this answer can't be checked: {error}.");
            self.add(item, FindingCode::PatternNotChecked, Severity::Warning, &message);
        }
    }

    /// An answer that is owed and that nobody is asked for keeps the form open for ever, unless the
    /// form fills it in.
    fn owed_but_not_asked(&mut self, item: &Item) {
        if !is_owed(item) || !item.item_type.takes_answers() || !item.initial.is_empty() {
            return;
        }
        let is_hidden = item.hidden || self.questionnaire.ancestors(item).any(|above| above.hidden);
        if is_hidden || item.read_only {
            let why = if item.read_only { "read-only" } else { "hidden" };
            // What an expression fills in depends on what it finds when the form is opened.
            let extensions = &item.extensions;
            let expression =
                extensions.initial_expression.as_ref().or(extensions.calculated_expression.as_ref());
            let (filled, severity) = match expression {
                Some(_) => ("only an expression fills it in", Severity::Warning),
                None => ("nothing is filled in", Severity::Error),
            };
            let message = format!("This question must be answered, but it is {why} and {filled}.");
            self.add(item, FindingCode::OwedButNotAsked, severity, &message);
        }
    }

    fn attributes(&mut self) {
        let mut owners: BTreeMap<AttributeCode, &str> = BTreeMap::new();
        let mut asked: BTreeMap<String, (&Item, BTreeSet<Attribute>)> = BTreeMap::new();
        let questionnaire = self.questionnaire;
        for item in questionnaire.items() {
            for outcome in AttributeCode::of(item) {
                match outcome {
                    Err(()) => self.add(
                        item,
                        FindingCode::BadAttributeCode,
                        Severity::Error,
                        "The symptom marking must be written symptom/attribute.",
                    ),
                    Ok(code) => {
                        let symptom =
                            asked.entry(code.symptom().to_owned()).or_insert((item, BTreeSet::new()));
                        symptom.1.insert(code.attribute());
                        if let Some(owner) = owners.insert(code, &item.link_id) {
                            let message = format!("{owner} already asks for this attribute of the symptom.");
                            self.add(item, FindingCode::DuplicateAttribute, Severity::Error, &message);
                        }
                    }
                }
            }
        }
        self.no_grade(asked);
    }

    /// Attributes for which the published table has no grade: every score and rule about the symptom's
    /// grade would be missing for ever.
    fn no_grade(&mut self, asked: BTreeMap<String, (&Item, BTreeSet<Attribute>)>) {
        for (symptom, (item, attributes)) in asked {
            let attributes: Vec<Attribute> = attributes.into_iter().collect();
            if CompositeShape::of(&attributes).is_none() && attributes != [Attribute::Presence] {
                let codes: Vec<&str> = attributes.iter().map(|attribute| attribute.code()).collect();
                let message =
                    format!("No grade is defined for {} of {symptom} together.", codes.join(" and "));
                self.add(item, FindingCode::NoGradeDefined, Severity::Error, &message);
            }
        }
    }

    fn add(&mut self, item: &Item, code: FindingCode, severity: Severity, message: &str) {
        self.findings.push(Finding::new(self.questionnaire.path_of(item), code, severity, message));
    }
}

fn is_owed(item: &Item) -> bool {
    item.required || item.rules.min_occurs.is_some_and(|least| least > 0)
}

fn has_order(value: &AnswerValue) -> bool {
    value.order(value).is_some()
}

/// Whether an answer of this item could ever compare with the value.
fn can_compare(target: &Item, value: &AnswerValue) -> bool {
    use AnswerValue as V;
    match target.item_type {
        ItemType::Boolean => matches!(value, V::Boolean(_)),
        ItemType::Decimal | ItemType::Integer => matches!(value, V::Decimal(_) | V::Integer(_)),
        // An instant has no order with a day, so such a condition never holds. An instant of day
        // precision is written like a date and compares with dates.
        ItemType::Date => matches!(value, V::Date(_)) || is_day(value),
        ItemType::DateTime => matches!(value, V::DateTime(_)) && !is_day(value),
        ItemType::Time => matches!(value, V::Time(_)),
        ItemType::String | ItemType::Text | ItemType::Url => matches!(value, V::String(_) | V::Uri(_)),
        ItemType::Quantity => matches!(value, V::Quantity(_)),
        ItemType::Choice | ItemType::OpenChoice => {
            matches!(
                value,
                V::Coding(_) | V::String(_) | V::Integer(_) | V::Date(_) | V::Time(_) | V::Reference(_)
            )
        }
        ItemType::Reference => matches!(value, V::Reference(_)),
        ItemType::Attachment | ItemType::Group | ItemType::Display | ItemType::Question => false,
    }
}

fn is_day(value: &AnswerValue) -> bool {
    matches!(value, AnswerValue::DateTime(text) if !text.contains('T'))
}

fn is_offered(target: &Item, value: &AnswerValue) -> bool {
    let (AnswerOptions::Listed(options) | AnswerOptions::Standard(options)) = &target.options else {
        return true;
    };
    if target.item_type == ItemType::OpenChoice && matches!(value, AnswerValue::String(_)) {
        return true;
    }
    options.iter().any(|option| match (&option.value, value) {
        (AnswerValue::Coding(offered), AnswerValue::Coding(asked)) if asked.system.is_none() => {
            offered.code == asked.code
        }
        (offered, asked) => offered.is_same(asked),
    })
}
