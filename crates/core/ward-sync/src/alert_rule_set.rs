//! The alert rules of a study, as an admin signs them into the membership log.
//!
//! The log looks at their frame alone: who signs, which study, which revision. What the rules say is read
//! on the devices of the care team. The server never links the reader of rules, and a device that cannot
//! read a set keeps it, follows the newest one that it can read, and says so.

use crate::limits::ALERT_RULES_MAX_BYTES;
use alloc::vec::Vec;
use minicbor::{Decode, Encode};
use ward_crypto::V1;
use ward_id::{DeviceId, StudyId, TimestampMs};

/// One revision of a study's alert rules.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AlertRuleSet {
    /// The version of this form.
    #[n(0)]
    pub v: V1,
    /// The study.
    #[n(1)]
    pub study: StudyId,
    /// Which revision, from 1, without a gap. The highest one counts.
    #[n(2)]
    pub revision: u64,
    /// When it was published, as the clock of the admin's device says. It decides nothing.
    #[n(3)]
    pub from: TimestampMs,
    /// The rules, byte for byte as their author wrote them.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub rules: Vec<u8>,
}

impl AlertRuleSet {
    /// Whether this can follow on the newest set before it. Revisions have no gaps, so nobody can
    /// publish the last number that there is and so end the rules of a study for ever.
    pub fn extends(&self, before: Option<&Self>) -> bool {
        let next = before.map_or(Some(1), |before| before.revision.checked_add(1));
        before.is_none_or(|before| self.study == before.study) && next == Some(self.revision)
    }

    /// Checks numbers and sizes: what does not hold here is no rule set.
    pub(crate) fn check_form(&self) -> Result<(), &'static str> {
        if self.revision == 0 {
            return Err("alert rules are counted from 1");
        }
        if !(1..=ALERT_RULES_MAX_BYTES).contains(&self.rules.len()) {
            return Err("alert rules are empty or too long");
        }
        Ok(())
    }
}

/// A set that stands in the membership log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedAlertRules {
    /// What was published.
    pub set: AlertRuleSet,
    /// Its place in the log: who sealed something under a log that is larger did so after the set was
    /// published, whatever any clock says.
    pub place: u64,
    /// The admin's device that signed it.
    pub by: Option<DeviceId>,
}
