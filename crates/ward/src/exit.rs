//! How a command ends: an exit code, and three sentences for the person at the terminal.

use crate::print::Out;
use std::fmt::Display;
use std::process::ExitCode;

/// Why a command did not do what was asked. The number is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The answer is no: a check failed, something was refused.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The input cannot be read.
    Input = 3,
    /// The server or the network is not there.
    Unreachable = 4,
    /// This device may not do that now.
    NotNow = 5,
    /// A fault in Ward or in the machine.
    Fault = 70,
}

/// What happened, why, and what to do next.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    code: Option<String>,
    what: String,
    why: String,
    next: String,
}

impl Failure {
    /// A failure with its three sentences.
    pub fn new(kind: Kind, what: impl Display, why: impl Display, next: impl Display) -> Self {
        Self { kind, code: None, what: what.to_string(), why: why.to_string(), next: next.to_string() }
    }

    /// A fault of Ward or of the machine.
    pub fn fault(what: impl Display, why: impl Display) -> Self {
        Self::new(
            Kind::Fault,
            what,
            why,
            "try again; if it stays, send this line to whoever runs Ward for you",
        )
    }

    /// Something that was given cannot be read.
    pub fn input(what: impl Display, why: impl Display, next: impl Display) -> Self {
        Self::new(Kind::Input, what, why, next)
    }

    /// Adds the stable code that has a page in the documentation.
    #[must_use]
    pub fn with_code(mut self, code: impl Display) -> Self {
        self.code = Some(code.to_string());
        self
    }

    /// Adds to what can be done next.
    #[must_use]
    pub fn then(mut self, also: impl Display) -> Self {
        self.next = format!("{}; {also}", self.next);
        self
    }

    /// What kind of failure it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What to do next.
    pub fn next(&self) -> &str {
        &self.next
    }

    /// Prints the failure and gives the exit code.
    pub fn report(&self, out: &Out) -> ExitCode {
        out.failure(self.code.as_deref(), &self.what, &self.why, &self.next, self.kind as u8);
        ExitCode::from(self.kind as u8)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// What a command gives back.
pub type Done = Result<(), Failure>;
