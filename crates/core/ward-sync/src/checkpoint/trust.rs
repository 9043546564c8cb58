//! How far a checkpoint is believed before it was verified.

use crate::membership::{DeviceRecord, Membership};
use alloc::collections::BTreeSet;
use ward_crypto::Role;
use ward_id::{ChartId, DeviceId, PersonId};

/// How many people vouch for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckpointTrust {
    /// Its author's device was revoked, or may not write one: it is not used.
    Nobody,
    /// Devices of one person: the chart is shown as being verified.
    OnePerson,
    /// Devices of two people, not revoked at the newest head of the membership log: the chart is
    /// shown as it is, and verified all the same.
    TwoPersons,
}

/// Looks up who signed a checkpoint, at the newest head of the membership log.
pub fn checkpoint_trust(
    membership: &Membership,
    chart: ChartId,
    author: DeviceId,
    cosigners: impl Iterator<Item = DeviceId>,
) -> CheckpointTrust {
    let person = |device| {
        let record = membership.device(chart, device)?;
        let writes = record.role() == Role::Patient || record.role().is_staff();
        Some(record).filter(|record| record.is_active() && writes).map(DeviceRecord::person)
    };
    let Some(first) = person(author) else { return CheckpointTrust::Nobody };
    let people: BTreeSet<PersonId> = cosigners.filter_map(person).chain([first]).collect();
    if people.len() > 1 { CheckpointTrust::TwoPersons } else { CheckpointTrust::OnePerson }
}
