//! The raw signature check. Under `--cfg ward_stand_in`, which nothing but the simulator sets, it is
//! a keyed hash of the same sizes: it fails where the real one fails, and protects nothing.

#[cfg(not(ward_stand_in))]
pub(crate) mod ed25519;
#[cfg(ward_stand_in)]
#[path = "hazmat/ed25519_stand_in.rs"]
pub(crate) mod ed25519;
