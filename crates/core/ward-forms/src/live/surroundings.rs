//! What expressions of a form may ask for besides the answers: the time, and what the app knows.

use crate::fhirpath::Temporal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The time and the named resources, such as `%patient`, that the app in front of the form supplies.
///
/// What is not supplied is not empty: an expression that asks for it fails with a finding.
///
/// ```
/// use ward_forms::Surroundings;
///
/// let surroundings = Surroundings::new()
///     .at("2026-03-01T09:30:00+01:00")
///     .with_resource("patient", serde_json::json!({"resourceType": "Patient", "birthDate": "1961-07-02"}));
/// assert_ne!(surroundings, Surroundings::new());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    now: Option<Temporal>,
    resources: Arc<BTreeMap<String, Value>>,
}

impl Surroundings {
    /// No time and no resources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The time, as a FHIR dateTime with its zone. Anything less than that is no time.
    #[must_use]
    pub fn at(mut self, now: &str) -> Self {
        self.now = Temporal::date_time(now);
        self
    }

    /// A resource that expressions name with a `%` before its name.
    #[must_use]
    pub fn with_resource(mut self, name: &str, resource: Value) -> Self {
        Arc::make_mut(&mut self.resources).insert(name.to_owned(), resource);
        self
    }

    pub(crate) fn now(&self) -> Option<Temporal> {
        self.now
    }

    pub(crate) fn resource(&self, name: &str) -> Option<&Value> {
        self.resources.get(name)
    }

    /// The same at the time when a response was written, if it says that to the second.
    pub(crate) fn at_writing(&self, authored: Option<&str>) -> Self {
        Self { now: written(authored).or(self.now), resources: Arc::clone(&self.resources) }
    }

    /// The same, at the time when a response was written if no time was given.
    pub(crate) fn or_at_writing(&self, authored: Option<&str>) -> Self {
        Self { now: self.now.or(written(authored)), resources: Arc::clone(&self.resources) }
    }
}

fn written(authored: Option<&str>) -> Option<Temporal> {
    authored.filter(|text| text.contains('T')).and_then(Temporal::date_time)
}
