//! Checks the bytes of a form, whether or not they can be read as one.

use crate::error::FormError;
use crate::finding::{Finding, FindingCode};
use crate::item_path::ItemPath;
use crate::json_bounds::read_bounded;
use crate::limits::{MAX_ITEM_DEPTH, MAX_NAMED_DUPLICATES, MAX_QUESTIONNAIRE_BYTES};
use crate::lint::lint;
use crate::questionnaire::Questionnaire;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a check of a form found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct InstrumentCheck {
    /// The form, when it can be read.
    pub form: Option<Questionnaire>,
    /// What its author should know, by item.
    pub findings: Vec<Finding>,
}

impl InstrumentCheck {
    /// Whether the form may be given to people: it can be read and has no errors.
    #[must_use]
    pub fn can_be_published(&self) -> bool {
        self.form.is_some() && !self.findings.iter().any(Finding::is_error)
    }
}

/// Checks the bytes of a form before it is published.
///
/// ```
/// use ward_forms::check_instrument;
///
/// let check = check_instrument(br#"{"resourceType": "Questionnaire", "url": "u", "version": "1",
///     "status": "active", "item": [
///         {"linkId": "pain", "type": "boolean", "text": "Any pain?"},
///         {"linkId": "pain", "type": "boolean", "text": "Still any pain?"}]}"#);
/// assert!(!check.can_be_published());
/// assert_eq!(check.findings[0].code.as_str(), "duplicate-link-id");
/// assert_eq!(check.findings[0].path.to_string(), "pain");
/// ```
#[must_use]
pub fn check_instrument(json: &[u8]) -> InstrumentCheck {
    match Questionnaire::parse(json) {
        Ok(form) => {
            let mut findings = identity(&form);
            findings.extend(lint(&form));
            InstrumentCheck { form: Some(form), findings }
        }
        Err(error) => InstrumentCheck { form: None, findings: unreadable(json, &error) },
    }
}

/// A response names the version of the form that it answers, so a form needs both.
fn identity(form: &Questionnaire) -> Vec<Finding> {
    let missing = match (form.url(), form.version()) {
        (Some(_), Some(_)) => return Vec::new(),
        (None, Some(_)) => "no address (url)",
        (Some(_), None) => "no version",
        (None, None) => "no address (url) and no version",
    };
    let message = format!("This form has {missing}, so a response could not name what it answers.");
    vec![Finding::error(ItemPath::root(), FindingCode::NoIdentity, message)]
}

fn unreadable(json: &[u8], error: &FormError) -> Vec<Finding> {
    let value = read_bounded(json, MAX_QUESTIONNAIRE_BYTES).map_or(Value::Null, |(value, _)| value);
    match error {
        FormError::DuplicateLinkId { .. } => duplicates(&value),
        FormError::EnableWhenLoop { cycle } => {
            let first = cycle.first().map(String::as_str).unwrap_or_default();
            let path = find(&value, &|path| path.link_id() == Some(first));
            vec![Finding::error(path, FindingCode::Loop, sentence(error))]
        }
        other => {
            let path =
                place_in(other).map_or_else(ItemPath::root, |at| find(&value, &|path| is_written(path, at)));
            vec![Finding::error(path, FindingCode::NotAForm, sentence(error))]
        }
    }
}

/// How the reader names a place: the linkIds from the top.
fn is_written(path: &ItemPath, at: &str) -> bool {
    path.to_string() == at
}

fn place_in(error: &FormError) -> Option<&str> {
    match error {
        FormError::MissingField { at, .. }
        | FormError::WrongShape { at, .. }
        | FormError::FieldTooLong { at, .. }
        | FormError::ItemsTooDeep { at, .. }
        | FormError::TooMany { at, .. } => Some(at),
        _ => None,
    }
}

fn sentence(error: &FormError) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).chain(['.']).collect()
}

fn duplicates(form: &Value) -> Vec<Finding> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut findings = Vec::new();
    walk(form, &ItemPath::root(), 0, &mut |path| {
        let link_id = path.link_id().unwrap_or_default();
        if !seen.insert(link_id.to_owned()) {
            let message = format!("The linkId {link_id} is used by an item before this one.");
            findings.push(Finding::error(path.clone(), FindingCode::DuplicateLinkId, message));
        }
        findings.len() < MAX_NAMED_DUPLICATES
    });
    findings
}

/// The first item that is looked for, or the form itself.
fn find(form: &Value, is_it: &dyn Fn(&ItemPath) -> bool) -> ItemPath {
    let mut found = ItemPath::root();
    walk(form, &ItemPath::root(), 0, &mut |path| {
        let hit = is_it(path);
        if hit {
            found = path.clone();
        }
        !hit
    });
    found
}

/// Visits the items of JSON that is no form, as long as `visit` wants more.
fn walk(holder: &Value, above: &ItemPath, depth: usize, visit: &mut dyn FnMut(&ItemPath) -> bool) -> bool {
    let items = holder.get("item").and_then(Value::as_array).filter(|_| depth < MAX_ITEM_DEPTH);
    items.into_iter().flatten().all(|item| {
        let Some(link_id) = item.get("linkId").and_then(Value::as_str) else {
            return true;
        };
        let path = above.child(link_id, 0);
        visit(&path) && walk(item, &path, depth + 1, visit)
    })
}
