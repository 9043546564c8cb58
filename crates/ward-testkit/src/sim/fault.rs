//! Everything that can go wrong in a schedule, by name.

use super::words::worded;

worded! {
    /// A fault.
    Fault {
        /// The device has no network for a while.
        Offline = "offline",
        /// A request does not reach the server.
        LoseRequest = "lose-request",
        /// The server did its work, and its answer does not come back.
        LoseAnswer = "lose-answer",
        /// A request reaches the server twice.
        Repeat = "repeat",
        /// A request seems lost and reaches the server after later ones.
        Late = "late",
        /// A byte of a request is changed on the way.
        SpoilRequest = "spoil-request",
        /// A byte of an answer is changed on the way.
        SpoilAnswer = "spoil-answer",
        /// An answer ends in the middle.
        CutAnswer = "cut-answer",
        /// A captive portal answers with a page of its own.
        Portal = "portal",
        /// The device dies before a commit of its store.
        DieBeforeCommit = "die-before-commit",
        /// The device dies after a commit of its store, before anything else.
        DieAfterCommit = "die-after-commit",
        /// The device dies before a request leaves it.
        DieBeforeRequest = "die-before-request",
        /// The device dies after the server answered, before the answer is looked at.
        DieAfterRequest = "die-after-request",
        /// A commit finds the device's disk full.
        DiskFull = "disk-full",
        /// The device's store is set back to an older backup; the mark outside it is not.
        Restore = "restore",
        /// The device's store and key run on a second machine.
        Copy = "copy",
        /// The device's wall clock is a year off.
        ClockYear = "clock-year",
        /// The device's wall clock is 25 hours off.
        ClockDay = "clock-day",
        /// The device starts anew: monotonic times before and after cannot be compared.
        Reboot = "reboot",
        /// The server ends and starts again.
        ServerRestart = "server-restart",
        /// The server's disk is full for a while.
        ServerFull = "server-full",
        /// The server's disk cannot be written for a while.
        ServerReadOnly = "server-read-only",
        /// The operator tries to start the server on an older backup.
        ServerRollback = "server-rollback",
        /// The operator restores an older backup for good: the operation log is opened again.
        ServerReopen = "server-reopen",
        /// A device is revoked, and what it wrote before may be adopted.
        Salvage = "salvage",
        /// A device is revoked, and what comes of it later is refused.
        Sever = "sever",
        /// A person leaves the care team, and may come back: epochs change while others are away.
        Leave = "leave",
    }
}

impl Fault {
    /// The faults that a list of words names; every one for an empty list.
    ///
    /// # Errors
    /// The word that names none.
    pub fn list(words: &str) -> Result<Vec<Self>, String> {
        let words: Vec<&str> = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Ok(Self::ALL.to_vec());
        }
        words
            .into_iter()
            .map(|word| Self::of_word(word).ok_or_else(|| format!("there is no fault {word:?}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_words_of_their_own() {
        let mut words: Vec<&str> = Fault::ALL.iter().map(|fault| fault.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Fault::ALL.len());
        assert_eq!(Fault::list("late, copy"), Ok(vec![Fault::Late, Fault::Copy]));
        assert_eq!(Fault::list("").map(|all| all.len()), Ok(Fault::ALL.len()));
        assert!(Fault::list("late,nothing").is_err());
    }
}
