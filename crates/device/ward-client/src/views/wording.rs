//! Words for people and codes for files, in one place, so that every screen and export says the
//! same.

use crate::limits::REASON_SHOWN_MAX;
use ward_crypto::Role;
use ward_sync::{AnsweredBy, ResponseStatus};

/// A role in plain words.
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Patient => "participant",
        Role::Coordinator => "coordinator",
        Role::Clinician => "clinician",
        Role::Investigator => "investigator",
        Role::Researcher => "researcher",
        Role::Monitor => "monitor",
        Role::SecurityOfficer => "security officer",
        Role::Auditor => "auditor",
        Role::Operator => "operator",
        Role::Admin => "admin",
        Role::Recovery => "recovery device",
    }
}

/// Who gave answers, as a code.
pub const fn answered_by_code(answered_by: AnsweredBy) -> &'static str {
    match answered_by {
        AnsweredBy::Self_ => "self",
        AnsweredBy::WithHelp => "with-help",
        AnsweredBy::Interview => "interview",
    }
}

/// How far a response is, as the code of FHIR R4.
pub const fn status_code(status: ResponseStatus) -> &'static str {
    match status {
        ResponseStatus::Draft => "in-progress",
        ResponseStatus::Completed => "completed",
        ResponseStatus::Amended => "amended",
    }
}

/// The first 8 hexadecimal digits of an id.
pub(super) fn short_id(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// Somebody's text as part of one line on a screen or terminal: control characters and marks that
/// turn the writing direction become spaces, and it is cut at [`REASON_SHOWN_MAX`] characters.
/// Without this, a note could rewrite the line that a nurse reads.
pub(super) fn one_line(text: &str) -> String {
    cut_line(text, REASON_SHOWN_MAX)
}

/// As [`one_line`], of at most so many characters.
pub(super) fn cut_line(text: &str, max_chars: usize) -> String {
    let mut out = plain_line(text);
    if let Some((end, _)) = out.char_indices().nth(max_chars) {
        out.truncate(end);
        out.push('…');
    }
    out
}

/// Somebody's text as one line, whole: control characters and marks that turn the writing direction become
/// spaces.
pub fn plain_line(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
    let plain: String =
        text.chars().map(|c| if c.is_control() || turns(c) || breaks(c) { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `1 entry`, `2 entries`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_rewrite_its_line() {
        assert_eq!(one_line("a\u{1b}[2J\r\nb \u{202e}c\u{2028}d"), "a [2J b c d");
        let long = "x".repeat(REASON_SHOWN_MAX + 1);
        assert_eq!(one_line(&long).chars().count(), REASON_SHOWN_MAX + 1);
        assert!(one_line(&long).ends_with('…'));
        assert_eq!(one_line(&"x".repeat(REASON_SHOWN_MAX)).chars().count(), REASON_SHOWN_MAX);
    }
}
