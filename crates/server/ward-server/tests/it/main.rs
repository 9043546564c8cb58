//! The server, called through its router without sockets, and once over TLS.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod authorisation;
mod drop_box;
mod enrolment;
mod logs;
mod lost_manifest;
mod membership;
mod mlog_offers;
mod operations;
mod pushes_together;
mod readiness;
mod refusals;
mod repair;
mod restore;
mod secrecy;
mod sockets;
mod stream;
mod support;
mod tokens;
