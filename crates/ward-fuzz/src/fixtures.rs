//! Forms, data and infrastructure that targets bring along.

use serde_json::Value;
use std::sync::LazyLock;
use ward_forms::Questionnaire;

/// The instruments of the project and forms that have everything a form can have.
const FORMS: [&[u8]; 2] = [
    include_bytes!("../../../testdata/instruments/ward-symptom-diary.json"),
    include_bytes!("../fixtures/every-type.json"),
];
const RESPONSE: &[u8] = include_bytes!("../fixtures/every-type-answered.json");

/// A plan that many rules are against, for waivers and for rules of one's own.
pub(crate) const UNSOUND_PLAN: &str = include_str!("../fixtures/unsound-plan.json");
/// Manifests of the same kind.
pub(crate) const UNSOUND_MANIFESTS: &str = include_str!("../fixtures/unsound-manifests.yaml");

/// The forms; none is missing, which a test sees to.
pub(crate) static QUESTIONNAIRES: LazyLock<Vec<Questionnaire>> =
    LazyLock::new(|| FORMS.iter().filter_map(|json| Questionnaire::parse(json).ok()).collect());

/// A response to the last of the forms, for expressions to be evaluated over.
pub(crate) static DATA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_slice(RESPONSE).unwrap_or_default());

#[cfg(test)]
mod tests {
    use super::*;
    use ward_forms::{Finding, QuestionnaireResponse, check_instrument, validate};

    #[test]
    fn every_fixture_is_read_and_in_order() {
        assert_eq!(QUESTIONNAIRES.len(), FORMS.len());
        for json in FORMS {
            let check = check_instrument(json);
            assert!(check.can_be_published(), "{:?}", check.findings);
        }
        let response = QuestionnaireResponse::parse(RESPONSE).unwrap();
        let found = validate(&QUESTIONNAIRES[1], &response);
        assert!(!found.iter().any(Finding::is_error), "{found:?}");
        assert_eq!(DATA["resourceType"], "QuestionnaireResponse");
    }
}
