//! Talking to the server: proofs of possession, tokens, and one function a call.

mod calls;
mod dpop;
mod session;

pub(crate) use calls::{Wire, anonymous, decode};
pub(crate) use session::Session;
