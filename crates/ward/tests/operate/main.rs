//! The commands of whoever runs a server, on the real program.
#![cfg(test)]

mod backups;
mod configuration;
mod new_log_key;
mod policy;
mod scene;
mod serving;
mod witnesses;
