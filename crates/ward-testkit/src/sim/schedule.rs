//! A schedule: what happens to a site, as a list of steps. It is text, so that one that failed can
//! be kept and replayed.

use super::words::worded;
use std::fmt;

/// The first line of a schedule.
const HEADING: &str = "ward schedule 1";

worded! {
    /// A device of the cast.
    Slot {
        /// The participant's phone.
        Phone = "phone",
        /// The participant's second device.
        Tablet = "tablet",
        /// A study nurse.
        Nurse = "nurse",
        /// An oncologist.
        Doctor = "doctor",
        /// The coordinator.
        Coordinator = "coordinator",
        /// A second machine with a copy of another device's store and key.
        Second = "second",
    }
}

worded! {
    /// What a person writes.
    Entry {
        /// A new note.
        Note = "note",
        /// A note of some length.
        LongNote = "long-note",
        /// A newer text of the newest note.
        NoteEdit = "note-edit",
        /// A dose taken.
        Dose = "dose",
        /// A correction of the newest dose.
        DoseAmended = "dose-amended",
        /// Answers to the questionnaire of a day.
        Response = "response",
        /// A correction of the newest answers.
        ResponseAmended = "response-amended",
        /// A field of the medication plan, in place of what the device sees there.
        Plan = "plan",
        /// A visit, in place of what the device sees of it.
        Appointment = "appointment",
        /// A field of the profile, in place of what the device sees there.
        Profile = "profile",
        /// An alert was looked at.
        Acknowledgement = "acknowledgement",
        /// A decision about an open conflict that the role decides about.
        Resolve = "resolve",
        /// A record or note is declared void.
        Void = "void",
        /// An element is put into a set.
        SetAdd = "set-add",
        /// An element is taken out of a set.
        SetRemove = "set-remove",
        /// Some words in the text that everybody edits.
        Text = "text",
        /// Words in place of others, in that text.
        TextCut = "text-cut",
        /// A signature over that text.
        TextSign = "text-sign",
        /// An attachment, of one chunk or of two.
        Attachment = "attachment",
        /// A checkpoint over everything that the device holds.
        Checkpoint = "checkpoint",
        /// Staff take over what waits of a device.
        Adopt = "adopt",
        /// Staff decline an entry that waits.
        Decline = "decline",
    }
}

worded! {
    /// What happens to one request of a device.
    NetFault {
        /// It does not reach the server.
        LoseRequest = "lose-request",
        /// Its answer does not come back.
        LoseAnswer = "lose-answer",
        /// It reaches the server twice.
        Repeat = "repeat",
        /// It seems lost and reaches the server after the next one.
        Late = "late",
        /// A byte of it is changed.
        SpoilRequest = "spoil-request",
        /// A byte of its answer is changed.
        SpoilAnswer = "spoil-answer",
        /// Its answer ends in the middle.
        CutAnswer = "cut-answer",
        /// Somebody else answers with a page.
        Portal = "portal",
    }
}

worded! {
    /// Where a device dies.
    DeathPoint {
        /// Before the commit.
        BeforeCommit = "before-commit",
        /// After the commit.
        AfterCommit = "after-commit",
        /// Before the request.
        BeforeRequest = "before-request",
        /// After the server answered.
        AfterRequest = "after-request",
    }
}

worded! {
    /// What the server's disk does.
    DiskTrouble {
        /// It is full.
        Full = "full",
        /// It cannot be written.
        ReadOnly = "read-only",
    }
}

worded! {
    /// What becomes of a revoked device's late entries.
    Policy {
        /// Staff may adopt them.
        Salvage = "salvage",
        /// They are refused.
        Sever = "sever",
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Time passes.
    Wait {
        /// How much.
        ms: u64,
    },
    /// A person writes.
    Write(Slot, Entry),
    /// A device meets the server.
    Sync(Slot),
    /// An app ends and starts again.
    Restart(Slot),
    /// A device loses the network.
    Offline(Slot),
    /// It has it again.
    Online(Slot),
    /// The n-th request from now, counted from 1, goes wrong.
    Net(Slot, NetFault, u8),
    /// The device dies at its n-th commit or request from now.
    Die(Slot, DeathPoint, u8),
    /// The n-th commit from now finds the disk full.
    DiskFull(Slot, u8),
    /// The device's store is copied to a safe place.
    Backup(Slot),
    /// The copy takes the place of the store.
    Restore(Slot),
    /// A second machine gets the store and the key.
    Copy(Slot),
    /// The wall clock is off by so many milliseconds.
    Clock(Slot, i64),
    /// The device starts anew.
    Reboot(Slot),
    /// The server ends and starts again.
    ServerRestart,
    /// The server's disk fails from now on.
    ServerDisk(DiskTrouble),
    /// The server's disk works again.
    ServerHeals,
    /// The server's store is copied to a safe place.
    ServerBackup,
    /// The operator starts the server on the copy, as if it were the newest there is.
    ServerRollback,
    /// The operator restores the copy, though history is missing in it.
    ServerReopen,
    /// An admin lets the operation log go on after that.
    Reopen,
    /// The device is revoked.
    Revoke(Slot, Policy),
    /// The device's person leaves the care team.
    Leave(Slot),
    /// The device's person is in the care team again.
    Join(Slot),
    /// The device lies switched off in a drawer from the beginning to the end.
    Off(Slot),
}

/// What happens to a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// All randomness of devices and server follows from this.
    pub seed: u64,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the schedule cannot be read: {text}")]
pub struct ScheduleError {
    /// The line, counted from 1.
    pub line: usize,
    /// What stands there.
    pub text: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wait { ms } => write!(f, "wait {ms}"),
            Self::Write(slot, entry) => write!(f, "write {} {}", slot.word(), entry.word()),
            Self::Sync(slot) => write!(f, "sync {}", slot.word()),
            Self::Restart(slot) => write!(f, "restart {}", slot.word()),
            Self::Offline(slot) => write!(f, "offline {}", slot.word()),
            Self::Online(slot) => write!(f, "online {}", slot.word()),
            Self::Net(slot, fault, nth) => write!(f, "net {} {} {nth}", slot.word(), fault.word()),
            Self::Die(slot, point, nth) => write!(f, "die {} {} {nth}", slot.word(), point.word()),
            Self::DiskFull(slot, nth) => write!(f, "disk-full {} {nth}", slot.word()),
            Self::Backup(slot) => write!(f, "backup {}", slot.word()),
            Self::Restore(slot) => write!(f, "restore {}", slot.word()),
            Self::Copy(slot) => write!(f, "copy {}", slot.word()),
            Self::Clock(slot, ms) => write!(f, "clock {} {ms}", slot.word()),
            Self::Reboot(slot) => write!(f, "reboot {}", slot.word()),
            Self::ServerRestart => f.write_str("server-restart"),
            Self::ServerDisk(trouble) => write!(f, "server-disk {}", trouble.word()),
            Self::ServerHeals => f.write_str("server-heals"),
            Self::ServerBackup => f.write_str("server-backup"),
            Self::ServerRollback => f.write_str("server-rollback"),
            Self::ServerReopen => f.write_str("server-reopen"),
            Self::Reopen => f.write_str("reopen"),
            Self::Revoke(slot, policy) => write!(f, "revoke {} {}", slot.word(), policy.word()),
            Self::Leave(slot) => write!(f, "leave {}", slot.word()),
            Self::Join(slot) => write!(f, "join {}", slot.word()),
            Self::Off(slot) => write!(f, "off {}", slot.word()),
        }
    }
}

impl Step {
    /// The device that a step names.
    pub(super) const fn names(&self) -> Option<Slot> {
        match self {
            Self::Write(slot, _)
            | Self::Sync(slot)
            | Self::Restart(slot)
            | Self::Offline(slot)
            | Self::Online(slot)
            | Self::Net(slot, ..)
            | Self::Die(slot, ..)
            | Self::DiskFull(slot, _)
            | Self::Backup(slot)
            | Self::Restore(slot)
            | Self::Copy(slot)
            | Self::Clock(slot, _)
            | Self::Reboot(slot)
            | Self::Revoke(slot, _)
            | Self::Leave(slot)
            | Self::Join(slot)
            | Self::Off(slot) => Some(*slot),
            Self::Wait { .. }
            | Self::ServerRestart
            | Self::ServerDisk(_)
            | Self::ServerHeals
            | Self::ServerBackup
            | Self::ServerRollback
            | Self::ServerReopen
            | Self::Reopen => None,
        }
    }

    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let slot = |place: usize| words.get(place).and_then(|word| Slot::of_word(word));
        let number = |place: usize| words.get(place).and_then(|word| word.parse::<u8>().ok());
        Some(match (words.first().copied()?, words.len()) {
            ("wait", 2) => Self::Wait { ms: words.get(1)?.parse().ok()? },
            ("write", 3) => Self::Write(slot(1)?, Entry::of_word(words.get(2)?)?),
            ("sync", 2) => Self::Sync(slot(1)?),
            ("restart", 2) => Self::Restart(slot(1)?),
            ("offline", 2) => Self::Offline(slot(1)?),
            ("online", 2) => Self::Online(slot(1)?),
            ("net", 4) => Self::Net(slot(1)?, NetFault::of_word(words.get(2)?)?, number(3)?),
            ("die", 4) => Self::Die(slot(1)?, DeathPoint::of_word(words.get(2)?)?, number(3)?),
            ("disk-full", 3) => Self::DiskFull(slot(1)?, number(2)?),
            ("backup", 2) => Self::Backup(slot(1)?),
            ("restore", 2) => Self::Restore(slot(1)?),
            ("copy", 2) => Self::Copy(slot(1)?),
            ("clock", 3) => Self::Clock(slot(1)?, words.get(2)?.parse().ok()?),
            ("reboot", 2) => Self::Reboot(slot(1)?),
            ("server-restart", 1) => Self::ServerRestart,
            ("server-disk", 2) => Self::ServerDisk(DiskTrouble::of_word(words.get(1)?)?),
            ("server-heals", 1) => Self::ServerHeals,
            ("server-backup", 1) => Self::ServerBackup,
            ("server-rollback", 1) => Self::ServerRollback,
            ("server-reopen", 1) => Self::ServerReopen,
            ("reopen", 1) => Self::Reopen,
            ("revoke", 3) => Self::Revoke(slot(1)?, Policy::of_word(words.get(2)?)?),
            ("leave", 2) => Self::Leave(slot(1)?),
            ("join", 2) => Self::Join(slot(1)?),
            ("off", 2) => Self::Off(slot(1)?),
            _ => return None,
        })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}\nseed {}", self.seed)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl std::str::FromStr for Schedule {
    type Err = ScheduleError;

    /// Lines that begin with `#` are remarks.
    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = |line: usize, text: &str| ScheduleError { line: line + 1, text: text.to_owned() };
        let mut lines = text.lines().enumerate().filter(|(_, line)| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        });
        match lines.next() {
            Some((_, HEADING)) => {}
            other => return Err(wrong(0, other.map_or("", |(_, line)| line))),
        }
        let (at, line) = lines.next().unwrap_or((1, ""));
        let seed = line.strip_prefix("seed ").and_then(|seed| seed.trim().parse().ok());
        let seed = seed.ok_or_else(|| wrong(at, line))?;
        let steps = lines.map(|(at, line)| Step::read(line).ok_or_else(|| wrong(at, line)));
        Ok(Self { seed, steps: steps.collect::<Result<_, _>>()? })
    }
}
