//! When a checkpoint is due. One rule for every device; it needs no agreement, since two checkpoints
//! do no harm.

use crate::limits::{CHECKPOINT_EVERY_ENTRIES, CHECKPOINT_EVERY_MS, PATIENTS_WAIT_TIMES};
use ward_crypto::Role;
use ward_id::TimestampMs;

/// What the rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointDue {
    /// The role of the device that asks.
    pub role: Role,
    /// Entries that arrived after the newest checkpoint that is here; all of them if there is none.
    pub entries_since: u64,
    /// When the first of them arrived.
    pub oldest_since: Option<TimestampMs>,
    /// The time, as the device trusts it.
    pub now: TimestampMs,
}

/// Whether this device writes a checkpoint now: every 1,000 entries, or 30 days after the first entry
/// that none covers. A phone leaves it to the site's machines for as long again.
pub fn checkpoint_due(due: CheckpointDue) -> bool {
    let times = match due.role {
        Role::Patient => PATIENTS_WAIT_TIMES,
        role if role.is_staff() => 1,
        _ => return false,
    };
    let many = due.entries_since >= CHECKPOINT_EVERY_ENTRIES.saturating_mul(times);
    let age_ms = due.oldest_since.map_or(0, |oldest| due.now.since_ms(oldest));
    let wait_ms = CHECKPOINT_EVERY_MS.saturating_mul(i64::try_from(times).unwrap_or(i64::MAX));
    many || due.entries_since > 0 && age_ms >= wait_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_and_one_before() {
        let begin = TimestampMs(1_000_000);
        let ask = |role, entries_since, days: i64| {
            let now = begin.plus_ms(days * 86_400_000);
            checkpoint_due(CheckpointDue { role, entries_since, oldest_since: Some(begin), now })
        };
        assert!(!ask(Role::Clinician, 999, 0) && ask(Role::Clinician, 1_000, 0));
        assert!(!ask(Role::Clinician, 1, 29) && ask(Role::Clinician, 1, 30));
        assert!(!ask(Role::Patient, 1_999, 59) && ask(Role::Patient, 2_000, 0) && ask(Role::Patient, 1, 60));
        assert!(!ask(Role::Clinician, 0, 400), "nothing is new");
        assert!(!ask(Role::Auditor, 5_000, 400), "only writers");
    }
}
