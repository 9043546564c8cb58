//! Talking to the server: proofs of possession, tokens, and one function a call.

mod calls;
mod dpop;
mod session;

pub(crate) use calls::{Wire, decode, get_anonymous, post_anonymous};
pub(crate) use session::Session;
