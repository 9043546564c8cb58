//! Refusals on their way out: every one is an RFC 9457 problem with a code.

use crate::clock::EntropyError;
use crate::rate::RetryAfter;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use ward_api::{ErrorCode, Problem, ProblemMembers, headers};
use ward_id::CborError;

/// What a handler returns when it refuses.
pub(crate) type Refusal = Box<Problem>;

/// A refusal without particulars.
pub(crate) fn refuse(code: ErrorCode, detail: impl Into<String>) -> Refusal {
    Box::new(Problem::new(code, detail))
}

/// A refusal with particulars.
pub(crate) fn refuse_with(code: ErrorCode, detail: impl Into<String>, members: ProblemMembers) -> Refusal {
    Box::new(Problem::new(code, detail).with(members))
}

/// Too many requests.
pub(crate) fn rate_limited(wait: RetryAfter) -> Refusal {
    let members = ProblemMembers { retry_after_s: Some(wait.seconds), ..ProblemMembers::default() };
    refuse_with(ErrorCode::RateLimited, format!("Wait {} seconds, then go on.", wait.seconds), members)
}

/// A body that is not what the path takes.
pub(crate) fn bad_body(error: CborError) -> Refusal {
    match error {
        CborError::Malformed => {
            refuse(ErrorCode::Malformed, "Decode it with the types of the protocol to see where it differs.")
        }
        CborError::NotCanonical => refuse(
            ErrorCode::NotCanonical,
            "Encode it by RFC 8949 section 4.2.1: shortest integers, ascending keys, nothing unknown, nothing after it.",
        ),
    }
}

/// The random generator failed: nothing can be issued.
pub(crate) fn no_randomness(_: EntropyError) -> Refusal {
    refuse(ErrorCode::Internal, "The random generator of the server failed.")
}

/// The answer for a refusal. The code travels along as an extension, for the figures.
pub(crate) fn problem_response(problem: &Problem) -> Response {
    let mut response = Response::new(Body::from(problem.to_json()));
    *response.status_mut() =
        http::StatusCode::from_u16(problem.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(headers::MEDIA_PROBLEM));
    if let Some(seconds) = problem.members.retry_after_s {
        out.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(challenge) = challenge(problem) {
        out.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response.extensions_mut().insert(RefusalCode(problem.code.number()));
    response
}

/// The number of the code that an answer carries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusalCode(pub(crate) u16);

/// RFC 9449 §7.1 and §9: how a 401 tells a client what to bring.
fn challenge(problem: &Problem) -> Option<&'static str> {
    if problem.status != 401 {
        return None;
    }
    Some(match problem.code.known() {
        Some(ErrorCode::UseNonce) => r#"DPoP error="use_dpop_nonce", algs="ES256""#,
        Some(ErrorCode::ProofInvalid | ErrorCode::ProofReplayed) => {
            r#"DPoP error="invalid_dpop_proof", algs="ES256""#
        }
        Some(ErrorCode::TokenMissing) => r#"DPoP algs="ES256""#,
        _ => r#"DPoP error="invalid_token", algs="ES256""#,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_401_says_what_to_bring_and_a_429_when_to_come_back() {
        let nonce = problem_response(&refuse(ErrorCode::UseNonce, "x"));
        assert_eq!(nonce.headers()[WWW_AUTHENTICATE], r#"DPoP error="use_dpop_nonce", algs="ES256""#);
        assert_eq!(nonce.headers()[CONTENT_TYPE], "application/problem+json");
        let slow = problem_response(&rate_limited(RetryAfter { seconds: 7 }));
        assert_eq!(
            (slow.status().as_u16(), &slow.headers()[RETRY_AFTER]),
            (429, &HeaderValue::from_static("7"))
        );
        assert!(slow.headers().get(WWW_AUTHENTICATE).is_none());
    }
}
