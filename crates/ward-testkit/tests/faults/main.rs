//! Rows of the fault table, through the SDK and the real server in this process: what goes wrong,
//! and what must hold then. Each test bears the number of its row.

#![cfg(test)]

mod clones;
mod cuts;
mod reopened;
mod scene;
mod schedule;
mod trust;
