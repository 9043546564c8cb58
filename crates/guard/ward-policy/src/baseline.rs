//! A baseline: the findings that were there when checking began. It may only shrink.
//!
//! It is for a deployment that existed before its first check. Each entry is bound like a waiver, so that a
//! finding that changes blocks; one that is gone has to be taken out, so that it cannot come back unseen.

use crate::evaluate::Assessment;
use crate::input_error::InputError;
use crate::limits::MAX_BASELINE_BYTES;
use crate::verdict::Verdict;
use crate::waiver::binding_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Version of the format.
const FORMAT: u32 = 1;

/// A finding that was there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineEntry {
    /// The input, as it was named.
    pub input: String,
    /// The rule.
    pub rule: String,
    /// The part of the rule, if it has several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub aspect: Option<String>,
    /// The resource.
    pub address: String,
    /// What it is bound to, in hexadecimal.
    pub binds: String,
}

/// All findings that were there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: u32,
    findings: BTreeSet<BaselineEntry>,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// [`InputError`] when it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, InputError> {
        if bytes.len() > MAX_BASELINE_BYTES {
            return Err(InputError::TooLarge);
        }
        let baseline: Self = serde_json::from_slice(bytes).map_err(|error| InputError::Malformed {
            at: format!("line {}", error.line()),
            what: error.to_string(),
        })?;
        if baseline.format != FORMAT {
            let what = format!("this Ward reads format {FORMAT} of baselines");
            return Err(InputError::UnknownFormat { what });
        }
        Ok(baseline)
    }

    /// The baseline of findings.
    #[must_use]
    pub fn of(findings: BTreeSet<BaselineEntry>) -> Self {
        Self { format: FORMAT, findings }
    }

    /// Its findings.
    #[must_use]
    pub const fn findings(&self) -> &BTreeSet<BaselineEntry> {
        &self.findings
    }

    /// What this one has and another one had not: how it grew.
    #[must_use]
    pub fn grown_since<'b>(&'b self, earlier: &'b Self) -> Vec<&'b BaselineEntry> {
        self.findings.difference(&earlier.findings).collect()
    }
}

/// The blocking findings of an input, as a baseline holds them, with their places. What can't be bound is
/// left out: it blocks in any case.
#[must_use]
pub fn entries_of(input: &str, assessment: &Assessment<'_>) -> Vec<(usize, BaselineEntry)> {
    let entry = |(place, finding): (usize, &crate::finding::Finding<'_>)| {
        let binding = binding_of(finding, assessment.graph)?;
        let entry = BaselineEntry {
            input: input.to_owned(),
            rule: finding.rule.id.to_string(),
            aspect: finding.cell.aspect.as_deref().map(str::to_owned),
            address: finding.resource.address.to_string(),
            binds: ward_id::hex_encode(&binding),
        };
        Some((place, entry))
    };
    assessment.findings.iter().enumerate().filter_map(entry).collect()
}

/// Lets the findings pass that a baseline has. Gives those of its entries that were met.
pub fn apply_baseline(
    input: &str,
    assessment: &mut Assessment<'_>,
    baseline: &Baseline,
) -> BTreeSet<BaselineEntry> {
    let mut met = BTreeSet::new();
    for (place, entry) in entries_of(input, assessment) {
        if !baseline.findings.contains(&entry) {
            continue;
        }
        if let Some(finding) = assessment.findings.get_mut(place) {
            finding.waiver = Some("in the baseline: it was there before checking began".to_owned());
        }
        assessment.set_verdict(place, Verdict::Waived);
        met.insert(entry);
    }
    met
}
