//! Dense answers as devices send them: a byte that chooses form and status, and the dense bytes.

use super::written_again::{as_dense, as_json};
use crate::Target;
use crate::choices::selected;
use crate::fixtures::QUESTIONNAIRES;
use ward_forms::{Finding, FindingCode, ResponseStatus, decode_answers, encode_answers, validate};

pub(crate) const TARGET: Target = Target {
    name: "dense_answers",
    about: "dense bytes that are accepted are the one spelling of their response, and the response is read again from JSON",
    words: &["\u{0}", "2026-03-01", "none", "tea", "kg"],
    run,
};

fn run(input: &[u8]) {
    let (choice, dense) = selected(input);
    let statuses = [ResponseStatus::Completed, ResponseStatus::Amended, ResponseStatus::InProgress];
    let place = choice.checked_rem(QUESTIONNAIRES.len()).unwrap_or_default();
    let status = choice.checked_div(QUESTIONNAIRES.len()).and_then(|at| statuses.get(at % statuses.len()));
    let (Some(form), Some(status)) = (QUESTIONNAIRES.get(place), status) else { return };
    let Ok(response) = decode_answers(form, *status, dense) else { return };
    let written = encode_answers(form, *status, &response);
    assert_eq!(written.as_deref(), Some(dense), "accepted bytes are the one spelling of their response");
    assert!(as_json(&response).is_some(), "what dense bytes stand for is no larger than any response");
    as_dense(form, &response);
    let unknown = validate(form, &response).iter().any(is_about_structure);
    assert!(!unknown, "dense answers name nothing that the form does not have there");
}

fn is_about_structure(finding: &Finding) -> bool {
    matches!(finding.code, FindingCode::UnknownLinkId | FindingCode::WrongPlace)
}
