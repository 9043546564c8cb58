//! The commands of whoever runs a server, on the real program.
#![cfg(test)]

mod backups;
mod configuration;
mod policy;
mod scene;
mod serving;
mod witnesses;
