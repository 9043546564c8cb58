//! Attacks on a whole site, through the SDK, the server and its stores: what a hostile server, a
//! network, a thief or an insider does in between, and what must hold. Each test bears the number
//! of its attack; `docs/red-team.md` lists them all.

#![cfg(test)]

mod loot;
mod members;
mod scene;
