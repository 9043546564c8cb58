//! Attacks on a whole site, through the SDK, the server and its stores: what a hostile server, a
//! network, a thief or an insider does in between, and what must hold. Each test bears the number
//! of its attack; `docs/red-team.md` lists them all.

#![cfg(test)]

mod altered_headers;
mod caller;
mod canary_day;
mod database_rows;
mod drop_box;
mod enrolment;
mod former_members;
mod frozen_log;
mod greetings;
mod hidden_tail;
mod histories;
mod local_file;
mod loot;
mod members;
mod metadata;
mod needles;
mod next_device;
mod olog_claims;
mod removed_member;
mod replays;
mod rollbacks;
mod scene;
mod spoilt_packages;
mod suites;
mod whole_day;
