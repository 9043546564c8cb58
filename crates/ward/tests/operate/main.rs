//! The commands of whoever runs a server, on the real program.
#![cfg(test)]

mod backups;
mod cluster;
mod configuration;
mod new_log_key;
mod policy;
mod policy_apply;
mod policy_exceptions;
mod policy_names;
mod policy_samples;
mod policy_webhook;
mod policy_webhook_key;
mod scene;
mod serving;
mod witnesses;
