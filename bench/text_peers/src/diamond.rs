//! The work, done by diamond-types.

use crate::timed;
use crate::traces::{Keystroke, Transaction};
use diamond_types::list::encoding::ENCODE_FULL;
use diamond_types::list::{Branch, ListCRDT, OpLog};
use std::time::Duration;

pub struct Diamond {
    pub log: OpLog,
}

/// Adds keystrokes after a version; returns the version.
pub fn add(log: &mut OpLog, agent: u32, parents: &[usize], keys: &[Keystroke]) -> Vec<usize> {
    let mut version = parents.to_vec();
    for key in keys {
        let at = key.at as usize;
        if key.deleted > 0 {
            version = vec![log.add_delete_at(agent, &version, at..at + key.deleted as usize)];
        }
        if !key.inserted.is_empty() {
            version = vec![log.add_insert_at(agent, &version, at, &key.inserted)];
        }
    }
    version
}

impl Diamond {
    pub fn typed(keys: &[Keystroke]) -> Self {
        let mut list = ListCRDT::new();
        let agent = list.get_or_create_agent_id("a");
        for key in keys {
            let at = key.at as usize;
            if key.deleted > 0 {
                list.delete_without_content(agent, at..at + key.deleted as usize);
            }
            if !key.inserted.is_empty() {
                list.insert(agent, at, &key.inserted);
            }
        }
        Self { log: list.oplog }
    }

    pub fn concurrent(transactions: &[Transaction]) -> Self {
        let mut log = OpLog::new();
        let agents = [log.get_or_create_agent_id("a"), log.get_or_create_agent_id("b")];
        let mut versions: Vec<Vec<usize>> = Vec::new();
        for txn in transactions {
            let parents: Vec<usize> =
                txn.parents.iter().flat_map(|parent| versions[*parent].clone()).collect();
            versions.push(add(&mut log, agents[txn.agent], &parents, &txn.keys));
        }
        Self { log }
    }

    pub fn encoded(&self) -> Vec<u8> {
        self.log.encode(ENCODE_FULL)
    }

    pub fn load(bytes: &[u8]) -> String {
        Self { log: OpLog::load_from(bytes).unwrap() }.text()
    }

    pub fn text(&self) -> String {
        self.log.checkout_tip().content().to_string()
    }
}

pub struct TwoDevices {
    first: OpLog,
    branch: Branch,
    second: OpLog,
}

impl TwoDevices {
    pub fn new(base: &str, first: &[Keystroke], second: &[Keystroke]) -> Self {
        let mut log = OpLog::new();
        let start = log.get_or_create_agent_id("base");
        let version = vec![log.add_insert_at(start, &[], 0, base)];
        let mut logs = ["a", "b"].map(|name| {
            let mut log = log.clone();
            let agent = log.get_or_create_agent_id(name);
            add(&mut log, agent, &version, if name == "a" { first } else { second });
            log
        });
        let second = std::mem::take(&mut logs[1]);
        let [first, _] = logs;
        let branch = first.checkout_tip();
        Self { first, branch, second }
    }

    pub fn merge(&self) -> Duration {
        let (mut log, mut branch) = (self.first.clone(), self.branch.clone());
        timed(|| {
            log.add_missing_operations_from(&self.second);
            branch.merge(&log, log.local_version_ref());
            branch.content().to_string()
        })
    }

    pub fn text(&self) -> String {
        let mut log = self.first.clone();
        log.add_missing_operations_from(&self.second);
        Diamond { log }.text()
    }
}
