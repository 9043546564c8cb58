//! Rows of the fault table on a whole site: what goes wrong in between, and what must hold. Each test
//! bears the number of its row.

#![cfg(test)]

mod dose_conflicts;
mod newer_store;
mod twice_submitted;
mod void_and_amend;
