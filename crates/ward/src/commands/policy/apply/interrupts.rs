//! Signals that arrive while another program works for Ward.
//!
//! Ward lives until that program has ended, because it holds a copy of the plan that has to go. The program gets
//! each signal once, whoever sent it: at the first one Terraform finishes what it has begun, at a second one it
//! stops where it is.

use crate::exit::Failure;
use std::io;
use std::process::{Child, Command, ExitStatus};

/// What a program gave, and how it ended.
pub struct Ended<R> {
    /// What was read of it.
    pub read: R,
    /// How it ended.
    pub status: ExitStatus,
}

#[cfg(unix)]
pub use unix::Interrupts;
#[cfg(not(unix))]
pub use without_signals::Interrupts;

#[cfg(unix)]
mod unix {
    use super::{Child, Command, Ended, Failure, io};
    use crate::limits::APPLY_BEGINS_MS;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use std::io::IsTerminal as _;
    use std::os::unix::process::CommandExt as _;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::time::{Duration, Instant};
    use tokio::runtime::{Builder, Runtime};
    use tokio::signal::unix::{SignalKind, signal};

    /// Signals that are listened for, from when this is made until it goes.
    pub struct Interrupts {
        state: Arc<Mutex<State>>,
        /// Whether a terminal sends its signals to the program as well.
        shares_terminal: bool,
        _runtime: Runtime,
    }

    #[derive(Default)]
    struct State {
        was_told: bool,
        /// The program that works, as long as its number can be nobody else's.
        working: Option<Working>,
    }

    /// A program that works.
    #[derive(Clone, Copy)]
    struct Working {
        program: Pid,
        since: Instant,
    }

    impl Interrupts {
        /// Listens from now on.
        ///
        /// # Errors
        /// A system that does not let signals be listened for.
        pub fn listen() -> Result<Self, Failure> {
            let failed = |error: io::Error| Failure::fault("Signals cannot be listened for", error);
            let runtime =
                Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(failed)?;
            let state = Arc::new(Mutex::new(State::default()));
            let shares_terminal = io::stdin().is_terminal();
            let _context = runtime.enter();
            for (kind, as_sent, comes_to_all) in [
                (SignalKind::interrupt(), Signal::INT, shares_terminal),
                (SignalKind::quit(), Signal::QUIT, shares_terminal),
                (SignalKind::hangup(), Signal::HUP, shares_terminal),
                (SignalKind::terminate(), Signal::TERM, false),
            ] {
                // Who begins Ward by nohup wants both programs to outlive the terminal.
                if as_sent == Signal::HUP && is_ignored(as_sent) {
                    continue;
                }
                let mut arriving = signal(kind).map_err(failed)?;
                let state = Arc::clone(&state);
                runtime.spawn(async move {
                    while arriving.recv().await.is_some() {
                        let mut state = locked(&state);
                        state.was_told = true;
                        if let Some(working) = state.working
                            && is_owed(comes_to_all, working.since.elapsed())
                        {
                            // One that has just ended needs no signal.
                            let _ = kill_process(working.program, as_sent);
                        }
                    }
                });
            }
            Ok(Self { state, shares_terminal, _runtime: runtime })
        }

        /// Whether somebody asked Ward to stop.
        pub fn were_told(&self) -> bool {
            locked(&self.state).was_told
        }

        /// Runs a program to its end, and reads what it gives meanwhile.
        ///
        /// # Errors
        /// A program that is not started, also because Ward was asked to stop.
        pub fn run<R>(
            &self,
            command: &mut Command,
            read: impl FnOnce(&mut Child) -> R,
        ) -> io::Result<Ended<R>> {
            if !self.shares_terminal {
                // What is sent to Ward and all that it started reaches the program once as well.
                command.process_group(0);
            }
            let mut child = {
                let mut state = locked(&self.state);
                if state.was_told {
                    return Err(io::Error::new(io::ErrorKind::Interrupted, "Ward was asked to stop"));
                }
                let child = command.spawn()?;
                let program = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                state.working = program.map(|program| Working { program, since: Instant::now() });
                child
            };
            let read = read(&mut child);
            self.forget_once_ended();
            Ok(Ended { read, status: child.wait()? })
        }

        /// Waits for the end of the program without taking its number away: until then a signal can reach nobody
        /// else by it.
        fn forget_once_ended(&self) {
            let Some(Working { program, .. }) = locked(&self.state).working else { return };
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(program), options), Err(rustix::io::Errno::INTR)) {}
            locked(&self.state).working = None;
        }
    }

    fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether Ward passes a signal on. One that a terminal sends to all may have come just before there was the
    /// program; and one that has only begun has nothing yet that a second signal could cut off.
    fn is_owed(comes_to_all: bool, working: Duration) -> bool {
        !comes_to_all || working <= Duration::from_millis(APPLY_BEGINS_MS)
    }

    /// Whether whoever began Ward had a signal ignored. Only Linux says so in a file.
    fn is_ignored(signal: Signal) -> bool {
        std::fs::read_to_string("/proc/self/status").is_ok_and(|status| is_among_ignored(signal, &status))
    }

    fn is_among_ignored(signal: Signal, status: &str) -> bool {
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
        ignored.is_some_and(|ignored| ignored >> (signal.as_raw() - 1) & 1 == 1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_program_that_begins_at_the_limit_and_one_past() {
            let most = Duration::from_millis(APPLY_BEGINS_MS);
            assert!(is_owed(true, Duration::ZERO) && is_owed(true, most));
            assert!(!is_owed(true, most + Duration::from_millis(1)));
            assert!(is_owed(false, most * 100));
        }

        #[test]
        fn signals_that_are_ignored() {
            let status = "SigBlk:\t0000000000000004\nSigIgn:\t0000000000001001\nSigCgt:\tffff\n";
            assert!(is_among_ignored(Signal::HUP, status));
            assert!(!is_among_ignored(Signal::INT, status) && !is_among_ignored(Signal::QUIT, status));
            assert!(!is_among_ignored(Signal::HUP, "SigIgn:\tx\n") && !is_among_ignored(Signal::HUP, ""));
        }
    }
}

#[cfg(not(unix))]
mod without_signals {
    use super::{Child, Command, Ended, Failure, io};

    /// Nothing is listened for on this system.
    pub struct Interrupts;

    impl Interrupts {
        /// Listens to nothing.
        ///
        /// # Errors
        /// None.
        pub fn listen() -> Result<Self, Failure> {
            Ok(Self)
        }

        /// Nobody can ask.
        pub fn were_told(&self) -> bool {
            false
        }

        /// Runs a program to its end, and reads what it gives meanwhile.
        ///
        /// # Errors
        /// A program that is not started.
        pub fn run<R>(
            &self,
            command: &mut Command,
            read: impl FnOnce(&mut Child) -> R,
        ) -> io::Result<Ended<R>> {
            let mut child = command.spawn()?;
            let read = read(&mut child);
            Ok(Ended { read, status: child.wait()? })
        }
    }
}
