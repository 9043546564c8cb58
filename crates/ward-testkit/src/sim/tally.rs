//! What was run and what really happened: a fault that never bites, or a path that is never
//! reached, is seen here.

use super::fault::Fault;
use std::collections::BTreeMap;

/// Sums over schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Schedules that were run.
    pub schedules: u64,
    /// Those among them with enough devices, entries and faults to count as whole ones.
    pub whole: u64,
    /// Schedules that failed.
    pub failed: u64,
    /// Steps.
    pub steps: u64,
    /// Entries that were confirmed to a person.
    pub entries: u64,
    /// Requests that reached the server.
    pub requests: u64,
    /// How often each fault happened.
    pub faults: BTreeMap<String, u64>,
    /// How often each path of the product was reached.
    pub paths: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts a fault.
    pub fn fault(&mut self, fault: Fault) {
        *self.faults.entry(fault.word().to_owned()).or_default() += 1;
    }

    /// Counts a path.
    pub fn path(&mut self, path: impl AsRef<str>) {
        match self.paths.get_mut(path.as_ref()) {
            Some(count) => *count += 1,
            None => {
                self.paths.insert(path.as_ref().to_owned(), 1);
            }
        }
    }

    /// How many faults happened.
    pub fn faults_happened(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Adds the figures of other runs.
    pub fn add(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.whole += other.whole;
        self.failed += other.failed;
        self.steps += other.steps;
        self.entries += other.entries;
        self.requests += other.requests;
        for (mine, theirs) in [(&mut self.faults, &other.faults), (&mut self.paths, &other.paths)] {
            for (name, count) in theirs {
                *mine.entry(name.clone()).or_default() += count;
            }
        }
    }
}
