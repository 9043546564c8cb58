//! What must hold when things go wrong: each test is named after the row of the fault table that it
//! covers.

#![cfg(test)]

mod certificate_ended;
mod drop_scene;
mod keys_moved_on;
mod lease;
mod revoked_in_parallel;
mod salvage;
mod very_old;
mod wipe;
