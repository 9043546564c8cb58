//! Short lists of answers that FHIR R4 itself defines, so that forms which name them can be
//! answered and checked without a terminology server.
//!
//! Source: FHIR R4 4.0.1 (HL7, CC0), value sets administrative-gender, yesnodontknow and item-type.

use serde_json::Value;
use std::collections::BTreeMap;

const LISTS: &str = include_str!("../data/standard_value_sets.json");

/// The version of FHIR whose lists these are.
const VERSION: &str = "4.0.1";

/// The standard lists, by their addresses.
pub(crate) fn lists() -> BTreeMap<String, Value> {
    serde_json::from_str(LISTS).unwrap_or_default()
}

/// The address without its version, if that is the version the lists are of or none.
pub(crate) fn address(reference: &str) -> Option<&str> {
    match reference.split_once('|') {
        None => Some(reference),
        Some((address, version)) => (version == VERSION).then_some(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questionnaire::ItemType;

    #[test]
    fn the_lists_are_read() {
        assert_eq!(lists().len(), 3);
        let item_types = lists()["http://hl7.org/fhir/ValueSet/item-type"].clone();
        let concepts = item_types.pointer("/compose/include/0/concept").unwrap().as_array().unwrap().clone();
        assert_eq!(concepts.len(), ItemType::ALL.len());
        assert!(
            concepts.iter().all(|concept| ItemType::from_code(concept["code"].as_str().unwrap()).is_some())
        );
    }

    #[test]
    fn another_version_is_another_list() {
        assert_eq!(address("u"), Some("u"));
        assert_eq!(address("u|4.0.1"), Some("u"));
        assert_eq!(address("u|5.0.0"), None);
    }
}
