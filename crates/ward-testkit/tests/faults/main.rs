//! Faults of devices, networks and servers on a whole site: what must hold when something breaks in
//! between. Each test bears the number of its fault.

#![cfg(test)]

mod attachments;
mod checkpoints;
mod full_device;
mod full_server;
mod huge_inputs;
mod quotas;
