//! The simulator: many devices on the real client against the real server, with virtual clocks, a
//! network that goes wrong in every way, and machines that die at any commit. All of it follows
//! from a seed. `docs/simulator.md` says what it models and what it does not.
//!
//! A schedule is a list of steps ([`Schedule`]), made from a seed ([`schedule`]) or read from a
//! text. [`run`] runs it on a copy of a site that was set up once ([`Template`]), looks after every
//! step, and at the end heals everything and expects the site to come to rest by itself, with no
//! entry lost, every member's chart the same, and nothing waiting.

mod attachments;
mod checks;
mod digest;
mod entries;
mod failure;
mod fate;
mod fault;
mod generate;
mod oracle;
#[cfg(test)]
mod planted;
mod ports;
mod rest;
mod run;
mod schedule;
mod second_rule;
mod server_steps;
mod shrink;
mod steps;
mod tally;
mod template;
mod texts;
mod words;
mod world;
mod writing;

pub use failure::{Failure, Verdict};
pub use fault::Fault;
pub use generate::schedule;
pub use run::{Outcome, run, tell};
pub use schedule::{DeathPoint, DiskTrouble, Entry, NetFault, Policy, Schedule, ScheduleError, Slot, Step};
pub use shrink::shrink;
pub use tally::Tally;
pub use template::{SiteStore, Template};
pub use world::Rows;
