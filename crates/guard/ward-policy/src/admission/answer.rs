//! What a cluster is answered.

use crate::limits::{MAX_AUDIT_ANNOTATIONS, MAX_MESSAGE_BYTES, MAX_WARNING_BYTES, MAX_WARNINGS};
use crate::shown_text::one_line;
use serde_json::{Map, Value, json};

/// Code of a refusal: forbidden.
const FORBIDDEN: u16 = 403;

/// The answer to one review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    uid: Box<str>,
    /// Why it is refused; `None` if it is admitted.
    refusal: Option<String>,
    warnings: Vec<String>,
    audit_annotations: Vec<(Box<str>, String)>,
}

impl Answer {
    /// The object is admitted.
    #[must_use]
    pub fn admit(uid: &str) -> Self {
        Self { uid: uid.into(), refusal: None, warnings: Vec::new(), audit_annotations: Vec::new() }
    }

    /// The object is refused, for a reason that its author reads.
    #[must_use]
    pub fn refuse(uid: &str, message: &str) -> Self {
        let message = if message.trim().is_empty() { "refused by policy" } else { message };
        Self { refusal: Some(cut(message, MAX_MESSAGE_BYTES)), ..Self::admit(uid) }
    }

    /// With a warning that the author sees whatever the answer is. Those beyond the limit are left
    /// out, the last one says so.
    #[must_use]
    pub fn with_warning(mut self, warning: &str) -> Self {
        match self.warnings.len() {
            MAX_WARNINGS.. => {}
            len if len + 1 == MAX_WARNINGS => self.warnings.push("there are more warnings".to_owned()),
            _ => self.warnings.push(cut(warning, MAX_WARNING_BYTES)),
        }
        self
    }

    /// With an annotation in the audit log of the cluster. A key is a word of letters, digits,
    /// `-`, `_` and `.`; another one is left out, as is what goes beyond the limit.
    #[must_use]
    pub fn with_audit_annotation(mut self, key: &str, value: &str) -> Self {
        let is_new = self.audit_annotations.iter().all(|(known, _)| &**known != key);
        if is_new && is_annotation_key(key) && self.audit_annotations.len() < MAX_AUDIT_ANNOTATIONS {
            self.audit_annotations.push((key.into(), cut(value, MAX_MESSAGE_BYTES)));
        }
        self
    }

    /// Whether the object is admitted.
    #[must_use]
    pub const fn admits(&self) -> bool {
        self.refusal.is_none()
    }

    /// The document that the cluster reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut response = Map::new();
        response.insert("uid".to_owned(), json!(self.uid));
        response.insert("allowed".to_owned(), json!(self.admits()));
        if let Some(message) = &self.refusal {
            response.insert("status".to_owned(), json!({ "code": FORBIDDEN, "message": message }));
        }
        if !self.warnings.is_empty() {
            response.insert("warnings".to_owned(), json!(self.warnings));
        }
        if !self.audit_annotations.is_empty() {
            let annotations: Map<String, Value> =
                self.audit_annotations.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
            response.insert("auditAnnotations".to_owned(), Value::Object(annotations));
        }
        let document =
            json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response });
        document.to_string()
    }
}

fn is_annotation_key(key: &str) -> bool {
    let is_word = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let ends = |edge: Option<char>| edge.is_some_and(|letter| letter.is_ascii_alphanumeric());
    is_word && key.len() <= 63 && ends(key.chars().next()) && ends(key.chars().last())
}

/// A text of at most so many bytes, cut between characters, and without what would steer the terminal of whoever
/// reads the answer.
fn cut(text: &str, most_bytes: usize) -> String {
    const ELLIPSIS: &str = "…";
    let text = &*one_line(text);
    if text.len() <= most_bytes {
        return text.to_owned();
    }
    let room = most_bytes.saturating_sub(ELLIPSIS.len());
    let end = text.floor_char_boundary(room);
    let (kept, _) = text.split_at_checked(end).unwrap_or_default();
    format!("{kept}{ELLIPSIS}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_as_the_cluster_reads_it() {
        let answer = Answer::refuse("u-1", "W-068: privileged")
            .with_warning("W-071 is waived until 2026-12-24")
            .with_audit_annotation("rules", "W-068")
            .with_audit_annotation("not a key", "x");
        let wanted = json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {
                "uid": "u-1",
                "allowed": false,
                "status": { "code": 403, "message": "W-068: privileged" },
                "warnings": ["W-071 is waived until 2026-12-24"],
                "auditAnnotations": { "rules": "W-068" },
            },
        });
        assert_eq!(serde_json::from_str::<Value>(&answer.to_json()).unwrap(), wanted);
        let admitted: Value = serde_json::from_str(&Answer::admit("u-2").to_json()).unwrap();
        assert_eq!(admitted["response"], json!({ "uid": "u-2", "allowed": true }));
    }

    #[test]
    fn messages_at_the_limit_and_one_past() {
        let message = |text: &str| match Answer::refuse("u", text).refusal {
            Some(message) => message,
            None => panic!("admitted"),
        };
        let whole = "x".repeat(MAX_MESSAGE_BYTES);
        assert_eq!(message(&whole), whole);
        let cut = message(&"ö".repeat(MAX_MESSAGE_BYTES / 2 + 1));
        assert!(cut.len() <= MAX_MESSAGE_BYTES && cut.ends_with("ö…"), "{cut}");
        assert_eq!(message("  "), "refused by policy");
    }

    #[test]
    fn warnings_and_annotations_at_the_limit_and_one_past() {
        let many = |count: usize| {
            (0..count).fold(Answer::admit("u"), |answer, at| {
                answer
                    .with_warning(&"w".repeat(MAX_WARNING_BYTES + at))
                    .with_audit_annotation(&at.to_string(), "v")
            })
        };
        let answer = many(MAX_WARNINGS - 1);
        assert_eq!(answer.warnings.len(), MAX_WARNINGS - 1);
        assert!(answer.warnings.iter().all(|warning| warning.len() <= MAX_WARNING_BYTES));
        let answer = many(MAX_WARNINGS + 1);
        assert_eq!(answer.warnings.last().unwrap(), "there are more warnings");
        assert_eq!(
            (answer.warnings.len(), answer.audit_annotations.len()),
            (MAX_WARNINGS, MAX_AUDIT_ANNOTATIONS)
        );
    }
}
