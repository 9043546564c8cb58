//! Rows of the fault table, through the SDK and the real server in this process: what goes wrong,
//! and what must hold then. Each test bears the number of its row.

#![cfg(test)]

mod attachments;
mod carried_twice;
mod certificate_ended;
mod checkpoints;
mod clocks;
mod clones;
mod covered_history;
mod crowd;
mod cut_off_meetings;
mod cuts;
mod damaged_rows;
mod damaged_tables;
mod declined_texts;
mod dose_conflicts;
mod drop_scene;
mod endless_pages;
mod full_device;
mod full_server;
mod handed_in;
mod huge_inputs;
mod keys_moved_on;
mod lease;
mod local_commits;
mod log_key_changed;
mod moved_bases;
mod newer_store;
mod own_drops;
mod quotas;
mod recoveries;
mod reopened;
mod revoked_in_parallel;
mod revoked_then_reopened;
mod salvage;
mod scene;
mod schedule;
mod sealed_work;
mod set_back_unseen;
mod severed_texts;
mod torn_files;
mod trust;
mod twice_submitted;
mod very_old;
mod void_and_amend;
mod wipe;
