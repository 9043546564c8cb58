//! The commands of whoever runs a server, on the real program.
#![cfg(test)]

mod backups;
mod configuration;
mod new_log_key;
mod policy;
mod policy_apply;
mod policy_exceptions;
mod policy_samples;
mod policy_webhook;
mod scene;
mod serving;
mod witnesses;
