//! What is written is read as the same, in both forms that a response has.

use ward_forms::limits::MAX_RESPONSE_BYTES;
use ward_forms::{Questionnaire, QuestionnaireResponse, ResponseStatus, decode_answers, encode_answers};

/// JSON: reading what was written gives the same response, written with the same bytes. A response that
/// was put together may be larger than one that is taken from outside.
pub(super) fn as_json(response: &QuestionnaireResponse) -> Option<QuestionnaireResponse> {
    let json = response.to_json();
    if json.len() > MAX_RESPONSE_BYTES {
        return None;
    }
    let again = QuestionnaireResponse::parse(&json);
    assert!(again.is_ok(), "a response that was written is read again: {:?}", again.err());
    let again = again.ok()?;
    assert_eq!(again.to_json(), json, "a response is written with the same bytes twice");
    assert!(again == *response, "a response that was written says the same");
    Some(again)
}

/// Dense: what has a dense form comes back from it byte for byte, and has one dense form.
pub(super) fn as_dense(form: &Questionnaire, response: &QuestionnaireResponse) {
    for implied in [ResponseStatus::Completed, ResponseStatus::Amended] {
        let Some(dense) = encode_answers(form, implied, response) else { continue };
        let back = decode_answers(form, implied, &dense);
        assert!(back.is_ok(), "dense answers are read again: {:?}", back.err());
        let Ok(back) = back else { continue };
        assert_eq!(back.to_json(), response.to_json(), "dense answers give the response back");
        assert_eq!(encode_answers(form, implied, &back), Some(dense), "a response has one dense form");
    }
}
