//! Schedules from seeds.

use super::fault::Fault;
use super::schedule::{DeathPoint, DiskTrouble, Entry, NetFault, Policy, Schedule, Slot, Step};
use crate::limits::{ENTRIES, FAULTS, RARE_ONE_IN};

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * 86_400_000;

/// Numbers from a seed (SplitMix64): fast, and the same everywhere.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(super) const fn below(&mut self, end: u64) -> u64 {
        self.next() % if end == 0 { 1 } else { end }
    }

    /// A number in a range with both ends.
    const fn between(&mut self, range: (u64, u64)) -> u64 {
        range.0 + self.below(range.1 - range.0 + 1)
    }

    fn small(&mut self, end: u64) -> u8 {
        u8::try_from(1 + self.below(end)).unwrap_or(1)
    }

    fn of<T: Copy>(&mut self, list: &[T], otherwise: T) -> T {
        let place = usize::try_from(self.below(list.len() as u64)).unwrap_or(0);
        list.get(place).copied().unwrap_or(otherwise)
    }

    /// A place in a list of so many.
    pub(super) fn place(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap_or(0)
    }
}

/// What people write on an ordinary day; what is listed twice is written twice as often.
const EVERYDAY: &[Entry] = &[
    Entry::Note,
    Entry::Note,
    Entry::LongNote,
    Entry::NoteEdit,
    Entry::NoteEdit,
    Entry::Dose,
    Entry::DoseAmended,
    Entry::Response,
    Entry::ResponseAmended,
    Entry::Plan,
    Entry::Plan,
    Entry::Plan,
    Entry::Appointment,
    Entry::Profile,
    Entry::Acknowledgement,
    Entry::Resolve,
    Entry::Resolve,
    Entry::Void,
    Entry::SetAdd,
    Entry::SetRemove,
    Entry::Text,
    Entry::Text,
    Entry::TextCut,
    Entry::TextSign,
];

/// The schedule of a seed, with faults of these kinds only.
pub fn schedule(seed: u64, faults: &[Fault]) -> Schedule {
    let mut dice = Dice::new(seed ^ 0x5EED_0F57_0A11_5EED);
    let cast = cast(&mut dice);
    let mut steps = everyday(&mut dice, &cast);
    if dice.below(RARE_ONE_IN) == 0 {
        for entry in [Entry::Attachment, Entry::Attachment, Entry::Checkpoint] {
            let by = dice.of(&cast, Slot::Phone);
            put_in(&mut dice, &mut steps, &[Step::Write(by, entry), Step::Sync(by)]);
        }
    }
    let mut once = Vec::new();
    for _ in 0..dice.between(FAULTS) {
        let fault = dice.of(faults, Fault::Offline);
        if happens_once(fault) && once.contains(&fault) {
            continue;
        }
        once.push(fault);
        add(&mut dice, &cast, &mut steps, fault);
    }
    steps.splice(0..0, switched_off(&steps));
    Schedule { seed, steps }
}

/// Devices that no step names stay off: they would only cost time. A participant's device is revoked
/// by the coordinator.
fn switched_off(steps: &[Step]) -> Vec<Step> {
    let mut named: Vec<Slot> = steps.iter().filter_map(Step::names).collect();
    if steps.iter().any(|step| matches!(step, Step::Revoke(Slot::Phone | Slot::Tablet, _))) {
        named.push(Slot::Coordinator);
    }
    let all = [Slot::Phone, Slot::Tablet, Slot::Nurse, Slot::Doctor, Slot::Coordinator];
    all.into_iter().filter(|slot| !named.contains(slot)).map(Step::Off).collect()
}

/// What a schedule has at most one of.
const fn happens_once(fault: Fault) -> bool {
    matches!(fault, Fault::Copy | Fault::Salvage | Fault::Sever | Fault::Restore | Fault::ServerReopen)
}

/// Three to five devices, of the participant and of staff.
fn cast(dice: &mut Dice) -> Vec<Slot> {
    let mut staff = vec![Slot::Nurse, Slot::Doctor, Slot::Coordinator];
    let mut out = vec![dice.of(&[Slot::Phone, Slot::Tablet], Slot::Phone)];
    out.push(staff.remove(dice.place(3)));
    let mut others: Vec<Slot> =
        [Slot::Phone, Slot::Tablet].into_iter().chain(staff).filter(|slot| !out.contains(slot)).collect();
    for _ in 0..dice.between((1, 3)) {
        out.push(others.remove(dice.place(others.len())));
    }
    out
}

/// Writing, meeting the server, waiting.
fn everyday(dice: &mut Dice, cast: &[Slot]) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..dice.between(ENTRIES) {
        let by = dice.of(cast, Slot::Phone);
        steps.push(Step::Write(by, dice.of(EVERYDAY, Entry::Note)));
        if dice.below(100) < 45 {
            steps.push(Step::Sync(dice.of(cast, Slot::Phone)));
        }
        if dice.below(100) < 30 {
            steps.push(Step::Wait { ms: pause(dice) });
        }
    }
    steps
}

fn pause(dice: &mut Dice) -> u64 {
    match dice.below(100) {
        0..60 => dice.below(60 * SECOND_MS),
        60..85 => dice.below(2 * HOUR_MS),
        85..96 => dice.below(2 * DAY_MS),
        96..99 => dice.below(31 * DAY_MS),
        _ => 91 * DAY_MS,
    }
}

/// Puts steps in at random places, in their order.
fn put_in(dice: &mut Dice, steps: &mut Vec<Step>, new: &[Step]) {
    let mut from = 0;
    let count = new.len();
    for (done, step) in new.iter().enumerate() {
        // The first half of what is left, so that there is room for those that follow.
        let room = (steps.len() - from) / (count - done).max(1);
        let at = from + dice.place(room + 1);
        steps.insert(at, *step);
        from = at + 1;
    }
}

/// Puts steps in at one place.
fn put_together(dice: &mut Dice, steps: &mut Vec<Step>, new: &[Step]) {
    let at = dice.place(steps.len() + 1);
    steps.splice(at..at, new.iter().copied());
}

fn add(dice: &mut Dice, cast: &[Slot], steps: &mut Vec<Step>, fault: Fault) {
    let slot = dice.of(cast, Slot::Phone);
    let entry = dice.of(EVERYDAY, Entry::Note);
    let net = |dice: &mut Dice, fault| [Step::Net(slot, fault, dice.small(14)), Step::Sync(slot)];
    let new = match fault {
        Fault::Offline => {
            return put_in(dice, steps, &[Step::Offline(slot), Step::Sync(slot), Step::Online(slot)]);
        }
        Fault::Restore => {
            let all = [Step::Backup(slot), Step::Write(slot, entry), Step::Restore(slot), Step::Sync(slot)];
            return put_in(dice, steps, &all);
        }
        Fault::Copy => {
            let second = Slot::Second;
            let all = [
                Step::Copy(slot),
                Step::Write(second, entry),
                Step::Sync(second),
                Step::Write(second, entry),
            ];
            return put_in(dice, steps, &all);
        }
        Fault::ServerFull | Fault::ServerReadOnly => {
            let trouble = if fault == Fault::ServerFull { DiskTrouble::Full } else { DiskTrouble::ReadOnly };
            return put_in(dice, steps, &[Step::ServerDisk(trouble), Step::Sync(slot), Step::ServerHeals]);
        }
        Fault::ServerRollback => {
            return put_in(dice, steps, &[Step::ServerBackup, Step::Sync(slot), Step::ServerRollback]);
        }
        Fault::ServerReopen => {
            let other = dice.of(cast, Slot::Phone);
            let all =
                [Step::ServerBackup, Step::Sync(slot), Step::ServerReopen, Step::Sync(other), Step::Reopen];
            return put_in(dice, steps, &all);
        }
        Fault::Leave => {
            let staff = dice.of(&[Slot::Nurse, Slot::Doctor], Slot::Nurse);
            let all = [Step::Leave(staff), Step::Sync(staff), Step::Join(staff)];
            let stays_away = dice.below(3) == 0;
            return put_in(dice, steps, if stays_away { &all[..2] } else { &all });
        }
        Fault::Salvage | Fault::Sever => {
            let policy = if fault == Fault::Salvage { Policy::Salvage } else { Policy::Sever };
            let lost = dice.of(&[Slot::Phone, Slot::Tablet, Slot::Nurse, Slot::Doctor], Slot::Phone);
            let mut all = vec![Step::Write(lost, entry), Step::Revoke(lost, policy), Step::Sync(lost)];
            if policy == Policy::Salvage {
                let by = dice.of(&[Slot::Coordinator, Slot::Nurse, Slot::Doctor], Slot::Coordinator);
                let answer = if dice.below(4) == 0 { Entry::Decline } else { Entry::Adopt };
                all.extend([Step::Sync(by), Step::Write(by, answer)]);
            }
            return put_in(dice, steps, &all);
        }
        Fault::ClockYear => {
            let year = dice.of(&[YEAR_MS, -YEAR_MS], YEAR_MS);
            return put_in(dice, steps, &[Step::Clock(slot, year), Step::Clock(slot, 0)]);
        }
        Fault::ClockDay => {
            let day = dice.of(&[25 * 3_600_000, -25 * 3_600_000], 0);
            return put_in(dice, steps, &[Step::Clock(slot, day), Step::Write(slot, entry)]);
        }
        Fault::LoseRequest => net(dice, NetFault::LoseRequest),
        Fault::LoseAnswer => net(dice, NetFault::LoseAnswer),
        Fault::Repeat => net(dice, NetFault::Repeat),
        Fault::Late => net(dice, NetFault::Late),
        Fault::SpoilRequest => net(dice, NetFault::SpoilRequest),
        Fault::SpoilAnswer => net(dice, NetFault::SpoilAnswer),
        Fault::CutAnswer => net(dice, NetFault::CutAnswer),
        Fault::Portal => net(dice, NetFault::Portal),
        Fault::DieBeforeCommit => {
            [Step::Die(slot, DeathPoint::BeforeCommit, dice.small(6)), Step::Sync(slot)]
        }
        Fault::DieAfterCommit => [Step::Die(slot, DeathPoint::AfterCommit, dice.small(6)), Step::Sync(slot)],
        Fault::DieBeforeRequest => {
            [Step::Die(slot, DeathPoint::BeforeRequest, dice.small(14)), Step::Sync(slot)]
        }
        Fault::DieAfterRequest => {
            [Step::Die(slot, DeathPoint::AfterRequest, dice.small(14)), Step::Sync(slot)]
        }
        Fault::DiskFull => [Step::DiskFull(slot, dice.small(5)), Step::Sync(slot)],
        Fault::Reboot => [Step::Reboot(slot), Step::Write(slot, entry)],
        Fault::ServerRestart => [Step::ServerRestart, Step::Sync(slot)],
    };
    put_together(dice, steps, &new);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_seed_is_a_schedule_and_a_schedule_is_text() {
        for seed in 0..200 {
            let made = schedule(seed, Fault::ALL);
            assert_eq!(made, schedule(seed, Fault::ALL));
            assert_eq!(made.to_string().parse(), Ok(made.clone()));
            let writes = made.steps.iter().filter(|step| matches!(step, Step::Write(..))).count() as u64;
            assert!(writes >= ENTRIES.0, "{made}");
        }
        assert_ne!(schedule(1, Fault::ALL), schedule(2, Fault::ALL));
        assert!("ward schedule 1\nseed 4\nwrite nobody note".parse::<Schedule>().is_err());
        assert!("ward schedule 2\nseed 4".parse::<Schedule>().is_err());
    }

    #[test]
    fn every_fault_comes_up() {
        for fault in Fault::ALL {
            let without: BTreeSet<String> =
                everyday(&mut Dice::new(1), &[Slot::Phone]).iter().map(ToString::to_string).collect();
            let with = schedule(1, &[*fault]);
            assert!(with.steps.iter().any(|step| !without.contains(&step.to_string())), "{}", fault.word());
        }
    }
}
