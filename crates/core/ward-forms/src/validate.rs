//! Checks a whole response against its form.

use crate::answer_check::{AnswerIssue, check_answers};
use crate::completion::holds_something;
use crate::date_time::Moment;
use crate::finding::{Finding, FindingCode, Severity};
use crate::forest::{Forest, Node, StrayKind};
use crate::item_path::ItemPath;
use crate::live::{LiveForm, Place, Surroundings};
use crate::questionnaire::{ItemType, Questionnaire};
use crate::response::{Answer, QuestionnaireResponse, ResponseItem, ResponseStatus};
use serde_json::Value;
use std::cmp::Ordering;

/// Checks a response against the form it answers.
///
/// For a draft (`in-progress`) answers that are still owed, and answers of
/// questions that are switched off, are no findings. For a `completed` or
/// `amended` response they are. Findings come in the form's reading order, those
/// about the whole response first.
///
/// ```
/// use ward_forms::{Questionnaire, QuestionnaireResponse, validate};
///
/// let form = Questionnaire::parse(br#"{"resourceType": "Questionnaire", "status": "active",
///     "item": [{"linkId": "sleep", "type": "boolean", "text": "Did you sleep?", "required": true}]}"#)?;
/// let response = QuestionnaireResponse::parse(
///     br#"{"resourceType": "QuestionnaireResponse", "status": "completed"}"#)?;
/// let codes: Vec<_> = validate(&form, &response).iter().map(|f| (f.path.to_string(), f.code.as_str())).collect();
/// assert!(codes.contains(&("sleep".to_owned(), "required")));
/// # Ok::<(), ward_forms::FormError>(())
/// ```
#[must_use]
pub fn validate(questionnaire: &Questionnaire, response: &QuestionnaireResponse) -> Vec<Finding> {
    validate_in(questionnaire, response, &Surroundings::new())
}

/// Checks a response as [`validate`] does, to a form whose expressions ask for what the app knows.
///
/// The time that expressions see is that of writing, unless the surroundings give one. Where whether
/// an item is asked depends on something that is not at hand, it counts as asked and owes nothing, and
/// a warning says so.
#[must_use]
pub fn validate_in(
    questionnaire: &Questionnaire,
    response: &QuestionnaireResponse,
    surroundings: &Surroundings,
) -> Vec<Finding> {
    let forest = Forest::new(questionnaire, response);
    let live = LiveForm::verify(questionnaire, response, &surroundings.or_at_writing(response.authored()));
    debug_assert_eq!(live.order.len(), forest.nodes.len(), "places and nodes stand for the same items");
    let mut check = Check { forest: &forest, live: &live, response, findings: Vec::new() };
    check.head(questionnaire);
    check.strays();
    if response.status.is_final() {
        let findings = live.of_form_rules().into_iter();
        check.findings.extend(findings.map(|finding| finding.at("QuestionnaireResponse".to_owned())));
    }
    for id in 0..forest.nodes.len() {
        check.node(id);
        check.evaluated(id);
    }
    check.findings
}

/// Checks a response against the form it names, among several: the newest study may hold more than
/// one version of a form, and an answer counts only for the version it was given to.
///
/// A response that names none of them gets one finding; nothing else can be said about it.
#[must_use]
pub fn validate_among(forms: &[Questionnaire], response: &QuestionnaireResponse) -> Vec<Finding> {
    let named = response.questionnaire();
    let is_named = |form: &&Questionnaire| {
        named.is_some() && (form.canonical().as_deref() == named || form.url() == named)
    };
    if let Some(form) = forms.iter().find(is_named) {
        return validate(form, response);
    }
    let at = "QuestionnaireResponse.questionnaire".to_owned();
    let message = "The form that this response answers is not at hand, so the answers can't be checked.";
    vec![Finding::error(ItemPath::root(), FindingCode::InstrumentNotHeld, message).at(at)]
}

struct Check<'c, 'a> {
    forest: &'c Forest<'a>,
    live: &'c LiveForm<'c>,
    response: &'a QuestionnaireResponse,
    findings: Vec<Finding>,
}

impl<'a> Check<'_, 'a> {
    fn head(&mut self, questionnaire: &Questionnaire) {
        if matches!(self.response.status, ResponseStatus::EnteredInError | ResponseStatus::Stopped) {
            self.about_all(
                "status",
                FindingCode::StatusNotAccepted,
                Severity::Error,
                "A response is in progress, completed or amended; this one was withdrawn or stopped.",
            );
        }
        self.instrument(questionnaire);
        let Some(authored) = self.response.authored() else {
            return;
        };
        let Some(authored_at) = Moment::date_time(authored) else {
            self.about_all(
                "authored",
                FindingCode::BadAuthored,
                Severity::Error,
                "The time of writing is not a date and time.",
            );
            return;
        };
        if is_outside_period(questionnaire.as_value(), &authored_at) {
            self.about_all(
                "authored",
                FindingCode::OutsidePeriod,
                Severity::Warning,
                "The time of writing is outside the period in which this form is used.",
            );
        }
    }

    fn instrument(&mut self, questionnaire: &Questionnaire) {
        let Some(named) = self.response.questionnaire() else {
            self.about_all(
                "questionnaire",
                FindingCode::NoInstrument,
                Severity::Warning,
                "The response does not say which form it answers.",
            );
            return;
        };
        let (url, version) = match named.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (named, None),
        };
        // `#id` names a form inside the response; which form that is, the caller knows.
        let other_url = questionnaire.url().is_some_and(|own| own != url) && !url.starts_with('#');
        let other_version = match (version, questionnaire.version()) {
            (Some(named), Some(own)) => named != own,
            _ => false,
        };
        if other_url || other_version {
            self.about_all(
                "questionnaire",
                FindingCode::WrongInstrument,
                Severity::Error,
                "The response answers another form, or another version of this form.",
            );
        }
    }

    fn about_all(&mut self, field: &str, code: FindingCode, severity: Severity, message: &str) {
        let finding = Finding::new(ItemPath::root(), code, severity, message);
        self.findings.push(finding.at(format!("QuestionnaireResponse.{field}")));
    }

    fn strays(&mut self) {
        for stray in &self.forest.strays {
            let (code, message) = match stray.kind {
                StrayKind::Unknown => (FindingCode::UnknownLinkId, "This form has no such question."),
                StrayKind::Misplaced => {
                    (FindingCode::WrongPlace, "This question belongs at another place of the form.")
                }
                StrayKind::Duplicate => {
                    (FindingCode::DuplicateItem, "This question appears twice; its answers belong together.")
                }
            };
            let finding = Finding::error(stray.path.clone(), code, message);
            self.findings.push(finding.at(stray.location.clone()));
        }
    }

    fn node(&mut self, id: usize) {
        let Some(node) = self.forest.nodes.get(id) else {
            return;
        };
        if !self.is_on(id) {
            if self.response.status.is_final() && node.has_value() {
                self.add(id, None, FindingCode::DisabledAnswer, Severity::Error, DISABLED_ANSWER);
            }
            return;
        }
        let answers = node.source.map_or(&[][..], ResponseItem::answers);
        let may_be_parked = self.forest.may_be_parked(node.item);
        // Parked ones stand behind the others.
        let values: Vec<_> =
            answers.iter().map(Answer::value).filter(|value| value.is_some() || !may_be_parked).collect();
        for issue in check_answers(node.item, &values) {
            let severity = self.severity(node, &issue);
            self.add(id, issue.answer, issue.code, severity, &issue.message);
        }
        if node.item.item_type == ItemType::Group {
            self.instances(id, node);
        }
        self.owed(id, node);
    }

    /// An answer from a list that is not at hand was checked by nobody, so a response that claims to
    /// be finished is not accepted with it. Where words of one's own are allowed, the list only helps.
    fn severity(&self, node: &Node<'a>, issue: &AnswerIssue) -> Severity {
        match (issue.code, node.item.item_type) {
            (FindingCode::OptionsElsewhere, _) if !self.response.status.is_final() => issue.severity,
            (FindingCode::OptionsElsewhere, ItemType::OpenChoice) => Severity::Warning,
            (FindingCode::OptionsElsewhere, _) => Severity::Error,
            // A correction keeps the words that were signed before, where the answer stays.
            (FindingCode::OtherWords, _) if self.response.status == ResponseStatus::Amended => {
                Severity::Warning
            }
            _ => issue.severity,
        }
    }

    /// Counts the instances of a group, once, at the first of them.
    fn instances(&mut self, id: usize, node: &Node<'a>) {
        if node.instance != 0 {
            return;
        }
        let count = self.forest.siblings(id).filter(|sibling| sibling.source.is_some()).count();
        if !node.item.repeats && count > 1 {
            let message = format!("This part of the form may appear once; it appears {count} times.");
            self.add(id, None, FindingCode::NotRepeatable, Severity::Error, &message);
        }
        let most = node.item.rules.max_occurs.filter(|most| node.item.repeats && count > *most);
        if let Some(most) = most {
            let message =
                format!("This part of the form may appear at most {most} times; it appears {count} times.");
            self.add(id, None, FindingCode::TooMany, Severity::Error, &message);
        }
        let is_final = self.response.status.is_final();
        let Some(place) = self.live.order.get(id).copied().filter(|_| is_final) else { return };
        let mut filled = self.forest.siblings(id).filter_map(|sibling| sibling.source);
        let least = node
            .item
            .rules
            .min_occurs
            .filter(|least| filled.by_ref().filter(|source| holds_something(source)).count() < *least);
        let is_in_doubt = self.live.places.get(place).is_some_and(|place| place.is_in_doubt);
        // Where nothing is filled in at all, that is said of the answer that may be owed.
        if least.is_some() && is_in_doubt && !self.live.is_debt_in_doubt(place) {
            let message = "How often this part is to be filled in was not checked: what decides about it is not at hand.";
            self.add(id, None, FindingCode::NotChecked, Severity::Warning, message);
        }
        // A group that may not be asked, or in which nothing can be answered, owes no repetition.
        let can_be_filled = self.live.is_wanted(place) && self.live.last_question(place).is_some();
        if let (Some(least), true) = (least, can_be_filled) {
            let times = if least == 1 { "once".to_owned() } else { format!("{least} times") };
            let message = format!("This part of the form must be filled in at least {times}.");
            self.add(id, None, FindingCode::TooFew, Severity::Error, &message);
        }
    }

    fn owed(&mut self, id: usize, node: &Node<'a>) {
        let is_final = self.response.status.is_final();
        let Some(place) = self.live.order.get(id).copied().filter(|_| is_final) else { return };
        if self.live.is_debt_in_doubt(place) {
            let message =
                "Whether an answer is owed here was not checked: what decides about it is not at hand.";
            self.add(id, None, FindingCode::NotChecked, Severity::Warning, message);
        }
        if node.item.item_type == ItemType::Group {
            if self.live.last_chance(place).is_some() {
                let message = "This part needs at least one answer.";
                self.add(id, None, FindingCode::Required, Severity::Error, message);
            }
            return;
        }
        if !self.live.is_wanted(place) || node.source.is_some_and(|source| !source.answers().is_empty()) {
            return;
        }
        let (severity, message) = if self.live.is_asked(place) {
            (Severity::Error, "This question needs an answer.")
        } else {
            (Severity::Warning, "An answer is missing here, but it is none that a person can be asked for.")
        };
        self.add(id, None, FindingCode::Required, severity, message);
    }

    /// What the evaluation found. A draft is not held to it: it may speak of answers still to come.
    fn evaluated(&mut self, id: usize) {
        if !self.response.status.is_final() {
            return;
        }
        let Some(place) = self.live.order.get(id) else { return };
        let location = self.forest.location(id);
        let findings = self.live.findings(*place).into_iter();
        self.findings.extend(findings.map(|finding| finding.at(location.clone())));
    }

    fn add(
        &mut self,
        id: usize,
        answer: Option<usize>,
        code: FindingCode,
        severity: Severity,
        message: &str,
    ) {
        let mut location = self.forest.location(id);
        if let Some(answer) = answer {
            location = format!("{location}.answer[{answer}]");
        }
        self.findings.push(Finding::new(self.forest.path(id), code, severity, message).at(location));
    }

    fn place(&self, id: usize) -> Option<&Place> {
        self.live.places.get(*self.live.order.get(id)?)
    }

    fn is_on(&self, id: usize) -> bool {
        self.place(id).is_some_and(|place| place.is_on)
    }
}

const DISABLED_ANSWER: &str =
    "Other answers mean that this question is not asked, so its answer can't be kept.";

/// FHIR R4 `Questionnaire.effectivePeriod`: both ends are included, and a partial
/// date counts for the whole of its span.
fn is_outside_period(questionnaire: &Value, authored: &Moment) -> bool {
    let end = |name: &str| {
        let text = questionnaire.get("effectivePeriod")?.get(name)?.as_str()?;
        Moment::date_time(text)
    };
    let beyond = |bound: Option<Moment>, outside: Ordering| {
        bound.and_then(|bound| authored.order_by_day(&bound)).is_some_and(|order| order == outside)
    };
    beyond(end("start"), Ordering::Less) || beyond(end("end"), Ordering::Greater)
}
