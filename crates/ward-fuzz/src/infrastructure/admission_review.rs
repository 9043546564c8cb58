//! Reviews of a cluster.

use super::judged::rules;
use crate::Target;
use serde_json::Value;
use ward_policy::admission::{OpenFindings, answer_review, read_admission_review};
use ward_policy::limits::MAX_MESSAGE_BYTES;

pub(crate) const TARGET: Target = Target {
    name: "admission_review",
    about: "a review: the answer repeats its name and is bounded; what is admitted strictly is admitted leniently",
    words: &[
        "{\"apiVersion\": \"admission.k8s.io/v1\", \"kind\": \"AdmissionReview\", \"request\": {",
        "\"uid\": \"u\", ",
        "\"operation\": \"CREATE\", ",
        "\"operation\": \"UPDATE\", ",
        "\"operation\": \"DELETE\", ",
        "\"namespace\": \"n\", ",
        "\"subResource\": \"ephemeralcontainers\", ",
        "\"kind\": {\"group\": \"apps\", \"version\": \"v1\", \"kind\": \"Deployment\"}, ",
        "\"object\": {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", ",
        "\"oldObject\": {",
        "\"metadata\": {\"name\": \"p\", ",
        "\"deletionTimestamp\": ",
        "\"spec\": {\"template\": {\"spec\": {",
        "\"containers\": [{\"name\": \"c\", ",
        "\"securityContext\": {\"privileged\": true}",
        "\"hostNetwork\": true",
    ],
    run,
};

fn run(input: &[u8]) {
    let Some(rules) = rules() else { return };
    let strict = answer_review(input, rules, OpenFindings::Refuse);
    let lenient = answer_review(input, rules, OpenFindings::Warn);
    assert_eq!(strict.is_ok(), lenient.is_ok(), "whether there is an answer does not depend on the mode");
    let (Ok(strict), Ok(lenient)) = (strict, lenient) else { return };
    assert!(lenient.admits() || !strict.admits(), "what is admitted strictly is admitted leniently");
    let uid = match read_admission_review(input) {
        Ok(review) => review.uid.to_string(),
        Err(error) => error.uid.map(|uid| uid.to_string()).unwrap_or_default(),
    };
    for answer in [strict, lenient] {
        let document = serde_json::from_str::<Value>(&answer.to_json());
        assert!(document.is_ok(), "an answer is JSON");
        let Ok(document) = document else { return };
        let at = |path: &str| document.pointer(path);
        assert_eq!(at("/response/uid").and_then(Value::as_str), Some(&*uid), "the answer is of this review");
        assert_eq!(at("/response/allowed").and_then(Value::as_bool), Some(answer.admits()));
        let message = at("/response/status/message").and_then(Value::as_str);
        assert_eq!(message.is_some(), !answer.admits(), "a refusal says why");
        assert!(message.is_none_or(|message| message.len() <= MAX_MESSAGE_BYTES), "messages are bounded");
    }
}
